//! The passive side of data connections.

use std::{
    io::{ErrorKind, Read as _},
    net::{TcpListener, TcpStream},
};

use super::Way;
use harness::{Site, Wire, port::Kept, wait};

#[test]
fn pasv_names_the_address_that_was_dialled() {
    for way in Way::ALL {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        let text = wire.expect("PASV", 227).text();
        assert!(text.contains("(127,0,0,1,"), "{text}");
        wire.expect("EPSV 1", 229);
    }
}

#[test]
fn one_listener_on_all_addresses_serves_ipv4_too() {
    let server = Site::with_ann()
        .key("server", "listen = [\"[::]:0\"]")
        .key("passive", "address = \"127.0.0.1\"")
        .start();
    let v4 = std::net::SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    let mut wire = Wire::open(v4);
    wire.login("ann");
    assert!(wire.expect("PASV", 227).text().contains("(127,0,0,1,"));
    assert!(wire.list("NLST").is_empty());
    if TcpListener::bind("[::1]:0").is_err() {
        harness::foreign::skip("IPv6 is not on this machine");
        return;
    }
    let v6 = std::net::SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, server.address.port()));
    let mut wire = Wire::open(v6);
    wire.login("ann");
    wire.expect_any("PASV", &[425, 500, 501, 522]);
    wire.expect("EPSV 2", 229);
    assert!(wire.list("NLST").is_empty());
}

#[test]
fn a_protocol_that_does_not_exist_and_epsv_all() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        wire.expect("EPSV 3", 522);
        wire.expect("EPSV ALL", 200);
        for refused in ["PASV", "PORT 127,0,0,1,200,200", "EPRT |1|127.0.0.1|50000|"] {
            let code = wire.command(refused).code;
            assert!((500..600).contains(&code), "{refused}: {code}");
        }
        assert!(wire.list("NLST").is_empty());
    }
}

#[test]
fn a_thousand_listeners_of_one_session_leave_the_range_to_the_others() {
    let kept = Kept::row(10);
    let first = kept[0].address.port();
    let ports = format!("ports = \"{first}-{}\"", first + 9);
    let site = Site::with_ann().key("passive", &ports);
    let server = Way::NativePlain.start(site);
    let (mut greedy, mut other) = (server.ann(), server.ann());
    for _ in 0..1000 {
        greedy.expect("EPSV", 229);
    }
    assert!(other.list("NLST").is_empty());
}

#[test]
fn a_stranger_is_dropped_and_the_listener_stays() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"for ann"));
        let mut wire = way.ann(&server);
        let port = wire.epsv();
        let mut stranger = from_another_address(port);
        let data = wire.dial(port);
        wire.expect_any("RETR f", &[125, 150]);
        assert_eq!(wire.guard(data).read_all(), b"for ann");
        // A reset: an orderly end would be that of a file to another server (FXP).
        let ended = stranger.read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(ended, Err(ErrorKind::ConnectionReset));
        wire.code(226);
    }
}

/// Loopback is a whole network: 127.0.0.2 is another host.
fn from_another_address(port: u16) -> TcpStream {
    use rustix::net::{AddressFamily, SocketAddrV4, SocketType, bind, connect, socket};
    let fd = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&fd, &SocketAddrV4::new([127, 0, 0, 2].into(), 0)).unwrap();
    connect(&fd, &SocketAddrV4::new([127, 0, 0, 1].into(), port)).unwrap();
    TcpStream::from(fd)
}

#[test]
fn no_data_connection_in_time_is_425_and_the_session_goes_on() {
    for way in Way::NATIVE {
        let site = Site::with_ann()
            .file("f", b"1")
            .key("timeouts", "data_connect = \"200ms\"");
        let server = way.start(site);
        let mut wire = way.ann(&server);
        wire.expect("EPSV", 229);
        let mut reply = wire.command("RETR f");
        if matches!(reply.code, 125 | 150) {
            reply = wire.reply();
        }
        assert_eq!(reply.code, 425, "{reply:?}");
        wire.expect("NOOP", 200);
        wire.expect_any("RETR f", &[425, 503]);
        assert_eq!(wire.fetch("RETR f"), b"1");
    }
}

#[test]
fn a_refused_transfer_leaves_its_data_connection_to_the_next() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"1"));
        let mut wire = way.ann(&server);
        let refused = [
            "RETR nope",
            "STOR nope/f",
            "LIST nope",
            "NLST nope",
            "MLSD nope",
        ];
        let port = wire.epsv();
        let data = wire.dial(port);
        for refused in refused {
            wire.expect(refused, 550);
            data.set_nonblocking(true).unwrap();
            let seen = (&data).read(&mut [0; 1]).unwrap_err();
            assert_eq!(seen.kind(), ErrorKind::WouldBlock, "{refused}: {seen}");
            data.set_nonblocking(false).unwrap();
        }
        wire.expect("CWD /", 250);
        wire.expect_any("NLST", &[125, 150]);
        assert_eq!(wire.guard(data).read_all(), b"f\r\n");
        wire.code(226);
        wire.expect("RETR f", 425);
    }
}

#[test]
fn no_port_stays_open_for_a_client_that_sleeps() {
    let kept = Kept::row(3);
    let [first, last] = [&kept[0], &kept[2]].map(|kept| kept.address.port());
    let site = Site::with_ann()
        .file("f", b"1")
        .key("passive", &format!("ports = \"{first}-{last}\""));
    let server = Way::NativePlain.start(site);
    let mut quick = server.ann();
    for _ in 0..50 {
        assert_eq!(quick.fetch("RETR f"), b"1");
    }
    for kept in &kept {
        wait::until("a closed port", || {
            TcpStream::connect(kept.address).is_err().then_some(())
        });
    }
    let mut others = [(); 3].map(|()| server.ann());
    for wire in &mut others {
        wire.expect("EPSV", 229);
    }
}

#[test]
fn many_small_transfers_over_eight_sessions_never_lack_a_port() {
    let site = Site::with_ann()
        .file("f", &[7; 4096])
        .key("passive", "ports = \"42200-42299\"");
    let server = Way::NativePlain.start(site);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut wire = server.ann();
                for _ in 0..375 {
                    assert_eq!(wire.fetch("RETR f").len(), 4096);
                }
            });
        }
    });
}
