//! The way to a session: greetings, features, TLS, and a server that is full.

use std::{io::Write, net::TcpListener};

use ftp_config::SiteTls;
use ftpc::{
    error::{Phase, RemoteError},
    remote::Dial,
};

use crate::{dial, fake::Fake, is_late, refusal};

#[tokio::test]
async fn silence_and_strangers_are_told_apart() {
    let silent = Fake::default().greeting(b"").start();
    let error = refusal(silent.impatient(|limits| &mut limits.greeting)).await;
    assert!(is_late(&error, Phase::Greeting), "{error}");

    let ssh = Fake::default().greeting(b"SSH-2.0-OpenSSH_9\r\n").start();
    let error = refusal(ssh.dialer()).await;
    assert!(
        matches!(&error, RemoteError::NotFtp { said, .. } if said == "SSH-2.0-OpenSSH_9"),
        "{error}"
    );

    let bare = Fake::default().greeting(b"220\r\n").start();
    let error = refusal(bare.impatient(|limits| &mut limits.greeting)).await;
    assert!(is_late(&error, Phase::Greeting), "{error}");

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
        .answers("AUTH TLS", "502 no TLS here")
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
    assert!(is_late(&error, phase), "{error}");
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

/// Whether it would speak TLS is not known then, and nobody is to be told to do without.
#[tokio::test]
async fn a_line_lost_in_the_handshake_is_no_fault_of_the_certificate() {
    let server = Fake::default()
        .hook(|session, line| {
            line == "AUTH TLS" && {
                session.say("234 go on");
                session.wait();
                session.hang_up();
                true
            }
        })
        .start();
    let mut dialer = server.dialer();
    dialer.tls = SiteTls::Required;
    let error = refusal(dialer).await;
    assert!(error.is_transient(), "{error}");
    assert!(matches!(error, RemoteError::Io { .. }), "{error}");
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
