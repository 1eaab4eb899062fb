//! Transfers that are cut, and a server that starts again in the middle.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ftpc::{
    event::{Event, Events},
    plan::{Plan, Step, sync::Way},
    remote::connect::Wire,
    transfer::{Backoff, Cancel, Engine, Options},
};

use crate::{
    dialer,
    fake::{
        peers::{self, Peer, Tls},
        proxy::Proxy,
    },
    noise, walk_files,
};

/// Cut at odd bytes, both ways: everything arrives whole, and little is sent twice.
async fn resumes_both_ways(peer: Option<Peer>) {
    let Some(peer) = peer else { return };
    let temp = tempfile::tempdir().unwrap();
    let content = noise(5_000_000, 4711);
    fs::write(temp.path().join("f"), &content).unwrap();
    let options = Options {
        jobs: 1,
        backoff: Backoff {
            first: Duration::from_millis(100),
            ..Backoff::default()
        },
        ..Options::default()
    };
    let cuts = || vec![1_234_567, 700_001, 2_000_000];
    let remote = format!("{}/f", peer.top);
    for way in [Way::Up, Way::Down] {
        let proxy = Proxy::start(peer.address, cuts());
        let mut dialer = dialer(&peer, proxy.address.port(), Tls::Off, false);
        let resumed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&resumed);
        dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
            if matches!(wire, Wire::Sent(line) if line.starts_with("REST ")) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let mut plan = Plan::new(temp.path().join("back"));
        plan.push(match way {
            Way::Up => Step::send(temp.path().join("f"), &remote, 5_000_000),
            Way::Down => Step::fetch(&remote),
        });
        let engine = Engine::new(
            Arc::new(dialer),
            options.clone(),
            Events::silent(),
            Cancel::default(),
        );
        let summary = engine.run(plan).await;
        assert!(summary.failed.is_empty(), "{way:?} {:?}", summary.failed);
        assert!(resumed.load(Ordering::SeqCst) > 0, "{way:?} began anew");
    }
    assert!(fs::read(peer.disk.join("f")).unwrap() == content);
    assert!(fs::read(temp.path().join("back/f")).unwrap() == content);
    assert_eq!(walk_files(&peer.disk).len(), 1, "a part was left");
    assert_eq!(fs::read_dir(temp.path().join("back")).unwrap().count(), 1);
}

#[tokio::test]
async fn cut_transfers_go_on_with_vsftpd() {
    resumes_both_ways(peers::vsftpd(Tls::Off)).await;
}

#[tokio::test]
async fn cut_transfers_go_on_with_proftpd() {
    resumes_both_ways(peers::proftpd(Tls::Off)).await;
}

#[tokio::test]
async fn cut_transfers_go_on_with_pure_ftpd() {
    resumes_both_ways(peers::pure_ftpd(Tls::Off)).await;
}

#[tokio::test]
async fn cut_transfers_go_on_with_pyftpdlib() {
    resumes_both_ways(peers::pyftpdlib(Tls::Off)).await;
}

#[tokio::test]
async fn two_thousand_files_survive_a_restart_in_the_middle() {
    let Some(mut peer) = peers::pyftpdlib(Tls::Off) else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let mut plan = Plan::new(temp.path());
    for index in 0..2000 {
        fs::write(peer.disk.join(index.to_string()), noise(index, 3)).unwrap();
        plan.push(Step::fetch(&format!("{}/{index}", peer.top)));
    }
    let dialer = dialer(&peer, peer.address.port(), Tls::Off, false);
    let options = Options {
        backoff: Backoff {
            attempts: 12,
            ..Backoff::default()
        },
        ..Options::default()
    };
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let engine = Engine::new(
        Arc::new(dialer),
        options,
        Events::new(sender),
        Cancel::default(),
    );
    let running = tokio::spawn(async move { engine.run(plan).await });
    let mut finished = 0;
    while let Some(event) = receiver.recv().await {
        finished += usize::from(matches!(event, Event::Finished { .. }));
        if finished == 700 {
            finished += 1;
            peer.restart();
        }
    }
    let summary = running.await.unwrap();
    assert!(summary.failed.is_empty(), "{:?}", summary.failed.first());
    assert_eq!(summary.files, 2000);
    assert!(walk_files(temp.path()) == walk_files(&peer.disk));
}
