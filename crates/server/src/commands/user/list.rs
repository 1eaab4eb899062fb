//! `ftpd user list`.

use std::path::Path;

use ftp_config::{
    Rights, ServerConfig, SharePath,
    defaults::{GUEST, GUEST_ALIAS},
};
use serde_json::json;

use crate::{auth::accounts::Accounts, config_file, error::Error, say};

/// Prints the users of the file, and whether they can log in.
pub(super) fn list(config: &Path, as_json: bool) -> Result<(), Error> {
    let config = config_file::load(config)?.config;
    let rows = rows(&config);
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "name": row.name,
                    "home": row.home.as_str(),
                    "can": row.can.to_string(),
                    "login": row.refused.is_none(),
                    "reason": row.refused,
                })
            })
            .collect();
        say::line(serde_json::Value::from(rows));
        return Ok(());
    }
    let width = rows.iter().map(|row| row.name.len()).max();
    let width = width.unwrap_or(4).max(4);
    say::line(format_args!(
        "{:<width$}  {:<10}  {:<12}  LOGIN",
        "USER", "CAN", "HOME"
    ));
    for row in rows {
        let login = row.refused.map(|reason| format!("no: {reason}"));
        say::line(format_args!(
            "{:<width$}  {:<10}  {:<12}  {}",
            row.name,
            row.can.to_string(),
            row.home.as_str(),
            login.as_deref().unwrap_or("yes")
        ));
    }
    Ok(())
}

/// One who may be named at a login.
struct Row<'a> {
    name: &'a str,
    home: &'a SharePath,
    can: Rights,
    /// Why the login is refused, if it is.
    refused: Option<String>,
}

/// The users of the file, and the guests where they are let in.
fn rows(config: &ServerConfig) -> Vec<Row<'_>> {
    let accounts = Accounts::new(config);
    let row = |name, home, can| Row {
        name,
        home,
        can,
        refused: accounts.find(name).err().map(|reason| reason.to_string()),
    };
    let mut rows: Vec<_> = config
        .users
        .iter()
        .map(|user| row(user.name.as_str(), &user.home, user.can))
        .collect();
    let guests = &config.anonymous;
    if guests.enabled {
        // An account of that name leaves guests the other one.
        let is_free = |name: &&str| rows.iter().all(|row| row.name != *name);
        let free = [GUEST, GUEST_ALIAS].into_iter().find(is_free);
        rows.extend(free.map(|name| row(name, &guests.home, guests.can)));
    }
    rows
}
