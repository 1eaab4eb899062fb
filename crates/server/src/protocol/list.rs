//! LIST lines in the form of `ls -l`, which every client parses, in local time.
//!
//! `verbs::listing` fills a [`Row`] for each entry; the clock and the time zone come in as values.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};

use super::Names;
use crate::share::Kind;

/// From this age on `ls` shows the year in the place of the hour: half a mean year.
const SIX_MONTHS: Duration = Duration::from_secs(31_556_952 / 2);
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// One entry of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Hard links.
    pub links: u64,
    /// The owner, by name or number.
    pub owner: &'a str,
    /// The group, by name or number.
    pub group: &'a str,
    /// Bytes.
    pub size: u64,
    /// Last change of the bytes.
    pub modified: SystemTime,
    /// The name.
    pub name: &'a str,
    /// Where a link leads.
    pub target: Option<&'a str>,
}

/// Writes LIST lines for one moment and one time zone.
#[derive(Clone, Debug)]
pub struct Lister {
    now: SystemTime,
    zone: TimeZone,
}

impl Lister {
    /// Makes a lister; `now` decides between hour and year.
    #[must_use]
    pub fn new(now: SystemTime, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// Appends one line with its CR LF; `names` knows the client's encoding.
    pub fn write(&self, row: &Row<'_>, names: &Names, out: &mut Vec<u8>) {
        out.extend(mode_word(row.kind, row.mode));
        write_number(row.links, 5, b' ', out);
        for word in [row.owner, row.group] {
            out.push(b' ');
            out.extend(word.as_bytes());
            out.extend(std::iter::repeat_n(b' ', 8usize.saturating_sub(word.len())));
        }
        write_number(row.size, 13, b' ', out);
        out.push(b' ');
        self.write_time(row.modified, out);
        out.push(b' ');
        names.write(row.name, out);
        if let Some(target) = row.target {
            out.extend(b" -> ");
            names.write(target, out);
        }
        out.extend(b"\r\n");
    }

    fn write_time(&self, modified: SystemTime, out: &mut Vec<u8>) {
        let stamp = Timestamp::try_from(modified).unwrap_or(Timestamp::UNIX_EPOCH);
        let at = self.zone.to_datetime(stamp);
        let month = MONTHS[usize::from(at.month().unsigned_abs().clamp(1, 12)) - 1];
        let recent = self
            .now
            .duration_since(modified)
            .is_ok_and(|age| age < SIX_MONTHS);
        let two = |part: i8, fill, out: &mut Vec<u8>| {
            write_number(u64::from(part.unsigned_abs()), 2, fill, out);
        };
        out.extend(month.as_bytes());
        out.push(b' ');
        two(at.day(), b' ', out);
        out.push(b' ');
        if recent {
            two(at.hour(), b'0', out);
            out.push(b':');
            two(at.minute(), b'0', out);
        } else {
            write_number(u64::from(at.year().unsigned_abs()), 5, b' ', out);
        }
    }
}

/// Appends a number, filled on its left to `width`: a directory has many of them, and the general
/// formatter takes most of a listing's own time.
fn write_number(mut number: u64, width: usize, fill: u8, out: &mut Vec<u8>) {
    let mut digits = [fill; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(&digits[first.min(digits.len().saturating_sub(width))..]);
}

/// Returns the ten letters: kind and permissions.
fn mode_word(kind: Kind, mode: u32) -> [u8; 10] {
    let mut word = *b"-rwxrwxrwx";
    word[0] = match kind {
        Kind::Dir => b'd',
        Kind::Link => b'l',
        Kind::File | Kind::Other => b'-',
    };
    for (i, letter) in word[1..].iter_mut().enumerate() {
        if mode & (0o400 >> i) == 0 {
            *letter = b'-';
        }
    }
    for (bit, place, letter) in [(0o4000, 3, b's'), (0o2000, 6, b's'), (0o1000, 9, b't')] {
        if mode & bit != 0 {
            let runs = word[place] == b'x';
            word[place] = if runs {
                letter
            } else {
                letter.to_ascii_uppercase()
            };
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: &Row<'_>, zone: TimeZone) -> String {
        let now = crate::protocol::stamp::parse(b"20241123160000").unwrap();
        let mut out = Vec::new();
        Lister::new(now, zone).write(row, &Names::new(None), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn row(modified: &str) -> Row<'_> {
        Row {
            kind: Kind::File,
            mode: 0o644,
            links: 1,
            owner: "ftp",
            group: "ftp",
            size: 1234,
            modified: crate::protocol::stamp::parse(modified.as_bytes()).unwrap(),
            name: "a b",
            target: None,
        }
    }

    #[test]
    fn a_line_looks_like_ls() {
        assert_eq!(
            line(&row("20241103010203"), TimeZone::UTC),
            "-rw-r--r--    1 ftp      ftp              1234 Nov  3 01:02 a b\r\n"
        );
    }

    #[test]
    fn old_and_future_files_show_their_year() {
        assert!(line(&row("20240301000000"), TimeZone::UTC).contains("Mar  1  2024 a b"));
        assert!(line(&row("20240601000000"), TimeZone::UTC).contains("Jun  1 00:00 a b"));
        assert!(line(&row("20241124000000"), TimeZone::UTC).contains("Nov 24  2024 a b"));
    }

    #[test]
    fn numbers_fill_their_width_and_are_never_cut() {
        let write = |number, width, fill| {
            let mut out = Vec::new();
            write_number(number, width, fill, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(write(0, 2, b'0'), "00");
        assert_eq!(write(7, 3, b' '), "  7");
        assert_eq!(write(1234, 2, b' '), "1234");
        assert_eq!(write(u64::MAX, 13, b' '), u64::MAX.to_string());
    }

    #[test]
    fn times_are_local() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        assert!(line(&row("20241103200000"), zone).contains("Nov  4 04:00"));
    }

    #[test]
    fn links_show_their_target_and_modes_their_letters() {
        let mut link = row("20241103010203");
        link.kind = Kind::Link;
        link.target = Some("c");
        assert!(line(&link, TimeZone::UTC).ends_with("a b -> c\r\n"));
        assert_eq!(&mode_word(Kind::Dir, 0o1777), b"drwxrwxrwt");
        assert_eq!(&mode_word(Kind::Link, 0o4644), b"lrwSr--r--");
    }
}
