//! Certificates and the TLS set-ups made of them. The only room of the server that names rustls'
//! set-up types.
//!
//! Three set-ups share one ticket key: `control` hands out tickets, so that data connections resume
//! the session; `upload` hands out none, because a client that only uploads never reads them, and
//! unread bytes at its close become a reset that eats the file's end.

pub mod selfsigned;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{
    HandshakeKind, ServerConfig, ServerConnection,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::ServerSessionMemoryCache,
};
use thiserror::Error;

/// Tickets for each control connection. A ticket is stateless and may be used many times; eight
/// serves also the clients that use each ticket once.
const CONTROL_TICKETS: usize = 8;
/// Sessions remembered for TLS 1.2 clients that resume by session id.
const REMEMBERED_SESSIONS: usize = 4_096;

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A file that the configuration names cannot be read.
    #[error("`{key}`: cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The key that names it.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Of a certificate that was made here one file is missing.
    #[error("`{}` is missing, and without it its other half serves nobody", path.display())]
    Half {
        /// Which file.
        path: PathBuf,
    },
    /// Not a PEM file with what was looked for.
    #[error("{what} `{path}`: {cause}")]
    Pem {
        /// `certificate` or `private key`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The key is not the certificate's.
    #[error("certificate `{cert}` and key `{key}` do not serve together: {source}")]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// A certificate cannot be made.
    #[error("make a certificate: {0}")]
    Make(String),
}

/// The TLS set-ups of one snapshot.
#[derive(Clone, Debug)]
pub struct Configs {
    /// For control connections.
    pub control: Arc<ServerConfig>,
    /// For uploads: resumes sessions of `control`, hands out no tickets.
    pub upload: Arc<ServerConfig>,
    /// For downloads and listings: as `upload`, and gives back the ticket that a client of
    /// single-use tickets has spent. Whoever downloads reads to the end, so it is never left unread.
    pub download: Arc<ServerConfig>,
}

/// Loads a chain and its key, checks that they belong together and builds the set-ups: TLS 1.2 and
/// 1.3, resumption by ticket and by id.
///
/// # Errors
/// [`TlsError`], naming the file at fault.
pub fn load(cert: &Path, key: &Path) -> Result<Configs, TlsError> {
    let chain = chain_of(&read("tls.cert", cert)?, cert)?;
    let private = key_of(&read("tls.key", key)?, key)?;
    let mut control = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        })
        .map_err(|source| TlsError::Mismatch {
            cert: cert.to_owned(),
            key: key.to_owned(),
            source,
        })?;
    control.send_tls13_tickets = CONTROL_TICKETS;
    // A client that means another protocol is not to take our words for its answers (ALPACA). Data
    // connections have no name that all clients use.
    control.alpn_protocols = vec![b"ftp".to_vec()];
    Configs::with_own_tickets(control)
}

/// The set-ups of one session, with a ticket key of its own: whoever resumes by it is its client (RFC 4217
/// §10.1). Clones share what has happened.
#[derive(Clone, Debug)]
pub struct OneSession {
    /// The set-ups.
    pub configs: Configs,
    /// Somebody has shaken hands without resuming, and may have got a ticket by that.
    is_spoiled: Arc<AtomicBool>,
}

impl OneSession {
    /// Makes those of a session that begins.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(of_all: &Configs) -> Result<Self, TlsError> {
        Ok(Self {
            configs: Configs::with_own_tickets(of_all.control.as_ref().clone())?,
            is_spoiled: Arc::default(),
        })
    }

    /// Takes no data connection any more: a handshake that failed may have given a ticket.
    pub fn spoil(&self) {
        self.is_spoiled.store(true, Ordering::Release);
    }

    /// Tells whether a data connection, its handshake done, is that of the session's client. After one that
    /// is not none is taken any more: the client is to begin anew.
    #[must_use]
    pub fn is_shown_by(&self, data: &ServerConnection) -> bool {
        if data.handshake_kind() != Some(HandshakeKind::Resumed) {
            self.spoil();
        }
        !self.is_spoiled.load(Ordering::Acquire)
    }
}

impl Configs {
    fn with_own_tickets(mut control: ServerConfig) -> Result<Self, TlsError> {
        control.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
        control.ticketer = aws_lc_rs::Ticketer::new().map_err(|e| TlsError::Make(e.to_string()))?;
        let with_tickets = |tickets| {
            let mut data = control.clone();
            data.alpn_protocols.clear();
            data.send_tls13_tickets = tickets;
            Arc::new(data)
        };
        Ok(Self {
            upload: with_tickets(0),
            download: with_tickets(1),
            control: Arc::new(control),
        })
    }
}

/// Reads the certificates of a PEM file, leaf first.
///
/// # Errors
/// [`TlsError`] when there is none or one is broken.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    chain_of(&fs_err::read(path)?, path)
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

fn chain_of(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |cause: String| TlsError::Pem {
        what: "certificate",
        path: path.to_owned(),
        cause,
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|e| fault(e.to_string()))?;
    if chain.is_empty() {
        return Err(fault("no certificate in it".to_owned()));
    }
    Ok(chain)
}

fn key_of(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let is_locked = || String::from_utf8_lossy(pem).contains("ENCRYPTED");
    PrivateKeyDer::from_pem_slice(pem).map_err(|e| TlsError::Pem {
        what: "private key",
        path: path.to_owned(),
        cause: match is_locked() {
            true => "it is locked by a password, which nobody types for a server: \
                     `openssl pkey -in KEY -out NEW` unlocks it"
                .to_owned(),
            false => e.to_string(),
        },
    })
}
