//! Faults on demand: what each kind does, and how it is written on a command line.
//!
//! A fault is `endpoint=NAME,kind=KIND[,name=PART][,after=N][,times=N]`. Without `endpoint` it applies to every
//! endpoint where its kind makes sense. `name` restricts it to requests about files whose name contains the text.
//! `after` lets N matching requests pass first. `times` ends it after it applied N times (default: never;
//! `wait-report:K` and `empty-report:K` end after K).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::error::ParseValueError;

/// What a fault does. Byte counts and file numbers follow a colon: `cut-download:1000`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// `flood`: 403 with `Flood detected: IP Locked #374`; nothing is done.
    Flood,
    /// `iplocked`: 403 with `IP Locked #79`; nothing is done.
    IpLocked,
    /// `message:TEXT`: 403 with this failure text, for instance `message:Owner locked #1`; nothing is done.
    Message(String),
    /// `status:CODE` or `status:CODE:SECONDS`: this HTTP status without JSON, with `Retry-After`; nothing is
    /// done.
    Status(u16, Option<u64>),
    /// `answer:TEXT`: status 200 with this text instead of an answer, for instance `answer:{}`; nothing is done.
    Answer(String),
    /// `done-answer:TEXT`: all is done, but this text is sent instead of the answer.
    DoneAnswer(String),
    /// `done-status:CODE`: all is done, but the answer is this HTTP status without JSON.
    DoneStatus(u16),
    /// `done-refusal:CODE:TEXT`: all is done, but the answer is this failure text with this HTTP status.
    DoneRefusal(u16, String),
    /// `refusal:CODE:TEXT`: this failure text with this HTTP status; nothing is done.
    Refusal(u16, String),
    /// `drop-upload`: each matching file is accepted, but neither stored nor reported.
    DropUpload,
    /// `html`: status 200 with a maintenance page in HTML; nothing is done.
    Html,
    /// `page:CODE:TEXT`: this HTTP status with a page in HTML that holds this text; nothing is done.
    Page(u16, String),
    /// `plain:CODE:TEXT`: this HTTP status with this text as it is, without HTML or JSON; nothing is done.
    Plain(u16, String),
    /// `empty`: status 200 and nothing else; nothing is done.
    Empty,
    /// `endless`: status 200 with JSON that never ends, fast; nothing is done.
    Endless,
    /// `gzip-bomb:N`: status 200 with JSON of N MiB, as gzip of which little goes over the wire; nothing is done.
    GzipBomb(u64),
    /// `trickle:MS`: all is done, but the answer comes byte by byte, one every `MS` milliseconds.
    Trickle(Duration),
    /// `field:NAME=JSON`: this field of the answer's objects, where they have it, gets this value. The text is sent
    /// as it is, and needn't be valid JSON.
    Field(String, String),
    /// `drop-field:NAME`: this field of the answer's objects is left out.
    DropField(String),
    /// `latency:MS`: the request waits for MS milliseconds, then continues as usual.
    Latency(Duration),
    /// `close`: the connection is closed before anything is done.
    Close,
    /// `lost-answer`: all is done, but the connection is closed before the answer.
    LostAnswer,
    /// `truncated-json`: all is done, but only the first half of the answer's body is sent, as if it were whole.
    TruncatedJson,
    /// `cut-answer`: all is done, but the connection is closed amid the answer's body.
    CutAnswer,
    /// `late-answer:MS`: all is done, but the answer waits `MS` milliseconds.
    LateAnswer(Duration),
    /// `redirect:URL`: status 302 to this address; nothing is done.
    Redirect(String),
    /// `cut-upload:N`: the connection is closed when N bytes of the upload's body arrived; nothing is stored.
    CutUpload(u64),
    /// `corrupt-upload:N`: byte N of each matching file is stored changed; the report gives the checksum of what is
    /// stored.
    CorruptUpload(u64),
    /// `plain-upload`: the upload's answer is a plain 200 instead of the redirection to the report.
    PlainUpload,
    /// `cut-download:N`: the connection is closed after N bytes of content.
    CutDownload(u64),
    /// `short-download:N`: the content ends N bytes early, and `Content-Length` agrees with that.
    ShortDownload(u64),
    /// `corrupt-download:N`: byte N of the file is sent changed.
    CorruptDownload(u64),
    /// `long-download:N`: N bytes more than the file has follow it, and `Content-Length` agrees with that.
    LongDownload(u64),
    /// `ignore-range`: the download's `Range` is ignored; the whole file comes with status 200.
    IgnoreRange,
    /// `expired-token`: the download token counts as expired.
    ExpiredToken,
    /// `wrong-checksum`: checksums in the answer (listing, file info, upload report) are wrong.
    WrongChecksum,
    /// `missing-checksum`: checksums are left out of the answer.
    MissingChecksum,
    /// `missing-items`: `folder/ls` leaves out `items`, although the call asks for them.
    MissingItems,
    /// `drop-from-report:K`: the upload's report lacks its K-th file (from 1), although it is stored.
    DropFromReport(usize),
    /// `rename-report`: the names in the upload's report differ from what was stored.
    RenameReport,
    /// `wrong-link`: the upload's report gives the link of the account's oldest file for each that was stored.
    WrongLink,
    /// `store-as:TEXT`: each matching file is stored with `_` instead of TEXT in its name.
    StoreAs(String),
    /// `wait-report:K`: the report is `Please wait` in HTML, K times.
    WaitReport(u64),
    /// `empty-report:K`: the report's links are empty, K times.
    EmptyReport(u64),
}

