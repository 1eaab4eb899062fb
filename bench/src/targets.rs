//! What each row should reach, and the table that says whether it did.

use std::fmt::Write as _;

use crate::report::{Line, Series, median, short};

/// What a row is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    /// The best peer of the row.
    Best,
    /// One peer, by name.
    Peer(&'static str),
    /// The value itself.
    Nothing,
}

impl Against {
    /// Returns its name and value in this row.
    fn reference(self, line: &Line) -> Option<(&str, f64)> {
        match self {
            Self::Best => line.best_peer(),
            Self::Peer(name) => {
                let mut all = line.series.iter();
                let peer = all.find(|series| series.name == name)?;
                Some((name, median(&peer.values)?))
            }
            Self::Nothing => Some(("", 1.0)),
        }
    }
}

/// A row's target: at least or at most `bound`, as the row's better way goes.
#[derive(Clone, Copy, Debug)]
struct Target {
    against: Against,
    bound: f64,
    /// CPU at most this many times that of what [`cpu_base`] says.
    cpu: Option<f64>,
}

impl Target {
    fn is_met(self, line: &Line, ratio: f64, cpu: Option<f64>) -> bool {
        let is_fast = if line.more_is_better {
            ratio >= self.bound
        } else {
            ratio <= self.bound
        };
        let is_thrifty = self
            .cpu
            .is_none_or(|most| cpu.is_none_or(|cpu| cpu <= most));
        is_fast && is_thrifty
    }
}

/// Returns the target of the row called `name`; rows without one are only watched.
fn target(name: &str) -> Option<Target> {
    use Against::{Best, Nothing, Peer};
    // A client's row names the server in parentheses: the same holds against each.
    let name = name.split(" (").next().unwrap_or(name);
    let (against, bound, cpu) = match name {
        "retr-plain-1" | "retr-plain-4" => (Best, 1.0, Some(1.1)),
        "stor-plain-1" | "stor-plain-4" => (Best, 1.1, Some(1.0)),
        "retr-tls-1" | "retr-tls-4" | "stor-tls-1" | "stor-tls-4" => (Best, 1.3, Some(0.6)),
        _ if name.starts_with("small-") => (Best, 1.2, None),
        "login-plain" => (Peer("vsftpd"), 10.0, None),
        "login-tls" => (Peer("vsftpd"), 5.0, None),
        "list" | "list-large" => (Best, 0.5, None),
        "idle-plain" => (Nothing, 16.0, None),
        "idle-tls" => (Nothing, 64.0, None),
        "crowd" => (Best, 1.0, None),
        "client-get-plain" | "client-put-plain" => (Peer("curl"), 0.8, Some(0.7)),
        "client-get-tls" | "client-put-tls" => (Peer("curl"), 1.0, None),
        "client-get-tree-4" | "client-put-tree-4" => (Peer("lftp"), 0.5, None),
        _ => return None,
    };
    Some(Target {
        against,
        bound,
        cpu,
    })
}

/// One line a row: ours, what it is held against, the ratio, the target, whether it holds.
pub(crate) fn summary(lines: &[Line]) -> String {
    let mut page = String::from(
        "\nThe CPU ratios below are to the bare loop for plain downloads, to the peer named for the \
         clients, else to\nthe lowest peer.\n\n| row | ours | held against | ratio | target | CPU ratio | target | holds |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let Some(ours) = line.series.iter().find(|series| series.ours) else {
            continue;
        };
        let _ = writeln!(page, "{}", row(line, ours));
    }
    page
}

fn row(line: &Line, ours: &Series) -> String {
    let Some(value) = median(&ours.values) else {
        return format!("| {} | failed | | | | | | no |", line.name);
    };
    let aim = target(&line.name);
    let against = aim.map_or(Against::Best, |aim| aim.against);
    let Some((peer, base)) = against.reference(line) else {
        return format!("| {} | {} | no peer | | | | | |", line.name, short(value));
    };
    let ratio = value / base;
    let cpu = median(&ours.cpus)
        .zip(cpu_base(line, against))
        .map(|(cpu, base)| cpu / base);
    let sign = if line.more_is_better { ">=" } else { "<=" };
    let held = aim.map(|aim| aim.is_met(line, ratio, cpu) && ours.errors == 0);
    let held_against = match against {
        Against::Nothing => line.unit.to_owned(),
        _ => format!("{peer} {}", short(base)),
    };
    format!(
        "| {} | {} {} | {held_against} | {ratio:.2} | {} | {} | {} | {} |",
        line.name,
        short(value),
        line.unit,
        aim.map_or(String::new(), |aim| format!("{sign} {}", aim.bound)),
        cpu.map_or(String::new(), |cpu| format!("{cpu:.2}")),
        aim.and_then(|aim| aim.cpu)
            .map_or(String::new(), |most| format!("<= {most}")),
        held.map_or("", |held| if held { "yes" } else { "no" }),
    )
}

