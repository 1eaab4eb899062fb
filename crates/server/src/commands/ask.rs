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

/// Has the running server, if there is one, read the configuration that was just changed; says what came of it.
///
/// # Errors
/// [`Error::Refused`] when it does not take the change, or not all of it.
pub fn tell_change(config: &Path) -> Result<(), Error> {
    match heard(ask(config, &Request::Reload))? {
        Heard::Taken => say::line("the running server has taken it over"),
        Heard::Nothing => say::line(format_args!(
            "no server was found running with this file: it holds from the next start; {SEEN_BY_ITSELF}"
        )),
        Heard::MayNotAsk => say::note(format_args!(
            "ftpd: warning: the file is changed, but you may not ask the running server whether it has taken it \
             over; {SEEN_BY_ITSELF}"
        )),
    }
    Ok(())
}

/// A server that cannot be asked watches its file.
const SEEN_BY_ITSELF: &str = "one that runs all the same sees the change by itself, and at once by \
     `systemctl reload ftpd` or SIGHUP";

/// What came of a change, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Taken,
    /// Nobody is there.
    Nothing,
    /// The socket is another user's, whose server may be this file's.
    MayNotAsk,
}

fn heard(asked: Result<Answer, Error>) -> Result<Heard, Error> {
    match asked {
        Ok(Answer::Done { .. }) => Ok(Heard::Taken),
        Err(Error::NotRunning { .. }) => Ok(Heard::Nothing),
        Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Ok(Heard::MayNotAsk)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_not_be_asked_is_neither_one_that_took_the_change_nor_none() {
        let denied = Error::System {
            what: String::new(),
            source: io::ErrorKind::PermissionDenied.into(),
        };
        assert_eq!(heard(Err(denied)).unwrap(), Heard::MayNotAsk);
        let config = "ftp.toml".into();
        let none = heard(Err(Error::NotRunning { config }));
        assert_eq!(none.unwrap(), Heard::Nothing);
        let text = String::new();
        assert_eq!(heard(Ok(Answer::Done { text })).unwrap(), Heard::Taken);
        let text = "no".to_owned();
        let refused = heard(Ok(Answer::Refused { text })).unwrap_err();
        assert_eq!(refused.to_string(), "the running server says: no");
    }
}
