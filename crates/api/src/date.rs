//! Dates as the service writes them: `YYYY-MM-DD HH:MM:SS`, without a zone.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY: i64 = 86_400;

/// A date from the wire, or for it.
///
/// It has no zone. The service probably means French local time; rclone reads it as UTC, and
/// [`as_utc`](Self::as_utc) does as rclone so that listings agree (API document, section 1). The text is
/// kept exactly, whatever it is.
///
/// ```
/// use fichier_api::WireDate;
/// let date = WireDate::new("2021-03-20 16:42:15");
/// assert_eq!(date.civil().map(|civil| civil.year), Some(2021));
/// assert_eq!(date.to_string(), "2021-03-20 16:42:15");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WireDate(Form);

/// A well-formed date takes no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    /// Seconds since 1970-01-01 00:00:00 of the same unknown zone; shows as the very text it came from.
    Seconds(i64),
    /// Anything else.
    Text(Box<str>),
}

/// A date and time of day, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CivilDateTime {
    /// Year, 0 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

impl WireDate {
    /// Takes a text, well-formed or not.
    pub fn new(text: &str) -> Self {
        let seconds = CivilDateTime::parse(text).map(CivilDateTime::seconds);
        match seconds {
            Some(seconds) => Self(Form::Seconds(seconds)),
            None => Self(Form::Text(text.into())),
        }
    }

    /// The date that rclone would show as this moment. Fractions of a second are dropped.
    pub fn from_utc(moment: SystemTime) -> Self {
        let seconds = match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        // 0000-01-01 to 9999-12-31, what the form can write.
        Self(Form::Seconds(seconds.clamp(-62_167_219_200, 253_402_300_799)))
    }

    /// The date and time of day; `None` when the text isn't a date.
    pub fn civil(&self) -> Option<CivilDateTime> {
        match self.0 {
            Form::Seconds(seconds) => Some(CivilDateTime::of_seconds(seconds)),
            Form::Text(_) => None,
        }
    }

    /// The moment, read as if it were UTC; `None` when the text isn't a date.
    pub fn as_utc(&self) -> Option<SystemTime> {
        match self.0 {
            Form::Seconds(seconds) if seconds >= 0 => {
                UNIX_EPOCH.checked_add(Duration::from_secs(seconds.unsigned_abs()))
            }
            Form::Seconds(seconds) => UNIX_EPOCH.checked_sub(Duration::from_secs(seconds.unsigned_abs())),
            Form::Text(_) => None,
        }
    }
}

impl CivilDateTime {
    fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = bytes.len() == 19
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                4 | 7 => *byte == b'-',
                10 => *byte == b' ',
                13 | 16 => *byte == b':',
                _ => byte.is_ascii_digit(),
            });
        if !shape {
            return None;
        }
        let civil = Self {
            year: text[0..4].parse().ok()?,
            month: text[5..7].parse().ok()?,
            day: text[8..10].parse().ok()?,
            hour: text[11..13].parse().ok()?,
            minute: text[14..16].parse().ok()?,
            second: text[17..19].parse().ok()?,
        };
        civil.exists().then_some(civil)
    }

    fn exists(self) -> bool {
        // Through the count of days and back: only a day of the calendar comes back as itself.
        (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && Self::of_seconds(self.seconds()) == self
    }

    /// Seconds since 1970-01-01 00:00:00 of the same zone, in the proleptic Gregorian calendar.
    /// After Howard Hinnant's `days_from_civil`.
    fn seconds(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        days * DAY + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    fn of_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(DAY) + 719_468;
        let time = seconds.rem_euclid(DAY);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        // All in range: the callers pass years 0 to 9999 only.
        let small = |value: i64| u8::try_from(value).unwrap_or(u8::MAX);
        Self {
            year: u16::try_from(year).unwrap_or(u16::MAX),
            month: small(month),
            day: small(day),
            hour: small(time / 3600),
            minute: small(time / 60 % 60),
            second: small(time % 60),
        }
    }
}

impl fmt::Display for CivilDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

impl fmt::Display for WireDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Seconds(seconds) => CivilDateTime::of_seconds(*seconds).fmt(f),
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
            let civil = CivilDateTime::of_seconds(seconds);
            prop_assert_eq!(civil.seconds(), seconds);
            let date = WireDate::new(&civil.to_string());
            prop_assert_eq!(date.civil(), Some(civil));
            let moment = date.as_utc().unwrap();
            prop_assert_eq!(WireDate::from_utc(moment), date);
        }

        #[test]
        fn any_text_is_kept(text in "\\PC{0,24}") {
            prop_assert_eq!(WireDate::new(&text).to_string(), text);
        }
    }
}
