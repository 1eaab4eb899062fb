//! A small FTP server on threads, loopback only, whose every answer a test may take over.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]
#![allow(dead_code, reason = "each test binary uses its own part")]

mod honest;
pub(crate) mod peers;
#[path = "../../../../tests/harness/port.rs"]
#[allow(dead_code, unreachable_pub, reason = "the harness exports it")]
pub(crate) mod port;
pub(crate) mod proxy;
mod session;

pub(crate) use session::Session;

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ftp_config::Secret;
use ftpc::remote::connect::{Deadlines, Dialer};

/// Path to content; a directory ends with `/`.
pub(crate) type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

type Hook = Arc<dyn Fn(&mut Session, &str) -> bool + Send + Sync>;

/// What a server is made of.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) files: Files,
    pub(crate) feat: Vec<&'static str>,
    pub(crate) greeting: Vec<u8>,
    /// Connections beyond so many hear nothing.
    pub(crate) places: usize,
    /// Sees each line first; `true`: handled.
    pub(crate) hook: Hook,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            files: Files::default(),
            feat: vec![
                "MLST type*;size*;modify*;",
                "REST STREAM",
                "SIZE",
                "MDTM",
                "MFMT",
                "UTF8",
            ],
            greeting: b"220 ready\r\n".to_vec(),
            places: usize::MAX,
            hook: Arc::new(|_, _| false),
        }
    }
}

/// A running server; dropping it stops it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) files: Files,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    pub(crate) open: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    pub(crate) fn hook(
        mut self,
        hook: impl Fn(&mut Session, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.hook = Arc::new(hook);
        self
    }

    /// Answers this line, or every line of this verb, by `reply`.
    pub(crate) fn answers(self, asked: &'static str, reply: &'static str) -> Self {
        self.hook(move |session, line| {
            (line == asked || line.split(' ').next() == Some(asked)) && {
                session.say(reply);
                true
            }
        })
    }

    pub(crate) fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), content.into());
        self
    }

    pub(crate) fn greeting(mut self, greeting: &[u8]) -> Self {
        self.greeting = greeting.to_vec();
        self
    }

    pub(crate) fn feat(mut self, feat: &[&'static str]) -> Self {
        self.feat = feat.to_vec();
        self
    }

    pub(crate) fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = Running {
            address,
            files: Arc::clone(&self.files),
            lines: Arc::default(),
            open: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let (lines, open, stop) = (
            Arc::clone(&running.lines),
            Arc::clone(&running.open),
            Arc::clone(&running.stop),
        );
        let thread = thread::spawn(move || {
            for socket in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let session = Session::new(&self, socket.unwrap(), &lines, &open);
                thread::spawn(move || session.run());
            }
        });
        running.thread = Some(thread);
        running
    }
}

impl Running {
    /// A dialer with one limit short enough for a test that waits for it; a busy machine must not
    /// reach the others.
    pub(crate) fn impatient(&self, limit: impl Fn(&mut Deadlines) -> &mut Duration) -> Dialer {
        let mut dialer = self.dialer();
        *limit(&mut dialer.deadlines) = Duration::from_secs(1);
        dialer
    }

    pub(crate) fn dialer(&self) -> Dialer {
        let mut dialer = Dialer::new(
            "127.0.0.1",
            self.address.port(),
            "ann",
            Secret::new("hunter2"),
        );
        dialer.tls = ftp_config::SiteTls::Off;
        dialer
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, verb: &str) -> usize {
        self.lines()
            .iter()
            .filter(|line| line.split(' ').next() == Some(verb))
            .count()
    }

    pub(crate) fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(path).cloned()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
