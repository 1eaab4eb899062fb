//! What an operand names: a URL, `site:path`, or a path on the default site.

use std::fmt;

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `ftp://`
    Ftp,
    /// `ftps://`: TLS from the first byte.
    Ftps,
}

/// A server and a login, as a URL writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The scheme.
    pub scheme: Scheme,
    /// The login name, if given.
    pub user: Option<String>,
    /// The password, if given; better kept elsewhere.
    pub password: Option<String>,
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The control port.
    pub port: u16,
}

/// What an operand names on the remote side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A URL.
    Url(Server, String),
    /// A path on a site of the configuration.
    Site(String, String),
    /// A path on the default site.
    Path(String),
}

/// Why an operand cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It looks like a URL and is none.
    #[error("`{text}` is not a URL of an FTP server: {why}")]
    Url {
        /// The operand, without its password.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The word before its colon names no site.
    #[error("no site `{name}`")]
    NoSite {
        /// That word.
        name: String,
        /// The site that may be meant.
        near: Option<String>,
        /// The whole operand.
        text: String,
    },
}

impl BadTarget {
    /// Returns what to write instead, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let Self::NoSite { near, text, .. } = self else {
            return None;
        };
        let near = near
            .as_ref()
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        Some(format!("{near}Write `./{text}` for a path"))
    }
}

impl Target {
    /// Reads an operand; `sites` are those of the configuration.
    ///
    /// # Errors
    /// A URL that cannot be read, or a site that is not there: its files are not for another server.
    pub fn parse<'a>(
        text: &str,
        sites: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, BadTarget> {
        if text.contains("://") {
            let (server, path) = parse_url(text)?;
            return Ok(Self::Url(server, path));
        }
        match text.split_once(':') {
            Some((name, path)) if sites.clone().any(|site| site == name) => {
                Ok(Self::Site(name.to_owned(), path.to_owned()))
            }
            Some((name, _)) if !name.is_empty() && !name.contains('/') => Err(BadTarget::NoSite {
                name: name.to_owned(),
                near: ftp_config::nearest(name, sites).map(str::to_owned),
                text: text.to_owned(),
            }),
            _ => Ok(Self::Path(text.to_owned())),
        }
    }

    /// Returns the path part.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Url(_, path) | Self::Site(_, path) | Self::Path(path) => path,
        }
    }

    /// Returns the operand to give again, without its password.
    #[must_use]
    pub fn again(&self) -> String {
        let Self::Url(server, path) = self else {
            return self.to_string();
        };
        let path: String = path.bytes().map(encoded).collect();
        let user = server.user.iter().flat_map(|user| user.bytes());
        let user: String = user.map(encoded).collect();
        let at = if user.is_empty() { "" } else { "@" };
        format!("{}://{user}{at}{server}/{path}", server.scheme)
    }

    /// Tells whether the operand names its server.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        !matches!(self, Self::Path(_))
    }
}

impl fmt::Display for Target {
    /// Writes it as an operand, without login and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(server, path) => write!(f, "{}://{server}/{path}", server.scheme),
            Self::Site(name, path) => write!(f, "{name}:{path}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

/// One byte of a URL (RFC 3986 §2.3).
fn encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ftp => "ftp",
            Self::Ftps => "ftps",
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Reads `ftp://user@host:port/path` (RFC 1738 §3.2); the path is percent-decoded.
///
/// The path is taken from the login directory, as RFC 1738 §3.2.2 and curl take it; a second `/`
/// (or `%2F`) begins at the server's root.
///
/// # Errors
/// What is wrong with it.
pub fn parse_url(text: &str) -> Result<(Server, String), BadTarget> {
    // A password must not come back in an error.
    let shown = match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://...@{rest}"),
        _ => text.escape_debug().to_string(),
    };
    let bad = |why| BadTarget::Url {
        text: shown.clone(),
        why,
    };
    // RFC 3986 §3.1: a scheme is the same word in capitals.
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ftp") => (Scheme::Ftp, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("ftps") => (Scheme::Ftps, rest),
        _ => return Err(bad("it does not begin with ftp:// or ftps://")),
    };
    let rest =
        as_it_is(rest).ok_or_else(|| bad("only ;type=i is known: files are moved as they are"))?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (user, password, place) = split_login(authority);
    let (host, port) = split_port(place).ok_or_else(|| bad("the port is not a number"))?;
    if host.is_empty() {
        return Err(bad("it names no host"));
    }
    let decode = |text: &str| percent_decode(text).ok_or_else(|| bad("a %XX in it is not one"));
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

fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match place.rsplit_once(':') {
        Some((host, "")) => Some((host, None)),
        Some((host, port)) if !host.contains(':') => Some((host, Some(port.parse().ok()?))),
        _ => Some((place, None)),
    }
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
            let pair = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
            out.push(u8::from_str_radix(pair, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    Some(crate::remote::names::decode_lossless(&out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> (Server, String) {
        parse_url(text).unwrap()
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
            ("ftp://h:99999/", "port is not a number"),
            ("ftp://h/%zz", "is not one"),
            ("ftp://h/notes;type=a", "only ;type=i is known"),
        ] {
            assert!(
                parse_url(text).unwrap_err().to_string().contains(why),
                "{text}"
            );
        }
        let error = parse_url("ftp://a:hunter2@h:x/").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn only_known_sites_take_a_colon() {
        let parse = |text| Target::parse(text, ["nas", "web"].into_iter());
        let path = |text: &str| Ok(Target::Path(text.into()));
        assert_eq!(parse("nas:/x"), Ok(Target::Site("nas".into(), "/x".into())));
        for text in ["plain.txt", "./a:b", "/a:b", ":b"] {
            assert_eq!(parse(text), path(text));
        }
        let error = parse("naas:docs/").unwrap_err();
        assert_eq!(error.to_string(), "no site `naas`");
        assert_eq!(
            error.hint().unwrap(),
            "did you mean `nas`? Write `./naas:docs/` for a path"
        );
        let far = parse("12:30.txt").unwrap_err();
        assert_eq!(far.hint().unwrap(), "Write `./12:30.txt` for a path");
    }

    #[test]
    fn an_operand_to_give_again_has_its_user_and_no_password() {
        for (text, again) in [
            ("ftp://ann:pw@h/a%20b", "ftp://ann@h:21/a%20b"),
            ("ftps://h:99//x", "ftps://h:99//x"),
            ("a b", "a b"),
        ] {
            let target = Target::parse(text, std::iter::empty()).unwrap();
            assert_eq!(target.again(), again);
        }
    }
}
