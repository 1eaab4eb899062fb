//! Checks of this machine: users, the share, room, the certificate, open files.

use std::{os::unix::fs::MetadataExt, path::Path, time::SystemTime};

use ftp_config::{
    ByteSize, ServerConfig,
    server::{Password, TlsMode, User},
};
use rustix::{
    fs::{Access, Mode, OFlags, ResolveFlags, access, open, openat2, statvfs, unlink},
    io::Errno,
};

use super::Finding;
use crate::{
    auth::accounts::Accounts,
    privilege,
    tls::{self, selfsigned},
};

/// A certificate with fewer days left is due.
const DUE_DAYS: i64 = 30;

/// Who can log in, and who of the list cannot.
pub(super) fn users(config: &ServerConfig, path: &Path) -> Finding {
    const CHECK: &str = "users";
    let command = |verb: &str| format!("ftpd --config {} user {verb}", path.display());
    let able = Accounts::new(config).names();
    let listed = |name: &ftp_config::UserName| {
        let allowed = config.auth.allow_users.as_ref();
        allowed.is_none_or(|names| names.contains(name)) && !config.auth.deny_users.contains(name)
    };
    let mut unset = config
        .users
        .iter()
        .filter(|user| user.password == Password::Unset && listed(&user.name));
    match (able.is_empty(), unset.next()) {
        (true, Some(user)) => Finding::fault(
            CHECK,
            "nobody can log in: no password is set",
            command(&format!("passwd {}", user.name)),
        ),
        (true, None) => Finding::fault(CHECK, "nobody can log in", command("add NAME")),
        (false, Some(user)) => {
            let text = format!(
                "{} can log in; `{}` has no password",
                able.join(", "),
                user.name
            );
            Finding::warning(CHECK, text, command(&format!("passwd {}", user.name)))
        }
        (false, None) => Finding::good(CHECK, format!("{} can log in", able.join(", "))),
    }
}

/// The name of whom we look as, who need not be whom the reader is.
fn own_name() -> String {
    let uid = nix::unistd::Uid::effective();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}

/// Whether the share is there and can be written, and the room on its disk.
///
/// `by_root`: root starts the server, and makes what is missing for its user.
pub(super) fn share(config: &ServerConfig, by_root: bool) -> Vec<Finding> {
    const CHECK: &str = "share";
    let root = &config.share.root;
    let shown = root.display();
    let Ok(meta) = root.metadata() else {
        let made = root.ancestors().skip(1).find(|dir| dir.is_dir());
        let may_make = by_root
            || made.is_some_and(|dir| access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok());
        return vec![match may_make {
            true => Finding::good(CHECK, format!("`{shown}` is made on start")),
            false => Finding::fault(
                CHECK,
                format!("`{shown}` is not there and cannot be made by this user"),
                format!("sudo install -d -o {} {shown}", own_name()),
            ),
        }];
    };
    if !meta.is_dir() {
        let fix = "share.root = \"DIRECTORY\"";
        return vec![Finding::fault(
            CHECK,
            format!("`{shown}` is not a directory"),
            fix,
        )];
    }
    let reads = access(root, Access::READ_OK | Access::EXEC_OK).is_ok();
    let written = access(root, Access::WRITE_OK).and_then(|()| try_writing(root));
    if reads && written == Err(Errno::ROFS) {
        let text = format!("`{shown}` is on a read-only disk: nothing can be uploaded");
        return vec![Finding::warning(CHECK, text, "mount it for writing")];
    }
    let writes = written.is_ok();
    let (mode, owner) = (meta.mode() & 0o777, meta.uid());
    let first = match (reads, writes) {
        (true, true) => Finding::good(CHECK, format!("`{shown}` can be read and written")),
        (true, false) => Finding::warning(
            CHECK,
            format!("`{shown}` cannot be written by this user (owner {owner}, mode {mode:o})"),
            format!("sudo chown {} {shown}", own_name()),
        ),
        (false, _) => Finding::fault(
            CHECK,
            format!("`{shown}` cannot be read by this user (owner {owner}, mode {mode:o})"),
            format!("sudo chown {} {shown}", own_name()),
        ),
    };
    [Some(first), room(config)].into_iter().flatten().collect()
}

