//! Contents of files: in memory, in a directory, or computed.
//!
//! In a directory, content is written to `incoming/` while it comes in, and renamed into `blobs/` when it is whole.
//! The row that refers to it is committed after that. If the process dies in between, content is left that nothing
//! refers to; it costs space and nothing else. An acknowledged upload survives the death of the process at any
//! moment. To survive a power cut as well costs an fsync per file; that is the builder's `durable`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::checksum::{Checksums, Hasher};
use crate::error::EmulatorError;
use crate::links::random_code;
use crate::synthetic;

/// Size of a block of memory, in bytes.
const BLOCK: usize = 256 * 1024;

/// Age below which leftovers may still belong to a running process on the same directory.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3600);

/// A file that is younger may be on its way to its lock.
const JUST_MADE: Duration = Duration::from_secs(5);

type Blocks = Arc<Vec<Vec<u8>>>;

/// All contents that the service holds.
#[derive(Clone)]
pub(crate) struct Blobs {
    place: Place,
}

#[derive(Clone)]
enum Place {
    Memory(Arc<Mutex<HashMap<String, Blocks>>>),
    Directory { path: PathBuf, durable: bool },
}

/// Content that was stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) blob: String,
    pub(crate) size: u64,
    pub(crate) checksum: String,
}

impl Blobs {
    pub(super) fn memory() -> Self {
        Self { place: Place::Memory(Arc::default()) }
    }

    pub(super) fn directory(path: &Path, durable: bool) -> Result<Self, EmulatorError> {
        super::make_directory(&path.join("blobs"))?;
        super::make_directory(&path.join("incoming"))?;
        sweep(&path.join("incoming"));
        Ok(Self { place: Place::Directory { path: path.to_owned(), durable } })
    }

    /// Starts to write new content. Blocking.
    pub(crate) fn writer(&self, checksums: Checksums) -> io::Result<BlobWriter> {
        let blob = random_code(24);
        let sink = match &self.place {
            Place::Memory(blobs) => Sink::Memory { blobs: Arc::clone(blobs), blocks: Vec::new() },
            Place::Directory { path, durable } => {
                let temporary = path.join("incoming").join(&blob);
                let file = File::create_new(&temporary)?;
                // As long as this process lives, it isn't swept.
                let _ = file.try_lock();
                Sink::File {
                    file,
                    temporary: Temporary(Some(temporary)),
                    target: place_of(path, &blob),
                    durable: *durable,
                }
            }
        };
        Ok(BlobWriter { sink, blob, hasher: Hasher::new(checksums), size: 0 })
    }

    /// Opens content for reading. Blocking.
    pub(crate) fn reader(&self, blob: &str) -> io::Result<BlobReader> {
        if let Some(seed) = synthetic_seed(blob) {
            return Ok(BlobReader::Synthetic(seed));
        }
        match &self.place {
            Place::Memory(blobs) => {
                lock(blobs).get(blob).map(|blocks| BlobReader::Memory(Arc::clone(blocks))).ok_or_else(missing)
            }
            Place::Directory { path, .. } => Ok(BlobReader::File(File::open(place_of(path, blob))?)),
        }
    }

    /// Deletes content that nothing refers to.
    pub(crate) fn delete(&self, blob: &str) {
        if synthetic_seed(blob).is_some() {
            return;
        }
        match &self.place {
            Place::Memory(blobs) => {
                lock(blobs).remove(blob);
            }
            Place::Directory { path, .. } => {
                if let Err(error) = std::fs::remove_file(place_of(path, blob)) {
                    tracing::warn!(%error, blob, "cannot delete content that nothing refers to");
                }
            }
        }
    }

