//! A QR code as text, two rows of modules a line. The only room that names the QR library.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Black modules on white, whatever the colours of the terminal.
const PAPER: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Draws `text`; `None` when it is too long. With `color` the colours are fixed; without, blocks are
/// the light modules, as on a dark terminal.
#[must_use]
pub(super) fn draw(text: &str, color: bool) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let mut renderer = code.render::<Dense1x2>();
    if !color {
        renderer
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
    }
    let drawn = renderer.build();
    let lines = drawn.lines().map(|line| match color {
        true => format!("{PAPER}{line}{PLAIN}\n"),
        false => format!("{line}\n"),
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "ftp://guest:lusab-babad-gutih-tugad@192.168.100.100:2121/";

    #[test]
    fn a_code_fits_a_terminal_and_is_square() {
        let drawn = draw(URL, false).unwrap();
        let widths: Vec<_> = drawn.lines().map(|line| line.chars().count()).collect();
        assert!(
            widths
                .iter()
                .all(|width| *width == widths[0] && *width <= 60),
            "{widths:?}"
        );
        assert_eq!(widths.len(), widths[0].div_ceil(2));
        assert!(
            drawn.lines().next().unwrap().chars().all(|c| c == '█'),
            "a light border"
        );
    }

    #[test]
    fn colour_turns_the_blocks_round() {
        let drawn = draw(URL, true).unwrap();
        assert!(drawn.starts_with(&format!("{PAPER}  ")));
        assert!(drawn.lines().all(|line| line.ends_with(PLAIN)));
        assert_eq!(draw(&"x".repeat(5000), false), None);
    }
}
