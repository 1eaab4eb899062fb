//! How streams move, and what proves them.

use std::{sync::Arc, time::Instant};

use ftp_config::{ByteRate, client::Verify};

use super::super::{Cancel, flow::Flow, pace::Pace, verify};
use crate::{
    digest::Digest,
    error::Error,
    remote::{Dial, HashVerb, Remote},
};

/// How streams move: what stops them, how fast they may, and whether a hash proves them.
#[derive(Clone)]
pub struct Terms {
    pub(super) cancel: Cancel,
    pace: Option<Arc<Pace>>,
    verify: Verify,
    pub(super) dial: Option<Arc<dyn Dial>>,
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms")
            .field("verify", &self.verify)
            .finish_non_exhaustive()
    }
}

/// A hash of what passes, and how the server is asked for its own.
pub(super) type Proof = (HashVerb, Digest);

impl Terms {
    /// Makes the terms of one run: streams that share them share the rate.
    #[must_use]
    pub fn new(cancel: Cancel, limit: ByteRate, verify: Verify) -> Self {
        let pace = Pace::new(limit).map(Arc::new);
        Self {
            cancel,
            pace,
            verify,
            dial: None,
        }
    }

    /// Lets a stream that was stored get its name on a new session, where the one before was lost.
    #[must_use]
    pub fn dialling(self, dial: Arc<dyn Dial>) -> Self {
        Self {
            dial: Some(dial),
            ..self
        }
    }

    /// Takes bytes that have moved, and waits as the rate wants.
    pub async fn pay(&self, bytes: usize) {
        if let Some(pace) = &self.pace {
            tokio::time::sleep(pace.take(bytes as u64, Instant::now())).await;
        }
    }

    pub(super) fn flow(&self) -> Flow {
        Flow {
            cancel: self.cancel.clone(),
            pace: self.pace.clone(),
            ..Flow::default()
        }
    }

    /// The hash to prove a stream by. It passes once, so it is hashed as it does, and only when wished.
    pub(super) fn proof(&self, remote: &dyn Remote) -> Result<Option<Proof>, Error> {
        if self.verify != Verify::Always {
            return Ok(None);
        }
        let how = verify::choose(self.verify, remote.abilities(), None, false)?;
        Ok(how.map(|how| (how, Digest::new(how.algorithm()))))
    }
}

/// Compares what passed with what the server has.
pub(super) async fn prove(
    remote: &mut dyn Remote,
    (path, size): (&str, u64),
    proof: Option<Proof>,
) -> Result<(), Error> {
    let Some((how, digest)) = proof else {
        return Ok(());
    };
    let theirs = verify::digest_of(remote, (path, Some(size)), how).await?;
    verify::ensure_equal(path, how, digest.finish(), theirs)
}
