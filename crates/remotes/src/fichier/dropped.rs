//! Contents that the service takes and silently doesn't keep: blocked ones, or what its antivirus dislikes (API
//! document, section 7). Finding that out takes a whole upload, so it is remembered for a day.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use fichier_storage::{Blame, RemotePath, Retry, StorageError, Whirlpool};
use tokio::sync::OnceCell;

use super::tree::Tree;

/// Contents that are known to be dropped.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// Set once what earlier runs recorded was read, which happens at first use.
    recalled: OnceCell<()>,
    known: Mutex<HashMap<Whirlpool, (u64, SystemTime)>>,
}

impl Dropped {
    fn known(&self) -> MutexGuard<'_, HashMap<Whirlpool, (u64, SystemTime)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn earlier_runs(&self, tree: &Tree) {
        let earlier_runs = async {
            if let Some(earlier_runs) = &tree.earlier_runs {
                let dropped = earlier_runs.database().dropped().await;
                self.known().extend(dropped.into_iter().map(|(sum, size, at)| (sum, (size, at))));
            }
        };
        self.recalled.get_or_init(|| earlier_runs).await;
    }

    /// Checks whether a content of this size was dropped, so that it is worth knowing the checksum.
    pub(super) async fn has_size(&self, tree: &Tree, size: u64) -> bool {
        self.earlier_runs(tree).await;
        self.known().values().any(|(known, _)| *known == size)
    }

    /// Returns when this content was dropped.
    pub(super) fn at(&self, sum: &Whirlpool) -> Option<SystemTime> {
        self.known().get(sum).map(|(_, at)| *at)
    }

    /// Records a content that was dropped now.
    pub(super) fn note(&self, tree: &Tree, sum: Whirlpool, size: u64) {
        self.known().insert(sum, (size, SystemTime::now()));
        tree.catalogue().note_dropped(sum, size);
    }
}

/// Returns the error that the service took the bytes now, and keeps no file.
pub(super) fn dropped_now(path: &RemotePath) -> StorageError {
    error(path, "the service took the bytes and keeps no file: refused?".to_owned())
}

/// Returns the error that the service took the same bytes a while ago, and kept no file.
pub(super) fn dropped_before(path: &RemotePath, at: SystemTime) -> StorageError {
    let hours = at.elapsed().unwrap_or_default().as_secs() / 3600;
    let ago = if hours == 0 { "less than an hour ago".to_owned() } else { format!("{hours} h ago") };
    error(path, format!("not sent: {ago} the service took the same bytes and kept no file: refused?"))
}

fn error(path: &RemotePath, source: String) -> StorageError {
    StorageError::Service {
        action: format!("upload {path:?}"),
        retry: Retry::Useless,
        blame: Blame::Service,
        hint: Some("it isn't sent again for a day; --fichier-send-dropped sends it all the same".to_owned()),
        source: source.into(),
    }
}
