//! Uploads to a server whose disk is full: what it has already is not lost to them.

use crate::{fake::Fake, only_error, run, sending};

#[tokio::test]
async fn a_refusal_at_the_end_of_a_part_is_no_reason_to_write_over_the_file_there() {
    for reply in ["550 ENOSPC", "553 no room", "500 write failed"] {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .file("/a", "old")
            .hook(move |session, line| {
                line.starts_with("STOR") && line.ends_with("-part") && {
                    // What came stays there, as much as found room.
                    session.say("150 go");
                    let mut data = session.data();
                    let mut bytes = Vec::new();
                    std::io::Read::read_to_end(&mut data, &mut bytes).unwrap();
                    let path = line.split_once(' ').unwrap().1.to_owned();
                    session.files.lock().unwrap().insert(path, bytes);
                    session.say(reply);
                    true
                }
            })
            .start();
        let summary = run(&server, sending(temp.path(), "a", b"new", "/a")).await;
        let error = only_error(&summary).to_string();
        assert!(
            error.starts_with("STOR `/a") && error.ends_with(reply),
            "{error}"
        );
        let lines = server.lines();
        assert!(!lines.contains(&"STOR /a".to_owned()), "{lines:?}");
        assert_eq!(server.count("STOR"), 1, "nothing is sent twice");
        assert_eq!(server.content("/a").unwrap(), b"old");
        assert_eq!(server.names(), ["/a"]);
    }
}
