//! A control line to a [`Command`] with typed arguments. Pure; names stay bytes until `session`
//! knows how this client writes them.
//!
//! Over 250 lines because it is one table: every verb, its argument, its fault.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::SystemTime,
};

use super::stamp;
use crate::share::Algorithm;

/// A name as it came over the wire.
pub type WireName = Vec<u8>;

/// What LIST and its kin were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListArgs {
    /// `-a` or `-A`: names that begin with a dot too.
    pub all: bool,
    /// `-l`, which turns NLST into LIST.
    pub long: bool,
    /// The argument without its flags; `None`: the current directory.
    pub name: Option<WireName>,
    /// The argument as typed, when it began with a dash: a name that exists is that name.
    pub typed: Option<WireName>,
}

/// A digest verb's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestArgs {
    /// The algorithm the verb names; `None`: the session's choice (HASH).
    pub algorithm: Option<Algorithm>,
    /// The whole argument.
    pub name: WireName,
    /// The argument read as `"name"`, or, for the X commands, as `name start [end]`, when it can be: what is
    /// meant when there is no file of the whole name.
    pub part: Option<(WireName, u64, Option<u64>)>,
}

/// `EPSV`'s argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Epsv {
    Any,
    V4,
    V6,
    All,
}

/// `OPTS`' argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opts {
    /// `UTF8 ON`, `UTF8 OFF`, and `UTF8 NLST` which means on.
    Utf8(bool),
    /// `MLST fact;fact;`
    Mlst(String),
    /// `HASH [algorithm]`
    Hash(Option<String>),
}

/// `SITE`'s argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// `CHMOD 644 name`
    Chmod {
        /// Nine permission bits.
        mode: u32,
        /// What to change.
        name: WireName,
    },
    /// `UTIME`: `time name`, or `name atime mtime ctime UTC`.
    Utime {
        /// The modification time.
        time: SystemTime,
        /// What to change.
        name: WireName,
    },
    /// `HELP`
    Help,
}

/// One understood command. X-forms (RFC 775) are the same commands.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Command {
    User(Vec<u8>),
    Pass(Vec<u8>),
    Acct,
    Quit,
    Rein,
    Cwd(WireName),
    Cdup,
    Pwd,
    Mkd(WireName),
    Rmd(WireName),
    Dele(WireName),
    Rnfr(WireName),
    Rnto(WireName),
    TypeAscii,
    TypeImage,
    ModeStream,
    ModeBlock,
    Stru,
    Pasv,
    Epsv(Epsv),
    Port(SocketAddr),
    Eprt(SocketAddr),
    Retr(WireName),
    Stor(WireName),
    Stou,
    Appe(WireName),
    Rest(u64),
    Allo(u64),
    List(ListArgs),
    Nlst(ListArgs),
    Mlsd(Option<WireName>),
    Mlst(Option<WireName>),
    Stat(ListArgs),
    Size(WireName),
    Mdtm {
        name: WireName,
        /// The argument read as `time name`, when it can be.
        set: Option<(SystemTime, WireName)>,
    },
    Mfmt(SystemTime, WireName),
    Digest(DigestArgs),
    Site(Site),
    Feat,
    Opts(Opts),
    Help(Option<String>),
    Syst,
    Noop,
    Clnt,
    Abor,
    Avbl(Option<WireName>),
    Auth,
    Pbsz,
    ProtClear,
    ProtPrivate,
    Ccc,
}

