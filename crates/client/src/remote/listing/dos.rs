//! Lines of DOS `dir`, as IIS sends them: `01-23-24  10:15PM       <DIR>          name`.

use super::{Line, MINUTE, facts::time_of};
use crate::remote::{Entry, Kind, names::Codec};

/// Reads one line.
pub(super) fn parse(codec: &Codec, line: &[u8]) -> Line {
    let Some((date, rest)) = next_word(line) else {
        return Line::Unreadable;
    };
    let Some((clock, rest)) = next_word(rest) else {
        return Line::Unreadable;
    };
    let Some((what, rest)) = next_word(rest) else {
        return Line::Unreadable;
    };
    let time = parse_date(date).and_then(|(year, month, day)| {
        let (hour, minute) = parse_clock(clock)?;
        time_of(year, month, day, hour, minute, 0)
    });
    let Some(time) = time else {
        return Line::Unreadable;
    };
    let (kind, size, name) = match what {
        // The column of names is padded behind `<DIR>`.
        "<DIR>" => (Kind::Dir, None, rest.trim_ascii_start()),
        "<JUNCTION>" | "<SYMLINKD>" | "<SYMLINK>" => (Kind::Link, None, rest.trim_ascii_start()),
        digits => match digits.replace(',', "").parse() {
            Ok(size) => (
                Kind::File,
                Some(size),
                rest.strip_prefix(b" ").unwrap_or(rest),
            ),
            Err(_) => return Line::Unreadable,
        },
    };
    Line::named(codec, name, |name| {
        let mut entry = Entry::new(name, kind);
        entry.size = size;
        entry.modified = Some(time);
        entry.precision = MINUTE;
        entry
    })
}

/// Takes the next word; the rest begins with the space behind it.
fn next_word(line: &[u8]) -> Option<(&str, &[u8])> {
    let line = line.trim_ascii_start();
    let end = line
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(line.len());
    let word = std::str::from_utf8(&line[..end]).ok()?;
    (!word.is_empty()).then_some((word, &line[end..]))
}

/// `MM-DD-YY`, `MM-DD-YYYY`, or `YYYY-MM-DD`; `/` as well as `-`.
fn parse_date(text: &str) -> Option<(i16, i8, i8)> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let [first, second, third] = parts.as_slice() else {
        return None;
    };
    if first.len() == 4 {
        return Some((
            first.parse().ok()?,
            second.parse().ok()?,
            third.parse().ok()?,
        ));
    }
    let year: i16 = third.parse().ok().filter(|year| *year >= 0)?;
    let year = match (third.len(), year) {
        (2, 0..=69) => year + 2000,
        (2, _) => year + 1900,
        _ => year,
    };
    Some((year, first.parse().ok()?, second.parse().ok()?))
}

/// `10:15PM`, `22:15`.
fn parse_clock(text: &str) -> Option<(i8, i8)> {
    let upper = text.to_ascii_uppercase();
    let (digits, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (upper.as_str(), None),
    };
    let (hour, minute) = digits.split_once(':')?;
    let hour: i8 = hour.parse().ok().filter(|hour| (0..24).contains(hour))?;
    let minute: i8 = minute
        .parse()
        .ok()
        .filter(|minute| (0..60).contains(minute))?;
    match half {
        // `00:00AM` is no time of day, and said all the same.
        Some(_) if hour > 12 => None,
        Some(half) => Some((hour % 12 + half, minute)),
        None => Some((hour, minute)),
    }
}
