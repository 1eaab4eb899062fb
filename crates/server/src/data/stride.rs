//! How many bytes one `sendfile` may move: as many as keep the count of bytes, and the look at the
//! brake, a moment apart.
//!
//! Each call ends with a push and a fresh start in the kernel, which a fast network feels: 4 MiB a
//! call cost a third of a loopback's speed. A slow network keeps the small stride.

use std::time::Duration;

/// The first stride, and the shortest: 4 MiB.
const LEAST: usize = 4 << 20;
/// The longest, for a network that may become slow meanwhile: 256 MiB.
const MOST: usize = 256 << 20;
/// A call that took less may be twice as long;
const SHORT: Duration = Duration::from_millis(50);
/// one that took more must be half as long.
const LONG: Duration = Duration::from_millis(200);

/// Bytes of the next call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stride(usize);

impl Default for Stride {
    fn default() -> Self {
        Self(LEAST)
    }
}

impl Stride {
    pub(super) fn bytes(self) -> usize {
        self.0
    }

    /// Learns how long the last call took.
    pub(super) fn learn(&mut self, took: Duration) {
        if took < SHORT {
            self.0 = (self.0 * 2).min(MOST);
        } else if took > LONG {
            self.0 = (self.0 / 2).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_grow_on_a_fast_network_and_shrink_on_a_slow_one() {
        let mut stride = Stride::default();
        let mut after = |ms| {
            stride.learn(Duration::from_millis(ms));
            stride.bytes() >> 20
        };
        assert_eq!([1, 2, 49, 50, 200].map(&mut after), [8, 16, 32, 32, 32]);
        assert_eq!([201; 5].map(&mut after), [16, 8, 4, 4, 4]);
        assert_eq!([0; 10].map(&mut after)[7..], [256, 256, 256]);
    }
}
