//! Block mode against a server that keeps its word, and against servers that do not.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod broken;
#[path = "../fake/mod.rs"]
mod fake;
mod streams;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use fake::{Fake, Running, Session};
use ftpc::{
    error::RemoteError,
    remote::{Dial, Next, Remote, Start},
};

type Link = Arc<Mutex<Option<TcpStream>>>;

const FEATURES: [&str; 4] = ["MLST type*;size*;", "MODE B", "SIZE", "X-ATOMIC-STOR"];

/// A server that has block mode; `odd` sees the lines first, with the link.
fn server(odd: impl Fn(&mut Session, &Link, &str) -> bool + Send + Sync + 'static) -> Running {
    let link = Link::default();
    let is_on = Mutex::new(false);
    Fake::default()
        .feat(&FEATURES)
        .file("/a", "abc")
        .file("/b", vec![7; 100_000])
        .hook(move |session, line| {
            if odd(session, &link, line) {
                return true;
            }
            let mut is_on = is_on.lock().unwrap();
            if let Some(mode) = line.strip_prefix("MODE ") {
                *is_on = mode == "B";
                *link.lock().unwrap() = None;
                session.say("200 ok");
                return true;
            }
            *is_on && serve(session, &link, line)
        })
        .start()
}

fn serve(session: &mut Session, link: &Link, line: &str) -> bool {
    let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
    if verb == "EPSV" {
        *link.lock().unwrap() = None;
    }
    let content = session.content(path);
    match (verb, content) {
        ("RETR", Some(content)) => {
            let mut data = open(session, link);
            for part in content.chunks(40_000) {
                let count = u16::try_from(part.len()).unwrap().to_be_bytes();
                data.write_all(&[&[0], &count[..], part].concat()).unwrap();
            }
            data.write_all(&[64, 0, 0]).unwrap();
            *link.lock().unwrap() = Some(data);
            session.say("250 sent");
        }
        ("STOR", _) => {
            let mut data = open(session, link);
            let bytes = read(&mut data);
            session.files.lock().unwrap().insert(path.to_owned(), bytes);
            *link.lock().unwrap() = Some(data);
            session.say("250 stored");
        }
        _ => return false,
    }
    true
}

fn open(session: &mut Session, link: &Link) -> TcpStream {
    let held = link.lock().unwrap().take();
    session.say(if held.is_some() { "125 go" } else { "150 go" });
    held.unwrap_or_else(|| session.data())
}

fn read(data: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let mut head = [0; 3];
        data.read_exact(&mut head).unwrap();
        let mut part = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
        data.read_exact(&mut part).unwrap();
        bytes.extend(part);
        if head[0] == 64 {
            return bytes;
        }
    }
}

async fn dial(server: &Running) -> Box<dyn Remote> {
    server.dialer().dial().await.unwrap()
}

async fn get(remote: &mut dyn Remote, path: &str) -> Result<Vec<u8>, RemoteError> {
    remote.foresee(Next::Small);
    let mut data = remote.open_read(path, 0).await?;
    let (mut bytes, mut block) = (Vec::new(), vec![0; 30_000]);
    loop {
        match data.receive(&mut block).await {
            Ok(0) => break,
            Ok(count) => bytes.extend(&block[..count]),
            Err(source) => {
                let verb = "RETR".to_owned();
                return Err(RemoteError::Io { verb, source });
            }
        }
    }
    data.finish().await.map(|()| bytes)
}

async fn put(remote: &mut dyn Remote, path: &str, bytes: &[u8]) -> Result<(), RemoteError> {
    remote.foresee(Next::Small);
    let mut data = remote.open_write(path, Start::New).await?;
    data.send(bytes).await.unwrap();
    data.finish().await
}

/// A session with one link open and used once; three files over two connections.
async fn with_link(server: &Running) -> Box<dyn Remote> {
    let mut remote = dial(server).await;
    for _ in 0..3 {
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    }
    assert_eq!((server.count("MODE"), server.count("EPSV")), (1, 2));
    remote
}

