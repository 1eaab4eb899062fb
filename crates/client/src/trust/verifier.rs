//! The certificate check of one dial: known roots first, then the pin remembered for the host.
//!
//! The only room besides `remote::tls` that names rustls. A verdict that is not "trusted"
//! leaves through [`Verdict`], because the TLS library flattens errors to text.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        ClientSessionStore, Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::{Fingerprint, Trust, TrustCheck};

/// What the verifier of one session saw, readable after a failed handshake.
#[derive(Debug, Default)]
pub struct Verdict(Mutex<Seen>);

#[derive(Clone, Debug, Default)]
struct Seen {
    fingerprint: Option<Fingerprint>,
    by_root: bool,
    refused: Option<Trust>,
}

impl Verdict {
    fn edit(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the fingerprint of the certificate shown, if a handshake came that far.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.seen().fingerprint
    }

    /// Tells whether a known root vouches for the certificate and the name fits.
    #[must_use]
    pub fn is_by_root(&self) -> bool {
        self.seen().by_root
    }

    /// Returns why the certificate was refused, if it was.
    #[must_use]
    pub fn refused(&self) -> Option<Trust> {
        self.seen().refused
    }
}

/// Checks certificates against roots and then against [`TrustCheck`].
#[derive(Debug)]
struct Verifier {
    endpoint: String,
    roots: Option<Arc<WebPkiServerVerifier>>,
    trust: Arc<dyn TrustCheck>,
    verdict: Arc<Verdict>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = Fingerprint::of_certificate(end_entity.as_ref());
        let by_root = self.roots.as_ref().is_some_and(|roots| {
            roots
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .is_ok()
        });
        let answer = self.trust.check(&self.endpoint, &fingerprint);
        let refused = match &answer {
            Trust::Known => None,
            Trust::New { .. } | Trust::Changed { .. } if by_root => None,
            Trust::New { .. } | Trust::Changed { .. } => Some(answer.clone()),
        };
        self.verdict.edit(|seen| {
            *seen = Seen {
                fingerprint: Some(fingerprint),
                by_root,
                refused: refused.clone(),
            };
        });
        match refused {
            None => Ok(ServerCertVerified::assertion()),
            Some(_) => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// The roots a client trusts, loaded once for all sessions.
#[derive(Clone, Debug, Default)]
pub struct Roots(Option<Arc<WebPkiServerVerifier>>);

impl Roots {
    /// Loads the system's roots and, if given, those of a PEM text. Reads the disk.
    ///
    /// # Errors
    /// The PEM text holds something that is not a certificate.
    pub fn load(extra_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in CertificateDer::pem_slice_iter(extra_pem.unwrap_or_default()) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            store.add(certificate).map_err(|error| error.to_string())?;
        }
        Self::from_store(store)
    }

    /// No root at all: every certificate needs a pin.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    fn from_store(store: RootCertStore) -> Result<Self, String> {
        if store.is_empty() {
            return Ok(Self(None));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
            .build()
            .map(|verifier| Self(Some(verifier)))
            .map_err(|error| error.to_string())
    }
}

/// Makes the TLS configuration of one FTP session, with `store` for its session alone: a server
/// that wants session reuse binds data connections to *this* control session.
///
/// # Errors
/// The provider has none of the wanted TLS versions.
pub fn session_config(
    endpoint: &str,
    roots: &Roots,
    trust: Arc<dyn TrustCheck>,
    store: Arc<dyn ClientSessionStore>,
    tls12_only: bool,
) -> Result<(Arc<ClientConfig>, Arc<Verdict>), String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verdict = Arc::new(Verdict::default());
    let verifier = Verifier {
        endpoint: endpoint.to_owned(),
        roots: roots.0.clone(),
        trust,
        verdict: Arc::clone(&verdict),
        provider: Arc::clone(&provider),
    };
    let versions: &[&rustls::SupportedProtocolVersion] = if tls12_only {
        &[&rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::store(store);
    Ok((Arc::new(config), verdict))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::MemoryTrust;

    /// Asks of a certificate that no root vouches for.
    fn asked(trust: &Arc<MemoryTrust>, certificate: &[u8]) -> (bool, Option<Trust>) {
        let verifier = Verifier {
            endpoint: "h:21".to_owned(),
            roots: None,
            trust: Arc::clone(trust) as Arc<dyn TrustCheck>,
            verdict: Arc::default(),
            provider: Arc::new(aws_lc_rs::default_provider()),
        };
        let (shown, name) = (CertificateDer::from(certificate), "h".try_into().unwrap());
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        let verified = verifier.verify_server_cert(&shown, &[], &name, &[], now);
        (verified.is_ok(), verifier.verdict.refused())
    }

    #[test]
    fn without_a_root_only_the_pinned_certificate_is_taken() {
        let trust = Arc::new(MemoryTrust::default());
        let fingerprint = Fingerprint::of_certificate(b"one");
        let new = Trust::New { fingerprint };
        assert_eq!(asked(&trust, b"one"), (false, Some(new)));
        trust.pin("h:21", fingerprint);
        assert_eq!(asked(&trust, b"one"), (true, None));
        let (is_taken, why) = asked(&trust, b"two");
        assert!(!is_taken && matches!(why, Some(Trust::Changed { .. })));
    }
}
