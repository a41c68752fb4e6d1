//! `--bwlimit`: a rate, a pair of rates, or a timetable of them, in rclone's notation.

use std::num::NonZeroU64;

use fichier_engine::Rates;
use fichier_notation::parse_size;
use jiff::civil::{DateTime, Weekday};

const MINUTES_A_DAY: u32 = 24 * 60;
const MINUTES_A_WEEK: u32 = 7 * MINUTES_A_DAY;

/// Rates by time of the week. Empty means no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Timetable {
    /// Rates from a minute of the week on (Monday, 00:00 is 0), in the order of the minutes.
    from: Vec<(u32, Rates)>,
}

impl Timetable {
    pub(crate) fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    /// The most bytes a second that may ever be sent; `None`: any number at some time.
    pub(crate) fn best_up(&self) -> Option<u64> {
        let up = |rates: &Rates| rates.total.into_iter().chain(rates.up).min();
        let best: Option<Vec<_>> = self.from.iter().map(|(_, rates)| up(rates)).collect();
        best?.into_iter().max().map(NonZeroU64::get)
    }

    /// The rates at a moment by the local clock: those of the last time that was reached in this week, or the
    /// last of the week before.
    pub(crate) fn at(&self, now: DateTime) -> Rates {
        let day = u32::from(now.weekday().to_monday_zero_offset().unsigned_abs());
        let minute = |part: i8| u32::from(part.unsigned_abs());
        let now = day * MINUTES_A_DAY + minute(now.hour()) * 60 + minute(now.minute());
        let reached = self.from.iter().rev().find(|(from, _)| *from <= now).or_else(|| self.from.last());
        reached.map(|(_, rates)| *rates).unwrap_or_default()
    }
}

/// Parses the flag's value.
pub(crate) fn timetable(text: &str) -> Result<Timetable, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Timetable::default());
    }
    if !text.contains(',') {
        return Ok(Timetable { from: vec![(0, rates(text)?)] });
    }
    let mut from = Vec::new();
    let entries = text.split(|character: char| character.is_ascii_whitespace() || character == ';');
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let (when, rate) = entry
            .split_once(',')
            .ok_or_else(|| format!("{entry:?}: an entry of the timetable is a time, a comma and a rate"))?;
        let rates = rates(rate)?;
        match when.split_once('-') {
            Some((day, time)) => from.push((weekday(day)? * MINUTES_A_DAY + time_of_day(time)?, rates)),
            None => {
                let time = time_of_day(when)?;
                from.extend(
                    (0..MINUTES_A_WEEK).step_by(MINUTES_A_DAY as usize).map(|day| (day + time, rates)),
                );
            }
        }
    }
    // Stable: of two entries for one minute the later one counts, since the search begins at the end.
    from.sort_by_key(|(minute, _)| *minute);
    Ok(Timetable { from })
}

fn rates(text: &str) -> Result<Rates, String> {
    let one = |text: &str| {
        let size = parse_size(text).map_err(|_| {
            format!(
                "{text:?}: this must be a rate like 512k or 10M, a pair UP:DOWN, or a timetable like \
                 \"08:00,512k 19:00,off\""
            )
        })?;
        Ok::<_, String>(size.and_then(NonZeroU64::new))
    };
    match text.split_once(':') {
        Some((up, down)) => Ok(Rates { total: None, up: one(up)?, down: one(down)? }),
        None => Ok(Rates { total: one(text)?, up: None, down: None }),
    }
}

fn time_of_day(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?}: a time of the timetable is HH:MM");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let number =
        |text: &str, most: u32| text.parse().ok().filter(|number: &u32| *number <= most).ok_or_else(wrong);
    Ok(number(hour, 23)? * 60 + number(minute, 59)?)
}

fn weekday(text: &str) -> Result<u32, String> {
    const DAYS: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let short = text.to_lowercase();
    let found =
        DAYS.iter().find(|day| short.len() >= 3 && format!("{day:?}").to_lowercase().starts_with(&short));
    let day = found
        .ok_or_else(|| format!("{text:?}: a day of the timetable is Mon, Tue, Wed, Thu, Fri, Sat or Sun"))?;
    Ok(u32::from(day.to_monday_zero_offset().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(kibibytes: u64) -> Rates {
        Rates { total: NonZeroU64::new(kibibytes * 1024), up: None, down: None }
    }

    fn at(day: i8, hour: i8, minute: i8) -> DateTime {
        // 2024-01-01 was a Monday.
        jiff::civil::date(2024, 1, 1 + day).at(hour, minute, 0, 0)
    }

    #[test]
    fn one_rate_holds_always() {
        assert_eq!(timetable("512").unwrap().at(at(3, 12, 0)), total(512));
        assert_eq!(timetable("1M").unwrap().at(at(0, 0, 0)), total(1024));
        assert_eq!(timetable("off").unwrap().at(at(0, 0, 0)), Rates::default());
        assert!(timetable("").unwrap().is_empty());
    }

    #[test]
    fn both_directions_have_their_own() {
        let rates = timetable("10M:off").unwrap().at(at(0, 0, 0));
        assert_eq!(rates, Rates { total: None, up: NonZeroU64::new(10 << 20), down: None });
    }

    #[test]
    fn times_of_day_recur_and_days_stand_alone() {
        let day = timetable("08:00,512 12:00,10M 13:00,512 18:00,30M 23:00,off").unwrap();
        assert_eq!(day.at(at(0, 7, 59)), Rates::default());
        assert_eq!(day.at(at(6, 8, 0)), total(512));
        assert_eq!(day.at(at(2, 12, 30)), total(10 << 10));
        let week = timetable("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off").unwrap();
        assert_eq!(week.at(at(4, 23, 58)), total(512));
        assert_eq!(week.at(at(5, 9, 0)), total(10 << 10));
        assert_eq!(week.at(at(6, 21, 0)), Rates::default());
        assert_eq!(week.at(at(0, 0, 0)), total(512));
    }

    #[test]
    fn the_best_rate_for_sending_is_that_of_the_fastest_time() {
        for (text, best) in [
            ("", None),
            ("1k", Some(1 << 10)),
            ("2k:1k", Some(2 << 10)),
            ("off:1k", None),
            ("08:00,1k 12:00,3k:9k", Some(3 << 10)),
            ("08:00,1k 12:00,off", None),
        ] {
            assert_eq!(timetable(text).unwrap().best_up(), best, "{text}");
        }
    }

    #[test]
    fn entries_may_be_parted_by_semicolons() {
        for text in ["08:00,512;12:00,10M", "08:00,512; 12:00,10M;", "08:00,512 12:00,10M"] {
            let day = timetable(text).unwrap();
            assert_eq!(day.at(at(0, 9, 0)), total(512), "{text}");
            assert_eq!(day.at(at(0, 12, 0)), total(10 << 10), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["x", "08:00,x", "25:00,1M 08:00,1M", "08:00,1M later", "Someday-08:00,1M"] {
            assert!(timetable(wrong).is_err(), "{wrong}");
        }
    }
}