impl FaultKind {
    /// Checks whether the kind makes sense at an endpoint, so that a fault without `endpoint` applies only there.
    pub(crate) fn applies_to(&self, endpoint: &str) -> bool {
        let api = endpoint.contains('/');
        match self {
            Self::Flood | Self::IpLocked | Self::Message(_) => api || endpoint == "download",
            Self::Status(..)
            | Self::Html
            | Self::Page(..)
            | Self::Plain(..)
            | Self::Empty
            | Self::Endless
            | Self::Latency(_)
            | Self::LateAnswer(_)
            | Self::Redirect(_)
            | Self::Close
            | Self::LostAnswer => true,
            Self::Trickle(_)
            | Self::GzipBomb(_)
            | Self::CutAnswer
            | Self::Field(..)
            | Self::DropField(_)
            | Self::TruncatedJson
            | Self::Answer(_)
            | Self::DoneAnswer(_)
            | Self::DoneStatus(_)
            | Self::DoneRefusal(..)
            | Self::Refusal(..) => api || matches!(endpoint, "end.pl" | "dir"),
            Self::CutUpload(_)
            | Self::CorruptUpload(_)
            | Self::PlainUpload
            | Self::DropUpload
            | Self::StoreAs(_) => endpoint == "upload.cgi",
            Self::CutDownload(_)
            | Self::ShortDownload(_)
            | Self::CorruptDownload(_)
            | Self::LongDownload(_)
            | Self::IgnoreRange
            | Self::ExpiredToken => endpoint == "download",
            Self::WrongChecksum | Self::MissingChecksum => {
                matches!(endpoint, "end.pl" | "file/ls" | "folder/ls" | "file/info")
            }
            Self::MissingItems => endpoint == "folder/ls",
            Self::DropFromReport(_)
            | Self::RenameReport
            | Self::WrongLink
            | Self::WaitReport(_)
            | Self::EmptyReport(_) => endpoint == "end.pl",
        }
    }
}

