//! The servers people own: trees up and down, twice; resume both ways behind a proxy that cuts;
//! TLS with session reuse required.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use fake::{
    peers::{self, Peer, Tls},
    proxy::Proxy,
};
use ftp_config::{Secret, SiteTls};
use ftpc::{
    error::RemoteError,
    event::{Event, Events},
    plan::{
        Plan, Step,
        filter::Filter,
        sync::{self, Way, Wishes},
        walk,
    },
    remote::{
        Dial, Remote, Start,
        connect::{Dialer, Wire},
    },
    transfer::{Backoff, Cancel, Engine, Options, Summary},
    trust::{Fingerprint, MemoryTrust, TrustCheck},
};

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

fn dialer(peer: &Peer, port: u16, tls: Tls, tls12: bool) -> Dialer {
    let mut dialer = Dialer::new("127.0.0.1", port, peer.user, Secret::new("pw"));
    dialer.tls = match tls {
        Tls::Off => SiteTls::Off,
        Tls::On => SiteTls::Required,
        Tls::Implicit => SiteTls::Implicit,
    };
    let trust = MemoryTrust::default();
    if tls12 {
        trust.note_tls12(&dialer.endpoint());
    }
    dialer.trust = Arc::new(trust);
    dialer
}

/// Dials, trusting the certificate it meets.
async fn trusting(mut dialer: Dialer) -> (Dialer, Box<dyn Remote>) {
    match dialer.dial().await {
        Ok(session) => (dialer, session),
        Err(RemoteError::Untrusted {
            endpoint,
            fingerprint,
        }) => {
            let trust = MemoryTrust::default();
            trust.pin(&endpoint, fingerprint);
            if dialer.trust.needs_tls12(&endpoint) {
                trust.note_tls12(&endpoint);
            }
            dialer.trust = Arc::new(trust);
            let session = dialer.dial().await.unwrap();
            (dialer, session)
        }
        Err(error) => panic!("{error}"),
    }
}

/// A tree of the names that people have.
fn make_tree(top: &Path) {
    fs::create_dir_all(top.join("sub dir/deep")).unwrap();
    fs::create_dir_all(top.join("empty dir")).unwrap();
    let names = [
        "a.txt",
        " leading",
        "-dash",
        "a -> b",
        "100% [x]*?.txt",
        "it's",
        "文件",
        "sub dir/x",
        "sub dir/deep/.hidden",
    ];
    for (index, name) in names.into_iter().enumerate() {
        fs::write(top.join(name), noise(index * 3000, 7 + index as u64)).unwrap();
    }
    fs::write(top.join("large"), noise(3_000_000, 99)).unwrap();
    for name in walk_files(top).keys() {
        let file = fs::File::options()
            .write(true)
            .open(top.join(name))
            .unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        file.set_modified(then).unwrap();
    }
}

fn walk_files(top: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let tree = walk::local(top, &Filter::default()).unwrap();
    let files = tree.nodes.iter().filter(|node| !node.is_dir);
    files
        .map(|node| {
            let path = walk::local_name(&node.path);
            let content = fs::read(top.join(&path)).unwrap();
            (path, content)
        })
        .collect()
}

