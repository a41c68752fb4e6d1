//! Paths on this computer.

use std::path::{Path, PathBuf};

use fichier_encoding::Encoding;
use fichier_remotes::{
    network::Network,
    registry::{self, Opening},
};
use fichier_storage::{Location, Name, RemotePath};

use super::{Purpose, options::Values};

/// Opens a path on this computer.
pub(super) async fn open(
    path: &Path,
    purpose: Purpose,
    settings: &Values,
    network: &Network,
) -> anyhow::Result<Location> {
    let (root, leaf) =
        if purpose == Purpose::Look && path.is_dir() { (path.to_owned(), None) } else { split_leaf(path)? };
    let remote = registry::open("local", Opening { name: "local", root: &root, settings, network }).await?;
    let path = leaf.map_or_else(RemotePath::root, |leaf| RemotePath::root().join(&leaf));
    Ok(Location { remote, path })
}

/// The directory that holds a path, and the path's name in it; no name for a path that has none, as `/`.
fn split_leaf(path: &Path) -> std::io::Result<(PathBuf, Option<Name>)> {
    let Some(leaf) = path.file_name() else { return Ok((path.to_owned(), None)) };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = Encoding::LOCAL.to_standard(leaf.as_encoded_bytes()).into_owned();
    Ok((parent, Some(Name::new(name).map_err(std::io::Error::other)?)))
}