impl FromStr for FaultKind {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let (kind, value) = text.split_once(':').map_or((text, None), |(kind, value)| (kind, Some(value)));
        let number = || -> Result<u64, ParseValueError> {
            value
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| ParseValueError::new(text, format!("{kind} needs a number, as in {kind}:3")))
        };
        let fault = match kind {
            "flood" => Self::Flood,
            "iplocked" => Self::IpLocked,
            "message" => Self::Message(
                value
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| {
                        ParseValueError::new(text, "message needs a text, as in message:Owner locked")
                    })?
                    .to_owned(),
            ),
            "status" => {
                let bad = || {
                    ParseValueError::new(
                        text,
                        "status needs an HTTP status from 200 to 599, as in status:503",
                    )
                };
                let (code, wait) = match value.ok_or_else(bad)?.split_once(':') {
                    Some((code, wait)) => (code, Some(wait.parse().map_err(|_| bad())?)),
                    None => (value.unwrap_or_default(), None),
                };
                let code: u16 = code.parse().map_err(|_| bad())?;
                if !(200..600).contains(&code) {
                    return Err(bad());
                }
                Self::Status(code, wait)
            }
            "answer" | "done-answer" | "store-as" | "redirect" => {
                let words = value.filter(|value| !value.is_empty()).ok_or_else(|| {
                    ParseValueError::new(text, format!("{kind} needs a text, as in {kind}:{{}}"))
                })?;
                match kind {
                    "answer" => Self::Answer(words.to_owned()),
                    "done-answer" => Self::DoneAnswer(words.to_owned()),
                    "redirect" => Self::Redirect(words.to_owned()),
                    _ => Self::StoreAs(words.to_owned()),
                }
            }
            "wrong-link" => Self::WrongLink,
            "drop-upload" => Self::DropUpload,
            "done-status" => {
                let bad = || {
                    ParseValueError::new(
                        text,
                        "done-status needs an HTTP status from 200 to 599, as in done-status:502",
                    )
                };
                let code = value.and_then(|value| value.parse().ok()).ok_or_else(bad)?;
                Self::DoneStatus(Some(code).filter(|code| (200..600).contains(code)).ok_or_else(bad)?)
            }
            "html" => Self::Html,
            "page" | "plain" | "refusal" | "done-refusal" => {
                let bad = || {
                    ParseValueError::new(
                        text,
                        format!("{kind} needs an HTTP status and a text, as in {kind}:403:No"),
                    )
                };
                let (code, words) = value.and_then(|value| value.split_once(':')).ok_or_else(bad)?;
                let code: u16 = code.parse().map_err(|_| bad())?;
                if !(200..600).contains(&code) {
                    return Err(bad());
                }
                let words = words.to_owned();
                match kind {
                    "page" => Self::Page(code, words),
                    "plain" => Self::Plain(code, words),
                    "refusal" => Self::Refusal(code, words),
                    _ => Self::DoneRefusal(code, words),
                }
            }
            "empty" => Self::Empty,
            "endless" => Self::Endless,
            "gzip-bomb" => Self::GzipBomb(number()?),
            "trickle" => Self::Trickle(Duration::from_millis(number()?)),
            "field" => {
                let bad =
                    || ParseValueError::new(text, "field needs a name and a value, as in field:cdn=12.5");
                let (name, value) = value.and_then(|value| value.split_once('=')).ok_or_else(bad)?;
                Self::Field(name.to_owned(), value.to_owned())
            }
            "drop-field" => {
                let bad = || ParseValueError::new(text, "drop-field needs a name, as in drop-field:url");
                Self::DropField(value.filter(|value| !value.is_empty()).ok_or_else(bad)?.to_owned())
            }
            "latency" => Self::Latency(Duration::from_millis(number()?)),
            "close" => Self::Close,
            "lost-answer" => Self::LostAnswer,
            "truncated-json" => Self::TruncatedJson,
            "cut-answer" => Self::CutAnswer,
            "late-answer" => Self::LateAnswer(Duration::from_millis(number()?)),
            "cut-upload" => Self::CutUpload(number()?),
            "corrupt-upload" => Self::CorruptUpload(number()?),
            "plain-upload" => Self::PlainUpload,
            "cut-download" => Self::CutDownload(number()?),
            "short-download" => Self::ShortDownload(number()?),
            "corrupt-download" => Self::CorruptDownload(number()?),
            "long-download" => Self::LongDownload(number()?),
            "ignore-range" => Self::IgnoreRange,
            "expired-token" => Self::ExpiredToken,
            "wrong-checksum" => Self::WrongChecksum,
            "missing-checksum" => Self::MissingChecksum,
            "missing-items" => Self::MissingItems,
            "drop-from-report" => {
                let number = usize::try_from(number()?).unwrap_or(usize::MAX);
                if number == 0 {
                    return Err(ParseValueError::new(text, "files of a report are counted from 1"));
                }
                Self::DropFromReport(number)
            }
            "rename-report" => Self::RenameReport,
            "wait-report" => Self::WaitReport(number()?),
            "empty-report" => Self::EmptyReport(number()?),
            _ => return Err(ParseValueError::new(kind, "no such kind of fault")),
        };
        let takes_none = fault.to_string() == kind && value.is_some();
        if takes_none {
            return Err(ParseValueError::new(text, format!("{kind} takes no value")));
        }
        Ok(fault)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flood => f.write_str("flood"),
            Self::IpLocked => f.write_str("iplocked"),
            Self::Message(text) => write!(f, "message:{text}"),
            Self::Status(code, None) => write!(f, "status:{code}"),
            Self::Status(code, Some(wait)) => write!(f, "status:{code}:{wait}"),
            Self::Answer(text) => write!(f, "answer:{text}"),
            Self::DoneAnswer(text) => write!(f, "done-answer:{text}"),
            Self::StoreAs(text) => write!(f, "store-as:{text}"),
            Self::WrongLink => f.write_str("wrong-link"),
            Self::DropUpload => f.write_str("drop-upload"),
            Self::DoneStatus(code) => write!(f, "done-status:{code}"),
            Self::Refusal(code, text) => write!(f, "refusal:{code}:{text}"),
            Self::DoneRefusal(code, text) => write!(f, "done-refusal:{code}:{text}"),
            Self::Html => f.write_str("html"),
            Self::Page(code, text) => write!(f, "page:{code}:{text}"),
            Self::Plain(code, text) => write!(f, "plain:{code}:{text}"),
            Self::Empty => f.write_str("empty"),
            Self::Endless => f.write_str("endless"),
            Self::GzipBomb(mebibytes) => write!(f, "gzip-bomb:{mebibytes}"),
            Self::Trickle(time) => write!(f, "trickle:{}", time.as_millis()),
            Self::Field(name, value) => write!(f, "field:{name}={value}"),
            Self::DropField(name) => write!(f, "drop-field:{name}"),
            Self::Latency(time) => write!(f, "latency:{}", time.as_millis()),
            Self::Close => f.write_str("close"),
            Self::LostAnswer => f.write_str("lost-answer"),
            Self::TruncatedJson => f.write_str("truncated-json"),
            Self::CutAnswer => f.write_str("cut-answer"),
            Self::LateAnswer(time) => write!(f, "late-answer:{}", time.as_millis()),
            Self::Redirect(url) => write!(f, "redirect:{url}"),
            Self::CutUpload(n) => write!(f, "cut-upload:{n}"),
            Self::CorruptUpload(n) => write!(f, "corrupt-upload:{n}"),
            Self::PlainUpload => f.write_str("plain-upload"),
            Self::CutDownload(n) => write!(f, "cut-download:{n}"),
            Self::ShortDownload(n) => write!(f, "short-download:{n}"),
            Self::CorruptDownload(n) => write!(f, "corrupt-download:{n}"),
            Self::LongDownload(n) => write!(f, "long-download:{n}"),
            Self::IgnoreRange => f.write_str("ignore-range"),
            Self::ExpiredToken => f.write_str("expired-token"),
            Self::WrongChecksum => f.write_str("wrong-checksum"),
            Self::MissingChecksum => f.write_str("missing-checksum"),
            Self::MissingItems => f.write_str("missing-items"),
            Self::DropFromReport(n) => write!(f, "drop-from-report:{n}"),
            Self::RenameReport => f.write_str("rename-report"),
            Self::WaitReport(n) => write!(f, "wait-report:{n}"),
            Self::EmptyReport(n) => write!(f, "empty-report:{n}"),
        }
    }
}

