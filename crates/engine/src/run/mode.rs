//! `copy`, `sync` or `move`.

/// What a run does with what it has compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The destination gets what the source has.
    Copy,
    /// It loses what the source hasn't, too.
    Sync,
    /// The source loses what the destination has got.
    Move,
}
