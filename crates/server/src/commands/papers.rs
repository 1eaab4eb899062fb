//! `ftpd man` and `ftpd completions`: papers made from the command line's own definition.

use std::path::Path;

use clap::CommandFactory;

use crate::{cli::Cli, error::Error, say};

/// Prints the man page, or writes one page a verb to `dir`.
///
/// # Errors
/// When a page cannot be written.
pub fn man(dir: Option<&Path>) -> Result<(), Error> {
    let fault = Error::system("write the man page");
    match dir {
        Some(dir) => fs_err::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command(), dir))
            .map_err(fault),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command())
                .render(&mut page)
                .map_err(fault)?;
            say::text(String::from_utf8_lossy(&page));
            Ok(())
        }
    }
}

/// The verb `help` has no page that another could name.
fn command() -> clap::Command {
    Cli::command().disable_help_subcommand(true)
}

/// Prints the completions for a shell.
///
/// # Errors
/// None; the signature is that of every verb.
pub fn completions(shell: clap_complete::Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ftpd", &mut script);
    say::text(String::from_utf8_lossy(&script));
    Ok(())
}
