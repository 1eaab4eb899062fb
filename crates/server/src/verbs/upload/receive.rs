//! How the bytes of an upload come, and what goes before them.

use std::{io::Write as _, net::TcpStream, sync::Arc, time::Duration};

use ftp_config::SharePath;

use super::end::{commit, give_up, replied};
use crate::{
    code,
    data::{
        Brake,
        inline::{self, Received},
        meter::{Broken, Meter},
        pump::{self, Conduit, Drain},
        text::ToDisk,
    },
    hands::{self, Place},
    protocol::{Reply, names::Names},
    session::{
        Asking, Ending,
        disk::{self, Kept},
        no_thread,
    },
    share::{ShareError, Upload, throttle::Throttle},
    verbs::{
        block,
        dial::{Channel, Dial, Moved, Opened},
        transfer::{Job, done},
    },
};

pub(super) async fn receive(
    dial: Dial,
    mut upload: Kept<Upload>,
    receiving: Receiving,
    asking: Option<Asking>,
    meter: Meter,
    job: Job,
) -> Ending {
    let opened = dial.open().await;
    let opened = match opened {
        Ok(opened) => {
            let started;
            (upload, started) = start(upload.into_inner(), Arc::clone(&meter.brake)).await;
            match started {
                Ok(()) => Ok(opened),
                Err(reply) => Err((reply, opened.into_rest(job.stalled, &meter.brake))),
            }
        }
        Err(reply) => Err((reply, None)),
    };
    let (moved, upload) = match opened {
        Ok(Opened::Stream(channel)) => {
            receive_through(channel, upload.into_inner(), &receiving, meter, job.stalled).await
        }
        Ok(Opened::Block(linked)) => {
            block::receive(linked, upload.into_inner(), meter, job.stalled).await
        }
        Err((reply, rest)) => {
            upload.end().await;
            let rest = rest.map(|conduit| (conduit, meter.throttle.clone()));
            let reply = job.report(meter, Err(receiving.refusal(reply)));
            return Ending {
                drain: receiving.drain(rest, &reply),
                ..reply.into()
            };
        }
    };
    finish(moved, upload, receiving, asking, job).await
}

/// Gives the file its name, or keeps what has come of it, and words the reply.
async fn finish(
    moved: Moved,
    upload: Upload,
    receiving: Receiving,
    asking: Option<Asking>,
    mut job: Job,
) -> Ending {
    let finished = match moved.bytes {
        Ok(_) => commit(upload, &receiving, asking, &moved.meter.brake).await,
        Err(broken) => Err(give_up(upload, broken, &receiving.asked, job.stalled).await),
    };
    let stored = finished.as_ref().ok().map(|(_, stored)| stored.clone());
    if let Some(stored) = &stored {
        job.path.clone_from(&stored.path);
    }
    let throttle = || moved.meter.throttle.clone();
    let rest = moved.rest.map(|conduit| (conduit, throttle()));
    let finished = finished.map_err(|reply| receiving.refusal(reply));
    let finished = finished.map(|(words, _)| done(moved.is_kept, receiving.names.bytes(&words)));
    let reply = job.report(moved.meter, finished);
    Ending {
        drain: receiving.drain(rest, &reply),
        reply,
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
pub(super) struct Receiving {
    pub(super) converts: bool,
    pub(super) asked: SharePath,
    pub(super) tells_name: bool,
    pub(super) is_lftp: bool,
    /// How paths are written to this client.
    pub(super) names: Names,
}

/// Behind a 4xx that it has read before its data connection broke, lftp (4.9) sends what is left in its buffer, as if that were
/// the whole file. It begins anew behind a reset, and gives up behind a 5xx.
impl Receiving {
    /// Reads on what the client of a refused upload still sends, while it has its reply.
    fn drain(&self, rest: Option<(Conduit, Throttle)>, reply: &Reply) -> Option<Drain> {
        let may_begin_anew = self.is_lftp && reply.code() < code::UNKNOWN;
        let rest = rest.filter(|_| !may_begin_anew);
        rest.map(|(conduit, throttle)| Drain::begin(conduit, throttle))
    }

    /// RFC 959 §5.4 has 552, and not 452, behind a 150.
    fn refusal(&self, reply: Reply) -> Reply {
        match reply.code() {
            code::NO_ROOM if self.is_lftp => reply.with_code(code::OVER_ALLOCATION),
            _ => reply,
        }
    }
}

async fn receive_through(
    channel: Channel,
    upload: Upload,
    receiving: &Receiving,
    meter: Meter,
    stalled: Duration,
) -> (Moved, Upload) {
    let converts = receiving.converts;
    let (channel, meter) = match channel {
        Channel::Plain(socket)
            if !converts && meter.throttle.is_unlimited() && disk::is_quick() =>
        {
            match receive_here(socket, &upload, meter, stalled).await {
                Ok(moved) => return (moved, upload),
                Err(large) => large,
            }
        }
        other => (other, meter),
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

/// Receives a small file on the session's own task; a file that is not small is given back.
async fn receive_here(
    socket: TcpStream,
    upload: &Upload,
    meter: Meter,
    stalled: Duration,
) -> Result<Moved, (Channel, Meter)> {
    let lost = |error, meter| Ok(Moved::new(Err(Broken::Network(error)), meter));
    let socket = match tokio::net::TcpStream::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return lost(error, meter),
    };
    let room = |bytes| upload.ensure_room(bytes).map_err(|e| refused(&e));
    let received = inline::receive_file(&socket, upload.file(), &meter, stalled, &room).await;
    if let Ok(Received::Whole(bytes)) = received {
        let spent = Some(socket);
        return Ok(Moved {
            spent,
            ..Moved::new(Ok(bytes), meter)
        });
    }
    let channel = match socket.into_std() {
        Ok(socket) => Channel::Plain(socket),
        Err(error) => return lost(error, meter),
    };
    match received {
        Err(broken) if broken.is_ours() => Ok(Moved {
            rest: Opened::Stream(channel).into_rest(stalled, &meter.brake),
            ..Moved::new(Err(broken), meter)
        }),
        Err(broken) => Ok(Moved::new(Err(broken), meter)),
        Ok(_) => Err((channel, meter)),
    }
}

fn receive_on_thread(
    conduit: &mut Conduit,
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

pub(in crate::verbs) fn refused(error: &ShareError) -> Broken {
    let (code, text) = error.reply();
    Broken::Refused(code, text)
}
