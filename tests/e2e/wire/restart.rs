//! REST: an offset is for the next command only (RFC 3659 §5.3).

use std::fs;

use super::Way;
use harness::Site;

#[test]
fn downloads_and_uploads_begin_where_they_should() {
    for way in Way::ALL {
        let server = way.start(Site::with_ann().file("f", b"0123456789"));
        let mut wire = way.ann(&server);
        wire.expect("REST 4", 350);
        assert_eq!(wire.fetch("RETR f"), b"456789");
        assert_eq!(wire.fetch("RETR f"), b"0123456789");
        wire.expect("REST 5", 350);
        wire.store("STOR f", b"ABC");
        assert_eq!(
            fs::read(server.site.disk("f")).unwrap(),
            b"01234ABC",
            "{way:?}"
        );
    }
}

#[test]
fn an_offset_does_not_outlive_a_failed_transfer() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"0123456789"));
        let mut wire = way.ann(&server);
        wire.expect("REST 4", 350);
        wire.passive();
        wire.expect("RETR nope", 550);
        wire.store("STOR new", b"all of it");
        assert_eq!(fs::read(server.site.disk("new")).unwrap(), b"all of it");
        assert_eq!(wire.fetch("RETR f"), b"0123456789");
        wire.expect("REST 3", 350);
        wire.expect("PWD", 257);
        assert_eq!(wire.fetch("RETR f"), b"0123456789");
        for odd in ["NO SUCH COMMAND", "RETR"] {
            wire.expect("REST 3", 350);
            wire.expect_any(odd, &[500, 501]);
            assert_eq!(wire.fetch("RETR f"), b"0123456789", "{odd}");
        }
    }
}

#[test]
fn an_offset_beyond_the_end_is_refused() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"0123456789"));
        let mut wire = way.ann(&server);
        for command in ["RETR f", "STOR f", "STOR new"] {
            wire.expect("REST 11", 350);
            wire.passive();
            wire.expect(command, 554);
        }
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"0123456789");
        assert!(!server.site.disk("new").exists());
        // `ftpc` asks so what is kept of an upload: an admin would look for a fault.
        let log = server.log_up_to_now();
        assert!(!log.contains("refused reply=554"), "{log}");
        wire.expect("REST 10", 350);
        assert_eq!(wire.fetch("RETR f"), b"");
        wire.expect("REST -1", 501);
        wire.expect("REST 99999999999999999999999", 501);
    }
}

#[test]
fn an_offset_is_refused_where_text_is_converted_also_when_type_comes_after_it() {
    for way in Way::NATIVE {
        let site = Site::with_ann().key("server", "ascii_conversion = true");
        let server = way.start(site.file("f", b"a\nb\n"));
        let mut wire = way.ann(&server);
        wire.expect("TYPE A", 200);
        wire.expect("REST 2", 504);
        for verb in ["RETR f", "STOR f"] {
            wire.expect("TYPE I", 200);
            wire.expect("REST 2", 350);
            wire.expect("TYPE A", 200);
            let _data = wire.passive();
            wire.expect(verb, 504);
        }
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"a\nb\n");
    }
}
