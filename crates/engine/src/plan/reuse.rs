//! No byte twice: what the destination holds already under another name isn't sent again.
//!
//! After the walk the [plan_db](crate::plan_db) knows all that the destination holds. A file that is to be sent
//! and whose content is there becomes a server-side copy, or a move where the other one would have to go. A
//! folder that was renamed as a whole becomes one call.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, stream};

use fichier_storage::{
    File, HashKind, Name, Outcome, Relocation, RemoteExt, RemotePath, StorageError, Whirlpool,
};

use crate::{
    Renames, RunReport,
    events::Event,
    plan::plan_db::{DestinationState, FolderSize, IdleFile, OneSided, PlanDb, PlanDbError, Planned},
    run::{Run, lost, mode::Mode},
    transfer::Job,
};

/// How many transfers are looked at together.
const AT_ONCE: usize = 1000;

impl Run<'_> {
    /// Does what can be done without sending anything.
    pub(crate) async fn reuse(&self, report: &mut RunReport) {
        let Some(plan_db) = self.plan_db.as_ref().filter(|_| self.can_reuse() && !self.stopped()) else {
            return;
        };
        let done = async {
            self.read_standing(plan_db).await?;
            if self.may_move() && !self.hides_at_destination() && self.to.remote.info().features.folder_move {
                self.rename_folders(plan_db, report).await?;
            }
            self.relocate_files(plan_db, report).await
        };
        if let Err(error) = done.await {
            self.fail(report, &RemotePath::root(), lost(error));
        }
    }

    /// Reads the files at the destination whose checksums aren't listed and whose size some transfer has.
    async fn read_standing(&self, plan_db: &PlanDb) -> Result<(), PlanDbError> {
        if self.to.remote.info().hashes.lists(HashKind::Whirlpool) {
            return Ok(());
        }
        let mut after = 0;
        while !self.stopped() {
            let unread = plan_db.unread(after, AT_ONCE).await?;
            let Some(last) = unread.last() else { break };
            after = last.line;
            let sums: Vec<_> = stream::iter(unread)
                .map(|standing| async move {
                    let sum = self.options.checksums.of(&*self.to.remote, &standing.file).await;
                    Some((standing.line, sum.ok()?))
                })
                .buffer_unordered(self.options.checkers.max(1))
                .filter_map(std::future::ready)
                .collect()
                .await;
            plan_db.learn(sums).await?;
        }
        Ok(())
    }

    /// Whether what has to go may become what is missing. A limit on removals is about all that leaves its place, and
    /// what is set aside is kept, unless renames were asked for.
    fn may_move(&self) -> bool {
        let deletion = self.options.deletion;
        let limited = deletion.max_files.is_some() || deletion.max_bytes.is_some();
        self.mode == Mode::Sync
            && (!limited && self.options.backup.is_none() || self.options.track_renames)
            && self.to.remote.info().features.server_side_move
    }

    /// Finds folders that only the destination has and that hold what a folder holds that only the source
    /// has, and renames each.
    async fn rename_folders(&self, plan_db: &PlanDb, report: &mut RunReport) -> Result<(), PlanDbError> {
        let mut gone: Vec<FolderSize> = plan_db.weigh(OneSided::Destination).await?;
        for new in plan_db.weigh(OneSided::Source).await? {
            if new.files == 0 || self.stopped() {
                continue;
            }
            let weight = |other: &FolderSize| (other.files, other.bytes) == (new.files, new.bytes);
            let candidates: Vec<_> = gone.iter().filter(|other| weight(other)).cloned().collect();
            for old in candidates {
                if !self.is_renamed(plan_db, &old.folder, &new.folder).await? {
                    continue;
                }
                let (from, to) = (self.to.path.join_path(&old.folder), self.to.path.join_path(&new.folder));
                if let Err(error) = self.to.remote.rename_folder(&from, &to).await {
                    if let StorageError::HalfMoved { .. } = error {
                        self.fail(report, &new.folder, error);
                        break;
                    }
                    tracing::debug!(path = %new.folder, "not renamed as a whole: {error}");
                    continue;
                }
                self.stats.note(&new.folder, &Event::FolderRenamed { from: &old.folder });
                self.settle_renamed(plan_db, &old.folder, &new.folder, report).await?;
                gone.retain(|other| other != &old);
                break;
            }
        }
        Ok(())
    }

    /// Whether two folders hold the same files under the same paths.
    async fn is_renamed(
        &self,
        plan_db: &PlanDb,
        old: &RemotePath,
        new: &RemotePath,
    ) -> Result<bool, PlanDbError> {
        // A folder at a time, since the whole may be millions of files: first names and sizes, which cost nothing.
        let folders = plan_db.folders_below(OneSided::Source, new.clone()).await?;
        for folder in &folders {
            if self.twins_in(plan_db, folder, old, new).await?.is_none() {
                return Ok(false);
            }
        }
        for folder in &folders {
            let Some(pairs) = self.twins_in(plan_db, folder, old, new).await? else { return Ok(false) };
            let mut same = stream::iter(&pairs)
                .map(|(source, sum)| async move { self.source_sum(source).await == Some(*sum) })
                .buffer_unordered(self.options.checkers.max(1));
            while let Some(same) = same.next().await {
                if !same {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The files that are to be sent into one folder below a new one, with the checksums of their namesakes in its
    /// place below an old one; `None` if one has no namesake of its size.
    async fn twins_in(
        &self,
        plan_db: &PlanDb,
        folder: &RemotePath,
        old: &RemotePath,
        new: &RemotePath,
    ) -> Result<Option<Vec<(File, Whirlpool)>>, PlanDbError> {
        let Some(below) = folder.relative_to(new) else { return Ok(None) };
        let extras = plan_db.extras_in(old.join_path(&below)).await?;
        let there: HashMap<Name, File> =
            extras.into_iter().filter_map(|extra| Some((extra.file.path.name()?, extra.file))).collect();
        let pair = |planned: Planned| {
            let other = there.get(&planned.job.name)?;
            let sum = other.whirlpool.filter(|_| other.size == planned.job.source.size)?;
            Some((planned.job.source, sum))
        };
        Ok(plan_db.jobs_in(folder.clone()).await?.into_iter().map(pair).collect())
    }

    async fn settle_renamed(
        &self,
        plan_db: &PlanDb,
        old: &RemotePath,
        new: &RemotePath,
        report: &mut RunReport,
    ) -> Result<(), PlanDbError> {
        let kept = plan_db.folders_below(OneSided::Source, new.clone()).await?;
        let moved = plan_db.folders_below(OneSided::Destination, old.clone()).await?;
        for folder in &kept {
            for planned in plan_db.strike_jobs(plan_db.jobs_in(folder.clone()).await?).await? {
                report.transferred += 1;
                let (file, planned_bytes) = (&planned.job.source, Some(planned.job.source.size));
                let shown = planned.folder.join(&planned.job.name);
                self.stats.note(&shown, &Event::MovedAlong { file, planned: planned_bytes });
            }
        }
        for folder in &moved {
            let extras = plan_db.extras_in(folder.clone()).await?;
            plan_db.strike_standing(extras.into_iter().map(|extra| extra.line).collect()).await?;
        }
        // Empty folders inside have moved, too; those that the source hasn't got still have to go.
        plan_db.strike_folders(OneSided::Destination, old.clone()).await?;
        let kept: HashSet<_> = kept.into_iter().collect();
        for folder in moved {
            let Some(below) = folder.relative_to(old) else { continue };
            let place = new.join_path(&below);
            if !kept.contains(&place) {
                plan_db.note_folder(place, OneSided::Destination).await?;
            }
        }
        Ok(())
    }

    /// Turns transfers into server-side copies and moves, wherever the content is there.
    async fn relocate_files(&self, plan_db: &PlanDb, report: &mut RunReport) -> Result<(), PlanDbError> {
        let mut after = 0;
        while !self.stopped() {
            let planned = plan_db.perhaps_there(after, AT_ONCE).await?;
            let Some(last) = planned.last() else { break };
            after = last.line;
            self.relocate_planned(plan_db, planned, report).await?;
        }
        Ok(())
    }

    /// Turns these transfers into server-side copies and moves, wherever the content is there; answers with the rest.
    pub(crate) async fn relocate_planned(
        &self,
        plan_db: &PlanDb,
        planned: Vec<Planned>,
        report: &mut RunReport,
    ) -> Result<Vec<Planned>, PlanDbError> {
        let (mut copies, mut moves, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut sums = stream::iter(planned)
            .map(|planned| async move {
                let sum = self.source_sum(&planned.job.source).await;
                (planned, sum)
            })
            .buffered(self.options.checkers.max(1));
        let mut given: HashMap<Whirlpool, Vec<i64>> = HashMap::new();
        while let Some((planned, sum)) = sums.next().await {
            let found = match sum {
                Some(sum) => {
                    let taken = given.get(&sum).cloned().unwrap_or_default();
                    plan_db.same_content(planned.job.source.size, sum, taken).await?.map(|there| (there, sum))
                }
                None => None,
            };
            // What stays where it is isn't renamed, and may be copied from.
            let found =
                found.filter(|(there, _)| !there.extra || self.may_be_renamed(&planned.job, &there.file));
            let Some((there, sum)) = found else {
                rest.push(planned);
                continue;
            };
            // Where old versions are set aside, a renamed file doesn't take the place of another one: both are kept then.
            let is_kept = self.options.backup.is_some() && !planned.job.replaces.is_empty();
            // The first one gets the file itself, those after it get copies of it, made before.
            let is_given = given.get(&sum).is_some_and(|lines| lines.contains(&there.line));
            if there.extra && self.may_move() && !is_kept && !is_given {
                given.entry(sum).or_default().push(there.line);
                moves.push((planned, there, sum));
            } else if self.may_copy_there() {
                copies.push((planned, there, sum));
            } else {
                rest.push(planned);
            }
        }
        drop(sums);
        rest.extend(self.relocate(plan_db, copies, false, report).await?);
        rest.extend(self.relocate(plan_db, moves, true, report).await?);
        Ok(rest)
    }

    /// Whether a file has kept what `--track-renames-strategy` asks for.
    fn may_be_renamed(&self, job: &Job, there: &File) -> bool {
        let rule = if self.options.track_renames { self.options.renames } else { Renames::default() };
        let same_name = || there.path.name().as_ref() == Some(&job.name);
        // A service that sets the times of files itself says nothing by them.
        let keeps_times = self.to.remote.info().times.settable;
        let same_time = || match (job.source.modified, there.modified) {
            (Some(here), Some(there)) => {
                let apart = here.duration_since(there).unwrap_or_else(|error| error.duration());
                apart <= self.options.rules.window
            }
            _ => false,
        };
        (!rule.same_name || same_name()) && (!rule.same_time || !keeps_times || same_time())
    }

    /// Copies or moves; what fails stays on the plan_db and is sent. Answers with it.
    async fn relocate(
        &self,
        plan_db: &PlanDb,
        chosen: Vec<(Planned, IdleFile, Whirlpool)>,
        moves: bool,
        report: &mut RunReport,
    ) -> Result<Vec<Planned>, PlanDbError> {
        let (mut roomy, mut rest) = (Vec::with_capacity(chosen.len()), Vec::new());
        for (planned, there, sum) in chosen {
            if self.transfer.make_room(&planned.job, report).await {
                roomy.push((planned, there, sum));
            } else {
                rest.push(planned);
            }
        }
        let chosen = roomy;
        if chosen.is_empty() {
            return Ok(rest);
        }
        // Old versions go after all copies are made: one of them may be what another one is copied from.
        let steps: Vec<_> = chosen
            .iter()
            .map(|(planned, there, _)| Relocation {
                from: there.file.clone(),
                to: self.to.path.join_path(&planned.folder).join(&planned.job.name),
                replaces: if self.options.backup.is_some() {
                    Vec::new()
                } else {
                    planned.job.replaces.clone()
                },
            })
            .collect();
        let outcomes: Vec<Outcome<File>> =
            if moves { self.to.remote.rename(&steps).await } else { self.to.remote.copy(&steps).await };
        let (mut done, mut left) = (Vec::new(), Vec::new());
        for ((planned, there, sum), outcome) in chosen.into_iter().zip(outcomes) {
            let shown = planned.folder.join(&planned.job.name);
            match outcome.into_result() {
                Ok(file) => {
                    tracing::debug!(path = %shown, "the content is there already, at {}", there.file.path);
                    report.transferred += 1;
                    let seen = File { whirlpool: Some(sum), ..file.clone() };
                    let bytes = planned.job.source.size;
                    self.stats.note(
                        &shown,
                        &match moves {
                            true => Event::MovedThere { file: &seen, bytes, took: None },
                            false => Event::CopiedThere { file: &seen, bytes, took: None },
                        },
                    );
                    if moves {
                        left.push(there.line);
                    }
                    self.transfer.retire_replaced(&planned.job, report).await;
                    self.take_time(&planned, &file).await;
                    let file = File { whirlpool: file.whirlpool.or(Some(sum)), ..file };
                    plan_db.note(planned.folder.clone(), DestinationState::Kept, vec![file]).await?;
                    done.push(planned);
                }
                // It is there, and needn't be sent.
                Err(error @ StorageError::OldVersionStays { .. }) => {
                    self.fail(report, &shown, error);
                    report.transferred += 1;
                    if moves {
                        left.push(there.line);
                    }
                    done.push(planned);
                }
                Err(error @ StorageError::Misplaced { .. }) => {
                    self.fail(report, &shown, error);
                    rest.push(planned);
                }
                Err(error) => {
                    tracing::debug!(path = %shown, from = %there.file.path, "sent instead, since it couldn't be made there: {error}");
                    rest.push(planned);
                }
            }
        }
        plan_db.strike_jobs(done).await?;
        plan_db.strike_standing(left).await?;
        Ok(rest)
    }

    /// Gives what was made there the time of the file that it stands for, where times are kept.
    async fn take_time(&self, planned: &Planned, file: &File) {
        let Some(time) = planned.job.source.modified else { return };
        if self.to.remote.info().times.settable
            && let Err(error) = self.to.remote.set_modified_of(file, time).await
        {
            tracing::debug!(path = %file.path, "its time couldn't be set: {error}");
        }
    }

    /// The checksum of a file of the source; `None` if it can't be read, which its transfer will tell.
    async fn source_sum(&self, file: &File) -> Option<Whirlpool> {
        self.options.checksums.of(&*self.from.remote, file).await.ok()
    }
}
