//! FEAT, HELP, STAT without a name, and what is answered while something runs.

use ftp_config::{Right, server::OnDuplicate};

use crate::{
    code,
    protocol::Reply,
    session::{Running, Session},
    share::{Algorithm, Home},
};

const VERBS: [(&str, &str); 60] = [
    ("ABOR", "ABOR: stop the transfer"),
    ("ACCT", "ACCT: not needed"),
    ("ALLO", "ALLO bytes: is there room"),
    ("APPE", "APPE file: append"),
    ("AUTH", "AUTH TLS: encrypt"),
    ("AVBL", "AVBL [directory]: room left, in bytes"),
    ("CCC", "CCC: refused"),
    ("CDUP", "CDUP: to the parent directory"),
    ("CLNT", "CLNT name: who you are"),
    ("CWD", "CWD directory: change directory"),
    ("DELE", "DELE file: remove"),
    ("EPRT", "EPRT |1|address|port|: active data connection"),
    ("EPSV", "EPSV [1|2|ALL]: passive data connection"),
    ("FEAT", "FEAT: what this server can do"),
    ("HASH", "HASH file: digest"),
    ("HELP", "HELP [command]"),
    ("LIST", "LIST [-al] [name]: list, for people"),
    ("MD5", "MD5 file: digest"),
    ("MDTM", "MDTM [YYYYMMDDHHMMSS] file: time of last change"),
    (
        "MFMT",
        "MFMT YYYYMMDDHHMMSS file: set the time of last change",
    ),
    ("MKD", "MKD directory: make"),
    ("MLSD", "MLSD [directory]: list, for programs"),
    ("MLST", "MLST [name]: facts"),
    ("MODE", "MODE S or B: stream, or block"),
    ("NLST", "NLST [name]: names"),
    ("NOOP", "NOOP"),
    ("OPTS", "OPTS UTF8, MLST or HASH"),
    ("PASS", "PASS password"),
    ("PASV", "PASV: passive data connection"),
    ("PBSZ", "PBSZ 0"),
    ("PORT", "PORT h1,h2,h3,h4,p1,p2: active data connection"),
    ("PROT", "PROT C or P: protect data"),
    ("PWD", "PWD: which directory"),
    ("QUIT", "QUIT"),
    ("REIN", "REIN: not offered"),
    ("REST", "REST offset: where the next transfer begins"),
    ("RETR", "RETR file: fetch"),
    ("RMD", "RMD directory: remove"),
    ("RNFR", "RNFR name: rename from"),
    ("RNTO", "RNTO name: rename to"),
    ("SITE", "SITE CHMOD, UTIME or HELP"),
    ("SIZE", "SIZE file: bytes"),
    ("STAT", "STAT [name]: status, or a listing"),
    ("STOR", "STOR file: store"),
    ("STOU", "STOU [name]: store under a free name"),
    ("STRU", "STRU F"),
    ("SYST", "SYST: kind of system"),
    ("TYPE", "TYPE A, I or L 8"),
    ("USER", "USER name"),
    ("XCRC", "XCRC file [start [end]]: CRC-32"),
    ("XCUP", "XCUP: as CDUP"),
    ("XCWD", "XCWD directory: as CWD"),
    ("XMD5", "XMD5 file [start [end]]"),
    ("XMKD", "XMKD directory: as MKD"),
    ("XPWD", "XPWD: as PWD"),
    ("XRMD", "XRMD directory: as RMD"),
    ("XSHA", "XSHA file [start [end]]: SHA-1"),
    ("XSHA1", "XSHA1 file [start [end]]"),
    ("XSHA256", "XSHA256 file [start [end]]"),
    ("XSHA512", "XSHA512 file [start [end]]"),
];

/// RFC 2389 §3.2: what is true of this session.
pub(super) fn feat(session: &Session) -> Reply {
    let reply = Reply::new(code::SYSTEM_STATUS, "Features:");
    let mut lines = Vec::new();
    if session.snapshot.tls.is_some() {
        lines.extend(["AUTH TLS", "PBSZ", "PROT"].map(str::to_owned));
    }
    lines.push("AVBL".to_owned());
    lines.push("CLNT".to_owned());
    if session.snapshot.config.active.enabled {
        lines.push("EPRT".to_owned());
    }
    lines.push("EPSV".to_owned());
    lines.push(hash_feature(session.digest));
    lines.extend(["MD5", "MDTM", "MFMT"].map(str::to_owned));
    lines.push(session.facts.feature());
    lines.push("MODE B".to_owned());
    let rest = [
        "REST STREAM",
        "SITE CHMOD",
        "SITE UTIME",
        "SIZE",
        "TVFS",
        "UTF8",
        "X-ATOMIC-STOR",
        "XCRC",
        "XMD5",
        "XSHA1",
        "XSHA256",
        "XSHA512",
    ];
    lines.extend(rest.map(str::to_owned));
    lines.extend(on_duplicate(session).map(|word| format!("X-ON-DUPLICATE {word}")));
    lines.into_iter().fold(reply, Reply::line).line("End")
}

