//! Removes files in lists, and folders when they are empty.

use std::collections::{BTreeMap, HashMap};

use fichier_api::{ApiError, Endpoint, ErrorKind, FileLink, FolderId, ListFolder, RemoveFile};
use fichier_storage::{File, Outcome, RemotePath, Result, StorageError};

use super::{
    FichierRemote,
    batches::{Listed, ShrinkingBatches, is_worth_a_look},
    catalogue::KnownFolder,
    confirm::{is_in_doubt, says_nothing},
    error::{failed, unconfirmed},
    link_of,
};

/// Waits before asking again to remove a folder whose files were removed just now: the service may count them a little
/// longer (API document, section 4). In sixths of the 3 s after which it is worth while to look again: half a second,
/// then 1, 2, 4, 8 and 15 s.
const NOT_EMPTY_YET: [u32; 6] = [1, 2, 4, 8, 16, 30];

/// Wait before which the folder is listed again.
const LONG_NOT_EMPTY: u32 = 16;

/// A file's place in the batch, and the file.
pub(super) type Place = (usize, FileLink);

impl FichierRemote {
    pub(super) async fn remove_files(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let mut outcomes: Vec<Outcome<()>> = batch.iter().map(|_| Outcome::NotTried).collect();
        let mut ready = Vec::with_capacity(batch.len());
        let unseen = self.see_reported(&batch.iter().collect::<Vec<_>>()).await;
        for (index, file) in batch.iter().enumerate() {
            let mut link = match link_of(file) {
                Ok(link) => link,
                Err(error) => {
                    outcomes[index] = Outcome::Failed(error);
                    continue;
                }
            };
            if let Some(problem) = unseen.get(&link) {
                if problem.is_over() {
                    self.tree.forget_old_versions(&[link]);
                }
                let Some(own) = problem.own_link() else {
                    outcomes[index] = problem.error().map_or(Outcome::DoneBefore(()), Outcome::Failed);
                    continue;
                };
                link = own;
            }
            match self.tree.is_in_place(file, &link).await {
                Ok(true) => ready.push((index, link)),
                Ok(false) => {
                    self.tree.forget_old_versions(&[link]);
                    tracing::info!(path = %file.path, "Not removed: it isn't there any more under this name");
                    outcomes[index] = Outcome::DoneBefore(());
                }
                Err(error) => outcomes[index] = Outcome::Failed(error),
            }
        }
        let mut lists = ShrinkingBatches::new(ready, &self.tree.lists);
        let mut again = self.asked_again();
        while let Some(list) = lists.next() {
            let links: Vec<FileLink> = list.iter().map(Listed::link).collect();
            let removal = match self.remove_links(&links).await {
                Err(error) if says_nothing(&error) => Ok(false),
                removal => removal,
            };
            let error = match removal {
                Ok(true) => {
                    lists.taken(list.len());
                    for (index, link) in list {
                        self.forget(&batch[index], link);
                        outcomes[index] = Outcome::Done(());
                    }
                    continue;
                }
                // All of them, or some, may be gone.
                Ok(false) => {
                    let (gone, left) = match self.gone(&links).await {
                        Some(gone) => list.into_iter().partition(|place| gone.contains(&place.link())),
                        None => self.part_gone(batch, list, false).await,
                    };
                    let progress = !gone.is_empty();
                    for (index, link) in gone {
                        self.forget(&batch[index], link);
                        outcomes[index] = Outcome::Done(());
                    }
                    if progress || (again > 0 && !left.is_empty()) {
                        again -= u32::from(!progress);
                        lists.left_over(left);
                        continue;
                    }
                    for (index, _) in left {
                        let what = "the service doesn't say that it is removed, and it is there still";
                        outcomes[index] = Outcome::Failed(unconfirmed(
                            self.client.remote(),
                            "remove",
                            &batch[index].path,
                            what,
                        ));
                    }
                    continue;
                }
                Err(error) => error,
            };
            let missing = error.is_not_found() && list.len() > 1;
            let (gone, list) = match error.maybe_done() || missing {
                true => self.part_gone(batch, list, missing).await,
                false => (Vec::new(), list),
            };
            if !gone.is_empty() {
                lists.taken(gone.len());
                for (index, link) in gone {
                    self.forget(&batch[index], link);
                    outcomes[index] = Outcome::DoneBefore(());
                }
                lists.left_over(list);
                continue;
            }
            let Some(list) = lists.refused(list, error.kind()) else { continue };
            let fatal = error.is_fatal();
            // A refused file may be gone all the same, and one that is called missing may be there: it was listed.
            let links: Vec<FileLink> = list.iter().map(Listed::link).collect();
            let seen = if is_in_doubt(&error) { self.gone(&links).await } else { None };
            let gone = seen.unwrap_or_default();
            let (gone, left): (Vec<_>, Vec<_>) =
                list.into_iter().partition(|place| gone.contains(&place.link()));
            for (index, link) in gone {
                self.forget(&batch[index], link);
                outcomes[index] = Outcome::DoneBefore(());
            }
            if error.is_not_found() && again > 0 && !left.is_empty() {
                again -= 1;
                lists.left_over(left);
                continue;
            }
            let error = std::sync::Arc::new(error);
            for (index, _) in left {
                outcomes[index] = Outcome::Failed(failed("remove", &batch[index].path, error.clone()));
            }
            if fatal {
                break;
            }
        }
        outcomes
    }

