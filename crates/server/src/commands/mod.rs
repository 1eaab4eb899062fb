//! One file a verb: what the person asked for, done with the rooms below, told on stdout.

pub mod ask;
pub mod cert;
pub mod check;
pub mod doctor;
pub mod edit;
pub mod import_vsftpd;
pub mod init;
pub mod papers;
pub mod run;
pub mod share;
pub mod user;

use crate::{
    cli::{Cli, Verb},
    config_file,
    error::Error,
    status::wire::Request,
};

/// Refuses `--config` for what reads no configuration: whoever names one means it.
fn refuse_config(verb: &Verb) -> Result<(), Error> {
    let word = match verb {
        Verb::Share(_) => "share",
        Verb::ImportVsftpd(_) => "import-vsftpd",
        _ => return Ok(()),
    };
    let words = format!("`ftpd {word}` reads no configuration: leave `--config` out");
    Err(Error::Usage(words))
}

/// Does what the command line asks.
///
/// # Errors
/// [`Error`] with the exit code.
pub fn dispatch(cli: Cli) -> Result<(), Error> {
    let global = cli.global;
    let find = || config_file::find(global.config.as_deref());
    if let (Some(verb), Some(_)) = (&cli.verb, &global.config) {
        refuse_config(verb)?;
    }
    match cli.verb.unwrap_or(Verb::Run) {
        Verb::Run => run::run(&find()?, &global),
        Verb::Check { print } => check::run(&find()?, print),
        Verb::User(verb) => user::run(&find()?, verb),
        Verb::Cert { renew } => cert::run(&find()?, renew),
        Verb::Status { json } => ask::status(&find()?, json),
        Verb::Who { watch, json } => ask::who(&find()?, watch, json),
        Verb::Kick { target } => ask::run(&find()?, &Request::Kick { target }),
        Verb::Reload => ask::run(&find()?, &Request::Reload),
        Verb::Unlock { user } => ask::run(&find()?, &Request::Unlock { user }),
        Verb::ImportVsftpd(asked) => import_vsftpd::run(asked),
        Verb::Share(asked) => share::run(&asked, &global),
        Verb::Init(asked) => init::run(asked, global.config.as_deref()),
        Verb::Doctor { from, json } => doctor::run(&find()?, from, json),
        Verb::Man { dir } => papers::man(dir.as_deref()),
        Verb::Completions { shell } => papers::completions(shell),
    }
}
