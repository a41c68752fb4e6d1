//! The kinds of failure, and what each means for the caller.

use std::time::Duration;

use super::BoxError;
use super::unreached::Unreached;

/// What went wrong. The texts of the service are classified as in the API document, section 3.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too many calls; the pacer waited and tried again as often as it may.
    #[error("the service detected a flood of calls: {text}")]
    Flood {
        /// The service's words.
        text: String,
    },
    /// The address is locked, for longer than a flood locks it.
    #[error("the service has locked this address: {text}")]
    AddressLocked {
        /// The service's words.
        text: String,
    },
    /// No key, or one that the service doesn't take.
    #[error("the service doesn't accept the key: {text}")]
    NotAuthenticated {
        /// The service's words.
        text: String,
    },
    /// The key belongs to nobody.
    #[error("the service doesn't know the key's user: {text}")]
    NoSuchUser {
        /// The service's words.
        text: String,
    },
    /// The account that owns the file is locked, or the service takes our calls ill (API document, section 3).
    #[error("the owner's account is locked: {text}")]
    OwnerLocked {
        /// The service's words.
        text: String,
    },
    /// The account has no subscription, which the API needs.
    #[error("the API needs a Premium or Access account: {text}")]
    NeedsSubscription {
        /// The service's words.
        text: String,
    },
    /// The file or folder is gone.
    #[error("not found: {text}")]
    NotFound {
        /// The service's words.
        text: String,
    },
    /// Access rules or a password stand before the file.
    #[error("not allowed: {text}")]
    NotAllowed {
        /// What the password has to do with it.
        password: PasswordProblem,
        /// The service's words.
        text: String,
    },
    /// The account downloads from too many addresses already.
    #[error("the account is in use at too many addresses: {text}")]
    TooManyLocations {
        /// How many are allowed, if the service told.
        allowed: Option<u32>,
        /// The service's words.
        text: String,
    },
    /// The service takes this address for a VPN or a data centre.
    #[error("the service wants downloads from this address to go through its CDN: {text}")]
    NeedsCdn {
        /// The service's words.
        text: String,
    },
    /// The service takes no downloads from this address, whatever is paid.
    #[error("the service refuses this address: {text}")]
    AddressRefused {
        /// The service's words.
        text: String,
    },
    /// The account is full.
    #[error("the account is full: {text}")]
    QuotaExceeded {
        /// The service's words.
        text: String,
    },
    /// The service is out of order, by its own words.
    #[error("the service is out of order: {text}")]
    OutOfOrder {
        /// The service's words.
        text: String,
    },
    /// A refusal without a word.
    #[error("the service refused without a word (HTTP {status})")]
    Wordless {
        /// HTTP status beside it.
        status: u16,
    },
    /// Any other refusal.
    #[error("the service refused: {text}")]
    Refused {
        /// The service's words.
        text: String,
        /// The number after `#`, if any.
        number: Option<u32>,
    },
    /// The firm interval of this kind of call isn't over; do without the call rather than wait.
    #[error("too soon to ask this again, {} s to go", remaining.as_secs())]
    TooSoon {
        /// How long until the call may be made.
        remaining: Duration,
    },
    /// A page for people came instead of an answer.
    #[error("an HTML page came instead of an answer (HTTP {status}): {title}")]
    Html {
        /// The page's title, or its beginning.
        title: String,
        /// HTTP status beside it.
        status: u16,
    },
    /// An HTTP status that says it all.
    #[error("HTTP status {code}")]
    Status {
        /// HTTP status.
        code: u16,
        /// How long the service asked to wait.
        retry_after: Option<Duration>,
    },
    /// The answer ended too early.
    #[error("the answer was cut short: {snippet}")]
    Truncated {
        /// The answer's end.
        snippet: String,
    },
    /// The answer isn't JSON, or not of the shape that was expected.
    #[error("the answer makes no sense ({problem}): {snippet}")]
    InvalidJson {
        /// What the parser said.
        problem: String,
        /// The answer's beginning, or what surrounds the problem.
        snippet: String,
        /// Whether it was JSON at least; then asking again won't help.
        well_formed: bool,
    },
    /// The answer doesn't say what was asked, or contradicts itself: it proves nothing.
    #[error("the answer doesn't say what was asked: {what}")]
    Unconfirmed {
        /// What is missing or wrong.
        what: String,
    },
    /// The answer is longer than any that makes sense.
    #[error("the answer is longer than {} MiB", limit >> 20)]
    TooLong {
        /// The longest that is read, in bytes.
        limit: u64,
    },
    /// The answer comes too slowly to be waited for.
    #[error("the answer comes too slowly: {got} bytes in {} s", took.as_secs())]
    TooSlow {
        /// How many bytes came.
        got: u64,
        /// In how long.
        took: Duration,
    },
    /// No connection came about, so nothing was sent.
    #[error("can't connect")]
    Connect(#[source] BoxError),
    /// The other side's certificate isn't trusted.
    #[error("the service's certificate isn't trusted")]
    Certificate(#[source] BoxError),
    /// The connection broke after the request was sent, perhaps.
    #[error("the connection broke")]
    Network(#[source] BoxError),
    /// No byte moved for too long.
    #[error("nothing came for {} s", idle.as_secs())]
    Timeout {
        /// How long.
        idle: Duration,
    },
    /// A download token is used up or too old; a new one will do.
    #[error("the download link is no longer valid (HTTP {status}){}", said(words.as_deref()))]
    TokenRefused {
        /// HTTP status of the node.
        status: u16,
        /// What the node's page says.
        words: Option<String>,
    },
    /// The range begins behind the end of the file.
    #[error("the range begins behind the end of the file")]
    RangeNotSatisfiable,
    /// A file of an upload didn't come as declared; the upload was broken off.
    #[error("file {index} of the upload ({name}): {problem}")]
    UploadSource {
        /// Place of the file in the upload, from 0.
        index: usize,
        /// Its name as given.
        name: String,
        /// What was wrong with it.
        #[source]
        problem: SourceProblem,
    },
    /// The node took the request but says that no file was in it.
    #[error("the node says that no file arrived")]
    NoFileArrived,
    /// The node gave no report in time; whether the files arrived is unknown.
    #[error("the node gave no report about the upload within {} s{}", waited.as_secs(), answered(words.as_deref()))]
    NoReport {
        /// How long it was asked.
        waited: Duration,
        /// What its page said when the upload was through.
        words: Option<String>,
    },
    /// The call took longer than it may, retries included.
    #[error("given up after {} s: {last}", after.as_secs())]
    DeadlineExceeded {
        /// Time since the first attempt.
        after: Duration,
        /// What the last attempt said.
        #[source]
        last: Box<ErrorKind>,
    },
    /// The service made the run wait for as long as it may, and would make it wait longer.
    #[error(
        "this run has waited {} for the service, and may wait {} in all (--max-wait): {} more would be too long{}",
        shortly(*so_far), shortly(*most), shortly(*next), said(last.as_deref())
    )]
    WaitedTooLong {
        /// How long it may wait in all.
        most: Duration,
        /// How long it has waited.
        so_far: Duration,
        /// How long it would have to wait now.
        next: Duration,
        /// What the service said last.
        last: Option<String>,
    },
    /// The client was told to stop.
    #[error("canceled")]
    Canceled,
    /// The request can't be sent as it is.
    #[error("{0}")]
    Invalid(String),
    /// The client can't be set up as told.
    #[error("{what}")]
    Setup {
        /// What couldn't be set up.
        what: String,
        /// Why.
        #[source]
        source: BoxError,
    },
}

