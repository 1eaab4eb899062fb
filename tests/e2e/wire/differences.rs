//! Where libunftp's engine differs: each row of the table in `docs/engines.md` is seen on both.

use std::fs;

use harness::{Server, Site, Wire, client::noise, tls};

use super::Way;

/// More than the sockets between two programs hold.
const BIG: usize = 24 << 20;

/// One row: what is tried, and what either engine is seen to do.
struct Row {
    case: &'static str,
    native: &'static str,
    libunftp: &'static str,
    probe: fn(&Server, &mut Wire) -> String,
}

const ROWS: [Row; 16] = [
    row(
        "`OPTS utf8 On`, then NOOP",
        "200, 200",
        "501, closed",
        |_, wire| codes(wire, &["OPTS utf8 On", "NOOP"]),
    ),
    row(
        "`OPTS MLST size;`, then NOOP",
        "200, 200",
        "501, closed",
        |_, wire| codes(wire, &["OPTS MLST size;", "NOOP"]),
    ),
    row(
        "`MODE Z`, then NOOP",
        "504, 200",
        "501, closed",
        |_, wire| codes(wire, &["MODE Z", "NOOP"]),
    ),
    row("`MODE B`, then NOOP", "200, 200", "504, 200", |_, wire| {
        codes(wire, &["MODE B", "NOOP"])
    }),
    row(
        "`STRU x`, then NOOP",
        "504, 200",
        "501, closed",
        |_, wire| codes(wire, &["STRU x", "NOOP"]),
    ),
    row(
        "ABOR in a RETR: first reply, and the file",
        "426, cut short",
        "226, sent whole",
        abor_in_transfer,
    ),
    row(
        "`REST 5`, a RETR that fails, and a RETR of ten bytes",
        "10 bytes",
        "5 bytes",
        |_, wire| {
            wire.expect("REST 5", 350);
            wire.passive();
            if wire.command("RETR missing").code < 200 {
                wire.reply();
            }
            format!("{} bytes", wire.fetch("RETR ten").len())
        },
    ),
    row(
        "`REST 20` and a STOR onto ten bytes",
        "554",
        "550",
        rest_beyond,
    ),
    row(
        "A line of 16 MB without an end, before login",
        "kept out of memory",
        "kept in memory",
        endless_line,
    ),
    row(
        "PORT to the client's own address",
        "200",
        "502",
        |_, wire| codes(wire, &["PORT 127,0,0,1,200,1"]),
    ),
    row(
        "EPRT, MFMT, `MDTM time file`, HASH, XCRC, XMD5, XSHA1, CLNT, EPSV ALL, XCUP, AVBL",
        "each served",
        "EPSV ALL, as a plain EPSV",
        more_verbs,
    ),
    row("STAT of a file", "213", "451", |_, wire| {
        codes(wire, &["STAT ten"])
    }),
    row("`NLST *.txt`", "1 name", "0 names", |_, wire| {
        let data = wire.passive();
        wire.send("NLST *.txt");
        let count = match wire.reply().code {
            125 | 150 => {
                let names = wire.guard(data).read_all();
                wire.reply();
                names.iter().filter(|byte| **byte == b'\n').count()
            }
            _ => 0,
        };
        format!("{count} {}", if count == 1 { "name" } else { "names" })
    }),
    row(
        "MLST in FEAT",
        "with its facts",
        "without facts",
        |_, wire| {
            let facts = wire.expect("FEAT", 211).text().contains("type*;");
            if facts {
                "with its facts"
            } else {
                "without facts"
            }
            .to_owned()
        },
    ),
    row(
        "MKD of a GBK name",
        "257, UTF-8 on the disk",
        "553, not made",
        gbk_name,
    ),
    row(
        "A client of TLS 1.3 alone",
        "served",
        "refused",
        |server, _| {
            let mut wire = server.wire();
            wire.expect("AUTH TLS", 234);
            let shaken = wire.shake(&tls::client(&[&rustls::version::TLS13]));
            if shaken.is_ok() { "served" } else { "refused" }.to_owned()
        },
    ),
];

const fn row(
    case: &'static str,
    native: &'static str,
    libunftp: &'static str,
    probe: fn(&Server, &mut Wire) -> String,
) -> Row {
    Row {
        case,
        native,
        libunftp,
        probe,
    }
}

/// Sends lines and returns the codes, or that the connection was closed.
fn codes(wire: &mut Wire, lines: &[&str]) -> String {
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

fn abor_in_transfer(_: &Server, wire: &mut Wire) -> String {
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

fn rest_beyond(server: &Server, wire: &mut Wire) -> String {
    wire.expect("REST 20", 350);
    let data = wire.passive();
    let mut reply = wire.command("STOR ten");
    if reply.code < 200 {
        wire.guard(data).write_whole(b"x");
        reply = wire.reply();
    }
    assert_eq!(fs::read(server.site.disk("ten")).unwrap(), b"0123456789");
    reply.code.to_string()
}

fn endless_line(server: &Server, _: &mut Wire) -> String {
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

fn more_verbs(_: &Server, wire: &mut Wire) -> String {
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

fn gbk_name(server: &Server, wire: &mut Wire) -> String {
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

#[test]
fn libunftp_differs_in_what_the_table_says() {
    let mut wrong = Vec::new();
    for (way, theirs) in [(Way::NativePlain, false), (Way::LibunftpPlain, true)] {
        let site = Site::with_ann()
            .file("ten", b"0123456789")
            .file("a.txt", b"a")
            .file("big", &noise(BIG));
        let server = way.start(site);
        for row in &ROWS {
            let seen = (row.probe)(&server, &mut way.ann(&server));
            let told = if theirs { row.libunftp } else { row.native };
            if seen != told {
                wrong.push(format!("{way:?}: {}: {seen} instead of {told}", row.case));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_the_engines_has_the_same_table() {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/engines.md"));
    let there: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("| seen on both |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    let here: Vec<String> = ROWS
        .iter()
        .map(|row| format!("| {} | {} | {} |", row.case, row.native, row.libunftp))
        .collect();
    assert_eq!(
        there,
        here,
        "docs/engines.md should say:\n{}",
        here.join("\n")
    );
}
