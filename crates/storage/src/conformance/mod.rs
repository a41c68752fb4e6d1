//! The conformance suite: what every remote promises, as checks that run against any of them.
//!
//! A backend's tests hand an empty, writable remote to [`run`]. What a remote claims in its
//! [`Features`](crate::Features) must work; what it doesn't claim must answer
//! [`StorageError::Unsupported`](crate::StorageError::Unsupported). The checks know nothing of any backend.
//!
//! ```
//! # use std::sync::Arc;
//! # use fichier_storage::{Remote, conformance};
//! # async fn my_backend_conforms(remote: Arc<dyn Remote>) -> Result<(), conformance::Failure> {
//! conformance::run(remote).await
//! # }
//! ```
//!
//! Each check works in a folder of its own, named like the check, and touches nothing else. So a single check can run
//! against an account that holds other things: see [`check`] and [`CHECKS`].

use std::{fmt, sync::Arc};

use futures::future::{BoxFuture, FutureExt};

use crate::Remote;

use subject::{Checked, Subject};

pub use changes::changes;

/// Ends a check with a sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return Err(format!($($sentence)+));
        }
    };
}

mod changes;
mod concurrency;
mod extras;
mod folders;
mod freshness;
#[cfg(test)]
mod memory;
mod names;
mod places;
mod reading;
mod relocating;
mod removing;
mod subject;
mod writing;

/// A promise that a remote broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {detail}")]
pub struct Failure {
    /// Name of the check that failed.
    pub check: &'static str,
    /// Description of what was seen instead.
    pub detail: String,
}

/// One promise, and the code that checks it.
pub struct Check {
    /// Name of the check, and of the folder that it works in.
    pub name: &'static str,
    body: fn(Subject) -> BoxFuture<'static, Checked>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

impl Check {
    /// Checks the promise against a remote that holds nothing under the check's name yet.
    ///
    /// Needs a Tokio runtime.
    ///
    /// # Errors
    /// The remote broke the promise.
    pub async fn run(&self, remote: Arc<dyn Remote>) -> Result<(), Failure> {
        let subject = Subject::new(remote, self.name);
        (self.body)(subject).await.map_err(|detail| Failure { check: self.name, detail })
    }
}

/// Returns the check with this name.
#[must_use]
pub fn check(name: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.name == name)
}

/// Runs all [`CHECKS`] against an empty remote, up to the first failure.
///
/// # Errors
/// The first promise that the remote broke.
pub async fn run(remote: Arc<dyn Remote>) -> Result<(), Failure> {
    for check in CHECKS {
        tracing::debug!(check = check.name, "checking");
        check.run(remote.clone()).await?;
    }
    Ok(())
}

macro_rules! checks {
    ($($topic:ident::$name:ident,)*) => {
        /// All checks, in the order in which they run: the basic ones first.
        pub const CHECKS: &[Check] = &[
            $(Check { name: stringify!($name), body: |subject| $topic::$name(subject).boxed() },)*
        ];
    };
}

checks! {
    reading::a_new_remote_is_an_empty_root,
    writing::a_file_is_stored_listed_found_and_read,
    writing::an_empty_batch_does_nothing,
    writing::many_files_in_one_batch,
    writing::folders_on_the_way_are_made,
    writing::a_large_file_keeps_every_byte,
    writing::empty_files_are_stored_or_refused,
    writing::a_wrong_checksum_fails_and_keeps_the_old_version,
    writing::wrong_sizes_fail_alone_and_leave_nothing,
    writing::broken_content_fails_alone_and_leaves_nothing,
    writing::old_versions_go_when_the_new_one_is_there,
    writing::a_second_file_of_a_name_doubles_or_overwrites,
    writing::a_file_never_takes_the_place_of_a_folder,
    writing::a_write_given_up_leaves_nothing,
    writing::modification_times_are_kept,
    reading::ranges,
    reading::a_reader_reads_in_any_order_and_again,
    reading::a_file_that_is_gone_cannot_be_read,
    reading::what_is_missing_is_told_exactly,
    names::difficult_names_of_files,
    names::difficult_names_of_folders,
    names::listings_are_sorted_by_the_bytes_of_names,
    names::case_makes_another_name,
    names::names_at_the_limit,
    freshness::what_was_done_is_known_at_any_age,
    freshness::what_is_forgotten_is_looked_at_again,
    places::each_path_is_a_place_of_its_own,
    folders::folders_are_made_with_parents_and_only_once,
    folders::only_empty_folders_are_removed,
    folders::folders_are_removed_deepest_first_in_one_batch,
    folders::folders_move_with_all_they_hold,
    folders::a_folder_never_moves_onto_anything,
    folders::a_folder_never_moves_into_itself,
    relocating::files_are_copied,
    relocating::copies_replace_old_versions,
    relocating::files_are_renamed_and_moved,
    relocating::many_files_move_to_one_folder,
    relocating::renames_replace_old_versions,
    removing::files_are_removed_each_with_its_outcome,
    removing::removing_twice_is_no_failure,
    concurrency::tasks_share_a_new_folder,
    concurrency::tasks_make_the_same_folders,
    concurrency::listing_while_writing_shows_whole_files,
    extras::modification_times_are_set,
    extras::usage_is_told,
    extras::links_are_made,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_names_of_their_own() {
        let mut names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CHECKS.len());
        assert!(check("ranges").is_some_and(|check| check.name == "ranges"));
        assert!(check("no such promise").is_none());
    }
}
