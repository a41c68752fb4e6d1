//! Folders: making them, and moving or renaming one with all it holds.

use fichier_api::{MoveFolder, MovedFolder};
use fichier_storage::{Freshness, Outcome, RemotePath, Result, StorageError};

use super::{
    FichierRemote,
    catalogue::KnownFolder,
    confirm::{is_in_doubt, says_nothing},
    error::{failed, unconfirmed},
    tree::Made,
};

impl FichierRemote {
    pub(super) async fn make(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for path in batch {
            outcomes.push(match self.tree.ensure(path).await {
                Ok((_, Made::Now)) => Outcome::Done(()),
                Ok((_, Made::Before | Made::Meanwhile)) => Outcome::DoneBefore(()),
                Err(error) => Outcome::Failed(error),
            });
        }
        outcomes
    }

    pub(super) async fn move_folder(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        let (Some(from_parent), Some(to_parent), Some(name)) = (from.parent(), to.parent(), to.name()) else {
            return Err(StorageError::Overlap { from: from.clone(), to: to.clone() });
        };
        if to.is_within(from) {
            return Err(StorageError::Overlap { from: from.clone(), to: to.clone() });
        }
        // A namesake that an earlier run didn't know would be overwritten.
        self.tree.see_if_recalled(&from_parent).await?;
        match self.tree.see_if_recalled(&to_parent).await {
            Ok(()) | Err(StorageError::FolderNotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let folders = self.tree.require(from).await?;
        match self.tree.find(to, Freshness::SinceStart).await {
            Ok(_) => return Err(StorageError::AlreadyExists(to.clone())),
            Err(StorageError::FileNotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let (parent, _) = self.tree.ensure(&to_parent).await?;
        for folder in folders {
            let Some(known) = self.tree.catalogue().folder(folder).cloned() else {
                return Err(StorageError::FolderNotFound(from.clone()));
            };
            let old_parent = self.tree.catalogue().parent(folder);
            let renames = known.name != name;
            // Moving and renaming in one call can overwrite a namesake in the folder that it leaves (API
            // document, section 4): with such a namesake, two calls.
            let namesake = renames
                && old_parent != Some(parent)
                && old_parent.is_some_and(|old| {
                    let mut catalogue = self.tree.catalogue();
                    catalogue.folders_named(old, &name).next().is_some()
                        // Where that can't be told any more, as if there were one.
                        || catalogue.files_named(old, &name).map_or(true, |mut files| files.next().is_some())
                });
            let stored = self.tree.names().encode(&name);
            let request =
                |rename: Option<String>| MoveFolder { folder, to: parent, destination_user: None, rename };
            let moved = |error| {
                // The tree can't tell which of the two states holds now.
                failed("move directory", &from_parent.join(&known.name), error)
            };
            let touched = [Some(parent), old_parent];
            touched.iter().flatten().for_each(|touched| self.tree.catalogue().expect_into(*touched));
            let call = if namesake {
                self.client.move_folder(&request(None)).await.map_err(moved)?;
                self.client.move_folder(&request(Some(stored))).await
            } else {
                self.client.move_folder(&request(renames.then_some(stored))).await
            };
            let mut refusal = None;
            let answer = match call {
                // Refused or without an answer, it may have been moved all the same.
                Err(error) if says_nothing(&error) || (is_in_doubt(&error) && !error.is_not_found()) => {
                    refusal = Some(error);
                    MovedFolder::default()
                }
                call => call.map_err(moved)?,
            };
            // An answer that names the folder confirms; else the folder has to be seen in its new place.
            if answer.old_name.is_none() && answer.new_name.is_none() {
                self.tree.refresh(parent, &to_parent).await?;
                let seen = self.tree.catalogue().folders_named(parent, &name).any(|id| id == folder);
                if let (false, Some(error)) = (seen, refusal) {
                    return Err(moved(error));
                }
                if !seen {
                    let what = "the service doesn't say that it is moved, and it isn't in its new place";
                    return Err(unconfirmed(self.client.remote(), "move directory", from, what));
                }
            }
            let folder = KnownFolder { id: folder, name: name.clone(), date: known.date };
            self.tree.catalogue().note_moved_folder(parent, folder);
            touched.iter().flatten().for_each(|touched| self.tree.catalogue().arrived_in(*touched));
        }
        Ok(())
    }
}
