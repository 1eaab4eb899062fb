//! Whether a server is the one seen before: the answers, and the question sessions ask.
//!
//! A pure lookup; who asks the person and who writes the file is decided by `commands` and
//! `store`. The certificate itself is checked in [`verifier`].

mod file;
pub mod store;
pub mod verifier;

use std::{collections::HashMap, fmt, str::FromStr, sync::Mutex};

use sha2::{Digest, Sha256};

use crate::hex;

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` and `ftpd` show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Computes the fingerprint of a certificate in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHA256:")?;
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was given is not a SHA-256 fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, with or without `SHA256:` and colons")]
pub struct BadFingerprint;

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let text = text.trim();
        let digits = match text.get(..7) {
            Some(head) if head.eq_ignore_ascii_case("sha256:") => &text[7..],
            _ => text,
        };
        let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b':').collect();
        if digits.len() != 64 {
            return Err(BadFingerprint);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex::byte(pair).ok_or(BadFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

/// What is known of a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is the one remembered.
    Known,
    /// Nothing is remembered for this host.
    New {
        /// What the server shows.
        fingerprint: Fingerprint,
    },
    /// Another one is remembered.
    Changed {
        /// What is remembered.
        old: Fingerprint,
        /// What the server shows.
        new: Fingerprint,
        /// Where the old one is remembered: file and line.
        place: String,
    },
}

/// What sessions ask and tell while they are made. Must answer at once: no disk, no person.
pub trait TrustCheck: fmt::Debug + Send + Sync {
    /// Looks a certificate up; `endpoint` is `host:port`.
    fn check(&self, endpoint: &str, fingerprint: &Fingerprint) -> Trust;

    /// Tells whether this host ever spoke TLS with us: then clear text is refused.
    fn spoke_tls(&self, endpoint: &str) -> bool;

    /// Hears that a session with this host was made with TLS.
    fn note_tls(&self, endpoint: &str);

    /// Tells whether this host is known to need TLS 1.2 for session reuse.
    fn needs_tls12(&self, endpoint: &str) -> bool;

    /// Hears that this host needs TLS 1.2 for session reuse, or that it speaks none.
    fn note_tls12(&self, endpoint: &str, needs: bool);
}

/// Pins held in memory: for tests and for programs that keep their own.
#[derive(Debug, Default)]
pub struct MemoryTrust {
    pins: Mutex<HashMap<String, Fingerprint>>,
    notes: Mutex<HashMap<String, (bool, bool)>>,
}

impl MemoryTrust {
    /// Pins a certificate to a host.
    pub fn pin(&self, endpoint: &str, fingerprint: Fingerprint) {
        lock(&self.pins).insert(endpoint.to_owned(), fingerprint);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl TrustCheck for MemoryTrust {
    fn check(&self, endpoint: &str, fingerprint: &Fingerprint) -> Trust {
        match lock(&self.pins).get(endpoint) {
            None => Trust::New {
                fingerprint: *fingerprint,
            },
            Some(known) if known == fingerprint => Trust::Known,
            Some(known) => Trust::Changed {
                old: *known,
                new: *fingerprint,
                place: "memory".to_owned(),
            },
        }
    }

    fn spoke_tls(&self, endpoint: &str) -> bool {
        lock(&self.notes).get(endpoint).is_some_and(|note| note.0)
    }

    fn note_tls(&self, endpoint: &str) {
        lock(&self.notes).entry(endpoint.to_owned()).or_default().0 = true;
    }

    fn needs_tls12(&self, endpoint: &str) -> bool {
        lock(&self.notes).get(endpoint).is_some_and(|note| note.1)
    }

    fn note_tls12(&self, endpoint: &str, needs: bool) {
        lock(&self.notes).entry(endpoint.to_owned()).or_default().1 = needs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_what_it_prints() {
        let print = Fingerprint::of_certificate(b"certificate");
        assert_eq!(print.to_string().parse(), Ok(print));
        let bare = print.to_string().replace(':', "").replace("SHA256", "");
        assert_eq!(bare.to_lowercase().parse(), Ok(print));
        assert_eq!("SHA256:00".parse::<Fingerprint>(), Err(BadFingerprint));
        assert_eq!("+0".repeat(32).parse::<Fingerprint>(), Err(BadFingerprint));
        assert_eq!("é".repeat(32).parse::<Fingerprint>(), Err(BadFingerprint));
    }

    #[test]
    fn another_certificate_than_the_pin_is_a_change() {
        let (one, two) = (
            Fingerprint::of_certificate(b"1"),
            Fingerprint::of_certificate(b"2"),
        );
        let trust = MemoryTrust::default();
        assert!(matches!(trust.check("h:21", &one), Trust::New { .. }));
        trust.pin("h:21", one);
        assert_eq!(trust.check("h:21", &one), Trust::Known);
        assert!(matches!(trust.check("h:21", &two), Trust::Changed { old, .. } if old == one));
    }
}
