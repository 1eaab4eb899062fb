//! What commands that somebody else has sent leave behind for the next transfer (RFC 959 §3.1, §3.4, §3.5):
//! it is undone before that, since files are moved as they are, whole.

use super::FtpRemote;
use crate::{error::RemoteError, remote::Reply};

/// What is set, the command that sets it as it is to be, and its value.
const SETTINGS: [(&str, &str, &[&str]); 4] = [
    ("TYPE", "TYPE I", &["I", "IMAGE"]),
    ("STRU", "STRU F", &["F"]),
    // Block mode is known of elsewhere.
    ("MODE", "MODE S", &["S", "B"]),
    ("REST", "REST 0", &["0"]),
];

/// Commands that are to be sent before the next transfer.
#[derive(Debug, Default)]
pub(super) struct Undo(Vec<&'static str>);

impl Undo {
    /// Notes what a command has set.
    pub(super) fn overheard(&mut self, command: &str, reply: &Reply) {
        let mut words = command.split_whitespace();
        let (verb, value) = (words.next(), words.next());
        let known = SETTINGS
            .iter()
            .find(|row| verb.is_some_and(|verb| verb.eq_ignore_ascii_case(row.0)));
        let Some((_, undo, usual)) = known.filter(|_| (200..400).contains(&reply.code)) else {
            return;
        };
        self.0.retain(|line| line != undo);
        let is_usual = |value: &str| usual.iter().any(|usual| value.eq_ignore_ascii_case(usual));
        if !value.is_some_and(is_usual) {
            self.0.push(undo);
        }
    }
}

impl FtpRemote {
    /// Sends them.
    pub(super) async fn undo(&mut self) -> Result<(), RemoteError> {
        while let Some(line) = self.undo.0.last().copied() {
            let reply = self.command(line).await?;
            if !(200..400).contains(&reply.code) {
                return Err(RemoteError::Refused {
                    verb: line.to_owned(),
                    path: None,
                    reply,
                });
            }
            self.undo.0.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_set_back() {
        let mut undo = Undo::default();
        for (command, code, left) in [
            ("type a", 200, &["TYPE I"][..]),
            ("TYPE E N", 504, &["TYPE I"]),
            ("REST 100", 350, &["TYPE I", "REST 0"]),
            ("TYPE i", 200, &["REST 0"]),
            ("MODE B", 200, &["REST 0"]),
            ("MODE Z", 200, &["REST 0", "MODE S"]),
            ("mode s", 200, &["REST 0"]),
            ("NOOP", 200, &["REST 0"]),
            ("rest 0", 350, &[]),
        ] {
            undo.overheard(command, &Reply::new(code, "x"));
            assert_eq!(undo.0, left, "{command}");
        }
    }
}
