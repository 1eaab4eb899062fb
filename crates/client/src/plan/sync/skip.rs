//! Files that need not be copied, and why.

use std::time::Duration;

use super::Wishes;
use crate::plan::{
    compare::{Difference, compare},
    walk::Node,
};

/// Says why a file of the source is left out; `None`: it is copied.
pub(super) fn reason_to_skip(
    node: &Node,
    other: Option<&Node>,
    wishes: &Wishes,
) -> Option<&'static str> {
    let other = other?;
    if wishes.equal.contains(&node.path) {
        return Some("same content");
    }
    if wishes.update_only
        && (is_newer(other, node, wishes.skew.ahead) || is_late(other, node, wishes.skew.behind))
    {
        return Some("newer on the target");
    }
    if wishes.unsure.contains(&node.path) {
        return Some("it may be newer on the target");
    }
    if wishes.different.contains(&node.path) {
        return None;
    }
    match compare(&node.facts, &other.facts) {
        Difference::Same => Some("same size and time"),
        Difference::Older if !wishes.keeps_times && is_newer(other, node, wishes.skew.ahead) => {
            Some("same size, uploaded later")
        }
        _ => None,
    }
}

/// Tells whether a file is newer by more than this.
fn is_newer(one: &Node, other: &Node, by: Duration) -> bool {
    let (Some(one), Some(other)) = (one.facts.modified, other.facts.modified) else {
        return false;
    };
    one.duration_since(other).is_ok_and(|later| later > by)
}

/// Tells whether a file may be newer than this one though its time is older, by a clock so far behind.
fn is_late(one: &Node, other: &Node, behind: Duration) -> bool {
    let times = one.facts.modified.zip(other.facts.modified);
    !behind.is_zero()
        && times.is_some_and(|(one_s, other_s)| other_s < one_s + one.facts.precision + behind)
}
