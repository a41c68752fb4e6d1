//! The service's limits (API document, section 2), real or scaled down for tests.
//!
//! Where the document is unsure, the stricter reading is used:
//! - *any call*: one every 330 ms on average, with a burst of four; more locks the address for all API calls;
//! - *listing*, `folder/ls` and `file/ls` alike: 3 s apart; sooner locks listings, other calls still work;
//! - *same folder*: 30 s apart, for the folder's files (`file/ls`, `folder/ls` with `files: 1`) and for its
//!   folders (`folder/ls` without) each; windows of one folder count like any listing of it;
//! - *all files*: once an hour; *account info*: once in 5 minutes for the account, once a minute for the address.
//!
//! A lock lasts 30 s, twice as long at each further offence within 5 minutes, at most 5 minutes. A call during a
//! lock, 2 s after its start or later, starts its 30 s again: a client that sleeps gets out, a client that keeps
//! calling never does. Intervals are checked with a tenth of tolerance, for jitter on the way.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::ParseValueError;
use crate::state::Tx;

/// Limits that are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Limits {
    /// No limits; a token still expires after 5 minutes.
    #[default]
    Off,
    /// The limits of the service.
    Real,
    /// The limits of the service, with every interval divided by this number.
    Scaled(f64),
}

impl FromStr for Limits {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "off" => Ok(Self::Off),
            "real" => Ok(Self::Real),
            _ => {
                let factor = text.strip_prefix("scaled:").and_then(|number| number.parse::<f64>().ok());
                factor.filter(|factor| factor.is_finite() && *factor > 0.0).map(Self::Scaled).ok_or_else(
                    || ParseValueError::new(text, "expected off, real or scaled:N with N above 0"),
                )
            }
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Real => f.write_str("real"),
            Self::Scaled(factor) => write!(f, "scaled:{factor}"),
        }
    }
}

const CALL_GAP: Duration = Duration::from_millis(330);
const CALL_BURST: i64 = 4;
const LISTING_GAP: Duration = Duration::from_secs(3);
const FOLDER_GAP: Duration = Duration::from_secs(30);
const ALL_FILES_GAP: Duration = Duration::from_secs(3600);
const INFO_GAP: Duration = Duration::from_secs(300);
const INFO_ADDRESS_GAP: Duration = Duration::from_secs(60);
const LOCK: Duration = Duration::from_secs(30);
const LONGEST_LOCK: Duration = Duration::from_secs(300);
const OFFENCE_MEMORY: Duration = Duration::from_secs(300);
const LOCK_GRACE: Duration = Duration::from_secs(2);

/// Most files in a listing of the service. Sub-folders aren't counted, since there would be no way to list the rest
/// of them.
pub(crate) const LISTING_CAP: usize = 5000;

/// Kind of a call, for the limits besides those of every call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    Plain,
    /// A listing of a folder; `what` says whether of its files or its folders.
    Folder {
        what: &'static str,
        folder: i64,
    },
    AllFiles,
    Info,
}

struct Gate {
    key: String,
    mark: i64,
    locked_from: i64,
    locked_until: i64,
    offences: i64,
}

impl Gate {
    fn load(tx: &Tx<'_>, key: String) -> rusqlite::Result<Self> {
        let [mark, locked_from, locked_until, offences] = tx.gate(&key)?;
        Ok(Self { key, mark, locked_from, locked_until, offences })
    }

    fn save(&self, tx: &Tx<'_>) -> rusqlite::Result<()> {
        tx.put_gate(&self.key, [self.mark, self.locked_from, self.locked_until, self.offences])
    }
}

impl Limits {
    /// Returns an interval of the document in microseconds, scaled.
    pub(crate) fn micros(self, real: Duration) -> i64 {
        let factor = if let Self::Scaled(factor) = self { factor } else { 1.0 };
        let scaled = real.div_f64(factor.max(1e-6));
        i64::try_from(scaled.as_micros()).unwrap_or(i64::MAX / 4)
    }

    fn gap(self, real: Duration) -> i64 {
        self.micros(real) / 10 * 9
    }

    pub(crate) fn are_on(self) -> bool {
        self != Self::Off
    }

    /// Checks whether an address may make one more call now.
    pub(crate) fn admit_call(self, tx: &Tx<'_>, address: &str) -> rusqlite::Result<bool> {
        if !self.are_on() {
            return Ok(true);
        }
        let mut gate = Gate::load(tx, format!("call/{address}"))?;
        if self.is_locked(tx, &mut gate)? {
            return Ok(false);
        }
        let gap = self.micros(CALL_GAP);
        let due = gate.mark.max(tx.now);
        let admitted = due - tx.now <= gap * (CALL_BURST - 1);
        if admitted {
            gate.mark = due + gap;
        } else {
            self.lock(tx, &mut gate);
        }
        gate.save(tx)?;
        Ok(admitted)
    }

