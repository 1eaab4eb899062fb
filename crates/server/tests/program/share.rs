//! `ftpd share` from outside: who has what its screen says is let in.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{ChildStdout, Stdio},
};

use crate::{
    common::{Ended, ftpd, stdout},
    wire::Wire,
};

/// `ftpd share`.
struct Shared {
    child: Ended,
    out: BufReader<ChildStdout>,
    screen: String,
}

impl Shared {
    /// Shares `dir/share`; the certificate is kept beside it.
    fn start(dir: &std::path::Path, more: &[&str]) -> Self {
        fs::create_dir_all(dir.join("share")).unwrap();
        let mut command = ftpd();
        command
            .args(["share", "--listen", "127.0.0.1", "--no-mdns"])
            .args(more)
            .arg(dir.join("share"));
        command.env("XDG_CACHE_HOME", dir.join(".cache"));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut screen = String::new();
        while !screen.contains("Shared until") {
            assert_ne!(
                out.read_line(&mut screen).unwrap(),
                0,
                "ended early: {screen}"
            );
        }
        Self {
            child: Ended(child),
            out,
            screen,
        }
    }

    fn url(&self) -> &str {
        self.screen
            .split_whitespace()
            .rfind(|word| word.starts_with("ftp://"))
            .unwrap()
    }

    /// Logs in by the URL and sends commands; returns the code of each reply.
    fn ask(&self, commands: &[&str]) -> Vec<String> {
        let url = self.url()["ftp://".len()..].trim_end_matches('/');
        let (login, address) = url.split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let mut wire = Wire::to(address.parse().unwrap());
        let mut codes = vec![wire.reply()];
        let login = [format!("USER {user}"), format!("PASS {password}")];
        for command in login
            .iter()
            .map(String::as_str)
            .chain(commands.iter().copied())
        {
            wire.send(command);
            codes.push(wire.reply());
        }
        codes
            .iter()
            .map(|reply| reply.chars().take(3).collect())
            .collect()
    }
}

#[test]
fn a_share_lets_in_who_has_what_the_screen_says() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("share/a.txt");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "hello").unwrap();
    let shared = Shared::start(dir.path(), &["--name", "ann", "--read-only"]);
    assert!(
        shared.screen.lines().all(|line| line.chars().count() <= 80),
        "{}",
        shared.screen
    );
    assert_eq!(
        shared.ask(&["SIZE a.txt", "DELE a.txt"]),
        ["220", "331", "230", "213", "550"]
    );
    assert!(file.exists());
    let second = Shared::start(dir.path(), &[]);
    assert_ne!(
        second.url(),
        shared.url(),
        "another port and another passphrase"
    );
    let fingerprint = |screen: &str| screen.split("SHA-256:").nth(1).unwrap()[..80].to_owned();
    assert_eq!(
        fingerprint(&second.screen),
        fingerprint(&shared.screen),
        "clients know it again"
    );
}

#[test]
fn a_share_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut shared = Shared::start(dir.path(), &["--for", "1s"]);
    let mut rest = String::new();
    shared.out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "The share has ended.\n");
    assert!(shared.child.0.wait().unwrap().success());
}

#[test]
fn the_qr_code_is_the_url() {
    let Ok(found) = std::process::Command::new("zbarimg")
        .arg("--version")
        .output()
    else {
        assert!(
            std::env::var_os("FTP_REQUIRE_PEERS").is_none(),
            "zbarimg is required"
        );
        let _ = writeln!(std::io::stderr(), "SKIPPED: zbarimg is not installed");
        return;
    };
    assert!(found.status.success());
    let dir = tempfile::tempdir().unwrap();
    let shared = Shared::start(dir.path(), &[]);
    let rows: Vec<&str> = shared
        .screen
        .lines()
        .filter(|line| line.contains(['█', '▀', '▄']))
        .collect();
    let image = dir.path().join("qr.pgm");
    fs::write(&image, picture(&rows)).unwrap();
    let out = std::process::Command::new("zbarimg")
        .args(["--quiet", "--raw"])
        .arg(&image)
        .output()
        .unwrap();
    assert_eq!(stdout(&out).trim_end(), shared.url());
}

/// Draws half blocks as a grey picture: blocks are light, as on a dark terminal.
fn picture(rows: &[&str]) -> Vec<u8> {
    const SCALE: usize = 4;
    let width = rows[0].chars().count();
    let mut picture = format!("P5 {} {} 255\n", width * SCALE, rows.len() * 2 * SCALE).into_bytes();
    for row in rows {
        for light in [['█', '▀'], ['█', '▄']] {
            let line: Vec<u8> = row
                .chars()
                .flat_map(|c| [if light.contains(&c) { 255 } else { 0 }; SCALE])
                .collect();
            picture.extend(line.repeat(SCALE));
        }
    }
    picture
}
