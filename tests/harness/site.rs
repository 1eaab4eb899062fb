//! A temporary share with its `ftp.toml`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    mount::Mount,
    port::Kept,
    server::{Server, command},
};

/// The password of every user of a site.
pub const PASSWORD: &str = "secret";
/// Its hash, cheap on purpose: suites log in thousands of times.
const HASH: &str = "$argon2id$v=19$m=4096,t=1,p=1$zN3iGaTfvUjvYKnqCGbnrw$FJmSY3sko6/DRu8TB/9n1ysRPKzYDbyzGCbydKYXWXE";

/// Which protocol engine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Ours.
    Native,
    /// libunftp's.
    Libunftp,
}

/// A share, its users and its configuration, before the server is started.
#[derive(Debug)]
pub struct Site {
    // Declared first: it goes before its directory is removed.
    mount: Option<Mount>,
    dir: tempfile::TempDir,
    users: String,
    tables: Vec<(String, String)>,
    port: Option<Kept>,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// Makes an empty share without users, on a free port of loopback.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(dir.path().join("share")).unwrap();
        fs::create_dir(dir.path().join("config")).unwrap();
        Self {
            mount: None,
            dir,
            users: String::new(),
            tables: Vec::new(),
            port: None,
        }
        .key("server", "listen = [\"127.0.0.1:0\"]")
        .key("share", "reserve = \"0\"")
        .key("uploads", "fsync = \"never\"")
    }

    /// Makes a share with one user `ann` who may do everything.
    #[must_use]
    pub fn with_ann() -> Self {
        Self::new().user("ann", "read-write")
    }

    /// Adds a user; `can` is a preset or a list of rights separated by spaces.
    #[must_use]
    pub fn user(self, name: &str, can: &str) -> Self {
        self.user_with(name, can, "")
    }

    /// Adds a user with more keys of its table.
    #[must_use]
    pub fn user_with(mut self, name: &str, can: &str, more: &str) -> Self {
        let preset = ["read-only", "read-write", "dropbox"].contains(&can);
        let can = if preset {
            format!("\"{can}\"")
        } else {
            format!("{:?}", can.split(' ').collect::<Vec<_>>())
        };
        self.users +=
            &format!("[[user]]\nname = \"{name}\"\npassword = \"{HASH}\"\ncan = {can}\n{more}\n");
        self
    }

    /// Adds lines to a table; a later line of the same key replaces an earlier one.
    #[must_use]
    pub fn key(mut self, table: &str, line: &str) -> Self {
        let key = line.split('=').next().unwrap_or_default().trim().to_owned();
        self.tables.retain(|(other, old)| {
            other != table || old.split('=').next().unwrap_or_default().trim() != key
        });
        self.tables.push((table.to_owned(), line.to_owned()));
        self
    }

    /// Listens on one port, which stays this site's while its server is stopped and started.
    #[must_use]
    pub fn on_kept_port(mut self) -> Self {
        let kept = self.port.insert(Kept::new());
        let listen = format!("listen = [\"{}\"]", kept.address);
        self.key("server", &listen)
    }

    /// Gives the share a tmpfs with these options; `None`: not possible here, as was said.
    #[must_use]
    pub fn on_tmpfs(mut self, options: &str) -> Option<Self> {
        self.mount = Some(Mount::tmpfs(&self.share(), options)?);
        Some(self)
    }

    /// Gives the share an XFS of 320 MiB; `None`: not possible here, as was said.
    #[must_use]
    pub fn on_xfs(mut self) -> Option<Self> {
        self.mount = Some(Mount::xfs(&self.share(), &self.dir.path().join("image"))?);
        Some(self)
    }

    /// Chooses the engine.
    #[must_use]
    pub fn engine(self, engine: Engine) -> Self {
        match engine {
            Engine::Native => self.key("server", "engine = \"native\""),
            Engine::Libunftp => self.key("server", "engine = \"libunftp\""),
        }
    }

    /// Puts a file into the share.
    #[must_use]
    pub fn file(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.disk(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory")).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes a directory in the share.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        fs::create_dir_all(self.disk(path)).unwrap();
        self
    }

    /// Returns where a path of the share is on disk.
    #[must_use]
    pub fn disk(&self, path: &str) -> PathBuf {
        self.share().join(path.trim_start_matches('/'))
    }

    /// Returns the shared directory.
    #[must_use]
    pub fn share(&self) -> PathBuf {
        self.dir.path().join("share")
    }

    /// Returns the temporary directory that holds everything.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the path of the configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("config/ftp.toml")
    }

    /// Returns the text of the configuration.
    #[must_use]
    pub fn text(&self) -> String {
        let mut names: Vec<&str> = self
            .tables
            .iter()
            .map(|(table, _)| table.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut text = String::new();
        for name in names {
            text += &format!("[{name}]\n");
            for (_, line) in self.tables.iter().filter(|(table, _)| table == name) {
                text += line;
                text.push('\n');
            }
        }
        text + &self.users
    }

    /// Writes the configuration.
    pub fn write(&self) {
        fs::write(self.config(), self.text()).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes the configuration and starts `ftpd`.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Server {
        self.start_by(|ftpd| ftpd)
    }

    /// Writes the configuration and starts `ftpd` by another command made of the usual one.
    #[must_use]
    #[track_caller]
    pub fn start_by(self, change: impl FnOnce(Command) -> Command) -> Server {
        self.write();
        let ftpd = change(command(&self));
        Server::start(self, ftpd)
    }
}

/// Names that trip programs over.
pub const NASTY: [&str; 12] = [
    "with space",
    " lead",
    "trail ",
    "quote\"s",
    "apo'strophe",
    "hash#tag",
    "per%20cent",
    "-dash",
    "中文.txt",
    "emoji😀",
    "back\\slash",
    "[brackets]*?",
];
