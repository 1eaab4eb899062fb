//! From a host name to a session that is ready: resolve, connect, greeting, TLS, login, `TYPE I`,
//! features.

use std::{fmt, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use ftp_config::{Encoding, Secret, SiteTls};
use suppaftp::FtpError;
use tokio::time::timeout;

use super::{
    Dial, Remote, Reply, Security,
    ftp::{FtpRemote, ReuseWatch, broken, check_line, parse_reply},
    greeting,
    names::Codec,
    race,
    tls::{Connector, FtpStream, Handshakes, TIMED_OUT, bare},
};
use crate::{
    error::{Phase, RemoteError},
    trust::{
        MemoryTrust, TrustCheck,
        verifier::{Roots, Verdict, session_config},
    },
};

/// What rustls says of an answer that is no TLS.
const NO_TLS_CAME: &str = "InvalidContentType";
/// Why implicit TLS came to nothing.
pub(crate) const NOT_IMPLICIT: &str = "the port does not speak TLS from the first byte";
/// How often a handshake behind AUTH is tried that got an answer in clear. libunftp takes a quick
/// ClientHello for a command now and then, on some machines every second time; nothing secret has
/// been said then.
const RACES: u32 = 8;
/// How long a server is waited for that still counts a connection which is gone, in milliseconds.
const PAUSES: [u64; 4] = [50, 100, 300, 900];

/// Limits of every wait of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One TCP connection attempt, all addresses together.
    pub connect: Duration,
    /// The greeting, 120 included.
    pub greeting: Duration,
    /// A TLS handshake.
    pub handshake: Duration,
    /// A reply to a command.
    pub reply: Duration,
    /// A data connection, with its handshake.
    pub data_connect: Duration,
    /// Between two blocks of data.
    pub stalled: Duration,
    /// The reply that ends a transfer; the server may hash or sync a large file first.
    pub finish: Duration,
}

