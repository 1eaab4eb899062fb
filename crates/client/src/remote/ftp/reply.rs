//! Reply bytes to [`Reply`], and the check of what is sent. Pure.

use crate::{
    error::RemoteError,
    remote::{Reply, names::Codec},
};

/// The longest command line sent.
const MAX_COMMAND: usize = 4096;

/// Codes that end a reply that began with another one (glFTPd does that); any other number is
/// text of a banner, and the session is out of step.
const KNOWN: [u16; 58] = [
    110, 120, 125, 150, 200, 202, 211, 212, 213, 214, 215, 220, 221, 225, 226, 227, 228, 229, 230,
    231, 232, 234, 235, 250, 253, 257, 300, 331, 332, 334, 336, 350, 421, 425, 426, 430, 431, 434,
    450, 451, 452, 500, 501, 502, 503, 504, 521, 522, 530, 532, 533, 534, 536, 550, 551, 552, 553,
    554,
];

/// Refuses what would be more than one line, or cut short by the server.
pub(in crate::remote) fn check_line(line: &str) -> Result<(), RemoteError> {
    let Some(why) = flaw_of(line) else {
        return Ok(());
    };
    let name: String = line.escape_debug().take(200).collect();
    Err(RemoteError::BadName { name, why })
}

/// Says why a line cannot be sent.
pub(crate) fn flaw_of(line: &str) -> Option<&'static str> {
    if line.contains(['\r', '\n']) {
        Some("it holds a line end")
    } else if line.contains('\0') {
        Some("it holds a NUL")
    } else if line.trim().is_empty() {
        // Most servers answer nothing to it.
        Some("it is empty")
    } else if line.len() > MAX_COMMAND {
        Some("it is too long")
    } else {
        None
    }
}

/// Takes a reply apart; `None`: the server is out of step.
pub(in crate::remote) fn parse(codec: &Codec, body: &[u8]) -> Option<Reply> {
    let body = unescape_telnet(body);
    let lines: Vec<&[u8]> = body
        .strip_suffix(b"\n")
        .unwrap_or(&body)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    let opening = code(lines.first()?)?;
    let closing = code(lines.last()?)?;
    if opening != closing && !KNOWN.contains(&closing) {
        return None;
    }
    let text = |line: &&[u8]| codec.decode(strip_code(line, opening, closing));
    Some(Reply {
        code: closing,
        lines: lines.iter().map(text).collect(),
    })
}

fn code(line: &[u8]) -> Option<u16> {
    let digits = line.get(..3)?;
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

fn strip_code(line: &[u8], opening: u16, closing: u16) -> &[u8] {
    match (code(line), line.get(3)) {
        (Some(code), None) if code == opening || code == closing => b"",
        (Some(code), Some(b' ' | b'-')) if code == opening || code == closing => &line[4..],
        _ => line,
    }
}

/// RFC 959 §3: control connections speak Telnet, where 0xFF is sent twice.
fn unescape_telnet(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut bytes = body.iter().peekable();
    while let Some(byte) = bytes.next() {
        plain.push(*byte);
        if *byte == 0xFF {
            bytes.next_if_eq(&&0xFF);
        }
    }
    plain
}

/// Returns the path in a 257: between the first quote and the one that closes it, doubled quotes
/// folded (RFC 959 appendix II).
pub(super) fn quoted(text: &str) -> Option<String> {
    let mut rest = text.split_once('"')?.1.chars().peekable();
    let mut path = String::new();
    loop {
        match rest.next()? {
            '"' if rest.next_if_eq(&'"').is_some() => path.push('"'),
            '"' => return Some(path),
            c => path.push(c),
        }
    }
}

/// The error of a reply that cannot be the answer to this verb: one too many came before it.
pub(super) fn out_of_step(verb: &str, reply: &Reply) -> RemoteError {
    RemoteError::Protocol {
        verb: verb.to_owned(),
        what: format!("the server is out of step: `{reply}`"),
    }
}

/// Tells whether a reply to EPSV that names no port means that the server does not know it. 202: `Command
/// not implemented`, as printers say it.
pub(super) fn is_no_epsv(reply: &Reply) -> bool {
    reply.code >= 500 || matches!(reply.code, 202 | 229)
}

/// Tells whether the server does not know the verb.
pub(super) fn is_unknown_verb(code: u16) -> bool {
    matches!(code, 202 | 500 | 501 | 502 | 504)
}

/// Returns the size in `150 Opening BINARY mode data connection for x (1234 bytes).`
pub(super) fn announced_size(text: &str) -> Option<u64> {
    let (head, _) = text.rsplit_once(" bytes")?;
    head.rsplit_once('(')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Reply> {
        parse(&Codec::new(None), body.as_bytes())
    }

    #[test]
    fn lines_lose_their_codes_and_keep_their_text() {
        let reply = read("211-Features:\r\n MDTM\r\n211-UTF8\r\n211 End\r\n").unwrap();
        assert_eq!(reply.lines, ["Features:", " MDTM", "UTF8", "End"]);
        assert_eq!(read("522 session reuse required\r\n").unwrap().code, 522);
        assert_eq!(read("230-hi\r\n226 done\r\n").unwrap().code, 226);
    }

    #[test]
    fn a_banner_line_of_digits_is_no_end() {
        assert_eq!(read("220-Welcome to\r\n123 Main Street\r\n"), None);
        assert_eq!(read("garbage\r\n"), None);
        assert_eq!(read("999 x\r\n"), None);
    }

    #[test]
    fn what_is_not_one_line_is_not_sent() {
        assert!(check_line("DELE a\r\nDELE b").is_err());
        assert!(check_line("DELE a\0b").is_err());
        assert!(check_line(&"x".repeat(5000)).is_err());
        assert!(check_line("DELE -a b ").is_ok());
    }

    #[test]
    fn quotes_in_a_path_are_doubled() {
        let path = quoted(r#""/a""b" is your "current" directory"#);
        assert_eq!(path.as_deref(), Some(r#"/a"b"#));
        assert_eq!(quoted("no path"), None);
        assert_eq!(quoted("\"open"), None);
    }

    #[test]
    fn the_announced_size_is_found() {
        assert_eq!(
            announced_size("data connection for a (1).b (1234 bytes)."),
            Some(1234)
        );
        assert_eq!(announced_size("here it comes"), None);
    }

    #[test]
    fn doubled_telnet_bytes_are_one() {
        let reply = parse(&Codec::new(None), b"257 \"\xff\xff\"\r\n").unwrap();
        assert_eq!(quoted(reply.text()).unwrap(), "\u{10ffff}");
    }
}
