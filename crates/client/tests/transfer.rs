//! Files over sessions that break, servers with little to offer, and the local side's guard.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    fs,
    io::Write,
    net::Shutdown,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use fake::{Fake, Running, Session, port::Kept};
use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    error::{Error, RemoteError},
    event::{Event, Events},
    plan::{Plan, Step},
    remote::connect::Dialer,
    transfer::{Backoff, Cancel, Engine, Options, Summary},
};

fn options() -> Options {
    Options {
        backoff: Backoff {
            first: Duration::from_millis(1),
            ..Backoff::default()
        },
        ..Options::default()
    }
}

/// Bytes that repeat nowhere near, so that a shift would be seen.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    next.take(length).collect()
}

async fn run_with(server: &Running, options: Options, plan: Plan) -> (Summary, Vec<Event>) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let dial = Arc::new(server.dialer());
    let engine = Engine::new(dial, options, Events::new(sender), Cancel::default());
    let summary = engine.run(plan).await;
    engine.close().await;
    let mut events = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        events.push(event);
    }
    (summary, events)
}

async fn run(server: &Running, plan: Plan) -> Summary {
    run_with(server, options(), plan).await.0
}

fn fetching(top: &Path, remote: &str) -> Plan {
    let mut plan = Plan::new(top);
    plan.push(Step::fetch(remote));
    plan
}

fn sending(top: &Path, name: &str, content: &[u8], remote: &str) -> Plan {
    let path = top.join(name);
    fs::write(&path, content).unwrap();
    let mut plan = Plan::new(top);
    plan.push(Step::send(path, remote, content.len() as u64));
    plan
}

#[track_caller]
fn only_error(summary: &Summary) -> &Error {
    assert_eq!(summary.failed.len(), 1, "{:?}", summary.failed);
    &summary.failed[0].error
}

fn leftovers(top: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(top)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Takes the head of an upload, keeps it, and cuts both connections.
fn cut_upload(session: &mut Session, line: &str, count: usize) {
    use std::io::Read as _;
    session.say("150 go");
    let mut head = vec![0; count];
    session.data().read_exact(&mut head).unwrap();
    let path = line.split_once(' ').unwrap().1.to_owned();
    session.files.lock().unwrap().insert(path, head);
    session.hang_up();
}

/// Sends the head of a file and cuts the data connection and then the control connection.
fn cut_after(session: &mut Session, path: &str, offset: usize, count: usize) {
    let content = session.content(path).unwrap();
    session.say("150 here it comes");
    let mut data = session.data();
    let end = content.len().min(offset + count);
    let _ = data.write_all(&content[offset..end]);
    let _ = data.shutdown(Shutdown::Both);
    session.hang_up();
}

#[tokio::test]
async fn a_file_comes_with_its_time_and_leaves_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a b.txt", "content").start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a b.txt")).await;
    assert_eq!((summary.files, summary.bytes), (1, 7));
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a b.txt")).unwrap(), b"content");
    assert_eq!(leftovers(temp.path()), ["a b.txt"]);
    let modified = fs::metadata(temp.path().join("a b.txt"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(
        modified
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
        1_704_164_645
    );
    assert!(matches!(events[0], Event::Planned { files: 1, .. }));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Finished { bytes: 7, .. }))
    );
}

#[tokio::test]
async fn an_existing_file_stays_unless_forced() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("a"), b"old").unwrap();
    let server = Fake::default().file("/a", "new").start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::Exists { .. }));
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"old");
    let forced = Options {
        force: true,
        ..options()
    };
    run_with(&server, forced, fetching(temp.path(), "/a")).await;
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), b"new");
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_stopped() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let cuts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&cuts);
    let server = Fake::default()
        .file("/a", content.clone())
        .hook(move |session, line| {
            line == "RETR /a" && count.fetch_add(1, Ordering::SeqCst) < 9 && {
                let offset = session.rest;
                cut_after(session, "/a", offset, 200_000);
                true
            }
        })
        .start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
    // Nine cuts with five tries: each one brought bytes, so the count began anew.
    assert!(
        events
            .iter()
            .filter(|event| matches!(event, Event::Retrying { .. }))
            .count()
            >= 6
    );
    assert!(
        server.lines().iter().any(|line| line == "REST 134464"),
        "{:?}",
        server.lines()
    );
    // Only the overlap was fetched twice.
    assert!(summary.bytes < 1_000_100, "{}", summary.bytes);
}

