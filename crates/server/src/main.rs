//! `ftpd`: the command line, and what it comes to as an exit code.

use std::process::ExitCode;

use clap::Parser;
use ftpd::{cli::Cli, commands, say};

fn main() -> ExitCode {
    match commands::dispatch(Cli::parse()) {
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
