//! Converts between paths of the remote and paths of the system: the one place that knows how systems differ.
//!
//! - Unix: a name is bytes; they pass as they are, also when they are no UTF-8.
//! - macOS: names are UTF-8; composed and decomposed letters are kept as they come.
//! - Windows: names are UTF-16; paths get the `\\?\` prefix, behind which long paths, reserved names (`CON`)
//!   and trailing dots have no special meaning. Without the prefix such names are refused.
//!
//! A remote may hold a file of any name. Here each name becomes a single component of a path, or is refused: a name
//! that the chosen encoding turns into `..`, or into something with a separator, leads nowhere.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
};

use bstr::ByteSlice;
use fichier_encoding::{Encoding, QUOTE};
use fichier_storage::{InvalidName, Name, RemotePath, Result, StorageError};
use icu_normalizer::ComposingNormalizerBorrowed;

use super::confined::{Barred, RootFolder, Spot};

/// Returns the kind of what is now where a file was listed; `None`: a file.
pub(super) fn changed_into(there: &fs::Metadata) -> Option<&'static str> {
    match there.file_type() {
        kind if kind.is_file() => None,
        kind if kind.is_dir() => Some("(it is a directory now)"),
        kind if kind.is_symlink() => Some("(it is a symlink now)"),
        _ => Some("(it is neither a file nor a directory now)"),
    }
}

/// The longest path that is given to the system as it is. It takes 4,095 bytes, and names of partial files are longer.
const LONGEST_PATH: usize = 3800;

/// Which ways lead through symbolic links below the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// None.
    None,
    /// Those of who only looks: the user may have named one.
    ToLook,
    /// All.
    All,
}

/// A directory with the rules for the names in it.
#[derive(Debug)]
pub(super) struct Tree {
    root: RootFolder,
    encoding: Encoding,
    long_paths: bool,
    /// Whether names are listed in their composed form, however the disk has them.
    composed: bool,
    ways: Ways,
}

impl Tree {
    pub(super) fn new(root: &Path, encoding: Encoding, long_paths: bool) -> Self {
        // The working directory may change later. Where it is unknown, nothing else works either.
        let here = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let root = std::path::absolute(here).unwrap_or_else(|_| here.to_path_buf());
        let root = RootFolder::new(if long_paths { system::extended(root) } else { root });
        Self { root, encoding, long_paths, composed: false, ways: Ways::All }
    }

    /// Sets whether names are listed in their composed form.
    pub(super) fn composed(self, composed: bool) -> Self {
        Self { composed, ..self }
    }

    /// The same with these ways through links alone.
    pub(super) fn with_ways(self, ways: Ways) -> Self {
        Self { ways, ..self }
    }

    /// The same with a path in it that the user named.
    pub(super) fn with_named(self, named: &Path) -> Self {
        Self { root: self.root.with_named(named), ..self }
    }

    /// Whether whoever changes something follows links below the root.
    pub(super) fn changes_through_links(&self) -> bool {
        self.ways == Ways::All
    }

    /// Returns the directory itself, by its absolute path.
    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Where something is that is only looked at or read.
    ///
    /// # Errors
    /// The name isn't possible here, or a link is on the way that must not be followed.
    pub(super) fn locate(&self, path: &RemotePath) -> Result<Spot> {
        if self.ways == Ways::None {
            self.locate_to_change(path)
        } else {
            Ok(self.reached(self.named(path)?))
        }
    }

    /// Where something is, or will be, that is changed, made or removed. Its folder is open as long as the spot is there.
    ///
    /// # Errors
    /// As [`Tree::locate`].
    pub(super) fn locate_to_change(&self, path: &RemotePath) -> Result<Spot> {
        let whole = self.named(path)?;
        if self.ways == Ways::All {
            return Ok(self.reached(whole));
        }
        let names = self.below(&whole);
        match names.split_last() {
            Some((name, folders)) => Ok(self.open(path, folders)?.join(name)),
            // It is as the user named it.
            None => Ok(whole.into()),
        }
    }

