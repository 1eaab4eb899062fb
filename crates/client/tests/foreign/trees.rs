//! Trees up and down, twice, plain and over TLS.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ftpc::{
    event::Events,
    plan::{
        Plan, Step,
        filter::Filter,
        sync::{self, Way, Wishes},
        walk::{self, Tree},
    },
    remote::{Remote, connect::Dialer},
    transfer::{Cancel, Engine, Options, Summary},
};

use crate::{
    dialer,
    fake::peers::{self, Peer, Tls},
    noise, trusting, walk_files,
};

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
    let summary = run(dialer, plan.clone(), jobs, false).await;
    (plan, summary)
}

async fn run(dialer: &Dialer, plan: Plan, jobs: usize, move_files: bool) -> Summary {
    let options = Options {
        jobs,
        force: true,
        move_files,
        ..Options::default()
    };
    let engine = Engine::new(
        Arc::new(dialer.clone()),
        options,
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine.run(plan).await;
    engine.close().await;
    summary
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

    // Moved, all originals go, whatever their names.
    session
        .make_dir(&format!("{}/moved", peer.top))
        .await
        .unwrap();
    let remote = format!("{}/moved", peer.top);
    let there = Tree::default();
    let here = walk::local(&back, &Filter::default()).unwrap();
    let plan = sync::plan(&here, &there, &back, &remote, &Wishes::new(Way::Up));
    let moved = run(&dialer, plan, 4, true).await;
    assert!(moved.failed.is_empty(), "{:?}", moved.failed);
    assert_eq!(walk_files(&source), walk_files(&peer.disk.join("moved")));
    assert!(walk_files(&back).is_empty(), "{:?}", walk_files(&back));
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

/// vsftpd praises the listing of a directory that it could not open.
#[tokio::test]
async fn a_directory_that_vsftpd_cannot_open_is_not_an_empty_one() {
    let Some(peer) = peers::vsftpd(Tls::Off) else {
        return;
    };
    let locked = peer.disk.join("t/locked");
    fs::create_dir_all(&locked).unwrap();
    fs::write(locked.join("egg"), "only").unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o711)).unwrap();
    let port = peer.address.port();
    let (_, mut session) = trusting(dialer(&peer, port, Tls::Off, false)).await;
    let (top, filter) = (format!("{}/t", peer.top), Filter::default());
    let tree = walk::remote(&mut *session, &top, &filter, &Cancel::default()).await;
    let tree = tree.unwrap();
    assert!(tree.is_unread("locked/egg"));
    let (_, why) = &tree.refused[0];
    assert!(why.contains("failed to open directory"), "{why}");
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

#[tokio::test]
async fn tls_from_the_first_byte_works() {
    trees_both_ways(peers::vsftpd(Tls::Implicit), Tls::Implicit, false, true).await;
}
