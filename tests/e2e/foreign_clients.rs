//! Other people's clients against `ftpd`, plain and TLS.

use std::{fs, path::Path, process::Command};

use harness::{
    Server, Site,
    client::{noise, sample},
    foreign::{command, feed, find, ok},
    site::Engine,
};

fn site() -> Site {
    Site::with_ann().file("down.bin", &noise(300_000)).dir("in")
}

fn tree(dir: &Path, files: usize) {
    for i in 0..files {
        let sub = dir.join(format!("d{}", i % 10));
        fs::create_dir_all(&sub).unwrap();
        fs::write(sub.join(format!("file {i}.txt")), noise(i * 50)).unwrap();
    }
}

fn same_tree(a: &Path, b: &Path) {
    ok(Command::new("diff").args(["-r".as_ref(), a.as_os_str(), b.as_os_str()]));
}

#[test]
fn curl_moves_files_in_every_mode() {
    let Some(curl) = find("curl") else { return };
    for (engine, ways) in [
        (
            Engine::Native,
            vec![
                vec![],
                vec!["--ssl-reqd", "-k", "--tls-max", "1.2"],
                vec!["--ssl-reqd", "-k", "--tlsv1.3"],
                vec!["--disable-epsv"],
                vec!["-P", "-"],
            ],
        ),
        (Engine::Libunftp, vec![vec![], vec!["--disable-epsv"]]),
    ] {
        let server = site().engine(engine).start();
        let here = tempfile::tempdir().unwrap();
        let up = sample(here.path(), "up.bin", 200_000);
        for way in ways {
            let base = format!("ftp://ann:secret@{}/", server.address);
            let run =
                |args: &[&str]| ok(command(&curl, here.path()).arg("-sS").args(&way).args(args));
            run(&["-o", "down", &format!("{base}down.bin")]);
            assert!(
                fs::read(here.path().join("down")).unwrap() == noise(300_000),
                "{way:?}"
            );
            run(&["-T", "up.bin", &format!("{base}in/")]);
            assert!(fs::read(server.site.disk("in/up.bin")).unwrap() == fs::read(&up).unwrap());
            let listed = run(&[&base]);
            assert!(String::from_utf8_lossy(&listed.stdout).contains("down.bin"));
            fs::remove_file(server.site.disk("in/up.bin")).unwrap();
        }
    }
}

#[test]
fn curl_stores_five_hundred_files_over_tls_without_a_426() {
    let Some(curl) = find("curl") else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "f", 1 << 20);
    let url = format!("ftp://ann:secret@{}/in/[1-500]", server.address);
    ok(command(&curl, here.path()).args(["-sS", "-k", "--ssl-reqd", "--tlsv1.3", "-T", "f", &url]));
    assert_eq!(fs::read_dir(server.site.disk("in")).unwrap().count(), 500);
}

fn lftp(server: &Server, home: &Path, settings: &str, script: &str) {
    let Some(lftp) = find("lftp") else { return };
    let script = format!(
        "set net:max-retries 1; set net:timeout 20; set ssl:verify-certificate no; {settings}; \
         open -u ann,secret ftp://{}; {script}",
        server.address
    );
    ok(command(&lftp, home).args(["--norc", "-c", &script]));
}

#[test]
fn lftp_mirrors_both_ways_with_times() {
    for settings in [
        "set ftp:ssl-allow no",
        "set ftp:ssl-force yes; set ftp:ssl-protect-data yes",
    ] {
        let server = site().start();
        let here = tempfile::tempdir().unwrap();
        tree(&here.path().join("tree"), 200);
        lftp(
            &server,
            here.path(),
            settings,
            "mirror -R -P4 tree in/tree; mirror -P4 in/tree back; \
            get -c down.bin; pget -n 4 down.bin -o pget.bin; rm in/tree/d0/*.txt; cls in/tree",
        );
        if find("lftp").is_none() {
            return;
        }
        assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
        assert!(fs::read(here.path().join("pget.bin")).unwrap() == noise(300_000));
        fs::remove_dir_all(here.path().join("tree/d0")).unwrap();
        fs::remove_dir_all(here.path().join("back/d0")).unwrap();
        fs::remove_dir_all(server.site.disk("in/tree/d0")).unwrap();
        same_tree(&here.path().join("tree"), &here.path().join("back"));
        same_tree(&here.path().join("tree"), &server.site.disk("in/tree"));
        let time = |path: std::path::PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let (there, here) = (
            time(server.site.disk("in/tree/d1/file 1.txt")),
            time(here.path().join("tree/d1/file 1.txt")),
        );
        assert!(
            here.duration_since(there)
                .is_ok_and(|off| off.as_secs() < 2),
            "the time was not kept"
        );
    }
}

