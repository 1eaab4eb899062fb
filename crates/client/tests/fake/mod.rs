//! A small FTP server on threads, loopback only, whose every answer a test may take over.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod peers;
#[path = "../../../../tests/harness/port.rs"]
#[allow(dead_code, unreachable_pub, reason = "the harness exports it")]
pub(crate) mod port;
pub(crate) mod proxy;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
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
use sha2::{Digest, Sha256};

/// Path to content; a directory ends with `/`.
pub(crate) type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

type Hook = Arc<dyn Fn(&mut Session, &str) -> bool + Send + Sync>;

/// What a server is made of.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) files: Files,
    pub(crate) feat: Vec<&'static str>,
    pub(crate) greeting: Vec<u8>,
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
    from: Option<String>,
    feat: Vec<&'static str>,
    greeting: Vec<u8>,
    hook: Hook,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Session {
    fn new(
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
            hook: Arc::clone(&fake.hook),
            lines: Arc::clone(lines),
        }
    }

    fn run(mut self) {
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

    /// Answers like an honest server; `false`: goodbye.
    pub(crate) fn answer(&mut self, line: &str) -> bool {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let rest = std::mem::take(&mut self.rest);
        match verb {
            "USER" => self.say("331 password"),
            "PASS" => {
                self.logged_in = true;
                self.say("230 in");
            }
            "FEAT" => self.features(),
            "PWD" => self.say("257 \"/\" is here"),
            "EPSV" => {
                let port = self.listen();
                self.say(&format!("229 ok (|||{port}|)"));
            }
            "PASV" => {
                let port = self.listen();
                self.say(&format!("227 ok (127,0,0,1,{},{})", port >> 8, port & 255));
            }
            "REST" => {
                self.rest = path.parse().unwrap();
                self.say("350 ok");
            }
            "SIZE" => match self.content(path) {
                Some(content) => self.say(&format!("213 {}", content.len())),
                None => self.say("550 none"),
            },
            "MDTM" | "MLST" => self.tell(verb, path),
            "RETR" => self.retrieve(path, rest),
            "STOR" => self.store(path, rest),
            "APPE" => {
                let end = self.content(path).map_or(0, |content| content.len());
                self.store(path, end);
            }
            "MLSD" => self.list(path),
            "HASH" => self.hash(path),
            "DELE" | "RMD" | "MKD" | "RNFR" | "RNTO" => self.change(verb, path),
            "QUIT" => {
                self.say("221 bye");
                return false;
            }
            _ => self.say("200 ok"),
        }
        true
    }

    fn features(&mut self) {
        let lines: String = self
            .feat
            .iter()
            .map(|line| format!(" {line}\r\n"))
            .collect();
        self.raw(format!("211-Features\r\n{lines}211 End\r\n").as_bytes());
    }

    pub(crate) fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(path).cloned()
    }

    fn tell(&mut self, verb: &str, path: &str) {
        let dir = format!("{}/", path.trim_end_matches('/'));
        let is_dir = self
            .files
            .lock()
            .unwrap()
            .keys()
            .any(|name| name.starts_with(&dir));
        match (verb, self.content(path), is_dir) {
            ("MDTM", Some(_), _) => self.say("213 20240102030405"),
            ("MLST", Some(content), _) => {
                let size = content.len();
                self.say(&format!(
                    "250-x\r\n type=file;size={size};modify=20240102030405; {path}\r\n250 End"
                ));
            }
            ("MLST", None, true) => self.say(&format!("250-x\r\n type=dir; {path}\r\n250 End")),
            _ => self.say("550 none"),
        }
    }

    pub(crate) fn retrieve(&mut self, path: &str, rest: usize) {
        let Some(content) = self.content(path) else {
            self.say("550 none");
            return;
        };
        self.say("150 here it comes");
        let mut data = self.data();
        let sent = data.write_all(content.get(rest..).unwrap_or_default());
        drop(data);
        self.say(if sent.is_ok() { "226 done" } else { "426 gone" });
    }

    pub(crate) fn store(&mut self, path: &str, rest: usize) {
        self.say("150 send it");
        let mut data = self.data();
        let mut bytes = Vec::new();
        let came = data.read_to_end(&mut bytes);
        drop(data);
        let mut files = self.files.lock().unwrap();
        let content = files.entry(path.to_owned()).or_default();
        content.truncate(rest);
        content.extend(bytes);
        drop(files);
        self.say(if came.is_ok() {
            "226 stored"
        } else {
            "426 broken"
        });
    }

    fn list(&mut self, path: &str) {
        let top = format!("{}/", path.trim_end_matches('/'));
        let mut lines = BTreeMap::new();
        for (name, content) in self.files.lock().unwrap().iter() {
            let Some(below) = name.strip_prefix(&top).filter(|below| !below.is_empty()) else {
                continue;
            };
            let line = match below.split_once('/') {
                Some((dir, _)) => (dir.to_owned(), "type=dir;".to_owned()),
                None => (
                    below.to_owned(),
                    format!("type=file;size={};modify=20240102030405;", content.len()),
                ),
            };
            lines.insert(line.0, line.1);
        }
        self.say("150 listing");
        let mut data = self.data();
        for (name, facts) in lines {
            let _ = data.write_all(format!("{facts} {name}\r\n").as_bytes());
        }
        drop(data);
        self.say("226 done");
    }

    fn hash(&mut self, path: &str) {
        match self.content(path) {
            Some(content) => {
                let digest: String = Sha256::digest(&content)
                    .iter()
                    .map(|byte| format!("{byte:02X}"))
                    .collect();
                self.say(&format!("213 SHA-256 0-{} {digest} {path}", content.len()));
            }
            None => self.say("550 none"),
        }
    }

    fn change(&mut self, verb: &str, path: &str) {
        let mut files = self.files.lock().unwrap();
        let done = match verb {
            "DELE" => files.remove(path).is_some(),
            "RMD" => files.remove(&format!("{path}/")).is_some(),
            "MKD" => files.insert(format!("{path}/"), Vec::new()).is_none(),
            "RNFR" => {
                self.from = Some(path.to_owned());
                files.contains_key(path)
            }
            _ => match self.from.take().and_then(|from| files.remove(&from)) {
                Some(content) => {
                    files.insert(path.to_owned(), content);
                    true
                }
                None => false,
            },
        };
        drop(files);
        match (done, verb) {
            (false, _) => self.say("550 no"),
            (true, "RNFR") => self.say("350 to?"),
            (true, "MKD") => self.say("257 made"),
            (true, _) => self.say("250 done"),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leave();
    }
}
