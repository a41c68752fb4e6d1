//! Making the folders of a path, each once, whatever becomes of the calls.

use std::time::SystemTime;

use fichier_api::{ErrorKind, FolderId, MakeFolder, MoveFolder};
use fichier_storage::{Name, RemotePath, Result, StorageError};

use super::Tree;
use crate::fichier::{
    catalogue::{Catalogue, ContentsLost, KnownFolder},
    error::{failed, unconfirmed},
};

/// How often a folder is made whose making got no good answer and that isn't there.
const MAKE_TRIES: u32 = 3;

/// Whether [`Tree::ensure`] had to make the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fichier) enum FolderOrigin {
    /// It was there.
    Before,
    /// It wasn't there when its parent was looked at, and somebody else has made it since.
    Meanwhile,
    /// It is new.
    Now,
}

impl Tree {
    /// The folder of a path, made if it isn't there, with its parents. Something is to be put into it, so all
    /// on the way is looked at in this run.
    pub(in crate::fichier) async fn ensure(&self, path: &RemotePath) -> Result<(FolderId, FolderOrigin)> {
        let mut folder = FolderId::ROOT;
        let mut walked = RemotePath::root();
        let mut made = FolderOrigin::Before;
        // Of several folders with one name the first is taken; its children too.
        let mut names = path.names();
        for name in names.by_ref() {
            let next = {
                self.load_anew(folder, &walked).await?;
                self.catalogue().folders_named(folder, &name).next()
            };
            let here = walked.join(&name);
            folder = match next {
                Some(next) => next,
                None => {
                    let (id, fresh) = self.make(folder, &walked, &name, &here).await?;
                    made = if fresh { FolderOrigin::Now } else { FolderOrigin::Meanwhile };
                    id
                }
            };
            walked = here;
        }
        Ok((folder, made))
    }

    /// As [`Tree::ensure`], for files that are to be put there. A folder that somebody else has made meanwhile is looked
    /// at: it may hold some of them already. Says so.
    pub(in crate::fichier) async fn ensure_to_fill(&self, path: &RemotePath) -> Result<(FolderId, bool)> {
        let (id, made) = self.ensure(path).await?;
        if made == FolderOrigin::Meanwhile {
            self.load_anew(id, path).await?;
        }
        Ok((id, made == FolderOrigin::Meanwhile))
    }

    /// Makes a folder unless another task has made it meanwhile.
    async fn make(
        &self,
        parent: FolderId,
        parent_path: &RemotePath,
        name: &Name,
        path: &RemotePath,
    ) -> Result<(FolderId, bool)> {
        let _alone = self.lock(parent).await;
        if let Some(id) = self.catalogue().folders_named(parent, name).next() {
            return Ok((id, false));
        }
        let taken = |catalogue: &mut Catalogue| {
            Ok::<_, ContentsLost>(catalogue.files_named(parent, name)?.next().is_some())
        };
        let mut is_taken = taken(&mut self.catalogue());
        if is_taken.is_err() {
            self.refresh(parent, parent_path).await?;
            is_taken = taken(&mut self.catalogue());
        }
        // Should it be lost again at once, the service refuses a name that is taken.
        if is_taken == Ok(true) {
            return Err(StorageError::IsAFile(path.clone()));
        }
        if let Some(error) = self.unread_at(parent_path, path) {
            return Err(error);
        }
        let stored = self.names.encode_folder(name);
        let stored =
            stored.map_err(|source| StorageError::BadName { folder: parent_path.clone(), source })?;
        let mut tries = 0;
        loop {
            tries += 1;
            let made = self.client.make_folder(&MakeFolder::new(parent, stored.clone())).await;
            let error = match made {
                // The root, or a folder that is known, wasn't made just now: files sent there would stay there.
                Ok(made) if made.id.is_root() || self.catalogue().folder(made.id).is_some() => {
                    self.refresh(parent, parent_path).await?;
                    let found = self.catalogue().folders_named(parent, name).next();
                    let what = "the service gives no number of its own for it, and it isn't listed";
                    return found
                        .map(|id| (id, false))
                        .ok_or_else(|| unconfirmed(self.client.remote(), "make directory", path, what));
                }
                Ok(made) => {
                    self.check_name(made.id, made.name.as_deref(), (parent, parent_path), name, path).await?;
                    let folder = KnownFolder {
                        id: made.id,
                        name: name.clone(),
                        date: Some(self.dates.written(SystemTime::now())),
                    };
                    self.catalogue().note_new_folder(parent, folder);
                    tracing::debug!(path = %path, id = %made.id, "made directory");
                    return Ok((made.id, true));
                }
                Err(error) => error,
            };
            // The parent was listed, so that it isn't missing on the word of one answer.
            let in_doubt = error.maybe_done() || error.is_not_found();
            // Someone else made it since the listing, or our own call went through and its answer was lost.
            if in_doubt || matches!(error.kind(), ErrorKind::Refused { .. }) {
                self.refresh(parent, parent_path).await?;
                if let Some(id) = self.catalogue().folders_named(parent, name).next() {
                    return Ok((id, false));
                }
            }
            // It surely isn't there: a passing fault isn't final.
            if tries == MAKE_TRIES || !in_doubt {
                return Err(failed("make directory", path, error));
            }
            tracing::info!(path = %path, "The directory wasn't made ({error}): trying again");
        }
    }

    /// Sees to it that a new folder bears the name that was asked for. An answer that tells another one may be written
    /// otherwise only, so the folder is looked at; what bears another name gets its own or goes.
    async fn check_name(
        &self,
        id: FolderId,
        told: Option<&str>,
        (parent, parent_path): (FolderId, &RemotePath),
        name: &Name,
        path: &RemotePath,
    ) -> Result<()> {
        let stored = self.names.encode(name);
        let Some(told) = told.filter(|told| *told != stored) else { return Ok(()) };
        self.refresh(parent, parent_path).await?;
        if self.catalogue().folders_named(parent, name).any(|folder| folder == id) {
            return Ok(());
        }
        let rename =
            MoveFolder { folder: id, to: parent, destination_user: None, rename: Some(stored.clone()) };
        let error = match self.client.move_folder(&rename).await {
            Ok(moved) if moved.new_name.as_deref().is_none_or(|new| new == stored) => return Ok(()),
            Ok(moved) => unconfirmed(
                self.client.remote(),
                "make directory",
                path,
                format!("the service calls it {:?}", moved.new_name.unwrap_or_default()),
            ),
            Err(error) => failed("make directory", path, error),
        };
        self.refuse_characters(&stored, told);
        match self.client.remove_folder(id).await {
            Ok(_) => self.catalogue().note_folder_gone(id),
            Err(removal) => tracing::error!("A directory of a wrong name stays, {told:?}: {removal}"),
        }
        Err(error)
    }
}
