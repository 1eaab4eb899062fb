//! Noise, floods, and clients that vanish.

use super::Way;
use harness::{Site, Wire, client::noise};

#[test]
fn noise_never_brings_the_server_down() {
    let server = Way::NativePlain.start(Site::with_ann().key("limits", "max_per_ip = 0"));
    for round in 0..40 {
        let mut wire = server.wire();
        let bytes = noise(2000 + round * 97);
        use std::io::Write as _;
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wire.send_bytes(&bytes)));
        let _ = std::io::stderr().flush();
    }
    server.ann().expect("NOOP", 200);
    let log = server.log_up_to_now();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn two_thousand_visits_give_all_their_places_back() {
    let site = Site::with_ann()
        .key("limits", "max_clients = 20")
        .key("limits", "max_per_ip = 20");
    let server = Way::NativePlain.start(site);
    for i in 0..2000 {
        let mut wire = Wire::connect(server.address);
        if i % 3 == 0 {
            // A place may be given back a moment after the last visitor left.
            let _ = wire.try_reply();
        }
    }
    harness::wait::until("everybody has left", || {
        let mut wires: Vec<Wire> = (0..20).map(|_| Wire::connect(server.address)).collect();
        wires
            .iter_mut()
            .all(|wire| wire.try_reply().is_ok_and(|reply| reply.code == 220))
            .then_some(())
    });
}