    /// Changes the byte at `offset`, as a failing disk of the service would.
    pub(crate) fn corrupt(&self, blob: &str, offset: u64) -> io::Result<()> {
        if synthetic_seed(blob).is_some() {
            return Err(io::Error::other("synthetic content can't be altered"));
        }
        match &self.place {
            Place::Memory(blobs) => {
                let mut blobs = lock(blobs);
                let blocks = Arc::make_mut(blobs.get_mut(blob).ok_or_else(missing)?);
                let offset = usize::try_from(offset).map_err(io::Error::other)?;
                let byte = blocks.get_mut(offset / BLOCK).and_then(|block| block.get_mut(offset % BLOCK));
                *byte.ok_or_else(missing)? ^= 0xff;
            }
            Place::Directory { path, .. } => {
                let mut file = File::options().read(true).write(true).open(place_of(path, blob))?;
                let mut byte = [0];
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(&mut byte)?;
                file.seek(SeekFrom::Start(offset))?;
                file.write_all(&[byte[0] ^ 0xff])?;
            }
        }
        Ok(())
    }
}

fn lock(blobs: &Mutex<HashMap<String, Blocks>>) -> MutexGuard<'_, HashMap<String, Blocks>> {
    blobs.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such content")
}

fn place_of(path: &Path, blob: &str) -> PathBuf {
    let (shelf, rest) = blob.split_at_checked(2).unwrap_or((blob, "_"));
    path.join("blobs").join(shelf).join(rest)
}

/// Returns the name of synthetic content.
pub(crate) fn synthetic_blob(seed: u64) -> String {
    format!("synthetic:{seed}")
}

fn synthetic_seed(blob: &str) -> Option<u64> {
    blob.strip_prefix("synthetic:")?.parse().ok()
}

/// Checks whether no process writes a file any more: its lock disappeared with the process. One that was just made may
/// not be locked yet.
fn is_left(path: &Path, age: Duration) -> bool {
    age > JUST_MADE && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Removes what crashed uploads left: files that no process has locked, and files that are too old to belong to one.
fn sweep(incoming: &Path) {
    let Ok(entries) = std::fs::read_dir(incoming) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
        if age.is_some_and(|age| age > LEFTOVER_AGE || is_left(&entry.path(), age)) {
            // Another process may have swept it in the meantime.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Path of a temporary file, which is removed on drop unless it was renamed.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

enum Sink {
    Memory { blobs: Arc<Mutex<HashMap<String, Blocks>>>, blocks: Vec<Vec<u8>> },
    File { file: File, temporary: Temporary, target: PathBuf, durable: bool },
}

/// Content that is being written and hashed. If it is dropped unfinished, it leaves nothing.
pub(crate) struct BlobWriter {
    sink: Sink,
    blob: String,
    hasher: Hasher,
    size: u64,
}

impl BlobWriter {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        match &mut self.sink {
            Sink::File { file, .. } => file.write_all(bytes),
            Sink::Memory { blocks, .. } => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    if blocks.last().is_none_or(|block| block.len() == BLOCK) {
                        blocks.push(Vec::with_capacity(rest.len().min(BLOCK)));
                    }
                    let Some(block) = blocks.last_mut() else { break };
                    let (now, later) = rest.split_at(rest.len().min(BLOCK - block.len()));
                    block.extend_from_slice(now);
                    rest = later;
                }
                Ok(())
            }
        }
    }

    /// Stores the content under its final name.
    pub(crate) fn finish(self) -> io::Result<Stored> {
        let checksum = self.hasher.finish();
        match self.sink {
            Sink::Memory { blobs, blocks } => {
                lock(&blobs).insert(self.blob.clone(), Arc::new(blocks));
            }
            Sink::File { file, mut temporary, target, durable } => {
                if durable {
                    file.sync_all()?;
                }
                let shelf = target.parent().unwrap_or(&target);
                std::fs::create_dir_all(shelf)?;
                if let Some(path) = &temporary.0 {
                    std::fs::rename(path, &target)?;
                }
                temporary.0 = None;
                if durable {
                    File::open(shelf)?.sync_all()?;
                }
            }
        }
        Ok(Stored { blob: self.blob, size: self.size, checksum })
    }
}

