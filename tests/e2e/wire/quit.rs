//! QUIT while an upload runs: a client that hangs up behind it may have stopped in the middle.

use super::{Way, abort::taken_back};
use harness::{Site, client::noise};

#[test]
fn whoever_said_quit_may_end_by_a_reset_and_has_its_file() {
    let server = Way::NativePlain.start(Site::with_ann());
    for size in [100, 300_000, 20_000_000] {
        let mut wire = Way::NativePlain.ann(&server);
        let data = wire.passive();
        let name = format!("f{size}");
        wire.expect_any(&format!("STOR {name}"), &[125, 150]);
        let mut data = wire.guard(data);
        data.write(&noise(size));
        // A reset takes along what was not read; with the answer both lines are.
        wire.send_bytes(b"NOOP\r\nQUIT\r\n");
        wire.code(200);
        drop(data);
        wire.reset();
        harness::wait::until("the upload", || {
            let there = std::fs::metadata(server.site.disk(&name)).ok()?;
            (there.len() == size as u64).then_some(())
        });
    }
}

#[test]
fn an_upload_over_a_file_whose_client_hangs_up_behind_quit_takes_no_name() {
    // Libraries say QUIT when a program gives an upload up (Node's basic-ftp), and close one connection behind the other.
    taken_back(|_, server, mut wire, data| {
        wire.send("QUIT");
        drop(wire);
        drop(data);
        server.wait_for_log("whole=false reply=426");
    });
    // The same where its QUIT was read long before, and by a reset.
    taken_back(|_, server, mut wire, data| {
        wire.send_bytes(b"NOOP\r\nQUIT\r\n");
        wire.code(200);
        wire.reset();
        drop(data);
        server.wait_for_log("whole=false reply=426");
    });
}

#[test]
fn what_took_the_name_meanwhile_is_not_replaced_either() {
    let server = Way::NativePlain.start(Site::with_ann());
    let mut wire = Way::NativePlain.ann(&server);
    let data = wire.passive();
    wire.expect_any("STOR new", &[125, 150]);
    let mut data = wire.guard(data);
    data.write(b"half");
    assert_eq!(
        Way::NativePlain
            .ann(&server)
            .store("STOR new", b"whole")
            .code,
        226
    );
    wire.send("QUIT");
    drop(wire);
    drop(data);
    server.wait_for_log("whole=false reply=426");
    assert_eq!(std::fs::read(server.site.disk("new")).unwrap(), b"whole");
}
