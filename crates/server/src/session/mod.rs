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
mod urgency;
pub(crate) mod wire;

use std::{
    collections::VecDeque,
    future::pending,
    io,
    net::{SocketAddr, TcpStream},
    pin::pin,
    sync::Arc,
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub(crate) use end::{FAILED, NO_LOGIN, STOPS};
pub(crate) use meaning::Meaning;
pub(crate) use running::{Answer, Asking, Ending, Running, last_look};
pub(crate) use state::{Login, Session, no_thread, refusal};

use crate::{
    admit::Ticket,
    auth::Gate,
    code,
    data::PassivePorts,
    protocol::{
        Reply, command,
        line::{Line, LineReader},
    },
    snapshot::Snapshot,
    status::Seat,
    verbs, vigil,
};
use end::End;
use outside::Outside;
use running::Came;
use urgency::{Urgency, urgency};
use wire::Wire;

/// Lines kept while something runs; more stay unread in the socket.
const MOST_HELD: usize = 32;
/// Lines that are looked through for an ABOR before a file takes its name.
const MOST_LOOKED_AT: usize = 256;
/// Unusable lines that end a session.
const MOST_BAD_LINES: u32 = 5;

/// What woke the loop.
enum Woken {
    Read(std::io::Result<usize>),
    Ended(Ending),
    /// A whole upload asks whether it may take its name.
    Asked(std::time::Instant),
    Kicked,
    Stopped,
    Killed,
    Late,
}

/// The session with its control connection.
struct Talk {
    wire: Wire,
    lines: LineReader,
    held: VecDeque<Line>,
    running: Option<Running>,
    linger: Option<Arc<TcpStream>>,
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
    // Synch (RFC 854) comes as urgent data: it belongs into the stream, where Telnet is read.
    if let Err(error) = socket2::SockRef::from(&stream).set_out_of_band_inline(true) {
        debug!(%error, "urgent data stays out of line");
    }
    let kicked = seat.kicked();
    let deadline = Instant::now() + snapshot.config.timeouts.login;
    let session = Session::new((peer, local), snapshot, gate, seat, ports);
    let mut talk = Talk {
        wire: Wire::Plain(stream),
        lines: LineReader::default(),
        held: VecDeque::new(),
        running: None,
        linger: None,
        session,
        bad_lines: 0,
        deadline,
        stop,
        kill,
        kicked,
        is_leaving: false,
    };
    let end = match talk.live().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    talk.end(end).await;
    drop(ticket);
}

impl Talk {
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
            match woken {
                Woken::Read(Ok(n)) if n > 0 => {
                    let answers = self.lines.take_answers();
                    if !answers.is_empty() {
                        self.write(&answers).await?;
                    }
                }
                // After QUIT a client may close its side, without a word of TLS or before it has read all
                // replies (a reset) too, and still get its file.
                Woken::Read(read) if is_end(&read) && self.is_leaving && self.running.is_some() => {
                    self.finish_last().await?;
                }
                Woken::Read(Ok(_)) => return Err(End::Closed),
                Woken::Read(Err(_)) => return Err(End::Gone),
                Woken::Ended(ending) => self.ended(ending).await?,
                Woken::Asked(until) => self.look_once_more(until).await?,
                Woken::Kicked => return Err(self.is_kicked()),
                Woken::Stopped | Woken::Killed => return Err(End::stopped()),
                Woken::Late => return Err(self.is_late()),
            }
        }
    }

    /// Ends a session that has more to say, but no time or place for it any more.
    fn ensure_wanted(&self) -> Result<(), End> {
        if self.kill.is_cancelled() || self.stop.is_cancelled() && self.running.is_none() {
            return Err(End::stopped());
        }
        if self.kicked.is_cancelled() {
            return Err(self.is_kicked());
        }
        if self.session.login.is_none() && Instant::now() >= self.deadline {
            return Err(self.is_late());
        }
        Ok(())
    }

    fn is_kicked(&self) -> End {
        End::goodbye(self.session.seat.kick_reason())
    }

    fn is_late(&self) -> End {
        End::goodbye(match self.session.login {
            Some(_) => "No command for too long; goodbye",
            None => NO_LOGIN,
        })
    }

    async fn wake(&mut self, outside: &mut Outside<'_, '_>) -> Woken {
        let may_read = self.held.len() < MOST_HELD;
        let is_idle = self.running.is_none();
        // Whoever never stops sending would never be found late below.
        if self.session.login.is_none() && is_idle && Instant::now() >= self.deadline {
            return Woken::Late;
        }
        loop {
            outside.be_early(self.deadline);
            return tokio::select! {
                biased;
                () = outside.killed.as_mut() => Woken::Killed,
                () = outside.kicked.as_mut() => Woken::Kicked,
                came = run(&mut self.running) => match came {
                    Came::Ended(ending) => Woken::Ended(ending),
                    Came::Asked(until) => Woken::Asked(until),
                },
                () = outside.stopped.as_mut(), if is_idle => Woken::Stopped,
                read = self.wire.read(&mut self.lines), if may_read => Woken::Read(read),
                () = outside.alarm.as_mut(), if is_idle => {
                    if Instant::now() < self.deadline {
                        outside.alarm.as_mut().reset(self.deadline);
                        continue;
                    }
                    Woken::Late
                }
            };
        }
    }

    /// Returns the next line whose turn it is. While something runs, these are the urgent ones
    /// only, and only as long as nothing waits before them: replies come in the order of the lines.
    fn next_line(&mut self) -> Option<Line> {
        if self.running.is_none() {
            let line = self.held.pop_front();
            if self.held.is_empty() {
                self.held = VecDeque::new();
            }
            return line.or_else(|| self.lines.next_line());
        }
        self.hold_lines(MOST_HELD)
    }

    /// Puts lines by, up to so many, while something runs.
    fn hold_lines(&mut self, most: usize) -> Option<Line> {
        while self.held.len() < most {
            let line = self.lines.next_line()?;
            match urgency(&line) {
                Urgency::Now if self.held.is_empty() => return Some(line),
                Urgency::Abort => {
                    self.abort();
                    self.held.push_back(line);
                }
                Urgency::Last => {
                    self.is_leaving = true;
                    self.held.push_back(line);
                }
                Urgency::Now | Urgency::None => self.held.push_back(line),
            }
        }
        None
    }

    fn abort(&mut self) {
        if let Some(running) = &self.running {
            running.brake.pull();
            self.session.aborted = true;
        }
    }

    async fn take(&mut self, line: Line) -> Result<(), End> {
        if self.running.is_none() {
            self.put_off_deadline();
        }
        let bytes = match line {
            Line::Text(bytes) => bytes,
            Line::TooLong => return self.bad_line("Line too long").await,
            Line::Nul => return self.bad_line("A line cannot hold a NUL").await,
        };
        let answer = self.answer(&bytes).await;
        if self.running.is_none() {
            // A login ends the login's limit, and a slow command is not the client's silence.
            self.put_off_deadline();
        }
        self.carry_out(answer).await
    }

    async fn bad_line(&mut self, why: &'static str) -> Result<(), End> {
        self.bad_lines += 1;
        if self.bad_lines >= MOST_BAD_LINES {
            return Err(End::goodbye("Too many lines that are not FTP; goodbye"));
        }
        self.say(&Reply::new(code::UNKNOWN, why)).await
    }

    async fn answer(&mut self, line: &[u8]) -> Answer {
        let (verb, _) = command::split(line);
        let parsed = command::parse(line);
        if let Some(running) = &self.running {
            return verbs::help::while_running(&self.session, running, &verb).into();
        }
        debug!(verb = %crate::log::shown(&verb), "command");
        self.session.seat.command(verbs::shown_verb(&verb));
        // Boxed: the largest verb's state is not carried by sessions that wait.
        Box::pin(verbs::obey(&mut self.session, &verb, parsed)).await
    }
}

fn is_end(read: &io::Result<usize>) -> bool {
    match read {
        Ok(count) => *count == 0,
        Err(error) => matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        ),
    }
}

async fn run(running: &mut Option<Running>) -> Came {
    match running {
        Some(running) => running.go_on().await,
        None => pending().await,
    }
}
