//! Data connections: where they go, stalled ones and dropped ones.

use std::{io::Read as _, net::TcpListener};

use ftpc::{
    error::RemoteError,
    remote::{Dial, Start},
};

use crate::{
    dial,
    fake::{Fake, Session, port::Kept},
};

#[tokio::test]
async fn a_refused_epsv_is_followed_by_pasv_once_and_for_all() {
    let server = Fake::default()
        .file("/a", "abc")
        .answers("EPSV", "500 what?")
        .start();
    let mut remote = dial(&server).await;
    for _ in 0..2 {
        let data = remote.open_read("/a", 0).await.unwrap();
        drop(data);
        remote.settle().await.unwrap();
    }
    assert_eq!((server.count("EPSV"), server.count("PASV")), (1, 2));
    assert_eq!(remote.facts().passive, "PASV");
}

/// Answers PASV in these words, with its numbers between these marks, and not EPSV.
fn odd_227(session: &mut Session, line: &str, (before, mark, after): (&str, &str, &str)) -> bool {
    match line {
        "EPSV" => session.say("502 no"),
        "PASV" => {
            let port = session.listen();
            let numbers = [0, 0, 1, port >> 8, port & 255].map(|number| number.to_string());
            let numbers = numbers.join(mark);
            session.say(&format!("227 {before}{mark}{numbers}{after}"));
        }
        _ => return false,
    }
    true
}

#[tokio::test]
async fn a_227_is_read_however_it_is_written() {
    let bytes = vec![8; 3 << 20];
    for words in [
        ("Entering Passive Mode 127", ",", ""),
        ("ok (127", ", ", ") for 1, 2"),
        ("Mode,127", ",", "."),
    ] {
        let server = Fake::default()
            .file("/a", "abc")
            .hook(move |session, line| odd_227(session, line, words))
            .start();
        let mut remote = dial(&server).await;
        for (from, want) in [(0, "abc"), (1, "bc")] {
            let mut data = remote.open_read("/a", from).await.unwrap();
            let mut got = [0; 8];
            let count = data.receive(&mut got).await.unwrap();
            assert_eq!(&got[..count], want.as_bytes());
            assert_eq!(data.receive(&mut got).await.unwrap(), 0);
            data.finish().await.unwrap();
        }
        let mut data = remote.open_write("/b", Start::New).await.unwrap();
        data.send(&bytes).await.unwrap();
        data.finish().await.unwrap();
        assert!(server.content("/b").unwrap() == bytes);
        // One that the library could not read, and one a transfer.
        assert_eq!((server.count("EPSV"), server.count("PASV")), (1, 4));
    }
}

#[tokio::test]
async fn an_upload_behind_an_odd_227_ends_in_good_order_only_when_it_is_whole() {
    let server = Fake::default()
        .hook(|session, line| {
            let Some(path) = line.strip_prefix("STOR ") else {
                return odd_227(session, line, ("127", ",", ""));
            };
            session.say("150 send it");
            let mut bytes = Vec::new();
            match session.data().read_to_end(&mut bytes) {
                Ok(_) => {
                    session.files.lock().unwrap().insert(path.to_owned(), bytes);
                    session.say("226 stored");
                }
                Err(_) => session.say("426 broken"),
            }
            true
        })
        .start();
    let mut remote = dial(&server).await;
    for cuts in [true, false] {
        let mut data = remote.open_write("/b", Start::New).await.unwrap();
        data.send(b"half of it").await.unwrap();
        if cuts {
            data.cut().await.unwrap_err();
        } else {
            drop(data);
        }
        remote.settle().await.unwrap();
        assert_eq!(server.content("/b"), None, "{cuts}");
    }
    assert_eq!(server.count("STOR"), 2);
}

#[tokio::test]
async fn the_address_in_a_227_is_not_dialled() {
    // Refused where the client should go, open where it is sent.
    let kept = Kept::new();
    let port = kept.address.port();
    let elsewhere = TcpListener::bind(("127.0.0.9", port)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let server = Fake::default()
        .file("/a", "abc")
        .hook(move |session, line| match line {
            "EPSV" => {
                session.say("502 no");
                true
            }
            "PASV" => {
                session.say(&format!("227 ok (127,0,0,9,{},{})", port >> 8, port & 255));
                true
            }
            _ => false,
        })
        .start();
    let mut remote = server.dialer().dial().await.unwrap();
    let Err(error) = remote.open_read("/a", 0).await else {
        panic!("opened")
    };
    assert!(matches!(error, RemoteError::Connect { .. }), "{error}");
    assert!(
        elsewhere.accept().is_err(),
        "somebody dialled the foreign address"
    );
}

#[tokio::test]
async fn a_dropped_transfer_leaves_the_session_in_step() {
    let server = Fake::default().file("/a", vec![7; 8 << 20]).start();
    let mut remote = dial(&server).await;
    for round in 0..3 {
        let data = remote.open_read("/a", 0).await.unwrap();
        drop(data);
        remote.settle().await.unwrap();
        assert_eq!(remote.size("/a").await.unwrap(), Some(8 << 20), "{round}");
        let data = remote.open_write("/b", Start::New).await.unwrap();
        drop(data);
        remote.settle().await.unwrap();
        assert_eq!(remote.size("/a").await.unwrap(), Some(8 << 20), "{round}");
    }
}

#[tokio::test]
async fn a_stalled_transfer_is_given_up() {
    let server = Fake::default()
        .file("/a", "abc")
        .hook(|session, line| {
            line.starts_with("RETR") && {
                session.say("150 wait");
                let _data = session.data();
                session.wait();
                true
            }
        })
        .start();
    let mut remote = server
        .impatient(|limits| &mut limits.stalled)
        .dial()
        .await
        .unwrap();
    let mut data = remote.open_read("/a", 0).await.unwrap();
    let read = tokio::task::spawn_blocking(move || data.read(&mut [0; 10]));
    let error = read.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "nothing moved for 1s");
}