    /// Does the same as [`Tree::locate`] for a folder whose contents are meant: no link is followed in its place,
    /// either.
    pub(super) fn enter(&self, folder: &RemotePath) -> Result<Spot> {
        if self.ways == Ways::None {
            self.enter_to_change(folder)
        } else {
            Ok(self.reached(self.named(folder)?))
        }
    }

    /// As [`Tree::locate_to_change`], for a folder whose content is meant.
    pub(super) fn enter_to_change(&self, folder: &RemotePath) -> Result<Spot> {
        let whole = self.named(folder)?;
        match self.ways {
            Ways::All => Ok(self.reached(whole)),
            Ways::None | Ways::ToLook => self.open(folder, &self.below(&whole)),
        }
    }

    /// A path that may lead through links. One that is longer than the system takes goes through the folder that holds it.
    fn reached(&self, whole: PathBuf) -> Spot {
        if whole.as_os_str().len() > LONGEST_PATH
            && let Some((name, folders)) = self.below(&whole).split_last()
            && let Ok(folder) = self.root.below(folders)
        {
            return folder.join(name);
        }
        whole.into()
    }

    /// Opens a folder on the way to a path.
    fn open(&self, path: &RemotePath, folders: &[OsString]) -> Result<Spot> {
        self.root.below(folders).map_err(|barred| {
            let whole = || folders.iter().fold(self.root().to_owned(), |path, name| path.join(name));
            match barred {
                Barred::Failed(error) => StorageError::unseen("reach", whole(), error),
                Barred::Link(_) if self.ways == Ways::None => {
                    let followed = io::Error::other(
                        "a symbolic link stands on the way, and with --links none is followed",
                    );
                    StorageError::unseen("reach", whole(), followed)
                }
                Barred::Link(depth) => {
                    let link = path.names().take(depth);
                    StorageError::BehindLink(link.fold(RemotePath::root(), |path, name| path.join(&name)))
                }
            }
        })
    }

    /// Returns the names on the way from the root.
    fn below(&self, whole: &Path) -> Vec<OsString> {
        let below = whole.strip_prefix(self.root()).unwrap_or(whole);
        below.components().map(|name| name.as_os_str().to_owned()).collect()
    }

    /// Returns the system's path for a path of the remote: for messages, and where it doesn't matter what is on the
    /// way.
    pub(super) fn named(&self, path: &RemotePath) -> Result<PathBuf> {
        let mut located = self.root().to_owned();
        for name in path.names() {
            let component = self.component(&name).map_err(|source| StorageError::BadName {
                folder: path.parent().unwrap_or_default(),
                source,
            })?;
            let foreign = self.foreign(&located, &name, &component);
            located.push(foreign.unwrap_or(component));
        }
        Ok(located)
    }

    fn component(&self, name: &Name) -> Result<OsString, InvalidName> {
        let stored = Name::new(self.encoding.from_standard(name.as_bytes()).into_owned())?;
        system::component(&stored, self.long_paths)
            .ok_or_else(|| InvalidName::Unusable(name.as_bytes().into()))
    }

    /// Returns the name of a file that the encoding would write in another way: with a character that it replaces, or
    /// in another form of a letter with an accent. (rclone lists such files, too, and then doesn't find them.) New
    /// names are written as the encoding says.
    fn foreign(&self, folder: &Path, name: &Name, stored: &OsStr) -> Option<OsString> {
        // A composed name may have another form on the disk.
        let other_form = self.composed && !name.as_bytes().is_ascii();
        let quoted = other_form || name.as_bytes().contains_str(QUOTE.encode_utf8(&mut [0; 4]));
        let plain = Name::new(Encoding::STANDARD.decode(name.as_bytes()).into_owned()).ok();
        let plain = plain
            .and_then(|plain| system::component(&plain, self.long_paths))
            .filter(|plain| plain != stored && self.name(plain).as_ref() == Ok(name));
        if (!quoted && plain.is_none()) || fs::symlink_metadata(folder.join(stored)).is_ok() {
            return None;
        }
        if plain.as_ref().is_some_and(|plain| fs::symlink_metadata(folder.join(plain)).is_ok()) {
            return plain;
        }
        fs::read_dir(folder).ok().filter(|_| quoted).and_then(|mut lines| {
            lines.find_map(|line| {
                Some(line.ok()?.file_name()).filter(|line| self.name(line).as_ref() == Ok(name))
            })
        })
    }

