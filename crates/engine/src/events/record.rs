//! What became of each file, for whoever wants to know it one by one: `--report`, `--combined` and their kind.

use std::{fmt, time::Duration};

use fichier_storage::{File, RemotePath, StorageError, Whirlpool};

/// What a run did about one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its bytes were sent.
    Transferred,
    /// It was copied at the remote, without sending its bytes.
    CopiedThere,
    /// It was moved or renamed at the remote.
    MovedThere,
    /// The destination has the same content, or was to be left alone.
    Unchanged,
    /// It was removed.
    Deleted,
    /// It was moved to where backups go.
    SetAside,
    /// A folder was removed.
    FolderRemoved,
    /// Its modification time was set.
    Retimed,
    /// It got new attributes.
    AttributesSet,
    /// It was left out by a rule.
    LeftOut,
    /// Nothing came of it, for the reason that is given.
    Failed,
}

/// How the two sides stood to each other before anything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both have it, and it is the same.
    Match,
    /// Both have it, and it differs.
    Differ,
    /// The destination hasn't got it.
    MissingOnDestination,
    /// The source hasn't got it.
    MissingOnSource,
    /// It couldn't be told.
    Error,
}

/// What became of one path.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The path, seen from the run's root.
    pub path: &'a RemotePath,
    /// What was done.
    pub action: Action,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its checksum, where the run has seen it.
    pub whirlpool: Option<Whirlpool>,
    /// How long it took, where it was timed: a batch of files is timed as one.
    pub took: Option<Duration>,
    /// Why nothing came of it.
    pub error: Option<&'a StorageError>,
}

impl<'a> Record<'a> {
    pub(crate) fn of(path: &'a RemotePath, action: Action, file: &File) -> Self {
        Self { path, action, bytes: file.size, whirlpool: file.whirlpool, took: None, error: None }
    }

    /// Nothing is known but that it failed.
    pub(crate) fn failed(path: &'a RemotePath, error: &'a StorageError) -> Self {
        Self { path, action: Action::Failed, bytes: 0, whirlpool: None, took: None, error: Some(error) }
    }

    pub(crate) fn folder_removed(path: &'a RemotePath) -> Self {
        Self { path, action: Action::FolderRemoved, bytes: 0, whirlpool: None, took: None, error: None }
    }
}

/// Is told what becomes of each path. Called from any task, and shouldn't take long.
pub trait Observer: fmt::Debug + Send + Sync {
    /// Something was done about a path, or has failed.
    fn record(&self, record: &Record<'_>);

    /// Whether it wants to know of all that only the destination has. That may take listings of folders that
    /// nothing else needs.
    fn wants_extras(&self) -> bool {
        false
    }

    /// Two sides were compared.
    fn compared(&self, path: &RemotePath, relation: Relation);
}
