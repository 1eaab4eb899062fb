//! `sync --update`: what may be the newer file is not replaced, however little the server tells of times.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use ftpc::remote::listing::format_time;

use crate::{fake::Fake, says, write};

pub(crate) const HOUR: u64 = 3600;

pub(crate) fn ago(seconds: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(seconds)
}

/// Writes a file of this time.
pub(crate) fn write_at(here: &Path, name: &str, content: &str, time: SystemTime) {
    write(here, name, content);
    let file = fs::File::options().write(true).open(here.join(name));
    file.unwrap().set_modified(time).unwrap();
}

/// How a server without MLSD tells times: its zone, and how exactly LIST does.
#[derive(Clone, Copy)]
struct Clock {
    hours_ahead: i64,
    is_daily: bool,
    has_mdtm: bool,
    is_writable: bool,
}

const UTC: Clock = Clock {
    hours_ahead: 0,
    is_daily: false,
    has_mdtm: true,
    is_writable: true,
};

impl Clock {
    fn stamp(self, time: SystemTime) -> String {
        let hours = Duration::from_secs(self.hours_ahead.unsigned_abs() * HOUR);
        let shown = match self.hours_ahead < 0 {
            true => time - hours,
            false => time + hours,
        };
        format_time(shown).unwrap()
    }

    fn line(self, time: SystemTime, name: &str, size: usize) -> String {
        let stamp = self.stamp(time);
        let (year, month, day) = (&stamp[..4], &stamp[4..6], &stamp[6..8]);
        if self.is_daily && name == "a" {
            let month = month.parse::<usize>().unwrap() * 3 - 3;
            let month = &"JanFebMarAprMayJunJulAugSepOctNovDec"[month..month + 3];
            return format!("-rw-r--r-- 1 o g {size} {month} {day}  {year} {name}\r\n");
        }
        let (hour, minute) = (&stamp[8..10], &stamp[10..12]);
        format!("{year}-{month}-{day} {hour}:{minute} {size} {name}\r\n")
    }

    /// A server that has `t/a`, changed then.
    fn server(self, changed: SystemTime) -> Fake {
        let feat: &[&'static str] = match self.has_mdtm {
            true => &["SIZE", "MDTM"],
            false => &["SIZE"],
        };
        let fake = Fake::default().feat(feat).file("t/a", "theirs");
        fake.hook(move |session, said| {
            let (verb, path) = said.split_once(' ').unwrap_or((said, ""));
            let time = match path.contains("clock") {
                true => SystemTime::now(),
                false => changed,
            };
            let answer = match verb {
                "LIST" => {
                    let files = session.files.lock().unwrap().clone();
                    let lines = files.into_iter().filter_map(|(path, content)| {
                        let name = path.strip_prefix("t/")?;
                        let is_new = name.contains("clock");
                        let time = if is_new { SystemTime::now() } else { changed };
                        Some(self.line(time, name, content.len()))
                    });
                    return session.sends(lines.collect::<String>());
                }
                // It is set by MDTM as well, as vsftpd has it.
                "MDTM" if self.has_mdtm && path.starts_with("20") => "213 set".to_owned(),
                "MDTM" if self.has_mdtm => format!("213 {}", self.stamp(time)),
                "STOR" if !self.is_writable => "550 not here".to_owned(),
                "MDTM" | "MLST" | "MLSD" => "502 not here".to_owned(),
                _ => return false,
            };
            session.say(&answer);
            true
        })
    }
}

/// Syncs `t` with a file changed then, up, and returns what the server has.
#[track_caller]
fn up(clock: Clock, theirs: SystemTime, ours: SystemTime, warns: bool) -> String {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write_at(here, "t/a", "ours!", ours);
    let server = clock.server(theirs).start();
    let said = says(here, &server, &["sync", "--update", "t", "@/t"], 0, "");
    let words = "not sent: `a`: the file there may be newer";
    assert_eq!(said.contains(words), warns, "{said} {:?}", server.lines());
    assert!(server.names().iter().all(|name| !name.contains("clock")));
    String::from_utf8(server.content("t/a").unwrap()).unwrap()
}

#[track_caller]
fn down(clock: Clock, theirs: SystemTime, ours: SystemTime, warns: bool) -> String {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    write_at(here, "t/a", "ours!", ours);
    let server = clock.server(theirs).start();
    let said = says(here, &server, &["sync", "--update", "@/t", "t"], 0, "");
    let words = "not fetched: `a`: the file here may be newer";
    assert_eq!(said.contains(words), warns, "{said} {:?}", server.lines());
    fs::read_to_string(here.join("t/a")).unwrap()
}

