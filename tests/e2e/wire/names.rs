//! Names on the wire and on disk.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _};

use super::Way;
use harness::{Site, site::NASTY};

#[test]
fn odd_names_are_ordinary_names() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        let long = "n".repeat(255);
        let mut names: Vec<&str> = NASTY.to_vec();
        names.extend([long.as_str(), "*", "a;b", "x=y"]);
        for name in &names {
            wire.store(&format!("STOR {name}"), name.as_bytes());
            assert_eq!(
                wire.fetch(&format!("RETR {name}")),
                name.as_bytes(),
                "{name}"
            );
            assert!(server.site.disk(name).exists(), "{name}");
        }
        let listed = wire.list("MLSD");
        for name in &names {
            assert!(
                listed
                    .iter()
                    .any(|line| line.ends_with(&format!("; {name}"))),
                "{name}"
            );
            wire.expect(&format!("DELE {name}"), 250);
        }
        let too_long = "n".repeat(256);
        wire.passive();
        wire.expect(&format!("STOR {too_long}"), 553);
        for bad in [
            b"STOR a\x07b\r\n".as_slice(),
            b"MKD a\x1b[31m\r\n",
            b"MKD a\0b\r\n",
        ] {
            let _data = wire.passive();
            wire.send_bytes(bad);
            let code = wire.reply().code;
            assert!(matches!(code, 500 | 501 | 550 | 553), "{code}");
        }
        assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 0);
    }
}

/// 中文.txt in GBK.
const GBK: &[u8] = b"\xd6\xd0\xce\xc4.txt";

#[test]
fn a_client_of_gbk_names_makes_lists_fetches_and_removes_them() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        let line = |verb: &str| {
            let mut bytes = verb.as_bytes().to_vec();
            bytes.extend_from_slice(GBK);
            bytes.extend_from_slice(b"\r\n");
            bytes
        };
        let data = wire.passive();
        wire.send_bytes(&line("STOR "));
        wire.code(150);
        wire.guard(data).write_whole(b"bytes");
        wire.code(226);
        // On disk it is UTF-8, and a client of UTF-8 sees the right name.
        assert_eq!(fs::read(server.site.disk("中文.txt")).unwrap(), b"bytes");
        assert_eq!(way.ann(&server).list("NLST"), ["中文.txt"]);
        let listed = wire.fetch("NLST");
        assert_eq!(listed, [GBK, b"\r\n"].concat());
        let data = wire.passive();
        wire.send_bytes(&line("RETR "));
        wire.code(150);
        assert_eq!(wire.guard(data).read_all(), b"bytes");
        wire.code(226);
        wire.send_bytes(&line("DELE "));
        wire.code(250);
        assert!(!server.site.disk("中文.txt").exists());
    }
}

#[test]
fn bytes_on_disk_that_are_not_utf8_can_be_fetched_by_whoever_lists_them() {
    for way in Way::NATIVE {
        let site = Site::with_ann();
        fs::write(site.share().join(OsStr::from_bytes(GBK)), "raw").unwrap();
        let server = way.start(site);
        let mut wire = way.ann(&server);
        let listed = wire.fetch("NLST");
        let name = listed.strip_suffix(b"\r\n").unwrap();
        let data = wire.passive();
        wire.send_bytes(&[b"RETR ", name, b"\r\n"].concat());
        let reply = wire.reply();
        assert!(matches!(reply.code, 125 | 150), "{reply:?} for {name:?}");
        assert_eq!(wire.guard(data).read_all(), b"raw");
        wire.code(226);
    }
}

/// Says a verb with a name of bytes.
fn say(wire: &mut harness::Wire, verb: &str, name: &[u8]) {
    wire.send_bytes(&[verb.as_bytes(), b" ", name, b"\r\n"].concat());
}

#[test]
fn a_file_of_old_makes_no_client_a_legacy_one() {
    for way in Way::NATIVE {
        let site = Site::with_ann();
        fs::write(site.share().join(OsStr::from_bytes(GBK)), "raw").unwrap();
        let server = way.start(site);
        let mut wire = way.ann(&server);
        for verb in ["SIZE", "MDTM", "MLST"] {
            say(&mut wire, verb, GBK);
            assert!(matches!(wire.reply().code, 213 | 250));
        }
        say(&mut wire, "RNFR", GBK);
        wire.code(350);
        for name in ["höhe.txt", "日本.txt"] {
            wire.store(&format!("STOR {name}"), b"new");
            assert!(server.site.disk(name).exists(), "{name}");
        }
    }
}

