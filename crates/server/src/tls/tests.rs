//! Who resumes by what: a session's own set-ups know its client alone.

use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
    client::{Resumption, Tls12Resumption},
    version::{TLS12, TLS13},
};

use super::*;
use crate::data::secure::Tls;

fn made() -> (Configs, RootCertStore) {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    selfsigned::make(&cert, &key, &["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read_chain(&cert).unwrap());
    (load(&cert, &key).unwrap(), roots)
}

fn client(
    roots: &RootCertStore,
    version: &'static SupportedProtocolVersion,
    way: Tls12Resumption,
) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let mut config = builder
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(8).tls12_resumption(way);
    Arc::new(config)
}

/// Moves what one side has to say to the other.
macro_rules! tell {
    ($from:ident, $to:ident) => {
        let mut bytes = Vec::new();
        while $from.wants_write() {
            $from.write_tls(&mut bytes).unwrap();
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            $to.read_tls(&mut rest).unwrap();
            $to.process_new_packets().unwrap();
        }
    };
}

fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> ServerConnection {
    shaken(client, server).1
}

fn shaken(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> (ClientConnection, ServerConnection) {
    let name = "localhost".try_into().unwrap();
    let mut ours = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut theirs = ServerConnection::new(Arc::clone(server)).unwrap();
    while ours.wants_write() || theirs.wants_write() {
        tell!(ours, theirs);
        tell!(theirs, ours);
    }
    (ours, theirs)
}

/// What waits for more behind the client's end waits in vain.
#[test]
fn an_end_that_came_with_the_bytes_is_known_at_once() {
    let (configs, roots) = made();
    let client = client(&roots, &TLS13, Tls12Resumption::Disabled);
    let (mut client, server) = shaken(&client, &configs.upload);
    let mut bytes = Vec::new();
    client.writer().write_all(b"1").unwrap();
    client.send_close_notify();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let accepted = Arc::new(listener.accept().unwrap().0);
    socket.write_all(&bytes).unwrap();
    let (mut tls, mut block) = (Tls::new(accepted, Box::new(server)), [0; 16]);
    assert_eq!(tls.receive(&mut block).unwrap(), 1);
    assert!(tls.is_ready(Duration::ZERO));
    assert_eq!(tls.receive(&mut block).unwrap(), 0);
}

#[test]
fn only_a_sessions_own_client_shows_it_whatever_it_resumes_by() {
    let (all, roots) = made();
    for (version, way) in [
        (&TLS12, Tls12Resumption::SessionIdOnly),
        (&TLS12, Tls12Resumption::SessionIdOrTickets),
        (&TLS13, Tls12Resumption::SessionIdOrTickets),
    ] {
        let sessions = [0, 1].map(|_| OneSession::new(&all).unwrap());
        let clients = [0, 1].map(|_| client(&roots, version, way));
        for (session, client) in sessions.iter().zip(&clients) {
            shake(client, &session.configs.control);
        }
        let shown = |client: &Arc<ClientConfig>| {
            let data = shake(client, &sessions[0].configs.upload);
            sessions[0].is_shown_by(&data)
        };
        assert!(shown(&clients[0]), "{version:?} {way:?}");
        assert!(!shown(&clients[1]), "{version:?} {way:?}");
        // The stranger may have got a ticket by that.
        assert!(!shown(&clients[0]), "{version:?} {way:?}");
    }
}

/// A ticket that nobody reads becomes a reset at the close of the connection, and eats the end of an upload.
#[test]
fn who_only_uploads_is_sent_no_ticket_and_control_alone_names_its_protocol() {
    let (configs, _) = made();
    assert_eq!(configs.upload.send_tls13_tickets, 0);
    assert_eq!(configs.download.send_tls13_tickets, 1);
    assert_eq!(configs.control.send_tls13_tickets, CONTROL_TICKETS);
    assert_eq!(configs.control.alpn_protocols, [b"ftp"]);
    assert!(configs.upload.alpn_protocols.is_empty());
}
