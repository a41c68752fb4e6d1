//! Times as people and scripts read them.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

/// Time that is shown for a file without a known time: 2000-01-01T00:00:00Z.
const UNKNOWN: Timestamp = Timestamp::constant(946_684_800, 0);

/// Time zone of the times that are shown.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Found when it is first needed: that walks through the system's directory of zones, which takes a sixth of the
    /// time of a short run.
    zone: OnceLock<TimeZone>,
    /// Time that is shown for an unknown one.
    unknown: Timestamp,
}

impl Clock {
    /// Makes a clock of this zone.
    #[cfg(test)]
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone: OnceLock::from(zone), unknown: UNKNOWN }
    }

    /// Makes a clock of the system's zone.
    pub(crate) fn of_system() -> Self {
        Self { zone: OnceLock::new(), unknown: UNKNOWN }
    }

    /// Sets the time that is shown for an unknown one.
    pub(crate) fn with_unknown(mut self, time: SystemTime) -> Self {
        self.unknown = Timestamp::try_from(time).unwrap_or(UNKNOWN);
        self
    }

    /// Returns the time in this zone.
    pub(crate) fn local(&self, time: Option<SystemTime>) -> ZonedDateTime {
        let stamp = time.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(self.unknown);
        stamp.to_zoned_datetime(self.zone().clone())
    }

    /// Returns the zone.
    pub(crate) fn zone(&self) -> &TimeZone {
        self.zone.get_or_init(TimeZone::system)
    }

    /// Returns the time as `2006-01-02 15:04:05`.
    pub(crate) fn seconds(&self, time: Option<SystemTime>) -> String {
        self.local(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Returns the time as `2006-01-02 15:04:05.000000000`.
    pub(crate) fn nanoseconds(&self, time: Option<SystemTime>) -> String {
        self.local(time).strftime("%Y-%m-%d %H:%M:%S.%9f").to_string()
    }

    /// Returns the time by RFC 3339 with as many decimals as the remote can store.
    pub(crate) fn rfc3339(&self, time: Option<SystemTime>, precision: Option<Duration>) -> String {
        let local = self.local(time);
        let mut text = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let digits = decimals(precision);
        if digits > 0 {
            let fraction = format!("{:09}", local.subsec_nanosecond());
            text.push('.');
            text.push_str(&fraction[..digits]);
        }
        text.push_str(&offset(&local));
        text
    }
}

/// Returns how many decimals of a second a precision needs.
pub(crate) fn decimals(precision: Option<Duration>) -> usize {
    let Some(precision) = precision else { return 0 };
    let mut step = Duration::from_secs(1);
    let mut digits = 0;
    while digits < 9 && precision < step {
        step /= 10;
        digits += 1;
    }
    digits
}

/// Returns the offset from UTC as in `Z07:00`.
fn offset(time: &ZonedDateTime) -> String {
    let seconds = time.offset().seconds();
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Returns a duration as rclone writes an ETA: `4s`, `1m2s`, `3d4h`; at most the parts that matter.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds == 0 {
        return "0s".to_owned();
    }
    let parts = [
        (seconds / 31_536_000, "y"),
        (seconds % 31_536_000 / 604_800, "w"),
        (seconds % 604_800 / 86_400, "d"),
        (seconds % 86_400 / 3600, "h"),
        (seconds % 3600 / 60, "m"),
        (seconds % 60, "s"),
    ];
    parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<SystemTime> {
        Some(text.parse::<Timestamp>().unwrap().try_into().unwrap())
    }

    // Measured with rclone 1.75.2: `lsl` and `lsjson` under TZ=America/New_York.
    #[test]
    fn in_the_local_zone() {
        let clock = Clock::new(TimeZone::get("America/New_York").unwrap());
        let summer = at("2020-06-15T12:00:00.5Z");
        assert_eq!(clock.nanoseconds(summer), "2020-06-15 08:00:00.500000000");
        assert_eq!(
            clock.rfc3339(summer, Some(Duration::from_nanos(1))),
            "2020-06-15T08:00:00.500000000-04:00"
        );
        assert_eq!(clock.rfc3339(summer, None), "2020-06-15T08:00:00-04:00");
        assert_eq!(clock.seconds(at("2001-02-03T04:05:06Z")), "2001-02-02 23:05:06");
        assert_eq!(
            clock.rfc3339(at("2019-01-01T00:00:00Z"), Some(Duration::from_millis(1))),
            "2018-12-31T19:00:00.000-05:00"
        );
    }

    #[test]
    fn an_unknown_time_is_the_year_2000() {
        assert_eq!(Clock::new(TimeZone::UTC).seconds(None), "2000-01-01 00:00:00");
    }

    #[test]
    fn decimals_follow_the_precision() {
        let digits = |nanos| decimals(Some(Duration::from_nanos(nanos)));
        assert_eq!([digits(1), digits(100), digits(1_000), digits(1_000_000)], [9, 7, 6, 3]);
        assert_eq!([digits(100_000_000), digits(1_000_000_000), digits(2_000_000_000)], [1, 0, 0]);
    }

    #[test]
    fn spans() {
        assert_eq!(span(Duration::from_millis(900)), "0s");
        assert_eq!(span(Duration::from_secs(62)), "1m2s");
        assert_eq!(span(Duration::from_secs(3600)), "1h");
        assert_eq!(span(Duration::from_secs(90_000)), "1d1h");
    }
}
