//! Reads a file as a stream.
//!
//! Nothing is opened before the first byte is asked for, since whole batches of files wait for their turn. A small file
//! takes one visit to the disk: open, read and check.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use fichier_storage::{ByteRange, ByteStream, File, RemotePath, Result, StorageError};
use futures::{StreamExt, stream};

use super::{
    buffer_pool::Reused,
    confined::error_at,
    links::{self, Seat},
    options::{LinkPolicy, TimeType},
    paths::{changed_into, is_missing, open_for_reading},
    root::{Root, at_disk},
};

/// Number of bytes that are read at once.
const CHUNK: u64 = 256 * 1024;

/// Streams the bytes of a file in a range, as they are asked for.
pub(super) fn stream(place: &Arc<Root>, file: &File, range: ByteRange) -> Result<ByteStream> {
    if let Seat::Link(_) = links::seat(place, &file.path)? {
        return Ok(links::stream(place, file, range));
    }
    let source = Source {
        place: place.clone(),
        path: file.path.clone(),
        size: file.size,
        // Reading changes the other times.
        modified: file.modified.filter(|_| place.options.time == TimeType::Modified),
        check: place.options.check_updated,
    };
    let left = range.length(file.size);
    let buffers = (left > CHUNK).then(|| place.buffer_pool.clone());
    let reader = Reader { source, handle: None, position: range.start, left, buffers };
    let chunks = stream::try_unfold(Some(reader), |reader| async move {
        let Some(reader) = reader else { return Ok(None) };
        let (chunk, reader) = at_disk(move || reader.next()).await?;
        Ok((!chunk.is_empty()).then_some((chunk, reader)))
    });
    Ok(chunks.boxed())
}

/// Opens a regular file, and nothing else, for reading.
pub(super) fn open(path: &RemotePath, system: &Path, follow: bool) -> Result<(fs::File, fs::Metadata)> {
    let changed = |what| StorageError::SourceChanged { path: path.clone(), what };
    let failed = |error| match error {
        error if is_missing(&error) => StorageError::FileNotFound(path.clone()),
        error => match fs::symlink_metadata(system).ok().as_ref().and_then(changed_into) {
            Some(what) if !follow => changed(what),
            _ => error_at("read", system, error),
        },
    };
    let handle = open_for_reading(system, follow).map_err(failed)?;
    let metadata = handle.metadata().map_err(failed)?;
    match changed_into(&metadata) {
        Some(what) => Err(changed(what)),
        None => Ok((handle, metadata)),
    }
}

/// File as it was seen.
#[derive(Debug)]
struct Source {
    place: Arc<Root>,
    path: RemotePath,
    size: u64,
    modified: Option<SystemTime>,
    check: bool,
}

impl Source {
    fn open(&self) -> Result<(fs::File, fs::Metadata)> {
        // The file is opened only now: a handle for each file that waits for its turn would be too many.
        let system = self.place.tree.locate(&self.path)?;
        open(&self.path, &system, self.place.options.links == LinkPolicy::Follow)
    }

    fn failed(&self, error: io::Error) -> StorageError {
        let named = self.place.tree.named(&self.path);
        named.map_or_else(|wrong| wrong, |system| error_at("read", system, error))
    }

    /// Checks whether the file is still the one that was seen.
    fn unchanged(&mut self, now: &fs::Metadata) -> Result<()> {
        if !self.check {
            return Ok(());
        }
        if now.len() != self.size {
            return Err(self.changed("(size changed while it was read)"));
        }
        let modified = now.modified().ok();
        if self.modified.is_some() && modified != self.modified {
            return Err(self.changed("(modification time changed while it was read)"));
        }
        self.modified = modified;
        Ok(())
    }

    fn changed(&self, what: &'static str) -> StorageError {
        StorageError::SourceChanged { path: self.path.clone(), what }
    }

    /// Returns the error that the file has ended too early.
    fn too_short(&self, actual: u64) -> StorageError {
        match self.check {
            true => self.changed("(it became shorter while it was read)"),
            false => StorageError::SizeMismatch { path: self.path.clone(), expected: self.size, actual },
        }
    }
}

#[derive(Debug)]
struct Reader {
    source: Source,
    handle: Option<fs::File>,
    position: u64,
    left: u64,
    /// Pool of buffers; `None`: the file is read at once.
    buffers: Option<Reused>,
}

impl Reader {
    fn share(&self, chunk: Vec<u8>) -> Bytes {
        match &self.buffers {
            Some(buffers) => buffers.share(chunk),
            None => chunk.into(),
        }
    }

    /// Returns the next bytes, and the reader unless they were the last.
    fn next(mut self) -> Result<(Bytes, Option<Self>)> {
        let mut handle = match self.handle.take() {
            Some(handle) => handle,
            None => {
                let (mut handle, metadata) = self.source.open()?;
                self.source.unchanged(&metadata)?;
                if self.left > 0 {
                    handle.seek(SeekFrom::Start(self.position)).map_err(|error| self.source.failed(error))?;
                }
                handle
            }
        };
        let wanted = self.left.min(CHUNK);
        let capacity = usize::try_from(wanted).unwrap_or_default();
        let mut chunk = match &self.buffers {
            Some(buffers) => buffers.buffer(capacity),
            None => Vec::with_capacity(capacity),
        };
        (&mut handle).take(wanted).read_to_end(&mut chunk).map_err(|error| self.source.failed(error))?;
        let read = chunk.len() as u64;
        self.position += read;
        self.left -= read;
        if read < wanted {
            return Err(self.source.too_short(self.position));
        }
        if self.left == 0 {
            let metadata = handle.metadata().map_err(|error| self.source.failed(error))?;
            self.source.unchanged(&metadata)?;
            return Ok((self.share(chunk), None));
        }
        self.handle = Some(handle);
        Ok((self.share(chunk), Some(self)))
    }
}
