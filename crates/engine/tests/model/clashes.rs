//! A file on one side where the other side has a folder: whatever a run does about it, nothing is lost that nobody
//! asked to remove.

use std::{collections::BTreeSet, sync::Arc};

use fichier_engine::{DeleteWhen, Stats};
use proptest::{prelude::*, sample::Index};
use tokio_util::sync::CancellationToken;

use crate::{
    Case, case,
    reference::{Content, Operation, Place, Tree, parent},
    world::World,
};

/// A case with a clash: a file of the source that is a folder at the destination, or the other way round.
pub(crate) fn clashing_case() -> impl Strategy<Value = Case> {
    (case(), any::<Index>(), any::<bool>(), 1..4_usize).prop_map(
        |(mut case, which, folder_meets_file, content)| {
            let mut destination = case.destination.take().unwrap_or_default();
            if folder_meets_file && !case.source.folders.is_empty() {
                let path =
                    case.source.folders.iter().nth(which.index(case.source.folders.len())).unwrap().clone();
                destination.remove(&path);
                put(&mut destination, &path, content);
            } else if !case.source.files.is_empty() {
                let path =
                    case.source.files.keys().nth(which.index(case.source.files.len())).unwrap().clone();
                destination.remove(&path);
                put(&mut destination, &format!("{path}/inside"), content);
            }
            case.destination = Some(destination);
            // With sizes as the only evidence, contents of the same size may be lost.
            case.flags.size_only = false;
            case
        },
    )
}

/// Puts a file there, if its parent folders can be there.
fn put(tree: &mut Tree, path: &str, content: Content) {
    let mut above = parent(path);
    while !above.is_empty() {
        tree.files.remove(above);
        above = parent(above);
    }
    tree.set(path, vec![content]);
}

pub(crate) async fn run(case: &Case) -> Result<(), TestCaseError> {
    let world = World::new(case.how.batch).await;
    let before = case.destination.clone().unwrap_or_default();
    world.plant(case.places.0, "from", &case.source);
    world.plant(case.places.1, "to", &before);
    let (disk, service) = (world.disk(), world.service().await);
    let remote = |place| if place == Place::Local { &disk } else { &service };
    let from = World::location(remote(case.places.0), "from");
    let to = World::location(remote(case.places.1), "to");
    let options = crate::options(case, remote(case.places.1));
    // In some cases the service takes nothing, or only a first upload.
    let fault = [None, Some("kind=cut-upload:1"), Some("kind=cut-upload:1,after=1")][case.how.transfers % 3];
    if let Some(fault) = fault {
        world.control().add_fault(fault.parse().unwrap());
    }
    let (stats, stop) = (Arc::new(Stats::default()), CancellationToken::new());
    let report = match case.operation {
        Operation::Copy => fichier_engine::copy(&from, &to, &options, &stats, &stop).await,
        Operation::Sync => fichier_engine::sync(&from, &to, &options, &stats, &stop).await,
        Operation::Move => fichier_engine::move_into(&from, &to, &options, &stats, &stop).await,
    }
    .unwrap();
    let source = world.read(case.places.0, "from");
    let destination = world.read(case.places.1, "to");
    let backup = world.read(case.places.1, "old");
    if case.operation == Operation::Move {
        // Files that the destination has already, or has an older version of, may be removed; what was sent there
        // exists.
        let left = contents(&[&source, &destination]);
        for content in newest(&case.source) {
            prop_assert!(left.contains(&content), "the source's content {content} is lost: {report:?}");
        }
    } else {
        prop_assert_eq!(&source, &case.source, "the source has changed: {:?}", report);
    }
    if case.flags.backup {
        let left = contents(&[&destination, &backup]);
        for content in before.files.values().flatten() {
            prop_assert!(left.contains(content), "content {content} isn't in the backup: {report:?}");
        }
    }
    if case.operation == Operation::Sync && !report.is_success() {
        // Except files that a new version has replaced, and those removed before or during the transfers.
        let left = contents(&[&destination, &backup]);
        for (path, versions) in &before.files {
            let may_go = case.source.files.contains_key(path) || case.how.when != DeleteWhen::After;
            let is_there = versions.iter().all(|content| left.contains(content));
            prop_assert!(may_go || is_there, "{path} is lost though the run failed: {report:?}");
        }
    }
    for (path, versions) in &before.files {
        let replaced = case.source.files.contains_key(path);
        if case.operation != Operation::Sync && !replaced {
            let now = destination.files.get(path);
            prop_assert_eq!(now, Some(versions), "{} has changed: {:?}", path, report);
        }
    }
    if case.operation == Operation::Sync && report.is_success() && is_plain(case) {
        let paths = |tree: &Tree| tree.files.keys().cloned().collect::<BTreeSet<_>>();
        prop_assert_eq!(paths(&destination), paths(&case.source), "a sync isn't done: {:?}", report);
    }
    Ok(())
}

/// Checks whether a sync leaves nothing out.
fn is_plain(case: &Case) -> bool {
    !case.flags.existing_only && case.flags.max_depth.is_none()
}

fn contents(trees: &[&Tree]) -> BTreeSet<Content> {
    trees.iter().flat_map(|tree| tree.files.values().flatten()).copied().collect()
}

fn newest(tree: &Tree) -> impl Iterator<Item = Content> {
    tree.files.values().filter_map(|versions| versions.last().copied())
}
