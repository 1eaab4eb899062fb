//! From a greeting to a session that is ready: login, `TYPE I`, features, the encoding of names.

use ftp_config::SiteTls;
use suppaftp::FtpError;
use tokio::time::timeout;

use super::{
    super::{
        Abilities,
        ftp::{FtpRemote, broken, check_line, flaw_of, parse_reply},
        names::Codec,
        tls::FtpStream,
    },
    Dialer, Wire,
};
use crate::error::{Phase, RemoteError};

impl Dialer {
    /// The library's own login, since it keeps the password out of its log.
    pub(super) async fn login(
        &self,
        stream: &mut FtpStream,
        codec: &Codec,
    ) -> Result<(), RemoteError> {
        check_line(&format!("USER {}", self.user))?;
        // An empty one is one: cameras and consoles want it so.
        let pass = format!("PASS {}", self.password.expose());
        if let Some(why) = flaw_of(&pass) {
            let name = "the password".to_owned();
            return Err(RemoteError::BadName { name, why });
        }
        self.trace(Wire::Sent(&format!("USER {}", self.user)));
        self.trace(Wire::Sent("PASS ***"));
        let limit = self.deadlines.reply;
        let login = timeout(
            limit,
            stream.login(self.user.as_str(), self.password.expose()),
        );
        match login.await {
            Ok(Ok(())) => {
                self.past.accepted(&self.user, &self.password);
                Ok(())
            }
            Ok(Err(FtpError::UnexpectedResponse(response))) => {
                let reply =
                    parse_reply(codec, &response.body).ok_or_else(|| RemoteError::Protocol {
                        verb: "PASS".to_owned(),
                        what: "the reply cannot be read".to_owned(),
                    })?;
                self.trace(Wire::Received(&reply.to_string()));
                Err(self.past.refused(&self.user, &self.password, reply))
            }
            Ok(Err(error)) => Err(broken("login", error)),
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::Reply,
                after: limit,
            }),
        }
    }

    /// Binary always; then what the server can do, and UTF-8 or not where it waits to be told.
    pub(super) async fn set_up(
        &self,
        remote: &mut FtpRemote,
        tls: SiteTls,
    ) -> Result<(), RemoteError> {
        if tls == SiteTls::Implicit {
            for line in ["PBSZ 0", "PROT P"] {
                self.wanted(remote, line).await?;
            }
        }
        self.wanted(remote, "TYPE I").await?;
        let features = remote.command("FEAT").await?;
        remote.abilities = Abilities::parse(&features);
        let utf8 = self.encoding.is_none_or(ftp_config::Encoding::is_utf8);
        if remote.abilities.has("UTF8") {
            // Any answer will do: most servers speak UTF-8 whether asked or not. One that knows
            // several must be told not to, as some names in GBK are UTF-8 too, of other letters.
            let wish = if utf8 { "ON" } else { "OFF" };
            remote.command(&format!("OPTS UTF8 {wish}")).await?;
        }
        Ok(())
    }

    async fn wanted(&self, remote: &mut FtpRemote, line: &str) -> Result<(), RemoteError> {
        let reply = remote.command(line).await?;
        if reply.is_ok_or_superfluous() {
            return Ok(());
        }
        Err(RemoteError::Refused {
            verb: line.to_owned(),
            path: None,
            reply,
        })
    }
}
