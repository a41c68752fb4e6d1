//! A path on a remote: the meaning of a user's `remote:path`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{PlaceId, Remote, RemotePath, Result, StorageError};

/// A path on a remote: the meaning of a user's `remote:path`.
#[derive(Debug, Clone)]
pub struct Location {
    /// The remote that the path is on.
    pub remote: Arc<dyn Remote>,
    /// Path from the remote's root.
    pub path: RemotePath,
}

impl Location {
    /// Returns the place of this folder.
    ///
    /// # Errors
    /// The folder can't be looked at.
    pub async fn place(&self) -> Result<PlaceId> {
        self.remote.place(&self.path).await
    }

    /// Returns the place of this file: under its name in its folder. If it is a link, it isn't followed, since to
    /// remove or replace the file means to remove or replace the link.
    ///
    /// # Errors
    /// Its folder can't be looked at.
    pub async fn place_of_file(&self) -> Result<PlaceId> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.name()) else {
            return self.place().await;
        };
        Ok(self.remote.place(&folder).await?.join(&RemotePath::root().join(&name)))
    }

    /// Returns the location as messages name it: with its remote, a local one by its absolute path.
    #[must_use]
    pub fn shown(&self) -> String {
        let info = self.remote.info();
        if info.backend != "local" {
            return format!("{}{}", info.name, self.path);
        }
        let path = match self.path.is_root() {
            true => PathBuf::from(&info.name),
            false => Path::new(&info.name).join(self.path.to_string()),
        };
        std::path::absolute(&path).unwrap_or(path).display().to_string()
    }

    /// Changes an error about this very location so that it names the remote and the whole path. Errors that name
    /// these themselves, or aren't about a path, stay as they are.
    #[must_use]
    pub fn named(&self, error: StorageError) -> StorageError {
        match error {
            // A file on the way has a path of its own.
            StorageError::IsAFile(path)
                if path != self.path && !path.is_root() && self.path.relative_to(&path).is_some() =>
            {
                let file = Self { remote: self.remote.clone(), path: path.clone() };
                StorageError::At { location: file.shown(), problem: Box::new(StorageError::IsAFile(path)) }
            }
            StorageError::FolderNotFound(_)
            | StorageError::FileNotFound(_)
            | StorageError::IsAFile(_)
            | StorageError::IsAFolder(_)
            | StorageError::FolderNotEmpty(_)
            | StorageError::AlreadyExists(_)
            | StorageError::Special { .. } => {
                StorageError::At { location: self.shown(), problem: Box::new(error) }
            }
            other => other,
        }
    }
}
