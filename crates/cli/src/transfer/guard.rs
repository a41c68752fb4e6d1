//! `--dry-run` and `--interactive`: remotes that change nothing, or ask before they do.

use std::sync::Arc;

use fichier_engine::{DryRun, Interactive, RunOptions};
use fichier_storage::{Location, Remote, Result, StorageError};

use super::ask;
use crate::arguments::Settings;

/// Wraps remotes so that they change nothing, when `--dry-run` is set, or ask before they change anything, when
/// `--interactive` is.
struct Guard<'a> {
    settings: &'a Settings,
    asker: Arc<ask::Terminal>,
}

impl Guard<'_> {
    fn guard(&self, location: Location) -> Location {
        if !self.settings.dry_run && !self.settings.transfer.interactive {
            return location;
        }
        let Location { remote: inner, path } = location;
        let outer: Arc<dyn Remote> = if self.settings.dry_run {
            Arc::new(DryRun::new(inner))
        } else {
            Arc::new(Interactive::new(inner, self.asker.clone()))
        };
        Location { remote: outer, path }
    }
}

fn guard(settings: &Settings) -> Guard<'_> {
    Guard { settings, asker: Arc::default() }
}

/// A location that `--dry-run` and `--interactive` guard.
pub(crate) fn guarded_place(settings: &Settings, location: Location) -> Location {
    guard(settings).guard(location)
}

/// The ends of a run, and what else its options name, guarded by `--dry-run` and `--interactive`.
pub(crate) fn guarded(
    settings: &Settings,
    ends: [Location; 2],
    mut options: RunOptions,
) -> ([Location; 2], RunOptions) {
    let guard = guard(settings);
    let ends = ends.map(|end| guard.guard(end));
    if let Some(backup) = &mut options.backup {
        backup.folder = backup.folder.take().map(|folder| guard.guard(folder));
    }
    for reference in &mut options.references {
        reference.location = guard.guard(reference.location.clone());
    }
    (ends, options)
}

/// What was done; `None`: nothing, since somebody was asked and said no.
///
/// # Errors
/// It failed.
pub(crate) fn unless_declined<T>(done: Result<T>) -> Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(StorageError::Declined(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
