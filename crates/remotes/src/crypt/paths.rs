//! Encrypts and decrypts paths.

use fichier_storage::{InvalidName, Name, NameLength, RemotePath, Result, StorageError};

use super::names::{BadName, Names};

/// Place of an encrypted remote on the one that it lies over, and how its names are changed.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) names: Names,
    /// Root of the encrypted remote.
    root: RemotePath,
    /// Longest name in bytes, where that is known.
    longest: Option<usize>,
}

impl Paths {
    pub(super) fn new(names: Names, root: RemotePath, longest: Option<usize>) -> Self {
        Self { names, root, longest }
    }

    /// Returns the path where a folder is stored.
    pub(super) fn folder(&self, path: &RemotePath) -> Result<RemotePath> {
        let mut at = self.root.clone();
        for (depth, name) in path.names().enumerate() {
            let stored = self.names.encode_folder(&name);
            at = at.join(&stored.map_err(|problem| self.bad_name(&before(path, depth), &name, problem))?);
        }
        Ok(at)
    }

    /// Returns the path where a file is stored; the root stays the same.
    pub(super) fn file(&self, path: &RemotePath) -> Result<RemotePath> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(self.root.clone()) };
        let folder = self.folder(&parent)?;
        Ok(folder.join(&self.file_name(&parent, &name)?))
    }

    /// Returns the name under which a file is stored in its folder.
    pub(super) fn file_name(&self, folder: &RemotePath, name: &Name) -> Result<Name> {
        self.names.encode_file(name).map_err(|problem| self.bad_name(folder, name, problem))
    }

    /// Checks that a new name can be stored, before anything is sent.
    pub(super) fn admit(&self, path: &RemotePath) -> Result<()> {
        let Some(longest) = self.longest else { return Ok(()) };
        match path.names().enumerate().find(|(_, name)| name.as_bytes().len() > longest) {
            None => Ok(()),
            Some((depth, name)) => Err(StorageError::BadName {
                folder: before(path, depth),
                source: InvalidName::TooLong {
                    name: name.as_bytes().into(),
                    longest: NameLength::Bytes(longest),
                },
            }),
        }
    }

    /// Returns the path of what is stored at a path. Names that can't be read stay as they are.
    pub(super) fn shown(&self, stored: &RemotePath) -> RemotePath {
        let Some(below) = stored.relative_to(&self.root) else { return stored.clone() };
        let depth = below.depth();
        below.names().enumerate().fold(RemotePath::root(), |path, (index, name)| {
            let is_last = index + 1 == depth;
            let file = if is_last { self.names.decode_file(&name).ok() } else { None };
            let plain = file.or_else(|| self.names.decode_folder(&name).ok());
            path.join(&plain.unwrap_or(name))
        })
    }

    /// The path of the folder that is stored at a path; `None` if it isn't one of this remote.
    pub(super) fn shown_folder(&self, stored: &RemotePath) -> Option<RemotePath> {
        let below = stored.relative_to(&self.root)?;
        below.names().try_fold(RemotePath::root(), |path, name| {
            Some(path.join(&self.names.decode_folder(&name).ok()?))
        })
    }

    fn bad_name(&self, folder: &RemotePath, name: &Name, BadName(problem): BadName) -> StorageError {
        let path = folder.join(name);
        StorageError::Undecryptable { path, reason: format!("the name can't be encrypted: {problem}") }
    }
}

/// Returns the first components of a path.
fn before(path: &RemotePath, depth: usize) -> RemotePath {
    path.names().take(depth).fold(RemotePath::root(), |path, name| path.join(&name))
}
