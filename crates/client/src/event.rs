//! What the work tells the screen: the only link from `transfer` to `ui`.
//!
//! Bytes are told from counters a few times a second, never per block.

use std::time::Duration;

/// One file's number in a run.
pub type FileId = u64;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

/// Something happened that a person may want to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What the whole job will move.
    Planned {
        /// Files to move.
        files: u64,
        /// Their bytes, as far as known.
        bytes: u64,
    },
    /// A file begins, or begins again after a retry.
    Started {
        /// The file.
        id: FileId,
        /// Its name as shown: the path inside the job, not escaped.
        name: String,
        /// The last part of the name that it gets on the other side, where that is another one.
        becomes: Option<String>,
        /// Its size, if known.
        size: Option<u64>,
        /// Which way.
        direction: Direction,
        /// Bytes that are already on the other side (resumed).
        offset: u64,
    },
    /// A try begins to move the file behind what the other side has of it.
    Begun {
        /// The file.
        id: FileId,
        /// The byte at which it begins.
        at: u64,
    },
    /// Bytes of the file on the other side so far, `offset` of the start included.
    Advanced {
        /// The file.
        id: FileId,
        /// The total so far.
        bytes: u64,
    },
    /// A file is whole on the other side.
    Finished {
        /// The file.
        id: FileId,
        /// Its size.
        bytes: u64,
        /// How long it took, retries included.
        took: Duration,
        /// The hash that was compared, if one was.
        verified: Option<&'static str>,
    },
    /// A file was given up.
    Failed {
        /// The file.
        id: FileId,
        /// Its name as in `Started`.
        name: String,
        /// The reason in one line.
        reason: String,
    },
    /// A file is tried again after a pause.
    Retrying {
        /// The file.
        id: FileId,
        /// Its name.
        name: String,
        /// Which try comes next, from 2.
        attempt: u32,
        /// The pause before it.
        wait: Duration,
        /// Why the last one ended.
        reason: String,
    },
    /// A step or a file needed nothing.
    Skipped {
        /// Its number.
        id: FileId,
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Something was removed or made.
    Done {
        /// In words: "removed", "made directory".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A remark for the person: a name dropped, a time that could not be set, fewer workers.
    Message {
        /// The remark, one line, not escaped.
        text: String,
    },
}

impl Event {
    /// Tells whether it only says how the files go on.
    fn is_progress(&self) -> bool {
        matches!(
            self,
            Self::Planned { .. }
                | Self::Started { .. }
                | Self::Begun { .. }
                | Self::Advanced { .. }
                | Self::Finished { .. }
        )
    }
}

/// Where events go. Sending never blocks; a closed receiver is fine.
#[derive(Clone, Debug, Default)]
pub struct Events {
    sender: Option<tokio::sync::mpsc::UnboundedSender<Event>>,
    /// Nobody watches files come and go.
    terse: bool,
}

impl Events {
    /// Sends to a receiver.
    #[must_use]
    pub fn new(sender: tokio::sync::mpsc::UnboundedSender<Event>) -> Self {
        Self {
            sender: Some(sender),
            terse: false,
        }
    }

    /// Sends to nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::default()
    }

    /// Leaves out how the files go on while all is well: each event wakes the receiver's thread.
    #[must_use]
    pub fn terse(mut self, terse: bool) -> Self {
        self.terse = terse;
        self
    }

    /// Sends one event.
    pub fn send(&self, event: Event) {
        if self.terse && event.is_progress() {
            return;
        }
        if let Some(sender) = &self.sender {
            let _gone = sender.send(event);
        }
    }

    /// Sends a remark.
    pub fn message(&self, text: impl Into<String>) {
        self.send(Event::Message { text: text.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terse_events_are_those_of_trouble() {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let events = Events::new(sender).terse(true);
        events.send(Event::Advanced { id: 1, bytes: 2 });
        events.message("a name was dropped");
        let failed = Event::Failed {
            id: 1,
            name: "a".to_owned(),
            reason: "no room".to_owned(),
        };
        events.send(failed.clone());
        drop(events);
        let message = Event::Message {
            text: "a name was dropped".to_owned(),
        };
        assert_eq!(receiver.blocking_recv(), Some(message));
        assert_eq!(receiver.blocking_recv(), Some(failed));
        assert_eq!(receiver.blocking_recv(), None);
    }
}
