//! Waits that double each time and end at a longest. Pure.

use std::time::Duration;

/// Returns `first`, doubled `times` times, and `most` at most.
pub(crate) fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    2u32.checked_pow(times)
        .and_then(|factor| first.checked_mul(factor))
        .map_or(most, |wait| wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_up_to_the_longest() {
        let waits = [0, 1, 2, 3, 31, 32, u32::MAX].map(|times| {
            doubled(Duration::from_secs(60), times, Duration::from_secs(400)).as_secs()
        });
        assert_eq!(waits, [60, 120, 240, 400, 400, 400, 400]);
        // Shorter than the first, it holds from the first on.
        let most = Duration::from_secs(1);
        assert_eq!(doubled(most * 2, 0, most), most);
    }
}
