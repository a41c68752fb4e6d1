//! Limits how long a run waits in all because the service refuses: after floods, locks and tries that failed.
//!
//! Each such wait has limits of its own, but a service that always refuses would delay a run for days. The usual
//! intervals between calls don't count, and waits side by side count once. Waits for the report of an upload count from
//! the last report that came: a service that gives reports is working, however long a run takes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;
use crate::observer::WaitReason;

/// Limit on the waiting that the service and other runs force on a run. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct WaitBudget(Arc<Mutex<Spent>>);

#[derive(Debug, Default)]
struct Spent {
    most: Option<Duration>,
    refusals: Clock,
    /// Time waited for reports since the last one that came.
    reports: Clock,
    /// Number of quarters of the limit that were reported.
    told: u32,
}

/// Time in which any task waited.
#[derive(Debug, Default)]
struct Clock {
    before: Duration,
    /// Number of tasks that wait now, and since when at least one has.
    waiting: u32,
    since: Option<Instant>,
}

/// A wait that counts while this exists.
#[derive(Debug)]
pub struct Waiting {
    budget: WaitBudget,
    of_report: bool,
}

/// Time that will be used up after a wait, and the limit, where another quarter is reached.
pub(super) type News = Option<(Duration, Duration)>;

impl Clock {
    fn read(&self, now: Instant) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| now - since)
    }

    fn start(&mut self, now: Instant) {
        self.waiting += 1;
        self.since.get_or_insert(now);
    }

    fn stop(&mut self, now: Instant) {
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            self.before = self.read(now);
            self.since = None;
        }
    }
}

impl Spent {
    fn so_far(&self, now: Instant) -> Duration {
        self.refusals.read(now) + self.reports.read(now)
    }

    fn clock(&mut self, of_report: bool) -> &mut Clock {
        if of_report { &mut self.reports } else { &mut self.refusals }
    }
}

impl WaitBudget {
    /// Makes a limit for all waits together.
    pub fn new(most: Duration) -> Self {
        Self(Arc::new(Mutex::new(Spent { most: Some(most), ..Spent::default() })))
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // Plain numbers, which are sound at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a wait of this length, unless it would be too much in all: then it needn't even begin.
    pub(super) fn begin(
        &self,
        wait: Duration,
        of_report: bool,
        after: Option<&ErrorKind>,
    ) -> Result<(Waiting, News), ErrorKind> {
        let now = Instant::now();
        let mut spent = self.spent();
        let so_far = spent.so_far(now);
        let then = so_far.saturating_add(wait);
        let mut news = None;
        if let Some(most) = spent.most {
            if then > most {
                let last = after.map(ToString::to_string);
                return Err(ErrorKind::WaitedTooLong { most, so_far, next: wait, last });
            }
            let quarters = u32::try_from(then.as_nanos() * 4 / most.as_nanos().max(1)).unwrap_or(4);
            if quarters > spent.told {
                spent.told = quarters;
                news = Some((then, most));
            }
        }
        spent.clock(of_report).start(now);
        Ok((Waiting { budget: self.clone(), of_report }, news))
    }

    /// Starts a wait for another run, of unknown length. The caller checks [`used_up`](Self::used_up) now and then.
    pub fn wait_for_another(&self) -> Waiting {
        self.spent().refusals.start(Instant::now());
        Waiting { budget: self.clone(), of_report: false }
    }

    /// Returns how long the run has waited and may wait, once it may wait no longer.
    pub fn used_up(&self) -> Option<(Duration, Duration)> {
        let spent = self.spent();
        let so_far = spent.so_far(Instant::now());
        spent.most.filter(|most| so_far >= *most).map(|most| (so_far, most))
    }

    /// Records that a report has come.
    pub(super) fn report_came(&self) {
        let mut spent = self.spent();
        spent.reports.before = Duration::ZERO;
        spent.reports.since = spent.reports.since.map(|_| Instant::now());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let now = Instant::now();
        self.budget.spent().clock(self.of_report).stop(now);
    }
}

/// Checks whether a wait is forced by the service, beside the usual intervals.
pub(super) fn is_forced(why: WaitReason) -> bool {
    matches!(
        why,
        WaitReason::Flood
            | WaitReason::AddressLock
            | WaitReason::Locations
            | WaitReason::RetryAfter
            | WaitReason::BackOff
            | WaitReason::UploadReport
            | WaitReason::DoubtfulReport
            | WaitReason::LateReport
    )
}

/// Checks whether a wait is for the report of an upload that the service has taken.
pub(super) fn is_of_report(why: WaitReason) -> bool {
    matches!(why, WaitReason::UploadReport | WaitReason::LateReport)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn all_forced_waits_count_once_and_those_for_reports_until_one_comes() {
        let budget = WaitBudget::new(SECOND * 10);
        let wait = async |of_report, seconds| {
            let (_waiting, _) = budget.begin(SECOND * seconds, of_report, None)?;
            tokio::time::sleep(SECOND * seconds).await;
            Ok::<_, ErrorKind>(())
        };
        let (one, other) = tokio::join!(wait(false, 2), wait(false, 2));
        assert!(one.is_ok() && other.is_ok());
        wait(true, 5).await.unwrap();
        let error = wait(true, 4).await.unwrap_err().to_string();
        assert!(error.contains("has waited 7s"), "{error}");
        budget.report_came();
        wait(true, 7).await.unwrap();
        assert_eq!(budget.used_up(), None);
        let another = budget.wait_for_another();
        tokio::time::sleep(SECOND * 3).await;
        assert_eq!(budget.used_up(), Some((SECOND * 12, SECOND * 10)));
        drop(another);
        tokio::time::sleep(SECOND * 3).await;
        assert_eq!(budget.used_up(), Some((SECOND * 12, SECOND * 10)));
    }
}
