//! Addresses, ports, the greeting and TLS. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ftp_config::{
    PortRange,
    defaults::{LONGEST_GREETING, PORT},
};

use super::{Findings, conf::Conf, draft::Draft, machine::Machine, rights::Layers};

/// Ports below this need privilege.
const FIRST_FREE_PORT: u64 = 1024;

/// `[server]`
pub(super) fn server(
    conf: &Conf,
    machine: &Machine,
    privileged: bool,
    draft: &mut Draft,
    findings: &mut Findings,
) {
    let port = port(conf, privileged, findings);
    let listed = addresses(conf, findings);
    let listen: Vec<_> = listed
        .iter()
        .map(|ip| SocketAddr::new(*ip, port).to_string())
        .collect();
    draft.texts("server", "listen", &listen);
    greeting(conf, machine, draft, findings);
    virtual_users(conf, draft, findings);
    wrappers(conf, machine, findings);
}

fn greeting(conf: &Conf, machine: &Machine, draft: &mut Draft, findings: &mut Findings) {
    let of_file = machine.banner.as_deref().map(|text| ("banner_file", text));
    let of_option = || Some(("ftpd_banner", conf.given_text("ftpd_banner")?));
    if let Some((option, greeting)) = of_file.or_else(of_option) {
        let mut text: String = greeting.chars().filter(|c| !c.is_control()).collect();
        while text.len() > LONGEST_GREETING {
            text.pop();
        }
        if text != greeting {
            findings.note(conf.about(
                option,
                format!("`{option}` is cut: a greeting has {LONGEST_GREETING} bytes at most, and no control characters"),
            ));
        }
        draft.text("server", "greeting", &text);
    }
}

/// The system user of virtual users is whom the server becomes.
fn virtual_users(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    if !conf.flag("guest_enable") {
        return;
    }
    findings.note(conf.about(
        "guest_enable",
        "virtual users whom only PAM knows are not here: add each with `ftpd user add NAME`",
    ));
    match conf
        .given_text("guest_username")
        .filter(|name| *name != "root")
    {
        Some(name) => draft.text("server", "run_as", name),
        None => findings.note(conf.about(
            "guest_enable",
            "`server.run_as` is left open: name the system user who owns the share",
        )),
    }
}

fn wrappers(conf: &Conf, machine: &Machine, findings: &mut Findings) {
    const WHY: &str = "hosts.allow and hosts.deny are not read: write the networks that may \
                       connect to `server.allow_from`";
    if !conf.flag("tcp_wrappers") {
        return;
    }
    if machine.wrappers_name_vsftpd {
        findings.refuse(conf.about(
            "tcp_wrappers",
            format!(
                "`tcp_wrappers=YES`, and they speak of vsftpd, or of ALL: {WHY}, and set it to NO"
            ),
        ));
    } else {
        findings.note(conf.about(
            "tcp_wrappers",
            format!("`tcp_wrappers=YES` left out: {WHY}"),
        ));
    }
}

fn port(conf: &Conf, privileged: bool, findings: &mut Findings) -> u16 {
    let port = conf.number("listen_port");
    if port >= FIRST_FREE_PORT || (privileged && port > 0) {
        return u16::try_from(port).unwrap_or_else(|_| {
            findings
                .refuse(conf.about("listen_port", format!("`listen_port={port}` is not a port")));
            PORT
        });
    }
    findings.note(conf.about("listen_port", format!(
        "port {port} needs privilege, so {PORT} stands in `server.listen`; the systemd unit may \
         listen on {port}: write it there"
    )));
    PORT
}

fn addresses(conf: &Conf, findings: &mut Findings) -> Vec<IpAddr> {
    let mut listed: Vec<IpAddr> = Vec::new();
    for option in ["listen_address", "listen_address6"] {
        match conf.given_text(option).map(str::parse) {
            Some(Ok(address)) => listed.push(address),
            Some(Err(_)) => {
                findings.refuse(conf.about(option, format!("`{option}` is not an address")));
            }
            None => {}
        }
    }
    let all_v6 = conf.flag("listen_ipv6") && !conf.has("listen_address6");
    if listed.is_empty() || all_v6 {
        let v4_too = listed
            .iter()
            .all(|address| *address == Ipv4Addr::UNSPECIFIED);
        listed.retain(|_| !v4_too);
        // `listen` is for IPv4 alone: what nobody reached by IPv6 nobody is to reach by it here.
        listed.push(match conf.flag("listen_ipv6") {
            true => Ipv6Addr::UNSPECIFIED.into(),
            false => Ipv4Addr::UNSPECIFIED.into(),
        });
    }
    listed
}

