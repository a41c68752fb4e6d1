//! What became of a run.

use fichier_storage::{RemotePath, Retry, StorageError};

use crate::{Record, RunError, Stats};

/// The result of a run: how many things failed, and the error that decides how the program ends.
#[derive(Debug, Default)]
pub struct RunReport {
    /// Files that were to be transferred and were.
    pub transferred: u64,
    /// Things that failed for good.
    pub failed: u64,
    /// Empty files that the destination refused; counted apart from `failed`.
    pub refused_empty_files: u64,
    /// The error that weighs most: a fatal one before one that another run may mend, before others.
    pub worst: Option<StorageError>,
    /// Files of which an old version was told to stay, by the destination's paths.
    pub(crate) stays: Vec<RemotePath>,
}

/// Whether an error stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    GoOn,
    Stop,
}

impl RunReport {
    /// Whether all that was asked for is done.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failed == 0 && self.refused_empty_files == 0
    }

    /// Notes a failure: logs it with its path, counts it, and says whether the run goes on.
    pub(crate) fn fail(&mut self, stats: &Stats, path: &RemotePath, error: StorageError) -> Verdict {
        if RunError::is_declined(&error) {
            return Verdict::GoOn;
        }
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

    /// Takes in the report of a part of the run.
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
