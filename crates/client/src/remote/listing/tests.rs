use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::remote::Kind;

fn now() -> SystemTime {
    parse_time("20260710120000").unwrap()
}

fn read(format: Format, text: &[u8]) -> Listing {
    let codec = Codec::new(None);
    let mut reader = Reader::new(format, &codec, now());
    reader.push(text).unwrap();
    reader.finish().unwrap()
}

fn one(format: Format, line: &str) -> Entry {
    let listing = read(format, line.as_bytes());
    assert_eq!(listing.dropped, [], "{line}");
    assert_eq!(listing.entries.len(), 1, "{line}");
    listing.entries.into_iter().next().unwrap()
}

/// Line; kind, size, time, name.
const LIST: &[(&str, Kind, Option<u64>, &str, &str)] = &[
    (
        "-rw-r--r--    1 1000     1000            5 Mar 01 10:00 a.txt",
        Kind::File,
        Some(5),
        "20260301100000",
        "a.txt",
    ),
    (
        "-rw-r--r--. 1 u g 5 Jan 02 2024 selinux",
        Kind::File,
        Some(5),
        "20240102000000",
        "selinux",
    ),
    (
        "-rw-rw-r--+ 1 u g 5 Dec 31 23:59 acl",
        Kind::File,
        Some(5),
        "20251231235900",
        "acl",
    ),
    (
        "-rw-r--r--   1 DOM+user domain users   123 Feb 28  2023 two words",
        Kind::File,
        Some(123),
        "20230228000000",
        "two words",
    ),
    (
        "drwxr-xr-x 2 u g 4096 Jul 10 11:00  leading",
        Kind::Dir,
        Some(4096),
        "20260710110000",
        " leading",
    ),
    (
        "lrwxrwxrwx 1 u g 7 Jul 1 2024 a -> b -> c",
        Kind::Link,
        Some(7),
        "20240701000000",
        "a -> b",
    ),
    (
        "-rw-r--r-- 1 u g 99 2024-05-06 07:08 iso",
        Kind::File,
        Some(99),
        "20240506070800",
        "iso",
    ),
    (
        "-rw-r--r-- 1 u g 99 2024-05-06 07:08:09.000000000 +0200 full",
        Kind::File,
        Some(99),
        "20240506070800",
        "full",
    ),
    (
        "brw-rw---- 1 root disk 8, 0 Jan 1 2024 sda",
        Kind::Other,
        None,
        "20240101000000",
        "sda",
    ),
    (
        "-rw-r--r-- 1 u 42 Feb 29 2024 nogroup",
        Kind::File,
        Some(42),
        "20240229000000",
        "nogroup",
    ),
    (
        "-rwsr-xr-t 1 u g 1 12 Jan 2020 day-first",
        Kind::File,
        Some(1),
        "20200112000000",
        "day-first",
    ),
    (
        "01-23-24  10:15PM       <DIR>          Program Files",
        Kind::Dir,
        None,
        "20240123221500",
        "Program Files",
    ),
    (
        "01-23-2024  00:05AM      <DIR>         midnight",
        Kind::Dir,
        None,
        "20240123000500",
        "midnight",
    ),
    (
        "01-23-2024  12:05AM              1,234 x.txt",
        Kind::File,
        Some(1234),
        "20240123000500",
        "x.txt",
    ),
    (
        "2024-01-23  22:15                 1234 y z",
        Kind::File,
        Some(1234),
        "20240123221500",
        "y z",
    ),
];

#[test]
fn lines_of_many_servers_are_read() {
    for (line, kind, size, time, name) in LIST {
        let entry = one(Format::List, line);
        assert_eq!(entry.kind, *kind, "{line}");
        assert_eq!(entry.size, *size, "{line}");
        assert_eq!(entry.modified, parse_time(time), "{line}");
        assert_eq!(entry.name.as_str(), *name, "{line}");
    }
    assert_eq!(one(Format::List, LIST[5].0).target.as_deref(), Some("c"));
    assert_eq!(one(Format::List, LIST[10].0).mode, Some(0o5755));
    assert_eq!(
        one(Format::List, LIST[0].0).precision,
        Duration::from_secs(60)
    );
}

#[test]
fn what_is_no_entry_is_never_taken_for_one() {
    let listing = read(
        Format::List,
        b"total 12\r\ntotale 8\n\n425 Cannot open data connection\nhello\n-rw-r--r-- 1 u g 5\n\
          drwxr-xr-x 2 u g 4096 Jul 10 11:00 .\ndrwxr-xr-x 2 u g 4096 Jul 10 11:00 ..\n",
    );
    assert_eq!(listing.entries, vec![]);
    assert_eq!(listing.dropped.len(), 3, "{:?}", listing.dropped);
}

