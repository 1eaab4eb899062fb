//! From the switches and command lists of vsftpd to rights. Pure.

use ftp_config::{Right, Rights};

use super::conf::Conf;

/// The commands that each right stands for; a right is given only when all of them are permitted.
const COMMANDS: [(Right, &[&str]); 8] = [
    (Right::List, &["LIST", "NLST"]),
    (Right::Read, &["RETR"]),
    (Right::Write, &["STOR"]),
    (Right::Overwrite, &["STOR", "APPE"]),
    (Right::Delete, &["DELE", "RMD"]),
    (Right::Rename, &["RNFR", "RNTO"]),
    (Right::Mkdir, &["MKD"]),
    (Right::Chmod, &["SITE"]),
];

/// The settings that hold for one user: its own file over the server's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers<'c> {
    /// The user's file, if there is one.
    pub own: Option<&'c Conf>,
    /// The server's file.
    pub all: &'c Conf,
}

impl<'c> Layers<'c> {
    /// Returns the file that decides an option.
    #[must_use]
    pub(super) fn of(self, name: &str) -> &'c Conf {
        self.own.filter(|own| own.has(name)).unwrap_or(self.all)
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.of(name).flag(name)
    }

    /// Tells whether the command lists let `command` pass.
    #[must_use]
    pub(super) fn permits(self, command: &str) -> bool {
        let list = |name: &str| self.of(name).given_text(name);
        let holds = |list: &str| {
            list.split(',')
                .any(|word| word.trim().eq_ignore_ascii_case(command))
        };
        list("cmds_allowed").is_none_or(holds) && !list("cmds_denied").is_some_and(holds)
    }

    fn filtered(self, rights: impl Iterator<Item = Right>) -> Rights {
        let permitted = |right: &Right| {
            COMMANDS
                .iter()
                .filter(|(of, _)| of == right)
                .all(|(_, commands)| commands.iter().all(|command| self.permits(command)))
        };
        rights.filter(permitted).collect()
    }

    /// Tells whether a user is one of vsftpd's virtual users with the rights of anonymous ones.
    #[must_use]
    pub(super) fn is_like_anonymous(self) -> bool {
        self.flag("guest_enable") && !self.flag("virtual_use_local_privs")
    }

    /// Returns the option that limits a user's rate.
    #[must_use]
    pub(super) fn rate_option(self) -> &'static str {
        match self.is_like_anonymous() {
            true => "anon_max_rate",
            false => "local_max_rate",
        }
    }

    /// Returns the rights of a user who logs in with a name and a password.
    #[must_use]
    pub(super) fn user_rights(self) -> Rights {
        if self.is_like_anonymous() {
            self.anonymous_rights()
        } else {
            self.local_rights()
        }
    }

    fn local_rights(self) -> Rights {
        let off = |right: &Right| match right {
            Right::List => !self.flag("dirlist_enable"),
            Right::Read => !self.flag("download_enable"),
            Right::Chmod => !self.flag("write_enable") || !self.flag("chmod_enable"),
            _ => !self.flag("write_enable"),
        };
        self.filtered(Right::ALL.into_iter().filter(|right| !off(right)))
    }

    /// Returns the rights of anonymous users.
    #[must_use]
    pub(super) fn anonymous_rights(self) -> Rights {
        let write = self.flag("write_enable");
        let on = |right: &Right| match right {
            Right::List => self.flag("dirlist_enable"),
            Right::Read => self.flag("download_enable"),
            Right::Write => write && self.flag("anon_upload_enable"),
            Right::Mkdir => write && self.flag("anon_mkdir_write_enable"),
            Right::Delete | Right::Rename => write && self.flag("anon_other_write_enable"),
            Right::Overwrite | Right::Chmod => false,
        };
        self.filtered(Right::ALL.into_iter().filter(on))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(own: &str, all: &str) -> (String, String) {
        let (own, ..) = Conf::parse("own", own);
        let (all, ..) = Conf::parse("all", all);
        let layers = Layers {
            own: Some(&own),
            all: &all,
        };
        (
            layers.local_rights().to_string(),
            layers.anonymous_rights().to_string(),
        )
    }

    #[test]
    fn switches_become_rights() {
        assert_eq!(rights("", ""), ("read-only".into(), "read-only".into()));
        assert_eq!(rights("", "write_enable=YES").0, "read-write");
        let drop = "write_enable=YES\ndownload_enable=NO\ndirlist_enable=NO\nchmod_enable=NO";
        assert_eq!(rights("", drop).0, "write overwrite delete rename mkdir");
        assert_eq!(rights("", "anon_upload_enable=YES").1, "read-only");
        let anon = "write_enable=YES\nanon_upload_enable=YES\nanon_other_write_enable=YES\n";
        assert_eq!(rights("", anon).1, "list read write delete rename");
    }

    #[test]
    fn a_users_own_file_decides_what_it_says() {
        assert_eq!(rights("write_enable=NO", "write_enable=YES").0, "read-only");
        assert_eq!(
            rights("write_enable=YES", "dirlist_enable=NO").0,
            "read write overwrite delete rename mkdir chmod"
        );
    }

    #[test]
    fn virtual_users_have_the_rights_of_anonymous_ones_unless_the_file_says_otherwise() {
        let guests = |own: &str| {
            let (own, ..) = Conf::parse("own", own);
            let (all, ..) = Conf::parse("all", "guest_enable=YES\nwrite_enable=YES\n");
            let (own, all) = (Some(&own), &all);
            Layers { own, all }.user_rights().to_string()
        };
        assert_eq!(guests(""), "read-only");
        assert_eq!(guests("anon_upload_enable=YES"), "list read write");
        assert_eq!(guests("virtual_use_local_privs=YES"), "read-write");
        assert_eq!(guests("guest_enable=NO"), "read-write");
    }

    #[test]
    fn command_lists_take_rights_and_never_give_any() {
        let denied = "write_enable=YES\ncmds_denied=dele, SITE";
        assert_eq!(
            rights("", denied).0,
            "list read write overwrite rename mkdir"
        );
        let allowed = "write_enable=YES\ncmds_allowed=USER,PASS,LIST,NLST,RETR,STOR,QUIT";
        assert_eq!(rights("", allowed).0, "list read write");
        assert_eq!(rights("", "cmds_allowed=STOR").0, "");
    }
}
