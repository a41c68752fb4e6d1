//! One run over two trees: list both sides folder by folder, match, decide, act in batches, report.
//!
//! Where nothing found later can change what was decided, transfers begin while the walk goes on. Else what
//! is to be done goes to the [`PlanDb`] first: a sync must know all that the destination holds before it can
//! tell a renamed file from a new one.

pub(crate) mod copy;
pub(crate) mod mode;
pub(crate) mod options;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use fichier_storage::{HashKind, Location, PlaceId, RemoteExt, RemoteInfo, RemotePath, Result, StorageError};

use mode::Mode;

use crate::{
    DeleteWhen, NameMatching, Order, RunOptions, RunReport, Stats,
    events::report::Verdict,
    plan::displaced::DisplacedEntry,
    plan::lie::Lie,
    plan::plan_db::{PlanDb, PlanDbError},
    transfer::limits::RunQuota,
    transfer::metadata::Furnished,
    transfer::{self, Batch, Job, Origin, Transfer},
    walk::pending::PendingFolder,
};

/// One run from a source to a destination, with all that it knows.
pub(crate) struct Run<'a> {
    pub(crate) mode: Mode,
    pub(crate) from: &'a Location,
    pub(crate) to: &'a Location,
    /// How the two lie to each other.
    pub(crate) lie: Lie,
    /// Where the two lie, as far as that was asked for.
    pub(crate) roots: OnceCell<[PlaceId; 2]>,
    pub(crate) options: &'a RunOptions,
    pub(crate) stats: &'a Arc<Stats>,
    pub(crate) transfer: Transfer,
    /// Folders that are made after the walk, since the walk would find them in the source.
    pub(crate) new_folders: Mutex<Vec<RemotePath>>,
    /// Kept unless nothing found later can matter.
    pub(crate) plan_db: Option<PlanDb>,
    /// Folders of the destination with what they are to have beside their files.
    pub(crate) furnished: Mutex<Vec<Furnished>>,
    /// Folders of the destination that this run fills, or in which several files bear one name.
    pub(crate) to_look_through: Mutex<BTreeSet<RemotePath>>,
    /// What made room for something else, until the run is done.
    pub(crate) displaced: Mutex<Vec<DisplacedEntry>>,
    /// How many files and bytes made room for what the source has under their name.
    pub(crate) displaced_total: Mutex<(u64, u64)>,
    /// The plan_db knows all that the destination holds before the first file is compared.
    pub(crate) surveyed: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        mode: Mode,
        from: &'a Location,
        to: &'a Location,
        lie: Lie,
        options: &'a RunOptions,
        stats: &'a Arc<Stats>,
        stop: &CancellationToken,
    ) -> Self {
        let features = to.remote.info().features;
        // What is public at the service is copied there, whosever it is.
        let by_links = mode != Mode::Move
            && from.remote.info().features.public_links
            && to.remote.extensions().public_files.is_some();
        let server_side = (by_links || from.remote.info().has_paths_of(to.remote.info()))
            && match mode {
                Mode::Move => features.server_side_move,
                // On this computer the bytes go through it anyway.
                Mode::Copy | Mode::Sync => features.server_side_copy && features.networked,
            };
        let transfer = Transfer {
            from: Origin::Files(from.clone()),
            to: to.clone(),
            server_side,
            by_links: by_links && options.sends,
            moves: mode == Mode::Move,
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
        Self {
            mode,
            from,
            to,
            lie,
            roots: OnceCell::new(),
            options,
            stats,
            transfer,
            new_folders: Mutex::default(),
            furnished: Mutex::default(),
            plan_db: None,
            to_look_through: Mutex::default(),
            displaced: Mutex::default(),
            displaced_total: Mutex::default(),
            surveyed: false,
        }
    }

    /// The whole run.
    pub(crate) async fn run(mut self) -> RunReport {
        let mut report = RunReport::default();
        let waits = match self.waits().await {
            Ok(waits) => waits,
            Err(error) => {
                self.fail(&mut report, &RemotePath::root(), error);
                return report;
            }
        };
        if waits || self.mode == Mode::Sync {
            match PlanDb::new() {
                Ok(plan_db) => self.plan_db = Some(plan_db),
                Err(error) => {
                    report.fail(self.stats, &RemotePath::root(), lost(error));
                    return report;
                }
            }
        }
        let start = PendingFolder::root();
        if let Some(plan_db) = self.plan_db.as_ref().filter(|_| waits && self.can_survey()) {
            if let Err(error) = self.survey(plan_db).await {
                report.fail(self.stats, &RemotePath::root(), lost(error));
                return report;
            }
            self.surveyed = true;
            self.walk_and_transfer(start, &mut report).await;
            self.reuse(&mut report).await;
            self.transfer_all(&mut report).await;
        } else if waits {
            self.walk(vec![start], None, &mut report).await;
            self.make_new_folders(&mut report).await;
            if self.deletes(DeleteWhen::Before) {
                self.remove_extras(&mut report).await;
            }
            self.reuse(&mut report).await;
            self.transfer_all(&mut report).await;
        } else {
            self.walk_and_transfer(start, &mut report).await;
        }
        self.settle_asides(&mut report).await;
        if self.deletes(DeleteWhen::After) || self.deletes(DeleteWhen::During) {
            self.remove_extras(&mut report).await;
        }
        self.tell_doubles(&mut report).await;
        self.set_folder_metadata(&mut report).await;
        if self.mode == Mode::Move && self.options.delete_empty_source_folders {
            self.remove_empty_source(&mut report).await;
        }
        self.options.checksums.flush().await;
        report
    }

    pub(crate) fn deletes(&self, when: DeleteWhen) -> bool {
        self.mode == Mode::Sync && self.options.deletion.when == when
    }

    /// Which names count as one in this run.
    pub(crate) fn names(&self) -> NameMatching {
        self.options.names.at(self.to)
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

    /// Whether what would be sent is copied at the destination instead, where that holds it. What needn't be sent
    /// anyway is copied from the source.
    pub(crate) fn may_copy_there(&self) -> bool {
        self.options.reuse
            && !self.transfer.server_side
            && self.to.remote.info().features.server_side_copy
            && copies_freely(self.to, self.options)
    }

    /// Whether the destination may hold what would be sent, so that it is copied or renamed there instead.
    pub(crate) fn can_reuse(&self) -> bool {
        let RemoteInfo { features, hashes, .. } = self.to.remote.info();
        let renames = self.options.track_renames && self.mode == Mode::Sync && features.server_side_move;
        (self.may_copy_there() || renames)
            && self.mode != Mode::Move
            && (hashes.lists(HashKind::Whirlpool) || self.options.track_renames)
    }

    /// Whether the source holds the destination: then nothing is written before all of the source is listed, or the run
    /// would copy what it wrote itself.
    pub(crate) fn writes_into_source(&self) -> bool {
        matches!(self.lie, Lie::DestinationInside(_))
    }

    /// Whether everything is compared before the first transfer.
    ///
    /// # Errors
    /// The destination can't be looked at.
    async fn waits(&self) -> Result<bool> {
        if self.writes_into_source()
            || self.options.check_first
            || self.options.order != Order::Found
            || self.deletes(DeleteWhen::Before)
        {
            return Ok(true);
        }
        if !self.can_reuse() {
            return Ok(false);
        }
        // In a folder that is empty or isn't there yet, there is nothing to make use of.
        match self.to.remote.entries(&self.to.path).await {
            Ok(entries) => Ok(!entries.is_empty()),
            Err(StorageError::FolderNotFound(_)) => Ok(false),
            Err(error) => Err(self.to.named(error)),
        }
    }

    async fn walk_and_transfer(&self, start: PendingFolder, report: &mut RunReport) {
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

    /// Does what is on the plan_db.
    async fn transfer_all(&self, report: &mut RunReport) {
        const AT_ONCE: usize = 1000;
        let Some(plan_db) = &self.plan_db else { return };
        let limit = self.transfer.batch_limit();
        let taken = stream::unfold(plan_db, |plan_db| async move {
            let taken = plan_db.take_jobs(self.options.order, AT_ONCE).await;
            match &taken {
                Ok(jobs) if jobs.is_empty() => None,
                _ if self.stopped() => None,
                _ => Some((taken, plan_db)),
            }
        });
        let failed = Mutex::new(None);
        let batches = taken.flat_map(|taken| {
            let planned = taken.unwrap_or_else(|error| {
                self.transfer.stop.cancel();
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
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
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = failed {
            self.fail(report, &RemotePath::root(), lost(error));
        }
    }
}

/// Checks whether copies inside the destination's remote are beyond the limits on what is sent. They are at a
/// service; on a disk it is this machine that copies.
pub(crate) fn copies_freely(to: &Location, options: &RunOptions) -> bool {
    to.remote.info().features.networked || (options.bandwidth.is_none() && !options.limits.are_set())
}

/// A broken plan_db ends the run: without it nothing is known of what is left.
pub(crate) fn lost(error: PlanDbError) -> StorageError {
    StorageError::io("write", "the plan_db", std::io::Error::new(std::io::ErrorKind::StorageFull, error))
}
