//! One file up: under which name it is sent, and what shows that it may be.

use std::{
    collections::BTreeSet,
    fs,
    sync::{Condvar, Mutex},
    time::{Duration, SystemTime},
};

use ftpc::{error::Error, event::Event, transfer::Options};

use crate::{fake::Fake, noise, only_error, options, run, run_with, sending};

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
        .answers("STOR", "553 no temporary name here")
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert!(error.to_string().contains("553"), "{error}");
    assert!(!server.lines().contains(&"STOR /a".to_owned()));
    assert_eq!(server.count("DELE") + server.count("MFMT"), 0);
    assert_eq!(server.content("/a").unwrap(), b"old");
}

#[tokio::test]
async fn two_runs_that_send_one_file_write_to_two_parts() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let (begun, another) = (Mutex::new(0), Condvar::new());
    let server = Fake::default()
        .hook(move |_, line| {
            if line.starts_with("STOR") {
                // Neither writes before the other has begun.
                let mut begun = begun.lock().unwrap();
                *begun += 1;
                another.notify_all();
                let long = Duration::from_secs(20);
                let wait = another.wait_timeout_while(begun, long, |begun| *begun < 2);
                assert!(!wait.unwrap().1.timed_out(), "there was one alone");
            }
            false
        })
        .start();
    let plan = sending(temp.path(), "a", &content, "/a");
    let (one, two) = tokio::join!(run(&server, plan.clone()), run(&server, plan));
    for summary in [one, two] {
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    }
    let lines = server.lines();
    let parts: BTreeSet<_> = lines
        .iter()
        .filter(|line| line.starts_with("STOR"))
        .collect();
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert!(server.content("/a").unwrap() == content);
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_part_that_no_later_run_would_find_goes_with_the_last_try() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(200_000);
    let (begun, may_begin) = std::sync::mpsc::channel();
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let first = Mutex::new(Some((begun, is_over)));
    let server = Fake::default()
        .hook(move |session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            let first = first.lock().unwrap().take();
            if let Some((begun, is_over)) = first {
                begun.send(()).unwrap();
                let long = Duration::from_secs(20);
                is_over.recv_timeout(long).unwrap();
                return false;
            }
            // The other run's part, of which half arrives.
            session.say("150 go");
            let mut half = vec![0; 100_000];
            std::io::Read::read_exact(&mut session.data(), &mut half).unwrap();
            let files = std::sync::Arc::clone(&session.files);
            files.lock().unwrap().insert(path.to_owned(), half);
            session.hang_up();
            true
        })
        .start();
    let plan = sending(temp.path(), "a", &content, "/a");
    let other = async {
        let begun = tokio::task::spawn_blocking(move || may_begin.recv().unwrap());
        begun.await.unwrap();
        let mut twice = options();
        twice.backoff.attempts = 2;
        let (summary, _) = run_with(&server, twice, plan.clone()).await;
        assert!(only_error(&summary).is_transient());
        assert_eq!(server.names(), [""; 0]);
        over.send(()).unwrap();
    };
    let (summary, ()) = tokio::join!(run(&server, plan.clone()), other);
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn where_no_temporary_name_is_taken_the_file_goes_directly() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().answers("RNFR", "550 not allowed").start();
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
        .answers("STOR", "553 Could not create file.")
        .start();
    let plan = sending(temp.path(), "a", b"hello", "/none/a");
    let (summary, events) = run_with(&server, options(), plan).await;
    let error = only_error(&summary).to_string();
    assert_eq!(error, "STOR `/none/a`: 553 Could not create file.");
    let is_message = |event: &Event| matches!(event, Event::Message { .. });
    assert!(!events.iter().any(is_message), "{events:?}");
}

#[tokio::test]
async fn what_cannot_fit_is_not_even_begun() {
    for (free, sent) in [("16777216", 1), ("16777215", 0), ("no idea", 1)] {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .feat(&["AVBL", "SIZE"])
            .hook(move |session, line| {
                line == "AVBL /in" && {
                    session.say(&format!("213 {free}"));
                    true
                }
            })
            .start();
        let summary = run(
            &server,
            sending(temp.path(), "a", &noise(16 << 20), "/in/a"),
        )
        .await;
        assert_eq!(server.count("STOR"), sent, "{free}");
        assert_eq!(summary.failed.is_empty(), sent == 1, "{free}");
        if sent == 0 {
            let words = "`/in/a`: not enough room on the server: 16 MiB to send, 16777215 B free";
            assert_eq!(only_error(&summary).to_string(), words);
        }
    }
    // A small file is quicker sent than asked for.
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().feat(&["AVBL", "SIZE"]).start();
    run(&server, sending(temp.path(), "a", b"small", "/in/a")).await;
    assert_eq!(server.count("AVBL"), 0);
}

#[tokio::test]
async fn one_time_that_a_server_refuses_costs_no_other_file_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .feat(&["X-ATOMIC-STOR", "SIZE", "MFMT"])
        .hook(|session, line| {
            let is_old = line.starts_with("MFMT 19");
            if is_old {
                session.say("501 not before 1970");
            }
            is_old
        })
        .start();
    let mut plan = sending(temp.path(), "a", b"1", "/a");
    plan.steps
        .extend(sending(temp.path(), "b", b"2", "/b").steps);
    let file = fs::File::options().write(true).open(temp.path().join("a"));
    let then = SystemTime::UNIX_EPOCH - Duration::from_secs(86_400);
    file.unwrap().set_modified(then).unwrap();
    let options = Options {
        jobs: 1,
        ..options()
    };
    let (summary, events) = run_with(&server, options, plan).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("MFMT"), 2);
    let told = events.iter().any(|event| {
        matches!(event, Event::Message { text } if text.contains("time not kept: MFMT `/a`: 501"))
    });
    assert!(told, "{events:?}");
}
