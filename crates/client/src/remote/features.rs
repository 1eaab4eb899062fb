//! `FEAT` to [`Abilities`]: what a server says it can do. Pure.
//!
//! Lines with and without the leading space are read (some servers leave it out), keys in any
//! case, and one key may come several times (`AUTH`).

use ftp_config::server::OnDuplicate;

use super::Reply;

/// A hash both sides can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
    /// MD5.
    Md5,
    /// CRC-32, as zip computes it.
    Crc32,
}

impl HashAlgorithm {
    /// Returns the usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha1 => "SHA-1",
            Self::Md5 => "MD5",
            Self::Crc32 => "CRC32",
        }
    }
}

/// How a server is asked for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashVerb {
    /// `OPTS HASH` with the algorithm, then `HASH path`.
    Hash(HashAlgorithm),
    /// `XSHA256`, `XSHA1`, `XMD5` or `XCRC` with the path.
    X(HashAlgorithm),
    /// `MD5 path`.
    Md5,
    /// `SITE MD5 path`.
    SiteMd5,
}

impl HashVerb {
    /// Returns the algorithm the answer is in.
    #[must_use]
    pub const fn algorithm(self) -> HashAlgorithm {
        match self {
            Self::Hash(algorithm) | Self::X(algorithm) => algorithm,
            Self::Md5 | Self::SiteMd5 => HashAlgorithm::Md5,
        }
    }
}

/// What a server says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    lines: Vec<(String, String)>,
}

impl Abilities {
    /// Reads the reply to `FEAT`; anything but 211 means no features.
    #[must_use]
    pub fn parse(reply: &Reply) -> Self {
        if reply.code != 211 || reply.lines.len() < 2 {
            return Self::default();
        }
        let inner = &reply.lines[1..reply.lines.len() - 1];
        let lines = inner
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
            .take(1000)
            .map(|line| match line.split_once(' ') {
                Some((key, rest)) => (key.to_ascii_uppercase(), rest.trim().to_owned()),
                None => (line.to_ascii_uppercase(), String::new()),
            })
            .collect();
        Self { lines }
    }

    /// Makes abilities from lines as `FEAT` has them.
    #[cfg(test)]
    pub(crate) fn of(lines: &[&str]) -> Self {
        let mut all = vec!["Features:".to_owned()];
        all.extend(lines.iter().map(|line| (*line).to_owned()));
        all.push("End".to_owned());
        Self::parse(&Reply {
            code: 211,
            lines: all,
        })
    }

