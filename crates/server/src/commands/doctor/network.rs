//! Checks of the way to the server: the address that PASV names, the networks let in, the firewall.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use ftp_config::{
    ServerConfig, defaults,
    server::{PassiveAddress, Password, User},
};

use super::Finding;
use crate::{admit, firewall::Firewall, lan};

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
        let port = listening.first().map_or(defaults::PORT, SocketAddr::port);
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
        found.lasting_line(outer.port(), config.passive.ports),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

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
