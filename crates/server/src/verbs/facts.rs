//! SIZE, MDTM and MFMT: the facts of one file, and setting its time.

use std::time::SystemTime;

use ftp_config::Right;

use crate::{
    code,
    protocol::{Reply, stamp},
    session::Session,
    share::{Home, Kind, Meta},
};

async fn file_meta(session: &mut Session, name: &[u8]) -> Result<Meta, Reply> {
    let path = session.existing(name).await?;
    let meta = session.on_home(move |home| home.metadata(&path)).await?;
    if meta.kind == Kind::File {
        return Ok(meta);
    }
    let mut text = session.names.bytes("not a regular file: ");
    text.extend(name);
    Err(Reply::new(code::UNAVAILABLE, text))
}

/// RFC 3659 §4. With text conversion on, the size on the wire is not known without reading.
pub(super) async fn size(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    if session.is_ascii && session.snapshot.config.server.ascii_conversion {
        return Err(Reply::new(code::UNAVAILABLE, "SIZE is for TYPE I"));
    }
    let meta = file_meta(session, name).await?;
    Ok(Reply::new(code::FILE_STATUS, meta.size.to_string()))
}

/// RFC 3659 §3, and the form `MDTM time file` that sets the time. A file that has such a name is
/// that file.
pub(super) async fn mdtm(
    session: &mut Session,
    whole: &[u8],
    set: Option<(SystemTime, Vec<u8>)>,
) -> Result<Reply, Reply> {
    if let Some((time, name)) = &set
        && is_folded(session, whole).await?
    {
        return mdtm_set(session, *time, name).await;
    }
    let meta = file_meta(session, whole).await;
    match (meta, set) {
        (Ok(meta), _) => Ok(Reply::new(code::FILE_STATUS, stamp::format(meta.modified))),
        (Err(_), Some((time, name))) => mdtm_set(session, time, &name).await,
        (Err(reply), None) => Err(reply),
    }
}

async fn mdtm_set(session: &mut Session, time: SystemTime, name: &[u8]) -> Result<Reply, Reply> {
    let meta = set_time(session, time, name).await?;
    Ok(Reply::new(code::FILE_STATUS, stamp::format(meta.modified)))
}

/// Tells whether a `..` would fold away the beginning of an argument though nothing has that name: so it is
/// no single name, and what is left would be another file.
pub(super) async fn is_folded(session: &mut Session, whole: &[u8]) -> Result<bool, Reply> {
    let mut parts = whole.split(|byte| *byte == b'/');
    let first = parts.next().unwrap_or_default();
    if !parts.any(|part| part == b"..") {
        return Ok(false);
    }
    let path = session.existing(first).await?;
    let look = move |home: &Home| Ok(home.metadata(&path).is_err());
    session.on_home(look).await
}

/// draft-somers-ftp-mfxx §3. The reply has the facts that the file has now, in the form of MLST: with
/// the size a client has proof of an upload without another command.
pub(super) async fn mfmt(
    session: &mut Session,
    time: SystemTime,
    name: &[u8],
) -> Result<Reply, Reply> {
    let meta = set_time(session, time, name).await?;
    let mut text = format!("Modify={};", stamp::format(meta.modified)).into_bytes();
    let may_know = session.home()?.account().rights.allows(Right::List);
    if meta.kind == Kind::File && may_know {
        text.extend(format!("Size={};", meta.size).as_bytes());
    }
    text.push(b' ');
    text.extend(name);
    Ok(Reply::new(code::FILE_STATUS, text))
}

pub(super) async fn set_time(
    session: &mut Session,
    time: SystemTime,
    name: &[u8],
) -> Result<Meta, Reply> {
    let path = session.existing(name).await?;
    let stored = session.stored.as_ref();
    let own = stored.filter(|stored| stored.path == path);
    let own = own.map(|stored| stored.id);
    session
        .on_home(move |home| home.set_modified(&path, time, own))
        .await
}
