//! Acting: batches of files on their way to one folder, with retries of what is worth one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use fichier_storage::{
    BatchLimit, Content, File, Location, Name, Outcome, Relocation, Remote, RemoteContent, RemotePath, Retry,
    StorageError, WriteBatch, WriteItem,
};

use crate::{
    Action, Backup, Bandwidth, Checksums, Record, Relation, RunReport, Stats, bandwidth::Ways,
    limits::Allowance, meter::MeteredContent, report::Verdict,
};

/// One file that is to be transferred.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) source: File,
    pub(crate) name: Name,
    pub(crate) replaces: Vec<File>,
}

/// Files that go to one folder together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) folder: RemotePath,
    pub(crate) jobs: Vec<Job>,
}

/// How files get from one remote to another.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) from: Arc<dyn Remote>,
    /// The run's root at the source: names in the log begin below it.
    pub(crate) from_root: RemotePath,
    pub(crate) to: Location,
    pub(crate) server_side: bool,
    /// Files leave the source once the destination has them.
    pub(crate) moves: bool,
    /// How often a file is tried in all, at least 1.
    pub(crate) tries: u32,
    /// How long to wait before another try.
    pub(crate) pause: Duration,
    /// What ends the run before it is done.
    pub(crate) allowance: Arc<Allowance>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) checksums: Checksums,
    /// Where old versions go instead of away.
    pub(crate) backup: Option<Backup>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) stop: CancellationToken,
}

/// How many files are copied or moved at the remote together: no byte goes through here, so the remote may make as
/// long lists of them as it can, and large files count no more than small ones.
const AT_THE_REMOTE: BatchLimit = BatchLimit { files: 1000, bytes: u64::MAX };

/// Splits the files of one folder into batches: small ones together, a large one alone.
pub(crate) fn split(limit: BatchLimit, folder: &RemotePath, jobs: Vec<Job>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut open_bytes = 0;
    let mut open: Option<usize> = None;
    for job in jobs {
        let size = job.source.size;
        match open {
            Some(index)
                if batches[index].jobs.len() < limit.files
                    && size <= limit.bytes.saturating_sub(open_bytes) =>
            {
                open_bytes += size;
                batches[index].jobs.push(job);
            }
            _ => {
                batches.push(Batch { folder: folder.clone(), jobs: vec![job] });
                if size <= limit.bytes {
                    open = Some(batches.len() - 1);
                    open_bytes = size;
                }
            }
        }
    }
    batches
}

impl Transfer {
    /// How much goes together.
    pub(crate) fn batch_limit(&self) -> BatchLimit {
        if self.server_side { AT_THE_REMOTE } else { self.to.remote.info().batch }
    }

