//! One run over two trees: list both sides folder by folder, match, decide, act in batches, report.
//!
//! Where nothing found later can change what was decided, transfers begin while the walk goes on. Else what
//! is to be done goes to the [`Agenda`] first: a sync must know all that the destination holds before it can
//! tell a renamed file from a new one.

use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, Name, RemotePath, Result, StorageError};

use crate::{
    DeleteWhen, Order, RunOptions, RunReport, Stats,
    agenda::{Agenda, AgendaError, OneSided, Standing},
    compare::Decision,
    plan::{self, Clash, Matched, Pair},
    report::Verdict,
    transfer::{self, Batch, Job, Transfer},
};

/// What a run does with what it has compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The destination gets what the source has.
    Copy,
    /// It loses what the source hasn't, too.
    Sync,
    /// The source loses what the destination has got.
    Move,
}

/// See the module.
pub(crate) struct Run<'a> {
    pub(crate) mode: Mode,
    pub(crate) from: &'a Location,
    pub(crate) to: &'a Location,
    pub(crate) options: &'a RunOptions,
    pub(crate) stats: &'a Arc<Stats>,
    pub(crate) transfer: Transfer,
    /// Kept unless nothing found later can matter.
    pub(crate) agenda: Option<Agenda>,
}

/// A folder still to be visited, seen from the run's roots.
pub(crate) struct Open {
    pub(crate) path: RemotePath,
    pub(crate) depth: usize,
    /// Whether the source has it.
    pub(crate) source: bool,
    /// Whether the destination has it; a new folder needs no listing.
    pub(crate) destination: bool,
}

/// Where transfers go that were found: to the workers, or to the agenda.
type Batches = Option<mpsc::Sender<Batch>>;

impl<'a> Run<'a> {
    pub(crate) fn new(
        mode: Mode,
        from: &'a Location,
        to: &'a Location,
        options: &'a RunOptions,
        stats: &'a Arc<Stats>,
        stop: &CancellationToken,
    ) -> Self {
        let features = to.remote.info().features;
        let same = Arc::ptr_eq(&from.remote, &to.remote);
        let server_side = same
            && match mode {
                Mode::Move => features.server_side_move,
                Mode::Copy | Mode::Sync => features.server_side_copy,
            };
        let transfer = Transfer {
            from: from.remote.clone(),
            to: to.clone(),
            server_side,
            moves: mode == Mode::Move,
            tries: options.tries,
            checksums: options.checksums.clone(),
            backup: options.backup.clone(),
            stats: stats.clone(),
            stop: stop.clone(),
        };
        Self { mode, from, to, options, stats, transfer, agenda: None }
    }

    /// The whole run.
    pub(crate) async fn run(mut self) -> RunReport {
        let mut report = RunReport::default();
        let waits = self.waits().await;
        if waits || self.mode == Mode::Sync {
            match Agenda::new() {
                Ok(agenda) => self.agenda = Some(agenda),
                Err(error) => {
                    report.fail(self.stats, &RemotePath::root(), lost(error));
                    return report;
                }
            }
        }
        let start = Open { path: RemotePath::root(), depth: 0, source: true, destination: true };
        if waits {
            self.walk(vec![start], None, &mut report).await;
            if self.deletes(DeleteWhen::Before) {
                self.remove_extras(&mut report).await;
            }
            self.reuse(&mut report).await;
            self.transfer_all(&mut report).await;
        } else {
            self.walk_and_transfer(start, &mut report).await;
        }
        if self.deletes(DeleteWhen::After) || self.deletes(DeleteWhen::During) {
            self.remove_extras(&mut report).await;
        }
        if self.mode == Mode::Move && self.options.delete_empty_source_folders {
            self.remove_empty_source(&mut report).await;
        }
        self.options.checksums.flush().await;
        report
    }

    pub(crate) fn deletes(&self, when: DeleteWhen) -> bool {
        self.mode == Mode::Sync && self.options.deletion.when == when
    }

    pub(crate) fn stopped(&self) -> bool {
        self.transfer.stop.is_cancelled()
    }

    /// Notes a failure; a fatal one ends the run.
    pub(crate) fn fail(&self, report: &mut RunReport, path: &RemotePath, error: StorageError) {
        if report.fail(self.stats, path, error) == Verdict::Stop {
            self.transfer.stop.cancel();
        }
    }

    /// Whether the destination may hold what would be sent, so that it is copied there instead.
    fn can_reuse(&self) -> bool {
        let features = self.to.remote.info().features;
        self.options.reuse
            && !self.transfer.server_side
            && self.mode != Mode::Move
            && features.server_side_copy
            && features.listed_checksums
    }

