//! The tutorial's recipe for vsftpd, step by step, as it must go here: no step fails.

use std::{fs, os::unix::fs::PermissionsExt as _};

use harness::{Site, client::sample, ftpc};

#[test]
fn the_recipe_works_with_no_extra_setting() {
    // A share, a list of allowed users, a writable root.
    let site = Site::new()
        .user("ann", "read-write")
        .user("bob", "read-write")
        .user("eve", "read-write")
        .key("auth", "allow_users = [\"ann\", \"bob\"]");
    fs::set_permissions(site.share(), fs::Permissions::from_mode(0o777)).unwrap();
    let server = site.start();
    let here = tempfile::tempdir().unwrap();
    let somefile = sample(here.path(), "somefile", 100_000);

    // User A is on the list and logs in, although the root is writable.
    let mut ann = server.ann();
    // User B is not on the list: refused, and the log says why.
    let mut eve = server.wire();
    eve.expect("USER eve", 331);
    eve.expect("PASS secret", 530);
    server.wait_for_log("not on the allow-list");
    // `put somefile` right after login.
    ftpc(here.path())
        .args(["put", "somefile", &server.url("/")])
        .success();
    // Another user reads the file.
    let mode = fs::metadata(server.site.disk("somefile"))
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o644, "{mode:o}");
    let url = server.url("/somefile").replace("ann@", "bob@");
    ftpc(here.path()).args(["get", &url, "other"]).success();
    assert_eq!(
        fs::read(here.path().join("other")).unwrap(),
        fs::read(somefile).unwrap()
    );
    // And nobody is un-jailed.
    assert!(
        !ann.list("LIST /etc/..")
            .iter()
            .any(|line| line.ends_with(" etc"))
    );
}

#[test]
fn the_shipped_configuration_serves_put_and_get_of_the_default_site() {
    let here = tempfile::tempdir().unwrap();
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/ftp.toml");
    let text = fs::read_to_string(shipped).unwrap();
    fs::create_dir(here.path().join("config")).unwrap();
    let config = here.path().join("config/ftp.toml");
    let on = |port: u16| {
        text.replacen(
            "#listen = [\"127.0.0.1:2121\"]",
            &format!("listen = [\"127.0.0.1:{port}\"]"),
            1,
        )
        .replace("127.0.0.1:2121/", &format!("127.0.0.1:{port}/"))
    };
    fs::write(&config, on(0)).unwrap();
    let (_server, port) = start(here.path());
    fs::write(&config, on(port)).unwrap();
    let somefile = sample(here.path(), "somefile", 300_000);
    let run = |args: &[&str]| {
        ftpc(here.path())
            .without("FTPC_PASSWORD")
            .args(args)
            .success()
    };
    run(&["put", "somefile"]);
    run(&["get", "somefile", "other"]);
    assert_eq!(
        fs::read(here.path().join("other")).unwrap(),
        fs::read(somefile).unwrap()
    );
    let stored = here.path().join("share/somefile");
    assert_eq!(
        fs::metadata(stored).unwrap().permissions().mode() & 0o777,
        0o644
    );
}

/// Ends the server with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(dir: &std::path::Path) -> (Ended, u16) {
    use std::io::BufRead as _;
    let mut child = std::process::Command::new(harness::programs::program("ftpd"))
        .current_dir(dir)
        .args(["--config", "config/ftp.toml"])
        .env("XDG_RUNTIME_DIR", dir)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .strip_prefix("ftpd: ready on ")
        .and_then(|rest| rest.split(',').next());
    let address: std::net::SocketAddr =
        address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
    (Ended(child), address.port())
}
