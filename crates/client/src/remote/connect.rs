//! From a host name to a session that is ready: resolve, connect, greeting, TLS, login, `TYPE I`,
//! features.

mod deadlines;
mod login;
mod past;
mod secure;

use std::{fmt, io, sync::Arc};

use async_trait::async_trait;
use ftp_config::{Encoding, Secret, SiteTls};
use suppaftp::FtpError;
use tokio::time::timeout;

pub use self::deadlines::Deadlines;
pub(crate) use self::secure::NOT_IMPLICIT;
use self::{
    past::Past,
    secure::{NO_TLS_CAME, Secured},
};
use super::{
    Dial, Remote, Security,
    ftp::{FtpRemote, broken, parse_reply},
    greeting,
    names::{CameAsUtf8, Codec},
    race,
    tls::FtpStream,
};
use crate::{
    error::{Phase, RemoteError},
    trust::{MemoryTrust, TrustCheck, verifier::Roots},
};

/// How often a handshake behind AUTH is tried that got an answer in clear. libunftp takes a quick
/// ClientHello for a command now and then, on some machines every second time; nothing secret has
/// been said then.
const RACES: u32 = 8;

/// One line of the control connection, for `-v`. Passwords are never in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// Client to server.
    Sent(&'a str),
    /// Server to client.
    Received(&'a str),
}

/// Where the lines of the control connection go.
pub type WireTrace = Arc<dyn Fn(Wire<'_>) + Send + Sync>;

/// Everything needed to make sessions with one server as one user.
#[derive(Clone)]
pub struct Dialer {
    /// The host: a name or an address, IPv6 without brackets.
    pub host: String,
    /// The control port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// How TLS is spoken.
    pub tls: SiteTls,
    /// The encoding of names; `None`: UTF-8, other bytes kept as they are.
    pub encoding: Option<Encoding>,
    /// Limits of every wait.
    pub deadlines: Deadlines,
    /// The roots certificates may be vouched by.
    pub roots: Roots,
    /// The pins.
    pub trust: Arc<dyn TrustCheck>,
    /// Where the lines of the control connection go.
    pub trace: Option<WireTrace>,
    came_as_utf8: CameAsUtf8,
    past: Past,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("endpoint", &self.endpoint())
            .field("user", &self.user)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    /// Makes a dialer for clear text or TLS as offered, with no roots and pins in memory.
    #[must_use]
    pub fn new(host: &str, port: u16, user: &str, password: Secret) -> Self {
        Self {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            password,
            tls: SiteTls::Auto,
            encoding: None,
            deadlines: Deadlines::default(),
            roots: Roots::none(),
            trust: Arc::new(MemoryTrust::default()),
            trace: None,
            came_as_utf8: CameAsUtf8::default(),
            past: Past::default(),
        }
    }

    fn trace(&self, wire: Wire<'_>) {
        if let Some(trace) = &self.trace {
            trace(wire);
        }
    }

    /// Shakes hands and says goodbye, without a login: what the server shows of itself.
    ///
    /// # Errors
    /// It has no TLS, or its certificate is not trusted.
    pub async fn meet(&self) -> Result<Security, RemoteError> {
        let (mut stream, secured) = match self.tls {
            SiteTls::Implicit => self.open_implicit().await?,
            _ => self.open_explicit(SiteTls::Required).await?,
        };
        let _gone = timeout(self.deadlines.reply, stream.quit()).await;
        let none = RemoteError::Unsupported { what: "TLS" };
        secured.as_ref().map(Secured::facts).ok_or(none)
    }

    async fn dial_once(&self, tls: SiteTls) -> Result<FtpRemote, RemoteError> {
        let codec = Arc::new(Codec::knowing(
            self.encoding,
            Arc::clone(&self.came_as_utf8),
        ));
        let (stream, secured) = match tls {
            SiteTls::Implicit => self.open_implicit().await?,
            SiteTls::Required | SiteTls::Auto => self.open_explicit(tls).await?,
            SiteTls::Off => (self.open_plain().await?, None),
        };
        let mut stream = stream;
        stream.set_encoding(WireCodec(Arc::clone(&codec))).await;
        let reuse = self.watch(secured.as_ref());
        let greeting = stream.get_welcome_msg().unwrap_or_default().to_owned();
        let peer = stream.get_ref().await.peer_addr();
        self.login(&mut stream, &codec).await?;
        let mut remote =
            FtpRemote::new(stream, codec, self.deadlines, self.trace.clone(), reuse).await?;
        remote.facts.peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
        remote.facts.greeting = greeting.lines().map(strip_code).collect();
        remote.facts.security = secured.as_ref().map(Secured::facts);
        let host = || self.host.clone();
        remote.block.tls = secured.as_ref().map(|s| (s.connector.clone(), host()));
        if secured.is_some() {
            self.trust.note_tls(&self.endpoint());
        }
        self.set_up(&mut remote, tls).await?;
        Ok(remote)
    }

    async fn open_plain(&self) -> Result<FtpStream, RemoteError> {
        let socket = race::connect(&self.host, self.port, self.deadlines.connect).await?;
        let greeting = timeout(self.deadlines.greeting, async {
            greeting::await_ready(&socket, &self.endpoint()).await?;
            FtpStream::connect_with_stream(socket)
                .await
                .map_err(|error| self.unready(error))
        });
        let stream = greeting.await.unwrap_or(Err(RemoteError::Timeout {
            phase: Phase::Greeting,
            after: self.deadlines.greeting,
        }))?;
        for line in stream.get_welcome_msg().unwrap_or_default().lines() {
            self.trace(Wire::Received(line));
        }
        Ok(stream)
    }

    fn unready(&self, error: FtpError) -> RemoteError {
        match error {
            FtpError::UnexpectedResponse(response) => {
                match parse_reply(&Codec::default(), &response.body) {
                    Some(reply) => RemoteError::Refused {
                        verb: "greeting".to_owned(),
                        path: None,
                        reply,
                    },
                    None => RemoteError::NotFtp {
                        endpoint: self.endpoint(),
                        said: greeting::shown(&response.body),
                    },
                }
            }
            FtpError::BadResponse => RemoteError::NotFtp {
                endpoint: self.endpoint(),
                said: "a line without a code".to_owned(),
            },
            error => broken("greeting", error),
        }
    }
}

fn strip_code(line: &str) -> String {
    let coded = line
        .get(..3)
        .is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()));
    let text = if coded { line.get(4..) } else { Some(line) };
    text.unwrap_or_default().to_owned()
}

/// Our codec as the library wants it; it only encodes, we decode ourselves.
#[derive(Debug)]
struct WireCodec(Arc<Codec>);

impl suppaftp::Encoding for WireCodec {
    fn decode(&self, bytes: &[u8]) -> String {
        self.0.decode(bytes)
    }

    fn encode(&self, text: &str) -> io::Result<Vec<u8>> {
        self.0.encode(text)
    }
}

#[async_trait]
impl Dial for Dialer {
    async fn dial(&self) -> Result<Box<dyn Remote>, RemoteError> {
        self.past.spare(&self.user)?;
        for _ in 1..RACES {
            match self.dial_once(self.tls).await {
                Err(RemoteError::Tls { reason, .. }) if reason.contains(NO_TLS_CAME) => {}
                Err(RemoteError::Tls { reason, .. }) if self.has_no_tls12(&reason) => {
                    // A new session has new tickets, and they are all that TLS 1.2 was wanted for.
                    self.trust.note_tls12(&self.endpoint(), false);
                }
                other => return Ok(Box::new(other?)),
            }
        }
        Ok(Box::new(self.dial_once(self.tls).await?))
    }

    fn endpoint(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
