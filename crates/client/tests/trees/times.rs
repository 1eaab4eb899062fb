//! Times by which `sync` tells what has changed, and servers that keep none or have another clock.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use ftpc::remote::listing::format_time;

use crate::{fake::Fake, says, write};

#[test]
fn a_changed_file_with_an_old_time_is_sent_unless_the_server_is_known_to_keep_no_times() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "new!");
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let file = fs::File::options().write(true).open(here.join("t/a"));
    file.unwrap().set_modified(old).unwrap();
    let timed = |feat: &[&'static str], answer: &'static str| {
        let fake = Fake::default().feat(feat).file("t/a", "old?");
        fake.hook(move |session, line| {
            let sets = line == "MDTM 20240102030405 t/a";
            if sets {
                session.say(answer);
            }
            sets
        })
    };
    let mlst = "MLST type*;size*;modify*;";
    let rows: [(&[&'static str], &'static str, &[u8]); 3] = [
        (&[mlst, "SIZE", "MDTM"], "213 set", b"new!"),
        (&[mlst, "SIZE", "MDTM"], "550 no such file", b"old?"),
        (&[mlst, "SIZE"], "500 what?", b"old?"),
    ];
    for (feat, answer, wanted) in rows {
        let server = timed(feat, answer).start();
        says(here, &server, &["sync", "--dry-run", "t", "@/t"], 0, "");
        let is_set = |line: &String| line.starts_with("MDTM 2024");
        let tried = server.lines.lock().unwrap().iter().any(is_set);
        assert!(!tried, "a dry run changes nothing");
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(server.content("t/a").unwrap(), wanted, "{feat:?} {answer}");
    }
}

/// A server that keeps no times, whose clock is so many minutes ahead: its file was uploaded so many ago.
fn stamping(ahead: u64, ago: u64) -> Fake {
    let minutes = |count| Duration::from_secs(count * 60);
    let now = SystemTime::now() + minutes(ahead);
    let uploaded = now - minutes(ago);
    let stamp = move |name: &str| {
        let is_new = name.contains("clock");
        format_time(if is_new { now } else { uploaded }).unwrap()
    };
    let mut fake = Fake::default().file("t/a", "old");
    fake.feat = vec!["MLST type*;size*;modify*;", "SIZE", "MDTM"];
    fake.hook(move |session, line| {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "MLSD" => {
                let files = session.files.lock().unwrap().clone();
                let below = |(name, content): (String, Vec<u8>)| {
                    let name = name.strip_prefix(&format!("{path}/"))?.to_owned();
                    let (size, stamp) = (content.len(), stamp(&name));
                    (!name.is_empty())
                        .then(|| format!("type=file;size={size};modify={stamp}; {name}\r\n"))
                };
                session.sends(files.into_iter().filter_map(below).collect::<String>())
            }
            "MDTM" | "SITE" | "MFMT" => {
                let known = session.content(path).is_some();
                session.say(&match known {
                    true => format!("213 {}", stamp(path)),
                    false => "550 none".to_owned(),
                });
                true
            }
            _ => false,
        }
    })
}

#[test]
fn a_clock_that_is_ahead_hides_no_change() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write(here, "t/a", "new");
    let file = fs::File::options().write(true).open(here.join("t/a"));
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    file.unwrap().set_modified(hour_ago).unwrap();
    for (ahead, ago, stored) in [(0, 30, "old"), (120, 90, "new"), (120, 30, "old")] {
        let server = stamping(ahead, ago).start();
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(
            server.content("t/a").unwrap(),
            stored.as_bytes(),
            "{ahead} {ago}"
        );
        assert!(server.names().iter().all(|name| !name.contains("clock")));
        assert_eq!(server.count("DELE"), 1, "the file that was asked by");
    }
    // `--update` knows of the clock too, and a dry run says that it does not.
    let server = stamping(120, 90).start();
    let dry = ["sync", "--dry-run", "t", "@/t"];
    says(here, &server, &dry, 0, "a dry run does not try whether");
    says(here, &server, &["sync", "--update", "t", "@/t"], 0, "");
    assert_eq!(server.content("t/a").unwrap(), b"new");
    let server = stamping(120, 30).start();
    says(here, &server, &["sync", "--update", "t", "@/t"], 0, "");
    assert_eq!(server.content("t/a").unwrap(), b"old");
    // What cannot be measured is sent once more, and what it was asked by goes.
    for (verb, refusal) in [("STOR", "550 no"), ("MDTM", "451 not just now")] {
        let mut fake = stamping(0, 30);
        let hook = std::sync::Arc::clone(&fake.hook);
        let is_told = AtomicBool::new(false);
        fake = fake.hook(move |session, line| {
            let is_it = line.starts_with(verb) && line.contains("clock");
            let is_listed = verb == "MDTM" && line == "MLSD t" && is_told.load(Ordering::SeqCst);
            is_told.fetch_or(is_it, Ordering::SeqCst);
            ((is_it || is_listed) && {
                session.say(refusal);
                true
            }) || hook(session, line)
        });
        let server = fake.start();
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(server.content("t/a").unwrap(), b"new", "{verb}");
        let mut names = server.names().into_iter();
        assert!(names.all(|name| !name.contains("clock")), "{verb}");
    }
}

