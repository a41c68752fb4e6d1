//! Verifies remembered checksums by reading the files.

use std::sync::Arc;

use futures::{StreamExt, pin_mut, stream};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;

use fichier_storage::{
    Entry, File, Fingerprint, Location, RemoteExt, RemotePath, Result, StorageError, Whirlpool,
};

use crate::{Checksums, HashCache, HashCacheError, RunReport, Stats, events::report::Verdict, walk};

use super::failed;

/// Result of verifying remembered checksums.
#[derive(Debug, Default)]
pub struct HashCacheVerdict {
    /// Number of files whose remembered checksum is right.
    pub right: u64,
    /// Number of files whose remembered checksum was wrong and is now forgotten.
    pub wrong: u64,
    /// Number of files without a remembered checksum.
    pub unknown: u64,
    /// Files that couldn't be read.
    pub failures: RunReport,
}

impl HashCache {
    /// Checks whether the cache's file is sound. Returns what is wrong with it if it isn't.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn soundness(&self) -> Result<Option<String>, HashCacheError> {
        let ask = |connection: &Connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        };
        let answer = ask(&self.inner().connection).map_err(|error| failed(&self.path, error))?;
        Ok((answer != "ok").then_some(answer))
    }

    /// Removes the checksum kept under a fingerprint.
    fn forget(&self, fingerprint: &Fingerprint) -> Result<(), HashCacheError> {
        let mut inner = self.inner();
        inner.waiting.remove(fingerprint);
        let removed =
            inner.connection.execute("DELETE FROM hashes WHERE fingerprint = ?1", [fingerprint.as_bytes()]);
        removed.map(|_| ()).map_err(|error| failed(&self.path, error))
    }

    /// Reads all files below a place that have a remembered checksum, and forgets the checksums that are wrong.
    ///
    /// # Errors
    /// There is nothing at `place`, or it can't be listed.
    pub async fn verify(
        self: &Arc<Self>,
        place: &Location,
        readers: usize,
        stats: &Arc<Stats>,
        stop: &CancellationToken,
    ) -> Result<HashCacheVerdict> {
        let mut verdict = HashCacheVerdict::default();
        let tree = walk(place, None);
        pin_mut!(tree);
        let mut first = true;
        while let Some(listing) = tree.next().await {
            if stop.is_cancelled() {
                break;
            }
            let files: Vec<File> = match listing {
                Ok(listing) => listing.entries.into_iter().filter_map(a_file).collect(),
                Err(error) if first && matches!(error.source, StorageError::IsAFile(_)) => {
                    place.remote.entry(&place.path).await.ok().and_then(a_file).into_iter().collect()
                }
                Err(error) if first => return Err(error.source),
                Err(error) => {
                    let shown = shown(place, &error.folder);
                    if verdict.failures.fail(stats, &shown, error.source) == Verdict::Stop {
                        stop.cancel();
                    }
                    continue;
                }
            };
            first = false;
            self.verify_files(place, files, readers, stats, &mut verdict).await;
        }
        Ok(verdict)
    }

    async fn verify_files(
        self: &Arc<Self>,
        place: &Location,
        files: Vec<File>,
        readers: usize,
        stats: &Arc<Stats>,
        verdict: &mut HashCacheVerdict,
    ) {
        let (known, unknown): (Vec<_>, Vec<_>) = files
            .into_iter()
            .map(|file| (file.settled_fingerprint().cloned(), file))
            .partition(|(fingerprint, _)| fingerprint.is_some());
        verdict.unknown += unknown.len() as u64;
        let known: Vec<(Fingerprint, File)> =
            known.into_iter().filter_map(|(fingerprint, file)| Some((fingerprint?, file))).collect();
        let remembered =
            self.look_up(known.iter().map(|(fingerprint, _)| fingerprint.clone()).collect()).await;
        let jobs: Vec<_> = known.into_iter().zip(remembered).collect();
        for _ in &jobs {
            stats.plan_check();
        }
        let reading = &Checksums::default();
        let mut read = stream::iter(jobs)
            .map(|((fingerprint, file), remembered)| async move {
                let sum = match remembered {
                    Some(_) => Some(read_now(reading, place, &file, &fingerprint).await),
                    None => None,
                };
                (fingerprint, file, remembered, sum)
            })
            .buffered(readers.max(1));
        while let Some((fingerprint, file, remembered, sum)) = read.next().await {
            stats.finish_check();
            let path = shown(place, &file.path);
            match sum {
                // Nothing is remembered, or the file has changed just now: so has its fingerprint.
                None | Some(Ok(None)) => verdict.unknown += 1,
                Some(Ok(sum)) if sum == remembered => verdict.right += 1,
                Some(Ok(_)) => {
                    tracing::error!(path = %path, "the remembered checksum was wrong and is forgotten");
                    verdict.wrong += 1;
                    stats.count_error();
                    if let Err(error) = self.forget(&fingerprint) {
                        tracing::error!(path = %path, "{error}");
                    }
                }
                Some(Err(error)) => {
                    verdict.failures.fail(stats, &path, error);
                }
            }
        }
    }
}

/// Reads a file and returns its checksum; `None` when the file has changed.
async fn read_now(
    reading: &Checksums,
    place: &Location,
    file: &File,
    fingerprint: &Fingerprint,
) -> Result<Option<Whirlpool>> {
    let sum = reading.of(&*place.remote, file).await?;
    let now = place.remote.entry(&file.path).await?;
    let unchanged = now.as_file().and_then(|file| file.settled_fingerprint()) == Some(fingerprint);
    Ok(unchanged.then_some(sum))
}

fn a_file(entry: Entry) -> Option<File> {
    match entry {
        Entry::File(file) => Some(file),
        Entry::Folder(_) => None,
    }
}

fn shown(place: &Location, path: &RemotePath) -> RemotePath {
    path.relative_to(&place.path).unwrap_or_else(|| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_cache_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let cache = HashCache::open(&directory.path().join("hashes")).unwrap();
        assert_eq!(cache.soundness().unwrap(), None);
    }
}
