//! An upload that the disk has no room for: its client hears why, whether it looks at the replies or not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{
    Server, Site, Wire,
    client::{noise, sample},
    foreign::{command, find, ftplib, ok},
    tls,
    wire::Data,
};
use rustix::process::Signal;

fn nearly_full() -> Option<Server> {
    Some(Site::with_ann().on_tmpfs("size=1m")?.start())
}

/// Sends more than there is room for, to a server that has said why before the end.
fn refused(wire: &mut Wire, is_block: bool) -> Data {
    let data = wire.passive();
    wire.expect("STOR a", 150);
    let mut data = wire.guard(data);
    data.write(&part(is_block).repeat(2));
    let reply = wire.code(452).text();
    assert!(reply.contains("not enough room: at least"), "{reply}");
    data
}

/// 600 KB, in MODE B as ten blocks of a file that goes on.
fn part(is_block: bool) -> Vec<u8> {
    let bytes = noise(60_000);
    let head: &[u8] = if is_block { &[0, 0xea, 0x60] } else { &[] };
    [head, &bytes].concat().repeat(10)
}

#[test]
fn a_client_may_send_to_the_end_of_a_file_that_has_no_room() {
    let Some(server) = nearly_full() else { return };
    for (is_private, is_block) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut wire = server.wire();
        if is_private {
            wire.secure(&tls::client(&[&rustls::version::TLS13]));
        }
        wire.login("ann");
        wire.protect_data(is_private);
        if is_block {
            wire.expect("MODE B", 200);
        }
        let mut data = refused(&mut wire, is_block);
        // Its partial is gone, and the session goes on meanwhile.
        assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 0);
        wire.expect("ABOR", 225);
        data.write(&part(is_block).repeat(20));
        wire.expect("NOOP", 200);
        data.end();
        assert_eq!(data.read_all(), b"");
    }
}

#[test]
fn what_a_refused_client_still_sends_holds_up_nothing() {
    let Some(server) = nearly_full() else { return };
    let mut wire = server.ann();
    let left = refused(&mut wire, false);
    // The next transfer ends it.
    wire.store("STOR small", b"small");
    assert_eq!(left.drain(), 0);
    let left = refused(&mut wire, false);
    wire.expect("QUIT", 221);
    assert_eq!(left.drain(), 0);
    let mut wire = server.ann();
    let left = refused(&mut wire, false);
    server.signal(Signal::TERM);
    wire.code(421);
    assert_eq!(left.drain(), 0);
    assert_eq!(server.ended().1, Some(0));
}

#[test]
fn curl_and_ftplib_tell_what_the_server_said() {
    let Some(server) = nearly_full() else { return };
    let here = tempfile::tempdir().unwrap();
    sample(here.path(), "large", 30 << 20);
    let port = server.address.port().to_string();
    if let Some(curl) = find("curl") {
        for ssl in ["--no-ssl", "--ssl-reqd"] {
            let url = server.url("/up");
            let args = ["-sS", "-k", ssl, "-u", "ann:secret", "-T", "large", &url];
            let out = command(&curl, here.path()).args(args).output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(said.contains("got 452"), "{said}");
        }
    }
    if let Some(python) = find("python3") {
        for tls in ["plain", "tls"] {
            let args = ["-c", &ftplib(ACTS), &port, tls];
            let out = command(&python, here.path()).args(args).output().unwrap();
            let said = String::from_utf8_lossy(&out.stdout);
            assert!(said.starts_with("452 up: not enough room"), "{tls}: {said}");
        }
    }
}

/// Behind a 4xx it would send what is left in its buffer, as the whole file.
#[test]
fn lftp_stores_no_piece_of_a_file_that_has_no_room() {
    let Some(lftp) = find("lftp") else { return };
    let Some(server) = nearly_full() else { return };
    let here = tempfile::tempdir().unwrap();
    for size in [1_200_000, 2 << 20, 30 << 20] {
        sample(here.path(), "large", size);
        for ssl in ["no", "yes"] {
            let script = format!(
                "set ssl:verify-certificate no; set ftp:ssl-force {ssl}; set ftp:ssl-allow {ssl}; \
                 set ftp:ssl-protect-data {ssl}; set net:max-retries 1; \
                 open -u ann,secret ftp://{}; put large -o up",
                server.address
            );
            let out = command(&lftp, here.path()).args(["-c", &script]).output();
            let said = String::from_utf8_lossy(&out.unwrap().stderr).into_owned();
            assert!(said.contains("552 up: not enough room"), "{said}");
            assert_eq!(fs::read_dir(server.site.share()).unwrap().count(), 0);
        }
    }
}

/// A disk that is read-only and does not say so of itself; unmounted when dropped.
struct Squashed(PathBuf);

impl Drop for Squashed {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn squashed(here: &Path, at: PathBuf) -> Option<Squashed> {
    let (make, mount) = (find("mksquashfs")?, find("squashfuse")?);
    fs::write(here.join("f"), "f").unwrap();
    ok(command(&make, here).args(["f", "image"]));
    let mounted = command(&mount, here).arg("image").arg(&at).status();
    mounted.unwrap().success().then(|| Squashed(at))
}

#[test]
fn a_disk_that_takes_nothing_is_told_to_be_read_only() {
    let here = tempfile::tempdir().unwrap();
    let site = Site::with_ann().key("share", "reserve = \"0\"");
    fs::create_dir_all(site.share()).unwrap();
    let Some(_mounted) = squashed(here.path(), site.share()) else {
        return;
    };
    let server = site.start();
    let mut wire = server.ann();
    wire.passive();
    for act in ["STOR a", "APPE a", "STOU", "MKD d", "ALLO 5"] {
        let reply = wire.expect(act, 550).text();
        assert!(reply.ends_with("the server's disk is read-only"), "{reply}");
    }
}

/// What is done behind the login.
const ACTS: &str = "
try:
    ftp.storbinary('STOR up', open('large', 'rb'))
except ftplib.Error as error:
    print(error)
assert ftp.pwd() == '/'
ftp.quit()
";