/// Why a line is not a command that can be obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No such verb: 500.
    Unknown,
    /// A verb of the RFCs that this server has not: 502.
    NotImplemented,
    /// The argument is missing or wrong: 501 with the right form.
    Syntax(&'static str),
    /// The argument is right and asks for something this server has not: 504.
    Parameter(&'static str),
    /// A network protocol that is not offered: 522 (RFC 2428 §2).
    NetworkProtocol,
    /// PROT S or E, which RFC 4217 does not have: 536.
    ProtectionLevel,
    /// An HTTP request: the session ends at once.
    Http,
}

/// Splits a line into its verb, in capitals, and its argument. The argument keeps every space but
/// the first: names may begin and end with spaces.
#[must_use]
pub fn split(line: &[u8]) -> (String, &[u8]) {
    let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
    let verb = String::from_utf8_lossy(&line[..end]).to_ascii_uppercase();
    (verb, line.get(end + 1..).unwrap_or_default())
}

/// Parses a line.
///
/// # Errors
/// [`Fault`], which names the reply.
pub fn parse(line: &[u8]) -> Result<Command, Fault> {
    let (verb, arg) = split(line);
    parse_verb(&verb, arg)
}

fn parse_verb(verb: &str, arg: &[u8]) -> Result<Command, Fault> {
    let digest = |algorithm, usage| digest(Some(algorithm), arg, usage);
    Ok(match verb {
        "USER" => Command::User(some(arg, "USER name")?),
        "PASS" => Command::Pass(arg.to_vec()),
        "ACCT" => Command::Acct,
        "QUIT" => Command::Quit,
        "REIN" => Command::Rein,
        "CWD" | "XCWD" => Command::Cwd(some(arg, "CWD directory")?),
        "CDUP" | "XCUP" => Command::Cdup,
        "PWD" | "XPWD" => Command::Pwd,
        "MKD" | "XMKD" => Command::Mkd(some(arg, "MKD directory")?),
        "RMD" | "XRMD" => Command::Rmd(some(arg, "RMD directory")?),
        "DELE" => Command::Dele(some(arg, "DELE file")?),
        "RNFR" => Command::Rnfr(some(arg, "RNFR name")?),
        "RNTO" => Command::Rnto(some(arg, "RNTO name")?),
        "TYPE" => type_(arg)?,
        "MODE" => one_of(
            arg,
            &[(b'S', Command::ModeStream), (b'B', Command::ModeBlock)],
            "MODE S or B",
        )?,
        "STRU" => one_of(arg, &[(b'F', Command::Stru)], "STRU F")?,
        "PASV" => Command::Pasv,
        "EPSV" => Command::Epsv(epsv(arg)?),
        "PORT" => Command::Port(port(arg).ok_or(Fault::Syntax("PORT h1,h2,h3,h4,p1,p2"))?),
        "EPRT" => Command::Eprt(eprt(arg)?),
        "RETR" => Command::Retr(some(arg, "RETR file")?),
        "STOR" => Command::Stor(some(arg, "STOR file")?),
        "STOU" => Command::Stou,
        "APPE" => Command::Appe(some(arg, "APPE file")?),
        "REST" => Command::Rest(number(arg).ok_or(Fault::Syntax("REST offset"))?),
        "ALLO" => Command::Allo(allo(arg).ok_or(Fault::Syntax("ALLO bytes"))?),
        "LIST" => Command::List(list_args(arg)),
        "NLST" => Command::Nlst(list_args(arg)),
        "MLSD" => Command::Mlsd(optional(arg)),
        "MLST" => Command::Mlst(optional(arg)),
        "STAT" => Command::Stat(list_args(arg)),
        "SIZE" => Command::Size(some(arg, "SIZE file")?),
        "MDTM" => mdtm(arg)?,
        "MFMT" => {
            let (time, name) = timed_name(arg).ok_or(Fault::Syntax("MFMT YYYYMMDDHHMMSS file"))?;
            Command::Mfmt(time, name)
        }
        "HASH" => self::digest(None, arg, "HASH file")?,
        "XCRC" => digest(Algorithm::Crc32, "XCRC file [start [end]]")?,
        "XMD5" => digest(Algorithm::Md5, "XMD5 file [start [end]]")?,
        "MD5" => digest(Algorithm::Md5, "MD5 file")?,
        "XSHA" | "XSHA1" => digest(Algorithm::Sha1, "XSHA1 file [start [end]]")?,
        "XSHA256" => digest(Algorithm::Sha256, "XSHA256 file [start [end]]")?,
        "XSHA512" => digest(Algorithm::Sha512, "XSHA512 file [start [end]]")?,
        "SITE" => Command::Site(site(arg)?),
        "FEAT" => Command::Feat,
        "OPTS" => Command::Opts(opts(arg)?),
        "HELP" => Command::Help(word(arg).map(str::to_ascii_uppercase)),
        "SYST" => Command::Syst,
        "NOOP" => Command::Noop,
        "CLNT" => Command::Clnt,
        "ABOR" => Command::Abor,
        "AVBL" => Command::Avbl(optional(arg)),
        "AUTH" => auth(arg)?,
        "PBSZ" => number(arg)
            .map(|_| Command::Pbsz)
            .ok_or(Fault::Syntax("PBSZ 0"))?,
        "PROT" => prot(arg)?,
        "CCC" => Command::Ccc,
        _ => return Err(unknown(verb, arg)),
    })
}

fn unknown(verb: &str, arg: &[u8]) -> Fault {
    const HTTP: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
    ];
    const ELSEWHERE: [&str; 10] = [
        "SMNT", "MIC", "CONF", "ENC", "ADAT", "HOST", "LANG", "MLFL", "MAIL", "MFCT",
    ];
    let speaks_http = arg.windows(5).any(|part| part == b"HTTP/");
    if speaks_http || (HTTP.contains(&verb) && arg.first() == Some(&b'/')) {
        Fault::Http
    } else if ELSEWHERE.contains(&verb) {
        Fault::NotImplemented
    } else {
        Fault::Unknown
    }
}

