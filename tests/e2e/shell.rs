//! The prompt of `ftp`, as a script: the same acts as the one-shot commands.

use std::fs;

use harness::{Site, client::sample, ftpc};

#[test]
fn a_script_does_what_the_prompt_does() {
    let server = Site::with_ann().file("there.txt", b"there").start();
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "a b.bin", 50_000);
    let script = "mkdir in\ncd in\nput 'a b.bin'\nput 'a b.bin' copy\nls\nsize copy\nrename copy moved\n\
                  get moved\ncd ..\nget there.txt got.txt\nappend there.txt appended\nhash there.txt\n\
                  pwd\nchmod 600 there.txt\nmget *.txt\ndelete there.txt\nquote NOOP\nbye\nls never\n";
    fs::write(here.path().join("there.txt"), "local").unwrap();
    let ran = ftpc(here.path())
        .args(["shell", &server.url("/")])
        .stdin(script)
        .success();
    let text = ran.text();
    assert!(
        text.contains("a b.bin") && text.contains("50000") && text.contains("200 "),
        "{text}"
    );
    let stored = fs::read(server.site.disk("in/a b.bin")).unwrap();
    assert_eq!(stored, fs::read(here.path().join("a b.bin")).unwrap());
    assert_eq!(fs::read(here.path().join("moved")).unwrap(), stored);
    assert_eq!(fs::read(here.path().join("got.txt")).unwrap(), b"there");
    assert_eq!(fs::read(server.site.disk("appended")).unwrap(), b"local");
    assert!(!server.site.disk("there.txt").exists());
}

#[test]
fn a_script_stops_at_the_first_failure_unless_told_otherwise() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let run = |script: &str, more: &[&str]| {
        ftpc(here.path())
            .args(["shell", &server.url("/")])
            .args(more)
            .stdin(script)
            .run()
            .code
    };
    assert_eq!(run("mkdir a\ndelete nope\nmkdir b\n", &[]), 6);
    assert!(server.site.disk("a").exists() && !server.site.disk("b").exists());
    assert_eq!(run("-delete nope\nmkdir c\n", &[]), 0);
    assert!(server.site.disk("c").exists());
    assert_eq!(run("delete nope\nmkdir d\n", &["--keep-going"]), 6);
    assert!(server.site.disk("d").exists());
    assert_eq!(run("frobnicate\n", &[]), 2);
}

#[test]
fn a_site_opens_the_prompt_with_its_colon_and_a_directory_too() {
    let server = Site::with_ann().file("dir/in.txt", b"in").start();
    let here = tempfile::tempdir().unwrap();
    let config = format!("[site.nas]\nurl = \"{}\"\n", server.url("/"));
    fs::write(here.path().join("ftp.toml"), config).unwrap();
    for (site, seen) in [("nas", "dir/"), ("nas:", "dir/"), ("nas:dir", "in.txt")] {
        let ran = ftpc(here.path())
            .args(["--config", "ftp.toml", "shell", site])
            .stdin("ls\n")
            .success();
        assert!(ran.text().contains(seen), "{site}: {}", ran.text());
    }
}

#[test]
fn a_host_stands_behind_flags_too() {
    let server = Site::with_ann().file("seen", b"x").start();
    let here = tempfile::tempdir().unwrap();
    let host = server.address.to_string();
    for flags in [&["-u", "ann"][..], &["-qu", "ann"], &["--user=ann", "-v"]] {
        let ran = ftpc(here.path()).args(flags).args([&host]);
        let ran = ran.stdin("ls\n").success();
        assert!(ran.text().contains("seen"), "{flags:?}: {}", ran.text());
    }
}

#[test]
fn a_guest_who_is_not_let_in_is_told_how_to_say_a_name() {
    let server = Site::with_ann().file("seen", b"x").start();
    let here = tempfile::tempdir().unwrap();
    let host = server.address.to_string();
    let run = |args: &[&str], script: &str| {
        let ran = ftpc(here.path()).without("FTPC_PASSWORD");
        ran.args(args).stdin(script).run()
    };
    let refused = run(&[&host], "ls\n");
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    refused.says("hint: say who you are: `-u NAME`, `ftp://NAME@HOST`");
    let unasked = run(&[&host], "user ann wrong\nls\n");
    assert_eq!(unasked.code, 4);
    unasked.says("login as `ann`");

    // As scripts for `ftp -n` have it; nobody tries as a guest before.
    let (host, port) = host.split_once(':').unwrap();
    let open = format!("open {host} {port}\nuser ann secret\nls\n");
    for (args, script) in [
        (vec!["shell"], open.as_str()),
        (vec![&server.address.to_string()], "user ann secret\nls\n"),
    ] {
        let ran = run(&args, script);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stderr.contains("anonymous"), "{}", ran.stderr);
        assert!(ran.text().contains("seen"), "{}", ran.text());
    }
    assert_eq!(run(&["shell"], "user ann secret\n").code, 2);
}

