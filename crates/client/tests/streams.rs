//! Uploads from a stream, which nobody can send again: stopped, broken, and refused.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    io::{self, Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fake::{Fake, Running, Session};
use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    cancel::Cancel,
    error::Error,
    remote::{Dial, Remote, Start},
    transfer::stream::{Input, Sent, Terms, send_from},
};

/// Bytes, then the end, at which the run was stopped already: the producer died of the same Ctrl-C.
struct Dying(io::Cursor<Vec<u8>>, Cancel);

impl Read for Dying {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        if count == 0 {
            self.1.stop();
        }
        Ok(count)
    }
}

fn terms(cancel: &Cancel) -> Terms {
    Terms::new(cancel.clone(), ByteRate(0), Verify::Auto)
}

async fn dial(server: &Running) -> Box<dyn Remote> {
    server.dialer().dial().await.unwrap()
}

async fn send(server: &Running, content: &[u8], path: &str) -> Result<Sent, Error> {
    let source = io::Cursor::new(content.to_vec());
    let mut remote = dial(server).await;
    send_from(&mut *remote, source, path, &terms(&Cancel::default())).await
}

fn refuses(session: &mut Session) -> bool {
    session.say("550 denied");
    true
}

#[tokio::test]
async fn the_end_of_a_stream_that_was_stopped_is_none() {
    for size in [0, 3_000_000] {
        let server = Fake::default().file("/bk", "old").start();
        let cancel = Cancel::default();
        let source = Dying(io::Cursor::new(vec![7; size]), cancel.clone());
        let mut remote = dial(&server).await;
        let error = send_from(&mut *remote, source, "/bk", &terms(&cancel)).await;
        assert!(matches!(error, Err(Error::Interrupted)), "{error:?}");
        assert_eq!(server.content("/bk").unwrap(), b"old");
        assert_eq!(server.names(), ["/bk"]);
    }
}

#[tokio::test]
async fn a_stop_before_the_end_is_a_reset_for_the_server() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("STOR") && {
                session.say("150 go");
                let read = session.data().read_to_end(&mut Vec::new());
                seen.lock().unwrap().push(read.is_ok());
                session.say("426 broken");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    for _ in 0..20 {
        let cancel = Cancel::default();
        let mut data = remote.open_write("/a", Start::New).await.unwrap();
        data.obey(&cancel);
        data.send(b"half").await.unwrap();
        cancel.stop();
        data.finish().await.unwrap_err();
        // Answered, so that what the server saw is known.
        remote.settle().await.unwrap();
    }
    assert_eq!(*ends.lock().unwrap(), [false; 20]);
}

#[tokio::test]
async fn a_stop_during_the_last_reply_publishes_nothing() {
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let server = Fake::default()
        .file("/bk", "old")
        .hook(move |session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return false;
            };
            session.say("150 go");
            let mut bytes = Vec::new();
            session.data().read_to_end(&mut bytes).unwrap();
            session.files.lock().unwrap().insert(path.to_owned(), bytes);
            stop.stop();
            session.say("226 stored");
            true
        })
        .start();
    let mut remote = dial(&server).await;
    let source = io::Cursor::new(b"new".to_vec());
    let error = send_from(&mut *remote, source, "/bk", &terms(&cancel)).await;
    assert!(matches!(error, Err(Error::Interrupted)), "{error:?}");
    assert_eq!(server.content("/bk").unwrap(), b"old");
    assert_eq!(server.names(), ["/bk"]);
}

#[tokio::test]
async fn a_silent_stream_can_be_stopped() {
    let cancel = Cancel::default();
    let stop = cancel.clone();
    let server = Fake::default()
        .file("/bk", "old")
        .hook(move |_, line| {
            if line.starts_with("STOR") {
                stop.stop();
            }
            false
        })
        .start();
    let (out, mut into) = io::pipe().unwrap();
    into.write_all(b"begun").unwrap();
    let mut remote = dial(&server).await;
    let terms = terms(&cancel);
    let sending = send_from(&mut *remote, Input::new(out), "/bk", &terms);
    let ended = tokio::time::timeout(Duration::from_secs(30), sending).await;
    drop(into);
    let error = ended.unwrap();
    assert!(matches!(error, Err(Error::Interrupted)), "{error:?}");
    assert_eq!(server.content("/bk").unwrap(), b"old");
    assert_eq!(server.names(), ["/bk"]);
}

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
