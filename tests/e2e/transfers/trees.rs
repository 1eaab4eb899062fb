//! Trees: up, down, and made alike.

use std::{collections::BTreeMap, fs, path::Path};

use harness::{Site, client::noise, ftpc, site::Engine};

use super::WAYS;

fn tree(dir: &Path, files: usize) {
    for i in 0..files {
        let sub = dir.join(format!("d{}/e{}", i % 7, i % 3));
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("file {i}")), noise(i * 37)).unwrap();
    }
    fs::create_dir_all(dir.join("empty")).unwrap();
}

pub(super) fn contents(dir: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(dir)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                all.insert(name, None);
                waiting.push(path);
            } else {
                all.insert(name, Some(fs::read(&path).unwrap()));
            }
        }
    }
    all
}

#[test]
fn trees_go_up_come_down_and_sync_does_nothing_twice() {
    for (engine, tls) in WAYS {
        let server = Site::with_ann().engine(engine).start();
        let here = tempfile::tempdir().unwrap();
        let src = here.path().join("src");
        tree(&src, 60);
        let run = |args: &[&str]| ftpc(here.path()).args(["--tls", tls]).args(args).success();
        run(&["put", "-r", "src", &server.url("/")]);
        assert_eq!(
            contents(&server.site.disk("src")),
            contents(&src),
            "{engine:?} {tls}"
        );
        run(&["get", "-r", &server.url("/src"), "-o", "back/"]);
        assert_eq!(contents(&here.path().join("back/src")), contents(&src));
        if engine == Engine::Native {
            let again = run(&["sync", "src", &server.url("/src"), "--json"]);
            let summary: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
            assert_eq!(summary["files"], 0, "{summary}");
            fs::write(src.join("new"), "n").unwrap();
            fs::remove_dir_all(src.join("d0")).unwrap();
            run(&["sync", "src", &server.url("/src"), "--delete"]);
            assert_eq!(contents(&server.site.disk("src")), contents(&src));
        }
    }
}

#[test]
fn deleting_everything_is_refused_without_a_word() {
    let server = Site::with_ann().file("keep/a", b"1").start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("empty")).unwrap();
    let args = ["sync", "empty", &server.url("/keep"), "--delete"];
    ftpc(here.path()).args(args).code(2).says("is empty");
    assert!(server.site.disk("keep/a").exists());
    ftpc(here.path()).args(args).args(["--yes"]).success();
    assert!(!server.site.disk("keep/a").exists());
}
