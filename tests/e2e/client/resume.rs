//! Cut in the middle, both ways, at several bytes: the next run goes on there, and all is equal.

use std::{fs, path::Path};

use harness::{client::noise, wait::until};

use super::{
    Host,
    fake::{peers::Tls, proxy::Proxy},
    hosts, names, run,
};

/// Where the wire is cut, in thousandths of the file.
const CUTS: [usize; 3] = [100, 487, 993];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

#[test]
fn cut_transfers_go_on_in_the_next_run() {
    for host in hosts(Tls::Off) {
        // Our server takes smaller files under their final name, as they are whole or not at all.
        let bytes = noise(if host.name == "ftpd" {
            17 << 20
        } else {
            4 << 20
        });
        for way in [Way::Up, Way::Down] {
            for cut in CUTS.map(|part| bytes.len() / 1000 * part + 77) {
                cut_and_go_on(&host, way, &bytes, cut);
            }
        }
    }
}

fn cut_and_go_on(host: &Host, way: Way, bytes: &[u8], cut: usize) {
    let what = format!("{} {way:?} cut at {cut}", host.name);
    let here = tempfile::tempdir().unwrap();
    let proxy = Proxy::hold(host.address, cut as u64);
    let url = host.url(Some(proxy.address), "file");
    let (source, target) = match way {
        Way::Up => (here.path().to_owned(), host.disk.clone()),
        Way::Down => (host.disk.clone(), here.path().to_owned()),
    };
    fs::write(source.join("file"), bytes).unwrap();
    let run = || {
        let ftpc = run(host, here.path(), "off").args(["-v"]);
        match way {
            Way::Up => ftpc.args(["put", "file", &url]),
            Way::Down => ftpc.args(["get", &url]),
        }
    };
    let running = run().start();
    until("the cut is reached", || {
        (proxy.is_reached() || running.is_over()).then_some(())
    });
    // What passed the proxy is on its way to the disk; a server may hold back what fits a buffer.
    let wanted = (cut as u64).saturating_sub(256 << 10);
    until("what came is kept", || {
        (largest(&target) > wanted || running.is_over()).then_some(())
    });
    proxy.shut();
    running.interrupt();
    let first = running.wait();
    assert_eq!(first.code, 130, "{what}: {}", first.stderr);
    assert!(
        !target.join("file").exists(),
        "{what}: a part has the final name"
    );

    proxy.open();
    let second = run().run();
    assert_eq!(second.code, 0, "{what}: {}", second.stderr);
    let verb = match way {
        Way::Up => "> STOR ",
        Way::Down => "> RETR ",
    };
    let began = rest(&second.stderr, verb);
    let least = wanted.saturating_sub(64 << 10);
    assert!(
        began > least && began <= cut as u64,
        "{what}: began at {began}: {}",
        second.stderr
    );
    assert!(fs::read(target.join("file")).unwrap() == bytes, "{what}");
    assert_eq!(names(&target), ["file"], "{what}: something was left");
    fs::remove_file(host.disk.join("file")).unwrap();
}

/// The size of the largest file of a directory.
fn largest(dir: &Path) -> u64 {
    let sizes = fs::read_dir(dir).unwrap().flatten();
    let sizes = sizes.filter_map(|entry| entry.metadata().ok().map(|meta| meta.len()));
    sizes.max().unwrap_or(0)
}

/// Where the run began: the offset of the last transfer, 0 without one.
fn rest(trace: &str, verb: &str) -> u64 {
    let mut offset = 0;
    let mut began = 0;
    for line in trace.lines() {
        if let Some(number) = line.strip_prefix("> REST ") {
            offset = number.parse().unwrap();
        } else if line.starts_with(verb) {
            began = std::mem::take(&mut offset);
        }
    }
    began
}

/// A connection that breaks again and again within one run.
#[test]
fn a_run_goes_on_by_itself_after_every_cut() {
    let host = Host::ours();
    let bytes = noise(18 << 20);
    let here = tempfile::tempdir().unwrap();
    fs::write(host.disk.join("file"), &bytes).unwrap();
    let proxy = Proxy::start(host.address, vec![3_000_001, 5_000_000, 1_234_567]);
    let url = host.url(Some(proxy.address), "file");
    let ran = run(&host, here.path(), "off").args(["get", &url]).success();
    ran.says("try 2");
    assert!(fs::read(here.path().join("file")).unwrap() == bytes);
}
