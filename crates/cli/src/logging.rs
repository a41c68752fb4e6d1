//! The log in rclone's form: `2026/11/24 03:49:49 ERROR : name: message`, or a JSON object a line.
//!
//! Libraries log by `tracing`. Its `WARN` is our `NOTICE`: something that people should see by default.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal as _},
    sync::Arc,
};

use fichier_storage::RemotePath;
use jiff::{ZonedDateTime, tz::TimeZone};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    layer::{Context, Layer, SubscriberExt as _},
    registry,
};

use crate::{
    arguments::Settings,
    exit,
    flags::{Colour, LogLevel},
    log_file::LogFile,
    log_format::LogFormat,
    output::{json::Object, screen::Screen, time::Clock},
    syslog::{Facility, Syslog},
    typed_secrets::TypedSecrets,
};

/// Prefix of our own crates, the only ones that are logged: messages of other libraries would hide theirs.
const OURS: &str = "fichier";

/// Destination and form of the log.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    screen: Arc<Screen>,
    level: LogLevel,
    json: bool,
    /// Whether lines are for systemd.
    systemd: bool,
    /// Part of the system, if messages are for the system's log.
    syslog: Option<Facility>,
    coloured: bool,
    format: LogFormat,
    clock: Clock,
    secrets: TypedSecrets,
}

impl Log {
    /// Makes the log that the settings ask for.
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        let screen = match &settings.log_file {
            Some(path) => Screen::elsewhere(LogFile::open(path, settings.log_rotation)?),
            None if settings.syslog.is_some() => Screen::elsewhere(Syslog::open()?),
            None if settings.plain_terminal => Screen::plain(),
            None => Screen::stderr(),
        };
        let screen = screen.sharing(settings.questions.clone());
        let coloured = match settings.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => settings.log_file.is_none() && io::stderr().is_terminal() && !settings.no_colour,
        };
        Ok(Self {
            screen: Arc::new(screen),
            level: settings.log_level,
            json: settings.json_log,
            systemd: settings.systemd_log,
            syslog: settings.syslog,
            coloured,
            format: settings.log_format,
            clock: settings.clock.clone(),
            secrets: settings.secrets.clone(),
        })
    }

    /// Makes the log that is used before the settings are known.
    pub(crate) fn plain() -> Self {
        Self {
            screen: Arc::new(Screen::stderr()),
            level: LogLevel::Notice,
            json: false,
            systemd: false,
            syslog: None,
            coloured: false,
            format: LogFormat::USUAL,
            clock: Clock::of_system(),
            secrets: TypedSecrets::default(),
        }
    }

    /// Returns the screen that the log shares with the progress display.
    pub(crate) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Receives what this program's libraries log, until the guard is dropped.
    pub(crate) fn install(&self) -> InstalledLog {
        let subscriber = registry().with(Listener { log: self.clone() });
        // The runtime's other threads log, too, so a guard of this thread alone isn't enough.
        match tracing::subscriber::set_global_default(subscriber) {
            Ok(()) => InstalledLog { _guard: None },
            // This happens only in tests, where several runs share a process.
            Err(_) => InstalledLog {
                _guard: Some(tracing::subscriber::set_default(
                    registry().with(Listener { log: self.clone() }),
                )),
            },
        }
    }

    /// Logs why the program ends. `named` returns the full name of a path, if there is only one remote.
    pub(crate) fn last_words(
        &self,
        command: &str,
        error: &anyhow::Error,
        named: impl Fn(&RemotePath) -> Option<String>,
    ) {
        let mut message = exit::describe(error, named);
        let critical = message.starts_with("Failed to create file system");
        if !critical && !message.starts_with("Failed to ") {
            message = format!("Failed to {command}: {message}");
        }
        if let Some(hint) = exit::hint(error) {
            message.push_str("\nHint: ");
            message.push_str(&hint);
        }
        self.write(&Message {
            level: if critical { "CRITICAL" } else { "ERROR" },
            text: message,
            ..Message::default()
        });
    }

    /// Logs something that must be seen, whatever the level.
    pub(crate) fn critical(&self, message: &str) {
        self.write(&Message { level: "CRITICAL", text: message.to_owned(), ..Message::default() });
    }

    fn write(&self, message: &Message) {
        // Every other level is checked before the message is made.
        let level = if message.level == "CRITICAL" { LogLevel::Critical } else { LogLevel::Error };
        if matches!(message.level, "CRITICAL" | "ERROR") && level > self.level {
            return;
        }
        let now = self.clock.local(Some(std::time::SystemTime::now()));
        let mut message = message.without(&self.secrets);
        if !self.json {
            message.make_harmless();
        }
        let message = &message;
        let line = match (self.syslog, self.systemd) {
            (Some(facility), _) => message.for_syslog(&now, facility),
            (None, true) => message.for_systemd(&now),
            (None, false) if self.json => message.json(&now),
            (None, false) => message.plain(&now, self.format, self.coloured),
        };
        self.screen.line(&line);
    }
}

