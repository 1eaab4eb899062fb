//! How each client is told its job.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    clients::{Client, Job},
    configs::write_private,
    peers::{Place, Server},
};

/// Returns the command that does `job`; `None` when this client has no way to do it.
pub(crate) fn command(
    job: Job,
    place: &Place,
    server: &Server,
    client: Client,
    out: &Path,
) -> Result<Option<Command>> {
    let program = client.program(place).context("not on this machine")?;
    let mut command = place.command(&program);
    let files = Files {
        big: place.share().join("pub/big"),
        small: place.share().join("pub/small"),
    };
    match client {
        Client::Ftpc => ftpc(&mut command, job, place, server, out, &files)?,
        Client::Lftp => lftp(&mut command, job, place, server, &files),
        Client::Curl => match curl(job, server, &files) {
            Some(words) => {
                command.args(words);
            }
            None => return Ok(None),
        },
        Client::Ncftp => {
            let Some((name, words)) = ncftp(job, files) else {
                return Ok(None);
            };
            let (target, addr) = (&server.target, server.target.addr);
            command = place.command(program.with_file_name(name));
            command
                .env("HOME", &place.dir)
                .args(["-V", "-u", &target.user, "-p", &target.password])
                .args(["-P", &addr.port().to_string(), &addr.ip().to_string()])
                .args(words);
        }
    }
    Ok(Some(command))
}

/// What the clients upload.
struct Files {
    big: PathBuf,
    small: PathBuf,
}

fn curl(job: Job, server: &Server, files: &Files) -> Option<Vec<OsString>> {
    let target = &server.target;
    let at = |path: &str| format!("ftp://{}/pub/{path}", target.addr).into();
    let mut words: Vec<OsString> = vec!["-sS".into(), "-k".into(), "--user".into()];
    words.push(format!("{}:{}", target.user, target.password).into());
    if job.is_over_tls() {
        words.push("--ssl-reqd".into());
    }
    match job {
        Job::Get { .. } => words.extend(["-o".into(), "big".into(), at("big")]),
        Job::Put { .. } => words.extend(["-T".into(), files.big.clone().into(), at("in0/big")]),
        Job::List => words.push(at("")),
        Job::GetTree { .. } | Job::PutTree { .. } => return None,
    }
    Some(words)
}

fn lftp(command: &mut Command, job: Job, place: &Place, server: &Server, files: &Files) {
    let (big, small) = (files.big.display(), files.small.display());
    let script = match job {
        Job::Get { .. } => "get pub/big".to_owned(),
        Job::Put { .. } => format!("put -O pub/in0 {big}"),
        Job::GetTree { jobs } => format!("mirror -P{jobs} pub/small small"),
        Job::PutTree { jobs } => format!("mirror -R -P{jobs} {small} pub/in0/small"),
        Job::List => "cls pub/".to_owned(),
    };
    let (tls, target) = (job.is_over_tls(), &server.target);
    command.env("HOME", &place.dir).arg("-c").arg(format!(
        "set ssl:verify-certificate no; set ftp:ssl-force {tls}; set ftp:ssl-allow {tls}; \
         open -u {},{} ftp://{}; {script}",
        target.user, target.password, target.addr
    ));
}

/// Which of its programs does it, and the last of its words.
fn ncftp(job: Job, files: Files) -> Option<(&'static str, [PathBuf; 2])> {
    match job {
        Job::Get { tls: false } => Some(("ncftpget", [".".into(), "pub/big".into()])),
        Job::Put { tls: false } => Some(("ncftpput", ["pub/in0".into(), files.big])),
        _ => None,
    }
}

fn ftpc(
    command: &mut Command,
    job: Job,
    place: &Place,
    server: &Server,
    out: &Path,
    files: &Files,
) -> Result<()> {
    let home = place.dir.join("ftpc-home");
    let config = ftpc_config(job, server, &home)?;
    command.env("HOME", &home).env("XDG_CONFIG_HOME", &home);
    command.env("FTPC_PASSWORD", &server.target.password);
    command.arg("--config").arg(config);
    command.args(["-q", "--trust-new"]);
    let site = |path: &str| format!("bench:/pub/{path}");
    match job {
        Job::Get { .. } => command.args(["get", &site("big")]).arg(out.join("big")),
        Job::Put { .. } => command.arg("put").arg(&files.big).arg(site("in0/big")),
        Job::GetTree { jobs } => command
            .args(["--jobs", &jobs.to_string(), "get", "-r", &site("small")])
            .arg(out),
        Job::PutTree { jobs } => command
            .args(["--jobs", &jobs.to_string(), "put", "-r"])
            .arg(&files.small)
            .arg(site("in0/")),
        Job::List => command.args(["ls", &site("")]),
    };
    Ok(())
}

fn ftpc_config(job: Job, server: &Server, home: &Path) -> Result<PathBuf> {
    fs::create_dir_all(home)?;
    let tls = if job.is_over_tls() { "required" } else { "off" };
    let path = home.join(format!("{tls}.toml"));
    let config = format!(
        "[client]\nsite = \"bench\"\nverify = \"never\"\n[site.bench]\n\
         url = \"ftp://{}@{}/pub\"\ntls = \"{tls}\"\n",
        server.target.user, server.target.addr
    );
    write_private(&path, &config)?;
    Ok(path)
}
