//! The mode of a session (RFC 959 §3.4): when blocks are worth it, and how it changes.

use super::{FtpRemote, act::Act, link::Slot};
use crate::{
    error::RemoteError,
    remote::{Next, Reply, tls::Connector},
};

/// Small files in a row from which on block mode is worth its two commands.
const IN_A_ROW: u32 = 2;

/// The mode of a session (RFC 959 §3.4), and what its next transfer is known to be.
#[derive(Default)]
pub(in crate::remote) struct BlockMode {
    /// How data connections are encrypted, and the server's name for that.
    pub(in crate::remote) tls: Option<(Connector, String)>,
    pub(super) is_on: bool,
    /// The server did not keep what it offered.
    pub(super) is_refused: bool,
    next: Next,
    /// The transfer that goes on is a stream.
    pub(super) is_stream: bool,
    in_a_row: u32,
    pub(super) slot: Slot,
}

impl BlockMode {
    /// Notes what the next transfer is.
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
    pub(super) fn suits(&mut self, act: Act<'_>) -> bool {
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
    /// Goes over to block mode, or back. A server that does not keep what it offered is left in stream mode.
    pub(super) async fn change_mode(&mut self, block: bool) -> Result<(), RemoteError> {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::Start;

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
