//! Listings: MLSD, or LIST put right by the server's clock.

use std::{
    io,
    time::{Duration, SystemTime},
};

use super::{FtpRemote, act::Act};
use crate::{
    error::{Phase, RemoteError},
    remote::{
        Data, Kind, Lack, Listing, Remote as _, Reply,
        listing::{Endless, Format, Reader},
        names::{self, Codec},
    },
};

/// How far the clock of LIST lies from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Not measured yet.
    Unknown,
    /// LIST is so many seconds ahead of UTC.
    Ahead(i64),
    /// Cannot be measured.
    Hidden,
}

impl FtpRemote {
    pub(super) async fn list_with(
        &mut self,
        verb: &'static str,
        path: &str,
    ) -> Result<Listing, RemoteError> {
        let mut data = match self.begin_list(Act::Receive(verb, path)).await {
            Ok(data) => data,
            // Some servers answer an empty directory at once, without a data connection.
            Err(RemoteError::Refused { reply, .. }) if matches!(reply.code, 226 | 250) => {
                return Ok(Listing::default());
            }
            Err(error) => return Err(error),
        };
        data.end_within(self.deadlines.reply);
        let codec = std::sync::Arc::clone(&self.codec);
        let mut listing = match read(&mut data, verb, &codec).await {
            Err(Broken::Cut(error)) => return Err(self.cut(verb, error)),
            Err(Broken::TooLarge(error)) => return Err(error),
            Ok(listing) => listing,
        };
        let reply = data.end_with_reply().await?;
        if tells_of_a_lack(&reply, path) {
            if listing.entries.is_empty() {
                let (verb, path) = (verb.to_owned(), Some(path.to_owned()));
                return Err(RemoteError::Refused { verb, path, reply });
            }
            listing.lack = Some(Lack::Told(reply.to_string()));
        }
        Ok(listing)
    }

    fn cut(&self, verb: &str, source: io::Error) -> RemoteError {
        if source.kind() == io::ErrorKind::TimedOut {
            return RemoteError::Timeout {
                phase: Phase::Data,
                after: self.deadlines.stalled,
            };
        }
        RemoteError::Io {
            verb: verb.to_owned(),
            source,
        }
    }

    /// LIST of a server without MLSD: from inside the directory, since a path could be taken for
    /// options or a pattern, and with `-a`, since hidden names belong to a tree too.
    pub(super) async fn list_plain(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        let back = self.pwd().await?;
        let moves = !dir.is_empty() && dir != "." && dir != back;
        if moves {
            self.expect("CWD", dir).await?;
        }
        let listed = self
            .list_here(dir)
            .await
            .map_err(|error| of_dir(error, dir));
        if moves && self.health.is_ready() {
            self.go_back(&back).await?;
        }
        let mut listing = listed?;
        self.set_clock(dir, &mut listing).await;
        Ok(listing)
    }

    /// Returns to where relative paths begin; a session that cannot would take them for others.
    pub(super) async fn go_back(&mut self, dir: &str) -> Result<(), RemoteError> {
        match self.expect("CWD", dir).await {
            Ok(_) => Ok(()),
            Err(error) => self.give_up(error),
        }
    }

    async fn list_here(&mut self, dir: &str) -> Result<Listing, RemoteError> {
        match self.list_with("LIST", "-a").await {
            Ok(listing) if !listing.entries.is_empty() => return Ok(listing),
            Ok(_) => {}
            Err(RemoteError::Refused { reply, .. }) if reply.code >= 450 => {}
            Err(error) => return Err(error),
        }
        match self.list_with("LIST", "").await {
            Err(RemoteError::Refused { reply, .. }) if is_empty_directory(&reply, dir) => {
                Ok(Listing::default())
            }
            other => other,
        }
    }

    /// LIST shows the server's local time: one MDTM of a listed file tells how far it is off.
    async fn set_clock(&mut self, dir: &str, listing: &mut Listing) {
        let sample = listing
            .entries
            .iter()
            .find(|entry| entry.kind == Kind::File && entry.precision <= Duration::from_secs(60));
        if let (Clock::Unknown, Some(sample)) = (self.clock, sample) {
            let (path, listed) = (sample.name.within(dir), sample.modified);
            self.clock = match (self.modified(&path).await, listed) {
                (Ok(Some(exact)), Some(listed)) => clock_ahead(listed, exact),
                _ => Clock::Hidden,
            };
        }
        if let Clock::Ahead(seconds) = self.clock {
            for entry in &mut listing.entries {
                entry.modified = entry.modified.and_then(|time| shift(time, -seconds));
            }
        }
    }
}

/// Tells whether a TLS connection ended without TLS's own end.
fn is_unended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Why a listing was not read to its end.
enum Broken {
    Cut(io::Error),
    TooLarge(RemoteError),
}

