//! Targets of a plan that may be one on their disk, for whatever reason.

use super::{
    Plan,
    blind::{Aim, Judged, judge, judge_alike},
    case::Twin,
};
use crate::error::RemoteError;

/// Targets, two and two, that some disks take for one.
#[derive(Debug, Default)]
pub struct Pairs {
    by_case: Vec<Twin>,
    otherwise: Vec<Twin>,
}

impl Plan {
    /// Returns its targets that some disks take for one.
    #[must_use]
    pub fn pairs(&self) -> Pairs {
        Pairs {
            by_case: self.twins(),
            otherwise: self.alike(),
        }
    }
}

impl Pairs {
    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_case.is_empty() && self.otherwise.is_empty()
    }

    /// Asks the disk: first of those that differ in case only, then of the others.
    ///
    /// # Errors
    /// The session broke.
    pub async fn judge(self, aim: &mut Aim<'_>) -> Result<[Judged; 2], RemoteError> {
        let by_case = judge(self.by_case, aim).await?;
        let otherwise = judge_alike(aim, self.otherwise).await?;
        Ok([by_case, otherwise])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::Step,
        remote::{Dial as _, memory::Memory},
    };

    #[tokio::test]
    async fn what_is_fetched_may_be_one_here_in_case_or_otherwise() {
        let server = Memory::new(&[]).blind_below("/t/");
        server.put("/t/x", b"1", std::time::SystemTime::UNIX_EPOCH);
        let mut session = server.dial().await.unwrap();
        let mut plan = Plan::new(".");
        let fetched = ["A", "a", "e\u{301}", "\u{e9}", "x ", "x"];
        plan.steps = fetched.iter().map(|name| Step::fetch(name)).collect();
        let mut aim = Aim::There(&mut *session, "/t");
        for judged in plan.pairs().judge(&mut aim).await.unwrap() {
            assert!(judged.unseen.is_empty() && judged.left.is_empty());
            plan.refuse_twins(&judged.one, "so");
        }
        let refused = ["a", "\u{e9}"];
        let is_fetched = |name: &&str| plan.steps.contains(&Step::fetch(name));
        assert!(!refused.iter().any(is_fetched), "{plan:?}");
        let stays = ["A", "e\u{301}", "x ", "x"];
        assert!(stays.iter().all(is_fetched), "{plan:?}");
        assert_eq!(plan.steps.len(), 6, "each is told");
    }
}
