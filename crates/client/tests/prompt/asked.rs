//! What is one question to the server, and what is said where it has no answer.

use crate::{fake::Fake, run, url};

fn words_of(server: Fake, script: &str, code: i32) -> String {
    let here = tempfile::tempdir().unwrap();
    let server = server.start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], script);
    assert_eq!(ran.status.code(), Some(code), "{ran:?}");
    let said = String::from_utf8(ran.stderr).unwrap();
    said.split_once("ready\n").unwrap().1.to_owned()
}

#[test]
fn what_the_server_does_not_tell_is_named() {
    let without = |verb, reply| Fake::default().file("/it's", "x").answers(verb, reply);
    assert_eq!(
        words_of(without("SIZE", "550 no"), "size \"it's\"\n", 6),
        "ftpc: the server does not tell the size of `/it's`\n"
    );
    assert_eq!(
        words_of(without("MDTM", "502 no"), "modtime \"it's\"\n", 6),
        "ftpc: the server does not tell the time of `/it's`\n"
    );
}

#[test]
fn a_mode_is_octal_digits_at_the_prompt_too() {
    for mode in ["+644", "77777", "u+x"] {
        assert_eq!(
            words_of(Fake::default(), &format!("chmod {mode} a\n"), 2),
            "ftpc: write an octal mode, as in 644\n"
        );
    }
}
