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
mod clients;
mod configs;
mod limits;
mod measure;
mod peers;
mod plot;
mod proc;
mod report;
mod rows;
mod scale;
mod share;
mod targets;
mod tls;
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::{
    clients::{Client, Job},
    peers::{Kind, Place, Server},
    report::{Line, Series},
    rows::Row,
    scale::Scale,
};

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
    let scale = if args.short {
        Scale::SHORT
    } else {
        Scale::FULL
    };
    let rounds = if args.short { 1 } else { args.rounds };
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
    tls::write_certificate(&place.dir)?;
    share::make_share(&place.share(), &scale)?;

    let mut run = Run {
        args: &args,
        place: &place,
        scale: &scale,
        rounds,
        failed: Vec::new(),
        load: proc::load(),
    };
    let (limits, bare_loop) = run.limits()?;
    let mut lines = run.servers()?;
    lines.extend(run.clients()?);
    let page = format!(
        "{}{limits}{}{}",
        run.head(),
        targets::summary(&lines, bare_loop),
        report::markdown(&lines)
    );
    println!("{page}");
    if let Some(out) = &args.out {
        fs::write(out, &page).with_context(|| out.display().to_string())?;
        fs::write(
            out.with_extension("svg"),
            plot::svg(&lines, "ftpd and ftpc beside their peers"),
        )?;
    }
    if args.require && !run.failed.is_empty() {
        bail!(
            "{} measurements failed:\n{}",
            run.failed.len(),
            run.failed.join("\n")
        );
    }
    Ok(())
}

struct Run<'a> {
    args: &'a Args,
    place: &'a Place,
    scale: &'a Scale,
    rounds: usize,
    failed: Vec<String>,
    load: String,
}

