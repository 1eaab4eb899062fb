//! Uploads that do not come to their end.

use std::fs;

use harness::{Server, Site, Wire, client::noise, wire::Data};

use super::Way;

/// Begins to send a file over one that is there.
fn overwriting(way: Way) -> (Server, Wire, Data) {
    let server = way.start(Site::with_ann().file("f", b"old bytes"));
    let mut wire = way.ann(&server);
    let data = wire.passive();
    wire.expect_any("STOR f", &[125, 150]);
    let data = wire.guard(data);
    (server, wire, data)
}

/// Waits until a partial holds so many bytes.
fn wait_for_kept(server: &Server, bytes: u64) {
    let kept = || {
        let names = fs::read_dir(server.site.share()).ok()?;
        let hidden = |entry: &fs::DirEntry| entry.file_name().as_encoded_bytes()[0] == b'.';
        let mut partials = names.filter_map(Result::ok).filter(hidden);
        Some(partials.next()?.metadata().ok()?.len())
    };
    harness::wait::until("the bytes on the disk", || (kept()? >= bytes).then_some(()));
}

#[test]
fn an_interrupted_overwrite_leaves_the_old_file() {
    for way in Way::NATIVE {
        let (server, mut wire, mut data) = overwriting(way);
        data.write(&noise(100_000));
        wait_for_kept(&server, 9);
        data.reset();
        let code = wire.reply().code;
        assert!(code == 426 || code == 451, "{code}");
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old bytes");
        assert_eq!(wire.list("NLST -a"), ["f"]);
        assert_eq!(wire.fetch("RETR f"), b"old bytes");
        // A client that goes on at the size it is told means the new file, and the old one is no part of it.
        let _data = wire.passive();
        wire.expect("APPE f", 554);
        let _data = wire.passive();
        wire.expect("REST 9", 350);
        wire.expect("STOR f", 554);
        assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old bytes");
    }
}

#[test]
fn a_tls_upload_without_goodbye_is_an_interrupted_one() {
    let (server, mut wire, mut data) = overwriting(Way::NativeTls);
    data.write(b"half");
    data.cut();
    assert_eq!(wire.reply().code, 426);
    assert_eq!(fs::read(server.site.disk("f")).unwrap(), b"old bytes");
}

#[test]
fn a_client_that_leaves_in_mid_upload_leaves_no_half_file() {
    for way in Way::NATIVE {
        let (server, wire, mut data) = overwriting(way);
        let sent = noise(50_000);
        data.write(&sent);
        wait_for_kept(&server, 4);
        drop(wire);
        data.reset();
        let mut again = way.ann(&server);
        assert_eq!(again.fetch("RETR f"), b"old bytes");
        // The kept partial is where an upload can go on.
        harness::wait::until("the session lets go of its partial", || {
            let data = again.passive();
            let reply = again.command("REST 4");
            assert_eq!(reply.code, 350);
            let reply = again.command("STOR f");
            if reply.code >= 400 {
                return None;
            }
            again.guard(data).write_whole(b"rest");
            again.code(226);
            Some(())
        });
        let now = fs::read(server.site.disk("f")).unwrap();
        assert_eq!(now, [&sent[..4], b"rest"].concat());
    }
}

#[test]
fn what_came_before_a_break_is_kept_to_the_last_byte() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let bytes = noise(100_000);
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("STOR f", &[125, 150]);
        let mut data = wire.guard(data);
        // Less than a block of the server's: it is on the disk while the client still thinks.
        data.write(&bytes[..60_000]);
        wait_for_kept(&server, 60_000);
        data.reset();
        wire.code(426);
        let data = wire.passive();
        wire.expect("REST 60000", 350);
        wire.expect_any("STOR f", &[125, 150]);
        wire.guard(data).write_whole(&bytes[60_000..]);
        wire.code(226);
        assert!(fs::read(server.site.disk("f")).unwrap() == bytes);
    }
}
