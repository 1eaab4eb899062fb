//! A sequence of `quote` on a terminal: nothing of the prompt's own comes between its commands.

use std::{thread, time::Duration};

use crate::{
    fake::Fake,
    interrupts::code_of,
    questions::{at_a_terminal, type_keys, wait_for_all},
};

/// Longer than the names for completion are believed, and than an idle session is not asked about.
const LONG: Duration = Duration::from_millis(5100);

#[test]
fn no_listing_for_completion_comes_between_two_lines_of_quote() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "1").start();
    let (child, mut keys) = at_a_terminal(here.path(), &server);
    wait_for_all(&mut keys, &[":/> "]);
    let mut say = |line: &str, reply: &str| {
        type_keys(&mut keys, &format!("{line}\r"));
        wait_for_all(&mut keys, &[reply, ":/> "]);
    };
    thread::sleep(LONG);
    say("quote RNFR /a", "350 ");
    thread::sleep(LONG);
    say("quote RNTO /b", "250 ");
    let lines = server.lines();
    let at = lines.iter().position(|line| line == "RNFR /a").unwrap();
    let behind = lines[at + 1..].iter().map(String::as_str);
    let is_listing = |line: &str| line.starts_with("MLSD") || line.starts_with("LIST");
    let behind: Vec<_> = behind.filter(|line| !line.starts_with("EPSV")).collect();
    assert_eq!(behind[0], "RNTO /b", "{lines:?}");
    // As ever, once the sequence is at its end.
    assert!(behind[1..].iter().any(|line| is_listing(line)), "{lines:?}");

    let listings = || {
        server
            .lines()
            .iter()
            .filter(|line| is_listing(line))
            .count()
    };
    let before = listings();
    say("quote USER bob", "331 ");
    // What may change names asks for them at the next prompt.
    say("mkdir c", "mkdir c");
    say("quote USER bob", "331 ");
    assert_eq!(listings(), before, "{:?}", server.lines());
    say("quote PASS x", "230 ");
    assert_eq!(listings(), before + 1, "{:?}", server.lines());
    type_keys(&mut keys, "bye\r");
    assert_eq!(code_of(child), Some(0), "{:?}", server.lines());
}