#[test]
fn facts_are_read_in_any_case_and_order() {
    let entry = one(
        Format::Facts,
        "Size=12;Type=file;Modify=20240102030405.678;UNIX.mode=0640;unique=fd01g1;perm=adfr; a ;b ",
    );
    assert_eq!(entry.name.as_str(), "a ;b ");
    assert_eq!(
        (entry.kind, entry.size, entry.mode),
        (Kind::File, Some(12), Some(0o640))
    );
    assert_eq!(entry.modified, parse_time("20240102030405"));
    assert_eq!(entry.unique.as_deref(), Some("fd01g1"));

    let link = one(Format::Facts, "type=OS.unix=symlink;size=3; link");
    assert_eq!(link.kind, Kind::Link);
    let link = one(Format::Facts, "type=OS.unix=slink:/a/b;size=3; link");
    assert_eq!(
        (link.kind, link.target.as_deref()),
        (Kind::Link, Some("/a/b"))
    );
    assert_eq!(one(Format::Facts, " bare").kind, Kind::Other);
}

#[test]
fn the_directory_itself_and_its_parent_are_left_out() {
    let listing = read(
        Format::Facts,
        b"type=cdir; /home/u\r\ntype=pdir; /home\r\ntype=dir; ..\r\n",
    );
    assert_eq!(listing, Listing::default());
}

#[test]
fn names_that_lead_elsewhere_are_dropped_and_reported() {
    let listing = read(
        Format::Facts,
        b"type=file; ../../etc/passwd\r\ntype=file; /abs\r\ntype=file; a\x1b[2Jb\r\ntype=file; a/b\r\n\
          type=file; nul\0\r\ntype=file; good\r\n",
    );
    let names: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["good"]);
    assert_eq!(listing.dropped.len(), 5);
    assert!(
        listing
            .dropped
            .iter()
            .all(|dropped| !dropped.to_string().contains(char::is_control))
    );
}

#[test]
fn an_endless_line_is_cut_off() {
    let codec = Codec::new(None);
    let mut reader = Reader::new(Format::Facts, &codec, now());
    let block = vec![b'x'; 64 * 1024];
    assert_eq!(
        reader.push(&block),
        Err(Endless(MAX_LINE as u64, "bytes in one line"))
    );
    assert!(reader.rest.len() <= MAX_LINE + 1);
}

#[test]
fn times_round_trip_and_nonsense_is_none() {
    for text in ["19700101000000", "20240229235959", "19651231235959"] {
        assert_eq!(
            parse_time(text).and_then(format_time).as_deref(),
            Some(text)
        );
    }
    for bad in [
        "",
        "20240230000000",
        "2024",
        "2024010203040é",
        "99999999999999",
    ] {
        assert_eq!(parse_time(bad), None, "{bad}");
    }
}

#[test]
fn mlst_takes_the_directory_itself() {
    let name = RemoteName::new("home").unwrap();
    let entry = parse_mlst(" type=cdir;modify=20240102030405; /home", name).unwrap();
    assert_eq!(entry.kind, Kind::Dir);
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
        for format in [Format::Facts, Format::List] {
            let codec = Codec::new(None);
            let mut reader = Reader::new(format, &codec, now());
            for block in &blocks {
                reader.push(block).unwrap();
            }
            let listing = reader.finish().unwrap();
            for entry in listing.entries {
                prop_assert!(RemoteName::new(entry.name.as_str()).is_ok());
            }
        }
    }

    #[test]
    fn near_misses_of_lines_do_not_panic(at in 0usize..60, byte in any::<u8>(), row in 0usize..LIST.len()) {
        let mut line = LIST[row].0.as_bytes().to_vec();
        if let Some(place) = line.get_mut(at) {
            *place = byte;
        }
        let codec = Codec::new(None);
        let mut reader = Reader::new(Format::List, &codec, now());
        let _ = reader.push(&line);
        let _ = reader.finish();
    }

    #[test]
    fn how_a_listing_is_cut_does_not_matter(cut in 0usize..200) {
        let text = b"type=file;size=1; a\r\ntype=dir; b\r\ntype=file;size=22; c d\r\n";
        let codec = Codec::new(None);
        let mut reader = Reader::new(Format::Facts, &codec, now());
        let cut = cut.min(text.len());
        reader.push(&text[..cut]).unwrap();
        reader.push(&text[cut..]).unwrap();
        prop_assert_eq!(reader.finish().unwrap(), read(Format::Facts, text));
    }
}
