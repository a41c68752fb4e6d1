//! Leaving out of listings what the filters leave out.
//!
//! What is left out of a folder's listing isn't listed, compared, transferred or removed, and nothing below it
//! costs a call.

use std::collections::HashSet;

use fichier_filter::{Exclusion, Filter};
use fichier_storage::{Entry, File, Remote, RemoteExt, RemotePath};

use crate::{
    plan::renaming::Sourced,
    plan::visit::Open,
    run::{Mode, Run},
};

/// Filters for a tree on a remote.
#[derive(Clone, Copy)]
pub(crate) struct Sieve<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) remote: &'a dyn Remote,
    /// Paths count from here on.
    pub(crate) root: &'a RemotePath,
}

impl Sieve<'_> {
    /// What is left of the listing of `folder`.
    pub(crate) async fn sift(&self, folder: &RemotePath, entries: Vec<Entry>) -> Vec<Entry> {
        if self.filter.is_inactive() {
            return entries;
        }
        if self.filter.is_marked(&entries) {
            tracing::debug!(path = %self.shown(folder), "Excluded");
            return Vec::new();
        }
        let mut left = Vec::with_capacity(entries.len());
        for entry in entries {
            if self.takes(&entry).await {
                left.push(entry);
            } else {
                tracing::debug!(path = %self.shown(entry.path()), "Excluded");
            }
        }
        left
    }

    async fn takes(&self, entry: &Entry) -> bool {
        let path = self.shown(entry.path());
        match entry {
            Entry::File(file) => match self.check(&path, file).await {
                Ok(()) => true,
                Err(exclusion) => {
                    tracing::debug!(path = %path, "{exclusion}");
                    false
                }
            },
            Entry::Folder(folder) => self.takes_folder(&folder.path).await,
        }
    }

    async fn check(&self, path: &RemotePath, file: &File) -> Result<(), Exclusion> {
        self.filter.check_file(path, file)?;
        if !self.filter.asks_metadata() {
            return Ok(());
        }
        let metadata = self.remote.metadata(file).await.unwrap_or_else(|error| {
            tracing::error!(path = %path, "its metadata can't be read: {error}");
            Vec::new()
        });
        self.filter.check_metadata(&metadata)
    }

    /// Checks whether a folder is taken, seen by itself.
    pub(crate) async fn takes_folder(&self, folder: &RemotePath) -> bool {
        self.filter.takes_folder(&self.shown(folder)) && !self.holds_mark(folder).await
    }

    /// Whether a folder holds a file that marks it to be left out. That takes its listing, which whoever goes
    /// on into it finds remembered. A folder that can't be listed is taken: going into it tells why.
    async fn holds_mark(&self, folder: &RemotePath) -> bool {
        for mark in self.filter.marks() {
            // A mark may lie further below.
            let Ok(place) = RemotePath::parse(mark) else { continue };
            let Some(parent) = place.parent() else { continue };
            let place = folder.join_path(&place);
            let Ok(entries) = self.remote.entries(&folder.join_path(&parent)).await else { continue };
            if entries.iter().filter_map(Entry::as_file).any(|file| file.path == place) {
                return true;
            }
        }
        false
    }

    /// A path as seen from the root.
    fn shown(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(self.root).unwrap_or_else(|| path.clone())
    }
}

impl Run<'_> {
    /// Whether the destination may hold what this run doesn't see, and has to leave alone.
    pub(crate) fn hides_at_destination(&self) -> bool {
        let limited = !self.options.filter.is_inactive() || self.options.max_depth.is_some();
        limited && !self.options.delete_excluded
    }

    /// Whether a folder lies deeper than the run goes. A sync that removes what is left out goes to the ground of
    /// what only the destination has, as rclone does.
    pub(crate) fn is_beyond_depth(&self, folder: &Open) -> bool {
        let removes_all = self.mode == Mode::Sync && self.options.delete_excluded && !folder.source;
        !removes_all && self.options.max_depth.is_some_and(|most| folder.depth >= most)
    }

    /// What the source's listing of a folder leaves.
    pub(crate) async fn sift_source(&self, folder: &RemotePath, entries: Vec<Entry>) -> Vec<Entry> {
        let filter = &*self.options.filter;
        Sieve { filter, remote: &*self.from.remote, root: &self.from.path }.sift(folder, entries).await
    }

    /// What the destination's listing of a folder leaves, given what is left of the source's.
    ///
    /// What bears the name of something at the source stays in sight, be it too old or too small: what is sent
    /// replaces it, and what is there already isn't sent.
    pub(crate) async fn sift_destination(
        &self,
        folder: &Open,
        source: &[Sourced],
        entries: Vec<Entry>,
    ) -> Vec<Entry> {
        if !self.hides_at_destination() {
            return entries;
        }
        // Only a sync does anything with what the source hasn't got, or who wants to be told of it.
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
        let sieve = Sieve { filter: &self.options.filter, remote: &*self.to.remote, root: &self.to.path };
        left.extend(sieve.sift(&self.to.path.join_path(&folder.there), others).await);
        left
    }
}