/// Returns the CPU time that ours is held against: a bare loop's for plain downloads, the named
/// peer's where the row has one, else the lowest peer's.
fn cpu_base(line: &Line, against: Against) -> Option<f64> {
    if !line.bare_loop.is_empty() {
        return median(&line.bare_loop);
    }
    let counts = |series: &&Series| match against {
        Against::Peer(name) => series.name == name,
        Against::Best | Against::Nothing => !series.ours && series.errors == 0,
    };
    let peers = line.series.iter().filter(counts);
    peers
        .filter_map(|series| median(&series.cpus))
        .filter(|cpu| *cpu > 0.0)
        .min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, more_is_better: bool, ours: f64, peer: (&str, f64)) -> Line {
        let series = |name: &str, ours, value, cpu| Series {
            name: name.to_owned(),
            ours,
            values: vec![value],
            cpus: vec![cpu],
            errors: 0,
        };
        Line {
            name: name.to_owned(),
            unit: "x",
            more_is_better,
            series: vec![
                series("ftpd", true, ours, 1.0),
                series(peer.0, false, peer.1, 2.0),
            ],
            bare_loop: Vec::new(),
        }
    }

    #[test]
    fn a_target_holds_or_does_not_in_the_rows_own_direction() {
        let ends = |line: Line, word: &str| {
            assert!(row(&line, &line.series[0]).ends_with(word), "{}", line.name);
        };
        ends(line("stor-plain-1", true, 11.0, ("a", 10.0)), "| yes |");
        ends(line("stor-plain-1", true, 10.9, ("a", 10.0)), "| no |");
        ends(line("list", false, 5.0, ("a", 10.0)), "| yes |");
        ends(line("list", false, 5.1, ("a", 10.0)), "| no |");
        ends(line("idle-plain", false, 16.0, ("a", 1.0)), "| yes |");
        ends(line("login-tls", true, 5.0, ("vsftpd", 1.0)), "| yes |");
        ends(line("noop-p50", false, 5.0, ("a", 1.0)), "|  |");
    }

    #[test]
    fn dear_cpu_fails_a_fast_row() {
        let mut slow = line("retr-tls-1", true, 20.0, ("a", 10.0));
        assert!(row(&slow, &slow.series[0]).ends_with("| yes |"));
        slow.series[0].cpus = vec![1.3];
        assert!(row(&slow, &slow.series[0]).ends_with("| no |"));
    }

    #[test]
    fn cpu_is_held_against_what_the_target_names() {
        let mut put = line("client-put-plain (ftpd)", false, 5.0, ("curl", 10.0));
        put.series.push(Series {
            name: "ncftp".to_owned(),
            cpus: vec![1.0],
            values: vec![9.0],
            ..Series::default()
        });
        assert!(row(&put, &put.series[0]).contains("| 0.50 | <= 0.8 | 0.50 | <= 0.7 | yes |"));
        let mut get = line("retr-plain-1", true, 10.0, ("vsftpd", 10.0));
        get.bare_loop = vec![0.4, 0.5, 0.6];
        assert!(row(&get, &get.series[0]).contains("| 2.00 | <= 1.1 | no |"));
        get.bare_loop = vec![0.9, 1.0, 1.1];
        assert!(row(&get, &get.series[0]).contains("| 1.00 | <= 1.1 | yes |"));
    }

    #[test]
    fn errors_fail_a_row_whatever_its_time() {
        let mut bad = line("crowd", false, 1.0, ("a", 10.0));
        bad.series[0].errors = 1;
        assert!(row(&bad, &bad.series[0]).ends_with("| no |"));
    }
}
