//! The words of `--log-format`.

use std::str::FromStr;

/// What a line of the log says beside its message.
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
    /// One JSON object a line, whatever else is said.
    pub(crate) json: bool,
}

impl LogFormat {
    /// What the flag takes.
    pub(crate) const WORDS: [&str; 9] =
        ["date", "time", "microseconds", "UTC", "pid", "shortfile", "longfile", "nolevel", "json"];

    /// What a line says of which nothing was asked.
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
    /// What a line says unless told otherwise.
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
        // They belong to the time.
        format.time |= format.microseconds;
        Ok(format)
    }
}
