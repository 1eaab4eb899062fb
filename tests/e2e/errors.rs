//! Every failure: one clear sentence, its exit code, and no half file under the final name.

use std::{fs, net::TcpListener, process::Command};

use harness::{Site, client::sample, foreign, ftpc, port::Kept, server::command};

#[test]
fn the_clients_failures_have_their_codes_and_words() {
    let server = Site::new()
        .user("ann", "read-write")
        .user("ro", "read-only")
        .file("f", b"x")
        .start();
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "local", 1000);
    let closed = Kept::new();
    let url = server.url("/");
    let ro = url.replace("ann@", "ro@");
    let dead = format!("ftp://ann@{}/", closed.address);
    // Arguments, exit code, words.
    let table: [(&[&str], i32, &str); 8] = [
        (
            &["put", "nothere", &url],
            7,
            "open local `nothere`: no such file",
        ),
        (&["get", &format!("{url}nothere")], 6, "no such file"),
        (&["put", "local", &dead], 3, "connection refused"),
        (
            &["put", "local", "ftp://ann@no.such.host.invalid/"],
            3,
            "resolve `no.such.host.invalid`",
        ),
        (&["put", "local", &ro], 6, "right `write`"),
        (&["put", "local", "ftp://h:x/"], 2, "port is not a number"),
        (&["put", "local"], 2, "no default site"),
        (&["get", &url], 2, "is a directory"),
    ];
    for (args, code, words) in table {
        let ran = ftpc(here.path()).args(args).code(code);
        ran.says(words);
        assert!(
            ran.stderr.lines().count() <= 2,
            "{args:?} says more than a sentence: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("os error"), "{}", ran.stderr);
    }
    let there = ftpc(here.path()).args(["mkdir", &format!("{url}f")]);
    let there = there.code(6);
    there.says("`f` is there already").says("`ftpc mkdir -p`");
    let implicit = ftpc(here.path()).args(["ls", &url, "--tls", "implicit"]);
    let implicit = implicit.run();
    implicit.says("hint: that port does not speak TLS from the first byte");
    let wrong = ftpc(here.path())
        .env("FTPC_PASSWORD", "wrong")
        .args(["ls", &url])
        .code(4);
    wrong.says("login as `ann`: 530");
    assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 1);
}

#[test]
fn a_mistyped_site_sends_nothing_to_another_server() {
    let server = Site::with_ann().file("a:b", b"there").start();
    let here = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let config = format!("[client]\nsite = \"nas\"\n[site.nas]\nurl = \"{url}\"\n");
    fs::write(here.path().join("ftp.toml"), config).unwrap();
    fs::write(here.path().join("f"), "secret").unwrap();
    fs::create_dir(here.path().join("dir")).unwrap();
    let run = |args: &[&str]| {
        ftpc(here.path())
            .args(["--config", "ftp.toml"])
            .args(args)
            .run()
    };
    for args in [
        &["put", "f", "naas:docs/"][..],
        &["ls", "naas:"],
        &["get", "naas:f"],
        &["get", "nas:a:b", "out:x"],
        &["rm", "naas:f"],
        &["sync", "dir", "naas:docs"],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        ran.says("no site `");
        match args.contains(&"out:x") {
            true => ran.says("a table `[site.out]` in ftp.toml makes one; write `./out:x`"),
            false => ran.says("did you mean `nas`? Write `./"),
        };
    }
    run(&["ls", "naas:docs"]).says("did you mean `nas`? Write `./naas:docs` for a path");
    assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 1);

    // A path is one when it says so, and a local name when it is there.
    assert_eq!(run(&["cat", "./a:b"]).stdout, b"there");
    assert_eq!(run(&["get", "./a:b", "./c:d"]).code, 0);
    assert_eq!(run(&["put", "c:d"]).code, 0);
    assert_eq!(fs::read(server.site.disk("c:d")).unwrap(), b"there");
    assert_eq!(run(&["put", "f", "./naas:docs"]).code, 0);
    assert!(server.site.disk("naas:docs").is_file());
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let Some(site) = Site::with_ann().on_tmpfs("size=4m") else {
        return;
    };
    fs::write(site.disk("old"), "old bytes").unwrap();
    let server = site.start();
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "large", 8 << 20);
    for tls in ["required", "off"] {
        for name in ["new", "old"] {
            let args = ["--tls", tls, "put", "large", "-o", name, &server.url("/")];
            ftpc(here.path()).args(args).code(6).says("452");
        }
    }
    assert!(!server.site.disk("new").exists());
    assert_eq!(fs::read(server.site.disk("old")).unwrap(), b"old bytes");
    // What was freed can be used at once.
    sample(here.path(), "fits", 3 << 20);
    ftpc(here.path())
        .args(["put", "fits", &server.url("/")])
        .success();
}