    /// Of a list whose removal got no answer: what is gone, as one look at its folders tells, and the rest. All is
    /// the rest where a look can't be had, or would take longer than finding out by halves.
    pub(super) async fn part_gone(
        &self,
        batch: &[File],
        list: Vec<Place>,
        missing: bool,
    ) -> (Vec<Place>, Vec<Place>) {
        let mut folders: BTreeMap<FolderId, RemotePath> = BTreeMap::new();
        let mut held = HashMap::new();
        for (index, link) in &list {
            let Some(parent) = batch[*index].path.parent() else { continue };
            let candidates = self.tree.known(&parent);
            if let Ok(Some(folder)) = self.tree.catalogue().folder_of(&candidates, link) {
                folders.insert(folder, parent);
                held.insert(*link, folder);
            }
        }
        if !is_worth_a_look(folders.len(), list.len(), missing) {
            return (Vec::new(), list);
        }
        for (folder, path) in &folders {
            if let Err(error) = self.tree.refresh(*folder, path).await {
                tracing::debug!(path = %path, "can't look what was removed: {error}");
                return (Vec::new(), list);
            }
        }
        let mut catalogue = self.tree.catalogue();
        list.into_iter().partition(|(_, link)| {
            held.get(link).is_some_and(|folder| matches!(catalogue.file(*folder, link), Ok(None)))
        })
    }

    /// Removes files. Returns whether the service says that all of them are gone.
    pub(super) async fn remove_links(&self, links: &[FileLink]) -> Result<bool, ApiError> {
        let files: Vec<RemoveFile> = links.iter().map(|link| RemoveFile::from(*link)).collect();
        let answer = self.client.remove_files(&files).await?;
        Ok(Self::confirms_removal(links.len(), &answer))
    }

    /// Removes old versions that a new one replaces, each with the index of its item. Returns those that stay, and why:
    /// the new one is safe, but two files have the name now.
    pub(super) async fn remove_replaced(&self, old: Vec<(usize, File)>) -> Vec<(usize, StorageError)> {
        if old.is_empty() {
            return Vec::new();
        }
        let (numbers, files): (Vec<_>, Vec<_>) = old.into_iter().unzip();
        let links: Vec<_> = files.iter().filter_map(|file| Some((link_of(file).ok()?, None))).collect();
        self.tree.note_old_versions(&links);
        let outcomes = self.remove_files(&files).await;
        let mut stays = Vec::new();
        for ((number, file), outcome) in numbers.into_iter().zip(&files).zip(outcomes) {
            if let Err(error) = outcome.into_result() {
                let path = file.path.clone();
                stays.push((number, StorageError::OldVersionStays { path, cause: Box::new(error) }));
            }
        }
        stays
    }

