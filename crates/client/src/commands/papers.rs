//! `sites`, `completions`, `man`: what the program says of itself.

use std::path::Path;

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
    if app.ui.json {
        let sites = app.config.sites.iter().map(|(name, site)| {
            let is_default = app.config.site.as_ref() == Some(name);
            serde_json::json!({ "name": name, "url": site.url.to_string(), "default": is_default })
        });
        app.ui.answer(sites.collect::<serde_json::Value>());
        return ExitCode::Done;
    }
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

/// Runs `man`; with `dir` one page a command is written there.
///
/// # Errors
/// The page cannot be made or written.
pub fn man(app: &App, dir: Option<&Path>) -> Answer {
    let failed = |error| Failure::Work(Error::local("write", "man page", error));
    if let Some(dir) = dir {
        let written = fs_err::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
        return written.map(|()| ExitCode::Done).map_err(failed);
    }
    let mut out = Vec::new();
    let made = clap_mangen::Man::new(Cli::command()).render(&mut out);
    made.map_err(failed)?;
    app.ui.answer(String::from_utf8_lossy(&out).trim_end());
    Ok(ExitCode::Done)
}
