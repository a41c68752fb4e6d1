//! Lists directories and describes files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use fichier_storage::{
    Entry, File, Fingerprint, Folder, Gap, Listing, Name, RemotePath, Result, StorageError,
};

use super::{
    confined::{error_at, unseen_at},
    folders,
    links::{self, Seat},
    options::{LinkPolicy, TimeType},
    partial,
    paths::{self, Identity, is_missing},
    root::Root,
};

/// Lists all files and directories in a directory, sorted by the bytes of their names.
pub(super) fn list(place: &Root, folder: &RemotePath) -> Result<Listing> {
    let path = place.tree.enter(folder)?;
    let lines = fs::read_dir(&path).map_err(|error| match error {
        error if is_missing(&error) => match fs::metadata(&path) {
            Ok(met) if !met.is_dir() => StorageError::IsAFile(folder.clone()),
            // The file that represents a link.
            _ if matches!(find(place, folder), Ok(Entry::File(_))) => StorageError::IsAFile(folder.clone()),
            _ => match folders::refuse_file_above(place) {
                Ok(()) => StorageError::FolderNotFound(folder.clone()),
                Err(StorageError::At { location, .. }) => {
                    let folder = place.tree.named(folder).unwrap_or_default().display().to_string();
                    StorageError::BelowFile { folder, file: location }
                }
                Err(error) => error,
            },
        },
        error => unseen_at("list", &path, error),
    })?;
    let (mut above, border) = (None, border(place));
    let (mut entries, mut gaps, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        let line = line.map_err(|error| error_at("list", &path, error))?;
        let name = match place.tree.name(&line.file_name()) {
            Ok(name) => name,
            Err(source) => {
                let error = StorageError::BadName { folder: folder.clone(), source };
                gaps.push(Gap { path: folder.clone(), error });
                continue;
            }
        };
        let met = Met { path: folder.join(&name), system: line.path() };
        if partial::state(&met.system, &place.options.downloads.partial_suffix).is_some() {
            tracing::debug!(path = %place.shown(&met.path), "left out: a download under way, or to be gone on with");
            continue;
        }
        let entry = match line.metadata() {
            Ok(metadata) if metadata.is_symlink() => {
                links.push(name);
                met.follow(place, || above.get_or_insert_with(|| ancestors(place, folder)))
            }
            Ok(metadata) if metadata.is_dir() && is_beyond(border, &metadata) => {
                tracing::debug!(path = %place.shown(&met.path), "left out: another file system is mounted there");
                Ok(None)
            }
            Ok(metadata) => Ok(met.entry(place, &metadata)),
            // It was removed after the directory was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(met.gap("look at", error)),
        };
        match entry {
            Ok(entry) => entries.extend(entry),
            Err(gap) => gaps.push(gap),
        }
    }
    // They share their folder, so the order of the paths is that of the names.
    entries.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    let mut shared = Vec::new();
    entries.dedup_by(|later, first| {
        let same = later.path() == first.path();
        if same {
            let clash = io::Error::other("several names there are one once their accents are composed");
            let error = unseen_at("tell apart", place.shown(later.path()), clash);
            gaps.push(Gap { path: later.path().clone(), error });
            shared.push(later.path().clone());
        }
        same
    });
    // Of several that are listed under one name, the one that is found by it counts.
    for path in shared {
        if let Ok(at) = entries.binary_search_by(|entry| entry.path().cmp(&path)) {
            entries[at] = find(place, &path)?;
        }
    }
    Ok(Listing { entries, gaps, links })
}

