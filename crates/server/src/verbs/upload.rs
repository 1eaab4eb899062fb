//! STOR, APPE, STOU: from the data connection into a file that has its name when it is whole.

mod end;

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use ftp_config::SharePath;

use self::end::{commit, give_up, replied};
use super::{
    block,
    dial::{Channel, Dial, Moved, Opened},
    transfer::{Job, check_offset, converts, done, metered, opening},
};
use crate::{
    code,
    data::{
        Brake,
        inline::{self, Taken},
        meter::{Broken, Meter},
        pump,
        text::ToDisk,
    },
    direction::Direction,
    hands::{self, Place},
    protocol::{Reply, names::Names, stamp},
    session::{
        Answer, Asking, Ending, Running, Session,
        disk::{self, Kept},
        last_look, no_thread,
    },
    share::{Home, Intent, ShareError, Upload},
};

pub(super) async fn stor(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    let offset = session.restart.take().unwrap_or(0);
    let path = match check_offset(session, offset) {
        Ok(()) => session.target(name).await,
        Err(refused) => Err(refused),
    };
    upload(session, "STOR", path, name, Intent::Store { offset }).await
}

pub(super) async fn appe(session: &mut Session, name: &[u8]) -> Result<Answer, Reply> {
    session.restart = None;
    let path = session.target(name).await;
    upload(session, "APPE", path, name, Intent::Append).await
}

/// RFC 1123 §4.1.2.9: the 150 says `FILE: name`.
pub(super) async fn stou(session: &mut Session) -> Result<Answer, Reply> {
    session.restart = None;
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
    Dial::check(session)?;
    let announced = session.announced.take();
    let converts = converts(session)?;
    let path = path?;
    let mut upload = begin(session, &path, intent, announced).await?;
    let dial = Dial::take(session, Direction::Up);
    let stopped = Arc::clone(&dial.brake);
    upload.obey(Arc::new(move || stopped.pull()));
    let meter = metered(session, &dial, Direction::Up, &path, announced);
    let receiving = Receiving {
        converts,
        asked: path.clone(),
        tells_name: intent == Intent::Unique,
        names: session.names.clone(),
    };
    let first = match intent {
        Intent::Unique => named(&dial, name),
        _ => opening(session, &dial, name, None),
    };
    let job = Job::new(verb, path, session, dial.stalled)?;
    let brake = Arc::clone(&dial.brake);
    let what = [verb.as_bytes(), b" ", name].concat();
    // In MODE B the end of a file is told: there is nothing to ask.
    let (asking, look) = match session.is_block {
        false => Some(last_look()).unzip(),
        true => (None, None),
    };
    let upload = Kept::new(upload);
    let work = Box::pin(async move { receive(dial, upload, receiving, asking, meter, job).await });
    let running = Running {
        work,
        brake,
        what,
        size: announced,
        look,
    };
    Ok(Answer::Start(Some(first), running))
}

async fn begin(
    session: &Session,
    path: &SharePath,
    intent: Intent,
    announced: Option<u64>,
) -> Result<Upload, Reply> {
    let path = path.clone();
    let begin = move |home: &Home| home.begin_upload(&path, intent, announced);
    match intent {
        Intent::Store { offset: 0 } | Intent::Unique => session.on_home(begin).await,
        // An upload of before may have to be waited for, which runs on this very thread.
        _ => session.on_home_thread(begin).await,
    }
}

/// The first reply to STOU, which tells the name (RFC 1123 §4.1.2.9).
fn named(dial: &Dial, name: &[u8]) -> Reply {
    Reply::new(dial.first_code(), [b"FILE: ", name].concat())
}

async fn receive(
    dial: Dial,
    mut upload: Kept<Upload>,
    receiving: Receiving,
    asking: Option<Asking>,
    meter: Meter,
    mut job: Job,
) -> Ending {
    let opened = dial.open().await;
    let opened = match opened {
        Ok(opened) => {
            let started;
            (upload, started) = start(upload.into_inner(), Arc::clone(&meter.brake)).await;
            started.map(|()| opened)
        }
        refused => refused,
    };
    let (moved, upload) = match opened {
        Ok(Opened::Stream(channel)) => {
            receive_through(channel, upload.into_inner(), &receiving, meter, job.stalled).await
        }
        Ok(Opened::Block(linked)) => {
            block::receive(linked, upload.into_inner(), meter, job.stalled).await
        }
        Err(reply) => {
            upload.end().await;
            return job.report(meter, Err(reply)).into();
        }
    };
    let finished = match moved.bytes {
        Ok(_) => commit(upload, &receiving, asking, &moved.meter.brake).await,
        Err(broken) => Err(give_up(upload, broken, &receiving.asked, job.stalled).await),
    };
    let stored = finished.as_ref().ok().map(|(_, stored)| stored.clone());
    if let Some(stored) = &stored {
        job.path.clone_from(&stored.path);
    }
    let finished = finished.map(|(words, _)| done(moved.is_kept, receiving.names.bytes(&words)));
    Ending {
        reply: job.report(moved.meter, finished),
        linger: moved.linger,
        spent: moved.spent,
        stored,
    }
}

/// What is there may have to be copied first, however large it is; whoever stops that is heard.
async fn start(mut upload: Upload, brake: Arc<Brake>) -> (Kept<Upload>, Result<(), Reply>) {
    let copies = upload.copies();
    let start = move |place| {
        let started = match place {
            Place::Here if copies => Err(no_thread()),
            _ => {
                let started = upload.start(&|| brake.is_pulled());
                started.map_err(|error| replied(&error))
            }
        };
        (Kept::new(upload), started)
    };
    match copies {
        true => hands::run(start).await,
        false => disk::act(|| start(Place::Thread)).await,
    }
}

/// How an upload is to be taken.
struct Receiving {
    converts: bool,
    asked: SharePath,
    tells_name: bool,
    /// How paths are written to this client.
    names: Names,
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
                        ..Moved::new(Ok(bytes), meter)
                    };
                    return (moved, upload);
                }
                Ok(Taken::Part(socket)) => Channel::Plain(socket),
                Err(broken) => return (Moved::new(Err(broken), meter), upload),
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
