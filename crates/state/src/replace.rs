//! Replacement of a file's content in one step: the new content is written beside it first.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::make_directory;

/// End of the names of new files before they replace the old ones.
const NEW: &str = ".new";

/// How many links may follow each other; more are taken for a circle.
const MOST_LINKS: usize = 40;

/// Replaces the content of one of the program's own files, or makes it. Readers find the old content or the new, also
/// after a power cut.
///
/// # Errors
/// The file system refuses. The old content stays.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_directory(directory_of(path))?;
    prepare(path, bytes)?.take_place(path)
}

/// Returns the file that a path leads to. Links are followed, also one to a file that doesn't exist.
///
/// # Errors
/// The path is a directory, a device, a pipe or a socket, the links form a circle, or the file system refuses.
pub fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => {
                let next = fs::read_link(&target)?;
                target = directory_of(&target).join(next);
            }
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            // A file in its place would take a device away from the whole machine.
            Ok(metadata) if !metadata.is_file() => {
                return Err(io::Error::other("it is a device, a pipe or a socket, not a file"));
            }
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Returns the directory that a file is in.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Returns the path of the hidden file beside another one, with `end` behind its name.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = prefix(path);
    // `prefix` ends with the dot that `end` begins with.
    name.push(end.trim_start_matches('.'));
    directory_of(path).join(name)
}

fn prefix(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name
}

/// Removes what a process left that was killed before its new file replaced the old one. To be called only under the
/// lock.
pub fn sweep(target: &Path) {
    let Ok(entries) = fs::read_dir(directory_of(target)) else { return };
    let prefix = prefix(target);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(NEW.as_bytes()) {
            // A file that stays does no harm.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// New content that is on the disk but not yet in its place.
#[derive(Debug)]
pub struct Prepared(TempPath);

/// Writes the new content of a file beside it.
///
/// # Errors
/// The file system refuses.
pub fn prepare(target: &Path, bytes: &[u8]) -> io::Result<Prepared> {
    let mut new = new_file(target)?;
    new.write_all(bytes)?;
    keep_owner_and_mode(target, new.as_file())?;
    new.as_file().sync_all()?;
    Ok(Prepared(new.into_temp_path()))
}

fn new_file(target: &Path) -> io::Result<NamedTempFile> {
    let prefix = prefix(target);
    // On Unix the file is its owner's alone from the start.
    tempfile::Builder::new().prefix(&prefix).suffix(NEW).tempfile_in(directory_of(target))
}

#[cfg(unix)]
fn keep_owner_and_mode(target: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let Ok(old) = fs::metadata(target) else { return Ok(()) };
    let made = new.metadata()?;
    if (old.uid(), old.gid()) != (made.uid(), made.gid()) {
        // Works for root, who may edit someone else's file; for others the file becomes their own.
        drop(fchown(new, Some(old.uid()), Some(old.gid())));
    }
    new.set_permissions(fs::Permissions::from_mode(old.mode() & 0o600))
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_target: &Path, _new: &File) -> io::Result<()> {
    Ok(())
}

impl Prepared {
    /// Replaces the file at `target` with the new content.
    ///
    /// # Errors
    /// The file system refuses. The old content stays.
    pub fn take_place(self, target: &Path) -> io::Result<()> {
        self.0.persist(target).map_err(|error| error.error)?;
        sync_directory(directory_of(target))
    }
}

/// Writes the new name to the disk, too.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems can't sync a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_content_takes_the_place_of_the_old_and_nothing_is_left_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/file");
        for text in ["old", "new"] {
            replace(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(directory_of(&path)).unwrap().count(), 1);
        replace(directory_of(&path), b"never").unwrap_err();
        assert_eq!(target_of(&path).unwrap(), path);
        if cfg!(unix) {
            assert!(target_of(Path::new("/dev/null")).unwrap_err().to_string().contains("a device"));
        }
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
