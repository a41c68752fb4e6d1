//! Metadata of a file or directory beside name and size, under rclone's keys: the owner, the mode, the times, and the
//! extended attributes `user.…`, each under the rest of its name.

use std::{
    fs, io,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use fichier_storage::{File, RemotePath, Result, StorageError, metadata::Metadata};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    confined::{error_at, shown},
    links::{self, Seat},
    options::LinkPolicy,
    paths::is_missing,
    root::Root,
};

/// Keys that aren't extended attributes.
const OF_THE_SYSTEM: [&str; 7] = ["atime", "btime", "gid", "mode", "mtime", "rdev", "uid"];

/// Returns the metadata of a file, in the order of its keys.
pub(super) fn of(place: &Root, file: &File) -> Result<Metadata> {
    let (path, is_link) = match links::seat(place, &file.path)? {
        Seat::Itself(path) => (path, false),
        Seat::Link(path) => (path, true),
    };
    let metadata = if is_link { fs::symlink_metadata(&path) } else { fs::metadata(&path) };
    let metadata = metadata.map_err(|error| error_at("look at", &path, error))?;
    // A link itself has no attributes that users set.
    all(&path, &metadata, !is_link)
}

/// Returns the metadata of a directory, in the order of its keys.
pub(super) fn of_folder(place: &Root, folder: &RemotePath) -> Result<Metadata> {
    let path = place.tree.enter(folder)?;
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => all(&path, &metadata, true),
        Ok(_) => Err(StorageError::IsAFile(folder.clone())),
        Err(error) if is_missing(&error) => Err(StorageError::FolderNotFound(folder.clone())),
        Err(error) => Err(error_at("look at", &path, error)),
    }
}

fn all(path: &Path, metadata: &fs::Metadata, with_attributes: bool) -> Result<Metadata> {
    let mut values = Vec::new();
    for (key, time) in
        [("atime", metadata.accessed()), ("btime", metadata.created()), ("mtime", metadata.modified())]
    {
        // Not every file system keeps all of them.
        if let Ok(time) = time {
            values.push((key.to_owned(), written(time)));
        }
    }
    values.extend(of_unix(metadata));
    if with_attributes {
        let attributes =
            attributes::read(path).map_err(|error| error_at("read the attributes of", path, error))?;
        values.extend(attributes.into_iter().filter(|(key, _)| !OF_THE_SYSTEM.contains(&key.as_str())));
    }
    values.sort();
    values.dedup_by(|later, first| later.0 == first.0);
    Ok(values)
}

#[cfg(unix)]
fn of_unix(metadata: &fs::Metadata) -> Metadata {
    use std::os::unix::fs::MetadataExt as _;
    vec![
        ("mode".to_owned(), format!("{:o}", metadata.mode())),
        ("uid".to_owned(), metadata.uid().to_string()),
        ("gid".to_owned(), metadata.gid().to_string()),
    ]
}

#[cfg(not(unix))]
fn of_unix(_metadata: &fs::Metadata) -> Metadata {
    Vec::new()
}

/// Formats a time as in `2006-01-02T15:04:05.999999999Z`, in the zone of the system.
fn written(time: SystemTime) -> String {
    let stamp = Timestamp::try_from(time).or_else(|_| Timestamp::try_from(UNIX_EPOCH)).unwrap_or_default();
    let local = stamp.to_zoned_datetime(TimeZone::system());
    local.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string().replace("+00:00", "Z")
}

/// Sets the metadata of a directory.
pub(super) fn set_of_folder(place: &Root, folder: &RemotePath, metadata: &Metadata) -> Result<()> {
    // On other systems a directory can't be opened like a file.
    if cfg!(not(unix)) {
        return Ok(());
    }
    let path = place.tree.enter_to_change(folder)?;
    if place.options.links == LinkPolicy::Translate {
        links::refuse_on_the_way(place, folder)?;
    }
    let failed = |error: io::Error| match is_missing(&error) {
        true => StorageError::FolderNotFound(folder.clone()),
        false => error_at("set the metadata of", &path, error),
    };
    let handle = fs::File::open(&path).map_err(failed)?;
    set(&handle, &path, metadata, place.options.special_bits);
    match modified(metadata).filter(|_| place.options.set_modified) {
        Some(time) => handle.set_modified(time).map_err(failed),
        None => Ok(()),
    }
}

/// Returns the modification time in metadata.
pub(super) fn modified(metadata: &Metadata) -> Option<SystemTime> {
    time(metadata, "mtime")
}

/// Sets the metadata of an open file or directory, except its modification time, which comes last. What can't be set is
/// reported, and the rest is set.
pub(super) fn set(handle: &fs::File, path: &Path, metadata: &Metadata, special_bits: bool) {
    if metadata.is_empty() {
        return;
    }
    for (key, value) in metadata {
        if OF_THE_SYSTEM.contains(&key.as_str()) {
            continue;
        }
        if let Err(error) = attributes::write(handle, key, value) {
            tracing::warn!(path = %shown(path).display(), "can't set the attribute user.{key}: {error}");
        }
    }
    // A new owner takes away special bits of the mode, so that comes after.
    set_owner(handle, path, metadata);
    set_mode(handle, path, metadata, special_bits);
    if let Some(accessed) = time(metadata, "atime")
        && let Err(error) = handle.set_times(fs::FileTimes::new().set_accessed(accessed))
    {
        tracing::warn!(path = %shown(path).display(), "can't set the time of the last access: {error}");
    }
}

