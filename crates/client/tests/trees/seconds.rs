//! Changes within the time that a server, its listing or its disk tells no more exactly.

use std::{
    collections::BTreeMap,
    fs,
    sync::Mutex,
    time::{Duration, SystemTime},
};

use crate::{fake::Fake, says, update::write_at, write};

/// A server of a directory `t` that keeps the times it is given; `on_fat`: to two seconds.
fn keeping_times(on_fat: bool) -> Fake {
    let times = Mutex::new(BTreeMap::<String, String>::new());
    Fake::default().file("t/", "").hook(move |session, line| {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut times = times.lock().unwrap();
        match (verb, rest.split_once(' ')) {
            ("MFMT", Some((stamp, path))) => {
                let cut = u64::from(on_fat) * (stamp.parse::<u64>().unwrap() % 2);
                let kept = stamp.parse::<u64>().unwrap() - cut;
                times.insert(path.to_owned(), kept.to_string());
                session.say(&format!("213 Modify={stamp}; {path}"));
                true
            }
            ("MLSD", None) => {
                let files = session.files.lock().unwrap().clone();
                let row = |(path, content): (String, Vec<u8>)| {
                    let (name, stamp) = (path.strip_prefix("t/")?, times.get(&path)?);
                    let size = content.len();
                    Some(format!("type=file;size={size};modify={stamp}; {name}\r\n"))
                };
                session.sends(files.into_iter().filter_map(row).collect::<String>())
            }
            _ => false,
        }
    })
}

#[test]
fn an_edit_a_second_later_is_a_change() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let server = keeping_times(false).start();
    write(here, "t/a", "0");
    for (n, later) in [(1, 0), (2, 1), (3, 2), (4, 3), (5, 5)] {
        write(here, "t/a", &n.to_string());
        let file = fs::File::options().write(true).open(here.join("t/a"));
        let time = start + Duration::from_millis(later * 1000 + 400);
        file.unwrap().set_modified(time).unwrap();
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(
            server.content("t/a").unwrap(),
            n.to_string().as_bytes(),
            "{later}"
        );
        // What is the same is not sent again.
        let stored = server.count("STOR");
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(server.count("STOR"), stored);
    }
}

#[test]
fn what_a_fat_disk_keeps_to_two_seconds_is_not_sent_again() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    for n in 0..12 {
        let time = start + Duration::from_secs(n * 11);
        write_at(here, &format!("t/f{n}"), "same", time);
    }
    let server = keeping_times(true).start();
    for _ in 0..2 {
        says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(server.count("STOR"), 12);
    }
}

/// As after a checkout: all files have one time, and its second happens to be even.
#[test]
fn one_even_time_of_many_files_is_no_fat_disk() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    for n in 1..=9 {
        write_at(here, &format!("t/f{n}"), "old", start);
    }
    let server = keeping_times(false).start();
    says(here, &server, &["sync", "t", "@/t"], 0, "");
    write_at(here, "t/f3", "new", start + Duration::from_secs(1));
    says(here, &server, &["sync", "t", "@/t"], 0, "");
    assert_eq!(server.content("t/f3").unwrap(), b"new");
}

/// A server without FEAT, whose LIST tells days: which verbs tell the second, and how it refuses the others.
fn telling_days(exact: &'static [&'static str], refusal: &'static str) -> Fake {
    Fake::default().hook(move |session, line| {
        let verb = line.split(' ').next().unwrap_or(line);
        match verb {
            "LIST" => {
                let files = session.files.lock().unwrap().clone();
                let row = |(path, content): (String, Vec<u8>)| {
                    let (name, size) = (path.strip_prefix("t/")?.to_owned(), content.len());
                    Some(format!(
                        "-rw-r--r-- 1 ann ann {size} Jan  2  2024 {name}\r\n"
                    ))
                };
                session.sends(files.into_iter().filter_map(row).collect::<String>())
            }
            "FEAT" | "MLSD" => {
                session.say("500 what?");
                true
            }
            "MDTM" | "MLST" if !exact.contains(&verb) => {
                session.say(refusal);
                true
            }
            _ => false,
        }
    })
}

#[test]
fn a_server_without_feat_is_asked_for_the_second_or_that_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    // Two hours behind the time that the server tells, on the same day.
    let edited = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645 + 7200);
    let words = "20 files unchanged by times that the server tells to the minute or the day";
    for (exact, refusal) in [
        (&["MDTM"][..], "500 what?"),
        (&["MLST"], "502 not here"),
        (&[], "500 what?"),
        (&[], "550 no"),
    ] {
        let mut fake = telling_days(exact, refusal);
        for n in 0..20 {
            let name = format!("t/{n}");
            write_at(here, &name, "new", edited);
            fake = fake.file(&name, "old");
        }
        let server = fake.start();
        let told = says(here, &server, &["sync", "t", "@/t"], 0, "");
        assert_eq!(told.contains(words), exact.is_empty(), "{told}");
        let sent = server.content("t/7").unwrap() == b"new";
        assert_eq!(sent, !exact.is_empty(), "{exact:?} {refusal}");
        // One that says nothing is not asked about each file.
        let asked = server.count("MDTM");
        assert!(!exact.is_empty() || asked == 8, "{asked}");
    }
}
