//! Files that only their owner may read: they hold the names and links of an account.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

/// Opens a file for reading and writing that only its owner may read. The file and its directories are made if
/// missing.
///
/// # Errors
/// The path isn't a regular file, or the file system refuses.
pub fn open_private(path: &Path) -> io::Result<File> {
    regular(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), make_directory)?;
            options.open(path)?
        }
        opened => opened?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = file.metadata()?.permissions();
        // Made by an earlier version. A file of someone else stays as it is.
        if permissions.mode() & 0o077 != 0
            && let Err(error) = file.set_permissions(fs::Permissions::from_mode(0o600))
        {
            tracing::debug!(path = %path.display(), "can't be made private: {error}");
        }
    }
    Ok(file)
}

/// Makes a directory and those above it, for their owner only. An existing one stays as it is.
///
/// # Errors
/// The file system refuses.
pub fn make_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Reads a whole file of at most `most` bytes.
///
/// # Errors
/// The file doesn't exist, isn't regular, is larger, or the file system refuses.
pub fn read_small(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    regular(path)?;
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large; remove it"));
    }
    Ok(bytes)
}

/// Refuses what exists and isn't a regular file. Links are followed.
pub(crate) fn regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file; remove it"))
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_the_owner_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = home.path().join("a/b/file");
        drop(open_private(&path).unwrap());
        let (deep, above) = (home.path().join("a/b"), home.path().join("a"));
        assert_eq!((mode(&path), mode(&deep), mode(&above)), (0o600, 0o700, 0o700));
        let old = home.path().join("old");
        fs::write(&old, "kept").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();
        drop(open_private(&old).unwrap());
        assert_eq!((mode(&old), fs::read_to_string(&old).unwrap().as_str()), (0o600, "kept"));
    }

    #[test]
    fn pipes_devices_and_large_files_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let [pipe, zero, link] = ["pipe", "zero", "link"].map(|name| home.path().join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink("/dev/zero", &zero).unwrap();
        for path in [&pipe, &zero, &home.path().to_owned()] {
            assert_eq!(open_private(path).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path:?}");
            assert_eq!(read_small(path, 10).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
        fs::write(home.path().join("file"), "0123456789").unwrap();
        symlink("file", &link).unwrap();
        assert_eq!(read_small(&link, 10).unwrap(), b"0123456789");
        assert_eq!(read_small(&link, 9).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_small(&home.path().join("none"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
