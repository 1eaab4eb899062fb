//! RETR, STOR, APPE, STOU, REST, ABOR: files over the data connection.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use ftp_config::SharePath;
use tracing::{Span, info};

use super::{
    block,
    dial::{Channel, Dial, Moved, Opened, broken_reply},
};
use crate::{
    data::{
        Brake,
        inline::{self, Sent, Taken},
        pump::{self, Broken, Meter},
        text::{ToDisk, ToWire},
    },
    log::shown,
    protocol::{Reply, reply::code, stamp},
    session::{Answer, Asking, Ending, Running, Session, disk, last_look},
    share::{Download, Home, Intent, ShareError, Upload},
    status::Direction,
};

/// How long after the last byte of an upload its client may be seen to be gone. A process that is
/// killed closes its connections one behind the other; where a file is to be replaced, the end of the
/// control connection is worth waiting for.
const AFTERTHOUGHT: Duration = Duration::from_micros(500);

pub(super) fn rest(session: &mut Session, offset: u64) -> Result<Reply, Reply> {
    check_offset(session, offset)?;
    session.restart = offset;
    let words = format!("The next transfer begins at {offset}");
    Ok(Reply::new(code::NEED_MORE, words))
}

/// With text conversion on, a byte's place on the wire is not its place in the file. To be asked again
/// by the transfer: TYPE may stand before it.
fn check_offset(session: &Session, offset: u64) -> Result<(), Reply> {
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
struct Job {
    verb: &'static str,
    path: SharePath,
    began: Instant,
    stalled: Duration,
    span: Span,
}

impl Job {
    fn new(verb: &'static str, path: SharePath, stalled: Duration) -> Self {
        Self {
            verb,
            path,
            began: Instant::now(),
            stalled,
            span: Span::current(),
        }
    }

    /// Logs, counts, and makes the reply.
    fn report(&self, meter: Meter, moved: Result<Reply, Reply>) -> Reply {
        let whole = moved.is_ok();
        let (Ok(reply) | Err(reply)) = moved;
        let bytes = meter.brake.bytes();
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let path = shown(self.path.as_str());
        info!(parent: &self.span, verb = self.verb, path, bytes, ms, whole, reply = reply.code(), "transfer ends");
        if let (true, Some(moving)) = (whole, meter.moving) {
            moving.complete(&self.path);
        }
        reply
    }
}

pub(super) async fn retr(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    let offset = std::mem::take(&mut session.restart);
    let dial = Dial::take(session, Direction::Down)?;
    check_offset(session, offset)?;
    let path = session.existing(name).await?;
    let opened = path.clone();
    let download = session
        .on_home(move |home| home.open_read(&opened, offset))
        .await?;
    let size = download.meta.size.saturating_sub(offset);
    let meter = Meter {
        brake: Arc::clone(&dial.brake),
        moving: Some(session.seat.begin(Direction::Down, &path, Some(size))),
        throttle: session.seat.throttle(Direction::Down),
    };
    let converts = converts(session)?;
    let job = Job::new("RETR", path, dial.stalled);
    let first = opening(session, &dial, name, Some(size));
    let brake = Arc::clone(&dial.brake);
    let work = Box::pin(async move { send(dial, download, size, converts, meter, job).await });
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
fn converts(session: &Session) -> Result<bool, Reply> {
    let converts = session.is_ascii && session.snapshot.config.server.ascii_conversion;
    if converts && session.is_block {
        return Err(Reply::new(code::NOT_FOR_PARAMETER, "MODE B is for TYPE I"));
    }
    Ok(converts)
}

/// RFC 959 §5.4: 226 closes the data connection, 250 leaves it open.
fn done(is_kept: bool, words: impl Into<Vec<u8>>) -> Reply {
    let code = if is_kept { code::FILE_OK } else { code::DONE };
    Reply::new(code, words)
}

/// Old clients read the size out of the parentheses.
fn opening(session: &Session, dial: &Dial, name: &[u8], size: Option<u64>) -> Reply {
    let kind = if session.is_ascii { "ASCII" } else { "BINARY" };
    let (code, what) = if dial.has_link() {
        (code::ALREADY_OPEN, "Using the open")
    } else {
        (code::OPENING, "Opening")
    };
    let mut text = format!("{what} {kind} mode data connection for ").into_bytes();
    text.extend(name);
    if let Some(size) = size {
        text.extend(format!(" ({size} bytes)").as_bytes());
    }
    Reply::new(code, text)
}

async fn send(
    dial: Dial,
    download: Download,
    size: u64,
    converts: bool,
    meter: Meter,
    job: Job,
) -> Ending {
    let moved = match dial.open().await {
        Ok(Opened::Stream(channel)) => {
            send_through(channel, download, size, converts, meter, job.stalled).await
        }
        Ok(Opened::Block(linked)) => {
            block::send_file(linked, download, size, meter, job.stalled).await
        }
        Err(reply) => return job.report(meter, Err(reply)).into(),
    };
    let Moved {
        bytes,
        meter,
        linger,
        spent,
        is_kept,
    } = moved;
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

async fn send_through(
    channel: Channel,
    download: Download,
    size: u64,
    converts: bool,
    meter: Meter,
    stalled: Duration,
) -> Moved {
    let mut before = 0;
    let channel = match channel {
        Channel::Plain(socket)
            if !converts && meter.throttle.is_unlimited() && disk::is_quick() =>
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

fn moved(bytes: Result<u64, Broken>, meter: Meter) -> Moved {
    Moved {
        bytes,
        meter,
        linger: None,
        spent: None,
        is_kept: false,
    }
}

pub(super) async fn stor(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    let offset = std::mem::take(&mut session.restart);
    let path = match check_offset(session, offset) {
        Ok(()) => session.target(name).await,
        Err(refused) => Err(refused),
    };
    upload(session, "STOR", path, name, Intent::Store { offset }).await
}

pub(super) async fn appe(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    session.restart = 0;
    let path = session.target(name).await;
    upload(session, "APPE", path, name, Intent::Append).await
}

/// RFC 1123 §4.1.2.9: the 150 says `FILE: name`.
pub(super) async fn stou(session: &mut Session) -> Result<Answer, Reply> {
    session.restart = 0;
    // The 150 tells the name, so it is the process's only one of this moment.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (now, id) = (SystemTime::now(), session.seat.id());
    let name = format!("upload-{}-{id}-{count}", stamp::format(now));
    let path = session.cwd.join(&name);
    let path = path.map_err(|e| Reply::new(code::BAD_NAME, e.to_string()));
    upload(session, "STOU", path, name.as_bytes(), Intent::Unique).await
}

async fn upload(
    session: &mut Session,
    verb: &'static str,
    path: Result<SharePath, Reply>,
    name: &[u8],
    intent: Intent,
) -> Result<Answer, Reply> {
    let dial = Dial::take(session, Direction::Up)?;
    let announced = session.announced.take();
    let converts = converts(session)?;
    let path = path?;
    let begun = path.clone();
    let begin = move |home: &Home| home.begin_upload(&begun, intent, announced);
    let upload = match intent {
        Intent::Store { offset: 0 } | Intent::Unique => session.on_home(begin).await?,
        // What is there may have to be copied first, however large it is.
        _ => session.on_home_thread(begin).await?,
    };
    let meter = Meter {
        brake: Arc::clone(&dial.brake),
        moving: Some(session.seat.begin(Direction::Up, &path, announced)),
        throttle: session.seat.throttle(Direction::Up),
    };
    let receiving = Receiving {
        converts,
        asked: path.clone(),
        tells_name: intent == Intent::Unique,
    };
    let first = match intent {
        Intent::Unique if dial.has_link() => {
            Reply::new(code::ALREADY_OPEN, [b"FILE: ", name].concat())
        }
        Intent::Unique => Reply::new(code::OPENING, [b"FILE: ", name].concat()),
        _ => opening(session, &dial, name, None),
    };
    let mut job = Job::new(verb, path, dial.stalled);
    let brake = Arc::clone(&dial.brake);
    let what = [verb.as_bytes(), b" ", name].concat();
    let names = session.names.clone();
    // In MODE B the end of a file is told: there is nothing to ask.
    let (asking, look) = match session.is_block {
        false => Some(last_look()).unzip(),
        true => (None, None),
    };
    let work = Box::pin(async move {
        let opened = dial.open().await.and_then(|channel| {
            let started = upload.start();
            started.map(|()| channel).map_err(|e| replied(&e))
        });
        let channel = match opened {
            Ok(channel) => channel,
            Err(reply) => return job.report(meter, Err(reply)).into(),
        };
        let (moved, upload) = match channel {
            Opened::Stream(channel) => {
                receive_through(channel, upload, &receiving, meter, job.stalled).await
            }
            Opened::Block(linked) => block::receive(linked, upload, meter, job.stalled).await,
        };
        let Moved {
            bytes,
            meter,
            linger,
            spent,
            is_kept,
        } = moved;
        let finished = match bytes {
            Ok(_) => commit(upload, &receiving, asking, &meter.brake).await,
            Err(broken) => Err(give_up(upload, broken, &receiving.asked, job.stalled)),
        };
        let (stored, finished) = match finished {
            Ok((words, path)) => {
                job.path.clone_from(&path);
                (Some(path), Ok(done(is_kept, names.bytes(&words))))
            }
            Err(reply) => (None, Err(reply)),
        };
        Ending {
            reply: job.report(meter, finished),
            linger,
            spent,
            stored,
        }
    });
    let running = Running {
        work,
        brake,
        what,
        size: announced,
        look,
    };
    Ok(Answer::Start(Some(first), running))
}

/// How an upload is to be taken.
struct Receiving {
    converts: bool,
    asked: SharePath,
    tells_name: bool,
}

async fn receive_through(
    channel: Channel,
    upload: Upload,
    receiving: &Receiving,
    meter: Meter,
    stalled: Duration,
) -> (Moved, Upload) {
    let converts = receiving.converts;
    let channel = match channel {
        Channel::Plain(socket)
            if !converts && meter.throttle.is_unlimited() && disk::is_quick() =>
        {
            let room = |bytes| upload.ensure_room(bytes).map_err(|e| refused(&e));
            match inline::receive_file(socket, upload.file(), &meter, stalled, &room).await {
                Ok(Taken::Whole(bytes, socket)) => {
                    let spent = Some(socket);
                    let moved = Moved {
                        spent,
                        ..moved(Ok(bytes), meter)
                    };
                    return (moved, upload);
                }
                Ok(Taken::Part(socket)) => Channel::Plain(socket),
                Err(broken) => return (moved(Err(broken), meter), upload),
            }
        }
        other => other,
    };
    // The thread gives the upload back through this place.
    let upload = Arc::new(upload);
    let theirs = Arc::clone(&upload);
    let moved = channel
        .on_thread(stalled, meter, move |conduit, meter| {
            let result = receive_on_thread(conduit, &theirs, converts, meter);
            drop(theirs);
            result
        })
        .await;
    let upload =
        Arc::into_inner(upload).expect("the thread has dropped its handle before it answered");
    (moved, upload)
}

fn receive_on_thread(
    conduit: &mut pump::Conduit,
    upload: &Upload,
    converts: bool,
    meter: &Meter,
) -> Result<u64, Broken> {
    let mut room = |bytes| upload.ensure_room(bytes).map_err(|e| refused(&e));
    if !converts {
        return pump::receive_file(conduit, upload.file(), meter, &mut room);
    }
    let (mut text, mut out) = (ToDisk::default(), Vec::new());
    let mut file = upload.file();
    let received = pump::receive_blocks(conduit, meter, &mut |block| {
        room(block.len() as u64)?;
        out.clear();
        text.convert(block, &mut out);
        file.write_all(&out).map_err(Broken::Disk)
    })?;
    out.clear();
    text.finish(&mut out);
    file.write_all(&out).map_err(Broken::Disk)?;
    Ok(received)
}

pub(super) fn refused(error: &ShareError) -> Broken {
    let (code, text) = error.reply();
    Broken::Refused(code, text)
}

/// Makes the file whole, asks once more whether it is wanted, and gives it its name.
async fn commit(
    upload: Upload,
    receiving: &Receiving,
    asking: Option<Asking>,
    brake: &Brake,
) -> Result<(String, SharePath), Reply> {
    let mut until = Instant::now();
    if upload.replaces() && asking.is_some() {
        until += AFTERTHOUGHT;
    }
    let settled = if upload.is_forced() {
        disk::force(move || upload.settle(None)).await
    } else {
        disk::act(move || upload.settle(None)).await
    };
    let settled = settled.map_err(|error| replied(&error))?;
    let may = match asking {
        Some(asking) => asking.may_publish(brake, until).await,
        None => !brake.is_pulled(),
    };
    if !may {
        return Err(broken_reply(&Broken::Aborted, Duration::ZERO));
    }
    let published = if settled.is_forced() {
        disk::force(move || settled.publish()).await
    } else {
        disk::act(move || settled.publish()).await
    };
    match published {
        Ok(committed) if receiving.tells_name || committed.path != receiving.asked => {
            let name = committed.path.name().unwrap_or_default();
            let words = format!("Transfer complete, stored as {name}");
            Ok((words, committed.path))
        }
        Ok(committed) => Ok(("Transfer complete".to_owned(), committed.path)),
        Err(error) => Err(replied(&error)),
    }
}

fn replied(error: &ShareError) -> Reply {
    let (code, text) = error.reply();
    Reply::new(code, text)
}

/// The partial is kept for a later try, unless there is no room for it or never can be.
fn give_up(upload: Upload, broken: Broken, path: &SharePath, stalled: Duration) -> Reply {
    let broken = match broken {
        Broken::Disk(error) => refused(&ShareError::from_io(path, error)),
        other => other,
    };
    if matches!(broken, Broken::Refused(452 | 552, _)) {
        upload.discard();
    }
    broken_reply(&broken, stalled)
}
