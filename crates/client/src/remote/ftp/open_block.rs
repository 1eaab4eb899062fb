//! When a session is in block mode, and how a transfer begins there.

use std::io;

use socket2::SockRef;
use suppaftp::{FtpError, tokio::AsyncTlsConnector as _};

use super::{
    FtpRemote,
    block::BlockData,
    check_line,
    link::{Link, Slot},
    open::Act,
    reply,
};
use crate::{
    error::{Phase, RemoteError},
    remote::{Data, Next, Reply, tls::Connector},
};

/// Small files in a row from which on block mode is worth its two commands.
const IN_A_ROW: u32 = 2;

/// The mode of a session (RFC 959 §3.4), and what its next transfer is known to be.
#[derive(Default)]
pub(in crate::remote) struct BlockMode {
    /// How data connections are encrypted, and the server's name for that.
    pub(in crate::remote) tls: Option<(Connector, String)>,
    is_on: bool,
    /// The server did not keep what it offered.
    is_refused: bool,
    next: Next,
    /// The transfer that goes on is a stream.
    is_stream: bool,
    in_a_row: u32,
    slot: Slot,
}

impl BlockMode {
    pub(super) fn foresee(&mut self, next: Next) {
        self.next = next;
    }

    /// Notes a MODE that somebody else has sent.
    pub(super) fn overheard(&mut self, command: &str, reply: &Reply) {
        let mut words = command.split_whitespace();
        let is_mode = words
            .next()
            .is_some_and(|verb| verb.eq_ignore_ascii_case("MODE"));
        if is_mode && reply.is_ok() {
            self.is_on = words
                .next()
                .is_some_and(|mode| mode.eq_ignore_ascii_case("B"));
        }
    }

