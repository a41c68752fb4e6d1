//! The remote: what another one stores, decrypted.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use fichier_storage::{
    Content, Entry, Extensions, Features, File, FileReader, Folder, FolderRelocation, Freshness, Gap,
    HashKinds, Hashing, Listing, Location, NameLength, NameRules, Outcome, PlaceId, Relocation, Remote,
    RemoteInfo, RemotePath, Result, StorageError, WriteBatch, WriteItem,
};

use crate::readers::{NoReader, ShownReader};

use super::{
    content::{self, ContentKey},
    identity,
    keys::Keys,
    names::{BadName, NameMode, NameOptions, Names},
    paths::Paths,
    reader::OpenedFile,
    seal::{SealedContent, Seen},
    sorted::Sorted,
    text::TextEncoding,
};

/// How an encrypted remote works.
#[derive(Debug, Clone)]
pub(super) struct CryptOptions {
    pub(super) names: NameOptions,
    /// Whether contents are stored as they are.
    pub(super) plain_contents: bool,
    /// Whether bad blocks become zeros.
    pub(super) pass_bad_blocks: bool,
    /// Whether a name that can't be read spoils its whole listing.
    pub(super) strict_names: bool,
    /// Whether the log tells what each name is stored under.
    pub(super) show_mapping: bool,
}

/// A folder of another remote, encrypted.
#[derive(Debug)]
pub(super) struct CryptRemote {
    pub(super) inner: Arc<dyn Remote>,
    pub(super) paths: Arc<Paths>,
    key: ContentKey,
    options: CryptOptions,
    hashing: Hashing,
    info: RemoteInfo,
    identity: identity::Key,
}

impl CryptRemote {
    /// Makes a remote of a place on another one. `name` is for messages, with its colon.
    ///
    /// # Errors
    /// It can't be said where the place is.
    pub(super) async fn new(
        name: String,
        over: Location,
        keys: &Keys,
        options: CryptOptions,
    ) -> Result<Self> {
        let names = Names::new(options.names.clone(), keys);
        let inner = over.remote.info().clone();
        let longest = match inner.names.longest {
            // Characters of base32768 have two or three bytes.
            Some(NameLength::Bytes(_)) if options.names.text == TextEncoding::Base32768 => None,
            Some(NameLength::Bytes(length) | NameLength::Characters(length)) => names.longest(length),
            None => None,
        };
        let kept = format!("{} {}", names.identity(), options.plain_contents);
        let identity = identity_of(&format!("{kept} {}", options.pass_bad_blocks));
        let encrypts = !options.plain_contents;
        let case_matters = options.names.mode == NameMode::Standard
            && options.names.text == TextEncoding::Base32
            && !names.keeps_folders();
        let info = RemoteInfo {
            name,
            place: over.remote.place(&over.path).await?,
            backend: "crypt",
            features: Features {
                // One takes 32 bytes.
                empty_files: inner.features.empty_files || encrypts,
                // A copy of what a link leads to would stay encrypted.
                public_links: false,
                ..inner.features
            },
            // A checksum of what is stored says nothing of what it stands for.
            hashes: if encrypts { HashKinds::BY_READING } else { inner.hashes },
            times: inner.times,
            names: NameRules {
                encoding: format!("{kept} {}", inner.names.encoding),
                longest: longest.map(NameLength::Bytes),
                case_insensitive: inner.names.case_insensitive && !case_matters,
                // What is stored there is no text that a link could lead to.
                link_suffix: None,
            },
            batch: inner.batch,
            skips_empty_files: inner.skips_empty_files && !encrypts,
        };
        let paths = Arc::new(Paths::new(names, over.path, longest));
        let (key, hashing) = (ContentKey::new(keys), Hashing::default());
        let mut remote = Self { inner: over.remote, paths, key, options, hashing, info, identity };
        remote.info.place = remote.shown_place(remote.info.place.clone());
        Ok(remote)
    }

