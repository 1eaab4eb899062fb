//! A session that ends with the rename: whose file has the name then, the stream's or the old one.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    cancel::Cancel,
    error::Error,
    transfer::stream::{Sent, Terms, send_from},
};

use super::dial;
use crate::fake::{Fake, Running};

/// A server with an old file of the stream's size that goes down at the rename. The part is lost to it, or it has
/// its name, and then the time of now.
fn crashing(is_renamed: bool) -> Running {
    let was_down = AtomicBool::new(false);
    let server = Fake::default().file("/disk.img", "old");
    let server = server.hook(move |session, line| {
        let is_new = is_renamed && was_down.load(Ordering::SeqCst);
        if line == "MDTM /disk.img" && is_new {
            session.say("213 20261129120000");
            return true;
        }
        line == "RNTO /disk.img" && {
            was_down.store(true, Ordering::SeqCst);
            let mut files = session.files.lock().unwrap();
            let part = files.remove(&session.from.take().unwrap()).unwrap();
            if is_renamed {
                files.insert("/disk.img".to_owned(), part);
            }
            drop(files);
            session.hang_up();
            true
        }
    });
    server.start()
}

async fn send(server: &Running) -> Result<Sent, Error> {
    let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
    let terms = terms.dialling(Arc::new(server.dialer()));
    let mut remote = dial(server).await;
    send_from(&mut *remote, io::Cursor::new(b"new"), "/disk.img", &terms).await
}

#[tokio::test]
async fn an_old_file_of_the_same_size_is_not_taken_for_the_stream() {
    let server = crashing(false);
    let sent = send(&server).await;
    assert!(matches!(sent, Err(Error::Unpublished { .. })), "{sent:?}");
    assert_eq!(server.content("/disk.img").unwrap(), b"old");
}

#[tokio::test]
async fn a_stream_in_the_place_of_an_old_file_of_its_size_is_known_by_its_time() {
    let server = crashing(true);
    assert_eq!(send(&server).await.unwrap().name, "/disk.img");
    assert_eq!(server.content("/disk.img").unwrap(), b"new");
}
