//! Makes trees on a disk and in an emulated account.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_emulator::{Control, Emulator};
use fichier_encoding::Encoding;
use fichier_remotes::{
    local::{LocalOptions, LocalRemote},
    registry::{NoRemotes, Opening, Settings, open},
    resources::Resources,
};
use fichier_storage::{Location, Remote, RemotePath};

use crate::reference::{CONTENTS, Content, Place, Tree};

/// A disk and an account.
pub(crate) struct World {
    disk: tempfile::TempDir,
    emulator: Emulator,
    batch: String,
}

impl World {
    pub(crate) async fn new(batch: usize) -> Self {
        let mut builder = Emulator::builder();
        // This lets all tests run with either reading of a call.
        if let Ok(way) = std::env::var("FICHIER_TEST_FOLDER_RENAME") {
            builder = builder.folder_rename(way.parse().unwrap());
        }
        Self {
            disk: tempfile::tempdir().unwrap(),
            emulator: builder.start().await.unwrap(),
            batch: batch.to_string(),
        }
    }

    pub(crate) fn control(&self) -> Control {
        self.emulator.control()
    }

    /// Returns the account, seen by a client that knows nothing yet.
    pub(crate) async fn service(&self) -> Arc<dyn Remote> {
        let settings = Settings::from_iter([
            ("endpoint", self.emulator.endpoint().as_str()),
            ("api_key", self.emulator.api_key()),
            ("call_gap", "0"),
            ("folder_gap", "0"),
            ("time_scale", "1000"),
            ("upload_batch", &self.batch),
        ]);
        let resources = Resources::default();
        open(
            "fichier",
            Opening {
                name: "test",
                root: Path::new(""),
                settings: &settings,
                resources: &resources,
                resolver: &NoRemotes,
            },
        )
        .await
        .unwrap()
    }

    pub(crate) fn disk(&self) -> Arc<dyn Remote> {
        let options = LocalOptions { sync: false, ..LocalOptions::default() };
        Arc::new(LocalRemote::open(self.disk.path(), options))
    }

    pub(crate) fn location(remote: &Arc<dyn Remote>, path: &str) -> Location {
        Location { remote: remote.clone(), path: RemotePath::parse(path).unwrap() }
    }

    /// Makes a tree below a folder.
    pub(crate) fn plant(&self, place: Place, root: &str, tree: &Tree) {
        match place {
            Place::Local => self.plant_on_disk(root, tree),
            Place::Service => {
                let control = self.control();
                control.seed_folder(&stored(root)).unwrap();
                for folder in &tree.folders {
                    control.seed_folder(&stored(&format!("{root}/{folder}"))).unwrap();
                }
                for (path, versions) in &tree.files {
                    for (age, content) in versions.iter().enumerate() {
                        let date = format!("2024-01-01T00:00:{age:02}Z").parse().unwrap();
                        let path = stored(&format!("{root}/{path}"));
                        control.seed_file_dated(&path, CONTENTS[*content], date).unwrap();
                    }
                }
            }
        }
    }

    fn plant_on_disk(&self, root: &str, tree: &Tree) {
        let at = |path: &str| self.on_disk(&format!("{root}/{path}"));
        fs::create_dir_all(self.on_disk(root)).unwrap();
        for folder in &tree.folders {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for (path, versions) in &tree.files {
            let content = versions[versions.len() - 1];
            let file = at(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, CONTENTS[content]).unwrap();
            // Equal times go with equal contents, since equal times count as equal contents.
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + content as u64 * 1000);
            fs::File::options().append(true).open(&file).unwrap().set_modified(time).unwrap();
        }
    }

    fn on_disk(&self, path: &str) -> PathBuf {
        let names = path.split('/').map(|name| {
            String::from_utf8(Encoding::LOCAL.from_standard(name.as_bytes()).into_owned()).unwrap()
        });
        names.fold(self.disk.path().to_owned(), |path, name| path.join(name))
    }

    /// Returns the tree below a folder as it is now.
    pub(crate) fn read(&self, place: Place, root: &str) -> Tree {
        match place {
            Place::Local => {
                let mut tree = Tree::default();
                read_disk(&self.on_disk(root), "", &mut tree);
                tree
            }
            Place::Service => self.read_service(root),
        }
    }

    fn read_service(&self, root: &str) -> Tree {
        let mut tree = Tree::default();
        let all = self.control().tree().unwrap();
        let below = |path: &str| standard(path).strip_prefix(&format!("{root}/")).map(ToOwned::to_owned);
        for folder in &all.folders {
            if let Some(path) = below(&folder.path) {
                tree.add_folder(&path);
            }
        }
        let mut files: Vec<_> = all.files.iter().collect();
        files.sort_by(|left, right| left.date.cmp(&right.date));
        for file in files {
            if let Some(path) = below(&file.path) {
                let content = content_of(&self.control().content(&file.url).unwrap());
                tree.files.entry(path).or_default().push(content);
            }
        }
        tree
    }
}

fn read_disk(directory: &Path, path: &str, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = Encoding::LOCAL.to_standard(entry.file_name().as_encoded_bytes()).into_owned();
        let name = String::from_utf8(name).unwrap();
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            tree.folders.insert(path.clone());
            read_disk(&entry.path(), &path, tree);
        } else {
            tree.files.insert(path, vec![content_of(&fs::read(entry.path()).unwrap())]);
        }
    }
}

fn content_of(bytes: &[u8]) -> Content {
    CONTENTS.iter().position(|content| *content == bytes).expect("nobody wrote these bytes")
}

/// Returns a path as the service stores it.
fn stored(path: &str) -> String {
    let names: Vec<_> = path
        .split('/')
        .map(|name| String::from_utf8(Encoding::FICHIER.from_standard(name.as_bytes()).into_owned()).unwrap())
        .collect();
    names.join("/")
}

/// Returns a stored path as it is listed.
fn standard(path: &str) -> String {
    let names: Vec<_> = path
        .trim_start_matches('/')
        .split('/')
        .map(|name| String::from_utf8(Encoding::FICHIER.to_standard(name.as_bytes()).into_owned()).unwrap())
        .collect();
    names.join("/")
}