/// One fault: what goes wrong, where, and how often. See the module's text for the written form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSpec {
    /// The endpoint, as counters name it (`file/ls`, `upload.cgi`, `end.pl`, `download`, `dir`); `None` means all.
    pub endpoint: Option<String>,
    /// Text that must be in the name of a file of the request.
    pub name: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many matching requests pass first.
    pub after: u64,
    /// How often the fault applies; `None` means without end.
    pub times: Option<u64>,
}

impl FaultSpec {
    /// Makes a fault of this kind, wherever it makes sense, each time.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        let times = match kind {
            FaultKind::WaitReport(times) | FaultKind::EmptyReport(times) => Some(times),
            _ => None,
        };
        Self { endpoint: None, name: None, kind, after: 0, times }
    }

    /// Restricts the fault to an endpoint; a `.cgi` at the end of an API call's name is ignored.
    #[must_use]
    pub fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint_name(endpoint));
        self
    }

    /// Restricts the fault to requests about files whose name contains `part`.
    #[must_use]
    pub fn named(mut self, part: impl Into<String>) -> Self {
        self.name = Some(part.into());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(mut self, after: u64) -> Self {
        self.after = after;
        self
    }

    /// Ends the fault after it applied this many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    pub(crate) fn is_at(&self, endpoint: &str) -> bool {
        match &self.endpoint {
            Some(wanted) => wanted == endpoint,
            None => self.kind.applies_to(endpoint),
        }
    }
}

