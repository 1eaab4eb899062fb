//! The Prometheus text endpoint: `GET /metrics` on a loopback address, and nothing else of HTTP.

use std::{fmt::Write, io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tracing::debug;

use super::{
    registry::Registry,
    totals::{Durations, Totals},
};
use crate::{direction::Direction, shutdown::Life};

const LONGEST_REQUEST_BYTES: usize = 8 << 10;
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// Answers until the stop.
pub async fn serve(listener: TcpListener, registry: Registry, life: Life) {
    let stop = life.stop();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let registry = registry.clone();
                life.spawn(async move {
                    let answered = answer(stream, &registry);
                    if let Ok(Err(error)) = tokio::time::timeout(REQUEST_TIME, answered).await {
                        debug!(%error, "metrics request not answered");
                    }
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, registry: &Registry) -> io::Result<()> {
    let mut request = Vec::new();
    let mut block = [0; 1024];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") && request.len() < LONGEST_REQUEST_BYTES {
        match stream.read(&mut block).await? {
            0 => break,
            n => request.extend_from_slice(&block[..n]),
        }
    }
    let first = request.split(|b| *b == b'\r').next().unwrap_or_default();
    let mut words = first.split(|b| *b == b' ');
    let (method, path) = (words.next(), words.next());
    let (status, body) = match (method, path) {
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", text(registry)),
        (Some(b"GET"), _) => ("404 Not Found", "see /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET only\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Prints every metric in the text format.
#[must_use]
pub fn text(registry: &Registry) -> String {
    let totals = registry.totals();
    let mut out = String::new();
    gauge(&mut out, "ftpd_sessions", "Sessions now.", registry.len());
    let moving = registry.moving();
    gauge(&mut out, "ftpd_transfers", "Files on the move now.", moving);
    counter(
        &mut out,
        "ftpd_connections_total",
        "Connections by outcome.",
        &[
            ("outcome=\"admitted\"", totals.sessions.get()),
            ("outcome=\"refused\"", totals.refused.get()),
        ],
    );
    counter(
        &mut out,
        "ftpd_logins_total",
        "Login attempts by outcome.",
        &[
            ("outcome=\"accepted\"", totals.logins.get()),
            ("outcome=\"refused\"", totals.failed_logins.get()),
        ],
    );
    transfers(&mut out, totals);
    out
}

fn transfers(out: &mut String, totals: &Totals) {
    let (down, up) = (
        totals.transfers(Direction::Down),
        totals.transfers(Direction::Up),
    );
    counter(
        out,
        "ftpd_bytes_total",
        "Bytes moved by direction.",
        &[
            ("direction=\"down\"", down.bytes.get()),
            ("direction=\"up\"", up.bytes.get()),
        ],
    );
    counter(
        out,
        "ftpd_transfers_total",
        "Ended transfers by direction and outcome.",
        &[
            (
                "direction=\"down\",outcome=\"complete\"",
                down.complete.get(),
            ),
            (
                "direction=\"down\",outcome=\"incomplete\"",
                down.incomplete.get(),
            ),
            ("direction=\"up\",outcome=\"complete\"", up.complete.get()),
            (
                "direction=\"up\",outcome=\"incomplete\"",
                up.incomplete.get(),
            ),
        ],
    );
    durations(out, &[("down", &down.durations), ("up", &up.durations)]);
}

/// The histogram of how long transfers took, by direction.
fn durations(out: &mut String, directions: &[(&str, &Durations)]) {
    let name = "ftpd_transfer_duration_seconds";
    let _ = writeln!(out, "# HELP {name} How long transfers took.");
    let _ = writeln!(out, "# TYPE {name} histogram");
    for (direction, durations) in directions {
        let count = durations.count();
        for (bound, n) in durations.cumulative() {
            let _ = writeln!(
                out,
                "{name}_bucket{{direction=\"{direction}\",le=\"{bound}\"}} {n}"
            );
        }
        let _ = writeln!(
            out,
            "{name}_bucket{{direction=\"{direction}\",le=\"+Inf\"}} {count}"
        );
        let sum = durations.sum_secs();
        let _ = writeln!(out, "{name}_sum{{direction=\"{direction}\"}} {sum}");
        let _ = writeln!(out, "{name}_count{{direction=\"{direction}\"}} {count}");
    }
}

fn gauge(out: &mut String, name: &str, help: &str, value: usize) {
    let _ = writeln!(
        out,
        "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"
    );
}

fn counter(out: &mut String, name: &str, help: &str, rows: &[(&str, u64)]) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
    for (labels, value) in rows {
        let _ = writeln!(out, "{name}{{{labels}}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftp_config::SharePath;

    #[test]
    fn every_line_is_a_comment_or_a_name_and_a_number() {
        let registry = Registry::default();
        let seat = registry.seat("10.0.0.1:1".parse().unwrap());
        let moving = seat.begin(Direction::Down, &SharePath::root(), None);
        moving.add(42);
        moving.complete(&SharePath::root());
        let text = text(&registry);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("ftpd_"), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
        assert!(text.contains("ftpd_bytes_total{direction=\"down\"} 42\n"));
        assert!(text.contains("outcome=\"complete\"} 1\n"));
        assert!(text.contains("ftpd_sessions 1\n"));
    }
}
