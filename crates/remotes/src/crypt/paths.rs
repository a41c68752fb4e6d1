//! Paths: what is stored for a path, and back.

use fichier_storage::{InvalidName, Name, NameLength, RemotePath, Result, StorageError};

use super::names::{BadName, Names};

/// Where an encrypted remote lies in the one that it is over, and what becomes of its names.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) names: Names,
    /// Its root.
    root: RemotePath,
    /// How many bytes a name may have, where that is known.
    longest: Option<usize>,
}

impl Paths {
    pub(super) fn new(names: Names, root: RemotePath, longest: Option<usize>) -> Self {
        Self { names, root, longest }
    }

    /// Where a folder is stored.
    pub(super) fn folder(&self, path: &RemotePath) -> Result<RemotePath> {
        let mut at = self.root.clone();
        for (depth, name) in path.names().enumerate() {
            let stored = self.names.encode_folder(&name);
            at = at.join(&stored.map_err(|problem| self.bad_name(&before(path, depth), &name, problem))?);
        }
        Ok(at)
    }

    /// Where a file is stored; the root stays what it is.
    pub(super) fn file(&self, path: &RemotePath) -> Result<RemotePath> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(self.root.clone()) };
        let folder = self.folder(&parent)?;
        Ok(folder.join(&self.file_name(&parent, &name)?))
    }

    /// What a file is stored under in its folder.
    pub(super) fn file_name(&self, folder: &RemotePath, name: &Name) -> Result<Name> {
        self.names.encode_file(name).map_err(|problem| self.bad_name(folder, name, problem))
    }

    /// Sees to it that a new name can be stored. It is told before anything is sent.
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

    /// The path of what is stored at a path; what can't be read of it stays as it is.
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

    fn bad_name(&self, folder: &RemotePath, name: &Name, BadName(problem): BadName) -> StorageError {
        let path = folder.join(name);
        StorageError::Undecryptable { path, reason: format!("the name can't be encrypted: {problem}") }
    }
}

/// The first components of a path.
fn before(path: &RemotePath, depth: usize) -> RemotePath {
    path.names().take(depth).fold(RemotePath::root(), |path, name| path.join(&name))
}
