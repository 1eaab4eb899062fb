//! What a digest is asked of: a name, and for the X commands a part of the file.

use super::{Command, DigestArgs, Fault, WireName, number, optional, some, word};
use crate::share::Algorithm;

pub(super) fn digest(
    algorithm: Option<Algorithm>,
    arg: &[u8],
    usage: &'static str,
) -> Result<Command, Fault> {
    let name = some(arg, usage)?;
    let part = match quoted(arg) {
        Some((name, b"")) => Some((name, 0, None)),
        // HASH of the draft knows no ranges.
        _ if algorithm.is_none() => None,
        Some((name, tail)) => bounds(tail).map(|(start, end)| (name, start, end)),
        None => trailing_bounds(arg),
    };
    Ok(Command::Digest(DigestArgs {
        algorithm,
        name,
        part,
    }))
}

fn quoted(arg: &[u8]) -> Option<(WireName, &[u8])> {
    let inner = arg.strip_prefix(b"\"")?;
    let end = inner.iter().rposition(|b| *b == b'"')?;
    Some((optional(&inner[..end])?, &inner[end + 1..]))
}

/// ` start` or ` start end`.
fn bounds(tail: &[u8]) -> Option<(u64, Option<u64>)> {
    let mut numbers = word(tail)?.split_whitespace();
    let start = number(numbers.next()?.as_bytes())?;
    let end = match numbers.next() {
        Some(end) => Some(number(end.as_bytes())?),
        None => None,
    };
    numbers.next().is_none().then_some((start, end))
}

fn trailing_bounds(arg: &[u8]) -> Option<(WireName, u64, Option<u64>)> {
    let cut = |bytes: &[u8]| {
        let space = bytes.iter().rposition(|b| *b == b' ')?;
        Some((bytes[..space].to_vec(), number(&bytes[space + 1..])?))
    };
    let (head, last) = cut(arg)?;
    match cut(&head) {
        Some((name, start)) if !name.is_empty() => Some((name, start, Some(last))),
        _ if !head.is_empty() => Some((head, last, None)),
        _ => None,
    }
}
