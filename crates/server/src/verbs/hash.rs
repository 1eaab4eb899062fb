//! HASH (draft-bryan-ftpext-hash), XCRC, XMD5, XSHA1, XSHA256, XSHA512, MD5: digests of files. They
//! run beside the commands, so ABOR stops one.

use std::{ops::Range, sync::Arc};

use ftp_config::SharePath;

use crate::{
    code,
    data::Brake,
    hands,
    protocol::{Reply, command::DigestArgs},
    session::{Answer, Ending, Running, Session, no_thread, refusal},
    share::Algorithm,
};

pub(super) async fn digest(session: &mut Session, args: DigestArgs) -> Result<Answer, Reply> {
    let algorithm = args.algorithm.unwrap_or(session.digest);
    let is_hash = args.algorithm.is_none();
    let (path, name, range) = find(session, args).await?;
    let home = session.home()?;
    let brake = Arc::new(Brake::default());
    let theirs = Arc::clone(&brake);
    let names = session.names.clone();
    let what = [b"HASH ", name.as_slice()].concat();
    let work = Box::pin(async move {
        let hash = move || home.hash(&path, algorithm, range, theirs.flag());
        let Some(hashed) = hands::on_thread(hash).await else {
            return Ending::from(no_thread());
        };
        match hashed {
            Ok((hex, range)) => done(is_hash, algorithm, &hex, &range, &name),
            Err(error) => Ending::from(refusal(&error, &names)),
        }
    });
    let running = Running {
        work,
        brake,
        what,
        size: None,
        look: None,
    };
    Ok(Answer::Start(None, running))
}

/// `"name"` is `name`, and `name start end` a part of it, unless there is a file of that whole name.
async fn find(
    session: &mut Session,
    args: DigestArgs,
) -> Result<(SharePath, Vec<u8>, Range<u64>), Reply> {
    let whole = session.existing(&args.name).await;
    let Some((name, start, end)) = args.part else {
        return Ok((whole?, args.name, 0..u64::MAX));
    };
    // With its quotes or numbers it may be too long for a name.
    if let Ok(whole) = whole {
        let looked = whole.clone();
        let exists = session
            .on_home(move |home| Ok(home.metadata(&looked).is_ok()))
            .await?;
        if exists {
            return Ok((whole, args.name, 0..u64::MAX));
        }
    }
    let end = end.unwrap_or(u64::MAX);
    if end < start {
        return Err(Reply::new(code::SYNTAX, "The end is before the start"));
    }
    Ok((session.existing(&name).await?, name, start..end))
}

fn done(is_hash: bool, algorithm: Algorithm, hex: &str, range: &Range<u64>, name: &[u8]) -> Ending {
    if !is_hash {
        return Reply::new(code::FILE_OK, hex).into();
    }
    let head = format!("{} {}-{} {hex} ", algorithm.name(), range.start, range.end);
    Reply::new(code::FILE_STATUS, [head.as_bytes(), name].concat()).into()
}
