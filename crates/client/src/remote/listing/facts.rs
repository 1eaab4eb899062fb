//! MLSx facts (RFC 3659 §7): `type=file;size=5;modify=20240102030405; name`.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::Line;
use crate::remote::{Entry, Kind, RemoteName, names::Codec};

/// Reads one line of MLSD.
pub(super) fn parse(codec: &Codec, line: &[u8]) -> Line {
    // §7.2: the name begins after the first space; facts hold none.
    let Some(space) = line.iter().position(|byte| *byte == b' ') else {
        return Line::Unreadable;
    };
    let (facts, name) = (&line[..space], &line[space + 1..]);
    let has_facts = facts.is_empty() || (facts.ends_with(b";") && facts.contains(&b'='));
    if !has_facts {
        return Line::Unreadable;
    }
    if is_self_or_parent(facts) {
        return Line::Nothing;
    }
    Line::named(codec, name, |name| {
        let fallback = Entry::new(name.clone(), Kind::Other);
        parse_facts(facts, name, false).unwrap_or(fallback)
    })
}

/// Tells whether the facts before the first space say of what kind the entry is.
pub(super) fn tell_kind(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| *byte == b' ');
    let facts = &line[..end.unwrap_or(line.len())];
    facts.split(|byte| *byte == b';').any(|fact| {
        let key = fact.get(..5).unwrap_or_default();
        key.eq_ignore_ascii_case(b"type=")
    })
}

fn is_self_or_parent(facts: &[u8]) -> bool {
    let facts = facts.to_ascii_lowercase();
    facts
        .split(|byte| *byte == b';')
        .any(|fact| fact == b"type=cdir" || fact == b"type=pdir")
}

/// Reads facts up to the first space. `dir_self` takes `cdir` and `pdir` for directories, as MLST
/// answers them. `None`: there is no fact at all.
pub(super) fn parse_facts(line: &[u8], name: RemoteName, dir_self: bool) -> Option<Entry> {
    let end = line
        .iter()
        .position(|byte| *byte == b' ')
        .unwrap_or(line.len());
    let facts = std::str::from_utf8(&line[..end]).ok()?;
    let mut entry = Entry::new(name, Kind::Other);
    let mut any = false;
    for fact in facts.split(';') {
        let Some((key, value)) = fact.split_once('=') else {
            continue;
        };
        any = true;
        take_fact(&mut entry, &key.to_ascii_lowercase(), value, dir_self);
    }
    any.then_some(entry)
}

fn take_fact(entry: &mut Entry, key: &str, value: &str, dir_self: bool) {
    match key {
        "type" => take_type(entry, value, dir_self),
        "size" | "sizd" => entry.size = value.parse().ok(),
        "modify" => entry.modified = parse_time(value),
        "unix.mode" => entry.mode = u32::from_str_radix(value, 8).ok().map(|mode| mode & 0o7777),
        "unix.owner" | "unix.ownername" => entry.owner = Some(value.to_owned()),
        "unix.group" | "unix.groupname" => entry.group = Some(value.to_owned()),
        "unique" => entry.unique = Some(value.to_owned()),
        _ => {}
    }
}

/// `OS.unix=slink:target`, `OS.unix=symlink` (ProFTPD) and kin are links.
fn take_type(entry: &mut Entry, value: &str, dir_self: bool) {
    let lower = value.to_ascii_lowercase();
    entry.kind = match lower.as_str() {
        "file" => Kind::File,
        "dir" => Kind::Dir,
        "cdir" | "pdir" if dir_self => Kind::Dir,
        link if link.starts_with("os.unix=slink") || link.starts_with("os.unix=symlink") => {
            entry.target = value.split_once(':').map(|(_, target)| target.to_owned());
            Kind::Link
        }
        _ => Kind::Other,
    };
}

/// Reads `YYYYMMDDHHMMSS` with an optional fraction, in UTC (RFC 3659 §2.3).
#[must_use]
pub fn parse_time(text: &str) -> Option<SystemTime> {
    let digits = text.get(..14)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|value| i8::try_from(value).ok());
    // A leap second is the last second of its minute.
    let second = small(12)?.min(59);
    time_of(
        number(0, 4)?,
        small(4)?,
        small(6)?,
        small(8)?,
        small(10)?,
        second,
    )
}

/// Makes a time from its parts in UTC; `None` when there is no such day or hour.
pub(super) fn time_of(
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
) -> Option<SystemTime> {
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let stamp = date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
    let seconds = stamp.as_second();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    }
}

/// Writes `YYYYMMDDHHMMSS` in UTC; `None` for times beyond year 9999.
#[must_use]
pub fn format_time(time: SystemTime) -> Option<String> {
    let stamp = Timestamp::try_from(time).ok()?;
    let date = stamp.to_zoned_datetime(TimeZone::UTC);
    (0..=9999).contains(&date.year()).then(|| {
        format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        )
    })
}