fn answered(words: Option<&str>) -> String {
    words.map(|words| format!("; it had answered: {words}")).unwrap_or_default()
}

/// In the largest unit that leaves a whole number, as durations are typed.
fn shortly(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{}ms", time.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds if seconds >= 60 => format!("{}m{}s", seconds / 60, seconds % 60),
        seconds => format!("{seconds}s"),
    }
}

fn said(words: Option<&str>) -> String {
    words.map(|words| format!(": {words}")).unwrap_or_default()
}

/// What a password has to do with a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Nothing, as far as is known: access rules, or somebody else's file.
    None,
    /// One is needed and none was given.
    Missing,
    /// The one given is wrong.
    Wrong,
}

/// How a file of an upload differed from what was declared.
#[derive(Debug, thiserror::Error)]
pub enum SourceProblem {
    /// It ended early.
    #[error("it ended after {got} of {declared} bytes")]
    TooShort {
        /// Size declared.
        declared: u64,
        /// Bytes that came.
        got: u64,
    },
    /// It went on after its end.
    #[error("it is longer than the {declared} bytes declared")]
    TooLong {
        /// Size declared.
        declared: u64,
    },
    /// It couldn't be read.
    #[error("it can't be read: {0}")]
    Failed(#[source] BoxError),
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The user can do something about it: key, password, subscription, a missing file.
    User,
    /// The service is busy, broken or unwilling.
    Service,
    /// The way to the service.
    Network,
    /// This program, or the one that uses it.
    Us,
}

/// Whether it is worth trying the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// It may work later.
    Later,
    /// It may have been carried out: look first.
    AfterLooking,
}

