//! A data connection that the library does not open: a listing's, since the library keeps the text of the reply
//! behind a transfer to itself, and with 226 some servers say that they left something out; and that of any
//! transfer where it cannot read what PASV is answered, or where the handshake must not wait for a reply.

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};

use super::{
    FtpRemote,
    act::Act,
    block::BlockData,
    check_line, data,
    dial::{Passive, extended_port, plain_port},
    link::Link,
    reply::{is_no_epsv, out_of_step},
};
use crate::{error::RemoteError, remote::Reply};

/// How long a listing that is said to be over may still bring something.
pub(super) const LOOK: Duration = Duration::from_millis(50);

impl FtpRemote {
    /// Opens a data connection: EPSV first; PASV for good once EPSV was refused.
    pub(super) async fn open_bare(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<BlockData, RemoteError> {
        match self.open_bare_as_known(act, offset).await {
            Err(error) if self.may_miss_handshake(&error) => self.open_early(act, offset).await,
            opened => opened,
        }
    }

    /// Does so with the handshake where this server is known to want it.
    pub(super) async fn open_bare_as_known(
        &mut self,
        act: Act<'_>,
        offset: u64,
    ) -> Result<BlockData, RemoteError> {
        check_line(&act.line())?;
        if !self.abilities.atomic_stor()
            && let Err(error) = self.reuse.check_tickets()
        {
            return self.give_up(error);
        }
        self.note.clear();
        self.facts.data_peer = None;
        let port = self.passive_port(act).await?;
        let stream = match self.dial(port).await {
            Ok(stream) => stream,
            Err(error) => return self.give_up(error),
        };
        if let Some(tls) = self.shaken_early() {
            return self.start_shaking(tls, stream, act, offset).await;
        }
        let reply = self.start(act, offset).await?;
        if !matches!(reply.code, 125 | 150) {
            if reply.is_ok() && has_news(&stream).await {
                // Not one that is empty: its 150 got lost, or the replies are out of step.
                return self.give_up(out_of_step(act.verb(), &reply));
            }
            return Err(self.refused(act, reply));
        }
        let link = self.link(stream, act).await?;
        self.bare(link, act, &reply)
    }

    /// Makes the data connection of an act that has begun, in stream mode.
    pub(super) fn bare(
        &self,
        link: Link,
        act: Act<'_>,
        reply: &Reply,
    ) -> Result<BlockData, RemoteError> {
        if !self.abilities.atomic_stor() {
            data::acknowledge_quickly(&self.control);
        }
        let data = self.over(link, act, reply);
        data.into_bare().or_else(|source| {
            self.give_up(RemoteError::Io {
                verb: act.verb().to_owned(),
                source,
            })
        })
    }

    async fn passive_port(&mut self, act: Act<'_>) -> Result<u16, RemoteError> {
        loop {
            let verb = self.passive.verb();
            self.facts.passive = verb;
            let reply = self.command(verb).await?;
            let port = match self.passive {
                Passive::Extended => extended_port(&reply),
                Passive::Plain | Passive::Odd => plain_port(&reply),
            };
            match port {
                Some(port) => return Ok(port),
                None if self.passive == Passive::Extended && is_no_epsv(&reply) => {
                    self.passive = Passive::Plain;
                }
                // Perhaps a reply of before: nothing that follows can be trusted.
                None if reply.code < 300 => {
                    return self.give_up(RemoteError::Protocol {
                        verb: verb.to_owned(),
                        what: format!("no port in `{reply}`"),
                    });
                }
                None => return Err(self.refused(act, reply)),
            }
        }
    }
}

/// Tells whether bytes come over a data connection that was told to be over.
async fn has_news(stream: &TcpStream) -> bool {
    let seen = timeout(LOOK, stream.peek(&mut [0])).await;
    matches!(seen, Ok(Ok(1..)))
}
