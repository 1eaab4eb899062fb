//! `discover`: servers announced on the LAN by mDNS. The only room naming mdns-sd.

use std::{collections::BTreeMap, time::Duration};

use mdns_sd::{ServiceDaemon, ServiceEvent};

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
            for address in service.get_addresses() {
                let ip = address.to_ip_addr();
                let at = std::net::SocketAddr::new(ip, service.get_port());
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
