//! `ftpd import-vsftpd`: turns a `vsftpd.conf` into an `ftp.toml`.
//!
//! What each option becomes is one table, `table`. Reading the disk is `machine`'s and `places`'; the rest is
//! pure. An option whose loss would weaken security stops the import; everything else that is left
//! out or means something different here is said, with its line and reason.

mod conf;
mod draft;
mod findings;
mod homes;
mod limits;
mod line;
mod lists;
mod machine;
mod network;
mod own;
mod people;
mod places;
mod rights;
pub mod table;
mod translate;

use std::{
    io,
    path::{Path, PathBuf},
};

use self::{
    conf::Conf,
    draft::Draft,
    findings::Findings,
    machine::{List, Machine},
};
pub use self::{findings::Note, places::Places, translate::Wish};
use crate::{cli::Import, error::Error, say};

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Something in it must not be left out; one note each.
    #[error("`{}` cannot be imported as it is", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// What, where and why.
        refusals: Vec<Note>,
    },
}

/// An `ftp.toml`, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The text of the file, with the notes as comments.
    pub toml: String,
    /// What was left out or means something different.
    pub notes: Vec<Note>,
}

/// Prints the `ftp.toml` on stdout and the notes on stderr, or every refusal on stderr.
///
/// # Errors
/// When the file cannot be read or must not be imported.
pub fn run(asked: Import) -> Result<(), Error> {
    let places = Places {
        root: asked.root,
        chroot_list: asked.chroot_list,
        userlist: asked.userlist,
    };
    let wish = Wish {
        chroot_list_is_allow_list: asked.chroot_list_is_allow_list,
        privileged: rustix::process::geteuid().is_root(),
    };
    match import(&asked.file, &places, wish) {
        Ok(imported) => {
            for note in &imported.notes {
                say::note(format_args!("note: {note}"));
            }
            say::text(imported.toml);
            Ok(())
        }
        Err(ImportError::Refused { file, refusals }) => {
            for refusal in &refusals {
                say::note(format_args!("refused: {refusal}"));
            }
            let error = ImportError::Refused { file, refusals };
            Err(Error::Failed(error.to_string()))
        }
        Err(ImportError::Read(source)) => Err(Error::Failed(source.to_string())),
    }
}

/// Imports `file`. Blocks.
///
/// # Errors
/// [`ImportError`].
pub fn import(file: &Path, places: &Places, wish: Wish) -> Result<Imported, ImportError> {
    let text = places::read_capped(file)?;
    let name = file.display().to_string();
    let (mut conf, mut findings) = Conf::parse(&name, &text);
    let mut machine = Machine::read(&conf, places);
    let names = machine.allow_list(&conf);
    let shut_out = names.and_then(|names| conf.obey_allow_list(names, lists::USERLIST_SHUTS_OUT));
    machine.findings.notes.extend(shut_out);
    if let (true, List::Names(names)) = (wish.chroot_list_is_allow_list, &machine.chroot_list) {
        let shut_out = conf.obey_allow_list(names, lists::CHROOT_LIST_SHUTS_OUT);
        machine.findings.notes.extend(shut_out);
    }
    findings.append(conf.verdicts());
    findings.append(std::mem::take(&mut machine.findings));
    let draft = translate::translate(&conf, &machine, wish, &mut findings);
    findings.sort(&name);
    if !findings.refusals.is_empty() {
        return Err(ImportError::Refused {
            file: file.to_owned(),
            refusals: findings.refusals,
        });
    }
    Ok(Imported {
        toml: draft.render(&head(&name, &draft, &findings.notes)),
        notes: findings.notes,
    })
}

fn head(file: &str, draft: &Draft, notes: &[Note]) -> Vec<String> {
    let mut head = vec![format!("Made from {file} by `ftpd import-vsftpd`.")];
    if !draft.users.is_empty() {
        head.push(String::new());
        head.push(
            "Nobody can log in yet: passwords cannot be taken over. Set them with".to_owned(),
        );
        for user in &draft.users {
            head.push(format!("  ftpd --config FILE user passwd {}", user.name));
        }
    }
    if !notes.is_empty() {
        head.push(String::new());
        head.push("What is different, or left out:".to_owned());
        head.extend(notes.iter().map(|note| format!("- {note}")));
    }
    head
}

#[cfg(test)]
mod tests;
