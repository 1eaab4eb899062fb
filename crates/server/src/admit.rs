//! Who may come in: address rules and the caps on connections, before anything costly happens.
//!
//! Pure: no socket is touched here. `listen` asks with the peer's address and sends the refusal's
//! sentence; an admitted connection holds its [`Ticket`] until it ends.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ftp_config::server::AllowFrom;
use thiserror::Error;

/// The rules of one snapshot, as far as they concern who may connect.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Addresses that may connect; empty: all.
    pub allow_from: &'a [AllowFrom],
    /// Connections at once over all; 0: no limit.
    pub max_clients: u32,
    /// Connections at once from one address; 0: no limit.
    pub max_per_ip: u32,
}

/// Why a connection is turned away; the text is what the client is told after `421`.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// The address is in none of the allowed networks.
    #[error("This server does not serve your address")]
    Address,
    /// The house is full.
    #[error("Too many connections: this server allows {limit} at once, try again later")]
    Full {
        /// The cap.
        limit: u32,
    },
    /// This address has its share already.
    #[error("Too many connections from your address: this server allows {limit} at once")]
    AddressFull {
        /// The cap.
        limit: u32,
    },
}

impl Refused {
    /// The key of the configuration that says so, for the log.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Address => "server.allow_from",
            Self::Full { .. } => "limits.max_clients",
            Self::AddressFull { .. } => "limits.max_per_ip",
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    total: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// Counts admitted connections and hands out [`Ticket`]s.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    counts: Arc<Mutex<Counts>>,
}

/// A place in the house; dropping it gives the place back.
#[derive(Debug)]
pub struct Ticket {
    address: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Admission {
    /// Admits a connection from `peer`, or says why not. IPv4 peers of a dual-stack socket count as
    /// IPv4.
    ///
    /// # Errors
    /// [`Refused`], whose text is for the client.
    pub fn admit(&self, peer: IpAddr, rules: Rules<'_>) -> Result<Ticket, Refused> {
        let address = peer.to_canonical();
        if !is_allowed(address, rules.allow_from) {
            return Err(Refused::Address);
        }
        let mut counts = lock(&self.counts);
        if rules.max_clients > 0 && counts.total >= rules.max_clients {
            return Err(Refused::Full {
                limit: rules.max_clients,
            });
        }
        let from_here = counts.by_address.get(&address).copied().unwrap_or(0);
        if rules.max_per_ip > 0 && from_here >= rules.max_per_ip {
            return Err(Refused::AddressFull {
                limit: rules.max_per_ip,
            });
        }
        counts.total += 1;
        counts.by_address.insert(address, from_here + 1);
        drop(counts);
        Ok(Ticket {
            address,
            counts: Arc::clone(&self.counts),
        })
    }

    /// Returns how many connections hold a ticket.
    #[must_use]
    pub fn total(&self) -> u32 {
        lock(&self.counts).total
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total = counts.total.saturating_sub(1);
        if let Some(left) = counts.by_address.get_mut(&self.address) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                counts.by_address.remove(&self.address);
            }
        }
    }
}

/// Tells whether `address` may connect; an empty list allows everyone.
#[must_use]
pub fn is_allowed(address: IpAddr, allow_from: &[AllowFrom]) -> bool {
    allow_from.is_empty()
        || allow_from.iter().any(|rule| match rule {
            AllowFrom::Lan => is_lan(address),
            AllowFrom::Net(net) => net.contains(&address),
        })
}

/// Tells whether an address is this machine's, private or link-local.
#[must_use]
pub fn is_lan(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Rules<'static> = Rules {
        allow_from: &[],
        max_clients: 0,
        max_per_ip: 0,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_one_is_in_when_one_has_left() {
        let house = Admission::default();
        let rules = Rules {
            max_clients: 2,
            ..OPEN
        };
        let first = house.admit(ip("10.0.0.1"), rules).unwrap();
        let _second = house.admit(ip("10.0.0.2"), rules).unwrap();
        let refused = house.admit(ip("10.0.0.3"), rules).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Too many connections: this server allows 2 at once, try again later"
        );
        drop(first);
        assert!(house.admit(ip("10.0.0.3"), rules).is_ok());
    }

    #[test]
    fn one_address_cannot_fill_the_house() {
        let house = Admission::default();
        let rules = Rules {
            max_per_ip: 1,
            ..OPEN
        };
        let _held = house.admit(ip("10.0.0.1"), rules).unwrap();
        assert_eq!(
            house.admit(ip("::ffff:10.0.0.1"), rules).unwrap_err(),
            Refused::AddressFull { limit: 1 }
        );
        assert!(house.admit(ip("10.0.0.2"), rules).is_ok());
    }

    #[test]
    fn ten_thousand_connects_leave_nothing_behind() {
        let house = Admission::default();
        for n in 0..10_000u32 {
            let address = IpAddr::from(n.to_be_bytes());
            drop(house.admit(address, OPEN));
        }
        assert_eq!(house.total(), 0);
        assert!(lock(&house.counts).by_address.is_empty());
    }

    #[test]
    fn lan_means_loopback_private_and_link_local() {
        let lan = [AllowFrom::Lan];
        for yes in [
            "127.0.0.1",
            "192.168.1.9",
            "10.1.2.3",
            "169.254.0.9",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:172.16.0.1",
        ] {
            assert!(is_allowed(ip(yes), &lan), "{yes}");
        }
        for no in ["8.8.8.8", "2001:db8::1", "172.32.0.1"] {
            assert!(!is_allowed(ip(no), &lan), "{no}");
        }
    }

    #[test]
    fn networks_are_matched_by_prefix() {
        let nets = [AllowFrom::Net("192.168.7.0/24".parse().unwrap())];
        let house = Admission::default();
        let rules = Rules {
            allow_from: &nets,
            ..OPEN
        };
        assert!(house.admit(ip("192.168.7.200"), rules).is_ok());
        assert_eq!(
            house.admit(ip("192.168.8.1"), rules).unwrap_err(),
            Refused::Address
        );
    }
}
