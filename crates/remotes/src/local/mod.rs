//! A directory of this computer as a remote.
//!
//! What it promises beyond [`Remote`]:
//! - **A file is whole or not there.** Bytes go to a partial file beside the target, are counted and hashed on
//!   their way, reach the disk, and only then take the target's name, in one step of the file system. A
//!   power cut leaves the old version or the new one, at worst beside a `name.XXXXXXXX.partial`, which is
//!   what rclone calls such files too.
//! - **What changes while it is read is an error**, never a mixture of two versions.
//! - **Nothing is written through a symbolic link that stands in a file's place**: the link is replaced, what
//!   it points to stays. A linked *directory* inside the destination is followed, as rclone does, since
//!   people do spread their folders over several disks.
//! - **No name leads out of the root**, whatever another remote calls its files: see `paths`.
//! - **Only files and directories count.** Pipes, sockets and devices are left out with a notice, and so are
//!   symbolic links unless [`LinkPolicy::Follow`] is chosen. A directory that is named by the user is listed
//!   even when it is a link.
//!
//! Copies within the root ([`Remote::copy`]) are left to the kernel, which shares the blocks where the file
//! system can; they are checked for their size, not for their checksum, since no network lies between.

mod downloads;
mod folders;
mod ledger;
mod links;
mod listing;
mod metadata;
mod mounts;
mod partial;
mod paths;
mod place;
mod ranged;
mod read;
mod relocate;
mod reused;
mod settings;
#[cfg(test)]
mod tests;
mod usage;
mod write;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use fichier_encoding::Encoding;
use fichier_storage::{
    BatchLimit, ByteRange, ByteStream, Entry, Extensions, Features, File, FileMetadata, FileReader,
    FolderRelocation, Freshness, Hashing, Listing, NameLength, NameRules, Outcome, PlaceId, Relocation,
    Remote, RemoteExt, RemoteInfo, RemotePath, Result, StorageError, Times, Usage, UsageOf, WriteBatch,
    metadata::Metadata,
};

use mounts::Mounts;
use paths::Tree;
use reused::Reused;

pub use downloads::{Buffers, Downloads, PARTIAL_SUFFIX};

pub(crate) use settings::BACKEND;

/// How many items of a batch are worked on at once.
const AT_ONCE: usize = 4;

/// What to do about symbolic links inside the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkPolicy {
    /// Leave them out, with a notice.
    #[default]
    Skip,
    /// Leave them out and say nothing.
    SkipSilently,
    /// Take them for what they point to. Links that lead nowhere, or back to a directory that holds them,
    /// are left out with an error in the log.
    Follow,
    /// Take each for a small file that holds where it leads to: see `links`.
    Translate,
}

/// Which time of a file counts as its modification time when it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeType {
    /// When its content was changed.
    #[default]
    Modified,
    /// When it was read.
    Accessed,
    /// When it was made, where the system knows.
    Born,
    /// When anything about it was changed, where the system knows.
    Changed,
}

/// How a local directory is treated.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one option of its own")]
pub struct LocalOptions {
    /// What to do about symbolic links.
    pub links: LinkPolicy,
    /// Whether there is a notice about what is neither a file nor a directory and is left out.
    pub tells_of_specials: bool,
    /// Whether directories of other file systems are left out.
    pub one_file_system: bool,
    /// How names are written on the disk.
    pub encoding: Encoding,
    /// Whether a file that changes while it is read is an error.
    pub check_updated: bool,
    /// Whether a file counts as stored only when it has reached the disk.
    pub sync: bool,
    /// Windows: whether paths of more than 260 characters are possible (`\\?\`). Without a meaning elsewhere.
    pub long_paths: bool,
    /// Whether the file system takes names for one that differ only in case.
    pub case_insensitive: bool,
    /// Whether files get the modification times of their sources.
    pub set_modified: bool,
    /// Whether metadata that come with a file may set the bits of its mode that lend rights.
    pub special_bits: bool,
    /// Which time of a file counts.
    pub time: TimeType,
    /// Whether accented letters are listed as one character each, however the disk has them.
    pub composed: bool,
    /// How files that come over a network are brought to the disk.
    pub downloads: Downloads,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            links: LinkPolicy::default(),
            tells_of_specials: true,
            one_file_system: false,
            encoding: Encoding::LOCAL,
            check_updated: true,
            sync: true,
            long_paths: true,
            case_insensitive: cfg!(any(windows, target_os = "macos")),
            set_modified: true,
            special_bits: false,
            time: TimeType::default(),
            composed: false,
            downloads: Downloads::default(),
        }
    }
}

/// A directory of this computer.
///
/// ```
/// use fichier_remotes::local::{LocalOptions, LocalRemote};
/// use fichier_storage::{RemoteExt, RemotePath};
///
/// # let directory = tempfile::tempdir()?;
/// # std::fs::write(directory.path().join("a.txt"), "hello")?;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let remote = LocalRemote::open(directory.path(), LocalOptions::default());
/// let entries = remote.entries(&RemotePath::root()).await?;
/// assert_eq!(entries[0].as_file().unwrap().size, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LocalRemote {
    info: RemoteInfo,
    place: Arc<Place>,
}

/// What every operation needs to know.
#[derive(Debug)]
struct Place {
    tree: Tree,
    /// What was mounted when the remote was opened.
    mounts: Mounts,
    options: LocalOptions,
    /// What computes the checksums of files that come.
    hashing: Hashing,
    /// Buffers of files that go.
    reused: Reused,
}