impl Deadlines {
    /// The same limit for every wait.
    #[must_use]
    pub fn all(limit: Duration) -> Self {
        Self {
            connect: limit,
            greeting: limit,
            handshake: limit,
            reply: limit,
            data_connect: limit,
            stalled: limit,
            finish: limit,
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            greeting: Duration::from_secs(30),
            handshake: Duration::from_secs(15),
            reply: Duration::from_secs(60),
            data_connect: Duration::from_secs(20),
            stalled: Duration::from_secs(60),
            finish: Duration::from_secs(300),
        }
    }
}

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
            _ => self.open_explicit(false).await?,
        };
        let _gone = timeout(self.deadlines.reply, stream.quit()).await;
        let none = RemoteError::Unsupported { what: "TLS" };
        secured.as_ref().map(Secured::facts).ok_or(none)
    }

    async fn dial_once(&self, tls: SiteTls) -> Result<FtpRemote, RemoteError> {
        let codec = Arc::new(Codec::new(self.encoding));
        let (stream, secured) = match tls {
            SiteTls::Implicit => self.open_implicit().await?,
            SiteTls::Required => self.open_explicit(false).await?,
            SiteTls::Auto => self.open_explicit(true).await?,
            SiteTls::Off => (self.open_plain().await?, None),
        };
        let mut stream = stream;
        stream.set_encoding(WireCodec(Arc::clone(&codec))).await;
        let reuse = ReuseWatch {
            handshakes: secured
                .as_ref()
                .map(|secured| Arc::clone(&secured.handshakes)),
            verdict: secured.as_ref().map(|secured| Arc::clone(&secured.verdict)),
            trust: Arc::clone(&self.trust),
            endpoint: self.endpoint(),
        };
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

    /// Binary always; then what the server can do, and UTF-8 or not where it waits to be told.
    async fn set_up(&self, remote: &mut FtpRemote, tls: SiteTls) -> Result<(), RemoteError> {
        if tls == SiteTls::Implicit {
            for line in ["PBSZ 0", "PROT P"] {
                self.wanted(remote, line).await?;
            }
        }
        self.wanted(remote, "TYPE I").await?;
        let features = remote.command("FEAT").await?;
        remote.abilities = super::Abilities::parse(&features);
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
        if reply.is_ok() {
            return Ok(());
        }
        Err(RemoteError::Refused {
            verb: line.to_owned(),
            path: None,
            reply,
        })
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

    /// AUTH TLS. With `auto`, a server that has none is spoken to in clear, unless it had TLS once.
    async fn open_explicit(&self, auto: bool) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let stream = self.open_plain().await?;
        let (connector, secured) = self.secured()?;
        let limit = self.deadlines.handshake + self.deadlines.reply;
        self.trace(Wire::Sent("AUTH TLS"));
        let upgraded = timeout(limit, stream.into_secure(connector, &self.host)).await;
        let Ok(upgraded) = upgraded else {
            return Err(RemoteError::Timeout {
                phase: Phase::TlsHandshake,
                after: limit,
            });
        };
        match upgraded {
            Ok(stream) => {
                self.trace(Wire::Received(secured.handshakes.version()));
                Ok((stream, Some(secured)))
            }
            Err(FtpError::UnexpectedResponse(response)) => {
                let reply = parse_reply(&Codec::default(), &response.body).ok_or(
                    RemoteError::Protocol {
                        verb: "AUTH".to_owned(),
                        what: "the reply cannot be read".to_owned(),
                    },
                )?;
                self.trace(Wire::Received(&reply.to_string()));
                self.auth_refused(auto, reply, secured.handshakes.done() > 0)
                    .await
            }
            Err(FtpError::SecureError(reason)) => Err(self.not_shaken(&secured, &reason)),
            Err(error) => Err(broken("AUTH", error)),
        }
    }

    /// Makes the error of a handshake that failed.
    fn not_shaken(&self, secured: &Secured, reason: &str) -> RemoteError {
        match bare(reason) {
            TIMED_OUT => RemoteError::Timeout {
                phase: Phase::TlsHandshake,
                after: self.deadlines.handshake,
            },
            reason => self.watch(secured).handshake(reason),
        }
    }

    fn watch(&self, secured: &Secured) -> ReuseWatch {
        ReuseWatch {
            handshakes: Some(Arc::clone(&secured.handshakes)),
            verdict: Some(Arc::clone(&secured.verdict)),
            trust: Arc::clone(&self.trust),
            endpoint: self.endpoint(),
        }
    }

    async fn auth_refused(
        &self,
        auto: bool,
        reply: Reply,
        behind_handshake: bool,
    ) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let endpoint = self.endpoint();
        if behind_handshake {
            return Err(RemoteError::Refused {
                verb: "PROT P".to_owned(),
                path: None,
                reply,
            });
        }
        if !auto {
            return Err(RemoteError::TlsRefused { endpoint, reply });
        }
        if self.trust.spoke_tls(&endpoint) {
            return Err(RemoteError::TlsDowngrade { endpoint, reply });
        }
        if reply.code == 421 {
            return Err(RemoteError::Refused {
                verb: "AUTH".to_owned(),
                path: None,
                reply,
            });
        }
        // The library gave the connection up with the refusal.
        Ok((self.open_again().await?, None))
    }

    /// Connects anew: a server that counts its clients may not yet have seen the one before go.
    async fn open_again(&self) -> Result<FtpStream, RemoteError> {
        for pause in PAUSES {
            match self.open_plain().await {
                Err(RemoteError::Refused { reply, .. }) if reply.is_too_many() => {}
                other => return other,
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.open_plain().await
    }

    /// TLS from the first byte. The library dials by itself here; the deadlines are ours.
    async fn open_implicit(&self) -> Result<(FtpStream, Option<Secured>), RemoteError> {
        let socket = race::connect(&self.host, self.port, self.deadlines.connect).await?;
        let address = socket.peer_addr().map_err(|source| RemoteError::Connect {
            address: self.endpoint(),
            source,
        })?;
        drop(socket);
        let (connector, secured) = self.secured()?;
        let limit = self.deadlines.connect + self.deadlines.handshake + self.deadlines.greeting;
        let dialled = FtpStream::connect_secure_implicit(address, connector, &self.host);
        match timeout(limit, dialled).await {
            Ok(Ok(stream)) => {
                race::tune(&*stream.get_ref().await);
                Ok((stream, Some(secured)))
            }
            Ok(Err(FtpError::SecureError(reason))) => {
                let is_clear = reason.contains(NO_TLS_CAME);
                let reason = if is_clear { NOT_IMPLICIT } else { &reason };
                Err(self.not_shaken(&secured, reason))
            }
            Ok(Err(error)) => Err(self.unready(error)),
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::TlsHandshake,
                after: limit,
            }),
        }
    }

    fn secured(&self) -> Result<(Connector, Secured), RemoteError> {
        let endpoint = self.endpoint();
        let tls12_only = self.trust.needs_tls12(&endpoint);
        let trust = Arc::clone(&self.trust);
        let handshakes = Arc::new(Handshakes::default());
        let store = Arc::clone(&handshakes.tickets) as Arc<_>;
        let made = session_config(&endpoint, &self.roots, trust, store, tls12_only);
        let (config, verdict) = made.map_err(|reason| RemoteError::Tls { endpoint, reason })?;
        let connector = Connector {
            config,
            handshakes: Arc::clone(&handshakes),
            limit: self.deadlines.handshake,
        };
        let secured = Secured {
            connector: connector.clone(),
            handshakes,
            verdict,
        };
        Ok((connector, secured))
    }

    /// The library's own login, since it keeps the password out of its log.
    async fn login(&self, stream: &mut FtpStream, codec: &Codec) -> Result<(), RemoteError> {
        check_line(&format!("USER {}", self.user))?;
        check_line(self.password.expose()).map_err(|_| RemoteError::BadName {
            name: "the password".to_owned(),
            why: "it holds a line end or a NUL",
        })?;
        self.trace(Wire::Sent(&format!("USER {}", self.user)));
        self.trace(Wire::Sent("PASS ***"));
        let limit = self.deadlines.reply;
        let login = timeout(
            limit,
            stream.login(self.user.as_str(), self.password.expose()),
        );
        match login.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(FtpError::UnexpectedResponse(response))) => {
                let reply =
                    parse_reply(codec, &response.body).ok_or_else(|| RemoteError::Protocol {
                        verb: "PASS".to_owned(),
                        what: "the reply cannot be read".to_owned(),
                    })?;
                self.trace(Wire::Received(&reply.to_string()));
                let user = self.user.clone();
                Err(RemoteError::Login { user, reply })
            }
            Ok(Err(error)) => Err(broken("login", error)),
            Err(_) => Err(RemoteError::Timeout {
                phase: Phase::Reply,
                after: limit,
            }),
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

/// What a session knows of its TLS.
struct Secured {
    connector: Connector,
    handshakes: Arc<Handshakes>,
    verdict: Arc<Verdict>,
}

impl Secured {
    fn facts(&self) -> Security {
        Security {
            version: self.handshakes.version(),
            fingerprint: self.verdict.fingerprint(),
            by_root: self.verdict.is_by_root(),
        }
    }
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
        for _ in 1..RACES {
            match self.dial_once(self.tls).await {
                Err(RemoteError::Tls { reason, .. }) if reason.contains(NO_TLS_CAME) => {}
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
