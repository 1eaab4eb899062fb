//! What stands where the share was opened.

use rustix::fs::Stat;

use super::FileId;

/// What the name of the shared directory names, some time after that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// This directory.
    Here,
    /// Nothing: the directory was moved, or its disk taken away.
    Nothing,
    /// Another directory, or the root of a disk that was mounted there; or this one was removed.
    Another,
    /// What cannot be looked at, as this directory cannot: their disk has failed, or what served it is gone.
    Dead,
}

impl At {
    pub(super) fn of(there: &rustix::io::Result<Stat>, ours: &rustix::io::Result<Stat>) -> Self {
        match (there, ours) {
            (Ok(there), Ok(ours)) if FileId::of(there) == FileId::of(ours) => Self::Here,
            (Err(_), Ok(ours)) if ours.st_nlink > 0 => Self::Nothing,
            (Err(_), Err(_)) => Self::Dead,
            _ => Self::Another,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::{fs::stat, io::Errno};

    use super::*;

    #[test]
    fn a_disk_that_has_failed_is_not_taken_for_another_one() {
        let dead = Err(Errno::IO);
        assert_eq!(At::of(&dead, &dead), At::Dead);
        let (ours, other) = (stat("/"), stat("/proc"));
        assert_eq!(At::of(&ours, &ours), At::Here);
        assert_eq!(At::of(&other, &ours), At::Another);
        // It is mounted anew, and the handle is that of the dead one.
        assert_eq!(At::of(&other, &dead), At::Another);
        assert_eq!(At::of(&Err(Errno::NOENT), &ours), At::Nothing);
    }
}
