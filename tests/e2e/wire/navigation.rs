//! Directories: CWD, MKD, RMD, renames, removals.

use super::Way;
use harness::Site;

#[test]
fn directories_are_made_entered_renamed_and_removed() {
    for way in Way::ALL {
        let server = way.start(Site::with_ann().file("f", b"1").dir("full/x"));
        let mut wire = way.ann(&server);
        assert!(
            wire.expect("MKD a b", 257).text().contains("\"/a b\"") || way == Way::LibunftpPlain
        );
        wire.expect("CWD a b", 250);
        assert!(wire.expect("PWD", 257).text().contains("\"/a b\""));
        wire.expect_any("CDUP", &[200, 250]);
        wire.expect("CWD nope", 550);
        wire.expect("CWD f", 550);
        wire.expect("RNFR f", 350);
        wire.expect("RNTO a b/g", 250);
        assert!(server.site.disk("a b/g").exists());
        wire.expect("RMD full", 550);
        wire.expect("DELE nope", 550);
        wire.expect("DELE a b/g", 250);
        wire.expect("RMD a b", 250);
        wire.expect("RMD nope", 550);
    }
}

#[test]
fn the_x_verbs_and_the_corner_cases() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"1").dir("d"));
        let mut wire = way.ann(&server);
        assert!(
            wire.expect("XMKD q\"q", 257).text().contains("\"/q\"\"q\""),
            "RFC 959 App. II"
        );
        wire.expect("XCWD q\"q", 250);
        assert!(wire.expect("XPWD", 257).text().contains("\"/q\"\"q\""));
        wire.expect_any("XCUP", &[200, 250]);
        wire.expect("XRMD q\"q", 250);
        wire.expect("RMD /", 550);
        wire.expect("DELE d", 550);
        wire.expect("RMD f", 550);
        wire.expect("MKD d", 550);
        wire.expect("RNFR d", 350);
        wire.expect_any("RNTO d/inside", &[550, 553]);
        wire.expect("RNFR f", 350);
        wire.expect("NOOP", 200);
        wire.expect("RNTO g", 503);
        wire.expect("MKD no/such/parent", 550);
        // A name as any other: who makes it only when it is refused is not led to the home.
        wire.expect("CWD ~", 550);
        wire.expect("CWD d", 250);
        wire.expect("CWD ~", 550);
        assert!(wire.expect("PWD", 257).text().contains("\"/d\""));
        wire.expect("CWD /", 250);
        wire.expect("MKD ~", 257);
        wire.expect("CWD ~", 250);
        assert!(wire.expect("PWD", 257).text().contains("\"/~\""));
        wire.expect("CWD /", 250);
        // What looks like options may be a name.
        wire.expect("MKD -x", 257);
        assert!(wire.expect("STAT -x", 212).text().contains("Status of -x"));
        std::fs::write(server.site.disk("-y"), "1").unwrap();
        assert!(wire.expect("STAT -y", 213).text().contains("Status of -y"));
        // Where only options are given the current directory is meant, and named.
        wire.expect("CWD d", 250);
        assert!(wire.expect("STAT -la", 212).text().contains("Status of /d"));
    }
}
