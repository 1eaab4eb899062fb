//! A control line to a [`Command`] with typed arguments. Pure; names stay bytes until `session`
//! knows how this client writes them.

mod address;
mod digest;
mod site;
mod words;

use std::time::SystemTime;

pub use self::words::{Command, DigestArgs, Epsv, Fault, ListArgs, Opts, Site, WireName};
use self::{
    address::{eprt, epsv, port},
    digest::digest,
    site::site,
};
use super::stamp;
use crate::share::Algorithm;

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
    let x_digest = |algorithm, usage| digest(Some(algorithm), arg, usage);
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
        "STOU" => Command::Stou(optional(arg)),
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
        "HASH" => digest(None, arg, "HASH file")?,
        "XCRC" => x_digest(Algorithm::Crc32, "XCRC file [start [end]]")?,
        "XMD5" => x_digest(Algorithm::Md5, "XMD5 file [start [end]]")?,
        "MD5" => x_digest(Algorithm::Md5, "MD5 file")?,
        "XSHA" | "XSHA1" => x_digest(Algorithm::Sha1, "XSHA1 file [start [end]]")?,
        "XSHA256" => x_digest(Algorithm::Sha256, "XSHA256 file [start [end]]")?,
        "XSHA512" => x_digest(Algorithm::Sha512, "XSHA512 file [start [end]]")?,
        "SITE" => Command::Site(site(arg)?),
        "FEAT" => Command::Feat,
        "OPTS" => Command::Opts(opts(arg)?),
        "HELP" => Command::Help(word(arg).map(str::to_ascii_uppercase)),
        "SYST" => Command::Syst,
        "NOOP" => Command::Noop,
        "CLNT" => Command::Clnt(arg.to_vec()),
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
mod tests;
