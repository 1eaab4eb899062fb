//! MKD, RMD, DELE, RNFR, RNTO, ALLO, AVBL.

use ftp_config::SharePath;

use super::navigate::is_quoted;
use crate::{code, protocol::Reply, session::Session};

pub(super) async fn mkd(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    let path = session.target(name).await?;
    let made = path.clone();
    session.on_home(move |home| home.make_dir(&made)).await?;
    session.changed("MKD", &path, None);
    Ok(Reply::new(
        code::PATH,
        is_quoted(session, &path, " created"),
    ))
}

pub(super) async fn rmd(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    let path = session.existing(name).await?;
    let gone = path.clone();
    session.on_home(move |home| home.remove_dir(&gone)).await?;
    session.changed("RMD", &path, None);
    Ok(Reply::new(code::FILE_OK, "Directory removed"))
}

pub(super) async fn dele(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    let path = session.existing(name).await?;
    let gone = path.clone();
    session.on_home(move |home| home.remove_file(&gone)).await?;
    session.stored = None;
    session.changed("DELE", &path, None);
    Ok(Reply::new(code::FILE_OK, "File removed"))
}

pub(super) async fn rnfr(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    session.rename_from = None;
    let path = session.existing(name).await?;
    let from = path.clone();
    session
        .on_home(move |home| home.check_rename_from(&from))
        .await?;
    session.rename_from = Some(path);
    Ok(Reply::new(code::NEED_MORE, "RNTO, please"))
}

pub(super) async fn rnto(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    let Some(from) = session.rename_from.take() else {
        return Err(Reply::new(code::BAD_ORDER, "RNFR comes first"));
    };
    let to = session.target(name).await?;
    let (old, new) = (from.clone(), to.clone());
    let renamed = session.on_home_forced(move |home| home.rename(&old, &new));
    renamed.await?;
    // Another file may have the name now of what was stored.
    session.stored = None;
    session.changed("RNTO", &from, Some(&to));
    Ok(Reply::new(code::FILE_OK, "Renamed"))
}

/// RFC 959 §4.1.3. The room is checked now, so that a disk too small is known before a byte moves.
pub(super) async fn allo(session: &mut Session, bytes: u64) -> Result<Reply, Reply> {
    let path = session.cwd.clone();
    // What was granted before is not what is meant now.
    session.announced = None;
    session
        .on_home(move |home| home.check_room(&path, bytes))
        .await?;
    session.announced = Some(bytes);
    Ok(Reply::new(code::OK, "There is room"))
}

/// draft-peterson-streamlined-ftp-command-extensions §4: bytes that may be used.
pub(super) async fn avbl(session: &mut Session, name: Option<&[u8]>) -> Result<Reply, Reply> {
    let path: SharePath = match name {
        Some(name) => session.existing(name).await?,
        None => session.cwd.clone(),
    };
    let room = session.on_home(move |home| home.free_space(&path)).await?;
    Ok(Reply::new(code::FILE_STATUS, room.free.to_string()))
}
