//! Determines what a run sees of both sides, given its filters and its depth.

use std::collections::HashSet;

use fichier_storage::{Entry, RemotePath};

use crate::{
    plan::renaming::Sourced,
    run::{Run, mode::Mode},
    walk::{filtered::FilteredListing, pending::PendingFolder},
};

impl Run<'_> {
    /// Checks whether the destination may hold files that this run doesn't see, and has to leave alone.
    pub(crate) fn hides_at_destination(&self) -> bool {
        let limited = !self.options.filter.is_inactive() || self.options.max_depth.is_some();
        limited && !self.options.delete_excluded
    }

    /// Checks whether a folder lies deeper than the run goes. A sync that removes what is left out goes all the way
    /// down in folders that only the destination has, as rclone does.
    pub(crate) fn is_beyond_depth(&self, folder: &PendingFolder) -> bool {
        let removes_all = self.mode == Mode::Sync && self.options.delete_excluded && !folder.source;
        !removes_all && self.options.max_depth.is_some_and(|most| folder.depth >= most)
    }

    /// Returns the entries of the source's listing of a folder that pass the filters.
    pub(crate) async fn sift_source(&self, folder: &RemotePath, entries: Vec<Entry>) -> Vec<Entry> {
        let filter = &*self.options.filter;
        FilteredListing { filter, remote: &*self.from.remote, root: &self.from.path }
            .sift(folder, entries)
            .await
    }

    /// Returns the entries of the destination's listing of a folder that the run sees, given those of the source.
    ///
    /// A file with the name of one at the source stays in sight, even if it is too old or too small: what is sent
    /// replaces it, and what is there already isn't sent.
    pub(crate) async fn sift_destination(
        &self,
        folder: &PendingFolder,
        source: &[Sourced],
        entries: Vec<Entry>,
    ) -> Vec<Entry> {
        if !self.hides_at_destination() {
            return entries;
        }
        // Only a sync, or an observer, needs the files that the source doesn't have.
        let matters = self.mode == Mode::Sync || self.stats.wants_extras();
        let names = self.names();
        let key = |entry: &Entry| Some(names.key(&entry.name()?).into_owned());
        let wanted: HashSet<_> = source.iter().map(|sourced| names.key(&sourced.name).into_owned()).collect();
        let exact: HashSet<_> = source.iter().map(|sourced| &sourced.name).collect();
        // A name that is only spelled in another way may be one that a filter protects.
        let in_sight = |entry: &Entry| {
            entry.name().is_some_and(|name| exact.contains(&name))
                || !matters && !key(entry).is_some_and(|key| wanted.contains(&key))
        };
        let (mut left, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(in_sight);
        let sieve =
            FilteredListing { filter: &self.options.filter, remote: &*self.to.remote, root: &self.to.path };
        left.extend(sieve.sift(&self.to.path.join_path(&folder.there), others).await);
        left
    }
}