/// A server that shows times by a clock eight hours ahead of UTC, to the minute; `told`: what it answers to MDTM.
fn eastern(changed: SystemTime, told: &'static str) -> Fake {
    let shown = format_time(changed + Duration::from_secs(8 * 3600)).unwrap();
    let (date, clock) = (
        format!("{}-{}-{}", &shown[..4], &shown[4..6], &shown[6..8]),
        format!("{}:{}", &shown[8..10], &shown[10..12]),
    );
    let exact = format!("213 {}", format_time(changed).unwrap());
    let fake = Fake::default().feat(&["SIZE"]).file("t/a", "theirs");
    fake.hook(move |session, line| match line.split(' ').next() {
        Some("LIST") => session.sends(format!("{date} {clock} 6 a\r\n")),
        Some("MDTM" | "MLST") => {
            let now = format!("213 {}", format_time(SystemTime::now()).unwrap());
            session.say(match told {
                "" if line.contains("clock") => &now,
                "" => &exact,
                told => told,
            });
            true
        }
        _ => false,
    })
}

#[test]
fn update_fetches_nothing_over_what_may_be_newer_here() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let now = SystemTime::now();
    let ago = |hours: u64| now - Duration::from_secs(hours * 3600);
    let warns = "not fetched: `a`: the file here may be newer";
    for (theirs, ours, told, words, wanted) in [
        // Ours is the newer one, and the listing has it otherwise.
        (ago(3), ago(1), "502 not here", warns, "ours!"),
        (ago(3), ago(1), "", "", "ours!"),
        (ago(1), ago(3), "", "", "theirs"),
        (ago(1), ago(100), "502 not here", "", "theirs"),
    ] {
        write(here, "t/a", "ours!");
        let file = fs::File::options().write(true).open(here.join("t/a"));
        file.unwrap().set_modified(ours).unwrap();
        let server = eastern(theirs, told).start();
        let said = says(here, &server, &["sync", "--update", "@/t", "t"], 0, words);
        assert!(!words.is_empty() || !said.contains("not fetched"), "{said}");
        let content = fs::read_to_string(here.join("t/a")).unwrap();
        assert_eq!(content, wanted, "{said} {:?}", server.lines());
    }
    // Without it what the server has is wished.
    write(here, "t/a", "ours!");
    let server = eastern(ago(3), "502 not here").start();
    says(here, &server, &["sync", "@/t", "t"], 0, "");
    assert_eq!(fs::read_to_string(here.join("t/a")).unwrap(), "theirs");
}

/// A server that shows times by a clock five hours behind UTC, to the minute, and tells none otherwise.
fn western(changed: SystemTime) -> Fake {
    let line = |name: &str, time: SystemTime, size: usize| {
        let shown = format_time(time - Duration::from_secs(5 * 3600)).unwrap();
        let date = format!("{}-{}-{}", &shown[..4], &shown[4..6], &shown[6..8]);
        format!(
            "{date} {}:{} {size} {name}\r\n",
            &shown[8..10],
            &shown[10..12]
        )
    };
    let fake = Fake::default().feat(&["SIZE"]).file("t/a", "theirs");
    fake.hook(move |session, said| match said.split(' ').next() {
        Some("LIST") => {
            let files = session.files.lock().unwrap().clone();
            let shown = files.into_iter().filter_map(|(path, content)| {
                let name = path.strip_prefix("t/")?;
                let time = if name == "a" {
                    changed
                } else {
                    SystemTime::now()
                };
                Some(line(name, time, content.len()))
            });
            session.sends(shown.collect::<String>())
        }
        Some("MDTM" | "MLST") => {
            session.say("502 not here");
            true
        }
        _ => false,
    })
}

#[test]
fn update_sends_nothing_over_what_is_newer_by_a_clock_that_is_behind() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let now = SystemTime::now();
    let ago = |hours: u64| now - Duration::from_secs(hours * 3600);
    for (theirs, ours, stored) in [
        // By the listing theirs is the older one.
        (ago(1), ago(3), "theirs"),
        (ago(3), ago(1), "ours!"),
        (ago(100), ago(1), "ours!"),
    ] {
        write(here, "t/a", "ours!");
        let file = fs::File::options().write(true).open(here.join("t/a"));
        file.unwrap().set_modified(ours).unwrap();
        let server = western(theirs).start();
        let said = says(here, &server, &["sync", "--update", "t", "@/t"], 0, "");
        assert_eq!(
            server.content("t/a").unwrap(),
            stored.as_bytes(),
            "{said} {:?}",
            server.lines()
        );
        assert!(server.names().iter().all(|name| !name.contains("clock")));
    }
}
