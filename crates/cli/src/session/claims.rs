//! Lets runs of this computer that write into one folder of an account go one after the other: two at once would each
//! find a file missing, and send it twice.
//!
//! A run locks one file for its folder exclusively, and one for each parent folder, shared with others. So runs into
//! folders that don't lie in each other go on side by side. The system holds the locks: those of a process that died
//! disappear.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fichier_remotes::network::WaitBudget;
use fichier_storage::{Location, PlaceId, StorageError, Whirlpool};
use tokio_util::sync::CancellationToken;

/// Wait before a folder is tried again that another run writes into.
const AGAIN: Duration = Duration::from_millis(100);

/// Places that this process writes into, until it ends.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Vec<Claim>>);

/// Reason why another run couldn't be waited for.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    /// The other run takes longer than this one may wait.
    #[error(
        "another run is still writing there, and this one has waited {}s in all, of {}s that it may (--max-wait)",
        so_far.as_secs(), most.as_secs()
    )]
    TooLong {
        /// Time that this run has waited, for the service and for others.
        so_far: Duration,
        /// Time that it may wait.
        most: Duration,
    },
    /// The run has to stop, or the place can't be determined.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A folder that is locked.
#[derive(Debug)]
struct Claim {
    file: File,
    path: PathBuf,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The last one removes the file. A process that waits for it sees that it is another file then.
        if cfg!(unix) && self.file.try_lock().is_ok() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Checks whether two runs into one folder of a remote may do harm: where several files of one name can stand in a
/// folder.
pub(super) fn concern(location: &Location) -> bool {
    let features = location.remote.info().features;
    features.networked && features.duplicates && !features.read_only
}

impl Claims {
    /// Waits until no other run writes into this place, above it or below, and keeps others out from then on. `told` is
    /// called once if there is a wait. Where locks aren't available, the run goes on without. Waits no longer than
    /// `waits` allows.
    pub(super) async fn take(
        &self,
        location: &Location,
        directory: &Path,
        stop: &CancellationToken,
        waits: &WaitBudget,
        told: impl Fn(),
    ) -> Result<(), ClaimError> {
        let mut places = Vec::new();
        let mut path = Some(location.path.clone());
        while let Some(here) = path {
            places.push(location.remote.place(&here).await?);
            path = here.parent().filter(|_| !here.is_root());
        }
        let innermost = places.len() - 1;
        let mut claims = Vec::with_capacity(places.len());
        let mut waiting = None;
        // Every process starts from the root, so that no two wait for each other.
        for (depth, place) in places.iter().rev().enumerate() {
            let file = file_of(directory, place);
            let wait = || {
                if waiting.is_none() {
                    told();
                    waiting = Some(waits.wait_for_another());
                }
                waits.used_up().map_or(Ok(()), |(so_far, most)| Err(ClaimError::TooLong { so_far, most }))
            };
            let taken = tokio::select! {
                taken = take(&file, depth == innermost, wait) => taken?,
                () = stop.cancelled() => return Err(StorageError::Canceled.into()),
            };
            match taken {
                Ok(claim) => claims.push(claim),
                Err(error) => {
                    tracing::debug!(file = %file.display(), "other runs aren't kept out: {error}");
                    break;
                }
            }
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(claims);
        Ok(())
    }
}

/// Locks a file, exclusively or shared. Before each pause `waits` is asked whether to wait on.
async fn take<E>(
    path: &Path,
    alone: bool,
    mut waits: impl FnMut() -> Result<(), E>,
) -> Result<io::Result<Claim>, E> {
    loop {
        let file = match open(path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let locked = if alone { file.try_lock() } else { file.try_lock_shared() };
        match locked {
            Ok(()) if is_at(&file, path) => return Ok(Ok(Claim { file, path: path.to_owned() })),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waits()?;
                tokio::time::sleep(AGAIN).await;
            }
            Err(TryLockError::Error(error)) => return Ok(Err(error)),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fichier_state::make_directory(directory)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Checks whether this file still is the one at the path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |data: fs::Metadata| (data.dev(), data.ino());
    match (file.metadata().map(identity), fs::metadata(path).map(identity)) {
        (Ok(ours), Ok(there)) => ours == there,
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Returns the lock file of a place. Its name is a digest, since names of folders are private.
fn file_of(directory: &Path, place: &PlaceId) -> PathBuf {
    struct Bytes(Vec<u8>);
    impl Hasher for Bytes {
        fn write(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut bytes = Bytes(Vec::new());
    place.hash(&mut bytes);
    let digest = Whirlpool::of(&bytes.0).to_string();
    directory.join(digest.get(..32).unwrap_or(&digest)).with_extension("run")
}

#[cfg(test)]
mod tests {
    use std::{future::Future, time::Instant};

    use super::*;

    async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(Duration::from_secs(2), work).await.ok()
    }

    async fn take(path: &Path, alone: bool, mut waits: impl FnMut()) -> io::Result<Claim> {
        let taken = super::take(path, alone, || {
            waits();
            Ok::<_, std::convert::Infallible>(())
        });
        taken.await.unwrap()
    }

    #[tokio::test]
    async fn a_folder_is_one_run_s_and_those_above_it_are_shared() {
        let directory = tempfile::tempdir().unwrap();
        let (above, here) = (directory.path().join("above.run"), directory.path().join("here.run"));
        let shared = [take(&above, false, || ()).await.unwrap(), take(&above, false, || ()).await.unwrap()];
        let alone = take(&here, true, || ()).await.unwrap();
        let mut told = 0;
        assert!(within(take(&above, true, || told += 1)).await.is_none());
        assert!(told > 0);
        assert!(within(take(&here, false, || ())).await.is_none());
        drop(shared);
        assert!(within(take(&above, true, || ())).await.is_some());
        drop(alone);
        assert!(within(take(&here, true, || ())).await.is_some());
        // Nothing is left behind.
        #[cfg(unix)]
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn who_waits_gets_it_when_the_other_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("here.run");
        let first = take(&path, true, || ()).await.unwrap();
        let began = Instant::now();
        let (second, ()) = tokio::join!(take(&path, true, || ()), async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            drop(first);
        });
        assert!(second.is_ok() && began.elapsed() >= Duration::from_millis(150));
        assert!(path.exists());
    }
}
