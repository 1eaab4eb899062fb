//! One client's session: the loop that selects over commands, the transfer's end, deadlines, the
//! kick and the stop.
//!
//! `engine::native` calls [`serve`]; `verbs` does what the commands say. While something runs, NOOP,
//! bare STAT and ABOR are answered at once, every other line waits its turn, so that pipelined
//! commands are answered in order.

mod carry;
pub(crate) mod disk;
mod end;
mod meaning;
mod outside;
pub(crate) mod running;
pub(crate) mod state;
mod turn;
mod urgency;
mod wake;
pub(crate) mod wire;

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpStream},
    pin::pin,
    sync::Arc,
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub(crate) use end::{FAILED, NO_LOGIN, STOPS};
pub(crate) use meaning::Meaning;
pub(crate) use running::{Answer, Asking, Ending, May, Running, last_look};
pub(crate) use state::{Login, Session, no_thread, not_logged_in, refusal};

use crate::{
    admit::Ticket,
    auth::Gate,
    code,
    data::{PassivePorts, pump::Drain},
    protocol::{
        Reply,
        line::{Line, LineReader},
    },
    snapshot::Snapshot,
    status::Seat,
    vigil,
};
use end::End;
use outside::Outside;
use wake::{Woken, is_end};
use wire::Wire;

/// Lines kept while something runs; more stay unread in the socket.
const MOST_HELD: usize = 32;
/// Lines that are looked through for an ABOR before a file takes its name.
const MOST_LOOKED_AT: usize = 256;

/// The session with its control connection.
struct Talk {
    wire: Wire,
    lines: LineReader,
    held: VecDeque<Line>,
    running: Option<Running>,
    linger: Option<Arc<TcpStream>>,
    drain: Option<Drain>,
    session: Session,
    bad_lines: u32,
    deadline: Instant,
    stop: CancellationToken,
    kill: CancellationToken,
    kicked: CancellationToken,
    /// QUIT was read while something runs: the client may close its side now.
    is_leaving: bool,
}

/// What a session is given beside its socket.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) seat: Seat,
    pub(crate) ticket: Ticket,
    pub(crate) stop: CancellationToken,
    pub(crate) kill: CancellationToken,
    pub(crate) ports: Arc<PassivePorts>,
}

/// Speaks FTP on a socket that does not block, until the session ends.
pub(crate) async fn serve(stream: TcpStream, arrival: Arrival) {
    let stream = match tokio::net::TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return debug!(%error, "connection lost early"),
    };
    // Synch (RFC 854) comes as urgent data: it belongs into the stream, where Telnet is read.
    if let Err(error) = socket2::SockRef::from(&stream).set_out_of_band_inline(true) {
        debug!(%error, "urgent data stays out of line");
    }
    let (mut talk, ticket) = Talk::new(stream, arrival);
    let end = match talk.live().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    talk.end(end).await;
    drop(ticket);
}

impl Talk {
    fn new(stream: tokio::net::TcpStream, arrival: Arrival) -> (Self, Ticket) {
        let Arrival {
            peer,
            local,
            snapshot,
            gate,
            seat,
            ticket,
            stop,
            kill,
            ports,
        } = arrival;
        let kicked = seat.kicked();
        let deadline = Instant::now() + snapshot.config.timeouts.login;
        let session = Session::new((peer, local), snapshot, gate, seat, ports);
        let talk = Self {
            wire: Wire::Plain(stream),
            lines: LineReader::default(),
            held: VecDeque::new(),
            running: None,
            linger: None,
            drain: None,
            session,
            bad_lines: 0,
            deadline,
            stop,
            kill,
            kicked,
            is_leaving: false,
        };
        (talk, ticket)
    }

    /// Lives until the session ends; the end is the only way out.
    async fn live(&mut self) -> Result<std::convert::Infallible, End> {
        let greeting = Reply::new(
            code::READY,
            self.session.snapshot.config.server.greeting.clone(),
        );
        self.say(&greeting).await?;
        let (kill, kicked, stop) = (self.kill.clone(), self.kicked.clone(), self.stop.clone());
        let killed = pin!(kill.cancelled());
        let kicked = pin!(kicked.cancelled());
        let stopped = pin!(stop.cancelled());
        let alarm = pin!(sleep_until(self.deadline));
        let mut outside = Outside {
            killed,
            kicked,
            stopped,
            alarm,
        };
        loop {
            while let Some(line) = self.next_line() {
                self.ensure_wanted()?;
                self.take(line).await?;
            }
            let woken = self.wake(&mut outside).await;
            vigil::note(self.session.seat.id());
            self.heed(woken).await?;
        }
    }

    async fn heed(&mut self, woken: Woken) -> Result<(), End> {
        match woken {
            Woken::Read(Ok(n)) if n > 0 => {
                let answers = self.lines.take_answers();
                match answers.is_empty() {
                    true => Ok(()),
                    false => self.write(&answers).await,
                }
            }
            // After QUIT a client may close its side, without a word of TLS or before it has read all
            // replies (a reset) too, and still get its file, if that is a new one.
            Woken::Read(read) if is_end(&read) && self.is_leaving && self.running.is_some() => {
                self.finish_last().await
            }
            Woken::Read(Ok(_)) => Err(End::Closed),
            Woken::Read(Err(_)) => Err(End::Gone),
            Woken::Ended(ending) => self.ended(ending).await,
            Woken::Asked(until) => self.look_once_more(until).await,
            Woken::Kicked => Err(self.is_kicked()),
            Woken::Stopped | Woken::Killed => Err(End::stopped()),
            Woken::Late => Err(self.is_late()),
        }
    }
}
