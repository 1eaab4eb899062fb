//! `discover`: servers announced on the LAN by mDNS. The only room naming mdns-sd.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mdns_sd::{ScopedIp, ServiceDaemon, ServiceEvent};

use super::Answer;
use crate::{
    app::{App, Failure},
    exit::ExitCode,
    ui::escape::shown,
};

/// Runs `discover`: listens for `wait` and shows what answered.
///
/// # Errors
/// The LAN cannot be listened to.
pub async fn run(app: &App, wait: Duration) -> Answer {
    let failed = |error: mdns_sd::Error| {
        Failure::Usage(
            format!("listen for announcements: {error}"),
            Some("multicast may be blocked here; ask for the address instead".to_owned()),
        )
    };
    let daemon = ServiceDaemon::new().map_err(failed)?;
    let events = daemon.browse("_ftp._tcp.local.").map_err(failed)?;
    let mut found = BTreeMap::new();
    let end = tokio::time::Instant::now() + wait;
    while let Ok(Ok(event)) = tokio::time::timeout_at(end, events.recv_async()).await {
        if let ServiceEvent::ServiceResolved(service) = event {
            let addresses = service.get_addresses().iter();
            for ip in addresses.map(ScopedIp::to_ip_addr).filter(is_of_use) {
                let at = SocketAddr::new(ip, service.get_port());
                let name = service
                    .get_fullname()
                    .split("._ftp")
                    .next()
                    .unwrap_or_default();
                found.insert(format!("ftp://{at}/"), shown(name));
            }
        }
        if app.cancel.is_stopped() {
            break;
        }
    }
    let _ = daemon.shutdown();
    for (url, name) in &found {
        app.ui.answer(format!("{url}  {name}"));
    }
    if found.is_empty() {
        app.ui
            .remark("nothing was announced; a server may still be there: ask for its address");
    }
    Ok(ExitCode::Done)
}

/// An address that a URL can name from another machine: a link-local one would need a zone.
fn is_of_use(ip: &IpAddr) -> bool {
    let is_local = match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !is_local && !ip.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_others_can_dial_are_shown() {
        let shown = |text: &str| is_of_use(&text.parse().unwrap());
        assert!(shown("192.168.1.5") && shown("fd00::2") && shown("169.254.3.4"));
        assert!(!shown("127.0.0.1") && !shown("::1") && !shown("fe80::fc:ff:fe00:1"));
    }
}
