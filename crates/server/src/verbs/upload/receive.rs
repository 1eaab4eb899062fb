//! How the bytes of an upload come, and what goes before them.

use std::{io::Write as _, sync::Arc, time::Duration};

use ftp_config::SharePath;

use super::end::{commit, give_up, replied};
use crate::{
    data::{
        Brake,
        inline::{self, Received},
        meter::{Broken, Meter},
        pump,
        text::ToDisk,
    },
    hands::{self, Place},
    protocol::{Reply, names::Names},
    session::{
        Asking, Ending,
        disk::{self, Kept},
        no_thread,
    },
    share::{ShareError, Upload},
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
pub(super) struct Receiving {
    pub(super) converts: bool,
    pub(super) asked: SharePath,
    pub(super) tells_name: bool,
    /// How paths are written to this client.
    pub(super) names: Names,
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
                Ok(Received::Whole(bytes, socket)) => {
                    let spent = Some(socket);
                    let moved = Moved {
                        spent,
                        ..Moved::new(Ok(bytes), meter)
                    };
                    return (moved, upload);
                }
                Ok(Received::Part(socket)) => Channel::Plain(socket),
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

pub(in crate::verbs) fn refused(error: &ShareError) -> Broken {
    let (code, text) = error.reply();
    Broken::Refused(code, text)
}
