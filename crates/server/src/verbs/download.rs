//! RETR. `upload` has the other direction.

use std::{
    fs::File,
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use super::{
    block,
    dial::{Channel, Dial, Moved, Opened, broken_reply},
    goodbye,
    transfer::{Job, check_offset, converts, done, metered, opening},
};
use crate::{
    code,
    data::{
        inline::{self, Sent},
        meter::{Broken, Meter},
        pump,
        text::ToWire,
    },
    direction::Direction,
    protocol::Reply,
    session::{
        Answer, Ending, Running, Session,
        disk::{self, Kept},
    },
    share::Download,
};

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
        goodbye: goodbye::limit(session, restart.is_some()),
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

/// What a RETR sends.
struct Sending {
    download: Kept<Download>,
    size: u64,
    converts: bool,
    /// How long its 226 waits for the client, in clear.
    goodbye: Option<Duration>,
}

impl Sending {
    fn goodbye(&self, channel: &Channel) -> Option<Duration> {
        self.goodbye
            .filter(|_| matches!(channel, Channel::Plain(_)))
    }
}

async fn send(dial: Dial, file: Sending, meter: Meter, job: Job) -> Ending {
    let (size, converts) = (file.size, file.converts);
    let mut goodbye = None;
    let moved = match dial.open().await {
        Ok(Opened::Stream(channel)) => {
            goodbye = file.goodbye(&channel);
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
    if let (Some(limit), Ok(_), Some(socket)) = (goodbye, &moved.bytes, &moved.linger) {
        goodbye::wait(socket, &moved.meter.brake, limit).await;
    }
    let reply = match moved.bytes {
        Ok(sent) if sent < size && !converts => Err(Reply::new(
            code::LOCAL_ERROR,
            "The file became shorter while it was sent",
        )),
        Ok(_) => Ok(done(moved.is_kept, "Transfer complete")),
        Err(broken) => Err(broken_reply(&broken, job.stalled)),
    };
    Ending {
        reply: job.report(moved.meter, reply),
        linger: moved.linger,
        spent: moved.spent,
        drain: None,
        stored: None,
    }
}

async fn send_through(channel: Channel, file: Sending, meter: Meter, stalled: Duration) -> Moved {
    let mut before = 0;
    let waits = file.goodbye(&channel).is_some();
    let Sending {
        download,
        size,
        converts,
        ..
    } = file;
    let download = download.into_inner();
    let channel = match channel {
        Channel::Plain(socket)
            if !converts && meter.throttle.is_unlimited() && disk::is_quick() =>
        {
            let second = waits.then(|| socket.try_clone());
            match inline::send_file(socket, &download.file, size, &meter) {
                Ok(Sent::Whole(bytes)) => {
                    return Moved {
                        linger: second.and_then(Result::ok).map(ended),
                        ..Moved::new(Ok(bytes), meter)
                    };
                }
                Ok(Sent::Part(bytes, socket)) => {
                    before = bytes;
                    Channel::Plain(socket)
                }
                Err(broken) => return Moved::new(Err(broken), meter),
            }
        }
        other => other,
    };
    let mut rest = channel
        .on_thread(stalled, meter, move |conduit, meter| {
            send_on_thread(conduit, &download.file, converts, meter)
        })
        .await;
    rest.bytes = rest.bytes.map(|bytes| bytes + before);
    rest
}

/// Ends a data connection that is waited for, and would stay open by its second handle.
fn ended(socket: TcpStream) -> Arc<TcpStream> {
    let _closed_anyhow = socket.shutdown(Shutdown::Write);
    Arc::new(socket)
}

fn send_on_thread(
    conduit: &mut pump::Conduit,
    file: &File,
    converts: bool,
    meter: &Meter,
) -> Result<u64, Broken> {
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
}
