//! `--bwlimit` and `--bwlimit-file`: limits on bytes per second.

use std::{
    fmt,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Time by which bytes may be sent early, so that pieces needn't be cut small.
const AHEAD: Duration = Duration::from_millis(100);

/// Limits in bytes per second; `None`: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Limit on all transfers together.
    pub total: Option<NonZeroU64>,
    /// Limit on transfers to remotes on the network.
    pub up: Option<NonZeroU64>,
    /// Limit on transfers from remotes on the network.
    pub down: Option<NonZeroU64>,
}

/// Directions in which the bytes of a transfer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Directions {
    pub(crate) up: bool,
    pub(crate) down: bool,
}

/// Keeps the bytes of all transfers below the rates that hold at the moment.
#[derive(Clone)]
pub struct Bandwidth(Arc<Inner>);

/// Returns the rates that hold at the moment.
type RatesNow = Box<dyn Fn() -> Rates + Send + Sync>;

struct Inner {
    rates: RatesNow,
    /// Rates for each file by itself.
    file_rates: Option<RatesNow>,
    gates: Gates,
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bandwidth").field(&(self.0.rates)()).finish()
    }
}

impl Bandwidth {
    /// Makes a limit. `rates` returns the rates that hold when it is called.
    pub fn new(rates: impl Fn() -> Rates + Send + Sync + 'static) -> Self {
        Self::with(Box::new(rates), None)
    }

    /// Makes a limit with additional rates for each file by itself.
    pub fn with_file_rates(
        rates: impl Fn() -> Rates + Send + Sync + 'static,
        file_rates: impl Fn() -> Rates + Send + Sync + 'static,
    ) -> Self {
        Self::with(Box::new(rates), Some(Box::new(file_rates)))
    }

    fn with(rates: RatesNow, file_rates: Option<RatesNow>) -> Self {
        Self(Arc::new(Inner { rates, file_rates, gates: Gates::default() }))
    }

    /// Reserves `bytes` bytes of a file, and returns until when they have to wait.
    pub(crate) fn take(&self, bytes: u64, ways: Directions, file: &Gates) -> Option<Instant> {
        let now = Instant::now();
        let together = self.0.gates.take(now, bytes, ways, (self.0.rates)());
        let alone = self.0.file_rates.as_ref().and_then(|rates| file.take(now, bytes, ways, rates()));
        together.max(alone)
    }
}

/// Rates of a run, or of one file.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    total: Gate,
    up: Gate,
    down: Gate,
}

impl Gates {
    fn take(&self, now: Instant, bytes: u64, ways: Directions, rates: Rates) -> Option<Instant> {
        [
            self.total.take(now, bytes, rates.total),
            self.up.take(now, bytes, rates.up.filter(|_| ways.up)),
            self.down.take(now, bytes, rates.down.filter(|_| ways.down)),
        ]
        .into_iter()
        .flatten()
        .max()
    }
}

/// One rate in bytes per second. Knows when the bytes reserved so far will be through.
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

    const UP: Directions = Directions { up: true, down: false };

    fn rates(rates: Rates) -> Bandwidth {
        Bandwidth::new(move || rates)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_wait_for_those_before_them() {
        let bandwidth = rates(Rates { total: NonZeroU64::new(1000), ..Rates::default() });
        let (start, file) = (Instant::now(), Gates::default());
        assert_eq!(bandwidth.take(100, UP, &file), None);
        assert_eq!(bandwidth.take(1000, UP, &file), Some(start + Duration::from_secs(1)));
        assert_eq!(bandwidth.take(1000, UP, &file), Some(start + Duration::from_secs(2)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(
            bandwidth.take(50, UP, &file),
            None,
            "idle time isn't saved up, and isn't held against anybody"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_way_has_its_own_rate() {
        let bandwidth = rates(Rates { up: NonZeroU64::new(1000), ..Rates::default() });
        let file = Gates::default();
        assert_eq!(bandwidth.take(1 << 30, Directions { up: false, down: true }, &file), None);
        assert!(bandwidth.take(1 << 20, UP, &file).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn each_file_has_a_rate_of_its_own_below_that_of_all() {
        let rate = |bytes| move || Rates { total: NonZeroU64::new(bytes), ..Rates::default() };
        let bandwidth = Bandwidth::with_file_rates(rate(4000), rate(1000));
        let (start, one, other) = (Instant::now(), Gates::default(), Gates::default());
        let after = |millis| Some(start + Duration::from_millis(millis));
        assert_eq!(bandwidth.take(2000, UP, &one), after(1900), "by the file's rate");
        assert_eq!(bandwidth.take(1000, UP, &other), after(900), "the other file's bytes don't wait for it");
        assert_eq!(bandwidth.take(9000, UP, &Gates::default()), after(8900), "by the file's rate, again");
        assert_eq!(bandwidth.take(100, UP, &Gates::default()), after(2925), "by that of all");
    }
}
