//! Medians, ratios and the page they are printed on.

use std::fmt::Write as _;

/// The samples of one competitor in one row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// Who.
    pub(crate) name: String,
    /// Whether it is the program under test.
    pub(crate) ours: bool,
    /// In the row's unit, one a round.
    pub(crate) values: Vec<f64>,
    /// CPU seconds: per GiB where bytes move, per 10,000 small files, else of the whole row.
    pub(crate) cpus: Vec<f64>,
    /// Sessions that failed, over all rounds.
    pub(crate) errors: usize,
}

impl Series {
    /// The samples of `name`, none yet.
    pub(crate) fn of(name: &str, ours: bool) -> Self {
        Self {
            name: name.to_owned(),
            ours,
            ..Self::default()
        }
    }
}

/// One row with everyone in it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The row's name.
    pub(crate) name: String,
    /// Unit of the values.
    pub(crate) unit: &'static str,
    /// Which way is better.
    pub(crate) more_is_better: bool,
    /// The competitors, ours first.
    pub(crate) series: Vec<Series>,
    /// CPU seconds per GiB of a bare `sendfile` loop in the same rounds, where the row has one.
    pub(crate) bare_loop: Vec<f64>,
}

/// Returns the middle of `values`; `None` when there are none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

impl Line {
    /// Returns the best peer's name and median.
    pub(crate) fn best_peer(&self) -> Option<(&str, f64)> {
        self.series
            .iter()
            .filter(|series| !series.ours && series.errors == 0)
            .filter_map(|series| Some((series.name.as_str(), median(&series.values)?)))
            .reduce(|best, next| {
                let better = if self.more_is_better {
                    next.1 > best.1
                } else {
                    next.1 < best.1
                };
                if better { next } else { best }
            })
    }

    /// Returns a competitor's median over the best peer's.
    pub(crate) fn ratio(&self, series: &Series) -> Option<f64> {
        Some(median(&series.values)? / self.best_peer()?.1)
    }
}

/// Prints the rows as one Markdown table a row.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let mut page = String::new();
    for line in lines {
        let better = if line.more_is_better { "more" } else { "less" };
        let _ = writeln!(page, "\n### {}\n", line.name);
        let _ = writeln!(page, "{}; {better} is better.\n", line.unit);
        if let Some(cpu) = median(&line.bare_loop) {
            let _ = writeln!(
                page,
                "A bare `sendfile` loop in the same rounds: {cpu:.3} CPU s.\n"
            );
        }
        let _ = writeln!(
            page,
            "| | median | min-max | ratio to best peer | CPU s | errors |"
        );
        let _ = writeln!(page, "|---|---|---|---|---|---|");
        for series in &line.series {
            let Some(middle) = median(&series.values) else {
                let _ = writeln!(
                    page,
                    "| {} | failed | | | | {} |",
                    series.name, series.errors
                );
                continue;
            };
            let least = series.values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = series.values.iter().copied().fold(0.0, f64::max);
            let ratio = line
                .ratio(series)
                .map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let cpu = median(&series.cpus).map_or(String::new(), |cpu| format!("{cpu:.3}"));
            let _ = writeln!(
                page,
                "| {} | {} | {}-{} | {ratio} | {cpu} | {} |",
                series.name,
                short(middle),
                short(least),
                short(most),
                series.errors
            );
        }
    }
    page
}

/// Prints a value with as many digits as it deserves.
pub(crate) fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, ours: bool, values: &[f64]) -> Series {
        Series {
            name: name.to_owned(),
            ours,
            values: values.to_vec(),
            ..Series::default()
        }
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_to_the_best_peer_whichever_way_is_better() {
        let all = vec![
            series("us", true, &[8.0]),
            series("a", false, &[4.0]),
            series("b", false, &[2.0]),
        ];
        let more = Line {
            name: "x".into(),
            unit: "MB/s",
            more_is_better: true,
            series: all.clone(),
            bare_loop: Vec::new(),
        };
        assert_eq!(more.best_peer(), Some(("a", 4.0)));
        assert_eq!(more.ratio(&all[0]), Some(2.0));
        let less = Line {
            more_is_better: false,
            ..more
        };
        assert_eq!(less.best_peer(), Some(("b", 2.0)));
    }
}
