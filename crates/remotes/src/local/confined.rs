//! Reaches things on the disk through an open handle of the directory that holds them.
//!
//! A path is looked up anew by each call that is given it. Whoever may write into the tree meanwhile can put a symbolic
//! link where a directory was, and the next call follows it. So where links aren't to be followed, a directory is opened
//! once, by one call that refuses links on the way, and what is in it is named as seen from that handle:
//! `/proc/self/fd/7/name`. The ordinary calls of the standard library take such paths, and can't be led away.
//!
//! Systems that have no `/proc`, and those that aren't Linux, look at each name on the way first.

use std::{
    ffi::OsString,
    fs, io,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use fichier_storage::StorageError;

/// Path of something on the disk. It keeps open the handle of the directory that the path goes through.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    path: PathBuf,
    folder: Option<Arc<system::Folder>>,
}

/// Why a directory isn't reached.
#[derive(Debug)]
pub(super) enum Barred {
    /// A symbolic link stands on the way, or in its place: so many names lead to it.
    Link(usize),
    Failed(io::Error),
}

/// What came of opening a directory.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there are no handles to go through"))]
enum Opened {
    Folder(Arc<system::Folder>),
    Missing,
    Linked,
    Failed(io::Error),
    /// Paths can't go through handles here.
    Unable,
}

/// The directory of a remote. No symbolic link is followed but on the way to it, or to what the user named in it.
#[derive(Debug)]
pub(super) struct RootFolder {
    root: Entrance,
    /// What of the tree the user named, seen from the root, with the directory that it leads to.
    named: Option<(Vec<OsString>, Entrance)>,
}

/// A directory that is reached by its path, and its handle once it is open.
#[derive(Debug)]
struct Entrance {
    path: PathBuf,
    open: Mutex<Option<Arc<system::Folder>>>,
    /// The folders below that somebody works in now: they needn't be opened again.
    in_use: Mutex<Vec<(Vec<OsString>, Weak<system::Folder>)>>,
}

impl RootFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { root: Entrance::new(path), named: None }
    }

    /// The same with a path in it that the user named, so that it is a way though it may be a link.
    pub(super) fn with_named(self, named: &Path) -> Self {
        let names: Vec<_> = named.components().map(|name| name.as_os_str().to_owned()).collect();
        let entrance = Entrance::new(self.path().join(named));
        Self { named: (!names.is_empty()).then_some((names, entrance)), ..self }
    }

    pub(super) fn path(&self) -> &Path {
        &self.root.path
    }

    /// A directory below; `names`: the way to it.
    ///
    /// # Errors
    /// A link stands on the way, or in the directory's place.
    pub(super) fn below(&self, names: &[OsString]) -> Result<Spot, Barred> {
        let from_named = self
            .named
            .as_ref()
            .and_then(|(named, entrance)| Some((entrance, names.strip_prefix(named.as_slice())?)));
        let (entrance, rest) = from_named.unwrap_or((&self.root, names));
        // Gone meanwhile, it was one of them.
        let link = || {
            let depth = first_link(&entrance.path, rest).unwrap_or(rest.len());
            Barred::Link(names.len() - rest.len() + depth)
        };
        let whole = || rest.iter().fold(entrance.path.clone(), |path, name| path.join(name));
        match entrance.open(rest) {
            Opened::Folder(folder) => Ok(Spot { path: system::path(&folder), folder: Some(folder) }),
            // Made meanwhile, it might be a link: so it stays what it is.
            Opened::Missing => Ok(Spot { path: system::missing(&whole()), folder: None }),
            Opened::Linked => Err(link()),
            Opened::Failed(error) => Err(Barred::Failed(error)),
            Opened::Unable if first_link(&entrance.path, rest).is_some() => Err(link()),
            Opened::Unable => Ok(Spot::from(whole())),
        }
    }
}

impl Entrance {
    fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::default(), in_use: Mutex::default() }
    }

    fn open(&self, names: &[OsString]) -> Opened {
        let in_use = || self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            in_use().iter().find(|(known, _)| known == names).and_then(|(_, folder)| folder.upgrade());
        if let Some(folder) = known {
            return Opened::Folder(folder);
        }
        let opened = self.open_anew(names);
        if let Opened::Folder(folder) = &opened {
            let mut in_use = in_use();
            in_use.retain(|(_, folder)| folder.strong_count() > 0);
            if !names.is_empty() {
                in_use.push((names.to_vec(), Arc::downgrade(folder)));
            }
        }
        opened
    }

    fn open_anew(&self, names: &[OsString]) -> Opened {
        let handle = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = handle().clone();
        if let Some(root) = known.filter(|_| !names.is_empty()) {
            match system::below(&root, names) {
                // It may be the root that has gone, and come again.
                Opened::Missing => {}
                opened => return opened,
            }
        }
        let root = match system::open(&self.path) {
            Opened::Folder(root) => root,
            other => return other,
        };
        *handle() = Some(root.clone());
        if names.is_empty() { Opened::Folder(root) } else { system::below(&root, names) }
    }
}

/// How many of the names lead to the first symbolic link.
fn first_link(root: &Path, names: &[OsString]) -> Option<usize> {
    let mut path = root.to_owned();
    let is_link = |name: &OsString| {
        path.push(name);
        fs::symlink_metadata(&path).is_ok_and(|there| there.is_symlink())
    };
    names.iter().position(is_link).map(|before| before + 1)
}

