use std::{os::fd::AsRawFd as _, sync::atomic::Ordering};

use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn the_files_of_a_new_configuration_are_followed_and_others_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let file = |at: &str| dir.path().join(at).join("ftp.toml");
    for at in ["a", "b"] {
        std::fs::create_dir(dir.path().join(at)).unwrap();
        std::fs::write(file(at), at).unwrap();
    }
    let mut watch = FileWatch::new(vec![file("a")], Stamps::of(&[file("a")])).unwrap();
    watch.follow(vec![file("b")], Stamps::of(&[file("b")]));
    let quiet = timeout(SETTLE * 3, watch.changed()).await;
    assert!(quiet.is_err());
    // proc(5): a line for each watch that the system has.
    let info = format!("/proc/self/fdinfo/{}", watch.ear.inotify.as_raw_fd());
    let info = std::fs::read_to_string(info).unwrap();
    assert_eq!(info.matches("inotify wd").count(), 1, "{info}");
    std::fs::write(file("b"), "bb").unwrap();
    watch.changed().await;
}

#[tokio::test]
async fn a_rename_over_the_file_is_a_change_and_a_neighbour_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("ftp.toml"), "a").unwrap();
    let files = vec![path("ftp.toml")];
    // The file of a certificate that is named no more is no change.
    std::fs::write(path("old.pem"), "x").unwrap();
    let seen = Stamps::of(&[path("ftp.toml"), path("old.pem")]);
    let mut watch = FileWatch::new(files, seen).unwrap();
    std::fs::write(path("other"), "x").unwrap();
    let quiet = tokio::time::timeout(SETTLE * 3, watch.changed()).await;
    assert!(quiet.is_err());
    std::fs::write(path("new"), "bb").unwrap();
    std::fs::rename(path("new"), path("ftp.toml")).unwrap();
    watch.changed().await;
}

#[tokio::test]
async fn a_link_is_watched_where_it_is_and_where_it_leads() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["etc", "kept", "one", "two"] {
        std::fs::create_dir(path(name)).unwrap();
        std::fs::write(path(name).join("ftp.toml"), name).unwrap();
    }
    // As a tool that keeps the files of a home directory makes it, and as a container has it.
    symlink("../kept/ftp.toml", path("etc/kept.toml")).unwrap();
    symlink("now/ftp.toml", path("mounted.toml")).unwrap();
    symlink("one", path("now")).unwrap();
    let files = vec![path("etc/kept.toml"), path("mounted.toml")];
    let mut watch = FileWatch::new(files.clone(), Stamps::of(&files)).unwrap();
    let quiet = tokio::time::timeout(SETTLE * 3, watch.changed()).await;
    assert!(quiet.is_err());
    std::fs::write(path("kept/ftp.toml"), "changed").unwrap();
    watch.changed().await;
    symlink("two", path("next")).unwrap();
    std::fs::rename(path("next"), path("now")).unwrap();
    watch.changed().await;
}

#[tokio::test]
async fn a_directory_that_is_removed_and_made_again_is_watched_again() {
    let dir = tempfile::tempdir().unwrap();
    let etc = dir.path().join("made/later");
    let files = vec![etc.join("ftp.toml")];
    let mut watch = FileWatch::new(files.clone(), Stamps::of(&files)).unwrap();
    let quiet = async |watch: &mut FileWatch| timeout(SETTLE * 3, watch.changed()).await.is_err();
    for bytes in ["a", "bb"] {
        assert!(quiet(&mut watch).await, "{bytes}");
        std::fs::create_dir_all(&etc).unwrap();
        assert!(quiet(&mut watch).await, "{bytes}");
        std::fs::write(&files[0], bytes).unwrap();
        watch.changed().await;
        std::fs::remove_dir_all(etc.parent().unwrap()).unwrap();
        watch.changed().await;
    }
    std::fs::create_dir_all(dir.path().join("other")).unwrap();
    std::fs::write(dir.path().join("other/ftp.toml"), "c").unwrap();
    std::fs::rename(dir.path().join("other"), etc.parent().unwrap()).unwrap();
    assert!(quiet(&mut watch).await);
    std::fs::rename(
        etc.parent().unwrap().join("ftp.toml"),
        dir.path().join("ftp.toml"),
    )
    .unwrap();
    std::fs::create_dir(&etc).unwrap();
    std::fs::rename(dir.path().join("ftp.toml"), &files[0]).unwrap();
    watch.changed().await;
}

#[tokio::test]
async fn what_was_written_between_the_read_and_the_watch_is_a_change() {
    let dir = tempfile::tempdir().unwrap();
    let files = [dir.path().join("ftp.toml"), dir.path().join("cert.pem")];
    std::fs::write(&files[0], "a").unwrap();
    let mut seen = Stamps::of(&files[..1]);
    std::fs::write(&files[0], "bb").unwrap();
    seen.complete(&files);
    FileWatch::new(files.to_vec(), seen)
        .unwrap()
        .changed()
        .await;
    // A file that the new configuration names for the first time may have been read too early.
    let seen = Stamps::of(&files[..1]);
    FileWatch::new(files.to_vec(), seen)
        .unwrap()
        .changed()
        .await;
}

#[tokio::test]
async fn a_watch_outlives_the_right_to_make_one() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let dir = tempfile::tempdir().unwrap();
    let allow =
        |mode| std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(mode)).unwrap();
    let nobody = nix::unistd::Uid::from_raw(65_534);
    if nix::unistd::Uid::effective().is_root() {
        // Root may watch everything: this thread does without.
        chown(dir.path(), Some(nobody.as_raw()), None).unwrap();
        nix::unistd::setfsuid(nobody);
    }
    let files = vec![dir.path().join("ftp.toml")];
    std::fs::write(&files[0], "a").unwrap();
    let mut watch = FileWatch::new(files.clone(), Stamps::of(&files)).unwrap();
    for mode in [0o755, 0o311, 0o755] {
        allow(mode);
        assert!(
            timeout(SETTLE * 3, watch.changed()).await.is_err(),
            "{mode:o}"
        );
        let deaf = watch.ear.deaf.load(Ordering::Relaxed);
        assert_eq!(deaf == 0, mode == 0o755, "{mode:o}");
    }
    std::fs::write(&files[0], "bb").unwrap();
    watch.changed().await;
}

#[test]
fn a_thread_that_its_disk_holds_holds_nobody_else() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    let is_quiet = |watch: &mut FileWatch| {
        let changed = async { timeout(SETTLE * 3, watch.changed()).await };
        runtime.block_on(changed).is_err()
    };
    let dir = tempfile::tempdir().unwrap();
    let files = vec![dir.path().join("ftp.toml")];
    std::fs::write(&files[0], "a").unwrap();
    let mut watch = FileWatch::new(files.clone(), Stamps::of(&files)).unwrap();
    assert!(is_quiet(&mut watch));
    let ear = Arc::clone(&watch.ear);
    // The thread wants it before each look, as it wants the answer of the disk.
    let held = ear.names();
    std::fs::write(&files[0], "bb").unwrap();
    assert!(is_quiet(&mut watch));
    watch.follow(files.clone(), Stamps::default());
    drop(held);
    runtime.block_on(watch.changed());
    assert!(is_quiet(&mut watch));
}