#[tokio::test]
async fn another_run_goes_on_with_a_kept_part_and_not_with_another_file() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(400_000);
    let fake = Fake::default().file("/a", content.clone());
    let server = fake
        .clone()
        .hook(|session, line| {
            line == "RETR /a" && {
                cut_after(session, "/a", 0, 300_000);
                true
            }
        })
        .start();
    let once = Options {
        backoff: Backoff {
            attempts: 1,
            ..Backoff::default()
        },
        ..options()
    };
    let (summary, _) = run_with(&server, once, fetching(temp.path(), "/a")).await;
    assert!(only_error(&summary).is_transient());
    assert_eq!(
        leftovers(temp.path()),
        [".a.ftpc-part", ".a.ftpc-part.json"]
    );
    drop(server);

    // The same bytes on another port are another server: from the beginning.
    let server = fake.start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 0);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

#[tokio::test]
async fn a_part_whose_end_differs_is_thrown_away() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let server = Fake::default().file("/a", content.clone()).start();
    let endpoint = format!("127.0.0.1:{}", server.address.port());
    let mut part = content[..200_000].to_vec();
    part[199_000] ^= 1;
    fs::write(temp.path().join(".a.ftpc-part"), part).unwrap();
    let note =
        format!(r#"{{"endpoint":"{endpoint}","path":"/a","size":300000,"modified":1704164645}}"#);
    fs::write(temp.path().join(".a.ftpc-part.json"), note).unwrap();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 1);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
}

#[tokio::test]
async fn fewer_bytes_than_announced_are_no_file() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", vec![1; 1000])
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let _ = session.data().write_all(&[1; 400]);
                session.say("226 all of it");
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(
        only_error(&summary),
        Error::Truncated {
            want: 1000,
            got: 400,
            ..
        }
    ));
    assert!(!temp.path().join("a").exists());
}

#[tokio::test]
async fn more_bytes_than_announced_are_cut_off() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", vec![1; 1000])
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let mut data = session.data();
                while data.write_all(&[1; 65536]).is_ok() {}
                session.say("226 done");
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    let text = only_error(&summary).chain();
    assert!(
        text.contains("more bytes than the server announced"),
        "{text}"
    );
    assert!(!temp.path().join("a").exists());
}

#[tokio::test]
async fn a_whole_file_whose_226_is_lost_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", noise(1000))
        .hook(|session, line| {
            line == "RETR /a" && {
                cut_after(session, "/a", 0, 1000);
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), noise(1000));
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "x")
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("550 not yours");
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert_eq!(only_error(&summary).to_string(), "RETR `/a`: 550 not yours");
    assert_eq!(server.count("RETR"), 1);
    assert_eq!(leftovers(temp.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_login_ends_the_run_at_once() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("PASS") && {
                session.say("530 no");
                true
            }
        })
        .start();
    let mut plan = Plan::new(temp.path());
    for name in 0..50 {
        plan.push(Step::fetch(&format!("/{name}")));
    }
    let summary = run(&server, plan).await;
    assert_eq!(summary.failed.len(), 50);
    assert!(server.count("PASS") <= 4, "{}", server.count("PASS"));
}