    /// Whether everything is compared before the first transfer.
    async fn waits(&self) -> bool {
        if self.options.check_first || self.options.order != Order::Found || self.deletes(DeleteWhen::Before)
        {
            return true;
        }
        // In a folder that is empty or isn't there yet, there is nothing to make use of.
        self.can_reuse() && self.to.remote.list(&self.to.path).await.is_ok_and(|entries| !entries.is_empty())
    }

    async fn walk_and_transfer(&self, start: Open, report: &mut RunReport) {
        let workers = self.options.transfers.max(1);
        // A short queue: the walk stays ahead of the workers, but not by a whole tree.
        let (batches, queue) = mpsc::channel::<Batch>(workers * 4);
        let queue = stream::unfold(queue, |mut queue| async move { Some((queue.recv().await?, queue)) });
        let (_, transferred) =
            futures::join!(self.walk(vec![start], Some(batches), report), self.work(queue));
        report.absorb(transferred);
    }

    async fn work(&self, batches: impl stream::Stream<Item = Batch>) -> RunReport {
        let workers = self.options.transfers.max(1);
        batches
            .map(|batch| self.transfer.run(batch))
            .buffer_unordered(workers)
            .fold(RunReport::default(), |mut total, part| async move {
                total.absorb(part);
                total
            })
            .await
    }

    /// Does what is on the agenda.
    async fn transfer_all(&self, report: &mut RunReport) {
        const AT_ONCE: usize = 1000;
        let Some(agenda) = &self.agenda else { return };
        let limit = self.to.remote.info().batch;
        let taken = stream::unfold(agenda, |agenda| async move {
            let taken = agenda.take_jobs(self.options.order, AT_ONCE).await;
            match &taken {
                Ok(jobs) if jobs.is_empty() => None,
                _ if self.stopped() => None,
                _ => Some((taken, agenda)),
            }
        });
        let failed = std::sync::Mutex::new(None);
        let batches = taken.flat_map(|taken| {
            let planned = taken.unwrap_or_else(|error| {
                self.transfer.stop.cancel();
                *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                Vec::new()
            });
            let mut batches = Vec::new();
            let mut group: Option<(RemotePath, Vec<Job>)> = None;
            for planned in planned {
                match &mut group {
                    Some((folder, jobs)) if *folder == planned.folder => jobs.push(planned.job),
                    _ => {
                        let next = Some((planned.folder, vec![planned.job]));
                        if let Some((folder, jobs)) = std::mem::replace(&mut group, next) {
                            batches.extend(transfer::split(limit, &self.to.path.join_path(&folder), jobs));
                        }
                    }
                }
            }
            if let Some((folder, jobs)) = group {
                batches.extend(transfer::split(limit, &self.to.path.join_path(&folder), jobs));
            }
            stream::iter(batches)
        });
        report.absorb(self.work(batches).await);
        let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(error) = failed {
            self.fail(report, &RemotePath::root(), lost(error));
        }
    }

    /// Lists both sides folder by folder and hands on what is to be done.
    pub(crate) async fn walk(&self, mut open: Vec<Open>, batches: Batches, report: &mut RunReport) {
        while let Some(folder) = open.pop() {
            if self.stopped() {
                break;
            }
            match self.visit(&folder, &batches, report).await {
                Ok(below) => open.extend(below.into_iter().rev()),
                Err(error) => self.fail(report, &folder.path, error),
            }
        }
    }

    async fn visit(&self, folder: &Open, batches: &Batches, report: &mut RunReport) -> Result<Vec<Open>> {
        let target = self.to.path.join_path(&folder.path);
        let (destination, exists) = self.list_destination(folder, &target).await?;
        let source = self.list_source(folder, report).await?;
        if !exists && folder.source {
            if self.moves_whole(folder, &target).await {
                return Ok(Vec::new());
            }
            if self.options.create_empty_folders {
                self.make_folder(&target).await?;
            }
            if let Some(agenda) = &self.agenda {
                agenda.note_folder(folder.path.clone(), OneSided::Source).await.map_err(lost)?;
            }
        }
        if let Some(agenda) = self.agenda.as_ref().filter(|_| !folder.source) {
            agenda.note_folder(folder.path.clone(), OneSided::Destination).await.map_err(lost)?;
        }
        let mut matched = plan::match_folder(source, destination);
        for path in &matched.duplicates {
            tracing::warn!(path = %path, "Duplicate object found in source - taking the newest");
        }
        let clashed = self.settle_clashes(&mut matched, folder, report).await;
        let fill = matched
            .files
            .iter_mut()
            .flat_map(|pair| std::iter::once(&mut pair.source).chain(pair.existing.first_mut()));
        self.options.checksums.fill(fill).await;
        let extras = std::mem::take(&mut matched.extra_files);
        self.take_note(&folder.path, extras, &matched, report).await?;
        let mut jobs = self.decide_all(std::mem::take(&mut matched.files), report).await;
        jobs.extend(clashed);
        self.hand_on(&folder.path, &target, jobs, batches).await?;
        Ok(self.below(folder, &matched))
    }

