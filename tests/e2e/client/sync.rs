//! What `sync` may remove, and what it only shows.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use harness::{Site, ftpc};

use super::{Tls, contents, hosts, names, run};

#[test]
fn an_empty_source_removes_nothing_either_way() {
    let server = Site::with_ann().file("keep/a", b"1").dir("none").start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir_all(here.path().join("full/sub")).unwrap();
    fs::write(here.path().join("full/sub/b"), "2").unwrap();
    fs::create_dir(here.path().join("empty")).unwrap();
    let (keep, none) = (server.url("keep"), server.url("none"));
    let sync = |from: &str, to: &str| ftpc(here.path()).args(["sync", from, to, "--delete"]);
    sync("empty", &keep).code(2).says("is empty").says("--yes");
    sync(&none, "full").code(2).says("is empty");
    assert_eq!(names(&here.path().join("full")), ["sub", "sub/b"]);
    assert_eq!(names(&server.site.share()), ["keep", "keep/a", "none"]);
    // Said with all the words it is done.
    sync(&none, "full").args(["--yes"]).success();
    assert!(names(&here.path().join("full")).is_empty());
}

#[test]
fn more_removals_than_allowed_are_refused_whole() {
    let mut site = Site::with_ann().file("t/same", b"same");
    for i in 0..5 {
        site = site.file(&format!("t/old {i}"), b"old");
    }
    let server = site.start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("t")).unwrap();
    fs::write(here.path().join("t/same"), "same").unwrap();
    fs::write(here.path().join("t/new"), "new").unwrap();
    let before = contents(&server.site.share());
    let sync = |most: &str| {
        let args = [
            "sync",
            "t",
            &server.url("t"),
            "--delete",
            "--max-delete",
            most,
        ];
        ftpc(here.path()).args(args)
    };
    sync("4").code(2).says("5 entries").says("--max-delete 4");
    assert_eq!(contents(&server.site.share()), before);
    sync("5").success();
    assert_eq!(names(&server.site.disk("t")), ["new", "same"]);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    let server = Site::with_ann()
        .file("t/old", b"old")
        .file("t/d/other", b"there")
        .start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir_all(here.path().join("t/d")).unwrap();
    fs::write(here.path().join("t/new"), "new").unwrap();
    fs::write(here.path().join("t/d/other"), "here, longer").unwrap();
    let before = (contents(&server.site.share()), contents(here.path()));
    let url = server.url("t");
    let dry = |from: &str, to: &str| {
        let args = ["--trust-new", "sync", from, to, "--delete", "--dry-run"];
        let ran = ftpc(here.path()).env("XDG_CONFIG_HOME", "/nonexistent-config-home");
        ran.args(["--tls", "off"]).args(args).success()
    };
    let up = dry("t", &url);
    up.says("2 files")
        .says("1 to remove")
        .says("nothing was done");
    let text = up.text();
    for words in ["send    t/new", "send    t/d/other", "remove  t/old"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = dry(&url, "t").text();
    for words in ["fetch   t/old", "fetch   t/d/other", "remove  new"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!((contents(&server.site.share()), contents(here.path())) == before);
}

/// LIST tells minutes, and days of what is old; a change within one is a change all the same.
#[test]
fn a_change_within_the_day_that_a_listing_tells_is_seen() {
    for host in hosts(Tls::Off) {
        if host.name == "libunftp" {
            // It keeps no times.
            continue;
        }
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("t/x");
        fs::create_dir(here.path().join("t")).unwrap();
        let write = |content: &str, time: u64| {
            fs::write(&file, content).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
            let opened = fs::File::options().write(true).open(&file).unwrap();
            opened.set_modified(time).unwrap();
        };
        let sync = || {
            let ran = run(&host, here.path(), "off");
            let ran = ran.args(["--json", "sync", "t", &host.url(None, "sy")]);
            let told: serde_json::Value = serde_json::from_str(&ran.success().text()).unwrap();
            told["files"].as_u64().unwrap()
        };
        let years_ago = 1_580_155_805;
        write("ccc", years_ago);
        assert_eq!((sync(), sync()), (1, 0), "{}", host.name);
        write("ddd", years_ago + 7200);
        assert_eq!((sync(), sync()), (1, 0), "{}", host.name);
        assert_eq!(
            fs::read(host.disk.join("sy/x")).unwrap(),
            b"ddd",
            "{}",
            host.name
        );
    }
}