    /// A place by the names that are shown here.
    fn shown_place(&self, place: PlaceId) -> PlaceId {
        place.with_names(|name| self.paths.names.decode_folder(name).unwrap_or_else(|_| name.clone()))
    }

    /// Whether a file and a folder of one name are stored under different names, so that the inner remote doesn't see
    /// that one stands in the other's way. Where names may double anyway, nothing does.
    fn can_double(&self, file: &RemotePath, folder: &RemotePath) -> bool {
        file != folder && !self.info.features.duplicates
    }

    /// Sees to it that no folder is where a file shall be.
    async fn no_folder_at(&self, path: &RemotePath) -> Result<()> {
        let [file, folder] = [self.paths.file(path)?, self.paths.folder(path)?];
        if self.can_double(&file, &folder)
            && matches!(self.inner.find(&folder, Freshness::SinceStart).await, Ok(Entry::Folder(_)))
        {
            return Err(StorageError::IsAFolder(path.clone()));
        }
        Ok(())
    }

    /// Sees to it that no file is where a folder shall be, or on the way there.
    async fn no_file_at(&self, path: &RemotePath) -> Result<()> {
        let mut at = Some(path.clone());
        while let Some(path) = at.filter(|path| !path.is_root()) {
            let [file, folder] = [self.paths.file(&path)?, self.paths.folder(&path)?];
            if self.can_double(&file, &folder) {
                match self.inner.find(&folder, Freshness::SinceStart).await {
                    // So is all above it.
                    Ok(Entry::Folder(_)) => return Ok(()),
                    _ if self.is_file(&file).await => return Err(StorageError::IsAFile(path)),
                    _ => {}
                }
            }
            at = path.parent();
        }
        Ok(())
    }

    async fn is_file(&self, stored: &RemotePath) -> bool {
        matches!(self.inner.find(stored, Freshness::SinceStart).await, Ok(Entry::File(_)))
    }

    /// A stored file as it is shown, at a path that is known.
    fn our_file(&self, path: RemotePath, stored: File) -> Result<File> {
        let size = self.plain_size(stored.size).ok_or_else(|| StorageError::Undecryptable {
            path: path.clone(),
            reason: format!("no encrypted file has {} bytes: it is cut, or wasn't encrypted", stored.size),
        })?;
        if self.options.plain_contents {
            return Ok(File { path, ..stored });
        }
        let fingerprint = identity::fingerprint(&self.identity, &stored);
        // The media type would be that of encrypted bytes.
        Ok(File { path, size, whirlpool: None, media_type: None, fingerprint, ..stored })
    }

    fn plain_size(&self, stored: u64) -> Option<u64> {
        if self.options.plain_contents { Some(stored) } else { content::plain_size(stored) }
    }

    fn stored_size(&self, plain: u64) -> u64 {
        if self.options.plain_contents { plain } else { content::sealed_size(plain) }
    }

    /// A file as the inner remote told it.
    pub(super) fn stored_file(&self, file: &File) -> Result<File> {
        let path = self.paths.file(&file.path)?;
        if self.options.plain_contents {
            return Ok(File { path, ..file.clone() });
        }
        let known = file.fingerprint.as_ref().and_then(|made| identity::stored(&self.identity, made));
        let (whirlpool, fingerprint) = known.unwrap_or_default();
        Ok(File { path, size: self.stored_size(file.size), whirlpool, fingerprint, ..file.clone() })
    }

    fn stored_files(&self, files: &[File]) -> Result<Vec<File>> {
        files.iter().map(|file| self.stored_file(file)).collect()
    }

    fn show_mapping(&self, path: &RemotePath, stored: &RemotePath) {
        if self.options.show_mapping {
            tracing::info!(path = %path, "Encrypts to {:?}", stored.to_string());
        }
    }

