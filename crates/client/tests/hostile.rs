//! Sessions with a server that lies, stalls or breaks: each ends in a clear error, in step, with
//! bounded memory.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    io::Write,
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use fake::{Fake, Running, port::Kept};
use ftp_config::SiteTls;
use ftpc::{
    error::{Phase, RemoteError},
    remote::{
        Dial, Kind, Remote, Start,
        connect::{Dialer, Wire},
    },
};

async fn dial(server: &Running) -> Box<dyn Remote> {
    server.dialer().dial().await.unwrap()
}

async fn refusal(dialer: Dialer) -> RemoteError {
    match dialer.dial().await {
        Ok(_) => panic!("the session was made"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_late_reply_never_answers_the_next_command() {
    let server = Fake::default()
        .hook(|session, line| {
            // Answered only when the client is about to ask the next thing.
            line == "SIZE a" && {
                session.wait();
                session.say("213 100");
                true
            }
        })
        .start();
    let mut remote = server
        .impatient(|limits| &mut limits.reply)
        .dial()
        .await
        .unwrap();
    let late = remote.size("a").await.unwrap_err();
    assert!(
        matches!(
            late,
            RemoteError::Timeout {
                phase: Phase::Reply,
                ..
            }
        ),
        "{late}"
    );
    let next = remote.size("b").await.unwrap_err();
    assert!(matches!(next, RemoteError::Poisoned), "{next}");
    assert!(!remote.is_usable());
}

#[tokio::test]
async fn a_dropped_command_breaks_the_session() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "SIZE a" && {
                session.wait();
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let cancelled = tokio::time::timeout(Duration::from_millis(50), remote.size("a")).await;
    assert!(cancelled.is_err());
    assert!(matches!(remote.size("b").await, Err(RemoteError::Poisoned)));
}

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
    let mut remote = server
        .impatient(|limits| &mut limits.reply)
        .dial()
        .await
        .unwrap();
    let error = remote.list("/").await.unwrap_err();
    assert!(
        matches!(
            error,
            RemoteError::Timeout {
                phase: Phase::Finish,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_empty_directory_may_be_answered_without_a_data_connection() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                session.say("226 nothing");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    assert_eq!(remote.list("/").await.unwrap().entries, []);
    assert!(remote.pwd().await.is_ok());
}

#[tokio::test]
async fn a_banner_line_of_digits_is_not_taken_for_the_end() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "PASS hunter2" && {
                session.raw(b"230-Welcome\r\n123 Main Street\r\n230 in\r\n");
                true
            }
        })
        .start();
    let error = refusal(server.dialer()).await;
    assert!(matches!(error, RemoteError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_long_211_is_read_whole() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "STAT" && {
                session.raw(b"211-Status\r\n logged in\r\n211-more\r\n211 End\r\n");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let reply = remote.raw("STAT").await.unwrap();
    assert_eq!(reply.lines, ["Status", " logged in", "more", "End"]);
    assert_eq!(remote.pwd().await.unwrap(), "/");
}

#[tokio::test]
async fn a_421_is_told_and_ends_the_session() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("SIZE") && {
                session.say("421 idle too long");
                session.hang_up();
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.size("a").await.unwrap_err();
    assert_eq!(error.to_string(), "SIZE `a`: 421 idle too long");
    assert!(error.is_transient() && !remote.is_usable());
}

#[tokio::test]
async fn codes_the_library_does_not_know_keep_their_number() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("RETR") && {
                session.say("522 SSL connection failed: session reuse required");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let Err(error) = remote.open_read("/a", 0).await else {
        panic!("opened")
    };
    assert_eq!(error.reply().unwrap().code, 522);
    assert!(!error.is_transient() && remote.is_usable());
}

#[tokio::test]
async fn a_refused_epsv_is_followed_by_pasv_once_and_for_all() {
    let server = Fake::default()
        .file("/a", "abc")
        .hook(|session, line| {
            line == "EPSV" && {
                session.say("500 what?");
                true
            }
        })
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
async fn silence_and_strangers_are_told_apart() {
    let silent = Fake::default().greeting(b"").start();
    let error = refusal(silent.impatient(|limits| &mut limits.greeting)).await;
    assert!(
        matches!(
            error,
            RemoteError::Timeout {
                phase: Phase::Greeting,
                ..
            }
        ),
        "{error}"
    );

    let ssh = Fake::default().greeting(b"SSH-2.0-OpenSSH_9\r\n").start();
    let error = refusal(ssh.dialer()).await;
    assert!(
        matches!(&error, RemoteError::NotFtp { said, .. } if said == "SSH-2.0-OpenSSH_9"),
        "{error}"
    );

    let bare = Fake::default().greeting(b"220\r\n").start();
    let error = refusal(bare.impatient(|limits| &mut limits.greeting)).await;
    assert!(
        matches!(
            error,
            RemoteError::Timeout {
                phase: Phase::Greeting,
                ..
            }
        ),
        "{error}"
    );

    let full = Fake::default()
        .greeting(b"421 too many connections\r\n")
        .start();
    let error = refusal(full.dialer()).await;
    assert!(error.is_too_many(), "{error}");
}

#[tokio::test]
async fn a_120_is_waited_out() {
    let server = Fake::default()
        .greeting(b"120-soon\r\n120 ready in 1 minute\r\n220 ready\r\n")
        .start();
    assert!(server.dialer().dial().await.is_ok());
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "STAT" && {
                let block = vec![b'x'; 1 << 20];
                session.raw(b"211-");
                session.raw(&block);
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let error = remote.raw("STAT").await.unwrap_err();
    assert!(matches!(error, RemoteError::TooLarge { .. }), "{error}");
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
async fn names_that_cannot_be_sent_do_not_reach_the_wire() {
    let server = Fake::default().start();
    let mut remote = dial(&server).await;
    let before = server.lines().len();
    for bad in ["a\r\nDELE b", "a\nb", "a\0b"] {
        assert!(
            matches!(
                remote.remove_file(bad).await,
                Err(RemoteError::BadName { .. })
            ),
            "{bad:?}"
        );
        assert!(
            matches!(remote.size(bad).await, Err(RemoteError::BadName { .. })),
            "{bad:?}"
        );
        assert!(remote.open_read(bad, 0).await.is_err(), "{bad:?}");
        assert!(remote.open_write(bad, Start::New).await.is_err(), "{bad:?}");
    }
    assert_eq!(server.lines().len(), before);
    assert!(remote.is_usable());
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_dropped_from_listings() {
    let server = Fake::default()
        .hook(|session, line| {
            line.starts_with("MLSD") && {
                session.say("150 listing");
                let mut data = session.data();
                data.write_all(b"type=file;size=1; ../../etc/passwd\r\ntype=dir; /abs\r\ntype=file;size=2; ok\r\n").unwrap();
                drop(data);
                session.say("226 done");
                true
            }
        })
        .start();
    let mut remote = dial(&server).await;
    let listing = remote.list("/").await.unwrap();
    assert_eq!(listing.entries.len(), 1);
    assert_eq!(listing.entries[0].kind, Kind::File);
    assert_eq!(listing.dropped.len(), 2, "{:?}", listing.dropped);
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
async fn the_password_is_in_no_trace() {
    let server = Fake::default().start();
    let mut dialer = server.dialer();
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&seen);
    dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
        sink.lock().unwrap().push_str(&format!("{wire:?}\n"));
    }));
    let mut remote = dialer.dial().await.unwrap();
    let _ = remote.list("/").await;
    // What a person sends by hand is no less secret.
    for line in ["PASS hunter2", "pass  hunter2", "ACCT hunter2"] {
        remote.raw(line).await.unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    assert!(seen.contains("PASS ***") && seen.contains("MLSD"), "{seen}");
    assert!(
        !seen.contains("hunter2") && !format!("{dialer:?}").contains("hunter2"),
        "{seen}"
    );
}

#[tokio::test]
async fn features_without_a_leading_space_are_read() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "FEAT" && {
                session.raw(b"211-Features\r\n211-UTF8\r\nMDTM\r\n SIZE\r\n211 End\r\n");
                true
            }
        })
        .start();
    let remote = dial(&server).await;
    for key in ["UTF8", "MDTM", "SIZE"] {
        assert!(remote.abilities().has(key), "{key}");
    }
    assert!(server.lines().contains(&"OPTS UTF8 ON".to_owned()));
}

#[tokio::test]
async fn a_server_without_tls_is_met_as_the_site_wishes() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "AUTH TLS" && {
                session.say("502 no TLS here");
                true
            }
        })
        .start();
    let mut dialer = server.dialer();
    dialer.tls = SiteTls::Required;
    let Err(error) = dialer.dial().await else {
        panic!("in clear")
    };
    assert!(matches!(error, RemoteError::TlsRefused { .. }), "{error}");
    dialer.tls = SiteTls::Auto;
    assert_eq!(dialer.dial().await.unwrap().facts().security, None);

    // It spoke TLS once: then clear text is a downgrade.
    dialer.trust.note_tls(&dialer.endpoint());
    let before = server.count("USER");
    let Err(error) = dialer.dial().await else {
        panic!("in clear")
    };
    assert!(matches!(error, RemoteError::TlsDowngrade { .. }), "{error}");
    assert_eq!(server.count("USER"), before);
}

#[tokio::test]
async fn text_behind_the_234_and_a_broken_handshake_end_the_session() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "AUTH TLS" && {
                session.raw(b"234 go\r\n230 you are in\r\n");
                session.wait();
                session.raw(b"220 this is no TLS\r\n");
                true
            }
        })
        .start();
    let mut dialer = server.dialer();
    dialer.tls = SiteTls::Required;
    let Err(error) = dialer.dial().await else {
        panic!("made")
    };
    assert!(matches!(error, RemoteError::Tls { .. }), "{error}");
    assert_eq!(server.count("PASS"), 0);
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

