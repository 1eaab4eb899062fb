//! TLS data connections that end without close_notify (RFC 8446 §6.1).

use std::fs;

use ftp_config::{ByteRate, client::Verify};

use ftpc::{
    error::{Error, RemoteError},
    event::Events,
    plan::{Plan, Step},
    remote::Lack,
    transfer::{
        Backoff, Cancel, Engine, Options,
        stream::{Terms, fetch_into},
    },
};

use crate::{
    dialer,
    fake::peers::{self, Tls},
    noise, trusting,
};

/// Nothing proves the end of a listing: what it holds is shown, and nobody takes it for all there is.
#[tokio::test]
async fn a_listing_without_close_notify_may_lack_names() {
    let Some(peer) = peers::without_close_notify() else {
        return;
    };
    fs::write(peer.disk.join("a"), "a").unwrap();
    fs::create_dir(peer.disk.join("empty")).unwrap();
    let (_dialer, mut session) = trusting(dialer(&peer, peer.address.port(), Tls::On, false)).await;
    for (dir, names) in [("", vec!["a", "empty"]), ("/empty", vec![])] {
        let listing = session.list(&format!("{}{dir}", peer.top)).await.unwrap();
        let listed: Vec<_> = listing.entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!((listed, listing.lack), (names, Some(Lack::Unended)));
    }
}

/// The size that the control connection told proves the end, so one byte less is none.
#[tokio::test]
async fn an_end_without_close_notify_is_one_where_all_is_here() {
    let Some(peer) = peers::without_close_notify() else {
        return;
    };
    let (large, small) = (noise(3_000_000, 1), noise(3000, 2));
    fs::write(peer.disk.join("large"), &large).unwrap();
    fs::write(peer.disk.join("small"), &small).unwrap();
    let (dialer, mut session) = trusting(dialer(&peer, peer.address.port(), Tls::On, false)).await;
    let options = Options {
        backoff: Backoff {
            attempts: 1,
            ..Backoff::default()
        },
        ..Options::default()
    };
    let temp = tempfile::tempdir().unwrap();
    let fetch = |name: &str, to: &str, size: Option<u64>| Step::Fetch {
        remote: format!("{}/{name}", peer.top),
        local: to.into(),
        size,
        modified: None,
        seen: None,
    };
    let mut plan = Plan::new(temp.path());
    plan.steps = vec![
        fetch("large", "large", None),
        fetch("small", "small", None),
        fetch("large", "cut", Some(3_000_001)),
        fetch("small", "cut too", Some(3001)),
    ];
    let cancel = Cancel::default();
    let engine = Engine::new(
        std::sync::Arc::new(dialer),
        options,
        Events::silent(),
        cancel,
    );
    let summary = engine.run(plan).await;
    engine.close().await;
    assert_eq!((summary.files, summary.failed.len()), (2, 2));
    // So it is with what goes to standard output.
    let (path, sink) = (format!("{}/large", peer.top), std::io::sink());
    let terms = Terms::new(Cancel::default(), ByteRate(0), Verify::Auto);
    let got = fetch_into(&mut *session, &path, sink, &terms).await;
    assert_eq!(got.unwrap(), 3_000_000);
    for failed in &summary.failed {
        assert!(
            matches!(&failed.error, Error::Remote(RemoteError::Io { .. })),
            "{}",
            failed.error.chain()
        );
    }
    assert_eq!(fs::read(temp.path().join("large")).unwrap(), large);
    assert_eq!(fs::read(temp.path().join("small")).unwrap(), small);
    assert!(!temp.path().join("cut").exists() && !temp.path().join("cut too").exists());
}
