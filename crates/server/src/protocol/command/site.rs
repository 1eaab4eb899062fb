//! SITE and its words.

use super::{Fault, Site, optional, split};
use crate::protocol::stamp;

pub(super) fn site(arg: &[u8]) -> Result<Site, Fault> {
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
