//! How much may be removed: `--max-delete` and `--max-delete-size`, held by a remote that asks before it removes
//! anything, so that no command can forget them.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use fichier_storage::{Extensions, File, Outcome, Remote, Result, StorageError, delegate_remote};

use crate::RunError;

/// How much may be removed, and how much was: one for all remotes of a run.
#[derive(Debug, Default)]
pub struct Brakes {
    max_files: Option<u64>,
    max_bytes: Option<u64>,
    removed: Mutex<Removed>,
}

#[derive(Debug, Default)]
struct Removed {
    files: u64,
    bytes: u64,
    excused_files: u64,
    excused_bytes: u64,
}

impl Brakes {
    /// Allows so many files and bytes to be removed; `None`: any number.
    #[must_use]
    pub fn new(max_files: Option<u64>, max_bytes: Option<u64>) -> Self {
        Self { max_files, max_bytes, removed: Mutex::default() }
    }

    /// Checks whether there is a limit at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.max_files.is_some() || self.max_bytes.is_some()
    }

    /// Allows one more file to be removed.
    ///
    /// # Errors
    /// It would be one too many, or too large.
    pub(crate) fn admit(&self, size: u64) -> Result<()> {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, bytes) = (removed.files + 1, removed.bytes.saturating_add(size));
        if self.max_files.is_some_and(|most| files > most.saturating_add(removed.excused_files)) {
            return Err(RunError::RemovalLimit { limit: "--max-delete" }.into());
        }
        if self.max_bytes.is_some_and(|most| bytes > most.saturating_add(removed.excused_bytes)) {
            return Err(RunError::RemovalLimit { limit: "--max-delete-size" }.into());
        }
        (removed.files, removed.bytes) = (files, bytes);
        Ok(())
    }

    /// Doesn't count one removal to come: it is a part of something that was allowed, or needs no allowance.
    pub(crate) fn excuse(&self, size: u64) {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.excused_files += 1;
        removed.excused_bytes = removed.excused_bytes.saturating_add(size);
    }

    /// Allows files to be removed, in their order, up to the first one that isn't allowed: how many, and why not
    /// more.
    pub(crate) fn admit_all(&self, files: &[File]) -> (usize, Option<StorageError>) {
        for (index, file) in files.iter().enumerate() {
            if let Err(error) = self.admit(file.size) {
                return (index, Some(error));
            }
        }
        (files.len(), None)
    }
}

/// A remote that removes no more files than its brakes allow. Old versions that a new one stands for don't count.
#[derive(Debug)]
pub struct Braked {
    inner: Arc<dyn Remote>,
    brakes: Arc<Brakes>,
}

impl Braked {
    /// Wraps a remote.
    #[must_use]
    pub fn new(inner: Arc<dyn Remote>, brakes: Arc<Brakes>) -> Self {
        Self { inner, brakes }
    }
}

/// Puts what became of the allowed files before what is said of the others: why for the first of them, which
/// concerns all.
pub(crate) fn with_refused<T>(
    mut outcomes: Vec<Outcome<T>>,
    count: usize,
    refused: Option<StorageError>,
) -> Vec<Outcome<T>> {
    outcomes.extend(refused.map(Outcome::Failed));
    outcomes.resize_with(count, || Outcome::NotTried);
    outcomes
}

#[async_trait]
impl Remote for Braked {
    delegate_remote!(inner: info, place, list, find, forget, reader, write, copy, rename, make_folders,
        remove_folders, rename_folders, set_modified);

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let (allowed, refused) = self.brakes.admit_all(batch);
        with_refused(self.inner.remove(&batch[..allowed]).await, batch.len(), refused)
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let (allowed, refused) = self.brakes.admit_all(batch);
        with_refused(self.inner.remove_unchanged(&batch[..allowed]).await, batch.len(), refused)
    }

    fn extensions(&self) -> Extensions<'_> {
        // None of these removes a file. A new one has to be looked at here.
        let Extensions {
            usage,
            account,
            links,
            merge,
            metadata,
            public_files,
            fetches,
            old_versions,
            changes,
        } = self.inner.extensions();
        Extensions { usage, account, links, merge, metadata, public_files, fetches, old_versions, changes }
    }
}

#[cfg(test)]
mod tests {
    use fichier_storage::{Freshness, RemotePath, conformance, memory::MemoryRemote};

    use super::*;

    fn files(sizes: &[u64]) -> Vec<File> {
        let file = |size: &u64| File::new(RemotePath::root(), *size);
        sizes.iter().map(file).collect()
    }

    fn is_refused(refused: Option<&StorageError>, by: &str) -> bool {
        matches!(refused.and_then(RunError::of), Some(RunError::RemovalLimit { limit }) if *limit == by)
    }

    #[test]
    fn files_go_up_to_the_limit_and_over_several_lists() {
        let brakes = Brakes::new(Some(3), None);
        assert_eq!(brakes.admit_all(&files(&[1, 1])).0, 2);
        let (allowed, refused) = brakes.admit_all(&files(&[1, 1]));
        assert_eq!(allowed, 1);
        assert!(is_refused(refused.as_ref(), "--max-delete"));
    }

    #[test]
    fn an_excused_removal_takes_nothing_from_the_others() {
        let brakes = Brakes::new(Some(1), Some(10));
        brakes.excuse(50);
        assert!(brakes.admit(50).is_ok() && brakes.admit(10).is_ok());
        assert!(brakes.admit(1).is_err());
    }

    #[test]
    fn bytes_count_and_what_is_refused_does_not() {
        let brakes = Brakes::new(None, Some(10));
        let (allowed, refused) = brakes.admit_all(&files(&[6, 5, 4]));
        assert_eq!(allowed, 1);
        assert!(is_refused(refused.as_ref(), "--max-delete-size"));
        assert!(brakes.admit(4).is_ok());
        assert!(Brakes::default().admit(u64::MAX).is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_limits_it_is_the_remote_itself_and_gaps_come_through() {
        let inner = MemoryRemote::new("memory:");
        let braked = Braked::new(Arc::new(inner), Arc::default());
        conformance::run(Arc::new(braked)).await.unwrap();
        let inner = MemoryRemote::new("memory:");
        inner.hide(&RemotePath::parse("hidden").unwrap(), "permission denied");
        let braked = Braked::new(Arc::new(inner), Arc::default());
        assert_eq!(braked.list(&RemotePath::root(), Freshness::Known).await.unwrap().gaps.len(), 1);
    }
}