#[test]
fn lftp_mirrors_through_libunftp() {
    let server = site().engine(Engine::Libunftp).start();
    let here = tempfile::tempdir().unwrap();
    tree(&here.path().join("tree"), 50);
    lftp(
        &server,
        here.path(),
        "set ftp:ssl-allow no",
        "mirror -R tree in/tree; mirror in/tree back",
    );
    if find("lftp").is_some() {
        same_tree(&here.path().join("tree"), &here.path().join("back"));
    }
}

/// The two programs that are called `ftp`.
fn classic(name: &str, passive: bool) {
    let Some(program) = find(name) else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let up = sample(here.path(), "up.bin", 100_000);
    let (host, port) = (server.address.ip(), server.address.port());
    let mode = match (name, passive) {
        ("tnftp", true) => "passive on",
        ("tnftp", false) => "passive off",
        (_, true) => "passive",
        (_, false) => "",
    };
    let script = format!(
        "open {host} {port}\nuser ann secret\nbinary\n{mode}\ncd in\nput up.bin\nget up.bin back.bin\n\
         mkdir made\nrename up.bin made/new.bin\nls\ncd ..\nget down.bin\nbye\n"
    );
    feed(
        command(&program, here.path()).args(["-n", "-i", "-v"]),
        &script,
    );
    assert!(
        fs::read(here.path().join("back.bin")).unwrap() == fs::read(up).unwrap(),
        "{name} {passive}"
    );
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
    assert!(server.site.disk("in/made/new.bin").exists());
}

#[test]
fn tnftp_passive() {
    classic("tnftp", true);
}

#[test]
fn tnftp_active() {
    classic("tnftp", false);
}

#[test]
fn inetutils_ftp_passive() {
    classic("inetutils-ftp", true);
}

#[test]
fn inetutils_ftp_active() {
    classic("inetutils-ftp", false);
}

#[test]
fn ncftp_gets_and_puts() {
    let (Some(get), Some(put)) = (find("ncftpget"), find("ncftpput")) else {
        return;
    };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let up = sample(here.path(), "up.bin", 100_000);
    let port = server.address.port().to_string();
    let login = ["-V", "-u", "ann", "-p", "secret", "-P", &port, "127.0.0.1"];
    ok(command(&get, here.path())
        .args(login)
        .args([".", "down.bin"]));
    ok(command(&put, here.path())
        .args(login)
        .args(["in", "up.bin"]));
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
    assert!(fs::read(server.site.disk("in/up.bin")).unwrap() == fs::read(up).unwrap());
}

#[test]
fn wget_fetches() {
    let Some(wget) = find("wget") else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    let url = format!("ftp://{}/down.bin", server.address);
    ok(command(&wget, here.path()).args(["-q", "--user=ann", "--password=secret", &url]));
    assert!(fs::read(here.path().join("down.bin")).unwrap() == noise(300_000));
}

#[test]
fn rclone_copies_and_checks_with_times() {
    let Some(rclone) = find("rclone") else { return };
    let server = site().start();
    let here = tempfile::tempdir().unwrap();
    tree(&here.path().join("tree"), 60);
    let secret = ok(command(&rclone, here.path()).args(["obscure", "secret"]));
    let secret = String::from_utf8_lossy(&secret.stdout).trim().to_owned();
    let port = server.address.port();
    let remote = format!(":ftp,host=127.0.0.1,port={port},user=ann,pass='{secret}':in/tree");
    ok(command(&rclone, here.path()).args(["copy", "tree", &remote]));
    ok(command(&rclone, here.path()).args(["check", "tree", &remote]));
    ok(command(&rclone, here.path()).args(["copy", &remote, "back"]));
    same_tree(&here.path().join("tree"), &here.path().join("back"));
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
            .args(["-c", FTPLIB, &port, tls])
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

const FTPLIB: &str = "
import ftplib, io, ssl, sys
port, tls = int(sys.argv[1]), sys.argv[2] == 'tls'
if tls:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ftp = ftplib.FTP_TLS(context=context)
else:
    ftp = ftplib.FTP()
ftp.connect('127.0.0.1', port, timeout=20)
ftp.login('ann', 'secret')
if tls:
    ftp.prot_p()
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
