//! Deciding about a file: leave it, set its time, or transfer it.

use futures::{StreamExt, stream};

use fichier_storage::{File, RemoteExt, RemotePath, StorageError};

use crate::{
    Relation, RunError, RunReport,
    compare::Decision,
    events::Event,
    plan::references::ReferenceListing,
    plan::{self, Pair},
    run::{Run, mode::Mode},
    transfer::{Job, shown_below},
};

/// What is to be done with one file.
#[derive(Debug)]
pub(crate) enum Decided {
    Transfer(Job),
    /// A reference has it: it is copied from there.
    CopyFrom(Job, File),
    /// The destination has it already, and beside it what a sync takes away.
    There(File, Vec<File>),
    Leave,
}

impl Run<'_> {
    /// What of one folder has to be transferred. What needs no transfer is done here.
    pub(crate) async fn decide_all(
        &self,
        target: &RemotePath,
        pairs: Vec<Pair>,
        shelf: &ReferenceListing<'_>,
        report: &mut RunReport,
    ) -> Vec<Job> {
        // What only one side has needs no check.
        for _ in pairs.iter().filter(|pair| !pair.existing.is_empty()) {
            self.stats.plan_check();
        }
        let mut decided = stream::iter(pairs)
            .map(|pair| async {
                let checked = !pair.existing.is_empty();
                let decision = self.decide(pair, shelf).await;
                if checked {
                    self.stats.finish_check();
                }
                decision
            })
            .buffered(self.options.checkers.max(1));
        let (mut jobs, mut there, mut copies) = (Vec::new(), Vec::new(), Vec::new());
        let mut outdated = Vec::new();
        while let Some(decision) = decided.next().await {
            match decision {
                Ok(Decided::Transfer(job)) => jobs.push(job),
                // Nothing may be written yet: it is sent with the others.
                Ok(Decided::CopyFrom(job, _)) if self.writes_into_source() => jobs.push(job),
                Ok(Decided::CopyFrom(job, file)) => copies.push((job, file)),
                Ok(Decided::There(source, others)) => {
                    there.push(source);
                    outdated.extend(others);
                }
                Ok(Decided::Leave) => {}
                Err((path, error)) => self.fail(report, &path, error),
            }
        }
        drop(decided);
        self.remove_files(outdated, report).await;
        let (instead, copied) = self.copy_from_references(target, copies, report).await;
        jobs.extend(instead);
        there.extend(copied);
        for job in &jobs {
            self.stats.plan_transfer(job.source.size);
        }
        if self.mode == Mode::Move {
            self.transfer.remove_sources(there, false, report).await;
        }
        jobs
    }

    /// What is to be done with one file.
    pub(crate) async fn decide(
        &self,
        pair: Pair,
        shelf: &ReferenceListing<'_>,
    ) -> Result<Decided, (RemotePath, StorageError)> {
        let rules = &self.options.rules;
        let shown = shown_below(self.from, &pair.source.path);
        // In lists, a file that was named itself has its name at the destination, as with rclone.
        let listed = match pair.source.path == self.from.path {
            true => RemotePath::root().join(&pair.name),
            false => shown.clone(),
        };
        let Some(existing) = pair.existing.first() else {
            if rules.existing_only {
                tracing::debug!(path = %pair.name, "Destination doesn't exist, skipping");
                return Ok(Decided::Leave);
            }
            self.stats.compared(&listed, Relation::MissingOnDestination);
            return self.look_up(self.job(pair), shelf).await;
        };
        if !plan::all_same(&pair.existing) {
            tracing::warn!(path = %shown, "Duplicate object found in destination - comparing with the newest");
        }
        let source = (&self.from.remote, &pair.source);
        let decision = rules.judge(&self.options.checksums, source, (&self.to.remote, existing)).await;
        let relation = match &decision {
            Ok(Decision::Transfer) => Relation::Differ,
            Ok(_) => Relation::Match,
            Err(error) if matches!(RunError::of(error), Some(RunError::Immutable(_))) => Relation::Differ,
            Err(_) => Relation::Error,
        };
        self.stats.compared(&listed, relation);
        let named = |error| match RunError::of(&error) {
            // As the user knows it: the destination's root may be that of the whole file system.
            Some(RunError::Immutable(path)) => RunError::Immutable(self.shown_at_destination(path)).into(),
            _ => error,
        };
        match decision.map_err(|error| (shown.clone(), named(error)))? {
            Decision::Transfer => self.look_up(self.job(pair), shelf).await,
            Decision::Leave(why) => {
                self.stats.note(&shown, &Event::LeftOut { file: &pair.source, why });
                Ok(Decided::Leave)
            }
            Decision::Same => {
                self.stats.note(&shown, &Event::Unchanged(existing));
                let outdated = self.outdated(&pair).await;
                Ok(Decided::There(with_sum_of(pair.source, existing), outdated))
            }
            Decision::Retime => {
                if let Some(time) = pair.source.modified {
                    let set = self.to.remote.set_modified_of(existing, time).await;
                    set.map_err(|error| (shown.clone(), error))?;
                    self.stats.note(&shown, &Event::Retimed(existing));
                }
                Ok(Decided::There(with_sum_of(pair.source, existing), Vec::new()))
            }
        }
    }

    /// What stands under the name of a file beside its newest version, which has the source's content: old versions that a
    /// run before this one couldn't remove or didn't come to remove, and doubles. A sync leaves one file of a name, other
    /// runs remove what is known to have been replaced.
    async fn outdated(&self, pair: &Pair) -> Vec<File> {
        let Some((newest, others)) = pair.existing.split_first() else { return Vec::new() };
        let known = self.to.remote.extensions().old_versions;
        let goes =
            |file: &&File| self.mode == Mode::Sync || known.is_some_and(|known| known.should_have_gone(file));
        let others: Vec<File> = others.iter().filter(goes).cloned().collect();
        if others.is_empty() || newest.whirlpool.is_none() {
            return Vec::new();
        }
        let of_source = self.options.checksums.of(&*self.from.remote, &pair.source).await;
        if of_source.is_ok_and(|sum| newest.whirlpool == Some(sum)) { others } else { Vec::new() }
    }

    #[expect(clippy::unused_self, reason = "a run turns pairs into transfers")]
    pub(crate) fn job(&self, pair: Pair) -> Job {
        Job { source: pair.source, name: pair.name, replaces: pair.existing }
    }
}

/// A file of the source, with the checksum of what the destination has in its place, by which it is known again.
fn with_sum_of(source: File, existing: &File) -> File {
    File { whirlpool: source.whirlpool.or(existing.whirlpool), ..source }
}
