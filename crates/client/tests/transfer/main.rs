//! Files over sessions that break, servers with little to offer, and the local side's guard.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should stop"
)]

#[path = "../fake/mod.rs"]
mod fake;

mod aside;
mod aside_part;
mod direct;
mod disproved;
mod download;
mod ends;
mod full;
mod hopeless;
mod kept;
mod links;
mod mode;
mod plans;
mod proof;
mod publish;
mod restart;
mod resume_down;
mod resume_up;
mod slow;
mod untold;
mod upload;

use std::{fs, io::Write, net::Shutdown, path::Path, sync::Arc, time::Duration};

use ftpc::{
    error::Error,
    event::{Event, Events},
    plan::{Plan, Step},
    transfer::{Backoff, Cancel, Engine, Options, Summary},
};

use fake::{Running, Session};

fn options() -> Options {
    Options {
        backoff: Backoff {
            first: Duration::from_millis(1),
            patience: Duration::ZERO,
            ..Backoff::default()
        },
        ..Options::default()
    }
}

/// Bytes that repeat nowhere near, so that a shift would be seen.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    next.take(length).collect()
}

async fn run_with(server: &Running, options: Options, plan: Plan) -> (Summary, Vec<Event>) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let dial = Arc::new(server.dialer());
    let engine = Engine::new(dial, options, Events::new(sender), Cancel::default());
    let summary = engine.run(plan).await;
    engine.close().await;
    let mut events = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        events.push(event);
    }
    (summary, events)
}

async fn run(server: &Running, plan: Plan) -> Summary {
    run_with(server, options(), plan).await.0
}

fn fetching(top: &Path, remote: &str) -> Plan {
    let mut plan = Plan::new(top);
    plan.push(Step::fetch(remote));
    plan
}

fn sending(top: &Path, name: &str, content: &[u8], remote: &str) -> Plan {
    let path = top.join(name);
    fs::write(&path, content).unwrap();
    let mut plan = Plan::new(top);
    plan.push(Step::send(path, remote, content.len() as u64));
    plan
}

#[track_caller]
fn only_error(summary: &Summary) -> &Error {
    assert_eq!(summary.failed.len(), 1, "{:?}", summary.failed);
    &summary.failed[0].error
}

fn leftovers(top: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(top)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Sends the head of a file and cuts the data connection and then the control connection.
fn cut_after(session: &mut Session, path: &str, offset: usize, count: usize) {
    let content = session.content(path).unwrap();
    session.say("150 here it comes");
    let mut data = session.data();
    let end = content.len().min(offset + count);
    let _ = data.write_all(&content[offset..end]);
    let _ = data.shutdown(Shutdown::Both);
    session.hang_up();
}