/// `[passive]`, `[active]` and `[tls]`
pub(super) fn network(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    if let Some(range) = passive_ports(conf, findings) {
        draft.text("passive", "ports", &range.to_string());
    }
    if let Some(address) = conf.given_text("pasv_address") {
        match address.parse::<Ipv4Addr>() {
            Ok(address) if !address.is_unspecified() => {
                draft.text("passive", "address", &address.to_string());
            }
            _ => findings.note(conf.about("pasv_address", format!(
                "`pasv_address={}` is not an IPv4 address: \"auto\" names the address the client \
                 dialled; write a number if clients reach the server by another", address.escape_debug()
            ))),
        }
    }
    let layers = Layers {
        own: None,
        all: conf,
    };
    if !conf.flag("port_enable") || !layers.permits("PORT") {
        draft.flag("active", "enabled", false);
    }
    if let Some(denied) = conf.given_text("cmds_denied") {
        findings.note(conf.about(
            "cmds_denied",
            format!(
                "`cmds_denied={}`: commands that no right stands for stay on",
                denied.escape_debug()
            ),
        ));
    }
    tls(conf, draft, findings);
}

/// Reversed bounds are put right; one bound alone gets the other's extreme.
fn passive_ports(conf: &Conf, findings: &mut Findings) -> Option<PortRange> {
    let (min, max) = (conf.number("pasv_min_port"), conf.number("pasv_max_port"));
    if min == 0 && max == 0 {
        return None;
    }
    let first = if min == 0 { FIRST_FREE_PORT } else { min };
    let last = if max == 0 { u64::from(u16::MAX) } else { max };
    if first > last {
        findings.note(conf.about(
            "pasv_min_port",
            "pasv_min_port is above pasv_max_port: put in order",
        ));
    }
    let text = format!("{}-{}", first.min(last), first.max(last));
    match text.parse::<PortRange>() {
        Ok(range) => {
            if u64::from(range.first()) < FIRST_FREE_PORT {
                findings.note(conf.about(
                    "pasv_min_port",
                    "passive ports below 1024 need privilege, which the server gives up when it has started as root with \
                     `server.run_as`: take higher ones",
                ));
            }
            Some(range)
        }
        Err(_) => {
            findings
                .refuse(conf.about("pasv_min_port", format!("`{text}` is not a range of ports")));
            None
        }
    }
}

/// Tells whether the file keeps logins or data in clear away.
#[must_use]
pub(super) fn tls_is_required(conf: &Conf) -> bool {
    let any = |options: [&str; 2]| options.iter().any(|option| conf.flag(option));
    let local =
        conf.flag("local_enable") && any(["force_local_logins_ssl", "force_local_data_ssl"]);
    let anonymous =
        conf.lets_anonymous_in() && any(["force_anon_logins_ssl", "force_anon_data_ssl"]);
    conf.flag("ssl_enable") && (local || anonymous)
}

fn tls(conf: &Conf, draft: &mut Draft, findings: &mut Findings) {
    if !conf.flag("ssl_enable") {
        if conf.has("rsa_cert_file") || conf.has("rsa_private_key_file") {
            findings.note(conf.about(
                "rsa_cert_file",
                "the certificate is left out, as `ssl_enable` is NO; TLS is offered here all the \
                 same, with a certificate made on first start",
            ));
        }
        return;
    }
    let mode = if tls_is_required(conf) {
        "required"
    } else {
        "optional"
    };
    draft.text("tls", "mode", mode);
    if conf.flag("require_ssl_reuse") {
        draft.flag("tls", "require_reuse", true);
    }
    if let Some(cert) = conf.text("rsa_cert_file") {
        draft.text("tls", "cert", cert);
        draft.text(
            "tls",
            "key",
            conf.given_text("rsa_private_key_file").unwrap_or(cert),
        );
    }
}