fn some(arg: &[u8], usage: &'static str) -> Result<WireName, Fault> {
    optional(arg).ok_or(Fault::Syntax(usage))
}

fn optional(arg: &[u8]) -> Option<WireName> {
    (!arg.is_empty()).then(|| arg.to_vec())
}

fn word(arg: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(arg).ok()?.trim();
    (!text.is_empty()).then_some(text)
}

fn number(arg: &[u8]) -> Option<u64> {
    let text = word(arg)?;
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `ALLO bytes [R record]` (RFC 959 §4.1.3).
fn allo(arg: &[u8]) -> Option<u64> {
    number(arg.split(|b| *b == b' ').next()?)
}

fn type_(arg: &[u8]) -> Result<Command, Fault> {
    let text = word(arg).unwrap_or_default().to_ascii_uppercase();
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some("A"), None | Some("N")) => Ok(Command::TypeAscii),
        (Some("I"), None) | (Some("L"), Some("8")) | (Some("L8"), None) => Ok(Command::TypeImage),
        (None, _) => Err(Fault::Syntax("TYPE A, I or L 8")),
        _ => Err(Fault::Parameter("Only TYPE A, I and L 8 are offered")),
    }
}

fn one_of(arg: &[u8], known: &[(u8, Command)], usage: &'static str) -> Result<Command, Fault> {
    let Some([letter]) = word(arg).map(str::as_bytes) else {
        return Err(Fault::Syntax(usage));
    };
    let asked = letter.to_ascii_uppercase();
    match known.iter().find(|(letter, _)| *letter == asked) {
        Some((_, command)) => Ok(command.clone()),
        None if asked.is_ascii_alphabetic() => Err(Fault::Parameter(
            "Only MODE S, MODE B and STRU F are offered",
        )),
        None => Err(Fault::Syntax(usage)),
    }
}

fn epsv(arg: &[u8]) -> Result<Epsv, Fault> {
    let text = word(arg).unwrap_or_default();
    match text {
        "" => Ok(Epsv::Any),
        "1" => Ok(Epsv::V4),
        "2" => Ok(Epsv::V6),
        _ if text.eq_ignore_ascii_case("ALL") => Ok(Epsv::All),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => Err(Fault::NetworkProtocol),
        _ => Err(Fault::Syntax("EPSV [1|2|ALL]")),
    }
}