    /// Records that a file is gone, in whichever folder of its path it was.
    fn forget(&self, file: &File, link: FileLink) {
        self.tree.forget_old_versions(&[link]);
        let Some(parent) = file.path.parent() else { return };
        let folders = self.tree.known(&parent);
        let mut catalogue = self.tree.catalogue();
        let known = catalogue.folder_of(&folders, &link).unwrap_or_default();
        if let Some(folder) = known.or_else(|| folders.first().copied()) {
            catalogue.note_file_gone(folder, link);
        }
    }

    pub(super) async fn remove_empty(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut outcomes: Vec<Outcome<()>> = Vec::with_capacity(batch.len());
        let (mut gone, mut doubtful) = (Vec::new(), Vec::new());
        for (index, path) in batch.iter().enumerate() {
            let removed = self.remove_empty_folder(path).await.map(|unconfirmed| {
                if unconfirmed.is_empty() {
                    gone.push(path.clone());
                }
                doubtful.extend(unconfirmed.into_iter().map(|folder| (index, folder)));
            });
            outcomes.push(removed.into());
        }
        // Where a folder is gone, everything in it is, so that a tree takes one listing.
        doubtful.sort_by_key(|(_, folder)| folder.path.depth());
        for (index, folder) in doubtful {
            if gone.iter().any(|above| folder.path.is_within(above)) {
                continue;
            }
            match self.see_gone(&folder).await {
                Ok(()) => gone.push(folder.path),
                Err(error) => {
                    if let Some(outcome) = outcomes.get_mut(index) {
                        *outcome = Outcome::Failed(error);
                    }
                }
            }
        }
        outcomes
    }

    /// Checks by the listing of its parent that a folder is gone for which the service said no more than "OK".
    pub(super) async fn see_gone(&self, folder: &DoubtfulRemoval) -> Result<()> {
        let DoubtfulRemoval { known, parent, path } = folder;
        let parent = *parent;
        tracing::info!(path = %path, "Looking whether the directory was removed: the answer doesn't say");
        // The catalogue treats what was removed as gone, whatever a listing says.
        let listed = match self.client.list_folder(&ListFolder::folders_only(parent)).await {
            Err(error) if error.is_not_found() => return Ok(()),
            listed => listed.map_err(|error| failed("remove directory", path, error))?,
        };
        let is_there = listed.sub_folders.is_none_or(|folders| folders.iter().any(|one| one.id == known.id));
        if is_there {
            self.tree.catalogue().note_moved_folder(parent, known.clone());
            let what = "the service says \"OK\", and it is still there";
            return Err(unconfirmed(self.client.remote(), "remove directory", path, what));
        }
        Ok(())
    }

    /// Removes the folders of a path, and returns those for which the answer doesn't say that they are gone.
    async fn remove_empty_folder(&self, path: &RemotePath) -> Result<Vec<DoubtfulRemoval>> {
        if path.is_root() {
            return Err(self.unsupported_root_removal());
        }
        if let Some(parent) = path.parent() {
            self.tree.see_if_recalled(&parent).await?;
        }
        let folders = self.tree.require(path).await?;
        let mut doubtful = Vec::new();
        for folder in folders {
            doubtful.extend(self.remove_folder_by_id(folder, path).await?);
        }
        Ok(doubtful)
    }

