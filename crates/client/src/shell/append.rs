//! `append`: a local file behind what the server has. No part and no second try, since a repeated one would be there
//! twice; the sizes before and after show what became of it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use super::{act::Shell, arguments::usage, at::Connected, table::Row};
use crate::{
    app::Failure,
    cancel::Cancel,
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Data, Remote, Start, names},
    transfer::stream::Terms,
};

impl Shell<'_> {
    pub(super) async fn append(&mut self, row: Row, args: &[String]) -> Result<ExitCode, Failure> {
        let (file, name) = match args {
            [file] => (file, names::split(file).1),
            [file, name] => (file, name.as_str()),
            _ => return Err(usage(row)),
        };
        let at = self.connected()?;
        let path = Path::new(file);
        let source = File::open(path).map_err(|error| Error::local("open", path, error))?;
        // Read before the server hears of it: what cannot be read makes no empty file there.
        let mut source = BufReader::with_capacity(256 << 10, source);
        source
            .fill_buf()
            .map_err(|error| Error::local("read", path, error))?;
        let to = names::join(&at.cwd, name);
        self.send_behind(&mut source, path, &to).await?;
        self.names.0 = None;
        Ok(ExitCode::Done)
    }

    /// Sends a file behind what `to` has, and looks what came of it.
    async fn send_behind(
        &self,
        source: &mut BufReader<File>,
        path: &Path,
        to: &str,
    ) -> Result<(), Failure> {
        let (at, cancel) = (self.connected()?, &self.app.cancel);
        let mut session = new_session(at, cancel).await?;
        let had = size(&mut *session, to, cancel).await?;
        let opened = cancel.or_leave(session.open_write(to, Start::Append)).await;
        let mut data = opened.ok_or(Error::Interrupted)??;
        data.obey(cancel);
        let copied = send_all(&mut *data, source, path, cancel, &self.app.terms()).await;
        if let Err(Error::Local { .. } | Error::Interrupted) = &copied {
            // A reset: the server must not take a part for the whole.
            drop(data);
            let _unusable = session.settle().await;
            at.link.pool.give_back(session);
            return Ok(copied.map(drop)?);
        }
        // The server's reason for a broken connection says more than the break.
        let ended = match data.finish().await {
            Err(_) if cancel.is_stopped() => Err(Error::Interrupted),
            Err(error) => Err(error.into()),
            Ok(()) => copied,
        };
        let proved = match ended {
            Ok(sent) => prove(at, &mut session, to, (had, sent), cancel).await,
            Err(error) => Err(error),
        };
        at.link.pool.give_back(session);
        Ok(proved?)
    }
}

async fn new_session(at: &Connected, cancel: &Cancel) -> Result<Box<dyn Remote>, Error> {
    let made = cancel.or_leave(at.link.session()).await;
    Ok(made.ok_or(Error::Interrupted)??)
}

async fn size(session: &mut dyn Remote, path: &str, cancel: &Cancel) -> Result<Option<u64>, Error> {
    let told = cancel.or_leave(session.size(path)).await;
    Ok(told.ok_or(Error::Interrupted)??)
}

/// Looks whether the server has what it had and behind it what was sent: some put it in the place of the file
/// (rclone, copyparty) and say 226. One that tells no size is believed.
async fn prove(
    at: &Connected,
    session: &mut Box<dyn Remote>,
    path: &str,
    (had, sent): (Option<u64>, u64),
    cancel: &Cancel,
) -> Result<(), Error> {
    let told = match size(&mut **session, path, cancel).await {
        // Some close the session behind each upload.
        Err(Error::Remote(_)) if !session.is_usable() => {
            *session = new_session(at, cancel).await?;
            size(&mut **session, path, cancel).await?
        }
        other => other?,
    };
    // Who tells a size now had none to tell before: there was no such file.
    let had = had.unwrap_or(0);
    match told {
        Some(has) if Some(has) != had.checked_add(sent) => Err(Error::NotAppended {
            path: names::display(path),
            had,
            sent,
            has,
        }),
        _ => Ok(()),
    }
}

/// Sends the file; returns its size.
async fn send_all(
    data: &mut dyn Data,
    source: &mut BufReader<File>,
    path: &Path,
    cancel: &Cancel,
    terms: &Terms,
) -> Result<u64, Error> {
    let mut total = 0;
    loop {
        let block = match source.fill_buf() {
            Ok([]) => return Ok(total),
            Ok(block) => block,
            Err(error) => return Err(Error::local("read", path, error)),
        };
        let sent = block.len();
        match data.send(block).await {
            Ok(()) => {
                source.consume(sent);
                total += sent as u64;
                if cancel.or_leave(terms.pay(sent)).await.is_none() {
                    return Err(Error::Interrupted);
                }
            }
            Err(_) if cancel.is_stopped() => return Err(Error::Interrupted),
            Err(source) => {
                let verb = "APPE".to_owned();
                return Err(RemoteError::Io { verb, source }.into());
            }
        }
    }
}
