//! Files that are gone on with, on a disk whose files can share their bytes and on one whose files cannot.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt as _, MetadataExt as _},
};

use harness::{Server, Site, Wire, client::noise, wait::until};

const MIB: u64 = 1 << 20;
/// Where the last bytes of the large file begin: behind all that the disk has room for, and in the middle of a block.
const FAR: u64 = 400 * MIB + 777;

/// A file with a beginning, an end and a hole between them that is larger than the disk.
fn large(server: &Server, first: &[u8], last: &[u8]) {
    let file = File::create(server.site.disk("large")).unwrap();
    file.write_all_at(first, 0).unwrap();
    file.write_all_at(last, FAR).unwrap();
}

/// Appends, and breaks when there is a partial of that size.
fn break_off(server: &Server, wire: &mut Wire, name: &str, bytes: &[u8], kept: u64) {
    let data = wire.passive();
    wire.expect(&format!("APPE {name}"), 150);
    let mut data = wire.guard(data);
    data.write(bytes);
    until("what is kept", || of_size(server, kept));
    data.reset();
    wire.code(426);
}

/// Looks for a file of that size.
fn of_size(server: &Server, size: u64) -> Option<()> {
    let mut files = fs::read_dir(server.site.share()).unwrap();
    files
        .find(|file| {
            file.as_ref()
                .unwrap()
                .metadata()
                .is_ok_and(|meta| meta.len() == size)
        })?
        .ok()
        .map(drop)
}

/// Looks at every byte of it, and at the room that it takes.
fn ensure_whole(server: &Server, first: &[u8], last: &[u8]) {
    let file = File::open(server.site.disk("large")).unwrap();
    let meta = file.metadata().unwrap();
    assert_eq!(meta.len(), FAR + last.len() as u64);
    assert!(meta.blocks() * 512 < 16 * MIB, "{}", meta.blocks());
    let (zeros, mut block) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut at = 0;
    while at < meta.len() {
        let read = file.read_at(&mut block, at).unwrap();
        let expected = |n: usize| {
            let place = at + n as u64;
            let byte = |of: &[u8], from: u64| of.get((place - from) as usize).copied();
            if place < FAR {
                byte(first, 0)
            } else {
                byte(last, FAR)
            }
            .unwrap_or(0)
        };
        let is_hole = at >= first.len() as u64 && at + read as u64 <= FAR;
        let is_right = match is_hole {
            true => block[..read] == zeros[..read],
            false => block[..read]
                .iter()
                .enumerate()
                .all(|(n, &byte)| byte == expected(n)),
        };
        assert!(is_right && read > 0, "at {at}");
        at += read as u64;
    }
    let names = fs::read_dir(server.site.share()).unwrap();
    assert_eq!(names.count(), 1, "no partial is left");
}

/// Its copy takes no room there.
#[test]
fn a_file_larger_than_what_is_free_is_gone_on_with_where_files_share_bytes() {
    let Some(site) = Site::with_ann().on_xfs() else {
        return;
    };
    let server = site.start();
    let (first, last, more) = (noise(1_500_000), noise(9_999), noise(77_777));
    large(&server, &first, &last);
    let mut wire = server.ann();
    wire.store("APPE large", &more);
    ensure_whole(&server, &first, &[&last[..], &more].concat());
    // In the middle of its end; what stood behind that goes.
    wire.expect(&format!("REST {}", FAR + 5_001), 350);
    wire.store("STOR large", &more);
    ensure_whole(&server, &first, &[&last[..5_001], &more].concat());
    // What came of one that broke was kept behind a clone, and is sent again.
    let end = [&last[..5_001], &more].concat();
    let kept = FAR + (end.len() + more.len()) as u64;
    break_off(&server, &mut wire, "large", &more, kept);
    wire.store("APPE large", &more);
    ensure_whole(&server, &first, &[&end[..], &more].concat());
    // One that brings nothing leaves nothing, and the old file.
    let data = wire.passive();
    wire.expect("APPE large", 150);
    wire.guard(data).reset();
    wire.code(426);
    ensure_whole(&server, &first, &[&end[..], &more].concat());
}

/// What is kept of it begins with the copy.
#[test]
fn an_append_that_broke_is_sent_again_where_no_second_copy_has_room() {
    let Some(site) = Site::with_ann().on_tmpfs("size=64m") else {
        return;
    };
    let (old, more) = (noise(28 << 20), noise(100_001));
    let server = site.file("log", &old).start();
    let mut wire = server.ann();
    let whole = [&old[..], &more].concat();
    break_off(&server, &mut wire, "log", &more, whole.len() as u64);
    wire.store("APPE log", &more);
    assert!(fs::read(server.site.disk("log")).unwrap() == whole);
    assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 1);
}

#[test]
fn what_is_gone_on_with_is_the_same_on_every_disk() {
    let sites = [
        Some(Site::with_ann()),
        Site::with_ann().on_tmpfs("size=64m"),
        Site::with_ann().on_xfs(),
    ];
    for site in sites.into_iter().flatten() {
        let server = site.start();
        let mut wire = server.ann();
        let mut whole = Vec::new();
        for size in [1, 4_095, 65_536, 1, 70_001, 3 << 20, 8_192, 0, 5] {
            let part = noise(size);
            wire.store("APPE log", &part);
            whole.extend_from_slice(&part);
            assert!(
                fs::read(server.site.disk("log")).unwrap() == whole,
                "{size}"
            );
        }
        for at in [1_000_001, 65_536, 4_095, 0] {
            let part = noise(100_001);
            wire.expect(&format!("REST {at}"), 350);
            wire.store("STOR log", &part);
            whole.truncate(at);
            whole.extend_from_slice(&part);
            assert!(fs::read(server.site.disk("log")).unwrap() == whole, "{at}");
        }
    }
}
