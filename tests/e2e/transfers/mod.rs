//! What `ftpc` moves through `ftpd`: names, sizes, trees; plain and TLS, both engines.

mod trees;

use std::fs;

use harness::{
    Site,
    client::{noise, sample},
    ftpc,
    site::{Engine, NASTY},
    wait::until,
};

use self::trees::contents;

/// Every way in which the suite runs.
const WAYS: [(Engine, &str); 4] = [
    (Engine::Native, "off"),
    (Engine::Native, "required"),
    (Engine::Libunftp, "off"),
    (Engine::Libunftp, "required"),
];

#[test]
fn a_directory_that_is_there_is_not_told_as_made() {
    for engine in [Engine::Native, Engine::Libunftp] {
        let server = Site::with_ann().engine(engine).start();
        let here = tempfile::tempdir().unwrap();
        fs::create_dir(here.path().join("t")).unwrap();
        sample(here.path(), "t/a", 10);
        let url = server.url("/");
        let put = ["put", "-r", "t", &url];
        let first = ftpc(here.path()).args(put).success();
        first.says("made directory t");
        let again = ftpc(here.path()).args(put).success();
        assert!(!again.stderr.contains("made"), "{}", again.stderr);
        let from = server.url("t");
        let get = ["get", "-rf", &from];
        let again = ftpc(here.path()).args(get).success();
        assert!(!again.stderr.contains("made"), "{}", again.stderr);
    }
}

#[test]
fn files_of_every_size_and_name_come_back_equal() {
    for (engine, tls) in WAYS {
        let server = Site::with_ann().engine(engine).start();
        let here = tempfile::tempdir().unwrap();
        let long = "n".repeat(255);
        for (i, name) in NASTY.iter().copied().chain([&*long]).enumerate() {
            let local = sample(here.path(), "up", i * 1000);
            ftpc(here.path())
                .args(["--tls", tls, "put", "up", "-o", name, &server.url("/")])
                .success();
            let stored = fs::read(server.site.disk(name));
            assert_eq!(
                stored.unwrap(),
                fs::read(&local).unwrap(),
                "{engine:?} {tls} {name}"
            );
            let url = server.url(&percent(name));
            ftpc(here.path())
                .args(["--tls", tls, "get", "--force", &url, "-o", "down"])
                .success();
            assert_eq!(
                fs::read(here.path().join("down")).unwrap(),
                fs::read(&local).unwrap()
            );
        }
        for (name, bytes) in [("empty", 0), ("one", 1), ("large", 64 << 20)] {
            let local = sample(here.path(), name, bytes);
            ftpc(here.path())
                .args(["--tls", tls, "put", name, &server.url("/")])
                .success();
            ftpc(here.path())
                .args(["--tls", tls, "get", &server.url(name), "-o", "back"])
                .success();
            assert!(
                fs::read(here.path().join("back")).unwrap() == fs::read(&local).unwrap(),
                "{name}"
            );
            fs::remove_file(here.path().join("back")).unwrap();
        }
    }
}

fn percent(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn the_small_commands_do_what_they_say() {
    for (engine, tls) in WAYS {
        let server = Site::with_ann()
            .engine(engine)
            .file("a.txt", b"hello")
            .start();
        let here = tempfile::tempdir().unwrap();
        let url = |path: &str| server.url(path);
        let run = |args: &[&str]| {
            ftpc(here.path())
                .args(["--tls", tls])
                .args(args)
                .success()
                .text()
        };
        assert_eq!(run(&["cat", &url("a.txt")]), "hello");
        run(&["mkdir", "-p", &url("x/y/z")]);
        run(&["mv", &url("a.txt"), &url("x/b.txt")]);
        assert_eq!(run(&["ls", &url("x")]), "b.txt\ny/\n");
        run(&["rmdir", &url("x/y/z")]);
        run(&["rm", &url("x/b.txt")]);
        run(&["rm", "-r", &url("x")]);
        assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 0);
    }
}

#[test]
fn standard_input_and_output_are_files_too() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let bytes = noise(500_000);
    ftpc(here.path())
        .args(["put", "-", "-o", "in", &server.url("/")])
        .stdin(bytes.clone())
        .success();
    assert_eq!(fs::read(server.site.disk("in")).unwrap(), bytes);
    let out = ftpc(here.path())
        .args(["get", &server.url("in"), "-o", "-"])
        .success();
    assert!(out.stdout == bytes);
}

