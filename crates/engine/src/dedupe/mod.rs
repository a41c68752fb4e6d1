//! `dedupe`: of files that share a name in a folder, or a content, leaves one or gives them names of their own.
//!
//! Folders that share a path are merged first, each just before what it holds is looked at. Identical files of
//! one name are settled without a question, since nothing is lost by it.

mod group;
mod settle;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use fichier_filter::Filter;
use futures::{StreamExt, pin_mut, stream};
use tokio_util::sync::CancellationToken;

use fichier_storage::{Entry, File, Location, RemoteExt, RemotePath, Result, StorageError};

use crate::{
    Checksums, RunError, RunReport, Stats, events::report::Verdict, plan, plan::plan_db::DestinationState,
    plan::plan_db::PlanDb, run::lost, walk_filtered,
};

pub use group::{Duplicate, Duplicates};
use group::{Plan, Resolution};

/// How many files are removed at once.
const FILES_AT_ONCE: usize = 1000;

/// What becomes of duplicates that aren't settled by being identical.
#[derive(Debug, Clone, PartialEq, Eq, Copy)]
pub enum DedupeMode {
    /// Somebody is asked.
    Interactive,
    /// They stay.
    Skip,
    /// The first one stays.
    First,
    /// The newest one stays.
    Newest,
    /// The oldest one stays.
    Oldest,
    /// The largest one stays.
    Largest,
    /// The smallest one stays.
    Smallest,
    /// They all get names of their own.
    Rename,
    /// All duplicates are only told, the identical ones too.
    List,
}

/// How to find and settle duplicates.
#[derive(Debug, Clone)]
pub struct DedupeOptions {
    /// What becomes of duplicates.
    pub mode: DedupeMode,
    /// The mode's name, for messages.
    pub mode_name: &'static str,
    /// Look for files of one content anywhere, instead of one name in a folder.
    pub by_hash: bool,
    /// Where checksums come from.
    pub checksums: Checksums,
    /// How many files are read at once, at least 1.
    pub checkers: usize,
    /// How many folders deep to go; `None`: all.
    pub max_depth: Option<usize>,
    /// Which files and folders count.
    pub filter: Arc<Filter>,
    /// The place as messages name it.
    pub name: String,
    /// Settle each group of duplicates before the next: whoever watches sees what belongs together. Else removals
    /// of many groups go in one call.
    pub one_by_one: bool,
}

/// What somebody who was asked wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// All stay.
    Skip,
    /// This one stays, counted from 0.
    Keep(usize),
    /// All get names of their own.
    Rename,
    /// All stay, and so does everything that would come.
    Quit,
    /// Nobody is there to answer: all stay, and so does everything that would come.
    Nobody,
}

/// Is shown duplicates and decides about them.
#[async_trait]
pub trait Chooser: Send + Sync {
    /// Shows duplicates: for [`DedupeMode::List`].
    fn show(&self, duplicates: &Duplicates);

    /// Shows a path that several folders share.
    fn show_folder(&self, path: &RemotePath, count: usize);

    /// Shows duplicates and decides about them.
    async fn choose(&self, duplicates: &Duplicates) -> Choice;
}

/// Finds duplicates below `target` and settles them.
///
/// Failures of single items are logged, counted and reported; they don't stop the rest, unless they are fatal.
///
/// # Errors
/// There is nothing at `target`, or it can't be listed.
pub async fn dedupe(
    target: &Location,
    options: &DedupeOptions,
    chooser: &dyn Chooser,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<RunReport> {
    let what = if options.by_hash { "whirlpool hashes" } else { "names" };
    tracing::info!(path = options.name, "Looking for duplicate {what} using {} mode.", options.mode_name);
    if !options.by_hash && !target.remote.info().features.duplicates {
        tracing::warn!(
            path = options.name,
            "Can't have duplicate names here. Perhaps you wanted --by-hash ? Continuing anyway."
        );
    }
    let report = RunReport::default();
    let mut dedupe = Dedupe { target, options, chooser, stats, stop, report, waiting: Vec::new() };
    if options.by_hash {
        dedupe.by_hash().await?;
    } else {
        dedupe.by_name().await?;
    }
    dedupe.settle_waiting().await;
    options.checksums.flush().await;
    Ok(dedupe.report)
}

struct Dedupe<'a> {
    target: &'a Location,
    options: &'a DedupeOptions,
    chooser: &'a dyn Chooser,
    stats: &'a Arc<Stats>,
    stop: &'a CancellationToken,
    report: RunReport,
    /// Groups that are decided about, and not yet settled.
    waiting: Vec<Plan>,
}

