//! How a URL is read (RFC 1738 §3.2), and its `%XX`, both ways. It touches no network.

use std::net::Ipv6Addr;

use super::{BadTarget, Scheme, Server};
use crate::{hex, remote::names};

const NO_PORT: &str = "the port is not a number from 1 to 65535";
const BRACKETS: &str = "an IPv6 address stands in brackets, as in ftp://[::1]:2121/";
const NO_PAIR: &str = "a %XX in it is not one; `%` itself is written `%25`";

/// Reads `ftp://user@host:port/path` (RFC 1738 §3.2); the path is percent-decoded.
///
/// The path is taken from the login directory, as RFC 1738 §3.2.2 and curl take it; a second `/`
/// (or `%2F`) begins at the server's root.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<(Server, String), BadTarget> {
    let shown = without_login(text);
    let bad = |why| BadTarget::Url {
        text: shown.clone(),
        why,
    };
    let (scheme, rest) =
        split_scheme(text).ok_or_else(|| bad("it does not begin with ftp:// or ftps://"))?;
    let rest =
        as_it_is(rest).ok_or_else(|| bad("only ;type=i is known: files are moved as they are"))?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (user, password, place) = split_login(authority);
    let (host, port) = split_port(place).map_err(bad)?;
    if host.is_empty() {
        return Err(bad("it names no host"));
    }
    let decode = |text: &str| percent_decode(text).ok_or_else(|| bad(NO_PAIR));
    let default = if scheme == Scheme::Ftps { 990 } else { 21 };
    let server = Server {
        scheme,
        user: user
            .map(decode)
            .transpose()?
            .filter(|user| !user.is_empty()),
        password: password.map(decode).transpose()?,
        host: plain_host(host),
        port: port.unwrap_or(default),
    };
    let path = decode(path)?;
    Ok((server, path.strip_prefix('/').unwrap_or(&path).to_owned()))
}

/// Returns the text as an error may show it: a password must not come back there.
fn without_login(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://...@{rest}"),
        _ => names::escaped(text),
    }
}

/// Takes the scheme off the front, in small letters or in capitals (RFC 3986 §3.1).
fn split_scheme(text: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "ftp" => Some((Scheme::Ftp, rest)),
        "ftps" => Some((Scheme::Ftps, rest)),
        _ => None,
    }
}

/// Splits `user:password@host:port`; the login is all before the last `@`.
fn split_login(authority: &str) -> (Option<&str>, Option<&str>, &str) {
    match authority.rsplit_once('@') {
        None => (None, None, authority),
        Some((login, place)) => match login.split_once(':') {
            None => (Some(login), None, place),
            Some((user, password)) => (Some(user), Some(password), place),
        },
    }
}

/// Writes a host in one way only, as what is remembered of it is found by its name: small letters
/// (RFC 3986 §3.2.2), and `%` before the scope of an address, which RFC 6874 §2 writes `%25`.
fn plain_host(host: &str) -> String {
    if !host.contains(':') {
        return host.to_ascii_lowercase();
    }
    match host.split_once('%') {
        Some((address, scope)) => {
            let scope = scope
                .strip_prefix("25")
                .filter(|scope| !scope.is_empty())
                .unwrap_or(scope);
            format!("{}%{scope}", address.to_ascii_lowercase())
        }
        None => host.to_ascii_lowercase(),
    }
}

/// Takes the type code off the end (RFC 1738 §3.2.2); `None`: it asks for lines or a listing.
fn as_it_is(rest: &str) -> Option<&str> {
    match rest.rsplit_once(";type=") {
        Some((rest, "i" | "I")) => Some(rest),
        Some((_, "a" | "A" | "d" | "D")) => None,
        _ => Some(rest),
    }
}

