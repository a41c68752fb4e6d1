//! `--order-by`: the order in which files are transferred.

/// Order in which transfers are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The order in which they were found: folder by folder.
    #[default]
    Found,
    /// The order of a property of the files.
    By(OrderKey, Direction),
}

/// Property that files are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderKey {
    /// Path of the file.
    Name,
    /// Size in bytes.
    Size,
    /// Modification time.
    Modified,
}

/// End of the order that comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The first, smallest or oldest comes first.
    Ascending,
    /// The last, largest or newest comes first.
    Descending,
    /// Both ends at once, so that large files use the whole bandwidth while small ones go by.
    Mixed {
        /// Percentage of the transfers at one time that are taken from the ascending end.
        percent: u8,
    },
}

impl Direction {
    /// Returns how many of `most` transfers are taken from the ascending end. The others are taken from the other end.
    pub(crate) fn ascending(self, most: usize) -> usize {
        match self {
            Self::Ascending => most,
            Self::Descending => 0,
            Self::Mixed { percent } => most * usize::from(percent.min(100)) / 100,
        }
    }
}
