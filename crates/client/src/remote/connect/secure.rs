//! The way to a session over TLS: AUTH TLS (RFC 4217 §4), or from the first byte.

use std::{sync::Arc, time::Duration};

use ftp_config::SiteTls;
use suppaftp::FtpError;
use tokio::time::timeout;

use super::{Dialer, Wire};
use crate::{
    error::{Phase, RemoteError},
    remote::{
        Dial as _, Reply, Security,
        ftp::{ReuseWatch, broken, parse_reply},
        names::Codec,
        race,
        tls::{Connector, FtpStream, Handshakes},
    },
    trust::verifier::{Verdict, session_config},
};

/// What rustls says of an answer that is no TLS.
pub(super) const NO_TLS_CAME: &str = "InvalidContentType";
/// Why implicit TLS came to nothing.
pub(crate) const NOT_IMPLICIT: &str = "the port does not speak TLS from the first byte";
/// How long a server is waited for that still counts a connection which is gone, in milliseconds.
const PAUSES: [u64; 4] = [50, 100, 300, 900];

impl Dialer {
    /// AUTH TLS. With [`SiteTls::Auto`] a server that has none is spoken to in clear, unless it had TLS once.
    pub(super) async fn open_explicit(
        &self,
        tls: SiteTls,
    ) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let stream = self.open_plain().await?;
        let (connector, secured) = self.secured()?;
        let limit = self.deadlines.handshake + self.deadlines.reply;
        self.trace(Wire::Sent("AUTH TLS"));
        let upgraded = timeout(limit, stream.into_secure(connector, &self.host)).await;
        let Ok(upgraded) = upgraded else {
            return Err(RemoteError::Timeout {
                phase: Phase::TlsHandshake,
                after: limit,
            });
        };
        match upgraded {
            Ok(stream) => {
                self.trace(Wire::Received(secured.handshakes.version()));
                Ok((stream, Some(secured)))
            }
            Err(FtpError::UnexpectedResponse(response)) => {
                let reply = parse_reply(&Codec::default(), &response.body).ok_or(
                    RemoteError::Protocol {
                        verb: "AUTH".to_owned(),
                        what: "the reply cannot be read".to_owned(),
                    },
                )?;
                self.trace(Wire::Received(&reply.to_string()));
                self.auth_refused(tls, reply, secured.handshakes.done() > 0)
                    .await
            }
            Err(FtpError::SecureError(reason)) => Err(self.not_shaken(&secured, &reason)),
            Err(error) => Err(broken("AUTH", error)),
        }
    }

    /// Makes the error of a handshake that failed.
    fn not_shaken(&self, secured: &Secured, reason: &str) -> RemoteError {
        let (watch, limit) = (self.watch(Some(secured)), self.deadlines.handshake);
        watch.handshake(reason, Phase::TlsHandshake, limit)
    }

    /// Watches what TLS the data connections get.
    pub(super) fn watch(&self, secured: Option<&Secured>) -> ReuseWatch {
        ReuseWatch {
            handshakes: secured.map(|secured| Arc::clone(&secured.handshakes)),
            verdict: secured.map(|secured| Arc::clone(&secured.verdict)),
            trust: Arc::clone(&self.trust),
            endpoint: self.endpoint(),
        }
    }

    /// Tells whether a handshake was refused since it offered TLS 1.2 alone.
    pub(super) fn has_no_tls12(&self, reason: &str) -> bool {
        let of_the_version = ["ProtocolVersion", "HandshakeFailure"];
        self.trust.needs_tls12(&self.endpoint())
            && of_the_version.iter().any(|alert| reason.contains(alert))
    }

    async fn auth_refused(
        &self,
        tls: SiteTls,
        reply: Reply,
        behind_handshake: bool,
    ) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let endpoint = self.endpoint();
        if behind_handshake {
            return Err(RemoteError::Refused {
                verb: "PROT P".to_owned(),
                path: None,
                reply,
            });
        }
        // It is going down: that says nothing of TLS.
        if reply.code == 421 {
            return Err(RemoteError::Refused {
                verb: "AUTH".to_owned(),
                path: None,
                reply,
            });
        }
        if tls != SiteTls::Auto {
            return Err(RemoteError::TlsRefused { endpoint, reply });
        }
        if self.trust.spoke_tls(&endpoint) {
            return Err(RemoteError::TlsDowngrade { endpoint, reply });
        }
        // The library gave the connection up with the refusal.
        Ok((self.open_again().await?, None))
    }

    /// Connects anew: a server that counts its clients may not yet have seen the one before go.
    async fn open_again(&self) -> Result<FtpStream, RemoteError> {
        for pause in PAUSES {
            match self.open_plain().await {
                Err(RemoteError::Refused { reply, .. }) if reply.is_too_many() => {}
                other => return other,
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.open_plain().await
    }

    /// TLS from the first byte. The library dials by itself here; the deadlines are ours.
    pub(super) async fn open_implicit(&self) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let socket = race::connect(&self.host, self.port, self.deadlines.connect).await?;
        let address = socket.peer_addr().map_err(|source| RemoteError::Connect {
            address: self.endpoint(),
            source,
        })?;
        drop(socket);
        let (connector, secured) = self.secured()?;
        let limit = self.deadlines.connect + self.deadlines.handshake + self.deadlines.greeting;
        let dialled = FtpStream::connect_secure_implicit(address, connector, &self.host);
        match timeout(limit, dialled).await {
            Ok(Ok(stream)) => {
                race::tune(&*stream.get_ref().await);
                Ok((stream, Some(secured)))
            }
            Ok(Err(FtpError::SecureError(reason))) => {
                let is_clear = reason.contains(NO_TLS_CAME);
                let reason = if is_clear { NOT_IMPLICIT } else { &reason };
                Err(self.not_shaken(&secured, reason))
            }
            Ok(Err(error)) => Err(self.unready(error)),
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::TlsHandshake,
                after: limit,
            }),
        }
    }

    fn secured(&self) -> Result<(Connector, Secured), RemoteError> {
        let endpoint = self.endpoint();
        let tls12_only = self.trust.needs_tls12(&endpoint);
        let trust = Arc::clone(&self.trust);
        let handshakes = Arc::new(Handshakes::default());
        let store = Arc::clone(&handshakes.tickets) as Arc<_>;
        let made = session_config(&endpoint, &self.roots, trust, store, tls12_only);
        let (config, verdict) = made.map_err(|reason| RemoteError::Tls { endpoint, reason })?;
        let connector = Connector {
            config,
            handshakes: Arc::clone(&handshakes),
            limit: self.deadlines.handshake,
        };
        let secured = Secured {
            connector: connector.clone(),
            handshakes,
            verdict,
        };
        Ok((connector, secured))
    }
}

/// What a session knows of its TLS.
pub(super) struct Secured {
    pub(super) connector: Connector,
    handshakes: Arc<Handshakes>,
    verdict: Arc<Verdict>,
}

impl Secured {
    pub(super) fn facts(&self) -> Security {
        Security {
            version: self.handshakes.version(),
            fingerprint: self.verdict.fingerprint(),
            by_root: self.verdict.is_by_root(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ftp_config::Secret;

    use super::*;

    /// A password is not said in clear to a server that has just spoken TLS.
    #[tokio::test]
    async fn a_refusal_behind_the_handshake_is_never_followed_by_a_session_in_clear() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let dialer = Dialer::new("127.0.0.1", port, "ann", Secret::new("x"));
        let reply = Reply::new(536, "not here");
        let refused = dialer.auth_refused(SiteTls::Auto, reply, true).await;
        let Err(RemoteError::Refused { verb, reply, .. }) = refused else {
            panic!("it went on, or tried to");
        };
        assert_eq!((verb.as_str(), reply.code), ("PROT P", 536));
    }
}
