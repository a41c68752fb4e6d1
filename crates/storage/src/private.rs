//! Files of ours that nobody else may read: they hold the names and links of an account.

use std::{fs, io, path::Path};

/// Makes a file that its owner alone may read and write, or makes one that is there so; directories that are missing
/// are made for their owner alone. What else lies beside it stays as it is.
///
/// # Errors
/// The file system refuses.
pub fn make_private(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg_attr(not(unix), expect(unused_variables, reason = "there are no such permissions"))]
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = file.metadata()?.permissions();
        // Of an earlier version. A file of somebody else's stays as it is.
        if permissions.mode() & 0o077 != 0
            && let Err(error) = file.set_permissions(fs::Permissions::from_mode(0o600))
        {
            tracing::debug!(path = %path.display(), "can't be made private: {error}");
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_owner_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = home.path().join("a/b/file");
        make_private(&path).unwrap();
        assert_eq!(
            (mode(&path), mode(&home.path().join("a/b")), mode(&home.path().join("a"))),
            (0o600, 0o700, 0o700)
        );
        let old = home.path().join("old");
        fs::write(&old, "kept").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();
        make_private(&old).unwrap();
        assert_eq!((mode(&old), fs::read_to_string(&old).unwrap().as_str()), (0o600, "kept"));
    }
}
