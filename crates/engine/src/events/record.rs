//! Records what happened to each file, for `--report`, `--combined` and their kind.

use std::{fmt, time::Duration};

use fichier_storage::{File, RemotePath, StorageError, Whirlpool};

/// What a run did about one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The file's bytes were sent.
    Transferred,
    /// The file was copied at the remote, without sending its bytes.
    CopiedThere,
    /// The file was moved or renamed at the remote.
    MovedThere,
    /// The destination has the same content, or a rule protects it.
    Unchanged,
    /// The file was removed.
    Deleted,
    /// The file was moved to the backup.
    SetAside,
    /// A folder was removed.
    FolderRemoved,
    /// The file's modification time was set.
    Retimed,
    /// It got new attributes.
    AttributesSet,
    /// It was left out by a rule.
    LeftOut,
    /// The action failed; [`Record::error`] says why.
    Failed,
}

/// How the two sides compared before anything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both sides have the file, and it is the same.
    Match,
    /// Both sides have the file, and it differs.
    Differ,
    /// The destination doesn't have the file.
    MissingOnDestination,
    /// The source doesn't have the file.
    MissingOnSource,
    /// The files couldn't be compared.
    Error,
}

/// What happened to one path.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Path relative to the run's root.
    pub path: &'a RemotePath,
    /// What was done about it.
    pub action: Action,
    /// Size in bytes.
    pub bytes: u64,
    /// Checksum, where the run has seen it.
    pub whirlpool: Option<Whirlpool>,
    /// Time it took, where it was measured: a batch of files is measured as a whole.
    pub took: Option<Duration>,
    /// Error, where the action failed.
    pub error: Option<&'a StorageError>,
}

impl<'a> Record<'a> {
    pub(crate) fn of(path: &'a RemotePath, action: Action, file: &File) -> Self {
        Self { path, action, bytes: file.size, whirlpool: file.whirlpool, took: None, error: None }
    }

    /// Makes the record of a failure of which nothing else is known.
    pub(crate) fn failed(path: &'a RemotePath, error: &'a StorageError) -> Self {
        Self { path, action: Action::Failed, bytes: 0, whirlpool: None, took: None, error: Some(error) }
    }

    pub(crate) fn folder_removed(path: &'a RemotePath) -> Self {
        Self { path, action: Action::FolderRemoved, bytes: 0, whirlpool: None, took: None, error: None }
    }
}

/// Receives a record of each path. Called from any task, and shouldn't take long.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Receives what was done about a path, or what failed.
    fn record(&self, record: &Record<'_>);

    /// Returns whether the observer needs all files that only the destination has. That may take listings of folders
    /// that nothing else needs.
    fn wants_extras(&self) -> bool {
        false
    }

    /// Receives the result of comparing two sides.
    fn compared(&self, path: &RemotePath, relation: Relation);
}
