//! `ls -l` lines: `-rw-r--r--. 1 ann dom users 5 Mar  1 10:00 name`.
//!
//! Owner and group may hold spaces, so the date is looked for and all else hangs on it: the size
//! is the word before it, the name what follows it after one space.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};

use super::{DAY, Line, MINUTE, facts::time_of};
use crate::remote::{Entry, Kind, names::Codec};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Reads one line.
pub(super) fn parse(codec: &Codec, line: &[u8], now: SystemTime) -> Line {
    let words = words(line);
    if is_total(line, &words) {
        return Line::Total;
    }
    let Some(&(_, first)) = words.first() else {
        return Line::Nothing;
    };
    let Some((kind, mode)) = permissions(first) else {
        return Line::Unreadable;
    };
    let Some(date) = (3..words.len().min(16)).find_map(|at| date_at(&words, at, now)) else {
        return Line::Unreadable;
    };
    let at = date.at;
    let Some(&(start, word)) = words.get(at + date.length - 1) else {
        return Line::Unreadable;
    };
    let Some(rest) = line.get(start + word.len() + 1..) else {
        return Line::Unreadable;
    };
    let (name, target) = if kind == Kind::Link {
        split_link(rest)
    } else {
        (rest, None)
    };
    Line::named(codec, name, |name| {
        let mut entry = Entry::new(name, kind);
        entry.size = words[at - 1].1.parse().ok().filter(|_| kind != Kind::Other);
        entry.modified = Some(date.time);
        entry.precision = date.precision;
        entry.mode = mode;
        let word_before = |index: usize, least: usize| {
            let word = words.get(index).filter(|_| at >= least);
            word.map(|word| word.1.to_owned())
        };
        entry.owner = word_before(2, 4);
        entry.group = word_before(3, 5);
        entry.target = target.map(|target| codec.decode(target));
        entry
    })
}

/// Splits at spaces, with the byte offset of each word; words that are no UTF-8 are empty.
fn words(line: &[u8]) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut at = 0;
    for part in line.split(|byte| *byte == b' ').take(64) {
        if !part.is_empty() {
            words.push((at, std::str::from_utf8(part).unwrap_or_default()));
        }
        at += part.len() + 1;
    }
    words
}

/// `total 12`, in any language: two words, the second a number.
fn is_total(line: &[u8], words: &[(usize, &str)]) -> bool {
    let number = words
        .get(1)
        .is_some_and(|word| word.1.bytes().all(|byte| byte.is_ascii_digit()));
    words.len() == 2 && number && !line.starts_with(b"-") && permissions(words[0].1).is_none()
}

/// `drwxr-xr-x`, perhaps with `.`, `+` or `@` behind.
fn permissions(word: &str) -> Option<(Kind, Option<u32>)> {
    let bytes = word.as_bytes();
    let kind = match bytes.first()? {
        b'-' => Kind::File,
        b'd' => Kind::Dir,
        b'l' => Kind::Link,
        b'b' | b'c' | b'p' | b's' | b'D' => Kind::Other,
        _ => return None,
    };
    let bits = bytes.get(1..10)?;
    let mut mode = 0;
    for (index, byte) in bits.iter().enumerate() {
        let bit = 0o400 >> index;
        let special = 0o4000 >> (index / 3);
        match byte {
            b'-' => {}
            b'r' | b'w' | b'x' => mode |= bit,
            b's' | b't' => mode |= bit | special,
            b'S' | b'T' => mode |= special,
            _ => return None,
        }
    }
    Some((kind, Some(mode)))
}

/// A date among the words of a line.
struct Date {
    /// The word that it begins at.
    at: usize,
    /// How many words it has.
    length: usize,
    time: SystemTime,
    precision: Duration,
}

/// Looks for a date that begins at word `at`.
fn date_at(words: &[(usize, &str)], at: usize, now: SystemTime) -> Option<Date> {
    let date = |length, time, precision| Date {
        at,
        length,
        time,
        precision,
    };
    let word = |index: usize| words.get(at + index).map(|word| word.1);
    let before = words.get(at.checked_sub(1)?)?.1;
    // The size, or the minor number of a device.
    if before.is_empty() || !before.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some((year, month, day)) = word(0).and_then(iso_date) {
        let (hour, minute) = clock(word(1)?)?;
        // `--full-time` has a zone as third word.
        let zone = word(2).is_some_and(|zone| {
            zone.len() == 5 && zone.starts_with(['+', '-']) && zone[1..].parse::<u16>().is_ok()
        });
        let time = time_of(year, month, day, hour, minute, 0)?;
        return Some(date(if zone { 3 } else { 2 }, time, MINUTE));
    }
    let (month, day) = match (word(0).and_then(month), word(1).and_then(month)) {
        (Some(month), _) => (month, day(word(1)?)?),
        (None, Some(month)) => (month, day(word(0)?)?),
        (None, None) => return None,
    };
    let last = word(2)?;
    if let Some((hour, minute)) = clock(last) {
        let time = latest_before(now, month, day, hour, minute)?;
        return Some(date(3, time, MINUTE));
    }
    let year = last
        .parse()
        .ok()
        .filter(|year| (1900..=9999).contains(year))?;
    Some(date(3, time_of(year, month, day, 0, 0, 0)?, DAY))
}

/// `ls` leaves the year out for the last half year: the newest such day that is not after
/// tomorrow is meant (the server's clock or zone may be ahead).
fn latest_before(now: SystemTime, month: i8, day: i8, hour: i8, minute: i8) -> Option<SystemTime> {
    let year = Timestamp::try_from(now)
        .ok()?
        .to_zoned_datetime(TimeZone::UTC)
        .year();
    let limit = now + DAY;
    [year + 1, year, year - 1, year - 2, year - 3, year - 4]
        .into_iter()
        .filter_map(|year| time_of(year, month, day, hour, minute, 0))
        .find(|time| *time <= limit)
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| *month == word)?;
    i8::try_from(at + 1).ok()
}

fn day(word: &str) -> Option<i8> {
    word.parse().ok().filter(|day| (1..=31).contains(day))
}

fn clock(word: &str) -> Option<(i8, i8)> {
    let mut parts = word.split(':');
    let hour = parts
        .next()?
        .parse()
        .ok()
        .filter(|hour| (0..24).contains(hour))?;
    let minute = parts
        .next()?
        .parse()
        .ok()
        .filter(|minute| (0..60).contains(minute))?;
    Some((hour, minute))
}

fn iso_date(word: &str) -> Option<(i16, i8, i8)> {
    let mut parts = word.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((year, month, day))
}

/// `name -> target`; with several arrows the last is taken, since a target that holds one is
/// rarer than a name that does, and neither can be told.
fn split_link(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    const ARROW: &[u8] = b" -> ";
    match rest
        .windows(ARROW.len())
        .rposition(|window| window == ARROW)
    {
        Some(at) => (&rest[..at], Some(&rest[at + ARROW.len()..])),
        None => (rest, None),
    }
}
