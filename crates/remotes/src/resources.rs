//! What a run gives to the remotes that it opens.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fichier_api::{CancellationToken, Observer};

use crate::{local::Downloads, network::Network};

/// What all remotes of a run share. Nothing of it is global: whoever opens a remote hands it over.
#[derive(Clone, Default)]
pub struct Resources {
    /// How the network is used.
    pub network: Network,
    /// Where remotes keep what they know.
    pub state: StateFolders,
    /// How files that come over the network are brought to the disk.
    pub downloads: Downloads,
    /// Checks what is known of an account by one listing of all its files (`--fast-list`).
    pub fast_list: bool,
    /// Whether a run goes only to a given depth (`--max-depth`), so that it ends even where links lead back.
    pub bounded_depth: bool,
    /// Who learns of calls and waits.
    pub observer: Option<Arc<dyn Observer>>,
    /// Stops all calls.
    pub cancel: CancellationToken,
    /// Ends all waits between calls; what is on its way is finished.
    pub end_waits: CancellationToken,
    /// What must not be left as it is while a run ends.
    pub unfinished: Unfinished,
}

/// What was begun in several calls and mustn't be left between them. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Unfinished(Arc<Mutex<Vec<UnfinishedMove>>>);

/// A folder that goes to its new place in several calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedMove {
    /// Where it was, with its remote.
    pub from: String,
    /// Where it is between the calls, with its remote.
    pub between: String,
    /// Where it is to be, with its remote.
    pub to: String,
}

impl Unfinished {
    /// Returns what isn't finished.
    #[must_use]
    pub fn moves(&self) -> Vec<UnfinishedMove> {
        self.list().clone()
    }

    /// Notes a move before its first call.
    pub(crate) fn begin(&self, unfinished: UnfinishedMove) {
        self.list().push(unfinished);
    }

    /// Notes that the fate of a move is known. One whose future was dropped before stays noted.
    pub(crate) fn end(&self, finished: &UnfinishedMove) {
        let mut list = self.list();
        if let Some(index) = list.iter().position(|one| one == finished) {
            list.remove(index);
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<UnfinishedMove>> {
        // Each change is a single one, so that the list is whole whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folders where remotes keep what they know, on this computer.
#[derive(Debug, Clone, Default)]
pub struct StateFolders {
    /// For what was learned about accounts, between runs; `None`: it is forgotten.
    pub accounts: Option<PathBuf>,
    /// For what processes that run at the same time share: when calls to an account left. `None`: nothing.
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
