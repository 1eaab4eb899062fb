//! A session that speaks FTP: one command at a time, under a limit, never out of step.
//!
//! The only rooms that name suppaftp are this one, `connect` and `tls`. Of it we use the low
//! half: sockets, framing, the data-connection dance. Replies, listings, errors are ours.

mod act;
mod bare;
mod block;
mod blocks;
mod clock;
mod commands;
mod data;
mod dial;
mod early;
mod exchange;
mod hash;
mod health;
mod link;
mod list;
mod mode;
mod open;
mod open_bare;
mod open_block;
mod parting;
mod quoted;
mod records;
mod reply;
mod reuse;
mod splice;
mod stall;
mod stat;
mod times;
mod told;

use std::{
    os::fd::{AsFd as _, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use suppaftp::FtpError;
use tokio::sync::Mutex;

use self::{
    act::Act,
    dial::{DialNote, Passive},
    early::Shakes,
    health::Health,
    mode::BlockMode,
    stat::NoSize,
};
use super::{
    Abilities, HashAlgorithm, SessionFacts,
    connect::{Deadlines, WireTrace},
    names::Codec,
    tls::FtpStream,
};
use crate::error::RemoteError;

pub(crate) use self::reply::flaw_of;
pub(super) use self::{
    exchange::broken,
    reply::{check_line, parse as parse_reply},
    reuse::ReuseWatch,
};

/// The control connection; a transfer in block mode reads its last reply from it.
type Control = Arc<Mutex<FtpStream>>;

/// One FTP session.
pub(super) struct FtpRemote {
    /// Which session of this process it is.
    number: u64,
    stream: Control,
    control: Arc<OwnedFd>,
    codec: Arc<Codec>,
    deadlines: Deadlines,
    trace: Option<WireTrace>,
    health: Health,
    note: Arc<DialNote>,
    passive: Passive,
    shakes: Shakes,
    reuse: ReuseWatch,
    pub(super) block: BlockMode,
    pub(super) abilities: Abilities,
    pub(super) facts: SessionFacts,
    dir: Option<String>,
    set_time: times::SetTime,
    times_refused: u32,
    hash_set: Option<HashAlgorithm>,
    mlst_refused: bool,
    mlsd_refused: bool,
    /// A listing of this session had the line with the total that `ls -l` begins with.
    lists_totals: bool,
    no_size: NoSize,
    /// Whether SIZE answers for directories; `None`: not asked yet.
    sizes_dirs: Option<bool>,
    clock: clock::Clock,
    undo: quoted::Undo,
}

/// Returns a second handle to the socket of the control connection.
async fn control_of(stream: &FtpStream) -> Result<OwnedFd, RemoteError> {
    let cloned = stream.get_ref().await.as_fd().try_clone_to_owned();
    cloned.map_err(|source| RemoteError::Io {
        verb: "connect".to_owned(),
        source,
    })
}

/// Makes the library dial data connections as we do, and leave a note of it.
fn dialling_through(note: &Arc<DialNote>, stream: FtpStream, limit: Duration) -> FtpStream {
    let note = Arc::clone(note);
    let mut stream = stream.passive_stream_builder(move |address| {
        let note = Arc::clone(&note);
        Box::pin(async move {
            let connected = note.connect(address, limit).await;
            connected.map_err(FtpError::ConnectionError)
        })
    });
    // The address in a 227 is never believed: it may be private, or somebody else's.
    stream.set_passive_nat_workaround(true);
    stream
}

impl FtpRemote {
    /// Takes over a connection that is logged in.
    pub(super) async fn new(
        stream: FtpStream,
        codec: Arc<Codec>,
        deadlines: Deadlines,
        trace: Option<WireTrace>,
        reuse: ReuseWatch,
    ) -> Result<Self, RemoteError> {
        let note = Arc::new(DialNote::default());
        let stream = dialling_through(&note, stream, deadlines.data_connect);
        let control = Arc::new(control_of(&stream).await?);
        static SESSIONS: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            number: SESSIONS.fetch_add(1, Ordering::Relaxed),
            stream: Arc::new(Mutex::new(stream)),
            control,
            codec,
            deadlines,
            trace,
            health: Health::default(),
            note,
            passive: Passive::Extended,
            shakes: Shakes::Late,
            reuse,
            block: BlockMode::default(),
            abilities: Abilities::default(),
            facts: SessionFacts::default(),
            dir: None,
            set_time: times::SetTime::Unknown,
            times_refused: 0,
            hash_set: None,
            mlst_refused: false,
            mlsd_refused: false,
            lists_totals: false,
            no_size: NoSize::default(),
            sizes_dirs: None,
            clock: clock::Clock::Unknown,
            undo: quoted::Undo::default(),
        })
    }

    fn give_up<T>(&self, error: RemoteError) -> Result<T, RemoteError> {
        if !matches!(error, RemoteError::BadName { .. }) {
            self.health.broken();
        }
        Err(error)
    }
}
