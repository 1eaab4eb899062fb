//! What names a data connection: PORT, EPRT, EPSV.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{Epsv, Fault, word};

pub(super) fn epsv(arg: &[u8]) -> Result<Epsv, Fault> {
    let text = word(arg).unwrap_or_default();
    match text {
        "" => Ok(Epsv::Any),
        "1" => Ok(Epsv::V4),
        "2" => Ok(Epsv::V6),
        _ if text.eq_ignore_ascii_case("ALL") => Ok(Epsv::All),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => Err(Fault::NetworkProtocol),
        _ => Err(Fault::Syntax("EPSV [1|2|ALL]")),
    }
}

pub(super) fn port(arg: &[u8]) -> Option<SocketAddr> {
    let mut fields = [0_u8; 6];
    let mut parts = word(arg)?.split(',');
    for field in &mut fields {
        let part = parts.next()?.trim();
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        *field = digits.then(|| part.parse().ok())??;
    }
    if parts.next().is_some() {
        return None;
    }
    let [a, b, c, d, high, low] = fields;
    let port = u16::from_be_bytes([high, low]);
    Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port)))
}

/// `EPRT |1|132.235.1.2|6275|` (RFC 2428 §2).
pub(super) fn eprt(arg: &[u8]) -> Result<SocketAddr, Fault> {
    const USAGE: Fault = Fault::Syntax("EPRT |1|address|port|");
    let text = word(arg).ok_or(USAGE)?;
    let mark = text.chars().next().ok_or(USAGE)?;
    let fields: Vec<&str> = text.split(mark).collect();
    let ["", protocol, address, port, ""] = fields[..] else {
        return Err(USAGE);
    };
    if !matches!(protocol, "1" | "2") {
        return Err(Fault::NetworkProtocol);
    }
    let address: IpAddr = address.parse().map_err(|_| USAGE)?;
    if address.is_ipv6() != (protocol == "2") {
        return Err(USAGE);
    }
    let port = port.parse().map_err(|_| USAGE)?;
    Ok(SocketAddr::new(address, port))
}
