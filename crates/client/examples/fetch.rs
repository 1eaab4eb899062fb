//! Fetches one file with the library alone: `cargo run --example fetch -- 127.0.0.1 2121 demo demo /a.txt`.

use std::sync::Arc;

use ftp_config::Secret;
use ftpc::{
    event::Events,
    plan::{Plan, Step},
    remote::connect::Dialer,
    transfer::{Cancel, Engine, Options},
};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, user, password, path] = args.as_slice() else {
        panic!("usage: fetch HOST PORT USER PASSWORD PATH");
    };
    let port = port.parse().expect("the port is a number");
    let dialer = Dialer::new(host, port, user, Secret::new(password));
    let mut plan = Plan::new(".");
    plan.push(Step::fetch(path));
    let engine = Engine::new(
        Arc::new(dialer),
        Options::default(),
        Events::silent(),
        Cancel::default(),
    );
    let summary = engine.run(plan).await;
    engine.close().await;
    assert!(summary.failed.is_empty(), "{:?}", summary.failed);
}
