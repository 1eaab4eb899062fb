//! Changes `ftp.toml` in place: comments and order stay, the file is replaced whole, and only when
//! the result is a good configuration.

mod gap;
mod names;
mod replace;
mod turn;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use ftp_config::{ConfigError, Right, Rights, Secret, UserName};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, RawString, Table, Value, value};

use self::{replace::replace, turn::take_turn};
use crate::{config_file, error::Error};

/// The byte order mark that some editors begin a file with.
const MARK: &str = "\u{feff}";

/// A configuration file being changed.
#[derive(Debug)]
pub struct Editor {
    /// As it was named: what the file says is relative to this.
    path: PathBuf,
    /// The file itself, links followed: this one is replaced.
    real: PathBuf,
    /// Locked, so that no other run changes the file between our reading and our writing.
    _turn: Option<File>,
    document: DocumentMut,
    /// How many faults it had.
    faults: usize,
    has_mark: bool,
    has_crlf: bool,
}

impl Editor {
    /// Reads the file, once no other run is changing it. Not to be kept while a person is asked.
    ///
    /// # Errors
    /// When it cannot be read or is not TOML.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let real = std::fs::canonicalize(path).map_err(unreadable)?;
        // Replaced by us it would have lost the mode by which it is known.
        ftp_config::ensure_trusted(path)?;
        let turn = take_turn(&real).map_err(unreadable)?;
        let text = std::fs::read_to_string(&real).map_err(unreadable)?;
        let path = std::path::absolute(path).map_err(unreadable)?;
        let editor = Self::parse(path, real, &text)?;
        Ok(Self {
            _turn: Some(turn),
            ..editor
        })
    }

    /// Checks the configuration as it stands now.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn check(&self) -> Result<(), Error> {
        config_file::check_text(&self.document.to_string(), &self.path)
    }

    fn parse(path: PathBuf, real: PathBuf, text: &str) -> Result<Self, Error> {
        let document = text
            .parse()
            .map_err(|e: toml_edit::TomlError| Error::Usage(format!("{}: {e}", path.display())))?;
        Ok(Self {
            faults: config_file::check_text(text, &path).map_or_else(|error| count(&error), |()| 0),
            path,
            real,
            _turn: None,
            document,
            has_mark: text.starts_with(MARK),
            has_crlf: text.contains("\r\n"),
        })
    }

    fn users(&mut self) -> Result<&mut ArrayOfTables, Error> {
        self.document
            .entry("user")
            .or_insert(Item::ArrayOfTables(ArrayOfTables::new()))
            .as_array_of_tables_mut()
            .ok_or_else(|| Error::Usage("`user` is not written as `[[user]]` tables".to_owned()))
    }

    fn user(&mut self, name: &UserName) -> Result<&mut Table, Error> {
        let missing = || Error::Usage(format!("there is no user `{name}`"));
        self.users()?
            .iter_mut()
            .find(|table| is_named(table, name))
            .ok_or_else(missing)
    }

    /// Adds a user, to the allow-list too when there is one in the file.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn add(
        &mut self,
        name: &UserName,
        hash: &Secret,
        home: Option<&str>,
        can: Option<Rights>,
    ) -> Result<(), Error> {
        if self.user(name).is_ok() {
            return Err(Error::Usage(format!(
                "there is a user `{name}` already: `ftpd user passwd {name}` changes the password"
            )));
        }
        let mut table = Table::new();
        table["name"] = value(name.as_str());
        table["password"] = value(hash.expose());
        if let Some(home) = home {
            table["home"] = value(home);
        }
        if let Some(can) = can {
            table["can"] = rights_value(can);
        }
        // Commented keys below the last user are that one's and stay there.
        let last = self.users()?.iter().last().and_then(Table::position);
        let place = last.or_else(|| gap::last_place(&self.document));
        let comments = gap::take_comments(&mut self.document, place);
        table.decor_mut().set_prefix(format!("{comments}\n"));
        table.set_position(place);
        self.users()?.push(table);
        if let Some(allowed) = self.allow_list()
            && !allowed.iter().any(|v| v.as_str() == Some(name.as_str()))
        {
            names::push(allowed, name.as_str());
        }
        Ok(())
    }

    /// Puts another password in the place of a user's.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn set_password(&mut self, name: &UserName, hash: &Secret) -> Result<(), Error> {
        let table = self.user(name)?;
        match table.get_mut("password").and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = Value::from(hash.expose());
                *old.decor_mut() = decor;
            }
            None => table["password"] = value(hash.expose()),
        }
        Ok(())
    }

    /// Removes a user, from the allow-list and the deny-list of the file too.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn remove(&mut self, name: &UserName) -> Result<(), Error> {
        let table = self.user(name)?;
        let place = table.position();
        let above = table.decor().prefix().and_then(RawString::as_str);
        let above = above.unwrap_or_default().to_owned();
        let users = self.users()?;
        users.retain(|table| !is_named(table, name));
        if users.is_empty() {
            self.document.remove("user");
        }
        // What stands above the table belongs to what is above it too; its own comments go.
        gap::take_comments(&mut self.document, place);
        gap::give_back(&mut self.document, place, &above);
        for list in ["allow_users", "deny_users"] {
            if let Some(names) = self.auth_list(list) {
                names::remove(names, name.as_str());
            }
        }
        Ok(())
    }

    fn allow_list(&mut self) -> Option<&mut Array> {
        self.auth_list("allow_users")
    }

    fn auth_list(&mut self, key: &str) -> Option<&mut Array> {
        self.document.get_mut("auth")?.get_mut(key)?.as_array_mut()
    }

    /// Checks the changed configuration and puts it in the place of the old one. Others than owner
    /// and group lose the right to read it, as it holds password hashes.
    ///
    /// # Errors
    /// When the result is not a good configuration, nor one with fewer faults than before (nothing is changed
    /// then), or cannot be written.
    pub fn save(self) -> Result<(), Error> {
        if let Err(error) = self.check()
            && !(1..self.faults).contains(&count(&error))
        {
            return Err(error);
        }
        replace(&self.real, &self.text())
    }

    /// The document as its file has it: with its mark of order and its line ends, if it had any.
    fn text(&self) -> String {
        let text = self.document.to_string();
        let text = match self.has_crlf {
            true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
            false => text,
        };
        format!("{}{text}", if self.has_mark { MARK } else { "" })
    }
}

fn count(error: &Error) -> usize {
    match error {
        Error::Config(error) => error.faults().len(),
        _ => 0,
    }
}

fn is_named(table: &Table, name: &UserName) -> bool {
    table.get("name").and_then(Item::as_str) == Some(name.as_str())
}

fn rights_value(rights: Rights) -> Item {
    match rights.preset() {
        Some(word) => value(word),
        None => value(rights.iter().map(Right::word).collect::<Array>()),
    }
}

#[cfg(test)]
mod tests;