#[tokio::test]
async fn a_plain_list_is_read_from_inside_and_in_utc() {
    let server = Fake::default()
        .feat(&["SIZE", "MDTM"])
        .file("/d -x/a", "12345")
        .hook(|session, line| {
            if line.starts_with("LIST") {
                session.say("150 listing");
                let mut data = session.data();
                // Five and a half hours ahead of the MDTM.
                data.write_all(b"total 1\r\n-rw-r--r-- 1 u g 5 2024-01-02 08:34 a\r\n")
                    .unwrap();
                drop(data);
                session.say("226 done");
                return true;
            }
            false
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
fn lists_one_file(session: &mut fake::Session, line: &str) -> bool {
    if line.starts_with("LIST") {
        session.say("150 listing");
        let mut data = session.data();
        data.write_all(b"-rw-r--r-- 1 u g 5 2024-01-02 08:34 a\r\n")
            .unwrap();
        drop(data);
        session.say("226 done");
        return true;
    }
    false
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
async fn a_handshake_that_fails_and_one_that_never_ends_are_told_apart() {
    let accepting = |then: &'static [u8]| {
        Fake::default()
            .hook(move |session, line| {
                line == "AUTH TLS" && {
                    session.say("234 go on");
                    session.wait();
                    session.raw(then);
                    let _hello = std::io::copy(&mut session.control, &mut std::io::sink());
                    true
                }
            })
            .start()
    };
    let silent = accepting(b"");
    let mut dialer = silent.impatient(|limits| &mut limits.handshake);
    dialer.tls = SiteTls::Auto;
    let error = refusal(dialer).await;
    let phase = Phase::TlsHandshake;
    assert!(
        matches!(&error, RemoteError::Timeout { phase: at, .. } if *at == phase),
        "{error}"
    );
    // A fatal alert: handshake failure.
    let failing = accepting(&[21, 3, 3, 0, 2, 2, 40]);
    let mut dialer = failing.dialer();
    dialer.tls = SiteTls::Auto;
    let error = refusal(dialer).await;
    assert!(
        matches!(&error, RemoteError::Tls { reason, .. } if reason == "received fatal alert: HandshakeFailure"),
        "{error}"
    );
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
        .hook(|session, line| {
            line.starts_with("LIST") && {
                session.say("550 not allowed");
                true
            }
        })
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

#[tokio::test]
async fn a_server_that_still_counts_the_connection_before_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let talk = |says: &[&str]| {
            let (socket, _) = listener.accept().unwrap();
            let mut control = std::io::BufReader::new(socket);
            let mut line = String::new();
            for say in says {
                write!(control.get_mut(), "{say}\r\n").unwrap();
                line.clear();
                std::io::BufRead::read_line(&mut control, &mut line).unwrap();
            }
        };
        talk(&["220 ready", "530 please log in"]);
        talk(&["421 There are too many connections from your internet address."]);
        talk(&["421 There are too many connections from your internet address."]);
        talk(&["220 ready", "331 password", "530 not you"]);
    });
    let mut dialer = ftpc::remote::connect::Dialer::new(
        "127.0.0.1",
        address.port(),
        "ann",
        ftp_config::Secret::new("x"),
    );
    dialer.tls = SiteTls::Auto;
    let Err(error) = dialer.dial().await else {
        panic!("the session was made");
    };
    assert!(matches!(error, RemoteError::Login { .. }), "{error:?}");
    server.join().unwrap();
}
