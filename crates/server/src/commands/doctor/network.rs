//! Checks of the way to the server: its ports, the passive range, the address that PASV names, the
//! firewall.

use std::{
    io::{BufRead, BufReader, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use ftp_config::{
    PortRange, ServerConfig,
    server::{PassiveAddress, Password, User},
};

use super::Finding;
use crate::{admit, error::Error, firewall::Firewall, lan, listen, status::wire::Status};

/// How long a server may take to greet.
const GREETING_TIME: Duration = Duration::from_secs(3);
/// How many ports of the passive range are tried.
const SAMPLES: u16 = 32;

/// Where the server listens, or will.
pub(super) fn listening(config: &ServerConfig, running: Option<&Status>) -> Vec<SocketAddr> {
    let told = running.map(|status| status.listening.iter());
    let told: Option<Vec<_>> = told.map(|all| all.filter_map(|one| one.parse().ok()).collect());
    told.unwrap_or_else(|| config.server.listen.clone())
}

/// Whether each port is free, or our server greets on it.
pub(super) fn ports(config: &ServerConfig, running: Option<&Status>) -> Vec<Finding> {
    match running {
        Some(status) => status
            .listening
            .iter()
            .filter_map(|address| address.parse().ok())
            .map(greets)
            .collect(),
        None => config
            .server
            .listen
            .iter()
            .map(|address| is_free(*address))
            .collect(),
    }
}

fn greets(address: SocketAddr) -> Finding {
    const CHECK: &str = "port";
    match greeting(reachable(address)) {
        Ok(line) if line.starts_with("220") => Finding::good(CHECK, format!("{address} answers")),
        Ok(line) => Finding::warning(
            CHECK,
            format!("{address} answers `{}`", line.trim_end().escape_debug()),
            "ftpd status shows sessions and limits",
        ),
        Err(error) => Finding::fault(
            CHECK,
            format!("{address} does not answer: {error}"),
            "ftpd status",
        ),
    }
}

/// An address that listens on everything is reached by loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(loopback, address.port())
}

fn greeting(address: SocketAddr) -> std::io::Result<String> {
    let stream = TcpStream::connect_timeout(&address, GREETING_TIME)?;
    stream.set_read_timeout(Some(GREETING_TIME))?;
    let mut line = String::new();
    let limited = std::io::Read::take(stream, 1024);
    BufReader::new(limited).read_line(&mut line)?;
    Ok(line)
}

fn is_free(address: SocketAddr) -> Finding {
    match listen::bind(&[address]) {
        Ok(_) => Finding::good("port", format!("{address} is free")),
        Err(error) => {
            let fix = error
                .hint()
                .unwrap_or_else(|| format!("server.listen = [\"[::]:{}\"]", address.port()));
            let text = match &error {
                Error::Listen { source, .. } if source.kind() == ErrorKind::AddrInUse => {
                    let greets = greeting(reachable(address));
                    if greets.is_ok_and(|line| line.starts_with("220")) {
                        return Finding::warning(
                            "port",
                            format!("an FTP server that may not be asked has {address}"),
                            "if it is this ftpd, run doctor as its user or as root",
                        );
                    }
                    format!("{address} is taken by another program")
                }
                other => other.to_string(),
            };
            Finding::fault("port", text, fix)
        }
    }
}

/// Whether ports of the passive range can be listened on and reached here.
pub(super) fn passive_ports(config: &ServerConfig) -> Finding {
    const CHECK: &str = "passive";
    let range = config.passive.ports;
    let tried = samples(range);
    let open = tried.iter().filter(|port| is_reachable(**port)).count();
    let clients = config.limits.max_clients;
    if open == 0 {
        let text = format!("no port of {range} can be used");
        return Finding::fault(CHECK, text, other_ports(range));
    }
    if open < tried.len() {
        let text = format!(
            "{} of {} ports tried in {range} are taken",
            tried.len() - open,
            tried.len()
        );
        return Finding::warning(
            CHECK,
            text,
            format!("{}, or another free range", other_ports(range)),
        );
    }
    if u64::from(range.count()) < u64::from(clients) {
        let text = format!("{range} has {} ports for {clients} sessions", range.count());
        return Finding::warning(
            CHECK,
            text,
            "widen passive.ports, or lower limits.max_clients",
        );
    }
    Finding::good(CHECK, format!("{range} can be used"))
}

/// A range that has none of these ports.
fn other_ports(range: PortRange) -> &'static str {
    match range.last() < 50_000 || range.first() > 50_999 {
        true => "passive.ports = \"50000-50999\"",
        // Below the ports that the system hands out by itself.
        false if range.first() > 30_999 => "passive.ports = \"30000-30999\"",
        false => "passive.ports = \"20000-20999\"",
    }
}

