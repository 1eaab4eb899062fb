//! The status socket: a local socket that only the owner may open, one question a connection.
//!
//! [`serve`] is the daemon's side, [`ask`] the one of `ftpd who` and its sisters.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream as StdStream},
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use socket2::{Domain, SockAddr, Type};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};
use tracing::{debug, warn};

use super::wire::{Answer, Request};
use crate::shutdown::Life;

const LONGEST_QUESTION_BYTES: u64 = 64 << 10;
/// A hundred thousand sessions take a third of it.
const LONGEST_ANSWER_BYTES: u64 = 128 << 20;
const QUESTION_TIME: Duration = Duration::from_secs(5);
const ANSWER_TIME: Duration = Duration::from_secs(30);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Answers questions; the daemon's side of the socket.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Does what is asked.
    async fn answer(&self, request: Request) -> Answer;
}

/// A bound status socket; dropping it removes the file.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Binds the socket with mode 0600; a file left by a dead daemon is removed.
///
/// # Errors
/// When another daemon answers there, or the system refuses.
pub fn bind(path: &Path) -> io::Result<Socket> {
    if is_served(path)? {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another ftpd serves this configuration",
        ));
    }
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600))?;
    Ok(Socket {
        listener,
        path: path.to_owned(),
    })
}

/// Tells whether somebody listens there, without waiting for one who is slow to answer.
fn is_served(path: &Path) -> io::Result<bool> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(true),
        Err(error) => Ok(error.kind() == io::ErrorKind::WouldBlock),
    }
}

/// Serves as soon as no other daemon answers there, such as the one before in its grace period.
pub async fn serve_when_free(path: PathBuf, desk: std::sync::Arc<dyn Desk>, life: Life) {
    let kill = life.kill();
    loop {
        tokio::select! {
            () = kill.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
        match bind(&path) {
            Ok(socket) => return serve(socket, desk, life).await,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return warn!(path = %path.display(), %error, "no status socket"),
        }
    }
}

/// Answers until the end of the grace period, so that `ftpd who` also shows who is being waited
/// for.
pub async fn serve(socket: Socket, desk: std::sync::Arc<dyn Desk>, life: Life) {
    let kill = life.kill();
    loop {
        let accepted = tokio::select! {
            () = kill.cancelled() => return,
            accepted = socket.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let desk = std::sync::Arc::clone(&desk);
                life.spawn_service(async move {
                    if let Err(error) = answer_one(stream, &*desk).await {
                        debug!(%error, "status question not answered");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept on the status socket");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn answer_one(stream: UnixStream, desk: &dyn Desk) -> io::Result<()> {
    let asker = stream.peer_cred()?.uid();
    let us = rustix::process::geteuid().as_raw();
    if asker != us && asker != 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut question = tokio::io::BufReader::new(read.take(LONGEST_QUESTION_BYTES));
    tokio::time::timeout(QUESTION_TIME, question.read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => desk.answer(request).await,
        Err(e) => Answer::Refused {
            text: format!("not a question: {e}"),
        },
    };
    let mut text = serde_json::to_vec(&answer)?;
    text.push(b'\n');
    tokio::time::timeout(QUESTION_TIME, write.write_all(&text)).await??;
    write.shutdown().await
}

/// Asks the daemon at the first of `places` where one answers. Blocks.
///
/// # Errors
/// `NotFound` when nobody answers anywhere; else what went wrong.
pub fn ask(places: &[PathBuf], request: &Request) -> io::Result<Answer> {
    let mut refused = None;
    for place in places {
        match StdStream::connect(place) {
            Ok(stream) => return ask_on(stream, request),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => refused = Some(e),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

fn ask_on(mut stream: StdStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    stream.set_write_timeout(Some(QUESTION_TIME))?;
    let mut question = serde_json::to_vec(request)?;
    question.push(b'\n');
    stream.write_all(&question)?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST_ANSWER_BYTES)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Parrot;

    #[async_trait]
    impl Desk for Parrot {
        async fn answer(&self, request: Request) -> Answer {
            Answer::Done {
                text: format!("{request:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_question_gets_its_answer_and_the_file_goes_with_the_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sock");
        let life = Life::default();
        let socket = bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        life.spawn_service(serve(socket, Arc::new(Parrot), life.clone()));
        let places = vec![dir.path().join("nobody.sock"), path.clone()];
        let answer = tokio::task::spawn_blocking(move || ask(&places, &Request::Reload))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            answer,
            Answer::Done {
                text: "Reload".to_owned()
            }
        );
        life.end(Duration::ZERO).await;
        assert!(!path.exists());
    }

    #[test]
    fn nobody_there_is_not_found() {
        let error = ask(&["/nonexistent/x.sock".into()], &Request::Who).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
