//! Contents of a service and a disk, read directly.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use fichier_emulator::{Clock, Control};

/// One way in which two worlds differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) told: String,
    /// Whether a file or folder is there more often than it should be.
    pub(crate) is_double: bool,
    /// Whether it is a folder that shouldn't be there.
    pub(crate) is_folder: bool,
}

impl Difference {
    fn other(told: String) -> Self {
        Self { told, is_double: false, is_folder: false }
    }

    fn double(told: String) -> Self {
        Self { is_double: true, ..Self::other(told) }
    }
}

/// Files of an account and of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct World {
    /// Files of the account by path, without a slash at the start; a name may have several files, oldest first.
    pub(crate) service: BTreeMap<String, Vec<Arc<[u8]>>>,
    /// Number of folders of the account with each path.
    pub(crate) folders: BTreeMap<String, usize>,
    pub(crate) disk: BTreeMap<String, Arc<[u8]>>,
}

impl World {
    /// Adds a file at the service.
    pub(crate) fn stored(mut self, path: &str, content: &[u8]) -> Self {
        self.service.entry(path.to_owned()).or_default().push(content.into());
        self
    }

    /// Adds a file on the disk.
    pub(crate) fn on_disk(mut self, path: &str, content: &[u8]) -> Self {
        self.disk.insert(path.to_owned(), content.into());
        self
    }

    /// Reads both sides.
    ///
    /// # Errors
    /// A side can't be read.
    pub(crate) fn look(control: &Control, disk: &Path) -> anyhow::Result<Self> {
        // A removal that was sent before its sender died may come in between: then another look is needed.
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::look_once(control, disk) {
                Err(_) if tries < 10 => std::thread::sleep(Duration::from_millis(20)),
                result => return result,
            }
        }
    }

    fn look_once(control: &Control, disk: &Path) -> anyhow::Result<Self> {
        let mut world = Self::default();
        let tree = control.tree()?;
        for file in tree.files {
            let content = control.content(&file.url)?;
            world
                .service
                .entry(file.path.trim_start_matches('/').to_owned())
                .or_default()
                .push(content.into());
        }
        for folder in tree.folders {
            *world.folders.entry(folder.path.trim_start_matches('/').to_owned()).or_default() += 1;
        }
        read_directory(disk, disk, &mut world.disk)?;
        Ok(world)
    }

    /// Puts all files into place.
    ///
    /// # Errors
    /// A file can't be written.
    pub(crate) fn build(&self, control: &Control, disk: &Path) -> anyhow::Result<()> {
        for (number, (path, versions)) in self.service.iter().enumerate() {
            for (age, content) in versions.iter().rev().enumerate() {
                let days = u64::try_from(age)? + 1;
                // Each has its own moment, so that a listing with few files can be continued in windows of time.
                let past = Duration::from_secs(86_400 * days + 60 * u64::try_from(number)?);
                let date = Clock::system().now() - past;
                control.seed_file_dated(path, content, date)?;
            }
        }
        for path in self.folders.keys() {
            control.seed_folder(path)?;
        }
        for (path, content) in &self.disk {
            let path = disk.join(path);
            fs::create_dir_all(path.parent().context("a file without a directory")?)?;
            fs::write(path, content)?;
        }
        Ok(())
    }

    /// Returns how this world differs from the wanted one; nothing if it doesn't.
    pub(crate) fn differences(&self, wanted: &Self) -> Vec<Difference> {
        let mut told = Vec::new();
        for path in keys(&self.service, &wanted.service) {
            let sorted = |world: &Self| {
                let mut versions = world.service.get(path).cloned().unwrap_or_default();
                versions.sort();
                versions
            };
            let (is, should) = (sorted(self), sorted(wanted));
            if is == should {
                continue;
            }
            told.push(match (is.len(), should.len()) {
                (0, _) => Difference::other(format!("the account lacks {path}")),
                (_, 0) => Difference::other(format!("the account has {path}, which should not be there")),
                (is, should) if is > should => {
                    Difference::double(format!("the account has {path} {is} times, not {should}"))
                }
                _ => Difference::other(format!("{path} of the account isn't as it should be")),
            });
        }
        for path in keys(&self.folders, &wanted.folders) {
            let count = |world: &Self| world.folders.get(path).copied().unwrap_or(0);
            match (count(self), count(wanted)) {
                (is, should) if is == should => {}
                (0, _) => told.push(Difference::other(format!("the account lacks the folder {path}"))),
                (_, 0) => told.push(Difference {
                    is_folder: true,
                    ..Difference::other(format!(
                        "the account has the folder {path}, which should not be there"
                    ))
                }),
                (is, should) => told.push(Difference::double(format!(
                    "the account has the folder {path} {is} times, not {should}"
                ))),
            }
        }
        for path in keys(&self.disk, &wanted.disk) {
            match (self.disk.get(path), wanted.disk.get(path)) {
                (is, should) if is == should => {}
                (None, _) => told.push(Difference::other(format!("the disk lacks {path}"))),
                (_, None) => {
                    told.push(Difference::other(format!("the disk has {path}, which should not be there")));
                }
                _ => told.push(Difference::other(format!("{path} of the disk isn't as it should be"))),
            }
        }
        told
    }

    /// Returns what was lost between one world and another: files that both have and this one doesn't, and paths that
    /// have neither their old content nor their new one.
    pub(crate) fn losses(&self, before: &Self, wanted: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for (name, content) in before.files().filter(|(_, content)| wanted.holds(content)) {
            if !self.holds(content) {
                told.push(format!("{name} is lost: its bytes are nowhere"));
            }
        }
        for (path, versions) in &wanted.service {
            let old = before.service.get(path).cloned().unwrap_or_default();
            let is = self.service.get(path).map_or(&[][..], Vec::as_slice);
            if !old.is_empty()
                && !is.iter().any(|content| old.contains(content) || versions.contains(content))
            {
                told.push(format!(
                    "{path} of the account is lost: it has neither the old nor the new version"
                ));
            }
            if is.iter().any(|content| !old.contains(content) && !versions.contains(content)) {
                told.push(format!("{path} of the account has a content that nobody gave it"));
            }
        }
        for (path, new) in &wanted.disk {
            match (self.disk.get(path), before.disk.get(path)) {
                (is, Some(old)) if is.is_none_or(|is| is != old && is != new) => {
                    told.push(format!("{path} of the disk has neither the old nor the new version"));
                }
                (Some(is), None) if is != new => {
                    told.push(format!("{path} of the disk bears its name and isn't whole"));
                }
                _ => {}
            }
        }
        told
    }

    fn files(&self) -> impl Iterator<Item = (&String, &Arc<[u8]>)> {
        let stored =
            self.service.iter().flat_map(|(path, versions)| versions.iter().map(move |one| (path, one)));
        stored.chain(&self.disk)
    }

    fn holds(&self, content: &Arc<[u8]>) -> bool {
        self.files().any(|(_, one)| one == content)
    }
}