    /// An entry of a folder as it is shown.
    fn our_entry(&self, folder: &RemotePath, entry: Entry) -> Result<Entry> {
        let Some(name) = entry.name() else { return Ok(entry) };
        let unread = |BadName(reason)| StorageError::Undecryptable {
            path: folder.join(&name),
            reason: format!("it can't be read as a name: {reason}"),
        };
        match entry {
            Entry::File(file) => {
                let path = folder.join(&self.paths.names.decode_file(&name).map_err(unread)?);
                self.show_mapping(&path, &file.path);
                self.our_file(path, file).map(Entry::File)
            }
            Entry::Folder(inner) => {
                let path = folder.join(&self.paths.names.decode_folder(&name).map_err(unread)?);
                self.show_mapping(&path, &inner.path);
                Ok(Entry::Folder(Folder { path, ..inner }))
            }
        }
    }

    /// An error of the inner remote, with the paths that are shown here.
    pub(super) fn our_error(&self, error: StorageError) -> StorageError {
        error.with_paths(|path| self.paths.shown(path))
    }

    fn our_outcome<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        match outcome {
            Outcome::Failed(error) => Outcome::Failed(self.our_error(error)),
            other => other,
        }
    }

    fn our_outcomes<T>(&self, outcomes: Vec<Outcome<T>>) -> Vec<Outcome<T>> {
        outcomes.into_iter().map(|outcome| self.our_outcome(outcome)).collect()
    }

    /// The outcome of a file that was stored, copied or moved to a path.
    fn stored_at(&self, path: &RemotePath, outcome: Outcome<File>) -> Outcome<File> {
        match self.our_outcome(outcome) {
            Outcome::Done(file) => self.our_file(path.clone(), file).into(),
            Outcome::DoneBefore(file) => match self.our_file(path.clone(), file) {
                Ok(file) => Outcome::DoneBefore(file),
                Err(error) => Outcome::Failed(error),
            },
            other => other,
        }
    }

    /// A file to store, as it is handed to the inner remote; and where the checksum of its plain bytes will be.
    async fn sealed(
        &self,
        folder: &RemotePath,
        at: &RemotePath,
        item: WriteItem,
    ) -> Result<(WriteItem, Arc<Seen>)> {
        let path = folder.join(&item.name);
        self.paths.admit(&path)?;
        self.no_folder_at(&path).await?;
        let name = self.paths.file_name(folder, &item.name)?;
        let replaces = self.stored_files(&item.replaces)?;
        let seen = Arc::<Seen>::default();
        if self.options.plain_contents {
            return Ok((WriteItem { name, replaces, ..item }, seen));
        }
        let content: Arc<dyn Content> = Arc::new(SealedContent {
            key: self.key.clone(),
            hashing: self.hashing.clone(),
            // Errors come back by the inner remote, so they name its paths.
            path: at.join(&name),
            size: item.size,
            expected: item.expected,
            plain: item.content,
            seen: seen.clone(),
        });
        let size = self.stored_size(item.size);
        Ok((
            WriteItem {
                name,
                size,
                expected: None,
                content,
                replaces,
                modified: item.modified,
                metadata: item.metadata,
            },
            seen,
        ))
    }

    async fn stored_relocation(&self, item: &Relocation) -> Result<Relocation> {
        self.paths.admit(&item.to)?;
        self.no_folder_at(&item.to).await?;
        self.no_file_at(&item.to.parent().unwrap_or_default()).await?;
        Ok(Relocation {
            from: self.stored_file(&item.from)?,
            to: self.paths.file(&item.to)?,
            replaces: self.stored_files(&item.replaces)?,
        })
    }

    async fn relocate(&self, batch: &[Relocation], copies: bool) -> Vec<Outcome<File>> {
        let mut sorted = Sorted::default();
        for item in batch {
            sorted.add(self.stored_relocation(item).await);
        }
        let outcomes = match copies {
            true => self.inner.copy(&sorted.good).await,
            false => self.inner.rename(&sorted.good).await,
        };
        let outcomes = sorted.join(outcomes);
        outcomes.into_iter().zip(batch).map(|(outcome, item)| self.stored_at(&item.to, outcome)).collect()
    }

    /// Where a folder is stored, as far as there may be one.
    async fn new_folder(&self, path: &RemotePath) -> Result<RemotePath> {
        self.paths.admit(path)?;
        self.no_file_at(path).await?;
        self.paths.folder(path)
    }

    async fn stored_move(&self, item: &FolderRelocation) -> Result<FolderRelocation> {
        self.paths.admit(&item.to)?;
        let [file, to] = [self.paths.file(&item.to)?, self.paths.folder(&item.to)?];
        // The inner remote wouldn't see it.
        if file != to && self.is_file(&file).await {
            return Err(StorageError::AlreadyExists(item.to.clone()));
        }
        self.no_file_at(&item.to.parent().unwrap_or_default()).await?;
        Ok(FolderRelocation { from: self.paths.folder(&item.from)?, to })
    }
}

