//! Bytes whose number isn't known until they end. The service wants to know it first, and a failed upload wants
//! to read them again: so they are kept, in memory as long as they are few, then in a temporary file.

use std::{
    io::{self, Read as _},
    path::Path,
    sync::Mutex,
    time::Instant,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fichier_engine::{Cutoff, Limits, RunError};
use fichier_storage::{ByteStream, Content, Hashing, MemoryContent, Result, StorageError, Whirlpool};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tempfile::NamedTempFile;
use tokio::{io::AsyncWriteExt as _, sync::mpsc};
use tokio_util::{io::ReaderStream, sync::CancellationToken};

/// As many bytes are kept in memory.
const IN_MEMORY: usize = 1024 * 1024;

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// How many pieces of the standard input may wait to be taken.
const CHUNKS_AHEAD: usize = 4;

/// Bytes that have ended, and can be read as often as needed.
#[derive(Debug)]
pub(crate) struct Spool {
    pub(crate) size: u64,
    pub(crate) sum: Whirlpool,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Memory(Bytes),
    /// Goes with the spool.
    Disk(NamedTempFile),
}

/// What ends the reading of a stream before its end.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    /// When the time for transfers began.
    pub(crate) begun: Instant,
    pub(crate) stop: CancellationToken,
}

impl Bounds {
    /// The limits of a run that begins now.
    pub(crate) fn new(limits: Limits, stop: CancellationToken) -> Self {
        Self { limits, begun: Instant::now(), stop }
    }

    /// What is left of the limits for what follows.
    pub(crate) fn rest(&self) -> Limits {
        let time = self.limits.time.map(|time| time.saturating_sub(self.begun.elapsed()));
        Limits { time, ..self.limits }
    }

    /// How many bytes may come; a soft limit lets what has begun come to its end.
    fn most_bytes(&self) -> Option<u64> {
        self.limits.bytes.filter(|_| self.limits.cutoff != Cutoff::Soft)
    }

    /// Waits until no more time is left.
    async fn time_is_over(&self) {
        let time = self.limits.time.filter(|_| self.limits.cutoff == Cutoff::Hard);
        match time.and_then(|time| self.begun.checked_add(time)) {
            Some(end) => tokio::time::sleep_until(end.into()).await,
            None => std::future::pending().await,
        }
    }
}

impl Spool {
    /// Reads a stream to its end, unless a limit on transfers or the user ends it first: then nothing of it is kept.
    ///
    /// # Errors
    /// As [`Spool::of`], or why it was ended.
    pub(crate) async fn within(bounds: &Bounds, stream: ByteStream, directory: &Path) -> Result<Self> {
        let limit = bounds.most_bytes();
        let counted = stream.scan(0_u64, move |seen, chunk| {
            *seen += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
            let over = limit.filter(|most| *seen > *most);
            std::future::ready(Some(match over {
                Some(limit) => Err(RunError::TransferLimit { limit }.into()),
                None => chunk,
            }))
        });
        tokio::select! {
            biased;
            () = bounds.stop.cancelled() => Err(StorageError::Canceled),
            () = bounds.time_is_over() => Err(RunError::DurationLimit.into()),
            spool = Self::of(counted.boxed(), directory) => spool,
        }
    }

    /// Reads a stream to its end. What is too much for the memory goes into a file in `directory`.
    ///
    /// # Errors
    /// The stream's own, or the temporary file can't be written.
    pub(crate) async fn of(stream: ByteStream, directory: &Path) -> Result<Self> {
        let (mut hashed, sum) = Hashing::default().stream(stream, u64::MAX);
        let mut memory = BytesMut::new();
        let mut disk: Option<(NamedTempFile, tokio::fs::File)> = None;
        let mut size = 0;
        while let Some(chunk) = hashed.next().await {
            let chunk = chunk?;
            size += chunk.len() as u64;
            if disk.is_none() && memory.len() + chunk.len() > IN_MEMORY {
                let named = NamedTempFile::new_in(directory).map_err(cant_keep)?;
                let mut file = tokio::fs::File::from_std(named.reopen().map_err(cant_keep)?);
                file.write_all(&memory).await.map_err(cant_keep)?;
                memory = BytesMut::new();
                disk = Some((named, file));
            }
            match &mut disk {
                Some((_, file)) => file.write_all(&chunk).await.map_err(cant_keep)?,
                None => memory.extend_from_slice(&chunk),
            }
        }
        let kept = match disk {
            Some((named, mut file)) => {
                file.flush().await.map_err(cant_keep)?;
                Kept::Disk(named)
            }
            None => Kept::Memory(memory.freeze()),
        };
        let (_, sum) = sum.await.map_err(|_| StorageError::Canceled)?;
        Ok(Self { size, sum, kept })
    }
}

