//! This machine on its networks: interfaces, the address that others reach it by, whether it is a
//! container. The only room that asks the system for interfaces. Asks; decides nothing.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    path::Path,
};

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};

/// Beginnings of names of interfaces that lead to containers and virtual machines, not to the LAN.
const INNER: [&str; 8] = [
    "docker", "br-", "veth", "virbr", "podman", "cni", "lxc", "vmnet",
];

/// One address of an interface that is up; loopback is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, as in `eth0`.
    pub name: String,
    /// The address.
    pub address: IpAddr,
}

impl Interface {
    /// Tells whether it leads to containers or virtual machines on this machine.
    #[must_use]
    pub fn is_inner(&self) -> bool {
        INNER.iter().any(|start| self.name.starts_with(start))
    }
}

/// Returns the addresses of this machine, none when the system does not tell.
#[must_use]
pub fn interfaces() -> Vec<Interface> {
    let Ok(all) = getifaddrs() else {
        return Vec::new();
    };
    all.filter(|one| {
        one.flags.contains(InterfaceFlags::IFF_UP)
            && !one.flags.contains(InterfaceFlags::IFF_LOOPBACK)
    })
    .filter_map(|one| {
        let storage = one.address?;
        let v4 = storage
            .as_sockaddr_in()
            .map(|address| IpAddr::V4(address.ip()));
        let v6 = || {
            storage
                .as_sockaddr_in6()
                .map(|address| IpAddr::V6(address.ip()))
        };
        Some(Interface {
            name: one.interface_name,
            address: v4.or_else(v6)?,
        })
    })
    .collect()
}

/// Returns the address of ours from which `peer` would be reached; nothing is sent.
#[must_use]
pub fn source_for(peer: IpAddr) -> Option<IpAddr> {
    let any = match peer {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(peer, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// Returns the address to tell people: the one on the way to `outside` when it is on the LAN, else
/// the first private IPv4 address, any IPv4 address, an IPv6 address that needs no scope; loopback
/// when there is none.
#[must_use]
pub fn address_to_tell(interfaces: &[Interface], route: Option<IpAddr>) -> IpAddr {
    let outer: Vec<IpAddr> = interfaces
        .iter()
        .filter(|one| !one.is_inner())
        .map(|one| one.address)
        .collect();
    let is_v4 = |address: &&IpAddr| matches!(address, IpAddr::V4(v4) if !v4.is_link_local());
    let is_private = |address: &&IpAddr| matches!(address, IpAddr::V4(v4) if v4.is_private());
    let is_v6 =
        |address: &&IpAddr| matches!(address, IpAddr::V6(v6) if !v6.is_unicast_link_local());
    let on_route = route.filter(|address| outer.contains(address));
    on_route
        .or_else(|| outer.iter().find(is_private).copied())
        .or_else(|| outer.iter().find(is_v4).copied())
        .or_else(|| outer.iter().find(is_v6).copied())
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Returns the address of this machine to tell people.
#[must_use]
pub fn own_address() -> IpAddr {
    // An address of the documentation block: the route to it is the way out, and nobody is there.
    let outside = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
    address_to_tell(&interfaces(), source_for(outside))
}

/// Tells whether this process is in a container, where addresses are not those of the machine.
#[must_use]
pub fn in_container(root: &Path) -> bool {
    [".dockerenv", "run/.containerenv", "run/systemd/container"]
        .iter()
        .any(|mark| root.join(mark).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str) -> Interface {
        Interface {
            name: name.to_owned(),
            address: address.parse().unwrap(),
        }
    }

    #[test]
    fn people_are_told_an_address_of_the_lan() {
        let all = [
            interface("docker0", "172.17.0.1"),
            interface("wlan0", "fe80::1"),
            interface("wlan0", "fd00::2"),
            interface("tun0", "203.0.113.9"),
            interface("wlan0", "192.168.1.5"),
        ];
        let tell = |interfaces: &[Interface], route: Option<&str>| {
            address_to_tell(interfaces, route.map(|text| text.parse().unwrap())).to_string()
        };
        assert_eq!(tell(&all, None), "192.168.1.5");
        assert_eq!(tell(&all, Some("203.0.113.9")), "203.0.113.9");
        assert_eq!(tell(&all, Some("172.17.0.1")), "192.168.1.5");
        assert_eq!(tell(&all[..4], None), "203.0.113.9");
        assert_eq!(tell(&all[..3], None), "fd00::2");
        assert_eq!(tell(&all[..2], None), "127.0.0.1");
    }

    #[test]
    fn loopback_is_reached_from_loopback() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(source_for(loopback), Some(loopback));
        assert!(interfaces().iter().all(|one| !one.address.is_loopback()));
    }
}
