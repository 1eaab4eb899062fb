//! Facts that a second thread reads while the names of a large directory are still coming.
//!
//! [`Listing`](super::Listing) reads names and lends them here; without this the other processors
//! would wait until the last name is there. Only a beginning of the names is looked at: what is
//! missing is looked at when its turn comes.

use std::{
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use rustix::fs::{AtFlags, statat};

use super::meta::{Kind, Meta};
use crate::hands::{self, THREADS};

/// Names that are lent at once; a directory with fewer is not looked at early.
const LENT: usize = 1_024;
/// Batches that are lent at most: their facts take 2 MiB.
const MOST: usize = 32;
/// Facts that are handed over at once.
const PART: usize = 64;

/// Names as one block, and where each ends.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Lends names to the second thread, which is called with the first full batch.
#[derive(Debug)]
pub(super) struct Lender {
    dir: Arc<OwnedFd>,
    batch: Batch,
    lent: usize,
    second: Option<Second>,
}

#[derive(Debug)]
struct Second {
    to: mpsc::Sender<Batch>,
    finds: Arc<Finds>,
}

/// What the second thread has found so far, in the order of the names lent.
#[derive(Debug, Default)]
struct Finds {
    facts: Mutex<Vec<Option<Meta>>>,
    stop: AtomicBool,
}

impl Lender {
    pub(super) fn new(dir: &Arc<OwnedFd>) -> Self {
        Self {
            dir: Arc::clone(dir),
            batch: Batch::default(),
            lent: if *THREADS > 1 { 0 } else { MOST },
            second: None,
        }
    }

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

    /// Returns the facts of the first names lent, as far as they are known by now; what is no file
    /// and no directory, or has gone, has none.
    pub(super) fn finish(self) -> Vec<Option<Meta>> {
        self.second.map_or_else(Vec::new, |second| {
            second.finds.stop.store(true, Ordering::Relaxed);
            let mut facts = second.finds.facts.lock();
            std::mem::take(facts.as_mut().unwrap_or_else(|broken| broken.get_mut()))
        })
    }

    fn lend(&mut self) {
        if self.second.is_none() {
            self.second = Second::call(&self.dir);
        }
        let batch = std::mem::take(&mut self.batch);
        self.lent = match &self.second {
            Some(second) if second.to.send(batch).is_ok() => self.lent + 1,
            // No thread to be had: the names go on without one.
            _ => MOST,
        };
    }
}

impl Second {
    fn call(dir: &Arc<OwnedFd>) -> Option<Self> {
        let (to, from) = mpsc::channel();
        let finds = Arc::new(Finds::default());
        let (dir, theirs) = (Arc::clone(dir), Arc::clone(&finds));
        hands::help(move || theirs.look_at(&dir, &from)).then_some(Self { to, finds })
    }
}

impl Finds {
    fn look_at(&self, dir: &OwnedFd, from: &mpsc::Receiver<Batch>) {
        for names in from {
            let mut begin = 0;
            for ends in names.ends.chunks(PART) {
                let mut part = Vec::with_capacity(PART);
                for &end in ends {
                    part.push(look(dir, &names.bytes[begin..end]));
                    begin = end;
                }
                let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
                facts.append(&mut part);
            }
        }
    }
}

fn look(dir: &OwnedFd, name: &[u8]) -> Option<Meta> {
    let stat = statat(dir, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(Meta::of(&stat)).filter(|meta| matches!(meta.kind, Kind::File | Kind::Dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[tokio::test]
    async fn facts_belong_to_the_names_in_the_order_in_which_they_were_lent() {
        let dir = tempfile::tempdir().unwrap();
        let count = LENT * 3;
        for i in 0..count {
            let file = File::create(dir.path().join(i.to_string())).unwrap();
            file.set_len(i as u64).unwrap();
        }
        let handle = Arc::new(OwnedFd::from(File::open(dir.path()).unwrap()));
        let mut lender = Lender::new(&handle);
        for i in 0..count {
            lender.add(if i == 7 { "gone".into() } else { i.to_string() }.as_bytes());
        }
        let second = lender.second.as_ref().unwrap();
        let begun = || !second.finds.facts.lock().unwrap().is_empty();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !begun() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        let facts = lender.finish();
        assert!((PART..=count).contains(&facts.len()), "{}", facts.len());
        for (i, meta) in facts.iter().enumerate() {
            let size = meta.map(|meta| meta.size);
            assert_eq!(size, (i != 7).then_some(i as u64));
        }
    }

    #[test]
    fn the_second_thread_finds_all_when_there_is_time() {
        let dir = tempfile::tempdir().unwrap();
        (0..LENT).for_each(|i| drop(File::create(dir.path().join(i.to_string())).unwrap()));
        let names: Vec<_> = (0..LENT).map(|i| i.to_string()).collect();
        let ends = names.iter().scan(0, |end, name| {
            *end += name.len();
            Some(*end)
        });
        let (to, from) = mpsc::channel();
        let batch = Batch {
            ends: ends.collect(),
            bytes: names.concat().into_bytes(),
        };
        to.send(batch).unwrap();
        drop(to);
        let finds = Finds::default();
        finds.look_at(&File::open(dir.path()).unwrap().into(), &from);
        let facts = finds.facts.lock().unwrap();
        assert!(facts.len() == LENT && facts.iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn a_small_directory_and_a_thread_without_a_runtime_call_nobody() {
        let handle = Arc::new(OwnedFd::from(File::open("/").unwrap()));
        let mut lender = Lender::new(&handle);
        (0..LENT - 1).for_each(|_| lender.add(b"x"));
        assert!(lender.second.is_none() && lender.finish().is_empty());
        let alone = std::thread::spawn(move || {
            let mut lender = Lender::new(&handle);
            (0..LENT * 2).for_each(|_| lender.add(b"x"));
            lender.second.is_none() && lender.finish().is_empty()
        });
        assert!(alone.join().unwrap());
    }
}
