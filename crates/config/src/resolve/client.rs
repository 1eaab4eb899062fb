//! The tables that `ftpc` uses.

use super::relative_to;
use crate::{
    ByteRate, ClientConfig, Secret, Site, SiteTls, client::Verify, defaults, mask, reader::Section,
    value::ValueError,
};

/// Reads `[client]` and every `[site.NAME]`.
pub(crate) fn resolve_client(root: &Section<'_, '_>) -> ClientConfig {
    let sites: Vec<(&str, Site)> = root
        .named("site")
        .into_iter()
        .filter_map(|(name, section)| read_site(name, section).map(|site| (name, site)))
        .collect();
    let section = root.section("client");
    let site = section.text("site", "local");
    if let Some((name, span)) = &site
        && !sites.iter().any(|(other, _)| other == name)
    {
        section.faults().add(
            Some(span.clone()),
            format!(
                "`client.site` names `{}`, which has no table",
                name.escape_debug()
            ),
            format!("write [site.{name}] with a url"),
        );
    }
    let config = ClientConfig {
        site: site.map(|(name, _)| name.to_owned()),
        jobs: section.number_in("jobs", defaults::JOBS, 1..=defaults::MOST_JOBS),
        verify: section.choice("verify", Verify::Auto),
        limit: section
            .parsed("limit", "5 MiB/s")
            .unwrap_or(ByteRate::UNLIMITED),
        sites: sites
            .into_iter()
            .map(|(name, site)| (name.to_owned(), site))
            .collect(),
    };
    section.finish();
    config
}

fn read_site(name: &str, section: Section<'_, '_>) -> Option<Site> {
    check_name(name, &section);
    let url = section.parsed_by("url", "ftp://ann@192.168.1.5:2121/", check_url);
    if url.is_none() && section.text("url", "").is_none() {
        section.faults().add(
            section.span(),
            format!("[site.{name}] has no `url`"),
            "write url = \"ftp://ann@192.168.1.5:2121/\"",
        );
    }
    let tls = section.choice("tls", SiteTls::Auto);
    let encoding = section.parsed_by("encoding", "auto", |text| match text {
        "auto" => Ok(None),
        _ => text.parse().map(Some),
    });
    let dir = section.faults().source().dir();
    let site = Site {
        url: url.clone().unwrap_or_default(),
        password: section
            .text("password", "...")
            .map(|(text, _)| Secret::new(text)),
        password_command: section
            .text("password_command", "pass show ftp")
            .map(|(t, _)| t.to_owned()),
        netrc: section.boolean("netrc", true),
        tls,
        encoding: encoding.flatten(),
        ca_file: section
            .path("ca_file", "ca.pem")
            .map(|(text, _)| relative_to(dir, text)),
    };
    section.finish();
    url.is_some().then_some(site)
}

fn check_name(name: &str, section: &Section<'_, '_>) {
    let bad = |c: char| !(c.is_alphanumeric() || "-_.".contains(c));
    if name.is_empty() || name.contains(bad) {
        section.faults().add(
            section.span(),
            format!("`{}` cannot be the name of a site", name.escape_debug()),
            "use letters, digits, `-`, `_` and `.`",
        );
    }
}

/// Only the scheme and that there is a host: the client's own parser does the rest.
fn check_url(text: &str) -> Result<String, ValueError> {
    const FIX: &str = "write one as in \"ftp://ann@192.168.1.5:2121/\"";
    let shown = mask::url(text);
    let shown = shown.escape_debug();
    let is_ftp =
        |scheme: &str| scheme.eq_ignore_ascii_case("ftp") || scheme.eq_ignore_ascii_case("ftps");
    let parts = text.split_once("://");
    let Some((_, rest)) = parts.filter(|(scheme, _)| is_ftp(scheme)) else {
        return Err(ValueError::new(
            format!("`{shown}` is not an ftp:// URL"),
            FIX,
        ));
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if host.is_empty() || host.starts_with(':') {
        return Err(ValueError::new(format!("`{shown}` names no host"), FIX));
    }
    // An IPv6 address without brackets has no port.
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    if let Some((name, port)) = behind.rsplit_once(':')
        && !name.contains(':')
        && !port.is_empty()
        && port.parse::<u16>().is_err()
    {
        return Err(ValueError::new(
            format!("`{shown}` names no port up to 65535"),
            FIX,
        ));
    }
    if user.contains(':') {
        return Err(ValueError::new(
            "the URL holds a password",
            "write it as password = \"...\", or leave it to the prompt",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::check_url;

    #[test]
    fn a_port_is_asked_for_only_where_one_can_stand() {
        for good in [
            "FTP://ann@nas:2121/",
            "ftps://h:/",
            "ftp://fe80::abcd/",
            "ftp://[fe80::abcd]:21/",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in ["ftp://h:70000/", "ftp://h:x/", "ftp://[::1]:x/"] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