/// Splits `host:port`; the error is what is wrong with it.
fn split_port(place: &str) -> Result<(&str, Option<u16>), &'static str> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(BRACKETS)?;
        return match rest.strip_prefix(':') {
            Some(text) => Ok((host, Some(port(text).ok_or(NO_PORT)?))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(BRACKETS),
        };
    }
    match place.rsplit_once(':') {
        Some((host, "")) => Ok((host, None)),
        Some((host, text)) if !host.contains(':') => Ok((host, Some(port(text).ok_or(NO_PORT)?))),
        Some((host, text)) if host.parse::<Ipv6Addr>().is_ok() && port(text).is_some() => {
            Err(BRACKETS)
        }
        _ => Ok((place, None)),
    }
}

/// Reads a port.
pub(super) fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = is_number.then(|| text.parse().ok()).flatten();
    port.filter(|port| *port > 0)
}

/// Decodes `%XX`; bytes that are no UTF-8 are kept in the lossless inner form.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(hex::byte(bytes.get(at + 1..at + 3)?)?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Some(names::decode_lossless(&out))
}

/// One byte of a URL (RFC 3986 §2.3).
pub(super) fn encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> (Server, String) {
        parse(text).unwrap()
    }

    #[test]
    fn urls_come_apart() {
        let (server, path) = url("ftp://ann@192.168.1.5:2121/a%20b/%E4%B8%AD");
        assert_eq!(
            (server.user.as_deref(), server.host.as_str(), server.port),
            (Some("ann"), "192.168.1.5", 2121)
        );
        assert_eq!(path, "a b/中");
        let (server, path) = url("ftps://[fe80::1]/");
        assert_eq!(
            (server.host.as_str(), server.port, path.as_str()),
            ("fe80::1", 990, "")
        );
        for scoped in ["ftp://[fe80::1%eth0]/", "ftp://[fe80::1%25eth0]/"] {
            assert_eq!(url(scoped).0.host, "fe80::1%eth0");
        }
        assert_eq!(url("ftp://[FE80::A%25Eth0]/").0.host, "fe80::a%Eth0");
        assert_eq!(url("ftp://[fe80::1%25]/").0.host, "fe80::1%25");
        assert_eq!(url("ftp://Ann@NAS.Local/A").0.to_string(), "nas.local:21");
        for bare in ["::1", "fe80::1%eth0", "2001:db8::10"] {
            assert_eq!(url(&format!("ftp://{bare}/")).0.host, bare);
        }
        assert_eq!(url("ftp://h").1, "");
        assert_eq!(url("ftp://h//etc").1, "/etc");
        assert_eq!(url("ftp://h/%2Fetc").1, "/etc");
        assert_eq!(url("FTP://h/a").0.scheme, Scheme::Ftp);
        assert_eq!(url("Ftps://h/a").0.scheme, Scheme::Ftps);
        assert_eq!(url("ftp://h/a.iso;type=i").1, "a.iso");
        assert_eq!(url("ftp://h/a%3Btype=i").1, "a;type=i");
        assert_eq!(
            url("ftp://a:p%40ss@h:21/x").0.password.as_deref(),
            Some("p@ss")
        );
    }

    #[test]
    fn bad_urls_are_told_without_their_password() {
        for (text, why) in [
            ("http://h/", "does not begin"),
            ("ftp:///x", "names no host"),
            ("ftp://h:99999/", "port is not a number from 1 to 65535"),
            ("ftp://h:+21/", "port is not a number from 1 to 65535"),
            ("ftp://h/%+5", "is not one"),
            ("ftp://h:0/", "port is not a number from 1 to 65535"),
            ("ftp://ann@::1:31502/", "in brackets, as in ftp://[::1]"),
            ("ftp://[::1/", "in brackets, as in ftp://[::1]"),
            ("ftp://h/%zz", "is not one"),
            ("ftp://h/100%", "`%` itself is written `%25`"),
            ("ftp://h/notes;type=a", "only ;type=i is known"),
        ] {
            assert!(parse(text).unwrap_err().to_string().contains(why), "{text}");
        }
        let error = parse("ftp://a:hunter2@h:x/").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
