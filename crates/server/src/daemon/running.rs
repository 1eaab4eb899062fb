//! A reload on its way, beside what the daemon listens to.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::{
    hands::{self, patiently},
    reload::Reloader,
    supervisor,
};

/// The reload that runs, and whether another one was asked for meanwhile.
#[derive(Debug, Default)]
pub(super) struct Running {
    task: Option<JoinHandle<()>>,
    again: bool,
}

impl Running {
    pub(super) fn begin(&mut self, reloader: &Arc<Reloader>) {
        if self.is_on() {
            self.again = true;
            return;
        }
        supervisor::reloading();
        let reloader = Arc::clone(reloader);
        let reload = hands::run(move |_| drop(reloader.reload()));
        self.task = Some(tokio::spawn(patiently("a reload", reload)));
    }

    pub(super) fn is_on(&self) -> bool {
        self.task.is_some()
    }

    /// Waits for the one that runs.
    pub(super) async fn ended(&mut self) {
        if let Some(task) = &mut self.task {
            let _told_by_itself = task.await;
            self.task = None;
        }
    }

    pub(super) fn begin_if_asked(&mut self, reloader: &Arc<Reloader>) {
        if std::mem::take(&mut self.again) {
            self.begin(reloader);
        }
    }
}
