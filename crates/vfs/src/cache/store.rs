//! A directory of contents, each in a file of its own. Who uses a file holds a lock on it, so that nobody removes it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::block_file::BlockFile;

/// A directory of contents.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    max_age: Duration,
}

/// A file of the store that may be removed.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    pub(super) size: u64,
    pub(super) used: SystemTime,
}

impl Store {
    pub(super) fn new(directory: PathBuf, max_age: Duration) -> Self {
        Self { directory, max_age }
    }

    /// Returns where a content is.
    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.directory.join(key.get(..2).unwrap_or("xx")).join(key)
    }

    /// Opens a content, and notes that it is used.
    pub(super) fn open(&self, key: &str, size: u64) -> io::Result<BlockFile> {
        let path = self.path(key);
        loop {
            let file = fichier_state::open_private(&path)?;
            // Held alone while it may be begun anew, and with others while it is used.
            match file.try_lock() {
                Ok(()) => {
                    if !is_still_there(&file, &path) {
                        continue;
                    }
                    drop(BlockFile::new(file.try_clone()?, size)?);
                    file.unlock()?;
                    file.lock_shared()?;
                }
                Err(fs::TryLockError::WouldBlock) => file.lock_shared()?,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            if is_still_there(&file, &path) {
                file.set_modified(SystemTime::now())?;
                return BlockFile::new(file, size);
            }
        }
    }

    /// Returns all files, the oldest first.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let folders = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        let kept = files.filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some(Kept { path: entry.path(), size: size_on_disk(&metadata), used: metadata.modified().ok()? })
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|kept| kept.used);
        kept
    }

    /// Checks whether a file wasn't used for too long.
    pub(super) fn is_old(&self, kept: &Kept) -> bool {
        kept.used.elapsed().is_ok_and(|age| age > self.max_age)
    }
}

impl Kept {
    /// Removes the file if nobody uses it; returns whether it is gone.
    pub(super) fn remove(&self) -> bool {
        let Ok(file) = fs::OpenOptions::new().read(true).write(true).open(&self.path) else {
            return !self.path.exists();
        };
        file.try_lock().is_ok() && fs::remove_file(&self.path).is_ok()
    }
}

#[cfg(unix)]
fn size_on_disk(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn size_on_disk(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// Checks that the file wasn't removed between its opening and its lock.
#[cfg(unix)]
fn is_still_there(file: &fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let same =
        |open: fs::Metadata, there: fs::Metadata| (open.dev(), open.ino()) == (there.dev(), there.ino());
    file.metadata().ok().zip(fs::metadata(path).ok()).is_some_and(|(open, there)| same(open, there))
}

#[cfg(not(unix))]
fn is_still_there(_file: &fs::File, _path: &Path) -> bool {
    // An open file can't be removed there.
    true
}
