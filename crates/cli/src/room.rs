//! Whether all that a run is to store can fit, as far as an earlier answer of the service told what is free.

use std::sync::{Mutex, PoisonError};

use crate::output::size;

/// How much of a run's destination is free, until it was said that the run can't fit.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<Option<(u64, String)>>);

impl Room {
    /// Notes how much is free there.
    pub(crate) fn note(&self, free: u64, remote: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((free, remote));
    }

    /// Says once that so many bytes can't fit.
    pub(crate) fn look(&self, planned: u64) {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((free, remote)) = room.take_if(|(free, _)| planned > *free) {
            tracing::warn!(
                "{remote} had {} free when it was last asked, and this run is to store {} or more",
                size::in_bytes(free),
                size::in_bytes(planned)
            );
        }
    }
}
