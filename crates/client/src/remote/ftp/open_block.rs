//! How a transfer begins in block mode, or goes round it.

use std::io;

use suppaftp::{FtpError, FtpResult, tokio::AsyncTlsConnector as _};
use tokio::net::TcpStream;

use super::{
    FtpRemote,
    act::Act,
    block::BlockData,
    check_line,
    dial::{Passive, extended_port},
    early::Shakes,
    exchange::broken,
    link::Link,
    reply,
};
use crate::{
    error::RemoteError,
    remote::{Data, Reply, tls::SecureStream},
};

impl FtpRemote {
    /// Begins a transfer: in block mode while small files follow each other, and for a stream, if the server
    /// has it; else with a data connection of its own.
    pub(super) async fn begin(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<Box<dyn Data>, RemoteError> {
        self.undo().await?;
        let suits = self.block.suits(act);
        let offered = self.abilities.block_mode() && !self.block.is_refused;
        self.change_mode(suits && offered).await?;
        if self.block.is_on
            && let Some(data) = self.open_block(act, offset).await?
        {
            return Ok(Box::new(data));
        }
        if self.passive != Passive::Odd && self.shakes != Shakes::Early {
            match self.open(act, offset).await {
                Err(_unread) if self.passive == Passive::Odd => {}
                Err(error) if self.may_miss_handshake(&error) => {
                    return Ok(Box::new(self.open_early(act, offset).await?));
                }
                opened => return Ok(Box::new(opened?)),
            }
        }
        Ok(Box::new(self.open_bare(act, offset).await?))
    }

    /// Begins a listing, in the mode that it finds.
    pub(super) async fn begin_list(&mut self, act: Act<'_>) -> Result<BlockData, RemoteError> {
        self.undo().await?;
        let is_on = self.block.suits(act);
        if is_on && let Some(data) = self.open_block(act, 0).await? {
            return Ok(data);
        }
        self.open_bare(act, 0).await
    }

    /// `None`: it cannot be opened this way, and the session is in stream mode again.
    async fn open_block(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<Option<BlockData>, RemoteError> {
        check_line(&act.line())?;
        if let Some((link, since)) = self.block.slot.take() {
            let reply = self.start(act, offset).await?;
            match reply.code {
                125 => return Ok(Some(self.over(link, act, &reply))),
                // Closed meanwhile by the server: another one will do.
                425 => {}
                code if code >= 200 && self.health.is_ready() => {
                    self.block.slot.put_back(link, since);
                    return Err(self.refused(act, reply));
                }
                _ => {
                    let error = self.refused(act, reply);
                    return self.give_up(error);
                }
            }
        }
        let reply = self.command("EPSV").await?;
        let Some(port) = extended_port(&reply) else {
            if reply::is_no_epsv(&reply) {
                self.block.is_refused = true;
                self.change_mode(false).await?;
                return Ok(None);
            }
            if reply.code < 400 {
                return self.give_up(reply::out_of_step("EPSV", &reply));
            }
            return Err(self.refusal("EPSV", None, reply));
        };
        let stream = self.dial(port).await?;
        let reply = self.start(act, offset).await?;
        if !matches!(reply.code, 125 | 150) {
            return Err(self.refused(act, reply));
        }
        let link = self.link(stream, act).await?;
        self.facts.passive = "EPSV";
        Ok(Some(self.over(link, act, &reply)))
    }

    /// Encrypts, where the session does. What goes wrong here comes behind a 150.
    pub(super) async fn link(
        &mut self,
        stream: TcpStream,
        act: Act<'_>,
    ) -> Result<Link, RemoteError> {
        let shaken = match &self.block.tls {
            None => return self.linked(Link::plain(stream), act),
            Some((connector, host)) => connector.connect(host, stream).await,
        };
        self.secured(shaken, act).await
    }

    /// Takes what came of a handshake, behind a 150.
    pub(super) async fn secured(
        &mut self,
        shaken: FtpResult<SecureStream>,
        act: Act<'_>,
    ) -> Result<Link, RemoteError> {
        let error = match shaken {
            Ok(stream) => return self.linked(Link::secure(stream), act),
            Err(FtpError::SecureError(reason)) => self.handshake_failed(act.verb(), reason).await,
            Err(error) => broken(act.verb(), error),
        };
        self.give_up(error)
    }

    fn linked(&self, made: io::Result<Link>, act: Act<'_>) -> Result<Link, RemoteError> {
        made.or_else(|source| {
            self.give_up(RemoteError::Io {
                verb: act.verb().to_owned(),
                source,
            })
        })
    }

    /// Makes the data connection of an act that has begun, over this link.
    pub(super) fn over(&self, link: Link, act: Act<'_>, reply: &Reply) -> BlockData {
        let (slot, control) = (self.block.slot.clone(), self.stream.clone());
        let parting = self.parting(act);
        let mut data = BlockData::new(link, slot, control, self.deadlines.stalled, parting);
        data.announced = reply::announced_size(reply.text());
        data.sends = matches!(act, Act::Store(..));
        data.is_eager = self.block.is_stream;
        data
    }
}
