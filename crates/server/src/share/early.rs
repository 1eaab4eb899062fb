//! Facts that a second thread reads while the names of a large directory are still coming.
//!
//! [`Listing`](super::Listing) reads names and lends them here; without this the other processors
//! would wait until the last name is there. Only a beginning of the names is looked at: what is
//! missing is looked at when its turn comes.

use std::{
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, Scope, ScopedJoinHandle},
};

use rustix::fs::{AtFlags, statat};

use super::meta::{Kind, Meta};

/// Names that are lent at once; a directory with fewer is not looked at early.
const LENT: usize = 1_024;
/// Batches that are lent at most: their facts take 2 MiB.
const MOST: usize = 32;

/// How many threads look at a large directory: one for each processor, four at most. Asked once:
/// the answer comes out of a dozen files.
pub static THREADS: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, |count| count.get().min(4)));

/// Names as one block, and where each ends.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Lends names to the second thread, which starts with the first full batch.
pub(super) struct Lender<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    dir: &'env OwnedFd,
    stop: &'env AtomicBool,
    batch: Batch,
    lent: usize,
    second: Option<Second<'scope>>,
}

struct Second<'scope> {
    to: mpsc::Sender<Batch>,
    looking: ScopedJoinHandle<'scope, Vec<Option<Meta>>>,
}

/// Runs `read` and looks at the names that it lends meanwhile. Returns what it returns, and the
/// facts of the first names lent; what is no file and no directory, or has gone, has none.
pub(super) fn look_along<T>(
    dir: &OwnedFd,
    read: impl FnOnce(&mut Lender<'_, '_>) -> T,
) -> (T, Vec<Option<Meta>>) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let mut lender = Lender {
            scope,
            dir,
            stop: &stop,
            batch: Batch::default(),
            lent: if *THREADS > 1 { 0 } else { MOST },
            second: None,
        };
        let done = read(&mut lender);
        stop.store(true, Ordering::Relaxed);
        let facts = lender.second.and_then(|second| {
            drop(second.to);
            second.looking.join().ok()
        });
        (done, facts.unwrap_or_default())
    })
}

impl Lender<'_, '_> {
    /// Lends one name.
    pub(super) fn add(&mut self, name: &[u8]) {
        if self.lent == MOST {
            return;
        }
        self.batch.bytes.extend_from_slice(name);
        self.batch.ends.push(self.batch.bytes.len());
        if self.batch.ends.len() == LENT {
            self.lend();
        }
    }

    fn lend(&mut self) {
        if self.second.is_none() {
            self.second = self.begin();
        }
        let batch = std::mem::take(&mut self.batch);
        self.lent = match &self.second {
            Some(second) if second.to.send(batch).is_ok() => self.lent + 1,
            // No thread to be had: the names go on without one.
            _ => MOST,
        };
    }
}

impl<'scope> Lender<'scope, '_> {
    fn begin(&self) -> Option<Second<'scope>> {
        let (to, from) = mpsc::channel();
        let (dir, stop) = (self.dir, self.stop);
        let looking = thread::Builder::new()
            .name("ftpd-early".to_owned())
            .spawn_scoped(self.scope, move || look_at(dir, &from, stop))
            .ok()?;
        Some(Second { to, looking })
    }
}

fn look_at(dir: &OwnedFd, from: &mpsc::Receiver<Batch>, stop: &AtomicBool) -> Vec<Option<Meta>> {
    let mut found = Vec::new();
    for names in from {
        let mut begin = 0;
        for end in names.ends {
            if stop.load(Ordering::Relaxed) {
                return found;
            }
            let name = OsStr::from_bytes(&names.bytes[begin..end]);
            begin = end;
            let meta = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW);
            let meta = meta.ok().map(|stat| Meta::of(&stat));
            found.push(meta.filter(|meta| matches!(meta.kind, Kind::File | Kind::Dir)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn facts_belong_to_the_names_in_the_order_in_which_they_were_lent() {
        let dir = tempfile::tempdir().unwrap();
        let count = LENT * 3;
        for i in 0..count {
            let file = File::create(dir.path().join(i.to_string())).unwrap();
            file.set_len(i as u64).unwrap();
        }
        let handle = OwnedFd::from(File::open(dir.path()).unwrap());
        let ((), facts) = look_along(&handle, |lender| {
            for i in 0..count {
                lender.add(if i == 7 { "gone".into() } else { i.to_string() }.as_bytes());
            }
        });
        assert!(facts.len() <= count, "{}", facts.len());
        for (i, meta) in facts.iter().enumerate() {
            let size = meta.map(|meta| meta.size);
            assert_eq!(size, (i != 7).then_some(i as u64));
        }
    }

    #[test]
    fn a_small_directory_starts_no_thread() {
        let handle = OwnedFd::from(File::open("/").unwrap());
        let (started, facts) = look_along(&handle, |lender| {
            (0..LENT - 1).for_each(|_| lender.add(b"x"));
            lender.second.is_some()
        });
        assert!(!started && facts.is_empty());
    }
}
