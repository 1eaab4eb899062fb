//! Disks that do not answer: a FUSE mount whose program stands still.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use harness::{
    Site,
    foreign::{command, find, ok},
};
use rustix::process::{Pid, Signal, kill_process};

/// Ended and unmounted when dropped.
struct Hung {
    at: PathBuf,
    program: Child,
}

impl Hung {
    fn at(here: &Path) -> Option<Self> {
        let (make, mount) = (find("mksquashfs")?, find("squashfuse")?);
        fs::write(here.join("f"), "f").unwrap();
        ok(command(&make, here).args(["f", "image"]));
        let at = here.join("hung");
        fs::create_dir(&at).unwrap();
        let mut program = command(&mount, here);
        let program = program.args(["-f", "image"]).arg(&at).spawn().unwrap();
        let hung = Self { at, program };
        harness::wait::until("the mount", || hung.at.join("f").exists().then_some(()));
        kill_process(Pid::from_child(&hung.program), Signal::STOP).unwrap();
        Some(hung)
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[test]
fn doctor_tells_of_a_record_whose_disk_does_not_answer() {
    let here = tempfile::tempdir().unwrap();
    let Some(hung) = Hung::at(here.path()) else {
        return;
    };
    // The system still knows where it is, and has to ask whether it can be written.
    let record = hung.at.join("f");
    let site = Site::with_ann().key("log", &format!("xferlog = {record:?}"));
    site.write();
    let doctor = Command::new(harness::programs::program("ftpd"))
        .args([
            "--config".as_ref(),
            site.config().as_os_str(),
            "doctor".as_ref(),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(said.contains("FAULT log"), "{said}");
    assert!(said.contains("hung/f` does not answer"), "{said}");
}
