//! The values of flags: how they are read, and what to write in the place of a bad one.

use std::{net::SocketAddr, time::Duration};

use ftp_config::{
    UserName,
    value::{ValueError, parse_duration},
};

/// Reads a time that is not over at once.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(time) if time.is_zero() => Err("0 would end the share at once".to_owned()),
        other => other.map_err(|error| with_fix(&error)),
    }
}

pub(crate) fn user_name(text: &str) -> Result<UserName, String> {
    text.parse().map_err(|error| with_fix(&error))
}

pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let example = "write an address and a port, as in 192.168.1.5:2121 or [::]:2121";
    text.parse().map_err(|_| example.to_owned())
}

fn with_fix(error: &ValueError) -> String {
    format!("{}: {}", error.what, error.fix)
}