#[test]
fn the_servers_failures_have_their_codes_and_words() {
    let site = Site::with_ann();
    site.write();
    let run = |path: &std::path::Path| {
        let out = Command::new(harness::programs::program("ftpd"))
            .args(["--config".as_ref(), path.as_os_str()])
            .output()
            .unwrap();
        (
            out.status.code(),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    };
    let file = |name: &str, text: &str| {
        let path = site.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy_text = site
        .text()
        .replace("127.0.0.1:0", &busy.local_addr().unwrap().to_string());
    let five = "[server]\nlistne = 1\nengine = \"x\"\n[share]\nreserve = \"5\"\n[limits]\nmax_clients = -1\n\
                [timeouts]\nidle = \"x\"\n";
    // A file, the exit code, words.
    for (path, code, words) in [
        (site.path().join("missing.toml"), 2, "no such file"),
        (site.path().to_path_buf(), 2, "is not a file"),
        (file("empty.toml", ""), 2, "nobody could log in"),
        (file("five.toml", five), 2, "did you mean `listen`?"),
        (file("busy.toml", &busy_text), 1, "in use"),
    ] {
        let (found, said) = run(&path);
        assert_eq!(found, Some(code), "{}: {said}", path.display());
        assert!(said.contains(words), "{}: {said}", path.display());
    }
    let (_, said) = run(&site.path().join("five.toml"));
    assert_eq!(said.matches("--> ").count(), 6, "{said}");
}

#[test]
fn a_read_only_share_refuses_uploads_and_says_why() {
    if rustix_is_root() && foreign::find("setpriv").is_none() {
        return;
    }
    let Some(site) = Site::with_ann().on_tmpfs("size=4m") else {
        return;
    };
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "f", 10);
    let remount = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(site.share())
        .status();
    assert!(remount.unwrap().success());
    let server = site.start();
    ftpc(here.path())
        .args(["put", "f", &server.url("/")])
        .code(6)
        .says("read-only");
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

#[test]
fn an_unprivileged_server_says_how_to_take_port_21() {
    let Some(setpriv) = foreign::setpriv() else {
        return;
    };
    let site = Site::with_ann().key("server", "listen = [\"127.0.0.1:79\"]");
    site.write();
    let original = command(&site);
    let mut child = Command::new(setpriv);
    child.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]);
    let config = fs::read(site.config()).unwrap();
    std::os::unix::fs::chown(site.config(), Some(65534), None).unwrap();
    fs::write(site.config(), config).unwrap();
    child
        .arg(original.get_program())
        .args(original.get_args())
        .current_dir(site.path());
    let out = child.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("permission denied") || said.contains("privilege"),
        "{said}"
    );
}

#[test]
fn a_command_for_two_users_is_refused() {
    let server = Site::with_ann().file("a", b"a").start();
    let here = tempfile::tempdir().unwrap();
    let other = server.url("b").replace("ann@", "bob@");
    let ran = ftpc(here.path())
        .args(["mv", &server.url("a"), &other])
        .code(2);
    ran.says("for different users");
    assert!(server.site.disk("a").exists());
}
