//! The rows of the server's table: what is measured, in which unit, and which way is better.

use anyhow::Result;

use crate::{
    measure::{bulk, crowd, idle, list, login, noop, small},
    peers::{Place, Server},
    scale::Scale,
};

/// Which way bytes move, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// RETR.
    Get,
    /// STOR.
    Put,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// One big file a stream.
    Bulk {
        /// RETR or STOR.
        way: Way,
        /// Over TLS.
        tls: bool,
        /// Sessions at once.
        streams: usize,
    },
    /// Many small files.
    Small {
        /// RETR or STOR.
        way: Way,
        /// Sessions at once.
        sessions: usize,
    },
    /// Connect, USER, PASS, QUIT.
    Login {
        /// Over TLS.
        tls: bool,
    },
    /// A directory of many names, listed whole.
    List {
        /// Which of the two sizes.
        large: bool,
    },
    /// Memory of an idle logged-in session.
    Idle {
        /// Over TLS.
        tls: bool,
    },
    /// Many sessions that download 1 MiB at once.
    Crowd,
    /// The middle NOOP round trip.
    NoopMiddle,
    /// The 99th of 100 NOOP round trips.
    NoopTail,
    /// From start to greeting.
    Ready,
}

/// What one measurement gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// In the row's unit.
    pub(crate) value: f64,
    /// Server CPU seconds per GiB, or per 10,000 small files.
    pub(crate) cpu: Option<f64>,
    /// Sessions that failed.
    pub(crate) errors: usize,
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        Self {
            value,
            cpu: None,
            errors: 0,
        }
    }
}

impl Row {
    /// Every row, in the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        for tls in [false, true] {
            for way in [Way::Get, Way::Put] {
                for streams in [1, 4] {
                    rows.push(Self::Bulk { way, tls, streams });
                }
            }
        }
        for sessions in [1, 8] {
            for way in [Way::Get, Way::Put] {
                rows.push(Self::Small { way, sessions });
            }
        }
        rows.extend([Self::Login { tls: false }, Self::Login { tls: true }]);
        rows.extend([Self::List { large: false }, Self::List { large: true }]);
        rows.extend([Self::Idle { tls: false }, Self::Idle { tls: true }]);
        rows.extend([Self::Crowd, Self::NoopMiddle, Self::NoopTail, Self::Ready]);
        rows
    }

    /// The row's name, as `--only` takes it.
    pub(crate) fn name(self) -> String {
        let way = |way| if way == Way::Get { "retr" } else { "stor" };
        let kind = |tls| if tls { "tls" } else { "plain" };
        match self {
            Self::Bulk {
                way: w,
                tls,
                streams,
            } => format!("{}-{}-{streams}", way(w), kind(tls)),
            Self::Small { way: w, sessions } => format!("small-{}-{sessions}", way(w)),
            Self::Login { tls } => format!("login-{}", kind(tls)),
            Self::List { large: false } => "list".to_owned(),
            Self::List { large: true } => "list-large".to_owned(),
            Self::Idle { tls } => format!("idle-{}", kind(tls)),
            Self::Crowd => "crowd".to_owned(),
            Self::NoopMiddle => "noop-p50".to_owned(),
            Self::NoopTail => "noop-p99".to_owned(),
            Self::Ready => "ready".to_owned(),
        }
    }

    /// The unit of its values.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Bulk { .. } => "MB/s",
            Self::Small { .. } => "files/s",
            Self::Login { .. } => "logins/s",
            Self::List { .. } | Self::Ready => "ms",
            Self::Idle { .. } => "KiB/session",
            Self::Crowd => "s",
            Self::NoopMiddle | Self::NoopTail => "us",
        }
    }

    /// Whether a greater value is the better one.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(
            self,
            Self::Bulk { .. } | Self::Small { .. } | Self::Login { .. }
        )
    }

    /// Whether one round tells all: memory does not spread.
    pub(crate) fn is_steady(self) -> bool {
        matches!(self, Self::Idle { .. })
    }

    /// Whether a bare `sendfile` loop has its turn in each round: what a plain download can cost at least.
    pub(crate) fn has_bare_loop(self) -> bool {
        matches!(
            self,
            Self::Bulk {
                way: Way::Get,
                tls: false,
                ..
            }
        )
    }

    /// Measures the row once on a running server.
    pub(crate) fn measure(self, place: &Place, server: &Server, scale: &Scale) -> Result<Sample> {
        match self {
            Self::Bulk { way, tls, streams } => bulk(place, server, scale, way, tls, streams),
            Self::Small { way, sessions } => small(place, server, scale, way, sessions),
            Self::Login { tls } => login(server, scale, tls),
            Self::List { large } => list(server, scale, large),
            Self::Idle { tls } => idle(server, scale, tls),
            Self::Crowd => crowd(server, scale),
            Self::NoopMiddle => noop(server, scale, 0.5),
            Self::NoopTail => noop(server, scale, 0.99),
            Self::Ready => Ok((server.ready_after.as_secs_f64() * 1e3).into()),
        }
    }
}
