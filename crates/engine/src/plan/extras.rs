//! Removes files that only the destination has, and folders that a move has emptied.

use std::sync::PoisonError;

use futures::StreamExt;

use fichier_storage::{Entry, File, Location, Outcome, RemotePath, StorageError};

use crate::{
    DeleteWhen, RunReport,
    events::Event,
    plan::plan_db::OneSided,
    run::{Run, lost},
    walk, walk_filtered,
    wrappers::brakes::with_refused,
};

/// Number of files handed to a remote at once. The remote splits them into calls.
const AT_ONCE: usize = 1000;

impl Run<'_> {
    /// Removes the files and folders that only the destination has, unless something has failed.
    pub(crate) async fn remove_extras(&self, report: &mut RunReport) {
        let Some(plan_db) = &self.plan_db else { return };
        let deletion = self.options.deletion;
        if self.stopped() {
            return;
        }
        let goes_on = report.is_success() || deletion.ignore_errors;
        let allowed = match plan_db.count_extras().await {
            // Before the transfers a limit is met whatever else has failed, as with rclone.
            Ok((files, bytes)) if goes_on || self.deletes(DeleteWhen::Before) => {
                self.within_limits(files, bytes, report)
            }
            Ok(_) => 0,
            Err(error) => return self.fail(report, &RemotePath::root(), lost(error)),
        };
        if allowed > 0
            && let Err(error) = self.transfer.allowance.check_hard_time()
        {
            return self.fail(report, &RemotePath::root(), error);
        }
        if !goes_on {
            tracing::error!("not deleting files as there were IO errors");
            return;
        }
        let (mut after, mut left) = (0, allowed);
        while left > 0 && !self.stopped() {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(AT_ONCE);
            let extras = match plan_db.extras(after, most).await {
                Ok(extras) => extras,
                Err(error) => return self.fail(report, &RemotePath::root(), lost(error)),
            };
            let Some(last) = extras.last() else { break };
            after = last.line;
            left -= extras.len() as u64;
            self.remove_files(extras.into_iter().map(|extra| extra.file).collect(), report).await;
        }
        if self.stopped() || (!report.is_success() && !deletion.ignore_errors) {
            return;
        }
        match plan_db.folders(OneSided::Destination).await {
            Ok(folders) => {
                let folders = folders.iter().map(|folder| self.to.path.join_path(folder)).collect();
                self.remove_folders(self.to, folders, report).await;
            }
            Err(error) => self.fail(report, &RemotePath::root(), lost(error)),
        }
    }

    /// Returns how many of the files that should be removed may be.
    fn within_limits(&self, files: u64, bytes: u64, report: &mut RunReport) -> u64 {
        // The files that made room for the source's files count, too.
        let displaced = *self.displaced_total.lock().unwrap_or_else(PoisonError::into_inner);
        let (all_files, all_bytes) = (files.saturating_add(displaced.0), bytes.saturating_add(displaced.1));
        match self.options.deletion.check(all_files, all_bytes) {
            Ok(()) => files,
            Err(error) => {
                self.fail(report, &RemotePath::root(), error);
                0
            }
        }
    }

    /// Removes files of the destination, or moves them to the backup directory.
    pub(crate) async fn remove_files(&self, files: Vec<File>, report: &mut RunReport) {
        let (read, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| self.is_read_from(file));
        for file in read {
            let path = self.shown_at_destination(&file.path);
            self.fail(report, &path, StorageError::IsTheSource(path.clone()));
        }
        if files.is_empty() {
            return;
        }
        let outcomes: Vec<Outcome<()>> = match &self.options.backup {
            Some(backup) => {
                // The remote counts what it removes. It can't know that moving these files away is a removal.
                let (allowed, refused) = self.options.brakes.admit_all(&files);
                let moved = backup.set_aside(self.to, &files[..allowed], &self.options.brakes).await;
                let moved = moved.into_iter().map(|outcome| outcome.map(drop)).collect();
                with_refused(moved, files.len(), refused)
            }
            None => self.to.remote.remove(&files).await,
        };
        for (file, outcome) in files.iter().zip(outcomes) {
            let path = self.shown_at_destination(&file.path);
            match (outcome.into_result(), &self.options.backup) {
                (Ok(()), Some(_)) => self.stats.note(&path, &Event::DeletedToBackup(file)),
                (Ok(()), None) => self.stats.note(&path, &Event::Deleted(file)),
                (Err(error), _) => self.fail(report, &path, error),
            }
        }
    }

    /// Whether a file of the destination is what a link or mount of the source leads to.
    pub(crate) fn is_read_from(&self, file: &File) -> bool {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        // They all have one length, that of this kind of remote.
        let length = elsewhere.iter().next().map_or(0, |identity| identity.len());
        let identity = file.fingerprint.as_ref().and_then(|fingerprint| fingerprint.as_bytes().get(..length));
        length > 0 && identity.is_some_and(|identity| elsewhere.contains(identity))
    }

    /// Removes files of the destination before their turn, since something has to take their place.
    pub(crate) async fn remove_now(&self, files: &[File], report: &mut RunReport) -> bool {
        let before = report.failed;
        self.remove_files(files.to_vec(), report).await;
        report.failed == before
    }

    /// Removes a folder of the destination with all it holds.
    pub(crate) async fn remove_tree(&self, folder: &RemotePath, report: &mut RunReport) -> bool {
        let before = report.failed;
        let start = Location { remote: self.to.remote.clone(), path: folder.clone() };
        let mut folders = Vec::new();
        let mut tree = std::pin::pin!(walk(&start, None));
        while let Some(listing) = tree.next().await {
            match listing {
                Ok(listing) => {
                    let files = listing.entries.into_iter().filter_map(|entry| match entry {
                        Entry::File(file) => Some(file),
                        Entry::Folder(_) => None,
                    });
                    self.remove_files(files.collect(), report).await;
                    folders.push(listing.folder);
                }
                // With --dry-run it hasn't stepped aside.
                Err(error) if matches!(error.source, StorageError::FolderNotFound(_)) => {}
                Err(error) => self.fail(report, &error.folder, error.source),
            }
        }
        folders.reverse();
        if report.failed == before {
            self.remove_folders(self.to, folders, report).await;
        }
        report.failed == before
    }

    /// Removes empty folders, the deepest first. A folder that isn't empty stays.
    async fn remove_folders(&self, root: &Location, folders: Vec<RemotePath>, report: &mut RunReport) {
        let outcomes = root.remote.remove_folders(&folders).await;
        for (folder, outcome) in folders.iter().zip(outcomes) {
            let path = folder.relative_to(&root.path).unwrap_or_else(|| folder.clone());
            match outcome.into_result() {
                Ok(()) => self.stats.note(&path, &Event::FolderDeleted),
                // It holds what the run had to leave alone, or another one has it removed.
                Err(StorageError::FolderNotEmpty(_) | StorageError::FolderNotFound(_)) => {
                    tracing::debug!(path = %path, "left, since it isn't empty");
                }
                Err(error) => self.fail(report, &path, error),
            }
        }
    }

    /// Removes the empty folders of the source after a move.
    pub(crate) async fn remove_empty_source(&self, report: &mut RunReport) {
        if self.stopped() {
            return;
        }
        if !report.is_success() && !self.options.deletion.ignore_errors {
            tracing::error!("not deleting directories as there were IO errors");
            return;
        }
        let mut folders = Vec::new();
        {
            let mut tree =
                std::pin::pin!(walk_filtered(self.from, self.options.max_depth, &self.options.filter));
            while let Some(listing) = tree.next().await {
                if let Ok(listing) = listing {
                    // At the depth where the run ends folders are seen, but not entered.
                    let seen = listing.entries.into_iter().filter_map(|entry| match entry {
                        Entry::Folder(folder) => Some(folder.path),
                        Entry::File(_) => None,
                    });
                    folders.extend(seen);
                }
            }
        }
        folders.sort_by_key(|folder| std::cmp::Reverse(folder.depth()));
        self.remove_folders(self.from, folders, report).await;
    }
}
