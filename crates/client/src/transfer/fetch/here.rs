//! A file that need not be fetched: an earlier run has left it.

use std::{fs::Metadata, time::Duration};

use ftp_config::client::Verify;

use super::{
    super::{Tools, local::LocalRoot, verify},
    Done, Fetch,
};
use crate::{
    digest,
    error::Error,
    plan::{
        compare::{Difference, Facts, compare},
        walk::precision_at,
    },
    remote::Remote,
};

impl Fetch {
    /// Tells of a file under the local name that has the size and the time of the server's; where hashes
    /// are always wished, its hash too. A link is another's.
    pub(super) async fn was_here(
        &mut self,
        tools: &Tools,
        root: &LocalRoot,
        remote: &mut dyn Remote,
    ) -> Result<Option<Done>, Error> {
        let Some((file, meta)) = root.open_file(&self.local) else {
            return Ok(None);
        };
        self.ask_facts(tools, remote).await?;
        if !self.is_alike(&meta, root) {
            return Ok(None);
        }
        let mut done = Done {
            bytes: meta.len(),
            verified: None,
            is_proved: true,
            was_here: true,
        };
        if tools.options.verify != Verify::Always {
            return Ok(Some(done));
        }
        let size = self.size;
        let Some(how) = verify::choose(Verify::Always, remote.abilities(), size, false)? else {
            return Ok(Some(done));
        };
        let shown = root.told_as(&self.local);
        let local = async || digest::of_whole(file, shown, how, &self.flow.cancel).await;
        match verify::compare(tools, remote, (&self.remote, size), how, local).await {
            Ok(algorithm) => done.verified = algorithm,
            Err(Error::HashMismatch { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        Ok(Some(done))
    }

    fn is_alike(&self, meta: &Metadata, root: &LocalRoot) -> bool {
        let ours = Facts {
            size: Some(meta.len()),
            modified: meta.modified().ok(),
            precision: precision_at(&root.told_as(&self.local)),
        };
        let theirs = Facts {
            size: self.size,
            modified: self.modified,
            precision: Duration::from_secs(1),
        };
        compare(&theirs, &ours) == Difference::Same
    }
}
