//! The temporary names that uploads have until they are whole.

use crate::{
    error::{Phase, RemoteError},
    remote::names,
};

/// The longest name that disks take, in bytes.
const LONGEST: usize = 255;

/// Returns the temporary name beside `path`; a name near the limit is cut.
pub(super) fn part_name(path: &str, tag: &str) -> String {
    let (dir, name) = names::split(path);
    let end = format!(".{tag}.ftpc-part");
    let kept = &name[..room(name, &end)];
    names::join(dir, &format!("{kept}{end}"))
}

/// Tells whether the temporary name holds the whole of the final one.
pub(super) fn is_cut(path: &str, tag: &str) -> bool {
    let name = names::split(path).1;
    room(name, &format!(".{tag}.ftpc-part")) < name.len()
}

fn room(name: &str, end: &str) -> usize {
    let most = LONGEST.saturating_sub(end.len()).min(name.len());
    (0..=most)
        .rev()
        .find(|at| name.is_char_boundary(*at))
        .unwrap_or(0)
}

/// A write-only directory, or a name that the server does not like: 5xx for the part, where the
/// file itself may be welcome. By 202 some say that they do not rename. Not one that finds no room: that is no better
/// under another name.
pub(super) fn is_unwelcome(part: &str, error: &RemoteError) -> bool {
    let RemoteError::Refused { verb, path, reply } = error else {
        return false;
    };
    let about_part = path.as_deref() == Some(part) && matches!(verb.as_str(), "STOR" | "RNFR");
    about_part && matches!(reply.code, 202 | 500..=504 | 550 | 553) && !error.is_no_room()
}

/// Tells whether a STOR was sent and never answered: some servers (vsftpd) make the file, or empty it, before
/// their 150.
pub(super) fn is_unanswered(error: &RemoteError) -> bool {
    match error {
        RemoteError::Timeout { phase, .. } => matches!(phase, Phase::Begin),
        RemoteError::Io { verb, .. } => verb == "STOR",
        _ => false,
    }
}

/// Names the file in place of its part, which nobody has named.
pub(super) fn named(path: &str, error: RemoteError) -> RemoteError {
    match error {
        RemoteError::BadName { why, .. } => RemoteError::BadName {
            name: names::escaped(path),
            why,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_still_has_a_part() {
        assert_eq!(part_name("/in/a", "t"), "/in/a.t.ftpc-part");
        assert!(!is_cut("/in/a", "t"));
        for long in ["x".repeat(255), "\u{4e2d}".repeat(85)] {
            let path = format!("/in/{long}");
            let part = part_name(&path, "12345678");
            let name = part.strip_prefix("/in/").unwrap();
            assert!(name.len() <= LONGEST && name.len() > 200, "{name}");
            assert!(name.ends_with(".12345678.ftpc-part") && is_cut(&path, "12345678"));
        }
    }
}
