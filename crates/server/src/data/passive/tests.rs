//! Ports that are lent and come back, on real sockets.

use super::*;
use crate::port::Kept;
use std::{
    net::{IpAddr, Ipv4Addr},
    task::{Context, Wake, Waker},
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn here() -> SocketAddr {
    SocketAddr::new(LOOPBACK, 0)
}

/// A range of ports that nobody else has while it is kept.
fn range(count: u16) -> (PortRange, Vec<Kept>) {
    let kept = Kept::row(count);
    let first = kept[0].address.port();
    let range = format!("{first}-{}", first + count - 1);
    (range.parse().unwrap(), kept)
}

#[tokio::test]
async fn ports_come_from_the_range_and_go_back() {
    let (range, _kept) = range(40);
    let ports = Arc::new(PassivePorts::default());
    let first = ports.listen(here(), range).await.unwrap();
    let second = ports.listen(here(), range).await.unwrap();
    assert!(range.ports().contains(&first.port()));
    assert_ne!(first.port(), second.port());
    assert_eq!(ports.lent(), 2);
    drop((first, second));
    assert_eq!(ports.lent(), 0);
}

#[tokio::test]
async fn ports_of_other_programs_are_passed_over() {
    let (range, _kept) = range(40);
    let first = SocketAddr::new(LOOPBACK, range.first());
    let _other = std::net::TcpListener::bind(first).unwrap();
    let ports = Arc::new(PassivePorts::default());
    let listener = ports.listen(here(), range).await.unwrap();
    assert!(listener.port() > range.first());
    assert_eq!(ports.lent(), 1);
    let address = SocketAddr::new(LOOPBACK, listener.port());
    let client = tokio::net::TcpStream::connect(address).await.unwrap();
    let accepted = listener.accept_from(LOOPBACK).await.unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
}

#[tokio::test]
async fn a_full_range_waits_for_a_port_to_come_back() {
    let ports = Arc::new(PassivePorts::default());
    let (range, _kept) = range(3);
    let mut held = Vec::new();
    while let Ok(listener) = ports.listen_now(here(), range) {
        held.push(listener);
    }
    let (waited, ()) = tokio::join!(ports.listen(here(), range), async {
        tokio::task::yield_now().await;
        held.pop();
    });
    assert!(waited.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_range_that_others_have_is_given_up_in_time() {
    let (range, _kept) = range(3);
    let _others: Vec<_> = range
        .ports()
        .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).unwrap())
        .collect();
    let ports = Arc::new(PassivePorts::default());
    let begun = Instant::now();
    let refused = ports.listen(here(), range).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    assert!(begun.elapsed() >= PATIENCE);
    assert_eq!(ports.lent(), 0);
}

#[tokio::test]
async fn a_stranger_who_comes_while_the_client_is_waited_for_gets_nothing() {
    let ports = Arc::new(PassivePorts::default());
    let (range, _kept) = range(40);
    let listener = ports.listen(here(), range).await.unwrap();
    let address = SocketAddr::new(LOOPBACK, listener.port());
    let mut accepting = std::pin::pin!(listener.accept_from(LOOPBACK));
    tokio::select! {
        biased;
        _ = &mut accepting => panic!("nobody has come"),
        () = std::future::ready(()) => {}
    }
    let stranger = tokio::net::TcpSocket::new_v4().unwrap();
    stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let _stranger = stranger.connect(address).await.unwrap();
    let client = tokio::net::TcpStream::connect(address).await.unwrap();
    let accepted = accepting.await.unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
}

#[tokio::test]
async fn a_stranger_does_not_use_the_listener_up() {
    let ports = Arc::new(PassivePorts::default());
    let (range, _kept) = range(40);
    let listener = ports.listen(here(), range).await.unwrap();
    let address = SocketAddr::new(LOOPBACK, listener.port());
    let stranger = tokio::net::TcpSocket::new_v4().unwrap();
    stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let _stranger = stranger.connect(address).await.unwrap();
    let client = tokio::net::TcpStream::connect(address).await.unwrap();
    let accepted = listener.accept_from(LOOPBACK).await.unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
}

/// Tries the port at the very moment at which it is told that one is free.
struct Eager {
    port: u16,
    tries: Mutex<Vec<bool>>,
}

impl Wake for Eager {
    fn wake(self: Arc<Self>) {
        let is_free = std::net::TcpListener::bind((LOOPBACK, self.port)).is_ok();
        self.tries.lock().unwrap().push(is_free);
    }
}

#[tokio::test]
async fn a_port_is_free_before_those_who_wait_are_told() {
    let ports = Arc::new(PassivePorts::default());
    let (range, _kept) = range(1);
    let listener = ports.listen(here(), range).await.unwrap();
    let eager = Arc::new(Eager {
        port: listener.port(),
        tries: Mutex::default(),
    });
    let waker = Waker::from(Arc::clone(&eager));
    let mut waiting = std::pin::pin!(ports.listen(here(), range));
    let asked = waiting.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(asked.is_pending());
    let client = std::net::TcpStream::connect((LOOPBACK, eager.port)).unwrap();
    let accepted = listener.accept_from(LOOPBACK).await.unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
    assert_eq!(*eager.tries.lock().unwrap(), [true]);
}

#[tokio::test]
async fn two_ports_that_come_back_at_once_wake_two() {
    let ports = Arc::new(PassivePorts::default());
    let (range, _kept) = range(2);
    let held = [(); 2].map(|()| ports.listen_now(here(), range).unwrap());
    let waiting = (ports.next_free(), ports.next_free());
    drop(held);
    let both = async { tokio::join!(waiting.0, waiting.1) };
    tokio::time::timeout(Duration::ZERO, both).await.unwrap();
}
