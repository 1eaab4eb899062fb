//! PASV, EPSV, PORT, EPRT: where the next data connection comes from.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ftp_config::{PortRange, server::PassiveAddress};
use tracing::warn;

use crate::{
    code,
    data::{
        self, Listener, PassivePorts, Pending, active,
        spare::{self, For},
    },
    protocol::{Reply, command::Epsv},
    session::Session,
    vigil,
};

/// Opens a listener in the place of the one before, which is closed first: a session has one.
async fn listen(session: &mut Session) -> Result<Listener, Reply> {
    session.hang_up();
    session.is_passive = true;
    let (ports, range, whom) = wanted(session);
    if let Some(listener) = spare::take(whom, range) {
        return Ok(listener);
    }
    let listener = ports.listen(whom.local, range).await.map_err(|error| {
        let words = if error.kind() == io::ErrorKind::AddrInUse {
            "Every passive port is taken; try again"
        } else {
            "No passive port can be opened"
        };
        warn!(%error, range = %session.snapshot.config.passive.ports, "passive listener");
        Reply::new(code::NO_DATA_CONNECTION, words)
    })?;
    data::unpace(&listener, session.local, session.peer);
    Ok(listener)
}

/// Opens the listener of the next PASV or EPSV, while the client wakes up behind its last transfer; only
/// for the one busy client of the machine. Where there is no port, the client will hear so when it asks.
pub(crate) fn listen_ahead(session: &mut Session) {
    if !std::mem::take(&mut session.is_passive) || !vigil::is_lone_station() {
        return;
    }
    let (ports, range, whom) = wanted(session);
    if let Ok(listener) = ports.listen_now(whom.local, range) {
        data::unpace(&listener, session.local, session.peer);
        spare::keep(listener, whom);
    }
}

fn wanted(session: &Session) -> (Arc<PassivePorts>, PortRange, For) {
    let whom = For {
        local: data::end(session.local, 0, session.scope),
        peer: session.peer,
    };
    let range = session.snapshot.config.passive.ports;
    (Arc::clone(&session.ports), range, whom)
}

fn refuse_after_epsv_all(session: &Session) -> Result<(), Reply> {
    if session.epsv_all {
        // RFC 2428 §4.
        return Err(Reply::new(
            code::SYNTAX,
            "Only EPSV is allowed after EPSV ALL",
        ));
    }
    Ok(())
}

pub(super) async fn pasv(session: &mut Session) -> Result<Reply, Reply> {
    refuse_after_epsv_all(session)?;
    let named = match session.snapshot.config.passive.address {
        PassiveAddress::Fixed(address) => address,
        PassiveAddress::Auto => session.local,
    };
    // The listener is on the session's own address, whatever the reply names.
    let (IpAddr::V4(address), IpAddr::V4(_)) = (named, session.local) else {
        return Err(Reply::new(
            code::NO_DATA_CONNECTION,
            "PASV is for IPv4; use EPSV",
        ));
    };
    let listener = listen(session).await?;
    let [a, b, c, d] = address.octets();
    let [high, low] = listener.port().to_be_bytes();
    session.pending = Some(Pending::Passive(listener));
    Ok(Reply::new(
        code::PASSIVE,
        format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})."),
    ))
}

pub(super) async fn epsv(session: &mut Session, asked: Epsv) -> Result<Reply, Reply> {
    match (asked, session.local) {
        (Epsv::All, _) => {
            session.epsv_all = true;
            return Ok(Reply::new(code::OK, "Only EPSV from now on"));
        }
        (Epsv::V4, IpAddr::V6(_)) => return Err(other_protocol(2)),
        (Epsv::V6, IpAddr::V4(_)) => return Err(other_protocol(1)),
        _ => {}
    }
    let listener = listen(session).await?;
    let port = listener.port();
    session.pending = Some(Pending::Passive(listener));
    Ok(Reply::new(
        code::EXTENDED_PASSIVE,
        format!("Entering Extended Passive Mode (|||{port}|)"),
    ))
}

fn other_protocol(use_: u8) -> Reply {
    Reply::new(
        code::NETWORK_PROTOCOL,
        format!("Network protocol not supported, use ({use_})"),
    )
}

pub(super) fn active(
    session: &mut Session,
    address: SocketAddr,
    verb: &str,
) -> Result<Reply, Reply> {
    refuse_after_epsv_all(session)?;
    session.hang_up();
    if !session.snapshot.config.active.enabled {
        return Err(Reply::new(
            code::NOT_IMPLEMENTED,
            "Active mode is off here; use PASV or EPSV",
        ));
    }
    let target = active::check(address, session.peer, session.local, session.scope);
    let target = target.map_err(|refused| {
        warn!(asked = %address, reason = %refused, "active data connection refused");
        Reply::new(code::UNKNOWN, refused.to_string())
    })?;
    session.pending = Some(Pending::Active(target));
    Ok(Reply::new(code::OK, format!("{verb} is noted")))
}
