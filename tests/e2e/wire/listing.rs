//! LIST, NLST, MLSD, STAT with a path.

use std::os::unix::fs::symlink;

use super::Way;
use harness::Site;

fn site() -> Site {
    Site::with_ann()
        .file("a.txt", b"12345")
        .file("b.log", b"1")
        .file("d/inner", b"")
        .file(".dot", b"")
        .file("odd[1]*", b"")
}

#[test]
fn a_missing_directory_is_550_before_any_150() {
    for way in Way::NATIVE {
        let server = way.start(site());
        let mut wire = way.ann(&server);
        for command in ["LIST nope", "NLST nope", "MLSD nope", "MLSD a.txt"] {
            wire.passive();
            let code = wire.command(command).code;
            assert!(matches!(code, 501 | 550), "{command}: {code}");
        }
    }
}

#[test]
fn files_directories_options_and_globs() {
    for way in Way::NATIVE {
        let server = way.start(site());
        let mut wire = way.ann(&server);
        let all = ["a.txt", "b.log", "d", "odd[1]*"];
        let mut names = wire.list("NLST");
        names.retain(|name| name != ".dot");
        assert_eq!(names, all);
        assert!(wire.list("NLST -a").contains(&".dot".to_owned()));
        assert_eq!(wire.list("NLST a.txt"), ["a.txt"]);
        assert_eq!(wire.list("NLST *.txt"), ["a.txt"]);
        assert_eq!(wire.list("NLST ?.l[o]g"), ["b.log"]);
        assert_eq!(
            wire.list("NLST odd[1]*"),
            ["odd[1]*"],
            "a name that exists is that name"
        );
        let long = wire.list("LIST -la a.txt");
        assert_eq!(long.len(), 1);
        assert!(
            long[0].starts_with("-rw-r--r--") && long[0].ends_with(" a.txt"),
            "{long:?}"
        );
        assert!(long[0].contains(" 5 "), "{long:?}");
        assert!(
            wire.list("LIST")
                .iter()
                .any(|line| line.starts_with('d') && line.ends_with(" d"))
        );
        wire.expect("MKD empty", 257);
        assert!(wire.list("NLST empty").is_empty());
        let data = wire.passive();
        let reply = wire.command("NLST *.nope");
        if reply.code < 200 {
            assert!(wire.guard(data).read_all().is_empty());
            wire.code(226);
        } else {
            assert_eq!(reply.code, 550);
        }
    }
}

#[test]
fn plain_listings_are_there_on_every_engine() {
    for way in Way::ALL {
        let server = way.start(site());
        let mut wire = way.ann(&server);
        assert!(
            wire.list("LIST")
                .iter()
                .any(|line| line.ends_with(" a.txt"))
        );
        assert!(wire.list("NLST").contains(&"a.txt".to_owned()));
        assert!(
            wire.list("MLSD")
                .iter()
                .any(|line| line.ends_with("; a.txt"))
        );
        wire.expect("CWD d", 250);
        assert!(wire.list("NLST").iter().any(|name| name == "inner"));
    }
}

#[test]
fn stat_lists_over_the_control_connection() {
    for way in Way::NATIVE {
        let server = way.start(site());
        let mut wire = way.ann(&server);
        assert!(wire.expect("STAT a.txt", 213).text().contains("a.txt"));
        assert!(wire.expect("STAT d", 212).text().contains("inner"));
        wire.expect("STAT", 211);
        wire.expect_any("STAT nope", &[450, 550]);
    }
}

#[test]
fn facts_show_a_link_to_a_file_as_that_file_and_one_to_a_directory_as_a_link() {
    for way in Way::NATIVE {
        let site = Site::with_ann().file("d/f", b"four");
        symlink("d", site.disk("l")).unwrap();
        symlink("d/f", site.disk("lf")).unwrap();
        symlink("nowhere", site.disk("x")).unwrap();
        let server = way.start(site);
        let mut wire = way.ann(&server);
        wire.expect("OPTS MLST type;size;", 200);
        let want = [
            "type=dir; d",
            "type=OS.unix=slink:d; l",
            "type=file;size=4; lf",
            "type=OS.unix=slink:nowhere; x",
        ];
        assert_eq!(wire.list("MLSD"), want);
        assert_eq!(wire.list("MLSD l"), ["type=file;size=4; f"]);
        assert_eq!(wire.fetch("RETR l/f"), b"four");
    }
}

#[test]
fn a_listing_whose_reader_leaves_ends_at_once() {
    for way in Way::NATIVE {
        let mut site = Site::with_ann();
        for i in 0..20_000 {
            site = site.file(&format!("a file with quite a long name {i:08}"), b"");
        }
        let server = way.start(site);
        let mut wire = way.ann(&server);
        let data = wire.passive();
        wire.expect_any("MLSD", &[125, 150]);
        wire.guard(data).reset();
        let code = wire.reply().code;
        assert!(matches!(code, 226 | 425 | 426), "{code}");
        wire.expect("NOOP", 200);
        assert_eq!(wire.list("NLST").len(), 20_000);
    }
}

/// Many names are looked at by several threads, some of them early: each must keep its own facts and
/// its place.
#[test]
fn a_large_listing_has_every_name_once_in_order_with_its_own_facts() {
    for way in Way::NATIVE {
        let mut site = Site::with_ann().dir("some dir");
        for i in 0..9_000 {
            site = site.file(&format!("f{i:05}"), &vec![b'x'; i % 101]);
        }
        symlink("f00042", site.share().join("link")).unwrap();
        let server = way.start(site);
        let mut wire = way.ann(&server);
        let facts = wire.list("MLSD");
        let names: Vec<_> = facts
            .iter()
            .filter_map(|line| line.split_once("; "))
            .collect();
        assert_eq!(names.len(), 9_002);
        assert!(names.is_sorted_by_key(|(_, name)| *name));
        for (facts, name) in &names {
            let size = match name.strip_prefix('f') {
                Some(number) => number.parse::<usize>().unwrap() % 101,
                None if *name == "link" => 42,
                None => {
                    assert!(facts.contains("type=dir"), "{name}: {facts}");
                    continue;
                }
            };
            let want = format!("size={size}");
            assert!(facts.split(';').any(|fact| fact == want), "{name}: {facts}");
        }
        let long = wire.list("LIST");
        assert_eq!(long.len(), 9_002);
        assert!(long.iter().any(|line| line.ends_with(" link -> f00042")));
        assert_eq!(wire.list("NLST f0?000").len(), 9);
    }
}
