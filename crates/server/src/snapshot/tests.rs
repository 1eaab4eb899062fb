use std::{path::Path, thread};

use super::*;

/// A server's configuration whose certificate was made here, or is somebody's own.
fn config(dir: &Path, own: bool) -> ServerConfig {
    let files = if own {
        ""
    } else {
        "cert = \"cert\"\nkey = \"key\"\n"
    };
    let text = format!("[share]\nroot = \"s\"\n[anonymous]\nenabled = true\n[tls]\n{files}");
    let config = ServerConfig::from_toml(&text, &dir.join("ftp.toml"));
    let mut config = config.unwrap_or_else(|error| panic!("{}", error.report("ftpd")));
    assert_eq!(config.tls.self_signed, own);
    (config.tls.cert, config.tls.key) = (dir.join("cert"), dir.join("key"));
    config
}

/// Made anew, it would be another that clients do not know.
#[test]
fn half_of_a_certificate_that_was_made_here_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let config = |own| config(dir.path(), own);
    ensure_pair(&config(true)).unwrap();
    for (there, missing) in [("cert", "key"), ("key", "cert")] {
        std::fs::write(at(there), "").unwrap();
        let refused = ensure_pair(&config(true));
        let is_told = |error: &tls::TlsError| matches!(error, tls::TlsError::Half { path } if *path == at(missing));
        assert!(refused.as_ref().is_err_and(is_told), "{refused:?}");
        ensure_pair(&config(false)).unwrap();
        std::fs::remove_file(at(there)).unwrap();
    }
}

/// Whoever may read the directory can hold it.
#[test]
fn a_directory_that_somebody_holds_stops_no_start_behind_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), true);
    assert!(make_first_certificate(&config).unwrap());
    let held = std::fs::File::open(dir.path()).unwrap();
    held.lock().unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    thread::spawn(move || done.send(make_first_certificate(&config).unwrap()));
    let waited = is_done.recv_timeout(std::time::Duration::from_secs(30));
    assert_eq!(waited, Ok(false));
}

#[test]
fn of_several_that_start_at_once_one_makes_the_certificate() {
    for _ in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path(), true);
        let first = || make_first_certificate(&config).unwrap();
        let made = thread::scope(|scope| {
            let all = [0; 4].map(|_| scope.spawn(first));
            all.map(|one| one.join().unwrap())
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        tls::load(&config.tls.cert, &config.tls.key).unwrap();
    }
}