async fn sync(
    dialer: &Dialer,
    session: &mut dyn Remote,
    way: Way,
    local: &Path,
    remote: &str,
    jobs: usize,
) -> (Plan, Summary) {
    let here = walk::local(local, &Filter::default()).unwrap();
    let there = walk::remote(session, remote, &Filter::default(), &Cancel::default())
        .await
        .unwrap();
    let (source, target) = if way == Way::Up {
        (&here, &there)
    } else {
        (&there, &here)
    };
    let plan = sync::plan(source, target, local, remote, &Wishes::new(way));
    let options = Options {
        jobs,
        force: true,
        ..Options::default()
    };
    let engine = Engine::new(
        Arc::new(dialer.clone()),
        options,
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine.run(plan.clone()).await;
    engine.close().await;
    (plan, summary)
}

/// Up, up again (nothing to do), down, down again, all equal.
async fn trees_both_ways(peer: Option<Peer>, tls: Tls, tls12: bool, keeps_times: bool) {
    let Some(peer) = peer else { return };
    let temp = tempfile::tempdir().unwrap();
    let (source, back) = (temp.path().join("source"), temp.path().join("back"));
    make_tree(&source);
    fs::create_dir(&back).unwrap();
    let (dialer, mut session) = trusting(dialer(&peer, peer.address.port(), tls, tls12)).await;
    let remote = format!("{}/tree", peer.top);
    session.make_dir(&remote).await.unwrap();

    let (_, up) = sync(&dialer, &mut *session, Way::Up, &source, &remote, 4).await;
    assert!(up.failed.is_empty(), "{:?}", up.failed);
    assert_eq!(walk_files(&source), walk_files(&peer.disk.join("tree")));
    let (plan, _) = sync(&dialer, &mut *session, Way::Up, &source, &remote, 4).await;
    assert!(plan.is_idle() || !keeps_times, "{:?}", plan.steps);

    let (_, down) = sync(&dialer, &mut *session, Way::Down, &back, &remote, 4).await;
    assert!(down.failed.is_empty(), "{:?}", down.failed);
    assert_eq!(walk_files(&source), walk_files(&back));
    assert!(back.join("empty dir").is_dir());
    let (plan, _) = sync(&dialer, &mut *session, Way::Down, &back, &remote, 4).await;
    assert!(plan.is_idle(), "{:?}", plan.steps);
}

#[tokio::test]
async fn trees_go_both_ways_with_vsftpd() {
    trees_both_ways(peers::vsftpd(Tls::Off), Tls::Off, false, true).await;
}

#[tokio::test]
async fn trees_go_both_ways_with_vsftpd_that_wants_session_reuse() {
    trees_both_ways(peers::vsftpd(Tls::On), Tls::On, false, true).await;
    trees_both_ways(peers::vsftpd(Tls::On), Tls::On, true, true).await;
}

#[tokio::test]
async fn trees_go_both_ways_with_proftpd() {
    trees_both_ways(peers::proftpd(Tls::Off), Tls::Off, false, true).await;
    trees_both_ways(peers::proftpd(Tls::On), Tls::On, false, true).await;
}

#[tokio::test]
async fn trees_go_both_ways_with_pure_ftpd() {
    trees_both_ways(peers::pure_ftpd(Tls::Off), Tls::Off, false, true).await;
    trees_both_ways(peers::pure_ftpd(Tls::On), Tls::On, false, true).await;
}

#[tokio::test]
async fn trees_go_both_ways_with_pyftpdlib() {
    trees_both_ways(peers::pyftpdlib(Tls::Off), Tls::Off, false, true).await;
    trees_both_ways(peers::pyftpdlib(Tls::On), Tls::On, false, true).await;
}

#[tokio::test]
async fn a_hundred_uploads_with_proftpd_meet_no_425() {
    let Some(peer) = peers::proftpd(Tls::On) else {
        return;
    };
    let temp = tempfile::tempdir().unwrap();
    let mut plan = Plan::new(temp.path());
    for index in 0..100 {
        let path = temp.path().join(format!("{index}"));
        fs::write(&path, noise(1000 + index, index as u64)).unwrap();
        plan.push(Step::send(
            path,
            &format!("{}/{index}", peer.top),
            1000 + index as u64,
        ));
    }
    let (dialer, _session) = trusting(dialer(&peer, peer.address.port(), Tls::On, false)).await;
    let options = Options {
        jobs: 1,
        ..Options::default()
    };
    let engine = Engine::new(
        Arc::new(dialer),
        options,
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine.run(plan).await;
    engine.close().await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(walk_files(temp.path()), walk_files(&peer.disk));
    let log = fs::read_to_string(&peer.log).unwrap();
    assert!(log.contains("STOR") && !log.contains(" 425 "), "{log}");
}

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
async fn gbk_names_round_trip_with_servers_that_pass_bytes() {
    for (name, peer) in [
        ("vsftpd", peers::vsftpd(Tls::Off)),
        ("pure", peers::pure_ftpd(Tls::Off)),
    ] {
        let Some(peer) = peer else { return };
        let gbk = std::ffi::OsString::from_vec(b"\xB2\xE2\xCA\xD4.txt".to_vec());
        fs::write(peer.disk.join(&gbk), b"content").unwrap();
        let mut dialer = dialer(&peer, peer.address.port(), Tls::Off, false);
        for (encoding, wanted) in [
            (None, "\u{10ffb2}\u{10ffe2}\u{10ffca}\u{10ffd4}.txt"),
            (Some("gbk"), "测试.txt"),
        ] {
            dialer.encoding = encoding.map(|label| label.parse().unwrap());
            let mut session = dialer.dial().await.unwrap();
            let listing = session.list(&peer.top).await.unwrap();
            let entry = &listing.entries[0];
            assert_eq!(entry.name.as_str(), wanted, "{name}");
            let path = entry.name.within(&peer.top);
            assert_eq!(session.size(&path).await.unwrap(), Some(7), "{name}");
        }
        dialer.encoding = Some("gbk".parse().unwrap());
        let mut session = dialer.dial().await.unwrap();
        session
            .rename(
                &format!("{}/测试.txt", peer.top),
                &format!("{}/文件.txt", peer.top),
            )
            .await
            .unwrap();
        let renamed = std::ffi::OsString::from_vec(b"\xCE\xC4\xBC\xFE.txt".to_vec());
        assert!(peer.disk.join(renamed).exists(), "{name}");
    }
}

#[tokio::test]
async fn tls_from_the_first_byte_works() {
    trees_both_ways(peers::vsftpd(Tls::Implicit), Tls::Implicit, false, true).await;
}

#[tokio::test]
async fn another_certificate_than_the_pin_is_refused_before_the_login() {
    let Some(peer) = peers::pyftpdlib(Tls::On) else {
        return;
    };
    let mut dialer = dialer(&peer, peer.address.port(), Tls::On, false);
    let trust = Arc::new(MemoryTrust::default());
    let other = Fingerprint::of_certificate(b"another");
    trust.pin(&dialer.endpoint(), other);
    dialer.trust = trust;
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
        if matches!(wire, Wire::Sent(line) if line.starts_with("USER")) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let Err(error) = dialer.dial().await else {
        panic!("trusted")
    };
    let RemoteError::CertificateChanged { old, new, .. } = error else {
        panic!("{error}")
    };
    assert!(old == other && new != other);
    assert_eq!(sent.load(Ordering::SeqCst), 0);
}

/// A transfer dropped at any point leaves the session in step, both ways, and the server takes no
/// part for a whole file's end.
async fn dropped_transfers_stay_in_step(name: &str, peer: Option<Peer>, tls: Tls) {
    let Some(peer) = peer else { return };
    fs::write(peer.disk.join("large"), noise(9_000_000, 5)).unwrap();
    fs::write(peer.disk.join("small"), b"12345").unwrap();
    for name in ["large", "small"] {
        std::os::unix::fs::chown(peer.disk.join(name), Some(1), Some(1)).unwrap();
    }
    let dial = async || {
        trusting(dialer(&peer, peer.address.port(), tls, false))
            .await
            .1
    };
    let mut session = dial().await;
    let at = |name: &str| format!("{}/{name}", peer.top);
    for file in ["large", "small"] {
        let mut data = session.open_read(&at(file), 0).await.unwrap();
        tokio::task::spawn_blocking(move || data.read(&mut [0; 1000]).unwrap())
            .await
            .unwrap();
        // Pure-FTPd over TLS sometimes answers neither the reset nor any command behind it.
        let may_fall_silent = name == "pure_ftpd(Tls::On)" && file == "large";
        if !settles(&mut *session, may_fall_silent, name).await {
            session = dial().await;
        }
        assert_eq!(
            session.size(&at("small")).await.unwrap(),
            Some(5),
            "{name} {file}"
        );
    }
    for count in [10, 3_000_000] {
        let mut data = session.open_write(&at("up"), Start::New).await.unwrap();
        tokio::task::spawn_blocking(move || data.write_all(&vec![1; count]).unwrap())
            .await
            .unwrap();
        // So does pyftpdlib, after an upload.
        if !settles(&mut *session, name.starts_with("pyftpdlib"), name).await {
            session = dial().await;
        }
        assert_eq!(
            session.size(&at("small")).await.unwrap(),
            Some(5),
            "{count}"
        );
    }
}

/// Settles a session, or sees that one whose server fell silent is not used again.
async fn settles(session: &mut dyn Remote, may_fall_silent: bool, name: &str) -> bool {
    let settled = session.settle().await;
    assert!(settled.is_ok() || may_fall_silent, "{name}: {settled:?}");
    assert_eq!(session.is_usable(), settled.is_ok(), "{name}");
    settled.is_ok()
}

#[tokio::test]
async fn dropped_transfers_stay_in_step_with_all() {
    dropped_transfers_stay_in_step("vsftpd(Tls::Off)", peers::vsftpd(Tls::Off), Tls::Off).await;
    dropped_transfers_stay_in_step("vsftpd(Tls::On)", peers::vsftpd(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("proftpd(Tls::Off)", peers::proftpd(Tls::Off), Tls::Off).await;
    dropped_transfers_stay_in_step("proftpd(Tls::On)", peers::proftpd(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("pyftpdlib(Tls::Off)", peers::pyftpdlib(Tls::Off), Tls::Off)
        .await;
    dropped_transfers_stay_in_step("pyftpdlib(Tls::On)", peers::pyftpdlib(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("pure_ftpd(Tls::Off)", peers::pure_ftpd(Tls::Off), Tls::Off)
        .await;
    dropped_transfers_stay_in_step("pure_ftpd(Tls::On)", peers::pure_ftpd(Tls::On), Tls::On).await;
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
