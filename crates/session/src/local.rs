//! Paths on this computer.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use fichier_encoding::Encoding;
use fichier_remotes::{
    local::{open_at, refused_link},
    registry::{NoRemotes, OpenError, Opening, Settings},
    resources::Resources,
};
use fichier_storage::{Location, Name, Remote, RemotePath};

use crate::{Purpose, SessionError};

/// A path on this computer, with the options of the remote through which it was named.
#[derive(Debug, Clone)]
pub struct LocalPath {
    path: PathBuf,
    pub(crate) options: Settings,
}

impl LocalPath {
    /// Parses a path as it was typed. As with rclone, `..` removes the name before it, even if that is a link.
    pub(crate) fn new(typed: &[u8], options: Settings) -> std::io::Result<Self> {
        let mut path = PathBuf::new();
        for component in Path::new(std::str::from_utf8(typed).map_err(std::io::Error::other)?).components() {
            match (component, path.components().next_back()) {
                (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
                (Component::ParentDir, Some(Component::Normal(_))) => {
                    path.pop();
                }
                (component, _) => path.push(component),
            }
        }
        if path.as_os_str().is_empty() {
            path.push(".");
        }
        Ok(Self { path: as_on_disk(path), options })
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the path isn't a symbolic link where links are stored as small files: links aren't followed there.
    ///
    /// # Errors
    /// The path is a link, so its name needs the suffix of such a file.
    pub fn refuse_link(&self) -> Result<(), SessionError> {
        refuse_link(&self.path, &self.options)
    }

    /// Returns what the path leads to, where it is a symbolic link that isn't to be a small file; `None`: it is none.
    ///
    /// # Errors
    /// The link leads nowhere.
    pub fn followed(&self) -> Result<Option<PathBuf>, SessionError> {
        self.refuse_link()?;
        match std::fs::symlink_metadata(&self.path) {
            Ok(there) if there.is_symlink() => {
                let leads_nowhere = |error| {
                    let what =
                        format!("{} is a symbolic link that can't be followed: {error}", self.path.display());
                    SessionError::Local(std::io::Error::other(what))
                };
                std::fs::canonicalize(&self.path).map(Some).map_err(leads_nowhere)
            }
            _ => Ok(None),
        }
    }

    /// Checks the folder that the path is in, as [`LocalPath::refuse_link`] does the path.
    ///
    /// # Errors
    /// The folder is such a link.
    pub fn refuse_linked_folder(&self) -> Result<(), SessionError> {
        match self.path.parent() {
            Some(folder) => refuse_link(folder, &self.options),
            None => Ok(()),
        }
    }
}

/// Returns a typed path as it is on the disk. Names of control characters are shown by stand-ins (`␉` for a tab), and
/// scripts give back what they were shown: where nothing has the name as it was typed, the characters are meant that it
/// stands for.
fn as_on_disk(typed: PathBuf) -> PathBuf {
    let is_plain = |name: &[u8]| Encoding::LOCAL.from_standard(name) == name;
    if is_plain(typed.as_os_str().as_encoded_bytes()) {
        return typed;
    }
    let mut path = PathBuf::new();
    for component in typed.components() {
        let name = component.as_os_str();
        let meant = match component {
            Component::Normal(_) => Encoding::LOCAL.from_standard(name.as_encoded_bytes()),
            _ => name.as_encoded_bytes().into(),
        };
        let typed = path.join(name);
        let is_name = !meant.contains(&b'/') && !meant.contains(&0);
        match std::str::from_utf8(&meant) {
            Ok(meant) if is_name && typed.symlink_metadata().is_err() => path.push(meant),
            _ => path = typed,
        }
    }
    path
}

fn refuse_link(path: &Path, settings: &Settings) -> Result<(), SessionError> {
    let wrong = |source| OpenError::Value { remote: "local".to_owned(), source };
    match refused_link(path, settings).map_err(wrong)? {
        Some(why) => Err(SessionError::Local(std::io::Error::other(why))),
        None => Ok(()),
    }
}

/// Opens a path on this computer.
pub(crate) fn open(
    path: &Path,
    purpose: Purpose,
    settings: &Settings,
    resources: &Resources,
) -> Result<Location, SessionError> {
    let (root, leaf) =
        if purpose == Purpose::Look && path.is_dir() { (path.to_owned(), None) } else { split_leaf(path)? };
    let named = if leaf.is_some() { path.file_name().map(PathBuf::from) } else { None };
    let path = leaf.map_or_else(RemotePath::root, |leaf| RemotePath::root().join(&leaf));
    let remote = in_root(&root, named.unwrap_or_default(), settings, resources)?;
    Ok(Location { remote, path })
}

/// Opens a directory in which a path was named.
pub(crate) fn in_root(
    root: &Path,
    named: PathBuf,
    settings: &Settings,
    resources: &Resources,
) -> Result<Arc<dyn Remote>, SessionError> {
    let opening = Opening { name: "local", root, settings, resources, resolver: &NoRemotes };
    Ok(open_at(opening, named)?)
}

/// Returns the root of the path's file system, and the path seen from there, twice: as the system has it, and as the remote
/// names it. Links on the way are followed. The last
/// name is followed only if it leads to a directory and a directory is wanted.
pub(crate) fn in_whole(path: &Path, purpose: Purpose) -> std::io::Result<(PathBuf, PathBuf, RemotePath)> {
    let path = std::path::absolute(path)?;
    let (start, leaf) = match path.file_name() {
        Some(leaf) if purpose == Purpose::Change || !path.is_dir() => {
            (path.parent().unwrap_or(&path).to_owned(), Some(leaf.to_owned()))
        }
        _ => (path, None),
    };
    // What doesn't exist yet holds no links.
    let mut missing = Vec::from_iter(leaf);
    let mut there = start.as_path();
    let real = loop {
        match std::fs::canonicalize(there) {
            Ok(real) => break real,
            Err(error) => {
                let (Some(parent), Some(name)) = (there.parent(), there.file_name()) else {
                    return Err(error);
                };
                missing.push(name.to_owned());
                there = parent;
            }
        }
    };
    let (mut root, mut named, mut whole) = (PathBuf::new(), PathBuf::new(), RemotePath::root());
    let names = real.components().filter_map(|component| match component {
        std::path::Component::Normal(name) => Some(name.to_owned()),
        other => {
            root.push(other);
            None
        }
    });
    let names = names.collect::<Vec<_>>();
    for name in names.into_iter().chain(missing.into_iter().rev()) {
        named.push(&name);
        let name = Encoding::LOCAL.to_standard(name.as_encoded_bytes()).into_owned();
        whole = whole.join(&Name::new(name).map_err(std::io::Error::other)?);
    }
    Ok((root, named, whole))
}

/// Splits a path into its directory and its name there; no name for a path without one, as `/`.
fn split_leaf(path: &Path) -> std::io::Result<(PathBuf, Option<Name>)> {
    // `.` and `..` are called something in the directory above them; only a root isn't.
    let whole = match path.file_name() {
        Some(_) => None,
        None => std::fs::canonicalize(path).ok(),
    };
    let path = whole.as_deref().unwrap_or(path);
    let Some(leaf) = path.file_name() else { return Ok((path.to_owned(), None)) };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = Encoding::LOCAL.to_standard(leaf.as_encoded_bytes()).into_owned();
    Ok((parent, Some(Name::new(name).map_err(std::io::Error::other)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn names_are_taken_as_they_are_shown() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("d\u{1}")).unwrap();
        std::fs::write(at("d\u{1}/a\tb"), "").unwrap();
        std::fs::write(at("c␉d"), "").unwrap();
        let plain = |typed: &str| as_on_disk(at(typed));
        assert_eq!(plain("d␁/a␉b"), at("d\u{1}/a\tb"));
        assert_eq!(plain("c␉d"), at("c␉d"));
        // What isn't there yet is made as rclone makes it.
        assert_eq!(plain("new␊"), at("new\n"));
        assert_eq!(plain("plain/é"), at("plain/é"));
    }

    #[test]
    fn paths_are_taken_as_they_read() {
        let plain = |typed: &str| {
            LocalPath::new(typed.as_bytes(), Settings::default()).unwrap().path().to_str().unwrap().to_owned()
        };
        for (typed, expected) in [
            ("", "."),
            (".", "."),
            ("a/..", "."),
            ("./a//b/", "a/b"),
            ("missing/../a", "a"),
            ("..", ".."),
            ("../../a/..", "../.."),
            ("/..", "/"),
            ("/a/../../b", "/b"),
        ] {
            assert_eq!(plain(typed), expected, "{typed:?}");
        }
    }
}
