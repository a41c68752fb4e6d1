//! What a sync leaves under one name. It should be one file.

use std::sync::PoisonError;

use fichier_storage::{Freshness, Name, RemotePath};

use crate::{
    RunError, RunReport,
    plan::{Pair, by_name},
    run::{Run, mode::Mode},
    transfer::Job,
    walk::filtered::FilteredListing,
};

impl Run<'_> {
    /// Notes a folder of the destination that is to be looked through at the end.
    pub(crate) fn note_doubles(&self, folder: &RemotePath, pairs: &[Pair]) {
        if pairs.iter().any(|pair| pair.existing.len() > 1) {
            self.look_through_later(folder);
        }
    }

    /// Notes a folder that this run fills.
    pub(crate) fn note_filled(&self, folder: &RemotePath, jobs: &[Job]) {
        if !jobs.is_empty() {
            self.look_through_later(folder);
        }
    }

    fn look_through_later(&self, folder: &RemotePath) {
        if self.mode == Mode::Sync && self.to.remote.info().features.duplicates {
            self.to_look_through.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.clone());
        }
    }

    /// Tells each name of which several files are left, whatever the cause. The remote remembers what it listed and
    /// did, so that this costs no call.
    pub(crate) async fn tell_doubles(&self, report: &mut RunReport) {
        let folders =
            std::mem::take(&mut *self.to_look_through.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in folders {
            self.tell_doubles_in(&folder, None, report).await;
        }
    }

    /// The same of one folder, or of one name in it.
    pub(crate) async fn tell_doubles_in(
        &self,
        folder: &RemotePath,
        only: Option<&Name>,
        report: &mut RunReport,
    ) {
        let looks = self.mode == Mode::Sync
            && self.to.remote.info().features.duplicates
            && self.stats.dry_run().is_none()
            && !self.options.rules.unseen_destination
            && !self.stopped();
        if !looks {
            return;
        }
        let Ok(listing) = self.to.remote.list(folder, Freshness::SinceStart).await else { return };
        let sieve =
            FilteredListing { filter: &self.options.filter, remote: &*self.to.remote, root: &self.to.path };
        let entries = match only {
            Some(_) => listing.entries,
            None => sieve.sift(folder, listing.entries).await,
        };
        let backup = self.options.backup.as_ref();
        for (name, versions) in by_name(entries).0 {
            let path = folder.join(&name);
            let set_aside =
                backup.is_some_and(|backup| backup.may_have_named(&path) || backup.covers(self.to, &path));
            let is_asked_for = only.is_none_or(|only| *only == name);
            if versions.len() > 1 && is_asked_for && !set_aside && !report.stays.contains(&path) {
                let shown = self.shown_at_destination(&path);
                let count = versions.len();
                self.fail(report, &shown, RunError::Doubles { path: shown.clone(), count }.into());
            }
        }
    }
}