/// Returns what is at a path.
pub(super) fn find(place: &Root, path: &RemotePath) -> Result<Entry> {
    if path.is_root() {
        return Ok(Entry::Folder(Folder { path: path.clone(), modified: None, id: None }));
    }
    let seat = links::seat(place, path)?;
    let met = match &seat {
        Seat::Itself(system) => Met { path: path.clone(), system: system.to_path_buf() },
        Seat::Link(link) => {
            return match links::file(path.clone(), link) {
                Ok(file) => Ok(Entry::File(file)),
                Err(error) if is_missing(&error) => Err(StorageError::FileNotFound(path.clone())),
                Err(error) => Err(error_at("look at", link, error)),
            };
        }
    };
    let metadata = match fs::symlink_metadata(&met.system) {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Err(StorageError::FileNotFound(path.clone())),
        Err(error) => return Err(error_at("look at", &met.system, error)),
    };
    let entry = if metadata.is_symlink() && place.options.links == LinkPolicy::Translate {
        let needs = io::Error::other(format!(
            "a symbolic link needs the suffix {} to be named when -l/--links is used",
            links::SUFFIX
        ));
        return Err(error_at("look at", &met.system, needs));
    } else if metadata.is_symlink() {
        match fs::metadata(&met.system) {
            // A directory that is asked for by its path can be listed, so it is found.
            Ok(target) if target.is_dir() => met.entry(place, &target),
            Ok(target) if place.options.links == LinkPolicy::Follow && is_special(&target) => {
                return Err(special(path, &target));
            }
            _ => met.follow(place, || &mut []).unwrap_or_else(|gap| {
                tracing::error!(path = %place.shown(&gap.path), "left out: {}", gap.error);
                None
            }),
        }
    } else if is_special(&metadata) {
        return Err(special(path, &metadata));
    } else {
        met.entry(place, &metadata)
    };
    entry.ok_or_else(|| StorageError::FileNotFound(path.clone()))
}

/// Returns the file that is at a path now, without a warning about anything else; `None`: nothing is there.
///
/// # Errors
/// Something other than a file is there, or it can't be looked at.
pub(super) fn now(place: &Root, path: &RemotePath) -> Result<Option<File>> {
    let system = match links::seat(place, path)? {
        Seat::Itself(system) => system,
        Seat::Link(link) => {
            return match links::file(path.clone(), &link) {
                Ok(file) => Ok(Some(file)),
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(error_at("look at", link, error)),
            };
        }
    };
    let metadata = match place.options.links {
        LinkPolicy::Follow => fs::metadata(&system),
        LinkPolicy::Skip | LinkPolicy::SkipSilently | LinkPolicy::Translate => fs::symlink_metadata(&system),
    };
    match metadata {
        Ok(metadata) if metadata.is_file() => {
            Ok(Some(File { fingerprint: fingerprint(&metadata), ..file(path.clone(), &metadata) }))
        }
        Ok(metadata) => {
            let what = paths::changed_into(&metadata).unwrap_or("(it isn't a file any more)");
            Err(StorageError::SourceChanged { path: path.clone(), what })
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error_at("look at", &system, error)),
    }
}

fn is_special(metadata: &fs::Metadata) -> bool {
    !metadata.is_file() && !metadata.is_dir() && !metadata.is_symlink()
}

/// Refuses to put a file in the place of a device, a pipe or a socket: the whole machine may need it.
pub(super) fn refuse_special(path: &RemotePath, system: &Path) -> Result<()> {
    match fs::symlink_metadata(system) {
        Ok(metadata) if is_special(&metadata) => Err(special(path, &metadata)),
        _ => Ok(()),
    }
}

/// Returns the error for a path that is neither a file nor a directory.
fn special(path: &RemotePath, metadata: &fs::Metadata) -> StorageError {
    StorageError::Special { path: path.clone(), what: paths::special_kind(metadata.file_type()) }
}

/// Returns what distinguishes this content of a file from later ones.
pub(super) fn fingerprint(metadata: &fs::Metadata) -> Option<Fingerprint> {
    let known = paths::fingerprint(metadata)?;
    Some(match paths::is_fresh(metadata, SystemTime::now()) {
        true => Fingerprint::unsettled(known.as_bytes()),
        false => known,
    })
}

/// Returns the device of the root, if directories on others are left out.
#[cfg(unix)]
fn border(place: &Root) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    if !place.options.one_file_system {
        return None;
    }
    fs::metadata(place.tree.named(&RemotePath::root()).ok()?).ok().map(|root| root.dev())
}

#[cfg(unix)]
fn is_beyond(border: Option<u64>, metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    border.is_some_and(|device| device != metadata.dev())
}

#[cfg(not(unix))]
fn border(_place: &Root) -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn is_beyond(_border: Option<u64>, _metadata: &fs::Metadata) -> bool {
    false
}

/// Makes a file from its metadata. It has no fingerprint yet: see [`Met::entry`].
pub(super) fn file(path: RemotePath, metadata: &fs::Metadata) -> File {
    File {
        path,
        size: metadata.len(),
        modified: metadata.modified().ok(),
        whirlpool: None,
        id: None,
        media_type: None,
        fingerprint: None,
        seconds_ahead: 0,
    }
}

