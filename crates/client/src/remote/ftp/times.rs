//! Setting the times of files, each server in its own way.

use std::time::SystemTime;

use super::{FtpRemote, commands::refused, stat::name_of};
use crate::{
    error::RemoteError,
    remote::{Reply, listing},
};

/// How this server sets times, once known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetTime {
    /// Not tried yet.
    Unknown,
    /// `MFMT time name`.
    Mfmt,
    /// `MDTM time name` (vsftpd).
    Mdtm,
    /// `SITE UTIME time name`.
    Utime,
    /// Not at all.
    Never,
}

/// What the ways to set a time came to.
enum Way {
    /// One was taken.
    Found(Reply),
    /// None was; the first refusal, where one was offered at all.
    Refused(Option<RemoteError>),
}

/// Files whose times a server may refuse before it is taken for one that keeps none.
const TIMES_REFUSED: u32 = 8;

/// Tells whether a time lies where some servers and disks have none: before 1970 or after 2038.
fn is_unusual(time: SystemTime) -> bool {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(true, |since| since.as_secs() > i32::MAX as u64)
}

/// Finds a size among the facts of an answer to MFMT (`213 Modify=20240102030405;Size=5; a.txt`).
fn told_size(reply: &Reply, path: &str) -> Option<u64> {
    let begins = reply.text().get(..7)?;
    if reply.code != 213 || !begins.eq_ignore_ascii_case("Modify=") {
        return None;
    }
    listing::parse_mlst(reply.text(), name_of(path))?.size
}

impl FtpRemote {
    async fn try_time(
        &mut self,
        how: SetTime,
        stamp: &str,
        path: &str,
    ) -> Result<Reply, RemoteError> {
        let verb = match how {
            SetTime::Mfmt => "MFMT",
            SetTime::Mdtm => "MDTM",
            SetTime::Utime | SetTime::Unknown | SetTime::Never => "SITE UTIME",
        };
        let line = format!("{verb} {stamp} {path}");
        let reply = self.answer(verb, &line).await?;
        match reply.is_ok() {
            true => Ok(reply),
            false => Err(refused(verb, path, reply)),
        }
    }
}

impl FtpRemote {
    pub(super) async fn set_time_of(
        &mut self,
        path: &str,
        time: SystemTime,
    ) -> Result<Option<u64>, RemoteError> {
        let Some(stamp) = listing::format_time(time) else {
            return Err(RemoteError::Unsupported {
                what: "times beyond the year 9999",
            });
        };
        match self.set_time {
            SetTime::Never => Ok(None),
            SetTime::Unknown => {
                let refused = match self.find_way(&stamp, path).await? {
                    Way::Found(reply) => return Ok(told_size(&reply, path)),
                    Way::Refused(error) => error,
                };
                refused.filter(|_| is_unusual(time)).map_or(Ok(None), Err)
            }
            known => {
                let reply = self.try_time(known, &stamp, path).await?;
                Ok(told_size(&reply, path))
            }
        }
    }

    /// Tries each way that is offered, and keeps to the one that is taken.
    async fn find_way(&mut self, stamp: &str, path: &str) -> Result<Way, RemoteError> {
        let offered = [
            (SetTime::Mfmt, self.abilities.has("MFMT")),
            (SetTime::Mdtm, self.abilities.has("MDTM")),
            (SetTime::Utime, self.abilities.has("SITE")),
        ];
        let mut refusal = None;
        for (how, _) in offered.into_iter().filter(|row| row.1) {
            match self.try_time(how, stamp, path).await {
                Ok(reply) => {
                    self.set_time = how;
                    return Ok(Way::Found(reply));
                }
                Err(error @ RemoteError::Refused { .. }) if !error.is_transient() => {
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // One file may be somebody else's, or one time may be too old: the next ones are tried too.
        self.times_refused += 1;
        if self.times_refused >= TIMES_REFUSED {
            self.set_time = SetTime::Never;
        }
        Ok(Way::Refused(refusal))
    }
}
