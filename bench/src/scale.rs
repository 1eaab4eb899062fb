//! How much each row moves: the full run, and a short one that only shows that the bench works.

/// Sizes and counts of every row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Bytes of the big file.
    pub(crate) big: u64,
    /// Small files in a row.
    pub(crate) small_files: usize,
    /// Bytes of one small file.
    pub(crate) small_size: usize,
    /// Logins in a row.
    pub(crate) logins: usize,
    /// Names in the two listed directories.
    pub(crate) names: [usize; 2],
    /// Idle sessions held open.
    pub(crate) idle: usize,
    /// Sessions that download at once.
    pub(crate) crowd: usize,
    /// NOOP round trips.
    pub(crate) noops: usize,
}

impl Scale {
    /// What the published figures are made with.
    pub(crate) const FULL: Self = Self {
        big: 1 << 30,
        small_files: 2_000,
        small_size: 4_096,
        logins: 300,
        names: [10_000, 100_000],
        idle: 500,
        crowd: 1_000,
        noops: 5_000,
    };

    /// Just enough to run every row once.
    pub(crate) const SHORT: Self = Self {
        big: 8 << 20,
        small_files: 40,
        small_size: 4_096,
        logins: 5,
        names: [200, 1_000],
        idle: 10,
        crowd: 20,
        noops: 100,
    };
}
