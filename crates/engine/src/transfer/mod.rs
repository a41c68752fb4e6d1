//! Acting: batches of files on their way to one folder, with retries of what is worth one.

pub(crate) mod backup;
pub(crate) mod bandwidth;
pub(crate) mod limits;
pub(crate) mod metadata;
pub(crate) mod meter;
pub(crate) mod reading;
pub(crate) mod store;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use fichier_storage::{
    BatchLimit, Content, Entry, File, Location, Name, Outcome, Relocation, RemoteContent, RemoteExt,
    RemotePath, Retry, StorageError, WriteBatch, WriteItem,
};

use crate::{
    Backup, Bandwidth, Brakes, Checksums, MetadataOptions, Relation, RunError, RunReport, Stats,
    events::Event,
    events::report::Verdict,
    transfer::bandwidth::Directions,
    transfer::limits::RunQuota,
    transfer::meter::{MeteredContent, Tally},
    wrappers::brakes::with_refused,
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

/// Where the bytes come from.
#[derive(Clone)]
pub(crate) enum Origin {
    /// From files of a remote, below a path.
    Files(Location),
    /// From something that is no file of a remote, as the standard input.
    Content(Arc<dyn Content>),
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(location) => f.debug_tuple("Files").field(location).finish(),
            Self::Content(_) => f.write_str("Content"),
        }
    }
}

/// How files get to where they shall be: the one place that sends, tries again, keeps to the limits and removes what
/// has moved.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) from: Origin,
    pub(crate) to: Location,
    pub(crate) server_side: bool,
    /// Whether copies at the remote are made from public links, and what can't be copied so is sent.
    pub(crate) by_links: bool,
    /// Files leave the source once the destination has them.
    pub(crate) moves: bool,
    /// How often a file is tried in all, at least 1.
    pub(crate) tries: u32,
    /// How long to wait before another try.
    pub(crate) pause: Duration,
    /// What ends the run before it is done.
    pub(crate) allowance: Arc<RunQuota>,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) checksums: Checksums,
    /// What is kept beside content, name and time.
    pub(crate) metadata: Option<MetadataOptions>,
    /// Where old versions go instead of away.
    pub(crate) backup: Option<Backup>,
    pub(crate) brakes: Arc<Brakes>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) stop: CancellationToken,
}

