//! Whether something can be mounted on a directory.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use crate::{MountError, Result};

/// What the kernel says of a mount whose program has ended: `ENOTCONN`.
fn is_stale(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOTCONN.raw_os_error())
}

/// Checks that something can be mounted on a directory, and returns its path without links.
pub(crate) fn check(directory: &Path, allow_non_empty: bool) -> Result<PathBuf> {
    let shown = || directory.to_owned();
    let refused = |error: io::Error| match error.kind() {
        _ if is_stale(&error) => MountError::Stale(shown()),
        io::ErrorKind::NotFound => MountError::NoDirectory(shown()),
        _ => MountError::Refused { directory: shown(), source: error },
    };
    let metadata = fs::metadata(directory).map_err(refused)?;
    if !metadata.is_dir() {
        return Err(MountError::NotDirectory(shown()));
    }
    let path = directory.canonicalize().map_err(refused)?;
    if allow_non_empty {
        return Ok(path);
    }
    let table = fs::read("/proc/self/mountinfo").unwrap_or_default();
    if mounts(&table).any(|mount| mount == path) {
        return Err(MountError::AlreadyMounted(shown()));
    }
    match fs::read_dir(&path).map_err(refused)?.next() {
        None => Ok(path),
        Some(Ok(_)) => Err(MountError::NotEmpty(shown())),
        Some(Err(error)) => Err(refused(error)),
    }
}

/// Returns the directories on which something is mounted, but for those that `autofs` waits at.
fn mounts(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    table.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let path = fields.nth(4)?;
        // The kind follows a dash, behind any number of fields.
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        (kind != b"autofs").then(|| PathBuf::from(OsString::from_vec(unescaped(path))))
    })
}

/// Replaces the kernel's octal escapes of blanks and the like.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| first == b'\\');
        let value = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match value {
            Some(byte) => {
                plain.push(byte);
                rest = &behind[3..];
            }
            None => {
                plain.push(first);
                rest = behind;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mounts_is_read() {
        let table = b"22 1 0:21 / /proc rw shared:5 - proc proc rw\n\
            30 1 0:30 / /mnt/a\\040b rw,nosuid - fuse.fichier x: rw\n\
            31 1 0:31 / /auto rw - autofs y rw\nnonsense\n";
        let found: Vec<_> = mounts(table).collect();
        assert_eq!(found, [PathBuf::from("/proc"), PathBuf::from("/mnt/a b")]);
    }

    #[test]
    fn a_directory_must_be_there_and_empty() {
        let home = tempfile::tempdir().unwrap();
        let missing = home.path().join("missing");
        assert!(matches!(check(&missing, false), Err(MountError::NoDirectory(_))));
        assert!(check(home.path(), false).is_ok());
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(check(&file, false), Err(MountError::NotDirectory(_))));
        assert!(matches!(check(home.path(), false), Err(MountError::NotEmpty(_))));
        assert!(check(home.path(), true).is_ok());
        assert!(matches!(check(Path::new("/proc"), false), Err(MountError::AlreadyMounted(_))));
    }
}
