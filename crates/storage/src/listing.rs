//! What a folder holds, and how old that knowledge may be.

use std::time::Duration;

use crate::{Entry, RemotePath, StorageError};

/// How old the answer to a question about a folder may be. A remote that keeps nothing in memory always looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Whatever is known will do, however old. Only what isn't known is asked for.
    Known,
    /// What was learned within this time will do. A time shorter than the service's own interval for a folder counts
    /// as that interval, since the service would give nothing newer.
    Within(Duration),
    /// What was learned since the remote was opened will do, and what the remote's own options let count.
    SinceStart,
}

/// What a folder holds, and what of it is unknown. Whoever removes what a listing doesn't hold has to look at both.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files and folders, sorted by the bytes of their names.
    pub entries: Vec<Entry>,
    /// What was left out.
    pub gaps: Vec<Gap>,
}

impl From<Vec<Entry>> for Listing {
    /// Takes entries as a listing without gaps.
    fn from(entries: Vec<Entry>) -> Self {
        Self { entries, gaps: Vec::new() }
    }
}

/// Something in a folder about which nothing could be learned.
#[derive(Debug)]
pub struct Gap {
    /// Where.
    pub path: RemotePath,
    /// Why.
    pub error: StorageError,
}
