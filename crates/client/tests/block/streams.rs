//! A stream goes as blocks, which tell its end.

use std::{
    io::{self, Cursor, Read},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    cancel::Cancel,
    transfer::stream::{Terms, send_from},
};

use super::{dial, open, read, server};

#[tokio::test]
async fn the_end_of_a_stream_is_told() {
    let server = server(|_, _, _| false);
    let mut remote = dial(&server).await;
    let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
    let content = vec![7; 200_000];
    let sent = send_from(&mut *remote, Cursor::new(content.clone()), "/s", &terms).await;
    assert_eq!(sent.unwrap().bytes, 200_000);
    assert!(server.count("MODE") == 1 && server.content("/s") == Some(content));
    // A file alone has its own connection again.
    drop(remote.open_read("/a", 0).await.unwrap());
    assert_eq!(server.count("MODE"), 2);
}

/// Bytes, and the end once the server has them.
struct Slow(Option<Vec<u8>>, Receiver<()>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(bytes) = self.0.take() else {
            let waited = self.1.recv_timeout(Duration::from_secs(10));
            return waited.map(|()| 0).map_err(io::Error::other);
        };
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

#[tokio::test]
async fn a_slow_stream_goes_as_it_comes() {
    let (came, comes) = channel();
    let server = server(move |session, link, line| {
        line == "STOR /s" && {
            let mut data = open(session, link);
            let mut block = [0; 6];
            data.read_exact(&mut block).unwrap();
            assert_eq!(block, [0, 0, 3, 1, 2, 3]);
            came.send(()).unwrap();
            assert_eq!(read(&mut data), b"");
            session.say("250 stored");
            true
        }
    });
    let mut remote = dial(&server).await;
    let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Never);
    let source = Slow(Some(vec![1, 2, 3]), comes);
    let sent = send_from(&mut *remote, source, "/s", &terms).await;
    assert_eq!(sent.unwrap().bytes, 3);
}
