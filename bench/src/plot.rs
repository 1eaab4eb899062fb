//! The picture of a run: one group of bars a row, each bar a ratio to the best peer.

use std::fmt::Write as _;

use crate::report::Line;

const LEFT: f64 = 150.0;
const WIDTH: f64 = 620.0;
const BAR: f64 = 11.0;
const COLOURS: [&str; 7] = [
    "#1f6feb", "#8fb7f5", "#d9822b", "#5aa469", "#9b6bb3", "#b8a13a", "#888888",
];

/// Draws the rows as an SVG; longer is always better and 1 is the best peer.
pub(crate) fn svg(lines: &[Line], title: &str) -> String {
    let bars: usize = lines.iter().map(|line| line.series.len() + 1).sum();
    let height = bars as f64 * (BAR + 2.0) + 90.0;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"10\">\n\
         <rect width=\"900\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">{}</text>\n\
         <text x=\"10\" y=\"36\">bar: ratio to the best peer (dashed line), longer is better, \
         drawn up to 4</text>",
        escape(title)
    );
    let one = LEFT + WIDTH / 4.0;
    let _ = writeln!(
        out,
        "<line x1=\"{one}\" y1=\"45\" x2=\"{one}\" y2=\"{height}\" stroke=\"#666\" \
         stroke-dasharray=\"3,3\"/>"
    );
    let mut y = 56.0;
    for line in lines {
        y = group(&mut out, line, y);
    }
    out.push_str("</svg>\n");
    out
}

/// Draws one row's bars from `y` down; returns where the next group begins.
fn group(out: &mut String, line: &Line, mut y: f64) -> f64 {
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        LEFT - 8.0,
        y + BAR,
        escape(&line.name)
    );
    for (i, series) in line.series.iter().enumerate() {
        let Some(ratio) = line.ratio(series).filter(|ratio| *ratio > 0.0) else {
            continue;
        };
        let ratio = if line.more_is_better {
            ratio
        } else {
            1.0 / ratio
        };
        let width = ratio.min(4.0) * WIDTH / 4.0;
        let colour = COLOURS[i % COLOURS.len()];
        let _ = writeln!(
            out,
            "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" \
             fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{} {ratio:.2}</text>",
            LEFT + width + 4.0,
            y + BAR - 2.0,
            escape(&series.name)
        );
        y += BAR + 2.0;
    }
    y + BAR
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
