//! Ages of files: as a duration, or as a point in time.

use std::{
    str::FromStr,
    time::{Duration, SystemTime},
};

use fichier_notation::parse_duration;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Age of a file: how long ago it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Age {
    typed: String,
    meaning: Meaning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// No age is given.
    Off,
    Ago(Duration),
    Ahead(Duration),
    At(Timestamp),
    /// A date in the user's time zone.
    AtLocal(DateTime),
}

impl Age {
    /// Returns the point in time; `None` when no age is given.
    pub(crate) fn moment(&self, now: SystemTime, zone: &TimeZone) -> Option<SystemTime> {
        match &self.meaning {
            Meaning::Off => None,
            // Before the first and after the last possible time there are no files.
            Meaning::Ago(time) => Some(now.checked_sub(*time).unwrap_or(SystemTime::UNIX_EPOCH)),
            Meaning::Ahead(time) => Some(now.checked_add(*time).unwrap_or(now)),
            Meaning::At(moment) => SystemTime::try_from(*moment).ok(),
            Meaning::AtLocal(moment) => moment
                .to_zoned_datetime(zone.clone())
                .ok()
                .and_then(|zoned| SystemTime::try_from(zoned.timestamp()).ok()),
        }
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.typed)
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let meaning = meaning(typed)
            .ok_or_else(|| format!("{typed:?}: this must be a time like 1h30m, 2d, 2024-01-31 or off"))?;
        Ok(Self { typed: typed.to_owned(), meaning })
    }
}

fn meaning(text: &str) -> Option<Meaning> {
    if text == "off" {
        return Some(Meaning::Off);
    }
    if let Ok(Some(time)) = parse_duration(text) {
        return Some(Meaning::Ago(time));
    }
    if let Some(text) = text.strip_prefix('-').filter(|text| !text.starts_with(['+', '-']))
        && let Ok(Some(time)) = parse_duration(text)
    {
        return Some(Meaning::Ahead(time));
    }
    if let Ok(moment) = text.parse::<Timestamp>()
        && text.contains('T')
    {
        return Some(Meaning::At(moment));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| DateTime::strptime(form, text).ok())
        .or_else(|| {
            let date = jiff::civil::Date::strptime("%Y-%m-%d", text).ok()?;
            Some(date.to_datetime(jiff::civil::Time::midnight()))
        })
        .map(Meaning::AtLocal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str, zone: &str) -> String {
        let now = SystemTime::try_from("2024-06-01T12:00:00Z".parse::<Timestamp>().unwrap()).unwrap();
        let age: Age = text.parse().unwrap();
        let moment = age.moment(now, &TimeZone::get(zone).unwrap());
        moment.map_or("off".into(), |moment| Timestamp::try_from(moment).unwrap().to_string())
    }

    // Measured with rclone 1.75.2: `--max-age TEXT --dump filters`.
    #[test]
    fn lengths_and_moments() {
        for (text, expected) in [
            ("off", "off"),
            ("0", "2024-06-01T12:00:00Z"),
            ("90", "2024-06-01T11:58:30Z"),
            ("1h30m", "2024-06-01T10:30:00Z"),
            ("1.5d", "2024-05-31T00:00:00Z"),
            ("1M", "2024-05-02T12:00:00Z"),
            ("-1h", "2024-06-01T13:00:00Z"),
            ("2024-01-31", "2024-01-30T23:00:00Z"),
            ("2024-01-31T10:00:00", "2024-01-31T09:00:00Z"),
            ("2024-01-31 10:00:00", "2024-01-31T09:00:00Z"),
            ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
            ("2024-01-31T10:00:00+05:30", "2024-01-31T04:30:00Z"),
        ] {
            assert_eq!(moment(text, "Europe/Paris"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "x", "1x", "2024-13-01", "--1h", "1h 2m"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
