//! The file of known servers: certificates seen first, who spoke TLS, who needs TLS 1.2.
//!
//! Read once, held in memory. When something was learnt it is read again under a lock, and written
//! whole by rename: what others learnt meanwhile stays.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

pub use super::file::StoreError;
use super::{
    Fingerprint, Trust, TrustCheck,
    file::{behind_links, lock, read, write},
};

/// What is remembered of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The certificate's SHA-256, when it was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
    /// Whether a session with TLS was ever made.
    #[serde(default)]
    pub spoke_tls: bool,
    /// Whether its data connections only resume with TLS 1.2.
    #[serde(default)]
    pub needs_tls12: bool,
}

/// The servers known, by `host:port`.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    servers: Mutex<BTreeMap<String, Known>>,
    changes: Mutex<Vec<(String, Change)>>,
}

/// What was learnt of a server.
#[derive(Clone, Debug)]
enum Change {
    /// Its certificate, and when it was seen.
    Pin(String, String),
    Tls,
    Tls12(bool),
    Forgotten,
}

impl Change {
    fn apply(&self, servers: &mut BTreeMap<String, Known>, endpoint: &str) {
        if let Self::Forgotten = self {
            servers.remove(endpoint);
            return;
        }
        let known = servers.entry(endpoint.to_owned()).or_default();
        match self {
            // The first pin stands: another certificate has changed, and is told.
            Self::Pin(..) if known.pin().is_some() => {}
            Self::Pin(certificate, seen) => {
                known.certificate = Some(certificate.clone());
                known.first_seen = Some(seen.clone());
            }
            Self::Tls => known.spoke_tls = true,
            Self::Tls12(needs) => known.needs_tls12 = *needs,
            Self::Forgotten => {}
        }
    }
}

impl Known {
    /// A pin that cannot be read is no pin: the certificate is asked about again.
    fn pin(&self) -> Option<Fingerprint> {
        self.certificate.as_deref()?.parse().ok()
    }
}

impl Store {
    /// Reads the file; one that does not exist is empty.
    ///
    /// # Errors
    /// It exists and cannot be read: then nothing is trusted by mistake.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let servers = read(&path)?;
        Ok(Self {
            path,
            servers: Mutex::new(servers),
            changes: Mutex::default(),
        })
    }

    /// Returns the file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> MutexGuard<'_, Vec<(String, Change)>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, endpoint: &str, change: Change) {
        let mut servers = self.servers();
        let before = servers.get(endpoint).cloned();
        change.apply(&mut servers, endpoint);
        if servers.get(endpoint) != before.as_ref() {
            self.changes().push((endpoint.to_owned(), change));
        }
    }

    /// Remembers a certificate, where none is.
    pub fn pin(&self, endpoint: &str, fingerprint: &Fingerprint, now: &str) {
        let change = Change::Pin(fingerprint.to_string(), now.to_owned());
        self.learn(endpoint, change);
    }

    /// Forgets a server; tells whether it was known.
    pub fn forget(&self, endpoint: &str) -> bool {
        let known = self.servers().remove(endpoint).is_some();
        // Others may have learnt of it meanwhile.
        self.changes()
            .push((endpoint.to_owned(), Change::Forgotten));
        known
    }

    /// Tells whether a server spoke TLS without a pin: by a certificate that a known root vouched for.
    #[must_use]
    pub fn was_vouched_for(&self, endpoint: &str) -> bool {
        let servers = self.servers();
        let known = servers.get(endpoint);
        known.is_some_and(|known| known.spoke_tls && known.certificate.is_none())
    }

    /// Returns everything that is remembered.
    #[must_use]
    pub fn list(&self) -> Vec<(String, Known)> {
        self.servers()
            .iter()
            .map(|(name, known)| (name.clone(), known.clone()))
            .collect()
    }

    /// Writes the file, if something was learnt.
    ///
    /// # Errors
    /// It cannot be written; the old one is as it was.
    pub fn save(&self) -> Result<(), StoreError> {
        let mut changes = self.changes();
        if changes.is_empty() {
            return Ok(());
        }
        let fail = |source| StoreError::Io {
            verb: "write",
            path: self.path.clone(),
            source,
        };
        let path = behind_links(&self.path);
        let _held = lock(&path).map_err(fail)?;
        let mut servers = read(&self.path)?;
        for (endpoint, change) in changes.iter() {
            change.apply(&mut servers, endpoint);
        }
        let text = toml::to_string_pretty(&servers).map_err(|error| StoreError::Damaged {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        write(&path, &text).map_err(fail)?;
        changes.clear();
        Ok(())
    }

    /// Writes the file if it can be; only a certificate that is not remembered is an error. Returns
    /// why the rest, which the next run learns again, could not be written.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_what_matters(&self) -> Result<Option<StoreError>, StoreError> {
        let Err(error) = self.save() else {
            return Ok(None);
        };
        let mut changes = self.changes();
        let matters = |row: &(String, Change)| matches!(row.1, Change::Pin(..) | Change::Forgotten);
        if changes.iter().any(matters) || !matches!(error, StoreError::Io { .. }) {
            return Err(error);
        }
        changes.clear();
        Ok(Some(error))
    }

    /// The line on which a server stands, for messages.
    fn place(&self, endpoint: &str) -> String {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let table = format!("[\"{endpoint}\"]");
        let line = text
            .lines()
            .position(|line| line == table)
            .map_or(1, |at| at + 1);
        format!("{}:{line}", self.path.display())
    }
}

