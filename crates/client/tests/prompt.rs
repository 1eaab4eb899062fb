//! The `ftp>` prompt as a script, and what is printed: the real program, with servers that are not
//! our own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

mod fake;

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

use fake::{Fake, Running};

/// A program that ends with its test, also when that fails.
struct Begun(Option<Child>);

impl Begun {
    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    fn output(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Begins a script in a directory of its own.
fn begin(here: &Path, args: &[&str], script: &str) -> Begun {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ftpc"))
        .args(["shell", "-k"])
        .args(args)
        .env_clear()
        .env("HOME", here)
        .current_dir(here)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(script.as_bytes()).unwrap();
    Begun(Some(child))
}

fn run(here: &Path, args: &[&str], script: &str) -> Output {
    begin(here, args, script).output()
}

fn url(server: &Running, user: &str) -> String {
    format!("ftp://{user}@{}/", server.address)
}

#[test]
fn whom_user_named_is_not_told_to_the_next_server() {
    let here = tempfile::tempdir().unwrap();
    let (first, second) = (Fake::default().start(), Fake::default().start());
    let (host, other) = (first.address, second.address);
    let bob = url(&second, "bob:his");
    let script = format!(
        "open {host}\nuser ann hunter2\npwd\nopen {other}\nopen {bob}\nuser ann hunter3\npwd\n"
    );
    let ran = run(here.path(), &[], &script);
    assert!(ran.status.success(), "{ran:?}");
    assert!(first.lines().contains(&"PASS hunter2".to_owned()));
    let told: Vec<_> = second
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("USER") || line.starts_with("PASS"))
        .collect();
    // The third `open` leaves the login to the line behind it.
    assert_eq!(
        told,
        ["USER anonymous", "PASS ftpc@", "USER ann", "PASS hunter3"]
    );
}

#[test]
fn a_directory_that_is_not_there_costs_no_session() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .hook(|session, line| {
            let refused = line == "CWD /none";
            if refused {
                session.say("550 none");
            }
            refused
        })
        .start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "cd none\npwd\nls\n");
    assert_eq!(ran.status.code(), Some(6), "{ran:?}");
    assert_eq!(server.count("USER"), 1, "{:?}", server.lines());
}

#[test]
fn paths_begin_as_the_server_says() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default()
        .file("C:/share/a", "12345")
        .hook(|session, line| {
            let asked = line == "PWD";
            if asked {
                session.say("257 \"C:/share\" is here");
            }
            asked
        })
        .start();
    let ran = run(
        here.path(),
        &[&url(&server, "ann:x")],
        "ls\nget a\nput a b\n",
    );
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(ran.stdout, b"a\n");
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"12345");
    assert_eq!(server.content("C:/share/b").unwrap(), b"12345");
}

#[test]
fn what_cannot_be_read_is_not_appended() {
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("dir")).unwrap();
    let server = Fake::default().start();
    let ran = run(here.path(), &[&url(&server, "ann:x")], "append dir\n");
    assert_eq!(ran.status.code(), Some(7), "{ran:?}");
    assert_eq!(server.count("APPE"), 0, "{:?}", server.lines());
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
fn what_quote_has_set_changes_no_file() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "1\n2\n").start();
    let script =
        "quote TYPE A\nquote REST 2\nget a\nquote TYPE A\nput a b\nquote TYPE I\nget a c\n";
    let ran = run(here.path(), &[&url(&server, "ann:x")], script);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"1\n2\n");
    let lines = server.lines();
    let told: Vec<_> = lines
        .iter()
        .map(String::as_str)
        .filter(|line| {
            ["TYPE", "REST", "RETR", "RNTO"]
                .iter()
                .any(|verb| line.starts_with(verb))
        })
        .collect();
    let want = [
        "TYPE I", "TYPE A", "REST 2", "REST 0", "TYPE I", "RETR /a", "TYPE A", "TYPE I", "RNTO /b",
        "TYPE I", "RETR /a",
    ];
    assert_eq!(told, want);
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

fn begin_quietly(here: &Path) -> Begun {
    let child = Command::new(env!("CARGO_BIN_EXE_ftpc"))
        .arg("shell")
        .env_clear()
        .env("HOME", here)
        .current_dir(here)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Begun(Some(child))
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

fn press_ctrl_c(begun: &Begun) {
    let pid = rustix::process::Pid::from_child(begun.0.as_ref().unwrap());
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// Waits for the end of a program that waits for nobody, and ends it if it does.
fn code_of(mut begun: Begun) -> Option<i32> {
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
fn one_ctrl_c_ends_the_wait_for_a_silent_server() {
    // The command of the control connection that the server falls silent at, and who sends it.
    for (verb, args, script) in [
        ("MLSD", &["ls"][..], ""),
        ("MLSD", &["get", "-r"], ""),
        ("MLST", &["mkdir"], ""),
        ("MLSD", &["shell"], "ls\npwd\n"),
        ("CWD", &["shell"], "cd d\npwd\n"),
        ("SIZE", &["shell"], "size a\npwd\n"),
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
        let child = Command::new(env!("CARGO_BIN_EXE_ftpc"))
            .args(["--timeout", "30m"])
            .args(args)
            .arg(url)
            .env_clear()
            .env("HOME", here.path())
            .current_dir(here.path())
            .stdin(Stdio::piped())
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

#[test]
fn an_answer_that_is_lost_is_an_error() {
    let here = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", "12345").start();
    for json in [&[][..], &["--json"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let ran = Command::new(env!("CARGO_BIN_EXE_ftpc"))
            .args(["ls", &url(&server, "ann:x")])
            .args(json)
            .env_clear()
            .env("HOME", here.path())
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(7), "{ran:?}");
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(
            said.ends_with("write local `-`: no space left on device\n"),
            "{said}"
        );
    }
}
