//! What the import reads beside the file itself: lists of names, the system's users, the files of
//! `user_config_dir`. Only here and in `places` the import touches the disk.

use std::{io, path::PathBuf};

use super::{
    conf::Conf,
    findings::Findings,
    places::{Places, read_capped},
};

/// System users of people begin here on every Linux distribution, and end before `nobody`.
const UIDS_OF_PEOPLE: std::ops::Range<u32> = 1000..60_000;

/// A file of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum List {
    /// The options do not ask for it.
    #[default]
    Unused,
    /// Its names, in order.
    Names(Vec<String>),
    /// It cannot be read, and why.
    Unreadable(String),
}

/// A user of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// The login name.
    pub name: String,
    /// The home directory, as the file says it.
    pub home: String,
}

/// What was found on the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    /// The names of `userlist_file`.
    pub userlist: List,
    /// The names of `chroot_list_file`.
    pub chroot_list: List,
    /// The names of `/etc/ftpusers`, whom PAM refuses.
    pub ftpusers: Vec<String>,
    /// Every system user.
    pub system_users: Vec<Person>,
    /// Those of them who are people and could log in by FTP.
    pub people: Vec<Person>,
    /// The files of `user_config_dir` by user name, sorted.
    pub user_confs: Vec<(String, Conf)>,
    /// Whether `hosts.allow` or `hosts.deny` speak of vsftpd, or of all services.
    pub wrappers_name_vsftpd: bool,
    /// The first line of `banner_file`.
    pub banner: Option<String>,
    /// What is to be said of the reading.
    pub findings: Findings,
}

impl Machine {
    /// Reads all that `conf` speaks of. Blocks.
    #[must_use]
    pub(super) fn read(conf: &Conf, places: &Places) -> Self {
        let mut machine = Self {
            userlist: List::read(
                places,
                conf,
                "userlist_enable",
                "userlist_file",
                &places.userlist,
            ),
            chroot_list: List::read(
                places,
                conf,
                "chroot_list_enable",
                "chroot_list_file",
                &places.chroot_list,
            ),
            ..Self::default()
        };
        machine.ftpusers = names(&machine.system_file(conf, places, "/etc/ftpusers"));
        machine.read_system_users(conf, places);
        machine.read_user_confs(conf, places);
        machine.wrappers_name_vsftpd = ["/etc/hosts.allow", "/etc/hosts.deny"]
            .map(|path| machine.system_file(conf, places, path))
            .iter()
            .any(|text| lines(text).any(speaks_of_vsftpd));
        if let Some(path) = conf.given_text("banner_file") {
            match places.below_root(path) {
                Ok(text) => {
                    machine.banner = lines(&text).next().map(str::to_owned);
                    if machine.banner.as_deref() != Some(text.trim()) {
                        let text = "`banner_file`: its first line alone is the greeting, without what is behind a `#`";
                        machine.findings.note(conf.about("banner_file", text));
                    }
                }
                Err(error) => {
                    let text = format!("`banner_file`: {error}; the usual greeting stays");
                    machine.findings.note(conf.about("banner_file", text));
                }
            }
        }
        machine
    }

    /// Returns the names of the userlist when nobody else logs in.
    #[must_use]
    pub(super) fn allow_list<'m>(&'m self, conf: &Conf) -> Option<&'m [String]> {
        match &self.userlist {
            List::Names(names) if conf.flag("userlist_enable") && !conf.flag("userlist_deny") => {
                Some(names)
            }
            _ => None,
        }
    }

    /// Reads a file that a system may lack: then it says nothing.
    fn system_file(&mut self, conf: &Conf, places: &Places, path: &str) -> String {
        match places.below_root(path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                String::new()
            }
            Err(error) => {
                self.findings
                    .refuse(conf.about("", format!("`{path}`: {error}")));
                String::new()
            }
        }
    }

    fn read_system_users(&mut self, conf: &Conf, places: &Places) {
        let passwd = self.system_file(conf, places, "/etc/passwd");
        let shells = places.below_root("/etc/shells").ok();
        for line in lines(&passwd) {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, _, _, home, shell] = fields[..] else {
                continue;
            };
            let person = Person {
                name: name.to_owned(),
                home: home.to_owned(),
            };
            let listed = |shells: &String| lines(shells).any(|known| known == shell);
            let shell_allows = !conf.flag("check_shell") || shells.as_ref().is_none_or(listed);
            let is_person = uid.parse().is_ok_and(|uid| UIDS_OF_PEOPLE.contains(&uid));
            if is_person && shell_allows {
                self.people.push(person.clone());
            }
            self.system_users.push(person);
        }
    }

    fn read_user_confs(&mut self, conf: &Conf, places: &Places) {
        let Some(dir) = conf.given_text("user_config_dir") else {
            return;
        };
        match places.dir(dir) {
            Ok(files) => {
                for (name, text) in files {
                    let shown = format!("{dir}/{name}");
                    let (user, found) = Conf::parse(&shown, &text);
                    self.findings.append(found);
                    self.user_confs.push((name, user));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = format!("`user_config_dir`: {error}; no user has settings of its own");
                self.findings.note(conf.about("user_config_dir", text));
            }
            Err(error) => {
                let text = format!("`user_config_dir`: {error}");
                self.findings.refuse(conf.about("user_config_dir", text));
            }
        }
    }
}

