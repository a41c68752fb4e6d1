//! A file that is being written: beside its target under a name of its own, and removed unless it gets whole or can be
//! continued.
//!
//! Killed at any moment, the program leaves the target as it was, or new and whole: the only step that touches the
//! target is a rename, after the bytes have reached the disk. With `--inplace` the file has the target's name from the
//! start, and the old version has another name until the new one is whole.
//!
//! A partial file is locked while a process writes to it, so that two runs never write to one.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use fichier_storage::Whirlpool;

use super::{
    confined::{Spot, shown},
    downloads::Downloads,
    ledger::{self, Ledger},
    paths::{is_at, open_for_going_on, rename_to_free_name, reserve, shortened},
};

/// Longest name in bytes on the usual file systems.
const LONGEST_NAME: usize = 255;

/// Size in bytes from which it is worth a call to reserve space for a file.
const RESERVE_FROM: u64 = 1024 * 1024;

/// Number and distance of the tries to lock a partial file that another task writes to. A try that was given up may
/// still have a write under way.
const CLAIMS: (u32, Duration) = (10, Duration::from_millis(20));

/// A partial file. Dropped before [`finish`](Self::finish) is through, it is removed unless it was marked to stay.
#[derive(Debug)]
pub(super) struct Partial {
    file: Arc<fs::File>,
    path: PathBuf,
    fate: Fate,
    /// Path of the target's old version while the new one has its name.
    old: Option<PathBuf>,
    /// Keeps the directory's handle open.
    _target: Spot,
}

/// What happens to a partial file when it is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Removed,
    Kept,
    Finished,
}

impl Partial {
    /// Starts a file of `size` bytes that will become `target`.
    pub(super) fn create(target: &Spot, size: u64, downloads: &Downloads) -> io::Result<Self> {
        let partial = if downloads.in_place {
            Self::in_place(target)?
        } else {
            let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
            let suffix = downloads.partial_suffix.as_str();
            let usual = target.with_file_name(usual_name(name, suffix));
            let names = || target.with_file_name(partial_name(name, rand::random(), suffix));
            let (file, path) = match own(&usual)? {
                Some(file) => (file, usual),
                None => create_new(names)?,
            };
            Self::new(file, path, target)
        };
        if downloads.reserve {
            partial.reserve(size)?;
        }
        Ok(partial)
    }

