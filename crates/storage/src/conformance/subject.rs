//! The remote under test, with the steps that checks are made of.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};

use crate::{
    ByteRange, ByteStream, Content, Entry, Features, File, HashKind, MemoryContent, Name, Outcome,
    Relocation, Remote, RemoteExt, RemotePath, Result as StorageResult, StorageError, Whirlpool, WriteBatch,
    WriteItem, collect,
};

/// Result of a step: a value, or a sentence that says what went wrong.
pub(super) type Checked<T = ()> = Result<T, String>;

/// The remote under test, and the folder in which a check works alone.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) remote: Arc<dyn Remote>,
    home: RemotePath,
    check: &'static str,
}

impl Subject {
    pub(super) fn new(remote: Arc<dyn Remote>, check: &'static str) -> Self {
        let home = RemotePath::parse(check).unwrap_or_default();
        Self { remote, home, check }
    }

    pub(super) fn features(&self) -> Features {
        self.remote.info().features
    }

    /// Returns the path of `below` in the check's own folder; an empty one means the folder itself.
    pub(super) fn path(&self, below: &str) -> Checked<RemotePath> {
        let below = RemotePath::parse(below).map_err(|error| format!("{}: {error}", self.check))?;
        Ok(self.home.join_path(&below))
    }

    // Each of these passes a batch on and checks that each item gets its outcome.

    pub(super) async fn write(&self, folder: &str, items: Vec<WriteItem>) -> Checked<Vec<Outcome<File>>> {
        let count = items.len();
        let outcomes = self.remote.write(WriteBatch { folder: self.path(folder)?, items }).await;
        one_each(count, outcomes)
    }

    pub(super) async fn copy(&self, batch: &[Relocation]) -> Checked<Vec<Outcome<File>>> {
        one_each(batch.len(), self.remote.copy(batch).await)
    }

    pub(super) async fn rename(&self, batch: &[Relocation]) -> Checked<Vec<Outcome<File>>> {
        one_each(batch.len(), self.remote.rename(batch).await)
    }

    pub(super) async fn remove(&self, batch: &[File]) -> Checked<Vec<Outcome<()>>> {
        one_each(batch.len(), self.remote.remove(batch).await)
    }

    pub(super) async fn make_folders(&self, batch: &[RemotePath]) -> Checked<Vec<Outcome<()>>> {
        one_each(batch.len(), self.remote.make_folders(batch).await)
    }

    pub(super) async fn remove_folders(&self, batch: &[RemotePath]) -> Checked<Vec<Outcome<()>>> {
        one_each(batch.len(), self.remote.remove_folders(batch).await)
    }

    /// Stores files, all of which must succeed, and returns them as the remote described them.
    pub(super) async fn put(&self, folder: &str, files: &[(&str, &[u8])]) -> Checked<Vec<File>> {
        let items = files.iter().map(|(name, bytes)| item(name.as_bytes(), bytes)).collect::<Checked<_>>()?;
        let outcomes = self.write(folder, items).await?;
        let folder = self.path(folder)?;
        let mut stored = Vec::new();
        for ((name, bytes), outcome) in files.iter().zip(outcomes) {
            let file = outcome.into_result().map_err(|error| format!("writing {name:?} failed: {error}"))?;
            let path = folder.join(&name_of(name.as_bytes())?);
            ensure!(file.path == path, "writing {path:?} answered with {:?}", file.path);
            told_truly(&file, bytes)?;
            stored.push(file);
        }
        Ok(stored)
    }

    /// Stores one file.
    pub(super) async fn put_one(&self, folder: &str, name: &str, bytes: &[u8]) -> Checked<File> {
        let stored = self.put(folder, &[(name, bytes)]).await?;
        stored.into_iter().next().ok_or_else(|| format!("no file came of {name:?}"))
    }

    pub(super) async fn list(&self, folder: &str) -> Checked<Vec<Entry>> {
        let folder = self.path(folder)?;
        let entries = self
            .remote
            .entries(&folder)
            .await
            .map_err(|error| format!("listing {folder:?} failed: {error}"))?;
        for entry in &entries {
            let parent = entry.path().parent();
            ensure!(parent.as_ref() == Some(&folder), "the listing of {folder:?} holds {:?}", entry.path());
            if let Entry::File(file) = entry {
                let told = file.whirlpool.is_some();
                let claimed = self.remote.info().hashes.lists(HashKind::Whirlpool);
                ensure!(told || !claimed, "{:?} is listed without a checksum, which is claimed", file.path);
            }
        }
        Ok(entries)
    }

    /// Checks that a folder holds exactly these files and folders (`name/`), in this order.
    pub(super) async fn holds(&self, folder: &str, expected: &[&str]) -> Checked {
        let seen = shown(&self.list(folder).await?);
        ensure!(seen == expected, "{:?} holds {seen:?} instead of {expected:?}", self.path(folder)?);
        Ok(())
    }

    /// Checks that nothing of this name is in the folder, which may be missing.
    pub(super) async fn lacks(&self, folder: &str, name: &str) -> Checked {
        let path = self.path(folder)?;
        let entries = match self.remote.entries(&path).await {
            Ok(entries) => entries,
            Err(StorageError::FolderNotFound(_)) => Vec::new(),
            Err(error) => return Err(format!("listing {path:?} failed: {error}")),
        };
        let seen = shown(&entries);
        ensure!(
            !seen.iter().any(|entry| entry.trim_end_matches('/') == name),
            "{path:?} still holds {name:?}: {seen:?}"
        );
        Ok(())
    }