#[test]
fn what_is_newer_within_a_minute_or_a_day_is_not_replaced() {
    // The last ten seconds, and the first ones, of a minute; noon of a day.
    let day = 24 * HOUR;
    let since = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let now = ago(0).duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let minute = since(now.as_secs() / 60 * 60 - 2 * HOUR);
    let (early, late) = (
        minute + Duration::from_secs(10),
        minute + Duration::from_secs(50),
    );
    let midnight = since(now.as_secs() / day * day - 300 * day);
    let (morning, evening) = (
        midnight + Duration::from_secs(9 * HOUR),
        midnight + Duration::from_secs(18 * HOUR),
    );
    let daily = Clock {
        is_daily: true,
        ..UTC
    };
    for (clock, earlier, later) in [(UTC, early, late), (daily, morning, evening)] {
        assert_eq!(up(clock, later, earlier, false), "theirs");
        assert_eq!(up(clock, earlier, later, false), "ours!");
        assert_eq!(down(clock, later, earlier, false), "theirs");
        assert_eq!(down(clock, earlier, later, false), "ours!");
        // Where nothing tells it exactly that is said.
        let untold = Clock {
            has_mdtm: false,
            ..clock
        };
        assert_eq!(up(untold, later, earlier, true), "theirs");
        assert_eq!(down(untold, earlier, later, true), "ours!");
    }
}

#[test]
fn what_is_newer_by_a_clock_that_tells_local_time_is_not_replaced() {
    let zone = |hours_ahead| Clock { hours_ahead, ..UTC };
    assert_eq!(up(zone(-5), ago(HOUR), ago(2 * HOUR), true), "theirs");
    assert_eq!(down(zone(8), ago(2 * HOUR), ago(HOUR), true), "ours!");
    // Nor is what is left then told to be older.
    assert_eq!(up(zone(8), ago(2 * HOUR), ago(HOUR), true), "theirs");
    // Further apart it is certain, and so it is where the clock is this one.
    assert_eq!(up(zone(-5), ago(10 * HOUR), ago(HOUR), false), "ours!");
    assert_eq!(down(zone(8), ago(HOUR), ago(10 * HOUR), false), "theirs");
    assert_eq!(up(UTC, ago(200), ago(100), false), "ours!");
    assert_eq!(down(UTC, ago(100), ago(200), false), "theirs");
    // A server that takes no file is not measured.
    let closed = |hours_ahead| Clock {
        is_writable: false,
        ..zone(hours_ahead)
    };
    assert_eq!(down(closed(8), ago(2 * HOUR), ago(HOUR), true), "ours!");
    assert_eq!(down(closed(8), ago(HOUR), ago(40 * HOUR), false), "theirs");
}

#[test]
fn what_needs_no_question_costs_none() {
    let temp = tempfile::tempdir().unwrap();
    let here = temp.path();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut fake = Fake::default();
    for n in 0..50 {
        write_at(here, &format!("t/{n}"), "same", time);
        fake = fake.file(&format!("t/{n}"), "same");
    }
    let stamp = format_time(time).unwrap();
    let by_facts = fake.clone().hook(move |session, line| {
        let row = |n| format!("type=file;size=4;modify={stamp}; {n}\r\n");
        line == "MLSD t" && session.sends((0..50).map(row).collect::<String>())
    });
    // Uploaded since, to a server that tells minutes and keeps no times.
    let later = SystemTime::now() - Duration::from_secs(2 * HOUR);
    let by_lines = fake.feat(&["SIZE", "MDTM"]).hook(move |session, line| {
        let rows = || (0..50).map(|n| UTC.line(later, &n.to_string(), 4));
        match line.split(' ').next() {
            Some("LIST") => session.sends(rows().collect::<String>()),
            Some("MDTM") => {
                let is_clock = line.contains("clock");
                let time = if is_clock { SystemTime::now() } else { later };
                session.say(&match line.starts_with("MDTM 20") {
                    true => "550 not set".to_owned(),
                    false => format!("213 {}", format_time(time).unwrap()),
                });
                true
            }
            _ => false,
        }
    });
    for server in [by_facts, by_lines] {
        let server = server.start();
        says(
            here,
            &server,
            &["sync", "--update", "t", "@/t"],
            0,
            "50 unchanged",
        );
        let asked = server.count("MDTM") + server.count("MLST") + server.count("SIZE");
        assert!(asked < 25, "{asked}: {:?}", server.lines());
    }
}
