//! TLS that stalls on a data connection.

use std::{net::TcpListener, sync::Arc, time::Duration};

use ftp_config::SiteTls;
use ftpc::{
    error::{Phase, RemoteError},
    remote::{Dial as _, connect::Dialer},
    trust::MemoryTrust,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};

use crate::{
    fake::{Fake, Session},
    is_late, refusal,
};

fn acceptor() -> tokio_rustls::TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    Arc::new(config).into()
}

/// Speaks TLS on the control connection from here on: the session gets another one, in clear, and what goes over
/// it is passed on.
fn secure(session: &mut Session, acceptor: tokio_rustls::TlsAcceptor) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let inner = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    let outer = std::mem::replace(session.control.get_mut(), ours);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let socket = |socket: std::net::TcpStream| {
                socket.set_nonblocking(true).unwrap();
                tokio::net::TcpStream::from_std(socket).unwrap()
            };
            let mut inner = socket(inner);
            let outer = acceptor.accept(socket(outer)).await;
            if let Ok(mut outer) = outer {
                let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            }
        });
    });
}

async fn trusting(mut dialer: Dialer) -> Dialer {
    let RemoteError::Untrusted {
        endpoint,
        fingerprint,
    } = refusal(dialer.clone()).await
    else {
        panic!("another error")
    };
    let trust = MemoryTrust::default();
    trust.pin(&endpoint, fingerprint);
    dialer.trust = Arc::new(trust);
    dialer
}

#[tokio::test]
async fn a_handshake_of_a_data_connection_that_never_ends_is_tried_again() {
    let acceptor = acceptor();
    let server = Fake::default()
        .hook(move |session, line| match line {
            "AUTH TLS" => {
                session.say("234 go");
                secure(session, acceptor.clone());
                true
            }
            "RETR a" => {
                session.say("150 here it comes");
                let _silent = session.data();
                session.wait();
                true
            }
            _ => false,
        })
        .start();
    let mut dialer = server.dialer();
    dialer.tls = SiteTls::Required;
    dialer.deadlines.handshake = Duration::from_secs(3);
    // What the server may say of it is waited for as long.
    dialer.deadlines.reply = Duration::from_secs(3);
    let mut session = trusting(dialer).await.dial().await.unwrap();
    let error = session.open_read("a", 0).await.map(drop).unwrap_err();
    assert!(is_late(&error, Phase::DataConnect), "{error}");
    assert!(error.is_transient() && !session.is_usable());
}
