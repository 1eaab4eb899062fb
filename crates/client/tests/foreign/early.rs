//! A server that shakes hands on a data connection before it answers the command (RFC 4217 §7).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ftpc::{
    error::RemoteError,
    remote::{Dial as _, Remote, Start, connect::Wire},
};

use crate::{
    dialer,
    fake::peers::{self, Tls},
    noise, trusting,
};

async fn received(session: &mut dyn Remote, path: &str) -> Vec<u8> {
    let mut data = session.open_read(path, 0).await.unwrap();
    let (mut content, mut block) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        match data.receive(&mut block).await.unwrap() {
            0 => break,
            count => content.extend_from_slice(&block[..count]),
        }
    }
    data.finish().await.unwrap();
    content
}

/// In each session the first act meets the refusal, and no later one.
#[tokio::test]
async fn a_handshake_that_is_waited_for_comes_before_the_answer() {
    let Some(peer) = peers::handshake_first() else {
        return;
    };
    // With TLS 1.2: pyftpdlib is thrifty with the tickets of TLS 1.3.
    let (mut dialer, _) = trusting(dialer(&peer, peer.address.port(), Tls::On, true)).await;
    let refusals = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refusals);
    dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
        if matches!(wire, Wire::Received(line) if line.starts_with("425")) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let content = noise(3_000_000, 7);
    let file = format!("{}/f", peer.top);
    let listed = async |session: &mut dyn Remote| {
        let listing = session.list(&peer.top).await.unwrap();
        listing.entries.len()
    };
    for (sessions, lists_first) in [true, false].into_iter().enumerate() {
        let mut session = dialer.dial().await.unwrap();
        if lists_first {
            assert_eq!(listed(&mut *session).await, 0);
        }
        let mut data = session.open_write(&file, Start::New).await.unwrap();
        for part in content.chunks(100_000) {
            data.send(part).await.unwrap();
        }
        data.finish().await.unwrap();
        assert_eq!(session.size(&file).await.unwrap(), Some(3_000_000));
        let refused = session.open_read(&format!("{file}.none"), 0).await;
        assert!(
            matches!(&refused, Err(RemoteError::Refused { reply, .. }) if reply.code == 550),
            "{:?}",
            refused.err()
        );
        assert!(received(&mut *session, &file).await == content);
        assert_eq!(listed(&mut *session).await, 1);
        assert_eq!(refusals.load(Ordering::SeqCst), sessions + 1);
        // Nothing tells when the answer to a dropped one has come.
        let mut data = session.open_write(&file, Start::New).await.unwrap();
        data.send(&content[..100_000]).await.unwrap();
        drop(data);
        assert!(session.settle().await.is_err() && !session.is_usable());
        std::fs::remove_file(peer.disk.join("f")).unwrap();
    }
}