/// Returns the paths of both, each once.
fn keys<'a, T>(one: &'a BTreeMap<String, T>, other: &'a BTreeMap<String, T>) -> BTreeSet<&'a String> {
    one.keys().chain(other.keys()).collect()
}

fn read_directory(
    root: &Path,
    directory: &Path,
    into: &mut BTreeMap<String, Arc<[u8]>>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read_directory(root, &path, into)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            into.insert(name, fs::read(&path)?.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_what_is_nowhere() {
        let before = World::default().stored("d/a", b"old").on_disk("s/a", b"new");
        let wanted = World::default().stored("d/a", b"new").on_disk("s/a", b"new");
        assert!(before.losses(&before, &wanted).is_empty());
        let both = before.clone().stored("d/a", b"new");
        assert!(both.losses(&before, &wanted).is_empty());
        assert_eq!(
            both.differences(&wanted),
            [Difference::double("the account has d/a 2 times, not 1".to_owned())]
        );
        let neither = World::default().on_disk("s/a", b"new");
        assert_eq!(neither.losses(&before, &wanted).len(), 1);
        let source_gone = World::default().stored("d/a", b"old");
        assert_eq!(
            source_gone.losses(&before, &wanted),
            ["s/a is lost: its bytes are nowhere", "s/a of the disk has neither the old nor the new version",]
        );
        let spoilt = World::default().stored("d/a", b"half").on_disk("s/a", b"new");
        assert_eq!(spoilt.losses(&before, &wanted).len(), 2);
    }
}
