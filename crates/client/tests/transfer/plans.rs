//! Plans of many steps: over few places, a server that goes and comes, or none at all.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ftp_config::client::Verify;
use ftpc::{
    error::{Error, RemoteError},
    event::Events,
    plan::{Plan, Step},
    remote::{Dial as _, connect::Dialer, pool::Pool},
    transfer::{Backoff, Cancel, Engine, Options},
};

use crate::{
    fake::{Fake, port::Kept},
    leftovers, noise, options, run, run_with,
};

#[tokio::test]
async fn a_refused_login_ends_the_run_at_once() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().answers("PASS", "530 no").start();
    let mut plan = Plan::new(temp.path());
    for name in 0..50 {
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let summary = run(&server, plan).await;
    assert_eq!(summary.failed.len(), 50);
    assert!(server.count("PASS") <= 4, "{}", server.count("PASS"));
}

#[tokio::test]
async fn a_server_with_few_places_is_served_by_fewer_workers() {
    let temp = tempfile::tempdir().unwrap();
    let mut fake = Fake::default();
    let mut plan = Plan::new(temp.path());
    for name in 0..40 {
        fake = fake.file(&format!("/{name}"), format!("content {name}"));
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let server = fake
        .hook(|session, line| {
            line.starts_with("USER") && session.open.load(Ordering::SeqCst) > 1 && {
                session.leave();
                session.say("530 Sorry, the maximum number of clients is connected");
                session.hang_up();
                true
            }
        })
        .start();
    let (summary, _) = run_with(&server, options(), plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(summary.files, 40);
    assert_eq!(leftovers(temp.path()).len(), 40);
}

#[tokio::test]
async fn one_that_is_served_goes_on_whatever_the_others_hear() {
    let refusals = [
        Some("421 I can't accept more than 1 connections as the same user"),
        Some("530 User is connected already"),
        Some("421 come again"),
        None,
    ];
    for refusal in refusals {
        let temp = tempfile::tempdir().unwrap();
        let mut fake = Fake::default();
        let mut plan = Plan::new(temp.path());
        for name in 0..40 {
            fake = fake.file(&format!("/{name}"), format!("content {name}"));
            plan.push(Step::fetch(&format!("/{name}")));
        }
        // Without a word: it is not even greeted.
        fake.places = refusal.map_or(1, |_| usize::MAX);
        let server = fake
            .hook(move |session, line| {
                line.starts_with("PASS") && session.open.load(Ordering::SeqCst) > 1 && {
                    session.leave();
                    session.say(refusal.unwrap());
                    session.hang_up();
                    true
                }
            })
            .start();
        let dialer = server.impatient(|deadlines| &mut deadlines.greeting);
        let pool = Arc::new(Pool::new(Arc::new(dialer)));
        pool.give_back(pool.dial().await.unwrap());
        let (events, cancel) = (Events::silent(), Cancel::default());
        let engine = Engine::with_pool(pool, options(), events, cancel);
        let summary = engine.run(plan).await;
        assert!(
            summary.failed.is_empty(),
            "{refusal:?}: {:?}",
            summary.failed
        );
        assert_eq!(summary.files, 40, "{refusal:?}");
        let asked = if refusal.is_some() { 2..=4 } else { 1..=1 };
        let passes = server.count("PASS");
        assert!(asked.contains(&passes), "{refusal:?}: {passes}");
    }
}

#[tokio::test]
async fn directories_are_made_with_their_parents_and_removed() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            let Some(path) = line.strip_prefix("MKD ") else {
                return false;
            };
            let parent = path.rsplit_once('/').unwrap().0;
            let missing = !parent.is_empty() && session.content(&format!("{parent}/")).is_none();
            missing && {
                session.say("550 no parent");
                true
            }
        })
        .start();
    let mut plan = Plan::new(temp.path());
    plan.push(Step::MakeRemoteDir {
        path: "/a/b/c".to_owned(),
    });
    plan.push(Step::MakeRemoteDir {
        path: "/a/b/c".to_owned(),
    });
    let summary = run(&server, plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.names(), ["/a/", "/a/b/", "/a/b/c/"]);

    let mut plan = Plan::new(temp.path());
    plan.push(Step::DeleteRemote {
        path: "/a/b/c".to_owned(),
        dir: true,
    });
    let summary = run(&server, plan).await;
    assert_eq!((summary.deleted, summary.failed.len()), (1, 0));
}

#[tokio::test]
async fn a_tree_survives_a_server_that_goes_and_comes() {
    let temp = tempfile::tempdir().unwrap();
    let mut fake = Fake::default().feat(&["HASH SHA-256", "MLST size*;modify*;", "SIZE", "MDTM"]);
    let mut plan = Plan::new(temp.path());
    for name in 0..2000 {
        fake = fake.file(&format!("/{name}"), noise(name));
        plan.push(Step::fetch(&format!("/{name}")));
    }
    // Every 500th file all sessions are cut, and for a while nobody is let in.
    let served = Arc::new(AtomicUsize::new(0));
    let server = fake
        .hook(move |session, line| match line.split(' ').next().unwrap() {
            "RETR" => {
                served.fetch_add(1, Ordering::SeqCst) % 500 > 490 && {
                    session.hang_up();
                    true
                }
            }
            "USER" => {
                let down = served.load(Ordering::SeqCst) % 500 > 490;
                down && {
                    served.fetch_add(1, Ordering::SeqCst);
                    session.say("421 going down");
                    session.hang_up();
                    true
                }
            }
            _ => false,
        })
        .start();
    let always = Options {
        verify: Verify::Always,
        backoff: Backoff {
            attempts: 20,
            ..options().backoff
        },
        ..options()
    };
    let (summary, _) = run_with(&server, always, plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed.first());
    assert_eq!((summary.files, summary.verified), (2000, 2000));
    for name in 0..2000 {
        let content = fs::read(temp.path().join(name.to_string())).unwrap();
        assert!(content == noise(name), "{name}");
    }
    assert_eq!(leftovers(temp.path()).len(), 2000);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_ends_the_run_once_for_all() {
    let temp = tempfile::tempdir().unwrap();
    let closed = Kept::new();
    let password = ftp_config::Secret::new("hunter2");
    let mut dialer = Dialer::new("127.0.0.1", closed.address.port(), "ann", password);
    dialer.tls = ftp_config::SiteTls::Off;
    dialer.deadlines.connect = Duration::from_secs(5);
    let mut plan = Plan::new(temp.path());
    for name in 0..500 {
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let engine = Engine::new(
        Arc::new(dialer),
        options(),
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine.run(plan).await;
    assert_eq!(summary.failed.len(), 500);
    let first = &summary.failed[0].error;
    assert!(
        matches!(first, Error::Remote(RemoteError::Connect { .. })),
        "{first}"
    );
    assert!(matches!(summary.failed[499].error, Error::GivenUp { .. }));
}
