//! Listings that break off, lie or never end, and what is asked where they do not tell.

use std::io::Write;

use ftpc::{
    error::{Phase, RemoteError},
    remote::Kind,
};

use crate::{
    dial, dial_impatiently,
    fake::{Fake, Session},
    is_late,
};

#[tokio::test]
async fn a_listing_without_its_226_is_an_error() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                session.say("150 listing");
                drop(session.data());
                session.wait();
                true
            }
        })
        .start();
    let mut remote = dial_impatiently(&server).await;
    let error = remote.list("/").await.unwrap_err();
    assert!(is_late(&error, Phase::Finish), "{error}");
}

#[tokio::test]
async fn an_empty_directory_may_be_answered_without_a_data_connection() {
    let server = Fake::default().answers("MLSD", "226 nothing").start();
    let mut remote = dial(&server).await;
    assert_eq!(remote.list("/").await.unwrap().entries, []);
    assert!(remote.pwd().await.is_ok());
}

#[tokio::test]
async fn a_listing_that_is_said_to_be_over_and_comes_all_the_same_is_not_empty() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                let mut data = session.data();
                data.write_all(b"type=file;size=1; a\r\n").unwrap();
                session.say("226 done");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.list("/").await.unwrap_err().to_string();
    assert!(error.contains("out of step"), "{error}");
}

#[tokio::test]
async fn of_two_names_that_read_alike_neither_is_guessed() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD")
                && session.sends("type=file;size=1; a\r\ntype=file;size=2; a\r\ntype=file; b\r\n")
        })
        .start();
    let mut remote = dial(&server).await;
    let listing = remote.list("/").await.unwrap();
    assert_eq!(listing.entries.len(), 2);
    let dropped: Vec<_> = listing.dropped.iter().map(ToString::to_string).collect();
    assert_eq!(dropped, ["`a`: two names of the server read like this"]);
}

#[tokio::test]
async fn an_endless_line_of_a_listing_is_cut_off() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                session.say("150 listing");
                let mut data = session.data();
                let block = vec![b'x'; 1 << 20];
                for _ in 0..300 {
                    if data.write_all(&block).is_err() {
                        break;
                    }
                }
                session.say("226 done");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.list("/").await.unwrap_err();
    assert!(matches!(error, RemoteError::TooLarge { .. }), "{error}");
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let kib: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 200_000, "{kib} KiB");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_dropped_from_listings() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD")
                && session.sends(
                    "type=file;size=1; ../../etc/passwd\r\ntype=dir; /abs\r\n\
                     type=file;size=2; ok\r\n",
                )
        })
        .start();
    let mut remote = dial(&server).await;
    let listing = remote.list("/").await.unwrap();
    assert_eq!(listing.entries.len(), 1);
    assert_eq!(listing.entries[0].kind, Kind::File);
    assert_eq!(listing.dropped.len(), 2, "{:?}", listing.dropped);
}

#[tokio::test]
async fn a_plain_list_is_read_from_inside_and_in_utc() {
    let server = Fake::default()
        .feat(&["SIZE", "MDTM"])
        .file("/d -x/a", "12345")
        .hook(|session, line| {
            // Five and a half hours ahead of the MDTM.
            line.starts_with("LIST")
                && session.sends("total 1\r\n-rw-r--r-- 1 u g 5 2024-01-02 08:34 a\r\n")
        })
        .start();
    let mut remote = dial(&server).await;
    let listing = remote.list("/d -x").await.unwrap();
    assert_eq!(listing.entries.len(), 1);
    let time = listing.entries[0].modified.unwrap();
    let since = time
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(since.as_secs(), 1_704_164_640);
    let lines = server.lines();
    assert!(lines.contains(&"CWD /d -x".to_owned()) && lines.contains(&"CWD /".to_owned()));
    assert!(lines.contains(&"LIST -a".to_owned()), "{lines:?}");
}

/// Takes LIST of a directory that holds one file.
fn lists_one_file(session: &mut Session, line: &str) -> bool {
    line.starts_with("LIST") && session.sends("-rw-r--r-- 1 u g 5 2024-01-02 08:34 a\r\n")
}

#[tokio::test]
async fn where_size_does_not_tell_the_listing_does() {
    // No SIZE at all, and one that answers so for every file that is not there.
    for (feat, answer) in [
        (&[][..], "502 what?"),
        (&["SIZE"][..], "450 Failed to get size of file"),
    ] {
        let server = Fake::default()
            .feat(feat)
            .file("/d/a", "12345")
            .hook(move |session, line| {
                let refusal = match line {
                    _ if line.starts_with("SIZE") => answer,
                    "CWD /d/a" | "CWD /d/b" => "550 no directory",
                    _ => return lists_one_file(session, line),
                };
                session.say(refusal);
                true
            })
            .start();
        let mut remote = dial(&server).await;
        let entry = remote.stat("/d/a").await.unwrap().unwrap();
        assert_eq!((entry.kind, entry.size), (Kind::File, Some(5)), "{answer}");
        assert_eq!(remote.stat("/d/b").await.unwrap(), None);
        assert_eq!(remote.stat("/d").await.unwrap().unwrap().kind, Kind::Dir);
        assert_eq!(remote.size("/d/b").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_size_does_not_make_a_directory_a_file() {
    let server = Fake::default()
        .feat(&["SIZE"])
        .file("/d/a", "12345")
        .hook(|session, line| {
            let answer = match line {
                "SIZE /" | "SIZE /d" => "213 4096",
                "CWD /d/a" => "550 no directory",
                _ => return false,
            };
            session.say(answer);
            true
        })
        .start();
    let mut remote = dial(&server).await;
    assert_eq!(remote.stat("/d").await.unwrap().unwrap().kind, Kind::Dir);
    let entry = remote.stat("/d/a").await.unwrap().unwrap();
    assert_eq!((entry.kind, entry.size), (Kind::File, Some(5)));
    assert_eq!(server.lines().iter().filter(|l| *l == "SIZE /").count(), 1);
}

#[tokio::test]
async fn a_refused_listing_is_told_with_its_directory() {
    let server = Fake::default()
        .feat(&[])
        .answers("LIST", "550 not allowed")
        .start();
    let mut remote = dial(&server).await;
    for (dir, shown) in [("/d", "/d"), ("", ".")] {
        let error = remote.list(dir).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("LIST `{shown}`: 550 not allowed")
        );
    }
}

#[tokio::test]
async fn a_session_that_cannot_go_back_is_given_up() {
    let server = Fake::default()
        .feat(&["SIZE"])
        .hook(|session, line| {
            if line == "CWD /" {
                session.say("550 not there");
                return true;
            }
            lists_one_file(session, line)
        })
        .start();
    let mut remote = dial(&server).await;
    assert!(remote.list("/d").await.is_err() && !remote.is_usable());
    let mut remote = dial(&server).await;
    assert!(remote.stat("/d").await.is_err() && !remote.is_usable());
}
