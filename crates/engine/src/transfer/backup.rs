//! `--backup-dir` and `--suffix`: moves old versions away instead of removing them.

use fichier_storage::{
    Entry, File, Location, Name, Outcome, Relocation, Remote, RemoteExt, RemotePath, Result, StorageError,
};

use crate::{Backup, Brakes};

impl Backup {
    /// Returns the path to which a file of the destination is moved.
    ///
    /// # Errors
    /// The name with the suffix isn't valid.
    pub(crate) fn place(&self, to: &Location, file: &RemotePath) -> Result<RemotePath> {
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
        let end = if self.keep_extension { stem_length(name) } else { name.len() };
        let (stem, extensions) = name.split_at(end);
        [stem, &self.suffix, extensions].concat()
    }

    /// Checks whether a path lies in the folder that backups go to, which is no part of the run.
    pub(crate) fn covers(&self, to: &Location, path: &RemotePath) -> bool {
        self.folder.as_ref().is_some_and(|folder| {
            folder.remote.info().has_paths_of(to.remote.info()) && path.is_within(&folder.path)
        })
    }

    /// Checks whether a file may be an old version that an earlier run named by the suffix. Where only the destination
    /// has it, a sync leaves it alone; where the source has it too, it is a file like others.
    pub(crate) fn may_have_named(&self, path: &RemotePath) -> bool {
        self.folder.is_none() && path.name().is_some_and(|name| self.is_backup(name.as_bytes()))
    }

    fn is_backup(&self, name: &[u8]) -> bool {
        if self.suffix.is_empty() {
            return false;
        }
        // The suffix may look like an extension itself, so that any of the places may be the one.
        let mut ends = std::iter::once(name.len()).chain(ends_of_stem(name).filter(|_| self.keep_extension));
        ends.any(|end| name[..end].ends_with(&self.suffix))
    }

    /// Moves files of the destination into the backup. Files of the same names there are replaced.
    pub(crate) async fn set_aside(
        &self,
        to: &Location,
        files: &[File],
        brakes: &Brakes,
    ) -> Vec<Outcome<File>> {
        let mut steps = Vec::new();
        let mut outcomes: Vec<Option<Outcome<File>>> = Vec::new();
        for file in files {
            match self.place(to, &file.path) {
                Ok(place) => {
                    let replaces = match to.remote.entry(&place).await {
                        Ok(Entry::File(old)) => vec![old],
                        _ => Vec::new(),
                    };
                    steps.push(Relocation { from: file.clone(), to: place, replaces });
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Outcome::Failed(error))),
            }
        }
        let mut moved = rename_or_copy(&*to.remote, &steps, brakes).await.into_iter();
        outcomes
            .into_iter()
            .map(|outcome| outcome.or_else(|| moved.next()).unwrap_or(Outcome::NotTried))
            .collect()
    }
}

/// Moves files inside a remote. Where another file system is mounted on the way they are copied, and the old ones are
/// then removed, unless they were changed meanwhile.
async fn rename_or_copy(remote: &dyn Remote, steps: &[Relocation], brakes: &Brakes) -> Vec<Outcome<File>> {
    let mut outcomes = remote.rename(steps).await;
    for (step, outcome) in steps.iter().zip(&mut outcomes) {
        if !matches!(outcome, Outcome::Failed(StorageError::AcrossFileSystems(_))) {
            continue;
        }
        let copied = remote.copy(std::slice::from_ref(step)).await;
        *outcome = copied.into_iter().next().unwrap_or(Outcome::NotTried);
        if matches!(outcome, Outcome::Done(_) | Outcome::DoneBefore(_)) {
            brakes.excuse(step.from.size);
            let removed = remote.remove_unchanged(std::slice::from_ref(&step.from)).await;
            if let Some(Err(error)) = removed.into_iter().next().map(Outcome::into_result) {
                *outcome = Outcome::Failed(error);
            }
        }
    }
    outcomes
}

/// Returns the length in bytes of a name without its extensions: all of them that count as such.
#[must_use]
pub fn stem_length(name: &[u8]) -> usize {
    ends_of_stem(name).last().unwrap_or(name.len())
}

/// Returns where a name's stem may end: before its last extension, before the last two if the other one names a media
/// type, and so on: `name.tar.gz`, but not `release.2.gz`. As rclone sees it, a name that begins with its only dot is
/// all extension.
fn ends_of_stem(name: &[u8]) -> impl Iterator<Item = usize> {
    let mut end = name.len();
    std::iter::from_fn(move || {
        let dot = name[..end].iter().rposition(|byte| *byte == b'.')?;
        let is_first = end == name.len();
        let is_known = |extension| mime_guess::from_ext(extension).first_raw().is_some();
        if !is_first && !std::str::from_utf8(&name[dot + 1..end]).is_ok_and(is_known) {
            return None;
        }
        end = dot;
        Some(dot)
    })
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
        assert_eq!(backup("-old", true).name(b"a.tar.gz"), b"a-old.tar.gz");
        assert_eq!(backup("-old", true).name(b"a.TAR.gz"), b"a-old.TAR.gz");
        assert_eq!(backup("-old", true).name(b"a.b.tar.gz"), b"a.b-old.tar.gz");
        assert_eq!(backup("-old", true).name(b"a.html.json.unheard"), b"a-old.html.json.unheard");
        assert_eq!(backup("-old", true).name(b"release.2.gz"), b"release.2-old.gz");
        assert_eq!(backup("-old", true).name(b"a."), b"a-old.");
        assert_eq!(backup("-old", true).name(b"a..gz"), b"a.-old.gz");
    }

    #[test]
    fn what_a_backup_was_named_is_recognized() {
        for name in ["a", "a.txt", "a.tar.gz", ".profile", "release.2.gz", "a.bak", "a.b.html"] {
            for (suffix, keep) in [("-old", false), ("-old", true), (".txt", true), (".html", true)] {
                let backup = backup(suffix, keep);
                assert!(backup.is_backup(&backup.name(name.as_bytes())), "{name} {suffix} {keep}");
            }
        }
        assert!(!backup("-old", true).is_backup(b"a-old.2.gz"));
        assert!(backup("-old", true).is_backup(b"a-old.txt"));
        assert!(backup("-old", true).is_backup(b"-old.profile"));
        assert!(!backup("", false).is_backup(b"a"));
    }
}