    /// Decides how the next transfer goes. A listing takes the mode that it finds.
    fn suits(&mut self, act: Act<'_>) -> bool {
        let next = std::mem::take(&mut self.next);
        self.is_stream = next == Next::Stream;
        if matches!(act, Act::Receive("MLSD" | "LIST", _)) {
            return self.is_on;
        }
        match next {
            Next::Small => self.in_a_row = self.in_a_row.saturating_add(1),
            Next::File => self.in_a_row = 0,
            // Its end is told here. In stream mode a connection that something on the way has closed looks
            // like it, and the server puts what it has over the old file.
            Next::Stream => return true,
        }
        self.in_a_row >= IN_A_ROW
    }
}

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
        Ok(Box::new(self.open(act, offset).await?))
    }

    async fn change_mode(&mut self, block: bool) -> Result<(), RemoteError> {
        if self.block.is_on == block {
            return Ok(());
        }
        if !block {
            self.block.slot.take();
            self.expect("MODE", "S").await?;
        } else {
            let reply = self.command("MODE B").await?;
            if !reply.is_ok() {
                self.block.is_refused = true;
                return match self.health.is_ready() {
                    true => Ok(()),
                    false => Err(self.refusal("MODE B", None, reply)),
                };
            }
        }
        self.block.is_on = block;
        Ok(())
    }

    /// Begins a listing, in the mode that it finds.
    pub(super) async fn begin_list(&mut self, act: Act<'_>) -> Result<BlockData, RemoteError> {
        self.undo().await?;
        let is_on = self.block.suits(act);
        if is_on && let Some(data) = self.open_block(act, 0).await? {
            return Ok(data);
        }
        self.open_list(act).await
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

    /// Sends the command, and REST before it. With 125 or 150 the session is busy from then on; any other
    /// reply leaves it ready, or has ended it.
    pub(super) async fn start(&mut self, act: Act<'_>, offset: u64) -> Result<Reply, RemoteError> {
        if offset > 0 {
            let line = format!("REST {offset}");
            let reply = self.command(&line).await?;
            if reply.code != 350 {
                return Err(self.refused(act, reply));
            }
        }
        self.health.enter()?;
        let limit = self.deadlines.data_connect + self.deadlines.reply;
        match self.exchange(&act.line(), limit).await {
            Ok(reply) => {
                match reply.code {
                    125 | 150 => {}
                    421 | ..200 => self.health.broken(),
                    // An empty listing, told at once.
                    226 | 250 if act.lists() => self.health.ready(),
                    // Not implemented: small servers say that so.
                    202 => self.health.ready(),
                    // A reply of before, or one too many: nothing that follows can be trusted.
                    200..400 => self.health.broken(),
                    _ => self.health.ready(),
                }
                Ok(reply)
            }
            Err(error @ RemoteError::BadName { .. }) => {
                self.health.ready();
                Err(error)
            }
            Err(error) => self.give_up(error),
        }
    }

    pub(super) async fn dial(&mut self, port: u16) -> Result<tokio::net::TcpStream, RemoteError> {
        let limit = self.deadlines.data_connect;
        // The address is the control connection's, with its scope.
        let peer = SockRef::from(&*self.control).peer_addr();
        let mut address = peer
            .and_then(|peer| {
                peer.as_socket()
                    .ok_or_else(|| io::ErrorKind::Unsupported.into())
            })
            .map_err(|source| RemoteError::Io {
                verb: "EPSV".to_owned(),
                source,
            })?;
        address.set_port(port);
        let connected = self.note.connect(address, limit).await;
        self.facts.data_peer = Some(address);
        connected.map_err(|source| match source.kind() {
            io::ErrorKind::TimedOut => RemoteError::Timeout {
                phase: Phase::DataConnect,
                after: limit,
            },
            _ => RemoteError::Connect {
                address: address.to_string(),
                source,
            },
        })
    }

    /// Encrypts, where the session does. What goes wrong here comes behind a 150.
    pub(super) async fn link(
        &mut self,
        stream: tokio::net::TcpStream,
        act: Act<'_>,
    ) -> Result<Link, RemoteError> {
        let made = match &self.block.tls {
            None => Link::plain(stream),
            Some((connector, host)) => match connector.connect(host, stream).await {
                Ok(stream) => Link::secure(stream),
                Err(FtpError::SecureError(reason)) => {
                    let error = self.handshake_failed(act.verb(), reason).await;
                    return self.give_up(error);
                }
                Err(error) => {
                    let error = super::broken(act.verb(), error);
                    return self.give_up(error);
                }
            },
        };
        made.or_else(|source| {
            self.give_up(RemoteError::Io {
                verb: act.verb().to_owned(),
                source,
            })
        })
    }

    pub(super) fn refused(&self, act: Act<'_>, reply: Reply) -> RemoteError {
        self.refusal(act.verb(), Some(act.path().to_owned()), reply)
    }

    /// Makes the error of a refusal. A server that wants TLS sessions resumed, and has given no ticket for
    /// that, is met anew.
    fn refusal(&self, verb: &str, path: Option<String>, reply: Reply) -> RemoteError {
        let error = self.reuse.refusal(verb.to_owned(), path, reply);
        if matches!(error, RemoteError::SessionReuse { .. }) {
            self.health.broken();
        }
        error
    }

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

/// Returns the port in `229 Entering Extended Passive Mode (|||6446|)` (RFC 2428 §3).
pub(super) fn extended_port(reply: &Reply) -> Option<u16> {
    let inside = reply.text().rsplit_once('(')?.1;
    let (inside, _) = inside.rsplit_once(')')?;
    let mark = inside.chars().next()?;
    let mut fields = inside.split(mark);
    let port = fields.nth(3)?.parse().ok()?;
    (reply.code == 229 && port > 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Start;

    #[test]
    fn the_port_is_between_whatever_marks() {
        let port = |text: &str| extended_port(&Reply::new(229, text));
        assert_eq!(
            port("Entering Extended Passive Mode (|||6446|)"),
            Some(6446)
        );
        assert_eq!(port("(!!!21!)"), Some(21));
        assert_eq!(port("(|||0|)"), None);
        assert_eq!(port("(|||70000|)"), None);
        assert_eq!(port("nothing"), None);
        assert_eq!(port("()"), None);
        assert_eq!(extended_port(&Reply::new(500, "(|||6446|)")), None);
    }

    #[test]
    fn block_mode_is_for_small_files_in_a_row_and_listings_follow() {
        let mut mode = BlockMode::default();
        let (file, list) = (Act::Receive("RETR", "a"), Act::Receive("MLSD", ""));
        let small = |mode: &mut BlockMode| {
            mode.foresee(Next::Small);
            mode.suits(file)
        };
        assert!(!small(&mut mode), "one alone");
        assert!(!mode.suits(list));
        assert!(small(&mut mode));
        mode.is_on = true;
        assert!(mode.suits(list) && small(&mut mode));
        assert!(!mode.suits(file), "a large one");
        assert!(!small(&mut mode));
        mode.foresee(Next::Stream);
        assert!(mode.suits(Act::Store("a", Start::New)), "its end is told");
    }

    #[test]
    fn a_mode_that_the_user_sends_is_known() {
        let mut mode = BlockMode::default();
        mode.overheard("mode b", &Reply::new(200, "ok"));
        assert!(mode.is_on);
        mode.overheard("MODE Z", &Reply::new(504, "no"));
        assert!(mode.is_on);
        mode.overheard("MODE S", &Reply::new(200, "ok"));
        assert!(!mode.is_on);
    }
}
