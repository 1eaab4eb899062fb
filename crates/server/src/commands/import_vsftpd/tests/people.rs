//! Who may log in, where their roots are, and what they may do.

use super::*;

pub(super) const RECIPE: &str = "listen=YES\nanonymous_enable=NO\nlocal_enable=YES\nwrite_enable=YES\n\
                      local_root=/home/share\nchroot_list_enable=YES\n\
                      chroot_list_file=/etc/vsftpd.chroot_list\n";

fn users(config: &ftp_config::ServerConfig) -> String {
    let users = config.users.iter();
    let shown: Vec<_> = users
        .map(|user| format!("{}={} ({})", user.name, user.home, user.can))
        .collect();
    shown.join(", ")
}

#[test]
fn the_recipes_misreading_is_explained_and_taken_only_when_said() {
    let etc = Etc::new(&[PASSWD, ("etc/vsftpd.chroot_list", "ann\n")]);
    let (config, toml) = etc.loaded(RECIPE, Wish::default());
    assert_eq!(config.auth.allow_users, None);
    assert_eq!(users(&config), "ann=/ (read-write), bob=/ (read-write)");
    assert!(toml.contains(
        "vsftpd.conf:6: the chroot_list (ann) names whom vsftpd jails, not who may log in"
    ));
    assert!(toml.contains("--chroot-list-is-allow-list"));

    let wish = Wish {
        chroot_list_is_allow_list: true,
        ..Wish::default()
    };
    let (config, toml) = etc.loaded(RECIPE, wish);
    assert_eq!(config.auth.allow_users.as_deref().map(<[_]>::len), Some(1));
    assert_eq!(users(&config), "ann=/ (read-write)");
    assert_eq!(config.share.root, Path::new("/home/share"));
    assert!(toml.contains("ftpd --config FILE user passwd ann"));
    assert!(toml.contains("port 21 needs privilege, so 2121 stands"));
}

#[test]
fn a_list_of_users_who_are_let_out_of_the_jail_is_refused() {
    let etc = Etc::new(&[PASSWD, ("etc/vsftpd.chroot_list", "ann\n")]);
    let refusals =
        etc.refusals("chroot_list_enable=YES\nchroot_local_user=YES\nlocal_enable=YES\n");
    assert!(
        refusals[0]
            .starts_with("1: `chroot_list_enable=YES` with `chroot_local_user=YES` lets ann out")
    );
    let missing = Etc::new(&[PASSWD]);
    assert!(
        missing.refusals("chroot_list_enable=YES\n")[0]
            .contains("name the list with --chroot-list")
    );
}

#[test]
fn the_userlist_is_the_allow_list_or_the_deny_list() {
    let etc = Etc::new(&[
        PASSWD,
        ("etc/vsftpd.user_list", "ann\ncam\n"),
        ("etc/ftpusers", "daemon\n"),
    ]);
    let conf = "local_enable=YES\nuserlist_enable=YES\n";
    let (config, _) = etc.loaded(&format!("{conf}userlist_deny=NO\n"), Wish::default());
    let names =
        |names: &[ftp_config::UserName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        config.auth.allow_users.as_deref().map(names),
        Some(vec!["ann".into(), "cam".into()])
    );
    assert_eq!(names(&config.auth.deny_users), ["daemon"]);
    let (config, _) = etc.loaded(conf, Wish::default());
    assert_eq!(names(&config.auth.deny_users), ["ann", "cam", "daemon"]);
    assert_eq!(users(&config), "bob=/in (read-only)");
    let missing = Etc::new(&[PASSWD]);
    assert!(missing.refusals(conf)[0].contains("name it with --userlist"));
}

#[test]
fn users_keep_their_own_directories_and_rights() {
    let files = [
        PASSWD,
        (
            "etc/users/ann",
            "local_root=/srv/data/a\nwrite_enable=NO\nlocal_max_rate=500\nidle_session_timeout=9\n",
        ),
        ("etc/users/eve", "local_root=/\n"),
    ];
    let etc = Etc::new(&files);
    let conf = "local_enable=YES\nwrite_enable=YES\nuser_config_dir=/etc/users\nuserlist_enable=YES\n\
                userlist_deny=NO\nuserlist_file=/etc/list\nlocal_root=/srv/ftp/$USER\nuser_sub_token=$USER\n";
    std::fs::write(etc.0.path().join("etc/list"), "ann\nbob\n").unwrap();
    let (config, toml) = etc.loaded(conf, Wish::default());
    assert_eq!(config.share.root, Path::new("/srv"));
    assert_eq!(
        users(&config),
        "ann=/data/a (read-only), bob=/ftp/bob (read-write)"
    );
    assert_eq!(config.users[0].rate_up.0, 1024);
    assert!(toml.contains(
        "/etc/users/ann:4: `idle_session_timeout` left out: it holds for the whole server only"
    ));
    assert!(
        toml.contains(
            "/etc/users/ann:3: `rate_down` and `rate_up` are of all sessions together here"
        )
    );
    assert!(toml.contains("/etc/users/eve: `eve` could not log in; the file is left out"));

    let (config, _) = etc.loaded(
        "local_enable=YES\npasswd_chroot_enable=YES\n",
        Wish::default(),
    );
    assert_eq!(config.share.root, Path::new("/home"));
    assert_eq!(users(&config), "ann=/ann (read-only), bob=/bob (read-only)");
}

