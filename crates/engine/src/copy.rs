//! `copy`: makes the destination hold what the source holds, and removes nothing but old versions.
//!
//! One folder at a time: list both sides, match, decide, and hand the batches to workers; a folder that the
//! destination hasn't got costs it no listing.

use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, RemotePath, Result, StorageError};

use crate::{
    Comparison, RunReport, Stats, compare,
    plan::{self, Pair},
    report::Verdict,
    transfer::{self, Batch, Job, Transfer},
};

/// How to copy.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// How files that exist on both sides are compared.
    pub comparison: Comparison,
    /// Leave files that the destination has alone, whatever they hold.
    pub ignore_existing: bool,
    /// Make folders that hold no files, too.
    pub create_empty_folders: bool,
    /// How many batches are on their way at once, at least 1.
    pub transfers: usize,
    /// How many files are compared at once, at least 1.
    pub checkers: usize,
    /// How often a file is tried in all, at least 1.
    pub tries: u32,
    /// How many folders deep to go; 1: the source folder alone; `None`: all.
    pub max_depth: Option<usize>,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            comparison: Comparison::Exact,
            ignore_existing: false,
            create_empty_folders: false,
            transfers: 4,
            checkers: 8,
            tries: 3,
            max_depth: None,
        }
    }
}

/// Copies the contents of the folder `from` into the folder `to`; when `from` is a file, that file into the
/// folder `to`.
///
/// Failures of single files are logged, counted and reported; they don't stop the rest, unless they are
/// fatal. `stop` ends the run early.
///
/// # Errors
/// Nothing could be begun: the source isn't there, or it is the destination itself.
pub async fn copy(
    from: &Location,
    to: &Location,
    options: &CopyOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    if let Entry::File(file) = from.remote.find(&from.path).await.map_err(as_missing_folder)? {
        let Some(name) = file.path.name() else {
            return Err(StorageError::FileNotFound(file.path));
        };
        let target = Location { remote: to.remote.clone(), path: to.path.join(&name) };
        return copy_file(from, file, &target, options, stats, stop).await;
    }
    if same_place(from, to) {
        tracing::error!("Nothing to do as source and destination are the same");
        return Ok(RunReport::default());
    }
    if overlaps(from, to) {
        return Err(StorageError::Overlap { from: from.path.clone(), to: to.path.clone() });
    }
    let run = Run { from, to, options, stats, transfer: transfer(from, to, options, stats, stop) };
    Ok(run.run().await)
}

/// Copies the file `from` to the path `to`; when `from` is a folder, its contents into the folder `to`.
///
/// # Errors
/// As [`copy`].
pub async fn copy_to(
    from: &Location,
    to: &Location,
    options: &CopyOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    match from.remote.find(&from.path).await.map_err(as_missing_folder)? {
        Entry::File(file) => copy_file(from, file, to, options, stats, stop).await,
        Entry::Folder(_) => copy(from, to, options, stats, stop).await,
    }
}

