//! One session: names in another encoding, a certificate that changed, transfers that are dropped.

use std::{
    fs,
    os::unix::ffi::OsStringExt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ftpc::{
    error::RemoteError,
    remote::{Dial, Remote, Start, connect::Wire},
    trust::{Fingerprint, MemoryTrust},
};

use crate::{
    dialer,
    fake::peers::{self, Peer, Tls},
    noise, trusting,
};

#[tokio::test]
async fn gbk_names_round_trip_with_servers_that_pass_bytes() {
    for (name, peer) in [
        ("vsftpd", peers::vsftpd(Tls::Off)),
        ("pure", peers::pure_ftpd(Tls::Off)),
    ] {
        let Some(peer) = peer else { return };
        let gbk = std::ffi::OsString::from_vec(b"\xB2\xE2\xCA\xD4.txt".to_vec());
        fs::write(peer.disk.join(&gbk), b"content").unwrap();
        let mut dialer = dialer(&peer, peer.address.port(), Tls::Off, false);
        for (encoding, wanted) in [
            (None, "\u{10ffb2}\u{10ffe2}\u{10ffca}\u{10ffd4}.txt"),
            (Some("gbk"), "测试.txt"),
        ] {
            dialer.encoding = encoding.map(|label| label.parse().unwrap());
            let mut session = dialer.dial().await.unwrap();
            let listing = session.list(&peer.top).await.unwrap();
            let entry = &listing.entries[0];
            assert_eq!(entry.name.as_str(), wanted, "{name}");
            let path = entry.name.within(&peer.top);
            assert_eq!(session.size(&path).await.unwrap(), Some(7), "{name}");
        }
        dialer.encoding = Some("gbk".parse().unwrap());
        let mut session = dialer.dial().await.unwrap();
        session
            .rename(
                &format!("{}/测试.txt", peer.top),
                &format!("{}/文件.txt", peer.top),
            )
            .await
            .unwrap();
        let renamed = std::ffi::OsString::from_vec(b"\xCE\xC4\xBC\xFE.txt".to_vec());
        assert!(peer.disk.join(renamed).exists(), "{name}");
        // What one session was told in UTF-8 another one asks for so.
        fs::write(peer.disk.join("试.txt"), b"utf-8").unwrap();
        session.list(&peer.top).await.unwrap();
        let mut another = dialer.dial().await.unwrap();
        let path = format!("{}/试.txt", peer.top);
        assert_eq!(another.size(&path).await.unwrap(), Some(5), "{name}");
    }
}

/// TLS 1.2 is wanted of a server that is thrifty with tickets; this one is, and has none.
#[tokio::test]
async fn a_server_of_tls_13_alone_takes_one_upload_behind_the_other() {
    let Some(peer) = peers::proftpd(Tls::Only13) else {
        return;
    };
    let dialer = dialer(&peer, peer.address.port(), Tls::Only13, true);
    let (dialer, mut session) = trusting(dialer).await;
    let file = format!("{}/f", peer.top);
    let (mut stored, mut dials) = (0, 1);
    while stored < 6 && dials < 6 {
        let mut data = match session.open_write(&file, Start::New).await {
            Ok(data) => data,
            Err(RemoteError::SessionReuse { .. }) => {
                session = dialer.dial().await.unwrap();
                dials += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        data.send(b"x").await.unwrap();
        data.finish().await.unwrap();
        stored += 1;
    }
    assert_eq!(stored, 6);
}

#[tokio::test]
async fn another_certificate_than_the_pin_is_refused_before_the_login() {
    let Some(peer) = peers::pyftpdlib(Tls::On) else {
        return;
    };
    let mut dialer = dialer(&peer, peer.address.port(), Tls::On, false);
    let trust = Arc::new(MemoryTrust::default());
    let other = Fingerprint::of_certificate(b"another");
    trust.pin(&dialer.endpoint(), other);
    dialer.trust = trust;
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    dialer.trace = Some(Arc::new(move |wire: Wire<'_>| {
        if matches!(wire, Wire::Sent(line) if line.starts_with("USER")) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let Err(error) = dialer.dial().await else {
        panic!("trusted")
    };
    let RemoteError::CertificateChanged { old, new, .. } = error else {
        panic!("{error}")
    };
    assert!(old == other && new != other);
    assert_eq!(sent.load(Ordering::SeqCst), 0);
}

/// A transfer dropped at any point leaves the session in step, both ways, and the server takes no
/// part for a whole file's end.
async fn dropped_transfers_stay_in_step(name: &str, peer: Option<Peer>, tls: Tls) {
    let Some(peer) = peer else { return };
    fs::write(peer.disk.join("large"), noise(9_000_000, 5)).unwrap();
    fs::write(peer.disk.join("small"), b"12345").unwrap();
    for name in ["large", "small"] {
        std::os::unix::fs::chown(peer.disk.join(name), Some(1), Some(1)).unwrap();
    }
    let dial = async || {
        trusting(dialer(&peer, peer.address.port(), tls, false))
            .await
            .1
    };
    let mut session = dial().await;
    let at = |name: &str| format!("{}/{name}", peer.top);
    for file in ["large", "small"] {
        let mut data = session.open_read(&at(file), 0).await.unwrap();
        tokio::task::spawn_blocking(move || data.read(&mut [0; 1000]).unwrap())
            .await
            .unwrap();
        // Pure-FTPd over TLS sometimes answers neither the reset nor any command behind it.
        let may_fall_silent = name == "pure_ftpd(Tls::On)" && file == "large";
        if !settles(&mut *session, may_fall_silent, name).await {
            session = dial().await;
        }
        assert_eq!(
            session.size(&at("small")).await.unwrap(),
            Some(5),
            "{name} {file}"
        );
    }
    for count in [10, 3_000_000] {
        let mut data = session.open_write(&at("up"), Start::New).await.unwrap();
        tokio::task::spawn_blocking(move || data.write_all(&vec![1; count]).unwrap())
            .await
            .unwrap();
        // So does pyftpdlib, after an upload.
        if !settles(&mut *session, name.starts_with("pyftpdlib"), name).await {
            session = dial().await;
        }
        assert_eq!(
            session.size(&at("small")).await.unwrap(),
            Some(5),
            "{count}"
        );
    }
}

/// Settles a session, or sees that one whose server fell silent is not used again.
async fn settles(session: &mut dyn Remote, may_fall_silent: bool, name: &str) -> bool {
    let settled = session.settle().await;
    assert!(settled.is_ok() || may_fall_silent, "{name}: {settled:?}");
    assert_eq!(session.is_usable(), settled.is_ok(), "{name}");
    settled.is_ok()
}

#[tokio::test]
async fn dropped_transfers_stay_in_step_with_all() {
    dropped_transfers_stay_in_step("vsftpd(Tls::Off)", peers::vsftpd(Tls::Off), Tls::Off).await;
    dropped_transfers_stay_in_step("vsftpd(Tls::On)", peers::vsftpd(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("proftpd(Tls::Off)", peers::proftpd(Tls::Off), Tls::Off).await;
    dropped_transfers_stay_in_step("proftpd(Tls::On)", peers::proftpd(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("pyftpdlib(Tls::Off)", peers::pyftpdlib(Tls::Off), Tls::Off)
        .await;
    dropped_transfers_stay_in_step("pyftpdlib(Tls::On)", peers::pyftpdlib(Tls::On), Tls::On).await;
    dropped_transfers_stay_in_step("pure_ftpd(Tls::Off)", peers::pure_ftpd(Tls::Off), Tls::Off)
        .await;
    dropped_transfers_stay_in_step("pure_ftpd(Tls::On)", peers::pure_ftpd(Tls::On), Tls::On).await;
}
