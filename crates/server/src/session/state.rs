//! What a session remembers between commands.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ftp_config::{SharePath, server::TlsMode};
use tracing::{debug, info, warn};

use super::disk;
use crate::{
    account::Account,
    auth::Gate,
    code,
    data::{PassivePorts, Pending, link::Slot},
    hands,
    protocol::{Names, Reply, facts::Choice},
    share::{Algorithm, Committed, Home, ShareError},
    snapshot::Snapshot,
    status::Seat,
    tls::OneSession,
};

/// Turns a refusal of the share into its reply, and tells the log.
pub(crate) fn refusal(error: &ShareError, names: &Names) -> Reply {
    let (code, text) = error.reply();
    let (reason, hint) = (crate::log::whole(&text), error.hint());
    match error {
        ShareError::Io { .. } => warn!(reply = code, %reason, hint, "refused"),
        // `ftpc` asks in this way how much is kept of an upload. Nothing has failed.
        ShareError::Offset { .. } => debug!(reply = code, %reason, hint, "refused"),
        _ => info!(reply = code, %reason, hint, "refused"),
    }
    Reply::new(code, names.bytes(&text))
}

/// The reply to what may take long, and would hold up other sessions.
pub(crate) fn no_thread() -> Reply {
    Reply::new(code::LOCAL_ERROR, hands::NO_THREAD)
}

/// The reply to what only a user may do, who is not in yet.
pub(crate) fn not_logged_in() -> Reply {
    Reply::new(code::NOT_LOGGED_IN, "Please log in with USER and PASS")
}

/// Who is in, after a login.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) account: Arc<Account>,
    pub(crate) home: Home,
}

/// One client's session, without its sockets.
#[derive(Debug)]
pub(crate) struct Session {
    // What it was given.
    pub(crate) peer: IpAddr,
    pub(crate) local: IpAddr,
    /// The network of link-local addresses; 0 for others.
    pub(crate) scope: u32,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) seat: Seat,
    pub(crate) ports: Arc<PassivePorts>,

    // Login.
    pub(crate) user: Option<String>,
    pub(crate) login: Option<Login>,
    pub(crate) failures: u32,

    // Security.
    pub(crate) is_tls: bool,
    pub(crate) has_pbsz: bool,
    /// PROT P.
    pub(crate) is_private: bool,
    /// The set-ups of this session alone: its data connections must resume by them.
    pub(crate) own_tls: Option<OneSession>,

    // Files.
    pub(crate) cwd: SharePath,
    pub(crate) rename_from: Option<SharePath>,
    /// REST, for the next transfer only.
    pub(crate) restart: Option<u64>,
    /// The last upload: its time may be set without the right to change files.
    pub(crate) stored: Option<Committed>,
    /// ALLO, for the next upload only.
    pub(crate) announced: Option<u64>,

    // Data connection.
    pub(crate) pending: Option<Pending>,
    /// A port was asked for since one was last opened ahead.
    pub(crate) is_passive: bool,
    /// Downloads and listings so far.
    pub(crate) fetched: u8,
    pub(crate) epsv_all: bool,
    /// MODE B.
    pub(crate) is_block: bool,
    /// In MODE B, the data connection that the next transfer uses again.
    pub(crate) slot: Slot,

    // How things are said.
    pub(crate) is_ascii: bool,
    pub(crate) facts: Choice,
    pub(crate) digest: Algorithm,
    pub(crate) names: Names,
    /// The client is lftp, by its own word (CLNT): see `verbs/upload`.
    pub(crate) is_lftp: bool,
    /// An ABOR has stopped a transfer and waits for its turn to be answered.
    pub(crate) aborted: bool,
}

