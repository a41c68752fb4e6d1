//! The result of a run.

use fichier_storage::{RemotePath, Retry, StorageError};

use crate::{Record, RunError, Stats};

/// The result of a run: how many things failed, and the error that decides how the program ends.
#[derive(Debug, Default)]
pub struct RunReport {
    /// Number of files that were transferred.
    pub transferred: u64,
    /// Number of things that failed for good.
    pub failed: u64,
    /// Number of empty files that the destination refused; counted apart from `failed`.
    pub refused_empty_files: u64,
    /// Most serious error: a fatal one comes before one that another run may mend, that before others.
    pub worst: Option<StorageError>,
    /// Destination paths of files whose old version was reported to stay.
    pub(crate) stays: Vec<RemotePath>,
}

/// Whether an error stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    Stop,
}

impl RunReport {
    /// Checks whether everything succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failed == 0 && self.refused_empty_files == 0
    }

    /// Records a failure: logs it with its path, counts it, and says whether the run goes on.
    pub(crate) fn fail(&mut self, stats: &Stats, path: &RemotePath, error: StorageError) -> Verdict {
        if RunError::is_declined(&error) {
            return Verdict::GoOn;
        }
        let error = error.with_paths(|path| stats.seen_from_roots(path));
        stats.record(&Record::failed(path, &error));
        if matches!(error, StorageError::EmptyFile(_)) {
            tracing::error!(path = %path, "{error}");
            self.refused_empty_files += 1;
            stats.count_error();
            return Verdict::GoOn;
        }
        // What wasn't tried has its reason elsewhere, which is logged there.
        if !matches!(error, StorageError::NotTried | StorageError::Canceled) && !RunError::is_quit(&error) {
            tracing::error!(path = %path, "{error}");
        }
        if let StorageError::OldVersionStays { path, .. } = &error {
            self.stays.push(path.clone());
        }
        self.failed += 1;
        stats.count_error();
        let verdict = if error.retry() == Retry::Fatal { Verdict::Stop } else { Verdict::GoOn };
        if self.worst.as_ref().is_none_or(|worst| weight(&error) > weight(worst)) {
            self.worst = Some(error);
        }
        verdict
    }

    /// Adds the report of a part of the run.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.transferred += other.transferred;
        self.failed += other.failed;
        self.refused_empty_files += other.refused_empty_files;
        self.stays.extend(other.stays);
        if let Some(error) = other.worst
            && self.worst.as_ref().is_none_or(|worst| weight(&error) > weight(worst))
        {
            self.worst = Some(error);
        }
    }
}

fn weight(error: &StorageError) -> u8 {
    match (error, error.retry()) {
        (StorageError::NotTried, _) => 0,
        (StorageError::Canceled, _) => 1,
        _ if RunError::is_quit(error) => 2,
        (_, Retry::Useless) => 3,
        (_, Retry::Worthwhile) => 4,
        (_, Retry::Fatal) => 5,
    }
}
