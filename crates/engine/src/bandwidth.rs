//! How many bytes may go in a second: `--bwlimit`.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How much may be sent ahead of its time, so that pieces needn't be cut small.
const AHEAD: Duration = Duration::from_millis(100);

/// Bytes a second; `None`: any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of all transfers together.
    pub total: Option<NonZeroU64>,
    /// To remotes on the network.
    pub up: Option<NonZeroU64>,
    /// From remotes on the network.
    pub down: Option<NonZeroU64>,
}

/// Which way the bytes of a transfer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ways {
    pub(crate) up: bool,
    pub(crate) down: bool,
}

/// Keeps the bytes of all transfers below the rates of the moment.
#[derive(Clone)]
pub struct Bandwidth(Arc<Inner>);

struct Inner {
    rates: Box<dyn Fn() -> Rates + Send + Sync>,
    total: Gate,
    up: Gate,
    down: Gate,
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bandwidth").field(&(self.0.rates)()).finish()
    }
}

impl Bandwidth {
    /// `rates` tells what holds at the moment it is asked.
    pub fn new(rates: impl Fn() -> Rates + Send + Sync + 'static) -> Self {
        let gate = Gate::default;
        Self(Arc::new(Inner { rates: Box::new(rates), total: gate(), up: gate(), down: gate() }))
    }

    /// Takes the room for so many bytes, and says until when they have to wait.
    pub(crate) fn take(&self, bytes: u64, ways: Ways) -> Option<Instant> {
        let rates = (self.0.rates)();
        let now = Instant::now();
        [
            self.0.total.take(now, bytes, rates.total),
            self.0.up.take(now, bytes, rates.up.filter(|_| ways.up)),
            self.0.down.take(now, bytes, rates.down.filter(|_| ways.down)),
        ]
        .into_iter()
        .flatten()
        .max()
    }
}

/// One rate: knows when what has been taken will be through.
#[derive(Debug, Default)]
struct Gate(Mutex<Option<Instant>>);

impl Gate {
    fn take(&self, now: Instant, bytes: u64, rate: Option<NonZeroU64>) -> Option<Instant> {
        let rate = rate?;
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(rate.get());
        let time = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        let mut through = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = through.map_or(now, |through| through.max(now)).checked_add(time)?;
        *through = Some(until);
        (until > now + AHEAD).then(|| until.checked_sub(AHEAD).unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Ways = Ways { up: true, down: false };

    fn rates(rates: Rates) -> Bandwidth {
        Bandwidth::new(move || rates)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_wait_for_those_before_them() {
        let bandwidth = rates(Rates { total: NonZeroU64::new(1000), ..Rates::default() });
        let start = Instant::now();
        assert_eq!(bandwidth.take(100, UP), None);
        assert_eq!(bandwidth.take(1000, UP), Some(start + Duration::from_secs(1)));
        assert_eq!(bandwidth.take(1000, UP), Some(start + Duration::from_secs(2)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(bandwidth.take(50, UP), None, "idle time isn't saved up, and isn't held against anybody");
    }

    #[tokio::test(start_paused = true)]
    async fn each_way_has_its_own_rate() {
        let bandwidth = rates(Rates { up: NonZeroU64::new(1000), ..Rates::default() });
        assert_eq!(bandwidth.take(1 << 30, Ways { up: false, down: true }), None);
        assert!(bandwidth.take(1 << 20, UP).is_some());
    }
}
