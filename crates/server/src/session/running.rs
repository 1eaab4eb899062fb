//! The one thing that may run beside the commands: a transfer or a digest.

use std::{
    fmt,
    future::{Future, pending},
    net::TcpStream,
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{
    data::{Brake, pump::Drain},
    protocol::Reply,
    share::Committed,
};

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
    /// What the client of a refused upload may still send, read until the next transfer begins.
    pub(crate) drain: Option<Drain>,
    /// What an upload is stored as.
    pub(crate) stored: Option<Committed>,
}

impl From<Reply> for Ending {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            linger: None,
            spent: None,
            drain: None,
            stored: None,
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
    /// What an upload waits for before it takes its name.
    pub(crate) look: Option<Look>,
}

/// The session's end of the last look: a client that was killed, or sent ABOR, closes its data
/// connection like one that has sent all. What it had must not replace a whole file.
#[derive(Debug)]
pub(crate) struct Look {
    asked: oneshot::Receiver<Instant>,
    answer: oneshot::Sender<May>,
    is_private: bool,
}

/// What an upload that has come to its end may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum May {
    /// Be kept as a partial.
    NotPublish,
    /// Take its name if that is free: its client has hung up, and nothing proves the end.
    PublishNew,
    /// Take its name.
    Publish,
}

/// The upload's end of it.
#[derive(Debug)]
pub(crate) struct Asking {
    ask: oneshot::Sender<Instant>,
    answer: oneshot::Receiver<May>,
}

/// Makes both ends. `is_private`: over TLS the data connection itself proves its end.
pub(crate) fn last_look(is_private: bool) -> (Asking, Look) {
    let (ask, asked) = oneshot::channel();
    let (tell, answer) = oneshot::channel();
    let asking = Asking { ask, answer };
    let look = Look {
        asked,
        answer: tell,
        is_private,
    };
    (asking, look)
}

impl Asking {
    /// Asks the session whether its client still stands by the upload; it looks until that moment.
    pub(crate) async fn may_publish(self, brake: &Brake, until: Instant) -> May {
        let _nobody = self.ask.send(until);
        tokio::select! {
            biased;
            () = brake.pulled() => May::NotPublish,
            answer = self.answer => answer.unwrap_or(May::NotPublish),
        }
    }
}

impl Look {
    /// Answers.
    pub(crate) fn answer(self, may: May) {
        let _nobody = self.answer.send(may);
    }

    /// What is left to an upload whose client has closed its side behind QUIT. One that it has stopped in the middle
    /// ends like a whole file too, and must not replace one.
    pub(super) fn without_client(&self) -> May {
        match self.is_private {
            true => May::Publish,
            false => May::PublishNew,
        }
    }
}

/// What running has come to.
pub(crate) enum Came {
    /// To its end.
    Ended(Ending),
    /// To the last look, which is to last until that moment.
    Asked(Instant),
}

impl Running {
    /// Goes on with it.
    pub(crate) async fn go_on(&mut self) -> Came {
        tokio::select! {
            biased;
            ending = self.work.as_mut() => Came::Ended(ending),
            until = asked(&mut self.look) => Came::Asked(until),
        }
    }
}

async fn asked(look: &mut Option<Look>) -> Instant {
    if let Some(held) = look {
        if let Ok(until) = (&mut held.asked).await {
            return until;
        }
        // It ends without asking.
        *look = None;
    }
    pending().await
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
