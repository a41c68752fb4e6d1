//! The transfer engine: list, match, decide, act, report.
//!
//! It knows [remotes](fichier_storage::Remote) only by their trait: no backend, no wire, no terminal.
//!
//! - [`walk`] lists a tree one folder at a time;
//! - [`copy`] and [`copy_to`] make a destination hold what a source holds;
//! - [`remove`] removes files, or a folder with all it holds;
//! - [`Stats`] counts what happens, [`RunReport`] says what became of it;
//! - [`DryRun`] is a remote that only says what it would do.

mod compare;
mod copy;
mod dry_run;
mod hash_cache;
mod meter;
mod plan;
mod remove;
mod report;
mod stats;
mod transfer;
mod walk;

pub use compare::{Comparison, checksum, same};
pub use copy::{CopyOptions, copy, copy_to};
pub use dry_run::DryRun;
pub use hash_cache::{HashCache, HashCacheError, HashCacheStatus};
pub use remove::{Removal, remove};
pub use report::RunReport;
pub use stats::{Running, Stats, StatsSnapshot};
pub use walk::{FolderListing, WalkError, walk};
