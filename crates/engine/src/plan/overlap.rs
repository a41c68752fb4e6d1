//! Decides how the folders of a run lie to each other, and refuses what would lose files.
//!
//! This is the one place that decides it. It goes by the identity of places, never by how paths are spelled.

use fichier_storage::{Location, PlaceId, RemotePath, Result, StorageError};

use crate::{
    Backup, Reference, RunError, RunOptions,
    plan::lie::Lie,
    run::{Run, mode::Mode},
    walk::filtered::FilteredListing,
    walk::pending::PendingFolder,
};

const ENDS: &str =
    "can't sync or move files on overlapping remotes (try excluding the destination with a filter rule)";
const DESTINATION_AND_BACKUP: &str = "destination and parameter to --backup-dir mustn't overlap";
const SOURCE_AND_BACKUP: &str = "source and parameter to --backup-dir mustn't overlap";
const DESTINATION_IS_BACKUP: &str = "destination and parameter to --backup-dir mustn't be the same";
const SOURCE_IS_BACKUP: &str = "source and parameter to --backup-dir mustn't be the same";
const DESTINATION_IS_SET_ASIDE: &str = "the old version would be set aside in the place of the new one";
const SOURCE_IS_SET_ASIDE: &str = "the old version would be set aside in the place of the source";
const DESTINATION_AND_REFERENCE: &str = "can't sync to a folder that holds the parameter to --compare-dest or --copy-dest (try excluding it with a filter \
     rule)";

/// Checks whether two locations are one file: the same name in the same folder. Two names of one content are two files.
pub(crate) async fn is_one_file(left: &Location, right: &Location) -> Result<bool> {
    let may_be = left.remote.info().may_share_folders_with(right.remote.info());
    Ok(may_be && left.place_of_file().await? == right.place_of_file().await?)
}

/// Decides about a run between two folders.
///
/// # Errors
/// The folders lie so that files would be lost.
pub(crate) async fn of_folders(
    mode: Mode,
    from: &Location,
    to: &Location,
    options: &RunOptions,
) -> Result<Lie> {
    let lie = Lie::between(from, to).await?;
    let allowed = match &lie {
        Lie::Apart => true,
        Lie::Same => mode != Mode::Sync,
        Lie::DestinationInside(path) => mode == Mode::Copy || leaves_out(options, from, path).await,
        Lie::SourceInside(path) => {
            mode == Mode::Copy || !options.delete_excluded && leaves_out(options, to, path).await
        }
    };
    if !allowed {
        return Err(overlapping(ENDS, from, to));
    }
    if lie == Lie::Same {
        return Ok(lie);
    }
    if let Some(folder) = options.backup.as_ref().and_then(|backup| backup.folder.as_ref()) {
        for (rule, end) in [(DESTINATION_AND_BACKUP, to), (SOURCE_AND_BACKUP, from)] {
            let apart = match Lie::between(end, folder).await? {
                Lie::Apart => true,
                Lie::Same => false,
                Lie::DestinationInside(path) => leaves_out(options, end, &path).await,
                // What is left out goes to no backup, unless it is to be deleted.
                Lie::SourceInside(path) => {
                    !options.delete_excluded && leaves_out(options, folder, &path).await
                }
            };
            if !apart {
                return Err(overlapping(rule, end, folder));
            }
        }
    }
    if mode == Mode::Sync {
        for Reference { location, .. } in &options.references {
            // A sync would delete what it left out, since the reference had it.
            if let Lie::DestinationInside(path) = Lie::between(to, location).await?
                && (options.delete_excluded || !leaves_out(options, to, &path).await)
            {
                return Err(overlapping(DESTINATION_AND_REFERENCE, to, location));
            }
        }
    }
    Ok(lie)
}

/// Decides whether a file can get the name of `target`, in `folder`. The old version mustn't be set aside where the
/// source or the new version is.
///
/// # Errors
/// It would be.
pub(crate) async fn of_files(
    from: &Location,
    target: &Location,
    folder: &Location,
    backup: Option<&Backup>,
) -> Result<()> {
    let Some(backup) = backup else { return Ok(()) };
    if let Some(aside) = backup.folder.as_ref().filter(|_| backup.suffix.is_empty()) {
        let source = Location { remote: from.remote.clone(), path: from.path.parent().unwrap_or_default() };
        for (rule, end) in [(DESTINATION_IS_BACKUP, folder), (SOURCE_IS_BACKUP, &source)] {
            if Lie::between(end, aside).await? == Lie::Same {
                return Err(overlapping(rule, end, aside));
            }
        }
    }
    let aside = Location { remote: folder.remote.clone(), path: backup.place(folder, &target.path)? };
    for (rule, file) in [(DESTINATION_IS_SET_ASIDE, target), (SOURCE_IS_SET_ASIDE, from)] {
        if is_one_file(&aside, file).await? {
            return Err(overlapping(rule, file, &aside));
        }
    }
    Ok(())
}

impl Run<'_> {
    /// Checks whether a folder below the roots is one folder at both sides, so that there is nothing to do. Folders
    /// of this computer may be linked or mounted into each other, and some remotes show folders of others.
    ///
    /// # Errors
    /// It leads into the other side.
    pub(crate) async fn is_one_folder(&self, folder: &PendingFolder, target: &RemotePath) -> Result<bool> {
        let [from, to] = [self.from, self.to].map(|end| end.remote.info());
        let composite = from.features.composite || to.features.composite;
        let disks = from.backend == to.backend && !from.features.networked;
        if folder.path.is_root() || !(composite || disks) {
            return Ok(false);
        }
        let path = self.from.path.join_path(&folder.path);
        let source = if folder.source { Some(self.from.remote.place(&path).await?) } else { None };
        let destination = if folder.destination { Some(self.to.remote.place(target).await?) } else { None };
        if source.is_some() && source == destination {
            return Ok(true);
        }
        let roots = async { Ok::<_, StorageError>([self.from.place().await?, self.to.place().await?]) };
        let [from, to] = self.roots.get_or_try_init(|| roots).await?;
        let leads = |place: Option<PlaceId>, root| place.is_some_and(|place| place.is_within(root));
        for (place, root, folder, other) in
            [(source, to, &path, self.to), (destination, from, target, self.from)]
        {
            if self.lie == Lie::Apart && leads(place, root) {
                return Err(RunError::LeadsAcross { folder: folder.clone(), other: other.shown() }.into());
            }
        }
        Ok(false)
    }
}

/// Checks whether the filter keeps a run out of a folder below `root`, or out of one on the way there.
async fn leaves_out(options: &RunOptions, root: &Location, below: &RemotePath) -> bool {
    let sieve = FilteredListing { filter: &options.filter, remote: &*root.remote, root: &root.path };
    let mut folder = root.path.clone();
    for name in below.names() {
        folder = folder.join(&name);
        if !sieve.takes_folder(&folder).await {
            return true;
        }
    }
    false
}

fn overlapping(rule: &'static str, one: &Location, other: &Location) -> StorageError {
    RunError::Overlapping { rule, places: [one.shown(), other.shown()] }.into()
}
