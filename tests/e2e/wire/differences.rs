//! Where libunftp's engine differs: each row of the table in `docs/engines.md` is seen on both.

mod probes;

use harness::{Server, Site, Wire, client::noise, tls};

use self::probes::{abor_in_transfer, codes, endless_line, gbk_name, more_verbs, rest_beyond};
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
