//! Times in a layout of Go's `time` package, as `--time-format` takes it: the layout shows how 2006-01-02 15:04:05
//! -0700 would be written.

use std::fmt::Write as _;

use jiff::ZonedDateTime;

/// Returns the layout with a name such as `RFC3339`; any other text is a layout itself.
pub(crate) fn layout_of(name: &str) -> &str {
    match name {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "DateOnly" => "2006-01-02",
        "DateTime" => "2006-01-02 15:04:05",
        "Kitchen" => "3:04PM",
        "Layout" => "01/02 03:04:05PM '06 -0700",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "Stamp" => "Jan _2 15:04:05",
        "StampMicro" => "Jan _2 15:04:05.000000",
        "StampMilli" => "Jan _2 15:04:05.000",
        "StampNano" => "Jan _2 15:04:05.000000000",
        "TimeOnly" => "15:04:05",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        other => other,
    }
}

/// A piece of a layout. A longer spelling comes before the shorter one that it begins with.
type Piece = (&'static str, fn(&ZonedDateTime) -> String);

const PIECES: &[Piece] = &[
    ("January", |t| format(t, "%B")),
    ("Jan", |t| format(t, "%b")),
    ("Monday", |t| format(t, "%A")),
    ("Mon", |t| format(t, "%a")),
    ("MST", abbreviation),
    ("002", |t| format(t, "%j")),
    ("01", |t| format(t, "%m")),
    ("02", |t| format(t, "%d")),
    ("03", |t| format(t, "%I")),
    ("04", |t| format(t, "%M")),
    ("05", |t| format(t, "%S")),
    ("06", |t| format(t, "%y")),
    ("15", |t| format(t, "%H")),
    ("1", |t| t.month().to_string()),
    ("2006", |t| format(t, "%Y")),
    ("2", |t| t.day().to_string()),
    ("_2006", |t| format(t, "_%Y")),
    ("__2", |t| format!("{:>3}", t.day_of_year())),
    ("_2", |t| format!("{:>2}", t.day())),
    ("3", |t| ((t.hour() + 11) % 12 + 1).to_string()),
    ("4", |t| t.minute().to_string()),
    ("5", |t| t.second().to_string()),
    ("PM", |t| format(t, "%p")),
    ("pm", |t| format(t, "%p").to_lowercase()),
    ("-070000", |t| offset(t, "", true, false)),
    ("-07:00:00", |t| offset(t, ":", true, false)),
    ("-0700", |t| offset(t, "", false, false)),
    ("-07:00", |t| offset(t, ":", false, false)),
    ("-07", |t| offset(t, "", false, false)[..3].to_owned()),
    ("Z070000", |t| offset(t, "", true, true)),
    ("Z07:00:00", |t| offset(t, ":", true, true)),
    ("Z0700", |t| offset(t, "", false, true)),
    ("Z07:00", |t| offset(t, ":", false, true)),
    ("Z07", |t| offset(t, "", false, true).chars().take(3).collect()),
];

/// Returns the time in this layout.
pub(crate) fn render(time: &ZonedDateTime, layout: &str) -> String {
    let mut text = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        if let Some((length, fraction)) = fraction(time, rest) {
            text.push_str(&fraction);
            rest = &rest[length..];
        } else if let Some((spelling, write)) = piece(rest) {
            text.push_str(&write(time));
            rest = &rest[spelling.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

fn piece(rest: &str) -> Option<&'static Piece> {
    PIECES.iter().find(|(spelling, _)| {
        rest.strip_prefix(spelling).is_some_and(|after| {
            // "Janet" and "Month" aren't meant as times.
            let is_word = matches!(*spelling, "Jan" | "Mon");
            !(is_word && after.starts_with(|c: char| c.is_ascii_lowercase()))
        })
    })
}

/// Returns a fraction of a second: `.000` has fixed length, `.999` loses its trailing zeros.
fn fraction(time: &ZonedDateTime, rest: &str) -> Option<(usize, String)> {
    let mut chars = rest.chars();
    let point = chars.next().filter(|c| matches!(c, '.' | ','))?;
    let digit = chars.next().filter(|c| matches!(c, '0' | '9'))?;
    let count = rest[1..].chars().take_while(|c| *c == digit).count();
    if rest[1 + count..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{:09}", time.subsec_nanosecond());
    let digits = &nanoseconds[..count.min(9)];
    let digits = if digit == '9' { digits.trim_end_matches('0') } else { digits };
    let text = if digits.is_empty() { String::new() } else { format!("{point}{digits}") };
    Some((1 + count, text))
}

fn format(time: &ZonedDateTime, format: &str) -> String {
    time.strftime(format).to_string()
}

fn abbreviation(time: &ZonedDateTime) -> String {
    time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned()
}

fn offset(time: &ZonedDateTime, separator: &str, with_seconds: bool, z_for_utc: bool) -> String {
    let seconds = time.offset().seconds();
    if z_for_utc && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let mut text = format!("{sign}{:02}{separator}{:02}", seconds / 3600, seconds / 60 % 60);
    if with_seconds {
        // Writing to a string can't fail.
        let _infallible = write!(text, "{separator}{:02}", seconds % 60);
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    // Measured with rclone 1.75.2: `lsf --format t --time-format LAYOUT`, once in UTC, once in Asia/Kolkata.
    #[test]
    fn as_measured() {
        let noon = "2020-06-15T12:00:00.5Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
        let kolkata = TimeZone::get("Asia/Kolkata").unwrap();
        let morning = "2001-02-03T04:05:06Z".parse::<Timestamp>().unwrap().to_zoned_datetime(kolkata);
        for (layout, first, second) in include_str!("../../tests/fixtures/time-formats.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let mut columns = line.split('\t');
                let mut next = || columns.next().unwrap();
                (next(), next(), next())
            })
        {
            assert_eq!(render(&noon, layout_of(layout)), first, "{layout}");
            assert_eq!(render(&morning, layout_of(layout)), second, "{layout}");
        }
    }

    #[test]
    fn words_that_only_begin_like_times_stay() {
        let time = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
        assert_eq!(render(&time, "Janet Month .0005"), "Janet Month .0000");
        assert_eq!(render(&time, "日本 2006"), "日本 1970");
    }
}
