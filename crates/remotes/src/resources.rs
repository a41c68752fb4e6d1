//! Resources that a run gives to the remotes that it opens.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fichier_api::{CancellationToken, Observer};

use crate::{local::Downloads, network::Network};

/// Resources that all remotes of a run share. Nothing of it is global: the code that opens a remote passes it.
#[derive(Clone, Default)]
pub struct Resources {
    /// Options for using the network.
    pub network: Network,
    /// Folders where remotes keep what they know.
    pub state: StateFolders,
    /// Options for writing files from a network to the disk.
    pub downloads: Downloads,
    /// Whether what is known of an account is checked by one listing of all its files (`--fast-list`).
    pub fast_list: bool,
    /// Whether a run goes only to a given depth (`--max-depth`), so that it ends even where links lead back.
    pub bounded_depth: bool,
    /// Observer of calls and waits.
    pub observer: Option<Arc<dyn Observer>>,
    /// Token that stops all calls.
    pub cancel: CancellationToken,
    /// Token that ends all waits between calls; calls that were sent are finished.
    pub end_waits: CancellationToken,
    /// Moves that must not be left unfinished when a run ends.
    pub unfinished: Unfinished,
}

/// Moves that need several calls and must not be left between them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Unfinished(Arc<Mutex<Vec<UnfinishedMove>>>);

/// A folder that is moved to its new place in several calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedMove {
    /// Path where it was, with its remote.
    pub from: String,
    /// Path where it is between the calls, with its remote.
    pub between: String,
    /// Path where it is moved to, with its remote.
    pub to: String,
}

impl Unfinished {
    /// Returns the moves that aren't finished.
    #[must_use]
    pub fn moves(&self) -> Vec<UnfinishedMove> {
        self.list().clone()
    }

    /// Records a move before its first call.
    pub(crate) fn begin(&self, unfinished: UnfinishedMove) {
        self.list().push(unfinished);
    }

    /// Records that the result of a move is known. A move whose future was dropped before stays recorded.
    pub(crate) fn end(&self, finished: &UnfinishedMove) {
        let mut list = self.list();
        if let Some(index) = list.iter().position(|one| one == finished) {
            list.remove(index);
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<UnfinishedMove>> {
        // Each change is a single one, so that the list is whole even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Folders on this computer where remotes keep what they know.
#[derive(Debug, Clone, Default)]
pub struct StateFolders {
    /// Folder for what was learned about accounts, between runs; `None`: it is forgotten.
    pub accounts: Option<PathBuf>,
    /// Folder for what processes running at the same time share: when calls to an account were made. `None`: nothing is
    /// shared.
    pub running: Option<PathBuf>,
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("network", &self.network)
            .field("state", &self.state)
            .field("downloads", &self.downloads)
            .field("fast_list", &self.fast_list)
            .field("bounded_depth", &self.bounded_depth)
            .finish_non_exhaustive()
    }
}
