//! Remembers checksums of files, so that no file is read twice that hasn't changed.
//!
//! A checksum is kept under its file's [`Fingerprint`], which changes with the content. The cache is one SQLite
//! database, shared by processes. Its contents can be computed again: a damaged one is replaced by a new one.

mod verify;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use fichier_state::database::{self, DatabaseError};
use fichier_storage::{File, Fingerprint, Whirlpool};
use rusqlite::{Connection, OptionalExtension, params};

pub use verify::HashCacheVerdict;

/// Number of checksums gathered before they are written.
const GATHERED: usize = 1000;

/// Version of the table layout. A database with another one is replaced by a new one.
const LAYOUT: i64 = 1;

/// Reason why the cache can't be used.
#[derive(Debug, thiserror::Error)]
#[error("can't use the hash cache: {0}")]
pub struct HashCacheError(#[from] DatabaseError);

/// Size and contents of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCacheStatus {
    /// Number of checksums.
    pub files: u64,
    /// Total size in bytes of the files that have a checksum here.
    pub bytes: u64,
    /// Size of the database on disk, in bytes.
    pub size: u64,
}

/// Remembers checksums of files under fingerprints that change with their content, from run to run.
#[derive(Debug)]
pub struct HashCache {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// Checksums that aren't written yet, with the files' sizes.
    waiting: HashMap<Fingerprint, (u64, Whirlpool)>,
}

impl HashCache {
    /// Opens the cache in this file, or creates it.
    ///
    /// # Errors
    /// The file can't be used, or it is damaged and can't be replaced.
    pub fn open(path: &Path) -> Result<Self, HashCacheError> {
        let connection = database::open(path, "hash cache", prepare)?;
        Ok(Self { path: path.to_owned(), inner: Mutex::new(Inner { connection, waiting: HashMap::new() }) })
    }

    /// Returns the known checksums for these fingerprints, in their order.
    pub async fn look_up(self: &Arc<Self>, fingerprints: Vec<Fingerprint>) -> Vec<Option<Whirlpool>> {
        let count = fingerprints.len();
        let cache = self.clone();
        let found = tokio::task::spawn_blocking(move || {
            let inner = cache.inner();
            fingerprints.iter().map(|fingerprint| inner.get(fingerprint)).collect::<Vec<_>>()
        });
        found.await.unwrap_or_else(|_| vec![None; count])
    }

    /// Fills in the checksums of files that come without one.
    pub(crate) async fn fill<'a>(self: &Arc<Self>, files: impl Iterator<Item = &'a mut File>) {
        let mut unknown: Vec<_> = files
            .filter(|file| file.whirlpool.is_none())
            .filter_map(|file| Some((file.settled_fingerprint()?.clone(), file)))
            .collect();
        if unknown.is_empty() {
            return;
        }
        let fingerprints = unknown.iter().map(|(fingerprint, _)| fingerprint.clone()).collect();
        for ((_, file), known) in unknown.iter_mut().zip(self.look_up(fingerprints).await) {
            file.whirlpool = known;
        }
    }

    /// Remembers a file's checksum. A file without a fingerprint is ignored.
    pub async fn learn(self: &Arc<Self>, file: &File, whirlpool: Whirlpool) {
        let Some(fingerprint) = file.settled_fingerprint().cloned() else { return };
        let full = {
            let mut inner = self.inner();
            inner.waiting.insert(fingerprint, (file.size, whirlpool));
            inner.waiting.len() >= GATHERED
        };
        if full {
            self.flush().await;
        }
    }

    /// Writes the gathered checksums. A failure is logged: the files will be read once more some day.
    pub async fn flush(self: &Arc<Self>) {
        let cache = self.clone();
        let written = tokio::task::spawn_blocking(move || cache.inner().write());
        if let Ok(Err(error)) = written.await {
            tracing::warn!("Nothing more is remembered: {}", failed(&self.path, error));
        }
    }

    /// Returns size and contents of the cache.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn status(&self) -> Result<HashCacheStatus, HashCacheError> {
        let inner = self.inner();
        let (files, bytes): (i64, i64) = inner
            .connection
            .query_row("SELECT count(*), coalesce(sum(size), 0) FROM hashes", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(|error| failed(&self.path, error))?;
        let size = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        Ok(HashCacheStatus { files: files.unsigned_abs(), bytes: bytes.unsigned_abs(), size })
    }

    /// Removes all checksums.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn clear(&self) -> Result<(), HashCacheError> {
        let mut inner = self.inner();
        inner.waiting.clear();
        inner
            .connection
            .execute_batch("DELETE FROM hashes; VACUUM")
            .map_err(|error| failed(&self.path, error))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // The data is sound between any two statements, even after a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashCache {
    fn drop(&mut self) {
        if let Err(error) = self.inner().write() {
            tracing::warn!("Nothing more is remembered: {}", failed(&self.path, error));
        }
    }
}

