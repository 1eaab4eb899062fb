//! One file of a plan, on its way up or down.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use super::{
    Tools,
    fetch::{Done, Fetch},
    local::LocalRoot,
    send::Send,
};
use crate::{
    error::Error,
    event::{Direction, Event, FileId},
    plan::walk::inner_name,
    remote::{Remote, names},
};

/// One file to move.
pub(super) enum Job {
    Fetch(Fetch, LocalRoot),
    Send(Send, u64),
}

impl Job {
    pub(super) fn id(&self) -> FileId {
        match self {
            Self::Fetch(fetch, _) => fetch.id,
            Self::Send(send, _) => send.id,
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Fetch(fetch, _) => names::display(&fetch.remote),
            Self::Send(send, _) => send.local.display().to_string(),
        }
    }

    /// The name that it gets, where that is another one.
    fn becomes(&self) -> Option<String> {
        let (from, to) = match self {
            Self::Fetch(fetch, _) => {
                let to = inner_name(Path::new(fetch.local.file_name()?));
                (names::split(&fetch.remote).1.to_owned(), to)
            }
            Self::Send(send, _) => {
                let from = inner_name(Path::new(send.local.file_name()?));
                (from, names::split(&send.remote).1.to_owned())
            }
        };
        (from != to).then(|| names::display(&to))
    }

    pub(super) fn flow(&self) -> &super::flow::Flow {
        match self {
            Self::Fetch(fetch, _) => &fetch.flow,
            Self::Send(send, _) => &send.flow,
        }
    }

    /// Bytes that are known to be on the other side.
    pub(super) fn reached(&self) -> u64 {
        let count = match self {
            Self::Fetch(fetch, _) => &fetch.flow.done,
            Self::Send(send, _) => &send.flow.begun,
        };
        count.load(Ordering::Relaxed)
    }

    pub(super) fn started(&self) -> Event {
        let (size, direction) = match self {
            Self::Fetch(fetch, _) => (fetch.size, Direction::Down),
            Self::Send(_, size) => (Some(*size), Direction::Up),
        };
        Event::Started {
            id: self.id(),
            name: self.name(),
            becomes: self.becomes(),
            size,
            direction,
            offset: self.flow().done.load(Ordering::Relaxed),
        }
    }

    /// Makes the event of another try, which comes after `wait`.
    pub(super) fn retrying(&self, attempt: u32, wait: Duration, error: &Error) -> Event {
        Event::Retrying {
            id: self.id(),
            name: self.name(),
            attempt,
            wait,
            reason: error.chain(),
        }
    }

    pub(super) async fn run(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
    ) -> Result<Done, Error> {
        match self {
            Self::Fetch(fetch, root) => fetch.run(tools, root, remote).await,
            Self::Send(send, _) => send.run(tools, remote).await,
        }
    }
}