impl Session {
    /// Begins the session of a client: nobody is in, and everything is as RFC 959 §5.1 has it first.
    pub(crate) fn new(
        (peer, local): (SocketAddr, SocketAddr),
        snapshot: Arc<Snapshot>,
        gate: Arc<Gate>,
        seat: Seat,
        ports: Arc<PassivePorts>,
    ) -> Self {
        Self {
            peer: peer.ip().to_canonical(),
            local: local.ip().to_canonical(),
            scope: match local {
                SocketAddr::V6(local) => local.scope_id(),
                SocketAddr::V4(_) => 0,
            },
            names: Names::new(snapshot.config.names.fallback),
            snapshot,
            gate,
            seat,
            ports,
            user: None,
            login: None,
            failures: 0,
            is_tls: false,
            has_pbsz: false,
            is_private: false,
            own_tls: None,
            cwd: SharePath::root(),
            rename_from: None,
            restart: None,
            stored: None,
            announced: None,
            pending: None,
            is_passive: false,
            fetched: 0,
            epsv_all: false,
            is_block: false,
            slot: Slot::default(),
            is_ascii: true,
            facts: Choice::default(),
            digest: Algorithm::Sha256,
            is_lftp: false,
            aborted: false,
        }
    }

    /// Returns the home, or the reply for those who have none yet.
    pub(crate) fn home(&self) -> Result<Home, Reply> {
        match &self.login {
            Some(login) => Ok(login.home.clone()),
            None => Err(not_logged_in()),
        }
    }

    /// Closes what was open for the next transfer.
    pub(crate) fn hang_up(&mut self) {
        self.pending = None;
        self.slot.close();
    }

    /// Ends the login, if there is one; its place under the account's cap is free again.
    pub(crate) fn log_out(&mut self) {
        if self.login.take().is_some() {
            self.seat.leave();
        }
        self.hang_up();
        self.stored = None;
        self.announced = None;
    }

    /// Forgets whatever was said so far: somebody on the way may have said it.
    pub(crate) fn forget(&mut self) {
        self.user = None;
        self.log_out();
        self.slot.close();
        self.rename_from = None;
        self.restart = None;
        self.aborted = false;
        (self.epsv_all, self.is_block, self.is_ascii) = (false, false, true);
        self.facts = Choice::default();
        self.digest = Algorithm::Sha256;
        self.names = Names::new(self.snapshot.config.names.fallback);
    }

    /// Tells whether data must be encrypted.
    pub(crate) fn demands_privacy(&self) -> bool {
        self.snapshot.config.tls.mode == TlsMode::Required
    }

    /// Runs a short act on the home.
    pub(crate) async fn on_home<T, F>(&self, work: F) -> Result<T, Reply>
    where
        T: Send + 'static,
        F: FnOnce(&Home) -> Result<T, ShareError> + Send + 'static,
    {
        let home = self.home()?;
        disk::act(move || work(&home))
            .await
            .map_err(|e| self.refuse(&e))
    }

    /// Runs an act on the home that changes names, and may wait until the disk has them.
    pub(crate) async fn on_home_forced<T, F>(&self, work: F) -> Result<T, Reply>
    where
        T: Send + 'static,
        F: FnOnce(&Home) -> Result<T, ShareError> + Send + 'static,
    {
        let home = self.home()?;
        let done = match home.forces_names() {
            true => disk::force(move || work(&home)).await,
            false => disk::act(move || work(&home)).await,
        };
        done.map_err(|error| self.refuse(&error))
    }

    /// Runs an act on the home that may wait for other sessions.
    pub(crate) async fn on_home_thread<T, F>(&self, work: F) -> Result<T, Reply>
    where
        T: Send + 'static,
        F: FnOnce(&Home) -> Result<T, ShareError> + Send + 'static,
    {
        let home = self.home()?;
        match hands::on_thread(move || work(&home)).await {
            Some(done) => done.map_err(|error| self.refuse(&error)),
            None => Err(no_thread()),
        }
    }

    /// Tells the log what this session has changed.
    pub(crate) fn changed(&self, verb: &'static str, path: &SharePath, to: Option<&SharePath>) {
        if let Some(login) = &self.login {
            login.home.tell_change(verb, path, to);
            if matches!(verb, "DELE" | "RMD" | "RNTO") {
                login.home.note_gone(path);
            }
        }
    }

    /// Turns a refusal of the share into its reply, and tells the log.
    pub(crate) fn refuse(&self, error: &ShareError) -> Reply {
        refusal(error, &self.names)
    }
}
