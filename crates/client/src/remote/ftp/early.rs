//! Servers that shake hands on a data connection before they answer the command (ftp-srv). RFC 4217 §7 lets either be
//! first, and the library waits for the answer: such a server says 425 when it has waited long enough.

use suppaftp::{FtpError, tokio::AsyncTlsConnector as _};
use tokio::{net::TcpStream, time::timeout};

use super::{FtpRemote, act::Act, block::BlockData, open_bare::LOOK, reply::out_of_step};
use crate::{
    error::RemoteError,
    remote::tls::{Connector, TIMED_OUT},
};

/// When a data connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shakes {
    /// Behind the 150.
    Late,
    /// As soon as it stands, whatever the command is answered.
    Early,
    /// Behind the 150, for good: another way brought 425 too.
    LateForGood,
}

impl FtpRemote {
    /// Tells whether a refusal may be of a server that waited for a handshake: it has begun nothing.
    pub(super) fn may_miss_handshake(&self, error: &RemoteError) -> bool {
        let encrypts = self.block.tls.is_some() && self.shakes == Shakes::Late;
        let stood = self.note.read().is_up() && self.health.is_ready();
        encrypts && stood && is_425(error)
    }

    /// Tries again with the handshake first, and stays with that unless it brings 425 as well. The end of the
    /// connection that was given up may take the next one with it (ftp-srv), so another refusal is asked once more.
    pub(super) async fn open_early(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<BlockData, RemoteError> {
        self.shakes = Shakes::Early;
        let opened = match self.open_behind_another(act, offset).await {
            Err(error @ RemoteError::Refused { .. })
                if !is_425(&error) && self.health.is_ready() =>
            {
                self.open_behind_another(act, offset).await
            }
            opened => opened,
        };
        if self.note.read().is_up() && opened.as_ref().is_err_and(is_425) {
            self.shakes = Shakes::LateForGood;
        }
        opened
    }

    /// Opens a data connection once the server has seen the end of the one before.
    async fn open_behind_another(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<BlockData, RemoteError> {
        let line = "TYPE I";
        let reply = self.command(line).await?;
        if reply.code != 200 {
            return self.give_up(out_of_step(line, &reply));
        }
        self.open_bare_as_known(act, offset).await
    }

    /// How a data connection is encrypted, where that comes first.
    pub(super) fn shaken_early(&self) -> Option<(Connector, String)> {
        let tls = self.block.tls.clone();
        tls.filter(|_| self.shakes == Shakes::Early)
    }

    /// Sends the command while the handshake goes on. A refusal ends it by a reset.
    pub(super) async fn start_shaking(
        &mut self,
        (mut connector, host): (Connector, String),
        stream: TcpStream,
        act: Act<'_>,
        offset: u64,
    ) -> Result<BlockData, RemoteError> {
        let limit = connector.limit;
        // A server that shakes hands behind its answer is waited for as long as that.
        connector.limit += self.deadlines.data_connect + self.deadlines.reply;
        let mut shake = connector.connect(&host, stream);
        let (reply, shaken) = {
            let start = self.start(act, offset);
            tokio::pin!(start);
            tokio::select! {
                biased;
                reply = &mut start => (reply?, None),
                shaken = &mut shake => (start.await?, Some(shaken)),
            }
        };
        let begun = matches!(reply.code, 125 | 150);
        let wait = if begun { limit } else { LOOK };
        let shaken = match shaken {
            None if begun || reply.is_ok() => timeout(wait, shake).await.ok(),
            shaken => shaken,
        };
        if begun {
            let late = || Err(FtpError::SecureError(TIMED_OUT.to_owned()));
            let link = self.secured(shaken.unwrap_or_else(late), act).await?;
            let mut data = self.bare(link, act, &reply)?;
            // The library knows nothing of it and cannot wait for what a dropped one is answered.
            data.parting.ends_session = true;
            return Ok(data);
        }
        if reply.is_ok() && matches!(shaken, Some(Ok(_))) {
            // Not a listing that is empty, told at once: something was to come.
            return self.give_up(out_of_step(act.verb(), &reply));
        }
        Err(self.refused(act, reply))
    }
}

fn is_425(error: &RemoteError) -> bool {
    matches!(error, RemoteError::Refused { reply, .. } if reply.code == 425)
}