async fn copy_file(
    from: &Location,
    file: File,
    target: &Location,
    options: &CopyOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    if same_place(&Location { remote: from.remote.clone(), path: file.path.clone() }, target) {
        tracing::error!(path = %file.path, "Nothing to do as source and destination are the same");
        return Ok(RunReport::default());
    }
    let (Some(folder), Some(name)) = (target.path.parent(), target.path.name()) else {
        return Err(StorageError::IsAFolder(target.path.clone()));
    };
    let existing = match target.remote.list(&folder).await {
        Ok(entries) => entries.into_iter().filter(|entry| entry.path() == &target.path).collect(),
        Err(StorageError::FolderNotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let (files, folders): (Vec<_>, Vec<_>) =
        existing.into_iter().partition(|entry| entry.as_file().is_some());
    if files.is_empty() && !folders.is_empty() {
        return Err(StorageError::IsAFolder(target.path.clone()));
    }
    let mut existing: Vec<File> = files.into_iter().filter_map(|entry| entry.as_file().cloned()).collect();
    existing.sort_by_key(|file| std::cmp::Reverse(file.modified));
    let root = Location { remote: target.remote.clone(), path: folder.clone() };
    let run = Run { from, to: &root, options, stats, transfer: transfer(from, &root, options, stats, stop) };
    let mut report = RunReport::default();
    stats.plan_check();
    let job = run.decide(Pair { name, source: file, existing }).await;
    stats.finish_check();
    match job {
        Ok(Some(job)) => {
            stats.plan_transfer(job.source.size);
            report.absorb(run.transfer.run(Batch { folder, jobs: vec![job] }).await);
        }
        Ok(None) => {}
        Err((path, error)) => {
            report.fail(stats, &path, error);
        }
    }
    Ok(report)
}

fn transfer(
    from: &Location,
    to: &Location,
    options: &CopyOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Transfer {
    Transfer {
        from: from.remote.clone(),
        to: to.clone(),
        server_side: Arc::ptr_eq(&from.remote, &to.remote) && to.remote.info().features.server_side_copy,
        tries: options.tries,
        stats: stats.clone(),
        stop: stop.clone(),
    }
}

/// A place by name: the remote as the user named it (a local one by its absolute path) and the path in it.
fn place(location: &Location) -> (&'static str, RemotePath) {
    let info = location.remote.info();
    let root = RemotePath::parse(&info.name).unwrap_or_default();
    (info.backend, root.join_path(&location.path))
}

fn same_place(left: &Location, right: &Location) -> bool {
    place(left) == place(right)
}

/// Whether the destination lies inside the source: copying would never end.
fn overlaps(from: &Location, to: &Location) -> bool {
    let ((from_backend, from), (to_backend, to)) = (place(from), place(to));
    from_backend == to_backend && to.is_within(&from)
}

/// Nothing at a path that was to be copied from: rclone calls that a missing directory.
fn as_missing_folder(error: StorageError) -> StorageError {
    match error {
        StorageError::FileNotFound(path) => StorageError::FolderNotFound(path),
        other => other,
    }
}

struct Run<'a> {
    from: &'a Location,
    to: &'a Location,
    options: &'a CopyOptions,
    stats: &'a Arc<Stats>,
    transfer: Transfer,
}

/// A folder still to be visited, seen from the run's roots.
struct Open {
    path: RemotePath,
    depth: usize,
    /// Whether the destination has it; a new folder needs no listing.
    exists: bool,
}

impl Run<'_> {
    async fn run(&self) -> RunReport {
        let workers = self.options.transfers.max(1);
        // A short queue: the walk stays ahead of the workers, but not by a whole tree.
        let (batches, queue) = mpsc::channel::<Batch>(workers * 4);
        let queue = stream::unfold(queue, |mut queue| async move { Some((queue.recv().await?, queue)) });
        let act = queue.map(|batch| self.transfer.run(batch)).buffer_unordered(workers).fold(
            RunReport::default(),
            |mut total, part| async move {
                total.absorb(part);
                total
            },
        );
        let (mut report, transferred) = futures::join!(self.walk(batches), act);
        report.absorb(transferred);
        report
    }

    /// Lists both sides folder by folder, and sends what is to be done to the workers.
    async fn walk(&self, batches: mpsc::Sender<Batch>) -> RunReport {
        let mut report = RunReport::default();
        let mut open = vec![Open { path: RemotePath::root(), depth: 0, exists: true }];
        while let Some(folder) = open.pop() {
            if self.transfer.stop.is_cancelled() {
                break;
            }
            let (jobs, below) = match self.visit(&folder, &mut report).await {
                Ok(visited) => visited,
                Err(error) => {
                    if report.fail(self.stats, &folder.path, error) == Verdict::Stop {
                        self.transfer.stop.cancel();
                    }
                    continue;
                }
            };
            open.extend(below.into_iter().rev());
            let target = self.to.path.join_path(&folder.path);
            for batch in transfer::split(self.to.remote.info().batch, &target, jobs) {
                if batches.send(batch).await.is_err() {
                    return report;
                }
            }
        }
        report
    }

    async fn visit(&self, folder: &Open, report: &mut RunReport) -> Result<(Vec<Job>, Vec<Open>)> {
        let source = self.from.remote.list(&self.from.path.join_path(&folder.path)).await?;
        let target = self.to.path.join_path(&folder.path);
        let (destination, exists) = if folder.exists {
            match self.to.remote.list(&target).await {
                Ok(entries) => (entries, true),
                Err(StorageError::FolderNotFound(_)) => (Vec::new(), false),
                Err(error) => return Err(error),
            }
        } else {
            (Vec::new(), false)
        };
        if !exists && self.options.create_empty_folders {
            for outcome in self.to.remote.make_folders(std::slice::from_ref(&target)).await {
                outcome.into_result()?;
            }
        }
        let matched = plan::match_folder(source, destination);
        for path in &matched.duplicates {
            tracing::warn!(path = %path, "Duplicate object found in source - taking the newest");
        }
        for path in &matched.clashes {
            report.fail(self.stats, path, StorageError::AlreadyExists(path.clone()));
        }
        let jobs = self.decide_all(matched.files, report).await;
        let deeper = self.options.max_depth.is_none_or(|most| folder.depth + 1 < most);
        let below = matched
            .folders
            .into_iter()
            .filter(|_| deeper)
            .map(|child| Open {
                path: folder.path.join(&child.name),
                depth: folder.depth + 1,
                exists: child.exists,
            })
            .collect();
        Ok((jobs, below))
    }

    async fn decide_all(&self, pairs: Vec<Pair>, report: &mut RunReport) -> Vec<Job> {
        for _ in &pairs {
            self.stats.plan_check();
        }
        let mut decided = stream::iter(pairs)
            .map(|pair| async {
                let decision = self.decide(pair).await;
                self.stats.finish_check();
                decision
            })
            .buffered(self.options.checkers.max(1));
        let mut jobs = Vec::new();
        while let Some(decision) = decided.next().await {
            match decision {
                Ok(Some(job)) => {
                    self.stats.plan_transfer(job.source.size);
                    jobs.push(job);
                }
                Ok(None) => {}
                Err((path, error)) => {
                    if report.fail(self.stats, &path, error) == Verdict::Stop {
                        self.transfer.stop.cancel();
                    }
                }
            }
        }
        jobs
    }

    /// What is to be done with one file: nothing, or a transfer.
    async fn decide(&self, pair: Pair) -> Result<Option<Job>, (RemotePath, StorageError)> {
        let Pair { name, source, existing } = pair;
        if !existing.is_empty() {
            if self.options.ignore_existing {
                tracing::debug!(path = %name, "Destination exists, skipping");
                return Ok(None);
            }
            let same = compare::same(
                self.options.comparison,
                (&self.from.remote, &source),
                (&self.to.remote, &existing[0]),
            );
            match same.await {
                Ok(true) => {
                    tracing::debug!(path = %name, "Unchanged skipping");
                    return Ok(None);
                }
                Ok(false) => {}
                Err(error) => return Err((source.path, error)),
            }
        }
        Ok(Some(Job { source, name, replaces: existing }))
    }
}
