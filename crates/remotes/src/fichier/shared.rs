//! Somebody's shared folder by its public link: a flat, read-only listing without dates and checksums (API
//! document, section 8).

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use tokio::sync::OnceCell;

use fichier_api::{Client, Password, SharedFolderId};
use fichier_storage::{
    BatchLimit, Blame, ByteRange, ByteStream, Entry, Extensions, Features, File, FileId, FileReader, Folder,
    FolderIdentity, FolderRelocation, Freshness, Gap, HashKinds, Listing, NameRules, Outcome, PlaceId,
    Relocation, Remote, RemoteExt, RemoteInfo, RemotePath, Result, Retry, StorageError, Times, WriteBatch,
};

use super::{
    FichierOptions,
    download::{LinkReader, Reader},
    error::listing_failed,
    left_out::Unread,
    link_of,
    names::Names,
    opening::SET_A_KEY,
};

/// A shared folder as a remote.
#[derive(Debug)]
pub struct SharedFolderRemote {
    info: RemoteInfo,
    client: Client,
    folder: SharedFolderId,
    password: Option<Password>,
    names: Names,
    reader: Reader,
    held: OnceCell<Held>,
    /// Whether there is a key to download with.
    has_account: bool,
}

/// What the folder holds.
#[derive(Debug)]
struct Held {
    files: Vec<File>,
    left_out: Vec<Unread>,
}

impl SharedFolderRemote {
    /// A remote over the page of a shared folder, and its password if it has one. `identity` tells it from all others.
    #[must_use]
    pub fn new(
        client: Client,
        name: impl Into<String>,
        (folder, identity): (SharedFolderId, FolderIdentity),
        password: Option<Password>,
        options: &FichierOptions,
    ) -> Self {
        let info = RemoteInfo {
            name: name.into(),
            place: PlaceId::root(identity),
            backend: "fichier",
            features: Features {
                networked: true,
                read_only: true,
                duplicates: true,
                public_links: true,
                ..Features::default()
            },
            batch: BatchLimit::SINGLE,
            hashes: HashKinds::BY_READING,
            times: Times::default(),
            names: NameRules { encoding: options.encoding.to_string(), ..NameRules::default() },
            skips_empty_files: false,
        };
        let names = Names { encoding: options.encoding, stand_ins: false };
        Self {
            info,
            reader: Reader::new(client.clone(), options),
            client,
            folder,
            password,
            names,
            held: OnceCell::new(),
            has_account: true,
        }
    }

    /// The same without an account: what is there can be listed, not downloaded.
    #[must_use]
    pub fn without_account(mut self) -> Self {
        self.has_account = false;
        self
    }

    /// The files, asked for once.
    async fn held(&self) -> Result<&Held> {
        self.held
            .get_or_try_init(|| async {
                let root = RemotePath::root();
                let shared = self
                    .client
                    .shared_folder(&self.folder, self.password.as_ref())
                    .await
                    .map_err(|error| listing_failed(&root, error))?;
                let mut files = Vec::with_capacity(shared.files.len());
                let mut left_out: Vec<_> = shared.left_out.into_iter().map(Unread::from).collect();
                for file in shared.files {
                    match self.names.decode_file(&file.filename, file.size) {
                        Ok(decoded) => files.push(File {
                            path: root.join(&decoded.name),
                            size: file.size,
                            modified: None,
                            whirlpool: None,
                            id: Some(FileId::new(file.link.to_string())),
                            media_type: None,
                            fingerprint: None,
                            seconds_ahead: 0,
                        }),
                        Err(error) => left_out.push(Unread::new(&file.filename, error.to_string())),
                    }
                }
                for unread in &left_out {
                    let Gap { path, error } = unread.gap(&root, &self.names);
                    tracing::error!(path = %path, "Left out: {error}");
                }
                files.sort_by(|left, right| (&left.path, &left.id).cmp(&(&right.path, &right.id)));
                Ok(Held { files, left_out })
            })
            .await
    }

    fn refuse<T>(&self, count: usize) -> Vec<Outcome<T>> {
        (0..count).map(|_| Outcome::Failed(self.unsupported("change a shared folder"))).collect()
    }
}

#[async_trait]
impl Remote for SharedFolderRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        Ok(self.info.place.join(folder))
    }

    /// The page is asked for once.
    async fn list(&self, folder: &RemotePath, _age: Freshness) -> Result<Listing> {
        let held = self.held().await?;
        if folder.is_root() {
            let gaps = held.left_out.iter().map(|unread| unread.gap(folder, &self.names)).collect();
            return Ok(Listing { entries: held.files.iter().cloned().map(Entry::File).collect(), gaps });
        }
        if held.files.iter().any(|file| file.path == *folder) {
            return Err(StorageError::IsAFile(folder.clone()));
        }
        Err(StorageError::FolderNotFound(folder.clone()))
    }

    async fn find(&self, path: &RemotePath, _age: Freshness) -> Result<Entry> {
        if path.is_root() {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        }
        let found = self.held().await?.files.iter().find(|file| file.path == *path).cloned();
        found.map(Entry::File).ok_or_else(|| StorageError::FileNotFound(path.clone()))
    }

    fn forget(&self, _folder: &RemotePath) {}

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        if !self.has_account {
            return Arc::new(NeedsAccount(file.path.clone()));
        }
        Arc::new(LinkReader {
            reader: self.reader.clone(),
            link: link_of(file).ok(),
            file: file.clone(),
            tree: None,
        })
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        self.refuse(batch.items.len())
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.refuse(batch.len())
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.refuse(batch.len())
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        self.refuse(batch.len())
    }

    fn extensions(&self) -> Extensions<'_> {
        Extensions::default()
    }
}

/// Refuses a download before any call: the service gives download links to accounts only (API document, section 6).
#[derive(Debug)]
struct NeedsAccount(RemotePath);

#[async_trait]
impl FileReader for NeedsAccount {
    async fn stream(&self, _range: ByteRange) -> Result<ByteStream> {
        Err(StorageError::Service {
            action: format!("download {:?}", self.0),
            retry: Retry::Fatal,
            blame: Blame::User,
            hint: Some(SET_A_KEY.to_owned()),
            source: "a shared folder can be listed without an account, but not downloaded".into(),
        })
    }

    async fn prepare(&self) {}
}
