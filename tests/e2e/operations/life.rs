//! Ends in good order, and the next one goes on without a gap.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use harness::{
    Server, Site, Wire,
    client::noise,
    server::through_shell,
    wait::{AtEnd, until},
};
use rustix::process::Signal;

#[test]
fn a_stop_lets_uploads_finish_and_keeps_what_cannot() {
    let site = Site::with_ann()
        .key("limits", "max_per_ip = 0")
        .key("timeouts", "shutdown_grace = \"5s\"");
    let server = site.start();
    let mut uploads: Vec<_> = (0..20)
        .map(|i| {
            let mut wire = server.ann();
            wire.expect("TYPE I", 200);
            let data = wire.passive();
            wire.expect_any(&format!("STOR f{i}"), &[125, 150]);
            let mut data = wire.guard(data);
            data.write(&noise(200_000));
            (wire, data)
        })
        .collect();
    server.signal(Signal::TERM);
    server.wait_for_log("stop");
    until("nobody is let in", || {
        std::net::TcpStream::connect(server.address)
            .is_err()
            .then_some(())
    });
    let stalled = uploads.split_off(10);
    for (mut wire, data) in uploads {
        data.write_whole(b"the end");
        wire.code(226);
    }
    let (site, code) = server.ended();
    assert_eq!(code, Some(0));
    for (mut wire, data) in stalled {
        drop(data);
        wire.expect_end();
    }
    let names: Vec<String> = fs::read_dir(site.share())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let shown: Vec<_> = names.iter().filter(|name| !name.starts_with('.')).collect();
    assert_eq!(shown.len(), 10, "{names:?}");
    for name in shown {
        assert_eq!(
            fs::metadata(site.disk(name)).unwrap().len(),
            200_007,
            "{name}"
        );
    }
    // Kept for those who come again: the next server lets the upload go on.
    let server = site.start();
    let mut ann = server.ann();
    ann.expect("TYPE I", 200);
    ann.expect("REST 200000", 350);
    ann.store("STOR f15", b"the end");
    let whole = fs::read(server.site.disk("f15")).unwrap();
    assert!(whole == [noise(200_000), b"the end".to_vec()].concat());
}

/// Starts `ftpd` on a socket that is open already, as systemd does.
fn on_socket(site: Site, listener: &TcpListener) -> Server {
    let socket: OwnedFd = listener.try_clone().unwrap().into();
    site.start_by(|ftpd| {
        let script = "exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"";
        let mut shell = through_shell(&ftpd, script);
        shell.stdin(Stdio::from(socket));
        shell
    })
}

/// Comes, logs in, fetches and goes; `false` when the server says that it is about to end.
fn visit(address: SocketAddr) -> bool {
    let mut wire = Wire::connect(address);
    if wire.reply().code != 220 {
        return false;
    }
    let said = |line: &str, wire: &mut Wire| {
        wire.send(line);
        wire.try_reply().is_ok_and(|reply| reply.code < 400)
    };
    ["USER ann", "PASS secret", "SIZE file", "QUIT"]
        .iter()
        .all(|line| said(line, &mut wire))
}

#[test]
fn a_restart_under_socket_activation_refuses_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (end, whole) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut server = on_socket(Site::with_ann().file("file", b"x"), &listener);
    assert_eq!(server.address, address);
    let (ended, _server) = std::thread::scope(|scope| {
        let at_end = AtEnd(&end);
        let visitor = scope.spawn(|| {
            // Every connect works: one that failed would end this thread, and the test.
            let mut cut = 0;
            while !end.load(Ordering::Relaxed) {
                if visit(address) {
                    whole.fetch_add(1, Ordering::Relaxed);
                } else {
                    cut += 1;
                }
            }
            cut
        });
        for _ in 0..3 {
            let before = whole.load(Ordering::Relaxed);
            until("visitors are served", || {
                (whole.load(Ordering::Relaxed) > before || visitor.is_finished()).then_some(())
            });
            let (site, code) = server.stop();
            assert_eq!(code, Some(0));
            server = on_socket(site, &listener);
        }
        let before = whole.load(Ordering::Relaxed);
        until("visitors are served at the end", || {
            (whole.load(Ordering::Relaxed) > before || visitor.is_finished()).then_some(())
        });
        drop(at_end);
        (visitor.join().unwrap(), server)
    });
    // A session that was inside when the stop came is told and ended: one a restart at most.
    assert!(ended <= 3, "{ended} sessions were cut");
}
