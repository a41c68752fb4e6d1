//! How long a run waits in all because the service refuses: after floods, locks and tries that failed.
//!
//! Each such wait has bounds of its own, but a service that refuses for ever would hold a run up for days. The usual
//! distances between calls don't count, and waits side by side count once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;
use crate::observer::WaitReason;

/// A bound on the waiting that the service forces on a run. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct WaitBudget(Arc<Mutex<Spent>>);

#[derive(Debug, Default)]
struct Spent {
    most: Option<Duration>,
    before: Duration,
    /// How many wait at the moment, and since when anybody has.
    waiting: u32,
    since: Option<Instant>,
    /// How many quarters were told of.
    told: u32,
}

/// A wait that counts, as long as this lives.
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a WaitBudget);

/// How much will be used up after a wait, of how much, where another quarter is.
pub(super) type News = Option<(Duration, Duration)>;

impl WaitBudget {
    /// At most so long in all.
    pub fn new(most: Duration) -> Self {
        Self(Arc::new(Mutex::new(Spent { most: Some(most), ..Spent::default() })))
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // A few numbers, sound at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a wait of this length, unless it would be too much in all: then it needn't even begin.
    pub(super) fn begin(
        &self,
        wait: Duration,
        after: Option<&ErrorKind>,
    ) -> Result<(Waiting<'_>, News), ErrorKind> {
        let now = Instant::now();
        let mut spent = self.spent();
        let so_far = spent.before + spent.since.map_or(Duration::ZERO, |since| now - since);
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
        spent.waiting += 1;
        spent.since.get_or_insert(now);
        Ok((Waiting(self), news))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut spent = self.0.spent();
        spent.waiting = spent.waiting.saturating_sub(1);
        if spent.waiting == 0
            && let Some(since) = spent.since.take()
        {
            spent.before += since.elapsed();
        }
    }
}

/// Whether a wait is forced by the service, beside the usual distances.
pub(super) fn is_forced(why: WaitReason) -> bool {
    matches!(
        why,
        WaitReason::Flood
            | WaitReason::AddressLock
            | WaitReason::Locations
            | WaitReason::RetryAfter
            | WaitReason::BackOff
            | WaitReason::DoubtfulReport
            | WaitReason::LateReport
    )
}
