//! A file under way: beside its target under a name of its own, gone unless it gets whole.
//!
//! Killed at any moment, the program leaves the target as it was, or new and whole: the only step that
//! touches the target is a rename, after the bytes have reached the disk.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;

use super::paths::{reserve, shortened};

/// The longest name on the usual file systems.
const LONGEST_NAME: usize = 255;

/// Below this size a file isn't worth a call to set room aside.
const RESERVE_FROM: u64 = 1024 * 1024;

/// A partial file. Dropped before [`finish`](Self::finish) is through, it is removed.
#[derive(Debug)]
pub(super) struct Partial {
    file: fs::File,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    /// Starts a file of `size` bytes that shall become `target`.
    pub(super) fn create(target: &Path, size: u64) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        loop {
            let path = target.with_file_name(partial_name(name, rand::random()));
            // Never an existing file, nor through a link that somebody put there.
            match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let partial = Self { file, path, finished: false };
                    if size >= RESERVE_FROM {
                        reserve(&partial.file, size)?;
                    }
                    return Ok(partial);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        chunks.iter().try_for_each(|chunk| self.file.write_all(chunk))
    }

    /// Adds at most so many bytes of a file, from where it is read on; the kernel moves them. Answers how many.
    pub(super) fn copy(&mut self, from: &fs::File, most: u64) -> io::Result<u64> {
        let mut from = io::Read::take(from, most);
        io::copy(&mut from, &mut self.file)
    }

    /// Gives the whole file its time and its name.
    pub(super) fn finish(
        mut self,
        target: &Path,
        modified: Option<SystemTime>,
        sync: bool,
    ) -> io::Result<fs::Metadata> {
        if let Some(modified) = modified
            && let Err(error) = self.file.set_modified(modified)
        {
            tracing::warn!(path = %target.display(), "can't set the modification time: {error}");
        }
        if sync {
            self.file.sync_all()?;
        }
        let metadata = self.file.metadata()?;
        fs::rename(&self.path, target)?;
        self.finished = true;
        Ok(metadata)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), "can't remove a partial file: {error}");
        }
    }
}

/// The name of a partial file, in rclone's form, so that whoever knows it knows this one.
fn partial_name(name: &OsStr, random: u32) -> OsString {
    let suffix = format!(".{random:08x}.partial");
    let mut partial = shortened(name, LONGEST_NAME - suffix.len());
    partial.push(suffix);
    partial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_names_are_those_of_rclone_and_never_too_long() {
        assert_eq!(partial_name(OsStr::new("a.txt"), 0x72b8_2748), "a.txt.72b82748.partial");
        assert_eq!(partial_name(OsStr::new("b.tar.gz"), 0x0e1f), "b.tar.gz.00000e1f.partial");
        assert_eq!(partial_name(OsStr::new(&"n".repeat(255)), 1).len(), 255);
        let accents = partial_name(OsStr::new(&"é".repeat(127)), 1);
        assert!(accents.len() <= 255 && accents.to_str().is_some());
    }

    #[test]
    fn a_partial_file_is_gone_unless_it_got_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let count = || fs::read_dir(folder.path()).unwrap().count();

        let mut partial = Partial::create(&target, 3).unwrap();
        partial.write(&[Bytes::from_static(b"abc")]).unwrap();
        assert_eq!(count(), 1);
        drop(partial);
        assert_eq!(count(), 0);

        let mut partial = Partial::create(&target, 3).unwrap();
        partial.write(&[Bytes::from_static(b"abc")]).unwrap();
        partial.finish(&target, None, true).unwrap();
        assert_eq!((count(), fs::read(&target).unwrap()), (1, b"abc".to_vec()));

        // What can't take its place goes, too.
        fs::create_dir_all(folder.path().join("d/full")).unwrap();
        let partial = Partial::create(&folder.path().join("d"), 0).unwrap();
        assert!(partial.finish(&folder.path().join("d"), None, false).is_err());
        assert_eq!(count(), 2);
    }
}
