//! Whether a partial's bytes are those that were written to it. After a power cut a file may have its size
//! and, where its last bytes were to be, zeros.
//!
//! What was written since the machine started is what is read. Of the time before, only what was brought to
//! the disk when the upload broke counts: a mark tells of it, on disks that keep any (xattr(7)).

use std::{fs::File, io, time::SystemTime};

use rustix::{
    buffer::spare_capacity,
    fs::{Stat, XattrFlags, fgetxattr, fremovexattr, fsetxattr, fstat},
};

use super::sweep::uptime;
use crate::{
    acl, hands,
    share::{Meta, home::proc_path},
};

/// Holds size and time of the last change of the file that is on the disk.
const MARK: &str = "user.ftpd.on_disk";

/// When the machine started, by its clock of now.
fn booted() -> SystemTime {
    let before = SystemTime::now().checked_sub(uptime());
    before.unwrap_or(SystemTime::UNIX_EPOCH)
}

fn facts(stat: &Stat) -> String {
    let Stat {
        st_size,
        st_mtime,
        st_mtime_nsec,
        ..
    } = stat;
    format!("{st_size} {st_mtime} {st_mtime_nsec}")
}

/// Tells whether nothing of it may have been lost.
pub(super) fn is_sound(file: &File) -> bool {
    let Ok(stat) = fstat(file) else {
        return false;
    };
    Meta::of(&stat).modified >= booted() || is_marked(file, &stat)
}

fn is_marked(file: &File, stat: &Stat) -> bool {
    let mark = acl::read(|buffer| fgetxattr(file, MARK, spare_capacity(buffer)));
    mark.is_ok_and(|mark| mark == facts(stat).as_bytes())
}

/// Brings what is kept to the disk, while nobody waits for that, and marks it.
pub(in crate::share) fn secure(partial: &File) {
    // Of its own, so that it holds no lock: whoever goes on meanwhile changes the file, and the mark says nothing.
    if let Ok(file) = File::open(proc_path(partial)) {
        hands::help(move || drop(bring_to_disk(&file)));
    }
}

pub(super) fn bring_to_disk(file: &File) -> io::Result<()> {
    let stat = fstat(file)?;
    file.sync_all()?;
    Ok(fsetxattr(
        file,
        MARK,
        facts(&stat).as_bytes(),
        XattrFlags::empty(),
    )?)
}

/// Takes the mark away, from what will be a file of the user's.
pub(in crate::share) fn unmark(partial: &File) {
    let _there_is_none = fremovexattr(partial, MARK);
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _, path::PathBuf, time::Duration};

    use ftp_config::Rights;

    use super::*;
    use crate::{
        share::{
            Home, Intent,
            tests::{Bed, FRESH, path},
        },
        skip::skip,
    };

    fn sent(home: &Home, intent: Intent, bytes: &[u8]) -> u16 {
        match home.begin_upload(&path("a"), intent, None) {
            Ok(mut upload) => {
                upload.start(&|| false).unwrap();
                upload.file().write_all(bytes).unwrap();
                0
            }
            Err(refused) => refused.code(),
        }
    }

    fn at(offset: u64) -> Intent {
        Intent::Store { offset }
    }

    /// The one file of the share, written to before the machine started.
    fn aged(bed: &Bed) -> PathBuf {
        let entry = fs::read_dir(bed.disk("")).unwrap().next().unwrap();
        let partial = entry.unwrap().path();
        let file = File::options().write(true).open(&partial).unwrap();
        file.set_modified(booted() - Duration::from_secs(5))
            .unwrap();
        partial
    }

    #[test]
    fn what_a_power_cut_may_have_torn_is_not_gone_on_with() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        for goes_on in [at(4), at(2)] {
            assert_eq!(sent(&home, FRESH, b"1234"), 0);
            aged(&bed);
            assert_eq!(sent(&home, goes_on, b"5"), 554);
            assert_eq!(bed.partials(), 0);
        }
        assert_eq!(sent(&home, FRESH, b"1234"), 0);
        assert_eq!(sent(&home, at(4), b"5"), 0, "the machine has run since");
    }

    #[test]
    fn what_is_known_to_be_on_the_disk_is_gone_on_with_after_a_restart_of_the_machine() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        assert_eq!(sent(&home, FRESH, b"1234"), 0);
        let partial = aged(&bed);
        let file = File::open(&partial).unwrap();
        if bring_to_disk(&file).is_err() {
            skip("this disk keeps no marks");
            return;
        }
        assert_eq!(sent(&home, at(4), b"5"), 0);
        // What came since then is not known of.
        aged(&bed);
        assert_eq!(sent(&home, at(5), b"6"), 554);
        assert_eq!(sent(&home, FRESH, b"1234"), 0);
        bring_to_disk(&File::open(&partial).unwrap()).unwrap();
        let mut upload = home.begin_upload(&path("a"), at(4), None).unwrap();
        upload.start(&|| false).unwrap();
        upload.commit(None).unwrap();
        let whole = File::open(bed.disk("a")).unwrap();
        let mark = acl::read(|buffer| fgetxattr(&whole, MARK, spare_capacity(buffer)));
        mark.unwrap_err();
    }

    #[tokio::test]
    async fn what_is_kept_goes_to_the_disk_and_is_marked() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        assert_eq!(sent(&home, FRESH, b"1234"), 0);
        let entry = fs::read_dir(bed.disk("")).unwrap().next().unwrap();
        let file = File::open(entry.unwrap().path()).unwrap();
        if fsetxattr(&file, "user.ftpd.test", b"", XattrFlags::empty()).is_err() {
            skip("this disk keeps no marks");
            return;
        }
        for _ in 0..30_000 {
            if is_marked(&file, &fstat(&file).unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("nothing has marked it");
    }
}
