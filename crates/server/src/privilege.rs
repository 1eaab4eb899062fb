//! What root does before serving: binds low ports, then becomes someone else; and the limit on
//! open files.

use std::{ffi::CString, io, path::Path};

use nix::unistd::{Gid, Uid, User, chown, initgroups, setgid, setuid};
use rustix::process::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::error::Error;

/// Open files of one session at its busiest: control, data, its listener, the file, a pipe.
const FILES_PER_SESSION: u64 = 6;
/// Open files beside sessions: listeners, logs, the runtime.
const FILES_BESIDE: u64 = 64;

/// Becomes the user of `run_as` for good, when started as root; else warns that it cannot.
///
/// Call after binding and before anything else: files made later belong to that user.
///
/// # Errors
/// [`Error`] when there is no such user or the system refuses.
pub fn drop_root(run_as: Option<&str>, share_root: &Path) -> Result<(), Error> {
    let is_root = Uid::effective().is_root();
    let Some(name) = run_as else {
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
    let user = User::from_name(name)
        .map_err(|e| system("look up `server.run_as`", e))?
        .ok_or_else(|| Error::Usage(format!("`server.run_as`: no system user `{name}`")))?;
    if user.uid.is_root() {
        return Err(Error::Usage("`server.run_as` names root".to_owned()));
    }
    make_share_for(share_root, user.uid, user.gid)?;
    become_user(name, user.uid, user.gid)?;
    info!(user = name, "dropped root");
    Ok(())
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

fn make_share_for(root: &Path, uid: Uid, gid: Gid) -> Result<(), Error> {
    if root.exists() {
        return Ok(());
    }
    fs_err::create_dir_all(root).map_err(Error::system("make the share"))?;
    chown(root, Some(uid), Some(gid)).map_err(|e| system("give the share to its user", e))
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

    #[test]
    fn too_few_files_are_told_with_the_number_needed() {
        assert_eq!(too_few(None, 100_000), None);
        assert_eq!(too_few(Some(1024), 100), None);
        let warning = too_few(Some(1024), 200).unwrap();
        assert!(warning.contains("may need 1264"), "{warning}");
    }

    #[test]
    fn an_unknown_user_is_a_configuration_fault() {
        if !Uid::effective().is_root() {
            return;
        }
        let error = drop_root(Some("no-such-user-here"), Path::new("/")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
