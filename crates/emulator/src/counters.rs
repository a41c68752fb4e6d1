//! Number of calls of each endpoint: tests compare them with what a client should need.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters of one emulator process. They describe the run, not the account, so they aren't part of the state.
#[derive(Default)]
pub(crate) struct Counters {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: BTreeMap<String, u64>,
    floods: u64,
}

impl Counters {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, endpoint: &str) {
        let mut counts = self.lock();
        if let Some(count) = counts.requests.get_mut(endpoint) {
            *count += 1;
        } else {
            counts.requests.insert(endpoint.to_owned(), 1);
        }
    }

    pub(crate) fn count_flood(&self) {
        self.lock().floods += 1;
    }

    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        self.lock().requests.clone()
    }

    pub(crate) fn floods(&self) -> u64 {
        self.lock().floods
    }

    pub(crate) fn reset(&self) {
        *self.lock() = Counts::default();
    }
}
