//! How reloads went, and what they read.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use ftp_config::ServerConfig;

use crate::watch::{self, Stamps};

/// How reloads went so far.
#[derive(Debug, Default)]
pub struct History {
    pub(super) turn: Mutex<()>,
    done: AtomicU64,
    last_error: Mutex<Option<String>>,
    files: Mutex<Stamps>,
    /// What the configuration names that was read last, taken or refused.
    named: Mutex<Vec<PathBuf>>,
}

impl History {
    /// Begins with files that were read in these states.
    #[must_use]
    pub fn since(files: Stamps) -> Self {
        Self {
            files: Mutex::new(files),
            ..Self::default()
        }
    }

    /// Returns the states the files had before they were last read.
    #[must_use]
    pub fn files(&self) -> Stamps {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }

    pub(super) fn about_to_read(&self, path: &Path, served: &ServerConfig) {
        let named = ftp_config::files_named(path);
        let files = watch::with_named(watch::files_of(path, served), &named);
        let mut before = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        *before = Stamps::of(&files);
        *self.named.lock().unwrap_or_else(PoisonError::into_inner) = named;
    }

    pub(super) fn named(&self) -> Vec<PathBuf> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.clone()
    }

    /// Returns how many reloads succeeded.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Returns why the last reload was refused, if it was.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn note(&self, is_done: bool, error: Option<String>) {
        if is_done {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = error;
    }
}
