//! `ftpd doctor`: looks at the configuration, the machine and the running server from outside, and
//! says for each thing that is wrong the one line that mends it. Leaves nothing changed: it makes one file in
//! each share and removes it.

mod certificate;
mod finding;
mod machine;
mod network;
mod patience;
mod ports;
mod share;

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

pub use self::finding::{Finding, Verdict};
use self::patience::{PATIENCE, in_time};
use crate::{
    config_file,
    error::Error,
    privilege, say,
    status::{
        place::{self, Surroundings},
        socket,
        wire::{Answer, Request, Status},
    },
};
use ftp_config::{ConfigError, ServerConfig};

/// Checks everything and prints what was found; `from` is a client's address to look from.
///
/// # Errors
/// When there is a fault.
pub fn run(config: &Path, from: Option<IpAddr>, as_json: bool) -> Result<(), Error> {
    let findings = examine(config, from);
    if as_json {
        let json = serde_json::to_string(&findings).map_err(|e| Error::Failed(e.to_string()))?;
        say::line(json);
    } else {
        for finding in &findings {
            say::line(finding);
        }
    }
    let faults = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fault)
        .count();
    match faults {
        0 => Ok(()),
        1 => Err(Error::Failed("1 fault found".to_owned())),
        n => Err(Error::Failed(format!("{n} faults found"))),
    }
}

fn examine(config: &Path, from: Option<IpAddr>) -> Vec<Finding> {
    let path = config.to_owned();
    let loaded = match in_time(PATIENCE, move || config_file::load(&path)) {
        Some(Ok(loaded)) => loaded,
        Some(Err(error)) => {
            let fix = config_fix(config, &error);
            return vec![Finding::fault("config", error.to_string(), fix)];
        }
        // It looks where the homes lie.
        None => return silent(config),
    };
    let mut findings = vec![Finding::good(
        "config",
        format!("{} is good", config.display()),
    )];
    for warning in &loaded.warnings {
        findings.push(Finding {
            fix: None,
            ..Finding::warning("config", warning.as_str(), "")
        });
    }
    let running = running(config);
    findings.extend(server(running.as_ref(), config));
    let config = &loaded.config;
    // What only root may look at comes first: the rest is seen with the eyes of who serves.
    let of_network = network(config, running.as_ref(), from);
    findings.extend(machine(config, &loaded.path, running.is_some()));
    findings.extend(of_network);
    findings
}

/// What can be told where the configuration, or a directory that it names, gives no answer.
fn silent(config: &Path) -> Vec<Finding> {
    let shown = config.display();
    let text = format!("the disk of `{shown}`, or of the share that it names, does not answer");
    let fault = Finding::fault("config", text, share::SEE_DISK);
    let config = config.to_owned();
    let served = in_time(PATIENCE, move || server(running(&config).as_ref(), &config));
    [fault]
        .into_iter()
        .chain(served.unwrap_or_default())
        .collect()
}

fn network(config: &ServerConfig, running: Option<&Status>, from: Option<IpAddr>) -> Vec<Finding> {
    let listening = ports::listening(config, running);
    let mut findings = ports::ports(config, running);
    findings.push(ports::passive_ports(config));
    let around = network::Around::look(from);
    findings.push(network::passive_address(config, &around));
    findings.extend(from.map(|from| network::admits(config, &listening, from)));
    findings.extend(network::firewall(config, &listening, Path::new("/")));
    findings
}

/// Looks at the machine as whom the server runs as: root, who starts it, becomes that user for good.
fn machine(config: &ServerConfig, path: &Path, is_served: bool) -> Vec<Finding> {
    let now = std::time::SystemTime::now();
    let by_root = privilege::becomes_another(config);
    // A start as root gives its own key to that user.
    let given = by_root && config.tls.self_signed;
    let mut certificate = given.then(|| certificate::certificate(config, by_root, now));
    let mut findings = Vec::new();
    if by_root && let Err(error) = privilege::become_run_as(config, path) {
        findings.push(Finding::fault(
            "user",
            error.to_string(),
            "correct server.run_as",
        ));
    }
    if by_root && std::fs::File::open(path).is_err() {
        let shown = path.display();
        findings.push(Finding::warning(
            "config",
            format!(
                "the user of server.run_as cannot read `{shown}`: a running server takes no change"
            ),
            format!("sudo chgrp GROUP {shown} && sudo chmod 640 {shown}"),
        ));
    }
    findings.push(machine::users(config, path));
    findings.extend(disk(config, by_root, is_served));
    findings.extend(
        certificate
            .take()
            .unwrap_or_else(|| certificate::certificate(config, by_root, now)),
    );
    let its = config.clone();
    let record = in_time(PATIENCE, move || machine::record(&its));
    findings.extend(record.unwrap_or_else(|| machine::silent_record(config)));
    findings.extend(machine::open_files(config));
    findings
}

/// Looks at the share, whose disk may hang.
fn disk(config: &ServerConfig, by_root: bool, is_served: bool) -> Vec<Finding> {
    let its = config.clone();
    let look = move || {
        let mut findings = share::share(&its.share, by_root, is_served);
        findings.extend(share::homes(&its));
        findings
    };
    in_time(PATIENCE, look).unwrap_or_else(|| vec![share::silent(&config.share.root)])
}

/// What mends a configuration that cannot be loaded.
fn config_fix(config: &Path, error: &Error) -> String {
    let path = config.display();
    match error {
        Error::Config(ConfigError::Unreadable { source, .. }) => match source.kind() {
            io::ErrorKind::NotFound => format!("ftpd --config {path} init"),
            _ => format!("sudo chown $(id -un) {path}"),
        },
        _ => format!("ftpd --config {path} check"),
    }
}

fn running(config: &Path) -> Option<Status> {
    let places = place::candidates(config, &Surroundings::of_this_process());
    match socket::ask(&places, &Request::Status) {
        Ok(Answer::Status(status)) => Some(*status),
        _ => None,
    }
}

fn server(running: Option<&Status>, config: &Path) -> Vec<Finding> {
    let Some(status) = running else {
        let fix = format!("ftpd --config {}", config.display());
        return vec![Finding::warning(
            "server",
            "no ftpd runs with this file, as far as we may ask",
            fix,
        )];
    };
    let text = format!("ftpd {} runs, process {}", status.version, status.pid);
    let mut findings = vec![Finding::good("server", text)];
    if let Some(error) = &status.last_reload_error {
        let text = format!("the running server keeps its old configuration: {error}");
        findings.push(Finding::fault(
            "server",
            text,
            "ftpd check, then ftpd reload",
        ));
    }
    // A path with nothing at its end is the share's own fault.
    let share = PathBuf::from(&status.share);
    if let Some(why) = &status.strayed
        && in_time(PATIENCE, move || share.exists()) != Some(false)
    {
        let text = format!("the running server does not serve what stands at its path: {why}");
        findings.push(Finding::fault(
            "server",
            text,
            "see what is mounted at share.root, then ftpd reload",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_loaded_is_the_only_finding() {
        let findings = examine(Path::new("/nonexistent/ftp.toml"), None);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].check, findings[0].verdict),
            ("config", Verdict::Fault)
        );
        assert_eq!(
            findings[0].fix.as_deref(),
            Some("ftpd --config /nonexistent/ftp.toml init")
        );
        let closed = Error::Config(ConfigError::Unreadable {
            path: "f.toml".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        });
        assert_eq!(
            config_fix(Path::new("f.toml"), &closed),
            "sudo chown $(id -un) f.toml"
        );
    }
}
