//! Servers that are started anew while a run goes on, and know nobody at first.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::{
    fake::{Fake, Running},
    says,
};

/// A server that breaks the first session off in its download, and refuses these logins.
fn restarting(refuses: fn(usize) -> bool) -> Running {
    let (logins, broke) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let fake = Fake::default().file("a", "content");
    let restarting = fake.hook(move |session, line| match line.split(' ').next() {
        Some("PASS") if refuses(logins.fetch_add(1, Ordering::SeqCst)) => {
            session.say("530 Login incorrect.");
            true
        }
        Some("RETR") if broke.fetch_add(1, Ordering::SeqCst) == 0 => {
            session.hang_up();
            true
        }
        _ => false,
    });
    restarting.start()
}

#[test]
fn a_password_that_was_right_a_moment_ago_is_tried_again() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let server = restarting(|login| login == 1);
    says(here, &server, &["get", "@/a", "."], 0, "");
    assert_eq!(fs::read(here.join("a")).unwrap(), b"content");
    assert_eq!(server.count("PASS"), 3);

    // One that never was ends the run at once.
    let server = restarting(|_| true);
    says(
        here,
        &server,
        &["get", "@/a", "b"],
        4,
        "530 Login incorrect",
    );
    assert_eq!(server.count("PASS"), 1);
}
