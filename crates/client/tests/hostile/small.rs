//! Servers that follow the documents half-way: those of microcontrollers, cameras and consoles, and ones that say too much.

use std::sync::{Arc, Mutex};

use ftp_config::{Secret, SiteTls};
use ftpc::{
    error::RemoteError,
    remote::{Dial, Listing},
};

use crate::{dial, fake::Fake, refusal};

fn names(listing: &Listing) -> Vec<&str> {
    let names = listing.entries.iter().map(|entry| entry.name.as_str());
    names.collect()
}

/// It announces MLSD and no MLST, and lists the directory that it is in, whatever is named.
#[tokio::test]
async fn a_directory_is_listed_from_inside_where_mlsd_alone_is_announced() {
    let here = Arc::new(Mutex::new("/".to_owned()));
    let server = Fake::default()
        .feat(&["MLSD", "SIZE"])
        .hook(move |session, line| {
            let mut here = here.lock().unwrap();
            match line.split_once(' ').unwrap_or((line, "")) {
                ("PWD", _) => session.say(&format!("257 \"{here}\"")),
                ("CWD", dir) => {
                    *here = dir.to_owned();
                    session.say("250 there");
                }
                ("MLST", _) => session.say("500 Unknow command"),
                ("MLSD", _) if *here == "/" => {
                    session.sends("type=dir; log\r\ntype=file;size=1; a\r\n");
                }
                ("MLSD", _) => {
                    session.sends("type=file;size=2; b\r\n");
                }
                _ => return false,
            }
            true
        })
        .start();
    let mut remote = dial(&server).await;
    assert_eq!(names(&remote.list("/log").await.unwrap()), ["b"]);
    remote.stat("/nothing").await.unwrap();
    assert_eq!(names(&remote.list("").await.unwrap()), ["a", "log"]);
    assert_eq!(server.count("LIST"), 0);
}

#[tokio::test]
async fn an_empty_password_is_one() {
    let server = Fake::default().start();
    let mut dialer = server.dialer();
    dialer.password = Secret::new("");
    assert!(dialer.dial().await.is_ok());
    assert!(server.lines().contains(&"PASS ".to_owned()));
    let mut dialer = server.dialer();
    dialer.password = Secret::new("a\r\nDELE x");
    let error = refusal(dialer).await;
    assert!(matches!(error, RemoteError::BadName { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_goes_down_before_tls_is_no_downgrade() {
    let server = Fake::default()
        .answers("AUTH TLS", "421 shutting down")
        .start();
    for tls in [SiteTls::Auto, SiteTls::Required] {
        let mut dialer = server.dialer();
        dialer.tls = tls;
        dialer.trust.note_tls(&dialer.endpoint());
        let error = refusal(dialer).await;
        assert!(matches!(error, RemoteError::Refused { .. }), "{error}");
        assert!(error.is_transient(), "{error}");
    }
    assert_eq!(server.count("USER"), 0);
}

#[tokio::test]
async fn facts_are_found_behind_a_path_that_looks_like_some() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLST ") && {
                session.raw(
                    b"250-Facts of /size=2;/a\r\n type=file;size=1; /size=2;/a\r\n250 End\r\n",
                );
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let entry = remote.stat("/size=2;/a").await.unwrap().unwrap();
    assert_eq!(entry.size, Some(1));
    assert_eq!(server.count("SIZE"), 0);
}

#[tokio::test]
async fn a_reply_too_many_ends_the_session_where_a_port_is_asked_for() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                session.sends("type=file;size=1; a\r\n");
                session.say("226 done again");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    assert_eq!(names(&remote.list("").await.unwrap()), ["a"]);
    remote.list("").await.unwrap_err();
    assert!(!remote.is_usable());
}
