//! Counters of running files to events, a few times a second.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::event::{Event, Events, FileId};

/// How often bytes are told.
const TICK: Duration = Duration::from_millis(100);

/// The counters of the files that move.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<BTreeMap<FileId, (Arc<AtomicU64>, u64)>>);

/// A file on the board; dropping it takes it off.
pub(super) struct Row<'a>(&'a Board, FileId);

impl Board {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<FileId, (Arc<AtomicU64>, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file on the board.
    pub(super) fn add(&self, id: FileId, counter: Arc<AtomicU64>) -> Row<'_> {
        self.rows().insert(id, (counter, 0));
        Row(self, id)
    }

    /// Tells what moved since the last time.
    pub(super) fn tell(&self, events: &Events) {
        for (id, (counter, told)) in self.rows().iter_mut() {
            let bytes = counter.load(Ordering::Relaxed);
            if bytes != *told {
                *told = bytes;
                events.send(Event::Advanced { id: *id, bytes });
            }
        }
    }

    /// Tells for ever; the caller ends it.
    pub(super) async fn run(&self, events: &Events) {
        loop {
            tokio::time::sleep(TICK).await;
            self.tell(events);
        }
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.0.rows().remove(&self.1);
    }
}
