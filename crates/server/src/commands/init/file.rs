//! The file itself: its words, and how it is made.

use std::{
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::answers::Answers;
use crate::error::Error;

pub(super) fn taken(path: &Path) -> Error {
    Error::Usage(format!(
        "`{}` is there already and stays as it is: name another with `--config`",
        path.display()
    ))
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

pub(super) fn text(answers: &Answers, hash: &str) -> String {
    let Answers { dir, user, listen } = answers;
    format!(
        r#"# ftp.toml, written by `ftpd init`. `ftpd check` reads it and tells every fault; `ftpd check
# --print` shows every key with the value in force. A running ftpd takes changes over by itself.

[server]
# Where to listen. "[::]:2121" is every address of this machine, IPv4 too; "127.0.0.1:2121" is this
# machine alone. Ports below 1024 need privilege.
listen = [{listen}]
# Who may connect at all; "lan" is loopback, private and link-local addresses. Remove it, and
# everyone who reaches the port may try to log in.
allow_from = ["lan"]

[share]
# The directory to share; made if missing. Nobody gets above it.
root = {root}
# Free room that uploads must leave on the disk.
reserve = "1%"
# New files can be read by others ("022"), or not ("077").
umask = "022"

[auth]
# Only these users log in, even if there are more below.
allow_users = [{user}]

# `ftpd user add NAME` adds a user, `ftpd user passwd NAME` changes a password.
[[user]]
name = {user}
password = {hash}
# The user's root inside the share.
home = "/"
# "read-only", "read-write", "dropbox" (may add, may not see), or a list of: list, read, write,
# overwrite, delete, rename, mkdir, chmod.
can = "read-write"

[passive]
# Ports of data connections; open them in the firewall beside the one above.
ports = "50000-50999"
# What clients are told to dial: "auto" is the address they dialled already. In a container or
# behind a router write the address that they reach.
address = "auto"

[tls]
# "optional": clients may use TLS; "required": they must. The certificate is made on first start
# beside this file.
mode = "optional"

[announce]
# Let file managers on the LAN find this server by mDNS.
mdns = false
"#,
        listen = quoted(&listen.to_string()),
        root = quoted(&dir.to_string_lossy()),
        user = quoted(user.as_str()),
        hash = quoted(hash),
    )
}

/// Creates the file, closed to everyone else from its first moment.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(dir) = path.parent() {
        fs_err::create_dir_all(dir).map_err(Error::system("make the directory"))?;
    }
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = made.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => Error::System {
            what: format!("write `{}`", path.display()),
            source,
        },
    })?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|source| {
        // Half of it would be taken for a file that is there already.
        let _ = std::fs::remove_file(path);
        Error::System {
            what: format!("write `{}`", path.display()),
            source,
        }
    })
}
