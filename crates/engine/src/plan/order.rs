//! In which order files are transferred: `--order-by`.

/// In which order transfers are begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they were found: folder by folder.
    #[default]
    Found,
    /// By a property of the files.
    By(OrderKey, Direction),
}

/// What files are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKey {
    /// Their path.
    Name,
    /// Their size.
    Size,
    /// When they were modified.
    Modified,
}

/// Which end of the order comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The first, the smallest, the oldest.
    Ascending,
    /// The last, the largest, the newest.
    Descending,
    /// Both ends at once, so that large files keep the line busy while small ones go by.
    Mixed {
        /// How much of what is transferred at once is taken from the ascending end.
        percent: u8,
    },
}

impl Direction {
    /// How many of `most` transfers are taken from the ascending end; the others are from the other one.
    pub(crate) fn ascending(self, most: usize) -> usize {
        match self {
            Self::Ascending => most,
            Self::Descending => 0,
            Self::Mixed { percent } => most * usize::from(percent.min(100)) / 100,
        }
    }
}
