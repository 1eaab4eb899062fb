//! Downloads from a server that does not tell how large a file is.

use std::io::Write;

use ftpc::error::Error;

use crate::{cut_after, fake::Fake, fetching, noise, only_error, run};

/// Without the size only the server's word tells an end from a line that broke.
#[tokio::test]
async fn a_file_of_unknown_size_whose_226_is_lost_is_none() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .feat(&["UTF8"])
        .file("/a", noise(1000))
        .hook(|session, line| match line.split(' ').next() {
            Some("SIZE" | "MDTM") => {
                session.say("502 no");
                true
            }
            Some("RETR") => {
                cut_after(session, "/a", 0, 400);
                true
            }
            _ => false,
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(only_error(&summary).is_transient());
    assert!(!temp.path().join("a").exists());
}

#[tokio::test]
async fn the_size_that_a_150_tells_counts_where_no_other_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .feat(&["UTF8"])
        .hook(|session, line| match line.split(' ').next() {
            Some("SIZE" | "MDTM") => {
                session.say("502 no");
                true
            }
            Some("RETR") => {
                session.say("150 Opening BINARY mode data connection for a (1000 bytes).");
                let _ = session.data().write_all(&[1; 400]);
                session.say("226 all of it");
                true
            }
            _ => false,
        })
        .start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    let error = only_error(&summary);
    let is_told = matches!(
        error,
        Error::Truncated {
            want: 1000,
            got: 400,
            ..
        }
    );
    assert!(is_told, "{}", error.chain());
    assert!(!temp.path().join("a").exists());
}
