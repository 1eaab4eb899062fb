//! Other people's clients against `ftpd`, plain and TLS.

mod classic;
mod scripted;

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use harness::{
    Server, Site,
    client::{noise, sample},
    foreign::{command, find, ok},
    site::Engine,
};

fn site() -> Site {
    Site::with_ann().file("down.bin", &noise(300_000)).dir("in")
}

fn tree(dir: &Path, files: usize) {
    for i in 0..files {
        let sub = dir.join(format!("d{}", i % 10));
        fs::create_dir_all(&sub).unwrap();
        let path = sub.join(format!("file {i}.txt"));
        fs::write(&path, noise(i * 50)).unwrap();
        // A time of its own, long ago.
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000 + i as u64 * 1000);
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}

fn same_tree(a: &Path, b: &Path) {
    ok(Command::new("diff").args(["-r".as_ref(), a.as_os_str(), b.as_os_str()]));
}

/// Whether the files of one tree have the times of the other, to the second.
fn same_times(here: &Path, there: &Path) {
    for entry in fs::read_dir(here).unwrap() {
        let (from, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        if from.is_dir() {
            same_times(&from, &there.join(name));
            continue;
        }
        let time = |path: &Path| {
            let time = fs::metadata(path).unwrap().modified().unwrap();
            time.duration_since(UNIX_EPOCH).unwrap().as_secs()
        };
        assert_eq!(time(&from), time(&there.join(name)), "{}", from.display());
    }
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
        "set ftp:ssl-force yes; set ftp:ssl-protect-data yes; \
         set ssl:priority NORMAL:-VERS-TLS1.3; set ftp:use-mdtm-overloaded on; set ftp:use-mfmt off",
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
        same_times(&here.path().join("tree"), &server.site.disk("in/tree"));
    }
}

#[test]
fn lftp_removes_a_tree_and_not_what_its_links_lead_to() {
    let site = Site::with_ann()
        .file("top/a", b"a")
        .file("data/precious", b"only");
    for (target, link) in [
        ("../data", "top/dir"),
        ("../data/precious", "top/file"),
        (".", "top/loop"),
    ] {
        symlink(target, site.disk(link)).unwrap();
    }
    let server = site.start();
    let home = tempfile::tempdir().unwrap();
    lftp(&server, home.path(), "set ftp:ssl-allow no", "rm -r top");
    if find("lftp").is_some() {
        assert!(!server.site.disk("top").exists());
    }
    assert_eq!(
        fs::read(server.site.disk("data/precious")).unwrap(),
        b"only"
    );
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