/// Content that is open for reading. It stays readable when the file is removed meanwhile.
pub(crate) enum BlobReader {
    Memory(Blocks),
    File(File),
    Synthetic(u64),
}

impl BlobReader {
    /// Fills `buffer` from `offset` on. It is an error if the content ends before.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(buffer)
            }
            Self::Synthetic(seed) => {
                synthetic::fill(*seed, offset, buffer);
                Ok(())
            }
            Self::Memory(blocks) => {
                let mut position = usize::try_from(offset).map_err(io::Error::other)?;
                let mut rest = buffer;
                while !rest.is_empty() {
                    let block = blocks.get(position / BLOCK).and_then(|block| block.get(position % BLOCK..));
                    let block = block.filter(|block| !block.is_empty()).ok_or_else(missing)?;
                    let take = block.len().min(rest.len());
                    let (now, later) = rest.split_at_mut(take);
                    now.copy_from_slice(&block[..take]);
                    position += take;
                    rest = later;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> (tempfile::TempDir, [Blobs; 2]) {
        let directory = tempfile::tempdir().unwrap();
        let on_disk = Blobs::directory(directory.path(), true).unwrap();
        (directory, [Blobs::memory(), on_disk])
    }

    #[test]
    fn what_was_written_is_read() {
        let (_directory, places) = places();
        for blobs in places {
            let mut content = vec![0; 3 * BLOCK + 77];
            synthetic::fill(1, 0, &mut content);
            let mut writer = blobs.writer(Checksums::Fast).unwrap();
            for piece in content.chunks(100_003) {
                writer.write(piece).unwrap();
            }
            let stored = writer.finish().unwrap();
            assert_eq!(stored.size, content.len() as u64);
            assert_eq!(stored.checksum, synthetic::whirlpool(1, stored.size));
            let reader = blobs.reader(&stored.blob).unwrap();
            for (from, to) in [(0, content.len()), (BLOCK - 5, BLOCK + 5), (content.len() - 1, content.len())]
            {
                let mut read = vec![0; to - from];
                reader.read_exact_at(&mut read, from as u64).unwrap();
                assert!(read == content[from..to]);
            }
            assert!(reader.read_exact_at(&mut [0; 2], stored.size - 1).is_err());
            blobs.corrupt(&stored.blob, 5).unwrap();
            let mut byte = [0];
            blobs.reader(&stored.blob).unwrap().read_exact_at(&mut byte, 5).unwrap();
            assert_ne!(byte[0], content[5]);
            blobs.delete(&stored.blob);
            assert!(blobs.reader(&stored.blob).is_err());
        }
    }

    #[test]
    fn an_unfinished_upload_leaves_nothing() {
        let (directory, [_, blobs]) = places();
        let mut writer = blobs.writer(Checksums::default()).unwrap();
        writer.write(b"half").unwrap();
        let incoming = directory.path().join("incoming");
        assert_eq!(std::fs::read_dir(&incoming).unwrap().count(), 1);
        drop(writer);
        assert_eq!(std::fs::read_dir(&incoming).unwrap().count(), 0);
    }

    #[test]
    fn only_old_leftovers_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let (old, young) = (directory.path().join("old"), directory.path().join("young"));
        File::create(&young).unwrap();
        let file = File::create(&old).unwrap();
        file.set_modified(SystemTime::now() - LEFTOVER_AGE - Duration::from_secs(60)).unwrap();
        let (left, busy) = (directory.path().join("left"), directory.path().join("busy"));
        let minute = SystemTime::now() - Duration::from_secs(60);
        File::create(&left).unwrap().set_modified(minute).unwrap();
        let writing = File::create(&busy).unwrap();
        writing.try_lock().unwrap();
        writing.set_modified(minute).unwrap();
        sweep(directory.path());
        assert!(young.exists() && busy.exists() && !old.exists() && !left.exists());
    }
}