    /// Continues what an earlier run left of a file with this checksum, or starts one that can be continued. `None`:
    /// another process writes to it, or the file of its name isn't ours.
    pub(super) fn claim(
        target: &Spot,
        size: u64,
        expected: &Whirlpool,
        downloads: &Downloads,
    ) -> io::Result<Option<(Self, Ledger)>> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let [a, b, c, d, ..] = *expected.as_bytes();
        let tag = u32::from_be_bytes([a, b, c, d]);
        let path = target.with_file_name(partial_name(name, tag, &downloads.partial_suffix));
        let Some(file) = locked(&path)? else { return Ok(None) };
        let mut partial = Self::new(file, path, target);
        let length = partial.file.metadata()?.len();
        if length > 0 {
            // Whatever it is, it must not be removed before it is known to be ours.
            partial.fate = Fate::Kept;
            return Ok(Ledger::read(&partial.file, size, expected)?.map(|ledger| (partial, ledger)));
        }
        if downloads.reserve {
            partial.reserve(size)?;
        }
        let mut ledger = Ledger::new(size, downloads.piece);
        ledger.keep(&partial.file, expected)?;
        Ok(Some((partial, ledger)))
    }

    fn new(file: fs::File, path: PathBuf, target: &Spot) -> Self {
        Self { file: Arc::new(file), path, fate: Fate::Removed, old: None, _target: target.clone() }
    }

    /// Starts a file under its target's own name.
    fn in_place(target: &Spot) -> io::Result<Self> {
        let old = match fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            there => {
                there?;
                let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
                loop {
                    let aside = target.with_file_name(partial_name(name, rand::random(), ".old"));
                    match rename_to_free_name(target, &aside) {
                        Ok(()) => break Some(aside),
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        };
        match new_file(target) {
            Ok(file) => {
                let mut partial = Self::new(file, target.to_path_buf(), target);
                partial.old = old;
                Ok(partial)
            }
            Err(error) => {
                if let Some(old) = old {
                    fs::rename(old, target)?;
                }
                Err(error)
            }
        }
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        if size >= RESERVE_FROM { reserve(&self.file, size) } else { Ok(()) }
    }

    /// Adds bytes at the end.
    pub(super) fn write(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        chunks.iter().try_for_each(|chunk| (&*self.file).write_all(chunk))
    }

    /// Returns the file itself, to read what has been written.
    pub(super) fn file(&self) -> &Arc<fs::File> {
        &self.file
    }

    /// Sets whether the file stays when it is dropped before it is whole.
    pub(super) fn keep(&mut self, kept: bool) {
        self.fate = if kept { Fate::Kept } else { Fate::Removed };
    }

    /// Cuts off what follows the file's own bytes, which are on the disk before.
    pub(super) fn cut(&self, size: u64, sync: bool) -> io::Result<()> {
        if sync {
            self.file.sync_data()?;
        }
        self.file.set_len(size)
    }

    /// Adds at most this number of bytes of a file, from its present position; the kernel moves them. Returns how many.
    pub(super) fn copy(&mut self, from: &fs::File, most: u64) -> io::Result<u64> {
        let mut from = io::Read::take(from, most);
        io::copy(&mut from, &mut &*self.file)
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
            tracing::warn!(path = %shown(target).display(), "can't set the modification time: {error}");
        }
        if sync {
            self.file.sync_all()?;
        }
        let metadata = self.file.metadata()?;
        if self.path != target {
            fs::rename(&self.path, target)?;
        }
        self.fate = Fate::Finished;
        if let Some(old) = self.old.take() {
            fs::remove_file(old)?;
        }
        Ok(metadata)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.fate == Fate::Removed
            && let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %shown(&self.path).display(), "can't remove a partial file: {error}");
        }
        if let Some(old) = self.old.take()
            && let Err(error) = fs::rename(&old, &self.path)
        {
            tracing::error!(
                path = %shown(&self.path).display(),
                "can't give the old version its name back: {error}; it is {}", shown(&old).display(),
            );
        }
    }
}

