//! How a stream that is whole gets its name, and what becomes of one that cannot.

use std::{
    io::{self, Read as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    cancel::Cancel,
    error::Error,
    remote::Dial as _,
    transfer::stream::{Terms, send_from},
};

use super::{Dying, dial, refuses, send, terms};
use crate::fake::Fake;

#[tokio::test]
async fn two_streams_to_one_name_have_parts_of_their_own() {
    let server = Fake::default().start();
    for content in [b"one", b"two"] {
        let sent = send(&server, content, "/dump").await.unwrap();
        assert_eq!((sent.bytes, sent.name.as_str()), (3, "/dump"));
        assert_eq!(server.content("/dump").unwrap(), content);
    }
    let lines = server.lines();
    let parts: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with("STOR"))
        .collect();
    assert_ne!(parts[0], parts[1]);
    let is_part = |part: &str| part.starts_with("STOR /dump.") && part.ends_with(".ftpc-part");
    assert!(parts.iter().all(|part| is_part(part)), "{parts:?}");
}

#[tokio::test]
async fn a_stream_that_cannot_be_published_is_kept_and_named() {
    for verb in ["RNFR", "RNTO"] {
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| line.starts_with(verb) && refuses(session))
            .start();
        let error = send(&server, b"new", "/a").await.unwrap_err();
        let Error::Unpublished { part, aside, .. } = &error else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(part) && aside.is_none());
        assert!(error.chain().ends_with("550 denied"), "{error}");
        assert_eq!(server.content("/a").unwrap(), b"old");
        assert_eq!(server.content(part).unwrap(), b"new");
    }
}

#[tokio::test]
async fn without_temporary_names_a_stream_takes_a_free_name_only() {
    let refusing = |line: &str| line.starts_with("STOR") && line.ends_with("-part");
    let fake = Fake::default()
        .hook(move |session, line| refusing(line) && refuses(session))
        .file("/a", "old");
    let server = fake.start();
    let error = send(&server, b"new", "/a").await.unwrap_err();
    assert!(error.to_string().ends_with("550 denied"), "{error}");
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(send(&server, b"new", "/b").await.unwrap().name, "/b");
    assert_eq!(server.content("/b").unwrap(), b"new");
    // A broken one has no right to the name.
    let cancel = Cancel::default();
    let source = Dying(io::Cursor::new(b"half".to_vec()), cancel.clone());
    let mut remote = dial(&server).await;
    send_from(&mut *remote, source, "/c", &terms(&cancel))
        .await
        .unwrap_err();
    assert_eq!(server.names(), ["/a", "/b"]);
}

#[tokio::test]
async fn a_stream_that_cannot_be_hashed_is_kept_and_a_wrong_one_is_not() {
    let always = Terms::new(Cancel::default(), ByteRate(0), Verify::Always);
    let zeros = format!("213 SHA-256 0-3 {} x", "0".repeat(64));
    let told: &'static str = Box::leak(zeros.into_boxed_str());
    for (reply, is_kept) in [("550 too large to hash", true), (told, false)] {
        let server = Fake::default().feat(&["HASH SHA-256*", "SIZE"]);
        let server = server.answers("HASH", reply).start();
        let mut remote = dial(&server).await;
        let source = io::Cursor::new(b"one".to_vec());
        let error = send_from(&mut *remote, source, "/bk", &always)
            .await
            .unwrap_err();
        let is_told = matches!(&error, Error::Unpublished { .. });
        assert_eq!(is_told, is_kept, "{error}");
        let names = server.names();
        assert_eq!(names.len(), usize::from(is_kept), "{names:?}");
        if is_kept {
            assert_eq!(server.content(&names[0]).unwrap(), b"one");
        }
    }
}

#[tokio::test]
async fn a_stream_that_was_praised_is_not_lost_to_a_question() {
    // The question for its size is refused.
    let server = Fake::default().answers("SIZE", "451 not now").start();
    assert_eq!(send(&server, b"all", "/bk").await.unwrap().name, "/bk");
    assert_eq!(server.content("/bk").unwrap(), b"all");
}

/// A server that stores `kept` bytes of each upload, praises it, and closes the session at this verb, once.
fn closing(kept: usize, verb: &'static str) -> Fake {
    let closed = AtomicBool::new(false);
    let fake = Fake::default().feat(&["HASH SHA-256*", "SIZE"]);
    fake.hook(move |session, line| {
        if line.starts_with("STOR") {
            let path = line.split_once(' ').unwrap().1.to_owned();
            session.store(&path, 0);
            let mut files = session.files.lock().unwrap();
            files.get_mut(&path).unwrap().truncate(kept);
        } else if line.starts_with(verb) && !closed.swap(true, Ordering::SeqCst) {
            if let ("RNTO", Some(from)) = (verb, session.from.take()) {
                // It is done, and the answer is lost.
                let mut files = session.files.lock().unwrap();
                let content = files.remove(&from).unwrap();
                files.insert("/bk".to_owned(), content);
            }
            session.hang_up();
        } else {
            return false;
        }
        true
    })
}

