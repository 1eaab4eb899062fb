//! How many bytes one `sendfile` may move: as many as keep the count of bytes, and the look at the
//! brake, a moment apart.
//!
//! Each call ends with a push and a fresh start in the kernel, which a fast network feels: 4 MiB a
//! call cost a third of a loopback's speed. A slow network keeps the small stride.

use std::time::Duration;

/// The first stride: 512 KiB.
const FIRST: usize = 512 << 10;
/// The shortest, for a network on which the first takes long: 64 KiB.
const LEAST: usize = 64 << 10;
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
        Self(FIRST)
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
            stride.bytes() >> 10
        };
        let grown = [1, 2, 49, 50, 200].map(&mut after);
        assert_eq!(grown, [1024, 2048, 4096, 4096, 4096]);
        let shrunk = [201; 8].map(&mut after);
        assert_eq!(shrunk, [2048, 1024, 512, 256, 128, 64, 64, 64]);
        let longest = 256 << 10;
        assert_eq!([0; 15].map(&mut after)[12..], [longest; 3]);
    }
}
