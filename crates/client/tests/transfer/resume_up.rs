//! Uploads that were cut and go on.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::{
    fake::{Fake, Session},
    noise, only_error, options, run, sending,
};
use ftpc::{
    event::Events,
    transfer::{Cancel, Engine},
};

/// Takes the head of an upload, keeps it, and cuts both connections.
pub(super) fn cut_upload(session: &mut Session, line: &str, count: usize) {
    use std::io::Read as _;
    session.say("150 go");
    let mut head = vec![0; count];
    session.data().read_exact(&mut head).unwrap();
    let path = line.split_once(' ').unwrap().1.to_owned();
    session.files.lock().unwrap().insert(path, head);
    session.hang_up();
}

#[tokio::test]
async fn a_large_file_goes_on_with_what_a_committing_server_kept() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(17 << 20);
    let kept = content[..5_000_000].to_vec();
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "SIZE"])
        .hook(move |session, line| {
            if !line.starts_with("STOR") {
                return false;
            }
            let offset = std::mem::take(&mut session.rest);
            if offset > kept.len() {
                let have = kept.len();
                session.say(&format!(
                    "554 /a: offset {offset} is beyond the {have} bytes that are here"
                ));
                return true;
            }
            let path = line.split_once(' ').unwrap().1;
            session
                .files
                .lock()
                .unwrap()
                .insert(path.to_owned(), kept.clone());
            session.store(path, offset);
            true
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(summary.bytes, (17 << 20) - 5_000_000);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_small_file_has_a_part_to_go_on_with_after_the_line_broke() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let cuts = AtomicUsize::new(0);
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "REST STREAM", "SIZE"])
        .hook(move |session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            let kept = session.content(path).map_or(0, |kept| kept.len());
            if session.rest > kept {
                let offset = std::mem::take(&mut session.rest);
                let words = format!("offset {offset} is beyond the {kept} bytes that are here");
                session.say(&format!("554 {path}: {words}"));
                return true;
            }
            let is_cut = cuts.fetch_add(1, Ordering::SeqCst) < 2;
            if is_cut {
                cut_upload(session, line, 400_000);
                // Under the final name nobody sees it.
                session.files.lock().unwrap().remove("/a");
            }
            is_cut
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!(server.names(), ["/a"]);
    let lines = server.lines();
    assert!(lines.contains(&"REST 400000".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn a_part_that_the_server_does_not_begin_to_write_is_left_for_another() {
    let temp = tempfile::tempdir().unwrap();
    let held = Arc::new(Mutex::new(None));
    let of_dead = Arc::clone(&held);
    let server = Fake::default()
        .hook(move |session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            let mut held = of_dead.lock().unwrap();
            let is_held = held.get_or_insert_with(|| path.to_owned()) == path;
            if is_held {
                // A dead session holds its lock: no 150, and the file is there.
                let mut files = session.files.lock().unwrap();
                files.insert(path.to_owned(), noise(1000));
            }
            is_held
        })
        .start();
    let mut dialer = server.impatient(|limits| &mut limits.reply);
    dialer.deadlines.data_connect = dialer.deadlines.reply;
    let engine = Engine::new(
        Arc::new(dialer),
        options(),
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine
        .run(sending(temp.path(), "a", &noise(200_000), "/a"))
        .await;
    engine.close().await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), noise(200_000));
    assert_eq!(server.names(), ["/a"], "the other part went too");
}

#[tokio::test]
async fn empty_parts_of_tries_that_never_began_go_and_others_stay() {
    let temp = tempfile::tempdir().unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let server = Fake::default()
        .hook(move |session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            // The second is another run's, which holds it locked.
            let of_other = tries.fetch_add(1, Ordering::SeqCst) == 1;
            session.put(path, if of_other { b"other" } else { b"" });
            session.wait();
            true
        })
        .start();
    let mut dialer = server.impatient(|limits| &mut limits.reply);
    dialer.deadlines.data_connect = dialer.deadlines.reply;
    let mut options = options();
    options.backoff.attempts = 3;
    let (dial, cancel) = (Arc::new(dialer), Cancel::default());
    let engine = Engine::new(dial, options, Events::silent(), cancel);
    let summary = engine.run(sending(temp.path(), "a", b"new", "/a")).await;
    engine.close().await;
    let told = only_error(&summary).chain();
    assert!(told.starts_with("no answer for"), "{told}");
    assert_eq!(server.count("STOR"), 3);
    let [other] = &server.names()[..] else {
        panic!("{:?}", server.names());
    };
    assert_eq!(server.content(other).unwrap(), b"other");
}

#[tokio::test]
async fn a_cut_upload_goes_on_where_it_stopped() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(500_000);
    let cut = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("STOR") && !cut.swap(true, Ordering::SeqCst) && {
                cut_upload(session, line, 250_000);
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    assert_eq!(server.names(), ["/a"]);
    assert!(
        server.lines().contains(&"REST 250000".to_owned()),
        "{:?}",
        server.lines()
    );
}

#[tokio::test]
async fn bytes_that_the_server_does_not_keep_are_no_progress() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("STOR") && {
                // As on a full disk: what comes is taken and dropped.
                session.rest = 0;
                session.say("150 go");
                let mut data = session.data();
                let _ = std::io::copy(&mut data, &mut std::io::sink());
                session.say("451 Failure writing to local file");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &noise(700_000), "/a")).await;
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(server.count("STOR"), 5);
}

#[tokio::test]
async fn where_nothing_is_shown_a_small_file_keeps_its_final_name() {
    let temp = tempfile::tempdir().unwrap();
    let cut = AtomicBool::new(false);
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "MLST size*;", "REST STREAM", "SIZE"])
        .hook(move |session, line| {
            let verb = line.split(' ').next().unwrap_or_default();
            if ["MLST", "MLSD", "SIZE", "RNFR", "DELE"].contains(&verb) {
                session.say("550 this account may only add");
                return true;
            }
            verb == "STOR" && !cut.swap(true, Ordering::SeqCst) && {
                cut_upload(session, line, 400_000);
                session.files.lock().unwrap().clear();
                true
            }
        })
        .start();
    let content = noise(1_000_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/in/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.names(), ["/in/a"]);
    assert!(server.content("/in/a").unwrap() == content);
    assert_eq!(server.count("STOR"), 2);
}
