//! `--metadata`: what is kept of files and folders beside content, name and time.

use std::sync::PoisonError;

use fichier_storage::{File, RemoteExt as _, RemotePath, StorageError, metadata::Metadata};

use crate::{
    RunReport,
    plan::visit::Open,
    run::Run,
    transfer::{Origin, Transfer},
};

/// What is kept beside content, name and time, where the destination keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataOptions {
    /// What is set whatever the source has; no key twice.
    pub set: Metadata,
    /// Whether folders keep their own times.
    pub keep_folder_times: bool,
}

/// Keys whose values change by themselves, or can't be set.
const NOT_COMPARED: [&str; 2] = ["atime", "btime"];

impl MetadataOptions {
    /// What something is to have that has this at the source.
    fn of(&self, own: Metadata) -> Metadata {
        let is_set = |key: &String| self.set.iter().any(|(set, _)| set == key);
        let mut all: Metadata = own.into_iter().filter(|(key, _)| !is_set(key)).collect();
        all.extend(self.set.iter().cloned());
        all.sort();
        all
    }
}

impl Transfer {
    /// What a file is to have beside its content; nothing where nobody wants or keeps any.
    pub(crate) async fn metadata_of(&self, file: &File) -> Metadata {
        let Some(options) = self.metadata.as_ref().filter(|_| self.to.remote.extensions().metadata.is_some())
        else {
            return Metadata::new();
        };
        let own = match &self.from {
            Origin::Files(from) => from.remote.metadata(file).await.unwrap_or_else(|error| {
                tracing::warn!(path = %file.path, "its metadata can't be read: {error}");
                Metadata::new()
            }),
            Origin::Content(_) => Metadata::new(),
        };
        options.of(own)
    }
}

/// A folder of the destination with what it is to have.
pub(crate) type Furnished = (RemotePath, Metadata);

impl Run<'_> {
    /// Notes what a folder of the source has: files that come and go change its time.
    pub(crate) async fn note_folder_metadata(&self, folder: &Open) {
        let keeps = self.to.remote.extensions().metadata.is_some() && self.stats.dry_run().is_none();
        let Some(options) = self.options.metadata.as_ref().filter(|_| keeps) else { return };
        if folder.path.is_root() || !folder.source {
            return;
        }
        match self.from.remote.folder_metadata(&self.from.path.join_path(&folder.path)).await {
            Ok(own) => {
                let mut all = options.of(own);
                all.retain(|(key, _)| key != "mtime" || !options.keep_folder_times);
                let target = self.to.path.join_path(&folder.there);
                self.furnished.lock().unwrap_or_else(PoisonError::into_inner).push((target, all));
            }
            Err(error) => tracing::warn!(path = %folder.path, "its metadata can't be read: {error}"),
        }
    }

    /// When all else is done: gives the folders of the destination what those of the source had.
    pub(crate) async fn set_folder_metadata(&self, report: &mut RunReport) {
        let furnished = std::mem::take(&mut *self.furnished.lock().unwrap_or_else(PoisonError::into_inner));
        // What lies within first: it may be out of reach afterwards.
        for (folder, wanted) in furnished.into_iter().rev() {
            let remote = &self.to.remote;
            let has = match remote.folder_metadata(&folder).await {
                Ok(has) => has,
                // Nothing was to be put into it, or nothing could be.
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
                Ok(()) => tracing::info!(path = %shown, "Updated directory metadata"),
                Err(error) => self.fail(report, &shown, error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts_more_than_what_the_source_has() {
        let pairs = |pairs: &[(&str, &str)]| -> Metadata {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let options =
            MetadataOptions { set: pairs(&[("mode", "0600"), ("k", "v")]), ..MetadataOptions::default() };
        let own = pairs(&[("mode", "100644"), ("uid", "0")]);
        assert_eq!(options.of(own), pairs(&[("k", "v"), ("mode", "0600"), ("uid", "0")]));
    }
}
