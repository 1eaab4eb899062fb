//! What `doctor` finds at a server that does a part only.

use std::{net::TcpListener, sync::atomic::Ordering};

use crate::{fake::Fake, ftpc, says};

#[test]
fn doctor_needs_one_connection() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("d/", "")
        .hook(|session, line| {
            line.starts_with("USER") && session.open.load(Ordering::SeqCst) > 1 && {
                session.leave();
                session.say("421 Too many users");
                session.hang_up();
                true
            }
        })
        .start();
    says(temp.path(), &server, &["doctor", "@/d"], 0, "");
    assert_eq!(server.count("USER"), 1);
}

#[test]
fn doctor_says_that_data_does_not_get_through() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("d/", "")
        .hook(|session, line| {
            line == "EPSV" && {
                // Nobody listens there any more.
                let closed = TcpListener::bind("127.0.0.1:0").unwrap();
                let port = closed.local_addr().unwrap().port();
                drop(closed);
                session.say(&format!("229 ok (|||{port}|)"));
                true
            }
        })
        .start();
    let out = ftpc(temp.path(), &server, &["doctor", "@/d"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("!!  data"), "{said}");
    assert!(
        said.contains("-> open the server's passive ports"),
        "{said}"
    );
    assert!(!said.contains("OK  data"), "{said}");
    assert_eq!(server.count("STOR"), 0, "nothing more is tried");
}