#[tokio::test]
async fn small_files_in_a_row_share_a_connection_and_a_large_one_has_its_own() {
    let server = server(|_, _, _| false);
    let mut remote = with_link(&server).await;
    for size in [0, 1, 61_440, 61_441, 200_000] {
        let bytes = vec![5; size];
        put(&mut *remote, "/up", &bytes).await.unwrap();
        assert!(server.content("/up").unwrap() == bytes, "{size}");
        assert!(get(&mut *remote, "/up").await.unwrap() == bytes, "{size}");
    }
    assert_eq!((server.count("MODE"), server.count("EPSV")), (1, 2));
    let mut data = remote.open_read("/b", 0).await.unwrap();
    assert_eq!(data.receive(&mut [0; 10]).await.unwrap(), 10);
    drop(data);
    remote.settle().await.unwrap();
    assert_eq!(server.lines().iter().filter(|l| *l == "MODE S").count(), 1);
    assert_eq!(server.count("EPSV"), 3);
}

#[tokio::test]
async fn a_refusal_keeps_the_link_and_a_closed_one_is_replaced() {
    let server = server(|session, link, line| match line {
        "RETR /b" if link.lock().unwrap().take().is_some() => {
            session.say("425 closed");
            true
        }
        _ => false,
    });
    let mut remote = with_link(&server).await;
    let error = get(&mut *remote, "/none").await.unwrap_err();
    assert_eq!(error.reply().unwrap().code, 550);
    assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    assert_eq!(server.count("EPSV"), 2);
    assert_eq!(get(&mut *remote, "/b").await.unwrap().len(), 100_000);
    assert_eq!(server.count("EPSV"), 3);
}

#[tokio::test]
async fn a_server_that_closes_behind_each_file_has_a_connection_for_each() {
    let server = server(|session, link, line| {
        line == "RETR /a" && session.content("/closes").is_some() && {
            let mut data = open(session, link);
            data.write_all(&[64, 0, 1, b'x']).unwrap();
            session.say("226 sent and closed");
            true
        }
    });
    let mut remote = with_link(&server).await;
    let closes = ("/closes".to_owned(), Vec::new());
    server.files.lock().unwrap().extend([closes]);
    for connections in [2, 3, 4] {
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"x");
        assert_eq!(server.count("EPSV"), connections);
    }
}

#[tokio::test]
async fn a_mode_or_a_port_that_is_refused_is_not_asked_for_again() {
    for (refused, asked) in [("MODE B", 1), ("EPSV", 2)] {
        let server = server(move |session, _, line| {
            let is_late = session.content("/late").is_some();
            (line == refused && (is_late || refused == "MODE B")) && {
                session.say("502 no");
                true
            }
        });
        let mut remote = dial(&server).await;
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
        let late = ("/late".to_owned(), Vec::new());
        server.files.lock().unwrap().extend([late]);
        for _ in 0..3 {
            assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
        }
        assert_eq!(server.count("MODE"), asked, "{:?}", server.lines());
    }
}

#[tokio::test]
async fn a_port_that_is_not_free_now_is_asked_for_again() {
    let server = server(|session, link, line| {
        line == "EPSV" && session.content("/busy").is_some() && {
            session.files.lock().unwrap().remove("/busy");
            *link.lock().unwrap() = None;
            session.say("425 Every passive port is taken; try again");
            true
        }
    });
    let mut remote = dial(&server).await;
    assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    let busy = ("/busy".to_owned(), Vec::new());
    server.files.lock().unwrap().extend([busy]);
    let error = get(&mut *remote, "/a").await.unwrap_err();
    assert_eq!(error.reply().unwrap().code, 425);
    assert!(error.is_transient() && remote.is_usable());
    for _ in 0..2 {
        assert_eq!(get(&mut *remote, "/a").await.unwrap(), b"abc");
    }
    assert_eq!((server.count("MODE"), server.count("EPSV")), (1, 3));
}
