//! A server that lets no file pass, and says each time that it may be only for now.

use ftpc::{
    event::Event,
    plan::{Plan, Step},
};

use crate::{fake::Fake, options, run_with};

/// Fetches files by number, one after the other, of which those numbered `good` pass; returns how often each was
/// asked for, and how often the run said that it tries the rest once.
async fn asked(count: usize, good: &'static [usize]) -> (Vec<usize>, usize) {
    let mut fake = Fake::default();
    for i in 0..count {
        fake = fake.file(&format!("/f{i}"), "content");
    }
    let server = fake
        .hook(|session, line| {
            line.strip_prefix("RETR /f")
                .is_some_and(|number| !good.contains(&number.parse().unwrap()))
                && {
                    session.say("451 Disk: Input/output error");
                    true
                }
        })
        .start();
    let temp = tempfile::tempdir().unwrap();
    let mut plan = Plan::new(temp.path());
    for i in 0..count {
        plan.push(Step::fetch(&format!("/f{i}")));
    }
    let mut options = options();
    options.jobs = 1;
    let (summary, events) = run_with(&server, options, plan).await;
    assert_eq!(summary.failed.len(), count - good.len());
    let lines = server.lines();
    let times = |i| {
        let line = format!("RETR /f{i}");
        lines.iter().filter(|said| **said == line).count()
    };
    let said =
        |event: &&Event| matches!(event, Event::Message { text } if text.contains("tried once"));
    (
        (0..count).map(times).collect(),
        events.iter().filter(said).count(),
    )
}

#[tokio::test]
async fn behind_three_files_in_vain_the_rest_is_tried_once() {
    let tries = options().backoff.attempts as usize;
    let (times, said) = asked(6, &[]).await;
    assert_eq!(times, [tries, tries, tries, 1, 1, 1]);
    assert_eq!(said, 1);
}

#[tokio::test]
async fn a_file_that_passes_gives_hope_to_those_behind_it() {
    let tries = options().backoff.attempts as usize;
    let (times, said) = asked(6, &[2, 4]).await;
    assert_eq!(times, [tries, tries, 1, tries, 1, tries]);
    assert_eq!(said, 0);
    let (times, said) = asked(5, &[3]).await;
    assert_eq!(times, [tries, tries, tries, 1, tries]);
    assert_eq!(said, 1);
}