    /// Tells whether a key is listed.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.lines
            .iter()
            .any(|(listed, _)| listed.eq_ignore_ascii_case(key))
    }

    /// Returns the lines as `KEY rest`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|(key, rest)| {
            if rest.is_empty() {
                key.clone()
            } else {
                format!("{key} {rest}")
            }
        })
    }

    fn rest(&self, key: &str) -> Option<&str> {
        self.lines
            .iter()
            .find(|(listed, _)| listed == key)
            .map(|(_, rest)| rest.as_str())
    }

    /// Tells whether `MLSD` and `MLST` may be used.
    #[must_use]
    pub fn mlst(&self) -> bool {
        self.has("MLST") || self.has("MLSD")
    }

    /// Tells whether restarted transfers are offered.
    #[must_use]
    pub fn rest_stream(&self) -> bool {
        self.rest("REST")
            .is_some_and(|rest| rest.to_ascii_uppercase().contains("STREAM"))
    }

    /// Tells whether one data connection may carry many files (`MODE B`, RFC 959 §3.4.2).
    #[must_use]
    pub fn block_mode(&self) -> bool {
        self.lines
            .iter()
            .any(|(key, rest)| key == "MODE" && rest.eq_ignore_ascii_case("B"))
    }

    /// Tells whether the server publishes an upload only when it is whole.
    #[must_use]
    pub fn atomic_stor(&self) -> bool {
        self.has("X-ATOMIC-STOR")
    }

    /// Returns what becomes of an upload whose name is taken. Servers that do not say replace.
    #[must_use]
    pub fn on_duplicate(&self) -> OnDuplicate {
        match self.rest("X-ON-DUPLICATE") {
            Some(rest) if rest.eq_ignore_ascii_case("rename") => OnDuplicate::Rename,
            Some(_) => OnDuplicate::Refuse,
            None => OnDuplicate::Overwrite,
        }
    }

    /// Tells whether an upload may be sent to its final name: what is there under it after a 226 is
    /// that upload, and whole.
    #[must_use]
    pub fn takes_final_names(&self) -> bool {
        self.atomic_stor() && self.on_duplicate() != OnDuplicate::Rename
    }

    /// Tells whether the server says that it takes the times of files. One that does not say may take
    /// them by MDTM all the same, as vsftpd does.
    #[must_use]
    pub fn sets_times(&self) -> bool {
        self.has("MFMT")
            || self
                .lines
                .iter()
                .any(|(key, rest)| key == "SITE" && rest.to_ascii_uppercase().contains("UTIME"))
    }

    /// Returns how to ask for a hash, the strongest first; `None`: the server offers none.
    #[must_use]
    pub fn hash(&self) -> Option<HashVerb> {
        const X: [(&str, HashVerb); 6] = [
            ("XSHA256", HashVerb::X(HashAlgorithm::Sha256)),
            ("XSHA1", HashVerb::X(HashAlgorithm::Sha1)),
            ("XMD5", HashVerb::X(HashAlgorithm::Md5)),
            ("MD5", HashVerb::Md5),
            ("SITE", HashVerb::SiteMd5),
            ("XCRC", HashVerb::X(HashAlgorithm::Crc32)),
        ];
        self.hash_command().or_else(|| {
            X.into_iter()
                .find(|(key, _)| match *key {
                    "SITE" => self.has_site_md5(),
                    key => self.has(key),
                })
                .map(|(_, verb)| verb)
        })
    }

    /// `HASH SHA-256*;SHA-1;MD5`: the star marks the one in use (draft-bryan-ftp-hash §3.1).
    fn hash_command(&self) -> Option<HashVerb> {
        const NAMES: [(&str, HashAlgorithm); 4] = [
            ("SHA-256", HashAlgorithm::Sha256),
            ("SHA-1", HashAlgorithm::Sha1),
            ("MD5", HashAlgorithm::Md5),
            ("CRC32", HashAlgorithm::Crc32),
        ];
        let offered = self.rest("HASH")?.to_ascii_uppercase();
        let offers = |name: &str| {
            offered
                .split(';')
                .any(|word| word.trim().trim_end_matches('*') == name)
        };
        NAMES
            .into_iter()
            .find(|(name, _)| offers(name))
            .map(|(_, algorithm)| HashVerb::Hash(algorithm))
    }

    fn has_site_md5(&self) -> bool {
        self.lines.iter().any(|(key, rest)| {
            key == "SITE"
                && rest
                    .to_ascii_uppercase()
                    .split([' ', ';', ','])
                    .any(|w| w == "MD5")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_gives_other_names_is_not_sent_final_ones() {
        let of = |lines: &[&str]| {
            let abilities = Abilities::of(lines);
            (abilities.on_duplicate(), abilities.takes_final_names())
        };
        use OnDuplicate::{Overwrite, Refuse, Rename};
        assert_eq!(of(&["SIZE"]), (Overwrite, false));
        assert_eq!(of(&["X-ATOMIC-STOR"]), (Overwrite, true));
        let with = |word| of(&["X-ATOMIC-STOR", word]);
        assert_eq!(with("X-ON-DUPLICATE rename"), (Rename, false));
        assert_eq!(with("x-on-duplicate REFUSE"), (Refuse, true));
    }

    #[test]
    fn lines_are_read_with_and_without_the_leading_space() {
        let abilities = Abilities::of(&[" MDTM", "utf8", " REST STREAM", " AUTH TLS", " AUTH SSL"]);
        assert!(abilities.has("MDTM") && abilities.has("UTF8") && abilities.rest_stream());
        assert!(!abilities.mlst() && !abilities.atomic_stor());
        assert_eq!(
            abilities.lines().filter(|l| l.starts_with("AUTH")).count(),
            2
        );
    }

    #[test]
    fn no_features_is_no_error() {
        for reply in [Reply::new(500, "what?"), Reply::new(211, "no features")] {
            assert_eq!(Abilities::parse(&reply), Abilities::default());
        }
    }

    #[test]
    fn the_strongest_hash_is_taken() {
        let hash = |lines: &[&str]| Abilities::of(lines).hash();
        let both = hash(&["XCRC", "HASH SHA-1*;MD5;SHA-256"]);
        assert_eq!(both, Some(HashVerb::Hash(HashAlgorithm::Sha256)));
        assert_eq!(
            hash(&["XCRC", "XMD5"]),
            Some(HashVerb::X(HashAlgorithm::Md5))
        );
        assert_eq!(hash(&["SITE MD5"]), Some(HashVerb::SiteMd5));
        assert_eq!(hash(&["HASH BLAKE9"]), None);
        assert_eq!(hash(&["SIZE"]), None);
    }
}
