//! What root does before serving: binds low ports, then becomes someone else; and the limit on
//! open files.

mod ports;

use std::{
    ffi::CString,
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use ftp_config::{ServerConfig, server::TlsMode};
use nix::{
    fcntl::{AT_FDCWD, AtFlags},
    unistd::{Gid, Uid, User, fchownat, initgroups, setgid, setuid},
};
use rustix::{
    fs::{Access, CWD},
    io::Errno,
    process::{Resource, getrlimit, setrlimit},
};
use tracing::{info, warn};

pub use self::ports::closed_ports;
use crate::{error::Error, snapshot};

/// Open files of one session at its busiest: control, data, its listener, the file, a pipe.
const FILES_PER_SESSION: u64 = 6;
/// Open files beside sessions: listeners, logs, the runtime.
const FILES_BESIDE: u64 = 64;
/// Where the status socket goes.
const RUN_DIR: &str = "/run/ftpd";

/// Becomes the user of `run_as` for good, when started as root; else warns that it cannot.
///
/// Call after binding and before anything else: files made later belong to that user. The share,
/// the certificate of a first start and `/run/ftpd` are made for that user before, where it could
/// not make them.
///
/// # Errors
/// [`Error`] when there is no such user or the system refuses.
pub fn drop_root(config: &ServerConfig, config_path: &Path) -> Result<(), Error> {
    let is_root = Uid::effective().is_root();
    let Some(name) = config.server.run_as.as_deref() else {
        if is_root {
            warn!("running as root: `server.run_as = \"ftpd\"` drops that after binding");
        }
        return Ok(());
    };
    if !is_root {
        let us = User::from_uid(Uid::effective()).ok().flatten();
        if us.is_none_or(|user| user.name != name) {
            warn!(
                run_as = name,
                "not started as root: `server.run_as` does nothing"
            );
        }
        return Ok(());
    }
    let user = look_up(name, config_path)?;
    make_for(config, user.uid, user.gid)?;
    become_user(name, user.uid, user.gid)?;
    info!(user = name, "dropped root");
    if std::fs::File::open(config_path).is_err() {
        let path = config_path.display();
        match closed_directory(config_path) {
            Some(dir) => warn!(
                "`{name}` may not enter {}, so what lies there cannot be read: let {path} lie where it may, \
                 such as /etc/ftp",
                dir.display()
            ),
            None => warn!(
                "`{name}` cannot read {path}, so reloads will fail: `chgrp` and `chmod 640` mend it"
            ),
        }
    }
    Ok(())
}

/// Returns the first directory on the way to `path` that this process may not enter.
fn closed_directory(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let mut ways: Vec<_> = path.ancestors().skip(1).collect();
    ways.reverse();
    let is_closed = |dir: &&Path| {
        let asked = rustix::fs::accessat(CWD, *dir, Access::EXEC_OK, rustix::fs::AtFlags::EACCESS);
        asked == Err(Errno::ACCESS)
    };
    ways.into_iter().find(is_closed).map(Path::to_owned)
}

/// Tells whether a start by this user, root, would become another.
#[must_use]
pub fn becomes_another(config: &ServerConfig) -> bool {
    Uid::effective().is_root() && config.server.run_as.is_some()
}

/// Refuses a `run_as` that a start by root would refuse.
///
/// # Errors
/// [`Error`] when there is no such user, or it is root.
pub fn ensure_run_as(config: &ServerConfig, config_path: &Path) -> Result<(), Error> {
    match config.server.run_as.as_deref() {
        Some(name) if Uid::effective().is_root() => look_up(name, config_path).map(drop),
        _ => Ok(()),
    }
}

/// Becomes the user of `run_as` for good, and makes nothing for it.
///
/// # Errors
/// [`Error`] when there is no such user or the system refuses.
pub fn become_run_as(config: &ServerConfig, config_path: &Path) -> Result<(), Error> {
    let Some(name) = config.server.run_as.as_deref() else {
        return Ok(());
    };
    let user = look_up(name, config_path)?;
    become_user(name, user.uid, user.gid)
}

fn look_up(name: &str, config_path: &Path) -> Result<User, Error> {
    let user = User::from_name(name)
        .map_err(|e| system("look up `server.run_as`", e))?
        .ok_or_else(|| {
            let path = config_path.display();
            Error::Usage(format!(
                "{path}: `server.run_as`: no system user `{name}`: correct the name, or make that user with `useradd --system`"
            ))
        })?;
    match user.uid.is_root() {
        true => Err(Error::Usage("`server.run_as` names root".to_owned())),
        false => Ok(user),
    }
}

fn become_user(name: &str, uid: Uid, gid: Gid) -> Result<(), Error> {
    let c_name = CString::new(name)
        .map_err(|_| Error::Usage("`server.run_as` holds a NUL byte".to_owned()))?;
    initgroups(&c_name, gid).map_err(|e| system("set groups", e))?;
    setgid(gid).map_err(|e| system("set group", e))?;
    setuid(uid).map_err(|e| system("set user", e))?;
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(Error::Failed(
            "root could not be dropped for good".to_owned(),
        ));
    }
    Ok(())
}

