//! Files that need not be copied, and why.

use std::time::Duration;

use super::{Way, Wishes};
use crate::plan::{
    compare::{Difference, compare},
    times::Age,
    walk::Node,
};

/// Why a file is left out of which that is not certain.
pub const MAY_BE_NEWER: &str = "it may be newer on the target";

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
    let is_different = wishes.different.contains(&node.path);
    let difference = compare(&node.facts, &other.facts);
    if difference == Difference::Same && !is_different {
        return Some("same size and time");
    }
    if wishes.update_only {
        let (there, here) = match wishes.way {
            Way::Up => (other, node),
            Way::Down => (node, other),
        };
        match (wishes.skew.age(&there.facts, &here.facts), wishes.way) {
            (Age::Newer, Way::Up) | (Age::Older, Way::Down) => return Some("newer on the target"),
            (Age::Open, _) => return Some(MAY_BE_NEWER),
            (Age::Newer | Age::Older | Age::Equal, _) => {}
        }
    }
    let is_upload = difference == Difference::Older && !wishes.keeps_times && !is_different;
    (is_upload && is_newer(other, node, wishes.skew.lead())).then_some("same size, uploaded later")
}

/// Tells whether a file is newer by more than this.
fn is_newer(one: &Node, other: &Node, by: Duration) -> bool {
    let (Some(one), Some(other)) = (one.facts.modified, other.facts.modified) else {
        return false;
    };
    one.duration_since(other).is_ok_and(|later| later > by)
}
