//! What an answer does to a session: replies, the beginning and end of what runs, TLS, the goodbye.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::{Answer, End, Ending, MOST_LOOKED_AT, May, Running, Talk};
use crate::{protocol::Reply, tls::OneSession, verbs, vigil};

/// How long the rest of a TLS record is waited for in the last look.
const LOOK: Duration = Duration::from_millis(5);
/// How long the last look lets its thread sleep at once: no longer than a small file takes.
const NAP: Duration = Duration::from_micros(50);

/// Waits for a moment, if there is one.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Talk {
    pub(super) async fn carry_out(&mut self, answer: Answer) -> Result<(), End> {
        match answer {
            Answer::Say(reply) => self.say(&reply).await,
            Answer::Start(first, running) => {
                (self.linger, self.drain) = (None, None);
                if let Some(first) = first {
                    self.say(&first).await?;
                }
                self.running = Some(running);
                Ok(())
            }
            Answer::Send(first, running) => self.send(&first, running).await,
            Answer::Upgrade(reply) => self.upgrade(&reply).await,
            Answer::Leave(reply) => Err(End::Goodbye(reply)),
            Answer::Vanish => Err(End::Gone),
        }
    }

    /// Begins to send before the first reply is said. What is over at once, such as a file that
    /// fits into the socket's buffer, has both replies in one write: one segment less, and the
    /// client wakes once. A lone client has its first reply first: it wakes while we send.
    async fn send(&mut self, first: &Reply, mut running: Running) -> Result<(), End> {
        (self.linger, self.drain) = (None, None);
        if vigil::is_alone() {
            self.running = Some(running);
            return self.say(first).await;
        }
        let begun = poll_fn(|cx| Poll::Ready(running.work.as_mut().poll(cx))).await;
        let Poll::Ready(ending) = begun else {
            self.running = Some(running);
            return self.say(first).await;
        };
        self.linger = ending.linger;
        self.put_off_deadline();
        self.say_all(&[first, &ending.reply]).await
    }

    /// RFC 4217 §4.1: the reply first, in clear; then nothing that came in clear counts any more.
    async fn upgrade(&mut self, reply: &Reply) -> Result<(), End> {
        let Some(tls) = &self.session.snapshot.tls else {
            return Err(End::Gone);
        };
        let mut config = Arc::clone(&tls.control);
        if self.session.snapshot.config.tls.require_reuse {
            let Ok(own) = OneSession::new(tls) else {
                return Err(End::Gone);
            };
            config = Arc::clone(&own.configs.control);
            self.session.own_tls = Some(own);
        }
        self.say(reply).await?;
        self.lines.clear();
        self.held.clear();
        (self.is_leaving, self.bad_lines) = (false, 0);
        let limit = self.session.snapshot.config.timeouts.tls_handshake;
        match self.wire.secure(config, limit).await {
            Ok(()) => {
                self.session.is_tls = true;
                self.session.seat.set_tls(true);
                Ok(())
            }
            Err(error) => {
                debug!(%error, "TLS handshake");
                Err(End::Gone)
            }
        }
    }

    pub(super) async fn ended(&mut self, ending: Ending) -> Result<(), End> {
        self.running = None;
        (self.linger, self.drain) = (ending.linger, ending.drain);
        self.session.stored = ending.stored.or(self.session.stored.take());
        self.put_off_deadline();
        self.say(&ending.reply).await?;
        drop(ending.spent);
        verbs::listen_ahead(&mut self.session);
        Ok(())
    }

    /// Waits for the transfer of a client that has said QUIT and closed its side.
    pub(super) async fn finish_last(&mut self) -> Result<(), End> {
        let kill = self.kill.clone();
        let kicked = self.kicked.clone();
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(look) = running.look.take() {
            let may = look.without_client();
            look.answer(may);
        }
        let ending = tokio::select! {
            ending = running.work.as_mut() => ending,
            () = kill.cancelled() => return Err(End::Gone),
            () = kicked.cancelled() => return Err(End::Gone),
        };
        self.ended(ending).await
    }

    /// Tells an upload that is whole whether it may take its name, and goes on with it at once.
    pub(super) async fn look_once_more(&mut self, until: std::time::Instant) -> Result<(), End> {
        let mut has_news = self.wire.has_news();
        while !has_news && std::time::Instant::now() < until {
            // Other sessions go on meanwhile, and a client that shares this processor: its end would come too late
            // behind a wait that keeps the processor to itself.
            tokio::task::yield_now().await;
            std::thread::sleep(NAP);
            has_news = self.wire.has_news();
        }
        let may = self.may_publish(has_news).await;
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(look) = running.look.take() {
            look.answer(may);
        }
        // On a quick disk it ends here: another turn of the loop is not needed for that.
        match poll_fn(|cx| Poll::Ready(running.work.as_mut().poll(cx))).await {
            Poll::Ready(ending) => self.ended(ending).await,
            Poll::Pending => Ok(()),
        }
    }

    /// Reads what has come on the control connection: an ABOR, or an end without QUIT, takes the
    /// upload back. Behind QUIT the end is waited for a moment: it may come just behind it.
    async fn may_publish(&mut self, mut has_news: bool) -> May {
        self.look_at_lines();
        let moment = Instant::now() + LOOK;
        while has_news || (self.may_hang_up() && Instant::now() < moment) {
            if self.held.len() >= MOST_LOOKED_AT {
                // What else it may have said cannot be known.
                return self.without_client();
            }
            match timeout(LOOK, self.wire.read(&mut self.lines)).await {
                Ok(Ok(n)) if n > 0 => {
                    self.look_at_lines();
                    has_news = self.wire.has_news();
                }
                Ok(_) => return self.without_client(),
                // A part of a TLS record, or nothing.
                Err(_) => break,
            }
        }
        match &self.running {
            Some(running) if running.brake.is_pulled() => May::NotPublish,
            _ => May::Publish,
        }
    }

    /// Tells whether an end of the control connection would change what the upload may do.
    fn may_hang_up(&self) -> bool {
        self.is_leaving && self.without_client() != May::Publish
    }

    fn without_client(&self) -> May {
        let look = self.running.as_ref().and_then(|it| it.look.as_ref());
        match look.filter(|_| self.is_leaving) {
            Some(look) => look.without_client(),
            None => May::NotPublish,
        }
    }

    fn look_at_lines(&mut self) {
        while let Some(line) = self.hold_lines(MOST_LOOKED_AT) {
            self.held.push_back(line);
        }
    }

    pub(super) fn put_off_deadline(&mut self) {
        if self.session.login.is_some() {
            self.deadline = Instant::now() + self.session.snapshot.config.timeouts.idle;
        }
    }

    pub(super) async fn say(&mut self, reply: &Reply) -> Result<(), End> {
        self.say_all(&[reply]).await
    }

    async fn say_all(&mut self, replies: &[&Reply]) -> Result<(), End> {
        let mut bytes = Vec::with_capacity(128);
        for reply in replies {
            debug!(reply = reply.code(), "reply");
            reply.write_to(&mut bytes);
        }
        self.write(&bytes).await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let limit = self.session.snapshot.config.timeouts.stalled;
        let deadline = self.session.login.is_none().then_some(self.deadline);
        let (kill, kicked) = (self.kill.clone(), self.kicked.clone());
        tokio::select! {
            biased;
            written = self.wire.write(bytes, limit) => written.map_err(|error| {
                debug!(%error, "control connection");
                End::Gone
            }),
            // Who does not read its replies is not to stay for that.
            () = kill.cancelled() => Err(End::Gone),
            () = kicked.cancelled() => Err(End::Gone),
            () = reached(deadline) => Err(End::Gone),
        }
    }

    /// Ends: what runs is stopped and waited for, so that no transfer outlives the session. (A large
    /// listing's helpers see its end by themselves.)
    pub(super) async fn end(mut self, end: End) {
        if let Some(running) = self.running.take() {
            running.brake.pull();
            let _ = running.work.await;
        }
        match end {
            End::Gone => return,
            End::Closed => {}
            End::Goodbye(reply) => {
                let mut bytes = Vec::new();
                reply.write_to(&mut bytes);
                let _ = self.wire.write(&bytes, Duration::from_secs(1)).await;
            }
        }
        self.wire.close().await;
    }
}