fn port(arg: &[u8]) -> Option<SocketAddr> {
    let mut fields = [0_u8; 6];
    let mut parts = word(arg)?.split(',');
    for field in &mut fields {
        let part = parts.next()?.trim();
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        *field = digits.then(|| part.parse().ok())??;
    }
    if parts.next().is_some() {
        return None;
    }
    let [a, b, c, d, high, low] = fields;
    let port = u16::from_be_bytes([high, low]);
    Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port)))
}

/// `EPRT |1|132.235.1.2|6275|` (RFC 2428 §2).
fn eprt(arg: &[u8]) -> Result<SocketAddr, Fault> {
    const USAGE: Fault = Fault::Syntax("EPRT |1|address|port|");
    let text = word(arg).ok_or(USAGE)?;
    let mark = text.chars().next().ok_or(USAGE)?;
    let fields: Vec<&str> = text.split(mark).collect();
    let ["", protocol, address, port, ""] = fields[..] else {
        return Err(USAGE);
    };
    if !matches!(protocol, "1" | "2") {
        return Err(Fault::NetworkProtocol);
    }
    let address: IpAddr = address.parse().map_err(|_| USAGE)?;
    if address.is_ipv6() != (protocol == "2") {
        return Err(USAGE);
    }
    let port = port.parse().map_err(|_| USAGE)?;
    Ok(SocketAddr::new(address, port))
}

/// Flags as people type them to `ls`: `-a`, `-la`, `-l -a name`. Other letters mean nothing.
fn list_args(arg: &[u8]) -> ListArgs {
    let mut rest = arg.trim_ascii_start();
    let mut args = ListArgs::default();
    if rest.first() == Some(&b'-') {
        args.typed = Some(arg.to_vec());
    } else {
        rest = arg;
    }
    while let Some(flags) = rest.strip_prefix(b"-") {
        let end = flags.iter().position(|b| *b == b' ');
        let (letters, tail) = flags.split_at(end.unwrap_or(flags.len()));
        args.all |= letters.iter().any(|b| matches!(b, b'a' | b'A'));
        args.long |= letters.contains(&b'l');
        rest = tail.trim_ascii_start();
        if letters == b"-" {
            break;
        }
    }
    args.name = optional(rest);
    args
}

fn timed_name(arg: &[u8]) -> Option<(SystemTime, WireName)> {
    let space = arg.iter().position(|b| *b == b' ')?;
    let time = stamp::parse(&arg[..space])?;
    Some((time, optional(&arg[space + 1..])?))
}

fn mdtm(arg: &[u8]) -> Result<Command, Fault> {
    let name = some(arg, "MDTM [YYYYMMDDHHMMSS] file")?;
    let set = timed_name(arg);
    Ok(Command::Mdtm { name, set })
}

fn digest(algorithm: Option<Algorithm>, arg: &[u8], usage: &'static str) -> Result<Command, Fault> {
    let name = some(arg, usage)?;
    let part = match quoted(arg) {
        Some((name, b"")) => Some((name, 0, None)),
        // HASH of the draft knows no ranges.
        _ if algorithm.is_none() => None,
        Some((name, tail)) => bounds(tail).map(|(start, end)| (name, start, end)),
        None => trailing_bounds(arg),
    };
    Ok(Command::Digest(DigestArgs {
        algorithm,
        name,
        part,
    }))
}

fn quoted(arg: &[u8]) -> Option<(WireName, &[u8])> {
    let inner = arg.strip_prefix(b"\"")?;
    let end = inner.iter().rposition(|b| *b == b'"')?;
    Some((optional(&inner[..end])?, &inner[end + 1..]))
}

/// ` start` or ` start end`.
fn bounds(tail: &[u8]) -> Option<(u64, Option<u64>)> {
    let mut numbers = word(tail)?.split_whitespace();
    let start = number(numbers.next()?.as_bytes())?;
    let end = match numbers.next() {
        Some(end) => Some(number(end.as_bytes())?),
        None => None,
    };
    numbers.next().is_none().then_some((start, end))
}

