//! Reaches things on the disk through an open handle of the directory that holds them.
//!
//! Each call looks a path up again. Another user who may write into the tree can put a symbolic link where a directory
//! was, and the next call follows it. So with `--links`, where no link is ever followed, a directory is opened once, by
//! one call that refuses links on the way, and what is in it is named as seen from that handle: `/proc/self/fd/7/name`.
//! The ordinary calls of the standard library take such paths, and can't be redirected.
//!
//! Systems that have no `/proc`, and those that aren't Linux, look up whole paths.

use std::{
    ffi::OsString,
    io,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

use fichier_storage::StorageError;

/// Path of something on the disk. It keeps open the handle of the directory that the path goes through.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    path: PathBuf,
    folder: Option<Arc<system::Folder>>,
}

impl Spot {
    /// Opens a directory below another one; `names` is the way to it. No symbolic link is followed but on the way to
    /// `root`.
    ///
    /// # Errors
    /// A link is on the way, or in the directory's place.
    pub(super) fn folder(root: &Path, names: &[OsString]) -> Result<Self, StorageError> {
        let whole = || names.iter().fold(root.to_owned(), |path, name| path.join(name));
        match system::open(root, names) {
            system::Opened::Folder(folder, path) => Ok(Self { path, folder: Some(Arc::new(folder)) }),
            // If it is made meanwhile, it might be a link: so it stays missing.
            system::Opened::Missing => Ok(Self { path: system::missing(&whole()), folder: None }),
            system::Opened::Linked => {
                let followed =
                    io::Error::other("a symbolic link stands on the way, and with --links none is followed");
                Err(StorageError::unseen("reach", whole(), followed))
            }
            system::Opened::Failed(error) => Err(StorageError::unseen("reach", whole(), error)),
            system::Opened::Unable => Ok(Self::from(whole())),
        }
    }

    /// Returns the path of something in this directory.
    pub(super) fn join(&self, name: &OsString) -> Self {
        Self { path: self.path.join(name), folder: self.folder.clone() }
    }
}

impl From<PathBuf> for Spot {
    fn from(path: PathBuf) -> Self {
        Self { path, folder: None }
    }
}