fn endpoint_name(text: &str) -> String {
    match text.trim_start_matches('/') {
        "upload" | "upload.cgi" => "upload.cgi".to_owned(),
        "end" | "report" | "end.pl" => "end.pl".to_owned(),
        "check_links" => "check_links.pl".to_owned(),
        other => other.strip_suffix(".cgi").unwrap_or(other).to_owned(),
    }
}

/// Splits a fault into its parts. A comma that no known key follows belongs to the text before it, as in
/// `kind=answer:{"status":"OK","files":3}`.
fn parts(text: &str) -> Vec<&str> {
    let keys = ["endpoint=", "kind=", "name=", "after=", "times="];
    let mut parts = Vec::new();
    let mut start = 0;
    for (comma, _) in text.match_indices(',') {
        let in_words =
            text[start..].starts_with("kind=answer:") || text[start..].starts_with("kind=done-answer:");
        if !in_words || keys.iter().any(|key| text[comma + 1..].starts_with(key)) {
            parts.push(&text[start..comma]);
            start = comma + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

impl FromStr for FaultSpec {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        let mut kind = None;
        let (mut endpoint, mut name, mut after, mut times) = (None, None, 0, None);
        for part in parts(text) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| ParseValueError::new(part, "expected KEY=VALUE, as in kind=flood"))?;
            let number = || {
                value.parse::<u64>().map_err(|_| ParseValueError::new(part, format!("{key} needs a number")))
            };
            match key.trim() {
                "kind" => kind = Some(value.parse::<FaultKind>()?),
                "endpoint" => endpoint = Some(endpoint_name(value)),
                "name" => name = Some(value.to_owned()),
                "after" => after = number()?,
                "times" => times = Some(number()?),
                _ => {
                    return Err(ParseValueError::new(
                        part,
                        "known are endpoint, kind, name, after and times",
                    ));
                }
            }
        }
        let kind =
            kind.ok_or_else(|| ParseValueError::new(text, "a fault needs a kind, as in kind=flood"))?;
        let default = Self::new(kind);
        let spec = Self { endpoint, name, after, times: times.or(default.times), ..default };
        if let Some(endpoint) = &spec.endpoint
            && !spec.kind.applies_to(endpoint)
        {
            return Err(ParseValueError::new(text, format!("{} can't happen at {endpoint}", spec.kind)));
        }
        Ok(spec)
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(endpoint) = &self.endpoint {
            write!(f, "endpoint={endpoint},")?;
        }
        write!(f, "kind={}", self.kind)?;
        if let Some(name) = &self.name {
            write!(f, ",name={name}")?;
        }
        if self.after > 0 {
            write!(f, ",after={}", self.after)?;
        }
        self.times.map_or(Ok(()), |times| write!(f, ",times={times}"))
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_read_and_written() {
        for text in [
            "endpoint=file/ls,kind=flood,after=2,times=1",
            "kind=status:429:7",
            "endpoint=upload.cgi,kind=cut-upload:1000,name=big",
            "endpoint=end.pl,kind=wait-report:3,times=3",
            "kind=message:Owner locked #1",
            "endpoint=folder/ls,kind=answer:{\"status\":\"OK\",\"files\":3},name=a,times=1",
            "endpoint=file/cp,kind=done-answer:{}",
            "endpoint=upload.cgi,kind=store-as:´",
            "endpoint=upload.cgi,kind=drop-upload,name=eicar",
            "endpoint=file/cp,kind=done-status:502,times=1",
            "endpoint=file/mv,kind=refusal:404:No such thing #12",
            "endpoint=file/mv,kind=done-refusal:403:Not now #12",
            "endpoint=end.pl,kind=wrong-link",
            "endpoint=download,kind=page:403:No: not from here",
            "kind=plain:403:IP Locked",
            "kind=empty",
            "kind=endless",
            "kind=trickle:100",
            "endpoint=folder/ls,kind=gzip-bomb:256",
            "endpoint=file/rm,kind=cut-answer",
            "endpoint=upload.cgi,kind=late-answer:100",
            "kind=redirect:http://127.0.0.1:9/x",
            "endpoint=download,kind=long-download:3,times=1",
            "endpoint=user/info,kind=field:cdn=12.5",
            "endpoint=folder/ls,kind=drop-field:url,times=1",
        ] {
            assert_eq!(text.parse::<FaultSpec>().unwrap().to_string(), text);
        }
        let spec: FaultSpec = "endpoint=/file/ls.cgi,kind=html".parse().unwrap();
        assert!(spec.is_at("file/ls") && !spec.is_at("folder/ls"));
        assert_eq!("kind=empty-report:4".parse::<FaultSpec>().unwrap().times, Some(4));
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "",
            "flood",
            "kind=nonsense",
            "kind=cut-upload",
            "kind=cut-upload:many",
            "kind=status:20",
            "kind=flood:3",
            "kind=message",
            "endpoint=file/ls",
            "kind=flood,after=x",
            "kind=flood,colour=red",
            "endpoint=file/ls,kind=cut-upload:1",
            "kind=drop-from-report:0",
            "kind=page:403",
            "kind=plain:9:x",
            "kind=field:cdn",
            "kind=drop-field",
            "endpoint=download,kind=trickle:1",
            "kind=redirect",
            "endpoint=file/ls,kind=long-download:1",
        ] {
            assert!(text.parse::<FaultSpec>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fault_without_endpoint_strikes_where_it_makes_sense() {
        let spec = FaultSpec::new(FaultKind::CutDownload(1));
        assert!(spec.is_at("download") && !spec.is_at("file/ls"));
        assert!(FaultSpec::new(FaultKind::Flood).is_at("folder/mkdir"));
        assert!(!FaultSpec::new(FaultKind::Flood).is_at("upload.cgi"));
    }
}
