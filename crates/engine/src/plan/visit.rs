//! Visits a folder: lists both sides, matches them, decides, and passes on what is to be done.

use std::{collections::HashSet, sync::PoisonError};

use futures::StreamExt;
use tokio::sync::mpsc;

use fichier_storage::{
    Entry, File, Freshness, Gap, Listing, Location, Name, RemoteExt, RemotePath, Result, StorageError,
};

use crate::{
    DeleteWhen, Relation, RunReport,
    events::Event,
    plan::places::Places,
    plan::plan_db::{DestinationState, OneSided},
    plan::renaming::{Renamed, Sourced, no_new_name},
    plan::{self, Matched, Obstacle, Pair},
    run::{Run, lost, mode::Mode},
    transfer::{self, Batch, Job},
    walk::{self, pending::PendingFolder},
};

/// Receiver of transfers that were found: the workers; `None`: the plan database.
pub(crate) type Batches = Option<mpsc::Sender<Batch>>;

/// Gaps in what is known of a folder at the source.
#[derive(Debug, Default)]
struct Unknown {
    /// Names of which it isn't known whether they are files or folders.
    names: Vec<Name>,
    /// Whether a name itself can't be read, so that anything may be there.
    anything: bool,
}

/// Checks that no file stands in place of one of this folder's parents when the folder doesn't exist. That is reported
/// once, and not for each file that would go there.
///
/// # Errors
/// A file is in the way.
pub(crate) async fn refuse_file_on_the_way(folder: &Location) -> Result<()> {
    let mut above = folder.path.parent();
    while let Some(path) = above.filter(|path| !path.is_root()) {
        match folder.remote.list(&path, Freshness::SinceStart).await {
            Err(StorageError::FolderNotFound(_)) => above = path.parent(),
            Err(error @ StorageError::IsAFile(_)) => return Err(folder.named(error)),
            _ => break,
        }
    }
    Ok(())
}

/// Marks the folders in whose places the destination has links that aren't followed.
fn keep_out_of_links(matched: &mut Matched, links: &[Name]) {
    for folder in matched.folders.iter_mut().filter(|folder| !folder.exists) {
        if links.contains(&folder.there) {
            folder.blocked = Some(Obstacle::Link);
        }
    }
}