impl Dedupe<'_> {
    async fn by_name(&mut self) -> Result<()> {
        let tree = walk_filtered(self.target, self.options.max_depth, &self.options.filter);
        pin_mut!(tree);
        let mut first = true;
        while let Some(listing) = tree.next().await {
            if self.stop.is_cancelled() {
                break;
            }
            match listing {
                Ok(listing) => self.folder(listing.entries).await,
                Err(error) if first => return unless_a_file(error.source),
                Err(error) => self.fail(&error.folder, error.source),
            }
            first = false;
        }
        Ok(())
    }

    async fn folder(&mut self, entries: Vec<Entry>) {
        self.merge_folders(&entries).await;
        let mut taken: BTreeSet<_> = entries.iter().filter_map(Entry::name).collect();
        let (files, _) = plan::by_name(entries);
        for (_, versions) in files.into_iter().filter(|(_, versions)| versions.len() > 1) {
            if self.stop.is_cancelled() {
                break;
            }
            let label = self.shown(&versions[0].path).to_string();
            let duplicates = self.duplicates(label, versions, false);
            self.decide(duplicates, &mut taken).await;
        }
    }

    /// Makes one folder of those that share a path.
    async fn merge_folders(&mut self, entries: &[Entry]) {
        let folders: Vec<_> = entries.iter().filter_map(Entry::as_folder).collect();
        for shared in folders.chunk_by(|left, right| left.path == right.path) {
            let (count, path) = (shared.len(), &shared[0].path);
            if count < 2 || self.stop.is_cancelled() {
                continue;
            }
            let shown = self.shown(path);
            if self.options.mode == DedupeMode::List {
                self.chooser.show_folder(&shown, count);
                continue;
            }
            tracing::warn!(path = %shown, "Merging the contents of {count} directories of this name");
            if let Err(error) = self.target.remote.merge_folders(path).await {
                self.fail(path, error);
            }
        }
    }

    async fn by_hash(&mut self) -> Result<()> {
        let plan_db = PlanDb::new().map_err(lost)?;
        let tree = walk_filtered(self.target, self.options.max_depth, &self.options.filter);
        pin_mut!(tree);
        let mut first = true;
        while let Some(listing) = tree.next().await {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            match listing {
                Ok(listing) => {
                    let files = listing.entries.into_iter().filter_map(|entry| match entry {
                        Entry::File(file) => Some(file),
                        Entry::Folder(_) => None,
                    });
                    let mut files: Vec<_> = files.collect();
                    self.options.checksums.fill(files.iter_mut()).await;
                    plan_db.note(listing.folder, DestinationState::Kept, files).await.map_err(lost)?;
                }
                Err(error) if first => return unless_a_file(error.source),
                Err(error) => self.fail(&error.folder, error.source),
            }
            first = false;
        }
        self.read_twins(&plan_db).await?;
        let mut after = None;
        let mut no_names = BTreeSet::new();
        while let Some((key, mut files)) = plan_db.next_twins(after).await.map_err(lost)? {
            if self.stop.is_cancelled() {
                break;
            }
            after = Some(key);
            // As rclone meets them: first what lies in the folder itself.
            files.sort_by_key(|file| file.path.depth());
            let duplicates = self.duplicates(key.sum.to_string(), files, true);
            self.decide(duplicates, &mut no_names).await;
        }
        Ok(())
    }

    /// Reads files of one size whose checksums nobody told.
    async fn read_twins(&mut self, plan_db: &PlanDb) -> Result<()> {
        let mut after = 0;
        loop {
            let unread = plan_db.unread_twins(after, FILES_AT_ONCE).await.map_err(lost)?;
            let Some(last) = unread.last() else { return Ok(()) };
            after = last.line;
            let (target, options, stop) = (self.target, self.options, self.stop);
            let mut sums = stream::iter(unread)
                .take_while(|_| std::future::ready(!stop.is_cancelled()))
                .map(|standby| async move {
                    let sum = options.checksums.of(&*target.remote, &standby.file).await;
                    (standby, sum)
                })
                .buffer_unordered(options.checkers.max(1));
            let mut learned = Vec::new();
            while let Some((standby, sum)) = sums.next().await {
                match sum {
                    Ok(sum) => learned.push((standby.line, sum)),
                    Err(error) => self.fail(&standby.file.path, error),
                }
            }
            plan_db.learn(learned).await.map_err(lost)?;
            if self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    fn duplicates(&self, label: String, files: Vec<File>, by_hash: bool) -> Duplicates {
        let copies =
            files.into_iter().map(|file| Duplicate { shown: self.shown(&file.path), file }).collect();
        Duplicates::new(label, copies, by_hash)
    }

    /// Decides about one group, and settles it as soon as that is wanted.
    async fn decide(&mut self, duplicates: Duplicates, taken: &mut BTreeSet<fichier_storage::Name>) {
        // One file under two paths has no copy.
        if duplicates.copies.len() < 2 {
            return;
        }
        let mode = self.options.mode;
        if mode == DedupeMode::List {
            duplicates.announce();
            self.chooser.show(&duplicates);
            return;
        }
        let mut plan = Plan::new(duplicates, mode);
        if mode == DedupeMode::Interactive {
            let asks = plan.then == Resolution::Ask;
            plan.then = if asks { Resolution::Nothing } else { plan.then };
            let rest = Duplicates { copies: plan.rest.clone(), ..plan.duplicates.clone() };
            self.settle(vec![plan]).await;
            if asks && !self.stop.is_cancelled() {
                self.ask(rest, taken).await;
            }
            return;
        }
        if let Resolution::Rename(names) = &mut plan.then {
            *names = group::new_names(&plan.rest, taken);
        }
        self.waiting.push(plan);
        let removals: usize = self.waiting.iter().map(Plan::removals).sum();
        if self.options.one_by_one || removals >= FILES_AT_ONCE {
            self.settle_waiting().await;
        }
    }

    async fn ask(&mut self, duplicates: Duplicates, taken: &mut BTreeSet<fichier_storage::Name>) {
        let then = match self.chooser.choose(&duplicates).await {
            Choice::Quit => {
                self.stop.cancel();
                return;
            }
            Choice::Nobody => {
                let path = duplicates.copies[0].file.path.clone();
                self.fail(&path, RunError::Unanswered(self.shown(&path)).into());
                return;
            }
            Choice::Skip => Resolution::Skip,
            Choice::Keep(index) => Resolution::Keep(index.min(duplicates.copies.len() - 1)),
            Choice::Rename => Resolution::Rename(group::new_names(&duplicates.copies, taken)),
        };
        self.settle(vec![Plan::told(duplicates, then)]).await;
    }

    async fn settle_waiting(&mut self) {
        let plans = std::mem::take(&mut self.waiting);
        if !plans.is_empty() && !self.stop.is_cancelled() {
            self.settle(plans).await;
        }
    }

    fn fail(&mut self, path: &RemotePath, error: StorageError) {
        let shown = self.shown(path);
        if self.report.fail(self.stats, &shown, error) == Verdict::Stop {
            self.stop.cancel();
        }
    }

    /// A path as the user sees it: from the place on that was given.
    fn shown(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(&self.target.path).unwrap_or_else(|| path.clone())
    }
}

/// A single file has no duplicates below it.
fn unless_a_file(error: StorageError) -> Result<()> {
    match error {
        StorageError::IsAFile(_) => Ok(()),
        error => Err(error),
    }
}
