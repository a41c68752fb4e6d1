//! What ends a run before it is done: `--max-transfer` and `--max-duration`.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use fichier_storage::StorageError;
use tokio::time::Instant;

use crate::RunError;

/// How much a run may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// How many bytes may be transferred.
    pub bytes: Option<u64>,
    /// How long transfers may go on.
    pub time: Option<Duration>,
    /// How a limit ends the run.
    pub cutoff: Cutoff,
}

impl Limits {
    /// Checks whether there is a limit at all.
    pub(crate) fn are_set(&self) -> bool {
        self.bytes.is_some() || self.time.is_some()
    }
}

/// How a limit ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cutoff {
    /// At once.
    #[default]
    Hard,
    /// What has begun is finished.
    Soft,
    /// What has begun is finished, and nothing begins that would reach the limit.
    Cautious,
}

/// The limits of a run that has begun.
#[derive(Debug, Default)]
pub(crate) struct RunQuota {
    limits: Limits,
    end: Option<Instant>,
    begun: AtomicU64,
}

impl RunQuota {
    pub(crate) fn new(limits: Limits) -> Self {
        let end = limits.time.and_then(|time| Instant::now().checked_add(time));
        Self { limits, end, begun: AtomicU64::new(0) }
    }

    /// Allows a transfer of so many bytes to begin, or says which limit is reached.
    ///
    /// A transfer that a hard limit would cut isn't begun either: what is cut counts for nothing, and the
    /// sizes are known.
    pub(crate) fn admit(&self, bytes: u64) -> Result<(), StorageError> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return Err(RunError::DurationLimit.into());
        }
        let Some(most) = self.limits.bytes else { return Ok(()) };
        let admitted = self.begun.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |begun| {
            let fits = match self.limits.cutoff {
                Cutoff::Soft => begun < most,
                Cutoff::Hard => begun.saturating_add(bytes) <= most,
                // As with rclone, a cautious run doesn't even reach the limit.
                Cutoff::Cautious => begun.saturating_add(bytes) < most,
            };
            fits.then(|| begun.saturating_add(bytes))
        });
        admitted.map(drop).map_err(|_| RunError::TransferLimit { limit: most }.into())
    }

    /// Checks whether the time for transfers is limited.
    pub(crate) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// Lets work go on until a hard limit on time ends it.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, StorageError> {
        match self.end.filter(|_| self.limits.cutoff == Cutoff::Hard) {
            None => Ok(work.await),
            Some(end) => tokio::time::timeout_at(end, work).await.map_err(|_| RunError::DurationLimit.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(bytes: u64, cutoff: Cutoff) -> RunQuota {
        RunQuota::new(Limits { bytes: Some(bytes), time: None, cutoff })
    }

    #[test]
    fn nothing_begins_that_would_be_cut() {
        for (cutoff, rest) in [(Cutoff::Hard, 40), (Cutoff::Cautious, 39)] {
            let allowance = allowance(100, cutoff);
            assert!(allowance.admit(60).is_ok());
            let refused = allowance.admit(rest + 1).unwrap_err();
            assert!(matches!(RunError::of(&refused), Some(RunError::TransferLimit { limit: 100 })));
            assert!(allowance.admit(rest).is_ok());
        }
    }

    #[test]
    fn a_soft_limit_lets_the_last_one_finish() {
        let allowance = allowance(100, Cutoff::Soft);
        assert!(allowance.admit(60).is_ok());
        assert!(allowance.admit(1000).is_ok());
        assert!(allowance.admit(1).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn time_ends_what_has_begun_only_if_hard() {
        let limits = |cutoff| Limits { bytes: None, time: Some(Duration::from_secs(5)), cutoff };
        let work = || tokio::time::sleep(Duration::from_secs(10));
        let hard = RunQuota::new(limits(Cutoff::Hard));
        assert!(hard.admit(1).is_ok());
        let over = hard.within(work()).await.unwrap_err();
        assert!(matches!(RunError::of(&over), Some(RunError::DurationLimit)));
        assert!(hard.admit(1).is_err());
        let soft = RunQuota::new(limits(Cutoff::Soft));
        assert!(soft.within(work()).await.is_ok());
        assert!(soft.admit(1).is_err());
    }
}
