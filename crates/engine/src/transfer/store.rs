//! Stores one content under a path: for content that is no file of a remote, such as the standard input.

use std::{sync::Arc, time::SystemTime};

use tokio_util::sync::CancellationToken;

use fichier_storage::{
    Content, Entry, File, Freshness, Listing, Location, RemotePath, Result, StorageError, Whirlpool,
};

use crate::{
    RunOptions, RunReport, Stats,
    plan::places::Places,
    transfer::limits::RunQuota,
    transfer::{Batch, Job, Origin, Transfer},
};

/// Content to be stored.
#[derive(Clone)]
pub struct Upload {
    /// Size in bytes. More or fewer bytes from `content` are an error.
    pub size: u64,
    /// Modification time, for remotes that keep one.
    pub modified: Option<SystemTime>,
    /// Checksum that the bytes must have, where it is known.
    pub expected: Option<Whirlpool>,
    /// Source of the bytes, opened again for each try.
    pub content: Arc<dyn Content>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Stores content under a path. Old versions of that name are removed after the new one is verified.
///
/// A failure of the upload is logged and reported.
///
/// # Errors
/// The place can't be looked at, a folder has the name, or a link has the place, or something else has the link's
/// place.
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
    let around = list_around(target).await?;
    if let Some(rival) = Places::of(target, options.names.at(target), &around.entries).rival(target, &name) {
        return Err(rival.of(RemotePath::root().join(&name)));
    }
    let mut there = VersionsThere::among(target, around)?;
    let replaces = std::mem::take(&mut there.files);
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
    let shown = source.path.clone();
    let mut report = transfer.run(Batch { folder, jobs: vec![Job { source, name, replaces }] }).await;
    if report.is_success()
        && let Some(stays) = there.left_over(&target.path)
    {
        report.fail(stats, &shown, stays);
    }
    options.checksums.flush().await;
    Ok(report)
}

/// Files at a path, as listed in their folder.
#[derive(Debug, Default)]
pub struct VersionsThere {
    /// Files at the path, which are removed when a new version is stored.
    pub files: Vec<File>,
    /// Reason why a file at the path can't be used as the service lists it, so that it stays.
    unread: Option<StorageError>,
}

impl VersionsThere {
    /// Looks up the files at a path.
    ///
    /// # Errors
    /// Its folder can't be listed, or there is a folder at the path.
    pub async fn at(path: &Location) -> Result<Self> {
        Self::among(path, list_around(path).await?)
    }

    fn among(path: &Location, Listing { entries, gaps, .. }: Listing) -> Result<Self> {
        let mut files = Vec::new();
        for entry in entries.into_iter().filter(|entry| *entry.path() == path.path) {
            match entry {
                Entry::File(file) => files.push(file),
                Entry::Folder(_) if files.is_empty() => {
                    return Err(StorageError::IsAFolder(path.path.clone()));
                }
                Entry::Folder(_) => {}
            }
        }
        let gap = gaps.into_iter().find(|gap| gap.path == path.path);
        let stays = path.remote.info().features.duplicates;
        Ok(Self { files, unread: gap.filter(|_| stays).map(|gap| gap.error) })
    }

    /// Returns the error of an old version that stays beside the new one, which is stored by now: it couldn't be
    /// removed, since the listing didn't identify it.
    #[must_use]
    pub fn left_over(self, path: &RemotePath) -> Option<StorageError> {
        self.unread.map(|cause| StorageError::OldVersionStays { path: path.clone(), cause: Box::new(cause) })
    }
}

/// Lists the folder around a path. The list is empty where the folder doesn't exist.
async fn list_around(path: &Location) -> Result<Listing> {
    let folder = path.path.parent().unwrap_or_default();
    match path.remote.list(&folder, Freshness::SinceStart).await {
        Err(StorageError::FolderNotFound(_)) => Ok(Listing::default()),
        listing => listing,
    }
}
