//! From a path to what lies there: a listing for each folder on the way that isn't known as fresh as it has to be.

use std::time::SystemTime;

use fichier_api::FolderId;
use fichier_storage::{Entry, FileId, Folder, Freshness, Name, RemotePath, Result, StorageError, Whirlpool};

use super::{Age, Tree};
use crate::fichier::catalogue::{Catalogue, ContentsLost, KnownFile};

impl Tree {
    /// All folders that a path means, the first to be used for new things. Empty when there is none.
    async fn resolve_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        match self.walk(path, Age::Aged(age)).await {
            // A folder that an earlier run knew is gone.
            Err(StorageError::FolderNotFound(_)) if self.has_earlier_runs() => {
                self.walk(path, Age::Now).await
            }
            // One that this run knew: there may be another of its name, which its parent's new listing tells.
            Err(StorageError::FolderNotFound(_)) => self.walk(path, Age::Aged(age)).await,
            walked => walked,
        }
    }

    pub(in crate::fichier) async fn walk(&self, path: &RemotePath, sight: Age) -> Result<Vec<FolderId>> {
        let mut here = vec![FolderId::ROOT];
        let mut walked = RemotePath::root();
        for name in path.names() {
            let mut next = Vec::new();
            for folder in here {
                match sight {
                    Age::Aged(age) => self.load_aged(folder, &walked, age).await?,
                    Age::Now => self.load_anew(folder, &walked).await?,
                }
                next.extend(self.catalogue().folders_named(folder, &name));
            }
            if next.is_empty() {
                return Ok(next);
            }
            walked = walked.join(&name);
            here = next;
        }
        Ok(here)
    }

    /// The folders of a path as far as they are known, without a call.
    pub(in crate::fichier) fn known(&self, path: &RemotePath) -> Vec<FolderId> {
        let catalogue = self.catalogue();
        path.names().fold(vec![FolderId::ROOT], |here, name| {
            here.into_iter().flat_map(|folder| catalogue.folders_named(folder, &name)).collect()
        })
    }

    /// As [`Tree::walk`]; a missing folder is an error, and so is a file in its place.
    pub(in crate::fichier) async fn require(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        self.require_aged(path, Freshness::SinceStart).await
    }

    async fn require_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        let folders = self.resolve_aged(path, age).await?;
        if !folders.is_empty() {
            return Ok(folders);
        }
        match self.find(path, age).await {
            Ok(_) => Err(StorageError::IsAFile(path.clone())),
            Err(_) => Err(StorageError::FolderNotFound(path.clone())),
        }
    }

    /// The folders of a path, their contents known.
    pub(in crate::fichier) async fn require_loaded(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        self.require_loaded_aged(path, Freshness::SinceStart).await
    }

    async fn require_loaded_aged(&self, path: &RemotePath, age: Freshness) -> Result<Vec<FolderId>> {
        let folders = self.require_aged(path, age).await?;
        match self.load_all(&folders, path, age).await {
            Ok(()) => Ok(folders),
            Err(StorageError::FolderNotFound(_)) if self.has_earlier_runs() => {
                self.see(path).await?;
                let folders = self.require(path).await?;
                self.load_all(&folders, path, Freshness::SinceStart).await?;
                Ok(folders)
            }
            Err(error) => Err(error),
        }
    }

    async fn load_all(&self, folders: &[FolderId], path: &RemotePath, age: Freshness) -> Result<()> {
        for folder in folders {
            self.load_aged(*folder, path, age).await?;
        }
        Ok(())
    }

    /// The file or folder at a path.
    pub(in crate::fichier) async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        };
        let missing = || StorageError::FileNotFound(path.clone());
        let mut parents = self.resolve_aged(&parent, age).await?;
        if matches!(self.load_all(&parents, &parent, age).await, Err(StorageError::FolderNotFound(_)))
            && self.has_earlier_runs()
        {
            parents = self.see(&parent).await?;
        }
        let mut newest: Option<KnownFile> = None;
        for folder in &parents {
            let here = self.look(*folder, &parent, |catalogue| {
                let newest = catalogue.files_named(*folder, &name)?.max_by_key(|file| (file.date, file.link));
                Ok(newest.cloned())
            });
            let here = here.await?;
            if here.as_ref().map(|file| (file.date, file.link))
                > newest.as_ref().map(|file| (file.date, file.link))
            {
                newest = here;
            }
        }
        if let Some(file) = newest {
            return Ok(Entry::File(self.as_file(&file, path.clone())));
        }
        let catalogue = self.catalogue();
        let id = parents.iter().flat_map(|folder| catalogue.folders_named(*folder, &name)).next();
        let folder = id
            .and_then(|folder| Some(Entry::Folder(self.as_folder(catalogue.folder(folder)?, path.clone()))));
        drop(catalogue);
        // What can't be read isn't missing.
        folder.ok_or_else(|| self.unread_at(&parent, path).unwrap_or_else(missing))
    }

    /// Looks at what a folder holds, once that is known. Should it be lost, the folder is listed again.
    pub(in crate::fichier) async fn look<T>(
        &self,
        folder: FolderId,
        path: &RemotePath,
        look: impl Fn(&mut Catalogue) -> Result<T, ContentsLost>,
    ) -> Result<T> {
        loop {
            self.load(folder, path).await?;
            if let Ok(seen) = look(&mut self.catalogue()) {
                return Ok(seen);
            }
        }
    }

    /// What a folder holds, sorted by name; of folders that share a path, the union.
    pub(in crate::fichier) async fn list(&self, path: &RemotePath, age: Freshness) -> Result<Vec<Entry>> {
        let folders = self.require_loaded_aged(path, age).await?;
        let mut entries = Vec::new();
        for folder in folders {
            let here = self.look(folder, path, |catalogue| {
                let files = catalogue
                    .files(folder)?
                    .map(|file| Entry::File(self.as_file(file, path.join(&file.name))));
                Ok(files.collect::<Vec<_>>())
            });
            entries.append(&mut here.await?);
            let catalogue = self.catalogue();
            let folders = catalogue.sub_folders(folder);
            entries.extend(folders.map(|child| Entry::Folder(self.as_folder(child, path.join(&child.name)))));
        }
        entries.sort_by(|left, right| order(left).cmp(&order(right)));
        Ok(entries)
    }

    /// A file of this name that a folder is known to hold, the one with this content if there is one.
    pub(in crate::fichier) fn namesake(
        &self,
        folder: FolderId,
        name: &Name,
        content: Option<Whirlpool>,
    ) -> Option<KnownFile> {
        let mut catalogue = self.catalogue();
        let files: Vec<_> = catalogue.files_named(folder, name).ok()?.cloned().collect();
        let same = files.iter().find(|file| content.is_some() && file.whirlpool == content);
        same.or(files.first()).cloned()
    }
}

/// The order of a listing: by name, files before folders, older before newer, so that it is the same in
/// every run.
fn order(entry: &Entry) -> (&RemotePath, bool, Option<SystemTime>, Option<&FileId>) {
    match entry {
        Entry::File(file) => (&file.path, false, file.modified, file.id.as_ref()),
        Entry::Folder(folder) => (&folder.path, true, folder.modified, folder.id.as_ref()),
    }
}
