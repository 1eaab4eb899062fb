//! SITE, HELP, FEAT, AVBL.

use super::Way;
use harness::Site;

#[test]
fn modes_help_and_free_space() {
    use std::os::unix::fs::PermissionsExt as _;
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().user("ro", "read-only").file("f", b"1"));
        let mut wire = way.ann(&server);
        wire.expect("SITE CHMOD 600 f", 200);
        let mode = std::fs::metadata(server.site.disk("f"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let told = wire.expect("SITE CHMOD 4755 f", 200);
        assert!(told.lines[0].contains("changed to 755"), "{told:?}");
        wire.expect("SITE CHMOD x f", 501);
        wire.expect("SITE CHMOD 600 nope", 550);
        wire.expect_any("SITE HELP", &[200, 211, 214]);
        wire.expect_any("HELP", &[211, 214]);
        wire.expect_any("HELP RETR", &[211, 214]);
        wire.expect("AVBL", 213);
        wire.expect("SYST", 215);
        let mut ro = way.open(&server);
        ro.login("ro");
        ro.expect("SITE CHMOD 600 f", 550);
    }
}

#[test]
fn room_is_told_without_telling_which_names_there_are() {
    let site = Site::with_ann().user("drop", "dropbox").file("f.txt", b"1");
    let server = Way::NativePlain.start(site);
    let mut wire = Way::NativePlain.open(&server);
    wire.login("drop");
    wire.expect("AVBL", 213);
    let words = |reply: harness::wire::Reply, name| reply.text().replace(name, "NAME");
    let there = words(wire.expect("AVBL f.txt", 550), "f.txt");
    assert_eq!(there, words(wire.expect("AVBL g.txt", 550), "g.txt"));
}

#[test]
fn feat_tells_what_is_there_in_the_form_of_rfc_2389() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let reply = way.open(&server).expect("FEAT", 211);
        let inner = &reply.lines[1..reply.lines.len() - 1];
        assert!(inner.iter().all(|line| line.starts_with(' ')), "{reply:?}");
        for feature in [
            "UTF8",
            "MLST",
            "REST STREAM",
            "SIZE",
            "MDTM",
            "MFMT",
            "EPSV",
            "EPRT",
            "AUTH TLS",
            "PBSZ",
            "PROT",
            "HASH",
            "TVFS",
            "CLNT",
        ] {
            assert!(
                inner
                    .iter()
                    .any(|line| line.trim_start().starts_with(feature)),
                "{feature}: {reply:?}"
            );
        }
    }
}
