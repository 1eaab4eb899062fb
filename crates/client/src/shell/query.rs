//! The shell's commands that are one question to the server: size, time, hash, mode.

use super::{
    act::Shell,
    arguments::usage,
    table::{Row, Verb},
};
use crate::{
    app::Failure,
    cli,
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Remote, SessionFacts},
    ui::{escape::shown, table as show},
};

impl Shell<'_> {
    /// The commands that are one question to the server.
    pub(super) async fn ask_server(
        &mut self,
        row: Row,
        args: &[String],
        paths: &[String],
    ) -> Result<ExitCode, Failure> {
        if row.verb == Verb::Quote {
            return self.quote(args).await;
        }
        let ask = async |session: &mut dyn Remote| answer(session, row, args, paths).await;
        let lines = self.asked(ask).await?;
        let ui = self.app.ui;
        lines.iter().for_each(|line| ui.answer(shown(line)));
        Ok(ExitCode::Done)
    }
}

async fn answer(
    session: &mut dyn Remote,
    row: Row,
    args: &[String],
    paths: &[String],
) -> Result<Vec<String>, Failure> {
    let path = || paths.first().map(String::as_str).ok_or_else(|| usage(row));
    Ok(match row.verb {
        Verb::Size => match session.size(path()?).await? {
            Some(size) => vec![format!("{size} ({})", show::size(size))],
            None => return Err(untold("size", path()?)),
        },
        Verb::Modtime => match session.modified(path()?).await? {
            Some(time) => vec![show::time(Some(time))],
            None => return Err(untold("time", path()?)),
        },
        Verb::Chmod => {
            let [mode, _] = args else {
                return Err(usage(row));
            };
            let mode = cli::parse_mode(mode).map_err(Failure::usage)?;
            session.set_mode(&paths[1], mode).await?;
            Vec::new()
        }
        Verb::Hash => {
            let how = session.abilities().hash();
            let how = how.ok_or(RemoteError::Unsupported {
                what: "command to hash a file",
            })?;
            let size = session.size(path()?).await?;
            vec![session.hash(path()?, how, size).await?]
        }
        Verb::Status => vec![status(&session.facts())],
        _ => return Err(usage(row)),
    })
}

fn untold(what: &'static str, path: &str) -> Failure {
    let path = path.to_owned();
    Failure::Work(Error::Untold { what, path })
}

fn status(facts: &SessionFacts) -> String {
    let security = facts.security.as_ref();
    let tls = security.map_or("clear text", |security| security.version);
    format!("connected to {}, {tls}", facts.peer)
}
