//! Answers what is asked on the status socket, from the live table and the current snapshot.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use ftp_config::Word as _;
use tokio::{sync::mpsc, time::sleep};
use tracing::info;

use crate::{
    direction::Direction,
    hands,
    log::shown,
    reload::Reloader,
    status::{
        socket::Desk,
        wire::{Answer, CertificateRow, LockRow, Request, Status, TotalsRow},
    },
    tls::selfsigned,
};

/// How often, and for how long at most, it is looked whether those who were told to leave have left.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const LOOKS: u32 = 60;

const KICKED: &str = "The session was ended by the operator";

/// The daemon's side of `ftpd who`, `status`, `kick`, `unlock` and `reload`.
#[derive(Debug)]
pub struct FrontDesk {
    /// When the server started.
    pub started: Instant,
    /// Addresses listened on.
    pub addresses: Vec<SocketAddr>,
    /// Everything else hangs on it.
    pub reloader: Arc<Reloader>,
    /// Told after a reload asked for here, so that the watched files are looked up again.
    pub reloaded: mpsc::Sender<()>,
}

#[async_trait]
impl Desk for FrontDesk {
    async fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Who => Answer::Who {
                sessions: self.reloader.registry.rows(),
            },
            Request::Status => Answer::Status(Box::new(self.status())),
            Request::Kick { target } => self.kick(&target).await,
            Request::Unlock { user } => self.unlock(user.as_deref()),
            Request::Reload => self.reload().await,
        }
    }
}

impl FrontDesk {
    async fn kick(&self, target: &str) -> Answer {
        let registry = &self.reloader.registry;
        let before = registry.leaving();
        let by_number = target.parse().is_ok_and(|id| registry.kick(id, KICKED));
        let ended = match by_number {
            true => 1,
            false => registry.kick_user(target, KICKED),
        };
        info!(target = %shown(target), ended, "sessions ended by the operator");
        let sessions = match ended {
            0 => {
                let text = format!("no session and no user `{}` is here", shown(target));
                return Answer::Refused { text };
            }
            1 => "1 session".to_owned(),
            n => format!("{n} sessions"),
        };
        match self.have_left(before).await {
            true => done(format!("{sessions} ended")),
            false => done(format!(
                "{sessions} told to leave; what waits for the disk ends when that answers"
            )),
        }
    }

    /// Waits a moment until no more than `before` are on their way out.
    async fn have_left(&self, before: usize) -> bool {
        for _ in 0..LOOKS {
            if self.reloader.registry.leaving() <= before {
                return true;
            }
            sleep(LOOK_AGAIN).await;
        }
        false
    }

    fn unlock(&self, user: Option<&str>) -> Answer {
        let fallen = self.reloader.guard.lockout().unlock(user, Instant::now());
        info!(fallen, "lock-outs lifted by the operator");
        match fallen {
            0 => done("nobody was locked out; failures are forgotten"),
            1 => done("1 lock-out lifted"),
            n => done(format!("{n} lock-outs lifted")),
        }
    }

    async fn reload(&self) -> Answer {
        let reloader = Arc::clone(&self.reloader);
        let result = hands::patiently("a reload", hands::run(move |_| reloader.reload())).await;
        let _ = self.reloaded.try_send(());
        match result {
            Ok(report) if report.is_partial() => Answer::Refused {
                text: report.to_string(),
            },
            Ok(report) => done(report.to_string()),
            Err(error) => Answer::Refused {
                text: format!("the old configuration stays: {error}"),
            },
        }
    }

    fn status(&self) -> Status {
        let reloader = &self.reloader;
        let snapshot = reloader.holder.current();
        let config = &snapshot.config;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            config: reloader.path.as_ref().map(|p| p.display().to_string()),
            up_secs: self.started.elapsed().as_secs(),
            listening: self.addresses.iter().map(ToString::to_string).collect(),
            share: config.share.root.display().to_string(),
            users: snapshot.accounts.names(),
            engine: config.server.engine.word().to_owned(),
            sessions: reloader.registry.len() as u64,
            moving: reloader.registry.moving() as u64,
            max_clients: config.limits.max_clients,
            totals: self.totals(),
            certificate: self.certificate(),
            locks: self.locks(),
            reloads: reloader.history.done(),
            last_reload_error: reloader.history.last_error(),
            strayed: snapshot.told_strayed().map(str::to_owned),
        }
    }

    fn totals(&self) -> TotalsRow {
        let totals = self.reloader.registry.totals();
        let (down, up) = (
            totals.transfers(Direction::Down),
            totals.transfers(Direction::Up),
        );
        TotalsRow {
            sessions: totals.sessions.get(),
            refused: totals.refused.get(),
            logins: totals.logins.get(),
            failed_logins: totals.failed_logins.get(),
            downloads: down.complete.get(),
            bytes_down: down.bytes.get(),
            uploads: up.complete.get(),
            bytes_up: up.bytes.get(),
            incomplete: down.incomplete.get() + up.incomplete.get(),
        }
    }

    fn certificate(&self) -> Option<CertificateRow> {
        let snapshot = self.reloader.holder.current();
        let facts = snapshot.certificate.as_ref()?;
        Some(CertificateRow {
            days_left: selfsigned::days_until(facts.not_after_unix, SystemTime::now()),
            not_after_unix: facts.not_after_unix,
            fingerprint: facts.fingerprint.clone(),
        })
    }

    fn locks(&self) -> Vec<LockRow> {
        let locks = self.reloader.guard.lockout().locks(Instant::now());
        locks
            .into_iter()
            .map(|lock| LockRow {
                user: lock.name,
                address: lock.address.to_string(),
                left_secs: lock.left.as_secs(),
            })
            .collect()
    }
}

fn done(text: impl Into<String>) -> Answer {
    Answer::Done { text: text.into() }
}
