//! RETR, REST, ABOR, and what every transfer of a file has. `upload` has the other direction.

use std::{
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

use ftp_config::SharePath;
use tokio::time::timeout;
use tracing::{Span, info, warn};

use super::{
    block,
    dial::{Channel, Dial, Moved, Opened, broken_reply},
};
use crate::{
    code,
    data::{
        Brake,
        inline::{self, Sent},
        meter::{Broken, Meter},
        pump,
        text::ToWire,
    },
    log,
    protocol::Reply,
    session::{
        Answer, Ending, Running, Session,
        disk::{self, Kept},
    },
    share::{Download, Home},
    status::Direction,
};

/// How long the 226 of a restarted download waits for its client to close the data connection.
const LONGEST_GOODBYE: Duration = Duration::from_secs(1);

pub(super) fn rest(session: &mut Session, offset: u64) -> Result<Reply, Reply> {
    check_offset(session, offset)?;
    session.restart = Some(offset);
    let words = format!("The next transfer begins at {offset}");
    Ok(Reply::new(code::NEED_MORE, words))
}

/// With text conversion on, a byte's place on the wire is not its place in the file. To be asked again
/// by the transfer: TYPE may stand before it.
pub(super) fn check_offset(session: &Session, offset: u64) -> Result<(), Reply> {
    if offset > 0 && session.is_ascii && session.snapshot.config.server.ascii_conversion {
        return Err(Reply::new(code::NOT_FOR_PARAMETER, "REST is for TYPE I"));
    }
    Ok(())
}

/// Reached when nothing runs any more: a transfer that this ABOR stopped has been answered by 426.
pub(super) fn abor(session: &mut Session) -> Reply {
    session.hang_up();
    if std::mem::take(&mut session.aborted) {
        Reply::new(code::DONE, "Aborted")
    } else {
        Reply::new(code::NOTHING_TO_ABORT, "Nothing to abort")
    }
}

/// One transfer's facts for its ending.
pub(super) struct Job {
    verb: &'static str,
    pub(super) path: SharePath,
    home: Home,
    began: Instant,
    pub(super) stalled: Duration,
    /// `A` where the client has said so: it may convert line ends itself, and the file is another then.
    text: Option<&'static str>,
    span: Span,
}

impl Job {
    pub(super) fn new(
        verb: &'static str,
        path: SharePath,
        session: &Session,
        stalled: Duration,
    ) -> Result<Self, Reply> {
        Ok(Self {
            verb,
            path,
            home: session.home()?,
            began: Instant::now(),
            stalled,
            text: session.is_ascii.then_some("A"),
            span: Span::current(),
        })
    }

    /// Logs, counts, and makes the reply.
    pub(super) fn report(&self, meter: Meter, moved: Result<Reply, Reply>) -> Reply {
        let whole = moved.is_ok();
        let (Ok(reply) | Err(reply)) = moved;
        let bytes = meter.brake.bytes();
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let path = log::whole(self.home.account().in_share(&self.path).as_str());
        let reason = (!whole).then(|| log::whole(&reply.text()));
        let (verb, text, code) = (self.verb, self.text, reply.code());
        // What the disk says is for whoever looks after it.
        if matches!(
            code,
            code::LOCAL_ERROR | code::NO_ROOM | code::OVER_ALLOCATION
        ) {
            warn!(parent: &self.span, verb, path, bytes, ms, whole, r#type = text, reply = code, reason, "transfer ends");
        } else {
            info!(parent: &self.span, verb, path, bytes, ms, whole, r#type = text, reply = code, reason, "transfer ends");
        }
        if let (true, Some(moving)) = (whole, meter.moving) {
            moving.complete(&self.path);
        }
        reply
    }
}

/// Enters a transfer in the live table, under the limits in force.
pub(super) fn metered(
    session: &Session,
    dial: &Dial,
    direction: Direction,
    path: &SharePath,
    size: Option<u64>,
) -> Meter {
    Meter {
        brake: Arc::clone(&dial.brake),
        moving: Some(session.seat.begin(direction, path, size)),
        throttle: session.seat.throttle(direction),
    }
}

pub(super) async fn retr(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    let restart = session.restart.take();
    let offset = restart.unwrap_or(0);
    Dial::check(session)?;
    check_offset(session, offset)?;
    let converts = converts(session)?;
    let path = session.existing(name).await?;
    let opened = path.clone();
    let download = session
        .on_home(move |home| home.open_read(&opened, offset))
        .await?;
    let size = download.meta.size.saturating_sub(offset);
    let dial = Dial::take(session, Direction::Down);
    let meter = metered(session, &dial, Direction::Down, &path, Some(size));
    let job = Job::new("RETR", path, session, dial.stalled)?;
    let first = opening(session, &dial, name, Some(size));
    let brake = Arc::clone(&dial.brake);
    let file = Sending {
        download: Kept::new(download),
        size,
        converts,
        restarts: restart.is_some(),
    };
    let work = Box::pin(async move { send(dial, file, meter, job).await });
    let what = [b"RETR ", name].concat();
    let running = Running {
        work,
        brake,
        what,
        size: Some(size),
        look: None,
    };
    Ok(Answer::Send(first, running))
}

/// Tells whether line ends are converted.
pub(super) fn converts(session: &Session) -> Result<bool, Reply> {
    let converts = session.is_ascii && session.snapshot.config.server.ascii_conversion;
    if converts && session.is_block {
        return Err(Reply::new(code::NOT_FOR_PARAMETER, "MODE B is for TYPE I"));
    }
    Ok(converts)
}

/// RFC 959 §5.4: 226 closes the data connection, 250 leaves it open.
pub(super) fn done(is_kept: bool, words: impl Into<Vec<u8>>) -> Reply {
    let code = if is_kept { code::FILE_OK } else { code::DONE };
    Reply::new(code, words)
}

/// Old clients read the size out of the parentheses.
pub(super) fn opening(session: &Session, dial: &Dial, name: &[u8], size: Option<u64>) -> Reply {
    let kind = if session.is_ascii { "ASCII" } else { "BINARY" };
    let code = dial.first_code();
    let what = match code {
        code::ALREADY_OPEN => "Using the open",
        _ => "Opening",
    };
    let mut text = format!("{what} {kind} mode data connection for ").into_bytes();
    text.extend(name);
    if let Some(size) = size {
        text.extend(format!(" ({size} bytes)").as_bytes());
    }
    Reply::new(code, text)
}

/// What a RETR sends.
struct Sending {
    download: Kept<Download>,
    size: u64,
    converts: bool,
    /// REST came before it, if only with 0.
    restarts: bool,
}

impl Sending {
    /// Whether the 226 waits for the client's end of the data connection. aria2 says REST before each RETR
    /// and takes one reply out of what it reads at once: a 226 that came together with the 150 of a small
    /// file would be lost to it, and it would wait a minute for another. It speaks no TLS.
    fn waits_behind(&self, channel: &Channel) -> bool {
        self.restarts && self.size <= inline::SMALL && matches!(channel, Channel::Plain(_))
    }
}

async fn send(dial: Dial, file: Sending, meter: Meter, job: Job) -> Ending {
    let (size, converts) = (file.size, file.converts);
    let mut waits = false;
    let moved = match dial.open().await {
        Ok(Opened::Stream(channel)) => {
            waits = file.waits_behind(&channel);
            send_through(channel, file, meter, job.stalled).await
        }
        Ok(Opened::Block(linked)) => {
            let download = file.download.into_inner();
            block::send_file(linked, download, size, meter, job.stalled).await
        }
        Err(reply) => {
            file.download.end().await;
            return job.report(meter, Err(reply)).into();
        }
    };
    let Moved {
        bytes,
        meter,
        linger,
        spent,
        is_kept,
    } = moved;
    if let (true, Ok(_), Some(socket)) = (waits, &bytes, &linger) {
        until_closed(socket, &meter.brake).await;
    }
    let reply = match bytes {
        Ok(sent) if sent < size && !converts => Err(Reply::new(
            code::LOCAL_ERROR,
            "The file became shorter while it was sent",
        )),
        Ok(_) => Ok(done(is_kept, "Transfer complete")),
        Err(broken) => Err(broken_reply(&broken, job.stalled)),
    };
    Ending {
        reply: job.report(meter, reply),
        linger,
        spent,
        stored: None,
    }
}

/// Waits until the client has closed its end, for so long at most.
async fn until_closed(socket: &TcpStream, brake: &Brake) {
    let watched = socket.try_clone().and_then(|socket| {
        socket.set_nonblocking(true)?;
        tokio::net::TcpStream::from_std(socket)
    });
    let Ok(watched) = watched else { return };
    tokio::select! {
        () = brake.pulled() => {}
        _ = timeout(LONGEST_GOODBYE, watched.readable()) => {}
    }
}

async fn send_through(channel: Channel, file: Sending, meter: Meter, stalled: Duration) -> Moved {
    let mut before = 0;
    let is_inline = !file.converts && !file.waits_behind(&channel);
    let Sending {
        download,
        size,
        converts,
        ..
    } = file;
    let download = download.into_inner();
    let channel = match channel {
        Channel::Plain(socket)
            if is_inline && meter.throttle.is_unlimited() && disk::is_quick() =>
        {
            match inline::send_file(socket, &download.file, size, &meter) {
                Ok(Sent::Whole(bytes)) => return moved(Ok(bytes), meter),
                Ok(Sent::Part(bytes, socket)) => {
                    before = bytes;
                    Channel::Plain(socket)
                }
                Err(broken) => return moved(Err(broken), meter),
            }
        }
        other => other,
    };
    let mut rest = channel
        .on_thread(stalled, meter, move |conduit, meter| {
            let file = &download.file;
            if !converts {
                return pump::send_file(conduit, file, meter);
            }
            let (mut text, mut read) = (ToWire::default(), Vec::new());
            pump::send_blocks(conduit, meter, &mut |block| {
                read.clear();
                pump::fill(file, &mut read)?;
                text.convert(&read, block);
                Ok(())
            })
        })
        .await;
    rest.bytes = rest.bytes.map(|bytes| bytes + before);
    rest
}

pub(super) fn moved(bytes: Result<u64, Broken>, meter: Meter) -> Moved {
    Moved {
        bytes,
        meter,
        linger: None,
        spent: None,
        is_kept: false,
    }
}