fn value<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a str> {
    metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

fn time(metadata: &Metadata, key: &str) -> Option<SystemTime> {
    value(metadata, key)?.parse::<Timestamp>().ok()?.try_into().ok()
}

#[cfg(unix)]
fn set_owner(handle: &fs::File, path: &Path, metadata: &Metadata) {
    let Ok(now) = handle.metadata() else { return };
    change_owner(&now, path, metadata, |user, group| std::os::unix::fs::fchown(handle, user, group));
}

/// Sets the owner of a symbolic link itself.
#[cfg(unix)]
pub(super) fn set_link_owner(link: &Path, metadata: &Metadata) {
    let Ok(now) = fs::symlink_metadata(link) else { return };
    change_owner(&now, link, metadata, |user, group| std::os::unix::fs::lchown(link, user, group));
}

#[cfg(unix)]
fn change_owner(
    now: &fs::Metadata,
    path: &Path,
    metadata: &Metadata,
    change: impl Fn(Option<u32>, Option<u32>) -> io::Result<()>,
) {
    use std::os::unix::fs::MetadataExt as _;
    let number = |key| value(metadata, key).and_then(|value| value.parse::<u32>().ok());
    let user = number("uid").filter(|user| *user != now.uid());
    let group = number("gid").filter(|group| *group != now.gid());
    // A user may give files only to groups that the user is in, and to no other user.
    for (user, group) in [(None, group), (user, None)] {
        if user.is_none() && group.is_none() {
            continue;
        }
        match change(user, group) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tracing::debug!(path = %shown(path).display(), "it keeps its owner: {error}");
            }
            Err(error) => tracing::warn!(path = %shown(path).display(), "can't set the owner: {error}"),
            Ok(()) => {}
        }
    }
}

#[cfg(unix)]
fn set_mode(handle: &fs::File, path: &Path, metadata: &Metadata, special_bits: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(mode) = value(metadata, "mode").and_then(|mode| u32::from_str_radix(mode, 8).ok()) else {
        return;
    };
    let kept = if special_bits { 0o7777 } else { 0o777 };
    if let Err(error) = handle.set_permissions(fs::Permissions::from_mode(mode & kept)) {
        tracing::warn!(path = %shown(path).display(), "can't set the mode: {error}");
    }
}

#[cfg(not(unix))]
fn set_owner(_handle: &fs::File, _path: &Path, _metadata: &Metadata) {}

#[cfg(not(unix))]
pub(super) fn set_link_owner(_link: &Path, _metadata: &Metadata) {}

#[cfg(not(unix))]
fn set_mode(_handle: &fs::File, _path: &Path, _metadata: &Metadata, _special_bits: bool) {}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod attributes {
    use std::{fs, io, os::unix::ffi::OsStrExt as _, path::Path};

    use fichier_storage::metadata::{Metadata, bytes_of, value_of};
    use rustix::{
        fs::{XattrFlags, fsetxattr, getxattr, getxattr_query, listxattr, listxattr_query},
        io::Errno,
    };

    /// Prefix of the names of attributes that users may set.
    const PREFIX: &[u8] = b"user.";

    /// Returns the attributes of users, under the rest of their names, in small letters as in rclone.
    pub(super) fn read(path: &Path) -> io::Result<Metadata> {
        let length = match listxattr_query(path) {
            Ok(0) | Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Metadata::new()),
            length => length?,
        };
        let mut names = vec![0; length];
        let length = listxattr(path, &mut names[..])?;
        let mut found = Metadata::new();
        for name in names[..length].split(|byte| *byte == 0) {
            let Some(key) = name.strip_prefix(PREFIX).and_then(|key| std::str::from_utf8(key).ok()) else {
                continue;
            };
            let name = std::ffi::OsStr::from_bytes(name);
            // The attribute may have been removed since, or grown.
            let Ok(length) = getxattr_query(path, name) else { continue };
            let mut bytes = vec![0; length];
            let length = if length == 0 { 0 } else { getxattr(path, name, &mut bytes[..])? };
            found.push((key.to_lowercase(), value_of(&bytes[..length])));
        }
        Ok(found)
    }

    /// Sets an attribute of users.
    pub(super) fn write(handle: &fs::File, key: &str, value: &str) -> io::Result<()> {
        let name = [PREFIX, key.to_lowercase().as_bytes()].concat();
        match fsetxattr(handle, &name[..], &bytes_of(value), XattrFlags::empty()) {
            // The file system has no attributes: that isn't worth a message for each file.
            Err(Errno::NOTSUP | Errno::NOSYS) => {
                tracing::debug!("the file system keeps no attributes: {key} is left out");
                Ok(())
            }
            set => Ok(set?),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod attributes {
    use std::{fs, io, path::Path};

    use fichier_storage::metadata::Metadata;

    pub(super) fn read(_path: &Path) -> io::Result<Metadata> {
        Ok(Metadata::new())
    }

    pub(super) fn write(_handle: &fs::File, _key: &str, _value: &str) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_decimals_as_they_need() {
        let time = UNIX_EPOCH + std::time::Duration::from_millis(1500);
        let text = written(time);
        assert!(text.contains(":01.5"), "{text}");
        assert!(text.starts_with("19") && !text.contains(".50"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_set_is_read_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let handle = fs::File::create(&path).unwrap();
        let pairs =
            [("Key", "v"), ("atime", "2001-01-01T00:00:00.5+00:00"), ("mode", "104640"), ("empty", "")];
        let wanted: Metadata = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let attributes = attributes::write(&handle, "probe", "1").is_ok();
        set(&handle, &path, &wanted, false);
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
        assert_eq!(
            metadata.accessed().unwrap(),
            UNIX_EPOCH + std::time::Duration::from_millis(978_307_200_500)
        );
        set(&handle, &path, &wanted, true);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o4640);
        let read = all(&path, &fs::metadata(&path).unwrap(), true).unwrap();
        if attributes && value(&read, "probe").is_some() {
            assert_eq!((value(&read, "key"), value(&read, "empty")), (Some("v"), Some("")));
        }
    }
}