/// Makes what the user could not make where root's hand is needed.
fn make_for(config: &ServerConfig, uid: Uid, gid: Gid) -> Result<(), Error> {
    // Never what a link leads to: whoever may write beside it could put one there.
    let give = |path: &Path| {
        let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
        fchownat(AT_FDCWD, path, Some(uid), Some(gid), flags)
            .map_err(|e| system(&format!("give `{}` to its user", path.display()), e))
    };
    let root = &config.share.root;
    if !root.exists() {
        fs_err::create_dir_all(root).map_err(Error::system("make the share"))?;
        give(root)?;
        snapshot::tell_made(root, snapshot::is_first_start(config));
    }
    let (cert, key) = (&config.tls.cert, &config.tls.key);
    if config.tls.mode != TlsMode::Off && snapshot::make_first_certificate(config)? {
        give(cert)?;
        give(key)?;
    }
    if config.tls.self_signed {
        give_key(key, uid, gid).map_err(Error::system(format!(
            "give `{}` to its user",
            key.display()
        )))?;
    }
    // Without it `ftpd who` has another place for the socket.
    if std::fs::DirBuilder::new()
        .mode(0o700)
        .create(RUN_DIR)
        .is_ok()
    {
        give(Path::new(RUN_DIR))?;
    }
    Ok(())
}

/// Gives the user the key that a start as root made. A key whose group may read is as somebody
/// wants it; a link, or a file that has another name too, may be anybody's.
fn give_key(key: &Path, uid: Uid, gid: Gid) -> io::Result<()> {
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
        .open(key);
    let Ok(file) = opened else {
        return Ok(());
    };
    let meta = file.metadata()?;
    let is_roots_alone = meta.is_file()
        && meta.nlink() == 1
        && Uid::from_raw(meta.uid()).is_root()
        && meta.mode() & 0o040 == 0;
    if is_roots_alone {
        std::os::unix::fs::fchown(&file, Some(uid.as_raw()), Some(gid.as_raw()))?;
    }
    Ok(())
}

fn system(what: &str, errno: nix::errno::Errno) -> Error {
    Error::System {
        what: what.to_owned(),
        source: io::Error::from(errno),
    }
}

/// Raises the soft limit on open files to the hard one; warns when that is too few for
/// `max_clients` sessions.
pub fn raise_open_files(max_clients: u32) {
    let mut limit = getrlimit(Resource::Nofile);
    let soft = limit.current;
    limit.current = limit.maximum;
    let now = match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.maximum,
        Err(_) => soft,
    };
    if let Some(warning) = too_few(now, max_clients) {
        warn!("{warning}");
    }
}

/// Returns the warning when `open_files` (`None`: no limit) do not serve `max_clients` sessions.
#[must_use]
pub fn too_few(open_files: Option<u64>, max_clients: u32) -> Option<String> {
    let needed = u64::from(max_clients) * FILES_PER_SESSION + FILES_BESIDE;
    let have = open_files.filter(|have| *have < needed)?;
    Some(format!(
        "{have} open files are too few for limits.max_clients = {max_clients}, which may need \
         {needed}: raise the limit (`ulimit -Hn {needed}`, LimitNOFILE= in the unit) or lower \
         max_clients"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skip::skip;

    #[test]
    fn too_few_files_are_told_with_the_number_needed() {
        assert_eq!(too_few(None, 100_000), None);
        assert_eq!(too_few(Some(1024), 100), None);
        let warning = too_few(Some(1024), 200).unwrap();
        assert!(warning.contains("may need 1264"), "{warning}");
    }

    #[test]
    fn a_key_that_root_made_is_given_to_the_user() {
        if !Uid::effective().is_root() {
            skip("only root may become another user, or give files away");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let owner = |name: &str| dir.path().join(name).metadata().unwrap().uid();
        let make = |name: &str, mode: u32| {
            let made = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(dir.path().join(name));
            made.unwrap();
        };
        for (name, mode) in [("key", 0o600), ("shared", 0o640), ("other", 0o600)] {
            make(name, mode);
        }
        std::os::unix::fs::symlink("other", dir.path().join("link")).unwrap();
        for name in ["key", "shared", "link", "missing"] {
            give_key(
                &dir.path().join(name),
                Uid::from_raw(54321),
                Gid::from_raw(54321),
            )
            .unwrap();
        }
        assert_eq!(owner("key"), 54321);
        assert_eq!((owner("shared"), owner("other")), (0, 0));
        std::fs::hard_link(dir.path().join("other"), dir.path().join("twin")).unwrap();
        give_key(
            &dir.path().join("twin"),
            Uid::from_raw(54321),
            Gid::from_raw(54321),
        )
        .unwrap();
        assert_eq!(owner("twin"), 0);
    }

    #[test]
    fn an_unknown_user_is_a_configuration_fault() {
        if !Uid::effective().is_root() {
            skip("only root may become another user, or give files away");
            return;
        }
        let text = "[server]\nrun_as = \"no-such-user-here\"\n[[user]]\nname = \"ann\"\n";
        let path = Path::new("/nonexistent/ftp.toml");
        let config = ServerConfig::from_toml(text, path).unwrap();
        assert_eq!(drop_root(&config, path).unwrap_err().exit_code(), 2);
    }
}
