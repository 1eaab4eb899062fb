//! What may end a session from outside: the kill, a kick, the stop, the deadline.

use std::pin::Pin;

use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFuture;

/// What ends a session from outside. It is watched from its beginning to its end: to begin anew with
/// each command would cost as much as many a command does.
pub(super) struct Outside<'a, 'token> {
    pub(super) killed: Pin<&'a mut WaitForCancellationFuture<'token>>,
    pub(super) kicked: Pin<&'a mut WaitForCancellationFuture<'token>>,
    pub(super) stopped: Pin<&'a mut WaitForCancellationFuture<'token>>,
    /// Rings at the deadline or before it: deadlines are put off with each command, this is not.
    pub(super) alarm: Pin<&'a mut Sleep>,
}

impl Outside<'_, '_> {
    /// Sets the alarm to a deadline that comes before it.
    pub(super) fn be_early(&mut self, deadline: Instant) {
        if deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{pin::pin, time::Duration};
    use tokio::time::sleep_until;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn the_alarm_is_never_later_than_the_deadline_and_not_moved_for_a_later_one() {
        let token = CancellationToken::new();
        let first = Instant::now() + Duration::from_secs(60);
        let (killed, kicked) = (pin!(token.cancelled()), pin!(token.cancelled()));
        let (stopped, alarm) = (pin!(token.cancelled()), pin!(sleep_until(first)));
        let mut outside = Outside {
            killed,
            kicked,
            stopped,
            alarm,
        };
        outside.be_early(first + Duration::from_secs(300));
        assert_eq!(outside.alarm.deadline(), first);
        let sooner = first - Duration::from_secs(50);
        outside.be_early(sooner);
        assert_eq!(outside.alarm.deadline(), sooner);
    }
}
