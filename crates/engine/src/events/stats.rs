//! Counts what a run has done so far: every part adds to the counters and the progress display reads them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fichier_storage::RemotePath;

use crate::{Observer, Record, Relation, events::Event};

/// Counters of one run. Shared by reference; all methods may be called from any task.
#[derive(Debug)]
pub struct Stats {
    started: Instant,
    bytes: AtomicU64,
    total_bytes: AtomicU64,
    transfers: AtomicU64,
    total_transfers: AtomicU64,
    checks: AtomicU64,
    total_checks: AtomicU64,
    listed: AtomicU64,
    deleted: AtomicU64,
    deleted_folders: AtomicU64,
    deleted_bytes: AtomicU64,
    planned_removals: AtomicU64,
    settled_removals: AtomicU64,
    server_side_copies: AtomicU64,
    server_side_copied_bytes: AtomicU64,
    server_side_moves: AtomicU64,
    server_side_moved_bytes: AtomicU64,
    renamed: AtomicU64,
    errors: AtomicU64,
    empty_files: AtomicU64,
    next_id: AtomicU64,
    running: Mutex<BTreeMap<u64, Running>>,
    observer: Option<Arc<dyn Observer>>,
    dry_run: Option<SizeText>,
    /// The folders of a run over a whole file system: what is in them is named as seen from there.
    roots: OnceLock<[RemotePath; 2]>,
}

/// Function that formats a number of bytes.
pub type SizeText = fn(u64) -> String;

/// A file that is being transferred now.
#[derive(Debug, Clone)]
pub struct Running {
    /// Path relative to the run's root.
    pub path: RemotePath,
    /// Size in bytes.
    pub size: u64,
    /// Number of bytes there so far in this try.
    pub done: u64,
    /// Number of bytes that were there before this try.
    pub known: u64,
    /// Time when this try began.
    pub started: Instant,
}

/// Values of the counters at one moment.
#[derive(Debug, Clone, Default)]
pub struct StatsSnapshot {
    /// Time since the run began.
    pub elapsed: Duration,
    /// Bytes that went over the wire (of tries that count).
    pub bytes: u64,
    /// Bytes of all transfers known so far.
    pub total_bytes: u64,
    /// Number of files transferred.
    pub transfers: u64,
    /// Number of files found so far that are or will be transferred.
    pub total_transfers: u64,
    /// Number of files compared.
    pub checks: u64,
    /// Number of files found so far that are or will be compared.
    pub total_checks: u64,
    /// Number of entries listed so far, before filters.
    pub listed: u64,
    /// Number of files removed.
    pub deleted: u64,
    /// Number of folders removed.
    pub deleted_folders: u64,
    /// Total size in bytes of the files that were removed.
    pub deleted_bytes: u64,
    /// Number of files found so far that are to be removed and that weren't handled yet.
    pub left_to_remove: u64,
    /// Number of files copied without moving bytes through this program.
    pub server_side_copies: u64,
    /// Total size in bytes of the files copied without moving bytes through this program.
    pub server_side_copied_bytes: u64,
    /// Number of files moved without moving bytes through this program.
    pub server_side_moves: u64,
    /// Total size in bytes of the files moved without moving bytes through this program.
    pub server_side_moved_bytes: u64,
    /// Number of files renamed or moved at the remote.
    pub renamed: u64,
    /// Number of things that failed for good.
    pub errors: u64,
    /// Number of empty files that the destination couldn't store.
    pub empty_files: u64,
    /// Files being transferred, oldest first.
    pub running: Vec<Running>,
}

impl Stats {
    /// Notes the folders of a run over a whole file system.
    pub(crate) fn see_from(&self, roots: [RemotePath; 2]) {
        // A second run of the same has the same.
        let _known = self.roots.set(roots);
    }

    /// A path in an error as the run names it.
    pub(crate) fn seen_from_roots(&self, path: &RemotePath) -> RemotePath {
        let inside = self.roots.get().into_iter().flatten().filter_map(|root| path.relative_to(root));
        inside.min_by_key(RemotePath::depth).unwrap_or_else(|| path.clone())
    }
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            bytes: AtomicU64::default(),
            total_bytes: AtomicU64::default(),
            transfers: AtomicU64::default(),
            total_transfers: AtomicU64::default(),
            checks: AtomicU64::default(),
            total_checks: AtomicU64::default(),
            listed: AtomicU64::default(),
            deleted: AtomicU64::default(),
            deleted_folders: AtomicU64::default(),
            deleted_bytes: AtomicU64::default(),
            planned_removals: AtomicU64::default(),
            settled_removals: AtomicU64::default(),
            server_side_copies: AtomicU64::default(),
            server_side_copied_bytes: AtomicU64::default(),
            server_side_moves: AtomicU64::default(),
            server_side_moved_bytes: AtomicU64::default(),
            renamed: AtomicU64::default(),
            errors: AtomicU64::default(),
            empty_files: AtomicU64::default(),
            next_id: AtomicU64::default(),
            running: Mutex::default(),
            observer: None,
            roots: OnceLock::new(),
            dry_run: None,
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

impl Stats {
    /// Returns counters that report each file to an observer.
    #[must_use]
    pub fn observed(observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..Self::default() }
    }

    /// Turns these into the counters of a run that changes nothing: what would be done is said and counted.
    #[must_use]
    pub fn of_dry_run(mut self, size_text: SizeText) -> Self {
        self.dry_run = Some(size_text);
        self
    }

    /// Returns how sizes are written if this run changes nothing.
    pub(crate) fn dry_run(&self) -> Option<SizeText> {
        self.dry_run
    }

    /// Passes a record to the observer.
    pub(crate) fn record(&self, record: &Record<'_>) {
        if let Some(observer) = &self.observer {
            observer.record(record);
        }
    }

