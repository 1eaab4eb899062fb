//! What goes on beside the sessions: old partials are swept, new mounts are looked at.

use std::{io, time::Duration};

use rustix::pipe::{PipeFlags, pipe_with};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    session::disk,
    share::{Mounts, Share},
    shutdown::Life,
    snapshot::Holder,
};

const SWEEP_PERIOD: Duration = Duration::from_secs(600);
/// Behind a sweep that failed: no descriptor or thread was free, or the disk was away for a moment.
const SWEEP_AGAIN: Duration = Duration::from_secs(60);
/// Whoever waits for the server to start comes before the first sweep.
const SWEEP_DELAY: Duration = Duration::from_secs(10);

/// Begins both.
pub(super) fn begin_upkeep(holder: &Holder, life: &Life) {
    life.spawn_service(sweep_partials(holder.clone(), life.kill()));
    if let Err(error) = watch_mounts(holder.clone(), life) {
        debug!(%error, "mounts are looked at on reload only");
    }
}

/// Removes partials of uploads that nobody came back for, soon and every now and then.
async fn sweep_partials(holder: Holder, kill: CancellationToken) {
    let mut pause = SWEEP_DELAY;
    loop {
        tokio::select! {
            () = kill.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = SWEEP_PERIOD;
        let share = holder.current().share.clone();
        match sweep_gently(share).await {
            Ok(0) => {}
            Ok(files) => info!(files, "old partial uploads removed"),
            Err(error) => {
                warn!(%error, "old partial uploads not removed");
                pause = SWEEP_AGAIN;
            }
        }
    }
}

/// Walks the whole share on a thread that gives way to every other: nobody waits for this work.
async fn sweep_gently(share: Share) -> io::Result<usize> {
    let (done, swept) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("sweep".to_owned())
        .spawn(move || {
            // On Linux this is the calling thread's alone; where it is refused, so be it.
            let _as_before = rustix::process::setpriority_process(None, 19);
            let _ = done.send(share.sweep(std::time::SystemTime::now()));
        })?;
    swept
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the sweep broke off")))
}

/// Learns of disks that are mounted below the share while it is served, on a thread that waits.
fn watch_mounts(holder: Holder, life: &Life) -> io::Result<()> {
    let (ended, running) = pipe_with(PipeFlags::CLOEXEC)?;
    let mounts = Mounts::watch()?;
    std::thread::Builder::new()
        .name("mounts".to_owned())
        .spawn(move || {
            while mounts.wait_for_change(&ended) {
                let served = holder.current();
                disk::set_far(served.share.is_far());
                served.warn_if_strayed();
            }
        })?;
    let kill = life.kill();
    life.spawn_service(async move {
        kill.cancelled().await;
        drop(running);
    });
    Ok(())
}