/// Which way a batch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the remote that has it, without its bytes coming here.
    AtTheRemote,
    /// Through this program.
    Sent,
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
        if self.server_side { AT_THE_REMOTE } else { self.sent_together() }
    }

    /// How much is sent together. On a disk a batch saves no calls, and a limit on time is looked at before each batch.
    fn sent_together(&self) -> BatchLimit {
        let info = self.to.remote.info();
        if self.allowance.has_end() && !info.features.networked { BatchLimit::SINGLE } else { info.batch }
    }

    /// Carries a batch out. What the remote can't move without copying it is sent.
    pub(crate) async fn run(&self, batch: Batch) -> RunReport {
        let mut report = RunReport::default();
        let Batch { folder, jobs } = batch;
        let jobs = match self.server_side {
            true => self.carry(Way::AtTheRemote, &folder, jobs, &mut report).await,
            false => jobs,
        };
        for batch in split(self.sent_together(), &folder, jobs) {
            self.carry(Way::Sent, &folder, batch.jobs, &mut report).await;
        }
        report
    }

    /// Carries files out by one way: all at once first, then what failed and may work, one by one. Answers with what
    /// has to go the other way.
    async fn carry(&self, way: Way, folder: &RemotePath, jobs: Vec<Job>, report: &mut RunReport) -> Vec<Job> {
        let (mut jobs, refused) = self.admitted(way, jobs);
        let mut across = Vec::new();
        for attempt in 1..=self.tries.max(1) {
            if jobs.is_empty() || self.stop.is_cancelled() {
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
                    jobs.extend(group);
                    continue;
                }
                let begun = Instant::now();
                let attempt_of_group = self.attempt(way, folder, &group, report);
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
                for (mut job, outcome) in group.into_iter().zip(outcomes) {
                    match outcome.into_result() {
                        Ok(file) => {
                            self.done(way, &job, &file, took, report).await;
                            if self.moves && way == Way::Sent {
                                let whirlpool = file.whirlpool.or(job.source.whirlpool);
                                moved.push(File { whirlpool, ..job.source });
                            }
                        }
                        Err(StorageError::AcrossFileSystems(_)) if way == Way::AtTheRemote => {
                            across.push(job);
                        }
                        Err(error) if way == Way::AtTheRemote && self.by_links && may_be_sent(&error) => {
                            let path = self.shown(&folder.join(&job.name));
                            tracing::warn!(path = %path, "Not copied at the service ({error}): sending it");
                            across.push(job);
                        }
                        Err(error) if attempt < self.tries && self.may_work(&mut job, &error).await => {
                            let path = self.shown(&folder.join(&job.name));
                            tracing::info!(path = %path, attempt, "{error}: trying again");
                            jobs.push(job);
                        }
                        Err(error) => self.failed(folder, &job, error, report),
                    }
                }
                self.remove_sources(moved, true, report).await;
            }
        }
        for job in jobs {
            self.failed(folder, &job, StorageError::Canceled, report);
        }
        // Last, since it ends the run: what was admitted before has been sent.
        for (job, error) in refused {
            self.failed(folder, &job, error, report);
        }
        across
    }

    /// Checks whether another try may work. A file that changed while it was read is looked at again for it.
    async fn may_work(&self, job: &mut Job, error: &StorageError) -> bool {
        let (Origin::Files(from), StorageError::SourceChanged { .. }) = (&self.from, error) else {
            return error.retry() == Retry::Worthwhile;
        };
        let Ok(Entry::File(now)) = from.remote.entry(&job.source.path).await else { return false };
        self.stats.replan_transfer(job.source.size, now.size);
        job.source = now;
        true
    }

    /// The transfers that no limit forbids, and those from the first on that one does.
    fn admitted(&self, way: Way, jobs: Vec<Job>) -> (Vec<Job>, Vec<(Job, StorageError)>) {
        if way == Way::AtTheRemote {
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

    async fn attempt(
        &self,
        way: Way,
        folder: &RemotePath,
        jobs: &[Job],
        report: &mut RunReport,
    ) -> Vec<Outcome<File>> {
        for job in jobs {
            if !self.make_room(job, report).await {
                return jobs.iter().map(|_| Outcome::NotTried).collect();
            }
        }
        if way == Way::Sent {
            let (mut items, mut tallies) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
            for job in jobs {
                let tally = Arc::<Tally>::default();
                items.push(self.item(folder, job, &tally).await);
                tallies.push(tally);
            }
            let outcomes = self.to.remote.write(WriteBatch { folder: folder.clone(), items }).await;
            // What was read and not stored will be read again, or is no part of what was transferred.
            let failed = outcomes.iter().zip(&tallies).filter(|(outcome, _)| !outcome.is_done());
            failed.for_each(|(_, tally)| tally.take_back(&self.stats));
            return outcomes;
        }
        let batch: Vec<_> = jobs
            .iter()
            .map(|job| Relocation {
                from: job.source.clone(),
                to: folder.join(&job.name),
                replaces: self.replaces(job),
            })
            .collect();
        if !self.moves {
            return self.to.remote.copy(&batch).await;
        }
        // As with rclone, what a move takes the place of counts as removed.
        let admitted =
            |step: &Relocation| step.replaces.iter().try_for_each(|old| self.brakes.admit(old.size));
        let (mut allowed, mut refused) = (batch.len(), None);
        for (index, step) in batch.iter().enumerate() {
            if let Err(error) = admitted(step) {
                (allowed, refused) = (index, Some(error));
                break;
            }
        }
        with_refused(self.to.remote.rename(&batch[..allowed]).await, batch.len(), refused)
    }

    /// Notes a copy that was made at the remote without a transfer.
    pub(crate) async fn copied_there(&self, job: &Job, file: &File, report: &mut RunReport) {
        report.transferred += 1;
        let bytes = job.source.size;
        self.stats.note(&self.shown(&file.path), &Event::CopiedThere { file, bytes, took: None });
        self.retire_replaced(job, report).await;
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
        for (old, outcome) in
            job.replaces.iter().zip(backup.set_aside(&self.to, &job.replaces, &self.brakes).await)
        {
            match outcome.into_result() {
                Ok(_) => self.stats.note(&self.shown(&old.path), &Event::SetAside(old)),
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

    /// Removes files of the source that the destination has got, unless they were changed since they were listed.
    /// `sent`: they were sent just now; their checksum is that of what was read.
    pub(crate) async fn remove_sources(&self, files: Vec<File>, sent: bool, report: &mut RunReport) {
        let Origin::Files(from) = &self.from else { return };
        if files.is_empty() {
            return;
        }
        for (file, outcome) in files.iter().zip(from.remote.remove_unchanged(&files).await) {
            let vanished =
                matches!(outcome, Outcome::DoneBefore(())) && !from.remote.info().features.networked;
            let removed = match outcome.into_result() {
                // Nobody loses an answer there, so somebody else took it away, maybe to another place.
                Ok(()) if vanished => Err(StorageError::SourceChanged {
                    path: file.path.clone(),
                    what: "isn't there any more, so it wasn't removed",
                }),
                Err(changed @ StorageError::SourceChanged { .. }) => {
                    self.remove_same_content(from, file, changed).await
                }
                other => other,
            };
            let path = shown_below(from, &file.path);
            match removed {
                Ok(()) if sent => self.stats.note(&path, &Event::SourceDeleted(file)),
                Ok(()) => self.stats.note(&path, &Event::Deleted(file)),
                Err(error) => {
                    if report.fail(&self.stats, &path, error) == Verdict::Stop {
                        self.stop.cancel();
                    }
                }
            }
        }
    }

    /// Removes a file that isn't quite what was seen, if it still has the content that the destination has got: one
    /// of its hard links may have gone, or its permissions have changed.
    async fn remove_same_content(
        &self,
        from: &Location,
        seen: &File,
        changed: StorageError,
    ) -> Result<(), StorageError> {
        let Ok(Entry::File(now)) = from.remote.entry(&seen.path).await else { return Err(changed) };
        let same_times = now.size == seen.size && now.modified == seen.modified;
        let Some(sum) = seen.whirlpool.filter(|_| same_times) else { return Err(changed) };
        if self.checksums.of(&*from.remote, &now).await? != sum {
            return Err(changed);
        }
        let outcomes = from.remote.remove_unchanged(&[now]).await;
        outcomes.into_iter().next().unwrap_or(Outcome::NotTried).into_result()
    }

    async fn item(&self, folder: &RemotePath, job: &Job, tally: &Arc<Tally>) -> WriteItem {
        let content: Arc<dyn Content> = match &self.from {
            Origin::Files(from) => Arc::new(RemoteContent::new(&*from.remote, &job.source)),
            Origin::Content(content) => content.clone(),
        };
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
                tally: tally.clone(),
            }),
            replaces: self.replaces(job),
            metadata: self.metadata_of(&job.source).await,
        }
    }

    /// Which way the bytes go.
    fn ways(&self) -> Directions {
        let down = match &self.from {
            Origin::Files(from) => from.remote.info().features.networked,
            Origin::Content(_) => false,
        };
        Directions { up: self.to.remote.info().features.networked, down }
    }

    async fn done(&self, way: Way, job: &Job, file: &File, took: Duration, report: &mut RunReport) {
        report.transferred += 1;
        let (bytes, path) = (job.source.size, self.shown(&file.path));
        let event = match (way, self.moves) {
            (Way::AtTheRemote, true) => Event::MovedThere { file, bytes, took: Some(took) },
            (Way::AtTheRemote, false) => Event::CopiedThere { file, bytes, took: Some(took) },
            (Way::Sent, moves) => Event::Sent { file, replaced: !job.replaces.is_empty(), moves, took },
        };
        self.stats.note(&path, &event);
        if way == Way::Sent {
            self.learn(job, file).await;
        }
        self.retire_replaced(job, report).await;
    }

    /// Remembers the checksum that the transfer has shown, on the side that knows none.
    async fn learn(&self, job: &Job, file: &File) {
        let Some(sum) = file.whirlpool else { return };
        if let Origin::Files(from) = &self.from {
            self.checksums.learn(&*from.remote, &job.source, sum).await;
        }
        if file.fingerprint.is_some() {
            self.checksums.learn_stored(file, sum).await;
        }
    }

    fn failed(&self, folder: &RemotePath, job: &Job, error: StorageError, report: &mut RunReport) {
        let path = self.shown(&folder.join(&job.name));
        if matches!(error, StorageError::EmptyFile(_)) && self.to.remote.info().skips_empty_files {
            self.stats.note(&path, &Event::EmptyLeftOut(&job.source));
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

/// Whether what couldn't be copied from a public link can be read and sent all the same.
fn may_be_sent(error: &StorageError) -> bool {
    let is_settled = matches!(
        error,
        StorageError::NotTried | StorageError::OldVersionStays { .. } | StorageError::Misplaced { .. }
    );
    !is_settled && !RunError::is_declined(error) && error.retry() != Retry::Fatal
}

/// A path of the source as the user sees it: from the run's root on, or its name if it is the root.
pub(crate) fn shown_below(from: &Location, path: &RemotePath) -> RemotePath {
    let below = path.relative_to(&from.path).filter(|below| !below.is_root());
    let name = || path.name().map(|name| RemotePath::root().join(&name));
    below.or_else(name).unwrap_or_else(|| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(sizes: &[u64]) -> Vec<Job> {
        sizes
            .iter()
            .enumerate()
            .map(|(index, &size)| Job {
                source: File::new(RemotePath::parse(format!("f{index}")).unwrap(), size),
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
