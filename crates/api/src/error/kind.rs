//! Kinds of failure, and what each means for the caller.

use std::time::Duration;

use super::BoxError;
use super::unreached::Unreached;

/// Kind of failure. The texts of the service are classified as in the API document, section 3.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too many calls; the pacer waited and tried again as often as it may.
    #[error("the service detected a flood of calls: {text}")]
    Flood {
        /// Text of the service's answer.
        text: String,
    },
    /// The address is locked for longer than a flood locks it.
    #[error("the service has locked this address: {text}")]
    AddressLocked {
        /// Text of the service's answer.
        text: String,
    },
    /// There was no key, or one that the service doesn't accept.
    #[error("the service doesn't accept the key: {text}")]
    NotAuthenticated {
        /// Text of the service's answer.
        text: String,
    },
    /// The key belongs to no account.
    #[error("the service doesn't know the key's user: {text}")]
    NoSuchUser {
        /// Text of the service's answer.
        text: String,
    },
    /// The account that owns the file is locked, or the service objects to our calls (API document, section 3).
    #[error("the owner's account is locked: {text}")]
    OwnerLocked {
        /// Text of the service's answer.
        text: String,
    },
    /// The account has no subscription, which the API needs.
    #[error("the API needs a Premium or Access account: {text}")]
    NeedsSubscription {
        /// Text of the service's answer.
        text: String,
    },
    /// The file or folder is gone.
    #[error("not found: {text}")]
    NotFound {
        /// Text of the service's answer.
        text: String,
    },
    /// Access rules or a password protect the file.
    #[error("not allowed: {text}")]
    NotAllowed {
        /// Role of a password in the refusal.
        password: PasswordProblem,
        /// Text of the service's answer.
        text: String,
    },
    /// The account downloads from too many addresses already.
    #[error("the account is in use at too many addresses: {text}")]
    TooManyLocations {
        /// Number of addresses that are allowed, if the service says it.
        allowed: Option<u32>,
        /// Text of the service's answer.
        text: String,
    },
    /// The service takes this address for a VPN or a data centre.
    #[error("the service wants downloads from this address to go through its CDN: {text}")]
    NeedsCdn {
        /// Text of the service's answer.
        text: String,
    },
    /// The service takes no downloads from this address, whatever is paid.
    #[error("the service refuses this address: {text}")]
    AddressRefused {
        /// Text of the service's answer.
        text: String,
    },
    /// The account is full.
    #[error("the account is full: {text}")]
    QuotaExceeded {
        /// Text of the service's answer.
        text: String,
    },
    /// The service says that it is out of order.
    #[error("the service is out of order: {text}")]
    OutOfOrder {
        /// Text of the service's answer.
        text: String,
    },
    /// A refusal without a text.
    #[error("the service refused without a word (HTTP {status})")]
    Wordless {
        /// HTTP status of the answer.
        status: u16,
    },
    /// Any other refusal.
    #[error("the service refused: {text}")]
    Refused {
        /// Text of the service's answer.
        text: String,
        /// Number after `#` in the text, if any.
        number: Option<u32>,
    },
    /// The fixed interval of this kind of call isn't over; make do without the call rather than wait.
    #[error("too soon to ask this again, {} s to go", remaining.as_secs())]
    TooSoon {
        /// Time until the call may be made.
        remaining: Duration,
    },
    /// A page for people arrived instead of an answer.
    #[error("an HTML page came instead of an answer (HTTP {status}): {title}")]
    Html {
        /// Title of the page, or its beginning.
        title: String,
        /// HTTP status of the page.
        status: u16,
    },
    /// An HTTP status without further information.
    #[error("HTTP status {code}")]
    Status {
        /// HTTP status of the answer.
        code: u16,
        /// Time that the service asked to wait.
        retry_after: Option<Duration>,
    },
    /// The answer ended too early.
    #[error("the answer was cut short: {snippet}")]
    Truncated {
        /// End of the answer.
        snippet: String,
    },
    /// The answer isn't JSON, or doesn't have the expected structure.
    #[error("the answer makes no sense ({problem}): {snippet}")]
    InvalidJson {
        /// Message of the parser.
        problem: String,
        /// Beginning of the answer, or the text around the problem.
        snippet: String,
        /// Whether it was valid JSON: then repeating the call won't help.
        well_formed: bool,
    },
    /// The answer doesn't say what was requested, or contradicts itself: it proves nothing.
    #[error("the answer doesn't say what was asked: {what}")]
    Unconfirmed {
        /// What is missing or wrong.
        what: String,
    },
    /// The answer is longer than any that makes sense.
    #[error("the answer is longer than {} MiB", limit >> 20)]
    TooLong {
        /// Largest number of bytes that is read.
        limit: u64,
    },
    /// The answer comes too slowly to be waited for.
    #[error("the answer comes too slowly: {got} bytes in {} s", took.as_secs())]
    TooSlow {
        /// Number of bytes that arrived.
        got: u64,
        /// Time in which they arrived.
        took: Duration,
    },
    /// No connection was made, so nothing was sent.
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
        /// Time without any byte.
        idle: Duration,
    },
    /// A download token is used up or too old; a new one will work.
    #[error("the download link is no longer valid (HTTP {status}){}", said(words.as_deref()))]
    TokenRefused {
        /// HTTP status of the node.
        status: u16,
        /// Text of the node's page.
        words: Option<String>,
    },
    /// The range begins after the end of the file.
    #[error("the range begins behind the end of the file")]
    RangeNotSatisfiable,
    /// A file of an upload wasn't as declared; the upload was cancelled.
    #[error("file {index} of the upload ({name}): {problem}")]
    UploadSource {
        /// Index of the file in the upload, from 0.
        index: usize,
        /// Name of the file as given.
        name: String,
        /// How the file differed.
        #[source]
        problem: SourceProblem,
    },
    /// The node took the request but says that no file was in it.
    #[error("the node says that no file arrived")]
    NoFileArrived,
    /// The node gave no report in time; whether the files arrived is unknown.
    #[error("the node gave no report about the upload within {} s{}", waited.as_secs(), answered(words.as_deref()))]
    NoReport {
        /// Time for which the report was requested.
        waited: Duration,
        /// Text of the node's page when the upload was through.
        words: Option<String>,
    },
    /// The call took longer than it may, retries included.
    #[error("given up after {} s: {last}", after.as_secs())]
    DeadlineExceeded {
        /// Time since the first attempt.
        after: Duration,
        /// Error of the last attempt.
        #[source]
        last: Box<ErrorKind>,
    },
    /// The service made the run wait for as long as it may, and would make it wait longer.
    #[error(
        "this run has waited {} for the service, and may wait {} in all (--max-wait): {} more would be too long{}",
        shortly(*so_far), shortly(*most), shortly(*next), said(last.as_deref())
    )]
    WaitedTooLong {
        /// Longest time that it may wait in all.
        most: Duration,
        /// Time that it has waited.
        so_far: Duration,
        /// Time that it would have to wait now.
        next: Duration,
        /// Last text of the service.
        last: Option<String>,
    },
    /// The client was asked to stop.
    #[error("canceled")]
    Canceled,
    /// The request can't be sent as it is.
    #[error("{0}")]
    Invalid(String),
    /// The client can't be set up as requested.
    #[error("{what}")]
    Setup {
        /// What couldn't be set up.
        what: String,
        /// Cause of the failure.
        #[source]
        source: BoxError,
    },
}

