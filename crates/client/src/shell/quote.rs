//! `quote`: a line as it is, and what it leaves the session in, where nothing of the prompt's own may come between
//! it and the next.

use super::{act::Shell, table::Verb};
use crate::{
    app::Failure,
    error::{Error, RemoteError},
    exit::ExitCode,
    remote::{Remote, Reply},
    ui::escape::shown,
};

/// What the lines so far have left the session in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Midst {
    /// Nothing that a command could break.
    #[default]
    Nothing,
    /// A command that the next one belongs to, as RNTO to RNFR.
    Sequence,
    /// Nobody is logged in, or not yet.
    LoggedOut,
}

impl Midst {
    /// Returns what a line and its reply make of it (RFC 959 §5.4).
    fn after(self, command: &str, reply: &Reply) -> Self {
        let verb = command.split_whitespace().next().unwrap_or_default();
        let is_one_of = |verbs: &[&str]| verbs.iter().any(|one| verb.eq_ignore_ascii_case(one));
        let logs_in = is_one_of(&["USER", "PASS", "ACCT"]);
        match reply.code {
            200..300 if logs_in => Self::Nothing,
            300..400 if logs_in => Self::LoggedOut,
            200..300 if is_one_of(&["REIN"]) => Self::LoggedOut,
            // Some refuse another user so, and keep the one who is in.
            530 if !(logs_in && keeps_user(reply)) => Self::LoggedOut,
            _ if self == Self::LoggedOut => self,
            300..400 => Self::Sequence,
            200..300 if is_one_of(&["RNFR", "REST"]) => Self::Sequence,
            // It may stand between REST and what follows.
            200..300 if is_one_of(&["NOOP"]) => self,
            _ => Self::Nothing,
        }
    }
}

/// Tells whether a 530 says that somebody is logged in and stays so (vsftpd, Pure-FTPd).
fn keeps_user(reply: &Reply) -> bool {
    let text = reply.text().to_ascii_lowercase();
    ["change", "already"].iter().any(|word| text.contains(word))
}

impl Shell<'_> {
    /// Sends a line as it is, and shows the reply.
    pub(super) async fn quote(&mut self, args: &[String]) -> Result<ExitCode, Failure> {
        let at = self.connected()?;
        let (cwd, stood, before) = (at.cwd.clone(), at.standing, at.midst);
        let command = args.join(" ");
        let asked = self
            .asked(async |session: &mut dyn Remote| {
                // A line as it is means the directory that the prompt shows.
                let is_another = session.number() != stood;
                if is_another {
                    session.cwd(&cwd).await?;
                }
                let before = if is_another { Midst::Nothing } else { before };
                let reply = session.raw(&command).await?;
                Ok((before.after(&command, &reply), reply, session.number()))
            })
            .await;
        let midst = match &asked {
            Ok((midst, ..)) => *midst,
            // Nothing was sent.
            Err(Failure::Work(Error::Remote(RemoteError::BadName { .. }))) => before,
            Err(_) => Midst::Nothing,
        };
        self.is_in(midst);
        let (_, reply, number) = asked?;
        self.stands_in(number);
        let ui = self.app.ui;
        for line in &reply.lines {
            ui.answer(shown(&format!("{} {line}", reply.code)));
        }
        Ok(ExitCode::Done)
    }

    /// Another command than `quote` ends what was begun, and nothing else that it may have done. What asks the server
    /// nothing comes between nothing.
    pub(super) fn ends_sequence(&mut self, verb: Verb) {
        let is_silent = matches!(verb, Verb::Quote | Verb::Pwd | Verb::Status);
        if let Some(at) = self.link.as_mut().filter(|_| !is_silent) {
            if at.midst == Midst::Sequence {
                at.midst = Midst::Nothing;
            }
            at.link.pool.hold(false);
        }
    }

    fn is_in(&mut self, midst: Midst) {
        if let Some(at) = &mut self.link {
            at.midst = midst;
            at.link.pool.hold(midst != Midst::Nothing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_begun_lasts_until_the_line_behind_it() {
        use Midst::{LoggedOut, Nothing, Sequence};
        let mut midst = Nothing;
        for (command, reply, after) in [
            ("RNFR a", "350 to?", Sequence),
            ("RNTO b", "250 done", Nothing),
            ("rnfr a", "550 none", Nothing),
            ("REST 5", "350 ok", Sequence),
            ("NOOP", "200 ok", Sequence),
            ("STAT", "211 ok", Nothing),
            ("SITE X", "331 and?", Sequence),
            ("user bob", "331 password", LoggedOut),
            ("NOOP", "200 ok", LoggedOut),
            ("PASS no", "530 wrong", LoggedOut),
            ("PWD", "530 log in", LoggedOut),
            ("PASS x", "332 account", LoggedOut),
            ("ACCT x", "230 in", Nothing),
            ("USER bob", "530 Can't change to another user.", Nothing),
            ("REIN", "220 ready", LoggedOut),
            ("USER bob", "230 in", Nothing),
            ("PWD", "530 log in", LoggedOut),
        ] {
            let (code, text) = reply.split_once(' ').unwrap();
            midst = midst.after(command, &Reply::new(code.parse().unwrap(), text));
            assert_eq!(midst, after, "{command}");
        }
    }
}
