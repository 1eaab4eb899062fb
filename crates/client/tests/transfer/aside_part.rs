//! What becomes of a part for which an old file went aside, and what is told of both.

use std::sync::atomic::{AtomicUsize, Ordering};

use ftpc::error::Error;

use crate::{fake::Fake, only_error, options, run, run_with, sending};

/// What is told of a part is true also where somebody else removed it.
#[tokio::test]
async fn a_part_that_was_taken_away_is_not_named_as_the_place_of_the_file() {
    let temp = tempfile::tempdir().unwrap();
    let renames = AtomicUsize::new(0);
    let server = Fake::default()
        .file("/a", "old")
        .hook(move |session, line| {
            line == "RNTO /a" && {
                if renames.fetch_add(1, Ordering::SeqCst) == 1 {
                    let mut files = session.files.lock().unwrap();
                    files.retain(|name, _| !name.ends_with("-part") || name.contains(".old."));
                }
                session.say("550 denied");
                true
            }
        })
        .start();
    let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
    let error = only_error(&summary);
    assert!(matches!(error, Error::Aside { .. }), "{error}");
    assert_eq!(server.names().len(), 1, "the old one");
}

/// The old file has gone aside for a part that the server takes no longer, and the new one got the name directly.
#[tokio::test]
async fn a_file_that_went_aside_goes_also_where_the_new_one_is_sent_directly() {
    for goes in [true, false] {
        let temp = tempfile::tempdir().unwrap();
        let renames = AtomicUsize::new(0);
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                let reply = match renames.load(Ordering::SeqCst) {
                    2 if line.starts_with("STOR") && line.ends_with("-part") => "553 bad name",
                    2 if line.starts_with("DELE") && line.contains(".old.") && !goes => "550 no",
                    0 if line == "RNTO /a" => "553 exists",
                    1 if line == "RNTO /a" => "450 busy",
                    _ => return false,
                };
                if line == "RNTO /a" && renames.fetch_add(1, Ordering::SeqCst) == 1 {
                    let mut files = session.files.lock().unwrap();
                    files.retain(|name, _| !name.ends_with("-part") || name.contains(".old."));
                }
                session.say(reply);
                true
            })
            .start();
        let plan = sending(temp.path(), "a", b"new", "/a");
        let (summary, events) = run_with(&server, options(), plan).await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        assert_eq!(server.content("/a").unwrap(), b"new");
        assert_eq!(server.names().len(), if goes { 1 } else { 2 });
        let is_told = format!("{events:?}").contains("could not be removed; it is now");
        assert_ne!(is_told, goes, "{events:?}");
    }
}
