//! The three kinds of run: `copy`, `sync` and `move`.

/// Kind of run: copy, sync or move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The destination gets what the source has.
    Copy,
    /// The destination also loses what the source doesn't have.
    Sync,
    /// The source loses what the destination has got.
    Move,
}