#[test]
fn names_below_a_directory_of_old_are_listed_as_it_is_called() {
    for way in Way::NATIVE {
        let site = Site::with_ann();
        let dir = b"\xd6\xd0dir";
        let on_disk = site.share().join(OsStr::from_bytes(dir));
        fs::create_dir(&on_disk).unwrap();
        fs::write(on_disk.join("f.txt"), "x").unwrap();
        let server = way.start(site);
        for told in [false, true] {
            let mut wire = way.ann(&server);
            if told {
                wire.expect("OPTS UTF8 ON", 200);
            }
            for end in [&b""[..], b"/*"] {
                let data = wire.passive();
                say(&mut wire, "NLST", &[dir, end].concat());
                wire.code(150);
                let listed = wire.guard(data).read_all();
                wire.code(226);
                assert_eq!(listed, [dir, &b"/f.txt\r\n"[..]].concat());
            }
        }
    }
}

#[test]
fn a_control_character_keeps_nobody_off_what_is_there() {
    for way in Way::NATIVE {
        let names = ["a\tb", "don\u{80}\u{99}t", "x\u{7f}"];
        let mut site = Site::with_ann();
        for name in names {
            site = site.file(&format!("d\u{1b}/{name}"), b"kept");
        }
        let server = way.start(site);
        let mut wire = way.ann(&server);
        wire.expect("CWD d\u{1b}", 250);
        for name in names {
            assert_eq!(wire.fetch(&format!("RETR {name}")), b"kept");
            wire.expect(&format!("RNFR {name}"), 350);
            wire.expect("RNTO plain", 250);
            wire.expect("RNFR plain", 350);
            wire.expect(&format!("RNTO {name}"), 553);
            wire.expect("DELE plain", 250);
        }
        wire.expect("CDUP", 250);
        wire.expect("RMD d\u{1b}", 250);
    }
}

#[test]
fn a_pattern_shows_how_a_client_writes() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("中文.txt", b"x"));
        let mut wire = way.ann(&server);
        let data = wire.passive();
        say(&mut wire, "NLST", b"\xd6\xd0*");
        wire.code(150);
        let listed = wire.guard(data).read_all();
        wire.code(226);
        assert_eq!(listed, [GBK, b"\r\n"].concat());
    }
}

/// A name in UTF-8 and the same in GBK are two, and each is what a client of UTF-8 has seen in a listing.
#[test]
fn a_name_sent_by_its_bytes_is_no_other_of_the_same_characters() {
    let raw = |end: &str| [b"\xc4\xe3", end.as_bytes()].concat();
    for told in [true, false] {
        let site = Site::with_ann().file("你.txt", b"utf8!");
        let site = site.file("你/f", b"utf8!").file("你x/f", b"utf8!");
        let old = |end: &str| site.share().join(OsStr::from_bytes(&raw(end)));
        let (file, dir, broken) = (old(".txt"), old(""), old("x"));
        fs::write(&file, "raw").unwrap();
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink("nowhere", &broken).unwrap();
        let server = Way::NativePlain.start(site);
        let mut wire = Way::NativePlain.ann(&server);
        if told {
            wire.expect("OPTS UTF8 ON", 200);
        }
        let mut act = |verb: &str, end: &str, code| {
            say(&mut wire, verb, &raw(end));
            wire.code(code).text()
        };
        assert_eq!(act("SIZE", ".txt", 213), "213 3");
        act("RNFR", ".txt", 350);
        act("RNTO", "/f", 250);
        assert_eq!(fs::read(dir.join("f")).unwrap(), b"raw");
        act("DELE", "/f", 250);
        // It is gone, and nothing else is meant.
        act("DELE", "/f", 550);
        act("DELE", "x", 250);
        act("CWD", "", 250);
        act("CDUP", "", 250);
        let data = wire.passive();
        say(&mut wire, "STOR", &raw("/f"));
        wire.code(150);
        wire.guard(data).write_whole(b"new");
        wire.code(226);
        assert_eq!(fs::read(dir.join("f")).unwrap(), b"new");
        fs::remove_file(dir.join("f")).unwrap();
        say(&mut wire, "RMD", &raw(""));
        wire.code(250);
        assert!(!dir.exists() && !broken.exists());
        for name in ["你.txt", "你/f", "你x/f"] {
            assert_eq!(fs::read(server.site.disk(name)).unwrap(), b"utf8!");
        }
        // Nothing of it was written in GBK.
        wire.store("STOR é.txt", b"new");
        assert!(server.site.disk("é.txt").exists());
    }
}
