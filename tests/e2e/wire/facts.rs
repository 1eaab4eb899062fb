//! MLST, MLSD, SIZE, MDTM, MFMT: facts, and setting times.

use super::Way;
use harness::Site;

fn fact(line: &str, name: &str) -> Option<String> {
    line.trim_start()
        .split(';')
        .find_map(|fact| {
            fact.split_once('=')
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        })
        .map(|(_, value)| value.to_owned())
}

#[test]
fn facts_tell_the_truth_and_can_be_chosen() {
    for way in Way::NATIVE {
        let server = way.start(
            Site::with_ann()
                .user("ro", "read-only")
                .file("f", b"12345")
                .dir("d"),
        );
        let mut wire = way.ann(&server);
        let line = wire.expect("MLST f", 250).lines[1].clone();
        assert!(line.starts_with(' ') && line.ends_with(" /f"), "{line}");
        assert_eq!(fact(&line, "type").as_deref(), Some("file"));
        assert_eq!(fact(&line, "size").as_deref(), Some("5"));
        assert_eq!(fact(&line, "perm").as_deref(), Some("adfrw"));
        assert_eq!(
            fact(&line, "UNIX.mode")
                .map(|mode| mode.trim_start_matches('0').to_owned())
                .as_deref(),
            Some("644")
        );
        assert!(fact(&line, "unique").is_some());
        let listed = wire.list("MLSD");
        let f = listed.iter().find(|line| line.ends_with("; f")).unwrap();
        assert_eq!(fact(f, "unique"), fact(&line, "unique"));
        assert!(
            listed
                .iter()
                .any(|line| line.to_ascii_lowercase().starts_with("type=dir")
                    && line.ends_with("; d"))
        );
        let chosen = wire.expect("OPTS MLST size;nosuch;", 200).text();
        assert!(chosen.to_ascii_lowercase().contains("size;"), "{chosen}");
        assert!(
            wire.list("MLSD").contains(&"size=5; f".to_owned())
                || wire.list("MLSD").contains(&"Size=5; f".to_owned())
        );
        let mut ro = way.open(&server);
        ro.login("ro");
        assert_eq!(
            fact(&ro.expect("MLST f", 250).lines[1], "perm").as_deref(),
            Some("r")
        );
    }
}

#[test]
fn times_are_utc_and_can_be_set_in_every_way_in_use() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"1").dir("d"));
        let mut wire = way.ann(&server);
        let told = wire.expect("MFMT 20200102030405 f", 213).text();
        assert_eq!(told, "213 Modify=20200102030405;Size=1; f");
        let told = wire.expect("MFMT 20200102030405 d", 213).text();
        assert_eq!(told, "213 Modify=20200102030405; d");
        assert_eq!(wire.expect("MDTM f", 213).text(), "213 20200102030405");
        wire.expect_any("MDTM 20210102030405 f", &[213, 253]);
        assert_eq!(wire.expect("MDTM f", 213).text(), "213 20210102030405");
        wire.expect("SITE UTIME 20220102030405 f", 200);
        assert_eq!(wire.expect("MDTM f", 213).text(), "213 20220102030405");
        wire.expect(
            "SITE UTIME f 20230102030405 20230102030405 20230102030405 UTC",
            200,
        );
        assert_eq!(wire.expect("MDTM f", 213).text(), "213 20230102030405");
        for refused in ["MFMT 20201302030405 f", "MFMT x f", "MFMT 20200102030405"] {
            let code = wire.command(refused).code;
            assert!(code >= 500, "{refused}: {code}");
        }
        wire.expect("MFMT 20200102030405 nope", 550);
        for dir in ["SIZE d", "MDTM d", "SIZE nope", "MDTM nope"] {
            wire.expect(dir, 550);
        }
    }
}

/// `20200102030405 d/..` is no directory, whose `..` would lead back to where the file is.
#[test]
fn a_time_or_options_before_a_path_that_leads_back_are_no_part_of_it() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann().file("f", b"1").file("d/q", b"2"));
        let mut wire = way.ann(&server);
        wire.expect("MDTM 20200102030405 d/../f", 213);
        assert_eq!(wire.expect("MDTM f", 213).text(), "213 20200102030405");
        assert_eq!(wire.list("NLST -a d/../d"), wire.list("NLST d/../d"));
        // A name that is there is still that name.
        for at in ["20210102030405 d", "-a"] {
            std::fs::create_dir(server.site.disk(at)).unwrap();
        }
        let told = wire.expect("MDTM 20210102030405 d/../f", 213).text();
        assert_eq!(told, "213 20200102030405");
        assert_eq!(wire.list("NLST -a/../d"), ["-a/../d/q"]);
    }
}