#[tokio::test]
async fn an_upload_appears_whole_under_its_name() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/in/a", "old").start();
    let content = noise(300_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/in/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/in/a").unwrap(), content);
    assert_eq!(server.names(), ["/in/a"]);
    assert!(
        server
            .lines()
            .iter()
            .any(|line| line.starts_with("STOR /in/a.") && line.ends_with(".ftpc-part"))
    );
    assert_eq!(server.count("MFMT"), 1);
}

#[tokio::test]
async fn a_server_that_commits_whole_files_gets_the_final_name() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().feat(&["X-ATOMIC-STOR", "SIZE"]).start();
    let summary = run(&server, sending(temp.path(), "a", b"x", "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.lines().contains(&"STOR /a".to_owned()));
    assert_eq!(server.count("RNFR"), 0);
}

#[tokio::test]
async fn a_size_told_with_the_time_is_the_proof_of_an_upload() {
    for (told, questions, is_whole) in [(";Size=3", 0, true), ("", 1, true), (";Size=2", 0, false)]
    {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .feat(&["X-ATOMIC-STOR", "SIZE", "MFMT"])
            .hook(move |session, line| {
                line.starts_with("MFMT") && {
                    session.say(&format!("213 Modify=20240102030405{told}; /a Size=9;"));
                    true
                }
            })
            .start();
        let mut once = options();
        once.backoff.attempts = 1;
        let (summary, _) = run_with(&server, once, sending(temp.path(), "a", b"abc", "/a")).await;
        assert_eq!(summary.failed.is_empty(), is_whole, "{told}");
        if !is_whole {
            let error = only_error(&summary);
            assert!(
                matches!(
                    error,
                    Error::Truncated {
                        want: 3,
                        got: 2,
                        ..
                    }
                ),
                "{error}"
            );
        }
        assert_eq!(server.count("SIZE"), questions, "{told}");
    }
}

#[tokio::test]
async fn where_the_server_chooses_names_nothing_is_sent_to_the_final_one() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .feat(&["X-ATOMIC-STOR", "X-ON-DUPLICATE rename", "SIZE", "MFMT"])
        .hook(|session, line| {
            line.starts_with("STOR") && {
                session.say("553 no temporary name here");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert!(error.to_string().contains("553"), "{error}");
    assert!(!server.lines().contains(&"STOR /a".to_owned()));
    assert_eq!(server.count("DELE") + server.count("MFMT"), 0);
    assert_eq!(server.content("/a").unwrap(), b"old");
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
async fn without_rest_an_upload_goes_on_by_appending() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let cut = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .hook(move |session, line| match line.split(' ').next().unwrap() {
            "REST" if line != "REST 34464" => {
                session.say("502 no");
                true
            }
            "STOR" if !cut.swap(true, Ordering::SeqCst) => {
                cut_upload(session, line, 100_000);
                true
            }
            _ => false,
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), content);
    assert_eq!(server.count("APPE"), 1);
}

#[tokio::test]
async fn an_upload_goes_on_by_rest_only_where_that_is_promised() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let cut = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .feat(&["SIZE"])
        .hook(move |session, line| {
            if !line.starts_with("STOR") {
                return false;
            }
            if cut.swap(true, Ordering::SeqCst) {
                let path = line.split_once(' ').unwrap().1.to_owned();
                // Opened anew, then written at the offset.
                let hole = vec![0; session.rest];
                session.files.lock().unwrap().insert(path, hole);
                return false;
            }
            cut_upload(session, line, 100_000);
            true
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert!(server.content("/a").unwrap() == content);
    assert_eq!((server.count("STOR"), server.count("APPE")), (1, 1));
}

#[tokio::test]
async fn a_server_that_closes_behind_each_upload_gets_it_once() {
    for length in [0, 1000, 200_000] {
        let temp = tempfile::tempdir().unwrap();
        let content = noise(length);
        let server = Fake::default()
            .hook(|session, line| {
                line.starts_with("STOR") && {
                    let path = line.split_once(' ').unwrap().1.to_owned();
                    session.store(&path, 0);
                    session.hang_up();
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        assert!(server.content("/a").unwrap() == content);
        assert_eq!(
            (server.names(), server.count("STOR")),
            (vec!["/a".to_owned()], 1)
        );
    }
}

#[tokio::test]
async fn the_servers_reason_for_breaking_an_upload_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("STOR") && {
                session.say("150 go");
                let data = session.data();
                socket2::SockRef::from(&data)
                    .set_linger(Some(Duration::ZERO))
                    .unwrap();
                drop(data);
                session.say("552 quota exceeded");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", &noise(30_000_000), "/a")).await;
    let error = only_error(&summary);
    assert!(error.to_string().ends_with("552 quota exceeded"), "{error}");
    assert_eq!(server.count("STOR"), 1);
}

#[tokio::test]
async fn where_no_temporary_name_is_taken_the_file_goes_directly() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("RNFR") && {
                session.say("550 not allowed");
                true
            }
        })
        .start();
    let (summary, events) = run_with(
        &server,
        options(),
        sending(temp.path(), "a", b"hello", "/a"),
    )
    .await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"hello");
    assert_eq!(server.names(), ["/a"]);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Message { text } if text.contains("directly")))
    );
}

