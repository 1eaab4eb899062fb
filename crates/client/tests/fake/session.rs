//! One control connection of the server, on its own thread: what it heard, and what a test makes it say.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Fake, Files, Hook};

/// One control connection, on its own thread.
pub(crate) struct Session {
    pub(crate) control: BufReader<TcpStream>,
    pub(crate) files: Files,
    pub(crate) rest: usize,
    pub(crate) logged_in: bool,
    /// How many sessions were open when this one came, itself included.
    pub(crate) open: Arc<AtomicUsize>,
    counts: bool,
    data: Option<TcpListener>,
    pub(crate) from: Option<String>,
    pub(super) feat: Vec<&'static str>,
    greeting: Vec<u8>,
    places: usize,
    hook: Hook,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Session {
    pub(super) fn new(
        fake: &Fake,
        socket: TcpStream,
        lines: &Arc<Mutex<Vec<String>>>,
        open: &Arc<AtomicUsize>,
    ) -> Self {
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        open.fetch_add(1, Ordering::SeqCst);
        Self {
            control: BufReader::new(socket),
            files: Arc::clone(&fake.files),
            rest: 0,
            logged_in: false,
            open: Arc::clone(open),
            counts: true,
            data: None,
            from: None,
            feat: fake.feat.clone(),
            greeting: fake.greeting.clone(),
            places: fake.places,
            hook: Arc::clone(&fake.hook),
            lines: Arc::clone(lines),
        }
    }

    pub(super) fn run(mut self) {
        if self.open.load(Ordering::SeqCst) > self.places {
            return self.wait();
        }
        let greeting = self.greeting.clone();
        self.raw(&greeting);
        while let Some(line) = self.read() {
            self.lines.lock().unwrap().push(line.clone());
            let hook = Arc::clone(&self.hook);
            if !hook(&mut self, &line) && !self.answer(&line) {
                return;
            }
        }
    }

    fn read(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.control.read_until(b'\n', &mut line) {
            Ok(count) if count > 0 => Some(
                String::from_utf8_lossy(&line)
                    .trim_end_matches(['\r', '\n'])
                    .to_owned(),
            ),
            _ => None,
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.control.get_mut().write_all(bytes);
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.raw(format!("{line}\r\n").as_bytes());
    }

    /// Answers with a listing or a file of these bytes.
    pub(crate) fn sends(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.say("150 here it comes");
        let sent = self.data().write_all(bytes.as_ref());
        self.say(if sent.is_ok() { "226 done" } else { "426 gone" });
        true
    }

    /// Closes the control connection.
    pub(crate) fn hang_up(&mut self) {
        self.leave();
        let _ = self.control.get_mut().shutdown(std::net::Shutdown::Both);
    }

    /// Is not counted as open any more, so that whoever is told to come again finds the place free.
    pub(crate) fn leave(&mut self) {
        if std::mem::take(&mut self.counts) {
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Waits for the client to close or say more.
    pub(crate) fn wait(&mut self) {
        let _ = self.control.fill_buf();
    }

    /// Accepts the data connection.
    pub(crate) fn data(&mut self) -> TcpStream {
        let listener = self.data.take().expect("a passive command came first");
        let (socket, _) = listener.accept().unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        socket
    }

    pub(crate) fn listen(&mut self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        self.data = Some(listener);
        port
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leave();
    }
}
