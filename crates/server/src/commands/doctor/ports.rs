//! Checks of the ports: those that the server listens on, and the passive range.

use std::{
    io::{BufRead, BufReader, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use ftp_config::{PortRange, ServerConfig};

use super::Finding;
use crate::{error::Error, listen, privilege, status::wire::Status};

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
    // Root, who asks here, could open them.
    if let Some(closed) = privilege::closed_ports(config) {
        return Finding::fault(CHECK, closed, other_ports(range));
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{commands::doctor::Verdict, port::Kept};

    fn config(text: &str) -> ServerConfig {
        let text = format!("[anonymous]\nenabled = true\n{text}");
        ServerConfig::from_toml(&text, Path::new("/x/ftp.toml")).unwrap()
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
    fn ports_that_root_alone_may_open_are_none_for_whom_it_becomes() {
        let config = config("[server]\nrun_as = \"nobody\"\n[passive]\nports = \"700-710\"\n");
        let found = passive_ports(&config);
        assert_eq!(found.verdict, Verdict::Fault, "{found:?}");
        assert_eq!(found.fix.unwrap(), "passive.ports = \"50000-50999\"");
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
}