/// Makes a file and removes it, as an upload would: some disks say only then that they are read-only.
/// What is full is another check's.
fn try_writing(root: &Path) -> Result<(), Errno> {
    let name = root.join(format!(".ftpd-part-doctor-{}", std::process::id()));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match open(&name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(_) => unlink(&name),
        Err(Errno::NOSPC | Errno::DQUOT | Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn room(config: &ServerConfig) -> Option<Finding> {
    let disk = statvfs(&config.share.root).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let total = disk.f_blocks.saturating_mul(disk.f_frsize);
    let reserve = config.share.reserve.of(total);
    // Some disks count no files at all.
    if disk.f_files > 0 && disk.f_favail == 0 {
        let text = "every upload is refused: the disk can hold no more files (inodes)";
        return Some(Finding::fault("room", text, "remove some files"));
    }
    Some(room_of(free, reserve))
}

fn room_of(free: u64, reserve: u64) -> Finding {
    const CHECK: &str = "room";
    let mib = |bytes: u64| ByteSize(bytes >> 20 << 20);
    match free.checked_sub(reserve) {
        Some(left) if left > 0 => {
            let text = format!("{} free for uploads, {} kept", mib(left), mib(reserve));
            Finding::good(CHECK, text)
        }
        _ => Finding::fault(
            CHECK,
            format!(
                "every upload is refused: {} free, {} must be kept",
                mib(free),
                mib(reserve)
            ),
            "free some room, or lower share.reserve",
        ),
    }
}

/// Whether everybody's home can be opened, where there is one: a missing one is made at the first login.
pub(super) fn homes(config: &ServerConfig) -> Option<Finding> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(&config.share.root, flags, Mode::empty()).ok()?;
    let able = Accounts::new(config).names();
    // As at a login: no link leads out, and what can only be written to can be entered.
    let is_shut = |user: &&User| {
        let home = match user.home.relative() {
            "" => ".",
            home => home,
        };
        let opened = openat2(&root, home, flags, Mode::empty(), ResolveFlags::BENEATH);
        let is_able = able.iter().any(|name| name == user.name.as_str());
        is_able && opened.is_err_and(|error| error != Errno::NOENT)
    };
    let shut: Vec<_> = config.users.iter().filter(is_shut).collect();
    let first = shut.first()?;
    let names: Vec<_> = shut.iter().map(|user| user.name.as_str()).collect();
    let home = config.share.root.join(first.home.relative());
    Some(Finding::warning(
        "homes",
        format!("{} get 530: their home cannot be opened", names.join(", ")),
        format!(
            "make `{}` a directory that the server may read",
            home.display()
        ),
    ))
}

/// Whether the record of transfers can be written.
pub(super) fn record(config: &ServerConfig) -> Option<Finding> {
    let path = config.log.xferlog.as_deref()?;
    let place = match path.exists() {
        true => path,
        false => path.parent().unwrap_or(Path::new("/")),
    };
    access(place, Access::WRITE_OK).err()?;
    Some(Finding::warning(
        "log",
        format!(
            "`{}` cannot be written: no transfer is recorded",
            path.display()
        ),
        "make its directory writable for the server, or correct log.xferlog",
    ))
}

/// Dates and key of the certificate.
pub(super) fn certificate(
    config: &ServerConfig,
    by_root: bool,
    now: SystemTime,
) -> Option<Finding> {
    const CHECK: &str = "tls";
    let tls = &config.tls;
    if tls.mode == TlsMode::Off {
        let text = "TLS is off: passwords and files go over the network in clear";
        return Some(Finding::warning(CHECK, text, "tls.mode = \"optional\""));
    }
    if tls.self_signed && !tls.cert.exists() && !tls.key.exists() {
        let place = tls.cert.ancestors().skip(1).find(|dir| dir.is_dir());
        let may_make = Access::WRITE_OK | Access::EXEC_OK;
        let is_made = by_root || place.is_some_and(|dir| access(dir, may_make).is_ok());
        return Some(match is_made {
            true => Finding::good(CHECK, "a certificate is made on first start"),
            false => Finding::fault(
                CHECK,
                format!(
                    "this user cannot make the certificate `{}`",
                    tls.cert.display()
                ),
                format!(
                    "sudo ftpd cert --renew, then chgrp and chmod 640 {}",
                    tls.key.display()
                ),
            ),
        });
    }
    let renew = match tls.self_signed {
        true => "ftpd cert --renew".to_owned(),
        false => format!("put a new one in the place of {}", tls.cert.display()),
    };
    let facts = tls::load(&tls.cert, &tls.key).and_then(|_| selfsigned::facts(&tls.cert));
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            let fix = match tls.self_signed {
                true => renew,
                false => {
                    "correct tls.cert and tls.key, or remove both: ftpd makes its own".to_owned()
                }
            };
            return Some(Finding::fault(CHECK, error.to_string(), fix));
        }
    };
    let begins = selfsigned::days_until(facts.not_before_unix, now);
    let days = selfsigned::days_until(facts.not_after_unix, now);
    Some(match days {
        _ if begins > 0 => Finding::fault(
            CHECK,
            format!("the certificate is good only in {begins} days"),
            "set the clock",
        ),
        ..0 => Finding::fault(
            CHECK,
            format!("the certificate expired {} days ago", -days),
            renew,
        ),
        0..DUE_DAYS => Finding::warning(
            CHECK,
            format!("the certificate expires in {days} days"),
            renew,
        ),
        _ => Finding::good(
            CHECK,
            format!("the certificate and its key serve, {days} days left"),
        ),
    })
}

