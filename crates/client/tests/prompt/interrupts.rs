//! Ctrl-C: it ends what waits, keeps what can go on, and belongs to who runs in front.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::Stdio,
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

use crate::{Begun, begin, fake::Fake, ftpc, run, url};

fn begin_quietly(here: &Path) -> Begun {
    let child = ftpc(here)
        .arg("shell")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Begun(Some(child))
}

pub(crate) fn press_ctrl_c(begun: &Begun) {
    let pid = rustix::process::Pid::from_child(begun.0.as_ref().unwrap());
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// Waits for the end of a program that waits for nobody, and ends it if it does.
pub(crate) fn code_of(mut begun: Begun) -> Option<i32> {
    let end = Instant::now() + Duration::from_secs(120);
    while Instant::now() < end {
        if let Some(status) = begun.child().try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

#[test]
fn ctrl_c_stops_an_append_by_a_reset() {
    let here = tempfile::tempdir().unwrap();
    let large = fs::File::create(here.path().join("large")).unwrap();
    large.set_len(64 << 30).unwrap();
    let (begun, wait) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let (begun, end) = (Mutex::new(begun), Mutex::new(end));
    let server = Fake::default()
        .hook(move |session, line| {
            if !line.starts_with("APPE") {
                return false;
            }
            session.say("150 send it");
            let mut data = session.data();
            data.read_exact(&mut [0; 1]).unwrap();
            begun.lock().unwrap().send(()).unwrap();
            let came = std::io::copy(&mut data, &mut std::io::sink());
            session.say("426 broken");
            end.lock().unwrap().send(came.is_err()).unwrap();
            true
        })
        .start();
    let child = begin(here.path(), &[&url(&server, "ann:x")], "append large\n");
    wait.recv().unwrap();
    press_ctrl_c(&child);
    let ran = child.output();
    assert_eq!(ran.status.code(), Some(130), "{ran:?}");
    assert!(ended.recv().unwrap(), "the end of the data was no reset");
}

#[test]
fn get_goes_on_where_ctrl_c_stopped_it() {
    let here = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let half = content.len() / 2;
    let server = Fake::default().file("/large", content.clone());
    let server = server
        .hook(move |session, line| {
            let first = line == "RETR /large" && session.rest == 0;
            if first {
                session.say("150 here it comes");
                let content = session.content("/large").unwrap();
                let mut data = session.data();
                data.write_all(&content[..half]).unwrap();
                // The rest never comes.
                let _ = data.read(&mut [0; 1]);
                session.hang_up();
            }
            first
        })
        .start();
    let url = url(&server, "ann:x");
    let child = begin(here.path(), &[&url], "get large\n");
    let part = here.path().join(".large.ftpc-part");
    let end = Instant::now() + Duration::from_secs(60);
    while fs::metadata(&part).map_or(0, |meta| meta.len()) < half as u64 {
        assert!(Instant::now() < end, "half of the file did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
    press_ctrl_c(&child);
    let ran = child.output();
    assert_eq!(ran.status.code(), Some(130), "{ran:?}");
    let ran = run(here.path(), &[&url], "get large\n");
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read(here.path().join("large")).unwrap(), content);
    let resumed = server.lines().iter().any(|line| line.starts_with("REST"));
    assert!(resumed, "{:?}", server.lines());
}

#[test]
fn a_script_that_does_not_end_is_left_at_the_first_ctrl_c() {
    let here = tempfile::tempdir().unwrap();
    let mut child = begin_quietly(here.path());
    let keys = child.child().stdin.take().unwrap();
    // Before that a signal ends the program without its doing.
    let status = format!("/proc/{}/status", child.child().id());
    let end = Instant::now() + Duration::from_secs(60);
    let catches_interrupts = || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        caught & 2 != 0
    };
    while !catches_interrupts() {
        assert!(Instant::now() < end, "no signal is waited for");
        std::thread::sleep(Duration::from_millis(5));
    }
    press_ctrl_c(&child);
    assert_eq!(code_of(child), Some(130));
    drop(keys);
}

#[test]
fn a_ctrl_c_for_a_program_of_a_line_is_not_the_prompts() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "12345").start();
    let url = url(&server, "ann:x");
    let script = "!kill -INT $PPID; kill -INT $PPID; touch done\nsize a\n";
    let ran = run(here.path(), &[&url], script);
    assert!(ran.status.success(), "{ran:?}");
    assert!(here.path().join("done").exists());
    assert_eq!(server.count("SIZE"), 1);
    // One that ends of it ends the script.
    let ran = run(here.path(), &[&url], "!kill -INT $$\nsize a\n");
    assert_eq!(ran.status.code(), Some(130), "{ran:?}");
    assert_eq!(server.count("SIZE"), 1);
}

#[test]
fn one_ctrl_c_ends_the_wait_for_a_silent_server() {
    // The command of the control connection that the server falls silent at, and who sends it.
    for (verb, args, script) in [
        ("MLSD", &["ls"][..], ""),
        ("MLSD", &["get", "-r"], ""),
        ("MLST", &["mkdir"], ""),
        ("MLSD", &["shell"], "ls\npwd\n"),
        ("CWD", &["shell"], "cd d\npwd\n"),
        ("CWD", &["shell"], ""),
        ("SIZE", &["shell"], "size a\npwd\n"),
        ("APPE", &["shell"], "append f\npwd\n"),
        ("MLST", &["get"], ""),
        ("MLST", &["put", "f"], ""),
        ("MLST", &["sync", "."], ""),
        ("SIZE", &["get", "-o", "-"], ""),
        ("RETR", &["get"], ""),
        ("STOR", &["put", "f"], ""),
        ("HASH", &["sync", "--checksum", "."], ""),
        ("MKD", &["put", "-r", "."], ""),
    ] {
        let here = tempfile::tempdir().unwrap();
        fs::write(here.path().join("f"), "12345").unwrap();
        let (begun, wait) = mpsc::channel();
        let begun = Mutex::new(begun);
        let fake = Fake::default().file("/d/a", "12345").file("/d/f", "12345");
        let server = fake
            .feat(&["MLST type*;size*;modify*;", "SIZE", "HASH SHA-256*"])
            .hook(move |session, line| {
                line.starts_with(verb) && line != "CWD /" && {
                    begun.lock().unwrap().send(()).unwrap();
                    session.wait();
                    true
                }
            })
            .start();
        let path = match (script, verb) {
            ("", "RETR" | "SIZE") => "/d/a",
            ("", _) => "/d",
            _ => "",
        };
        let url = format!("{}{path}", url(&server, "ann:x"));
        let child = ftpc(here.path())
            .args(["--timeout", "30m"])
            .args(args)
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut child = Begun(Some(child));
        let keys = child.child().stdin.take();
        let keys = keys.unwrap().write_all(script.as_bytes());
        keys.unwrap();
        let reached = wait.recv_timeout(Duration::from_secs(60));
        assert!(reached.is_ok(), "{args:?} {script:?}: {:?}", server.lines());
        press_ctrl_c(&child);
        assert_eq!(code_of(child), Some(130), "{args:?} {script:?}");
    }
}

#[test]
fn ctrl_c_stops_a_line_whose_answer_does_not_come() {
    for (line, verb) in [
        ("quote SITE WAIT", "SITE"),
        ("cd far", "CWD"),
        ("ls far", "MLST"),
        ("rename a b", "RNFR"),
    ] {
        let here = tempfile::tempdir().unwrap();
        let (begun, wait) = mpsc::channel();
        let begun = Mutex::new(begun);
        let server = Fake::default()
            .hook(move |_, said| {
                let silent = said.starts_with(verb);
                if silent {
                    begun.lock().unwrap().send(()).unwrap();
                }
                silent
            })
            .start();
        let child = begin(here.path(), &[&url(&server, "ann:x")], line);
        wait.recv().unwrap();
        press_ctrl_c(&child);
        let ran = child.output();
        assert_eq!(ran.status.code(), Some(130), "{line}: {ran:?}");
    }
}
