//! `ftpd`: the command line, and what it comes to as an exit code.

use std::process::ExitCode;

use clap::Parser;
use ftpd::{cli::Cli, commands, log, say};

fn main() -> ExitCode {
    let done = commands::dispatch(Cli::parse());
    log::flush();
    match done {
        Ok(()) => match say::failure() {
            None => ExitCode::SUCCESS,
            Some(error) => {
                say::note(format_args!("ftpd: write to standard output: {error}"));
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            say::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
