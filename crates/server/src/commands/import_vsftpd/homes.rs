//! Where each user's root is on the disk, and the one directory that holds them all. Pure.

use std::path::{Component, Path, PathBuf};

use ftp_config::{SharePath, UserName};

use super::{Findings, conf::Conf, machine::Machine, own::own_conf, rights::Layers};

/// Where vsftpd's anonymous users are at home when the system does not say.
const ANONYMOUS_HOME: &str = "/srv/ftp";

/// The option that names the system user of virtual users, whose home is theirs.
const GUEST: &str = "guest_username";

/// A user's root on the disk, and the directory that the share must at least reach up to.
pub(super) struct UserSeat {
    dir: PathBuf,
    reach: PathBuf,
}

pub(super) fn seats(conf: &Conf, machine: &Machine, names: &[UserName]) -> Vec<UserSeat> {
    let token = conf.given_text("user_sub_token");
    let seat = |name: &UserName| {
        let layers = Layers {
            own: own_conf(machine, name),
            all: conf,
        };
        let guest = layers.flag("guest_enable");
        let home = match guest {
            true => system_home(conf, machine, layers.of(GUEST).text(GUEST).unwrap_or("ftp")),
            false => system_home(conf, machine, name.as_str()),
        };
        let root = layers.of("local_root").given_text("local_root");
        let dir = home.join(root.unwrap_or_default());
        let dir = dir.to_string_lossy();
        if let Some(token) = token.filter(|token| dir.contains(*token)) {
            return templated(&dir, token, name);
        }
        let dir = clean(Path::new(&*dir));
        let reach = match root.is_some() || guest {
            true => dir.clone(),
            // Homes stand beside each other; one directly below the root stands beside the whole disk.
            false => {
                let above = dir.parent().filter(|above| *above != Path::new("/"));
                above.unwrap_or(&dir).to_owned()
            }
        };
        UserSeat { dir, reach }
    };
    names.iter().map(seat).collect()
}

/// A directory with `user_sub_token` in it: the share reaches up to where the names part.
fn templated(dir: &str, token: &str, name: &UserName) -> UserSeat {
    let before = dir.split(token).next().unwrap_or_default();
    let reach = before.rsplit_once('/').map_or("/", |(dir, _)| dir);
    UserSeat {
        dir: clean(Path::new(&dir.replace(token, name.as_str()))),
        reach: clean(Path::new(reach)),
    }
}

/// A home with `/./` in it is a jail and a directory to begin in: the jail is the root.
fn system_home(conf: &Conf, machine: &Machine, name: &str) -> PathBuf {
    let known = machine
        .system_users
        .iter()
        .find(|person| person.name == name);
    let home = known.map_or_else(|| format!("/home/{name}"), |person| person.home.clone());
    let jail = match home.split_once("/./") {
        Some((jail, _)) if conf.flag("passwd_chroot_enable") => jail,
        _ => &home,
    };
    clean(Path::new(jail))
}

pub(super) fn anonymous_dir(conf: &Conf, machine: &Machine) -> PathBuf {
    let ftp = conf.text("ftp_username").unwrap_or("ftp");
    let home = machine
        .system_users
        .iter()
        .find(|person| person.name == ftp);
    let home = home.map_or(ANONYMOUS_HOME, |person| &person.home);
    clean(&Path::new(home).join(conf.given_text("anon_root").unwrap_or_default()))
}

/// Folds `.`, `..` and doubled slashes; the answer begins with `/`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

/// Where everyone is at home.
pub(super) struct Homes {
    /// The directory that holds every user's root.
    pub root: PathBuf,
    /// The users' roots inside it, in the order of the users.
    pub of_users: Vec<SharePath>,
    /// Where anonymous users are at home in it.
    pub of_anonymous: SharePath,
}

/// Finds the directory that holds every root, and each root inside it.
pub(super) fn homes(
    conf: &Conf,
    seats: &[UserSeat],
    anonymous: Option<&Path>,
    findings: &mut Findings,
) -> Homes {
    let root = common_root(conf, seats, anonymous, findings);
    let mut inside = |dir: &Path| match share_path(&root, dir) {
        Some(path) => path,
        None => {
            let shown = dir.display().to_string();
            findings.refuse(conf.about(
                "local_root",
                format!(
                    "`{}` cannot be a path inside the share",
                    shown.escape_debug()
                ),
            ));
            SharePath::root()
        }
    };
    Homes {
        of_users: seats.iter().map(|seat| inside(&seat.dir)).collect(),
        of_anonymous: anonymous.map_or_else(SharePath::root, &mut inside),
        root,
    }
}

/// Returns the directory that all roots have in common; refuses the whole disk, unless one of them is that.
fn common_root(
    conf: &Conf,
    seats: &[UserSeat],
    anonymous: Option<&Path>,
    findings: &mut Findings,
) -> PathBuf {
    let mut reaches = seats
        .iter()
        .map(|seat| seat.reach.as_path())
        .chain(anonymous);
    let first = reaches
        .next()
        .map_or_else(|| PathBuf::from(ANONYMOUS_HOME), Path::to_owned);
    let root = reaches.fold(first.clone(), |root, dir| common(&root, dir));
    let apart = seats
        .iter()
        .map(|seat| seat.dir.as_path())
        .chain(anonymous)
        .find(|dir| common(&first, dir) == Path::new("/"));
    if let Some(other) =
        apart.filter(|other| root == Path::new("/") && **other != first && first != Path::new("/"))
    {
        findings.refuse(conf.about("local_root", format!(
            "`{}` and `{}` have only the whole disk in common, and ftpd shares one directory: run \
             one ftpd for each, or bring them below one directory",
            first.display(), other.display()
        )));
    }
    root
}

fn common(a: &Path, b: &Path) -> PathBuf {
    let shared = a
        .components()
        .zip(b.components())
        .take_while(|(x, y)| x == y);
    shared.map(|(part, _)| part).collect()
}

fn share_path(root: &Path, dir: &Path) -> Option<SharePath> {
    let relative = dir.strip_prefix(root).ok()?.to_str()?;
    format!("/{relative}").parse().ok()
}