/// First, last and some between.
fn samples(range: PortRange) -> Vec<u16> {
    let step = (u32::from(range.last() - range.first()) / u32::from(SAMPLES)).max(1);
    let mut ports: Vec<u16> = (range.first()..=range.last())
        .step_by(usize::try_from(step).unwrap_or(1))
        .collect();
    if ports.last() != Some(&range.last()) {
        ports.push(range.last());
    }
    ports
}

fn is_reachable(port: u16) -> bool {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let dialled = listener.local_addr();
    dialled.is_ok_and(|address| TcpStream::connect_timeout(&address, GREETING_TIME).is_ok())
}

/// What the passive address is judged by.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// Addresses of this machine.
    pub(super) interfaces: Vec<lan::Interface>,
    /// Whether this is a container.
    pub(super) in_container: bool,
    /// The address of ours on the way to the client asked about.
    pub(super) towards_client: Option<IpAddr>,
}

impl Around {
    /// Looks at this machine.
    pub(super) fn look(from: Option<IpAddr>) -> Self {
        Self {
            interfaces: lan::interfaces(),
            in_container: lan::in_container(Path::new("/")),
            towards_client: from.and_then(lan::source_for),
        }
    }
}

/// Whether clients can dial what PASV names.
pub(super) fn passive_address(config: &ServerConfig, around: &Around) -> Finding {
    const CHECK: &str = "address";
    match config.passive.address {
        PassiveAddress::Auto if listens_here_alone(config) => {
            Finding::good(CHECK, "listens on this machine alone, PASV names it")
        }
        PassiveAddress::Auto if around.in_container => Finding::warning(
            CHECK,
            "in a container PASV names the container's address, which other machines cannot dial",
            "passive.address = \"ADDRESS OF THE HOST\", and publish the passive ports",
        ),
        PassiveAddress::Auto => {
            let towards = around
                .towards_client
                .map_or(String::new(), |ip| format!(", {ip} for that client"));
            Finding::good(
                CHECK,
                format!("PASV names the address the client dialled{towards}"),
            )
        }
        PassiveAddress::Fixed(fixed) => judge_fixed(fixed, around),
    }
}

fn listens_here_alone(config: &ServerConfig) -> bool {
    let mut listen = config.server.listen.iter();
    listen.all(|address| address.ip().is_loopback())
}

fn judge_fixed(fixed: IpAddr, around: &Around) -> Finding {
    const CHECK: &str = "address";
    let ours = around.interfaces.iter().find(|one| one.address == fixed);
    match ours {
        Some(one) if one.is_inner() => {
            let text = format!(
                "PASV names {fixed} of {}, which only containers here reach",
                one.name
            );
            Finding::fault(CHECK, text, "passive.address = \"auto\"")
        }
        None if fixed.is_loopback() => {
            let text = format!("PASV names {fixed}: every other machine would dial itself");
            Finding::fault(CHECK, text, "passive.address = \"auto\"")
        }
        Some(_) => Finding::good(
            CHECK,
            format!("PASV names {fixed}, an address of this machine"),
        ),
        None if around.in_container => Finding::good(
            CHECK,
            format!("PASV names {fixed}, which should be the host's address"),
        ),
        None => Finding::warning(
            CHECK,
            format!("PASV names {fixed}, which is no address of this machine"),
            "passive.address = \"auto\", unless a router passes the passive ports on",
        ),
    }
}

/// Whether the server lets a client in to the port.
pub(super) fn admits(config: &ServerConfig, listening: &[SocketAddr], from: IpAddr) -> Finding {
    let here_alone = listening.iter().all(|address| address.ip().is_loopback());
    if !from.is_loopback() && here_alone {
        let port = listening.first().map_or(2121, SocketAddr::port);
        let open = format!("server.listen = [\"[::]:{port}\"]");
        let is_sample = |user: &&User| user.password == Password::Sample;
        let fix = match config.users.iter().find(is_sample) {
            // With the public password nobody else may be let in.
            Some(user) => format!("`ftpd user passwd {}`, then {open}", user.name),
            None => open,
        };
        return Finding::fault(
            "client",
            format!("{from} cannot connect: the server listens on this machine alone"),
            fix,
        );
    }
    match admit::is_allowed(from, &config.server.allow_from) {
        true => Finding::good("client", format!("{from} may connect")),
        false => Finding::fault(
            "client",
            format!("{from} is not in server.allow_from: it gets 421"),
            format!("add \"{from}\" to server.allow_from"),
        ),
    }
}

