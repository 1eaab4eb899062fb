//! Data connections: where they go, stalled ones and dropped ones.

use std::net::TcpListener;

use ftpc::{
    error::RemoteError,
    remote::{Dial, Start},
};

use crate::{
    dial,
    fake::{Fake, port::Kept},
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
