//! Trees both ways, twice, with times and names, against every server.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    os::unix::ffi::OsStringExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use harness::{Site, client::noise, ftpc, wait::until};

use super::{Host, contents, fake::peers::Tls, hosts, names, run};

/// Names that every one of these servers takes.
const NAMES: [&str; 9] = [
    "with space",
    "quote\"s",
    "apo'strophe",
    "hash#tag",
    "per%20cent",
    "-dash",
    "中文.txt",
    "emoji😀",
    "[brackets]*?",
];

/// A tree of 28 files in three levels, each with a time of its own.
fn tree(top: &Path) {
    let mut made = Vec::new();
    for dir in ["", "d", "d/deeper dir"] {
        fs::create_dir_all(top.join(dir)).unwrap();
        for (i, name) in NAMES.iter().enumerate() {
            let path = top.join(dir).join(name);
            fs::write(&path, noise(i * 911)).unwrap();
            made.push(path);
        }
    }
    made.push(top.join("large"));
    fs::write(top.join("large"), noise(3_000_000)).unwrap();
    fs::create_dir(top.join("empty dir")).unwrap();
    for (i, path) in made.iter().enumerate() {
        let seconds = 1_500_000_000 + 86_401 * i as u64;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }
}

/// The times of all files, in whole seconds.
fn times(top: &Path) -> BTreeMap<Vec<u8>, u64> {
    use std::os::unix::fs::MetadataExt as _;
    let files = contents(top)
        .into_iter()
        .filter(|(_, bytes)| bytes.is_some());
    let time = |name: &[u8]| {
        let path = top.join(OsString::from_vec(name.to_vec()));
        fs::metadata(path).unwrap().mtime().unsigned_abs()
    };
    files.map(|(name, _)| (name.clone(), time(&name))).collect()
}

#[test]
fn trees_go_both_ways_and_a_second_sync_does_nothing() {
    for (tls, flag) in [(Tls::Off, "off"), (Tls::On, "required")] {
        for host in hosts(tls) {
            both_ways(&host, flag);
        }
    }
}

fn both_ways(host: &Host, tls: &str) {
    let what = format!("{} with TLS {tls}", host.name);
    let here = tempfile::tempdir().unwrap();
    let (source, back) = (here.path().join("source"), here.path().join("back"));
    tree(&source);
    let url = host.url(None, "tree");
    // The number of files moved, and what was said.
    let sync = |from: &str, to: &str| {
        let ran = run(host, here.path(), tls).args(["sync", from, to, "--json"]);
        let ran = ran.success();
        let summary: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        (summary["files"].as_u64().unwrap(), summary.to_string())
    };
    let (files, said) = sync("source", &url);
    assert_eq!(files, 28, "{what}: {said}");
    let there = host.disk.join("tree");
    assert_eq!(contents(&there), contents(&source), "{what}: up");
    // libunftp has no command that sets a time.
    if host.name != "libunftp" {
        assert_eq!(times(&there), times(&source), "{what}: times up");
    }
    let (files, said) = sync("source", &url);
    assert_eq!(files, 0, "{what}: up again: {said}");

    let (files, said) = sync(&url, "back");
    assert_eq!(files, 28, "{what}: {said}");
    assert_eq!(contents(&back), contents(&source), "{what}: down");
    assert_eq!(times(&back), times(&there), "{what}: times down");
    let (files, said) = sync(&url, "back");
    assert_eq!(files, 0, "{what}: down again: {said}");

    // One file changed on each side is the one file that moves.
    fs::write(source.join("d/-dash"), "changed here").unwrap();
    assert_eq!(sync("source", &url).0, 1, "{what}");
    assert_eq!(sync(&url, "back").0, 1, "{what}");
    assert_eq!(fs::read(back.join("d/-dash")).unwrap(), b"changed here");
    let ran = run(host, here.path(), tls)
        .args(["rm", "-r", &url])
        .success();
    assert!(!there.exists(), "{what}: {}", ran.stderr);
}

/// A server that keeps names as bytes gets GBK; ours keeps UTF-8 on its disk and reads GBK.
#[test]
fn gbk_names_go_both_ways() {
    let bytes_pass = ["vsftpd", "proftpd", "pure-ftpd"];
    for host in hosts(Tls::Off) {
        let (dir, file): (&[u8], &[u8]) = match host.name {
            "ftpd" => ("目录".as_bytes(), "目录/测试.txt".as_bytes()),
            name if bytes_pass.contains(&name) => (
                b"\xC4\xBF\xC2\xBC",
                b"\xC4\xBF\xC2\xBC/\xB2\xE2\xCA\xD4.txt",
            ),
            _ => continue,
        };
        let here = tempfile::tempdir().unwrap();
        fs::create_dir(here.path().join("目录")).unwrap();
        fs::write(here.path().join("目录/测试.txt"), "content").unwrap();
        let gbk = |args: &[&str]| {
            let ran = run(&host, here.path(), "off").args(["--encoding", "gbk"]);
            ran.args(args).success().text()
        };
        gbk(&["put", "-r", "目录", &host.url(None, "")]);
        let there = contents(&host.disk);
        let want = BTreeMap::from([
            (dir.to_vec(), None),
            (file.to_vec(), Some(b"content".to_vec())),
        ]);
        assert_eq!(there, want, "{}", host.name);
        assert_eq!(
            gbk(&["ls", &host.url(None, "目录")]),
            "测试.txt\n",
            "{}",
            host.name
        );
        gbk(&["get", "-r", &host.url(None, "目录"), "-o", "back/"]);
        let back = fs::read(here.path().join("back/目录/测试.txt"));
        assert_eq!(back.unwrap(), b"content", "{}", host.name);
    }
}

#[test]
fn a_dot_at_the_end_is_what_a_directory_holds() {
    let server = Site::with_ann().file("d/sub/a", b"a").start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("there")).unwrap();
    for to in ["there", "new"] {
        let from = server.url("d/.");
        // It has no name of its own to leave out.
        let get = ["get", "-r", "--exclude", ".*", &from, to];
        ftpc(here.path()).args(get).success();
        assert_eq!(names(&here.path().join(to)), ["sub", "sub/a"]);
    }
}

#[test]
fn what_was_broken_under_a_new_name_is_gone_on_with_by_sync() {
    let big = noise(3_000_000);
    let server = Site::with_ann().file("d/big", &big).start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("up")).unwrap();
    fs::write(here.path().join("up/big"), &big).unwrap();
    let (down, up) = (server.url("d"), server.url("new"));
    for [verb, from, to] in [["get", down.as_str(), "new"], ["put", "up", &up]] {
        let running = ftpc(here.path())
            .args(["--limit", "500KiB/s", verb, "-r", from, to])
            .start();
        let top = match verb {
            "get" => here.path().join("new"),
            _ => server.site.disk("new"),
        };
        let has_begun = || std::fs::read_dir(&top).is_ok_and(|names| names.count() > 0);
        until("some of it", || has_begun().then_some(()));
        running.interrupt();
        let ran = running.wait();
        assert_eq!(ran.code, 130, "{}", ran.stderr);
        let words = ran
            .stderr
            .split('`')
            .find(|part| part.starts_with("ftpc sync "));
        let words: Vec<_> = words.unwrap().split(' ').skip(1).collect();
        ftpc(here.path()).args(words).success();
        assert_eq!(names(&top), ["big"]);
        assert!(fs::read(top.join("big")).unwrap() == big);
    }
}
