//! Lines of the control connection: whose turn it is, and what is done with it.

use std::collections::VecDeque;

use tracing::debug;

use super::{
    Answer, MOST_HELD, Talk,
    end::End,
    urgency::{Urgency, urgency},
};
use crate::{
    code,
    protocol::{Reply, command, line::Line},
    verbs,
};

/// Unusable lines that end a session.
const MOST_BAD_LINES: u32 = 5;

impl Talk {
    /// Returns the next line whose turn it is. While something runs, these are the urgent ones
    /// only, and only as long as nothing waits before them: replies come in the order of the lines.
    pub(super) fn next_line(&mut self) -> Option<Line> {
        if self.running.is_none() {
            let line = self.held.pop_front();
            if self.held.is_empty() {
                self.held = VecDeque::new();
            }
            return line.or_else(|| self.lines.next_line());
        }
        self.hold_lines(MOST_HELD)
    }

    /// Puts lines by, up to so many, while something runs.
    pub(super) fn hold_lines(&mut self, most: usize) -> Option<Line> {
        while self.held.len() < most {
            let line = self.lines.next_line()?;
            match urgency(&line) {
                Urgency::Now if self.held.is_empty() => return Some(line),
                Urgency::Abort => {
                    self.abort();
                    self.held.push_back(line);
                }
                Urgency::Last => {
                    self.is_leaving = true;
                    self.held.push_back(line);
                }
                Urgency::Now | Urgency::None => self.held.push_back(line),
            }
        }
        None
    }

    fn abort(&mut self) {
        if let Some(running) = &self.running {
            running.brake.pull();
            self.session.aborted = true;
        }
    }

    pub(super) async fn take(&mut self, line: Line) -> Result<(), End> {
        if self.running.is_none() {
            self.put_off_deadline();
        }
        let bytes = match line {
            Line::Text(bytes) => bytes,
            Line::TooLong => return self.bad_line("Line too long").await,
            Line::Nul => return self.bad_line("A line cannot hold a NUL").await,
        };
        let answer = self.answer(&bytes).await;
        if self.running.is_none() {
            // A login ends the login's limit, and a slow command is not the client's silence.
            self.put_off_deadline();
        }
        self.carry_out(answer).await
    }

    async fn bad_line(&mut self, why: &'static str) -> Result<(), End> {
        self.bad_lines += 1;
        if self.bad_lines >= MOST_BAD_LINES {
            return Err(End::goodbye("Too many lines that are not FTP; goodbye"));
        }
        self.say(&Reply::new(code::UNKNOWN, why)).await
    }

    async fn answer(&mut self, line: &[u8]) -> Answer {
        let (verb, _) = command::split(line);
        let parsed = command::parse(line);
        if let Some(running) = &self.running {
            return verbs::help::while_running(&self.session, running, &verb).into();
        }
        debug!(verb = %crate::log::shown(&verb), "command");
        self.session.seat.command(verbs::shown_verb(&verb));
        // Boxed: the largest verb's state is not carried by sessions that wait.
        Box::pin(verbs::obey(&mut self.session, &verb, parsed)).await
    }
}
