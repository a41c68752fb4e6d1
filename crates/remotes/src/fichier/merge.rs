//! Merges folders that share a path: the service allows several of one name in a folder.

use fichier_api::{FileLink, FolderId, MoveFiles, MoveFolder};
use fichier_storage::{RemotePath, Result, StorageError};

use super::{
    FichierRemote,
    batches::{Listed, ShrinkingBatches},
    catalogue::{Catalogue, KnownFile},
    error::{failed, unconfirmed},
    reported::NotSeen,
};

impl FichierRemote {
    /// Moves all that the folders of a path hold into the first of them, and removes the others. A call that fails
    /// leaves folders with the rest: repeating the merge continues from there.
    pub(super) async fn merge(&self, path: &RemotePath) -> Result<()> {
        if path.is_root() {
            return Err(StorageError::Overlap { from: path.clone(), to: path.clone() });
        }
        let folders = self.tree.require_loaded(path).await?;
        let Some((first, others)) = folders.split_first() else { return Ok(()) };
        for other in others {
            self.merge_into(*other, *first, path).await?;
        }
        Ok(())
    }

    /// Moves the contents of one folder into another one of its name, and removes it. The service refuses a folder
    /// where its name is taken, so such children are merged, too; their contents have to be known for that, which takes
    /// the listings that a walk further down needs anyway.
    async fn merge_into(&self, from: FolderId, to: FolderId, path: &RemotePath) -> Result<()> {
        let mut open = vec![(from, to, path.clone())];
        // Folders that are empty once those below them are removed, the deepest last.
        let mut emptied = Vec::new();
        while let Some((from, to, path)) = open.pop() {
            self.tree.load(from, &path).await?;
            self.tree.load(to, &path).await?;
            self.move_files_of(from, to, &path).await?;
            open.extend(self.move_folders_of(from, to, &path).await?);
            emptied.push((from, path));
        }
        for (folder, path) in emptied.into_iter().rev() {
            if let Some(doubtful) = self.remove_folder_by_id(folder, &path).await? {
                self.see_gone(&doubtful).await?;
            }
        }
        Ok(())
    }

    async fn move_files_of(&self, from: FolderId, to: FolderId, path: &RemotePath) -> Result<()> {
        let known =
            |catalogue: &mut Catalogue| Ok(catalogue.files(from)?.cloned().collect::<Vec<KnownFile>>());
        let files = self.tree.look(from, path, known).await?;
        let reported = files.iter().filter(|file| file.reported).cloned().collect::<Vec<_>>();
        if !reported.is_empty() {
            let unseen = self.see_reported_in(from, path, reported).await;
            if let Some(error) = unseen.values().find_map(NotSeen::error) {
                return Err(error);
            }
        }
        let files = self.tree.look(from, path, known).await?;
        let mut lists = ShrinkingBatches::new(files, &self.tree.lists);
        while let Some(list) = lists.next() {
            let links: Vec<FileLink> = list.iter().map(Listed::link).collect();
            let request = MoveFiles { links, to, destination_user: None, rename: None };
            let answer = match self.client.move_files(&request).await {
                Ok(answer) => answer,
                Err(error) => {
                    if lists.refused(list, error.kind()).is_some() {
                        return Err(failed("merge", path, error));
                    }
                    continue;
                }
            };
            let moved = self.moved(&request.links, &answer, to, path).await;
            let asked = list.len();
            lists.taken(moved.len());
            let mut catalogue = self.tree.catalogue();
            for file in list.into_iter().filter(|file| moved.contains(&file.link)) {
                catalogue.note_file_gone(from, file.link);
                catalogue.note_file(to, file);
            }
            if moved.len() < asked {
                let left = asked - moved.len();
                return Err(unconfirmed(
                    self.client.remote(),
                    "merge",
                    path,
                    format!("{left} of {asked} files weren't moved"),
                ));
            }
        }
        Ok(())
    }

    /// Moves the folders whose name isn't taken there. Returns the children whose name is taken: each with the other
    /// folder and its path.
    async fn move_folders_of(
        &self,
        from: FolderId,
        to: FolderId,
        path: &RemotePath,
    ) -> Result<Vec<(FolderId, FolderId, RemotePath)>> {
        let children: Vec<_> = self.tree.catalogue().sub_folders(from).cloned().collect();
        let mut namesakes = Vec::new();
        for child in children {
            let namesake = self.tree.catalogue().folders_named(to, &child.name).next();
            if let Some(namesake) = namesake {
                namesakes.push((child.id, namesake, path.join(&child.name)));
                continue;
            }
            let request = MoveFolder { folder: child.id, to, destination_user: None, rename: None };
            let moved = self.client.move_folder(&request).await;
            moved.map_err(|error| failed("merge", &path.join(&child.name), error))?;
            self.tree.catalogue().note_moved_folder(to, child);
        }
        Ok(namesakes)
    }
}

impl Listed for KnownFile {
    fn link(&self) -> FileLink {
        self.link
    }
}
