//! What is kept of a download that was cut, and when another run goes on with it.

use std::{fs, io::Write, path::Path, sync::Arc};

use ftpc::{
    event::{Event, Events},
    transfer::{Backoff, Cancel, Engine, Options},
};

use crate::{
    cut_after,
    fake::{Fake, Running},
    fetching, leftovers, noise, only_error, options, run, run_with,
};

#[tokio::test]
async fn another_run_goes_on_with_a_kept_part_and_not_with_another_file() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(400_000);
    let fake = Fake::default().file("/a", content.clone());
    let server = fake
        .clone()
        .hook(|session, line| {
            line == "RETR /a" && {
                cut_after(session, "/a", 0, 300_000);
                true
            }
        })
        .start();
    let once = Options {
        backoff: Backoff {
            attempts: 1,
            ..Backoff::default()
        },
        ..options()
    };
    let (summary, _) = run_with(&server, once, fetching(temp.path(), "/a")).await;
    assert!(only_error(&summary).is_transient());
    assert_eq!(
        leftovers(temp.path()),
        [".a.ftpc-part", ".a.ftpc-part.json"]
    );
    drop(server);

    // The same bytes on another port are another server: from the beginning.
    let server = fake.start();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 0);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

/// Leaves the first 200,000 of 300,000 bytes of `/a` as an earlier run would, but for the byte at `odd`.
fn keep_odd_part(local: &Path, server: &Running, content: &[u8], odd: usize) {
    let endpoint = format!("127.0.0.1:{}", server.address.port());
    let mut part = content[..200_000].to_vec();
    part[odd] ^= 1;
    fs::write(local.join(".a.ftpc-part"), part).unwrap();
    let note =
        format!(r#"{{"endpoint":"{endpoint}","path":"/a","size":300000,"modified":1704164645}}"#);
    fs::write(local.join(".a.ftpc-part.json"), note).unwrap();
}

#[tokio::test]
async fn a_part_whose_end_differs_is_thrown_away() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let server = Fake::default().file("/a", content.clone()).start();
    keep_odd_part(temp.path(), &server, &content, 199_000);
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(server.count("REST"), 1);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
}

/// What is kept is equal where it is compared, and another file before that.
#[tokio::test]
async fn a_part_whose_hash_differs_is_thrown_away_and_the_file_fetched_anew() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(300_000);
    let server = Fake::default()
        .file("/a", content.clone())
        .feat(&["HASH SHA-256*", "SIZE", "MDTM", "REST STREAM"])
        .start();
    keep_odd_part(temp.path(), &server, &content, 0);
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!((server.count("REST"), server.count("RETR")), (1, 2));
    assert!(fs::read(temp.path().join("a")).unwrap() == content);
    assert_eq!(leftovers(temp.path()), ["a"]);
}

#[tokio::test]
async fn nothing_of_a_part_of_another_file_is_left_behind_the_end() {
    for length in [1000, 300_000] {
        let temp = tempfile::tempdir().unwrap();
        let content = noise(length);
        let server = Fake::default().file("/a", content.clone()).start();
        fs::write(temp.path().join(".a.ftpc-part"), vec![7; 400_000]).unwrap();
        let summary = run(&server, fetching(temp.path(), "/a")).await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        assert!(fs::read(temp.path().join("a")).unwrap() == content);
        assert_eq!(leftovers(temp.path()), ["a"]);
    }
}

#[tokio::test]
async fn a_note_that_stays_is_no_failure_of_a_file_that_is_whole() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(400_000);
    let note = temp.path().join(".a.ftpc-part.json");
    let server = Fake::default().file("/a", content.clone()).hook({
        let note = note.clone();
        move |_, line| {
            if line == "RETR /a" {
                fs::remove_file(&note).unwrap();
                fs::create_dir(&note).unwrap();
            }
            false
        }
    });
    let summary = run(&server.start(), fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("a")).unwrap(), content);
    assert!(note.is_dir());
}

#[tokio::test]
async fn the_note_of_a_part_is_written_through_no_link() {
    let temp = tempfile::tempdir().unwrap();
    let server = Fake::default().file("/a", noise(300_000)).start();
    fs::write(temp.path().join("important"), "only").unwrap();
    let note = temp.path().join(".a.ftpc-part.json");
    std::os::unix::fs::symlink("important", note).unwrap();
    let summary = run(&server, fetching(temp.path(), "/a")).await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
    assert_eq!(fs::read(temp.path().join("important")).unwrap(), b"only");
    assert_eq!(leftovers(temp.path()), ["a", "important"]);
}

#[tokio::test]
async fn a_stop_keeps_what_can_be_resumed() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(1_000_000);
    let server = Fake::default()
        .file("/a", content)
        .hook(|session, line| {
            line == "RETR /a" && {
                session.say("150 ok");
                let mut data = session.data();
                let content = session.content("/a").unwrap();
                let _ = data.write_all(&content[..500_000]);
                // Then nothing, until the client goes.
                use std::io::Read;
                let _ = data.read(&mut [0]);
                session.say("426 gone");
                true
            }
        })
        .start();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let cancel = Cancel::default();
    let engine = Engine::new(
        Arc::new(server.dialer()),
        options(),
        Events::new(sender),
        cancel.clone(),
    );
    let stop = async {
        while let Some(event) = receiver.recv().await {
            if matches!(event, Event::Advanced { bytes: 500_000, .. }) {
                cancel.stop();
            }
        }
    };
    let summary = tokio::select! {
        summary = engine.run(fetching(temp.path(), "/a")) => summary,
        () = stop => unreachable!("the engine holds the sender"),
    };
    assert!(summary.interrupted);
    assert_eq!(
        fs::metadata(temp.path().join(".a.ftpc-part"))
            .unwrap()
            .len(),
        500_000
    );
    assert!(!temp.path().join("a").exists());
}