    /// Returns the remote's name for a name of the system.
    pub(super) fn name(&self, system: &OsStr) -> Result<Name, InvalidName> {
        let name = self.encoding.to_standard(&system::bytes(system)).into_owned();
        match std::str::from_utf8(&name) {
            Ok(text) if self.composed => {
                Name::new(ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned())
            }
            _ => Name::new(name),
        }
    }
}

/// Identity of a directory, whatever path leads there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity(system::Identity);

impl Identity {
    /// Returns the identity of what a path leads to, links followed.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        system::identity(path).map(Self)
    }

    /// Returns the identity as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        system::identity_bytes(&self.0)
    }
}

pub(super) use system::{
    FILE_IDENTITY, changed, fingerprint, flush_folder, is_at, is_fresh, is_link_of, link_target, make_link,
    may_share_file_system, open_for_going_on, open_for_reading, read_exact_at, rename_to_free_name, reserve,
    set_link_modified, shortened, special_kind, write_all_at,
};

/// Checks whether an error means that nothing is there: neither a name nor a way to it.
pub(super) fn is_missing(error: &io::Error) -> bool {
    // A path with too long a name can't exist either.
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

#[cfg(unix)]
mod system {
    use std::{
        borrow::Cow,
        ffi::{OsStr, OsString},
        fs, io,
        os::unix::{
            ffi::{OsStrExt, OsStringExt},
            fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt},
        },
        path::{Path, PathBuf},
        time::{Duration, SystemTime},
    };

    use fichier_storage::{Fingerprint, Name};
    use rustix::fs::OFlags;

    pub(super) type Identity = (u64, u64);

    pub(super) fn extended(path: PathBuf) -> PathBuf {
        path
    }

    #[expect(clippy::unnecessary_wraps, reason = "other systems refuse names")]
    pub(super) fn component(name: &Name, _long_paths: bool) -> Option<OsString> {
        Some(OsString::from_vec(name.as_bytes().to_vec()))
    }

    pub(super) fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
        Cow::Borrowed(name.as_bytes())
    }

    pub(super) fn identity(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
    }

    pub(super) fn identity_bytes((device, inode): &Identity) -> Vec<u8> {
        [device.to_be_bytes(), inode.to_be_bytes()].concat()
    }

    /// How many bytes of a fingerprint tell one file from others, whatever it holds: device and inode.
    pub(in super::super) const FILE_IDENTITY: u8 = 16;

    /// Device, inode, size, and the times of the last change of content and of anything: whoever sets the
    /// first back can't set back the second.
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    pub(in super::super) fn fingerprint(metadata: &fs::Metadata) -> Option<Fingerprint> {
        let mut bytes = Vec::with_capacity(56);
        for number in [metadata.dev(), metadata.ino(), metadata.size()] {
            bytes.extend(number.to_be_bytes());
        }
        for time in [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()] {
            bytes.extend(time.to_be_bytes());
        }
        Some(Fingerprint::new(bytes))
    }

    /// Returns what something is that is neither a file nor a directory, with its article.
    pub(in super::super) fn special_kind(kind: fs::FileType) -> &'static str {
        match kind {
            _ if kind.is_fifo() => "a named pipe",
            _ if kind.is_socket() => "a socket",
            _ if kind.is_block_device() || kind.is_char_device() => "a device",
            _ => "something special",
        }
    }

    /// Returns when anything about a file was changed.
    pub(in super::super) fn changed(metadata: &fs::Metadata) -> Option<SystemTime> {
        let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
        let nanos = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(seconds + nanos)
    }

    /// Returns the target of a link, as it is written in it.
    pub(in super::super) fn link_target(path: &Path) -> io::Result<Vec<u8>> {
        fs::read_link(path).map(|target| target.into_os_string().into_vec())
    }

    /// Makes a link.
    pub(in super::super) fn make_link(target: &[u8], at: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(OsStr::from_bytes(target), at)
    }

    /// Sets the time of a link itself.
    pub(in super::super) fn set_link_modified(path: &Path, time: SystemTime) -> io::Result<()> {
        use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(io::Error::other)?;
        let modified = Timespec {
            tv_sec: i64::try_from(since.as_secs()).map_err(io::Error::other)?,
            tv_nsec: since.subsec_nanos().into(),
        };
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: modified,
        };
        Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Checks whether a path lies on the file system of the nearest directory above another one that is there.
    pub(in super::super) fn may_share_file_system(there: &Path, not_yet: &Path) -> bool {
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
        let above = not_yet.ancestors().skip(1).find_map(device);
        device(there).zip(above).is_none_or(|(there, above)| there == above)
    }

    /// Checks whether a file was changed so recently that another change might not show in its times: the clock for
    /// file times ticks every 4 to 10 ms, on some disks every 2 s.
    pub(in super::super) fn is_fresh(metadata: &fs::Metadata, now: SystemTime) -> bool {
        let coarse = metadata.ctime_nsec() == 0 && metadata.mtime_nsec() == 0;
        let tick = Duration::from_millis(if coarse { 2000 } else { 10 });
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let settled = since_epoch.saturating_sub(tick);
        let settled =
            (i64::try_from(settled.as_secs()).unwrap_or(i64::MAX), i64::from(settled.subsec_nanos()));
        (metadata.ctime(), metadata.ctime_nsec()) > settled
    }

    /// Returns the beginning of a name, at most this many units long, no character cut in two.
    pub(in super::super) fn shortened(name: &OsStr, most: usize) -> OsString {
        let bytes = name.as_bytes();
        if bytes.len() <= most {
            return name.to_owned();
        }
        let starts_character = |at: &usize| bytes[*at] & 0xC0 != 0x80;
        let cut = (most.saturating_sub(3)..=most).rev().find(starts_character).unwrap_or(most);
        OsString::from_vec(bytes[..cut].to_vec())
    }

    /// Opens a file without waiting for the other end of a pipe, and a link in its place only if asked to.
    pub(in super::super) fn open_for_reading(path: &Path, follow: bool) -> io::Result<fs::File> {
        let flags = if follow { OFlags::NONBLOCK } else { OFlags::NONBLOCK | OFlags::NOFOLLOW };
        fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
    }

    /// Opens a file for reading and writing, and never what a link in its place leads to.
    pub(in super::super) fn open_for_going_on(path: &Path) -> io::Result<fs::File> {
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        fs::OpenOptions::new().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)
    }

    /// Checks whether an open file is the regular file at a path, and at no other.
    pub(in super::super) fn is_at(file: &fs::File, path: &Path) -> io::Result<bool> {
        let (open, there) = (file.metadata()?, fs::symlink_metadata(path)?);
        Ok(there.is_file() && there.nlink() == 1 && (open.dev(), open.ino()) == (there.dev(), there.ino()))
    }

    /// Checks whether two files are names of one file that has several.
    pub(in super::super) fn is_link_of(left: &fs::Metadata, right: &fs::Metadata) -> bool {
        left.is_file() && left.nlink() > 1 && (left.dev(), left.ino()) == (right.dev(), right.ino())
    }

    pub(in super::super) fn read_exact_at(file: &fs::File, bytes: &mut [u8], at: u64) -> io::Result<()> {
        FileExt::read_exact_at(file, bytes, at)
    }

    pub(in super::super) fn write_all_at(file: &fs::File, bytes: &[u8], at: u64) -> io::Result<()> {
        FileExt::write_all_at(file, bytes, at)
    }

    /// Writes the names in a directory to the disk.
    pub(in super::super) fn flush_folder(path: &Path) -> io::Result<()> {
        let flushed = fs::File::open(path).and_then(|folder| folder.sync_all());
        match flushed {
            // Some file systems have nothing to flush, and a directory may be writable but not readable.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                        | io::ErrorKind::PermissionDenied
                ) =>
            {
                Ok(())
            }
            flushed => flushed,
        }
    }

    /// Renames a file, unless something is at the new name already.
    pub(in super::super) fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            use rustix::{
                fs::{CWD, RenameFlags, renameat_with},
                io::Errno,
            };
            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                // The file system doesn't know the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                renamed => return Ok(renamed?),
            }
        }
        if fs::symlink_metadata(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }

    /// Reserves space, so that a full disk is noticed before the bytes are transferred.
    pub(in super::super) fn reserve(file: &fs::File, size: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::{
                fs::{FallocateFlags, fallocate},
                io::Errno,
            };
            match fallocate(file, FallocateFlags::KEEP_SIZE, 0, size) {
                Err(Errno::NOSPC) => Err(Errno::NOSPC.into()),
                // This is only a help: where it isn't available, the write itself will fail.
                _ => Ok(()),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _no_call_for_it = (file, size);
            Ok(())
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::{
        borrow::Cow,
        ffi::{OsStr, OsString},
        fs, io,
        path::{Path, PathBuf},
        time::SystemTime,
    };

    use fichier_storage::{Fingerprint, Name};

    use super::windows;

    pub(super) type Identity = PathBuf;

    pub(super) fn extended(path: PathBuf) -> PathBuf {
        path.to_str().map(|text| PathBuf::from(windows::extended(text))).unwrap_or(path)
    }

    pub(super) fn component(name: &Name, long_paths: bool) -> Option<OsString> {
        let text = std::str::from_utf8(name.as_bytes()).ok()?;
        windows::is_usable(text, long_paths).then(|| text.into())
    }

    pub(super) fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
        match name.to_string_lossy() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    pub(super) fn identity(path: &Path) -> io::Result<Identity> {
        fs::canonicalize(path)
    }

    pub(super) fn identity_bytes(identity: &Identity) -> Vec<u8> {
        identity.as_os_str().as_encoded_bytes().to_vec()
    }

    pub(in super::super) const FILE_IDENTITY: u8 = 0;

    /// None: what this system tells without opening the file doesn't name it surely enough.
    pub(in super::super) fn fingerprint(_metadata: &fs::Metadata) -> Option<Fingerprint> {
        None
    }

    /// Returns true: on this system only the attempt shows it.
    pub(in super::super) fn may_share_file_system(_there: &Path, _not_yet: &Path) -> bool {
        true
    }

    pub(in super::super) fn is_fresh(_metadata: &fs::Metadata, _now: SystemTime) -> bool {
        true
    }

    pub(in super::super) fn special_kind(_kind: fs::FileType) -> &'static str {
        "something special"
    }

    /// Returns `None`: this system doesn't say when anything about a file was changed.
    pub(in super::super) fn changed(_metadata: &fs::Metadata) -> Option<SystemTime> {
        None
    }

    /// Returns the target of a link, with slashes between the names.
    pub(in super::super) fn link_target(path: &Path) -> io::Result<Vec<u8>> {
        fs::read_link(path).map(|target| target.to_string_lossy().replace('\\', "/").into_bytes())
    }

    /// Makes a link.
    pub(in super::super) fn make_link(target: &[u8], at: &Path) -> io::Result<()> {
        let target = std::str::from_utf8(target).map_err(io::Error::other)?.replace('/', "\\");
        #[cfg(windows)]
        return std::os::windows::fs::symlink_file(target, at);
        #[cfg(not(windows))]
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("no link to {target} at {}", at.display()),
        ));
    }

    /// Does nothing: this system can't set the time of a link itself.
    pub(in super::super) fn set_link_modified(_path: &Path, _time: SystemTime) -> io::Result<()> {
        Ok(())
    }

    /// Returns the beginning of a name, at most this many units long, no character cut in two.
    pub(in super::super) fn shortened(name: &OsStr, most: usize) -> OsString {
        windows::shortened(&name.to_string_lossy(), most).into()
    }

    /// Returns false: renaming never leaves the old name here.
    pub(in super::super) fn is_link_of(_left: &fs::Metadata, _right: &fs::Metadata) -> bool {
        false
    }

    /// Opens a file, and a link in its place only if asked to.
    pub(in super::super) fn open_for_reading(path: &Path, follow: bool) -> io::Result<fs::File> {
        if !follow && fs::symlink_metadata(path)?.is_symlink() {
            return Err(io::Error::other("it is a symbolic link"));
        }
        fs::File::open(path)
    }

    /// Opens a file for reading and writing, and never what a link in its place leads to.
    pub(in super::super) fn open_for_going_on(path: &Path) -> io::Result<fs::File> {
        if fs::symlink_metadata(path)?.is_symlink() {
            return Err(io::Error::other("it is a symbolic link"));
        }
        fs::OpenOptions::new().read(true).write(true).open(path)
    }

    /// Checks whether a regular file is still at the path at which it was opened.
    pub(in super::super) fn is_at(file: &fs::File, path: &Path) -> io::Result<bool> {
        let (open, there) = (file.metadata()?, fs::symlink_metadata(path)?);
        let created = |metadata: &fs::Metadata| metadata.created().ok();
        Ok(there.is_file() && open.len() == there.len() && created(&open) == created(&there))
    }

    #[cfg(windows)]
    pub(in super::super) fn read_exact_at(
        file: &fs::File,
        mut bytes: &mut [u8],
        mut at: u64,
    ) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !bytes.is_empty() {
            match file.seek_read(bytes, at)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    bytes = &mut bytes[read..];
                    at += read as u64;
                }
            }
        }
        Ok(())
    }

    #[cfg(windows)]
    pub(in super::super) fn write_all_at(file: &fs::File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
        use std::os::windows::fs::FileExt;
        while !bytes.is_empty() {
            match file.seek_write(bytes, at)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => {
                    bytes = &bytes[written..];
                    at += written as u64;
                }
            }
        }
        Ok(())
    }

    /// Does nothing: Windows flushes names with the file.
    pub(in super::super) fn flush_folder(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    /// Renames a file, unless something is at the new name already.
    pub(in super::super) fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
        if fs::symlink_metadata(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }

    pub(in super::super) fn reserve(_file: &fs::File, _size: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Rules of Windows for names, as far as they are rules on text, so that they are tested everywhere.
#[cfg(any(not(unix), test))]
mod windows {
    /// Returns the form of an absolute path in which it may be long and no name has a special meaning.
    pub(super) fn extended(path: &str) -> String {
        if path.starts_with(r"\\?\") || path.starts_with(r"\\.\") {
            return path.to_owned();
        }
        if let Some(share) = path.strip_prefix(r"\\") {
            return format!(r"\\?\UNC\{share}");
        }
        let mut start = path.chars();
        match (start.next(), start.next(), start.next()) {
            (Some(drive), Some(':'), Some('\\')) if drive.is_ascii_alphabetic() => format!(r"\\?\{path}"),
            _ => path.to_owned(),
        }
    }

    /// Checks whether a name can be a component of a path and means a file there.
    pub(super) fn is_usable(name: &str, extended: bool) -> bool {
        let forbidden = |sign: char| sign < ' ' || r#"<>:"/\|?*"#.contains(sign);
        if name.is_empty() || name == "." || name == ".." || name.contains(forbidden) {
            return false;
        }
        extended || !(is_reserved(name) || name.ends_with(['.', ' ']))
    }

    /// Checks whether a name means a device, whatever its extension.
    fn is_reserved(name: &str) -> bool {
        let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_uppercase();
        if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
            return true;
        }
        let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
        number.is_some_and(|number| {
            let mut digits = number.chars();
            digits.next().is_some_and(|digit| "123456789¹²³".contains(digit)) && digits.next().is_none()
        })
    }

    pub(super) fn shortened(name: &str, most: usize) -> String {
        let mut room = most;
        name.chars()
            .take_while(|sign| match room.checked_sub(sign.len_utf16()) {
                Some(left) => {
                    room = left;
                    true
                }
                None => false,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_an_encoding_would_turn_into_places_are_refused() {
        let tree = Tree::new(Path::new("/root"), Encoding::NONE, true);
        for name in ["．．", "．", "a／b", "／", "．．／．．／etc"] {
            let path = RemotePath::parse(name).unwrap();
            assert!(matches!(tree.named(&path), Err(StorageError::BadName { .. })), "{name}");
        }
        let usual = Tree::new(Path::new("/root"), Encoding::LOCAL, true);
        assert_eq!(
            usual.named(&RemotePath::parse("．．／x").unwrap()).unwrap().parent(),
            Some(Path::new("/root"))
        );
    }

    #[test]
    fn names_that_windows_would_cut_are_written_as_the_encoding_says() {
        let folder = tempfile::tempdir().unwrap();
        let encoding = Encoding::LOCAL_UNIX | Encoding::RIGHT_SPACE | Encoding::RIGHT_PERIOD;
        let tree = Tree::new(folder.path(), encoding, true);
        for (name, stored) in [("a.", "a．"), ("a ", "a␠"), ("a.b", "a.b"), ("‛‛", "‛‛"), ("it‛s", "it‛s")]
        {
            let path = RemotePath::parse(name).unwrap();
            let located = tree.named(&path).unwrap();
            assert_eq!(located.file_name().unwrap(), stored, "{name:?}");
            fs::write(&located, "").unwrap();
            assert_eq!(tree.name(OsStr::new(stored)).unwrap(), path.name().unwrap(), "{name:?}");
            assert_eq!(tree.named(&path).unwrap(), located, "{name:?}");
        }
    }

    #[test]
    fn windows_paths_are_extended() {
        use super::windows::extended;
        assert_eq!(extended(r"C:\a\b"), r"\\?\C:\a\b");
        assert_eq!(extended(r"\\server\share\a"), r"\\?\UNC\server\share\a");
        assert_eq!(extended(r"\\?\C:\a"), r"\\?\C:\a");
        assert_eq!(extended(r"\\.\pipe\x"), r"\\.\pipe\x");
        assert_eq!(extended(r"a\b"), r"a\b");
    }

    #[test]
    fn windows_names_that_mean_something_else_are_known() {
        use super::windows::is_usable;
        for name in ["", ".", "..", "a\\b", "a:b", "C:", "file:stream", "a/b", "a\u{1}", "a?", "a|b"] {
            assert!(!is_usable(name, true) && !is_usable(name, false), "{name:?}");
        }
        for name in ["CON", "nul.txt", "Com1", "lpt9.tar.gz", "aux .x", "COM²", "a.", "a "] {
            assert!(is_usable(name, true) && !is_usable(name, false), "{name:?}");
        }
        for name in ["CONSOLE", "com", "com10", "com0", "a.b", " a", ".nul", "＜"] {
            assert!(is_usable(name, true) && is_usable(name, false), "{name:?}");
        }
    }

    #[test]
    fn names_are_shortened_between_characters() {
        assert_eq!(shortened(OsStr::new("abc"), 3), "abc");
        assert_eq!(shortened(OsStr::new("abcd"), 3), "abc");
        assert_eq!(shortened(OsStr::new("aé🦀"), 6), "aé");
        assert_eq!(super::windows::shortened("aé🦀x", 3), "aé");
        assert_eq!(super::windows::shortened("aé🦀x", 4), "aé🦀");
    }

    #[cfg(unix)]
    proptest! {
        #[test]
        fn a_path_never_leaves_the_root(name in prop::collection::vec(any::<u8>(), 1..12), bits in 0u64..1 << 29) {
            let tree = Tree::new(Path::new("/root"), Encoding::from_bits(bits), true);
            if let Ok(name) = Name::new(name)
                && let Ok(path) = tree.named(&RemotePath::root().join(&name))
            {
                let below: Vec<_> = path.strip_prefix("/root").unwrap().components().collect();
                prop_assert_eq!(below.len(), 1);
                prop_assert!(matches!(below[0], std::path::Component::Normal(_)));
            }
        }

        #[test]
        fn what_is_on_the_disk_is_found_again(bytes in prop::collection::vec(any::<u8>(), 1..12)) {
            if Name::new(bytes.clone()).is_ok() {
                found_again(&bytes);
            }
        }

        #[test]
        fn awkward_names_on_the_disk_are_found_again(text in "[‛．／␁a\u{1}é]{1,6}") {
            found_again(text.as_bytes());
        }
    }

    #[cfg(unix)]
    fn found_again(bytes: &[u8]) {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join(OsStr::from_bytes(bytes));
        fs::write(&disk, "").unwrap();
        let tree = Tree::new(folder.path(), Encoding::LOCAL_UNIX, true);
        let name = tree.name(OsStr::from_bytes(bytes)).unwrap();
        assert_eq!(tree.named(&RemotePath::root().join(&name)).unwrap(), disk);
    }
}
