mod openings;
mod people;

use super::*;

/// A machine's `/etc` and one `vsftpd.conf` in a directory of its own.
struct Etc(tempfile::TempDir);

impl Etc {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(dir)
    }

    fn import(&self, conf: &str, wish: Wish) -> Result<Imported, ImportError> {
        let file = self.0.path().join("vsftpd.conf");
        std::fs::write(&file, conf).unwrap();
        let places = Places {
            root: Some(self.0.path().to_owned()),
            ..Places::default()
        };
        import(&file, &places, wish)
    }

    #[track_caller]
    fn loaded(&self, conf: &str, wish: Wish) -> (ftp_config::ServerConfig, String) {
        let imported = self.import(conf, wish).unwrap();
        let path = self.0.path().join("ftp.toml");
        let config = ftp_config::ServerConfig::from_toml(&imported.toml, &path)
            .unwrap_or_else(|error| panic!("{}\n{}", error.report("ftpd"), imported.toml));
        (config, imported.toml)
    }

    #[track_caller]
    fn refusals(&self, conf: &str) -> Vec<String> {
        match self.import(conf, Wish::default()) {
            Err(ImportError::Refused { refusals, .. }) => refusals
                .iter()
                .map(|note| format!("{}: {}", note.line.unwrap_or(0), note.text))
                .collect(),
            other => panic!("{other:?}"),
        }
    }
}

const PASSWD: (&str, &str) = (
    "etc/passwd",
    "root:x:0:0::/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/bash\n\
     bob:x:1001:1001::/home/bob/./in:/bin/bash\nftp:x:110:110::/srv/ftp:/usr/sbin/nologin\n",
);

#[test]
fn each_option_that_must_not_be_dropped_stops_the_import_with_its_line() {
    let etc = Etc::new(&[("etc/hosts.allow", "vsftpd: 192.168.1.\n")]);
    let conf = "deny_file={*.mp3}\ndownload_file=x\nupload_file=x\nimplicit_ssl=YES\n\
                pasv_promiscuous=YES\nport_promiscuous=YES\nrequire_cert=YES\n\
                secure_email_list_enable=YES\ntcp_wrappers=YES\n";
    let refusals = etc.refusals(conf);
    let lines: Vec<_> = refusals
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let all = Etc::new(&[("etc/hosts.deny", "# all\nALL: ALL\n")]);
    assert_eq!(all.refusals("tcp_wrappers=YES\n").len(), 1);
    let silent = Etc::new(&[("etc/hosts.deny", "# ALL: ALL\nsshd: ALL\n")]);
    assert!(silent.import("tcp_wrappers=YES\n", Wish::default()).is_ok());
}

#[test]
fn tls_is_as_strict_as_it_was() {
    let etc = Etc::new(&[PASSWD]);
    let mode = |conf: &str| {
        etc.loaded(&format!("local_enable=YES\n{conf}"), Wish::default())
            .0
            .tls
    };
    let required = mode("ssl_enable=YES\nrsa_cert_file=/etc/ssl/a.pem\n");
    assert_eq!(required.mode, ftp_config::server::TlsMode::Required);
    assert_eq!(required.key, Path::new("/etc/ssl/a.pem"));
    // As vsftpd has it where the file does not say.
    assert!(required.require_reuse);
    assert!(!mode("ssl_enable=YES\nrequire_ssl_reuse=NO\n").require_reuse);
    let optional = "ssl_enable=YES\nforce_local_logins_ssl=NO\nforce_local_data_ssl=NO\n";
    assert_eq!(mode(optional).mode, ftp_config::server::TlsMode::Optional);
    let off = mode("ssl_enable=NO\nrsa_cert_file=/etc/ssl/a.pem\n");
    assert!(off.self_signed);
}