impl Inner {
    fn get(&self, fingerprint: &Fingerprint) -> Option<Whirlpool> {
        if let Some((_, whirlpool)) = self.waiting.get(fingerprint) {
            return Some(*whirlpool);
        }
        let mut statement =
            self.connection.prepare_cached("SELECT whirlpool FROM hashes WHERE fingerprint = ?1").ok()?;
        let row = statement.query_row([fingerprint.as_bytes()], |row| row.get::<_, [u8; 64]>(0));
        row.optional().ok()?.map(Whirlpool::from_bytes)
    }

    fn write(&mut self) -> rusqlite::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT OR REPLACE INTO hashes (fingerprint, size, whirlpool, learned) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (fingerprint, (size, whirlpool)) in &self.waiting {
                let size = i64::try_from(*size).unwrap_or(i64::MAX);
                let now = i64::try_from(now).unwrap_or(i64::MAX);
                statement.execute(params![fingerprint.as_bytes(), size, whirlpool.as_bytes(), now])?;
            }
        }
        transaction.commit()?;
        self.waiting.clear();
        Ok(())
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let layout: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if layout != LAYOUT {
        connection.execute_batch("DROP TABLE IF EXISTS hashes")?;
    }
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS hashes (
            fingerprint BLOB PRIMARY KEY, size INTEGER NOT NULL, whirlpool BLOB NOT NULL, learned INTEGER NOT NULL
         ) WITHOUT ROWID",
    )?;
    connection.pragma_update(None, "user_version", LAYOUT)?;
    connection.query_row("SELECT count(*) FROM (SELECT 1 FROM hashes LIMIT 1)", [], |_| Ok(()))
}

fn failed(path: &Path, source: rusqlite::Error) -> HashCacheError {
    DatabaseError::of_database(path, source).into()
}

#[cfg(test)]
mod tests {
    use fichier_storage::RemotePath;

    use super::*;

    fn file(mark: u8, size: u64) -> File {
        File {
            path: RemotePath::root(),
            size,
            modified: None,
            whirlpool: None,
            id: None,
            media_type: None,
            fingerprint: Some(Fingerprint::new(vec![mark])),
            seconds_ahead: 0,
        }
    }

    #[tokio::test]
    async fn what_was_learned_is_known_to_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/hashes");
        let cache = Arc::new(HashCache::open(&path).unwrap());
        let other = Arc::new(HashCache::open(&path).unwrap());
        cache.learn(&file(1, 5), Whirlpool::of(b"a")).await;
        other.learn(&file(2, 6), Whirlpool::of(b"b")).await;
        let mut files = [file(1, 5), file(2, 6)];
        cache.fill(files.iter_mut()).await;
        assert_eq!(files.map(|file| file.whirlpool), [Some(Whirlpool::of(b"a")), None]);
        drop((cache, other));
        let cache = Arc::new(HashCache::open(&path).unwrap());
        let mut files = [file(2, 6), file(3, 6)];
        cache.fill(files.iter_mut()).await;
        assert_eq!(files.map(|file| file.whirlpool), [Some(Whirlpool::of(b"b")), None]);
        let status = cache.status().unwrap();
        assert_eq!((status.files, status.bytes), (2, 11));
        cache.clear().unwrap();
        assert_eq!(cache.status().unwrap().files, 0);
    }

    #[test]
    fn a_damaged_cache_is_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hashes");
        std::fs::write(&path, b"this is no database, but long enough to be taken for one").unwrap();
        assert_eq!(HashCache::open(&path).unwrap().status().unwrap().files, 0);
    }
}
