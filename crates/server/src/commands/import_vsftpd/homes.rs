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

/// A directory with `user_sub_token` in it: the share reaches up to where the names part, but never to the whole disk.
fn templated(dir: &str, token: &str, name: &UserName) -> UserSeat {
    let before = dir.split(token).next().unwrap_or_default();
    let reach = clean(Path::new(
        before.rsplit_once('/').map_or("/", |(dir, _)| dir),
    ));
    let dir = clean(Path::new(&dir.replace(token, name.as_str())));
    let reach = match reach == Path::new("/") {
        true => dir.clone(),
        false => reach,
    };
    UserSeat { dir, reach }
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

/// Returns the directory that all roots have in common; refuses the whole disk, unless it is everybody's root.
fn common_root(
    conf: &Conf,
    seats: &[UserSeat],
    anonymous: Option<&Path>,
    findings: &mut Findings,
) -> PathBuf {
    let reaches = seats.iter().map(|seat| seat.reach.as_path());
    let root = reaches
        .chain(anonymous)
        .map(Path::to_owned)
        .reduce(|root, dir| common(&root, &dir))
        .unwrap_or_else(|| PathBuf::from(ANONYMOUS_HOME));
    if root == Path::new("/") {
        let dirs = seats.iter().map(|seat| seat.dir.as_path());
        judge_whole_disk(conf, &dirs.chain(anonymous).collect::<Vec<_>>(), findings);
    }
    root
}

/// What to say where nothing less than the whole disk holds all of `dirs`.
fn judge_whole_disk(conf: &Conf, dirs: &[&Path], findings: &mut Findings) {
    let (whole, parts): (Vec<&Path>, Vec<&Path>) =
        dirs.iter().partition(|dir| **dir == Path::new("/"));
    let Some(first) = parts.first() else {
        findings.note(conf.about(
            "local_root",
            "the whole disk (`/`) is everybody's root, so it is the share: whoever logs in reaches every file \
             that the server may open. Name a directory in `share.root` unless that is meant",
        ));
        return;
    };
    let apart = parts
        .iter()
        .find(|dir| common(first, dir) == Path::new("/"));
    let text = match apart.filter(|_| whole.is_empty()) {
        Some(other) => format!(
            "`{}` and `{}` have only the whole disk in common, and ftpd shares one directory: run \
             one ftpd for each, or bring them below one directory",
            first.display(),
            other.display()
        ),
        None => format!(
            "the root of some is the whole disk (`/`), and `{}` that of others: ftpd shares one directory, \
             which would be the disk. Give those with `/` a directory, or run one ftpd for each",
            first.display()
        ),
    };
    findings.refuse(conf.about("local_root", text));
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