/// Keeps the log installed.
#[derive(Debug)]
pub(crate) struct InstalledLog {
    _guard: Option<DefaultGuard>,
}

struct Listener {
    log: Log,
}

fn level_of(metadata: &Metadata<'_>) -> (LogLevel, &'static str) {
    match *metadata.level() {
        Level::ERROR => (LogLevel::Error, "ERROR"),
        Level::WARN => (LogLevel::Notice, "NOTICE"),
        Level::INFO => (LogLevel::Info, "INFO"),
        Level::DEBUG | Level::TRACE => (LogLevel::Debug, "DEBUG"),
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        metadata.is_event()
            && metadata.target().starts_with(OURS)
            && *metadata.level() <= Level::DEBUG
            && level_of(metadata).0 <= self.log.level
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut message = Message { level: level_of(metadata).1, ..Message::default() };
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            let mut parts = file.rsplit(['/', '\\']);
            let name = parts.next().unwrap_or_default();
            let folder = parts.next().unwrap_or_default();
            message.source = format!("{folder}/{name}:{line}");
        }
        event.record(&mut message);
        self.log.write(&message);
    }
}

/// Most bytes of a part of a message.
const LONGEST: usize = 64 * 1024;

fn harmless(text: &mut String) {
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST);
        text.truncate(end);
        text.push('…');
    }
    let is_plain = |letter: char| letter == '\n' || letter == '\t' || !fichier_api::is_dangerous(letter);
    if text.chars().all(is_plain) {
        return;
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_plain(letter) { escaped.push(letter) } else { escaped.extend(letter.escape_unicode()) }
    }
    *text = escaped;
}

