//! A TLS client that trusts every certificate: the servers are the tests' own.

use std::{net::TcpStream, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, StreamOwned, crypto::aws_lc_rs, pki_types::ServerName,
};

use crate::trust::TrustAll;

/// A TLS stream over a blocking socket.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Returns a client for the given versions (`&rustls::version::TLS13`, ...).
#[must_use]
pub fn client(versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
        .with_no_client_auth();
    Arc::new(config)
}

/// Shakes hands on a connected socket.
///
/// # Errors
/// The handshake failed.
pub fn shake(config: &Arc<ClientConfig>, stream: TcpStream) -> std::io::Result<Tls> {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut tls = StreamOwned::new(connection, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}
