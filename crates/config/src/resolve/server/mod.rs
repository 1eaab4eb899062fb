//! The tables that `ftpd` uses.

mod network;
mod share;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use self::{
    network::{
        halved, read_active, read_allow_from, read_announce, read_listen, read_metrics,
        read_passive, read_tls,
    },
    share::{read_names, read_share, read_uploads},
};
use super::{
    auth::read_auth,
    relative_to,
    users::{read_anonymous, read_users},
};
use crate::{
    ServerConfig, defaults,
    reader::Section,
    server::{EngineKind, Limits, Log, LogFormat, LogLevel, Password, Server, Timeouts, TlsMode},
    value::ValueError,
};

/// Reads every table of the server and checks them against each other.
pub(crate) fn resolve_server(root: &Section<'_, '_>, warnings: &mut Vec<String>) -> ServerConfig {
    let users = read_users(root);
    let anonymous = read_anonymous(root);
    let config = ServerConfig {
        server: read_server(root),
        share: read_share(root),
        auth: read_auth(root, &users, anonymous.enabled, warnings),
        users: users.into_iter().map(|(user, _)| user).collect(),
        anonymous,
        passive: read_passive(root),
        active: read_active(root),
        tls: read_tls(root),
        limits: read_limits(root),
        timeouts: read_timeouts(root),
        uploads: read_uploads(root),
        names: read_names(root),
        log: read_log(root),
        metrics: read_metrics(root),
        announce: read_announce(root),
    };
    check_sample(root, &config);
    check_record(root, &config);
    warnings.extend(halved(&config.server.listen));
    if config.tls.require_reuse
        && (config.tls.mode != TlsMode::Required || config.server.engine != EngineKind::Native)
    {
        warnings.push(
            "`tls.require_reuse` binds encrypted data alone, under the native engine: it wants `tls.mode` \"required\""
                .to_owned(),
        );
    }
    if config.server.engine == EngineKind::Libunftp {
        warnings.push(
            "`server.engine` is \"libunftp\", which lacks what docs/engines.md lists; \"native\" has it all"
                .to_owned(),
        );
    }
    config
}

/// The files that the tables name, beside the share's and the record's.
pub(crate) fn server_files(root: &Section<'_, '_>) -> Vec<PathBuf> {
    let list = root.section("auth").path("allow_users_file", "");
    let list = list.map(|(text, _)| relative_to(root.faults().source().dir(), text));
    let tls = read_tls(root);
    let pair = (tls.mode != TlsMode::Off).then_some([tls.cert, tls.key]);
    list.into_iter().chain(pair.into_iter().flatten()).collect()
}

fn read_server(root: &Section<'_, '_>) -> Server {
    let section = root.section("server");
    let server = Server {
        listen: read_listen(&section),
        ascii_conversion: section.boolean("ascii_conversion", false),
        engine: section.choice("engine", EngineKind::Native),
        greeting: section
            .parsed_by("greeting", defaults::GREETING, parse_greeting)
            .unwrap_or_else(|| defaults::GREETING.to_owned()),
        allow_from: read_allow_from(&section),
        run_as: section.parsed_by("run_as", "ftpd", |name| match name {
            name if name.contains(char::is_control) => Err(ValueError::new(
                format!("`{}` names no system user", name.escape_debug()),
                "write a name that `getent passwd` knows",
            )),
            "" => Err(ValueError::new(
                "`\"\"` names no system user",
                "write its name, as in \"ftpd\"",
            )),
            _ => Ok(name.to_owned()),
        }),
    };
    section.finish();
    server
}

fn parse_greeting(text: &str) -> Result<String, ValueError> {
    let longest = defaults::LONGEST_GREETING;
    if text.len() > longest || text.chars().any(char::is_control) {
        return Err(ValueError::new(
            format!("the greeting is over {longest} bytes or holds a control character"),
            "write one line of text",
        ));
    }
    Ok(text.to_owned())
}

fn read_limits(root: &Section<'_, '_>) -> Limits {
    let section = root.section("limits");
    let rate = |key| section.parsed(key, "20 MiB/s").unwrap_or_default();
    let limits = Limits {
        max_clients: section.number("max_clients", 200, defaults::MOST_SESSIONS),
        max_per_ip: section.number("max_per_ip", 32, defaults::MOST_SESSIONS),
        rate_down: rate("rate_down"),
        rate_up: rate("rate_up"),
        session_rate_down: rate("session_rate_down"),
        session_rate_up: rate("session_rate_up"),
    };
    section.finish();
    limits
}

fn read_timeouts(root: &Section<'_, '_>) -> Timeouts {
    let section = root.section("timeouts");
    let least = Duration::from_millis(100);
    let wait = |key, secs| section.duration(key, Duration::from_secs(secs), least);
    let timeouts = Timeouts {
        login: wait("login", 60),
        idle: wait("idle", 300),
        stalled: wait("stalled", 300),
        data_connect: wait("data_connect", 30),
        tls_handshake: wait("tls_handshake", 10),
        shutdown_grace: section.duration("shutdown_grace", Duration::from_secs(30), Duration::ZERO),
    };
    section.finish();
    timeouts
}

fn read_log(root: &Section<'_, '_>) -> Log {
    let section = root.section("log");
    let dir = root.faults().source().dir();
    let log = Log {
        level: section.choice("level", LogLevel::Info),
        format: section.choice("format", LogFormat::Text),
        xferlog: section
            .path("xferlog", "xferlog")
            .map(|(text, _)| relative_to(dir, text)),
    };
    section.finish();
    log
}

/// Records are written behind whatever the file holds.
fn check_record(root: &Section<'_, '_>, config: &ServerConfig) {
    let Some(record) = &config.log.xferlog else {
        return;
    };
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let own = [
        root.faults().source().path(),
        &config.tls.cert,
        &config.tls.key,
    ];
    let mut own = own
        .into_iter()
        .chain(config.auth.allow_users_file.as_deref());
    if let Some(file) = own.find(|file| real(file) == real(record)) {
        root.faults().add(
            root.section("log").span_of("xferlog"),
            format!(
                "`log.xferlog` names `{}`, which the server needs as it is",
                file.display()
            ),
            "name a file of its own",
        );
    }
}

/// The sample's password is known to everyone: only loopback may be listened on while it stands.
fn check_sample(root: &Section<'_, '_>, config: &ServerConfig) {
    let sample = config
        .users
        .iter()
        .any(|user| user.password == Password::Sample);
    if sample
        && config
            .server
            .listen
            .iter()
            .any(|address| !address.ip().is_loopback())
    {
        root.faults().add(
            root.section("server").span_of("listen"),
            "user `demo` has the sample password, so only loopback may be listened on",
            "run `ftpd user passwd demo`, or listen on 127.0.0.1",
        );
    }
}
