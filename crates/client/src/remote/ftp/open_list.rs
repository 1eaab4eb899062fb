//! A listing's data connection. It is opened here and not by the library, which keeps the text of the reply
//! behind a transfer to itself: with 226 some servers say that they left something out.

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};

use super::{
    FtpRemote,
    block::BlockData,
    check_line, data,
    dial::Passive,
    open::Act,
    open_block::extended_port,
    reply::{is_no_epsv, out_of_step},
};
use crate::{error::RemoteError, remote::Reply};

/// How long a listing that is said to be over may still bring something.
const LOOK: Duration = Duration::from_millis(50);

impl FtpRemote {
    /// Opens a data connection for a listing: EPSV first; PASV for good once EPSV was refused.
    pub(super) async fn open_list(&mut self, act: Act<'_>) -> Result<BlockData, RemoteError> {
        check_line(&act.line())?;
        let ours = self.abilities.atomic_stor();
        if !ours && let Err(error) = self.reuse.check_tickets() {
            return self.give_up(error);
        }
        self.note.edit(|note| *note = (None, false));
        self.facts.data_peer = None;
        let port = self.passive_port(act).await?;
        let stream = match self.dial(port).await {
            Ok(stream) => stream,
            Err(error) => return self.give_up(error),
        };
        let reply = self.start(act, 0).await?;
        if !matches!(reply.code, 125 | 150) {
            if reply.is_ok() && has_news(&stream).await {
                // Not one that is empty: its 150 got lost, or the replies are out of step.
                return self.give_up(out_of_step(act.verb(), &reply));
            }
            return Err(self.refused(act, reply));
        }
        let link = self.link(stream, act).await?;
        if !ours {
            data::acknowledge_quickly(&self.control);
        }
        let mut data = self.over(link, act, &reply);
        data.is_bare = true;
        Ok(data)
    }

    async fn passive_port(&mut self, act: Act<'_>) -> Result<u16, RemoteError> {
        loop {
            let verb = match self.passive {
                Passive::Extended => "EPSV",
                Passive::Plain => "PASV",
            };
            self.facts.passive = verb;
            let reply = self.command(verb).await?;
            let port = match self.passive {
                Passive::Extended => extended_port(&reply),
                Passive::Plain => plain_port(&reply),
            };
            match port {
                Some(port) => return Ok(port),
                None if self.passive == Passive::Extended && is_no_epsv(&reply) => {
                    self.passive = Passive::Plain;
                }
                None if reply.code < 300 => {
                    return Err(RemoteError::Protocol {
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

/// Returns the port in `227 Entering Passive Mode (127,0,0,1,25,46)` (RFC 1123 §4.1.2.6: with or without
/// parentheses). The address is never believed.
fn plain_port(reply: &Reply) -> Option<u16> {
    let text = reply.text();
    let numbers = text
        .split(|letter: char| !letter.is_ascii_digit() && letter != ',')
        .map(|group| group.trim_matches(','))
        .find(|group| group.split(',').count() == 6)?;
    let mut numbers = numbers.split(',').map(str::parse::<u8>);
    let (high, low) = (numbers.nth(4)?.ok()?, numbers.next()?.ok()?);
    let port = u16::from_be_bytes([high, low]);
    (reply.code == 227 && port > 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_in_the_last_two_of_six_numbers() {
        let port = |text: &str| plain_port(&Reply::new(227, text));
        assert_eq!(port("Entering Passive Mode (127,0,0,1,25,46)."), Some(6446));
        assert_eq!(port("Entering Passive Mode 127,0,0,1,0,21"), Some(21));
        assert_eq!(port("=127,0,0,1,4,5"), Some(1029));
        for bad in [
            "(127,0,0,1,0,0)",
            "(127,0,0,1,256,1)",
            "(1,2,3,4,5)",
            "nothing",
            "",
        ] {
            assert_eq!(port(bad), None, "{bad}");
        }
        assert_eq!(plain_port(&Reply::new(229, "(127,0,0,1,25,46)")), None);
    }
}
