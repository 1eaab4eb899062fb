//! What is wrong with a file is told whole: place, excerpt, nearest key, fix.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;

use common::with_ann;
use ftp_config::ServerConfig;

fn report(text: &str) -> String {
    ServerConfig::from_toml(text, Path::new("ftp.toml"))
        .unwrap_err()
        .report("ftpd")
}

#[test]
fn a_report_shows_place_excerpt_and_fix() {
    insta::assert_snapshot!(report(&with_ann("[limits]\nrate_down = 12\nrate_up = \"12 B/s\"")), @r#"
    ftpd: config: `limits.rate_down` is an integer, not a string
     --> ftp.toml:2:13
    2 | rate_down = 12
      |             ^^ write rate_down = "20 MiB/s"
    ftpd: config: `limits.rate_up`: `12 B/s` is below the least rate of 1 KiB/s
     --> ftp.toml:3:11
    3 | rate_up = "12 B/s"
      |           ^^^^^^^^ write at least "1 KiB/s", or "0" for no limit
    "#);
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "[server]\nlistne = [\"127.0.0.1:2121\"]\nengine = \"nativ\"\n[passive]\n\
                ports = \"51000-50000\"\n[timeouts]\nidle = \"5\"\n\
                [[user]]\nname = \"ann\"\npassword = \"secret\"\nhome = \"/../etc\"\n\
                [[user]]\nname = \"ann\"\n";
    insta::assert_snapshot!(report(text), @r#"
    ftpd: config: `listne` is not a key of [server]
     --> ftp.toml:2:1
    2 | listne = ["127.0.0.1:2121"]
      | ^^^^^^ did you mean `listen`?
    ftpd: config: `server.engine` cannot be `nativ`
     --> ftp.toml:3:10
    3 | engine = "nativ"
      |          ^^^^^^^ did you mean "native"? One of "native", "libunftp"
    ftpd: config: `passive.ports`: the ports `51000-50000` are reversed
     --> ftp.toml:5:9
    5 | ports = "51000-50000"
      |         ^^^^^^^^^^^^^ write "50000-51000"
    ftpd: config: `timeouts.idle`: `5` has no unit
     --> ftp.toml:7:8
    7 | idle = "5"
      |        ^^^ write a number and a unit, as in "30s", "5m" or "24h"
    ftpd: config: user `ann`: the password is not an argon2id hash; clear text is never kept
      --> ftp.toml:10:12
    10 | password = "******"
       |            ^^^^^^^^ run `ftpd user passwd ann`
    ftpd: config: user `ann`: home `/../etc` leads outside the share
      --> ftp.toml:11:8
    11 | home = "/../etc"
       |        ^^^^^^^^^ write a path inside the share, as in "/ann"
    ftpd: config: user `ann` stands twice
      --> ftp.toml:13:8
    13 | name = "ann"
       |        ^^^^^ remove one of the [[user]] tables
    "#);
}

/// A fault, a file that has it, and words that its report must hold.
const TABLE: [(&str, &str, &str); 38] = [
    (
        "mode of uploads",
        "[uploads]\nmode = \"888\"",
        "as in \"666\"",
    ),
    ("umask", "[share]\numask = \"888\"", "as in \"022\""),
    (
        "root at home",
        "[share]\nroot = \"~/share\"",
        "begins with `~`",
    ),
    ("no root", "[share]\nroot = \"\"", "`share.root` is empty"),
    (
        "no xferlog",
        "[log]\nxferlog = \"\"",
        "`log.xferlog` is empty",
    ),
    (
        "xferlog at home",
        "[log]\nxferlog = \"~/xferlog\"",
        "`log.xferlog` begins with `~`",
    ),
    ("nobody", "[server]\nrun_as = \"\"", "names no system user"),
    (
        "a broken name",
        "[server]\nrun_as = \"a\\nb\"",
        "`a\\nb` names no system user",
    ),
    (
        "port of a site",
        "[site.nas]\nurl = \"ftp://ann@[::1]:99999/\"",
        "names no port up to 65535",
    ),
    (
        "site's roots at home",
        "[site.nas]\nurl = \"ftp://h/\"\nca_file = \"~/ca.pem\"",
        "`site.nas.ca_file` begins with `~`",
    ),
    (
        "placeholder",
        "[[user]]\nname = \"bob\"\nhome = \"/{usr}\"",
        "write \"{user}\" where the name is meant",
    ),
    ("unknown table", "[sever]\n", "did you mean `server`?"),
    (
        "unknown key",
        "[share]\nrot = \"x\"",
        "did you mean `root`?",
    ),
    ("far key", "[share]\nzzz = 1", "[share] knows root, reserve"),
    (
        "table as value",
        "server = 1",
        "`server` is an integer, not a table",
    ),
    (
        "listen word",
        "[server]\nlisten = \"localhost\"",
        "is not an address to listen on",
    ),
    (
        "listen empty",
        "[server]\nlisten = []",
        "`server.listen` is empty",
    ),
    (
        "listen twice",
        "[server]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:1\"]",
        "stands twice",
    ),
    (
        "greeting",
        "[server]\ngreeting = \"a\\nb\"",
        "control character",
    ),
    (
        "network",
        "[server]\nallow_from = [\"10.0.0.0/99\"]",
        "is not a network",
    ),
    (
        "reserve",
        "[share]\nreserve = \"100%\"",
        "is not a share from 0% to under 100%",
    ),
    ("umask", "[share]\numask = \"088\"", "is not an octal mode"),
    ("umask", "[share]\numask = \"+22\"", "is not an octal mode"),
    (
        "umask number",
        "[share]\numask = 22",
        "is an integer, not a string",
    ),
    (
        "right",
        "[anonymous]\ncan = [\"raed\"]",
        "`raed` is not a right",
    ),
    (
        "lone cert",
        "[tls]\ncert = \"a\"",
        "`tls.cert` is given without `tls.key`",
    ),
    (
        "allow nobody",
        "[auth]\nallow_users = [\"zed\"]",
        "names nobody who has a [[user]] table",
    ),
    (
        "allow file",
        "[auth]\nallow_users_file = \"/no/such\"",
        "/no/such",
    ),
    (
        "lockout",
        "[auth.lockout]\nfor = \"2h\"",
        "`auth.lockout.max` is shorter",
    ),
    (
        "number",
        "[limits]\nmax_clients = -1",
        "is not from 0 to 100000",
    ),
    (
        "jobs above",
        "[client]\njobs = 65",
        "`client.jobs` is not from 1 to 64",
    ),
    (
        "jobs below",
        "[client]\njobs = 0",
        "`client.jobs` is not from 1 to 64",
    ),
    (
        "short wait",
        "[timeouts]\nlogin = \"1ms\"",
        "is below its least value of 100ms",
    ),
    (
        "metrics",
        "[metrics]\nlisten = \"0.0.0.0:1\"",
        "is not a loopback address",
    ),
    (
        "passive",
        "[passive]\naddress = \"::1\"",
        "is not an IPv4 address",
    ),
    (
        "site",
        "[client]\nsite = \"x\"",
        "`client.site` names `x`, which has no table",
    ),
    (
        "site password",
        "[site.x]\nurl = \"ftp://a:b@h/\"",
        "the URL holds a password",
    ),
    ("syntax", "[server\n", "correct the TOML"),
];

#[test]
fn every_fault_has_its_words() {
    for (name, text, words) in TABLE {
        let report = report(&with_ann(text));
        assert!(report.contains(words), "{name}: {report}");
        assert!(
            report.contains("ftp.toml:"),
            "{name} has no place: {report}"
        );
    }
}

#[test]
fn the_sample_password_is_for_loopback_only() {
    let demo = "[[user]]\nname = \"demo\"\npassword = \"demo\"\n";
    let open = format!("[server]\nlisten = \"0.0.0.0:2121\"\n{demo}");
    assert!(report(&open).contains("run `ftpd user passwd demo`, or listen on 127.0.0.1"));
    assert!(ServerConfig::from_toml(demo, Path::new("ftp.toml")).is_ok());
    let other = demo.replace("name = \"demo\"", "name = \"ann\"");
    assert!(report(&other).contains("is not an argon2id hash"));
}

#[test]
fn an_empty_file_says_that_nobody_could_log_in() {
    insta::assert_snapshot!(report(""), @r"
    ftpd: config: there is no [[user]], so nobody could log in
      --> ftp.toml
       = run `ftpd user add NAME`, or write the file with `ftpd init`
    ");
}

#[test]
fn hashes_that_are_too_cheap_or_too_dear_are_refused() {
    for (cost, words) in [
        ("m=8,t=1,p=1", "too cheap"),
        ("m=9999999,t=1,p=1", "so dear"),
    ] {
        let text = with_ann("").replace("m=4096,t=1,p=1", cost);
        assert!(report(&text).contains(words), "{cost}");
    }
}

#[test]
fn no_report_shows_a_password() {
    for line in [
        "pasword=\"topsecret\"",
        "password = topsecret",
        "password = \"topsecret\\q\"",
        "url=\"ftp://u:topsecret@h:x/\"",
        "url=\"http://u:topsecret@h/\"",
        "url=[\"ftp://u:topsecret@h/\"]",
        "password = [\"topsecret\"]",
    ] {
        for table in ["[site.nas]", "[[user]]", "[sites.nas]"] {
            let report = report(&format!("{table}\n{line}\n"));
            assert!(!report.contains("topsecret"), "{table}\n{report}");
            assert!(report.contains("ftp.toml:"), "{report}");
        }
    }
}