#[tokio::test]
async fn a_missing_directory_is_the_only_thing_told() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("STOR") && {
                session.say("553 Could not create file.");
                true
            }
        })
        .start();
    let plan = sending(temp.path(), "a", b"hello", "/none/a");
    let (summary, events) = run_with(&server, options(), plan).await;
    let error = only_error(&summary).to_string();
    assert_eq!(error, "STOR `/none/a`: 553 Could not create file.");
    let is_message = |event: &Event| matches!(event, Event::Message { .. });
    assert!(!events.iter().any(is_message), "{events:?}");
}

#[tokio::test]
async fn a_server_that_will_not_rename_over_a_file_is_helped() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            line == "RNTO /a" && session.content("/a").is_some() && {
                session.say("553 exists");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    // The old file goes aside first, and is removed last.
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
    assert!(!server.lines().contains(&"DELE /a".to_owned()));
}

#[tokio::test]
async fn where_nothing_may_be_renamed_the_old_file_stays() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a", "old")
        .hook(|session, line| {
            line.starts_with("RNTO") && {
                session.say("550 denied");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert_eq!(error.to_string(), "RNTO `/a`: 550 denied");
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_directory_is_not_moved_aside() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("/a/kept", "old")
        .hook(|session, line| {
            line == "RNTO /a" && {
                session.say("550 a directory");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(server.count("RNFR"), 1);
    assert_eq!(server.names(), ["/a/kept"]);
}

#[tokio::test]
async fn a_file_that_went_aside_comes_back_or_is_named() {
    for back in [true, false] {
        let temp = tempfile::tempdir().unwrap();
        let refused = AtomicUsize::new(0);
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                let refuses = || refused.fetch_add(1, Ordering::SeqCst) < 2 || !back;
                line == "RNTO /a" && refuses() && {
                    session.say("550 denied");
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
        let error = only_error(&summary);
        if back {
            assert_eq!(error.to_string(), "RNTO `/a`: 550 denied");
            assert_eq!(server.content("/a").unwrap(), b"old");
            continue;
        }
        let Error::Unpublished {
            aside: Some(aside), ..
        } = error
        else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(aside), "{error}");
        assert!(error.chain().ends_with("550 denied"), "{error}");
        assert_eq!(server.content(aside).unwrap(), b"old");
    }
}

#[tokio::test]
async fn a_connection_lost_between_two_renames_loses_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let lost = AtomicBool::new(false);
    let server = Fake::default()
        .file("/a", "old")
        .hook(move |session, line| {
            if line == "RNTO /a" && session.content("/a").is_some() {
                session.say("553 exists");
                return true;
            }
            line == "RNTO /a" && !lost.swap(true, Ordering::SeqCst) && {
                session.hang_up();
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.content("/a").unwrap(), b"new");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_rename_whose_answer_is_lost_is_not_done_twice() {
    let temp = tempfile::tempdir().unwrap();
    let lost = Arc::new(AtomicBool::new(false));
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("RNTO") && !lost.swap(true, Ordering::SeqCst) && {
                let mut files = session.files.lock().unwrap();
                let part = files
                    .keys()
                    .find(|name| name.ends_with("-part"))
                    .cloned()
                    .unwrap();
                let content = files.remove(&part).unwrap();
                files.insert("/a".to_owned(), content);
                drop(files);
                session.hang_up();
                true
            }
        })
        .start();
    let content = noise(100_000);
    let summary = run(&server, sending(temp.path(), "a", &content, "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("STOR"), 1);
    assert_eq!(server.content("/a").unwrap(), content);
}

#[tokio::test]
async fn hashes_are_compared_when_offered_and_a_lie_is_found() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(2 << 20);
    let fake = Fake::default()
        .file("/a", content.clone())
        .feat(&["HASH SHA-256*", "SIZE", "MDTM"]);
    let server = fake.clone().start();
    let (summary, events) = run_with(&server, options(), fetching(temp.path(), "/a")).await;
    assert_eq!((summary.files, summary.verified), (1, 1));
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Finished {
            verified: Some("SHA-256"),
            ..
        }
    )));
    drop(server);

    fs::remove_file(temp.path().join("a")).unwrap();
    let zeros = "0".repeat(64);
    let server = fake
        .hook(move |session, line| {
            line.starts_with("HASH") && {
                session.say(&format!("213 SHA-256 0-1 {zeros} a"));
                true
            }
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(matches!(only_error(&summary), Error::HashMismatch { .. }));
    assert_eq!(leftovers(temp.path()), Vec::<String>::new());
}

#[tokio::test]
async fn always_verify_needs_a_server_that_can() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "x").start();
    let always = Options {
        verify: Verify::Always,
        ..options()
    };
    let (summary, _) = run_with(&server, always, fetching(temp.path(), "/a")).await;
    assert!(matches!(
        only_error(&summary),
        Error::Remote(RemoteError::Unsupported { .. })
    ));
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
async fn a_stop_keeps_what_can_be_resumed() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let server = Fake::default()
        .file("/a", content)
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let mut data = session.data();
                let content = session.content("/a").unwrap();
                let _ = data.write_all(&content[..500_000]);
                // Then nothing, until the client goes.
                use std::io::Read;
                let _ = data.read(&mut [0]);
                session.say("426 gone");
                true
            }
        })
        .start();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let cancel = Cancel::default();
    let engine = Engine::new(
        Arc::new(server.dialer()),
        options(),
        Events::new(sender),
        cancel.clone(),
    );
    let stop = async {
        while let Some(event) = receiver.recv().await {
            if matches!(event, Event::Advanced { bytes: 500_000, .. }) {
                cancel.stop();
            }
        }
    };
    let summary = tokio::select! {
        summary = engine.run(fetching(temp.path(), "/a")) => summary,
        () = stop => unreachable!("the engine holds the sender"),
    };
    assert!(summary.interrupted);
    assert_eq!(
        fs::metadata(temp.path().join(".a.ftpc-part"))
            .unwrap()
            .len(),
        500_000
    );
    assert!(!temp.path().join("a").exists());
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
async fn a_rate_limit_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", noise(100_000)).start();
    let slow = Options {
        limit: ByteRate(200_000),
        ..options()
    };
    let began = std::time::Instant::now();
    let (summary, _) = run_with(&server, slow, fetching(temp.path(), "/a")).await;
    assert_eq!(summary.files, 1);
    // A lower bound only: 0.5 s at the rate, less the burst.
    assert!(began.elapsed() >= Duration::from_millis(240));
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
