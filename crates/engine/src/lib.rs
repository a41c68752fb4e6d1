//! The transfer engine: list, match, decide, act, report.
//!
//! It knows [remotes](fichier_storage::Remote) only by their trait: no backend, no wire, no terminal.
//!
//! - [`walk`] lists a tree one folder at a time;
//! - [`copy`], [`sync`] and [`move_into`] make a destination hold what a source holds;
//! - [`convert_names`] gives files and folders new names;
//! - [`check`] compares two trees and changes neither;
//! - [`dedupe`] settles files that share a name or a content;
//! - [`store`] stores what isn't a file of a remote;
//! - [`remove`] removes files, or a folder with all it holds;
//! - [`Rules`] say which files are the same, [`HashCache`] remembers checksums;
//! - [`RunError`] is what a run ends by without a remote having failed;
//! - [`Stats`] counts what happens, [`RunReport`] says what became of it;
//! - [`DryRun`] is a remote that only says what it would do.

mod check;
mod compare;
mod convert;
mod dedupe;
mod error;
mod events;
mod plan;
mod remove;
mod run;
mod transfer;
mod walk;
mod wrappers;

pub use check::{CheckOptions, CheckReport, Evidence, check};
pub use compare::hash_cache::{HashCache, HashCacheError, HashCacheStatus, HashCacheVerdict};
pub use compare::names::{NameMatching, Respelling};
pub use compare::{Checksums, Comparison, Rules};
pub use convert::convert_names;
pub use dedupe::{Choice, Chooser, DedupeMode, DedupeOptions, Duplicate, Duplicates, dedupe};
pub use error::RunError;
pub use events::record::{Action, Observer, Record, Relation};
pub use events::report::RunReport;
pub use events::say_skipped;
pub use events::stats::{Running, SizeText, Stats, StatsSnapshot};
pub use plan::order::{Direction, Order, OrderKey};
pub use plan::renaming::{Bearer, NameTransform};
pub use remove::empty_folders::{EmptyFolders, remove_empty_folders};
pub use remove::{Removal, remove};
pub use run::copy::{copy, copy_to, move_into, move_to, sync};
pub use run::options::{Backup, DeleteWhen, Deletion, Reference, Renames, RunOptions};
pub use transfer::backup::stem_length;
pub use transfer::bandwidth::{Bandwidth, Rates};
pub use transfer::limits::{Cutoff, Limits};
pub use transfer::metadata::MetadataOptions;
pub use transfer::reading::Reading;
pub use transfer::store::{Upload, VersionsThere, store};
pub use walk::{FolderListing, WalkError, walk, walk_filtered};
pub use wrappers::brakes::{Braked, Brakes};
pub use wrappers::dry_run::DryRun;
pub use wrappers::interactive::{Answer, Asker, Interactive, Question};
