//! Questions and the prompt on a terminal: keys, signals, jobs of a shell.

use std::{
    fs,
    path::Path,
    process::{Child, ChildStdin, Stdio},
};

use harness::{Site, client::sample, wait::until};

/// Runs a command line on a terminal of its own, and presses the keys of each step once what it waits for
/// is to be read behind the step before.
fn converse(here: &Path, line: &str, steps: &[(&str, &str)]) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let script = harness::foreign::find("script")?;
    // The shell outlives the keys, and tells the code and whether the terminal is as it was.
    let line = format!("trap : INT; {line}; echo \"code=$?\"; stty -a");
    let mut child = harness::foreign::command(&script, here)
        .args(["-qc", &line, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (mut seen, mut block) = (String::new(), [0; 4096]);
    let (mut steps, mut read) = (steps.iter(), 0);
    let mut next = steps.next();
    loop {
        let count = screen.read(&mut block).unwrap();
        if count == 0 {
            break;
        }
        seen += &String::from_utf8_lossy(&block[..count]);
        while let Some((asked, answer)) = next
            && let Some(at) = seen[read..].find(asked)
        {
            keys.write_all(answer.as_bytes()).unwrap();
            read += at + asked.len();
            next = steps.next();
        }
    }
    child.wait().unwrap();
    assert!(next.is_none(), "never seen: {next:?} in {seen}");
    Some(seen)
}

#[test]
fn ctrl_c_at_a_question_ends_the_program() {
    let server = Site::with_ann().file("t/a", b"1").start();
    let here = tempfile::tempdir().unwrap();
    fs::create_dir(here.path().join("empty")).unwrap();
    let program = harness::programs::program("ftpc");
    let (program, url) = (program.display(), server.url("/"));
    let password = format!("{program} ls {url}");
    let removal = format!(
        "FTPC_PASSWORD={} {program} sync --delete empty {url}t",
        harness::PASSWORD
    );
    for (line, asked) in [(password, "Password for ann"), (removal, "(yes/no)")] {
        let Some(seen) = converse(here.path(), &line, &[(asked, "\x03")]) else {
            return;
        };
        assert!(seen.contains("code=130"), "{seen}");
        assert!(seen.contains("interrupted"), "{seen}");
        assert!(seen.contains(" echo "), "{seen}");
    }
    assert!(server.site.disk("t/a").exists());
}

/// Starts a program that believes a person sits before it; the keys are pressed through the pipe.
fn at_a_terminal(script: &Path, here: &Path, program: &str) -> (Child, ChildStdin) {
    let mut child = harness::foreign::command(script, here)
        .args(["-qec", program, "/dev/null"])
        .env("FTPC_PASSWORD", harness::PASSWORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let keys = child.stdin.take().unwrap();
    (child, keys)
}

#[test]
fn the_prompt_of_one_who_may_not_list_is_one_session() {
    let Some(script) = harness::foreign::find("script") else {
        return;
    };
    let server = Site::with_ann().user("drop", "dropbox").start();
    let here = tempfile::tempdir().unwrap();
    let program = harness::programs::program("ftpc");
    let url = server.url("/").replace("ann@", "drop@");
    let prompt = format!("{} --tls off shell {url}", program.display());
    let (mut child, mut keys) = at_a_terminal(&script, here.path(), &prompt);
    std::io::Write::write_all(&mut keys, b"pwd\npwd\n!touch done\nbye\n").unwrap();
    until("the prompt ends", || child.try_wait().unwrap());
    assert!(here.path().join("done").exists());
    let log = server.log();
    assert_eq!(log.matches("logged in").count(), 1, "{log}");
}

#[test]
fn ctrl_c_stops_a_line_and_not_the_prompt() {
    let Some(script) = harness::foreign::find("script") else {
        return;
    };
    let server = Site::with_ann().file("small", b"small").start();
    let here = tempfile::tempdir().unwrap();
    sample(&server.site.share(), "large", 64 << 20);
    let program = harness::programs::program("ftpc");
    let prompt = format!(
        "{} --tls off --limit 1MiB/s shell {}",
        program.display(),
        server.url("/")
    );
    let (mut child, mut keys) = at_a_terminal(&script, here.path(), &prompt);
    let mut press = |text: &str| {
        use std::io::Write as _;
        keys.write_all(text.as_bytes()).unwrap();
    };
    press("get large\n");
    let part = here.path().join(".large.ftpc-part");
    until("bytes arrive", || {
        let meta = fs::metadata(&part).ok()?;
        (meta.len() > 200_000).then_some(())
    });
    press("\x03");
    server.wait_for_log("transfer ends");
    // What has arrived is kept, for the next `get`.
    assert!(fs::metadata(&part).unwrap().len() > 200_000);
    press("get small\nput small again\n");
    until("both go on", || {
        let there = fs::read(server.site.disk("again")).ok()?;
        (there == b"small").then_some(())
    });
    press("bye\n");
    until("the prompt ends", || child.try_wait().unwrap());
    assert!(!here.path().join("large").exists());
}

#[test]
fn the_prompt_asks_about_each_file_that_a_pattern_matches() {
    let names = ["a.txt", "b.txt", "c.txt", "d.txt/inner"];
    let site = names
        .iter()
        .fold(Site::with_ann(), |site, name| site.file(name, b"1"));
    let server = site.start();
    let here = tempfile::tempdir().unwrap();
    let program = harness::programs::program("ftpc");
    let line = format!(
        "FTPC_PASSWORD={} {} --tls off shell {}",
        harness::PASSWORD,
        program.display(),
        server.url("/")
    );
    let steps = [
        ("> ", "prompt\r"),
        ("each file is asked about", "mget *.txt\r"),
        ("a.txt (yes/no)", "yes\r"),
        ("b.txt (yes/no)", "no\r"),
        ("c.txt (yes/no)", "yes\r"),
        ("> ", "delete [bc].txt\r"),
        ("b.txt (yes/no)", "yes\r"),
        ("c.txt (yes/no)", "no\r"),
        ("> ", "bye\r"),
    ];
    let Some(seen) = converse(here.path(), &line, &steps) else {
        return;
    };
    assert!(seen.contains("code=0"), "{seen}");
    assert!(seen.contains("`/d.txt` is a directory: left out"), "{seen}");
    let there = |name: &str| here.path().join(name).exists();
    assert!(there("a.txt") && !there("b.txt") && there("c.txt"));
    let left = |name: &str| server.site.disk(name).exists();
    assert!(left("a.txt") && !left("b.txt") && left("c.txt"));
}

#[test]
fn a_job_that_waits_in_the_background_with_its_question_can_be_ended() {
    let server = Site::with_ann().start();
    let here = tempfile::tempdir().unwrap();
    let program = harness::programs::program("ftpc");
    // Ten seconds at most for each. The state is proc(5)'s, `stat`.
    let until = |condition: &str| {
        format!("n=0; until {condition} || [ $n -ge 500 ]; do n=$((n+1)); sleep 0.02; done")
    };
    let line = format!(
        "set -m; {} ls {} & \
         {}; echo state=$state; kill -TERM %1; kill -CONT %1; \
         {}; kill -KILL %1 && echo stays || echo gone",
        program.display(),
        server.url("/"),
        until("{ read _ _ state _ </proc/$!/stat && [ $state = T ]; }"),
        until("! kill -0 $!"),
    );
    let Some(seen) = converse(here.path(), &line, &[("state=T", ""), ("gone", "")]) else {
        return;
    };
    assert!(!seen.contains("Password for"), "{seen}");
}
