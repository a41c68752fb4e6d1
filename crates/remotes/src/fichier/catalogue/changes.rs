//! In which folders somebody else changed something, for whoever watches.

use std::collections::HashMap;

use fichier_api::FolderId;
use fichier_storage::RemotePath;

/// Numbers the changes of others: each watch knows how many it has seen.
#[derive(Debug, Default)]
pub(in crate::fichier) struct ChangeLog {
    count: u64,
    /// The last change of each folder, with its path if that isn't known otherwise.
    folders: HashMap<FolderId, (u64, Option<RemotePath>)>,
    /// The last one of which it isn't known where it is.
    elsewhere: u64,
}

impl ChangeLog {
    /// How many there were.
    pub(in crate::fichier) fn count(&self) -> u64 {
        self.count
    }

    /// Something in this folder was changed.
    pub(super) fn note(&mut self, folder: FolderId, path: Option<RemotePath>) {
        self.count += 1;
        self.folders.insert(folder, (self.count, path));
    }

    /// Something was changed, and it isn't known where.
    pub(super) fn note_elsewhere(&mut self) {
        self.count += 1;
        self.elsewhere = self.count;
    }

    /// The folders of later changes than `seen`.
    pub(super) fn since(&self, seen: u64) -> impl Iterator<Item = (FolderId, Option<&RemotePath>)> {
        let later = self.folders.iter().filter(move |(_, (number, _))| *number > seen);
        later.map(|(folder, (_, path))| (*folder, path.as_ref()))
    }

    pub(super) fn is_elsewhere_since(&self, seen: u64) -> bool {
        self.elsewhere > seen
    }
}
