//! What makes a part the file: proved, seen unchanged, and given its name.

use super::{Fetch, Part};
use crate::{
    digest::{self, Digest},
    error::Error,
    plan::{Seen, compare::seconds},
    remote::{HashVerb, Remote},
    transfer::{
        Tools,
        local::{self, LocalRoot},
        verify,
    },
    work::blocking,
};

/// From this size on a finished download is forced to the disk before it gets its name, below it at the
/// end of the run, where the disk can be asked for many at once.
pub(super) const SYNC_FROM: u64 = 1 << 20;

impl Fetch {
    /// Compares hashes, where that is wished; the part is read only if its digest was not made on the way.
    /// Returns the algorithm that has proved it.
    pub(super) async fn prove(
        &self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
        part: &Part,
        hash: Option<HashVerb>,
        digest: Option<Digest>,
    ) -> Result<Option<&'static str>, Error> {
        let Some(how) = hash else {
            return Ok(None);
        };
        let shown = root.told_as(&part.path);
        let local = async || match digest {
            Some(digest) => Ok(digest.finish()),
            None => {
                let file = part
                    .file
                    .try_clone()
                    .map_err(|error| Error::local("open", &shown, error))?;
                digest::of_whole(file, shown.clone(), how, &self.flow.cancel).await
            }
        };
        verify::compare(tools, remote, (&self.remote, self.size), how, local).await
    }

    /// Without a hash a file that was rewritten while it came is known by its time alone.
    pub(super) async fn ensure_unchanged(&self, remote: &mut dyn Remote) -> Result<(), Error> {
        let Some(before) = self.modified.filter(|_| remote.is_usable()) else {
            return Ok(());
        };
        // Asked by the verb that told it before: some servers differ from themselves.
        let now = if remote.abilities().mlst() && !self.asked_time {
            remote
                .stat(&self.remote)
                .await?
                .and_then(|entry| entry.modified)
        } else {
            remote.modified(&self.remote).await?
        };
        match now {
            Some(now) if seconds(now) != seconds(before) => Err(self.changed()),
            _ => Ok(()),
        }
    }

    /// Gives the part its time and its final name, and removes its note.
    pub(super) async fn publish(
        &self,
        tools: &Tools,
        root: &LocalRoot,
        part: Part,
        bytes: u64,
    ) -> Result<(), Error> {
        let modified = self.modified.filter(|_| tools.options.keep_times);
        let fetch = self.clone();
        let (root, local, force) = (root.clone(), self.local.clone(), tools.options.force);
        let events = tools.events.clone();
        let waits = part.may_wait(&root, bytes);
        let publish = move || {
            let shown = || root.told_as(&local);
            if let Some(time) = modified
                && let Err(error) = local::set_modified(&part.file, time)
            {
                events.message(format!("{}: time not kept: {error}", shown().display()));
            }
            if force {
                root.keep_mode(&part.file, &local);
            }
            // It is known by its time too, should the disk refuse it.
            match waits {
                true => part.note_unsynced(&root, &local)?,
                false => part.force(&root)?,
            }
            fetch.give_name(&root, &part, force)?;
            root.unsynced.add_name(&local);
            if let Some(told) = part.remove_note(&root, &local) {
                events.message(told);
            }
            Ok(())
        };
        if waits {
            return publish();
        }
        blocking(publish).await?
    }

    /// Gives the part the final name. Where that is another file's by now than the one that was to be replaced the
    /// part goes: that one is the newer.
    fn give_name(&self, root: &LocalRoot, part: &Part, force: bool) -> Result<(), Error> {
        let replaces = force && !self.seen.is_some_and(Seen::is_nothing);
        let named = self
            .ensure_seen(root)
            .and_then(|()| root.publish(&part.path, &self.local, replaces));
        let named = match named {
            Err(Error::Exists { .. }) if force => Err(self.stays(root)),
            named => named,
        };
        named.inspect_err(|error| {
            if matches!(error, Error::Stays { .. }) {
                part.discard(root);
            }
        })
    }

    /// Refuses to replace what was not seen when that was planned.
    pub(super) fn ensure_seen(&self, root: &LocalRoot) -> Result<(), Error> {
        match self.seen {
            Some(seen) if !root.has_still(&self.local, seen) => Err(self.stays(root)),
            _ => Ok(()),
        }
    }

    fn stays(&self, root: &LocalRoot) -> Error {
        Error::Stays {
            path: root.told_as(&self.local).display().to_string(),
            why: "it was changed here during the run",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Arc};

    use super::*;
    use crate::{
        event::Events,
        remote::memory::Memory,
        transfer::{Cancel, Engine, Options},
    };

    #[tokio::test]
    async fn the_directory_of_a_new_name_is_waited_for_at_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let root = LocalRoot::open(temp.path()).unwrap();
        let dial = Arc::new(Memory::new(&[]));
        let engine = Engine::new(
            dial,
            Options::default(),
            Events::silent(),
            Cancel::default(),
        );
        let tools = &engine.tools;
        let fetch = Fetch {
            id: 0,
            remote: "/d/a".to_owned(),
            local: "d/a".into(),
            size: Some(SYNC_FROM),
            modified: None,
            seen: None,
            doubted: None,
            asked_time: false,
            flow: tools.flow(),
        };
        let part = Part::fresh(&fetch, &root).unwrap();
        fetch.publish(tools, &root, part, SYNC_FROM).await.unwrap();
        let opened = std::sync::Mutex::new(Vec::<PathBuf>::new());
        let open = |path: &std::path::Path| {
            opened.lock().unwrap().push(path.to_owned());
            std::fs::File::open(temp.path().join(path))
        };
        assert!(root.unsynced.sync(open, |_, _| Ok(())).is_empty());
        assert_eq!(opened.into_inner().unwrap(), [PathBuf::from("d")]);
        assert!(temp.path().join("d/a").exists());
    }
}