    /// Carries a batch out: all at once first, then what failed and may work, one by one.
    pub(crate) async fn run(&self, batch: Batch) -> RunReport {
        let mut report = RunReport::default();
        let (mut jobs, refused) = self.admitted(batch.jobs);
        for attempt in 1..=self.tries.max(1) {
            if self.stop.is_cancelled() {
                break;
            }
            if jobs.is_empty() {
                break;
            }
            if attempt > 1 && !self.pause.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(self.pause) => {}
                    () = self.stop.cancelled() => break,
                }
            }
            let groups: Vec<Vec<Job>> =
                if attempt == 1 { vec![jobs] } else { jobs.into_iter().map(|job| vec![job]).collect() };
            jobs = Vec::new();
            for group in groups {
                if self.stop.is_cancelled() {
                    break;
                }
                let begun = Instant::now();
                let attempt_of_group = self.attempt(&batch.folder, &group, &mut report);
                let outcomes = match self.allowance.within(attempt_of_group).await {
                    Ok(outcomes) => outcomes,
                    Err(error) => {
                        // It concerns all of them and is said once.
                        let mut all = vec![Outcome::Failed(error)];
                        all.resize_with(group.len(), || Outcome::NotTried);
                        all
                    }
                };
                let took = begun.elapsed();
                let mut moved = Vec::new();
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    match outcome.into_result() {
                        Ok(file) => {
                            self.done(&job, &file, took, &mut report).await;
                            if self.moves && !self.server_side {
                                moved.push(job.source);
                            }
                        }
                        Err(error) if error.retry() == Retry::Worthwhile && attempt < self.tries => {
                            tracing::info!(path = %self.shown(&file_path(&batch.folder, &job)), attempt, "{error}: trying again");
                            jobs.push(job);
                        }
                        Err(error) => self.failed(&batch.folder, &job, error, &mut report),
                    }
                }
                self.remove_sources(moved, &mut report).await;
            }
        }
        for job in jobs {
            self.failed(&batch.folder, &job, StorageError::Canceled, &mut report);
        }
        // Last, since it ends the run: what was admitted before has been sent.
        for (job, error) in refused {
            self.failed(&batch.folder, &job, error, &mut report);
        }
        report
    }

    /// The transfers that no limit forbids, and those from the first on that one does.
    fn admitted(&self, jobs: Vec<Job>) -> (Vec<Job>, Vec<(Job, StorageError)>) {
        if self.server_side {
            return (jobs, Vec::new());
        }
        let (mut admitted, mut refused) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            if refused.is_empty() {
                match self.allowance.admit(job.source.size) {
                    Ok(()) => admitted.push(job),
                    Err(error) => refused.push((job, error)),
                }
            } else {
                refused.push((job, StorageError::Canceled));
            }
        }
        (admitted, refused)
    }

    async fn attempt(&self, folder: &RemotePath, jobs: &[Job], report: &mut RunReport) -> Vec<Outcome<File>> {
        for job in jobs {
            if !self.make_room(job, report).await {
                return jobs.iter().map(|_| Outcome::NotTried).collect();
            }
        }
        if self.server_side {
            let batch: Vec<_> = jobs
                .iter()
                .map(|job| Relocation {
                    from: job.source.clone(),
                    to: folder.join(&job.name),
                    replaces: self.replaces(job),
                })
                .collect();
            return match self.moves {
                true => self.to.remote.rename(&batch).await,
                false => self.to.remote.copy(&batch).await,
            };
        }
        let items = jobs.iter().map(|job| self.item(folder, job)).collect();
        self.to.remote.write(WriteBatch { folder: folder.clone(), items }).await
    }

    /// Notes a copy that was made at the remote without a transfer.
    pub(crate) async fn copied_there(&self, job: &Job, file: &File, report: &mut RunReport) {
        report.transferred += 1;
        self.stats.finish_transfer();
        self.stats.finish_server_side_copy(job.source.size);
        self.retire_replaced(job, report).await;
        let path = self.shown(&file.path);
        tracing::info!(path = %path, size = file.size, "Copied (server-side copy)");
        self.stats.record(&Record::of(&path, Action::CopiedThere, file));
    }

    /// The old versions that go when the new one is there.
    pub(crate) fn replaces(&self, job: &Job) -> Vec<File> {
        if self.backup.is_some() { Vec::new() } else { job.replaces.clone() }
    }

    /// Where a new version can't stand beside the old one, the old one goes to the backup first: it is whole
    /// there. Says whether nothing failed.
    pub(crate) async fn make_room(&self, job: &Job, report: &mut RunReport) -> bool {
        self.to.remote.info().features.duplicates || self.set_replaced_aside(job, report).await
    }

    /// Elsewhere the old version goes to the backup once the new one is there.
    pub(crate) async fn retire_replaced(&self, job: &Job, report: &mut RunReport) {
        if self.to.remote.info().features.duplicates {
            self.set_replaced_aside(job, report).await;
        }
    }

    /// Moves the old versions of a file to where backups go, if that is wanted; says whether nothing failed.
    async fn set_replaced_aside(&self, job: &Job, report: &mut RunReport) -> bool {
        let Some(backup) = self.backup.as_ref().filter(|_| !job.replaces.is_empty()) else { return true };
        let mut well = true;
        for (old, outcome) in job.replaces.iter().zip(backup.set_aside(&self.to, &job.replaces).await) {
            match outcome.into_result() {
                Ok(_) => {
                    let path = self.shown(&old.path);
                    tracing::info!(path = %path, "Moved into backup dir");
                    self.stats.record(&Record::of(&path, Action::SetAside, old));
                }
                // An earlier try has done it.
                Err(StorageError::FileNotFound(_)) => {}
                Err(error) => {
                    well = false;
                    if report.fail(&self.stats, &self.shown(&old.path), error) == Verdict::Stop {
                        self.stop.cancel();
                    }
                }
            }
        }
        well
    }

    /// Removes files of the source that the destination has got.
    pub(crate) async fn remove_sources(&self, files: Vec<File>, report: &mut RunReport) {
        if files.is_empty() {
            return;
        }
        for (file, outcome) in files.iter().zip(self.from.remove(&files).await) {
            let path = file.path.relative_to(&self.from_root).unwrap_or_else(|| file.path.clone());
            match outcome.into_result() {
                Ok(()) => {
                    tracing::info!(path = %path, "Deleted");
                    self.stats.count_deleted();
                    self.stats.record(&Record::of(&path, Action::Deleted, file));
                }
                Err(error) => {
                    if report.fail(&self.stats, &path, error) == Verdict::Stop {
                        self.stop.cancel();
                    }
                }
            }
        }
    }

    fn item(&self, folder: &RemotePath, job: &Job) -> WriteItem {
        let content: Arc<dyn Content> =
            Arc::new(RemoteContent { remote: self.from.clone(), file: job.source.clone() });
        WriteItem {
            name: job.name.clone(),
            size: job.source.size,
            modified: job.source.modified,
            // What was only remembered of a file that can change isn't held against its bytes.
            expected: job.source.whirlpool.filter(|_| job.source.fingerprint.is_none()),
            content: Arc::new(MeteredContent {
                inner: content,
                path: self.shown(&folder.join(&job.name)),
                size: job.source.size,
                stats: self.stats.clone(),
                bandwidth: self.bandwidth.clone(),
                ways: self.ways(),
            }),
            replaces: self.replaces(job),
        }
    }

    /// Which way the bytes go.
    fn ways(&self) -> Ways {
        let networked = |remote: &Arc<dyn Remote>| remote.info().features.networked;
        Ways { up: networked(&self.to.remote), down: networked(&self.from) }
    }

    async fn done(&self, job: &Job, file: &File, took: Duration, report: &mut RunReport) {
        report.transferred += 1;
        self.stats.finish_transfer();
        let action = match (self.server_side, self.moves) {
            (true, true) => Action::MovedThere,
            (true, false) => Action::CopiedThere,
            (false, _) => Action::Transferred,
        };
        let path = self.shown(&file.path);
        self.stats.record(&Record { took: Some(took), ..Record::of(&path, action, file) });
        match (self.server_side, self.moves) {
            (true, true) => self.stats.finish_server_side_move(job.source.size),
            (true, false) => self.stats.finish_server_side_copy(job.source.size),
            (false, _) => self.learn(job, file).await,
        }
        self.retire_replaced(job, report).await;
        let how = match (self.server_side, job.replaces.is_empty()) {
            (true, _) if self.moves => "Moved (server-side)",
            (true, _) => "Copied (server-side copy)",
            (false, true) => "Copied (new)",
            (false, false) => "Copied (replaced existing)",
        };
        tracing::info!(path = %self.shown(&file.path), size = file.size, "{how}");
    }

    /// Remembers the checksum that the transfer has shown, on the side that knows none.
    async fn learn(&self, job: &Job, file: &File) {
        let Some(sum) = file.whirlpool else { return };
        self.checksums.learn(&*self.from, &job.source, sum).await;
        if file.fingerprint.is_some() {
            self.checksums.learn_stored(file, sum).await;
        }
    }

    fn failed(&self, folder: &RemotePath, job: &Job, error: StorageError, report: &mut RunReport) {
        let path = self.shown(&file_path(folder, job));
        if matches!(error, StorageError::EmptyFile(_)) && self.to.remote.info().skips_empty_files {
            tracing::warn!(path = %path, "Skipped empty file: the service can't store it");
            self.stats.count_empty_file();
            self.stats.record(&Record::of(&path, Action::LeftOut, &job.source));
            return;
        }
        if error.retry() != Retry::Fatal {
            self.stats.compared(&path, Relation::Error);
        }
        if report.fail(&self.stats, &path, error) == Verdict::Stop {
            self.stop.cancel();
        }
    }

    /// A path of the destination as the user sees it: from the run's root on.
    fn shown(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(&self.to.path).unwrap_or_else(|| path.clone())
    }
}

