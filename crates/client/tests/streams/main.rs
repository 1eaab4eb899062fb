//! Uploads from a stream, which nobody can send again: stopped, broken, refused, or given their names.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod aside;
mod crash;
mod named;

use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex},
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
