use super::*;
use crate::commands::doctor::{Verdict, machine::record};

fn config(text: &str, dir: &Path) -> ServerConfig {
    ServerConfig::from_toml(text, &dir.join("ftp.toml")).unwrap()
}

#[test]
fn a_share_that_is_missing_or_a_file_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let with_root = |root: &str| {
        config(
            &format!("[anonymous]\nenabled = true\n[share]\nroot = \"{root}\"\n"),
            dir.path(),
        )
    };
    let at = |root: &str| share(&with_root(root).share, false, false);
    let new = dir.path().join("new");
    let words = format!("`{}` is not there, and is made on start", new.display());
    assert_eq!(at("new")[0].text, words);
    // A server that runs does not make it again.
    let served = share(&with_root("new").share, false, true);
    assert_eq!(served[0].verdict, Verdict::Fault);
    std::fs::write(dir.path().join("file"), "").unwrap();
    assert_eq!(at("file")[0].verdict, Verdict::Fault);
    assert_eq!(at(".")[0].verdict, Verdict::Good);
    assert_eq!(at(".")[1].check, "room");
}

#[test]
fn a_share_is_written_to_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(try_writing(dir.path()), Ok(()));
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    // No user, not even root, makes files there.
    assert!(try_writing(Path::new("/proc/self")).is_err());
}

#[test]
fn room_is_what_is_free_beyond_the_reserve() {
    assert_eq!(
        room_of(3 << 30, 1 << 30).text,
        "2 GiB free for uploads, 1 GiB kept"
    );
    assert_eq!(room_of(1 << 30, 2 << 30).verdict, Verdict::Fault);
    assert_eq!(room_of(0, 0).verdict, Verdict::Fault);
}

#[test]
fn a_home_that_is_none_and_a_record_that_cannot_be_written_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("share");
    std::fs::create_dir_all(root.join("ann")).unwrap();
    std::fs::write(root.join("bob"), "a file").unwrap();
    std::os::unix::fs::symlink("/etc", root.join("cat")).unwrap();
    let users: String = ["ann", "bob", "cat", "new"]
        .map(|name| {
            format!(
                "[[user]]\nname = \"{name}\"\nhome = \"/{name}\"\npassword = \"{}\"\n",
                crate::auth::password::hash(&ftp_config::Secret::new("x")).unwrap()
            )
        })
        .concat();
    let text = format!(
        "[share]\nroot = \"{}\"\n[log]\nxferlog = \"/proc/none/x\"\n{users}",
        root.display()
    );
    let config = config(&text, dir.path());
    let found = homes(&config).unwrap();
    assert!(found.text.starts_with("bob, cat get 530"), "{found}");
    assert_eq!(record(&config).unwrap().verdict, Verdict::Warning);
}

#[test]
fn homes_are_judged_as_at_a_login() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("share");
    std::fs::create_dir_all(root.join("common")).unwrap();
    std::os::unix::fs::symlink("common", root.join("ann")).unwrap();
    // Inside, but an absolute link always leads out.
    std::os::unix::fs::symlink(root.join("common"), root.join("bob")).unwrap();
    let hash = crate::auth::password::hash(&ftp_config::Secret::new("x")).unwrap();
    let user =
        |name| format!("[[user]]\nname = \"{name}\"\nhome = \"/{name}\"\npassword = \"{hash}\"\n");
    let text = format!(
        "[share]\nroot = \"{}\"\n{}{}",
        root.display(),
        user("ann"),
        user("bob")
    );
    let found = homes(&config(&text, dir.path())).unwrap();
    assert!(found.text.starts_with("bob get 530"), "{found}");
}