fn cant_keep(error: io::Error) -> StorageError {
    StorageError::io("write", "a temporary file", error)
}

#[async_trait]
impl Content for Spool {
    async fn open(&self) -> Result<ByteStream> {
        match &self.kept {
            Kept::Memory(bytes) => MemoryContent(bytes.clone()).open().await,
            Kept::Disk(file) => {
                let cant_read = |error| StorageError::io("read", "a temporary file", error);
                let file = tokio::fs::File::open(file.path()).await.map_err(cant_read)?;
                Ok(ReaderStream::with_capacity(file, CHUNK).map_err(cant_read).boxed())
            }
        }
    }
}

/// A stream that can be read once.
pub(crate) struct Once(Mutex<Option<ByteStream>>);

impl Once {
    pub(crate) fn new(stream: ByteStream) -> Self {
        Self(Mutex::new(Some(stream)))
    }
}

#[async_trait]
impl Content for Once {
    async fn open(&self) -> Result<ByteStream> {
        let mut stream = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stream.take().ok_or_else(|| {
            let why = "it was read already, and can't be read again; without --size it would have been kept";
            StorageError::io("read", "the standard input", io::Error::other(why))
        })
    }
}

/// Checks whether something may come on the standard input: a pipe or a file. What a terminal or a device such as
/// `/dev/null` gives isn't meant to be stored; a closed input is such a device, too.
pub(crate) fn is_fed() -> bool {
    #[cfg(unix)]
    {
        use std::os::{fd::AsFd as _, unix::fs::FileTypeExt as _};
        let stdin = io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from);
        stdin.and_then(|stdin| stdin.metadata()).is_ok_and(|there| !there.file_type().is_char_device())
    }
    #[cfg(not(unix))]
    {
        !io::IsTerminal::is_terminal(&io::stdin())
    }
}

/// The standard input.
pub(crate) fn standard_input() -> ByteStream {
    // A thread of its own, since a read may wait for ever; it ends when nobody listens any more.
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(CHUNKS_AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut chunk = vec![0; CHUNK];
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => {
                    chunk.truncate(length);
                    Ok(Bytes::from(chunk))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let ends = read.is_err();
            if sender.blocking_send(read).is_err() || ends {
                break;
            }
        }
    });
    let chunks =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    chunks.map_err(|error| StorageError::io("read", "the standard input", error)).boxed()
}

#[cfg(test)]
mod tests {
    use fichier_storage::collect;

    use super::*;

    #[tokio::test]
    async fn few_bytes_stay_in_memory_and_many_go_to_disk_and_both_come_back_as_often_as_wanted() {
        for (chunks, on_disk) in [(0, false), (1, false), (16, false), (17, true), (100, true)] {
            let whole: Vec<u8> = (0..chunks * CHUNK).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let parts: Vec<_> = whole.chunks(CHUNK).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
            let spool = Spool::of(stream::iter(parts).boxed(), &std::env::temp_dir()).await.unwrap();
            assert_eq!((spool.size, spool.sum), (whole.len() as u64, Whirlpool::of(&whole)));
            assert_eq!(matches!(spool.kept, Kept::Disk(_)), on_disk, "{chunks}");
            for _ in 0..2 {
                assert!(collect(spool.open().await.unwrap()).await.unwrap() == whole);
            }
        }
    }
}