    /// Checks whether an account may make a call of this class now.
    pub(crate) fn admit_class(
        self,
        tx: &Tx<'_>,
        address: &str,
        account: i64,
        class: &Class,
    ) -> rusqlite::Result<bool> {
        if !self.are_on() {
            return Ok(true);
        }
        let (own_key, own_gap) = match class {
            Class::Plain => return Ok(true),
            Class::Info => {
                // There is no lock here: only this call fails, and downloads keep working.
                let mut gate = Gate::load(tx, format!("info/{account}"))?;
                let mut of_address = Gate::load(tx, format!("info-address/{address}"))?;
                let admitted = tx.now - gate.mark >= self.gap(INFO_GAP)
                    && tx.now - of_address.mark >= self.gap(INFO_ADDRESS_GAP);
                if admitted {
                    gate.mark = tx.now;
                    gate.save(tx)?;
                    of_address.mark = tx.now;
                    of_address.save(tx)?;
                }
                return Ok(admitted);
            }
            Class::Folder { what, folder } => (format!("{what}/{account}/{folder}"), self.gap(FOLDER_GAP)),
            Class::AllFiles => (format!("all/{account}"), self.gap(ALL_FILES_GAP)),
        };
        let mut listing = Gate::load(tx, format!("listing/{address}"))?;
        if self.is_locked(tx, &mut listing)? {
            return Ok(false);
        }
        let mut own = Gate::load(tx, own_key)?;
        let admitted = tx.now - listing.mark >= self.gap(LISTING_GAP) && tx.now - own.mark >= own_gap;
        if admitted {
            listing.mark = tx.now;
            own.mark = tx.now;
            own.save(tx)?;
        } else {
            self.lock(tx, &mut listing);
        }
        listing.save(tx)?;
        Ok(admitted)
    }

    fn is_locked(self, tx: &Tx<'_>, gate: &mut Gate) -> rusqlite::Result<bool> {
        if tx.now >= gate.locked_until {
            return Ok(false);
        }
        if tx.now > gate.locked_from + self.micros(LOCK_GRACE) {
            gate.locked_until = gate.locked_until.max(tx.now + self.micros(LOCK));
            gate.save(tx)?;
        }
        Ok(true)
    }

    fn lock(self, tx: &Tx<'_>, gate: &mut Gate) {
        let remembered = gate.offences > 0 && tx.now < gate.locked_until + self.micros(OFFENCE_MEMORY);
        gate.offences = if remembered { (gate.offences + 1).min(10) } else { 1 };
        let doubled = self.micros(LOCK) << (gate.offences - 1);
        gate.locked_from = tx.now;
        gate.locked_until = tx.now + doubled.min(self.micros(LONGEST_LOCK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::state::{Storage, Store};
    use jiff::Timestamp;

    struct Bench {
        store: Store,
        clock: Clock,
    }

    impl Bench {
        fn new() -> Self {
            let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
            let store = Store::open(&Storage::Memory, false, clock.clone(), Duration::ZERO).unwrap();
            Self { store, clock }
        }

        fn wait(&self, millis: u64) {
            self.clock.advance(Duration::from_millis(millis));
        }

        fn call(&self) -> bool {
            self.store.transact(|tx| Limits::Real.admit_call(tx, "::1")).unwrap()
        }

        fn class(&self, class: &Class) -> bool {
            self.store.transact(|tx| Limits::Real.admit_class(tx, "::1", 1, class)).unwrap()
        }

        fn list(&self, folder: i64) -> bool {
            self.class(&Class::Folder { what: "files", folder })
        }
    }

    #[test]
    fn values_are_read() {
        assert_eq!("off".parse(), Ok(Limits::Off));
        assert_eq!("real".parse(), Ok(Limits::Real));
        assert_eq!("scaled:100".parse(), Ok(Limits::Scaled(100.0)));
        for text in ["", "scaled", "scaled:0", "scaled:-1", "scaled:x", "on"] {
            assert!(text.parse::<Limits>().is_err(), "{text}");
        }
        assert_eq!(Limits::Scaled(100.0).micros(LOCK), 300_000);
    }

    #[test]
    fn a_paced_client_never_trips() {
        let bench = Bench::new();
        for _ in 0..1000 {
            assert!(bench.call());
            bench.wait(400);
        }
    }

    #[test]
    fn a_hasty_client_is_locked_and_gets_out_by_sleeping() {
        let bench = Bench::new();
        let passed = (0..10).take_while(|_| bench.call()).count();
        assert_eq!(passed, 4);
        bench.wait(29_000);
        assert!(!bench.call(), "still locked");
        bench.wait(29_000);
        assert!(!bench.call(), "the call in the lock started it anew");
        bench.wait(30_001);
        assert!(bench.call());
    }

    #[test]
    fn repeated_offences_lock_for_longer() {
        let bench = Bench::new();
        while bench.call() {}
        bench.wait(30_001);
        while bench.call() {}
        bench.wait(30_001);
        assert!(!bench.call());
        bench.wait(30_001);
        assert!(bench.call());
    }

    #[test]
    fn listings_have_their_own_lock() {
        let bench = Bench::new();
        assert!(bench.list(1));
        bench.wait(3000);
        assert!(bench.list(2));
        bench.wait(1000);
        assert!(!bench.list(3));
        assert!(bench.call());
        bench.wait(30_001);
        assert!(bench.list(3));
    }

    #[test]
    fn the_same_folder_waits_half_a_minute() {
        let bench = Bench::new();
        assert!(bench.list(1));
        bench.wait(10_000);
        assert!(!bench.list(1));
        bench.wait(31_000);
        assert!(bench.list(1));
        bench.wait(30_000);
        assert!(bench.list(1));
    }

    #[test]
    fn all_files_once_an_hour_and_info_once_in_five_minutes() {
        let bench = Bench::new();
        assert!(bench.class(&Class::AllFiles));
        assert!(bench.class(&Class::Info));
        bench.wait(200_000);
        assert!(!bench.class(&Class::Info));
        assert!(!bench.class(&Class::AllFiles));
        bench.wait(100_000);
        assert!(bench.class(&Class::Info));
        let of_another = |bench: &Bench| {
            bench.store.transact(|tx| Limits::Real.admit_class(tx, "::1", 2, &Class::Info)).unwrap()
        };
        assert!(!of_another(&bench), "another account, the same address");
        bench.wait(60_000);
        assert!(of_another(&bench));
        bench.wait(3_240_000);
        assert!(bench.class(&Class::AllFiles));
    }
}