/// Makes a file at the first name that is free, locked.
fn create_new(mut names: impl FnMut() -> PathBuf) -> io::Result<(fs::File, PathBuf)> {
    loop {
        let path = names();
        match new_file(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes a file and locks it: never an existing one, nor through a link that someone put there.
fn new_file(path: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    // The name is new and random: the lock only informs others, and some file systems have none.
    let _locked_or_not = file.try_lock();
    Ok(file)
}

/// Makes a file and locks it, or takes over and empties the one of a run that was killed. `None`: another process
/// writes to it, or it can't be excluded that one does.
fn own(path: &Path) -> io::Result<Option<fs::File>> {
    match new_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map(Some),
    }
    let Ok(file) = open_for_going_on(path) else { return Ok(None) };
    if file.try_lock().is_err() || !is_at(&file, path).unwrap_or(false) {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

/// Makes the file at a path, or opens it if it is there, and locks it. `None`: another process has it.
fn locked(path: &Path) -> io::Result<Option<fs::File>> {
    let (claims, pause) = CLAIMS;
    for _ in 0..claims {
        let made = fs::OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match open_for_going_on(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => return Ok(None),
            },
            made => made?,
        };
        match file.try_lock() {
            // The process that had it may have given it its final name meanwhile.
            Ok(()) if is_at(&file, path).unwrap_or(false) => return Ok(Some(file)),
            Err(fs::TryLockError::Error(_)) => return Ok(None),
            _ => std::thread::sleep(pause),
        }
    }
    Ok(None)
}

/// State of a file that looks like a partial one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// A process writes to it.
    Busy,
    /// No process writes to it, and it can be continued.
    Resting,
}

/// Checks whether a file is a partial one: by its name first, since that costs nothing, and then by a name that follows
/// from its target's, or by its contents, so that no file of the user's counts as one.
pub(super) fn state(path: &Path, suffix: &str) -> Option<State> {
    if !path.file_name().is_some_and(|name| is_partial_name(name, suffix)) {
        return None;
    }
    let file = open_for_going_on(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    match file.try_lock_shared() {
        Err(fs::TryLockError::WouldBlock) => Some(State::Busy),
        _ if path.file_name().is_some_and(|name| is_usual_name(name, suffix)) => Some(State::Resting),
        _ => ledger::ends(&file).unwrap_or(false).then_some(State::Resting),
    }
}

/// Returns the name of a partial file, in rclone's form, so that tools which know that form recognize it.
fn partial_name(name: &OsStr, tag: u32, suffix: &str) -> OsString {
    let suffix = format!(".{tag:08x}{suffix}");
    let mut partial = shortened(name, LONGEST_NAME - suffix.len());
    partial.push(suffix);
    partial
}

/// Returns the name of a partial file that can't be continued: it follows from its target's, so that the file is
/// recognized when the program was killed.
fn usual_name(name: &OsStr, suffix: &str) -> OsString {
    let stem = shortened(name, LONGEST_NAME - suffix.len() - TAG_LENGTH);
    partial_name(&stem, tag_of(stem.as_encoded_bytes()), suffix)
}

/// Checks whether a name is one that [`usual_name`] gives, with this suffix or the usual one.
fn is_usual_name(name: &OsStr, suffix: &str) -> bool {
    let name = name.as_encoded_bytes();
    [suffix, super::PARTIAL_SUFFIX].iter().any(|suffix| {
        let tagged = name.strip_suffix(suffix.as_bytes());
        let parts = tagged.and_then(|name| name.split_at_checked(name.len().checked_sub(TAG_LENGTH)?));
        parts.is_some_and(|(stem, tag)| format!(".{:08x}", tag_of(stem)).as_bytes() == tag)
    })
}

/// Length of a dot and a tag.
const TAG_LENGTH: usize = 9;

fn tag_of(stem: &[u8]) -> u32 {
    let sum = Whirlpool::of(&[b"fichier partial of ", stem].concat());
    let [a, b, c, d, ..] = *sum.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Checks whether a name is one that [`partial_name`] gives, with this suffix or the usual one.
fn is_partial_name(name: &OsStr, suffix: &str) -> bool {
    let name = name.as_encoded_bytes();
    [suffix, super::PARTIAL_SUFFIX].iter().any(|suffix| {
        let stem = name.strip_suffix(suffix.as_bytes());
        let tag = stem.and_then(|stem| stem.split_last_chunk::<9>());
        tag.is_some_and(|(rest, [dot, tag @ ..])| {
            !rest.is_empty()
                && *dot == b'.'
                && tag.iter().all(|sign| matches!(sign, b'0'..=b'9' | b'a'..=b'f'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{super::paths::write_all_at, *};

    #[test]
    fn partial_names_are_those_of_rclone_and_never_too_long() {
        let name = |name: &str, tag| partial_name(OsStr::new(name), tag, ".partial");
        assert_eq!(name("a.txt", 0x72b8_2748), "a.txt.72b82748.partial");
        assert_eq!(name("b.tar.gz", 0x0e1f), "b.tar.gz.00000e1f.partial");
        assert_eq!(name(&"n".repeat(255), 1).len(), 255);
        let accents = name(&"é".repeat(127), 1);
        assert!(accents.len() <= 255 && accents.to_str().is_some());
    }

    #[test]
    fn partial_names_are_known_and_others_are_not() {
        for name in ["a.0123abcd.partial", "a.b.ffffffff.part", ".x.00000000.partial"] {
            assert!(is_partial_name(OsStr::new(name), ".part"), "{name}");
        }
        for name in
            ["a.0123abcd.partia", ".0123abcd.partial", "a.0123ABCD.partial", "a.123abcd.partial", "a.partial"]
        {
            assert!(!is_partial_name(OsStr::new(name), ".part"), "{name}");
        }
    }

    #[test]
    fn what_a_killed_run_left_of_a_file_is_known_and_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let downloads = Downloads::default();
        for name in ["f", "a.tar.gz", &"n".repeat(LONGEST_NAME)] {
            let target = Spot::from(folder.path().join(name));
            let mut partial = Partial::create(&target, 3, &downloads).unwrap();
            partial.write(&[Bytes::from_static(b"a longer one")]).unwrap();
            let left = partial.path.clone();
            assert_eq!(state(&left, ".partial"), Some(State::Busy));
            // Another run at the same time has a file of its own.
            let other = Partial::create(&target, 3, &downloads).unwrap();
            assert_ne!(other.path, left);
            drop(other);
            partial.keep(true);
            drop(partial);
            assert_eq!(state(&left, ".partial"), Some(State::Resting));
            let mut partial = Partial::create(&target, 3, &downloads).unwrap();
            assert_eq!(partial.path, left);
            partial.write(&[Bytes::from_static(b"abc")]).unwrap();
            partial.finish(&target, None, false).unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"abc");
            assert!(!left.exists());
        }
        // A file of the user.
        let own = folder.path().join("f.0123abcd.partial");
        fs::write(&own, b"x").unwrap();
        assert_eq!(state(&own, ".partial"), None);
    }

    #[test]
    fn a_partial_file_is_gone_unless_it_got_whole() {
        let downloads = Downloads::default();
        let folder = tempfile::tempdir().unwrap();
        let target = Spot::from(folder.path().join("a"));
        let count = || fs::read_dir(folder.path()).unwrap().count();

        let mut partial = Partial::create(&target, 3, &downloads).unwrap();
        partial.write(&[Bytes::from_static(b"abc")]).unwrap();
        assert_eq!(count(), 1);
        drop(partial);
        assert_eq!(count(), 0);

        let mut partial = Partial::create(&target, 3, &downloads).unwrap();
        partial.write(&[Bytes::from_static(b"abc")]).unwrap();
        partial.finish(&target, None, true).unwrap();
        assert_eq!((count(), fs::read(&target).unwrap()), (1, b"abc".to_vec()));

        // A file that can't replace its target is removed, too.
        fs::create_dir_all(folder.path().join("d/full")).unwrap();
        let partial = Partial::create(&Spot::from(folder.path().join("d")), 0, &downloads).unwrap();
        assert!(partial.finish(&Spot::from(folder.path().join("d")), None, false).is_err());
        assert_eq!(count(), 2);
    }

    #[test]
    fn in_place_the_old_version_comes_back_unless_the_new_one_got_whole() {
        let downloads = Downloads { in_place: true, ..Downloads::default() };
        let folder = tempfile::tempdir().unwrap();
        let target = Spot::from(folder.path().join("a"));
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let begun = || {
            let mut partial = Partial::create(&target, 3, &downloads).unwrap();
            partial.write(&[Bytes::from_static(b"new")]).unwrap();
            partial
        };
        drop(begun());
        assert_eq!(names(), 0, "there was none, and there is none");
        fs::write(&target, "old").unwrap();
        let partial = begun();
        assert_eq!((names(), fs::read(&target).unwrap()), (2, b"new".to_vec()));
        drop(partial);
        assert_eq!((names(), fs::read(&target).unwrap()), (1, b"old".to_vec()));
        begun().finish(&target, None, true).unwrap();
        assert_eq!((names(), fs::read(&target).unwrap()), (1, b"new".to_vec()));
        fs::create_dir(folder.path().join("d")).unwrap();
        let error = Partial::create(&Spot::from(folder.path().join("d")), 1, &downloads).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_partial_file_belongs_to_one_at_a_time_and_foreign_files_are_left_alone() {
        let downloads = Downloads::default();
        let folder = tempfile::tempdir().unwrap();
        let (target, sum) = (Spot::from(folder.path().join("a")), Whirlpool::of(b"abc"));
        let claim = || Partial::claim(&target, 3, &sum, &downloads).unwrap();
        let (mut partial, mut ledger) = claim().unwrap();
        let path = partial.path.clone();
        assert_eq!(state(&path, ".partial"), Some(State::Busy));
        assert!(claim().is_none());
        write_all_at(partial.file(), b"ab", 0).unwrap();
        ledger.note(partial.file(), 0..2).unwrap();
        partial.keep(true);
        drop(partial);
        assert_eq!(state(&path, ".partial"), Some(State::Resting));
        let (partial, ledger) = claim().unwrap();
        assert_eq!(ledger.front(), 2);
        drop(partial);
        for foreign in ["", "a file of the user's"] {
            fs::write(&path, foreign).unwrap();
            assert_eq!(state(&path, ".partial"), None);
        }
        assert!(claim().is_none());
        assert_eq!(fs::read(&path).unwrap(), b"a file of the user's");
        #[cfg(unix)]
        {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
            assert!(claim().is_none());
            assert!(!folder.path().join("elsewhere").exists());
        }
    }
}
