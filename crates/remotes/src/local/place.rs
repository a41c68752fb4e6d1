//! Determines the identity of a directory: by what the system says of it and of all its parents, never by how its path
//! is spelled.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use fichier_storage::{FolderIdentity, Name, PlaceId, RemotePath, Step};

use super::{
    mounts::Mounts,
    paths::{Identity, Tree, is_missing},
};

/// Returns the place of a directory. Parts of its path that don't exist yet count by name.
pub(super) fn of(tree: &Tree, mounts: &Mounts, directory: &Path) -> io::Result<PlaceId> {
    let mut missing = Vec::new();
    let mut there = directory;
    let real = loop {
        match fs::canonicalize(there) {
            Ok(real) => break real,
            Err(error) => {
                let (true, Some(parent), Some(name)) =
                    (is_missing(&error), there.parent(), there.file_name())
                else {
                    return Err(error);
                };
                missing.push(name);
                there = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            }
        }
    };
    let name = |name: &std::ffi::OsStr| {
        let raw = || Name::new(name.as_encoded_bytes()).map_err(io::Error::other);
        tree.name(name).or_else(|_| raw())
    };
    let below = missing
        .into_iter()
        .rev()
        .try_fold(RemotePath::root(), |path, missing| Ok::<_, io::Error>(path.join(&name(missing)?)))?;
    let (mut ways, mut open, mut seen) = (Vec::new(), vec![(Vec::new(), real)], Vec::<PathBuf>::new());
    while let Some((mut way, from)) = open.pop() {
        for folder in from.ancestors() {
            // A directory that can't be looked at can't be compared.
            let Ok(identity) = Identity::of(folder) else { break };
            for elsewhere in mounts.elsewhere(folder) {
                let same = Identity::of(&elsewhere).is_ok_and(|other| other == identity);
                if same && !seen.contains(&elsewhere) {
                    seen.push(elsewhere.clone());
                    open.push((way.clone(), elsewhere));
                }
            }
            let identity = FolderIdentity::new("local", &identity.bytes());
            way.push(Step { identity, name: folder.file_name().map(name).transpose()? });
        }
        ways.push(way);
    }
    Ok(PlaceId::new(ways, below))
}