/// The first bytes of a digest.
fn identity_of(text: &str) -> identity::Key {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(text.as_bytes());
    std::array::from_fn(|index| digest[index])
}

#[async_trait]
impl Remote for CryptRemote {
    fn info(&self) -> &RemoteInfo {
        &self.info
    }

    async fn place(&self, folder: &RemotePath) -> Result<PlaceId> {
        let place = self.inner.place(&self.paths.folder(folder)?).await;
        place.map(|place| self.shown_place(place)).map_err(|error| self.our_error(error))
    }

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        let at = self.paths.folder(folder)?;
        let Listing { entries, gaps } = match self.inner.list(&at, age).await {
            Ok(listing) => listing,
            Err(StorageError::FolderNotFound(_)) => {
                let file = self.paths.file(folder)?;
                if file != at && self.is_file(&file).await {
                    return Err(StorageError::IsAFile(folder.clone()));
                }
                return Err(StorageError::FolderNotFound(folder.clone()));
            }
            // A file that is stored under this name is none of ours, unless files and folders are stored alike.
            Err(StorageError::IsAFile(_)) if self.paths.file(folder)? != at => {
                return Err(StorageError::FolderNotFound(folder.clone()));
            }
            Err(error) => return Err(self.our_error(error)),
        };
        let mut listing = Listing::default();
        for gap in gaps {
            let Gap { path, error } = gap;
            listing.gaps.push(Gap { path: self.paths.shown(&path), error: self.our_error(error) });
        }
        for entry in entries {
            let path = entry.name().map_or_else(|| folder.clone(), |name| folder.join(&name));
            match self.our_entry(folder, entry) {
                Ok(entry) => listing.entries.push(entry),
                Err(error) if self.options.strict_names => return Err(error),
                Err(error) => {
                    let path = error.path().cloned().unwrap_or(path);
                    listing.gaps.push(Gap { path, error });
                }
            }
        }
        listing.entries.sort_by(|left, right| left.path().cmp(right.path()));
        Ok(listing)
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        if path.is_root() {
            return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
        }
        let missing = || StorageError::FileNotFound(path.clone());
        // Under a name that can't be stored there is nothing.
        let (Ok(file), Ok(folder)) = (self.paths.file(path), self.paths.folder(path)) else {
            return Err(missing());
        };
        match self.inner.find(&file, age).await {
            Ok(Entry::File(found)) => return self.our_file(path.clone(), found).map(Entry::File),
            Ok(Entry::Folder(found)) if file == folder => {
                return Ok(Entry::Folder(Folder { path: path.clone(), ..found }));
            }
            Ok(Entry::Folder(_)) | Err(StorageError::FileNotFound(_)) if file != folder => {}
            Err(StorageError::FileNotFound(_)) | Ok(_) => return Err(missing()),
            Err(error) => return Err(self.our_error(error)),
        }
        match self.inner.find(&folder, age).await {
            Ok(Entry::Folder(found)) => Ok(Entry::Folder(Folder { path: path.clone(), ..found })),
            Ok(Entry::File(_)) | Err(StorageError::FileNotFound(_)) => Err(missing()),
            Err(error) => Err(self.our_error(error)),
        }
    }

    fn forget(&self, folder: &RemotePath) {
        if let Ok(folder) = self.paths.folder(folder) {
            self.inner.forget(&folder);
        }
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        let stored = match self.stored_file(file) {
            Ok(stored) => stored,
            Err(_) => return Arc::new(NoReader(file.path.clone())),
        };
        let inner: Arc<dyn FileReader> = Arc::new(ShownReader {
            inner: self.inner.reader(&stored),
            stored: stored.path,
            path: file.path.clone(),
        });
        if self.options.plain_contents {
            return inner;
        }
        let about = (file.path.clone(), file.size);
        Arc::new(OpenedFile::new(self.key.clone(), inner, about, self.options.pass_bad_blocks))
    }

    async fn write(&self, batch: WriteBatch) -> Vec<Outcome<File>> {
        let WriteBatch { folder, items } = batch;
        let at = match self.new_folder(&folder).await {
            Ok(at) => at,
            Err(error) => {
                let mut error = Some(error);
                let told = |_| error.take().map_or(Outcome::NotTried, Outcome::Failed);
                return items.iter().map(told).collect();
            }
        };
        let paths: Vec<_> = items.iter().map(|item| folder.join(&item.name)).collect();
        let mut sorted = Sorted::default();
        let mut sums = Vec::with_capacity(items.len());
        for item in items {
            let sealed = self.sealed(&folder, &at, item).await;
            sorted.add(sealed.map(|(item, seen)| {
                sums.push(Some(seen));
                item
            }));
            sums.resize_with(sorted.good.len() + sorted.bad.len(), || None);
        }
        let items = std::mem::take(&mut sorted.good);
        let outcomes = match items.is_empty() {
            true => Vec::new(),
            false => self.inner.write(WriteBatch { folder: at, items }).await,
        };
        let outcomes = sorted.join(outcomes).into_iter().zip(paths).zip(sums);
        outcomes
            .map(|((outcome, path), seen)| {
                let sum = seen.and_then(|seen| seen.get());
                self.stored_at(&path, outcome).map(|file| File { whirlpool: file.whirlpool.or(sum), ..file })
            })
            .collect()
    }

    async fn copy(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, true).await
    }

    async fn rename(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, false).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let sorted: Sorted<_> = batch.iter().map(|file| self.stored_file(file)).collect();
        let outcomes = self.inner.remove(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    async fn remove_unchanged(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let sorted: Sorted<_> = batch.iter().map(|file| self.stored_file(file)).collect();
        let outcomes = self.inner.remove_unchanged(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    async fn make_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let mut sorted = Sorted::default();
        for folder in batch {
            sorted.add(self.new_folder(folder).await);
        }
        let outcomes = self.inner.make_folders(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        let sorted: Sorted<_> = batch.iter().map(|folder| self.paths.folder(folder)).collect();
        let outcomes = self.inner.remove_folders(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    async fn rename_folders(&self, batch: &[FolderRelocation]) -> Vec<Outcome<()>> {
        let mut sorted = Sorted::default();
        for item in batch {
            sorted.add(self.stored_move(item).await);
        }
        let outcomes = self.inner.rename_folders(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    async fn set_modified(&self, batch: &[(File, SystemTime)]) -> Vec<Outcome<()>> {
        let stored = |(file, time): &(File, SystemTime)| Ok((self.stored_file(file)?, *time));
        let sorted: Sorted<_> = batch.iter().map(stored).collect();
        let outcomes = self.inner.set_modified(&sorted.good).await;
        self.our_outcomes(sorted.join(outcomes))
    }

    fn extensions(&self) -> Extensions<'_> {
        let Extensions {
            usage,
            account,
            links,
            merge,
            metadata,
            public_files: _,
            fetches: _,
            old_versions,
            changes,
        } = self.inner.extensions();
        Extensions {
            usage,
            account,
            links: links.map(|_| self as _),
            merge: merge.map(|_| self as _),
            metadata: metadata.map(|_| self as _),
            // A copy of one wouldn't be encrypted.
            public_files: None,
            fetches: None,
            // They are known by their identity, which is the inner remote's.
            old_versions,
            changes: changes.map(|_| self as _),
        }
    }
}
