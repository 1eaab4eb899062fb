//! The rest of an upload that was refused in the middle: it is read, and goes nowhere.
//!
//! A connection that is closed with bytes unread is reset, and a client that still sends then tells of the reset in
//! place of the reply (curl, ncftp, ftplib). So the reply is said at once, and `session` keeps a [`Drain`] behind it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{BLOCK, Conduit};
use crate::{
    data::{Brake, meter::Meter},
    hands,
    share::throttle::Throttle,
};

/// How long a client that has had its reply may go on sending.
const LIMIT: Duration = Duration::from_secs(5);

/// A data connection that is read to its end on a thread, for 5 s at most. Dropped, it closes the connection.
#[derive(Debug)]
pub struct Drain(Arc<Brake>);

impl Drain {
    /// Begins to read, no faster than the limits let an upload come. Where there is no thread, the connection closes.
    #[must_use]
    pub fn begin(conduit: Conduit, throttle: Throttle) -> Self {
        let brake = Arc::new(Brake::default());
        brake.watch(&conduit.socket);
        let meter = Meter {
            brake: Arc::clone(&brake),
            moving: None,
            throttle,
        };
        let held = Arc::clone(&brake);
        tokio::spawn(async move {
            hands::on_thread(move || conduit.drain(&meter, LIMIT)).await;
            held.release();
        });
        Self(brake)
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.0.pull();
    }
}

impl Conduit {
    /// Reads to the client's end of file, which is answered (over TLS its close_notify is waited for), or for so long.
    fn drain(mut self, meter: &Meter, limit: Duration) {
        let end = Instant::now() + limit;
        let mut block = vec![0; meter.block_bytes(BLOCK)];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.socket.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match self.receive(&mut block) {
                Ok(0) => break,
                Ok(read) if meter.pay(read as u64).is_ok() => {}
                _ => return,
            }
        }
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    fn pair() -> (TcpStream, Conduit) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        let conduit = Conduit::new(server, None, Duration::ZERO, &Brake::default());
        (client, conduit.unwrap())
    }

    fn meter() -> Meter {
        Meter {
            brake: Arc::default(),
            moving: None,
            throttle: Throttle::default(),
        }
    }

    #[tokio::test]
    async fn what_still_comes_is_read_and_its_end_is_answered() {
        let (mut client, conduit) = pair();
        let _drain = Drain::begin(conduit, Throttle::default());
        let sent = tokio::task::spawn_blocking(move || {
            client.write_all(&vec![7; 8 << 20]).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            client.read(&mut [0; 8]).unwrap()
        });
        assert_eq!(sent.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_drops_it_closes_the_connection() {
        let (mut client, conduit) = pair();
        drop(Drain::begin(conduit, Throttle::default()));
        let end = tokio::task::spawn_blocking(move || client.read(&mut [0; 8]));
        assert_eq!(end.await.unwrap().unwrap(), 0);
    }

    #[test]
    fn a_client_that_goes_on_for_ever_is_not_read_for_ever() {
        let (mut client, conduit) = pair();
        let sender = std::thread::spawn(move || while client.write_all(b"more").is_ok() {});
        conduit.drain(&meter(), Duration::from_millis(20));
        sender.join().unwrap();
        let (_silent, conduit) = pair();
        conduit.drain(&meter(), Duration::from_millis(20));
    }
}