impl LocalRemote {
    /// Takes a directory as a remote. It need not exist: the first write makes it.
    #[must_use]
    pub fn open(root: impl Into<PathBuf>, options: LocalOptions) -> Self {
        let root = root.into();
        let tree = Tree::new(&root, options.encoding, options.long_paths).composed(options.composed);
        let mounts = Mounts::now();
        let unknown = |_| PlaceId::new(Vec::new(), RemotePath::root());
        let info = RemoteInfo {
            name: root.display().to_string(),
            place: place::of(&tree, &mounts, tree.root()).unwrap_or_else(unknown),
            backend: "local",
            features: Features {
                server_side_copy: true,
                server_side_move: true,
                folder_move: true,
                empty_files: true,
                ..Features::default()
            },
            // Small files go together, so that their directory is flushed once for all of them.
            batch: BatchLimit { files: 32, bytes: 8 * 1024 * 1024 },
            times: Times {
                precision: options
                    .set_modified
                    .then(|| Duration::from_nanos(if cfg!(windows) { 100 } else { 1 })),
                settable: options.set_modified,
            },
            names: NameRules {
                encoding: options.encoding.to_string(),
                // Windows counts in units of UTF-16, of which a character has one or two.
                longest: (!cfg!(windows)).then_some(NameLength::Bytes(255)),
                case_insensitive: options.case_insensitive,
            },
            skips_empty_files: false,
        };
        Self {
            info,
            place: Arc::new(Place {
                tree,
                mounts,
                options,
                hashing: Hashing::default(),
                reused: Reused::default(),
            }),
        }
    }

    /// Runs a job that waits for the disk, away from the runtime's own threads.
    async fn at_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Place) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.place.clone();
        at_disk(move || job(&place)).await
    }
}

/// Runs a job that waits for the disk, away from the runtime's own threads. When the future is dropped, the
/// job still ends, and what it would have handed over is dropped.
async fn at_disk<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let failed = |error| StorageError::io("work on", "the local file system", std::io::Error::other(error));
    tokio::task::spawn_blocking(job).await.map_err(failed)?
}

#[async_trait]
impl Remote for LocalRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        let folder = folder.clone();
        self.at_disk(move |place| {
            let directory = place.tree.locate(&folder)?;
            place::of(&place.tree, &place.mounts, &directory)
                .map_err(|error| StorageError::io("look at", &directory, error))
        })
        .await
    }

    async fn list(&self, folder: &RemotePath, _age: Freshness) -> Result<Listing> {
        let folder = folder.clone();
        self.at_disk(move |place| listing::list(place, &folder)).await
    }

    async fn find(&self, path: &RemotePath, _age: Freshness) -> Result<Entry> {
        let path = path.clone();
        self.at_disk(move |place| listing::find(place, &path)).await
    }

    fn forget(&self, _folder: &RemotePath) {}

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        Arc::new(LocalReader { place: self.place.clone(), file: file.clone() })
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        write::write(&self.place, batch).await
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate::copy(&self.place, batch).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        relocate::rename(&self.place, batch).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let files = batch.to_vec();
        self.each(files, |place, file| folders::remove_file(place, &file.path)).await
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.each(batch.to_vec(), folders::remove_unchanged).await
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.each(batch.to_vec(), |place, folder| {
            Ok(match folders::make(place, folder)? {
                true => Outcome::Done(()),
                false => Outcome::DoneBefore(()),
            })
        })
        .await
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.each(batch.to_vec(), |place, folder| folders::remove_folder(place, folder).map(Outcome::Done))
            .await
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        self.each(batch.to_vec(), |place, FolderRelocation { from, to }| {
            relocate::rename_folder(place, from, to).map(Outcome::Done)
        })
        .await
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        if !self.info.times.settable {
            return self.all_unsupported(batch, "set modification times");
        }
        self.each(batch.to_vec(), |place, (file, time)| {
            write::set_modified(place, &file.path, *time).map(Outcome::Done)
        })
        .await
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions {
            usage: usage::KNOWN.then_some(self as &dyn UsageOf),
            account: None,
            links: None,
            merge: None,
            metadata: Some(self),
        }
    }
}

#[async_trait]
impl UsageOf for LocalRemote {
    async fn usage(&self) -> Result<Usage> {
        self.at_disk(usage::about).await
    }
}

#[async_trait]
impl FileMetadata for LocalRemote {
    async fn metadata(&self, file: &File) -> Result<Metadata> {
        let file = file.clone();
        self.at_disk(move |place| metadata::of(place, &file)).await
    }

    async fn folder_metadata(&self, folder: &RemotePath) -> Result<Metadata> {
        let folder = folder.clone();
        self.at_disk(move |place| metadata::of_folder(place, &folder)).await
    }

    async fn set_folder_metadata(&self, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
        let (folder, metadata) = (folder.clone(), metadata.clone());
        self.at_disk(move |place| metadata::set_of_folder(place, &folder, &metadata)).await
    }
}

/// Reads one file.
#[derive(Debug)]
struct LocalReader {
    place: Arc<Place>,
    file: File,
}

#[async_trait]
impl FileReader for LocalReader {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        read::stream(&self.place, &self.file, range)
    }

    async fn prepare(&self) {}
}

impl LocalRemote {
    /// One quick job after the other, for all items in one visit to the disk.
    async fn each<T: Send + 'static>(
        &self,
        items: Vec<T>,
        job: impl Fn(&Place, &T) -> Result<Outcome<()>> + Send + 'static,
    ) -> Vec<Outcome<()>> {
        let count = items.len();
        let all = self
            .at_disk(move |place| {
                Ok(items.iter().map(|item| job(place, item).unwrap_or_else(Outcome::Failed)).collect())
            })
            .await;
        all.unwrap_or_else(|error| {
            let mut outcomes = vec![Outcome::Failed(error)];
            outcomes.resize_with(count, || Outcome::NotTried);
            outcomes
        })
    }
}