/// Where a key comes from.
const GET_A_KEY: &str =
    "get a key at https://1fichier.com/console/params.pl (it needs a Premium or Access account)";

impl ErrorKind {
    /// Checks whether the service locks somebody out, or is about to, for calling too often.
    pub fn is_lock(&self) -> bool {
        matches!(self, Self::Flood { .. } | Self::AddressLocked { .. } | Self::Status { code: 429, .. })
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotAuthenticated { .. }
            | Self::NoSuchUser { .. }
            | Self::OwnerLocked { .. }
            | Self::NeedsSubscription { .. }
            | Self::NotFound { .. }
            | Self::NotAllowed { .. }
            | Self::TooManyLocations { .. }
            | Self::NeedsCdn { .. }
            | Self::AddressRefused { .. }
            | Self::QuotaExceeded { .. }
            | Self::UploadSource { .. }
            | Self::Canceled
            | Self::Setup { .. } => Fault::User,
            Self::Flood { .. }
            | Self::AddressLocked { .. }
            | Self::OutOfOrder { .. }
            | Self::Wordless { .. }
            | Self::Refused { .. }
            | Self::TooSoon { .. }
            | Self::Html { .. }
            | Self::Status { .. }
            | Self::InvalidJson { .. }
            | Self::Unconfirmed { .. }
            | Self::TooLong { .. }
            | Self::TooSlow { .. }
            | Self::TokenRefused { .. }
            | Self::NoFileArrived
            | Self::WaitedTooLong { .. }
            | Self::NoReport { .. } => Fault::Service,
            Self::Truncated { .. }
            | Self::Connect(_)
            | Self::Certificate(_)
            | Self::Network(_)
            | Self::Timeout { .. } => Fault::Network,
            Self::RangeNotSatisfiable | Self::Invalid(_) => Fault::Us,
            Self::DeadlineExceeded { last, .. } => last.fault(),
        }
    }

    /// Whether the same call may work later.
    pub fn may_pass(&self) -> bool {
        match self {
            // Such pages mean what their status says.
            Self::Html { status: 401 | 404 | 410, .. } => false,
            Self::Flood { .. }
            | Self::AddressLocked { .. }
            | Self::TooManyLocations { .. }
            | Self::TooSoon { .. }
            | Self::OutOfOrder { .. }
            | Self::Wordless { .. }
            | Self::Html { .. }
            | Self::InvalidJson { .. }
            | Self::TooSlow { .. }
            | Self::Truncated { .. }
            | Self::Connect(_)
            | Self::Network(_)
            | Self::Timeout { .. }
            | Self::TokenRefused { .. }
            | Self::Unconfirmed { .. }
            | Self::NoFileArrived
            | Self::NoReport { .. } => true,
            // 403 without JSON comes from something before the service proper (API document, section 3).
            Self::Status { code, .. } => matches!(code, 403 | 408 | 425 | 429 | 500..=599),
            Self::DeadlineExceeded { last, .. } => last.may_pass(),
            _ => false,
        }
    }

    /// Whether it is one of the answers that bring a ban when there are many of them (API document, section 1), so that
    /// the call is hardly ever repeated.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::Html { status, .. } | Self::Wordless { status } | Self::Status { code: status, .. } => {
                matches!(status, 401 | 403 | 404 | 410)
            }
            Self::TokenRefused { .. } => true,
            Self::DeadlineExceeded { last, .. } => last.is_dangerous(),
            _ => false,
        }
    }

    /// Whether the service can't have carried the call out: it said no, or never got it.
    pub(crate) fn surely_not_done(&self) -> bool {
        match self {
            Self::Html { status, .. } => matches!(status, 403 | 429 | 503),
            Self::Status { code, .. } => !matches!(code, 408 | 500 | 502 | 504..=599 | 200..=399),
            Self::Truncated { .. }
            | Self::InvalidJson { .. }
            | Self::TooLong { .. }
            | Self::TooSlow { .. }
            | Self::OutOfOrder { .. }
            | Self::Network(_)
            | Self::Timeout { .. } => false,
            Self::NoReport { .. } | Self::Unconfirmed { .. } => false,
            Self::DeadlineExceeded { last, .. } => last.surely_not_done(),
            _ => true,
        }
    }

    /// Whether the call can't have come to what carries it out: the way there is closed, or the service keeps whoever
    /// calls away. Other refusals have been seen of calls that were carried out.
    pub(crate) fn was_kept_away(&self) -> bool {
        match self {
            Self::Flood { .. }
            | Self::AddressLocked { .. }
            | Self::Connect(_)
            | Self::Status { code: 429, .. }
            | Self::Status { code: 503, retry_after: Some(_) } => true,
            Self::DeadlineExceeded { last, .. } => last.was_kept_away(),
            _ => false,
        }
    }

    /// Whether no connection came about since there is no host of this name.
    pub(crate) fn is_unknown_host(&self) -> bool {
        let Self::Connect(source) = self else { return false };
        source.downcast_ref::<Unreached>().is_some_and(Unreached::is_unknown_host)
    }

    /// What to do next, as half a sentence in lower case; `None` when there is nothing sensible to say.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotAuthenticated { .. } | Self::NoSuchUser { .. } => GET_A_KEY,
            Self::NeedsSubscription { .. } => "subscribe at https://1fichier.com/console/abo.pl",
            Self::OwnerLocked { .. } => {
                "the account of whoever uploaded it is locked, or too many calls were made one by one: try again later"
            }
            Self::AddressRefused { .. } => {
                "use one address only, IPv4 or IPv6 (--bind), and no connection that many share"
            }
            Self::QuotaExceeded { .. } => "free space in the account, or buy more",
            Self::OutOfOrder { .. } => "the service is busy or under maintenance; try again later",
            Self::Flood { .. } => {
                "wait some minutes; see that no other program uses the account or the address"
            }
            Self::WaitedTooLong { .. } => "try again later, or allow more by --max-wait",
            Self::AddressLocked { .. } => {
                "leave the service alone from this address for an hour, other programs too"
            }
            Self::NotAllowed { password: PasswordProblem::Missing, .. } => {
                "give the password of the file or folder"
            }
            Self::NotAllowed { password: PasswordProblem::Wrong, .. } => {
                "check the password of the file or folder"
            }
            Self::NotAllowed { password: PasswordProblem::None, .. } => "see the file's access rules",
            Self::TooManyLocations { .. } => "stop downloads of the account at other addresses, or wait",
            Self::NeedsCdn { .. } => {
                "ask for downloads through the CDN, which uses up credit: --fichier-cdn, or --fichier-cdn auto for when it is needed"
            }
            Self::TooSoon { .. } => "list folder by folder, or wait",
            Self::Unconfirmed { .. } => "try again in a minute",
            Self::Html { .. } => "the service is busy or under maintenance; try again later",
            Self::Status { code: 500..=599, .. } => {
                "the service is busy or under maintenance; try again later"
            }
            Self::Connect(_) => "check the connection, the proxy and the name of the service",
            Self::Certificate(_) => {
                "check the clock; behind an inspecting proxy, name its certificate (--ca-cert)"
            }
            Self::TokenRefused { .. } => "ask for a new download token",
            Self::NoReport { .. } => {
                "list the folder to learn whether the files arrived, before sending them again"
            }
            Self::UploadSource { .. } => "the file changed or can't be read; try it again when it rests",
            Self::DeadlineExceeded { last, .. } => return last.hint(),
            Self::Network(_) | Self::Timeout { .. } | Self::Truncated { .. } | Self::TooSlow { .. } => {
                "check the connection, and try again"
            }
            Self::Wordless { .. } | Self::InvalidJson { .. } | Self::TooLong { .. } | Self::Status { .. } => {
                "try again later; if it stays so, the service may have changed"
            }
            Self::Refused { .. } => {
                "try again later; if it stays so, ask the service's support, with its words"
            }
            _ => return None,
        })
    }
}
