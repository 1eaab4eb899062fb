//! The commands for single files and trees, against every server, plain and over TLS.

use std::fs;

use harness::client::noise;

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
