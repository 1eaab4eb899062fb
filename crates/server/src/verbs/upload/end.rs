//! What becomes of an upload at its end: it gets its name, or is kept for a later try, or goes.

use std::time::{Duration, Instant};

use ftp_config::SharePath;

use super::receive::{Receiving, refused};
use crate::{
    code,
    data::{Brake, meter::Broken},
    protocol::Reply,
    session::{Asking, May, disk},
    share::{Committed, Settled, ShareError, Upload},
    verbs::dial::broken_reply,
};

/// How long after the last byte of an upload its client may be seen to be gone. A process that is
/// killed closes its connections one behind the other; where a file is to be replaced, the end of the
/// control connection is worth waiting for.
const AFTERTHOUGHT: Duration = Duration::from_micros(500);

/// Makes the file whole, asks once more whether it is wanted, and gives it its name.
pub(super) async fn commit(
    upload: Upload,
    receiving: &Receiving,
    asking: Option<Asking>,
    brake: &Brake,
) -> Result<(String, Committed), Reply> {
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
        None if brake.is_pulled() => May::NotPublish,
        None => May::Publish,
    };
    let aborted = || Err(broken_reply(&Broken::Aborted, Duration::ZERO));
    if may == May::NotPublish {
        disk::act(move || drop(settled)).await;
        return aborted();
    }
    let only_new = may == May::PublishNew;
    let publish = move |settled: Settled| match only_new {
        true => settled.publish_new(),
        false => settled.publish(),
    };
    let published = if settled.is_forced() {
        disk::force(move || publish(settled)).await
    } else {
        disk::act(move || publish(settled)).await
    };
    match published {
        Err(ShareError::Exists { .. }) if only_new => aborted(),
        Ok(committed) if receiving.tells_name || committed.path != receiving.asked => {
            let name = committed.path.name().unwrap_or_default();
            let words = format!("Transfer complete, stored as {name}");
            Ok((words, committed))
        }
        Ok(committed) => Ok(("Transfer complete".to_owned(), committed)),
        Err(error) => Err(replied(&error)),
    }
}

pub(super) fn replied(error: &ShareError) -> Reply {
    let (code, text) = error.reply();
    Reply::new(code, text)
}

/// The partial is kept for a later try, unless there is no room for it or never can be, or the disk
/// could not write it.
pub(super) async fn give_up(
    upload: Upload,
    broken: Broken,
    path: &SharePath,
    stalled: Duration,
) -> Reply {
    let failed = matches!(broken, Broken::Disk(_));
    let broken = match broken {
        Broken::Disk(error) => refused(&ShareError::from_io(path, error)),
        other => other,
    };
    let is_useless = failed
        || matches!(
            broken,
            Broken::Refused(code::NO_ROOM | code::OVER_ALLOCATION, _)
        );
    let end = move || match is_useless {
        true => upload.discard(),
        false => drop(upload),
    };
    disk::act(end).await;
    broken_reply(&broken, stalled)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};

    use ftp_config::Rights;

    use super::*;
    use crate::share::tests::{Bed, FRESH, path};

    /// Behind what the disk has refused, and what never can be finished, nobody is to go on.
    #[tokio::test]
    async fn only_what_may_still_be_finished_is_kept() {
        for (broken, code, kept) in [
            (Broken::Aborted, code::ABORTED, 1),
            (Broken::Truncated, code::ABORTED, 1),
            (
                Broken::Disk(io::ErrorKind::Other.into()),
                code::LOCAL_ERROR,
                0,
            ),
            (
                Broken::Refused(code::NO_ROOM, String::new()),
                code::NO_ROOM,
                0,
            ),
        ] {
            let bed = Bed::new();
            let home = bed.home(Rights::READ_WRITE, "/");
            let upload = home.begin_upload(&path("a"), FRESH, None).unwrap();
            upload.file().write_all(b"half").unwrap();
            let reply = give_up(upload, broken, &path("a"), Duration::ZERO).await;
            assert_eq!((reply.code(), bed.partials()), (code, kept));
        }
    }
}