/// A message that is being logged.
#[derive(Debug, Default)]
struct Message {
    level: &'static str,
    object: Option<String>,
    text: String,
    fields: Vec<(&'static str, FieldValue)>,
    /// Statistics of a run as a JSON object. Only a log of JSON objects shows them: in other logs they are the text.
    stats: Option<String>,
    source: String,
}

/// A value that belongs to a message: a number stays one in JSON.
#[derive(Debug)]
enum FieldValue {
    Text(String),
    Plain(String),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Text(text) | Self::Plain(text)) = self;
        f.write_str(text)
    }
}

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.text.push_str(value),
            "path" | "object" => self.object = Some(value.to_owned()),
            "stats" => self.stats = Some(value.to_owned()),
            name => self.fields.push((name, FieldValue::Text(value.to_owned()))),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), FieldValue::Plain(value.to_string())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), FieldValue::Plain(value.to_string())));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), FieldValue::Plain(value.to_string())));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON can't express what isn't a number.
        let text = value.to_string();
        let value = if value.is_finite() { FieldValue::Plain(text) } else { FieldValue::Text(text) };
        self.fields.push((field.name(), value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Message {
    /// Returns the message without the typed secrets.
    fn without(&self, secrets: &TypedSecrets) -> Self {
        let hidden = |text: &String| secrets.hidden(text).into_owned();
        let field = |(name, value): &(&'static str, FieldValue)| {
            let value = match value {
                FieldValue::Text(text) => FieldValue::Text(hidden(text)),
                FieldValue::Plain(text) => FieldValue::Plain(text.clone()),
            };
            (*name, value)
        };
        Self {
            level: self.level,
            object: self.object.as_ref().map(hidden),
            text: hidden(&self.text),
            fields: self.fields.iter().map(field).collect(),
            stats: self.stats.as_ref().map(hidden),
            source: self.source.clone(),
        }
    }

    /// Writes as escapes what could move the cursor, change colours or hide other text, and cuts what is endless. In
    /// JSON a name must be what it is, and is escaped anyway.
    fn make_harmless(&mut self) {
        if let Some(object) = &mut self.object {
            harmless(object);
        }
        harmless(&mut self.text);
        for (_, value) in &mut self.fields {
            let (FieldValue::Text(text) | FieldValue::Plain(text)) = value;
            harmless(text);
        }
    }

    fn plain(&self, now: &ZonedDateTime, format: LogFormat, coloured: bool) -> Vec<u8> {
        let mut line = String::new();
        let now = if format.utc { now.with_time_zone(TimeZone::UTC) } else { now.clone() };
        // Writing to a string can't fail.
        let _infallible = self.write_head(&mut line, &now, format);
        let colour = match self.level {
            "CRITICAL" | "ERROR" => "\x1b[31m",
            "NOTICE" => "\x1b[33m",
            _ => "",
        };
        let _infallible = if format.no_level {
            Ok(())
        } else if coloured && !colour.is_empty() {
            write!(line, "{colour}{:<6}\x1b[0m: ", self.level)
        } else {
            write!(line, "{:<6}: ", self.level)
        };
        if let Some(object) = self.object.as_deref().filter(|object| !object.is_empty()) {
            line.push_str(object);
            line.push_str(": ");
        }
        line.push_str(&self.text);
        // The text already says what a dry run skips.
        let fields = if self.is_skipped() { &[] } else { &*self.fields };
        for (index, (name, value)) in fields.iter().enumerate() {
            let before = if index == 0 { " (" } else { ", " };
            let _infallible = write!(line, "{before}{name}: {value}");
        }
        line.push_str(if fields.is_empty() { "\n" } else { ")\n" });
        line.into_bytes()
    }

    /// Checks whether the message says what a dry run skips.
    fn is_skipped(&self) -> bool {
        self.fields.first().is_some_and(|(name, _)| *name == "skipped")
    }

    /// Returns how serious the message is, in the numbers of syslog.
    fn severity(&self) -> u8 {
        match self.level {
            "CRITICAL" => 2,
            "ERROR" => 3,
            "NOTICE" => 5,
            "INFO" => 6,
            _ => 7,
        }
    }

    /// Returns the line for systemd: a number for how serious it is, then the text. Systemd adds the time itself.
    fn for_systemd(&self, now: &ZonedDateTime) -> Vec<u8> {
        let line = self.plain(now, LogFormat::NOTHING, false);
        [format!("<{}>", self.severity()).as_bytes(), &line].concat()
    }

    fn for_syslog(&self, now: &ZonedDateTime, facility: Facility) -> Vec<u8> {
        let (time, process) = (now.strftime("%b %e %H:%M:%S"), std::process::id());
        let head = format!("<{}>{time} fichier[{process}]: ", facility.priority(self.severity()));
        [head.as_bytes(), &self.plain(now, LogFormat::NOTHING, false)].concat()
    }

    fn write_head(&self, line: &mut String, now: &ZonedDateTime, format: LogFormat) -> fmt::Result {
        if format.date {
            write!(line, "{} ", now.strftime("%Y/%m/%d"))?;
        }
        if format.time {
            let form = if format.microseconds { "%H:%M:%S.%6f" } else { "%H:%M:%S" };
            write!(line, "{} ", now.strftime(form))?;
        }
        if format.source && !self.source.is_empty() {
            write!(line, "{}: ", self.source)?;
        }
        if format.process {
            write!(line, "[{}] ", std::process::id())?;
        }
        Ok(())
    }

    fn json(&self, now: &ZonedDateTime) -> Vec<u8> {
        let mut object = Object::plain_html();
        object.string("time", crate::output::go_time::render(now, "2006-01-02T15:04:05.999999999Z07:00"));
        object.string("level", self.level.to_lowercase());
        object.string("msg", &self.text);
        for (name, value) in &self.fields {
            match value {
                FieldValue::Text(text) => object.string(*name, text),
                FieldValue::Plain(number) => object.plain(*name, number),
            }
        }
        if let Some(stats) = &self.stats {
            object.plain("stats", stats);
        }
        if let Some(name) = &self.object {
            object.string("object", name);
            object.string("objectType", "string");
        }
        if !self.source.is_empty() {
            object.string("source", &self.source);
        }
        let mut line = object.compact();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        "2026-11-24T03:49:49Z".parse::<jiff::Timestamp>().unwrap().to_zoned_datetime(jiff::tz::TimeZone::UTC)
    }

    #[test]
    fn levels_have_rclones_widths() {
        for (level, line) in [
            ("CRITICAL", "2026/11/24 03:49:49 CRITICAL: a: gone\n"),
            ("ERROR", "2026/11/24 03:49:49 ERROR : a: gone\n"),
            ("NOTICE", "2026/11/24 03:49:49 NOTICE: a: gone\n"),
            ("INFO", "2026/11/24 03:49:49 INFO  : a: gone\n"),
            ("DEBUG", "2026/11/24 03:49:49 DEBUG : a: gone\n"),
        ] {
            let message =
                Message { level, object: Some("a".into()), text: "gone".into(), ..Message::default() };
            assert_eq!(String::from_utf8(message.plain(&now(), LogFormat::USUAL, false)).unwrap(), line);
        }
    }

    #[test]
    fn lines_begin_as_the_format_says() {
        let message = Message {
            level: "INFO",
            object: Some("a".into()),
            text: "gone".into(),
            source: "cli/x.rs:7".into(),
            ..Message::default()
        };
        let line = |words: &str| {
            let format = words.parse().unwrap();
            String::from_utf8(message.plain(&now(), format, false)).unwrap()
        };
        let process = std::process::id();
        assert_eq!(
            line("date,time,microseconds,pid,shortfile,UTC"),
            format!("2026/11/24 03:49:49.000000 cli/x.rs:7: [{process}] INFO  : a: gone\n")
        );
        assert_eq!(line(""), "INFO  : a: gone\n");
        assert_eq!(line("time,nolevel"), "03:49:49 a: gone\n");
        assert!("date,weather".parse::<LogFormat>().is_err());
    }

    #[test]
    fn systems_are_told_how_bad_it_is() {
        let message = Message { level: "ERROR", text: "gone".into(), ..Message::default() };
        assert_eq!(message.for_systemd(&now()), b"<3>ERROR : gone\n");
        let line = message.for_syslog(&now(), "USER".parse().unwrap());
        let process = std::process::id();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            format!("<11>Nov 24 03:49:49 fichier[{process}]: ERROR : gone\n")
        );
    }

    #[test]
    fn fields_follow_the_message() {
        let message = Message {
            level: "DEBUG",
            text: "listed".into(),
            fields: vec![
                ("calls", FieldValue::Plain("3".into())),
                ("folder_id", FieldValue::Text("7".into())),
            ],
            ..Message::default()
        };
        assert_eq!(
            message.plain(&now(), LogFormat::USUAL, false),
            b"2026/11/24 03:49:49 DEBUG : listed (calls: 3, folder_id: 7)\n"
        );
        let json = String::from_utf8(message.json(&now())).unwrap();
        assert!(json.contains("\"calls\":3,\"folder_id\":\"7\""), "{json}");
    }

    // Measured with rclone 1.75.2: `sync --dry-run --use-json-log`.
    #[test]
    fn what_is_skipped_has_fields_of_its_own_in_json_alone() {
        let text = "Skipped copy as --dry-run is set (size 2)";
        let fields =
            vec![("skipped", FieldValue::Text("copy".into())), ("size", FieldValue::Plain("2".into()))];
        let message = Message {
            level: "NOTICE",
            object: Some("a".into()),
            text: text.into(),
            fields,
            ..Message::default()
        };
        assert_eq!(
            message.plain(&now(), LogFormat::NOTHING, false),
            format!("NOTICE: a: {text}\n").into_bytes()
        );
        let json = String::from_utf8(message.json(&now())).unwrap();
        assert!(
            json.contains(&format!("{text}\",\"skipped\":\"copy\",\"size\":2,\"object\":\"a\"")),
            "{json}"
        );
    }

    #[test]
    fn names_cannot_change_what_a_terminal_shows() {
        let mut message = Message {
            level: "ERROR",
            object: Some("a\u{202e}txt\u{9b}31m".into()),
            text: format!("one\ntwo\r{}", "x".repeat(1_000_000)),
            ..Message::default()
        };
        message.make_harmless();
        assert_eq!(message.object.as_deref(), Some("a\\u{202e}txt\\u{9b}31m"));
        assert!(message.text.starts_with("one\ntwo\\u{d}xxx") && message.text.len() < 100_000);
    }

    #[test]
    fn statistics_are_an_object_in_json_alone() {
        let message = Message {
            level: "INFO",
            text: "done".into(),
            stats: Some("{\"bytes\":3}".into()),
            ..Message::default()
        };
        let json: serde_json::Value = serde_json::from_slice(&message.json(&now())).unwrap();
        assert_eq!(json["stats"]["bytes"], 3);
        assert_eq!(message.plain(&now(), LogFormat::NOTHING, false), b"INFO  : done\n");
    }

    // Key order and escapes measured with rclone 1.75.2: `ls --use-json-log` on a directory that isn't there.
    #[test]
    fn json_has_rclones_keys() {
        let message = Message {
            level: "ERROR",
            object: Some("a <b>".into()),
            text: "gone".into(),
            source: "cli/x.rs:7".into(),
            ..Message::default()
        };
        assert_eq!(
            String::from_utf8(message.json(&now())).unwrap(),
            "{\"time\":\"2026-11-24T03:49:49Z\",\"level\":\"error\",\"msg\":\"gone\",\
             \"object\":\"a <b>\",\"objectType\":\"string\",\"source\":\"cli/x.rs:7\"}\n"
        );
    }
}
