//! The words that `--log-format` takes.

use std::str::FromStr;

/// Parts of a line of the log beside its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one word of a flag")]
pub(crate) struct LogFormat {
    pub(crate) date: bool,
    pub(crate) time: bool,
    pub(crate) microseconds: bool,
    pub(crate) utc: bool,
    pub(crate) process: bool,
    pub(crate) source: bool,
    pub(crate) no_level: bool,
    /// Whether each line is a JSON object, whatever the other fields say.
    pub(crate) json: bool,
}

impl LogFormat {
    /// Words that the flag takes.
    pub(crate) const WORDS: [&str; 9] =
        ["date", "time", "microseconds", "UTC", "pid", "shortfile", "longfile", "nolevel", "json"];

    /// Format of a line without any of the parts.
    pub(crate) const NOTHING: Self = Self {
        date: false,
        time: false,
        microseconds: false,
        utc: false,
        process: false,
        source: false,
        no_level: false,
        json: false,
    };
    /// Default format of a line.
    pub(crate) const USUAL: Self = Self { date: true, time: true, ..Self::NOTHING };
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut format = Self::NOTHING;
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            *match word.to_ascii_lowercase().as_str() {
                "date" => &mut format.date,
                "time" => &mut format.time,
                "microseconds" => &mut format.microseconds,
                "utc" => &mut format.utc,
                "pid" => &mut format.process,
                "shortfile" | "longfile" => &mut format.source,
                "nolevel" => &mut format.no_level,
                "json" => &mut format.json,
                _ => return Err(format!("{word:?} is none of {}", Self::WORDS.join(", "))),
            } = true;
        }
        // Microseconds belong to the time.
        format.time |= format.microseconds;
        Ok(format)
    }
}
