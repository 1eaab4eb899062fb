//! What each right allows.

use std::fs;

use harness::{Site, Wire};

/// What an account tries; each answers with a refusal or its success.
const ACTS: [(&str, &str); 13] = [
    ("list", "NLST"),
    ("list", "MLST there"),
    ("list", "SIZE there"),
    ("read", "RETR there"),
    ("read", "XMD5 there"),
    ("write", "STOR fresh"),
    ("overwrite", "MFMT 20200102030405 there"),
    ("overwrite", "STOR there"),
    ("overwrite", "APPE there"),
    ("rename", "RNFR there"),
    ("mkdir", "MKD made"),
    ("chmod", "SITE CHMOD 640 there"),
    ("delete", "DELE there"),
];

/// What `can` says, and the rights that this is.
const RIGHTS: [(&str, &[&str]); 11] = [
    (
        "read-write",
        &[
            "list",
            "read",
            "write",
            "overwrite",
            "delete",
            "rename",
            "mkdir",
            "chmod",
        ],
    ),
    ("read-only", &["list", "read"]),
    ("dropbox", &["write", "mkdir"]),
    ("list", &["list"]),
    ("read", &["read"]),
    ("write", &["write"]),
    ("write overwrite", &["write", "overwrite"]),
    ("delete", &["delete"]),
    ("rename", &["rename"]),
    ("mkdir", &["mkdir"]),
    ("chmod", &["chmod"]),
];

#[test]
fn every_right_allows_its_verbs_and_no_other() {
    let users = RIGHTS.iter().enumerate();
    let site = users.fold(Site::new(), |site, (n, (can, _))| {
        site.user(&format!("u{n}"), can)
    });
    let server = site.start();
    for (n, (_, rights)) in RIGHTS.iter().enumerate() {
        for (right, act) in ACTS {
            for name in ["fresh", "made"] {
                let path = server.site.disk(name);
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
            }
            fs::write(server.site.disk("there"), "bytes").unwrap();
            let mut wire = server.wire();
            wire.login(&format!("u{n}"));
            let (code, text) = attempt(&mut wire, act);
            let answer = format!("{rights:?}: {act}: {code} {text}");
            if rights.contains(&right) {
                assert!(code < 400, "{answer}");
                // The size is for those who may list.
                let told = act.starts_with("MFMT") && text.contains("Size=5;");
                assert_eq!(told, act.starts_with("MFMT") && rights.contains(&"list"));
                continue;
            }
            assert_eq!(code, 550, "{answer}");
            let named = text.contains(&format!("`{right}`")) || text.contains("`write`");
            assert!(named, "{answer}");
            let there = fs::read(server.site.disk("there")).unwrap();
            assert_eq!(there, b"bytes", "{answer}");
        }
    }
}

#[test]
fn who_may_only_add_sets_the_time_of_what_was_just_added() {
    let server = Site::new()
        .user("drop", "dropbox")
        .file("there", b"bytes")
        .start();
    let mut wire = server.wire();
    wire.login("drop");
    wire.store("STOR fresh", b"new");
    wire.expect("MFMT 20200102030405 fresh", 213);
    wire.expect("MFMT 20200102030405 there", 550);
    wire.store("STOR second", b"new");
    wire.expect("MFMT 20200102030405 fresh", 550);
}

/// Does one act to its end; returns the code that decided.
fn attempt(wire: &mut Wire, act: &str) -> (u16, String) {
    let moves = ["NLST", "RETR", "STOR", "APPE"]
        .iter()
        .any(|verb| act.starts_with(verb));
    if !moves {
        let reply = wire.command(act);
        return (reply.code, reply.text());
    }
    let data = wire.passive();
    let mut reply = wire.command(act);
    if reply.code < 200 {
        let data = wire.guard(data);
        if act.starts_with("STOR") || act.starts_with("APPE") {
            data.write_whole(b"new");
        } else {
            data.read_all();
        }
        reply = wire.reply();
    }
    (reply.code, reply.text())
}
