//! `ftpd status|who|kick|unlock|reload`: asks the running server over its status socket.

use std::{
    io,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    error::Error,
    say,
    status::{
        place::{self, Surroundings},
        socket, table,
        wire::{Answer, Request},
    },
};

const WATCH_PERIOD: Duration = Duration::from_secs(1);
/// Cursor home, clear to the end.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Asks, and prints what was done.
///
/// # Errors
/// When no server runs for `config`, or it refuses.
pub fn run(config: &Path, request: &Request) -> Result<(), Error> {
    match ask(config, request)? {
        Answer::Done { text } => say::line(text),
        other => return Err(unexpected(other)),
    }
    Ok(())
}

/// Prints the state of the server.
///
/// # Errors
/// As [`run`].
pub fn status(config: &Path, as_json: bool) -> Result<(), Error> {
    match ask(config, &Request::Status)? {
        Answer::Status(status) if as_json => say::line(json(&status)?),
        Answer::Status(status) => say::text(table::status(&status)),
        other => return Err(unexpected(other)),
    }
    Ok(())
}

/// Prints who is here, once or again and again.
///
/// # Errors
/// As [`run`].
pub fn who(config: &Path, watch: bool, as_json: bool) -> Result<(), Error> {
    loop {
        let sessions = match ask(config, &Request::Who)? {
            Answer::Who { sessions } => sessions,
            other => return Err(unexpected(other)),
        };
        if as_json {
            say::line(json(&sessions)?);
        } else {
            if watch && say::to_terminal() {
                say::text(CLEAR);
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            say::text(table::who(&sessions, now.map_or(0, |d| d.as_secs())));
        }
        if !watch || say::is_unheard() {
            return Ok(());
        }
        std::thread::sleep(WATCH_PERIOD);
    }
}

/// Has the running server, if there is one, read the configuration that was just changed.
///
/// # Errors
/// [`Error::Refused`] when it does not take the change, or not all of it.
pub fn tell_change(config: &Path) -> Result<(), Error> {
    match ask(config, &Request::Reload) {
        Ok(Answer::Done { .. }) | Err(Error::NotRunning { .. }) => Ok(()),
        // One that may not be asked is another's; if it is this file's, it sees the change by itself.
        Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Ok(())
        }
        Ok(answer) => Err(match unexpected(answer) {
            Error::Refused(text) => Error::Refused(format!("the running server says: {text}")),
            other => other,
        }),
        Err(error) => Err(error),
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Failed(e.to_string()))
}

fn ask(config: &Path, request: &Request) -> Result<Answer, Error> {
    let places = place::candidates(config, &Surroundings::of_this_process());
    socket::ask(&places, request).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => Error::NotRunning {
            config: config.to_owned(),
        },
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            Error::Failed("the running ftpd does not answer".to_owned())
        }
        _ => Error::System {
            what: "ask the running ftpd".to_owned(),
            source,
        },
    })
}

fn unexpected(answer: Answer) -> Error {
    match answer {
        Answer::Refused { text } => Error::Refused(text),
        _ => Error::Failed("the running ftpd is of another version".to_owned()),
    }
}
