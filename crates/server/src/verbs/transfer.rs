//! REST, ABOR, and what every transfer of a file has; `download` and `upload` have the two directions.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ftp_config::SharePath;
use tracing::{Span, info, warn};

use super::dial::Dial;
use crate::{
    code, data::meter::Meter, direction::Direction, log, protocol::Reply, session::Session,
    share::Home,
};

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
