//! Merging folders that share a path: the service allows several of one name in a folder.

use fichier_api::{FileLink, FolderId, MoveFiles, MoveFolder};
use fichier_storage::{RemotePath, Result, StorageError};

use super::{FichierRemote, ITEMS_PER_CALL, catalogue::KnownFile, error::failed};

impl FichierRemote {
    /// Moves all that the folders of a path hold into the first of them, and removes the others. A call that fails
    /// leaves folders that hold the rest: the same again goes on from there.
    pub(super) async fn merge(&self, path: &RemotePath) -> Result<()> {
        if path.is_root() {
            return Err(StorageError::Overlap { from: path.clone(), to: path.clone() });
        }
        let folders = self.tree.require_loaded(path).await?;
        let Some((first, others)) = folders.split_first() else { return Ok(()) };
        for other in others {
            self.move_files_of(*other, *first, path).await?;
            self.move_folders_of(*other, *first, path).await?;
            self.remove_folder_by_id(*other, path).await?;
        }
        Ok(())
    }

    async fn move_files_of(&self, from: FolderId, to: FolderId, path: &RemotePath) -> Result<()> {
        let files: Vec<KnownFile> = self.tree.catalogue().files(from).cloned().collect();
        for part in files.chunks(ITEMS_PER_CALL) {
            let links: Vec<FileLink> = part.iter().map(|file| file.link).collect();
            let request = MoveFiles { links, to, destination_user: None, rename: None };
            self.client.move_files(&request).await.map_err(|error| failed("merge", path, error))?;
            let mut catalogue = self.tree.catalogue();
            for file in part {
                catalogue.note_file_gone(from, file.link);
                catalogue.note_file(to, file.clone());
            }
        }
        Ok(())
    }

    async fn move_folders_of(&self, from: FolderId, to: FolderId, path: &RemotePath) -> Result<()> {
        let children: Vec<_> = self.tree.catalogue().sub_folders(from).cloned().collect();
        for child in children {
            let request = MoveFolder { folder: child.id, to, destination_user: None, rename: None };
            let moved = self.client.move_folder(&request).await;
            moved.map_err(|error| failed("merge", &path.join(&child.name), error))?;
            self.tree.catalogue().note_moved_folder(to, child);
        }
        Ok(())
    }
}
