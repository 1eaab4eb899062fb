//! CWD, CDUP, PWD.

use ftp_config::SharePath;

use crate::{
    code,
    protocol::{Reply, reply::quoted},
    session::Session,
};

/// `~` is a name as any other: clients that make a directory of that name only when CWD refuses it would
/// replace files of the home.
pub(super) async fn cwd(session: &mut Session, name: &[u8]) -> Result<Reply, Reply> {
    let path = session.existing(name).await?;
    enter(session, path).await
}

pub(super) async fn cdup(session: &mut Session) -> Result<Reply, Reply> {
    let path = session.cwd.parent().unwrap_or_else(SharePath::root);
    enter(session, path).await
}

async fn enter(session: &mut Session, path: SharePath) -> Result<Reply, Reply> {
    let asked = path.clone();
    session.on_home(move |home| home.check_dir(&asked)).await?;
    session.cwd = path;
    let mut text = b"Directory is now ".to_vec();
    session.names.write(session.cwd.as_str(), &mut text);
    Ok(Reply::new(code::FILE_OK, text))
}

pub(super) fn pwd(session: &Session) -> Reply {
    Reply::new(
        code::PATH,
        is_quoted(session, &session.cwd, " is the current directory"),
    )
}

/// `"path" words`, quotes inside the path doubled (RFC 959 Appendix II).
pub(super) fn is_quoted(session: &Session, path: &SharePath, words: &str) -> Vec<u8> {
    let mut text = quoted(&session.names.bytes(path.as_str()));
    text.extend(words.as_bytes());
    text
}
