//! Every option that vsftpd knows, and what becomes of it: one row each, and long because it
//! is a table.
//!
//! Defaults are those of the program, not of its manual, where the two differ (`listen`,
//! `anonymous_enable`, `max_clients`, `max_per_ip`, `strict_ssl_read_eof`). What a mapped option
//! becomes in detail is `translate` and `people`.

/// What kind of value an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `YES` or `NO`.
    Flag,
    /// A number; octal when it begins with `0`, as vsftpd reads it.
    Number,
    /// Text; empty is the same as absent.
    Text,
}

/// What the import does with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It becomes these keys of `ftp.toml`.
    Key(&'static str),
    /// It is left out: the reason says why nothing is lost, or what is.
    Dropped,
    /// The import stops when it is `YES`: leaving it out would weaken security.
    RefusedIfYes,
    /// The import stops when it has a value: leaving it out would weaken security.
    RefusedIfSet,
    /// It depends on other options and files; see `people`, `lists`, `own` and `translate`.
    Asked,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name in `vsftpd.conf`.
    pub name: &'static str,
    /// What value it takes.
    pub kind: Kind,
    /// What vsftpd takes when the file does not say; empty text: none.
    pub default: &'static str,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, as the end of a sentence.
    pub reason: &'static str,
}

/// Finds the row of an option.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// Returns the option whose name is nearest to one that does not exist.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    ftp_config::nearest(name, ROWS.iter().map(|row| row.name))
}

const fn flag(
    name: &'static str,
    default: &'static str,
    verdict: Verdict,
    reason: &'static str,
) -> Row {
    Row {
        name,
        kind: Kind::Flag,
        default,
        verdict,
        reason,
    }
}

const fn number(
    name: &'static str,
    default: &'static str,
    verdict: Verdict,
    reason: &'static str,
) -> Row {
    Row {
        name,
        kind: Kind::Number,
        default,
        verdict,
        reason,
    }
}

const fn text(
    name: &'static str,
    default: &'static str,
    verdict: Verdict,
    reason: &'static str,
) -> Row {
    Row {
        name,
        kind: Kind::Text,
        default,
        verdict,
        reason,
    }
}

use Verdict::{Asked, Dropped, Key, RefusedIfSet, RefusedIfYes};