/// Nothing under the names stands for what arrived short, though it looks like it.
#[tokio::test]
async fn a_stream_that_arrived_short_is_told_as_that() {
    for old in [Some("old"), Some("of another size"), None] {
        let server = closing(2, "never");
        let server = match old {
            Some(old) => server.file("/bk", old).start(),
            None => server.start(),
        };
        let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
        let terms = terms.dialling(Arc::new(server.dialer()));
        let mut remote = dial(&server).await;
        let source = io::Cursor::new(b"all".to_vec());
        let error = send_from(&mut *remote, source, "/bk", &terms).await;
        let error = error.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Truncated {
                    want: 3,
                    got: 2,
                    ..
                }
            ),
            "{old:?}: {error}"
        );
        assert_eq!(server.content("/bk").as_deref(), old.map(str::as_bytes));
    }
}

/// Standard input cannot be read again: what is whole gets its name on a new session, and nothing else does.
#[tokio::test]
async fn a_stream_gets_its_name_on_a_new_session_once_it_is_proved() {
    for (kept, verify, verb, is_named) in [
        (3, Verify::Auto, "SIZE", true),
        (3, Verify::Auto, "RNFR", true),
        (3, Verify::Always, "HASH", true),
        (2, Verify::Auto, "SIZE", false),
    ] {
        let server = closing(kept, verb).file("/bk", "good old").start();
        let terms = Terms::new(Cancel::default(), ByteRate(0), verify);
        let terms = terms.dialling(Arc::new(server.dialer()));
        let mut remote = dial(&server).await;
        let source = io::Cursor::new(b"all".to_vec());
        let sent = send_from(&mut *remote, source, "/bk", &terms).await;
        let content = server.content("/bk").unwrap();
        if is_named {
            assert_eq!(
                (sent.unwrap().bytes, content.as_slice()),
                (3, &b"all"[..]),
                "{verb}"
            );
            assert_eq!(server.names(), ["/bk"]);
        } else {
            assert!(matches!(sent, Err(Error::Truncated { .. })), "{sent:?}");
            assert_eq!(content, b"good old");
        }
    }
    // Renamed, and the answer lost; then another took the part, so that only an old file is there.
    for is_ours in [true, false] {
        let fake = closing(3, "RNTO").file("/bk", "old one");
        let hook = Arc::clone(&fake.hook);
        let server = fake.hook(move |session, line| {
            let ends = hook(session, line);
            if line.starts_with("RNTO") && !is_ours {
                session
                    .files
                    .lock()
                    .unwrap()
                    .insert("/bk".to_owned(), b"other".to_vec());
            }
            ends
        });
        let server = server.start();
        let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
        let terms = terms.dialling(Arc::new(server.dialer()));
        let mut remote = dial(&server).await;
        let source = io::Cursor::new(b"all".to_vec());
        let sent = send_from(&mut *remote, source, "/bk", &terms).await;
        match is_ours {
            true => assert_eq!(sent.unwrap().name, "/bk"),
            false => assert!(matches!(sent, Err(Error::Unpublished { .. })), "{sent:?}"),
        }
    }
    // Without a way to dial it is kept, and named.
    let server = closing(3, "SIZE").start();
    let error = send(&server, b"all", "/bk").await.unwrap_err();
    let Error::Unpublished { part, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(server.content(part).unwrap(), b"all");
}

#[tokio::test]
async fn an_answer_without_a_hash_proves_nothing() {
    let always = Terms::new(Cancel::default(), ByteRate(0), Verify::Always);
    let server = Fake::default().feat(&["HASH SHA-256*", "SIZE"]);
    let server = server.answers("HASH", "213 checksum not available").start();
    let mut remote = dial(&server).await;
    let source = io::Cursor::new(b"one".to_vec());
    let error = send_from(&mut *remote, source, "/bk", &always)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unpublished { .. }), "{error}");
    assert!(
        error.chain().contains("no hash in its reply"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn a_stream_that_arrived_short_is_seen_where_mlst_alone_tells_sizes() {
    let fake = Fake::default().file("/a", "old");
    let server = fake.hook(|session, line| {
        if line.starts_with("SIZE") {
            return refuses(session);
        }
        let Some(path) = line.strip_prefix("STOR ") else {
            return false;
        };
        session.say("150 go");
        let _ = session.data().read_to_end(&mut Vec::new());
        session.put(path, b"ne");
        session.say("226 stored");
        true
    });
    let server = server.start();
    let error = send(&server, b"new", "/a").await.unwrap_err();
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
    assert_eq!(server.content("/a").unwrap(), b"old");
    assert_eq!(server.names(), ["/a"]);
}

#[tokio::test]
async fn a_part_that_the_server_never_began_goes() {
    let fake = Fake::default().file("/a", "old");
    let server = fake.hook(|session, line| {
        let Some(path) = line.strip_prefix("STOR ") else {
            return false;
        };
        // As vsftpd, which makes it before its 150.
        session.put(path, b"");
        session.wait();
        true
    });
    let server = server.start();
    let mut dialer = server.impatient(|limits| &mut limits.reply);
    dialer.deadlines.data_connect = dialer.deadlines.reply;
    let dialer = Arc::new(dialer);
    let mut remote = dialer.dial().await.unwrap();
    let terms = terms(&Cancel::default()).dialling(dialer);
    let sent = send_from(&mut *remote, &b"new"[..], "/a", &terms).await;
    let told = sent.unwrap_err().chain();
    assert!(told.starts_with("no answer for"), "{told}");
    assert_eq!(server.names(), ["/a"]);
    assert_eq!(server.content("/a").unwrap(), b"old");
}
