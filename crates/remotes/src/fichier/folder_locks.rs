//! One lock a folder, so that tasks which want the same one list it, or make a folder in it, once. A lock exists while
//! a task holds it or waits for it, since an account may have a hundred thousand folders.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fichier_api::FolderId;
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Locks of the folders that tasks are working on.
#[derive(Debug, Default)]
pub(super) struct FolderLocks {
    locks: Mutex<HashMap<FolderId, Lock>>,
}

impl FolderLocks {
    /// Waits until no other task has the folder.
    pub(super) async fn alone(&self, folder: FolderId) -> FolderGuard<'_> {
        let lock = self.locks().entry(folder).or_default().clone();
        // The guard exists from here on, so that a task which is stopped while it waits leaves nothing behind.
        let mut alone = FolderGuard { locks: self, folder, lock: Some(lock.clone()), guard: None };
        alone.guard = Some(lock.lock_owned().await);
        alone
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<FolderId, Lock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Guard of a folder: while it exists, the folder is ours.
#[derive(Debug)]
pub(super) struct FolderGuard<'a> {
    locks: &'a FolderLocks,
    folder: FolderId,
    lock: Option<Lock>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for FolderGuard<'_> {
    fn drop(&mut self) {
        let mut locks = self.locks.locks();
        self.guard = None;
        self.lock = None;
        // Locks are given out under the same mutex, so nobody can take this one between the check and the removal.
        if locks.get(&self.folder).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_one_tasks_at_a_time_and_its_lock_goes_with_the_last() {
        let locks = Arc::new(FolderLocks::default());
        let first = locks.alone(FolderId(1)).await;
        let other = locks.alone(FolderId(2)).await;
        let waiting = {
            let locks = locks.clone();
            tokio::spawn(async move { drop(locks.alone(FolderId(1)).await) })
        };
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(locks.locks().len(), 2);
        drop(first);
        waiting.await.unwrap();
        assert_eq!(locks.locks().keys().collect::<Vec<_>>(), [&FolderId(2)]);
        drop(other);
        assert!(locks.locks().is_empty());
    }

    #[tokio::test]
    async fn who_is_stopped_while_waiting_leaves_no_lock() {
        let locks = FolderLocks::default();
        let first = locks.alone(FolderId(1)).await;
        tokio::select! {
            biased;
            _ = locks.alone(FolderId(1)) => unreachable!("it is taken"),
            () = tokio::task::yield_now() => {}
        }
        drop(first);
        assert!(locks.locks().is_empty());
    }
}
