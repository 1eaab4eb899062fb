//! HASH and the X commands.

use super::Way;
use harness::Site;

#[test]
fn every_digest_is_the_right_one() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"abc").dir("d"));
        let mut wire = way.ann(&server);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        // FIPS 180-4 and RFC 1321 examples for "abc".
        for (command, digest) in [
            ("XSHA256 f", sha256),
            ("XMD5 f", "900150983cd24fb0d6963f7d28e17f72"),
            ("MD5 f", "900150983cd24fb0d6963f7d28e17f72"),
            ("XSHA1 f", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("XCRC f", "352441c2"),
        ] {
            let text = wire.command(command).text().to_ascii_lowercase();
            assert!(
                text.starts_with('2') && text.contains(digest),
                "{command}: {text}"
            );
        }
        let text = wire.expect("HASH f", 213).text();
        assert!(
            text.contains("SHA-256") && text.to_ascii_lowercase().contains(sha256),
            "{text}"
        );
        wire.expect("OPTS HASH MD5", 200);
        assert!(
            wire.expect("HASH f", 213)
                .text()
                .contains("900150983cd24fb0d6963f7d28e17f72")
        );
        wire.expect_any("OPTS HASH ROT13", &[501, 504]);
        wire.expect("HASH nope", 550);
        wire.expect_any("HASH d", &[550, 553]);
        assert!(wire.expect("FEAT", 211).text().contains("HASH"));
    }
}

#[test]
fn a_whole_name_comes_before_quotes_and_ranges() {
    let md5 = |wire: &mut harness::Wire, command: &str| {
        let text = wire.command(command).text().to_ascii_lowercase();
        let of = |digest: &str| text.contains(digest);
        // RFC 1321 examples for "abc", "a" and "".
        match () {
            () if of("900150983cd24fb0d6963f7d28e17f72") => "abc",
            () if of("0cc175b9c0f1b6a831c399e269772661") => "a",
            () => "none",
        }
    };
    for way in Way::NATIVE {
        let site = Site::with_ann().file("x", b"a").file("\"x\".txt", b"abc");
        let server = way.start(site.file("IMG 2024 05", b"abc").file("IMG", b"a"));
        let mut wire = way.ann(&server);
        wire.expect("OPTS HASH MD5", 200);
        for verb in ["HASH", "XMD5"] {
            for (name, content) in [
                ("\"x\".txt", "abc"),
                ("\"x\"", "a"),
                ("IMG 2024 05", "abc"),
                ("IMG", "a"),
            ] {
                assert_eq!(md5(&mut wire, &format!("{verb} {name}")), content, "{name}");
            }
        }
        assert_eq!(md5(&mut wire, "XMD5 IMG 0 1"), "a");
        wire.expect("HASH IMG 0 1", 550);
        let long = "n".repeat(255);
        wire.store(&format!("STOR {long}"), b"abc");
        assert_eq!(md5(&mut wire, &format!("XMD5 \"{long}\"")), "abc");
        wire.expect("XMD5 IMG 5 1", 501);
    }
}
