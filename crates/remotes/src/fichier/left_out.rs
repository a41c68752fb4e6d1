//! Entries of folders that can't be used as the service lists them: without a link, with a size that no file has, of an
//! unknown kind. They are gaps of their folder, so that nothing is removed elsewhere because it "isn't there".

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fichier_api::{FolderId, LeftOut, shown};
use fichier_storage::{Blame, Gap, RemotePath, Retry, StorageError};

use super::names::Names;

/// Gaps of all folders listed in this run.
#[derive(Debug, Default)]
pub(super) struct Gaps(Mutex<HashMap<FolderId, Vec<Unread>>>);

/// An entry that was left out: its name as it is stored, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    name: Option<String>,
    problem: String,
}

impl From<LeftOut> for Unread {
    fn from(item: LeftOut) -> Self {
        Self { name: item.name, problem: item.problem.to_owned() }
    }
}

impl Unread {
    /// Makes an entry with this stored name.
    pub(super) fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: Some(name.to_owned()), problem: problem.into() }
    }

    /// Returns the gap in the folder at this path.
    pub(super) fn gap(&self, folder: &RemotePath, names: &Names) -> Gap {
        let decoded = self.name.as_ref().and_then(|name| names.decode_folder(name).ok());
        let path = decoded.map_or_else(|| folder.clone(), |name| folder.join(&name));
        let called = self.name.as_ref().map(|name| format!(" ({})", shown(name))).unwrap_or_default();
        let error = StorageError::Service {
            action: format!("list {path:?}"),
            retry: Retry::Useless,
            blame: Blame::Service,
            hint: Some("look at it on the service's site".to_owned()),
            source: format!("an entry of the directory{called} can't be used: {}", self.problem).into(),
        };
        Gap { path, error }
    }
}

impl Gaps {
    fn lock(&self) -> MutexGuard<'_, HashMap<FolderId, Vec<Unread>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what the last listing of a folder left out.
    pub(super) fn set(&self, folder: FolderId, unread: Vec<Unread>) {
        if unread.is_empty() {
            self.lock().remove(&folder);
        } else {
            self.lock().insert(folder, unread);
        }
    }

    /// Returns the gaps of a folder at this path.
    pub(super) fn of(&self, folder: FolderId, path: &RemotePath, names: &Names) -> Vec<Gap> {
        let gaps = self.lock();
        gaps.get(&folder).into_iter().flatten().map(|unread| unread.gap(path, names)).collect()
    }
}
