//! Faults that are tried, and where each makes sense.

use std::time::Duration;

use crate::trial::Setting;

/// A kind of fault: a row of the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    /// Specification as the emulator reads it. `{self}` means the service's address, `{trap}` one of another host.
    pub(crate) spec: &'static str,
    /// Description, where the specification alone isn't clear.
    pub(crate) title: &'static str,
    /// Whether it is part of the comparison with rclone.
    pub(crate) with_rclone: bool,
    /// Whether the client remembers it, so that the run that completes the work begins without memory.
    pub(crate) is_remembered: bool,
}

const fn kind(group: &'static str, spec: &'static str, title: &'static str) -> Kind {
    Kind { group, spec, title, with_rclone: false, is_remembered: false }
}

const fn both(group: &'static str, spec: &'static str, title: &'static str) -> Kind {
    Kind { with_rclone: true, ..kind(group, spec, title) }
}

const CONNECTION: &str = "connection";
const REFUSAL: &str = "refusal";
const DONE: &str = "done, and answered otherwise";
const ANSWER: &str = "wrong answer";
const BYTES: &str = "bytes";
const REPORT: &str = "report";

/// Faults of one kind of request, the simplest first.
pub(crate) const KINDS: &[Kind] = &[
    both(CONNECTION, "close", "closed before anything is done"),
    both(CONNECTION, "lost-answer", "done, and closed before the answer"),
    kind(CONNECTION, "cut-answer", "done, and closed amid the answer"),
    kind(CONNECTION, "latency:3000", "silent for longer than --timeout, then done if anybody waits"),
    kind(CONNECTION, "late-answer:3000", "done, and answered after --timeout"),
    kind(CONNECTION, "trickle:500", "done, and answered at two bytes a second"),
    kind(CONNECTION, "endless", "an answer without end"),
    kind(CONNECTION, "gzip-bomb:800", "gzip of 5 MB that becomes 800"),
    both(REFUSAL, "flood", "`Flood detected: IP Locked #374`"),
    kind(REFUSAL, "iplocked", "`IP Locked #79`"),
    kind(REFUSAL, "plain:403:IP Locked", "403, plain `IP Locked`"),
    kind(REFUSAL, "page:403:IP Locked", "403, a page that says `IP Locked`"),
    both(REFUSAL, "status:429", "429"),
    kind(REFUSAL, "status:429:1", "429 with `Retry-After: 1`"),
    both(REFUSAL, "status:500", "500"),
    both(REFUSAL, "status:502", "502"),
    both(REFUSAL, "status:503", "503"),
    kind(REFUSAL, "status:503:1", "503 with `Retry-After: 1`"),
    kind(REFUSAL, "status:504", "504"),
    kind(REFUSAL, "status:509", "509"),
    kind(REFUSAL, "refusal:200:Internal error #1", "`Internal error #1` with 200"),
    kind(REFUSAL, "refusal:200: ", "KO without a text"),
    both(REFUSAL, "refusal:404:Resource not found #469", "`Resource not found #469`"),
    kind(REFUSAL, "refusal:401:Not authenticated #247", "`Not authenticated #247`"),
    kind(REFUSAL, "message:Resource not allowed #631", "`Resource not allowed #631`"),
    kind(REFUSAL, "message:Owner locked #1", "`Owner locked #1`"),
    kind(REFUSAL, "message:Only 1 location allowed at a time #9", "`Only 1 location allowed …`"),
    kind(REFUSAL, "message:Something new that nobody knows", "a text that isn't known"),
    kind(DONE, "done-status:502", "502"),
    kind(DONE, "done-refusal:403:Not now #12", "`Not now #12` with 403"),
    kind(DONE, "done-refusal:404:Resource not found #469", "`Resource not found #469`"),
    kind(DONE, "done-refusal:200:Internal error #1", "`Internal error #1` with 200"),
    kind(DONE, "done-answer:{}", "`{}`"),
    kind(DONE, "done-answer:null", "`null`"),
    kind(DONE, "done-answer:{\"status\":\"OK\"}", "`OK` alone"),
    kind(DONE, "truncated-json", "half of the answer, as if whole"),
    both(ANSWER, "html", "a page in HTML with 200"),
    both(ANSWER, "empty", "nothing, with 200"),
    kind(ANSWER, "answer:{}", "`{}`"),
    kind(ANSWER, "answer:[]", "`[]`"),
    kind(ANSWER, "answer:null", "`null`"),
    both(ANSWER, "answer:{\"status\":\"OK\"}", "`OK` alone"),
    kind(ANSWER, "answer:{\"status\":\"OK\",\"files\":3}", "`OK` and a number of files, without them"),
    kind(ANSWER, "answer:{\"status\":\"KO\",\"status\":\"OK\"}", "the same key twice"),
    kind(ANSWER, "answer:{\"status\":\"OK\",\"items\":[{\"filename\":\"\\q\"}]}", "a bad escape"),
    kind(ANSWER, "field:status=5", "a status that is a number"),
    kind(ANSWER, "field:size=9223372036854775807", "giant sizes"),
    kind(ANSWER, "field:size=-1", "negative sizes"),
    kind(ANSWER, "field:id=1e400", "ids beyond all numbers"),
    kind(ANSWER, "field:date=[]", "dates that are lists"),
    kind(ANSWER, "drop-field:url", "links left out"),
    kind(ANSWER, "drop-field:status", "no status"),
    kind(ANSWER, "missing-items", "items left out"),
    kind(ANSWER, "wrong-checksum", "wrong checksums"),
    kind(ANSWER, "missing-checksum", "no checksums"),
    kind(ANSWER, "redirect:{trap}", "302 to another host"),
    kind(ANSWER, "redirect:{self}", "302 that leads back to itself"),
    both(BYTES, "cut-upload:60", "the upload is cut"),
    both(BYTES, "corrupt-upload:1", "a byte of what is stored is wrong, and told by its checksum"),
    kind(BYTES, "plain-upload", "the upload's answer names no report"),
    Kind {
        is_remembered: true,
        ..kind(BYTES, "drop-upload", "files are taken, and neither stored nor reported")
    },
    Kind { is_remembered: true, ..kind(BYTES, "store-as:a", "files with an `a` get another name") },
    both(BYTES, "cut-download:3", "the download is cut"),
    both(BYTES, "short-download:2", "two bytes are missing at its end"),
    kind(BYTES, "long-download:5", "five bytes more than the file has"),
    both(BYTES, "corrupt-download:1", "a byte of it is wrong"),
    kind(BYTES, "ignore-range", "ranges are ignored"),
    both(BYTES, "expired-token", "the token has expired"),
    both(REPORT, "wait-report:2", "`Please wait` at first"),
    both(REPORT, "empty-report:2", "no links at first"),
    both(REPORT, "drop-from-report:1", "a stored file isn't in it"),
    kind(REPORT, "rename-report", "names other than stored"),
    kind(REPORT, "wrong-link", "somebody else's link"),
];

/// Unusual services.
pub(crate) const SETTINGS: &[(&str, Setting, Option<&str>)] = &[
    ("listings lag 8 s", Setting::Lag(Duration::from_secs(8)), None),
    ("listings lag 60 s", Setting::Lag(Duration::from_secs(60)), None),
    ("listings lag 8 s, and an answer is lost", Setting::Lag(Duration::from_secs(8)), Some("lost-answer")),
    ("listings lag 60 s, and an answer is lost", Setting::Lag(Duration::from_secs(60)), Some("lost-answer")),
    ("listings tell 2 files at most", Setting::ListingCap(2), None),
    ("lists are served in part", Setting::PartialLists, None),
    ("a folder that exists is made again", Setting::TwinFolders, Some("lost-answer")),
    ("a folder that exists is answered by its id", Setting::SameFolders, Some("lost-answer")),
    ("nobody listens", Setting::NobodyThere, None),
    ("what listens speaks no TLS", Setting::NoTls, None),
];
