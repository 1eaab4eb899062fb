//! Numbers and listings as people read them.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};

use super::escape::shown;
use crate::remote::{Entry, Kind};

/// Prints bytes with a unit: `1.4 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Prints a rate; nothing for no time.
#[must_use]
pub fn rate(bytes: u64, took: Duration) -> String {
    let secs = took.as_secs_f64().max(0.001);
    format!("{}/s", size((bytes as f64 / secs) as u64))
}

/// Prints a duration as `1:02:03`, `2:03`, `22 s`, `0.4 s` or `12 ms`.
#[must_use]
pub fn duration(took: Duration) -> String {
    let secs = took.as_secs();
    match secs {
        0 if took.as_millis() < 100 => format!("{} ms", took.as_millis()),
        0..10 => format!("{:.1} s", took.as_secs_f64()),
        10..60 => format!("{secs} s"),
        60..3600 => format!("{}:{:02}", secs / 60, secs % 60),
        _ => format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60),
    }
}

/// Prints a time as `2026-01-31 12:00` in local time.
#[must_use]
pub fn time(time: Option<SystemTime>) -> String {
    let stamp = time.and_then(|time| Timestamp::try_from(time).ok());
    match stamp {
        Some(stamp) => TimeZone::system()
            .to_datetime(stamp)
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        None => " ".repeat(16),
    }
}

/// Prints one entry as a line of `ls -l`.
#[must_use]
pub fn long(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Dir => 'd',
        Kind::Link => 'l',
        Kind::File => '-',
        Kind::Other => '?',
    };
    let mode = entry.mode.map_or_else(|| "?????????".to_owned(), mode);
    let bytes = entry
        .size
        .map_or_else(|| "-".to_owned(), |size| size.to_string());
    let target = entry
        .target
        .as_ref()
        .map(|target| format!(" -> {}", shown(target)));
    format!(
        "{kind}{mode} {bytes:>14} {} {}{}",
        time(entry.modified),
        shown(entry.name.as_str()),
        target.unwrap_or_default()
    )
}

fn mode(bits: u32) -> String {
    let letters = "rwxrwxrwx".chars();
    letters
        .enumerate()
        .map(|(i, c)| if bits & (0o400 >> i) != 0 { c } else { '-' })
        .collect()
}

/// Returns a number with its noun: `1 file`, `2 files`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(1 << 30), "1.0 GiB");
        assert_eq!(size(u64::MAX), "16384.0 PiB");
        assert_eq!(duration(Duration::from_millis(42)), "42 ms");
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(22)), "22 s");
        assert_eq!(duration(Duration::from_secs(125)), "2:05");
        assert_eq!(duration(Duration::from_secs(3661)), "1:01:01");
        assert_eq!(rate(10 << 20, Duration::from_secs(2)), "5.0 MiB/s");
        assert_eq!(mode(0o644), "rw-r--r--");
        assert_eq!(
            (count(1, "file"), count(2, "file")),
            ("1 file".into(), "2 files".into())
        );
    }
}