/// What an upload does where its name is taken, unless it replaces what is there. Whoever sends to a
/// temporary name must know that RNTO does not replace either.
fn on_duplicate(session: &Session) -> Option<&'static str> {
    let lacks_right = |home: Home| !home.account().rights.allows(Right::Overwrite);
    match session.snapshot.config.uploads.on_duplicate {
        OnDuplicate::Rename => Some("rename"),
        OnDuplicate::Refuse => Some("refuse"),
        OnDuplicate::Overwrite => session.home().is_ok_and(lacks_right).then_some("refuse"),
    }
}

/// draft-bryan-ftpext-hash §4: the session's choice has the `*`.
fn hash_feature(chosen: Algorithm) -> String {
    let names = Algorithm::ALL.map(|algorithm| {
        let star = if algorithm == chosen { "*" } else { "" };
        format!("{}{star}", algorithm.name())
    });
    format!("HASH {}", names.join(";"))
}

pub(super) fn help(verb: Option<&str>) -> Reply {
    let Some(verb) = verb else {
        let names: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
        let reply = Reply::new(code::HELP, "Commands:");
        return names
            .chunks(10)
            .fold(reply, |reply, row| reply.line(row.join(" ")))
            .line("End");
    };
    match VERBS.iter().find(|(name, _)| *name == verb) {
        Some((_, words)) => Reply::new(code::HELP, *words),
        None => super::no_command(code::NOT_IMPLEMENTED, verb),
    }
}

/// STAT without a name while nothing moves (RFC 959 §4.1.3).
pub(super) fn status(session: &Session) -> Reply {
    let user = session
        .login
        .as_ref()
        .map_or_else(|| "nobody".to_owned(), |login| login.account.to_string());
    let on_off = |on: bool| if on { "encrypted" } else { "in clear" };
    Reply::new(code::SYSTEM_STATUS, "Status:")
        .line(format!("Connected from {}", session.peer))
        .line(format!("Logged in as {user}"))
        .line(format!(
            "Type: {}",
            if session.is_ascii { "A" } else { "I" }
        ))
        .line(format!(
            "Mode: {}",
            if session.is_block { "B" } else { "S" }
        ))
        .line(format!("Control connection: {}", on_off(session.is_tls)))
        .line(format!("Data connections: {}", on_off(session.is_private)))
        .line("End")
}

/// Answers the commands that do not wait for a transfer: NOOP and bare STAT.
pub(crate) fn while_running(session: &Session, running: &Running, verb: &str) -> Reply {
    if verb != "STAT" {
        return Reply::new(code::OK, "OK");
    }
    let bytes = running.brake.bytes();
    let progress = match running.size {
        Some(size) => format!("{bytes} of {size} bytes so far"),
        None => format!("{bytes} bytes so far"),
    };
    let mut what = b"Running: ".to_vec();
    what.extend(&running.what);
    Reply::new(code::SYSTEM_STATUS, "Status:")
        .line(format!("Connected from {}", session.peer))
        .line(what)
        .line(progress)
        .line("End")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command::{Fault, parse};

    #[test]
    fn help_knows_every_verb_it_lists() {
        for (name, _) in VERBS {
            assert_eq!(help(Some(name)).code(), 214, "{name}");
            // What is listed is a command, with or without what it wants.
            let parsed = parse(name.as_bytes());
            assert!(!matches!(parsed, Err(Fault::Unknown)), "{name}");
        }
        assert_eq!(help(Some("BLAH")).code(), 502);
        assert_eq!(help(None).code(), 214);
    }

    #[test]
    fn one_algorithm_has_the_star() {
        assert_eq!(
            hash_feature(Algorithm::Sha1),
            "HASH SHA-256;SHA-512;SHA-1*;MD5;CRC32"
        );
    }
}