/// Whether open files suffice for the sessions allowed.
pub(super) fn open_files(config: &ServerConfig) -> Option<Finding> {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let text = privilege::too_few(most, config.limits.max_clients)?;
    Some(Finding::warning("files", text, "ulimit -Hn 65536"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::commands::doctor::Verdict;

    fn config(text: &str, dir: &Path) -> ServerConfig {
        ServerConfig::from_toml(text, &dir.join("ftp.toml")).unwrap()
    }

    #[test]
    fn a_user_without_a_password_is_told_with_the_command() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("[[user]]\nname = \"ann\"\n", dir.path());
        let finding = users(&config, Path::new("f.toml"));
        assert_eq!(finding.verdict, Verdict::Fault);
        assert_eq!(
            finding.fix.as_deref(),
            Some("ftpd --config f.toml user passwd ann")
        );
    }

    #[test]
    fn a_share_that_is_missing_or_a_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |root: &str| {
            share(
                &config(
                    &format!("[anonymous]\nenabled = true\n[share]\nroot = \"{root}\"\n"),
                    dir.path(),
                ),
                false,
            )
        };
        assert_eq!(
            at("new")[0].text,
            format!("`{}` is made on start", dir.path().join("new").display())
        );
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert_eq!(at("file")[0].verdict, Verdict::Fault);
        assert_eq!(at(".")[0].verdict, Verdict::Good);
        assert_eq!(at(".")[1].check, "room");
    }

    #[test]
    fn a_share_is_written_to_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(try_writing(dir.path()), Ok(()));
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        // No user, not even root, makes files there.
        assert!(try_writing(Path::new("/proc/self")).is_err());
    }

    #[test]
    fn room_is_what_is_free_beyond_the_reserve() {
        assert_eq!(
            room_of(3 << 30, 1 << 30).text,
            "2 GiB free for uploads, 1 GiB kept"
        );
        assert_eq!(room_of(1 << 30, 2 << 30).verdict, Verdict::Fault);
        assert_eq!(room_of(0, 0).verdict, Verdict::Fault);
    }

    #[test]
    fn a_certificate_is_judged_by_its_dates_and_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let config = config("[anonymous]\nenabled = true\n", dir.path());
        let now = SystemTime::now();
        let judge = |now| certificate(&config, false, now).unwrap();
        assert_eq!(judge(now).text, "a certificate is made on first start");
        selfsigned::make(&config.tls.cert, &config.tls.key, &["x".to_owned()]).unwrap();
        assert_eq!(judge(now).verdict, Verdict::Good);
        let day = Duration::from_secs(86_400);
        assert_eq!(judge(now + day * 3635).verdict, Verdict::Warning);
        assert_eq!(
            judge(now + day * 3700).fix.as_deref(),
            Some("ftpd cert --renew")
        );
        assert_eq!(judge(now - day * 30).fix.as_deref(), Some("set the clock"));
        std::fs::write(&config.tls.key, "junk").unwrap();
        assert_eq!(judge(now).verdict, Verdict::Fault);
        let text = "[anonymous]\nenabled = true\n[tls]\ncert = \"x.pem\"\nkey = \"y.pem\"\n";
        let bought = certificate(&self::config(text, dir.path()), false, now).unwrap();
        assert!(bought.text.contains("x.pem"), "{bought:?}");
        let fix = bought.fix.unwrap();
        assert!(fix.starts_with("correct tls.cert and tls.key"), "{fix}");
    }

    #[test]
    fn a_home_that_is_none_and_a_record_that_cannot_be_written_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("share");
        std::fs::create_dir_all(root.join("ann")).unwrap();
        std::fs::write(root.join("bob"), "a file").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("cat")).unwrap();
        let users: String = ["ann", "bob", "cat", "new"]
            .map(|name| {
                format!(
                    "[[user]]\nname = \"{name}\"\nhome = \"/{name}\"\npassword = \"{}\"\n",
                    crate::auth::password::hash(&ftp_config::Secret::new("x")).unwrap()
                )
            })
            .concat();
        let text = format!(
            "[share]\nroot = \"{}\"\n[log]\nxferlog = \"/proc/none/x\"\n{users}",
            root.display()
        );
        let config = config(&text, dir.path());
        let found = homes(&config).unwrap();
        assert!(found.text.starts_with("bob, cat get 530"), "{found}");
        assert_eq!(record(&config).unwrap().verdict, Verdict::Warning);
    }

    #[test]
    fn homes_are_judged_as_at_a_login() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("share");
        std::fs::create_dir_all(root.join("common")).unwrap();
        std::os::unix::fs::symlink("common", root.join("ann")).unwrap();
        // Inside, but an absolute link always leads out.
        std::os::unix::fs::symlink(root.join("common"), root.join("bob")).unwrap();
        let hash = crate::auth::password::hash(&ftp_config::Secret::new("x")).unwrap();
        let user = |name| {
            format!("[[user]]\nname = \"{name}\"\nhome = \"/{name}\"\npassword = \"{hash}\"\n")
        };
        let text = format!(
            "[share]\nroot = \"{}\"\n{}{}",
            root.display(),
            user("ann"),
            user("bob")
        );
        let found = homes(&config(&text, dir.path())).unwrap();
        assert!(found.text.starts_with("bob get 530"), "{found}");
    }
}
