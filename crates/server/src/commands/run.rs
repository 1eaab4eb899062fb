//! `ftpd run`: loads, binds, drops root, serves.

use std::{path::Path, time::Duration};

use crate::{
    cli::{Color, Global},
    config_file::{self, Loaded},
    daemon::{Daemon, Start},
    error::Error,
    listen, log, privilege, say,
    status::place::Surroundings,
    supervisor,
    watch::Stamps,
};

/// Serves what the configuration says until it is told to stop.
///
/// # Errors
/// [`Error`] when it cannot begin.
pub fn run(config: &Path, global: &Global) -> Result<(), Error> {
    let read_as = Stamps::of(&[config.to_owned()]);
    let loaded = config_file::load(config)?;
    let level = start_log(&loaded, global);
    tracing::debug!(config = %loaded.path.display(), "configuration loaded");
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let given = supervisor::sockets().map_err(Error::system("take over sockets"))?;
    let listeners = if given.is_empty() {
        listen::bind(&loaded.config.server.listen)?
    } else {
        given
    };
    privilege::drop_root(&loaded.config, &loaded.path)?;
    privilege::raise_open_files(loaded.config.limits.max_clients);
    let start = Start {
        config: loaded.config,
        config_path: Some(loaded.path),
        read_as,
        listeners,
        log: level,
        adjust: adjust(global),
        around: Surroundings::of_this_process(),
    };
    serve(async {
        if let Some(daemon) = Daemon::start(start).await? {
            say_ready(&daemon);
            daemon.serve(std::future::pending()).await;
        }
        Ok(())
    })
}

/// Runs a server to its end. A thread that a dead network disk holds does not hold the stop.
///
/// # Errors
/// Those of `work`; the system gives no threads.
pub fn serve(work: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = runtime()?;
    let served = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

/// How long a stop waits for threads that still work when everything else has ended.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Threads for transfers and other work that blocks; made when needed, gone when idle.
const MOST_THREADS: usize = 8192;
const THREAD_STACK: usize = 1 << 20;

/// Builds the runtime that serves.
///
/// # Errors
/// When the system gives no threads.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("ftpd")
        // A large transfer keeps a thread to its end: as many as the caps on sessions let in.
        .max_blocking_threads(MOST_THREADS)
        .thread_stack_size(THREAD_STACK)
        .build()
        .map_err(Error::system("start the runtime"))
}

fn adjust(global: &Global) -> log::Adjust {
    log::Adjust {
        verbose: global.verbose,
        quiet: global.quiet,
    }
}

/// Tells whether `--color` and the terminal allow colour.
#[must_use]
pub fn color_of(global: &Global) -> bool {
    match global.color {
        Color::Auto => log::may_color(),
        Color::Always => true,
        Color::Never => false,
    }
}

fn start_log(loaded: &Loaded, global: &Global) -> Option<log::Level> {
    let color = color_of(global);
    let settings = &loaded.config.log;
    log::start(
        settings.format,
        log::level(settings.level, adjust(global)),
        color,
    )
}

fn say_ready(daemon: &Daemon) {
    let snapshot = daemon.snapshot();
    let users = snapshot.accounts.names();
    let users = if users.is_empty() {
        "nobody yet (`ftpd user add NAME`)".to_owned()
    } else {
        users.join(", ")
    };
    for address in daemon.addresses() {
        say::line(format_args!(
            "ftpd: ready on {address}, share {}, users: {users}",
            snapshot.config.share.root.display()
        ));
    }
}
