//! With `prompt` on, on a terminal: what is asked, and what the answers do.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    path::Path,
    sync::{Mutex, mpsc},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    Begun,
    fake::{Fake, Running},
    ftpc,
    interrupts::{code_of, press_ctrl_c},
    url,
};

/// The prompt on a terminal, and its other side.
pub(super) fn at_a_terminal(here: &Path, server: &Running) -> (Begun, File) {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let side = |fd: &OwnedFd| fd.try_clone().unwrap();
    let child = ftpc(here)
        .args(["shell", "--timeout", "30m", &url(server, "ann:x")])
        .stdin(side(&terminal.slave))
        .stdout(side(&terminal.slave))
        .stderr(terminal.slave)
        .spawn()
        .unwrap();
    (Begun(Some(child)), File::from(terminal.master))
}

/// Reads what the terminal shows until these words come, one behind the other.
pub(super) fn wait_for_all(keys: &mut File, words: &[&str]) {
    let (mut shown, mut block) = (Vec::new(), [0; 1024]);
    let limit = Timespec::try_from(Duration::from_secs(60)).unwrap();
    let behind = |text: &str| {
        let mut rest = Some(text);
        for word in words {
            rest = rest.and_then(|rest| Some(rest.split_once(word)?.1));
        }
        rest.is_some()
    };
    while !behind(&String::from_utf8_lossy(&shown)) {
        let came = poll(&mut [PollFd::new(keys, PollFlags::IN)], Some(&limit));
        let text = String::from_utf8_lossy(&shown);
        assert_eq!(came, Ok(1), "no {words:?} in {text}");
        let count = keys.read(&mut block).unwrap();
        shown.extend_from_slice(&block[..count]);
    }
}

fn wait_for(keys: &mut File, words: &str) {
    wait_for_all(keys, &[words]);
}

/// Turns the questions on and asks for a removal.
fn ask_for_removal(keys: &mut File) {
    for line in ["prompt on\r", "mdelete *.log\r"] {
        wait_for(keys, ":/> ");
        type_keys(keys, line);
    }
}

/// Leaves once the prompt is there again.
fn leave(mut keys: File, child: Begun, server: &Running) {
    wait_for(&mut keys, ":/> ");
    type_keys(&mut keys, "bye\r");
    assert_eq!(code_of(child), Some(0), "{:?}", server.lines());
}

pub(super) fn type_keys(keys: &mut File, text: &str) {
    keys.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_no_keeps_what_another_name_would_match_as_a_pattern() {
    for is_gone in [false, true] {
        let here = tempfile::tempdir().unwrap();
        let fake = Fake::default().file("/x[1].log", "1").file("/x1.log", "2");
        let server = fake
            .hook(move |session, line| {
                line == "MLST /x[1].log" && {
                    if is_gone {
                        session.files.lock().unwrap().remove("/x[1].log");
                    }
                    session.say("550 none");
                    true
                }
            })
            .start();
        let (child, mut keys) = at_a_terminal(here.path(), &server);
        ask_for_removal(&mut keys);
        for (name, answer) in [("x1.log", "no\r"), ("x[1].log", "yes\r")] {
            wait_for(&mut keys, &format!("/{name} (yes/no) "));
            type_keys(&mut keys, answer);
        }
        leave(keys, child, &server);
        assert_eq!(server.names(), ["/x1.log"], "{:?}", server.lines());
    }
}

#[test]
fn ctrl_c_stops_the_look_before_the_questions() {
    let here = tempfile::tempdir().unwrap();
    let (begun, wait) = mpsc::channel();
    let begun = Mutex::new(begun);
    let server = Fake::default()
        .hook(move |session, line| {
            line.starts_with("MLST") && {
                begun.lock().unwrap().send(()).unwrap();
                session.wait();
                true
            }
        })
        .start();
    let (child, mut keys) = at_a_terminal(here.path(), &server);
    ask_for_removal(&mut keys);
    let reached = wait.recv_timeout(Duration::from_secs(60));
    assert!(reached.is_ok(), "{:?}", server.lines());
    press_ctrl_c(&child);
    leave(keys, child, &server);
}
