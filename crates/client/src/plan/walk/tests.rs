use std::{fs, os::unix::ffi::OsStringExt as _};

use super::*;
use crate::{
    cancel::Cancel,
    plan::filter::Filter,
    remote::{Dial as _, memory::Memory},
};

#[tokio::test]
async fn a_remote_walk_lists_parents_first_and_only_what_is_wanted() {
    let server = Memory::new(&[]);
    let parts = ["/t/a.12345678.ftpc-part", "/t/.a.ftpc-part.json"];
    for path in ["/t/b/c", "/t/a", "/t/skip/x"].iter().chain(&parts) {
        server.put(path, b"1", std::time::SystemTime::UNIX_EPOCH);
    }
    let mut filter = Filter::default();
    filter.exclude("skip/").unwrap();
    let mut session = server.dial().await.unwrap();
    let tree = remote(&mut *session, "/t", &filter, &Cancel::default())
        .await
        .unwrap();
    let paths: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(paths, ["a", "b", "b/c"]);
    let notes = [".a.ftpc-part.json", "a.12345678.ftpc-part"]
        .map(|name| format!("{name}: a part of a transfer"));
    assert_eq!(tree.notes, notes);
    assert!(tree.is_unread("a.12345678.ftpc-part"));
    assert_eq!(tree.holding, [""], "`skip` lies in the top");
    assert!(!server.calls().contains(&"MLSD /t/skip".to_owned()));
    assert!(
        remote(&mut *session, "/none", &filter, &Cancel::default())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_tree_without_end_is_cut_at_a_depth() {
    let server = Memory::new(&[]);
    let deep = "/d".repeat(MAX_DEPTH + 10);
    server.put(&deep, b"1", std::time::SystemTime::UNIX_EPOCH);
    let mut session = server.dial().await.unwrap();
    let tree = remote(&mut *session, "/", &Filter::default(), &Cancel::default())
        .await
        .unwrap();
    assert_eq!(tree.nodes.len(), MAX_DEPTH);
    let (_, why) = &tree.refused[0];
    assert!(why.ends_with("deeper than 128 directories"), "{why}");
}

#[test]
fn a_local_walk_leaves_links_and_partials_out_and_ends() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    fs::create_dir_all(top.join("d/e")).unwrap();
    fs::write(top.join("d/e/f"), b"123").unwrap();
    fs::write(top.join(".x.ftpc-part"), b"1").unwrap();
    std::os::unix::fs::symlink("..", top.join("d/loop")).unwrap();
    let raw = OsString::from_vec(b"\xB2\xE2".to_vec());
    fs::write(top.join(&raw), b"").unwrap();

    let tree = local(top, &Filter::default()).unwrap();
    let paths: Vec<_> = tree.nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(paths, ["d", "\u{10ffb2}\u{10ffe2}", "d/e", "d/e/f"]);
    assert_eq!(tree.nodes[3].facts.size, Some(3));
    let notes = [".x.ftpc-part: a part of a transfer", "d/loop: a link"];
    assert_eq!(tree.notes, notes);
    assert_eq!(tree.holding, [""], "the partial lies in the top");
    assert_eq!(local_name(&tree.nodes[1].path), PathBuf::from(raw));
    assert!(local(&top.join("missing"), &Filter::default()).is_err());
}

#[tokio::test]
async fn a_top_that_is_not_listed_is_an_error() {
    let server = Memory::new(&[]);
    server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
    let refusal = RemoteError::Refused {
        verb: "MLSD".to_owned(),
        path: None,
        reply: crate::remote::Reply::new(550, "permission denied"),
    };
    let mut session = server.dial().await.unwrap();
    let (filter, cancel) = (Filter::default(), Cancel::default());
    server.fail("MLSD", refusal);
    let error = remote(&mut *session, "/t", &filter, &cancel).await;
    assert!(error.is_err());
}

#[tokio::test]
async fn a_remote_walk_stops_when_it_is_interrupted() {
    let server = Memory::new(&[]);
    let mut session = server.dial().await.unwrap();
    let cancel = Cancel::default();
    cancel.stop();
    let stopped = remote(&mut *session, "/", &Filter::default(), &cancel).await;
    assert!(matches!(stopped, Err(Error::Interrupted)));
}

#[test]
fn what_cannot_be_read_here_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    // Below a path that is too long for the system's calls.
    let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority());
    let mut dir = dir.unwrap();
    let name = "n".repeat(250);
    for _ in 0..20 {
        dir.create_dir(&name).unwrap();
        dir.create_dir("o".repeat(250)).unwrap();
        dir = dir.open_dir(&name).unwrap();
    }
    let tree = local(temp.path(), &Filter::default()).unwrap();
    assert!(tree.notes.is_empty(), "{:?}", tree.notes);
    assert_eq!(tree.refused.len(), 2, "{:?}", tree.refused);
    assert!(tree.refused[0].1.contains("too long"), "{:?}", tree.refused);
    assert!(tree.is_unread(&tree.closed[0]) && tree.is_unread(&tree.closed[1]));
    // What seems to be gone from its directory may have that name now.
    let dir = names::split(&tree.closed[0]).0;
    assert!(tree.is_unread(&names::join(dir, "gone")));
    assert!(!tree.is_unread(&names::join(names::split(dir).0, "gone")));
    assert_eq!(tree.unread.iter().filter(|path| *path == dir).count(), 1);
}
