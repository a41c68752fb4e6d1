//! What was read, kept on disk by content: whole files in blocks, and the heads and tails of files apart.

mod block_file;
mod clean;
mod store;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use fichier_storage::{File, Whirlpool};

use crate::{CacheMode, Result, VfsError, VfsOptions, journal::files_to_bytes};
use block_file::BlockFile;
pub(crate) use block_file::{BLOCK, blocks_of};
use store::Store;

/// How long heads and tails are kept at least: they are small, and what scans media comes once a day or week.
const ENDS_AGE: Duration = Duration::from_secs(30 * 86_400);

/// The cache of what was read. Processes may share its directory.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    mode: CacheMode,
    head_tail: u64,
    max_size: Option<u64>,
    min_free: Option<u64>,
    blocks: Store,
    ends: Store,
    /// Bytes in both, as far as known: counted when it is looked through, and added to when something is written.
    size: AtomicU64,
}

/// What is kept of one content.
#[derive(Debug)]
pub(crate) struct Entry {
    size: u64,
    head_tail: u64,
    blocks: Mutex<Option<BlockFile>>,
    ends: Mutex<Option<BlockFile>>,
}

impl Cache {
    /// Opens the cache in the options' directory.
    pub(crate) fn open(options: &VfsOptions) -> Result<Self> {
        let directory = options.directory.clone();
        fichier_state::make_directory(&directory)
            .map_err(|error| VfsError::disk("make the directory", &directory, error))?;
        let cache = Self {
            mode: options.cache_mode,
            head_tail: options.head_tail,
            max_size: options.cache_max_size,
            min_free: options.cache_min_free_space,
            blocks: Store::new(directory.join("blocks"), options.cache_max_age),
            ends: Store::new(directory.join("ends"), options.cache_max_age.max(ENDS_AGE)),
            size: AtomicU64::new(0),
            directory,
        };
        Ok(cache)
    }

    /// Returns how many bytes are kept.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Relaxed)
    }

    /// Checks whether whole files are kept.
    pub(crate) fn takes_whole_files(&self) -> bool {
        self.mode == CacheMode::Full
    }

    /// Opens what is kept of a file's content, or begins to keep it. Without a cache, nothing is kept.
    pub(crate) fn entry(&self, file: &File) -> Entry {
        let key = key(file);
        let opened = |store: &Store| match store.open(&key, file.size) {
            Ok(opened) => Some(opened),
            Err(error) => {
                // What isn't kept is fetched again.
                tracing::debug!("the cache can't keep a file: {error}");
                None
            }
        };
        let blocks = if self.takes_whole_files() { opened(&self.blocks) } else { None };
        let ends = if self.mode == CacheMode::Off || self.head_tail == 0 { None } else { opened(&self.ends) };
        Entry {
            size: file.size,
            head_tail: self.head_tail,
            blocks: Mutex::new(blocks),
            ends: Mutex::new(ends),
        }
    }

    /// Keeps a block.
    pub(crate) fn keep(&self, entry: &Entry, block: u64, bytes: &Bytes) {
        for (store, is_wanted) in [(&entry.blocks, true), (&entry.ends, entry.is_end(block))] {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(file) = store.as_ref().filter(|_| is_wanted) {
                match file.write(block, bytes) {
                    Ok(()) => drop(self.size.fetch_add(bytes.len() as u64, Ordering::Relaxed)),
                    Err(error) => tracing::debug!("the cache can't keep a block: {error}"),
                }
            }
        }
    }

    /// Takes a data file that became this version as a whole file of the cache.
    pub(crate) fn adopt(&self, file: &File, data: &Path) {
        if let Err(error) = self.try_adopt(file, data) {
            tracing::debug!("what was written can't be kept in the cache: {error}");
            drop(fs::remove_file(data));
        }
    }

    fn try_adopt(&self, file: &File, data: &Path) -> io::Result<()> {
        let path = self.blocks.path(&key(file));
        if path.exists() {
            return fs::remove_file(data);
        }
        if let Some(directory) = path.parent() {
            fichier_state::make_directory(directory)?;
        }
        BlockFile::index_whole(data, file.size)?;
        fs::rename(data, path)?;
        self.size.fetch_add(file.size, Ordering::Relaxed);
        Ok(())
    }
}

impl Entry {
    /// Checks whether a block belongs to the head or tail.
    fn is_end(&self, block: u64) -> bool {
        let start = block * BLOCK;
        start < self.head_tail || start + BLOCK > self.size.saturating_sub(self.head_tail)
    }

