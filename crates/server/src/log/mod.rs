//! Log events: to standard error, as text or JSON, with names from clients made safe.
//!
//! libunftp logs through `log`; its events come in one level lower than it gives them, because its
//! `info` is our `debug`.

mod stderr;
pub mod xferlog;

pub use stderr::flush;

use std::io::{self, IsTerminal};

use ftp_config::{
    server::{LogFormat, LogLevel},
    shown::is_tricky,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::LevelFilter, layer::SubscriberExt, reload,
    util::SubscriberInitExt,
};

/// Changes the level of a running log.
#[derive(Clone)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl std::fmt::Debug for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Level")
    }
}

impl Level {
    /// Sets the least level that is written from now on.
    pub fn set(&self, level: LevelFilter) {
        let _ = self.0.reload(filter(level));
    }
}

/// How the command line changes the level of the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adjust {
    /// How often `-v` was given.
    pub verbose: u8,
    /// Whether `-q` was given.
    pub quiet: bool,
}

/// Returns the level in effect: the file's, moved by `-v` and `-q`.
#[must_use]
pub fn level(file: LogLevel, adjust: Adjust) -> LevelFilter {
    let at_least = match adjust.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let file = match file {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    if adjust.quiet {
        return file.min(LevelFilter::WARN);
    }
    file.max(at_least)
}

/// Our own events at `level`; those of libraries only when something is wrong, or when tracing.
fn filter(level: LevelFilter) -> EnvFilter {
    let others = match level {
        LevelFilter::TRACE => "debug",
        // rustls warns of each client that names an address as a host.
        LevelFilter::DEBUG => "info,rustls=error",
        LevelFilter::OFF => "off",
        _ => "error",
    };
    EnvFilter::new(format!("{others},ftpd={level},mdns_sd=off"))
}

/// Starts logging to stderr; a second call in one process changes nothing and returns `None`.
#[must_use]
pub fn start(format: LogFormat, level: LevelFilter, color: bool) -> Option<Level> {
    let (filter, handle) = reload::Layer::new(filter(level));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(stderr::shared)
        .with_target(false);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
        LogFormat::Text if under_journald() => layer.with_ansi(false).without_time().boxed(),
        LogFormat::Text => layer.with_ansi(color).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .ok()
        .map(|()| Level(handle))
}

/// Tells whether log lines on this stderr may be coloured when `color` is left to us.
#[must_use]
pub fn may_color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// The journal stamps the time itself.
fn under_journald() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal()
}

/// Returns a name from the network as it may be shown: control characters, escape codes and
/// direction marks escaped, at most 80 characters.
#[must_use]
pub fn shown(name: &str) -> String {
    escaped(name, 80)
}

/// Returns a path or a sentence as it may be logged: as [`shown`], but whole, since who reads it must find what
/// it speaks of; at most 8,192 characters.
#[must_use]
pub fn whole(text: &str) -> String {
    escaped(text, 8_192)
}

/// Quotes and backslashes are left to the format: JSON would escape them once more.
fn escaped(text: &str, most: usize) -> String {
    let mut escaped = String::new();
    for c in text.chars().take(most) {
        match is_tricky(c) {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    if text.chars().nth(most).is_some() {
        escaped.push('…');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_move_the_level_of_the_file() {
        let adjust = |verbose, quiet| Adjust { verbose, quiet };
        assert_eq!(level(LogLevel::Info, adjust(0, false)), LevelFilter::INFO);
        assert_eq!(level(LogLevel::Info, adjust(1, false)), LevelFilter::DEBUG);
        assert_eq!(level(LogLevel::Trace, adjust(1, false)), LevelFilter::TRACE);
        assert_eq!(level(LogLevel::Debug, adjust(0, true)), LevelFilter::WARN);
        assert_eq!(level(LogLevel::Error, adjust(0, true)), LevelFilter::ERROR);
    }

    #[test]
    fn names_cannot_forge_lines_or_move_the_cursor() {
        assert_eq!(shown("a\r\nb\u{1b}[2J"), "a\\r\\nb\\u{1b}[2J");
        assert_eq!(shown("\u{202e}txt"), "\\u{202e}txt");
        assert_eq!(shown("图片 é"), "图片 é");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 81);
        assert_eq!(whole("a\n\u{202e}"), "a\\n\\u{202e}");
        assert_eq!(whole(&"x".repeat(4_095)).chars().count(), 4_095);
        assert_eq!(whole(&"x".repeat(9_000)).chars().count(), 8_193);
    }
}