    async fn list_destination(&self, folder: &Open, target: &RemotePath) -> Result<(Vec<Entry>, bool)> {
        if !folder.destination {
            return Ok((Vec::new(), false));
        }
        match self.to.remote.list(target).await {
            Ok(mut entries) => {
                if let Some(backup) = &self.options.backup {
                    entries.retain(|entry| !backup.covers(self.to, entry.path()));
                }
                Ok((entries, true))
            }
            Err(StorageError::FolderNotFound(_)) => Ok((Vec::new(), false)),
            Err(error) => Err(error),
        }
    }

    async fn list_source(&self, folder: &Open, report: &mut RunReport) -> Result<Vec<Entry>> {
        if !folder.source {
            return Ok(Vec::new());
        }
        let path = self.from.path.join_path(&folder.path);
        let listing = self.from.remote.list_with_gaps(&path).await?;
        for gap in listing.gaps {
            let shown = gap.path.relative_to(&self.from.path).unwrap_or(gap.path);
            self.fail(report, &shown, gap.error);
        }
        Ok(listing.entries)
    }

    /// Moves a folder as a whole, where the remote can and nothing stands in its place.
    async fn moves_whole(&self, folder: &Open, target: &RemotePath) -> bool {
        let whole = self.mode == Mode::Move
            && self.transfer.server_side
            && self.to.remote.info().features.folder_move
            && self.options.max_depth.is_none()
            && !folder.path.is_root();
        if !whole {
            return false;
        }
        let from = self.from.path.join_path(&folder.path);
        match self.to.remote.rename_folder(&from, target).await {
            Ok(()) => {
                tracing::info!(path = %folder.path, "Moved (server-side directory move)");
                true
            }
            Err(error) => {
                tracing::debug!(path = %folder.path, "moved file by file, since the folder couldn't be: {error}");
                false
            }
        }
    }

    async fn make_folder(&self, target: &RemotePath) -> Result<()> {
        for outcome in self.to.remote.make_folders(std::slice::from_ref(target)).await {
            outcome.into_result()?;
        }
        Ok(())
    }

    /// Files and folders that bear one name. A sync removes the destination's, since the source wins there;
    /// else the name is left alone and told. Answers with the transfers that have become possible.
    async fn settle_clashes(&self, matched: &mut Matched, folder: &Open, report: &mut RunReport) -> Vec<Job> {
        let mut jobs = Vec::new();
        for clash in std::mem::take(&mut matched.clashes) {
            let (name, path) = match &clash {
                Clash::FileMeetsFolder(name, file) => (name.clone(), file.path.clone()),
                Clash::FolderMeetsFile(name, _) => {
                    (name.clone(), self.from.path.join_path(&folder.path).join(name))
                }
            };
            let shown = path.relative_to(&self.from.path).unwrap_or(path);
            if self.mode != Mode::Sync || report.failed > 0 {
                self.fail(report, &shown, StorageError::AlreadyExists(shown.clone()));
                continue;
            }
            match clash {
                Clash::FolderMeetsFile(_, files) => {
                    if self.remove_now(&files, report).await {
                        matched.folders.push(plan::FolderPair { name, exists: false });
                    }
                }
                Clash::FileMeetsFolder(_, source) => {
                    let place = self.to.path.join_path(&folder.path).join(&name);
                    if self.remove_tree(&place, report).await {
                        jobs.push(self.job(Pair { name, source, existing: Vec::new() }));
                    }
                }
            }
        }
        jobs
    }

    /// Notes what the destination holds, as far as somebody will ask.
    async fn take_note(
        &self,
        folder: &RemotePath,
        extras: Vec<File>,
        matched: &Matched,
        report: &mut RunReport,
    ) -> Result<()> {
        let Some(agenda) = &self.agenda else { return Ok(()) };
        let reuse = self.can_reuse();
        let standing = if self.mode == Mode::Sync { Standing::Extra } else { Standing::Kept };
        if self.deletes(DeleteWhen::During) && !reuse {
            self.remove_files(extras, report).await;
        } else if self.mode == Mode::Sync || reuse {
            agenda.note(folder.clone(), standing, extras).await.map_err(lost)?;
        }
        if reuse {
            let kept = matched.files.iter().flat_map(|pair| pair.existing.iter().cloned()).collect();
            agenda.note(folder.clone(), Standing::Kept, kept).await.map_err(lost)?;
        }
        Ok(())
    }

