//! One line of a `vsftpd.conf`: an option and its value, as vsftpd itself reads them. Pure.

use super::table::{self, Kind, Row};

/// Reads a line; `None`: it says nothing. The error says why vsftpd would refuse it.
pub(super) fn read_line(line: &str) -> Result<Option<(&'static Row, String)>, String> {
    let whole = line.trim_start();
    let line = whole.trim_end();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let shown = whole.escape_debug();
    if line.contains(char::REPLACEMENT_CHARACTER) {
        return Err(format!("`{shown}` is not UTF-8, which ftp.toml has to be"));
    }
    let Some((name, value)) = line.split_once('=') else {
        return Err(format!(
            "`{shown}` has no value: vsftpd would not start with it"
        ));
    };
    let (is_padded_name, name) = (name != name.trim_end(), name.trim());
    let (is_padded_value, value) = (value != value.trim() || whole != line, value.trim());
    let Some(row) = table::find(name) else {
        let near =
            table::nearest(name).map_or(String::new(), |near| format!("; did it mean `{near}`?"));
        return Err(format!(
            "`{}` is not an option of vsftpd{near}",
            name.escape_debug()
        ));
    };
    // vsftpd passes over blanks before a name, and those around a number.
    if is_padded_name || (is_padded_value && row.kind == Kind::Flag) {
        return Err(format!(
            "`{shown}` has blanks that vsftpd would not start with: take them out"
        ));
    }
    let fits = match row.kind {
        Kind::Flag => parse_flag(value).is_some(),
        Kind::Number => parse_number(value).is_some(),
        Kind::Text => true,
    };
    if !fits {
        return Err(match row.kind {
            Kind::Flag => format!("`{shown}` is not YES or NO: vsftpd would not start with it"),
            // vsftpd makes some number of it.
            _ => format!("`{shown}` is not a number: correct it"),
        });
    }
    Ok(Some((row, value.to_owned())))
}

/// Reads `YES` or `NO`, and the words that vsftpd takes for them.
pub(super) fn parse_flag(value: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
    if is(["YES", "TRUE", "1"]) {
        return Some(true);
    }
    is(["NO", "FALSE", "0"]).then_some(false)
}

/// vsftpd reads a number as octal when it begins with `0`, and else as decimal, for every option.
pub(super) fn parse_number(value: &str) -> Option<u64> {
    match value.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u64::from_str_radix(octal, 8).ok(),
        _ => value.parse().ok(),
    }
}
