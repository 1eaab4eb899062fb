//! Runs plans and streams with their progress on the screen.

use super::{Answer, report::report};
use crate::{
    app::{App, Failure, Link},
    error::Error,
    event::Events,
    plan::Plan,
    transfer::{Engine, Options},
    ui::progress,
};

/// Runs a plan with its progress on the screen, and reports.
pub(super) async fn carry_out(app: &App, link: &Link, plan: Plan, options: Options) -> Answer {
    let (events, screen) = start_screen(app);
    let engine = Engine::with_pool(
        std::sync::Arc::clone(&link.pool),
        options,
        events,
        app.cancel.clone(),
    );
    let again = plan.again.clone();
    let summary = engine.run(plan).await;
    link.close().await;
    drop(engine);
    let _ = screen.await;
    app.remember()?;
    Ok(report(app, &summary, again))
}

/// Prepares a transfer: nothing is kept of that, so the first Ctrl-C ends it.
pub(super) async fn prepared<T>(
    app: &App,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let ended = app.cancel.or_leave(work).await;
    ended.unwrap_or_else(|| Err(Error::Interrupted.into()))
}

/// Moves a stream; what waits for the server once it was stopped is left soon.
pub(super) async fn streamed<T>(
    app: &App,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let ended = app.cancel.or_keep(work).await;
    ended.unwrap_or(Err(Error::Interrupted))
}

fn start_screen(app: &App) -> (Events, tokio::task::JoinHandle<()>) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let screen = tokio::spawn(progress::show(app.ui, receiver));
    (Events::new(sender).terse(app.ui.hides_files()), screen)
}
