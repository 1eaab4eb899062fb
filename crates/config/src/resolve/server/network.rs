//! The tables that say how clients reach the server.

use std::net::SocketAddr;

use crate::{
    PortRange, defaults,
    reader::Section,
    resolve::relative_to,
    server::{Active, AllowFrom, Announce, Metrics, Passive, PassiveAddress, Tls, TlsMode},
    value::ValueError,
};

pub(super) fn read_listen(section: &Section<'_, '_>) -> Vec<SocketAddr> {
    const FIX: &str = "write an address and a port, as in \"192.168.1.5:2121\" or \"[::]:2121\"";
    let Some(texts) = section.texts("listen", defaults::LISTEN) else {
        return defaults::LISTEN.parse().into_iter().collect();
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    if texts.is_empty() {
        section
            .faults()
            .add(section.span_of("listen"), "`server.listen` is empty", FIX);
    }
    for (text, span) in texts {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && addresses.contains(&address) => {
                section.faults().add(
                    Some(span),
                    format!("`{address}` stands twice"),
                    "remove one",
                );
            }
            Ok(address) => addresses.push(address),
            Err(_) => {
                let what = format!("`{}` is not an address to listen on", text.escape_debug());
                section.faults().add(Some(span), what, FIX);
            }
        }
    }
    addresses
}

pub(super) fn read_allow_from(section: &Section<'_, '_>) -> Vec<AllowFrom> {
    let mut allowed = Vec::new();
    for (text, span) in section.texts("allow_from", "lan").unwrap_or_default() {
        let network = text
            .parse()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
        match network {
            _ if text == "lan" => allowed.push(AllowFrom::Lan),
            Ok(network) => allowed.push(AllowFrom::Net(network)),
            Err(_) => section.faults().add(
                Some(span),
                format!("`{}` is not a network", text.escape_debug()),
                "write a CIDR as in \"192.168.1.0/24\", an address, or \"lan\"",
            ),
        }
    }
    allowed
}

pub(super) fn read_passive(root: &Section<'_, '_>) -> Passive {
    let section = root.section("passive");
    let passive = Passive {
        ports: section
            .parsed::<PortRange>("ports", defaults::PASSIVE_PORTS)
            .unwrap_or_else(defaults::passive_ports),
        address: section
            .parsed_by("address", "auto", parse_passive_address)
            .unwrap_or(PassiveAddress::Auto),
    };
    section.finish();
    passive
}

fn parse_passive_address(text: &str) -> Result<PassiveAddress, ValueError> {
    match text.parse() {
        _ if text == "auto" => Ok(PassiveAddress::Auto),
        Ok(std::net::IpAddr::V4(address)) if !address.is_unspecified() => {
            Ok(PassiveAddress::Fixed(address.into()))
        }
        _ => Err(ValueError::new(
            format!(
                "`{}` is not an IPv4 address that a client could dial",
                text.escape_debug()
            ),
            "write \"auto\" or the address clients reach, as in \"192.168.1.5\"",
        )),
    }
}

pub(super) fn read_active(root: &Section<'_, '_>) -> Active {
    let section = root.section("active");
    let active = Active {
        enabled: section.boolean("enabled", true),
    };
    section.finish();
    active
}

pub(super) fn read_tls(root: &Section<'_, '_>) -> Tls {
    let section = root.section("tls");
    let dir = root.faults().source().dir();
    let mode = section.choice("mode", TlsMode::Optional);
    let cert = section.path("cert", "cert.pem");
    let key = section.path("key", "key.pem");
    let alone = match (&cert, &key) {
        (Some((_, span)), None) => Some(("cert", "key", span)),
        (None, Some((_, span))) => Some(("key", "cert", span)),
        _ => None,
    };
    if let Some((given, missing, span)) = alone {
        section.faults().add(
            Some(span.clone()),
            format!("`tls.{given}` is given without `tls.{missing}`"),
            format!("add {missing} = \"...\", or remove both to have them made"),
        );
    }
    let path = |given: &Option<(&str, _)>, made| {
        relative_to(dir, given.as_ref().map_or(made, |(text, _)| text))
    };
    let tls = Tls {
        mode,
        cert: path(&cert, defaults::CERT),
        key: path(&key, defaults::KEY),
        self_signed: cert.is_none() && key.is_none(),
        require_reuse: section.boolean("require_reuse", false),
    };
    section.finish();
    tls
}

pub(super) fn read_metrics(root: &Section<'_, '_>) -> Metrics {
    let section = root.section("metrics");
    let listen = section.parsed_by("listen", "127.0.0.1:9121", |text| match text.parse() {
        Ok(address) if SocketAddr::ip(&address).is_loopback() => Ok(address),
        _ => Err(ValueError::new(
            format!(
                "`{}` is not a loopback address and port",
                text.escape_debug()
            ),
            "write one as in \"127.0.0.1:9121\"",
        )),
    });
    section.finish();
    Metrics { listen }
}

pub(super) fn read_announce(root: &Section<'_, '_>) -> Announce {
    let section = root.section("announce");
    let name = section.parsed_by("name", "Ann's files", |text| {
        if text.is_empty() || text.len() > 63 || text.chars().any(char::is_control) {
            let what = "the name is empty, over 63 bytes, or holds a control character";
            return Err(ValueError::new(what, "write a short name"));
        }
        Ok(text.to_owned())
    });
    let announce = Announce {
        mdns: section.boolean("mdns", false),
        name,
    };
    section.finish();
    announce
}

/// `[::]` serves both families, unless an IPv4 address with its port is named too: then whoever comes by
/// another one is turned away.
pub(super) fn halved(listen: &[SocketAddr]) -> Option<String> {
    let all = |address: &&SocketAddr| address.is_ipv6() && address.ip().is_unspecified();
    let one = |address: &&SocketAddr| address.is_ipv4() && !address.ip().is_unspecified();
    listen.iter().filter(all).find_map(|all| {
        let mut ones = listen.iter().filter(one);
        let one = ones.find(|one| one.port() == all.port())?;
        Some(format!(
            "`{all}` serves IPv6 alone, since `{one}` is listened on too; without that it serves both"
        ))
    })
}