#[test]
fn directories_with_nothing_in_common_are_refused() {
    let etc = Etc::new(&[PASSWD, ("etc/users/ann", "local_root=/data\n")]);
    let refusals =
        etc.refusals("local_enable=YES\nlocal_root=/srv/ftp\nuser_config_dir=/etc/users\n");
    assert!(
        refusals[0].contains("have only the whole disk in common"),
        "{refusals:?}"
    );
}

/// A home directly below the root has the whole disk beside it.
#[test]
fn a_home_below_the_root_makes_no_share_of_the_whole_disk() {
    let ann = "ann:x:1001:1001::/ftp:/bin/bash\n";
    let bob = "bob:x:1002:1002::/home/bob:/bin/bash\n";
    let loaded = |passwd: &str| {
        let etc = Etc::new(&[("etc/passwd", passwd)]);
        etc.loaded("local_enable=YES\nchroot_local_user=YES\n", Wish::default())
            .0
    };
    let config = loaded(ann);
    assert_eq!(config.share.root, Path::new("/ftp"));
    for passwd in [[ann, bob].concat(), [bob, ann].concat()] {
        let etc = Etc::new(&[("etc/passwd", passwd.as_str())]);
        let refusals = etc.refusals("local_enable=YES\nchroot_local_user=YES\n");
        assert!(
            refusals[0].contains("have only the whole disk in common"),
            "{refusals:?}"
        );
    }
}

#[test]
fn anonymous_users_come_over_only_when_the_file_says_so() {
    let etc = Etc::new(&[PASSWD]);
    let conf = "anonymous_enable=YES\nanon_root=/srv/ftp/pub\nanon_upload_enable=YES\nwrite_enable=YES\nanon_max_rate=50000\n";
    let (config, toml) = etc.loaded(conf, Wish::default());
    assert!(toml.contains("vsftpd.conf:5: `rate_down` and `rate_up` are of all sessions together"));
    assert!(config.anonymous.enabled && config.users.is_empty());
    assert_eq!(config.share.root, Path::new("/srv/ftp/pub"));
    assert_eq!(config.anonymous.can.to_string(), "list read write");
    let (config, toml) = etc.loaded("local_enable=YES\n", Wish::default());
    assert!(!config.anonymous.enabled);
    assert!(toml.contains("vsftpd itself lets anonymous users in"));
}

#[test]
fn a_userlist_that_is_the_allow_list_holds_for_anonymous_users_too() {
    let conf = "anonymous_enable=YES\nlocal_enable=YES\nlocal_root=/srv/ftp\nuserlist_enable=YES\n\
                userlist_deny=NO\n";
    let with_list = |names: &str| {
        let etc = Etc::new(&[PASSWD, ("etc/vsftpd.user_list", names)]);
        etc.loaded(conf, Wish::default())
    };
    let (config, toml) = with_list("ann\n");
    assert!(!config.anonymous.enabled);
    assert!(toml.contains("vsftpd.conf:1: the userlist names neither `anonymous` nor `ftp`"));
    let (config, _) = with_list("ann\nanonymous\n");
    assert!(config.anonymous.enabled);
    assert_eq!(users(&config), "ann=/ (read-only)");
}

#[test]
fn virtual_users_share_the_home_and_the_rights_of_guests() {
    let passwd = "ann:x:1000:1000::/home/ann:/bin/bash\nvirtual:x:1001:1001::/srv/v/$USER:/bin/sh\n\
                  web:x:1002:1002::/srv/web:/bin/sh\n";
    let own = "guest_username=web\nanon_upload_enable=YES\nanon_max_rate=5000\n";
    let etc = Etc::new(&[
        ("etc/passwd", passwd),
        ("etc/list", "ann\nbob\n"),
        ("etc/users/bob", own),
    ]);
    let conf = "local_enable=YES\nwrite_enable=YES\nguest_enable=YES\nguest_username=virtual\n\
                userlist_enable=YES\nuserlist_deny=NO\nuserlist_file=/etc/list\n\
                user_config_dir=/etc/users\nlocal_umask=0\nanon_umask=027\nlocal_max_rate=9000\n";
    let (config, toml) = etc.loaded(&format!("{conf}user_sub_token=$USER\n"), Wish::default());
    assert_eq!(config.share.root, Path::new("/srv"));
    assert_eq!(
        users(&config),
        "ann=/v/ann (read-only), bob=/web (list read write)"
    );
    assert_eq!(config.users[1].rate_down.0, 5000);
    assert_eq!(config.limits.session_rate_down.limit(), None);
    assert_eq!(config.share.umask, 0o027);
    assert!(toml.contains("virtual users whom only PAM knows"), "{toml}");
    let (config, _) = etc.loaded(
        &format!("{conf}virtual_use_local_privs=YES\n"),
        Wish::default(),
    );
    assert_eq!(config.users[0].can.to_string(), "read-write");
    assert_eq!(config.share.umask, 0);
}

#[test]
fn a_list_of_the_system_that_cannot_be_read_is_no_empty_one() {
    let etc = Etc::new(&[PASSWD, ("etc/ftpusers", "bob\n")]);
    let conf = "local_enable=YES\nlocal_root=/srv/ftp\n";
    let (config, _) = etc.loaded(conf, Wish::default());
    assert_eq!(config.auth.deny_users.len(), 1);
    let list = std::fs::File::create(etc.0.path().join("etc/ftpusers")).unwrap();
    list.set_len(5 << 20).unwrap();
    let refusals = etc.refusals(conf);
    assert!(refusals[0].contains("`/etc/ftpusers`: "), "{refusals:?}");
}
