//! STOR, APPE, STOU: from the data connection into a file that has its name when it is whole.

mod end;
mod receive;
mod unique;

use std::sync::Arc;

use ftp_config::SharePath;

pub(super) use self::receive::refused;
use self::receive::{Receiving, receive};
use super::{
    dial::Dial,
    transfer::{Job, check_offset, converts, metered, opening},
};
use crate::{
    direction::Direction,
    protocol::Reply,
    session::{Answer, Running, Session, disk::Kept, last_look},
    share::{Home, Intent, Upload},
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

/// RFC 1123 §4.1.2.9: the 150 says `FILE: name`. RFC 959 gives STOU no name; clients that send one wish for that.
pub(super) async fn stou(session: &mut Session, wished: Option<Vec<u8>>) -> Result<Answer, Reply> {
    session.restart = None;
    let name = wished.unwrap_or_else(|| unique::name(session));
    let path = session.target(&name).await;
    upload(session, "STOU", path, &name, Intent::Unique).await
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
    let (stopped, is_private) = (Arc::clone(&dial.brake), dial.is_private());
    upload.obey(Arc::new(move || stopped.pull()));
    let meter = metered(session, &dial, Direction::Up, &path, announced);
    let receiving = Receiving {
        converts,
        asked: path.clone(),
        tells_name: intent == Intent::Unique,
        is_lftp: session.is_lftp,
        names: session.names.clone(),
    };
    let first = match intent {
        Intent::Unique => named(&dial, &unique::told(session, &path, &upload, name)),
        _ => opening(session, &dial, name, None),
    };
    let job = Job::new(verb, path, session, dial.stalled)?;
    let brake = Arc::clone(&dial.brake);
    let what = [verb.as_bytes(), b" ", name].concat();
    // In MODE B the end of a file is told: there is nothing to ask.
    let (asking, look) = match session.is_block {
        false => Some(last_look(is_private)).unzip(),
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