/// The 127 options of vsftpd.conf(5) in its order of the alphabet, then those that only the program
/// or later releases know.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    flag("allow_anon_ssl", "NO", Dropped, "TLS is for everyone, anonymous users too"),
    number("anon_max_rate", "0", Key("anonymous.rate_down, anonymous.rate_up"), "the limit is of all anonymous sessions together"),
    flag("anon_mkdir_write_enable", "NO", Key("anonymous.can"), "right `mkdir`"),
    flag("anon_other_write_enable", "NO", Key("anonymous.can"), "rights `delete` and `rename`"),
    text("anon_root", "", Key("anonymous.home"), "a path inside the share"),
    number("anon_umask", "63", Key("share.umask"), "one umask serves the whole share"),
    flag("anon_upload_enable", "NO", Key("anonymous.can"), "right `write`"),
    flag("anon_world_readable_only", "YES", Dropped, "anonymous users read what the server can read below `anonymous.home`: keep files that are not for them out of it"),
    flag("anonymous_enable", "YES", Key("anonymous.enabled"), "off where the file is silent"),
    number("accept_timeout", "60", Key("timeouts.data_connect"), "one limit for passive and active data connections"),
    flag("ascii_download_enable", "NO", Dropped, "bytes move as they are, which is what files need"),
    flag("ascii_upload_enable", "NO", Dropped, "bytes move as they are, which is what files need"),
    flag("async_abor_enable", "NO", Dropped, "ABOR always works"),
    flag("background", "NO", Dropped, "ftpd stays in the foreground; systemd keeps it"),
    text("banned_email_file", "/etc/vsftpd.banned_emails", Dropped, "passwords of anonymous users are not looked at"),
    text("banner_file", "", Key("server.greeting"), "its first line"),
    text("ca_certs_file", "", Dropped, "certificates of clients are not asked for"),
    flag("check_shell", "YES", Dropped, "our users are not system users and need no shell"),
    flag("chmod_enable", "YES", Key("user.can"), "right `chmod`"),
    number("chown_upload_mode", "384", Key("uploads.mode"), "used with chown_uploads only"),
    flag("chown_uploads", "NO", Dropped, "uploads belong to the user the server runs as; take `read` and `overwrite` from `anonymous.can` to the same end"),
    text("chown_username", "root", Dropped, "uploads belong to the user the server runs as"),
    flag("chroot_list_enable", "NO", Asked, "everyone is always jailed"),
    text("chroot_list_file", "/etc/vsftpd.chroot_list", Asked, "read for chroot_list_enable"),
    flag("chroot_local_user", "NO", Dropped, "everyone is always jailed in the share; where it was NO this is tighter than before"),
    text("cmds_allowed", "", Key("user.can, active.enabled"), "commands become rights"),
    text("cmds_denied", "", Key("user.can, active.enabled"), "commands become rights"),
    flag("connect_from_port_20", "NO", Dropped, "active data connections come from a free port, which needs no privilege"),
    number("connect_timeout", "60", Key("timeouts.data_connect"), "one limit for passive and active data connections"),
    number("data_connection_timeout", "300", Key("timeouts.stalled"), ""),
    flag("debug_ssl", "NO", Dropped, "`log.level = \"debug\"` shows TLS faults"),
    number("delay_failed_login", "1", Dropped, "failed logins are slowed by `auth.lockout`"),
    number("delay_successful_login", "0", Dropped, "a right password need not wait"),
    flag("delete_failed_uploads", "NO", Key("uploads.keep_partial_for"), "an unfinished upload never has its final name; \"0s\" removes it at once"),
    flag("deny_email_enable", "NO", Dropped, "passwords of anonymous users are not looked at"),
    text("deny_file", "", RefusedIfSet, "names cannot be denied by pattern: move those files out of the share first"),
    flag("dirlist_enable", "YES", Key("user.can"), "right `list`"),
    flag("dirmessage_enable", "NO", Dropped, "messages for directories are not offered"),
    flag("download_enable", "YES", Key("user.can"), "right `read`"),
    text("download_file", "", RefusedIfSet, "downloads cannot be limited by pattern: move the other files out of the share first"),
    text("dsa_cert_file", "", Dropped, "DSA certificates are accepted by no current client"),
    text("dsa_private_key_file", "", Dropped, "DSA certificates are accepted by no current client"),
    flag("dual_log_enable", "NO", Key("log.xferlog"), "the transfer record stands beside the log"),
    text("email_password_file", "/etc/vsftpd.email_passwords", Dropped, "passwords of anonymous users are not looked at"),
    number("file_open_mode", "438", Key("uploads.mode"), "before the umask"),
    flag("force_anon_data_ssl", "NO", Key("tls.mode"), "\"required\" for everyone"),
    flag("force_anon_logins_ssl", "NO", Key("tls.mode"), "\"required\" for everyone"),
    flag("force_dot_files", "NO", Key("share.show_dotfiles"), ""),
    flag("force_local_data_ssl", "YES", Key("tls.mode"), "\"required\" where ssl_enable=YES"),
    flag("force_local_logins_ssl", "YES", Key("tls.mode"), "\"required\" where ssl_enable=YES"),
    number("ftp_data_port", "20", Dropped, "active data connections come from a free port, which needs no privilege"),
    text("ftp_username", "ftp", Dropped, "anonymous users need no system user"),
    text("ftpd_banner", "", Key("server.greeting"), ""),
    flag("guest_enable", "NO", Dropped, "all our users are virtual; `server.run_as` is the system user for all"),
    text("guest_username", "ftp", Key("server.run_as"), "used with guest_enable"),
    text("hide_file", "", Dropped, "names cannot be hidden by pattern; hiding never kept anyone from a name they knew"),
    flag("hide_ids", "NO", Key("share.show_owner"), ""),
    number("idle_session_timeout", "300", Key("timeouts.idle"), ""),
    flag("implicit_ssl", "NO", RefusedIfYes, "implicit TLS is not offered: clients have to be set to explicit TLS, and until then they would try in clear"),
    flag("listen", "YES", Dropped, "ftpd is always its own listener; a systemd socket may hand it one"),
    text("listen_address", "", Key("server.listen"), ""),
    text("listen_address6", "", Key("server.listen"), ""),
    flag("listen_ipv6", "NO", Key("server.listen"), "`[::]` serves IPv4 too"),
    number("listen_port", "21", Key("server.listen"), ""),
    flag("local_enable", "NO", Key("user"), "users get passwords of their own: `ftpd user passwd NAME`"),
    number("local_max_rate", "0", Key("limits.session_rate_down, limits.session_rate_up"), "of each session, as in vsftpd"),
    text("local_root", "", Key("share.root, user.home"), ""),
    number("local_umask", "63", Key("share.umask"), "always written in octal"),
    flag("lock_upload_files", "YES", Dropped, "an upload takes its name only when it is whole, so there is nothing to lock"),
    flag("log_ftp_protocol", "NO", Key("log.level"), "\"debug\" shows each command and reply"),
    flag("ls_recurse_enable", "NO", Dropped, "recursive listings are not offered; clients walk the tree themselves"),
    number("max_clients", "2000", Key("limits.max_clients"), ""),
    number("max_login_fails", "3", Key("auth.lockout.after"), "failures in a row of one user from one address"),
    number("max_per_ip", "50", Key("limits.max_per_ip"), ""),
    flag("mdtm_write", "YES", Dropped, "setting times belongs to the right `write`, and of files that others sent to `overwrite` too"),
    text("message_file", ".message", Dropped, "messages for directories are not offered"),
    flag("no_anon_password", "NO", Dropped, "anonymous users may give any password or none"),
    flag("no_log_lock", "NO", Dropped, "one writer writes the log"),
    text("nopriv_user", "nobody", Dropped, "the whole server runs without privilege; see `server.run_as`"),
    flag("one_process_model", "NO", Dropped, "the whole server is one process without privilege"),
    text("pam_service_name", "vsftpd", Dropped, "passwords are kept as hashes in ftp.toml, PAM is not asked"),
    flag("passwd_chroot_enable", "NO", Key("user.home"), "the part of the home before `/./`"),
    flag("pasv_addr_resolve", "NO", Dropped, "`passive.address = \"auto\"` names the address the client dialled"),
    text("pasv_address", "", Key("passive.address"), ""),
    flag("pasv_enable", "YES", Dropped, "passive data connections are always on; most clients need them"),
    number("pasv_max_port", "0", Key("passive.ports"), ""),
    number("pasv_min_port", "0", Key("passive.ports"), ""),
    flag("pasv_promiscuous", "NO", RefusedIfYes, "data connections from other addresses than the client's are never taken: set it to NO and see that no client needs it"),
    flag("port_enable", "YES", Key("active.enabled"), ""),
    flag("port_promiscuous", "NO", RefusedIfYes, "data connections to other addresses than the client's are never made: set it to NO and see that no client needs it"),
    flag("require_cert", "NO", RefusedIfYes, "certificates of clients cannot be demanded: users would log in by password alone"),
    flag("require_ssl_reuse", "YES", Key("tls.require_reuse"), ""),
    text("rsa_cert_file", "/usr/share/ssl/certs/vsftpd.pem", Key("tls.cert"), ""),
    text("rsa_private_key_file", "", Key("tls.key"), ""),
    flag("run_as_launching_user", "NO", Dropped, "ftpd always runs as who starts it"),
    text("secure_chroot_dir", "/var/run/vsftpd/empty", Dropped, "no empty directory is needed"),
    flag("secure_email_list_enable", "NO", RefusedIfYes, "anonymous logins cannot be limited by password: give those people users of their own"),
    flag("session_support", "NO", Dropped, "no entries are made in utmp; `ftpd who` shows sessions"),
    flag("setproctitle_enable", "NO", Dropped, "`ftpd who` shows sessions"),
    text("ssl_ciphers", "ECDHE-RSA-AES256-GCM-SHA384", Dropped, "rustls offers only strong ciphers"),
    flag("ssl_enable", "NO", Key("tls.mode"), "TLS is offered anyway"),
    flag("ssl_request_cert", "YES", Dropped, "certificates of clients are not asked for"),
    flag("ssl_sslv2", "NO", Dropped, "TLS 1.2 and 1.3 only"),
    flag("ssl_sslv3", "NO", Dropped, "TLS 1.2 and 1.3 only"),
    flag("ssl_tlsv1", "YES", Dropped, "TLS 1.2 and 1.3 only"),
    flag("strict_ssl_read_eof", "YES", Dropped, "always on: an upload cut short is never taken for whole"),
    flag("strict_ssl_write_shutdown", "NO", Dropped, "data connections always end with a proper close"),
    flag("syslog_enable", "NO", Dropped, "the log goes to stderr, which systemd keeps in its journal"),
    flag("tcp_wrappers", "NO", Asked, "hosts.allow is not read: `server.allow_from` limits addresses"),
    flag("text_userdb_names", "NO", Dropped, "`share.show_owner = true` shows owners, as numbers"),
    flag("tilde_user_enable", "NO", Dropped, "`~` is a name as any other"),
    number("trans_chunk_size", "0", Dropped, "the size of blocks is chosen by measuring"),
    text("upload_file", "", RefusedIfSet, "uploads cannot be limited by pattern: take `write` from the users, or accept any name"),
    flag("use_localtime", "NO", Dropped, "LIST shows local time, MLSD and MDTM show UTC as RFC 3659 says"),
    flag("use_sendfile", "YES", Dropped, "always used where it helps"),
    text("user_config_dir", "", Key("user"), "each file becomes a [[user]] table"),
    text("user_sub_token", "", Key("user.home"), ""),
    flag("userlist_deny", "YES", Key("auth.allow_users, auth.deny_users"), ""),
    flag("userlist_enable", "NO", Key("auth.allow_users, auth.deny_users"), ""),
    text("userlist_file", "/etc/vsftpd.user_list", Key("auth.allow_users_file"), ""),
    flag("validate_cert", "NO", Dropped, "certificates of clients are not asked for"),
    flag("virtual_use_local_privs", "NO", Key("user.can"), "without it virtual users have the rights of anonymous ones"),
    text("vsftpd_log_file", "/var/log/vsftpd.log", Dropped, "the log goes to stderr, which systemd keeps in its journal"),
    flag("write_enable", "NO", Key("user.can"), "all rights, or `list` and `read`"),
    flag("xferlog_enable", "NO", Dropped, "transfers are always logged; `log.xferlog` keeps the record too"),
    text("xferlog_file", "/var/log/xferlog", Key("log.xferlog"), ""),
    flag("xferlog_std_format", "NO", Key("log.xferlog"), "the record is always in the standard form"),
    // In the program, not in its manual.
    flag("allow_writeable_chroot", "NO", Dropped, "a root that users may write to is safe here and needs no switch"),
    flag("ftp_enable", "YES", Dropped, "serving FTP is what ftpd does"),
    flag("http_enable", "NO", Dropped, "HTTP is not served"),
    flag("isolate", "YES", Dropped, "the server holds no privilege to isolate; the systemd unit confines it"),
    flag("isolate_network", "YES", Dropped, "the server holds no privilege to isolate; the systemd unit confines it"),
    flag("ptrace_sandbox", "NO", Dropped, "the systemd unit confines the server"),
    flag("seccomp_sandbox", "YES", Dropped, "the systemd unit filters system calls"),
    flag("utf8_filesystem", "NO", Dropped, "names are always UTF-8"),
    // Since 3.0.4.
    flag("ssl_tlsv1_1", "YES", Dropped, "TLS 1.2 and 1.3 only"),
    flag("ssl_tlsv1_2", "YES", Dropped, "TLS 1.2 and 1.3 are always on"),
    flag("ssl_tlsv1_3", "YES", Dropped, "TLS 1.2 and 1.3 are always on"),
    text("ssl_sni_hostname", "", Dropped, "one certificate serves every name"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_option_of_the_manual_and_the_program_has_one_row() {
        let names: HashSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len(), "a name stands twice");
        assert_eq!(ROWS.len(), 127 + 8 + 4);
    }

    #[test]
    fn only_these_options_can_stop_an_import() {
        let stopping: Vec<_> = ROWS
            .iter()
            .filter(|row| matches!(row.verdict, RefusedIfSet | RefusedIfYes | Asked))
            .map(|row| row.name)
            .collect();
        assert_eq!(
            stopping,
            [
                "chroot_list_enable",
                "chroot_list_file",
                "deny_file",
                "download_file",
                "implicit_ssl",
                "pasv_promiscuous",
                "port_promiscuous",
                "require_cert",
                "secure_email_list_enable",
                "tcp_wrappers",
                "upload_file",
            ]
        );
    }

    #[test]
    fn whatever_is_dropped_or_refused_has_a_reason() {
        for row in ROWS {
            let mapped = matches!(row.verdict, Key(_));
            assert!(mapped || !row.reason.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn defaults_are_values_of_their_kind() {
        for row in ROWS {
            match row.kind {
                Kind::Flag => assert!(matches!(row.default, "YES" | "NO"), "{}", row.name),
                Kind::Number => assert!(row.default.parse::<u64>().is_ok(), "{}", row.name),
                Kind::Text => {}
            }
        }
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_option() {
        assert_eq!(nearest("wriet_enable"), Some("write_enable"));
        assert_eq!(nearest("chroot_local_users"), Some("chroot_local_user"));
        assert_eq!(nearest("zzz"), None);
    }
}
