//! Runs that change one configuration, one behind the other.

use std::{
    fs::{File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, Instant},
};

use crate::say;

/// How long another run is waited for: whoever may read the file can hold it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Locks the file; one that was replaced while we waited is locked anew.
pub(super) fn take_turn(path: &Path) -> io::Result<File> {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        let file = File::open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
                let words = "another program keeps it locked (`fuser` names it)";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, words));
            }
            Err(TryLockError::WouldBlock) => {
                if !is_told && began.elapsed() > Duration::from_secs(1) {
                    say::note(format_args!(
                        "ftpd: waiting for another run to change {}",
                        path.display()
                    ));
                    is_told = true;
                }
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {
                continue;
            }
            // Some network disks have no locks: one run at a time is all that works there.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
        let (ours, there) = (file.metadata()?, std::fs::metadata(path)?);
        if (ours.dev(), ours.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}