fn trailing_bounds(arg: &[u8]) -> Option<(WireName, u64, Option<u64>)> {
    let cut = |bytes: &[u8]| {
        let space = bytes.iter().rposition(|b| *b == b' ')?;
        Some((bytes[..space].to_vec(), number(&bytes[space + 1..])?))
    };
    let (head, last) = cut(arg)?;
    match cut(&head) {
        Some((name, start)) if !name.is_empty() => Some((name, start, Some(last))),
        _ if !head.is_empty() => Some((head, last, None)),
        _ => None,
    }
}

fn site(arg: &[u8]) -> Result<Site, Fault> {
    let (word, arg) = split(arg);
    match word.as_str() {
        "CHMOD" => {
            const USAGE: Fault = Fault::Syntax("SITE CHMOD mode file");
            let (mode, name) = split(arg);
            let octal = !mode.is_empty() && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
            let mode = octal.then(|| u32::from_str_radix(&mode, 8).ok()).flatten();
            match (mode, optional(name)) {
                (Some(mode), Some(name)) if mode <= 0o7777 => Ok(Site::Chmod { mode, name }),
                _ => Err(USAGE),
            }
        }
        "UTIME" => utime(arg).ok_or(Fault::Syntax(
            "SITE UTIME YYYYMMDDHHMMSS file, or file atime mtime ctime UTC",
        )),
        "HELP" => Ok(Site::Help),
        "" => Err(Fault::Syntax("SITE CHMOD, UTIME or HELP")),
        _ => Err(Fault::Parameter(
            "Only SITE CHMOD, UTIME and HELP are offered",
        )),
    }
}

/// Both forms in use: `YYYYMMDDhhmm[ss] name` and `name atime mtime ctime UTC`.
fn utime(arg: &[u8]) -> Option<Site> {
    let fields: Vec<&[u8]> = arg.rsplitn(5, |b| *b == b' ').collect();
    if let [zone, _changed, modified, _read, name] = fields[..]
        && zone.eq_ignore_ascii_case(b"UTC")
        && let Some(time) = stamp::parse(modified)
    {
        let name = optional(name)?;
        return Some(Site::Utime { time, name });
    }
    let space = arg.iter().position(|b| *b == b' ')?;
    let mut typed = arg[..space].to_vec();
    if typed.len() == 12 {
        typed.extend(b"00");
    }
    let time = stamp::parse(&typed)?;
    let name = optional(&arg[space + 1..])?;
    Some(Site::Utime { time, name })
}

fn opts(arg: &[u8]) -> Result<Opts, Fault> {
    let text = word(arg).ok_or(Fault::Syntax("OPTS UTF8, MLST or HASH"))?;
    let (name, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = value.trim();
    match name.to_ascii_uppercase().as_str() {
        "UTF8" | "UTF-8" => match value.to_ascii_uppercase().as_str() {
            "" | "ON" | "NLST" => Ok(Opts::Utf8(true)),
            "OFF" => Ok(Opts::Utf8(false)),
            _ => Err(Fault::Syntax("OPTS UTF8 ON or OFF")),
        },
        "MLST" => Ok(Opts::Mlst(value.to_owned())),
        "HASH" => Ok(Opts::Hash((!value.is_empty()).then(|| value.to_owned()))),
        _ => Err(Fault::Syntax("OPTS UTF8, MLST or HASH")),
    }
}

fn auth(arg: &[u8]) -> Result<Command, Fault> {
    let kind = word(arg)
        .ok_or(Fault::Syntax("AUTH TLS"))?
        .to_ascii_uppercase();
    match kind.as_str() {
        "TLS" | "TLS-C" | "SSL" => Ok(Command::Auth),
        _ => Err(Fault::Parameter("Only AUTH TLS is offered")),
    }
}

fn prot(arg: &[u8]) -> Result<Command, Fault> {
    match word(arg).map(str::to_ascii_uppercase).as_deref() {
        Some("C") => Ok(Command::ProtClear),
        Some("P") => Ok(Command::ProtPrivate),
        Some("S" | "E") => Err(Fault::ProtectionLevel),
        Some(_) => Err(Fault::Parameter("Only PROT C and P are offered")),
        None => Err(Fault::Syntax("PROT C or P")),
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
