//! `rmdirs`: removes all empty folders below.

use std::collections::BTreeMap;

use clap::Args;
use fichier_storage::{Entry, Location, RemotePath, StorageError};

use super::Context;
use crate::{listing::Listing, transfer::guarded_place};

/// Remove the empty folders below, and those that hold only such
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fichier rmdirs demo:photos --leave-root")]
pub(crate) struct Arguments {
    /// Where to look
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Keep the folder itself
    #[arg(long)]
    leave_root: bool,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(&arguments.path).await?;
    remove_empty(&location, arguments.leave_root, context).await
}

/// Removes the empty folders below a location, and itself unless it is to stay.
pub(super) async fn remove_empty(
    location: &Location,
    leave_root: bool,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    // Each folder seen, and whether it may go.
    let mut folders = BTreeMap::from([(RemotePath::root(), !leave_root)]);
    let mut listing = Listing::new(location, None, &context.settings.filter);
    while let Some(entries) = listing.next_folder(&mut context.problems).await? {
        for seen in entries {
            match seen.entry {
                Entry::Folder(_) => {
                    folders.insert(seen.path, true);
                }
                Entry::File(_) => keep_all_above(&mut folders, &seen.path),
            }
        }
    }
    // Folders below a listing that failed are unknown: what they are in stays, since it isn't empty for the
    // remote, which refuses to remove it.
    let mut levels: BTreeMap<usize, Vec<RemotePath>> = BTreeMap::new();
    for (path, may_go) in folders {
        if may_go {
            levels.entry(path.depth()).or_default().push(path);
        }
    }
    let filtered = !context.settings.filter.is_inactive();
    let root_name = context.session.shown(location);
    let location = guarded_place(context.settings, location.clone());
    for (level, paths) in levels.into_iter().rev() {
        tracing::debug!("removing {} level {level} directories", paths.len());
        for path in &paths {
            let name = if path.is_root() { root_name.clone() } else { path.to_string() };
            if context.settings.dry_run {
                tracing::warn!(path = name, "Skipped remove directory as --dry-run is set");
            } else {
                tracing::info!(path = name, "Removing directory");
            }
        }
        if context.settings.dry_run {
            continue;
        }
        let full: Vec<_> = paths.iter().map(|path| location.path.join_path(path)).collect();
        for (path, outcome) in paths.iter().zip(location.remote.remove_folders(&full).await) {
            match outcome.into_result() {
                // What the filters leave out keeps its folder.
                Err(StorageError::FolderNotEmpty(_)) if filtered => {
                    tracing::debug!(path = %path, "left, since it isn't empty");
                }
                removed => context.problems.note_failure(&path.to_string(), removed)?,
            }
        }
    }
    Ok(())
}

fn keep_all_above(folders: &mut BTreeMap<RemotePath, bool>, file: &RemotePath) {
    let mut above = file.parent();
    while let Some(folder) = above {
        above = folder.parent();
        folders.insert(folder, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    #[test]
    fn a_file_keeps_all_folders_above_it() {
        let mut folders: BTreeMap<_, _> =
            ["", "a", "a/b", "a/b/c", "a/x"].into_iter().map(|text| (path(text), true)).collect();
        keep_all_above(&mut folders, &path("a/b/file"));
        let going: Vec<_> = folders.iter().filter(|(_, go)| **go).map(|(path, _)| path.to_string()).collect();
        assert_eq!(going, ["a/b/c", "a/x"]);
    }

    #[test]
    fn a_root_that_stays_anyway_does_not_hide_folders_on_the_way() {
        let mut folders = BTreeMap::from([(path(""), false), (path("a"), true), (path("a/b"), true)]);
        keep_all_above(&mut folders, &path("a/b/file"));
        assert!(folders.values().all(|may_go| !may_go));
    }
}
