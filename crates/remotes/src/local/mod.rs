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
//! - **With [`LinkPolicy::Translate`] no link is followed**, whatever is put in a directory's place meanwhile: see
//!   `confined`.
//! - **No name leads out of the root**, whatever another remote calls its files: see `paths`.
//! - **Only files and directories count.** Pipes, sockets and devices are left out with a notice, and so are
//!   symbolic links unless [`LinkPolicy::Follow`] is chosen. A directory that is named by the user is listed
//!   even when it is a link.
//!
//! Copies within the root ([`Remote::copy`]) are left to the kernel, which shares the blocks where the file
//! system can; they are checked for their size, not for their checksum, since no network lies between.

mod buffer_pool;
mod confined;
mod downloads;
mod folders;
mod ledger;
mod links;
mod listing;
mod metadata;
mod mounts;
mod options;
mod partial;
mod paths;
mod place;
mod ranged;
mod read;
mod relocate;
mod root;
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
use fichier_storage::{
    BatchLimit, ByteRange, ByteStream, Entry, Extensions, Features, File, FileMetadata, FileReader,
    FolderRelocation, Freshness, HashKinds, Hashing, Listing, NameLength, NameRules, Outcome, PlaceId,
    Relocation, Remote, RemoteExt, RemoteInfo, RemotePath, Result, StorageError, Times, Usage, UsageOf,
    WriteBatch, metadata::Metadata,
};

use buffer_pool::Reused;
use mounts::Mounts;
use paths::Tree;

use root::{Root, at_disk};

pub use downloads::{Buffers, Downloads, PARTIAL_SUFFIX};
pub use options::{LinkPolicy, LocalOptions, TimeType};

pub(crate) use settings::BACKEND;
pub use settings::refused_link;

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
    place: Arc<Root>,
}

impl LocalRemote {
    /// Takes a directory as a remote. It need not exist: the first write makes it.
    #[must_use]
    pub fn open(root: impl Into<PathBuf>, options: LocalOptions) -> Self {
        let root = root.into();
        let tree = Tree::new(&root, options.encoding, options.long_paths).composed(options.composed);
        let tree = tree.confined(options.links == LinkPolicy::Translate);
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
            hashes: HashKinds::BY_READING,
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
                link_suffix: (options.links == LinkPolicy::Translate).then_some(links::SUFFIX),
            },
            skips_empty_files: false,
        };
        Self {
            info,
            place: Arc::new(Root {
                tree,
                mounts,
                options,
                hashing: Hashing::default(),
                buffer_pool: Reused::default(),
            }),
        }
    }

    /// Runs a job that waits for the disk, away from the runtime's own threads.
    async fn at_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Root) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.place.clone();
        at_disk(move || job(&place)).await
    }
}

#[async_trait]
impl Remote for LocalRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        let folder = folder.clone();
        self.at_disk(move |place| {
            let directory = place.tree.named(&folder)?;
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
            public_files: None,
            fetches: None,
            old_versions: None,
            // Every listing looks at the disk, so there is nothing that could have grown old.
            changes: None,
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
    place: Arc<Root>,
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
        job: impl Fn(&Root, &T) -> Result<Outcome<()>> + Send + 'static,
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
