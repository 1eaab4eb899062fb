//! Files that break in block mode: none of them is taken for whole, and the reason is told.

use std::{
    io::{BufRead, Read, Write},
    sync::{Arc, Mutex},
};

use ftpc::{
    cancel::Cancel,
    error::RemoteError,
    remote::{Next, Start},
};

use super::{get, open, put, server, with_link};

#[tokio::test]
async fn a_file_whose_end_never_came_is_none() {
    // What the server sends for /b over the link, and closes it or not.
    let cases: [(&[u8], bool); 4] = [
        (&[0, 0, 3, b'a', b'b', b'c'], true),
        (&[0, 0, 9, b'a'], true),
        (&[64, 0, 1, b'a', b'?'], false),
        (&[32, 0, 1, b'a', 64, 0, 0], false),
    ];
    for (wire, closes) in cases {
        let server = server(move |session, link, line| {
            line == "RETR /b" && {
                let mut data = open(session, link);
                data.write_all(wire).unwrap();
                *link.lock().unwrap() = Some(data).filter(|_| !closes);
                session.say("250 sent");
                true
            }
        });
        let mut remote = with_link(&server).await;
        let error = get(&mut *remote, "/b").await.unwrap_err();
        assert!(matches!(error, RemoteError::Io { .. }), "{wire:?}: {error}");
        assert!(error.is_transient());
        remote.settle().await.unwrap();
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
        assert_eq!(server.count("EPSV"), 3, "the link was not used again");
    }
}

#[tokio::test]
async fn the_reason_of_a_broken_download_is_told_and_the_session_goes_on() {
    let server = server(|session, link, line| {
        line == "RETR /b" && {
            let mut data = open(session, link);
            data.write_all(&[0, 0, 9, b'a']).unwrap();
            drop(data);
            session.say("451 The file became shorter");
            true
        }
    });
    let mut remote = with_link(&server).await;
    remote.foresee(Next::Small);
    let mut data = remote.open_read("/b", 0).await.unwrap();
    let mut block = [0; 100];
    assert_eq!(data.receive(&mut block).await.unwrap(), 1);
    data.receive(&mut block).await.unwrap_err();
    let error = data.finish().await.unwrap_err();
    assert_eq!(error.reply().unwrap().code, 451, "{error}");
    assert!(remote.is_usable());
    assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_server_that_answers_noop_out_of_turn_stays_in_step() {
    let server = server(|session, link, line| {
        line == "RETR /b" && {
            let mut data = open(session, link);
            // The client gives the transfer up at once: it may be gone already.
            let _ = data.write_all(&[0, 0, 9, b'a']);
            let mut next = String::new();
            session.control.read_line(&mut next).unwrap();
            if next.starts_with("NOOP") {
                session.say("200 at once");
            }
            session.say("426 gone");
            if !next.starts_with("NOOP") {
                session.say("200 in turn");
            }
            true
        }
    });
    let mut remote = with_link(&server).await;
    remote.foresee(Next::Small);
    drop(remote.open_read("/b", 0).await.unwrap());
    remote.settle().await.unwrap();
    for _ in 0..2 {
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    }
}

#[tokio::test]
async fn an_upload_that_is_given_up_has_no_end() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ends);
    let server = server(move |session, link, line| {
        line == "STOR /up" && {
            let mut data = open(session, link);
            let mut bytes = Vec::new();
            let ended = data.read_to_end(&mut bytes);
            seen.lock().unwrap().push((ended.is_ok(), bytes));
            session.say("426 broken");
            true
        }
    });
    let mut remote = with_link(&server).await;
    for _ in 0..5 {
        let cancel = Cancel::default();
        remote.foresee(Next::Small);
        let mut data = remote.open_write("/up", Start::New).await.unwrap();
        data.obey(&cancel);
        data.send(b"half").await.unwrap();
        cancel.stop();
        data.finish().await.unwrap_err();
        remote.settle().await.unwrap();
    }
    assert_eq!(*ends.lock().unwrap(), vec![(false, Vec::new()); 5]);
}

#[tokio::test]
async fn the_reason_of_a_broken_upload_is_told() {
    let server = server(|session, link, line| {
        line == "STOR /up" && {
            let data = open(session, link);
            drop(data);
            session.say("552 Quota exceeded");
            true
        }
    });
    let mut remote = with_link(&server).await;
    let error = put(&mut *remote, "/up", &[1; 200_000]).await.unwrap_err();
    assert_eq!(error.reply().unwrap().code, 552, "{error}");
    assert!(remote.is_usable());
    assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
}

#[tokio::test]
async fn a_link_whose_server_says_that_it_closed_it_is_not_used_again() {
    let server = server(|session, link, line| {
        line == "RETR /b" && {
            let mut data = open(session, link);
            data.write_all(&[64, 0, 1, b'b']).unwrap();
            // RFC 959 §5.4: 226 closes the data connection, which has not got about yet.
            *link.lock().unwrap() = Some(data);
            session.say("226 sent, and closed");
            true
        }
    });
    let mut remote = with_link(&server).await;
    let connections = server.count("EPSV");
    assert_eq!(get(&mut *remote, "/b").await.unwrap(), b"b");
    assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    assert_eq!(server.count("EPSV"), connections + 1);
}
