//! Reading: one reader a file, shared by all who read it, with streams that grow while reading is sequential.

mod memory;
mod shared;
mod stream;
mod verify;
mod window;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use fichier_storage::{File, Remote, StorageError};
use tokio::time::Instant;

use crate::{
    VfsError, VfsOptions,
    cache::{BLOCK, Cache},
    error::SharedError,
};
use shared::SharedReader;

/// How long a reader is kept after its last use.
const KEPT: Duration = Duration::from_secs(300);

/// How many readers that nobody uses are kept. Each may have two files open.
const MOST_UNUSED: usize = 64;

/// The readers of all files that were read of late.
#[derive(Debug)]
pub(crate) struct Readers {
    remote: Arc<dyn Remote>,
    cache: Arc<Cache>,
    settings: ReadSettings,
    calls: Arc<AtomicU64>,
    readers: Mutex<HashMap<Identity, Arc<SharedReader>>>,
}

/// What the options say about reading.
#[derive(Debug, Clone)]
pub(crate) struct ReadSettings {
    /// Longest stream.
    pub(crate) longest: u64,
    /// How many bytes a stream may be in front of its reader.
    pub(crate) ahead: u64,
    /// How many streams of a file may be open at once.
    pub(crate) streams: usize,
    /// How many streams are opened ahead.
    pub(crate) streams_ahead: usize,
    pub(crate) wait: Duration,
    pub(crate) deadline: Duration,
    pub(crate) verifies: bool,
}

/// What tells a version of a file from others, where it is at the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity(Vec<u8>);

/// Why bytes can't be read.
#[derive(Debug, Clone)]
pub(crate) enum ReadError {
    /// The version isn't at the service any more.
    Gone(SharedError),
    /// Another try doesn't help.
    Failed(SharedError),
    /// The bytes aren't those of the checksum.
    Wrong,
    /// No byte came for so long.
    NoAnswer(Duration, Option<SharedError>),
}

impl ReadError {
    /// Returns the error with the path of the file.
    pub(crate) fn named(self, path: &str) -> VfsError {
        let path = path.to_owned();
        match self {
            Self::Gone(source) => VfsError::Stale { path, source },
            Self::Failed(source) => VfsError::Read { path, source },
            Self::Wrong => VfsError::WrongBytes(path),
            Self::NoAnswer(time, source) => VfsError::NoAnswer { path, seconds: time.as_secs(), source },
        }
    }

    fn of(error: StorageError) -> Self {
        let is_gone = matches!(
            error.plain(),
            StorageError::FileNotFound(_)
                | StorageError::FolderNotFound(_)
                | StorageError::SourceChanged { .. }
        );
        let error = Arc::new(error);
        if is_gone { Self::Gone(error) } else { Self::Failed(error) }
    }
}

impl Readers {
    pub(crate) fn new(
        remote: Arc<dyn Remote>,
        cache: Arc<Cache>,
        options: &VfsOptions,
        calls: Arc<AtomicU64>,
    ) -> Self {
        let longest = match options.read_chunk_size {
            0 => u64::MAX,
            size => size.max(options.read_chunk_size_limit.unwrap_or(0)),
        };
        let settings = ReadSettings {
            longest: longest.max(BLOCK),
            ahead: window::AHEAD.saturating_add(options.read_ahead),
            streams: 4,
            streams_ahead: options.read_chunk_streams.clamp(1, 3),
            wait: options.read_wait,
            deadline: options.read_deadline,
            verifies: !options.no_checksum,
        };
        Self { remote, cache, settings, calls, readers: Mutex::default() }
    }

    /// Reads bytes of a version of a file; fewer than asked for only at its end. Also returns how often its bytes were
    /// found wrong. If that isn't what was `seen` before, what was given out before may be wrong, and that is an error.
    pub(crate) async fn read(
        &self,
        file: &File,
        offset: u64,
        length: usize,
        seen: Option<u64>,
    ) -> (Result<Bytes, ReadError>, u64) {
        let reader = self.reader(file);
        let before = reader.wrong();
        if seen.is_some_and(|seen| seen != before) {
            return (Err(ReadError::Wrong), before);
        }
        let read = Self::read_blocks(&reader, offset, length).await;
        match reader.wrong() {
            now if now == before => (read, now),
            now => (Err(ReadError::Wrong), now),
        }
    }

    async fn read_blocks(reader: &Arc<SharedReader>, offset: u64, length: usize) -> Result<Bytes, ReadError> {
        let end = offset.saturating_add(length as u64).min(reader.file.size);
        if offset >= end {
            return Ok(Bytes::new());
        }
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let part = |block: u64, bytes: &Bytes| {
            let start = block * BLOCK;
            let from = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
            let to = usize::try_from(end - start).unwrap_or(usize::MAX).min(bytes.len());
            bytes.slice(from..to.max(from))
        };
        if first == last {
            let bytes = reader.block(first).await?;
            return Ok(part(first, &bytes));
        }
        let mut all = BytesMut::with_capacity(length.min(1 << 24));
        for block in first..=last {
            let bytes = reader.block(block).await?;
            all.extend_from_slice(&part(block, &bytes));
        }
        Ok(all.freeze())
    }

    /// Returns the reader of a version, the same for all who read it.
    fn reader(&self, file: &File) -> Arc<SharedReader> {
        let identity = Identity(crate::journal::files_to_bytes(std::slice::from_ref(&match &file.id {
            // A number means one content, wherever the file is.
            Some(_) => File { path: fichier_storage::RemotePath::root(), ..file.clone() },
            None => file.clone(),
        })));
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = readers.get(&identity) {
            reader.touch();
            return reader.clone();
        }
        if readers.len() >= MOST_UNUSED {
            let oldest = readers.iter().filter(|(_, reader)| Arc::strong_count(reader) == 1);
            let oldest = oldest.min_by_key(|(_, reader)| reader.used()).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| readers.remove(&oldest));
        }
        let reader = self.remote.reader(file);
        let reader =
            SharedReader::new(file, reader, self.cache.clone(), self.settings.clone(), self.calls.clone());
        readers.insert(identity, reader.clone());
        reader
    }

    /// Ends all streams.
    pub(crate) fn stop(&self) {
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.values().for_each(|reader| reader.stop());
    }

    /// Drops the readers that nobody used for a time.
    pub(crate) fn drop_unused(&self) {
        let now = Instant::now();
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|_, reader| Arc::strong_count(reader) > 1 || now.duration_since(reader.used()) < KEPT);
    }
}
