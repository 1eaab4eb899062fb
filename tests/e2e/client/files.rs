//! The commands for single files and trees, against every server, plain and over TLS.

use std::{
    fs,
    os::unix::fs::{chown, symlink},
};

use harness::{Site, client::noise, ftpc};

use super::{Host, fake::peers::Tls, hosts, names, run};

#[test]
fn the_commands_for_files_work_with_every_server() {
    for (tls, flag) in [(Tls::Off, "off"), (Tls::On, "required")] {
        for host in hosts(tls) {
            commands(&host, flag);
        }
    }
}

fn commands(host: &Host, tls: &str) {
    let what = format!("{} with TLS {tls}", host.name);
    let here = tempfile::tempdir().unwrap();
    let bytes = noise(3_000_000);
    fs::create_dir_all(here.path().join("tree/sub")).unwrap();
    fs::write(here.path().join("tree/sub/a b"), &bytes).unwrap();
    fs::write(here.path().join("tree/empty"), "").unwrap();
    let url = |path: &str| host.url(None, path);
    let ftpc = |args: &[&str]| run(host, here.path(), tls).args(args).success().text();

    ftpc(&["put", "tree/sub/a b", "-o", "f", &url("")]);
    assert!(fs::read(host.disk.join("f")).unwrap() == bytes, "{what}");
    ftpc(&["get", &url("f"), "-o", "back"]);
    assert!(
        fs::read(here.path().join("back")).unwrap() == bytes,
        "{what}"
    );
    assert!(ftpc(&["cat", &url("f")]).len() > 1_000_000, "{what}");
    ftpc(&["put", "-r", "tree", &url("")]);
    ftpc(&["get", "-r", &url("tree"), "-o", "again/"]);
    let again = fs::read(here.path().join("again/tree/sub/a b")).unwrap();
    assert!(again == bytes, "{what}");
    assert_eq!(ftpc(&["ls", &url("")]), "f\ntree/\n", "{what}");
    ftpc(&["mv", &url("f"), &url("tree/g")]);
    ftpc(&["mkdir", &url("dir")]);
    let there = [
        "dir",
        "tree",
        "tree/empty",
        "tree/g",
        "tree/sub",
        "tree/sub/a b",
    ];
    assert_eq!(names(&host.disk), there, "{what}");
    ftpc(&["rmdir", &url("dir")]);
    ftpc(&["rm", &url("tree/g")]);
    assert!(!host.disk.join("tree/g").exists(), "{what}");
    ftpc(&["rm", "-r", &url("tree")]);
    assert_eq!(names(&host.disk), [""; 0], "{what}");
}

#[test]
fn links_are_removed_and_what_they_lead_to_stays() {
    for host in hosts(Tls::Off) {
        for way in ["rm", "sync"] {
            links(&host, way);
        }
    }
}

fn links(host: &Host, way: &str) {
    let what = format!("{} by {way}", host.name);
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| host.disk.join(name);
    for dir in ["real", "par"] {
        fs::create_dir(at(dir)).unwrap();
    }
    fs::write(at("real/precious"), "only").unwrap();
    fs::write(at("par/z"), "z").unwrap();
    // Like the peers, which are not root.
    let owner = fs::metadata(&host.disk).unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&owner);
    for name in ["real", "par", "real/precious", "par/z"] {
        chown(at(name), Some(owner), None).unwrap();
    }
    symlink("../real", at("par/l2")).unwrap();
    symlink("real", at("link")).unwrap();
    let url = |path: &str| host.url(None, path);
    let ftpc = |args: &[&str]| run(host, here.path(), "off").args(args).run();
    let ran = if way == "rm" {
        ftpc(&["rm", "-r", &url("par"), &url("link")])
    } else {
        fs::create_dir_all(here.path().join("up")).unwrap();
        ftpc(&["rm", "-r", &url("link")]);
        let ran = ftpc(&["sync", "--delete", "--yes", "up", &url("par")]);
        // A link that is listed as one is no part of the tree.
        let _ = fs::remove_file(at("par/l2"));
        fs::remove_dir(at("par")).unwrap();
        ran
    };
    assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
    let left = names(&host.disk);
    assert_eq!(left, ["real", "real/precious"], "{what}: {}", ran.stderr);
    fs::remove_dir_all(at("real")).unwrap();
}

#[test]
fn a_name_that_is_no_utf_8_goes_as_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let server = Site::with_ann()
        .key("names", "fallback = \"latin1\"")
        .start();
    let here = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"bad\xff.txt");
    fs::write(here.path().join(name), "bytes").unwrap();
    let url = server.url("/");
    let put = |args: &[&std::ffi::OsStr]| ftpc(here.path()).args(["put"]).args(args);
    put(&[name, url.as_ref()]).success();
    ftpc(here.path())
        .args(["get", &server.url("bad%FF.txt"), "-o"])
        .args([std::ffi::OsStr::from_bytes(b"back\xff")])
        .success();
    let back = here.path().join(std::ffi::OsStr::from_bytes(b"back\xff"));
    assert_eq!(fs::read(back).unwrap(), b"bytes");
    // As a name on the server it is refused, and told.
    let ran = put(&[name, std::ffi::OsStr::from_bytes(b"no\xff")]).code(2);
    ran.says("no UTF-8 as a remote name");
    let ran = ftpc(here.path()).args(["rm".as_ref(), name]).code(2);
    ran.says("UTF-8");
}

#[test]
fn a_link_that_a_file_goes_over_is_followed_there_and_told_here() {
    const LARGE: usize = 17 << 20;
    let server = Site::with_ann().file("b", b"old").start();
    symlink("b", server.site.disk("a")).unwrap();
    let here = tempfile::tempdir().unwrap();
    let at = |name: &str| here.path().join(name);
    for size in [1000, LARGE] {
        fs::write(at("a"), vec![7; size]).unwrap();
        let url = server.url("/");
        ftpc(here.path()).args(["put", "a", &url]).success();
        assert!(server.site.disk("a").is_symlink());
        let stored = fs::metadata(server.site.disk("b")).unwrap().len();
        assert_eq!(stored, size as u64);
    }
    fs::rename(at("a"), at("real")).unwrap();
    symlink("real", at("a")).unwrap();
    let got = ftpc(here.path()).args(["get", "-f", &server.url("a")]);
    let told = got.success();
    told.says("`./a` is a link here; the file takes its place");
    assert!(!at("a").is_symlink() && at("real").exists());
}
