//! Storing one content under a path: for what isn't a file of a remote, as the standard input.

use std::{sync::Arc, time::SystemTime};

use tokio_util::sync::CancellationToken;

use fichier_storage::{
    Content, Entry, File, Location, Name, RemoteExt, RemotePath, Result, StorageError, Whirlpool,
};

use crate::{
    RunOptions, RunReport, Stats,
    plan::places::Places,
    transfer::limits::RunQuota,
    transfer::{Batch, Job, Origin, Transfer},
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
/// The place can't be looked at, a folder bears the name, or a link has the place, or something else the link's.
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
    let replaces = existing(target, &name, options).await?;
    stats.plan_transfer(upload.size);
    let source = File {
        path: RemotePath::root().join(&name),
        size: upload.size,
        modified: upload.modified,
        whirlpool: upload.expected,
        id: None,
        media_type: None,
        fingerprint: None,
        seconds_ahead: 0,
    };
    let transfer = Transfer {
        from: Origin::Content(upload.content.clone()),
        to: Location { remote: target.remote.clone(), path: folder.clone() },
        server_side: false,
        by_links: false,
        moves: false,
        tries: options.tries,
        pause: options.retry_pause,
        allowance: Arc::new(RunQuota::new(options.limits)),
        bandwidth: options.bandwidth.clone(),
        checksums: options.checksums.clone(),
        metadata: options.metadata.clone(),
        backup: options.backup.clone(),
        brakes: options.brakes.clone(),
        stats: stats.clone(),
        stop: stop.clone(),
    };
    let report = transfer.run(Batch { folder, jobs: vec![Job { source, name, replaces }] }).await;
    options.checksums.flush().await;
    Ok(report)
}

/// The files that bear a path.
async fn existing(target: &Location, name: &Name, options: &RunOptions) -> Result<Vec<File>> {
    let folder = target.path.parent().unwrap_or_default();
    let entries = match target.remote.entries(&folder).await {
        Ok(entries) => entries,
        Err(StorageError::FolderNotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    if let Some(rival) = Places::of(target, options.names.at(target), &entries).rival(target, name) {
        return Err(rival.of(RemotePath::root().join(name)));
    }
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