async fn read(data: &mut impl Data, verb: &str, codec: &Codec) -> Result<Listing, Broken> {
    let format = match verb {
        "MLSD" => Format::Facts,
        _ => Format::List,
    };
    let mut reader = Reader::new(format, codec, SystemTime::now());
    let (mut block, mut lack) = (vec![0; 64 * 1024], None);
    let endless = |Endless(limit, unit)| {
        let verb = verb.to_owned();
        Broken::TooLarge(RemoteError::TooLarge { verb, limit, unit })
    };
    loop {
        match data.receive(&mut block).await {
            Ok(0) => break,
            Ok(count) => reader.push(&block[..count]).map_err(endless)?,
            Err(error) if is_unended(&error) && reader.is_between_lines() => {
                lack = Some(Lack::Unended);
                break;
            }
            Err(error) => return Err(Broken::Cut(error)),
        }
    }
    let listing = reader.finish().map_err(endless)?;
    Ok(Listing { lack, ..listing })
}

/// A refused LIST is told with the directory, not with the options that were sent.
fn of_dir(error: RemoteError, dir: &str) -> RemoteError {
    match error {
        RemoteError::Refused { verb, reply, .. } if verb == "LIST" => {
            let dir = if dir.is_empty() { "." } else { dir };
            RemoteError::Refused {
                verb,
                path: Some(dir.to_owned()),
                reply,
            }
        }
        other => other,
    }
}

/// Tells whether a refusal means that there is nothing to list. Its text may hold any name.
pub(super) fn is_empty_directory(reply: &Reply, dir: &str) -> bool {
    const EMPTY: [&str; 4] = ["no files", "is empty", "empty directory", "directory empty"];
    const DENIED: [&str; 6] = [
        "denied",
        "permission",
        "no such",
        "not found:",
        "not exist",
        "fail",
    ];
    matches!(reply.code, 450 | 550) && says(reply, dir, &EMPTY) && !says(reply, dir, &DENIED)
}

/// Tells whether a server that praises its listing says too that it left something out (Pure-FTPd: `Output
/// truncated to 10000 matches`; vsftpd: `Transfer done (but failed to open directory).`).
fn tells_of_a_lack(reply: &Reply, dir: &str) -> bool {
    const LACKS: [&str; 5] = [
        "truncated",
        "failed to",
        "could not",
        "cannot open",
        "permission denied",
    ];
    says(reply, dir, &LACKS)
}

/// Tells whether one of the phrases is the server's own, and not one of a name: neither in quotes nor in
/// the directory's.
fn says(reply: &Reply, dir: &str, phrases: &[&str]) -> bool {
    let text = reply.lines.join("\n").to_lowercase();
    let mut text: String = text.split('"').step_by(2).collect::<Vec<_>>().concat();
    for name in [dir, names::split(dir).1] {
        let name = names::display(name).to_lowercase();
        if phrases.iter().any(|phrase| name.contains(phrase)) {
            text = text.replace(&name, "");
        }
    }
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// Zones lie whole quarters of an hour apart; LIST tells minutes only.
fn clock_ahead(listed: SystemTime, exact: SystemTime) -> Clock {
    const QUARTER: i64 = 900;
    let seconds = match listed.duration_since(exact) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX),
        Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(i64::MAX),
    };
    let rounded = (seconds + 450).div_euclid(QUARTER).saturating_mul(QUARTER);
    if rounded.abs() <= 15 * 3600 {
        Clock::Ahead(rounded)
    } else {
        Clock::Hidden
    }
}

fn shift(time: SystemTime, seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        time.checked_sub(distance)
    } else {
        time.checked_add(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::listing;

    #[test]
    fn what_a_server_says_of_a_listing_is_not_taken_from_its_names() {
        let empty = |text: &str| is_empty_directory(&Reply::new(550, text), "t/empty no files");
        for text in ["No files found", "No files found.", "Directory is empty"] {
            assert!(empty(text), "{text}");
        }
        for text in [
            "t/empty no files: permission denied",
            "empty no files: busy",
            "\"empty\": busy",
            "No such file or directory: empty",
            "busy",
        ] {
            assert!(!empty(text), "{text}");
        }
        let files = |dir: &str| is_empty_directory(&Reply::new(550, "No files found."), dir);
        assert!(files("e") && files("files") && files("t/i"));
        let could_not = Reply::new(226, "Listing of /t/could not done");
        assert!(!tells_of_a_lack(&could_not, "/t/could not"));
        let lacks = |text: &str| tells_of_a_lack(&Reply::new(226, text), "");
        assert!(lacks("Output truncated to 10000 matches"));
        assert!(lacks("Transfer done (but failed to open directory)."));
        for text in [
            "Transfer complete",
            "Successfully transferred \"/failed to\"",
        ] {
            assert!(!lacks(text), "{text}");
        }
    }

    #[test]
    fn the_clock_of_list_is_told_in_quarters() {
        let exact = listing::parse_time("20260101120033").unwrap();
        let ahead = |text| clock_ahead(listing::parse_time(text).unwrap(), exact);
        assert_eq!(ahead("20260101120000"), Clock::Ahead(0));
        assert_eq!(ahead("20260101173000"), Clock::Ahead(19_800));
        assert_eq!(ahead("20260101070000"), Clock::Ahead(-18_000));
        assert_eq!(ahead("20250101120000"), Clock::Hidden);
    }
}
