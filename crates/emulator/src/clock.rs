//! The emulator's clock: replaceable, so that tests need not wait for locks and tokens to expire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Source of the emulator's time.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Returns a clock that starts at `start` and moves only by [`Clock::advance`]; its clones move with it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// Returns the present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Manual(time) => *time.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; does nothing to a system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            let mut time = time.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            *time = time.saturating_add(by).unwrap_or(Timestamp::MAX);
        }
    }

    pub(crate) fn micros(&self) -> i64 {
        self.now().as_microsecond()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// Returns a date as the service writes it: `YYYY-MM-DD HH:MM:SS`, no zone (API document, section 1).
pub(crate) fn wire_date(seconds: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Parses a date that a client sent, in the emulator's zone.
pub(crate) fn parse_wire_date(text: &str, zone: &TimeZone) -> Option<i64> {
    let date = DateTime::strptime("%Y-%m-%d %H:%M:%S", text.trim()).ok()?;
    Some(zone.to_ambiguous_zoned_datetime(date).compatible().ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back() {
        let paris = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for zone in [TimeZone::UTC, paris] {
            let text = wire_date(1_700_000_000, &zone);
            assert_eq!(parse_wire_date(&text, &zone), Some(1_700_000_000));
        }
        assert_eq!(wire_date(1_700_000_000, &TimeZone::UTC), "2023-11-14 22:13:20");
        assert_eq!(parse_wire_date("2023-11-14T22:13:20Z", &TimeZone::UTC), None);
    }

    #[test]
    fn a_manual_clock_moves_for_its_clones() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(other.now().as_second(), 5);
    }
}
