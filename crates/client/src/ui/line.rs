//! One file on the screen: its line and its bar.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    escape::{fit, shown},
    rate::Rate,
    table,
};
use crate::event::Direction;

pub(super) struct File {
    pub(super) line: Option<ProgressBar>,
    pub(super) name: String,
    pub(super) size: Option<u64>,
    pub(super) direction: Direction,
    pub(super) bytes: u64,
    pub(super) rate: Rate,
}

/// Returns a name as it is shown, with the one that it gets, if that is another one.
pub(super) fn named(name: &str, becomes: Option<&str>) -> String {
    match becomes {
        Some(other) => format!("{} → {}", shown(name), shown(other)),
        None => shown(name),
    }
}

/// Makes a line that shows what it is told, and nothing yet.
pub(super) fn blank_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(super) fn file_line(file: &File, now: Instant, columns: usize) -> String {
    let left = file.size.and_then(|size| size.checked_sub(file.bytes));
    let percent = match file.size {
        Some(size) if size > 0 => format!("{:>3}%", (file.bytes.min(size) * 100) / size),
        _ => "    ".to_owned(),
    };
    let tail = match columns {
        ..60 => format!("{percent} {}", file.rate.words(now, None)),
        _ => format!(
            "{percent} {}{:>10}  {}",
            bar(file, columns),
            table::size(file.bytes),
            file.rate.words(now, left)
        ),
    };
    let room = columns.saturating_sub(tail.chars().count() + 5).max(8);
    format!("{} {} {tail}", arrow(file.direction), fit(&file.name, room))
}

/// A bar only where there is room for one.
pub(super) fn bar(file: &File, columns: usize) -> String {
    let Some(size) = file.size.filter(|size| *size > 0 && columns >= 100) else {
        return String::new();
    };
    let full = (file.bytes.min(size) * 20 / size) as usize;
    format!("[{}{}] ", "=".repeat(full), " ".repeat(20 - full))
}

pub(super) fn arrow(direction: Direction) -> char {
    match direction {
        Direction::Up => '↑',
        Direction::Down => '↓',
    }
}

/// Columns of the screen; fewer than 40 say nothing.
pub(super) fn console_width() -> u16 {
    rustix::termios::tcgetwinsize(std::io::stderr()).map_or(80, |size| size.ws_col.max(40))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_fits_the_terminal() {
        use unicode_width::UnicodeWidthStr as _;
        let now = Instant::now();
        let mut file = File {
            line: None,
            name: "a rather long name of a film that does not fit anywhere at all.mkv".repeat(2),
            size: Some(1 << 30),
            direction: Direction::Down,
            bytes: 300 << 20,
            rate: Rate::new(now, 0),
        };
        file.rate.update(now + Duration::from_secs(1), 300 << 20);
        for columns in [40, 60, 80, 120] {
            let line = file_line(&file, now + Duration::from_secs(1), columns);
            assert!(line.width() < columns, "{}: {line}", line.width());
            assert!(line.starts_with("↓ a rat"), "{line}");
        }
    }
}