    /// Checks whether the observer needs all files that only the destination has.
    pub(crate) fn wants_extras(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.wants_extras())
    }

    /// Checks whether there is an observer.
    pub(crate) fn is_observed(&self) -> bool {
        self.observer.is_some()
    }

    /// Reports the result of a comparison to the observer.
    pub(crate) fn compared(&self, path: &RemotePath, relation: Relation) {
        if let Some(observer) = &self.observer {
            observer.compared(path, relation);
        }
    }

    /// Returns all counters at this moment.
    #[must_use]
    pub fn snapshot(&self) -> StatsSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            elapsed: self.started.elapsed(),
            bytes: get(&self.bytes),
            total_bytes: get(&self.total_bytes),
            transfers: get(&self.transfers),
            total_transfers: get(&self.total_transfers),
            checks: get(&self.checks),
            total_checks: get(&self.total_checks),
            listed: get(&self.listed),
            deleted: get(&self.deleted),
            deleted_folders: get(&self.deleted_folders),
            deleted_bytes: get(&self.deleted_bytes),
            left_to_remove: get(&self.planned_removals).saturating_sub(get(&self.settled_removals)),
            server_side_copies: get(&self.server_side_copies),
            server_side_copied_bytes: get(&self.server_side_copied_bytes),
            server_side_moves: get(&self.server_side_moves),
            server_side_moved_bytes: get(&self.server_side_moved_bytes),
            renamed: get(&self.renamed),
            errors: get(&self.errors),
            empty_files: get(&self.empty_files),
            running: self.running.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect(),
        }
    }

    pub(crate) fn plan_transfer(&self, bytes: u64) {
        add(&self.total_transfers, 1);
        add(&self.total_bytes, bytes);
    }

    /// Corrects the size of a planned transfer whose source has changed.
    pub(crate) fn replan_transfer(&self, before: u64, now: u64) {
        self.total_bytes.fetch_sub(before, Ordering::Relaxed);
        add(&self.total_bytes, now);
    }

    /// Counts the entries of a listing.
    pub(crate) fn count_listed(&self, entries: usize) {
        add(&self.listed, entries as u64);
    }

    pub(crate) fn plan_check(&self) {
        add(&self.total_checks, 1);
    }

    pub(crate) fn finish_check(&self) {
        add(&self.checks, 1);
    }

    /// Counts what was done.
    pub(crate) fn count(&self, event: &Event<'_>) {
        match event {
            Event::Sent { file, .. } => {
                add(&self.transfers, 1);
                // Otherwise they are counted as they are sent.
                if self.dry_run.is_some() {
                    add(&self.bytes, file.size);
                }
            }
            Event::CopiedThere { bytes, .. } => {
                add(&self.transfers, 1);
                add(&self.server_side_copies, 1);
                add(&self.server_side_copied_bytes, *bytes);
                add(&self.bytes, *bytes);
            }
            Event::MovedThere { bytes, .. } | Event::MovedAlong { planned: Some(bytes), .. } => {
                add(&self.transfers, 1);
                add(&self.renamed, 1);
                add(&self.server_side_moves, 1);
                add(&self.server_side_moved_bytes, *bytes);
                add(&self.bytes, *bytes);
            }
            Event::NewName { file, .. } => {
                add(&self.transfers, 1);
                add(&self.renamed, 1);
                add(&self.server_side_moves, 1);
                add(&self.server_side_moved_bytes, file.size);
                add(&self.bytes, file.size);
            }
            Event::Renamed { .. } => add(&self.renamed, 1),
            Event::Deleted(file) | Event::SourceDeleted(file) | Event::DeletedToBackup(file) => {
                add(&self.deleted, 1);
                add(&self.deleted_bytes, file.size);
            }
            Event::FolderDeleted | Event::RootDeleted(_) => add(&self.deleted_folders, 1),
            Event::EmptyLeftOut(_) => add(&self.empty_files, 1),
            Event::SetAside(_)
            | Event::MovedAlong { planned: None, .. }
            | Event::FolderMade
            | Event::FolderUpdated { .. }
            | Event::FolderMoved { .. }
            | Event::FolderRenamed { .. }
            | Event::Retimed(_)
            | Event::AttributesSet(_)
            | Event::Unchanged(_)
            | Event::LeftOut { .. } => {}
        }
    }

    /// Adds to the number of files that are to be removed.
    pub(crate) fn plan_removals(&self, count: u64) {
        add(&self.planned_removals, count);
    }

    /// Counts one of these files as handled: removed, or kept for a reason of its own.
    pub(crate) fn settle_removal(&self) {
        add(&self.settled_removals, 1);
    }

    /// Counts something that failed for good.
    pub fn count_error(&self) {
        add(&self.errors, 1);
    }

    /// Starts a try at a file of which `known` bytes are there already: they needn't be transferred.
    pub(crate) fn begin(&self, path: RemotePath, size: u64, known: u64) -> u64 {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let running = Running { path, size, done: known, known, started: Instant::now() };
        self.total_bytes.fetch_sub(known, Ordering::Relaxed);
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(id, running);
        id
    }

    pub(crate) fn advance(&self, id: u64, bytes: u64) {
        add(&self.bytes, bytes);
        if let Some(running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&id) {
            running.done += bytes;
        }
    }

    /// Ends a try. `counts` is false when its bytes don't count, since another try will follow.
    pub(crate) fn end(&self, id: u64, counts: bool) {
        let ended = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let (Some(running), false) = (ended, counts) {
            self.take_back(running.done - running.known, running.known);
        }
    }

    /// Subtracts the bytes of a try that doesn't count. `known` is the number of bytes that were there before it.
    pub(crate) fn take_back(&self, bytes: u64, known: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        add(&self.total_bytes, known);
    }
}