impl Run<'_> {
    /// Lists both sides folder by folder and passes on what is to be done.
    pub(crate) async fn walk(&self, mut open: Vec<PendingFolder>, batches: Batches, report: &mut RunReport) {
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

    async fn visit(
        &self,
        folder: &PendingFolder,
        batches: &Batches,
        report: &mut RunReport,
    ) -> Result<Vec<PendingFolder>> {
        let target = self.to.path.join_path(&folder.there);
        if self.is_beyond_depth(folder) {
            self.pass(folder, &target).await?;
            return Ok(Vec::new());
        }
        if self.is_one_folder(folder, &target).await? {
            tracing::info!(path = %folder.path, "Nothing to do as source and destination are the same");
            return Ok(Vec::new());
        }
        let (Listing { entries: destination, gaps: unread, links }, exists) =
            self.list_destination(folder, &target).await?;
        self.stats.count_listed(destination.len());
        if !exists && folder.source && folder.blocked.is_none() {
            match self.moves_whole(folder, &target).await {
                Ok(true) => return Ok(Vec::new()),
                Ok(false) => {}
                Err(error) => {
                    self.fail(report, &folder.path, error);
                    return Ok(Vec::new());
                }
            }
        }
        self.note_folder_metadata(folder).await;
        let (source, mut gaps) = self.list_source(folder, report).await?;
        let Renamed { entries: source, refused, contested } = self.rename_source(source).await;
        for (path, why) in refused {
            let shown = path.relative_to(&self.from.path).unwrap_or(path);
            self.fail(report, &shown, no_new_name(shown.clone(), why));
        }
        gaps.names.extend(contested);
        if let Some((obstacle, place)) = &folder.blocked {
            return Ok(self.pass_blocked(folder, (*obstacle, place), source, report));
        }
        let places = Places::of(self.to, self.names(), &destination);
        let destination = self.sift_destination(folder, &source, destination).await;
        if !exists && folder.source {
            // The run's own folder is made with the first file in it, as with rclone.
            if self.options.create_empty_folders && !folder.path.is_root() {
                self.make_folder(&target).await?;
            }
            if let Some(plan_db) = &self.plan_db {
                plan_db.note_folder(folder.there.clone(), OneSided::Source).await.map_err(lost)?;
            }
        }
        if let Some(plan_db) = self.plan_db.as_ref().filter(|_| !folder.source) {
            plan_db.note_folder(folder.there.clone(), OneSided::Destination).await.map_err(lost)?;
        }
        let mut matched = plan::match_folder(source, destination, self.names());
        self.keep_places_apart(&mut matched, &places, folder, report);
        keep_out_of_links(&mut matched, &links);
        if self.to.remote.info().names.case_insensitive {
            plan::keep_first_of_each(&mut matched.files, self.names());
        }
        for path in &matched.duplicates {
            let path = path.relative_to(&self.from.path).unwrap_or_else(|| path.clone());
            tracing::warn!(path = %path, "Duplicate object found in source - taking the newest");
        }
        self.keep_old_versions(&mut matched);
        self.finish_replacing(&mut matched.extra_files, report).await;
        self.keep_what_may_be_there(&mut matched, &gaps, &target);
        self.send_nothing_twice(&mut matched, unread, report);
        let clashed = self.settle_clashes(&mut matched, folder, report).await;
        self.respell(&mut matched, folder, report).await;
        let fill = matched
            .files
            .iter_mut()
            .flat_map(|pair| std::iter::once(&mut pair.source).chain(pair.existing.first_mut()));
        self.options.checksums.fill(fill).await;
        let extras = std::mem::take(&mut matched.extra_files);
        self.take_note(&folder.there, extras, report).await?;
        let shelf = self.shelf(&folder.there).await?;
        let pairs = std::mem::take(&mut matched.files);
        let kept = self.reusable(&pairs);
        self.note_doubles(&target, &pairs);
        let names: HashSet<_> = pairs.iter().map(|pair| pair.name.clone()).collect();
        let jobs = self.decide_all(&target, pairs, &shelf, report).await;
        let mut jobs = self.keep_apart(jobs, (&target, &names), report);
        self.note_kept(&folder.there, kept, &jobs).await?;
        jobs.extend(clashed);
        self.note_filled(&target, &jobs);
        self.hand_on(&folder.there, &target, jobs, batches, report).await?;
        Ok(self.below(folder, &matched))
    }

    /// Goes through a folder whose place at the destination something has that must stay: what would go into it fails.
    fn pass_blocked(
        &self,
        folder: &PendingFolder,
        (obstacle, place): (Obstacle, &RemotePath),
        source: Vec<Sourced>,
        report: &mut RunReport,
    ) -> Vec<PendingFolder> {
        let matched = plan::match_folder(source, Vec::new(), self.names());
        if !matched.files.is_empty() || self.options.create_empty_folders {
            let there = place.clone();
            let error = match obstacle {
                Obstacle::File => Self::clash(there, false),
                Obstacle::Link => StorageError::BehindLink(there),
            };
            self.fail(report, &folder.path, error);
        }
        self.below(folder, &matched)
    }

    /// Handles a folder at the run's last level: the folder itself counts, but not what is in it.
    async fn pass(&self, folder: &PendingFolder, target: &RemotePath) -> Result<()> {
        if folder.source && !folder.destination && self.options.create_empty_folders {
            self.make_folder(target).await?;
        }
        match self.plan_db.as_ref().filter(|_| !folder.source) {
            Some(plan_db) => {
                plan_db.note_folder(folder.there.clone(), OneSided::Destination).await.map_err(lost)
            }
            None => Ok(()),
        }
    }

    /// Returns the entries that the destination has in a folder, and whether it has the folder.
    pub(crate) async fn list_destination(
        &self,
        folder: &PendingFolder,
        target: &RemotePath,
    ) -> Result<(Listing, bool)> {
        if !folder.destination || self.options.rules.unseen_destination {
            return Ok((Listing::default(), folder.destination));
        }
        match self.to.remote.list(target, Freshness::SinceStart).await {
            Ok(mut listing) => {
                if let Some(backup) = &self.options.backup {
                    listing.entries.retain(|entry| !backup.covers(self.to, entry.path()));
                }
                Ok((listing, true))
            }
            Err(StorageError::FolderNotFound(_)) => {
                if folder.path.is_root() {
                    refuse_file_on_the_way(self.to).await?;
                }
                Ok((Listing::default(), false))
            }
            Err(error) if folder.path.is_root() => Err(self.to.named(error.of_destination())),
            Err(error) => Err(error),
        }
    }

    /// Returns the entries that the source has in a folder, by the names at the destination, and the gaps in them.
    async fn list_source(
        &self,
        folder: &PendingFolder,
        report: &mut RunReport,
    ) -> Result<(Vec<Entry>, Unknown)> {
        if !folder.source {
            return Ok((Vec::new(), Unknown::default()));
        }
        let path = self.from.path.join_path(&folder.path);
        let listing = self
            .from
            .remote
            .list(&path, Freshness::SinceStart)
            .await
            .map_err(|error| if folder.path.is_root() { self.from.named(error) } else { error })?;
        self.stats.count_listed(listing.entries.len());
        let mut gaps = Unknown::default();
        for gap in listing.gaps {
            gaps.anything |= matches!(gap.error, StorageError::Undecryptable { .. });
            let name = gap.path.relative_to(&path).and_then(|gap| gap.name());
            let is_named = name.is_some();
            gaps.names.extend(name.map(|name| self.names_there(&name)).unwrap_or_default());
            let from_root = gap.path.relative_to(&self.from.path);
            if is_named && from_root.is_some_and(|path| !self.options.filter.takes_path(&path)) {
                tracing::debug!(path = %gap.path, "Excluded: {}", gap.error);
                continue;
            }
            let shown = |path: &RemotePath| path.relative_to(&self.from.path).unwrap_or_else(|| path.clone());
            self.fail(report, &shown(&gap.path), gap.error.with_paths(shown));
        }
        if self.mode == Mode::Sync {
            let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
            let files = listing.entries.iter().filter_map(Entry::as_file);
            let known = files.filter_map(|file| file.fingerprint.as_ref()?.elsewhere());
            elsewhere.extend(known.map(Box::from));
        }
        Ok((self.sift_source(&path, listing.entries).await, gaps))
    }

    /// Drops old versions, which the suffix shows, from the list of files that only the destination has.
    pub(crate) fn keep_old_versions(&self, matched: &mut Matched) {
        if let Some(backup) = &self.options.backup {
            matched.extra_files.retain(|file| !backup.may_have_named(&file.path));
        }
    }

    /// Removes old versions beside files that an earlier run moved into place before it was interrupted. The source no
    /// longer has these files.
    async fn finish_replacing(&self, extras: &mut Vec<File>, report: &mut RunReport) {
        let Some(known) = self.to.remote.extensions().old_versions else { return };
        let is_over = |old: &File| {
            let new = known.replaced_by(old);
            new.is_some() && extras.iter().any(|file| file.path == old.path && file.id == new)
        };
        let over: Vec<File> = extras.iter().filter(|old| is_over(old)).cloned().collect();
        extras.retain(|file| !over.contains(file));
        self.remove_files(over, report).await;
    }

    /// Refuses to move an old version to the name of another file of the source: one of the two would replace the
    /// other.
    fn keep_apart(
        &self,
        jobs: Vec<Job>,
        (target, names): (&RemotePath, &HashSet<Name>),
        report: &mut RunReport,
    ) -> Vec<Job> {
        let Some(backup) = self.options.backup.as_ref().filter(|backup| backup.folder.is_none()) else {
            return jobs;
        };
        let clashes = |job: &Job| {
            let place = backup.place(self.to, &target.join(&job.name)).ok()?;
            (!job.replaces.is_empty() && names.contains(&place.name()?)).then_some(place)
        };
        let mut left = Vec::with_capacity(jobs.len());
        for job in jobs {
            match clashes(&job) {
                Some(place) => {
                    let path = self.shown_at_destination(&target.join(&job.name));
                    self.fail(report, &path, StorageError::AlreadyExists(self.shown_at_destination(&place)));
                }
                None => left.push(job),
            }
        }
        left
    }

    /// Drops files from the transfers that the destination may have, though its entry can't be read. Where two files of
    /// one name can stand side by side, sending them would leave two.
    fn send_nothing_twice(&self, matched: &mut Matched, unread: Vec<Gap>, report: &mut RunReport) {
        if unread.is_empty() || !self.to.remote.info().features.duplicates {
            return;
        }
        let names = self.names();
        for Gap { path, error } in unread {
            let Some(gap) = path.name() else { continue };
            let key = names.key(&gap).into_owned();
            let before = matched.files.len();
            matched.files.retain(|pair| !pair.existing.is_empty() || *names.key(&pair.wanted) != key);
            if matched.files.len() < before {
                self.fail(report, &self.shown_at_destination(&path), error);
            }
        }
    }

    /// Drops from the list of files that only the destination has those that the source may have, too, since it
    /// couldn't be read. They stay, whatever flags say about errors.
    fn keep_what_may_be_there(&self, matched: &mut Matched, gaps: &Unknown, target: &RemotePath) {
        let is_known = gaps.names.is_empty() && !gaps.anything;
        if is_known || self.mode != Mode::Sync {
            return;
        }
        let names = self.names();
        let anything = gaps.anything;
        let gaps: HashSet<_> = gaps.names.iter().map(|gap| names.key(gap).into_owned()).collect();
        let may_be_there = |name: &Name, path: &RemotePath| {
            let is_gap = anything || gaps.contains(&*names.key(name));
            if is_gap {
                let shown = self.shown_at_destination(path);
                tracing::warn!(path = %shown, "Not deleted, since it isn't known what the source has here");
            }
            is_gap
        };
        matched.extra_files.retain(|file| {
            let name = file.path.name();
            !name.is_some_and(|name| may_be_there(&name, &file.path))
        });
        matched.extra_folders.retain(|name| !may_be_there(name, &target.join(name)));
    }

    /// Moves a folder as a whole, where the remote can and nothing stands in its place: the run's own folder always,
    /// one below it only if empty folders of the source are to be removed, too. Fails where moving file by file isn't
    /// possible, since the folder isn't where it was.
    async fn moves_whole(&self, folder: &PendingFolder, target: &RemotePath) -> Result<bool> {
        let from = self.from.path.join_path(&folder.path);
        let whole = self.mode == Mode::Move
            && self.transfer.server_side
            // A dry run shows what would happen to each file.
            && self.stats.dry_run().is_none()
            && self.to.remote.info().features.folder_move
            && self.options.max_depth.is_none()
            && self.options.filter.is_inactive()
            && self.options.transform.is_none()
            && !self.options.rules.existing_only
            && self.options.references.is_empty()
            && (folder.path.is_root() || self.options.delete_empty_source_folders)
            && !from.is_root()
            && !target.is_root();
        // The files say that the time is over.
        let is_over = self.transfer.allowance.check_hard_time().is_err();
        if !whole || is_over || self.may_hold_links(&from).await {
            return Ok(false);
        }
        match self.to.remote.rename_folder(&from, target).await {
            Ok(()) => {
                let info = self.to.remote.info();
                let (from, to) = (info.shown(&from), info.shown(target));
                self.stats.note(&folder.path, &Event::FolderMoved { from: &from, to: &to });
                self.tell_moved(target).await;
                Ok(true)
            }
            Err(error @ StorageError::HalfMoved { .. }) => Err(error),
            Err(error) => {
                tracing::debug!(path = %folder.path, "moved file by file, since the folder couldn't be: {error}");
                Ok(false)
            }
        }
    }

    /// Whether a folder may hold links that are followed: what they lead to is moved, not the links.
    async fn may_hold_links(&self, folder: &RemotePath) -> bool {
        if !self.from.remote.info().features.leads_elsewhere {
            return false;
        }
        let mut open = vec![folder.clone()];
        while let Some(folder) = open.pop() {
            let Ok(listing) = self.from.remote.list(&folder, Freshness::SinceStart).await else {
                return true;
            };
            // Those that aren't followed move as links.
            let met = listing.entries.iter().map(Entry::path).chain(listing.gaps.iter().map(|gap| &gap.path));
            if met.filter_map(RemotePath::name).any(|name| listing.links.contains(&name)) {
                return true;
            }
            open.extend(listing.entries.into_iter().filter_map(|entry| match entry {
                Entry::Folder(folder) => Some(folder.path),
                Entry::File(_) => None,
            }));
        }
        false
    }

    /// Tells the observer, if there is one, which files have moved with their folder. That takes listings, which
    /// nobody else needs.
    async fn tell_moved(&self, folder: &RemotePath) {
        if !self.stats.is_observed() {
            return;
        }
        let start = Location { remote: self.to.remote.clone(), path: folder.clone() };
        let mut tree = std::pin::pin!(walk::walk(&start, None));
        while let Some(listing) = tree.next().await {
            match listing {
                Ok(listing) => {
                    for file in listing.entries.iter().filter_map(Entry::as_file) {
                        let shown = self.shown_at_destination(&file.path);
                        self.stats.compared(&shown, Relation::MissingOnDestination);
                        self.stats.note(&shown, &Event::MovedAlong { file, planned: None });
                    }
                }
                // With --dry-run nothing is there.
                Err(error) => {
                    tracing::debug!(path = %error.folder, "what moved isn't listed: {}", error.source);
                }
            }
        }
    }

    async fn make_folder(&self, target: &RemotePath) -> Result<()> {
        if self.writes_into_source() {
            self.new_folders.lock().unwrap_or_else(PoisonError::into_inner).push(target.clone());
            return Ok(());
        }
        for outcome in self.to.remote.make_folders(std::slice::from_ref(target)).await {
            outcome.into_result()?;
        }
        self.stats.note(&self.shown_at_destination(target), &Event::FolderMade);
        Ok(())
    }

    /// Makes the folders that had to wait for the end of the walk.
    pub(crate) async fn make_new_folders(&self, report: &mut RunReport) {
        let folders = std::mem::take(&mut *self.new_folders.lock().unwrap_or_else(PoisonError::into_inner));
        if folders.is_empty() || self.stopped() {
            return;
        }
        for (folder, outcome) in folders.iter().zip(self.to.remote.make_folders(&folders).await) {
            if let Err(error) = outcome.into_result() {
                self.fail(report, &self.shown_at_destination(folder), error);
            }
        }
    }

    /// Records what the destination holds, as far as it is needed later.
    async fn take_note(&self, folder: &RemotePath, extras: Vec<File>, report: &mut RunReport) -> Result<()> {
        for extra in &extras {
            let shown = extra.path.relative_to(&self.to.path).unwrap_or_else(|| extra.path.clone());
            self.stats.compared(&shown, Relation::MissingOnSource);
        }
        let Some(plan_db) = self.plan_db.as_ref().filter(|_| !self.surveyed) else { return Ok(()) };
        let reuse = self.can_reuse();
        let standing = if self.mode == Mode::Sync { DestinationState::Extra } else { DestinationState::Kept };
        // A file that is met later may lie elsewhere, and be one of these.
        let is_known = !self.from.remote.info().features.leads_elsewhere;
        if self.deletes(DeleteWhen::During) && !reuse && is_known {
            self.remove_files(extras, report).await;
        } else if self.mode == Mode::Sync || reuse {
            plan_db.note(folder.clone(), standing, extras).await.map_err(lost)?;
        }
        Ok(())
    }

    /// Returns files under names that both sides have, of which copies may be made later.
    pub(crate) fn reusable(&self, pairs: &[Pair]) -> Vec<File> {
        // Where a new version replaces the old one, a copy from a reference may have done so already.
        let replaced = !self.to.remote.info().features.duplicates && !self.options.references.is_empty();
        if self.plan_db.is_none() || !self.can_reuse() || replaced {
            return Vec::new();
        }
        pairs.iter().flat_map(|pair| pair.existing.iter().cloned()).collect()
    }

    /// Records these files, but for those that will be gone when copies are made.
    async fn note_kept(&self, folder: &RemotePath, mut kept: Vec<File>, jobs: &[Job]) -> Result<()> {
        let Some(plan_db) = self.plan_db.as_ref().filter(|_| !kept.is_empty() && !self.surveyed) else {
            return Ok(());
        };
        if !self.to.remote.info().features.duplicates {
            let replaced: HashSet<_> =
                jobs.iter().flat_map(|job| &job.replaces).map(|file| &file.path).collect();
            kept.retain(|file| !replaced.contains(&file.path));
        }
        plan_db.note(folder.clone(), DestinationState::Kept, kept).await.map_err(lost)
    }

    async fn hand_on(
        &self,
        folder: &RemotePath,
        target: &RemotePath,
        mut jobs: Vec<Job>,
        batches: &Batches,
        report: &mut RunReport,
    ) -> Result<()> {
        if let Some(plan_db) = self.plan_db.as_ref().filter(|_| self.surveyed) {
            let (new, waiting) = jobs.into_iter().partition(|job| job.replaces.is_empty());
            plan_db.plan(folder.clone(), waiting).await.map_err(lost)?;
            jobs = self.left_to_send(plan_db, folder, new, report).await.map_err(lost)?;
        }
        match (batches, &self.plan_db) {
            (Some(batches), _) => {
                for batch in transfer::split(self.transfer.batch_limit(), target, jobs) {
                    // The workers end only when the run does.
                    if batches.send(batch).await.is_err() {
                        break;
                    }
                }
            }
            (None, Some(plan_db)) => plan_db.plan(folder.clone(), jobs).await.map_err(lost)?,
            (None, None) => {}
        }
        Ok(())
    }

    /// Returns the folders to be visited below one.
    pub(crate) fn below(&self, folder: &PendingFolder, matched: &Matched) -> Vec<PendingFolder> {
        let open = |name: &Name, there: &Name| PendingFolder {
            path: folder.path.join(name),
            there: folder.there.join(there),
            depth: folder.depth + 1,
            source: true,
            destination: true,
            blocked: folder.blocked.clone(),
        };
        let both = matched.folders.iter().map(|child| PendingFolder {
            destination: child.exists,
            blocked: folder
                .blocked
                .clone()
                .or_else(|| Some((child.blocked?, folder.there.join(&child.there)))),
            ..open(&child.name, &child.there)
        });
        let mut below: Vec<_> = both.collect();
        // A copy could use contents there, too; but that isn't worth the listings.
        if self.mode == Mode::Sync || self.stats.wants_extras() {
            let extra =
                matched.extra_folders.iter().map(|name| PendingFolder { source: false, ..open(name, name) });
            below.extend(extra);
        }
        below.sort_by(|left, right| left.path.cmp(&right.path));
        below
    }
}