/// The firewall that stands between, and the line that opens it.
pub(super) fn firewall(
    config: &ServerConfig,
    listening: &[SocketAddr],
    root: &Path,
) -> Option<Finding> {
    let outer = listening
        .iter()
        .find(|address| !address.ip().is_loopback())?;
    let Some(found) = Firewall::in_use(root) else {
        return Some(Finding::good(
            "firewall",
            "no firewall found on this machine",
        ));
    };
    Some(Finding::warning(
        "firewall",
        format!("{} is on: it must let the ports through", found.name()),
        found.line(outer.port(), config.passive.ports),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::doctor::Verdict, port::Kept};

    fn config(text: &str) -> ServerConfig {
        let text = format!("[anonymous]\nenabled = true\n{text}");
        ServerConfig::from_toml(&text, Path::new("/x/ftp.toml")).unwrap()
    }

    fn around(in_container: bool) -> Around {
        let interface = |name: &str, address: &str| lan::Interface {
            name: name.to_owned(),
            address: address.parse().unwrap(),
        };
        Around {
            interfaces: vec![
                interface("eth0", "192.168.1.5"),
                interface("docker0", "172.17.0.1"),
            ],
            in_container,
            towards_client: None,
        }
    }

    #[test]
    fn a_taken_port_is_a_fault_and_a_free_one_is_not() {
        let kept = Kept::new();
        let address = kept.address;
        let held = TcpListener::bind(address).unwrap();
        let config = config(&format!("[server]\nlisten = [\"{address}\"]\n"));
        let taken = ports(&config, None);
        assert_eq!(
            taken[0].text,
            format!("{address} is taken by another program")
        );
        assert!(taken[0].fix.as_deref().unwrap().contains("ss -ltnp"));
        drop(held);
        assert_eq!(ports(&config, None)[0].verdict, Verdict::Good);
    }

    #[test]
    fn the_passive_range_is_tried() {
        assert_eq!(samples("50000-50999".parse().unwrap()).len(), 34);
        assert_eq!(samples("7-7".parse().unwrap()), [7]);
        let kept = Kept::new();
        let port = kept.address.port();
        let held = TcpListener::bind(kept.address).unwrap();
        let config = config(&format!("[passive]\nports = \"{port}-{port}\"\n"));
        assert_eq!(passive_ports(&config).verdict, Verdict::Fault);
        drop(held);
        let narrow = passive_ports(&config);
        assert!(
            narrow.text.ends_with("has 1 ports for 200 sessions"),
            "{narrow:?}"
        );
    }

    #[test]
    fn an_address_that_clients_cannot_dial_is_told() {
        const OUTSIDE: &str = "[server]\nlisten = [\"[::]:2121\"]\n[passive]\naddress = ";
        let judge = |address: &str, in_container| {
            let config = config(&format!("{OUTSIDE}\"{address}\"\n"));
            passive_address(&config, &around(in_container)).verdict
        };
        assert_eq!(judge("auto", false), Verdict::Good);
        assert_eq!(judge("auto", true), Verdict::Warning);
        assert_eq!(judge("192.168.1.5", false), Verdict::Good);
        assert_eq!(judge("172.17.0.1", false), Verdict::Fault);
        assert_eq!(judge("127.0.0.1", true), Verdict::Fault);
        assert_eq!(judge("10.9.9.9", false), Verdict::Warning);
        assert_eq!(judge("10.9.9.9", true), Verdict::Good);
    }

    #[test]
    fn a_taken_range_is_not_the_one_to_change_to() {
        for (range, other) in [
            ("50000-50999", "30000-30999"),
            ("30500-50000", "20000-20999"),
            ("40000-40099", "50000-50999"),
        ] {
            let fix = other_ports(range.parse().unwrap());
            assert_eq!(fix, format!("passive.ports = \"{other}\""), "{range}");
        }
    }

    #[test]
    fn nobody_connects_from_outside_to_a_server_on_loopback() {
        let admits = |from: &str| {
            let listening = config("").server.listen;
            admits(&config(""), &listening, from.parse().unwrap())
        };
        let outside = admits("192.168.1.9");
        assert_eq!(outside.verdict, Verdict::Fault);
        assert!(outside.text.contains("listens on this machine alone"));
        assert_eq!(admits("127.0.0.1").verdict, Verdict::Good);
    }

    #[test]
    fn a_client_outside_the_networks_is_told() {
        let config = config("[server]\nlisten = [\"[::]:2121\"]\nallow_from = [\"lan\"]\n");
        assert_eq!(
            admits(
                &config,
                &config.server.listen,
                "192.168.1.9".parse().unwrap()
            )
            .verdict,
            Verdict::Good
        );
        assert_eq!(
            admits(&config, &config.server.listen, "8.8.8.8".parse().unwrap()).verdict,
            Verdict::Fault
        );
    }

    #[test]
    fn the_firewall_matters_only_to_a_server_that_is_reached_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("etc/ufw")).unwrap();
        std::fs::write(dir.path().join("etc/ufw/ufw.conf"), "ENABLED=yes\n").unwrap();
        let open = config("[server]\nlisten = [\"[::]:21\"]\n");
        let finding = firewall(&open, &open.server.listen, dir.path()).unwrap();
        assert_eq!(
            finding.fix.as_deref(),
            Some("sudo ufw allow 21,50000:50999/tcp")
        );
        assert_eq!(
            firewall(&config(""), &config("").server.listen, dir.path()),
            None
        );
    }
}
