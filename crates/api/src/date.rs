//! Dates as the service writes them: `YYYY-MM-DD HH:MM:SS`, without a zone.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, civil::DateTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The Unix epoch, 1970-01-01 00:00:00.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// First and last second that the format can express.
const FIRST: DateTime = DateTime::constant(0, 1, 1, 0, 0, 0, 0);
const LAST: DateTime = DateTime::constant(9999, 12, 31, 23, 59, 59, 0);

/// A date as the service writes it.
///
/// It has no zone. The service means French time; rclone reads it as UTC, and [`as_utc`](Self::as_utc) does as rclone so
/// that listings agree (API document, section 1). [`french_time`](crate::french_time) leads from there to the moment that
/// is meant. The text is kept exactly, whatever it is.
///
/// ```
/// use fichier_api::WireDate;
/// let date = WireDate::new("2021-03-20 16:42:15");
/// assert_eq!(date.civil().map(|civil| civil.year()), Some(2021));
/// assert_eq!(date.to_string(), "2021-03-20 16:42:15");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WireDate(Form);

/// A well-formed date needs no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    /// A date that is shown exactly as it was written.
    Date(DateTime),
    /// Any other text.
    Text(Box<str>),
}

impl WireDate {
    /// Makes a date of any text, well-formed or not.
    pub fn new(text: &str) -> Self {
        Self(parse(text).map_or_else(|| Form::Text(text.into()), Form::Date))
    }

    /// Returns the date that rclone would show as this time. Fractions of a second are dropped.
    pub fn from_utc(moment: SystemTime) -> Self {
        let seconds =
            |time: Duration| SignedDuration::from_secs(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
        let date = match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => EPOCH.checked_add(seconds(after)).unwrap_or(LAST).min(LAST),
            Err(before) => EPOCH.checked_sub(seconds(before.duration())).unwrap_or(FIRST).max(FIRST),
        };
        Self(Form::Date(date))
    }

    /// Returns the date and time of day; `None` when the text isn't a date.
    pub fn civil(&self) -> Option<DateTime> {
        match self.0 {
            Form::Date(date) => Some(date),
            Form::Text(_) => None,
        }
    }

    /// Returns the time, read as UTC; `None` when the text isn't a date.
    pub fn as_utc(&self) -> Option<SystemTime> {
        let since = self.civil()?.duration_since(EPOCH);
        if since.is_negative() {
            UNIX_EPOCH.checked_sub(since.unsigned_abs())
        } else {
            UNIX_EPOCH.checked_add(since.unsigned_abs())
        }
    }
}

/// Parses exactly one format, so that each text is shown as it came: jiff would accept others, too.
fn parse(text: &str) -> Option<DateTime> {
    let shape = text.len() == 19
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b' ',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let part = |from: usize| text.get(from..from + 2)?.parse().ok();
    let year = text.get(..4).filter(|_| shape)?.parse().ok()?;
    DateTime::new(year, part(5)?, part(8)?, part(11)?, part(14)?, part(17)?, 0).ok()
}

impl fmt::Display for WireDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Date(date) => date.strftime("%Y-%m-%d %H:%M:%S").fmt(f),
            Form::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for WireDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireDate({self})")
    }
}

impl Serialize for WireDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unix(text: &str) -> Option<i64> {
        let moment = WireDate::new(text).as_utc()?;
        Some(match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_secs().cast_signed(),
            Err(before) => -before.duration().as_secs().cast_signed(),
        })
    }

    #[test]
    fn known_moments() {
        assert_eq!(unix("1970-01-01 00:00:00"), Some(0));
        assert_eq!(unix("2000-02-29 12:00:00"), Some(951_825_600));
        assert_eq!(unix("2021-03-20 16:42:15"), Some(1_616_258_535));
        assert_eq!(unix("1969-12-31 23:59:59"), Some(-1));
        assert_eq!(unix("9999-12-31 23:59:59"), Some(253_402_300_799));
        assert_eq!(unix("0000-01-01 00:00:00"), Some(-62_167_219_200));
    }

    #[test]
    fn what_is_no_date_stays_the_text_it_was() {
        for text in [
            "",
            "0000-00-00 00:00:00",
            "2021-02-29 00:00:00",
            "2021-13-01 00:00:00",
            "2021-04-31 00:00:00",
            "2021-01-01 24:00:00",
            "2021-01-01 23:59:60",
            "2021-01-01T00:00:00",
            "2021-01-01",
            "2021-01-01 00:00:0é",
        ] {
            let date = WireDate::new(text);
            assert_eq!(date.to_string(), text);
            assert_eq!((date.civil(), date.as_utc()), (None, None), "{text}");
        }
    }

    #[test]
    fn a_date_takes_little_memory() {
        assert!(size_of::<WireDate>() <= 24);
    }

    proptest! {
        #[test]
        fn every_second_comes_back(seconds in -62_167_219_200i64..=253_402_300_799) {
            let moment = if seconds < 0 {
                UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs())
            } else {
                UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
            };
            let date = WireDate::from_utc(moment);
            prop_assert_eq!(date.as_utc(), Some(moment));
            prop_assert_eq!(WireDate::new(&date.to_string()), date);
        }

        #[test]
        fn any_text_is_kept(text in "\\PC{0,24}") {
            prop_assert_eq!(WireDate::new(&text).to_string(), text);
        }
    }
}
