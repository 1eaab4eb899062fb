//! Rows as columns for people: `ftpd who` and `ftpd status`. Pure.

use std::fmt::Write;

use super::{
    row::{MovingRow, Row},
    wire::Status,
};
use crate::{direction::Direction, log::shown};

/// Prints the live table; `now_unix` is the present in seconds since 1970.
#[must_use]
pub fn who(rows: &[Row], now_unix: u64) -> String {
    if rows.is_empty() {
        return "nobody is here\n".to_owned();
    }
    let mut lines = vec![["ID", "USER", "FROM", "FOR", "TLS", "DOES"].map(str::to_owned)];
    for row in rows {
        let user = row.user.as_deref().map_or("-".to_owned(), shown);
        let since = span(now_unix.saturating_sub(row.since_unix));
        let tls = if row.tls { "yes" } else { "no" };
        let does = row
            .moving
            .first()
            .map_or_else(|| idle(&row.command), moving);
        let from = row.peer.to_string();
        lines.push([row.id.to_string(), user, from, since, tls.to_owned(), does]);
    }
    columns(&lines)
}

fn idle(command: &str) -> String {
    if command.is_empty() {
        "-".to_owned()
    } else {
        shown(command)
    }
}

fn moving(row: &MovingRow) -> String {
    let way = match row.direction {
        Direction::Down => "get",
        Direction::Up => "put",
    };
    let mut text = format!("{way} {} {}", shown(&row.path), bytes(row.bytes));
    if let Some(size) = row.size {
        let _ = write!(text, " of {}", bytes(size));
    }
    let _ = write!(text, ", {}/s", bytes(row.bytes_per_sec));
    if let Some(eta) = row.eta_secs {
        let _ = write!(text, ", {} left", span(eta));
    }
    text
}

/// Prints the state of a server.
#[must_use]
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| push_line(&mut text, name, &value);
    line(
        "ftpd",
        format!("{}, process {}", status.version, status.pid),
    );
    line("up", span(status.up_secs));
    if let Some(config) = &status.config {
        line("config", config.clone());
    }
    line("listening", status.listening.join(", "));
    line("share", status.share.clone());
    if let Some(why) = &status.strayed {
        line("", why.clone());
    }
    line("users", status.users.join(", "));
    line("engine", status.engine.clone());
    push_counts(&mut text, status);
    let mut line = |name: &str, value: String| push_line(&mut text, name, &value);
    let certificate = match &status.certificate {
        Some(cert) => {
            let left = match cert.days_left {
                days @ 0.. => format!("{days} days left"),
                _ => "expired".to_owned(),
            };
            format!("{left}, SHA-256 {}", cert.fingerprint)
        }
        None => "none: TLS is off".to_owned(),
    };
    line("certificate", certificate);
    for lock in &status.locks {
        let (user, left) = (shown(&lock.user), span(lock.left_secs));
        let address = &lock.address;
        line("locked", format!("{user} from {address}, {left} left"));
    }
    if let Some(error) = &status.last_reload_error {
        line("last reload", format!("refused: {error}"));
    }
    text
}

fn push_line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<12} {value}");
}

/// What is going on, and what has been since the start.
fn push_counts(text: &mut String, status: &Status) {
    let totals = &status.totals;
    let mut line = |name: &str, value: String| push_line(text, name, &value);
    let cap = match status.max_clients {
        0 => String::new(),
        cap => format!(" of {cap}"),
    };
    line(
        "sessions",
        format!("{}{cap}, {} files moving", status.sessions, status.moving),
    );
    line(
        "since start",
        format!(
            "{} sessions, {} refused; {} logins, {} failed",
            totals.sessions, totals.refused, totals.logins, totals.failed_logins
        ),
    );
    line(
        "transfers",
        format!(
            "{} down ({}), {} up ({}), {} incomplete",
            totals.downloads,
            bytes(totals.bytes_down),
            totals.uploads,
            bytes(totals.bytes_up),
            totals.incomplete
        ),
    );
}

fn columns<const N: usize>(lines: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells: Vec<_> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Prints a number of bytes with three digits: `1.46 GiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// Prints seconds as `5s`, `3m 20s`, `2h 05m` or `4d 3h`.
#[must_use]
pub fn span(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m {:02}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h {:02}m", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d {}h", secs / 86_400, secs % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_shows_what_moves() {
        let row = |id, user: Option<&str>, moving| Row {
            id,
            peer: "192.168.1.7:40000".parse().unwrap(),
            user: user.map(str::to_owned),
            since_unix: 1000,
            tls: true,
            command: "LIST".to_owned(),
            moving,
        };
        let file = MovingRow {
            direction: Direction::Up,
            path: "/a b\n.iso".to_owned(),
            bytes: 3 << 20,
            size: Some(12 << 20),
            elapsed_ms: 1500,
            bytes_per_sec: 2 << 20,
            eta_secs: Some(4),
        };
        let rows = [row(7, Some("ann"), vec![file]), row(12, None, vec![])];
        insta::assert_snapshot!(who(&rows, 1065), @r"
        ID  USER  FROM               FOR     TLS  DOES
        7   ann   192.168.1.7:40000  1m 05s  yes  put /a b\n.iso 3.00 MiB of 12.0 MiB, 2.00 MiB/s, 4s left
        12  -     192.168.1.7:40000  1m 05s  yes  LIST
        ");
        assert_eq!(who(&[], 0), "nobody is here\n");
    }

    #[test]
    fn bytes_and_spans_read_well() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.00 KiB");
        assert_eq!(bytes(1023 << 10), "1.00 MiB");
        assert_eq!(bytes(u64::MAX), "16384 PiB");
        let spans = [0, 59, 61, 3725, 90_061].map(span);
        assert_eq!(spans, ["0s", "59s", "1m 01s", "1h 02m", "1d 1h"]);
    }
}