fn answered(words: Option<&str>) -> String {
    words.map(|words| format!("; it had answered: {words}")).unwrap_or_default()
}

/// Formats a time in the largest unit that leaves a whole number, as durations are typed.
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

/// Role of a password in a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordProblem {
    /// No role, as far as is known: access rules, or someone else's file.
    None,
    /// A password is needed and none was given.
    Missing,
    /// The given password is wrong.
    Wrong,
}

/// How a file of an upload differed from what was declared.
#[derive(Debug, thiserror::Error)]
pub enum SourceProblem {
    /// The file ended early.
    #[error("it ended after {got} of {declared} bytes")]
    TooShort {
        /// Declared size in bytes.
        declared: u64,
        /// Number of bytes that came.
        got: u64,
    },
    /// The file went on after its declared end.
    #[error("it is longer than the {declared} bytes declared")]
    TooLong {
        /// Declared size in bytes.
        declared: u64,
    },
    /// The file couldn't be read.
    #[error("it can't be read: {0}")]
    Failed(#[source] BoxError),
}

/// Cause of an error: the user, the service, the network or this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The user can do something about it: key, password, subscription, a missing file.
    User,
    /// The service is busy, broken or unwilling.
    Service,
    /// The connection to the service failed.
    Network,
    /// This program, or the one that uses it, made a mistake.
    Us,
}

/// Whether it is worth repeating the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// The call may work later.
    Later,
    /// The call may have been carried out: look first.
    AfterLooking,
}

/// Advice where to get a key.
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

    /// Checks whether the same call may work later.
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

    /// Checks whether it is one of the answers of which many bring a ban (API document, section 1), so that the call is
    /// hardly ever repeated.
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

    /// Checks whether the service can't have carried the call out: it refused, or never received it.
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

    /// Checks whether the call can't have reached the part that carries it out: the way there is closed, or the service
    /// blocks the caller. Other refusals have been seen of calls that were carried out.
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

    /// Checks whether no connection was made since there is no host of this name.
    pub(crate) fn is_unknown_host(&self) -> bool {
        let Self::Connect(source) = self else { return false };
        source.downcast_ref::<Unreached>().is_some_and(Unreached::is_unknown_host)
    }

    /// Returns what to do next, as half a sentence in lower case; `None` when there is nothing sensible to say.
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
