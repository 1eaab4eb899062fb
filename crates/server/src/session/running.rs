//! The one thing that may run beside the commands: a transfer or a digest.

use std::{fmt, future::Future, net::TcpStream, pin::Pin, sync::Arc};

use crate::{data::Brake, protocol::Reply};

/// How something that ran has ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// What the client is told.
    pub(crate) reply: Reply,
    /// A data socket that is kept until the client has surely read from it: its close_notify is
    /// answered by nobody, but must not meet a closed socket.
    pub(crate) linger: Option<Arc<TcpStream>>,
    /// A data socket whose client has said all and waits for the reply: it is closed after that.
    pub(crate) spent: Option<tokio::net::TcpStream>,
}

impl From<Reply> for Ending {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            linger: None,
            spent: None,
        }
    }
}

/// Something that runs. Polled by the session's loop: it is no task of its own.
pub(crate) struct Running {
    pub(crate) work: Pin<Box<dyn Future<Output = Ending> + Send>>,
    /// Stops it.
    pub(crate) brake: Arc<Brake>,
    /// What STAT says of it: `RETR a.txt`.
    pub(crate) what: Vec<u8>,
    /// Bytes in all, when known.
    pub(crate) size: Option<u64>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// What a verb answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// One reply.
    Say(Reply),
    /// A first reply (none for a digest), and something that runs.
    Start(Option<Reply>, Running),
    /// A first reply, and something that sends: it begins before the reply is said.
    Send(Reply, Running),
    /// The reply, then the TLS handshake.
    Upgrade(Reply),
    /// The reply, then the end of the session.
    Leave(Reply),
    /// The end of the session without a word.
    Vanish,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Say(reply)
    }
}

impl From<Result<Reply, Reply>> for Answer {
    fn from(reply: Result<Reply, Reply>) -> Self {
        let (Ok(reply) | Err(reply)) = reply;
        Self::Say(reply)
    }
}

impl From<Result<Self, Reply>> for Answer {
    fn from(answer: Result<Self, Reply>) -> Self {
        answer.unwrap_or_else(Self::Say)
    }
}
