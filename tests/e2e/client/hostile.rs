//! Servers that mean harm, met by the program: a clear error, its code, and nothing outside the
//! target directory.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use harness::{Ran, client::Ftpc, ftpc};

use super::{
    fake::{Fake, Running},
    names,
};

/// A directory with a target in it, so that what is written beside the target is seen.
struct Here {
    dir: tempfile::TempDir,
    server: Running,
}

impl Here {
    fn new(fake: Fake) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("target")).unwrap();
        Self {
            dir,
            server: fake.start(),
        }
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn run(&self, command: &[&str], path: &str) -> Ftpc {
        let url = format!("ftp://ann@{}//{path}", self.server.address);
        ftpc(&self.target())
            .env("HOME", self.dir.path())
            .args(["--tls", "off"])
            .args(command)
            .args([url])
    }

    /// Only these are in the target, and the target is all there is.
    #[track_caller]
    fn holds(&self, wanted: &[&str], ran: &Ran) {
        assert_eq!(names(&self.target()), wanted, "{}", ran.stderr);
        let beside = names(self.dir.path());
        let beside = beside.iter().filter(|name| !name.starts_with("target"));
        assert_eq!(beside.count(), 0, "something lies beside the target");
        let raw = ran.stderr.chars().any(|c| c.is_control() && c != '\n');
        assert!(
            !raw,
            "a control character reached the terminal: {:?}",
            ran.stderr
        );
    }
}

/// Answers MLSD of `/t` with these lines.
fn listing(lines: &'static [u8]) -> Fake {
    Fake::default()
        .file("/t/good", "good")
        .hook(move |session, line| {
            if line != "MLSD /t" {
                return false;
            }
            session.say("150 here");
            let mut data = session.data();
            let _ = data.write_all(lines);
            drop(data);
            session.say("226 done");
            true
        })
}

#[test]
fn names_that_lead_elsewhere_are_refused_and_told() {
    let here = Here::new(listing(
        b"type=file;size=4;modify=20240102030405; good\r\n\
          type=file;size=4; ../evil\r\n\
          type=file;size=4; /etc/evil\r\n\
          type=dir; ..\r\n\
          type=file;size=4; a/b\r\n\
          type=file;size=4; \x1b]0;owned\x07\x1b[2J\r\n",
    ));
    for command in [&["get", "-r"][..], &["-q", "get", "-r", "--force"]] {
        let ran = here.run(command, "t").code(1);
        ran.says("left out `../evil`").says("left out `a/b`");
        here.holds(&["t", "t/good"], &ran);
    }
    let url = format!("ftp://ann@{}//t", here.server.address);
    let ran = ftpc(&here.target()).env("HOME", here.dir.path());
    let ran = ran.args(["--tls", "off", "sync", &url, "t"]).code(1);
    here.holds(&["t", "t/good"], &ran);
    let shown = here.run(&["ls"], "t").success();
    assert!(!shown.text().contains('\u{1b}'), "{:?}", shown.text());
}

#[test]
fn a_listing_without_end_is_cut_off() {
    let fake = Fake::default().hook(|session, line| {
        if !line.starts_with("MLSD") {
            return false;
        }
        session.say("150 here");
        let mut data = session.data();
        let block = b"type=dir; a\r\n".repeat(10_000);
        while data.write_all(&block).is_ok() {}
        true
    });
    let here = Here::new(fake);
    let ran = here.run(&["ls"], "").code(3);
    ran.says("MLSD: the server sent more than 1000000 entries");
}

#[test]
fn a_226_without_the_bytes_is_no_file() {
    let tries = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&tries);
    let fake = Fake::default()
        .file("/f", vec![7; 100_000])
        .hook(move |session, line| {
            if !line.starts_with("RETR") {
                return false;
            }
            count.fetch_add(1, Ordering::SeqCst);
            session.say("150 here it comes");
            drop(session.data());
            session.say("226 done");
            true
        });
    let here = Here::new(fake);
    let ran = here.run(&["get"], "f").code(6);
    ran.says("`/f` has 100000 bytes, 0 arrived");
    here.holds(&[], &ran);
    assert!(tries.load(Ordering::SeqCst) < 10, "tried without end");
}

#[test]
fn silence_is_given_up() {
    let greeting = Here::new(Fake::default().greeting(b""));
    let ran = greeting.run(&["--timeout", "300ms", "ls"], "").code(3);
    ran.says("while waiting for the greeting");
    let reply = Here::new(Fake::default().hook(|session, line| {
        let silent = line.starts_with("MLSD");
        if silent {
            session.wait();
        }
        silent
    }));
    let ran = reply.run(&["--timeout", "2s", "ls"], "").code(3);
    ran.says("no answer for");
}

#[test]
fn a_stranger_and_an_early_close_are_told() {
    let web = Here::new(Fake::default().greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    web.run(&["ls"], "").code(3).says("does not speak FTP");
    let close = Here::new(Fake::default().hook(|session, line| {
        let closes = line.starts_with("PASS");
        if closes {
            session.hang_up();
        }
        closes
    }));
    close.run(&["ls"], "").code(3).says("login");
}

#[test]
fn the_address_in_a_227_is_not_dialled() {
    let fake = Fake::default()
        .file("/f", "bytes")
        .hook(|session, line| match line {
            "EPSV" => {
                session.say("500 what?");
                true
            }
            "PASV" => {
                let port = session.listen();
                session.say(&format!("227 ok (192,0,2,1,{},{})", port >> 8, port & 255));
                true
            }
            _ => false,
        });
    let here = Here::new(fake);
    let ran = here.run(&["get"], "f").success();
    here.holds(&["f"], &ran);
}

/// What a server says is shown, never obeyed by the terminal.
#[test]
fn replies_are_shown_escaped() {
    let here = Here::new(Fake::default().hook(|session, line| {
        let refuses = line.starts_with("MLST") || line.starts_with("MLSD");
        if refuses {
            session.raw(b"550 \x1b[31mno\x1b[0m \x07 such\r\n");
        }
        refuses
    }));
    let ran = here.run(&["-v", "ls"], "d").code(6);
    here.holds(&[], &ran);
}
