//! Makes folders, and moves or renames one with all it holds.

use fichier_api::{Client, FolderId, MoveFolder, MovedFolder};
use fichier_storage::{Freshness, Name, Outcome, RemotePath, Result, StorageError};

use super::{
    FichierRemote,
    catalogue::KnownFolder,
    confirm::{is_in_doubt, says_nothing},
    error::{failed, unconfirmed},
    tree::new_folders::FolderOrigin,
};
use crate::resources::UnfinishedMove;

impl FichierRemote {
    pub(super) async fn make(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for path in batch {
            outcomes.push(match self.tree.ensure(path).await {
                Ok((_, FolderOrigin::Now)) => Outcome::Done(()),
                Ok((_, FolderOrigin::Before | FolderOrigin::Meanwhile)) => Outcome::DoneBefore(()),
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
        // A folder of the same name that an earlier run didn't know would be overwritten.
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
            let start = Spot { parent: old_parent, parent_path: &from_parent, name: &known.name };
            let end = Spot { parent: Some(parent), parent_path: &to_parent, name: &name };
            match self.spot_between(folder, &start, &end)? {
                None => self.put_folder(&self.client, &known, &start, &end).await?,
                Some(between) => {
                    let shown = |spot: &Spot<'_>| format!("{}{}", self.info.name, spot.path());
                    let unfinished =
                        UnfinishedMove { from: shown(&start), between: shown(&between), to: shown(&end) };
                    self.unfinished.begin(unfinished.clone());
                    let result = self.put_by_two_calls(&known, [&start, &between, &end], &unfinished).await;
                    self.unfinished.end(&unfinished);
                    result?;
                }
            }
        }
        Ok(())
    }

    /// Moves a folder and renames it. Once the first call was sent, the run isn't left before the second one, or before
    /// the folder is back.
    async fn put_by_two_calls(
        &self,
        known: &KnownFolder,
        [start, between, end]: [&Spot<'_>; 3],
        shown: &UnfinishedMove,
    ) -> Result<()> {
        self.put_folder(&self.client, known, start, between).await?;
        let client = self.client.finishing();
        let Err(error) = self.put_folder(&client, known, between, end).await else { return Ok(()) };
        // The caller may continue file by file, which begins where the folder was.
        if start.parent.is_some() && self.put_folder(&client, known, between, start).await.is_ok() {
            return Err(error);
        }
        let UnfinishedMove { from, between, to } = shown.clone();
        Err(StorageError::HalfMoved { from, between, to, is_seen: true, problem: Box::new(error) })
    }

    /// Returns where a folder is after the first of two calls; `None` if one call is enough.
    ///
    /// Unless `doctor` found out that one call moves and renames, that isn't known, and it could overwrite a namesake in
    /// the folder that is left (API document, section 4). So each call changes one of both, the place first, unless that name is taken there.
    /// No name is made up for it, since nobody would know one that a killed run leaves behind.
    fn spot_between<'a>(
        &self,
        folder: FolderId,
        start: &Spot<'a>,
        end: &Spot<'a>,
    ) -> Result<Option<Spot<'a>>> {
        if start.parent == end.parent || start.name == end.name {
            return Ok(None);
        }
        let moved = Spot { name: start.name, ..*end };
        let renamed = Spot { name: end.name, ..*start };
        if self.tree.moves_and_renames && self.is_free(folder, &renamed) {
            return Ok(None);
        }
        let mut between = [moved, renamed].into_iter().filter(|spot| self.is_free(folder, spot));
        between.next().map_or_else(|| Err(StorageError::AlreadyExists(moved.path())), |spot| Ok(Some(spot)))
    }

    fn is_free(&self, folder: FolderId, spot: &Spot<'_>) -> bool {
        let Some(parent) = spot.parent else { return false };
        let mut catalogue = self.tree.catalogue();
        let taken = catalogue.folders_named(parent, spot.name).any(|id| id != folder)
            // If that isn't known any more, a file of that name is assumed.
            || catalogue.files_named(parent, spot.name).map_or(true, |mut files| files.next().is_some());
        !taken
    }

    /// Moves a folder or renames it, by one call.
    async fn put_folder(
        &self,
        client: &Client,
        known: &KnownFolder,
        from: &Spot<'_>,
        to: &Spot<'_>,
    ) -> Result<()> {
        let Some(parent) = to.parent else {
            return Err(StorageError::FolderNotFound(to.parent_path.clone()));
        };
        let folder = known.id;
        let bad_name = |source| StorageError::BadName { folder: to.parent_path.clone(), source };
        let rename = (from.name != to.name).then(|| self.tree.names().encode_folder(to.name));
        let rename = rename.transpose().map_err(bad_name)?;
        let request = MoveFolder { folder, to: parent, destination_user: None, rename };
        // The tree can't know which of the two states holds now.
        let moved = |error| failed("move directory", &from.path(), error);
        let touched = [Some(parent), from.parent];
        touched.iter().flatten().for_each(|touched| self.tree.catalogue().expect_into(*touched));
        let mut refusal = None;
        let answer = match client.move_folder(&request).await {
            // After a refusal, or without an answer, it may have been moved all the same.
            Err(error) if says_nothing(&error) || (is_in_doubt(&error) && !error.is_not_found()) => {
                refusal = Some(error);
                MovedFolder::default()
            }
            call => call.map_err(moved)?,
        };
        // An answer that names the folder confirms the move; otherwise the folder has to be seen in its new place. One
        // that names another folder confirms nothing.
        let names = self.tree.names();
        let is = |told: &Option<String>, name| told.as_ref().is_none_or(|told| *told == names.encode(name));
        let is_named = answer.old_name.is_some() || answer.new_name.is_some();
        if !is_named || !is(&answer.old_name, from.name) || !is(&answer.new_name, to.name) {
            self.tree.refresh(parent, to.parent_path).await?;
            let seen = self.tree.catalogue().folders_named(parent, to.name).any(|id| id == folder);
            if let (false, Some(error)) = (seen, refusal) {
                return Err(moved(error));
            }
            if !seen {
                let what = "the service doesn't say that it is moved, and it isn't in its new place";
                return Err(unconfirmed(self.client.remote(), "move directory", &from.path(), what));
            }
        }
        let folder = KnownFolder { id: folder, name: to.name.clone(), date: known.date };
        self.tree.catalogue().note_moved_folder(parent, folder);
        touched.iter().flatten().for_each(|touched| self.tree.catalogue().arrived_in(*touched));
        Ok(())
    }
}

/// A place where a folder is, or will be.
#[derive(Debug, Clone, Copy)]
struct Spot<'a> {
    parent: Option<FolderId>,
    parent_path: &'a RemotePath,
    name: &'a Name,
}

impl Spot<'_> {
    fn path(&self) -> RemotePath {
        self.parent_path.join(self.name)
    }
}
