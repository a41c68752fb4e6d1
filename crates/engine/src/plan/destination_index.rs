//! Knowing all that the destination holds before its files are compared.
//!
//! Whether a new file needn't be sent hangs on all that is listed of the destination, and on nothing that comparing
//! finds out. So a copy lists first, and then sends what is new of a folder as soon as that folder is compared. What
//! replaces something waits until the end, since what it replaces may be what another file is copied from.

use fichier_storage::{File, HashKind, Listing, RemoteExt, RemotePath};

use crate::{
    Order, RunReport, plan,
    plan::plan_db::{DestinationState, PlanDb, PlanDbError, Planned},
    run::{Run, mode::Mode},
    transfer::Job,
    walk::pending::PendingFolder,
};

impl Run<'_> {
    /// Whether a survey tells all that decides about new files.
    pub(crate) fn can_survey(&self) -> bool {
        self.mode == Mode::Copy
            && self.can_reuse()
            && self.to.remote.info().hashes.lists(HashKind::Whirlpool)
            && !self.options.check_first
            && !self.writes_into_source()
            && self.options.order == Order::Found
    }

    /// Notes what the destination holds in the folders that the run will visit. What can't be listed is left to the
    /// run, which tells why.
    pub(crate) async fn survey(&self, plan_db: &PlanDb) -> Result<(), PlanDbError> {
        let mut open = vec![PendingFolder::root()];
        while let Some(folder) = open.pop() {
            if self.stopped() {
                break;
            }
            if self.options.max_depth.is_some_and(|most| folder.depth >= most) {
                continue;
            }
            let target = self.to.path.join_path(&folder.there);
            let Ok((Listing { entries: destination, .. }, true)) =
                self.list_destination(&folder, &target).await
            else {
                continue;
            };
            let mut source = Vec::new();
            if folder.source {
                let path = self.from.path.join_path(&folder.path);
                let Ok(entries) = self.from.remote.entries(&path).await else { continue };
                source = self.rename_source(self.sift_source(&path, entries).await).await.entries;
            }
            let destination = self.sift_destination(&folder, &source, destination).await;
            let mut matched = plan::match_folder(source, destination, self.names());
            self.keep_old_versions(&mut matched);
            let mut standing: Vec<File> = std::mem::take(&mut matched.extra_files);
            standing.extend(self.reusable(&matched.files));
            plan_db.note(folder.there.clone(), DestinationState::Kept, standing).await?;
            open.extend(self.below(&folder, &matched).into_iter().filter(|folder| folder.destination));
        }
        Ok(())
    }

    /// Copies at the destination what of these new files it holds already; the others have to be sent.
    pub(crate) async fn left_to_send(
        &self,
        plan_db: &PlanDb,
        folder: &RemotePath,
        jobs: Vec<Job>,
        report: &mut RunReport,
    ) -> Result<Vec<Job>, PlanDbError> {
        let known = plan_db.hold_sizes(jobs.iter().map(|job| job.source.size).collect()).await?;
        let (mut perhaps, mut left) = (Vec::new(), Vec::new());
        for (job, known) in jobs.into_iter().zip(known) {
            if known {
                perhaps.push(Planned { line: Planned::NOWHERE, folder: folder.clone(), job });
            } else {
                left.push(job);
            }
        }
        if !perhaps.is_empty() {
            let not_there = self.relocate_planned(plan_db, perhaps, report).await?;
            left.extend(not_there.into_iter().map(|planned| planned.job));
        }
        Ok(left)
    }
}
