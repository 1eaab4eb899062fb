//! Servers that take longer over a hash than anybody waits.

use std::{fs, sync::Arc, time::Duration};

use ftpc::{
    event::Events,
    plan::{Plan, Step},
    transfer::{Cancel, Engine},
};

use crate::{fake::Fake, noise, options, sending};

const LARGE: usize = 1 << 20;

#[tokio::test]
async fn files_that_are_not_hashed_in_time_are_moved_without() {
    let temp = tempfile::tempdir().unwrap();
    let content = noise(LARGE);
    let mut fake = Fake::default();
    fake.feat.push("HASH SHA-256");
    let server = fake
        .file("/down", content.clone())
        .hook(|session, line| {
            let is_hash = line.starts_with("HASH");
            if is_hash {
                session.wait();
            }
            is_hash
        })
        .start();
    let run = async |plan: Plan| {
        let mut dialer = server.dialer();
        dialer.deadlines.finish = Duration::from_secs(1);
        let mut options = options();
        options.jobs = 1;
        let engine = Engine::new(
            Arc::new(dialer),
            options,
            Events::silent(),
            Cancel::default(),
        );
        let summary = engine.run(plan).await;
        engine.close().await;
        assert!(summary.failed.is_empty(), "{:?}", summary.failed);
        (summary.files, summary.verified)
    };
    let mut plan = sending(temp.path(), "a", &content, "/a");
    let other = temp.path().join("b");
    fs::write(&other, &content).unwrap();
    plan.push(Step::send(other, "/b", LARGE as u64));
    assert_eq!(run(plan).await, (2, 0));
    for name in ["/a", "/b"] {
        assert!(server.content(name).unwrap() == content, "{name}");
    }
    assert_eq!(server.count("HASH"), 1, "the second is not asked for");

    let mut plan = Plan::new(temp.path());
    plan.push(Step::fetch("/down"));
    assert_eq!(run(plan).await, (1, 0));
    assert!(fs::read(temp.path().join("down")).unwrap() == content);
}