impl TrustCheck for Store {
    fn check(&self, endpoint: &str, fingerprint: &Fingerprint) -> Trust {
        let pinned = self.servers().get(endpoint).and_then(Known::pin);
        match pinned {
            None => Trust::New {
                fingerprint: *fingerprint,
            },
            Some(old) if old == *fingerprint => Trust::Known,
            Some(old) => Trust::Changed {
                old,
                new: *fingerprint,
                place: self.place(endpoint),
            },
        }
    }

    fn spoke_tls(&self, endpoint: &str) -> bool {
        self.servers()
            .get(endpoint)
            .is_some_and(|known| known.spoke_tls)
    }

    fn note_tls(&self, endpoint: &str) {
        self.learn(endpoint, Change::Tls);
    }

    fn needs_tls12(&self, endpoint: &str) -> bool {
        self.servers()
            .get(endpoint)
            .is_some_and(|known| known.needs_tls12)
    }

    fn note_tls12(&self, endpoint: &str, needs: bool) {
        self.learn(endpoint, Change::Tls12(needs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_there_the_next_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/known_hosts.toml");
        let print = Fingerprint::of_certificate(b"1");
        let store = Store::open(&path).unwrap();
        assert!(matches!(store.check("h:21", &print), Trust::New { .. }));
        store.pin("h:21", &print, "2026-01-01");
        store.note_tls("[fe80::1]:21");
        store.save().unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(store.check("h:21", &print), Trust::Known);
        assert!(store.spoke_tls("[fe80::1]:21") && !store.spoke_tls("h:21"));
        let other = Fingerprint::of_certificate(b"2");
        let Trust::Changed { old, place, .. } = store.check("h:21", &other) else {
            panic!()
        };
        assert_eq!(old, print);
        assert!(place.contains("known_hosts.toml:"), "{place}");
        assert!(store.forget("h:21") && !store.forget("h:21"));
    }

    #[test]
    fn two_runs_at_once_lose_no_pin() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts.toml");
        let prints = [1, 2].map(|byte| Fingerprint::of_certificate(&[byte]));
        let stores = [1, 2].map(|_| Store::open(&path).unwrap());
        stores[0].pin("a:21", &prints[0], "1");
        stores[0].pin("same:21", &prints[0], "1");
        stores[1].pin("b:21", &prints[1], "2");
        stores[1].pin("same:21", &prints[1], "2");
        stores[1].note_tls("a:21");
        stores.iter().for_each(|store| store.save().unwrap());
        let store = Store::open(&path).unwrap();
        assert_eq!(store.check("a:21", &prints[0]), Trust::Known);
        assert_eq!(store.check("b:21", &prints[1]), Trust::Known);
        assert!(store.spoke_tls("a:21"));
        // The first one stands, and the other is told.
        assert_eq!(store.check("same:21", &prints[0]), Trust::Known);
        assert!(matches!(
            store.check("same:21", &prints[1]),
            Trust::Changed { .. }
        ));
        // What was forgotten is forgotten, and may be pinned anew.
        store.forget("same:21");
        store.pin("same:21", &prints[1], "3");
        store.save().unwrap();
        let store = Store::open(&path).unwrap();
        assert_eq!(store.check("same:21", &prints[1]), Trust::Known);
    }

    #[test]
    fn where_nothing_can_be_written_only_a_pin_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file/known_hosts.toml");
        std::fs::write(dir.path().join("file"), "").unwrap();
        let store = Store::open(&path).unwrap();
        store.note_tls("a:21");
        assert!(store.save_what_matters().unwrap().is_some());
        assert!(store.save_what_matters().unwrap().is_none(), "told once");
        assert!(store.spoke_tls("a:21"));
        store.pin("a:21", &Fingerprint::of_certificate(b"1"), "1");
        assert!(store.save_what_matters().is_err());
    }

    #[test]
    fn the_place_is_that_of_the_very_server() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts.toml");
        let store = Store::open(&path).unwrap();
        for endpoint in ["10.0.0.1:2121", "10.0.0.1:21", "h"] {
            store.pin(endpoint, &Fingerprint::of_certificate(b"1"), "1");
        }
        store.save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let line = |endpoint: &str| {
            let place = store.place(endpoint);
            let number: usize = place.rsplit_once(':').unwrap().1.parse().unwrap();
            text.lines().nth(number - 1).unwrap().to_owned()
        };
        assert_eq!(line("10.0.0.1:21"), "[\"10.0.0.1:21\"]");
        assert_eq!(line("10.0.0.1:2121"), "[\"10.0.0.1:2121\"]");
    }

    #[test]
    fn a_damaged_file_trusts_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known");
        std::fs::write(&path, "not toml [").unwrap();
        assert!(matches!(
            Store::open(&path),
            Err(StoreError::Damaged { .. })
        ));
    }
}
