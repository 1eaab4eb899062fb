use std::{net::IpAddr, path::Path};

use ftp_config::SharePath;

use super::*;
use crate::direction::Direction;

fn record(path: &SharePath) -> Record<'_> {
    Record {
        ended: "2026-11-03T09:05:07+01:00[Europe/Berlin]".parse().unwrap(),
        took: Duration::from_millis(2_600),
        peer: IpAddr::from([192, 168, 1, 7]),
        bytes: 1234,
        path,
        direction: Direction::Up,
        user: "ann",
        anonymous: false,
        complete: true,
    }
}

#[test]
fn a_line_has_the_fields_of_xferlog_5() {
    let path = SharePath::root().join("in/a b.iso").unwrap();
    let mut record = record(&path);
    assert_eq!(
        record.line(),
        "Tue Nov  3 09:05:07 2026 3 192.168.1.7 1234 /in/a_b.iso b _ i r ann ftp 0 * c"
    );
    record.complete = false;
    record.anonymous = true;
    record.direction = Direction::Down;
    record.took = Duration::ZERO;
    assert_eq!(
        record.line(),
        "Tue Nov  3 09:05:07 2026 1 192.168.1.7 1234 /in/a_b.iso b _ o a ann ftp 0 * i"
    );
}

fn fifo_in(dir: &Path) -> PathBuf {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let fifo = dir.join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    fifo
}

#[test]
fn a_file_that_takes_nothing_holds_nobody() {
    let path = SharePath::root().join("a").unwrap();
    let (queue, _hung) = channel();
    let log = Xferlog {
        queue,
        waiting: Arc::default(),
        lost: Arc::default(),
        is_wanted: Arc::default(),
    };
    // As many lines as there is room for, and more, before a thread that never comes back.
    for _ in 0..QUEUE + 2 {
        log.write(&record(&path));
    }
    log.open(Some("x".into()));
    assert!(log.is_wanted());
    assert_eq!(log.lost.load(Ordering::Relaxed), 2);
    assert_eq!(log.waiting.load(Ordering::Relaxed), QUEUE);
}

#[test]
fn a_fifo_that_nobody_reads_is_an_error_and_one_that_is_read_has_the_lines() {
    use std::io::Read as _;
    let dir = tempfile::tempdir().unwrap();
    let (fifo, file) = (fifo_in(dir.path()), dir.path().join("x"));
    let path = SharePath::root().join("a").unwrap();
    let log = Xferlog::default();
    log.open(Some(fifo.clone()));
    log.write(&record(&path));
    // Whatever the FIFO does, the file that comes in its place is opened.
    log.open(Some(file.clone()));
    log.write(&record(&path));
    log.flush();
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
    let mut reader = std::fs::OpenOptions::new();
    let reader = reader.read(true).write(true).open(&fifo).unwrap();
    log.open(Some(fifo.clone()));
    log.write(&record(&path));
    log.flush();
    let mut line = vec![0; record(&path).line().len() + 1];
    (&reader).read_exact(&mut line).unwrap();
    assert_eq!(line, format!("{}\n", record(&path).line()).into_bytes());
    // A pipe that is full takes nothing, and holds nothing.
    for _ in 0..2_000 {
        log.write(&record(&path));
    }
    log.flush();
    assert_eq!(log.waiting.load(Ordering::Relaxed), 0);
}

#[test]
fn a_line_never_goes_on_where_another_was_torn() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x");
    std::fs::write(&file, "whole\ntor").unwrap();
    let log = Xferlog::default();
    let path = SharePath::root().join("a\u{202e}b c\u{301}").unwrap();
    log.open(Some("/dev/full".into()));
    log.write(&record(&path));
    log.open(Some(file.clone()));
    log.write(&record(&path));
    log.write(&record(&path));
    log.flush();
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["whole", "tor"]);
    assert_eq!(lines.len(), 4);
    // What combines with a letter stays.
    assert!(lines[2].contains(" /a_b_c\u{301} b ") && lines[2] == lines[3]);
}

#[test]
fn lines_go_to_the_file_that_was_opened_last() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let log = Xferlog::default();
    let path = SharePath::root().join("a").unwrap();
    log.write(&record(&path));
    for file in [&old, &new] {
        log.open(Some(file.clone()));
        log.write(&record(&path));
    }
    log.open(None);
    log.write(&record(&path));
    log.flush();
    for file in [old, new] {
        assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_tried_again_and_that_of_before_has_the_lines() {
    let dir = tempfile::tempdir().unwrap();
    let (old, late) = (dir.path().join("old"), dir.path().join("not/yet/there"));
    let lines = |file: &Path| std::fs::read_to_string(file).unwrap().lines().count();
    let log = Xferlog::default();
    let path = SharePath::root().join("a").unwrap();
    log.open(Some(old.clone()));
    log.open(Some(late.clone()));
    log.write(&record(&path));
    log.flush();
    assert_eq!(lines(&old), 1);
    std::fs::create_dir_all(late.parent().unwrap()).unwrap();
    log.write(&record(&path));
    log.flush();
    assert_eq!((lines(&old), lines(&late)), (1, 1));
}
