//! Who may log in: allow-list, deny-list, list file; and that nobody gets above the share.

use std::{fs, os::unix::fs::symlink};

use harness::{Site, Wire, site::Engine};

fn login(wire: &mut Wire, user: &str, password: &str) -> (u16, String) {
    wire.command(&format!("USER {user}"));
    let reply = wire.command(&format!("PASS {password}"));
    (reply.code, reply.text())
}

#[test]
fn deny_beats_allow_and_every_refusal_has_the_same_words() {
    let server = Site::new()
        .user("ann", "read-write")
        .user("bob", "read-write")
        .user("eve", "read-write")
        .key("auth", "allow_users = [\"ann\", \"bob\"]")
        .key("auth", "deny_users = [\"bob\"]")
        .start();
    let mut words = Vec::new();
    // A row a case: user, password, what the log says.
    for (user, password, reason) in [
        ("eve", "secret", "not on the allow-list"),
        ("bob", "secret", "deny"),
        ("ann", "wrong", "wrong password"),
    ] {
        let (code, text) = login(&mut server.wire(), user, password);
        assert_eq!(code, 530, "{user}");
        words.push(text);
        server.wait_for_log(reason);
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    assert_eq!(login(&mut server.wire(), "ann", "secret").0, 230);
}

#[test]
fn a_list_file_in_vsftpds_form_is_an_allow_list() {
    let site = Site::new()
        .user("ann", "read-write")
        .user("eve", "read-write")
        .key("auth", "allow_users_file = \"list\"");
    fs::write(site.path().join("config/list"), "# who\nann\n").unwrap();
    let server = site.start();
    assert_eq!(login(&mut server.wire(), "ann", "secret").0, 230);
    assert_eq!(login(&mut server.wire(), "eve", "secret").0, 530);
}

#[test]
fn nothing_outside_the_share_is_read_listed_written_or_made() {
    for engine in [Engine::Native, Engine::Libunftp] {
        let site = Site::with_ann().engine(engine).file("in", b"inside");
        let outside = site.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "secret bytes").unwrap();
        symlink("/etc", site.disk("etc")).unwrap();
        symlink("../outside", site.disk("up")).unwrap();
        symlink("../outside/secret", site.disk("leak")).unwrap();
        let server = site.start();
        let mut ann = server.ann();
        ann.expect("TYPE I", 200);
        for climb in ["CWD ..", "CWD ../../..", "CDUP"] {
            ann.command(climb);
            let text = ann.command("PWD").text();
            // libunftp shows the path as it was typed; what it lists is still the share's root.
            assert!(
                engine == Engine::Libunftp || text.contains("\"/\""),
                "{climb}: {text}"
            );
            assert!(
                ann.list("NLST").contains(&"in".to_owned()),
                "{engine:?} {climb}"
            );
        }
        for refused in [
            "CWD etc",
            "CWD up",
            "CWD /etc/ssl",
            "SIZE leak",
            "SIZE etc/passwd",
            "DELE up/secret",
            "MKD up/made",
            "RMD up",
            "RNFR up/secret",
            "MKD ../../made/x",
        ] {
            let code = ann.command(refused).code;
            assert!(code >= 500, "{engine:?} {refused}: {code}");
        }
        for path in [
            "leak",
            "etc/passwd",
            "../../../etc/passwd",
            "/etc/passwd",
            "up/secret",
        ] {
            refused_transfer(&mut ann, &format!("RETR {path}"), b"");
            refused_transfer(&mut ann, &format!("STOR {path}"), b"overwritten");
        }
        for path in ["etc", "up"] {
            refused_transfer(&mut ann, &format!("NLST {path}"), b"");
        }
        assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret bytes");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert!(!server.site.path().join("made").exists());
        assert!(!server.site.share().parent().unwrap().join("etc").exists());
    }
}

/// The data connection may be opened; no byte may come, and the end must be a refusal.
fn refused_transfer(wire: &mut Wire, command: &str, bytes: &[u8]) {
    let data = wire.passive();
    let mut reply = wire.command(command);
    if matches!(reply.code, 125 | 150) {
        if bytes.is_empty() {
            let got = wire.guard(data).read_all();
            assert!(
                got.is_empty(),
                "{command}: {}",
                String::from_utf8_lossy(&got)
            );
        } else {
            // The server may have closed already; what it says at the end is what counts.
            use std::io::Write as _;
            let mut data = data;
            let _ = data.write_all(bytes);
        }
        reply = wire.reply();
    }
    assert!(reply.code >= 425, "{command}: {}", reply.text());
}