impl Spot {
    /// Something in this directory.
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
        os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
        path::{Path, PathBuf},
        sync::Arc,
    };

    use rustix::{
        fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2},
        io::Errno,
    };

    use super::Opened;

    /// Where the system shows a process its handles.
    const HANDLES: &str = "/proc/self/fd";

    /// Path through a handle that never exists.
    const NONE: &str = "/proc/self/fd/-1";

    /// The longest way that one call takes.
    const LONGEST_WAY: usize = 4000;

    /// An open directory.
    pub(super) type Folder = OwnedFd;

    const FLAGS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    /// Opens a directory, whatever is on the way to it.
    pub(super) fn open(root: &Path) -> Opened {
        if has_handles() { opened(openat(CWD, root, FLAGS, Mode::empty())) } else { Opened::Unable }
    }

    /// Opens a directory below another one.
    pub(super) fn below(root: &Folder, names: &[OsString]) -> Opened {
        let mut from = None;
        let mut rest = names;
        while !rest.is_empty() {
            let mut length = 0;
            let fits = |name: &&OsString| {
                length += name.len() + 1;
                length <= LONGEST_WAY
            };
            let (way, further) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            match step(from.as_ref().unwrap_or(root).as_fd(), way) {
                Ok(folder) => from = Some(folder),
                failed => return opened(failed),
            }
            rest = further;
        }
        match from {
            Some(folder) => Opened::Folder(Arc::new(folder)),
            None => opened(root.try_clone().map_err(|_| Errno::MFILE)),
        }
    }

    fn opened(opened: Result<OwnedFd, Errno>) -> Opened {
        match opened {
            Ok(folder) => Opened::Folder(Arc::new(folder)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Opened::Missing,
            Err(Errno::LOOP | Errno::XDEV) => Opened::Linked,
            Err(error) => Opened::Failed(error.into()),
        }
    }

    /// The path that leads through a handle.
    pub(super) fn path(folder: &Folder) -> PathBuf {
        Path::new(HANDLES).join(folder.as_raw_fd().to_string())
    }

    /// Opens a directory below another one, in one call where the kernel knows it.
    fn step(root: BorrowedFd<'_>, names: &[OsString]) -> Result<OwnedFd, Errno> {
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
        path::{Path, PathBuf},
    };

    use super::Opened;

    pub(super) type Folder = std::convert::Infallible;

    pub(super) fn open(_root: &Path) -> Opened {
        Opened::Unable
    }

    pub(super) fn below(root: &Folder, _names: &[OsString]) -> Opened {
        match *root {}
    }

    pub(super) fn path(folder: &Folder) -> PathBuf {
        match *folder {}
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
        let tree = RootFolder::new(root.clone());
        let spot = tree.below(&names("a/b")).unwrap().join(&"f".into());
        assert_eq!(fs::read_to_string(&spot).unwrap(), "text");
        assert_eq!(shown(&spot), root.join("a/b/f"));
        for way in ["a/l", "out", "out/etc", ".."] {
            assert!(matches!(tree.below(&names(way)), Err(Barred::Link(_))), "{way}");
        }
        // What isn't there stays away, whatever is put there.
        let missing = tree.below(&names("new")).unwrap().join(&"f".into());
        symlink("a/b", root.join("new")).unwrap();
        assert_eq!(fs::read(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(shown(&missing), root.join("new/f"));
        // What was reached stays the same.
        fs::rename(root.join("a"), root.join("moved")).unwrap();
        symlink("/etc", root.join("a")).unwrap();
        assert_eq!(fs::read_to_string(&spot).unwrap(), "text");
        assert_eq!(shown(&spot), root.join("moved/b/f"));
        // What the user named is a way, and what is in it is none.
        symlink("moved", root.join("named")).unwrap();
        let named = RootFolder::new(root.clone()).with_named(Path::new("named"));
        assert_eq!(shown(&named.below(&names("named/b")).unwrap()), root.join("moved/b"));
        assert!(matches!(named.below(&names("named/l")), Err(Barred::Link(2))));
        assert!(matches!(named.below(&names("out/etc")), Err(Barred::Link(1))));
        // Another root in the place of the first one is the root now.
        fs::rename(&root, root.with_extension("old")).unwrap();
        fs::create_dir_all(root.join("again")).unwrap();
        let again = tree.below(&names("again")).unwrap();
        assert_eq!(shown(&again), root.join("again"));
        fs::remove_dir_all(root.with_extension("old")).unwrap();
    }

    #[test]
    fn a_tree_may_be_deeper_than_a_path_is_long() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootFolder::new(directory.path().to_owned());
        let name = OsString::from("n".repeat(200));
        let mut way = Vec::new();
        for _ in 0..45 {
            let folder = tree.below(&way).unwrap();
            fs::create_dir(folder.join(&name)).unwrap();
            way.push(name.clone());
        }
        fs::write(tree.below(&way).unwrap().join(&"f".into()), "text").unwrap();
        while let Some(name) = way.pop() {
            let _file = fs::remove_file(tree.below(&way).unwrap().join(&name).join(&"f".into()));
            fs::remove_dir(tree.below(&way).unwrap().join(&name)).unwrap();
        }
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
