//! A file's new content, written beside it and put in its place in one step.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::make_directory;

/// The end of the names of new files before they take their place.
const NEW: &str = ".new";

/// How many links may follow each other; more are a circle.
const MOST_LINKS: usize = 40;

/// Replaces the content of a file of the program's own, or makes it: whoever reads it finds the old content or the new,
/// also after a power cut.
///
/// # Errors
/// The file system refuses. The old content stays.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_directory(directory_of(path))?;
    prepare(path, bytes)?.take_place(path)
}

/// The file that a path means in the end: links are followed, also one to a file that isn't there.
///
/// # Errors
/// It is a directory, the links make a circle, or the file system refuses.
pub fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => {
                let next = fs::read_link(&target)?;
                target = directory_of(&target).join(next);
            }
            Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The directory that a file is in.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The hidden file beside another one, with something behind its name.
#[must_use]
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = prefix(path);
    // `prefix` ends with the point that `end` begins with.
    name.push(end.trim_start_matches('.'));
    directory_of(path).join(name)
}

fn prefix(path: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name
}

/// Removes what a process left that was killed before its new file took its place. Only under the lock.
pub fn sweep(target: &Path) {
    let Ok(entries) = fs::read_dir(directory_of(target)) else { return };
    let prefix = prefix(target);
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(NEW.as_bytes()) {
            // It does no harm if it stays.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// New content that is on the disk and not yet in its place.
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
        // Allowed to root, who may well edit another's file; to others the file becomes theirs.
        drop(fchown(new, Some(old.uid()), Some(old.gid())));
    }
    new.set_permissions(fs::Permissions::from_mode(old.mode() & 0o600))
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_target: &Path, _new: &File) -> io::Result<()> {
    Ok(())
}

impl Prepared {
    /// Takes the file's place.
    ///
    /// # Errors
    /// The file system refuses. The old content stays.
    pub fn take_place(self, target: &Path) -> io::Result<()> {
        self.0.persist(target).map_err(|error| error.error)?;
        sync_directory(directory_of(target))
    }
}

/// The new name has to reach the disk, too.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some file systems know no such thing.
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
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