/// The file, reached through a link or a mount.
fn seen_elsewhere(file: File) -> File {
    let mark = |fingerprint: Fingerprint| fingerprint.seen_elsewhere(paths::FILE_IDENTITY);
    File { fingerprint: file.fingerprint.map(mark), ..file }
}

/// The time of a file that counts; what the system doesn't know becomes that of its last change.
fn time(which: TimeType, metadata: &fs::Metadata) -> Option<SystemTime> {
    let chosen = match which {
        TimeType::Modified => None,
        TimeType::Accessed => metadata.accessed().ok(),
        TimeType::Born => metadata.created().ok(),
        TimeType::Changed => paths::changed(metadata),
    };
    chosen.or_else(|| metadata.modified().ok())
}

/// An entry found on the disk.
struct Met {
    path: RemotePath,
    system: PathBuf,
}

impl Met {
    fn entry(self, place: &Root, metadata: &fs::Metadata) -> Option<Entry> {
        if metadata.is_dir() {
            let modified = metadata.modified().ok();
            Some(Entry::Folder(Folder { path: self.path, modified, id: None }))
        } else if metadata.is_file() {
            let (fingerprint, modified) = (fingerprint(metadata), time(place.options.time, metadata));
            let is_mounted = place.is_mounted(&self.path);
            let file = File { fingerprint, modified, ..file(self.path, metadata) };
            Some(Entry::File(if is_mounted { seen_elsewhere(file) } else { file }))
        } else {
            if place.options.tells_of_specials {
                tracing::warn!(path = %place.shown(&self.path), "Can't transfer non file/directory");
            }
            None
        }
    }

    /// Decides about a symbolic link. `above` are the directories from the root down to the one that holds it.
    fn follow<'a>(
        self,
        place: &Root,
        above: impl FnOnce() -> &'a mut [Identity],
    ) -> Result<Option<Entry>, Gap> {
        match place.options.links {
            LinkPolicy::Follow => {}
            LinkPolicy::Translate => return self.into_link_file(),
            LinkPolicy::SkipSilently => return Ok(None),
            LinkPolicy::Skip => {
                tracing::warn!(path = %place.shown(&self.path), "left out: can't follow a symlink without -L/--copy-links");
                return Ok(None);
            }
        }
        let target = match fs::metadata(&self.system) {
            Ok(target) => target,
            Err(error) => return Err(self.gap("follow the symlink", error)),
        };
        let is_endless = !place.options.follows_circles;
        if is_endless
            && target.is_dir()
            && Identity::of(&self.system).is_ok_and(|target| above().contains(&target))
        {
            let circle = io::Error::other("it leads back to a directory that holds it");
            return Err(self.gap("follow the symlink", circle));
        }
        let entry = self.entry(place, &target);
        Ok(entry.map(|entry| match entry {
            Entry::File(file) => Entry::File(seen_elsewhere(file)),
            folder @ Entry::Folder(_) => folder,
        }))
    }

    /// Returns the file that represents a link.
    fn into_link_file(self) -> Result<Option<Entry>, Gap> {
        let name = self.path.name().map(|name| [name.as_bytes(), links::SUFFIX.as_bytes()].concat());
        let name = name.and_then(|name| Name::new(name).ok());
        let (Some(folder), Some(name)) = (self.path.parent(), name) else { return Ok(None) };
        match links::file(folder.join(&name), &self.system) {
            Ok(file) => Ok(Some(Entry::File(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.gap("look at", error)),
        }
    }

    fn gap(self, action: &'static str, error: io::Error) -> Gap {
        Gap { error: unseen_at(action, &self.system, error), path: self.path }
    }
}

/// Returns the directories from the root down to a folder. Endless links must lead to one of them a second time.
fn ancestors(place: &Root, folder: &RemotePath) -> Vec<Identity> {
    let mut paths: Vec<RemotePath> = vec![folder.clone()];
    while let Some(parent) = paths.last().and_then(RemotePath::parent) {
        paths.push(parent);
    }
    let identity = |path: &RemotePath| Identity::of(Path::new(&place.tree.named(path).ok()?)).ok();
    paths.iter().filter_map(identity).collect()
}