impl List {
    /// Reads the list that `given` names, or else `option`, if `switch` is on.
    fn read(
        places: &Places,
        conf: &Conf,
        switch: &str,
        option: &str,
        given: &Option<PathBuf>,
    ) -> Self {
        let text = match given {
            Some(path) => read_capped(path),
            None if conf.flag(switch) => places.below_root(conf.text(option).unwrap_or_default()),
            None => return Self::Unused,
        };
        match text {
            Ok(text) => Self::Names(names(&text)),
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}

/// A rule of hosts.allow or hosts.deny begins with the services that it is for.
fn speaks_of_vsftpd(rule: &str) -> bool {
    let services = rule.split(':').next().unwrap_or_default();
    let mut services = services.split([' ', '\t', ',']);
    rule.contains("vsftpd") || services.any(|service| service.eq_ignore_ascii_case("ALL"))
}

fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in lines(text) {
        if !names.iter().any(|name| name == line) {
            names.push(line.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(conf: &str, files: &[(&str, &str)]) -> Machine {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let places = Places {
            root: Some(dir.path().to_owned()),
            ..Places::default()
        };
        Machine::read(&Conf::parse("c", conf).0, &places)
    }

    #[test]
    fn lists_are_read_only_when_asked_for() {
        let files = [("etc/vsftpd.user_list", "# who\nann\n bob \n\nann\n")];
        assert_eq!(machine("", &files).userlist, List::Unused);
        let names = ["ann", "bob"].map(str::to_owned).to_vec();
        assert_eq!(
            machine("userlist_enable=YES", &files).userlist,
            List::Names(names)
        );
        let missing = machine("chroot_list_enable=YES", &files).chroot_list;
        assert!(matches!(missing, List::Unreadable(_)), "{missing:?}");
    }

    #[test]
    fn people_are_system_users_whom_vsftpd_would_let_in() {
        let passwd = "root:x:0:0::/root:/bin/bash\nann:x:1000:1000:Ann:/home/ann:/bin/bash\n\
                      cam:x:1001:1001::/home/cam:/usr/sbin/nologin\nodd line\n";
        let files = [
            ("etc/passwd", passwd),
            ("etc/shells", "/bin/sh\n/bin/bash\n"),
        ];
        let names = |machine: Machine| {
            let names: Vec<_> = machine
                .people
                .into_iter()
                .map(|person| person.name)
                .collect();
            names.join(" ")
        };
        assert_eq!(names(machine("", &files)), "ann");
        assert_eq!(names(machine("check_shell=NO", &files)), "ann cam");
    }

    #[test]
    fn files_of_users_are_read_in_the_order_of_names() {
        let files = [("cfg/bob", "write_enable=NO\n"), ("cfg/ann", "what\n")];
        let machine = machine("user_config_dir=/cfg", &files);
        let names: Vec<_> = machine
            .user_confs
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["ann", "bob"]);
        assert_eq!(machine.findings.refusals[0].file, "/cfg/ann");
    }

    #[test]
    fn a_users_file_behind_a_link_counts_and_one_that_leads_nowhere_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("cfg")).unwrap();
        std::fs::write(dir.path().join("strict"), "write_enable=NO\n").unwrap();
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, dir.path().join("cfg").join(name)).unwrap();
        };
        link("../strict", "ann");
        link("/strict", "bob");
        let places = Places {
            root: Some(dir.path().to_owned()),
            ..Places::default()
        };
        let conf = Conf::parse("c", "user_config_dir=/cfg").0;
        let machine = Machine::read(&conf, &places);
        assert_eq!(machine.user_confs.len(), 2);
        assert_eq!(machine.findings.refusals, []);
        assert!(
            machine
                .user_confs
                .iter()
                .all(|(_, own)| own.has("write_enable"))
        );
        link("/nowhere", "cam");
        let machine = Machine::read(&conf, &places);
        assert!(
            machine.findings.refusals[0].text.contains("nowhere"),
            "{:?}",
            machine.findings.refusals
        );
    }
}
