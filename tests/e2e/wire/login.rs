//! Before and at the login.

use super::Way;
use harness::Site;

#[test]
fn without_a_login_only_what_a_login_needs_is_answered() {
    for way in Way::ALL {
        let server = way.start(Site::with_ann());
        let mut wire = way.open(&server);
        for refused in [
            "PWD", "LIST", "RETR x", "STOR x", "DELE x", "PASV", "SIZE x",
        ] {
            let code = wire.command(refused).code;
            assert!((500..=550).contains(&code), "{way:?} {refused}: {code}");
        }
        wire.expect("FEAT", 211);
        wire.expect("NOOP", 200);
        wire.expect_any("PASS x", &[503, 530]);
        wire.login("ann");
        assert!(wire.expect("PWD", 257).text().contains("\"/\""));
        wire.expect("QUIT", 221);
        wire.closed();
    }
}

#[test]
fn verbs_and_options_are_read_in_any_case() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.open(&server);
        wire.expect("user ann", 331);
        wire.expect("pAsS secret", 230);
        for line in [
            "type i",
            "mode s",
            "stru f",
            "TYPE A",
            "TYPE L 8",
            "opts utf8 on",
            "OPTS UTF8 ON",
            "Opts Utf8 On",
            "noop",
            "syst",
            "xpwd",
            "CLNT x",
        ] {
            let code = wire.command(line).code;
            assert!((200..300).contains(&code), "{line}: {code}");
        }
        wire.expect("TYPE X", 504);
        wire.expect("MODE Z", 504);
        wire.expect("STRU R", 504);
    }
}

#[test]
fn a_faulty_line_never_ends_the_session() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.ann(&server);
        for line in [
            "OPTS utf8 maybe",
            "OPTS",
            "MODE",
            "NOOP x y z",
            "STRU x",
            "RNTO nowhere",
            "REST x",
            "PORT 1,2",
            "EPRT |9|x|1|",
            "HELP NOSUCH",
            "NOSUCHVERB",
            "TYPE",
            "RETR",
            "MFMT x",
            "SITE NOSUCH",
            "",
        ] {
            wire.send(line);
            if !line.is_empty() {
                wire.reply();
            }
        }
        wire.expect("RNTO x", 503);
        wire.expect("ACCT x", 202);
        wire.expect("REIN", 502);
        assert!(wire.expect("FEAT", 211).text().contains("MLST type*"));
    }
}

#[test]
fn libunftp_answers_a_faulty_option_and_hangs_up() {
    // design.md section 3, row 1: what the native engine is there for.
    let server = Way::LibunftpPlain.start(Site::with_ann());
    let mut wire = server.ann();
    wire.expect("MODE Z", 501);
    wire.closed();
}

#[test]
fn nobody_stays_without_a_login_and_the_third_wrong_password_ends_it() {
    for way in [Way::NativePlain, Way::LibunftpPlain] {
        let server = way.start(Site::with_ann().key("timeouts", "login = \"1s\""));
        let mut wire = server.wire();
        wire.expect("USER ann", 331);
        wire.code(421);
        wire.closed();
        let server = way.start(Site::with_ann());
        let mut wire = server.wire();
        for _ in 0..2 {
            wire.expect("USER ann", 331);
            wire.expect("PASS wrong", 530);
        }
        wire.expect("USER ann", 331);
        wire.send("PASS wrong");
        wire.closed();
    }
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    for way in Way::NATIVE {
        let server = way.start(Site::with_ann());
        let mut wire = way.open(&server);
        wire.send_bytes(
            b"USER ann\r\nPASS secret\r\nPWD\r\nTYPE I\r\nNOOP\r\nMKD a\r\nCWD a\nPWD\r\n",
        );
        for code in [331, 230, 257, 200, 200, 257, 250, 257] {
            wire.code(code);
        }
    }
}
