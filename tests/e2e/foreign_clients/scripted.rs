//! rclone, and Python's ftplib.

use std::fs;

use harness::{
    Site,
    client::noise,
    foreign::{command, find, ftplib, ok},
};

use super::{same_times, same_tree, site, tree};

#[test]
fn rclone_copies_and_checks_with_times() {
    let Some(rclone) = find("rclone") else { return };
    let here = tempfile::tempdir().unwrap();
    tree(&here.path().join("tree"), 60);
    let secret = ok(command(&rclone, here.path()).args(["obscure", "secret"]));
    let secret = String::from_utf8_lossy(&secret.stdout).trim().to_owned();
    for tls in ["", ",explicit_tls=true,no_check_certificate=true"] {
        let server = site().start();
        let port = server.address.port();
        let remote =
            format!(":ftp,host=127.0.0.1,port={port},user=ann,pass='{secret}'{tls}:in/tree");
        let run = |args: &[&str]| ok(command(&rclone, here.path()).args(args));
        run(&["copy", "tree", &remote]);
        run(&["check", "tree", &remote]);
        run(&["copy", &remote, "back"]);
        same_tree(&here.path().join("tree"), &here.path().join("back"));
        same_times(&here.path().join("tree"), &server.site.disk("in/tree"));
        // A second copy has nothing to do, which it can only know by the times.
        let again = run(&["copy", "-v", "tree", &remote]);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(said.contains("nothing to transfer"), "{said}");
        fs::remove_dir_all(here.path().join("back")).unwrap();
    }
}

#[test]
fn pythons_ftplib_moves_and_aborts() {
    let Some(python) = find("python3") else {
        return;
    };
    let server = Site::with_ann()
        .file("big.bin", &noise(20_000_000))
        .dir("in")
        .start();
    let here = tempfile::tempdir().unwrap();
    for tls in ["plain", "tls"] {
        let port = server.address.port().to_string();
        let program = command(&python, here.path())
            .args(["-c", &ftplib(ACTS), &port, tls])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&program.stderr).into_owned();
        assert!(program.status.success(), "{tls}: {said}");
    }
    assert_eq!(
        fs::read(server.site.disk("in/up")).unwrap(),
        vec![b'u'; 200_000]
    );
}

/// What is done behind the login.
const ACTS: &str = "
import io
ftp.storbinary('STOR in/up', io.BytesIO(b'u' * 200000))
got = io.BytesIO()
ftp.retrbinary('RETR in/up', got.write)
assert got.getvalue() == b'u' * 200000
assert 'big.bin' in [name for name, _ in ftp.mlsd()]
if not tls:
    data = ftp.transfercmd('RETR big.bin')
    data.recv(1000)
    ftp.abort()
    data.close()
    ftp.voidresp()
assert ftp.pwd() == '/'
ftp.quit()
";
