//! The tables that `ftpd` uses.

use std::{net::SocketAddr, time::Duration};

use super::{
    relative_to,
    users::{read_anonymous, read_auth, read_users},
};
use crate::{
    PortRange, Reserve, ServerConfig, defaults,
    reader::Section,
    server::{
        Active, AllowFrom, Announce, EngineKind, Fsync, Limits, Log, LogFormat, LogLevel, Metrics,
        Names, OnDuplicate, Passive, PassiveAddress, Password, Server, Share, Timeouts, Tls,
        TlsMode, Uploads,
    },
    value::ValueError,
};

/// Reads every table of the server and checks them against each other.
pub(crate) fn resolve_server(root: &Section<'_, '_>, warnings: &mut Vec<String>) -> ServerConfig {
    let users = read_users(root);
    let anonymous = read_anonymous(root);
    let config = ServerConfig {
        server: read_server(root),
        share: read_share(root),
        auth: read_auth(root, &users, anonymous.enabled, warnings),
        users: users.into_iter().map(|(user, _)| user).collect(),
        anonymous,
        passive: read_passive(root),
        active: read_active(root),
        tls: read_tls(root),
        limits: read_limits(root),
        timeouts: read_timeouts(root),
        uploads: read_uploads(root),
        names: read_names(root),
        log: read_log(root),
        metrics: read_metrics(root),
        announce: read_announce(root),
    };
    check_sample(root, &config);
    warnings.extend(halved(&config.server.listen));
    if config.server.engine == EngineKind::Libunftp {
        warnings.push(
            "`server.engine` is \"libunftp\", which lacks what docs/engines.md lists; \"native\" has it all"
                .to_owned(),
        );
    }
    config
}

fn read_server(root: &Section<'_, '_>) -> Server {
    let section = root.section("server");
    let server = Server {
        listen: read_listen(&section),
        ascii_conversion: section.boolean("ascii_conversion", false),
        engine: section.choice(
            "engine",
            EngineKind::Native,
            &[
                ("native", EngineKind::Native),
                ("libunftp", EngineKind::Libunftp),
            ],
        ),
        greeting: section
            .parsed_by("greeting", defaults::GREETING, parse_greeting)
            .unwrap_or_else(|| defaults::GREETING.to_owned()),
        allow_from: read_allow_from(&section),
        run_as: section.parsed_by("run_as", "ftpd", |name| match name {
            "" => Err(ValueError::new(
                "`\"\"` names no system user",
                "write its name, as in \"ftpd\"",
            )),
            _ => Ok(name.to_owned()),
        }),
    };
    section.finish();
    server
}

fn parse_greeting(text: &str) -> Result<String, ValueError> {
    if text.len() > 500 || text.chars().any(char::is_control) {
        return Err(ValueError::new(
            "the greeting is over 500 bytes or holds a control character",
            "write one line of text",
        ));
    }
    Ok(text.to_owned())
}

fn read_listen(section: &Section<'_, '_>) -> Vec<SocketAddr> {
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

fn read_allow_from(section: &Section<'_, '_>) -> Vec<AllowFrom> {
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

fn read_share(root: &Section<'_, '_>) -> Share {
    let section = root.section("share");
    let dir = root.faults().source().dir();
    let text = section.path("root", defaults::SHARE_ROOT);
    let root_text = text.map_or(defaults::SHARE_ROOT, |(text, _)| text);
    let share = Share {
        root: relative_to(dir, root_text),
        reserve: section
            .parsed("reserve", "1%")
            .unwrap_or(Reserve::Percent(1.0)),
        umask: section
            .parsed_by("umask", "022", |text| parse_mode(text, "022"))
            .unwrap_or(0o022),
        show_dotfiles: section.boolean("show_dotfiles", true),
        show_owner: section.boolean("show_owner", false),
    };
    section.finish();
    share
}

/// Mode bits are octal text, so that no one writes a decimal by accident.
fn parse_mode(text: &str, usual: &str) -> Result<u32, ValueError> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| {
            ValueError::new(
                format!(
                    "`{}` is not an octal mode from 000 to 777",
                    text.escape_debug()
                ),
                format!("write three octal digits, as in \"{usual}\""),
            )
        })
}

