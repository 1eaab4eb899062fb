//! `ftpc`: flags, signals, runtime, exit code; nothing else.

use std::{
    ffi::OsString,
    process::ExitCode as Code,
    time::{Duration, Instant},
};

use clap::Parser as _;
use ftpc::{
    app::{App, Failure},
    cancel::Cancel,
    cli::{Cli, Command, Global, first_word},
    commands,
    error::Error,
    exit::ExitCode,
    ui::{Ui, Volume},
};
use rustix::termios::{OptionalActions, Termios, tcgetpgrp, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> Code {
    let cli = match Cli::try_parse_from(with_shell(std::env::args_os().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::Usage.into()
            } else {
                ExitCode::Done.into()
            };
        }
    };
    let ui = Ui::new(volume(&cli.global), cli.global.json);
    // Two threads for all sessions: what takes long (a large file, a hash) has a thread of its own,
    // and the rest is so short that handing it over costs more than a third thread would bring.
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.error(format!("start the runtime: {error}"));
            return ExitCode::Local.into();
        }
    };
    let code = runtime.block_on(run(ui, cli));
    let code = match ui.lost() {
        Some(error) if code == ExitCode::Done => {
            ui.error(Error::local("write", "-", error).chain());
            ExitCode::Local
        }
        _ => code,
    };
    // A thread that waits for standard input must not keep the program.
    runtime.shutdown_background();
    code.into()
}

fn volume(global: &Global) -> Volume {
    match (global.quiet, global.verbose) {
        (true, _) => Volume::Quiet,
        (_, 1..) => Volume::Verbose,
        _ => Volume::Normal,
    }
}

async fn run(ui: Ui, cli: Cli) -> ExitCode {
    let cancel = Cancel::default();
    // A task of its own: a question to the person holds this thread.
    let stopped_twice = match signal(SignalKind::interrupt()) {
        Ok(signals) => tokio::spawn(interrupts(signals, cancel.clone())),
        Err(_) => tokio::spawn(std::future::pending()),
    };
    let mut app = match App::load(ui, cli.global.clone(), cancel.clone()) {
        Ok(app) => app,
        Err(failure) => return said(&failure, &ui),
    };
    // The prompt is left to the signals' own ways: its editor sets the terminal, and a job that is in the
    // background would be stopped by that.
    if !matches!(cli.command, None | Some(Command::Shell(_))) {
        let terminal = rustix::termios::tcgetattr(std::io::stdin()).ok();
        tokio::spawn(ends(cancel.clone(), terminal));
    }
    tokio::select! {
        answer = commands::run(&mut app, cli) => match answer {
            Ok(code) => code,
            Err(failure) => said(&failure, &ui),
        },
        // The second Ctrl-C ends at once.
        _ = stopped_twice => ExitCode::Interrupted,
    }
}

/// SIGTERM, or a SIGHUP that `nohup` has not turned off, stops the work as one Ctrl-C does. Once that has had its
/// time, or at once where only a person is waited for, the program ends from here, with the terminal as it was: the
/// thread that waits for keys hears of nothing.
async fn ends(cancel: Cancel, terminal: Option<Termios>) {
    let next = async |kind| match signal(kind) {
        Ok(mut signals) => signals.recv().await,
        Err(_) => std::future::pending().await,
    };
    let hung_up = async {
        match ignores_hangup() {
            true => std::future::pending().await,
            false => next(SignalKind::hangup()).await,
        }
    };
    tokio::select! {
        _ = next(SignalKind::terminate()) => {}
        _ = hung_up => {}
    }
    cancel.stop();
    let end = Instant::now() + Cancel::LONGEST;
    while Instant::now() < end && !cancel.is_at_rest() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stdin = std::io::stdin();
    // A job in the background would be stopped by setting it.
    let is_ours = tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
    if let Some(terminal) = terminal.filter(|_| is_ours) {
        let _only_at_the_end = tcsetattr(&stdin, OptionalActions::Now, &terminal);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "main cannot return: its thread waits"
    )]
    std::process::exit(ExitCode::Interrupted as i32);
}

/// Tells whether SIGHUP was turned off for this process (proc(5), `SigIgn`: bit 0 is signal 1).
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
}

fn said(failure: &Failure, ui: &Ui) -> ExitCode {
    failure.say(ui);
    let code = failure.exit_code();
    if let (true, Some(error)) = (ui.json, failure.words()) {
        ui.answer(serde_json::json!({ "error": error, "exit_code": code as u8 }));
    }
    code
}

/// A Ctrl-C stops the work and keeps what can be resumed; returns at one that finds it stopped. The
/// shell begins anew with each line.
async fn interrupts(mut signals: Signal, cancel: Cancel) {
    while signals.recv().await.is_some() {
        if cancel.is_held() {
            continue;
        }
        if cancel.is_stopped() {
            return;
        }
        cancel.stop();
    }
}

/// `ftpc HOST` is `ftpc shell HOST`: a first word that is no command and no flag.
fn with_shell(mut args: Vec<OsString>) -> Vec<OsString> {
    use clap::CommandFactory as _;
    if let Some(at) = first_word(&args)
        && let Some(word) = args[at].to_str()
        && word != "help"
        && Cli::command().find_subcommand(word).is_none()
        && (word.contains("://")
            || word.contains('.')
            || word.contains(':')
            || args.len() == at + 1)
    {
        args.insert(at, "shell".into());
    }
    args
}