impl Run<'_> {
    fn wants(&self, row: &str) -> bool {
        self.args.only.is_empty()
            || self
                .args
                .only
                .iter()
                .any(|word| row.contains(word.as_str()))
    }

    fn wants_server(&self, kind: Kind) -> bool {
        let only = &self.args.servers;
        only.is_empty() || only.iter().any(|name| name == kind.name())
    }

    fn head(&self) -> String {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        let mut head = format!(
            "# Run of {now}\n\n{}; share on {}; rounds: {}; load before the run: {}.\n\n",
            proc::machine(),
            proc::file_system(&self.place.dir),
            self.rounds,
            self.load,
        );
        head += proc::scheduler();
        head += "CPU seconds are per GiB where bytes move, per 10,000 small files on the server's side, \
                 else of the whole row.\n\n";
        for kind in Kind::ALL {
            head += &format!("- {}: {}\n", kind.name(), peers::version(self.place, kind));
        }
        for client in Client::ALL {
            head += &format!("- {}: {}\n", client.name(), client.version(self.place));
        }
        head
    }

    /// Returns the generator's own limit in words, and the CPU seconds per GiB of a bare `sendfile` loop.
    fn limits(&mut self) -> Result<(String, f64)> {
        let big = self.place.share().join("pub/big");
        let (send, sink) = (limits::sender(&big)?, limits::sink(&big)?);
        let mut words = format!(
            "\nThe generator's own limit: download from a bare `sendfile` loop {:.0} MB/s \
             ({:.2} CPU s/GiB in the loop), upload into a bare sink {:.0} MB/s ({:.2}).\n",
            send.speed, send.cpu, sink.speed, sink.cpu
        );
        words += &self.small_limits()?;
        Ok((words, send.cpu))
    }

    fn small_limits(&self) -> Result<String> {
        let mut words = String::new();
        for row in Row::all().into_iter().filter(|row| self.wants(&row.name())) {
            let Row::Small { way, sessions } = row else {
                continue;
            };
            let mut speeds = Vec::with_capacity(self.rounds);
            for _ in 0..self.rounds {
                speeds.push(bare::limit(&self.place.share(), self.scale, way, sessions)?);
            }
            let speed = report::median(&speeds).unwrap_or_default();
            words += &format!(
                "Against a bare server, {}: {speed:.0} files/s.\n",
                row.name()
            );
        }
        Ok(words)
    }

    fn servers(&mut self) -> Result<Vec<Line>> {
        let rows: Vec<Row> = Row::all()
            .into_iter()
            .filter(|row| self.wants(&row.name()))
            .collect();
        let mut lines = Vec::new();
        for row in rows {
            eprintln!("{}", row.name());
            lines.push(self.row(row)?);
        }
        Ok(lines)
    }

    fn row(&mut self, row: Row) -> Result<Line> {
        let kinds: Vec<Kind> = Kind::ALL
            .into_iter()
            .filter(|kind| self.wants_server(*kind))
            .collect();
        let mut series: Vec<Series> = kinds
            .iter()
            .map(|kind| Series {
                name: kind.name().to_owned(),
                ours: kind.is_ours(),
                ..Series::default()
            })
            .collect();
        let rounds = if row.is_steady() { 1 } else { self.rounds };
        for round in 0..rounds {
            for i in 0..kinds.len() {
                // Each round begins with another server: whoever comes first has no advantage.
                let at = (i + round) % kinds.len();
                self.sample(row, kinds[at], &mut series[at]);
            }
        }
        series.retain(|series| series.errors > 0 || !series.values.is_empty());
        Ok(Line {
            name: row.name(),
            unit: row.unit(),
            more_is_better: row.more_is_better(),
            series,
        })
    }

    fn sample(&mut self, row: Row, kind: Kind, series: &mut Series) {
        let sample = match Server::start(self.place, kind) {
            Ok(Some(server)) => row.measure(self.place, &server, self.scale),
            Ok(None) => Err(anyhow::anyhow!("not on this machine")),
            Err(error) => Err(error),
        };
        match sample {
            Ok(sample) => {
                series.values.push(sample.value);
                series.cpus.extend(sample.cpu);
                series.errors += sample.errors;
                // What a peer cannot do is a row of the table; of ours it is a failure.
                if kind.is_ours() && sample.errors > 0 {
                    let (name, row, count) = (kind.name(), row.name(), sample.errors);
                    self.failed
                        .push(format!("{name} {row}: {count} sessions failed"));
                }
            }
            Err(error) => {
                series.errors += 1;
                let line = format!("{} {}: {error:#}", kind.name(), row.name());
                eprintln!("  {line}");
                self.failed.push(line);
            }
        }
    }

    fn clients(&mut self) -> Result<Vec<Line>> {
        let jobs: Vec<Job> = Job::ALL
            .into_iter()
            .filter(|job| self.wants(&job.name()))
            .collect();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = Vec::new();
        for kind in Job::SERVERS {
            let Some(server) = Server::start(self.place, kind)? else {
                self.failed.push(format!(
                    "{}, for the clients: not on this machine",
                    kind.name()
                ));
                continue;
            };
            for job in &jobs {
                eprintln!("{} against {}", job.name(), kind.name());
                lines.push(self.job(*job, &server));
            }
        }
        Ok(lines)
    }

    fn job(&mut self, job: Job, server: &Server) -> Line {
        let mut series: Vec<Series> = Client::ALL
            .iter()
            .map(|client| Series {
                name: client.name().to_owned(),
                ours: *client == Client::Ftpc,
                ..Series::default()
            })
            .collect();
        for round in 0..self.rounds {
            for i in 0..series.len() {
                let at = (i + round) % series.len();
                match job.run(self.place, server, Client::ALL[at], self.scale) {
                    Ok(Some(cost)) => {
                        series[at].values.push(cost.wall);
                        series[at].cpus.push(cost.cpu);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        series[at].errors += 1;
                        eprintln!("  {error:#}");
                        self.failed.push(format!("{error:#}"));
                    }
                }
            }
        }
        series.retain(|series| series.errors > 0 || !series.values.is_empty());
        Line {
            name: format!("{} ({})", job.name(), server.kind.name()),
            unit: "s",
            more_is_better: false,
            series,
        }
    }
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