fn read_passive(root: &Section<'_, '_>) -> Passive {
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

fn read_active(root: &Section<'_, '_>) -> Active {
    let section = root.section("active");
    let active = Active {
        enabled: section.boolean("enabled", true),
    };
    section.finish();
    active
}

fn read_tls(root: &Section<'_, '_>) -> Tls {
    let section = root.section("tls");
    let dir = root.faults().source().dir();
    let mode = section.choice(
        "mode",
        TlsMode::Optional,
        &[
            ("off", TlsMode::Off),
            ("optional", TlsMode::Optional),
            ("required", TlsMode::Required),
        ],
    );
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
    };
    section.finish();
    tls
}

fn read_limits(root: &Section<'_, '_>) -> Limits {
    let section = root.section("limits");
    let rate = |key| section.parsed(key, "20 MiB/s").unwrap_or_default();
    let limits = Limits {
        max_clients: section.number("max_clients", 200, 100_000),
        max_per_ip: section.number("max_per_ip", 32, 100_000),
        rate_down: rate("rate_down"),
        rate_up: rate("rate_up"),
        session_rate_down: rate("session_rate_down"),
        session_rate_up: rate("session_rate_up"),
    };
    section.finish();
    limits
}

fn read_timeouts(root: &Section<'_, '_>) -> Timeouts {
    let section = root.section("timeouts");
    let least = Duration::from_millis(100);
    let wait = |key, secs| section.duration(key, Duration::from_secs(secs), least);
    let timeouts = Timeouts {
        login: wait("login", 60),
        idle: wait("idle", 300),
        stalled: wait("stalled", 300),
        data_connect: wait("data_connect", 30),
        tls_handshake: wait("tls_handshake", 10),
        shutdown_grace: section.duration("shutdown_grace", Duration::from_secs(30), Duration::ZERO),
    };
    section.finish();
    timeouts
}

fn read_uploads(root: &Section<'_, '_>) -> Uploads {
    let section = root.section("uploads");
    let uploads = Uploads {
        on_duplicate: section.choice(
            "on_duplicate",
            OnDuplicate::Overwrite,
            &[
                ("overwrite", OnDuplicate::Overwrite),
                ("rename", OnDuplicate::Rename),
                ("refuse", OnDuplicate::Refuse),
            ],
        ),
        keep_partial_for: section.duration(
            "keep_partial_for",
            Duration::from_secs(24 * 3600),
            Duration::ZERO,
        ),
        fsync: section.choice(
            "fsync",
            Fsync::File,
            &[
                ("never", Fsync::Never),
                ("file", Fsync::File),
                ("file+dir", Fsync::FileAndDir),
            ],
        ),
        mode: section
            .parsed_by("mode", "666", |text| parse_mode(text, "666"))
            .unwrap_or(0o666),
    };
    section.finish();
    uploads
}

fn read_names(root: &Section<'_, '_>) -> Names {
    let section = root.section("names");
    let fallback = section
        .parsed_by("fallback", "gb18030", |text| match text {
            "none" => Ok(None),
            _ => text.parse().map(Some),
        })
        .unwrap_or_else(|| defaults::FALLBACK.parse().ok());
    section.finish();
    Names { fallback }
}

fn read_log(root: &Section<'_, '_>) -> Log {
    let section = root.section("log");
    let dir = root.faults().source().dir();
    let log = Log {
        level: section.choice(
            "level",
            LogLevel::Info,
            &[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
                ("trace", LogLevel::Trace),
            ],
        ),
        format: section.choice(
            "format",
            LogFormat::Text,
            &[("text", LogFormat::Text), ("json", LogFormat::Json)],
        ),
        xferlog: section
            .path("xferlog", "xferlog")
            .map(|(text, _)| relative_to(dir, text)),
    };
    section.finish();
    log
}

fn read_metrics(root: &Section<'_, '_>) -> Metrics {
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

fn read_announce(root: &Section<'_, '_>) -> Announce {
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
fn halved(listen: &[SocketAddr]) -> Option<String> {
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

/// The sample's password is known to everyone: only loopback may be listened on while it stands.
fn check_sample(root: &Section<'_, '_>, config: &ServerConfig) {
    let sample = config
        .users
        .iter()
        .any(|user| user.password == Password::Sample);
    if sample
        && config
            .server
            .listen
            .iter()
            .any(|address| !address.ip().is_loopback())
    {
        root.faults().add(
            root.section("server").span_of("listen"),
            "user `demo` has the sample password, so only loopback may be listened on",
            "run `ftpd user passwd demo`, or listen on 127.0.0.1",
        );
    }
}
