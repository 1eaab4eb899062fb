//! Replies that come late, never end or mean something else, and what may be sent for them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ftpc::{
    error::{Phase, RemoteError},
    remote::{Dial, Start, connect::Wire},
};

use crate::{dial, dial_impatiently, fake::Fake, is_late, refusal};

#[tokio::test]
async fn a_late_reply_never_answers_the_next_command() {
    let server = Fake::default()
        .hook(|session, line| {
            // Answered only when the client is about to ask the next thing.
            line == "SIZE a" && {
                session.wait();
                session.say("213 100");
                true
            }
        })
        .start();
    let mut remote = dial_impatiently(&server).await;
    let late = remote.size("a").await.unwrap_err();
    assert!(is_late(&late, Phase::Reply), "{late}");
    let next = remote.size("b").await.unwrap_err();
    assert!(matches!(next, RemoteError::Poisoned), "{next}");
    assert!(!remote.is_usable());
}

#[tokio::test]
async fn a_dropped_command_breaks_the_session() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "SIZE a" && {
                session.wait();
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let cancelled = tokio::time::timeout(Duration::from_millis(50), remote.size("a")).await;
    assert!(cancelled.is_err());
    assert!(matches!(remote.size("b").await, Err(RemoteError::Poisoned)));
}

#[tokio::test]
async fn a_banner_line_of_digits_is_not_taken_for_the_end() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "PASS hunter2" && {
                session.raw(b"230-Welcome\r\n123 Main Street\r\n230 in\r\n");
                true
            }
        })
        .start();
    let error = refusal(server.dialer()).await;
    assert!(matches!(error, RemoteError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_long_211_is_read_whole() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "STAT" && {
                session.raw(b"211-Status\r\n logged in\r\n211-more\r\n211 End\r\n");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let reply = remote.raw("STAT").await.unwrap();
    assert_eq!(reply.lines, ["Status", " logged in", "more", "End"]);
    assert_eq!(remote.pwd().await.unwrap(), "/");
}

#[tokio::test]
async fn a_421_is_told_and_ends_the_session() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("SIZE") && {
                session.say("421 idle too long");
                session.hang_up();
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.size("a").await.unwrap_err();
    assert_eq!(error.to_string(), "SIZE `a`: 421 idle too long");
    assert!(error.is_transient() && !remote.is_usable());
}

#[tokio::test]
async fn codes_the_library_does_not_know_keep_their_number() {
    let server = Fake::default()
        .answers("RETR", "522 SSL connection failed: session reuse required")
        .start();
    let mut remote = dial(&server).await;
    let Err(error) = remote.open_read("/a", 0).await else {
        panic!("opened")
    };
    assert_eq!(error.reply().unwrap().code, 522);
    assert!(!error.is_transient() && remote.is_usable());
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "STAT" && {
                let block = vec![b'x'; 1 << 20];
                session.raw(b"211-");
                session.raw(&block);
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.raw("STAT").await.unwrap_err();
    assert!(matches!(error, RemoteError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn names_that_cannot_be_sent_do_not_reach_the_wire() {
    let server = Fake::default().start();
    let mut remote = dial(&server).await;
    let before = server.lines().len();
    for bad in ["a\r\nDELE b", "a\nb", "a\0b"] {
        assert!(
            matches!(
                remote.remove_file(bad).await,
                Err(RemoteError::BadName { .. })
            ),
            "{bad:?}"
        );
        assert!(
            matches!(remote.size(bad).await, Err(RemoteError::BadName { .. })),
            "{bad:?}"
        );
        assert!(remote.open_read(bad, 0).await.is_err(), "{bad:?}");
        assert!(remote.open_write(bad, Start::New).await.is_err(), "{bad:?}");
    }
    assert_eq!(server.lines().len(), before);
    assert!(remote.is_usable());
}

#[tokio::test]
async fn the_password_is_in_no_trace() {
    let server = Fake::default().start();
    let mut dialer = server.dialer();
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&seen);
    dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
        sink.lock().unwrap().push_str(&format!("{wire:?}\n"));
    }));
    let mut remote = dialer.dial().await.unwrap();
    let _ = remote.list("/").await;
    // What a person sends by hand is no less secret.
    for line in ["PASS hunter2", "pass  hunter2", "ACCT hunter2"] {
        remote.raw(line).await.unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen.contains("PASS ***") && seen.contains("MLSD"), "{seen}");
    assert!(
        !seen.contains("hunter2") && !format!("{dialer:?}").contains("hunter2"),
        "{seen}"
    );
}