    /// Returns a block that is kept and undamaged.
    pub(crate) fn read(&self, block: u64) -> Option<Bytes> {
        let ends = self.is_end(block).then_some(&self.ends);
        [Some(&self.blocks), ends].into_iter().flatten().find_map(|store| {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner);
            match store.as_ref()?.read(block) {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!("a block of the cache can't be read: {error}");
                    None
                }
            }
        })
    }

    /// Returns a block that is kept as part of the whole file.
    pub(crate) fn read_whole(&self, block: u64) -> Option<Bytes> {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.as_ref().and_then(|file| file.read(block).ok().flatten())
    }

    /// Checks whether blocks are kept as part of the whole file.
    pub(crate) fn keeps_whole_files(&self) -> bool {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns how many blocks aren't kept as part of the whole file, of so many.
    pub(crate) fn missing(&self, blocks: u64) -> u64 {
        let file = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        file.as_ref().and_then(|file| file.missing().ok()).unwrap_or(blocks)
    }

    /// Checks whether the whole file was verified.
    pub(crate) fn is_verified(&self) -> bool {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.as_ref().is_some_and(|file| file.is_verified().unwrap_or(false))
    }

    /// Notes that the whole file was verified.
    pub(crate) fn set_verified(&self) {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = blocks.as_ref().map(BlockFile::set_verified) {
            tracing::debug!("the cache can't note that a file is verified: {error}");
        }
    }

    /// Drops all that is kept: it is wrong.
    pub(crate) fn clear(&self) {
        for store in [&self.blocks, &self.ends] {
            let store = store.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Err(error)) = store.as_ref().map(BlockFile::clear) {
                tracing::debug!("the cache can't drop a file: {error}");
            }
        }
    }
}

/// Returns the name of a content: its checksum where that is known, else all that tells it from others.
fn key(file: &File) -> String {
    match &file.whirlpool {
        Some(sum) => format!("{sum}"),
        None => format!("x{}", Whirlpool::of(&files_to_bytes(std::slice::from_ref(file)))),
    }
}

#[cfg(test)]
mod tests {
    use fichier_storage::RemotePath;

    use super::*;

    fn cache(home: &Path, mode: CacheMode) -> Cache {
        Cache::open(&VfsOptions { cache_mode: mode, head_tail: BLOCK, ..VfsOptions::new(home) }).unwrap()
    }

    fn file(size: u64) -> File {
        let mut file = File::new(RemotePath::parse("a").unwrap(), size);
        file.whirlpool = Some(Whirlpool::of(b"content"));
        file
    }

    // [read-4]
    #[test]
    fn content_is_found_under_another_name_and_ends_are_kept_apart() {
        let home = tempfile::tempdir().unwrap();
        let size = BLOCK * 5 + 7;
        let block = |number: u8| Bytes::from(vec![number; usize::try_from(BLOCK).unwrap()]);
        let full = cache(home.path(), CacheMode::Full);
        let entry = full.entry(&file(size));
        (0..5_u8).for_each(|number| full.keep(&entry, number.into(), &block(number)));
        assert_eq!(entry.read(3), Some(block(3)));
        assert!(entry.read(5).is_none() && entry.missing(6) == 1);
        full.keep(&entry, 5, &Bytes::from(vec![5; 7]));
        assert!(entry.missing(6) == 0 && !entry.is_verified());
        drop(entry);
        let renamed = File { path: RemotePath::parse("b").unwrap(), ..file(size) };
        let entry = cache(home.path(), CacheMode::Full).entry(&renamed);
        assert_eq!(entry.read(2), Some(block(2)));
        let ends = cache(home.path(), CacheMode::Minimal).entry(&renamed);
        let kept: Vec<bool> = (0..6).map(|number| ends.read(number).is_some()).collect();
        assert_eq!(kept, [true, false, false, false, true, true]);
        let off = cache(home.path(), CacheMode::Off).entry(&renamed);
        assert!(off.read(0).is_none());
        entry.clear();
        assert!(entry.read(0).is_none() && ends.read(0).is_none());
    }

    #[test]
    fn what_was_written_is_taken_whole() {
        let home = tempfile::tempdir().unwrap();
        let full = cache(home.path(), CacheMode::Full);
        let bytes: Vec<u8> = (0..BLOCK * 2 + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let data = home.path().join("data");
        fs::write(&data, &bytes).unwrap();
        let file = file(bytes.len() as u64);
        full.adopt(&file, &data);
        let entry = full.entry(&file);
        assert!(entry.missing(3) == 0 && entry.is_verified() && !data.exists());
        assert_eq!(entry.read(2).unwrap(), bytes[bytes.len() - 5..]);
    }
}
