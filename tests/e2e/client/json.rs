//! `--json`: answers for programs, whole and true, without the password.

use std::fs;

use harness::{PASSWORD, Ran, Server, Site, client::sample, ftpc};
use serde_json::{Value, json};

struct Here {
    server: Server,
    dir: tempfile::TempDir,
}

impl Here {
    fn new(site: Site) -> Self {
        Self {
            server: site.start(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// The one value on stdout of a run that ends with this code.
    fn json(&self, code: i32, args: &[&str]) -> Value {
        let ran = ftpc(self.dir.path()).args(args).args(["--json"]).code(code);
        assert_no_password(&ran);
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

fn assert_no_password(ran: &Ran) {
    assert!(
        !ran.text().contains(PASSWORD) && !ran.stderr.contains(PASSWORD),
        "{ran:?}"
    );
}

#[test]
fn ls_tells_names_kinds_sizes_times_and_modes() {
    let here = Here::new(Site::with_ann().file("d/a \"b", b"12345").dir("d/sub"));
    let file = here.server.site.disk("d/a \"b");
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
    let open = fs::File::options().write(true).open(file).unwrap();
    open.set_modified(then).unwrap();
    let all = here.json(0, &["ls", &here.server.url("d")]);
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["name"].clone())
        .collect();
    assert_eq!(names, ["a \"b", "sub"], "{all}");
    let entry = &all[0];
    assert_eq!(entry["kind"], "file");
    assert_eq!(entry["size"], 5);
    assert_eq!(entry["modified"], 1_500_000_000);
    assert_eq!(entry["mode"], "644");
    assert_eq!(all[1]["kind"], "dir");
    assert_eq!(here.json(0, &["ls", &here.server.url("d/sub")]), json!([]));
}

#[test]
fn put_get_and_sync_tell_what_was_done() {
    let here = Here::new(Site::with_ann());
    let url = here.server.url("t");
    fs::create_dir(here.dir.path().join("t")).unwrap();
    sample(&here.dir.path().join("t"), "a", 1000);
    sample(&here.dir.path().join("t"), "b", 2_000_000);

    let put = here.json(0, &["put", "-r", "t", &here.server.url("")]);
    for (key, value) in [
        ("files", json!(2)),
        ("bytes", json!(2_001_000)),
        ("verified", json!(1)),
        ("skipped", json!(0)),
        ("deleted", json!(0)),
        ("failed", json!([])),
        ("interrupted", json!(false)),
        ("exit_code", json!(0)),
    ] {
        assert_eq!(put[key], value, "{key}: {put}");
    }
    assert!(put["seconds"].as_f64().unwrap() > 0.0);

    let get = here.json(0, &["get", "-r", &url, "-o", "back/"]);
    assert_eq!(
        (&get["files"], &get["bytes"]),
        (&json!(2), &json!(2_001_000))
    );
    let again = here.json(0, &["get", "-r", &url, "-o", "back/"]);
    assert_eq!((&again["files"], &again["skipped"]), (&json!(0), &json!(2)));

    fs::remove_file(here.dir.path().join("t/a")).unwrap();
    let sync = here.json(0, &["sync", "t", &url, "--delete"]);
    assert_eq!((&sync["files"], &sync["skipped"]), (&json!(0), &json!(1)));
    assert_eq!(sync["deleted"], 1);
}

#[test]
fn failures_are_told_in_the_answer_too() {
    let here = Here::new(Site::with_ann().file("a", b"1").file("b", b"2"));
    fs::write(here.dir.path().join("a"), "mine").unwrap();
    let get = here.json(
        1,
        &["get", &here.server.url("a"), &here.server.url("b"), "./"],
    );
    assert_eq!(get["files"], 1);
    assert_eq!(get["failed"][0]["name"], "a", "{get}");
    assert_eq!(get["failed"][0]["error"], "`a` exists already", "{get}");
    assert_eq!(get["exit_code"], 1);
}

#[test]
fn doctor_tells_every_step() {
    let here = Here::new(Site::with_ann().user("ro", "read-only"));
    let all = here.json(0, &["doctor", &here.server.url("/")]);
    let steps = |all: &Value| -> Vec<String> {
        let all = all.as_array().unwrap().iter();
        all.map(|e| e["step"].as_str().unwrap().to_owned())
            .collect()
    };
    for step in [
        "connect", "greeting", "tls", "login", "features", "encoding", "list", "data", "upload",
        "download", "clock",
    ] {
        let found = all.as_array().unwrap().iter().find(|e| e["step"] == step);
        assert_eq!(found.map(|e| &e["ok"]), Some(&json!(true)), "{step}: {all}");
    }
    let left = fs::read_dir(here.server.site.share()).unwrap().count();
    assert_eq!(left, 0, "the small file was left");

    // What is wrong has its step and what to change, also when nobody gets in.
    let ro = here.server.url("/").replace("ann@", "ro@");
    let all = here.json(1, &["doctor", &ro]);
    let upload = all
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["step"] == "upload")
        .unwrap();
    assert_eq!(upload["ok"], false);
    assert!(
        upload["fix"].as_str().unwrap().contains("`can`"),
        "{upload}"
    );
    let all = here.json(1, &["doctor", &here.server.url("nodir")]);
    let list = all.as_array().unwrap().last().unwrap();
    assert_eq!(list["step"], "list");
    assert_eq!(list["said"], "there is no directory `nodir`");
    let nobody = here.server.url("/").replace("ann@", "nobody@");
    let all = here.json(4, &["doctor", &nobody]);
    assert_eq!(steps(&all), ["connect", "login"]);
    assert_eq!(
        (&all[0]["ok"], &all[1]["ok"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn the_wire_is_shown_without_the_password() {
    let here = Here::new(Site::with_ann().file("a", b"1"));
    let ran = ftpc(here.dir.path())
        .args(["-v", "ls", &here.server.url("/")])
        .success();
    ran.says("> PASS ***").says("> USER ann");
    assert_no_password(&ran);
    let url = here
        .server
        .url("/")
        .replace("ann@", &format!("ann:{PASSWORD}@"));
    let ran = ftpc(here.dir.path()).args(["-v", "ls", &url]).success();
    ran.says("a password in a URL");
    assert_no_password(&ran);
}

#[test]
fn a_stream_is_summed_up_as_files_are() {
    let here = Here::new(Site::with_ann().dir("d"));
    let put = |code: i32, name: &str| -> Value {
        let ran = ftpc(here.dir.path())
            .args(["--json", "put", "-", "-o", name, &here.server.url("/")])
            .stdin("12345")
            .code(code);
        serde_json::from_slice(&ran.stdout).unwrap()
    };
    let done = put(0, "in");
    assert_eq!((&done["files"], &done["bytes"]), (&json!(1), &json!(5)));
    assert_eq!(done["exit_code"], 0);
    let failed = put(6, "d");
    assert_eq!(
        (&failed["files"], &failed["exit_code"]),
        (&json!(0), &json!(6))
    );
    assert_eq!(failed["failed"][0]["name"], "-");
}
