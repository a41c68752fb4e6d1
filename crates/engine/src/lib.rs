//! The transfer engine: list, match, decide, act, report.
//!
//! It knows [remotes](fichier_storage::Remote) only by their trait: no backend, no wire, no terminal.
//!
//! - [`walk`] lists a tree one folder at a time;
//! - [`copy`], [`sync`] and [`move_into`] make a destination hold what a source holds;
//! - [`check`] compares two trees and changes neither;
//! - [`dedupe`] settles files that share a name or a content;
//! - [`store`] stores what isn't a file of a remote;
//! - [`remove`] removes files, or a folder with all it holds;
//! - [`Rules`] say which files are the same, [`HashCache`] remembers checksums;
//! - [`Stats`] counts what happens, [`RunReport`] says what became of it;
//! - [`DryRun`] is a remote that only says what it would do.

mod agenda;
mod backup;
mod bandwidth;
mod brakes;
mod check;
mod clash;
mod compare;
mod copy;
mod decide;
mod dedupe;
mod dry_run;
mod empty_folders;
mod event;
mod extras;
mod hash_cache;
mod interactive;
mod limits;
mod meter;
mod names;
mod options;
mod order;
mod overlap;
mod plan;
mod reading;
mod record;
mod references;
mod remove;
mod report;
mod respell;
mod reuse;
mod run;
mod sift;
mod stats;
mod store;
mod survey;
mod transfer;
mod visit;
mod walk;

pub use bandwidth::{Bandwidth, Rates};
pub use brakes::{Braked, Brakes};
pub use check::{CheckOptions, CheckReport, Evidence, check};
pub use compare::{Checksums, Comparison, Rules};
pub use copy::{copy, copy_to, move_into, move_to, sync};
pub use dedupe::{Choice, Chooser, DedupeMode, DedupeOptions, Duplicates, Twin, dedupe};
pub use dry_run::DryRun;
pub use empty_folders::{EmptyFolders, remove_empty_folders};
pub use hash_cache::{HashCache, HashCacheError, HashCacheStatus, HashCacheVerdict};
pub use interactive::{Answer, Asker, Interactive, Question};
pub use limits::{Cutoff, Limits};
pub use names::{NameMatching, Respelling};
pub use options::{Backup, DeleteWhen, Deletion, Renames, RunOptions};
pub use order::{Direction, Order, OrderKey};
pub use reading::Reading;
pub use record::{Action, Observer, Record, Relation};
pub use references::Reference;
pub use remove::{Removal, remove};
pub use report::RunReport;
pub use stats::{Running, SizeText, Stats, StatsSnapshot};
pub use store::{Upload, store};
pub use walk::{FolderListing, WalkError, walk, walk_filtered};