#[test]
fn numbers_keep_their_meaning() {
    let etc = Etc::new(&[PASSWD]);
    let conf = "local_enable=YES\nlocal_umask=22\nfile_open_mode=0777\npasv_min_port=50100\n\
                pasv_max_port=50000\nmax_clients=0\nmax_per_ip=4\nidle_session_timeout=120\n\
                data_connection_timeout=0\naccept_timeout=10\nconnect_timeout=20\nlocal_max_rate=50000\n\
                listen_port=10021\nlisten_address=192.168.1.5\nxferlog_enable=YES\nxferlog_std_format=YES\n\
                delete_failed_uploads=YES\nport_enable=NO\nmax_login_fails=4\nftpd_banner=Hi there\n";
    let (config, toml) = etc.loaded(conf, Wish::default());
    assert_eq!((config.share.umask, config.uploads.mode), (0o026, 0o777));
    assert!(toml.contains("it is 026 in octal, which stands here. Was 022 meant?"));
    assert_eq!(config.passive.ports.to_string(), "50000-50100");
    assert_eq!(
        (config.limits.max_clients, config.limits.max_per_ip),
        (0, 4)
    );
    assert_eq!(config.timeouts.idle.as_secs(), 120);
    assert_eq!(
        (
            config.timeouts.stalled.as_secs(),
            config.timeouts.data_connect.as_secs()
        ),
        (300, 20)
    );
    assert_eq!(config.limits.session_rate_down.0, 50000);
    assert_eq!(config.server.listen, ["192.168.1.5:10021".parse().unwrap()]);
    assert_eq!(config.server.greeting, "Hi there");
    assert_eq!(
        config.log.xferlog.as_deref(),
        Some(Path::new("/var/log/xferlog"))
    );
    assert!(config.uploads.keep_partial_for.is_zero() && !config.active.enabled);
    assert_eq!(config.auth.lockout.after, 4);
}

#[test]
fn a_value_that_becomes_another_one_is_said() {
    let etc = Etc::new(&[
        PASSWD,
        ("etc/banner", "Hi\nthere\n"),
        ("etc/users/ann", "local_max_rate=7\n"),
    ]);
    let conf = format!(
        "local_enable=YES\nmax_clients=200000\nmax_per_ip=100000\nmax_login_fails=2345\nanonymous_enable=YES\n\
         anon_max_rate=500\nlocal_max_rate=600\nfile_open_mode=01666\nlocal_umask=01022\npasv_min_port=100\n\
         pasv_max_port=200\nuser_config_dir=/etc/users\nftpd_banner={}\n\
         local_root=/srv/ftp\nanon_root=/srv/ftp\n",
        "x".repeat(501)
    );
    let (config, toml) = etc.loaded(&conf, Wish::default());
    for told in [
        ":2: `max_clients=200000` is 100000 here",
        ":4: `max_login_fails=2345` is 1000 here",
        ":6: `anon_max_rate=500` is 1 KiB/s here",
        ":7: `local_max_rate=600` is 1 KiB/s here",
        ":8: `file_open_mode=01666`: the bits above 777 are left out",
        ":9: `local_umask=01022`: the bits above 777 are left out",
        ":10: passive ports below 1024 need privilege",
        ":13: `ftpd_banner` is cut",
        "users/ann:1: `local_max_rate=7` is 1 KiB/s here",
    ] {
        assert!(toml.contains(told), "{told}: {toml}");
    }
    assert!(!toml.contains("`max_per_ip=100000` is"), "{toml}");
    assert_eq!(config.limits.max_clients, 100_000);
    assert_eq!((config.share.umask, config.uploads.mode), (0o022, 0o666));
    let banner = etc.loaded(
        "local_enable=YES\nbanner_file=/etc/banner\n",
        Wish::default(),
    );
    assert!(banner.1.contains(":2: `banner_file`: its first line alone"));
    assert_eq!(banner.0.server.greeting, "Hi");
}

#[test]
fn a_path_that_is_not_utf8_is_not_guessed_at() {
    let etc = Etc::new(&[PASSWD]);
    let file = etc.0.path().join("latin1.conf");
    std::fs::write(
        &file,
        b"# \xe9\nlocal_enable=YES\nlocal_root=/srv/caf\xe9\n",
    )
    .unwrap();
    let places = Places {
        root: Some(etc.0.path().to_owned()),
        ..Places::default()
    };
    match import(&file, &places, Wish::default()) {
        Err(ImportError::Refused { refusals, .. }) => {
            assert_eq!(refusals.len(), 1);
            assert_eq!(refusals[0].line, Some(3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_with_every_option_at_its_default_loads() {
    let etc = Etc::new(&[PASSWD, ("etc/users/ann", "")]);
    let values: String = table::ROWS
        .iter()
        .map(|row| format!("{}={}\n", row.name, row.default))
        .collect();
    let (config, toml) = etc.loaded(
        &values,
        Wish {
            privileged: true,
            ..Wish::default()
        },
    );
    assert_eq!(config.server.listen, ["0.0.0.0:21".parse().unwrap()]);
    for row in table::ROWS
        .iter()
        .filter(|row| row.verdict == table::Verdict::Dropped)
    {
        assert!(toml.contains(&format!("`{}=", row.name)), "{}", row.name);
    }
}
