//! What an operand names: a URL, `site:path`, or a path on the default site.

pub(crate) mod url;

use std::{fmt, net::Ipv4Addr};

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
        let Self::NoSite { name, near, text } = self else {
            return None;
        };
        if let Some(near) = near {
            return Some(format!(
                "did you mean `{near}`? Write `./{text}` for a path"
            ));
        }
        let server = match as_url(text) {
            Some(url) => format!("a server is written as `{url}`; "),
            None if is_bare_key(name) => format!("a table `[site.{name}]` in ftp.toml makes one; "),
            None => String::new(),
        };
        Some(format!("{server}write `./{text}` for a path"))
    }
}

/// Makes a URL of `HOST:PORT` and what may follow behind a `/`; `None`: it looks like neither.
fn as_url(text: &str) -> Option<String> {
    let place = text.split('/').next()?;
    let (host, port) = place.rsplit_once(':')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_host = host.parse::<Ipv4Addr>().is_ok()
        || (host.chars().all(is_name) && host.starts_with(|c: char| c.is_ascii_alphabetic()));
    let is_port = url::port(port).is_some();
    let slash = if text == place { "/" } else { "" };
    (is_host && is_port).then(|| format!("ftp://{text}{slash}"))
}

/// Tells whether a name of a site needs no quotes in ftp.toml, and looks like one.
fn is_bare_key(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_part)
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
            let (server, path) = url::parse(text)?;
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
        let path: String = path.bytes().map(url::encoded).collect();
        let user = server.user.iter().flat_map(|user| user.bytes());
        let user: String = user.map(url::encoded).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

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
        for (text, hint) in [
            ("12:30.txt", ""),
            ("12:30", ""),
            ("box:docs", "a table `[site.box]` in ftp.toml makes one; "),
            (
                "127.0.0.1:31501",
                "a server is written as `ftp://127.0.0.1:31501/`; ",
            ),
            (
                "box.lan:2121/docs",
                "a server is written as `ftp://box.lan:2121/docs`; ",
            ),
        ] {
            let hint = format!("{hint}write `./{text}` for a path");
            assert_eq!(parse(text).unwrap_err().hint(), Some(hint));
        }
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
