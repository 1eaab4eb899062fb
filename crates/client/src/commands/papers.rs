//! `sites`, `completions`, `man`: what the program says of itself.

use clap::CommandFactory as _;

use super::Answer;
use crate::{
    app::{App, Failure},
    cli::Cli,
    error::Error,
    exit::ExitCode,
};

/// Runs `sites`.
pub fn sites(app: &App) -> ExitCode {
    let width = app.config.sites.keys().map(String::len).max().unwrap_or(0);
    for (name, site) in &app.config.sites {
        let mark = if app.config.site.as_ref() == Some(name) {
            "*"
        } else {
            " "
        };
        app.ui.answer(format!("{mark} {name:width$}  {}", site.url));
    }
    if app.config.sites.is_empty() {
        app.ui
            .remark("there are no sites; write [site.NAME] tables in ftp.toml");
    }
    ExitCode::Done
}

/// Runs `completions`.
pub fn completions(app: &App, shell: clap_complete::Shell) -> ExitCode {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ftpc", &mut out);
    app.ui.answer(String::from_utf8_lossy(&out).trim_end());
    ExitCode::Done
}

/// Runs `man`.
///
/// # Errors
/// The page cannot be made.
pub fn man(app: &App) -> Answer {
    let mut out = Vec::new();
    let made = clap_mangen::Man::new(Cli::command()).render(&mut out);
    made.map_err(|error| Failure::Work(Error::local("write", "man page", error)))?;
    app.ui.answer(String::from_utf8_lossy(&out).trim_end());
    Ok(ExitCode::Done)
}
