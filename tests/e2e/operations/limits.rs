//! How many may be here, and that a place that was left is a place again.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use rustix::process::Signal;

use harness::{PASSWORD, Server, Site, Wire, server::through_shell, wait::until};

use super::{status, until_empty};

/// The greeting of one who comes too many: 421 with the limit in words, then the end.
fn refused(server: &Server, limit: &str) {
    let mut wire = Wire::connect(server.address);
    let reply = wire.reply();
    assert_eq!(reply.code, 421, "{}", reply.text());
    assert!(reply.text().contains(limit), "{}", reply.text());
    wire.closed();
}

/// Waits until the next one is let in.
fn let_in(server: &Server) -> Wire {
    until("a place is free", || {
        let mut next = Wire::connect(server.address);
        (next.try_reply().ok()?.code == 220).then_some(next)
    })
}

#[test]
fn two_hundred_are_in_the_next_is_told_and_a_place_that_is_left_is_taken() {
    let server = Site::with_ann()
        .key("limits", "max_clients = 200")
        .key("limits", "max_per_ip = 0")
        .start();
    let mut inside: Vec<Wire> = (0..200).map(|_| server.ann()).collect();
    refused(&server, "200");
    assert_eq!(status(&server)["sessions"], 200);
    inside.remove(77).expect("QUIT", 221);
    let mut next = let_in(&server);
    next.login("ann");
    refused(&server, "200");
    // One that just vanishes leaves its place too.
    drop(inside.pop());
    let_in(&server).login("ann");
}

#[test]
fn one_address_has_so_many_places_and_so_has_one_user() {
    let server = Site::with_ann().key("limits", "max_per_ip = 3").start();
    let mut inside: Vec<Wire> = (0..3).map(|_| server.wire()).collect();
    refused(&server, "3");
    inside.pop().unwrap().expect("QUIT", 221);
    let_in(&server);

    let server = Site::new()
        .user_with("ann", "read-write", "max_sessions = 2")
        .user("bob", "read-only")
        .start();
    let mut inside = vec![server.ann(), server.ann()];
    let mut third = server.wire();
    third.expect("USER ann", 331);
    let reply = third.command(&format!("PASS {PASSWORD}"));
    assert!(reply.code == 421 && reply.text().contains('2'), "{reply:?}");
    third.closed();
    server.wire().login("bob");
    inside.pop().unwrap().expect("QUIT", 221);
    until("ann's place is free", || {
        let mut next = server.wire();
        next.expect("USER ann", 331);
        (next.command(&format!("PASS {PASSWORD}")).code == 230).then_some(())
    });
}

#[test]
fn a_stranger_is_refused_before_anything_else() {
    let server = Site::with_ann()
        .key("server", "allow_from = [\"192.168.0.0/16\"]")
        .start();
    let mut wire = Wire::connect(server.address);
    assert_eq!(wire.reply().code, 421);
    wire.closed();
    server.wait_for_log("allow_from");
    assert_eq!(status(&server)["totals"]["refused"], 1);
}

/// One of the ways in which a client comes and goes.
fn come_and_go(address: SocketAddr, turn: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    match turn % 4 {
        0 => {}
        1 => {
            let _ = stream.read(&mut [0; 512]);
        }
        2 => {
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
        _ => {
            drop(stream);
            let mut wire = Wire::connect(address);
            if wire.try_reply().is_ok_and(|reply| reply.code == 220) {
                wire.login("ann");
                let _listener = wire.passive();
            }
        }
    }
}

#[test]
fn ten_thousand_connects_leak_nothing() {
    let server = Site::with_ann()
        .key("limits", "max_clients = 50")
        .key("limits", "max_per_ip = 0")
        .start();
    drop(server.ann());
    until_empty(&server);
    let before = server.open_files();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let address = server.address;
            scope.spawn(move || (0..2500).for_each(|turn| come_and_go(address, turn + worker)));
        }
    });
    until_empty(&server);
    until("the sockets are closed", || {
        (server.open_files() <= before + 4).then_some(())
    });
    let full: Vec<Wire> = (0..50).map(|_| server.ann()).collect();
    refused(&server, "50");
    assert_eq!(status(&server)["sessions"], full.len());
}

#[test]
fn a_server_out_of_files_waits_and_recovers() {
    let server = Site::with_ann()
        .key("limits", "max_clients = 200")
        .key("limits", "max_per_ip = 0")
        .start_by(|ftpd| through_shell(&ftpd, "ulimit -n 40; exec \"$0\" \"$@\""));
    server.wait_for_log("open files");
    let held: Vec<TcpStream> = (0..60)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    server.wait_for_log("cannot accept");
    drop(held);
    let mut ann = let_in(&server);
    ann.login("ann");
    ann.expect("NOOP", 200);
}

#[test]
fn the_umask_of_the_process_takes_nothing_from_homes() {
    let server = Site::with_ann()
        .user_with("eve", "read-only", "home = \"/people/{user}\"")
        .start_by(|ftpd| through_shell(&ftpd, "umask 077; exec \"$0\" \"$@\""));
    let mut eve = server.wire();
    eve.login("eve");
    for dir in ["people", "people/eve"] {
        let meta = fs::metadata(server.site.disk(dir)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o755, "{dir}");
    }
}

/// Starts the server as a user of its own, whose threads are limited by a flag of prlimit(1).
fn with_threads(setpriv: &Path, limit: &str) -> Server {
    // Nobody else's: threads of others would count.
    let user = "45123";
    let become_it = format!(
        "{} --reuid={user} --regid={user} --clear-groups",
        setpriv.display()
    );
    let script = format!(
        "chown -R {user}:{user} \"$HOME\" && exec {become_it} prlimit {limit} \"$0\" \"$@\""
    );
    Site::with_ann().start_by(|ftpd| through_shell(&ftpd, &script))
}

#[test]
fn a_server_out_of_threads_goes_on_and_says_so() {
    let Some(setpriv) = harness::foreign::setpriv() else {
        return;
    };
    let free = with_threads(&setpriv, "--nproc=1000");
    let tasks = format!("/proc/{}/task", free.pid().as_raw_nonzero());
    let at_rest = fs::read_dir(tasks).unwrap().count();
    drop(free);
    // One for the sessions, none for what blocks.
    let server = with_threads(&setpriv, &format!("--nproc={}", at_rest + 1));
    let mut wire = server.ann();
    wire.store("STOR small", &[7; 4096]);
    assert_eq!(wire.fetch("RETR small"), [7; 4096]);
    let mut data = wire.passive();
    wire.expect("STOR large", 150);
    // The server may have hung up before all of it is out.
    let _sent = data.write_all(&vec![7; 1 << 20]);
    let reply = wire.code(451);
    assert!(reply.text().contains("no thread"), "{reply:?}");
    server.signal(Signal::HUP);
    server.wait_for_log("configuration loaded");
    wire.store("STOR small", b"again");
    // The file is still watched.
    let text = fs::read_to_string(server.site.config()).unwrap();
    fs::write(server.site.config(), format!("{text}\n# changed\n")).unwrap();
    until("the change is seen", || {
        (server.log().matches("configuration loaded").count() > 1).then_some(())
    });
    wire.expect("NOOP", 200);
}
