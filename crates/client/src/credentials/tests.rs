use super::*;

#[test]
fn a_readable_netrc_is_refused_only_when_it_would_be_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("netrc");
    std::fs::write(&path, "machine nas login a password b").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(read_netrc(&path, "nas", None).is_err());
    assert!(read_netrc(&path, "other", None).unwrap().is_none());
    let found = |user, environment: Option<&str>| {
        let sources = Sources {
            user,
            url_password: None,
            environment: environment.map(str::to_owned),
            site: None,
            by_chance: None,
            netrc: Some(path.clone()),
        };
        let login = sources.find("nas", "nas:21", |_| Ok(None));
        login.is_ok()
    };
    assert!(found(Some("a"), Some("e")));
    assert!(!found(Some("a"), None) && !found(None, Some("e")));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(read_netrc(&path, "nas", None).unwrap().is_some());
}

#[test]
fn whom_only_netrc_names_gets_no_password_of_another() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("netrc");
    std::fs::write(&path, "machine nas login a password b").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (user, url_password, password) in [
        (None, None, "b"),
        (Some("a"), None, "e"),
        (None, Some("u"), "u"),
    ] {
        let sources = Sources {
            user,
            url_password,
            environment: Some("e".to_owned()),
            site: None,
            by_chance: None,
            netrc: Some(path.clone()),
        };
        let login = sources.find("nas", "nas:21", |_| Ok(None)).unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.expose()),
            ("a", password)
        );
    }
}

#[test]
fn the_environment_beats_the_site_and_nobody_asks_for_a_guest() {
    let sources = |environment: Option<&str>, user| Sources {
        user,
        url_password: None,
        environment: environment.map(str::to_owned),
        site: None,
        by_chance: None,
        netrc: None,
    };
    let login = sources(Some("e"), Some("ann"))
        .find("h", "h:21", |_| Ok(None))
        .unwrap();
    assert_eq!(login.password.expose(), "e");
    assert_eq!(
        sources(None, None)
            .find("h", "h:21", |_| Ok(None))
            .unwrap()
            .user,
        "anonymous"
    );
    // Where nobody was named it is nobody's.
    let login = sources(Some("e"), None).find("h", "h:21", |_| Ok(None));
    assert_eq!(login.unwrap().password.expose(), "ftpc@");
    let login = sources(Some("e"), Some("ftp")).find("h", "h:21", |_| Ok(None));
    assert_eq!(login.unwrap().password.expose(), "e");
    let error = sources(None, Some("ann"))
        .find("h", "h:21", |_| Ok(None))
        .unwrap_err();
    assert!(error.to_string().contains("no password for `ann` at h:21"));
}
