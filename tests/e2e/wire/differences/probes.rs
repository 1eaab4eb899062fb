//! How each difference is seen.

use std::fs;

use harness::{Server, Wire};

use super::BIG;

/// Sends lines and returns the codes, or that the connection was closed.
pub(super) fn codes(wire: &mut Wire, lines: &[&str]) -> String {
    let mut seen = Vec::new();
    for line in lines {
        wire.send(line);
        match wire.try_reply() {
            Ok(reply) => seen.push(reply.code.to_string()),
            Err(_) => {
                seen.push("closed".to_owned());
                break;
            }
        }
    }
    seen.join(", ")
}

pub(super) fn abor_in_transfer(_: &Server, wire: &mut Wire) -> String {
    let data = wire.passive();
    wire.expect_any("RETR big", &[125, 150]);
    let mut data = wire.guard(data);
    data.read(1);
    wire.send("ABOR");
    wire.send("NOOP");
    let whole = 1 + data.drain() == BIG;
    let first = wire.reply().code;
    // libunftp answers the ABOR as well as the transfer at times, at others only one of them.
    let mut more = 0;
    while wire.reply().code != 200 {
        more += 1;
        assert!(more < 3, "the NOOP is not answered");
    }
    format!(
        "{first}, {}",
        if whole { "sent whole" } else { "cut short" }
    )
}

pub(super) fn rest_beyond(server: &Server, wire: &mut Wire) -> String {
    wire.expect("REST 20", 350);
    let data = wire.passive();
    let mut reply = wire.command("STOR ten");
    if reply.code < 200 {
        wire.guard(data).offer(b"x");
        reply = wire.reply();
    }
    assert_eq!(fs::read(server.site.disk("ten")).unwrap(), b"0123456789");
    reply.code.to_string()
}

pub(super) fn endless_line(server: &Server, _: &mut Wire) -> String {
    let mut wire = server.wire();
    let before = server.resident_kib();
    for _ in 0..16 {
        wire.send_bytes(&[b'x'; 1 << 20]);
    }
    wire.send_bytes(b"\r\n");
    // The reply comes when the whole line was taken in.
    let _ = wire.try_reply();
    let grown = server.resident_kib().saturating_sub(before);
    if grown < 4 << 10 {
        "kept out of memory"
    } else {
        "kept in memory"
    }
    .to_owned()
}

pub(super) fn more_verbs(_: &Server, wire: &mut Wire) -> String {
    let lines = [
        "EPRT |1|127.0.0.1|51201|",
        "MFMT 20200101000000 ten",
        "MDTM 20200101000000 ten",
        "HASH ten",
        "XCRC ten",
        "XMD5 ten",
        "XSHA1 ten",
        "CLNT x",
        "AVBL",
        "XCUP",
        "EPSV ALL",
    ];
    let served: Vec<_> = lines
        .into_iter()
        .filter(|line| wire.command(line).code < 400)
        .collect();
    match served.len() {
        11 => "each served".to_owned(),
        _ => format!("{}, as a plain EPSV", served.join(", ")),
    }
}

pub(super) fn gbk_name(server: &Server, wire: &mut Wire) -> String {
    wire.send_bytes(b"MKD \xd6\xd0\xce\xc4\r\n");
    let code = wire.reply().code;
    let made = server.site.disk("中文").is_dir();
    format!(
        "{code}, {}",
        if made {
            "UTF-8 on the disk"
        } else {
            "not made"
        }
    )
}