    /// Checks that the path is found as a file of exactly these bytes.
    pub(super) async fn is_file(&self, path: &str, bytes: &[u8]) -> Checked<File> {
        let path = self.path(path)?;
        self.is_file_at(&path, bytes).await
    }

    pub(super) async fn is_file_at(&self, path: &RemotePath, bytes: &[u8]) -> Checked<File> {
        let entry =
            self.remote.entry(path).await.map_err(|error| format!("finding {path:?} failed: {error}"))?;
        let Entry::File(file) = entry else { return Err(format!("{path:?} is found as a folder")) };
        ensure!(&file.path == path, "{path:?} is found as {:?}", file.path);
        told_truly(&file, bytes)?;
        self.reads(&file, ByteRange::WHOLE, bytes).await?;
        Ok(file)
    }

    /// Checks that a range of a file has exactly these bytes.
    pub(super) async fn reads(&self, file: &File, range: ByteRange, bytes: &[u8]) -> Checked {
        let seen = self
            .read(file, range)
            .await
            .map_err(|error| format!("reading {range:?} of {:?} failed: {error}", file.path))?;
        ensure!(
            seen == bytes,
            "reading {range:?} of {:?} gave {} bytes {:?} instead of {} bytes {:?}",
            file.path,
            seen.len(),
            start_of(&seen),
            bytes.len(),
            start_of(bytes)
        );
        Ok(())
    }

    pub(super) async fn read(&self, file: &File, range: ByteRange) -> StorageResult<Vec<u8>> {
        collect(self.remote.read(file, range).await?).await
    }
}

fn one_each<T>(count: usize, outcomes: Vec<Outcome<T>>) -> Checked<Vec<Outcome<T>>> {
    ensure!(outcomes.len() == count, "{} outcomes for {count} items", outcomes.len());
    Ok(outcomes)
}

fn start_of(bytes: &[u8]) -> &bstr::BStr {
    bstr::BStr::new(&bytes[..bytes.len().min(40)])
}

/// Checks that the size and checksum that a remote gives for a file agree with its bytes.
fn told_truly(file: &File, bytes: &[u8]) -> Checked {
    ensure!(
        file.size == bytes.len() as u64,
        "{:?} is told to have {} bytes instead of {}",
        file.path,
        file.size,
        bytes.len()
    );
    ensure!(
        file.whirlpool.is_none_or(|told| told == Whirlpool::of(bytes)),
        "{:?} is told to have another checksum than its bytes",
        file.path
    );
    Ok(())
}

/// Returns a listing as text: folders with a slash at the end.
pub(super) fn shown(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| {
            let slash = if entry.as_folder().is_some() { "/" } else { "" };
            format!("{}{slash}", entry.name().map(|name| name.to_string()).unwrap_or_default())
        })
        .collect()
}

pub(super) fn name_of(bytes: &[u8]) -> Checked<Name> {
    Name::new(bytes).map_err(|error| error.to_string())
}

/// Returns a file to write.
pub(super) fn item(name: &[u8], bytes: &[u8]) -> Checked<WriteItem> {
    Ok(WriteItem {
        name: name_of(name)?,
        size: bytes.len() as u64,
        modified: None,
        expected: Some(Whirlpool::of(bytes)),
        content: Arc::new(MemoryContent(Bytes::copy_from_slice(bytes))),
        replaces: Vec::new(),
        metadata: Vec::new(),
    })
}

/// Returns bytes without a short pattern, the same ones each time.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Bytes that come in pieces, and how they end.
pub(super) struct Pieces {
    pub(super) pieces: Vec<Bytes>,
    pub(super) end: End,
}

/// How a stream of [`Pieces`] ends.
pub(super) enum End {
    /// The stream ends as it should.
    Whole,
    /// The stream ends with an error.
    Cut,
    /// The stream can't even be opened.
    Shut,
    /// The stream doesn't end; the notice says that its last byte was read.
    Never(Arc<tokio::sync::Notify>),
}

impl Pieces {
    pub(super) fn of(bytes: &[u8], piece: usize, end: End) -> Arc<Self> {
        Arc::new(Self { pieces: bytes.chunks(piece.max(1)).map(Bytes::copy_from_slice).collect(), end })
    }
}

#[async_trait]
impl Content for Pieces {
    async fn open(&self) -> StorageResult<ByteStream> {
        let broken = || StorageError::io("read", "a broken source", std::io::Error::other("made to fail"));
        let pieces = stream::iter(self.pieces.clone()).map(Ok);
        match &self.end {
            End::Whole => Ok(pieces.boxed()),
            End::Cut => Ok(pieces.chain(stream::iter([Err(broken())])).boxed()),
            End::Shut => Err(broken()),
            End::Never(reached) => {
                let reached = reached.clone();
                let never = stream::once(async move {
                    reached.notify_one();
                    std::future::pending().await
                });
                Ok(pieces.chain(never).boxed())
            }
        }
    }
}
