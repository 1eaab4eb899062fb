//! One line of the record: the fields of xferlog(5).

use std::{net::IpAddr, time::Duration};

use ftp_config::{SharePath, shown::is_tricky};
use jiff::ZonedDateTime;

use crate::direction::Direction;

/// One ended transfer.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it ended.
    pub ended: ZonedDateTime,
    /// How long it took.
    pub took: Duration,
    /// The client.
    pub peer: IpAddr,
    /// Bytes that moved.
    pub bytes: u64,
    /// The path inside the share.
    pub path: &'a SharePath,
    /// Which way.
    pub direction: Direction,
    /// The login name.
    pub user: &'a str,
    /// Whether it was a guest.
    pub anonymous: bool,
    /// Whether the whole file moved.
    pub complete: bool,
}

impl Record<'_> {
    /// Returns the line of xferlog(5), without its end.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "{} {} {} {} {} b _ {} {} {} ftp 0 * {}",
            self.ended.strftime("%a %b %e %H:%M:%S %Y"),
            self.took.as_secs_f64().round().max(1.0) as u64,
            self.peer,
            self.bytes,
            one_word(self.path.as_str()),
            match self.direction {
                Direction::Down => 'o',
                Direction::Up => 'i',
            },
            if self.anonymous { 'a' } else { 'r' },
            one_word(self.user),
            if self.complete { 'c' } else { 'i' },
        )
    }
}

/// Spaces and control characters would break the line's fields; direction marks would show another name. Those that
/// join letters belong to names.
fn one_word(text: &str) -> String {
    let joins = |c| matches!(c, '\u{200C}' | '\u{200D}');
    let breaks = |c: char| c.is_whitespace() || is_tricky(c) && !joins(c);
    let kept = |c| if breaks(c) { '_' } else { c };
    text.chars().map(kept).collect()
}
