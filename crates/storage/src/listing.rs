//! What a folder holds, and how old that knowledge may be.

use std::time::Duration;

use crate::{Entry, Name, RemotePath, StorageError};

/// How old an answer about a folder may be. A remote that keeps nothing in memory always looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Accepts whatever is known, however old. Only what isn't known is asked for.
    Known,
    /// Accepts what was learned within this time. A time shorter than the service's own interval for a folder counts
    /// as that interval, since the service would give nothing newer.
    Within(Duration),
    /// Accepts what was learned since the remote was opened, and what the remote's own options allow.
    SinceStart,
}

/// Content of a folder, and what is unknown about it. Code that removes what a listing lacks has to look at both.
#[derive(Debug, Default)]
pub struct Listing {
    /// Files and folders, sorted by the bytes of their names.
    pub entries: Vec<Entry>,
    /// Entries about which nothing could be learned.
    pub gaps: Vec<Gap>,
    /// Names that are symbolic links. A link that is followed is an entry, too. One that isn't is none, and nothing can be
    /// stored behind it.
    pub links: Vec<Name>,
}

impl From<Vec<Entry>> for Listing {
    /// Makes a listing without gaps from entries.
    fn from(entries: Vec<Entry>) -> Self {
        Self { entries, ..Self::default() }
    }
}

/// An entry in a folder about which nothing could be learned.
#[derive(Debug)]
pub struct Gap {
    /// Path of the entry.
    pub path: RemotePath,
    /// Why nothing could be learned.
    pub error: StorageError,
}
