//! Trees as data: made on a disk and in an account, and read back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use fichier_encoding::Encoding;

use crate::stage::Stage;

/// Contents of files, by number. Several are of one size, so that an edit can keep it.
pub(crate) const CONTENTS: [&str; 8] =
    ["", "one", "two", "three", "fours", "fives", "something longer", "something longest"];

/// One version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// Number of its content.
    pub(crate) content: usize,
    /// Whether it has another time than the same content elsewhere.
    pub(crate) touched: bool,
}

/// Kind of place that a tree is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    Service,
}

/// Folders, and files by path with all their versions, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) folders: BTreeSet<String>,
    pub(crate) files: BTreeMap<String, Vec<Version>>,
}

/// Contents of a place: paths of folders, the root's is empty, and files by path with their contents and, on a disk,
/// their times in seconds. Paths are those that the place itself knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) folders: BTreeSet<String>,
    pub(crate) files: BTreeMap<String, Vec<(String, Option<u64>)>>,
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Version {
    pub(crate) fn size(self) -> usize {
        CONTENTS[self.content].len()
    }

    /// Returns a time that distinguishes contents, since rclone trusts a time that is the same.
    pub(crate) fn second(self) -> u64 {
        1_600_000_000 + 100 * u64::try_from(self.content).unwrap() + if self.touched { 50 } else { 0 }
    }
}

impl Tree {
    pub(crate) const fn new() -> Self {
        Self { folders: BTreeSet::new(), files: BTreeMap::new() }
    }

    /// Adds a folder, and its parents.
    pub(crate) fn add_folder(&mut self, path: &str) {
        if !path.is_empty() && self.folders.insert(path.to_owned()) {
            self.add_folder(parent(path));
        }
    }

    /// Adds a file, and its parents.
    pub(crate) fn set(&mut self, path: &str, versions: Vec<Version>) {
        self.add_folder(parent(path));
        self.files.insert(path.to_owned(), versions);
    }

    /// Removes a folder with all that is in it.
    pub(crate) fn remove_folder(&mut self, folder: &str) {
        let within = |path: &str| {
            path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.folders.retain(|path| !within(path));
        self.files.retain(|path, _| !within(path));
    }

    /// Returns the paths that hold several versions.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = &String> {
        self.files.iter().filter(|(_, versions)| versions.len() > 1).map(|(path, _)| path)
    }

    /// Makes the tree in a place.
    pub(crate) fn plant(&self, stage: &Stage, place: Place, root: &str) {
        match place {
            Place::Local => self.plant_on_disk(&stage.home().join(root)),
            Place::Service => self.plant_in_account(stage, root),
        }
    }

    fn plant_on_disk(&self, root: &Path) {
        fs::create_dir_all(root).unwrap();
        for folder in &self.folders {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (path, versions) in &self.files {
            let version = versions[versions.len() - 1];
            let path = root.join(path);
            fs::write(&path, CONTENTS[version.content]).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(version.second());
            fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        }
    }

    fn plant_in_account(&self, stage: &Stage, root: &str) {
        let control = stage.control();
        control.seed_folder(&stored(root)).unwrap();
        for folder in &self.folders {
            control.seed_folder(&stored(&format!("{root}/{folder}"))).unwrap();
        }
        for (path, versions) in &self.files {
            let path = stored(&format!("{root}/{path}"));
            for (age, version) in versions.iter().enumerate() {
                // Versions of one name are of one age each, and older than what a program uploads.
                let second = version.second() + 10_000 * u64::try_from(age).unwrap();
                let date = jiff::Timestamp::from_second(second.try_into().unwrap()).unwrap();
                control.seed_file_dated(&path, CONTENTS[version.content].as_bytes(), date).unwrap();
            }
        }
    }
}

impl Held {
    /// Returns what is below a root.
    pub(crate) fn read(stage: &Stage, place: Place, root: &str) -> Self {
        let mut held = Self::default();
        match place {
            Place::Local => held.read_disk(&stage.home().join(root), ""),
            Place::Service => held.read_account(stage, root),
        }
        for versions in held.files.values_mut() {
            versions.sort();
        }
        held
    }

    fn read_disk(&mut self, directory: &Path, path: &str) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        self.folders.insert(path.to_owned());
        for entry in entries.map(Result::unwrap) {
            let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.read_disk(&entry.path(), &path);
            } else {
                let time = entry.metadata().unwrap().modified().unwrap();
                let second = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
                let content = fs::read_to_string(entry.path()).unwrap();
                self.files.insert(path, vec![(content, Some(second))]);
            }
        }
    }

    fn read_account(&mut self, stage: &Stage, root: &str) {
        let control = stage.control();
        let tree = control.tree().unwrap();
        let root = format!("/{}", stored(root));
        let below = |path: &str| {
            path.strip_prefix(&root)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
                .map(ToOwned::to_owned)
        };
        self.folders = tree.folders.iter().filter_map(|folder| below(&folder.path)).collect();
        for file in &tree.files {
            if let Some(path) = below(&file.path) {
                let content = String::from_utf8(control.content(&file.url).unwrap()).unwrap();
                self.files.entry(path).or_default().push((content, None));
            }
        }
    }
}

/// Returns a path as the service stores it.
pub(crate) fn stored(path: &str) -> String {
    let names: Vec<_> = path
        .split('/')
        .map(|name| String::from_utf8(Encoding::FICHIER.from_standard(name.as_bytes()).into_owned()).unwrap())
        .collect();
    names.join("/")
}
