//! Files to standard output: which they are is known before the first byte goes.

use super::super::{
    Answer,
    carry::streamed,
    look::look,
    operands::{filter, takes_operand},
};
use crate::{
    app::{App, Failure, Link},
    cli::Get,
    error::Error,
    exit::ExitCode,
    plan::filter::is_pattern,
    remote::{Kind, names},
    transfer::stream::{fetch_into, settle_stdout},
    ui::escape::shown,
};

/// Finds the files that go to standard output, before a byte does.
pub(super) async fn named_files(
    app: &App,
    link: &Link,
    args: &Get,
    paths: &[String],
) -> Result<(Vec<String>, ExitCode), Failure> {
    let (mut named, mut code) = (Vec::new(), ExitCode::Done);
    for path in paths {
        if !is_pattern(names::split(path).1) {
            named.push(path.clone());
            continue;
        }
        let mut session = link.session().await?;
        let (found, lacks) = look(&mut *session, path).await?;
        link.pool.give_back(session);
        for what in lacks {
            app.ui.warn(format!("left out {what}"));
            code = ExitCode::SomeFailed;
        }
        if let Some((dir, _)) = found.iter().find(|(_, entry)| entry.kind == Kind::Dir) {
            return Err(Failure::usage(format!("`{}` is a directory", shown(dir))));
        }
        named.extend(found.into_iter().map(|(path, _)| path));
    }
    let filter = filter(&args.patterns)?;
    named.retain(|path| takes_operand(app, &filter, names::split(path).1, false));
    match named.is_empty() {
        true => Err(Failure::usage("nothing was chosen")),
        false => Ok((named, code)),
    }
}

/// Sends them there, one behind the other.
pub(super) async fn to_stdout(app: &App, link: &Link, named: &[String], code: ExitCode) -> Answer {
    let terms = app.terms();
    for path in named {
        let mut session = link.session().await?;
        let fetched = fetch_into(&mut *session, path, std::io::stdout(), &terms);
        match streamed(app, fetched).await {
            Ok(_) => link.pool.give_back(session),
            // Whoever read has enough: a closed pipe is not an error.
            Err(Error::Local { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    link.close().await;
    settle_stdout()?;
    Ok(code)
}