    async fn hand_on(
        &self,
        folder: &RemotePath,
        target: &RemotePath,
        jobs: Vec<Job>,
        batches: &Batches,
    ) -> Result<()> {
        match (batches, &self.agenda) {
            (Some(batches), _) => {
                for batch in transfer::split(self.to.remote.info().batch, target, jobs) {
                    // The workers are gone only when the run is.
                    if batches.send(batch).await.is_err() {
                        break;
                    }
                }
            }
            (None, Some(agenda)) => agenda.plan(folder.clone(), jobs).await.map_err(lost)?,
            (None, None) => {}
        }
        Ok(())
    }

    /// The folders to be visited below one.
    fn below(&self, folder: &Open, matched: &Matched) -> Vec<Open> {
        if self.options.max_depth.is_some_and(|most| folder.depth + 1 >= most) {
            return Vec::new();
        }
        let open = |name: &Name, source, destination| Open {
            path: folder.path.join(name),
            depth: folder.depth + 1,
            source,
            destination,
        };
        let mut below: Vec<_> =
            matched.folders.iter().map(|child| open(&child.name, true, child.exists)).collect();
        // A copy looks there, too, for contents that it could make use of; but that isn't worth listings.
        if self.mode == Mode::Sync {
            below.extend(matched.extra_folders.iter().map(|name| open(name, false, true)));
        }
        below.sort_by(|left, right| left.path.cmp(&right.path));
        below
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
        let (mut jobs, mut there) = (Vec::new(), Vec::new());
        while let Some(decision) = decided.next().await {
            match decision {
                Ok(Decided::Transfer(job)) => {
                    self.stats.plan_transfer(job.source.size);
                    jobs.push(job);
                }
                Ok(Decided::There(source)) => there.push(source),
                Ok(Decided::Leave) => {}
                Err((path, error)) => self.fail(report, &path, error),
            }
        }
        drop(decided);
        if self.mode == Mode::Move {
            self.transfer.remove_sources(there, report).await;
        }
        jobs
    }

    /// What is to be done with one file.
    pub(crate) async fn decide(&self, pair: Pair) -> Result<Decided, (RemotePath, StorageError)> {
        let rules = &self.options.rules;
        let Some(existing) = pair.existing.first() else {
            if rules.existing_only {
                tracing::debug!(path = %pair.name, "Destination doesn't exist, skipping");
                return Ok(Decided::Leave);
            }
            return Ok(Decided::Transfer(self.job(pair)));
        };
        if pair.existing.len() > 1 && !all_same(&pair.existing) {
            tracing::warn!(path = %existing.path, "Duplicate object found in destination - comparing with the newest");
        }
        let source = (&self.from.remote, &pair.source);
        let decision = rules.judge(&self.options.checksums, source, (&self.to.remote, existing)).await;
        match decision.map_err(|error| (pair.source.path.clone(), error))? {
            Decision::Transfer => Ok(Decided::Transfer(self.job(pair))),
            Decision::Leave(why) => {
                tracing::debug!(path = %pair.name, "{why}");
                Ok(Decided::Leave)
            }
            Decision::Same => {
                tracing::debug!(path = %pair.name, "Unchanged skipping");
                Ok(Decided::There(pair.source))
            }
            Decision::Retime => {
                if let Some(time) = pair.source.modified {
                    let set = self.to.remote.set_modified(existing, time).await;
                    set.map_err(|error| (existing.path.clone(), error))?;
                    tracing::info!(path = %pair.name, "Updated modification time in destination");
                }
                Ok(Decided::There(pair.source))
            }
        }
    }

    fn job(&self, pair: Pair) -> Job {
        Job { source: pair.source, name: pair.name, replaces: pair.existing }
    }
}

/// What is to be done with one file.
#[derive(Debug)]
pub(crate) enum Decided {
    Transfer(Job),
    /// The destination has it already.
    There(File),
    Leave,
}

fn all_same(versions: &[File]) -> bool {
    versions.windows(2).all(|pair| {
        pair[0].size == pair[1].size && pair[0].whirlpool.is_some() && pair[0].whirlpool == pair[1].whirlpool
    })
}

/// A broken agenda ends the run: without it nothing is known of what is left.
pub(crate) fn lost(error: AgendaError) -> StorageError {
    StorageError::io("write", "the agenda", std::io::Error::new(std::io::ErrorKind::StorageFull, error))
}
