//! Where a transfer begins: pure decisions over what each side has.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::plan::compare::seconds;

/// How many bytes are compared before an interrupted transfer goes on.
pub(super) const OVERLAP: u64 = 64 * 1024;

/// What a partial download is a part of, as written beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// `host:port`.
    pub(super) endpoint: String,
    /// The path on the server.
    pub(super) path: String,
    /// The whole file's size.
    pub(super) size: u64,
    /// Its modification time, in seconds since 1970.
    pub(super) modified: i64,
}

impl Note {
    /// Makes a note; `None`: not enough is known to recognise the file later.
    pub(super) fn new(
        endpoint: &str,
        path: &str,
        size: Option<u64>,
        modified: Option<SystemTime>,
    ) -> Option<Self> {
        Some(Self {
            endpoint: endpoint.to_owned(),
            path: path.to_owned(),
            size: size?,
            modified: seconds(modified?),
        })
    }
}

/// Where a transfer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At the first byte; what is there is worth nothing.
    Fresh,
    /// `have` bytes are there; the last of them, from `from` on, are compared first.
    Resume { from: u64, have: u64 },
}

impl Begin {
    /// Returns how many bytes need not move.
    pub(super) fn have(self) -> u64 {
        match self {
            Self::Fresh => 0,
            Self::Resume { have, .. } => have,
        }
    }
}

/// Decides where a download begins.
pub(super) fn download(recorded: Option<&Note>, now: Option<&Note>, have: u64) -> Begin {
    match (recorded, now) {
        (Some(recorded), Some(now)) if recorded == now && have > 0 && have <= now.size => {
            begin_at(have)
        }
        _ => Begin::Fresh,
    }
}

/// Decides where an upload begins: `have` is the size of the part on the server, whose name
/// already tells that it is a part of this very file.
pub(super) fn upload(have: Option<u64>, size: u64) -> Begin {
    match have {
        Some(have) if have > 0 && have <= size => begin_at(have),
        _ => Begin::Fresh,
    }
}

fn begin_at(have: u64) -> Begin {
    Begin::Resume {
        from: have.saturating_sub(OVERLAP),
        have,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn note(size: u64, modified: u64) -> Option<Note> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        Note::new("h:21", "/a", Some(size), Some(time))
    }

    #[test]
    fn only_the_very_same_file_is_gone_on_with() {
        let begin = |recorded: Option<Note>, have| {
            download(recorded.as_ref(), note(100_000, 5).as_ref(), have)
        };
        let resumed = Begin::Resume {
            from: 90_000 - OVERLAP,
            have: 90_000,
        };
        assert_eq!(begin(note(100_000, 5), 90_000), resumed);
        assert_eq!(begin(note(100_001, 5), 90_000), Begin::Fresh);
        assert_eq!(begin(note(100_000, 6), 90_000), Begin::Fresh);
        assert_eq!(begin(None, 90_000), Begin::Fresh);
        assert_eq!(begin(note(100_000, 5), 0), Begin::Fresh);
        assert_eq!(begin(note(100_000, 5), 100_001), Begin::Fresh);
    }

    #[test]
    fn a_part_larger_than_the_file_is_worth_nothing() {
        assert_eq!(upload(Some(11), 10), Begin::Fresh);
        assert_eq!(upload(Some(10), 10), Begin::Resume { from: 0, have: 10 });
        assert_eq!(upload(None, 10), Begin::Fresh);
    }

    #[test]
    fn without_a_time_there_is_no_note() {
        assert_eq!(Note::new("h", "/a", Some(1), None), None);
    }
}
