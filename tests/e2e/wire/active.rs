//! The active side: to the client's own address only.

use std::io::Read as _;

use super::Way;
use harness::Site;

#[test]
fn port_and_eprt_reach_the_client() {
    {
        let way = Way::NativePlain;
        let server = way.start(Site::with_ann().file("f", b"active"));
        let mut wire = way.ann(&server);
        let listener = wire.active();
        wire.expect_any("RETR f", &[125, 150]);
        let mut bytes = Vec::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_end(&mut bytes)
            .unwrap();
        assert_eq!(bytes, b"active");
        wire.code(226);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        wire.expect(&format!("EPRT |1|127.0.0.1|{port}|"), 200);
        wire.expect_any("NLST", &[125, 150]);
        let mut text = String::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text.trim(), "f");
        wire.code(226);
    }
}

#[test]
fn nobody_else_is_connected_to() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        // Another address, a privileged port, nonsense: refused before anything is dialled.
        for refused in [
            "PORT 127,0,0,9,200,200",
            "PORT 127,0,0,1,0,25",
            "EPRT |1|127.0.0.9|50000|",
            "EPRT |1|127.0.0.1|80|",
            "EPRT |2|::9|50000|",
            "PORT 127,0,0,1,999,1",
        ] {
            let code = wire.command(refused).code;
            assert!((500..=522).contains(&code), "{refused}: {code}");
        }
    }
}

#[test]
fn active_mode_can_be_turned_off() {
    let server = Way::NativePlain.start(Site::with_ann().key("active", "enabled = false"));
    let code = server.ann().command("PORT 127,0,0,1,200,200").code;
    assert!((500..=522).contains(&code), "{code}");
}
