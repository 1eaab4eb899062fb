//! A tree of many small files, and a server that is stopped and started again in the middle.

use std::{fs, path::Path};

use harness::{
    Server, Site,
    client::{Running, noise},
    ftpc,
    wait::until,
};

use super::contents;

const FILES: usize = 2000;

fn tree(top: &Path) {
    for i in 0..FILES {
        let dir = top.join(format!("d{}", i % 20));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("file {i}")), noise(500 + i * 7)).unwrap();
    }
}

/// Stops the server once `dir` holds a third of the files, and starts it again on its port.
fn restart_in_the_middle(server: Server, dir: &Path, running: &Running) -> Server {
    let arrived = || {
        let dirs = fs::read_dir(dir).into_iter().flatten().flatten();
        let files = dirs.filter_map(|dir| fs::read_dir(dir.path()).ok());
        let names = files.flatten().flatten().map(|entry| entry.file_name());
        let whole = names.filter(|name| !name.to_string_lossy().contains("-part"));
        whole.count()
    };
    until("a third has arrived", || {
        (arrived() > FILES / 3 || running.is_over()).then_some(())
    });
    assert!(!running.is_over(), "it was over before the restart");
    let (site, code) = server.stop();
    assert_eq!(code, Some(0));
    assert!(
        arrived() < FILES,
        "nothing was left to do after the restart"
    );
    site.start()
}

#[test]
fn a_tree_comes_whole_though_the_server_is_restarted() {
    let server = Site::with_ann().on_kept_port().start();
    tree(&server.site.disk("tree"));
    let here = tempfile::tempdir().unwrap();
    let running = ftpc(here.path())
        .args(["--jobs", "4", "get", "-r", &server.url("tree")])
        .start();
    let server = restart_in_the_middle(server, &here.path().join("tree"), &running);
    let ran = running.wait();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.says("2000 files");
    // Equal in all: what a broken transfer left beside its file is gone.
    assert!(contents(&here.path().join("tree")) == contents(&server.site.disk("tree")));
}

#[test]
fn a_tree_arrives_whole_though_the_server_is_restarted() {
    let server = Site::with_ann().on_kept_port().start();
    let here = tempfile::tempdir().unwrap();
    tree(&here.path().join("tree"));
    let running = ftpc(here.path())
        .args(["--jobs", "4", "put", "-r", "tree", &server.url("")])
        .start();
    let there = server.site.disk("tree");
    let server = restart_in_the_middle(server, &there, &running);
    let ran = running.wait();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.says("2000 files");
    assert!(contents(&there) == contents(&here.path().join("tree")));
    // Nor does the server show a part that it keeps.
    let list = ["ls", "-R", "-a", &server.url("")];
    let seen = ftpc(here.path()).args(list).success().text();
    assert_eq!(seen.matches("file ").count(), FILES);
    assert!(!seen.contains("part"), "{seen}");
}