#[test]
fn an_upload_whose_program_is_killed_replaces_nothing() {
    let server = Site::with_ann().file("bk", b"old").start();
    let here = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(harness::programs::program("ftpc"))
        .env_clear()
        .env("HOME", here.path())
        .env("FTPC_PASSWORD", harness::PASSWORD)
        .args(["--tls", "off", "put", "-", "-o", "bk", &server.url("/")])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &noise(300_000)).unwrap();
    let part = until("bytes arrive", || {
        let mut entries = fs::read_dir(server.site.share()).unwrap().flatten();
        let part = entries.find(|entry| entry.file_name() != "bk")?;
        (part.metadata().ok()?.len() > 0).then(|| part.path())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // The server ends the upload: it keeps the part for a resume, or would have published it.
    server.wait_for_log("transfer ends");
    assert_eq!(fs::read(server.site.disk("bk")).unwrap(), b"old");
    assert!(part.exists());
}

#[test]
fn a_server_that_keeps_what_is_there_loses_nothing_to_ftpc() {
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    // Sent to the final name; compared by hash; under a temporary name.
    for size in [2_000, 2 << 20, 17 << 20] {
        for (policy, code, may) in [
            ("rename", 0, "read-write"),
            ("refuse", 6, "read-write"),
            ("overwrite", 6, "list read write delete rename"),
        ] {
            let what = format!("{policy} {size}");
            let (new, mut old) = (noise(size), noise(size));
            old.reverse();
            let policy = format!("on_duplicate = \"{policy}\"");
            let site = Site::new().user("ann", may).key("uploads", &policy);
            let server = site.file("a.bin", &old).start();
            let kept = server.site.disk("a.bin");
            let file = fs::File::options().write(true).open(&kept);
            file.unwrap().set_modified(then).unwrap();
            let here = tempfile::tempdir().unwrap();
            fs::write(here.path().join("a.bin"), &new).unwrap();
            ftpc(here.path())
                .args(["--tls", "off", "put", "a.bin", &server.url("/")])
                .code(code);
            ftpc(here.path())
                .args(["--tls", "off", "put", "-", "-o", "a.bin", &server.url("/")])
                .stdin(new.clone())
                .code(code);
            assert!(fs::read(&kept).unwrap() == old, "{what}");
            assert_eq!(
                fs::metadata(&kept).unwrap().modified().unwrap(),
                then,
                "{what}"
            );
            let stored = contents(&server.site.share());
            let expected: &[&str] = match code {
                0 => &["a (1).bin", "a (2).bin", "a.bin"],
                _ => &["a.bin"],
            };
            assert_eq!(stored.keys().collect::<Vec<_>>(), expected, "{what}");
            for name in expected.iter().filter(|name| **name != "a.bin") {
                assert!(fs::read(server.site.disk(name)).unwrap() == new, "{what}");
            }
        }
    }
}

#[test]
fn times_are_kept_both_ways() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let local = sample(here.path(), "f", 10);
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    fs::File::options()
        .write(true)
        .open(&local)
        .unwrap()
        .set_modified(then)
        .unwrap();
    ftpc(here.path())
        .args(["put", "f", &server.url("/")])
        .success();
    assert_eq!(
        fs::metadata(server.site.disk("f"))
            .unwrap()
            .modified()
            .unwrap(),
        then
    );
    ftpc(here.path())
        .args(["get", &server.url("f"), "-o", "g"])
        .success();
    assert_eq!(
        fs::metadata(here.path().join("g"))
            .unwrap()
            .modified()
            .unwrap(),
        then
    );
}

#[test]
fn a_log_at_trace_tells_the_course_of_data_connections() {
    let server = Site::with_ann().key("log", "level = \"trace\"").start();
    let here = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        sample(here.path(), name, 100);
    }
    for (tls, words) in [("off", "clear"), ("required", "TLS")] {
        let args = ["--tls", tls, "-j", "1", "put", "a", "b", "c"];
        ftpc(here.path())
            .args(args)
            .args([&server.url("/")])
            .success();
        // The second small file in a row opens a connection for those behind it.
        for (mode, files) in [("", 1), (", MODE B", 2)] {
            let line = format!(", {words}{mode}\"");
            until("the line is there for each file", || {
                (server.log().matches(&line).count() == files).then_some(())
            });
        }
    }
}