    /// Removes an empty folder; `Some` where the result has to be checked, since the answer doesn't say it.
    pub(super) async fn remove_folder_by_id(
        &self,
        folder: FolderId,
        path: &RemotePath,
    ) -> Result<Option<DoubtfulRemoval>> {
        let known = {
            let catalogue = self.tree.catalogue();
            catalogue.folder(folder).cloned().zip(catalogue.parent(folder))
        };
        let mut confirmed = true;
        if self.tree.catalogue().is_complete(folder) {
            // Whether it is empty must not come from an earlier run.
            self.tree.load_anew(folder, path).await?;
        }
        let known_complete = self.tree.catalogue().is_complete(folder);
        if known_complete && !self.tree.catalogue().is_empty(folder) {
            return Err(StorageError::FolderNotEmpty(path.clone()));
        }
        let mut waits = NOT_EMPTY_YET.iter();
        let mut again = self.asked_again();
        loop {
            match self.client.remove_folder(folder).await {
                Ok(in_words) => {
                    confirmed = in_words;
                    break;
                }
                // The answer says neither yes nor no: a folder that can't be listed any more is gone.
                Err(error) if says_nothing(&error) => {
                    let listing = self.client.list_folder(&ListFolder::folders_only(folder)).await;
                    if !listing.is_err_and(|error| error.is_not_found()) {
                        return Err(failed("remove directory", path, error));
                    }
                    break;
                }
                // Removed by an earlier try whose answer was lost.
                Err(error) if error.is_not_found() && error.maybe_done() => break,
                // It was listed a moment ago, so its parent has to confirm it, too.
                Err(error) if error.is_not_found() => {
                    match self.tree.refresh(folder, path).await {
                        Err(StorageError::FolderNotFound(_)) => break,
                        looked => looked?,
                    }
                    if again == 0 {
                        return Err(failed("remove directory", path, error));
                    }
                    again -= 1;
                }
                Err(error) if matches!(error.kind(), ErrorKind::Refused { .. }) => {
                    let wait = waits.next().filter(|_| known_complete && says_not_empty(error.kind()));
                    if wait.is_none_or(|wait| *wait == LONG_NOT_EMPTY) {
                        // Someone else may have put something there, or an earlier try has removed it.
                        match self.tree.refresh(folder, path).await {
                            Err(StorageError::FolderNotFound(_)) => break,
                            Err(unseen) => {
                                tracing::debug!(path = %path, "can't look whether it is empty: {unseen}");
                                return Err(failed("remove directory", path, error));
                            }
                            Ok(()) if !self.tree.catalogue().is_empty(folder) => {
                                return Err(StorageError::FolderNotEmpty(path.clone()));
                            }
                            Ok(()) => {}
                        }
                    }
                    // These are the service's own words, since nothing is known to be in it.
                    let Some(wait) = wait else { return Err(failed("remove directory", path, error)) };
                    if *wait == LONG_NOT_EMPTY {
                        tracing::warn!(path = %path, "The service counts the directory as not empty yet: waiting");
                    }
                    let rested = self
                        .client
                        .rest(Endpoint::FolderRm, self.client.look_again_after() * *wait / 6)
                        .await;
                    rested.map_err(|error| failed("remove directory", path, error))?;
                }
                Err(error) => return Err(failed("remove directory", path, error)),
            }
        }
        self.tree.catalogue().note_folder_gone(folder);
        let doubtful = |(known, parent)| DoubtfulRemoval { known, parent, path: path.clone() };
        Ok(known.filter(|_| !confirmed).map(doubtful))
    }

    fn unsupported_root_removal(&self) -> StorageError {
        StorageError::Unsupported { remote: self.info.name.clone(), operation: "remove its root directory" }
    }
}

/// A folder whose removal was answered by "OK" alone.
#[derive(Debug)]
pub(super) struct DoubtfulRemoval {
    known: KnownFolder,
    parent: FolderId,
    path: RemotePath,
}

/// Checks whether a refusal says that the folder isn't empty.
fn says_not_empty(refusal: &ErrorKind) -> bool {
    let ErrorKind::Refused { text, .. } = refusal else { return false };
    let text = text.to_lowercase();
    ["empty", "vide"].iter().any(|word| text.contains(word))
}

impl Listed for Place {
    fn link(&self) -> FileLink {
        self.1
    }
}
