//! A proxy before a real server: it hands passive ports on through itself and cuts what goes over
//! them after a number of bytes, control connection included.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// How many bytes each data connection in turn may carry before everything is cut; then no limit.
pub(crate) type Cuts = Arc<Mutex<Vec<u64>>>;

/// Where a proxy that waits for its test before it cuts stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Cuts at once.
    Never,
    /// Lets everything pass up to the cut, then nothing.
    Armed,
    /// The cut is reached: both sides have what they will get and hear nothing.
    Reached,
    /// Cuts, and turns newcomers away until the test opens it again.
    Shut,
}

/// The state with its bell.
type Held = Arc<(Mutex<Hold>, Condvar)>;

/// A running proxy; dropping it stops it.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    held: Held,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts before `server`. Data connections that carry under 1,000 bytes (listings) do not use
    /// a cut up.
    pub(crate) fn start(server: SocketAddr, cuts: Vec<u64>) -> Self {
        Self::start_as(server, cuts, Hold::Never)
    }

    /// Starts before `server`; stops the first transfer at `cut` bytes and waits for [`Self::shut`].
    pub(crate) fn hold(server: SocketAddr, cut: u64) -> Self {
        Self::start_as(server, vec![cut], Hold::Armed)
    }

    /// Tells whether the cut is reached.
    pub(crate) fn is_reached(&self) -> bool {
        *self.held.0.lock().unwrap() == Hold::Reached
    }

    /// Cuts, and turns newcomers away.
    pub(crate) fn shut(&self) {
        *self.held.0.lock().unwrap() = Hold::Shut;
        self.held.1.notify_all();
    }

    /// Lets everything pass from now on.
    pub(crate) fn open(&self) {
        *self.held.0.lock().unwrap() = Hold::Never;
    }

    fn start_as(server: SocketAddr, cuts: Vec<u64>, hold: Hold) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cuts: Cuts = Arc::new(Mutex::new(cuts));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let held: Held = Arc::new((Mutex::new(hold), Condvar::new()));
        let holding = Arc::clone(&held);
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (client, cuts, held) =
                    (client.unwrap(), Arc::clone(&cuts), Arc::clone(&holding));
                if *held.0.lock().unwrap() == Hold::Shut {
                    continue;
                }
                thread::spawn(move || control(server, &client, &cuts, &held));
            }
        });
        Self {
            address,
            held,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shut();
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn close(socket: &TcpStream) {
    let _ = socket.shutdown(Shutdown::Both);
}

fn control(server: SocketAddr, client: &TcpStream, cuts: &Cuts, held: &Held) {
    let Ok(upstream) = TcpStream::connect(server) else {
        return close(client);
    };
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    let up = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        close(&to_server);
    });
    let mut replies = BufReader::new(upstream.try_clone().unwrap());
    let mut out = client.try_clone().unwrap();
    let mut line = Vec::new();
    while replies
        .read_until(b'\n', &mut line)
        .is_ok_and(|count| count > 0)
    {
        if line.starts_with(b"229 ") {
            let text = String::from_utf8_lossy(&line);
            let port = text.split('|').nth(3).unwrap().parse().unwrap();
            let data = SocketAddr::new(server.ip(), port);
            let port = data_proxy(
                data,
                [client.try_clone().unwrap(), upstream.try_clone().unwrap()],
                cuts,
                held,
            );
            line = format!("229 ok (|||{port}|)\r\n").into_bytes();
        }
        if out.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    close(client);
    close(&upstream);
    let _ = up.join();
}

fn data_proxy(server: SocketAddr, controls: [TcpStream; 2], cuts: &Cuts, held: &Held) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (cuts, held) = (Arc::clone(cuts), Arc::clone(held));
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let Ok(upstream) = TcpStream::connect(server) else {
            return close(&client);
        };
        let budget = cuts.lock().unwrap().first().copied();
        let controls = Arc::new(controls);
        let cut = Arc::new(AtomicBool::new(false));
        let pumps = [(&client, &upstream), (&upstream, &client)].map(|(from, to)| {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let (controls, cut) = (Arc::clone(&controls), Arc::clone(&cut));
            let held = Arc::clone(&held);
            thread::spawn(move || pump(from, to, budget, &controls, &cut, &held))
        });
        for pump in pumps {
            let _ = pump.join();
        }
        if cut.load(Ordering::SeqCst) {
            cuts.lock().unwrap().remove(0);
        }
    });
    port
}

/// A proxy that holds says that it is there and waits until it may cut.
fn wait_for_the_test(held: &Held) {
    let mut hold = held.0.lock().unwrap();
    if *hold == Hold::Armed {
        *hold = Hold::Reached;
    }
    while *hold == Hold::Reached {
        hold = held.1.wait(hold).unwrap();
    }
}

/// Moves bytes; at the end of the budget everything is reset.
fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    budget: Option<u64>,
    controls: &[TcpStream; 2],
    cut: &AtomicBool,
    held: &Held,
) {
    let mut left = budget;
    let mut block = [0; 8192];
    while let Ok(count) = from.read(&mut block) {
        if count == 0 {
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
        let count64 = count as u64;
        if left.is_some_and(|left| count64 >= left) {
            let part = usize::try_from(left.unwrap_or_default()).unwrap();
            let _ = to.write_all(&block[..part]);
            wait_for_the_test(held);
            cut.store(true, Ordering::SeqCst);
            controls.iter().for_each(close);
            for socket in [&from, &to] {
                let _ = socket2::SockRef::from(socket).set_linger(Some(std::time::Duration::ZERO));
                close(socket);
            }
            return;
        }
        left = left.map(|left| left - count64);
        if to.write_all(&block[..count]).is_err() {
            close(&from);
            return;
        }
    }
}
