use super::*;
use proptest::prelude::*;

fn p(line: &str) -> Result<Command, Fault> {
    parse(line.as_bytes())
}

#[test]
fn case_does_not_matter_in_verbs_and_words() {
    assert_eq!(p("type i"), Ok(Command::TypeImage));
    assert_eq!(p("Mode s"), Ok(Command::ModeStream));
    assert_eq!(p("MODE B"), Ok(Command::ModeBlock));
    assert_eq!(p("opts utf8 On"), Ok(Command::Opts(Opts::Utf8(true))));
    assert_eq!(p("auth tls-c"), Ok(Command::Auth));
    assert_eq!(p("site help"), Ok(Command::Site(Site::Help)));
}

#[test]
fn names_keep_their_spaces() {
    assert_eq!(p("RETR  a b "), Ok(Command::Retr(b" a b ".to_vec())));
    assert_eq!(p("RETR"), Err(Fault::Syntax("RETR file")));
    assert_eq!(p("RETR "), Err(Fault::Syntax("RETR file")));
}

#[test]
fn faults_name_their_replies() {
    assert_eq!(p("BLAH x"), Err(Fault::Unknown));
    assert_eq!(p("SMNT /"), Err(Fault::NotImplemented));
    assert_eq!(p("EPSV 3"), Err(Fault::NetworkProtocol));
    assert_eq!(p("PROT S"), Err(Fault::ProtectionLevel));
    assert!(matches!(p("TYPE X"), Err(Fault::Parameter(_))));
    assert!(matches!(p("MODE Z"), Err(Fault::Parameter(_))));
    assert!(matches!(p("STRU R"), Err(Fault::Parameter(_))));
    assert!(matches!(p("REST -1"), Err(Fault::Syntax(_))));
    assert!(matches!(p("REST +1"), Err(Fault::Syntax(_))));
    assert_eq!(p("GET / HTTP/1.1"), Err(Fault::Http));
    assert_eq!(p("POST /x"), Err(Fault::Http));
    assert_eq!(p("GET x"), Err(Fault::Unknown));
}

#[test]
fn addresses_of_port_and_eprt() {
    let four = "127.0.0.1:5001".parse().unwrap();
    assert_eq!(p("PORT 127,0,0,1,19,137"), Ok(Command::Port(four)));
    assert_eq!(p("EPRT |1|127.0.0.1|5001|"), Ok(Command::Eprt(four)));
    let six = "[::1]:5001".parse().unwrap();
    assert_eq!(p("EPRT !2!::1!5001!"), Ok(Command::Eprt(six)));
    assert_eq!(p("EPRT |3|x|1|"), Err(Fault::NetworkProtocol));
    for bad in [
        "PORT 1,2,3,4,5",
        "PORT 1,2,3,4,5,6,7",
        "PORT 256,0,0,1,1,1",
        "PORT a",
    ] {
        assert!(matches!(p(bad), Err(Fault::Syntax(_))), "{bad}");
    }
    for bad in [
        "EPRT |1|::1|5001|",
        "EPRT |1|127.0.0.1|70000|",
        "EPRT",
        "EPRT ||||",
        "EPRT 中",
    ] {
        assert!(
            matches!(p(bad), Err(Fault::Syntax(_) | Fault::NetworkProtocol)),
            "{bad}"
        );
    }
}

#[test]
fn list_flags_as_people_type_them() {
    let list = |line: &str| match p(line) {
        Ok(Command::List(args)) => (args.all, args.long, args.name),
        other => panic!("{other:?}"),
    };
    assert_eq!(list("LIST"), (false, false, None));
    assert_eq!(list("LIST -la"), (true, true, None));
    assert_eq!(list("LIST -l -a  dir"), (true, true, Some(b"dir".to_vec())));
    assert_eq!(list("LIST a -l"), (false, false, Some(b"a -l".to_vec())));
    assert_eq!(list("LIST -- -x"), (false, false, Some(b"-x".to_vec())));
    assert_eq!(list("LIST  a"), (false, false, Some(b" a".to_vec())));
}

#[test]
fn times_before_names_are_read_both_ways() {
    let Ok(Command::Mdtm { name, set }) = p("MDTM 20240229123456 a b") else {
        panic!("not MDTM")
    };
    assert_eq!(name, b"20240229123456 a b");
    assert_eq!(set.map(|(_, name)| name), Some(b"a b".to_vec()));
    assert!(matches!(p("MDTM a"), Ok(Command::Mdtm { set: None, .. })));
    assert!(matches!(p("MFMT 2024 a"), Err(Fault::Syntax(_))));
}

#[test]
fn both_forms_of_utime() {
    let utime = |line: &str| match p(line) {
        Ok(Command::Site(Site::Utime { time, name })) => {
            (stamp::format(time), String::from_utf8(name).unwrap())
        }
        other => panic!("{other:?}"),
    };
    let want = ("20240229123456".to_owned(), "a b".to_owned());
    assert_eq!(utime("SITE UTIME 20240229123456 a b"), want);
    let long = "SITE UTIME a b 20240101000000 20240229123456 20240101000000 UTC";
    assert_eq!(utime(long), want);
    assert_eq!(utime("SITE UTIME 202402291234 a b").0, "20240229123400");
}

#[test]
fn digests_take_names_quotes_and_parts() {
    let digest = |line: &str| match p(line) {
        Ok(Command::Digest(args)) => args,
        other => panic!("{other:?}"),
    };
    assert_eq!(digest("XCRC a b").name, b"a b");
    assert_eq!(
        digest("XCRC a 0 10").part,
        Some((b"a".to_vec(), 0, Some(10)))
    );
    assert_eq!(
        digest("XMD5 \"a b\" 5").part,
        Some((b"a b".to_vec(), 5, None))
    );
    let quoted = digest("HASH \"a\"");
    assert_eq!(quoted.name, b"\"a\"");
    assert_eq!(quoted.part, Some((b"a".to_vec(), 0, None)));
    assert_eq!(digest("HASH a 0 10").part, None);
    assert_eq!(digest("HASH a").algorithm, None);
}

#[test]
fn chmod_is_octal() {
    let want = Site::Chmod {
        mode: 0o644,
        name: b"a b".to_vec(),
    };
    assert_eq!(p("SITE CHMOD 0644 a b"), Ok(Command::Site(want)));
    assert!(matches!(p("SITE CHMOD 999 a"), Err(Fault::Syntax(_))));
    assert!(matches!(p("SITE CHMOD 77777 a"), Err(Fault::Syntax(_))));
}

proptest! {
    #[test]
    fn parsing_never_panics(line in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&line);
    }

    #[test]
    fn no_argument_makes_a_verb_panic(
        verb in "(XCRC|HASH|SITE|SITE UTIME|SITE CHMOD|EPRT|PORT|MDTM|MFMT|LIST|OPTS|EPSV|TYPE|ALLO)",
        arg in "[ \"0-9a|,.:/-]{0,30}",
    ) {
        let _ = parse(format!("{verb} {arg}").as_bytes());
    }
}
