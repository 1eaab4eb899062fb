//! A stream for which an old file went aside.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ftp_config::{ByteRate, client::Verify};
use ftpc::{
    cancel::Cancel,
    error::Error,
    transfer::stream::{Terms, send_from},
};

use super::dial;
use crate::fake::Fake;

#[tokio::test]
async fn a_stream_that_is_found_short_behind_an_old_file_tells_where_that_is() {
    let renames = AtomicUsize::new(0);
    let server = Fake::default()
        .file("/bk", "old one")
        .hook(move |session, line| {
            line == "RNTO /bk" && {
                match renames.fetch_add(1, Ordering::SeqCst) {
                    0 => session.say("553 exists"),
                    _ => {
                        let mut files = session.files.lock().unwrap();
                        files.get_mut(session.from.as_ref().unwrap()).unwrap().pop();
                        drop(files);
                        session.hang_up();
                    }
                }
                true
            }
        })
        .start();
    let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
    let terms = terms.dialling(Arc::new(server.dialer()));
    let mut remote = dial(&server).await;
    let source = io::Cursor::new(b"all".to_vec());
    let sent = send_from(&mut *remote, source, "/bk", &terms).await;
    let error = sent.unwrap_err();
    let Error::Aside { aside, source, .. } = &error else {
        panic!("{error}");
    };
    assert!(matches!(**source, Error::Truncated { .. }), "{source}");
    assert_eq!(server.names(), std::slice::from_ref(aside));
}
