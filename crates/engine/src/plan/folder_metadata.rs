//! Gives folders of the destination their times, and what `--metadata` asks for.

use std::sync::PoisonError;

use fichier_storage::{RemoteExt as _, StorageError, metadata::Metadata};

use crate::{RunOptions, RunReport, events::Event, run::Run, walk::pending::PendingFolder};

/// Keys whose values change by themselves or can't be set.
const NOT_COMPARED: [&str; 2] = ["atime", "btime"];

impl RunOptions {
    /// Returns the metadata that a folder gets at the destination, given that of the source.
    pub(crate) fn of_folder(&self, own: Metadata) -> Metadata {
        let mut all = match &self.metadata {
            Some(options) => options.of(own),
            None => own.into_iter().filter(|(key, _)| key == "mtime").collect(),
        };
        all.retain(|(key, _)| key != "mtime" || !self.keep_folder_times);
        all
    }
}

impl Run<'_> {
    /// Notes what a folder of the source has: files that come and go change its time.
    pub(crate) async fn note_folder_metadata(&self, folder: &PendingFolder) {
        let both_keep = [self.from, self.to].iter().all(|side| side.remote.extensions().metadata.is_some());
        if !both_keep || folder.path.is_root() || !folder.source {
            return;
        }
        if self.options.metadata.is_none() && self.options.keep_folder_times {
            return;
        }
        match self.from.remote.folder_metadata(&self.from.path.join_path(&folder.path)).await {
            Ok(own) => {
                let all = self.options.of_folder(own);
                if !all.is_empty() {
                    let target = self.to.path.join_path(&folder.there);
                    self.furnished.lock().unwrap_or_else(PoisonError::into_inner).push((target, all));
                }
            }
            Err(error) => tracing::warn!(path = %folder.path, "its metadata can't be read: {error}"),
        }
    }

    /// Gives the folders of the destination the metadata of the source's when all else is done.
    pub(crate) async fn set_folder_metadata(&self, report: &mut RunReport) {
        let furnished = std::mem::take(&mut *self.furnished.lock().unwrap_or_else(PoisonError::into_inner));
        // Inner folders first: they may be out of reach afterwards.
        for (folder, wanted) in furnished.into_iter().rev() {
            let remote = &self.to.remote;
            let has = match remote.folder_metadata(&folder).await {
                Ok(has) => has,
                // Nothing was to be put into the folder, or nothing could be.
                Err(StorageError::FolderNotFound(_) | StorageError::IsAFile(_)) => continue,
                Err(error) => {
                    self.fail(report, &self.shown_at_destination(&folder), error);
                    continue;
                }
            };
            let is_there = |entry: &(String, String)| has.contains(entry);
            if wanted.iter().all(|entry| NOT_COMPARED.contains(&entry.0.as_str()) || is_there(entry)) {
                continue;
            }
            let shown = self.shown_at_destination(&folder);
            match remote.set_folder_metadata(&folder, &wanted).await {
                Ok(()) => {
                    let time_alone = self.options.metadata.is_none();
                    self.stats.note(&shown, &Event::FolderUpdated { time_alone });
                }
                Err(error) => self.fail(report, &shown, error),
            }
        }
    }
}