#[test]
fn a_script_tells_what_it_did_not_do() {
    let server = Site::with_ann().dir("b").start();
    let here = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        sample(here.path(), name, 10);
    }
    let run = |script: &[u8], more: &[&str]| {
        ftpc(here.path())
            .args(["shell", &server.url("/")])
            .args(more)
            .stdin(script)
            .run()
    };
    // The one in the middle has the name of a directory.
    assert_eq!(run(b"mput a b c\nmkdir never\n", &[]).code, 1);
    assert!(server.site.disk("a").exists() && server.site.disk("c").exists());
    assert_eq!(run(b"mput b\n", &[]).code, 6);
    let ran = run(b"pwd\nmkdir \xff\nmkdir never\n", &[]);
    assert_eq!(ran.code, 2);
    ran.says("line 2 of the script is not UTF-8");
    assert!(!server.site.disk("never").exists());
    assert_eq!(run(b"mkdir \xff\r\nmkdir d\r\n", &["--keep-going"]).code, 2);
    assert!(server.site.disk("d").exists());
    for script in ["put - name\n", "mput a -\n"] {
        let ran = run(script.as_bytes(), &[]);
        assert_eq!(ran.code, 2);
        ran.says("standard input holds the commands");
    }
    assert!(!server.site.disk("name").exists());
}

#[test]
fn a_script_that_says_prompt_is_asked_nothing() {
    let server = Site::with_ann().file("old.txt", b"old").start();
    let here = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt"] {
        sample(here.path(), name, 10);
    }
    for word in ["prompt", "prompt off", "prompt on"] {
        let script = format!("{word}\nmput *.txt\nmget old.*\nmdelete a.txt b.txt\n");
        let ran = ftpc(here.path())
            .args(["shell", &server.url("/")])
            .stdin(script.as_str())
            .success();
        ran.says("nothing is asked");
    }
    assert!(here.path().join("old.txt").exists());
    assert!(!server.site.disk("a.txt").exists());
}

#[test]
fn close_ends_the_connection_and_not_the_script() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let script = format!("mkdir a\nclose\nopen {url}\nmkdir b\n");
    let args = ["shell", &url];
    ftpc(here.path()).args(args).stdin(script).success();
    assert!(server.site.disk("a").exists() && server.site.disk("b").exists());
    for lost in ["close\nls\n", "disconnect\nuser ann\n"] {
        let ran = ftpc(here.path()).args(args).stdin(lost).code(2);
        ran.says("not connected");
    }
}

#[test]
fn ls_at_the_prompt_knows_the_flags_of_ls() {
    let server = Site::with_ann().file("d/in.txt", b"in").start();
    let here = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let ran = ftpc(here.path()).args(["shell", &server.url("/")]);
        ran.stdin(format!("{line}\n")).success().text()
    };
    for long in ["ls -l d", "ls -la d", "ls d -l"] {
        let seen = run(long);
        assert!(seen.starts_with("-rw") && seen.contains("in.txt"), "{seen}");
    }
    assert_eq!(run("ls -1 d"), "in.txt\n");
    assert!(run("ls -R").contains("in.txt"));
}

#[test]
fn words_too_many_or_too_few_are_told_and_nothing_is_done() {
    let server = Site::with_ann().dir("my").start();
    let here = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let script = format!("{line}\nmkdir never\n");
        let args = ["shell", &server.url("/")];
        ftpc(here.path()).args(args).stdin(script).code(2)
    };
    run("ls my docs").says("usage: ls [-laR] [PATH]");
    run("ls -lt").says("usage: ls [-laR] [PATH]");
    run("cd my docs").says("usage: cd [DIR]");
    run("mkdir").says("usage: mkdir DIR...");
    run("quote").says("usage: quote COMMAND...");
    run("help zz").says("`zz` is not a command");
    assert!(!server.site.disk("never").exists());
    let empty = ftpc(here.path()).args(["quote", "--on", &server.url("/"), ""]);
    empty.code(6).says("cannot be sent: it is empty");
}

#[test]
fn a_pattern_fetches_the_files_beside_directories() {
    let server = Site::with_ann()
        .file("a", b"1")
        .file("dir/inner", b"2")
        .start();
    let here = tempfile::tempdir().unwrap();
    let run = |script: &str| {
        let args = ["shell", &server.url("/")];
        ftpc(here.path()).args(args).stdin(script).run()
    };
    let ran = run("mget *\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("`/dir` is a directory: left out"));
    assert_eq!(fs::read(here.path().join("a")).unwrap(), b"1");
    assert!(!here.path().join("dir").exists());
    for (script, words) in [
        ("mget d*\n", "`/d*` matches no file"),
        ("mget dir\n", "`/dir` is a directory"),
    ] {
        let ran = run(script);
        assert_eq!(ran.code, 2, "{script}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn a_raw_line_means_the_directory_of_the_prompt_in_every_session() {
    let mut site = Site::with_ann()
        .file("important", b"keep")
        .file("pp/important", b"go");
    for name in ["f1", "f2", "f3", "f4"] {
        site = site.file(&format!("pp/{name}"), &vec![7; 300_000]);
    }
    let server = site.start();
    let here = tempfile::tempdir().unwrap();
    let script = "cd pp\nmget f1 f2 f3 f4\nquote PWD\nquote RNFR important\nquote RNTO gone\n\
                  mget f1 f2 f3 f4\nquote DELE gone\n";
    let ran = ftpc(here.path())
        .args(["--jobs", "4", "shell", &server.url("/")])
        .stdin(script)
        .success();
    assert!(ran.text().contains("257 \"/pp\""), "{}", ran.text());
    assert!(server.site.disk("important").exists());
    let left = ["pp/important", "pp/gone"].map(|name| server.site.disk(name).exists());
    assert_eq!(left, [false, false]);
}
