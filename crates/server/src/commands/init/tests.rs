use std::os::unix::fs::PermissionsExt;

use super::{answers::ask, *};

fn nothing_said() -> cli::Init {
    cli::Init {
        dir: None,
        user: None,
        listen: None,
        yes: false,
    }
}

fn answers(dir: &str) -> Answers {
    Answers {
        dir: dir.into(),
        user: "ann".parse().unwrap(),
        listen: "[::]:2121".parse().unwrap(),
    }
}

#[test]
fn the_file_is_good_and_says_what_was_answered() {
    let hash = password::hash(&Secret::new("x")).unwrap();
    let text = text(&answers("/srv/my \"photos\""), &hash);
    let config =
        ftp_config::ServerConfig::from_toml(&text, Path::new("/etc/ftp/ftp.toml")).unwrap();
    assert_eq!(config.share.root, Path::new("/srv/my \"photos\""));
    assert_eq!(config.users[0].name.as_str(), "ann");
    assert_eq!(config.server.listen, ["[::]:2121".parse().unwrap()]);
    assert!(!text.contains("demo"));
}

#[test]
fn answers_are_asked_again_until_they_are_good() {
    let typed = "/srv/x\na b\nbob\n\n";
    let got = ask(
        nothing_said(),
        &answers("/srv/share"),
        &mut typed.as_bytes(),
    )
    .unwrap();
    assert_eq!(
        got,
        Answers {
            dir: "/srv/x".into(),
            user: "bob".parse().unwrap(),
            ..answers("")
        }
    );
    let given = cli::Init {
        user: Some("eve".parse().unwrap()),
        ..nothing_said()
    };
    let got = ask(given, &answers("/srv/share"), &mut "".as_bytes()).unwrap();
    assert_eq!((got.user.as_str(), got.dir), ("eve", "/srv/share".into()));
}

#[test]
fn a_file_is_closed_to_others_and_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/ftp.toml");
    write_new(&path, "one").unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let error = write_new(&path, "two").unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
}
