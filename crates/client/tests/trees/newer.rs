//! `sync --update` where something is newer that was not seen: without a time, not listed, or written during the run.

use std::fs;

use ftpc::remote::listing::format_time;

use crate::{
    fake::Fake,
    says,
    update::{HOUR, ago, write_at},
    write,
};

#[test]
fn a_server_that_tells_no_times_gets_no_file_over_another() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write_at(here, "t/a", "ours!", ago(HOUR));
    write(here, "t/new", "new");
    let mut fake = Fake::default().file("t/a", "theirs");
    fake.feat = vec!["MLST type*;size*;", "SIZE"];
    let server = fake.hook(|session, line| match line.split(' ').next() {
        Some("MLSD") => session.sends("type=file;size=6; a\r\n"),
        Some("MDTM") => {
            session.say("502 no clock");
            true
        }
        Some("MLST") if line == "MLST t/a" => {
            session.say("250-t/a\r\n type=file;size=6; t/a\r\n250 done");
            true
        }
        _ => false,
    });
    let server = server.start();
    let words = "not sent: `a`: the file there may be newer";
    says(here, &server, &["sync", "--update", "t", "@/t"], 0, words);
    assert_eq!(server.content("t/a").unwrap(), b"theirs");
    assert_eq!(server.content("t/new").unwrap(), b"new");
}

#[test]
fn what_the_listing_hides_is_not_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    for name in ["t/.kept", "t/.new", "t/.dir/x", "t/.dir/y", "t/.dir/.z"] {
        write_at(here, name, "ours!", ago(100 * HOUR));
    }
    let fake = Fake::default().file("t/.kept", "theirs");
    let fake = fake.file("t/.dir/x", "theirs").file("t/.dir/.z", "theirs");
    let fake = fake.file("t/.dir/theirs", "alone");
    let time = format_time(ago(HOUR)).unwrap();
    let server = fake.hook(move |session, line| {
        let row = |name: &str| format!("type=file;size=6;modify={time}; {name}\r\n");
        match line {
            "MLSD t" => session.sends(""),
            "MLSD t/.dir" => session.sends([row("theirs"), row("x")].concat()),
            "MLST t/.kept" | "MLST t/.dir/.z" => {
                session.say(&format!("250-it\r\n {}250 done", row("it")));
                true
            }
            _ => false,
        }
    });
    let server = server.start();
    let sync = ["sync", "--update", "--delete", "t", "@/t"];
    says(here, &server, &sync, 0, "");
    for name in ["t/.kept", "t/.dir/x", "t/.dir/.z"] {
        assert_eq!(server.content(name).unwrap(), b"theirs", "{name}");
    }
    for name in ["t/.new", "t/.dir/y"] {
        assert_eq!(server.content(name).unwrap(), b"ours!", "{name}");
    }
    assert_eq!(server.content("t/.dir/theirs").unwrap(), b"alone");
}

#[test]
fn what_is_changed_here_during_the_run_stays() {
    // What is there when the plan is made, what is written while the file comes, and whether that stays.
    for (before, during, flags, stays) in [
        (Some("old"), "newest", &["--update"][..], true),
        (None, "newest", &["--update"], true),
        (Some("old"), "", &["--update"], false),
        (Some("old"), "newest", &[], false),
    ] {
        let temp = tempfile::tempdir().unwrap();
        let here = temp.path().to_owned();
        fs::create_dir(here.join("t")).unwrap();
        if let Some(before) = before {
            write_at(&here, "t/a", before, ago(100 * HOUR));
        }
        let time = format_time(ago(HOUR)).unwrap();
        let written = here.clone();
        let server = Fake::default()
            .file("t/a", "theirs")
            .hook(move |session, line| {
                if line == "RETR t/a" && !during.is_empty() {
                    write(&written, "t/a", during);
                }
                let row = format!("type=file;size=6;modify={time}; a\r\n");
                line == "MLSD t" && session.sends(row)
            });
        let server = server.start();
        let sync = [&["sync"], flags, &["@/t", "t"]].concat();
        let (code, words) = match stays {
            true => (1, "`t/a` stays: it was changed here during the run"),
            false => (0, ""),
        };
        says(&here, &server, &sync, code, words);
        let (name, content) = ("t/a", if stays { during } else { "theirs" });
        assert_eq!(fs::read_to_string(here.join(name)).unwrap(), content);
        let left = fs::read_dir(here.join("t")).unwrap().count();
        assert_eq!(left, 1, "no part");
        // The next run looks at it as it is.
        says(&here, &server, &sync, 0, "");
        assert_eq!(fs::read_to_string(here.join(name)).unwrap(), content);
    }
}
