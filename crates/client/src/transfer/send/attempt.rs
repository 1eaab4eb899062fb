//! One try: the bytes, what proves them, and the name.

use super::{
    super::{Tools, fetch::Done, part::is_unanswered, resume::Begin, verify},
    Send, Stored,
    remains::is_mismatch,
    source::Source,
};
use crate::{
    digest::{self, Digest},
    error::Error,
    remote::{HashVerb, Remote},
};

/// What an upload is proved by.
struct Proof {
    /// The size that the server has told already.
    told: Option<u64>,
    hash: Option<HashVerb>,
    digest: Option<Digest>,
}

impl Send {
    /// Sends what is missing to `path`, proves it, and gives it its final name.
    pub(super) async fn attempt(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        begin: Begin,
    ) -> Result<Done, Error> {
        let resumed = begin != Begin::Fresh;
        let size = Some(source.size);
        let hash = verify::choose(tools.options.verify, remote.abilities(), size, resumed)?;
        let digest = self.store(tools, remote, source, path, begin, hash).await?;
        // Where the file has its final name already, the answer to its time may tell its size too.
        // A hash comes before the time: equal times mean equal files to whoever syncs later.
        let timed_first = path == self.remote && hash.is_none();
        let told = match timed_first {
            true => self.finish_up(tools, remote, source, path).await?,
            false => None,
        };
        let proof = Proof { told, hash, digest };
        let verified = self
            .prove_or_remove(tools, remote, source, path, proof)
            .await?;
        if path != self.remote {
            let name = self.rename(tools, remote, path).await?;
            self.finish_up(tools, remote, source, &name).await?;
            self.clear_left(remote, source).await;
        } else {
            if !timed_first {
                self.finish_up(tools, remote, source, path).await?;
            }
            self.remove_old(tools, remote).await;
        }
        Ok(Done {
            bytes: source.size,
            verified,
            is_proved: self.is_seen || verified.is_some(),
            was_here: false,
        })
    }

    /// Copies what is missing. What the server has then is noted; what broke is cleaned up.
    async fn store(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        begin: Begin,
        hash: Option<HashVerb>,
    ) -> Result<Option<Digest>, Error> {
        self.stored = None;
        self.has_begun = false;
        self.stays = false;
        self.is_seen = false;
        let copied = self.copy(tools, remote, source, path, begin, hash).await;
        match &copied {
            Ok(_) => {
                self.unbegun.retain(|part| part != path);
                self.stored = Some(Stored {
                    name: path.to_owned(),
                    size: source.size,
                    modified: source.modified,
                });
            }
            Err(error) => {
                let unanswered = matches!(error, Error::Remote(error) if is_unanswered(error));
                if unanswered && !self.has_begun && path != self.remote {
                    self.unbegun.push(path.to_owned());
                }
                let may_have_begun = self.has_begun || (unanswered && self.aside.is_some());
                self.is_torn |= may_have_begun && self.tears(remote, path);
                let is_gone = self.clean_up(tools, remote, path, error).await;
                self.is_torn &= !(is_gone && path == self.remote);
            }
        }
        copied
    }

    async fn prove_or_remove(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        proof: Proof,
    ) -> Result<Option<&'static str>, Error> {
        let proved = self.prove(tools, remote, source, path, proof).await;
        let is_wrong = proved.as_ref().is_err_and(is_mismatch);
        if path == self.remote {
            self.is_torn = is_wrong && self.tears(remote, path);
            // A server that commits whole files takes the end of a data connection that was cut in between for
            // that of the file. What it has committed stays, whatever later tries to a part come to.
            self.is_wrong = is_wrong;
        }
        if let Err(error) = &proved
            && !error.is_transient()
            && path != self.remote
            && remote.is_usable()
        {
            // What is there is not the file: it must not be gone on with. Under the final name it may be
            // somebody else's by now.
            let _gone = remote.remove_file(path).await;
        }
        proved
    }

    /// Size always, hash when wished.
    async fn prove(
        &mut self,
        tools: &Tools,
        remote: &mut dyn Remote,
        source: &Source,
        path: &str,
        proof: Proof,
    ) -> Result<Option<&'static str>, Error> {
        let Proof { told, hash, digest } = proof;
        let size = match told {
            None => verify::size_of(remote, path, tools.options.move_files).await?,
            told => told,
        };
        self.is_seen = size.is_some();
        match size {
            Some(got) if got != source.size => {
                return Err(Error::Truncated {
                    path: self.remote.clone(),
                    want: source.size,
                    got,
                });
            }
            _ => {}
        }
        let Some(how) = hash else { return Ok(None) };
        let local = async || match digest {
            Some(digest) => Ok(digest.finish()),
            None => {
                let file = source.handle(&self.local)?;
                digest::of_whole(file, self.local.clone(), how, &self.flow.cancel).await
            }
        };
        verify::compare(tools, remote, (path, Some(source.size)), how, local).await
    }
}