fn file_path(folder: &RemotePath, job: &Job) -> RemotePath {
    folder.join(&job.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(sizes: &[u64]) -> Vec<Job> {
        sizes
            .iter()
            .enumerate()
            .map(|(index, &size)| Job {
                source: File {
                    path: RemotePath::parse(format!("f{index}")).unwrap(),
                    size,
                    modified: None,
                    whirlpool: None,
                    id: None,
                    media_type: None,
                    fingerprint: None,
                },
                name: Name::new(format!("f{index}")).unwrap(),
                replaces: Vec::new(),
            })
            .collect()
    }

    #[test]
    fn small_files_go_together_and_large_ones_alone() {
        let limit = BatchLimit { files: 3, bytes: 100 };
        let batches = split(limit, &RemotePath::root(), jobs(&[10, 10, 500, 10, 10, 90, 20]));
        let sizes: Vec<Vec<u64>> =
            batches.iter().map(|batch| batch.jobs.iter().map(|job| job.source.size).collect()).collect();
        assert_eq!(sizes, [vec![10, 10, 10], vec![500], vec![10, 90], vec![20]]);
    }

    #[test]
    fn at_the_remote_large_files_go_together_too() {
        let batches = split(AT_THE_REMOTE, &RemotePath::root(), jobs(&[1 << 40; 1001]));
        assert_eq!(batches.iter().map(|batch| batch.jobs.len()).collect::<Vec<_>>(), [1000, 1]);
    }

    #[test]
    fn a_remote_without_batches_gets_single_files() {
        let batches = split(BatchLimit::SINGLE, &RemotePath::root(), jobs(&[1, 0, 1]));
        assert_eq!(batches.len(), 3);
    }
}
