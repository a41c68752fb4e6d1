//! Storing one content under a path: for what isn't a file of a remote, as the standard input.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use tokio_util::sync::CancellationToken;

use fichier_storage::{
    Content, Entry, File, Location, Result, Retry, StorageError, Whirlpool, WriteBatch, WriteItem,
};

use crate::{
    Action, Record, RunOptions, RunReport, Stats, bandwidth::Ways, meter::MeteredContent, report::Verdict,
};

/// Something to be stored.
#[derive(Clone)]
pub struct Upload {
    /// How many bytes it has. More or fewer from `content` is an error.
    pub size: u64,
    /// Its modification time, for remotes that keep one.
    pub modified: Option<SystemTime>,
    /// The checksum that its bytes must have, where it is known.
    pub expected: Option<Whirlpool>,
    /// Its bytes, opened again for each try.
    pub content: Arc<dyn Content>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Stores a content under a path. Old versions of that name go after the new one is verified.
///
/// A failure of the upload is logged and reported.
///
/// # Errors
/// The place can't be looked at, or a folder bears the name.
pub async fn store(
    target: &Location,
    upload: &Upload,
    options: &RunOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let (Some(folder), Some(name)) = (target.path.parent(), target.path.name()) else {
        return Err(StorageError::IsAFolder(target.path.clone()));
    };
    let replaces = existing(target).await?;
    let shown = fichier_storage::RemotePath::root().join(&name);
    stats.plan_transfer(upload.size);
    let mut report = RunReport::default();
    for attempt in 1..=options.tries.max(1) {
        if attempt > 1 && !options.retry_pause.is_zero() {
            tokio::time::sleep(options.retry_pause).await;
        }
        let begun = Instant::now();
        let item = WriteItem {
            name: name.clone(),
            size: upload.size,
            modified: upload.modified,
            expected: upload.expected,
            content: Arc::new(MeteredContent {
                inner: upload.content.clone(),
                path: shown.clone(),
                size: upload.size,
                stats: stats.clone(),
                bandwidth: options.bandwidth.clone(),
                ways: Ways { up: target.remote.info().features.networked, down: false },
            }),
            replaces: replaces.clone(),
        };
        let outcomes = target.remote.write(WriteBatch { folder: folder.clone(), items: vec![item] }).await;
        // One outcome for the one item.
        let Some(outcome) = outcomes.into_iter().next() else { return Err(StorageError::NotTried) };
        match outcome.into_result() {
            Ok(file) => {
                report.transferred += 1;
                stats.finish_transfer();
                let took = Some(begun.elapsed());
                stats.record(&Record { took, ..Record::of(&shown, Action::Transferred, &file) });
                if let Some(sum) = file.whirlpool {
                    options.checksums.learn_stored(&file, sum).await;
                }
                let how = if replaces.is_empty() { "new" } else { "replaced existing" };
                tracing::info!(path = %shown, size = file.size, "Copied ({how})");
                break;
            }
            Err(error)
                if error.retry() == Retry::Worthwhile && attempt < options.tries && !stop.is_cancelled() =>
            {
                tracing::info!(path = %shown, attempt, "{error}: trying again");
            }
            Err(error) => {
                if report.fail(stats, &shown, error) == Verdict::Stop {
                    stop.cancel();
                }
                break;
            }
        }
    }
    options.checksums.flush().await;
    Ok(report)
}

/// The files that bear a path.
async fn existing(target: &Location) -> Result<Vec<File>> {
    let folder = target.path.parent().unwrap_or_default();
    let entries = match target.remote.list(&folder).await {
        Ok(entries) => entries,
        Err(StorageError::FolderNotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries.into_iter().filter(|entry| *entry.path() == target.path) {
        match entry {
            Entry::File(file) => files.push(file),
            Entry::Folder(_) if files.is_empty() => {
                return Err(StorageError::IsAFolder(target.path.clone()));
            }
            Entry::Folder(_) => {}
        }
    }
    Ok(files)
}
