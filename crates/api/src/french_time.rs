//! French time, in which the service writes its dates (API document, section 1): an hour ahead of UTC, two in summer.
//!
//! Summer is from the last Sunday of March, 01:00 UTC, to the last Sunday of October, 01:00 UTC, as everywhere in the EU
//! since 1996, which is long before the service. No database of time zones is needed for that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Returns the number of days from 1970-01-01 to the first of January of a year.
fn new_year(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 477
}

/// Returns the first seconds of the last Sundays of March and of October in the year of a moment, both counted
/// from 1970.
fn changes(seconds: i64) -> (i64, i64) {
    let day = seconds.div_euclid(DAY);
    // A guess that is right or one too high or too low.
    let mut year = 1970 + day.div_euclid(365);
    while new_year(year) > day {
        year -= 1;
    }
    let first = new_year(year);
    // 1970-01-01 was a Thursday. The 31st of both months: 31 + 28 + 31, and 31 + 30 + 31 + 30 + 31 + 31 + 30 + 31 later.
    let leap = new_year(year + 1) - first - 365;
    let last_sunday = |of_year: i64| {
        let day = first + leap + of_year;
        (day - (day + 4).rem_euclid(7)) * DAY
    };
    (last_sunday(89), last_sunday(303))
}

fn seconds(moment: SystemTime) -> i64 {
    let whole = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 4);
    match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

/// Returns by how much a date of the service that is read as if it were UTC is ahead of the real moment.
///
/// Of an hour that comes twice, in October, the first is meant. One that never comes, in March, counts from winter on.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// let summer = UNIX_EPOCH + Duration::from_secs(1_690_000_000);
/// assert_eq!(fichier_api::french_time::ahead(summer), Duration::from_secs(2 * 3600));
/// ```
#[must_use]
pub fn ahead(shown: SystemTime) -> Duration {
    let shown = seconds(shown);
    let (march, october) = changes(shown);
    offset((march + 3 * HOUR..october + 3 * HOUR).contains(&shown))
}

/// Returns the moment as if its French date were UTC.
#[must_use]
pub fn shown(moment: SystemTime) -> SystemTime {
    let utc = seconds(moment);
    let (march, october) = changes(utc);
    let ahead = offset((march + HOUR..october + HOUR).contains(&utc));
    moment.checked_add(ahead).unwrap_or(moment)
}

fn offset(summer: bool) -> Duration {
    Duration::from_secs(if summer { 2 * 3600 } else { 3600 })
}

/// Returns the end of the hour that comes twice or never, if the shown time is in one.
#[must_use]
pub fn end_of_odd_hour(shown: SystemTime) -> Option<SystemTime> {
    let at = seconds(shown);
    let (march, october) = changes(at);
    let odd = [march, october].into_iter().find(|day| (day + 2 * HOUR..day + 3 * HOUR).contains(&at))?;
    shown.checked_add(Duration::from_secs(u64::try_from(odd + 3 * HOUR - at).ok()?))
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;

    /// Returns the same time zone from another implementation.
    fn paris() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn at(text: &str) -> SystemTime {
        system(format!("{text}Z").parse().unwrap())
    }

    fn system(moment: Timestamp) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(moment.as_second().unsigned_abs())
    }

    fn meant(text: &str) -> SystemTime {
        at(text) - ahead(at(text))
    }

    #[test]
    fn winter_and_summer() {
        assert_eq!(meant("2024-01-15T12:00:00"), at("2024-01-15T11:00:00"));
        assert_eq!(meant("2024-07-15T12:00:00"), at("2024-07-15T10:00:00"));
        assert_eq!(shown(at("2024-07-15T10:00:00")), at("2024-07-15T12:00:00"));
        assert_eq!(shown(at("2024-12-31T23:30:00")), at("2025-01-01T00:30:00"));
    }

    #[test]
    fn the_hour_that_never_comes_in_march() {
        assert_eq!(shown(at("2024-03-31T00:59:59")), at("2024-03-31T01:59:59"));
        assert_eq!(shown(at("2024-03-31T01:00:00")), at("2024-03-31T03:00:00"));
        assert_eq!(meant("2024-03-31T01:59:59"), at("2024-03-31T00:59:59"));
        assert_eq!(meant("2024-03-31T02:30:00"), at("2024-03-31T01:30:00"));
        assert_eq!(meant("2024-03-31T03:00:00"), at("2024-03-31T01:00:00"));
    }

    #[test]
    fn the_hour_that_comes_twice_in_october() {
        assert_eq!(shown(at("2024-10-27T00:30:00")), at("2024-10-27T02:30:00"));
        assert_eq!(shown(at("2024-10-27T01:30:00")), at("2024-10-27T02:30:00"));
        assert_eq!(meant("2024-10-27T02:30:00"), at("2024-10-27T00:30:00"));
        assert_eq!(meant("2024-10-27T03:00:00"), at("2024-10-27T02:00:00"));
    }

    #[test]
    fn both_odd_hours_end_at_three() {
        for day in ["2024-03-31", "2024-10-27", "2026-10-25", "2037-03-29"] {
            let end = Some(at(&format!("{day}T03:00:00")));
            assert_eq!(end_of_odd_hour(at(&format!("{day}T02:00:00"))), end);
            assert_eq!(end_of_odd_hour(at(&format!("{day}T02:59:59"))), end);
            assert_eq!(end_of_odd_hour(at(&format!("{day}T01:59:59"))), None);
            assert_eq!(end_of_odd_hour(at(&format!("{day}T03:00:00"))), None);
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_shown_as_others_say(seconds in 0..7_258_118_400_i64) {
            let moment = Timestamp::from_second(seconds).unwrap();
            let civil = moment.to_zoned_datetime(paris()).datetime();
            let expected = civil.to_zoned_datetime(TimeZone::UTC).unwrap();
            prop_assert_eq!(shown(system(moment)), system(expected.timestamp()));
        }

        #[test]
        fn every_date_means_what_others_say(seconds in 0..7_258_118_400_i64) {
            let date: DateTime = Timestamp::from_second(seconds).unwrap().to_zoned_datetime(TimeZone::UTC).datetime();
            let expected = paris().to_ambiguous_zoned_datetime(date).compatible().unwrap().timestamp();
            let shown = system(Timestamp::from_second(seconds).unwrap());
            prop_assert_eq!(shown - ahead(shown), system(expected));
        }
    }
}
