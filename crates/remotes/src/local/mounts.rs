//! Finds directories that are mounted at a second place, so that one directory has two paths.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use bstr::ByteSlice;

/// Mounts of the system.
#[derive(Debug, Default)]
pub(super) struct Mounts(Vec<Mount>);

/// Paths below a directory at which a part of some file system is mounted, maybe a single file. It has another path, too.
#[derive(Debug, Default)]
pub(super) struct Points(HashSet<PathBuf>);

impl Points {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one is at a path, as seen from the directory.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.0.contains(path)
    }
}

/// A directory of a file system, mounted at a place.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// Number of the file system's device.
    device: Vec<u8>,
    /// Path of the directory in the file system.
    root: PathBuf,
    /// Path where it is mounted.
    point: PathBuf,
}

impl Mounts {
    /// Reads what is mounted now. Where the system doesn't say, nothing counts as mounted twice.
    pub(super) fn now() -> Self {
        if cfg!(target_os = "linux") {
            Self::read(&fs::read("/proc/self/mountinfo").unwrap_or_default())
        } else {
            Self::default()
        }
    }

    /// Reads the lines of `mountinfo`: number, parent, device, directory, place, and more.
    fn read(text: &[u8]) -> Self {
        let mounts = text.lines().filter_map(|line| {
            let mut fields = line.split_str(" ").skip(2);
            let (device, root, point) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Mount { device: device.to_vec(), root: path(root)?, point: path(point)? })
        });
        Self(mounts.collect())
    }

    /// Returns where parts of file systems are mounted below a directory.
    pub(super) fn parts_below(&self, directory: &Path) -> Points {
        let Ok(real) = fs::canonicalize(directory) else { return Points::default() };
        let is_part = |mount: &&Mount| mount.root != Path::new("/");
        let below = self.0.iter().filter(is_part).filter_map(|mount| mount.point.strip_prefix(&real).ok());
        Points(below.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned).collect())
    }

    /// Returns the other paths of a directory on which a directory of some file system is mounted.
    pub(super) fn elsewhere(&self, directory: &Path) -> Vec<PathBuf> {
        // Of several mounts at one place, the last counts.
        let Some(mount) = self.0.iter().rev().find(|mount| mount.point == directory) else {
            return Vec::new();
        };
        let others = self.0.iter().filter(|other| other.device == mount.device && other.point != mount.point);
        others
            .filter_map(|other| Some(other.point.join(mount.root.strip_prefix(&other.root).ok()?)))
            .collect()
    }
}

/// Reads a path in which a blank, a tab, a line end and a backslash are written as octal numbers.
fn path(field: &[u8]) -> Option<PathBuf> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| byte == b'\\').and_then(|digits| digits.to_str().ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(number) => {
                plain.push(number);
                rest = &after[3..];
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    Some(plain.to_path().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_mounted_twice_is_found_at_its_other_place() {
        let text = b"20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            21 20 8:2 / /home rw - ext4 /dev/sda2 rw\n\
            22 20 8:2 /ada/a\\040b /mnt/x\\134y rw - ext4 /dev/sda2 rw\n\
            a line that means nothing\n";
        let mounts = Mounts::read(text);
        assert_eq!(mounts.elsewhere(Path::new("/mnt/x\\y")), [Path::new("/home/ada/a b")]);
        assert!(mounts.elsewhere(Path::new("/home/ada")).is_empty());
        // The whole can't be reached through a part.
        assert!(mounts.elsewhere(Path::new("/home")).is_empty());
    }
}
