//! The shipped sample is complete, true, and round-trips.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use ftp_config::{ClientConfig, Environment, ServerConfig, find_config, load_client, load_server};

fn sample() -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/ftp.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// Keys without a default: their value in the sample is an example.
const EXAMPLES: [&str; 10] = [
    "run_as",
    "allow_users",
    "allow_users_file",
    "cert",
    "key",
    "xferlog",
    "listen = \"127.0.0.1:9121",
    "name = \"files",
    "password_command",
    "ca_file",
];

fn uncommented(text: &str) -> String {
    text.lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key)
                if key.starts_with(|c: char| c.is_ascii_lowercase())
                    && !EXAMPLES.iter().any(|example| key.starts_with(example)) =>
            {
                key.to_owned()
            }
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_commented_key_stands_at_its_default() {
    let (path, text) = sample();
    let all = uncommented(&text);
    assert!(
        all.matches(" = ").count() > text.matches("\n#").count() / 3,
        "nothing was uncommented"
    );
    assert_eq!(
        ServerConfig::from_toml(&all, &path).unwrap(),
        ServerConfig::from_toml(&text, &path).unwrap()
    );
    assert_eq!(
        ClientConfig::from_toml(&all, &path).unwrap(),
        ClientConfig::from_toml(&text, &path).unwrap()
    );
}

#[test]
fn every_key_that_is_printed_is_shown_in_the_sample() {
    let (path, text) = sample();
    let mut section = String::new();
    let printed = ServerConfig::from_toml(&text, &path).unwrap().to_toml();
    for line in printed.lines() {
        if line.starts_with('[') {
            section = line.to_owned();
            assert!(text.contains(line), "{line} is not in the sample");
        } else if let Some((key, _)) = line.split_once(" = ") {
            let body = &text[text.find(&section).unwrap()..];
            assert!(
                body.contains(&format!("\n#{key} = ")) || body.contains(&format!("\n{key} = "))
            );
        }
    }
}

#[test]
fn the_sample_runs_as_it_is_and_without_warnings() {
    let (path, _) = sample();
    let loaded = load_server(&path).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.config.users.len(), 1);
    assert!(loaded.config.share.root.ends_with("share"));
    let client = load_client(&path).unwrap().config;
    assert_eq!(client.site.as_deref(), Some("local"));
}

#[test]
fn printing_and_loading_agree() {
    let (path, text) = sample();
    let server = ServerConfig::from_toml(&text, &path).unwrap();
    assert_eq!(
        ServerConfig::from_toml(&server.to_toml(), &path).unwrap(),
        server
    );
    let rich = format!(
        "[server]\nlisten = [\"[::1]:21\", \"127.0.0.1:0\"]\nallow_from = [\"lan\", \"10.0.0.0/8\"]\n\
         greeting = \"a \\\"b\\\" \\\\ c\"\nengine = \"libunftp\"\nrun_as = \"ftpd\"\n\
         [auth]\nallow_users = [\"ann\"]\ndeny_users = [\"bob\"]\n[auth.lockout]\nfor = \"2s\"\n\
         [[user]]\nname = \"ann\"\npassword = \"{HASH}\"\nhome = \"/{{user}}\"\n\
         can = [\"list\", \"write\"]\nrate_up = \"1536 KiB/s\"\nmax_sessions = 3\n\
         [tls]\ncert = \"a.pem\"\nkey = \"b.pem\"\nmode = \"required\"\n\
         [share]\nreserve = \"3 GiB\"\numask = \"007\"\n[names]\nfallback = \"none\"\n\
         [log]\nxferlog = \"x.log\"\n[metrics]\nlisten = \"127.0.0.1:1\"\n[passive]\naddress = \"10.0.0.1\"\n"
    );
    let server = ServerConfig::from_toml(&rich, &path).unwrap();
    assert_eq!(server.users[0].home.as_str(), "/ann");
    assert_eq!(
        ServerConfig::from_toml(&server.to_toml(), &path).unwrap(),
        server
    );
}

const HASH: &str = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdHNhbHRzYWx0$wT2cXRgcBpbcRHWMvj2Jpg";

#[test]
fn the_file_is_searched_for_in_the_documented_order() {
    let dir = tempfile::tempdir().unwrap();
    let named = Path::new("/no/such/file.toml");
    let mut environment = Environment {
        xdg_config_home: Some(dir.path().to_owned()),
        ..Environment::default()
    };
    let find = |explicit, environment: &Environment| {
        let found = find_config(explicit, environment).unwrap();
        assert!(!found.is_by_chance);
        found.path
    };
    assert_eq!(find(Some(named), &environment), named);
    std::fs::create_dir(dir.path().join("ftp")).unwrap();
    let file = dir.path().join("ftp/ftp.toml");
    std::fs::write(&file, "").unwrap();
    assert_eq!(find(None, &environment), file);
    environment.ftp_config = Some(named.to_owned());
    assert_eq!(find(None, &environment), named);
}
