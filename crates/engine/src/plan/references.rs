//! `--compare-dest` and `--copy-dest`: files that are elsewhere already aren't sent.

use std::collections::BTreeMap;

use fichier_storage::{
    Entry, File, Location, Name, Outcome, Relocation, RemoteExt, RemotePath, Result, StorageError,
};

use crate::{
    Reference, RunReport,
    compare::Decision,
    plan::decide::Decided,
    run::{Run, copies_freely},
    transfer::Job,
};

/// Files of the references in one folder: per reference the newest file of each name.
pub(crate) struct ReferenceListing<'a>(Vec<(&'a Reference, BTreeMap<Name, File>)>);

impl Run<'_> {
    /// Lists a folder in each reference. A reference without this folder has no files.
    pub(crate) async fn shelf(&self, folder: &RemotePath) -> Result<ReferenceListing<'_>> {
        let mut shelf = Vec::new();
        for reference in &self.options.references {
            let Location { remote, path } = &reference.location;
            let entries = match remote.entries(&path.join_path(folder)).await {
                Ok(entries) => entries,
                Err(StorageError::FolderNotFound(_) | StorageError::IsAFile(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            let mut files: BTreeMap<Name, File> = BTreeMap::new();
            for entry in entries {
                let (Some(name), Entry::File(file)) = (entry.name(), entry) else { continue };
                if files.get(&name).is_none_or(|known| known.modified < file.modified) {
                    files.insert(name, file);
                }
            }
            shelf.push((reference, files));
        }
        Ok(ReferenceListing(shelf))
    }

    /// Checks whether a transfer can be left out, or become a copy, since a reference has the file.
    pub(crate) async fn look_up(
        &self,
        job: Job,
        shelf: &ReferenceListing<'_>,
    ) -> Result<Decided, (RemotePath, StorageError)> {
        for (reference, files) in &shelf.0 {
            let Some(file) = files.get(&job.name) else { continue };
            let sides = ((&self.from.remote, &job.source), (&reference.location.remote, file));
            let judged = self.options.rules.by_content(&self.options.checksums, sides.0, sides.1).await;
            match judged.map_err(|error| (job.source.path.clone(), error))? {
                Decision::Transfer => {}
                _ if reference.copies => return Ok(Decided::CopyFrom(job, file.clone())),
                _ => {
                    tracing::debug!(path = %job.name, "Destination found in --compare-dest, skipping");
                    // The destination doesn't have the file, so a move leaves it where it is.
                    return Ok(Decided::Leave);
                }
            }
        }
        Ok(Decided::Transfer(job))
    }

    /// Makes the copies that references allow. Returns the transfers that have to be made instead, and the sources of
    /// the files that are done.
    pub(crate) async fn copy_from_references(
        &self,
        target: &RemotePath,
        copies: Vec<(Job, File)>,
        report: &mut RunReport,
    ) -> (Vec<Job>, Vec<File>) {
        let (mut instead, mut done) = (Vec::new(), Vec::new());
        if !copies_freely(self.to, self.options) {
            instead.extend(copies.into_iter().map(|(job, _)| job));
            return (instead, done);
        }
        let mut roomy = Vec::with_capacity(copies.len());
        for (job, file) in copies {
            match self.transfer.make_room(&job).await {
                true => roomy.push((job, file)),
                false => instead.push(job),
            }
        }
        let copies = roomy;
        if copies.is_empty() {
            return (instead, done);
        }
        let steps: Vec<_> = copies
            .iter()
            .map(|(job, file)| Relocation {
                from: file.clone(),
                to: target.join(&job.name),
                replaces: self.transfer.replaces(job),
            })
            .collect();
        let outcomes: Vec<Outcome<File>> = self.to.remote.copy(&steps).await;
        for ((job, _), outcome) in copies.into_iter().zip(outcomes) {
            match outcome.into_result() {
                Ok(file) => {
                    self.stats.plan_transfer(job.source.size);
                    self.transfer.copied_there(&job, &file, report).await;
                    done.push(job.source);
                }
                Err(error) => {
                    tracing::debug!(path = %job.name, "sent instead, since it couldn't be copied: {error}");
                    instead.push(job);
                }
            }
        }
        (instead, done)
    }
}
