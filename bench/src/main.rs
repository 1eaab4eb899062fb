//! `ftp-bench`: measures `ftpd` and `ftpc` beside their peers and prints ratios.
//!
//! Rounds are interleaved: in each round every competitor is measured once, so a machine that
//! slows down slows everyone. Nothing here decides anything; a person reads the table.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is what it is run for"
)]

mod bare;
mod bytes;
mod clients;
mod commands;
mod configs;
mod limits;
mod measure;
mod peers;
mod plot;
mod proc;
mod race;
mod report;
mod rows;
mod run;
mod scale;
mod share;
mod stream;
mod targets;
mod tls;
#[path = "../../tests/harness/trust.rs"]
mod trust;
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::{peers::Place, run::Run};

/// Measures ftpd and ftpc beside their peers.
#[derive(Parser, Debug)]
struct Args {
    /// Small sizes, one round: shows that the bench works, measures nothing
    #[arg(long)]
    short: bool,
    /// Interleaved rounds of every row
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only rows whose name holds one of these words
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these servers
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    /// Fail when a peer is missing or a row fails
    #[arg(long)]
    require: bool,
    /// Where `ftpd` and `ftpc` were built
    #[arg(long, default_value = "target/release")]
    bin: PathBuf,
    /// Where the peers were unpacked
    #[arg(long, env = "FTP_PEERS_DIR", default_value = ".peers")]
    peers: PathBuf,
    /// Where the run's share is made (a tmpfs keeps the disk out of it)
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Write the page here, and the picture beside it
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    raise_file_limit();
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::Builder::new()
        .prefix("ftp-bench")
        .tempdir_in(scratch)?;
    open_to_all(dir.path())?;
    let place = Place {
        dir: dir.path().to_path_buf(),
        bin: fs::canonicalize(&args.bin).with_context(|| args.bin.display().to_string())?,
        peers: fs::canonicalize(&args.peers).unwrap_or_else(|_| args.peers.clone()),
    };
    let mut run = Run::new(&args, &place);
    tls::write_certificate(&place.dir)?;
    share::make_share(&place.share(), run.scale)?;
    let (page, lines) = run.page()?;
    println!("{page}");
    if let Some(out) = &args.out {
        fs::write(out, &page).with_context(|| out.display().to_string())?;
        let picture = plot::svg(&lines, "ftpd and ftpc beside their peers");
        fs::write(out.with_extension("svg"), picture)?;
    }
    let failed = run.failed;
    if args.require && !failed.is_empty() {
        let list = failed.join("\n");
        bail!("{} measurements failed:\n{list}", failed.len());
    }
    Ok(())
}

/// The servers drop their privileges and must still reach the share.
fn open_to_all(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A thousand sessions want two files each on both sides.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: now.maximum,
            maximum: now.maximum,
        },
    );
}
