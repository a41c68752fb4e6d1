//! Setting old versions aside instead of removing them: `--backup-dir` and `--suffix`.

use fichier_storage::{Entry, File, Location, Name, Outcome, Relocation, RemotePath, Result, StorageError};

use crate::Backup;

impl Backup {
    /// Where a file of the destination goes.
    ///
    /// # Errors
    /// The suffix makes its name no name.
    fn place(&self, to: &Location, file: &RemotePath) -> Result<RemotePath> {
        let below = file.relative_to(&to.path).unwrap_or_else(|| file.clone());
        let root = self.folder.as_ref().map_or(&to.path, |folder| &folder.path);
        let (Some(name), Some(parent)) = (below.name(), below.parent()) else {
            return Err(StorageError::IsAFolder(file.clone()));
        };
        let bad = |source| StorageError::BadName { folder: root.join_path(&parent), source };
        let name = Name::new(self.name(name.as_bytes())).map_err(bad)?;
        Ok(root.join_path(&parent).join(&name))
    }

    fn name(&self, name: &[u8]) -> Vec<u8> {
        // As rclone sees it, a name that begins with its only dot is all extension.
        let dot = name.iter().rposition(|byte| *byte == b'.').filter(|_| self.keep_extension);
        let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
        [stem, &self.suffix, extension].concat()
    }

    /// Whether a path is one that backups go to, so that a sync must leave it alone.
    pub(crate) fn covers(&self, to: &Location, path: &RemotePath) -> bool {
        match &self.folder {
            Some(folder) => {
                std::sync::Arc::ptr_eq(&folder.remote, &to.remote) && path.is_within(&folder.path)
            }
            None => path.name().is_some_and(|name| self.is_backup(name.as_bytes())),
        }
    }

    fn is_backup(&self, name: &[u8]) -> bool {
        if self.suffix.is_empty() {
            return false;
        }
        if !self.keep_extension {
            return name.ends_with(&self.suffix);
        }
        let dot = name.iter().rposition(|byte| *byte == b'.');
        name[..dot.unwrap_or(name.len())].ends_with(&self.suffix) || name.ends_with(&self.suffix)
    }

    /// Moves files of the destination to where backups go. What lies there under their names is replaced.
    pub(crate) async fn set_aside(&self, to: &Location, files: &[File]) -> Vec<Outcome<File>> {
        let mut steps = Vec::new();
        let mut outcomes: Vec<Option<Outcome<File>>> = Vec::new();
        for file in files {
            match self.place(to, &file.path) {
                Ok(place) => {
                    let replaces = match to.remote.find(&place).await {
                        Ok(Entry::File(old)) => vec![old],
                        _ => Vec::new(),
                    };
                    steps.push(Relocation { from: file.clone(), to: place, replaces });
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Outcome::Failed(error))),
            }
        }
        let mut moved = to.remote.rename(&steps).await.into_iter();
        outcomes
            .into_iter()
            .map(|outcome| outcome.or_else(|| moved.next()).unwrap_or(Outcome::NotTried))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(suffix: &str, keep_extension: bool) -> Backup {
        Backup { folder: None, suffix: suffix.into(), keep_extension }
    }

    #[test]
    fn suffixes_go_to_the_end_or_before_the_extension() {
        assert_eq!(backup("-old", false).name(b"a.txt"), b"a.txt-old");
        assert_eq!(backup("-old", true).name(b"a.txt"), b"a-old.txt");
        assert_eq!(backup("-old", true).name(b".profile"), b"-old.profile");
        assert!(backup("-old", true).is_backup(b"a-old.txt"));
        assert!(backup("-old", true).is_backup(b"-old.profile"));
        assert!(!backup("", false).is_backup(b"a"));
    }
}
