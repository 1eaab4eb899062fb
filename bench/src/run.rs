//! One run: which rows and servers were asked for, round by round, and what came of them.

use anyhow::Result;

use crate::{
    Args, bare,
    clients::{Client, Job},
    limits,
    peers::{self, Kind, Place, Server},
    proc,
    report::{self, Line, Series},
    rows::Row,
    scale::Scale,
    share, targets,
};

/// What was asked for, and what failed of it.
pub(crate) struct Run<'a> {
    args: &'a Args,
    place: &'a Place,
    pub(crate) scale: &'static Scale,
    rounds: usize,
    /// In words, one for each measurement.
    pub(crate) failed: Vec<String>,
    load: String,
}

impl<'a> Run<'a> {
    pub(crate) fn new(args: &'a Args, place: &'a Place) -> Self {
        let (scale, rounds) = if args.short {
            (&Scale::SHORT, 1)
        } else {
            (&Scale::FULL, args.rounds)
        };
        Self {
            args,
            place,
            scale,
            rounds,
            failed: Vec::new(),
            load: proc::load(),
        }
    }

    /// Measures everything; returns the page and its rows.
    pub(crate) fn page(&mut self) -> Result<(String, Vec<Line>)> {
        let limits = self.limits()?;
        let mut lines = self.servers()?;
        lines.extend(self.clients()?);
        let head = self.head();
        let summary = targets::summary(&lines);
        let rows = report::markdown(&lines);
        Ok((format!("{head}{limits}{summary}{rows}"), lines))
    }

    fn wants(&self, row: &str) -> bool {
        let only = &self.args.only;
        only.is_empty() || only.iter().any(|word| row.contains(word.as_str()))
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
        head += &proc::congestion();
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

    /// Returns the generator's own limits in words.
    fn limits(&self) -> Result<String> {
        let big = self.place.share().join("pub/big");
        Ok(limits::told(&big, self.rounds)? + &self.small_limits()?)
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
        let series = kinds
            .iter()
            .map(|kind| Series::of(kind.name(), kind.is_ours()));
        let mut series: Vec<Series> = series.collect();
        let rounds = if row.is_steady() { 1 } else { self.rounds };
        let mut bare_loop = Vec::new();
        for round in 0..rounds {
            if row.has_bare_loop() {
                share::settle(self.place)?;
                bare_loop.push(limits::sender(&self.place.share().join("pub/big"))?.cpu);
            }
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
            bare_loop,
        })
    }

    fn sample(&mut self, row: Row, kind: Kind, series: &mut Series) {
        let sample = match Server::start(self.place, kind) {
            Ok(Some(server)) => share::settle(self.place)
                .and_then(|()| row.measure(self.place, &server, self.scale)),
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
        let series = Client::ALL
            .iter()
            .map(|client| Series::of(client.name(), *client == Client::Ftpc));
        let mut series: Vec<Series> = series.collect();
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
            bare_loop: Vec::new(),
        }
    }
}
