//! What has the final name is a link: a server that commits whole files sends on what comes to its name.

use crate::{
    fake::{Fake, Session},
    noise, run, sending,
};

/// From here on a file has a part.
const LARGE: usize = 16 << 20;

/// Lists `/in/a` as a link, or as a file; its facts are those of a file in any case.
fn listing(kind: char) -> impl Fn(&mut Session, &str) -> bool + Send + Sync + 'static {
    move |session, line| {
        line.starts_with("LIST") && {
            let mode = "rwxrwxrwx 1 a a 3 Jan 2 2024 a";
            let target = if kind == 'l' { " -> b" } else { "" };
            session.sends(format!("{kind}{mode}{target}\r\n"));
            true
        }
    }
}

#[tokio::test]
async fn a_large_file_goes_to_where_a_link_leads() {
    for (kind, has_part) in [('l', false), ('-', true)] {
        let temp = tempfile::tempdir().unwrap();
        let server = Fake::default()
            .feat(&["X-ATOMIC-STOR", "SIZE", "MLST type*;size*;"])
            .file("/in/a", "old")
            .file("/in/", "")
            .hook(listing(kind))
            .start();
        let plan = sending(temp.path(), "a", &noise(LARGE), "/in/a");
        let summary = run(&server, plan).await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        let lines = server.lines();
        let renamed = lines.iter().any(|line| line == "RNTO /in/a");
        let direct = lines.iter().any(|line| line == "STOR /in/a");
        assert_eq!((renamed, direct), (has_part, !has_part), "{lines:?}");
        assert_eq!(server.content("/in/a").unwrap().len(), LARGE);
    }
}