impl Deref for Spot {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for Spot {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// Returns a path as messages name it: with the directory's present path instead of the handle.
pub(super) fn shown(path: &Path) -> PathBuf {
    system::shown(path).unwrap_or_else(|| path.to_owned())
}

/// Returns an error about a path.
pub(super) fn error_at(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> StorageError {
    StorageError::io(action, shown(path.as_ref()), source)
}

/// Returns an error about something that can't be looked into.
pub(super) fn unseen_at(action: &'static str, path: impl AsRef<Path>, source: io::Error) -> StorageError {
    StorageError::unseen(action, shown(path.as_ref()), source)
}

#[cfg(target_os = "linux")]
mod system {
    use std::{
        ffi::OsString,
        io,
        os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
        path::{Path, PathBuf},
    };

    use rustix::{
        fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2},
        io::Errno,
    };

    /// Directory where the system shows a process its handles.
    const HANDLES: &str = "/proc/self/fd";

    /// Path through a handle that never exists.
    const NONE: &str = "/proc/self/fd/-1";

    /// An open directory.
    pub(super) type Folder = OwnedFd;

    /// Result of opening a directory.
    pub(super) enum Opened {
        Folder(Folder, PathBuf),
        Missing,
        Linked,
        Failed(io::Error),
        Unable,
    }

    const FLAGS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    pub(super) fn open(root: &Path, names: &[OsString]) -> Opened {
        if !has_handles() {
            return Opened::Unable;
        }
        let opened = openat(CWD, root, FLAGS, Mode::empty()).and_then(|root| match names {
            [] => Ok(root),
            names => below(root.as_fd(), names),
        });
        match opened {
            Ok(folder) => {
                let path = Path::new(HANDLES).join(folder.as_raw_fd().to_string());
                Opened::Folder(folder, path)
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Opened::Missing,
            Err(Errno::LOOP | Errno::XDEV) => Opened::Linked,
            Err(error) => Opened::Failed(error.into()),
        }
    }

    /// Opens a directory below another one, in one call where the kernel knows it.
    fn below(root: BorrowedFd<'_>, names: &[OsString]) -> Result<OwnedFd, Errno> {
        let way: PathBuf = names.iter().collect();
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        loop {
            match openat2(root, &way, FLAGS, Mode::empty(), resolve) {
                // Something was renamed meanwhile.
                Err(Errno::AGAIN | Errno::INTR) => {}
                // Linux before 5.6, or a sandbox that doesn't know the call.
                Err(Errno::NOSYS | Errno::PERM) => return step_by_step(root, names),
                opened => return opened,
            }
        }
    }

    pub(super) fn step_by_step(root: BorrowedFd<'_>, names: &[OsString]) -> Result<OwnedFd, Errno> {
        let mut open = root.try_clone_to_owned().map_err(|_| Errno::MFILE)?;
        for name in names {
            // A link is opened itself and then isn't a directory.
            let flags = (FLAGS - OFlags::DIRECTORY) | OFlags::NOFOLLOW;
            let next = openat(&open, name, flags, Mode::empty())?;
            let there = rustix::fs::fstat(&next)?;
            match rustix::fs::FileType::from_raw_mode(there.st_mode) {
                rustix::fs::FileType::Directory => open = next,
                rustix::fs::FileType::Symlink => return Err(Errno::LOOP),
                _ => return Err(Errno::NOTDIR),
            }
        }
        Ok(open)
    }

    /// Checks whether paths can go through handles on this system.
    fn has_handles() -> bool {
        static KNOWN: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *KNOWN.get_or_init(|| Path::new(HANDLES).is_dir())
    }

    /// Returns a path at which nothing ever is, in place of this one.
    pub(super) fn missing(path: &Path) -> PathBuf {
        path.components().fold(PathBuf::from(NONE), |missing, component| match component {
            std::path::Component::Normal(name) => missing.join(name),
            _ => missing,
        })
    }

    pub(super) fn shown(path: &Path) -> Option<PathBuf> {
        if let Ok(rest) = path.strip_prefix(NONE) {
            return Some(Path::new("/").join(rest));
        }
        let rest = path.strip_prefix(HANDLES).ok()?;
        let mut names = rest.components();
        let folder = std::fs::read_link(Path::new(HANDLES).join(names.next()?)).ok()?;
        let rest = names.as_path();
        Some(if rest.as_os_str().is_empty() { folder } else { folder.join(rest) })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::{
        ffi::OsString,
        io,
        path::{Path, PathBuf},
    };

    pub(super) type Folder = std::convert::Infallible;

    #[expect(dead_code, reason = "as on Linux")]
    pub(super) enum Opened {
        Folder(Folder, PathBuf),
        Missing,
        Linked,
        Failed(io::Error),
        Unable,
    }

    pub(super) fn open(_root: &Path, _names: &[OsString]) -> Opened {
        Opened::Unable
    }

    pub(super) fn missing(path: &Path) -> PathBuf {
        path.to_owned()
    }

    pub(super) fn shown(_path: &Path) -> Option<PathBuf> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, os::fd::AsFd as _, os::unix::fs::symlink};

    use super::*;

    fn names(way: &str) -> Vec<OsString> {
        way.split('/').map(OsString::from).collect()
    }

    #[test]
    fn what_is_below_is_reached_and_links_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/f"), "text").unwrap();
        symlink("b", root.join("a/l")).unwrap();
        symlink("/", root.join("out")).unwrap();
        let spot = Spot::folder(&root, &names("a/b")).unwrap().join(&"f".into());
        assert_eq!(fs::read_to_string(&spot).unwrap(), "text");
        assert_eq!(shown(&spot), root.join("a/b/f"));
        for way in ["a/l", "out", "out/etc", ".."] {
            assert!(matches!(Spot::folder(&root, &names(way)), Err(StorageError::Unseen { .. })), "{way}");
        }
        // What was missing stays missing, whatever is put there.
        let missing = Spot::folder(&root, &names("new")).unwrap().join(&"f".into());
        symlink("a/b", root.join("new")).unwrap();
        assert_eq!(fs::read(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(shown(&missing), root.join("new/f"));
        // What was reached stays the same.
        fs::rename(root.join("a"), root.join("moved")).unwrap();
        symlink("/etc", root.join("a")).unwrap();
        assert_eq!(fs::read_to_string(&spot).unwrap(), "text");
        assert_eq!(shown(&spot), root.join("moved/b/f"));
    }

    #[test]
    fn kernels_without_the_call_go_step_by_step() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("f"), "text").unwrap();
        symlink("b", root.join("a/l")).unwrap();
        let open = fs::File::open(root).unwrap();
        let end = |way: &str| system::step_by_step(open.as_fd(), &names(way)).map(drop);
        assert!(end("a/b").is_ok());
        assert_eq!(end("a/l"), Err(rustix::io::Errno::LOOP));
        assert_eq!(end("f/x"), Err(rustix::io::Errno::NOTDIR));
        assert_eq!(end("none"), Err(rustix::io::Errno::NOENT));
    }
}
