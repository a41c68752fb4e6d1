//! Errors of calls: who caused them, whether another try helps, and what to do next.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

mod kind;
mod unreached;

pub(crate) use unreached::Unreached;

pub use kind::{ErrorKind, Fault, PasswordProblem, Retry, SourceProblem};

use crate::endpoint::Endpoint;

/// A source error of any type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A failed call: where, what, and whether the service may have carried it out all the same.
///
/// It holds neither the key nor a download token.
pub struct ApiError(Box<Inner>);

struct Inner {
    endpoint: Endpoint,
    kind: ErrorKind,
    maybe_done: bool,
    attempts: u32,
    remote: Option<Arc<str>>,
}

impl ApiError {
    /// Makes the error of a call.
    pub(crate) fn new(endpoint: Endpoint, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { endpoint, kind, maybe_done: false, attempts: 1, remote: None }))
    }

    /// Makes the error that an answer can't be used for what was requested, for a call that changes nothing.
    pub fn unusable(endpoint: Endpoint, what: impl Into<String>) -> Self {
        Self::new(endpoint, ErrorKind::Unconfirmed { what: what.into() })
    }

    /// Adds the user's name for the remote that the call was made for.
    #[must_use]
    pub fn of(mut self, remote: Option<Arc<str>>) -> Self {
        self.0.remote = remote;
        self
    }

    /// Returns the user's name for the remote that the call was made for, with its colon.
    pub fn remote(&self) -> Option<&str> {
        self.0.remote.as_deref()
    }

    /// Makes the error that neither the answer nor anything else confirmed a call: it may have been carried out.
    pub fn unconfirmed(endpoint: Endpoint, what: impl Into<String>) -> Self {
        Self::new(endpoint, ErrorKind::Unconfirmed { what: what.into() }).with_history(1, true)
    }

    /// Makes an error from before any call.
    pub(crate) fn here(kind: ErrorKind) -> Self {
        Self::new(Endpoint::Nowhere, kind)
    }

    /// Adds the node's text to the error of a report that never came.
    pub(crate) fn with_words(mut self, said: Option<&str>) -> Self {
        if let ErrorKind::NoReport { words, .. } = &mut self.0.kind {
            *words = said.map(str::to_owned);
        }
        self
    }

    pub(crate) fn with_history(mut self, attempts: u32, maybe_done: bool) -> Self {
        self.0.attempts = attempts;
        self.0.maybe_done = maybe_done;
        self
    }

    /// Returns the endpoint of the call.
    pub fn endpoint(&self) -> Endpoint {
        self.0.endpoint
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the kind of failure by value.
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// Returns how often the call was sent, 0 if never.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the service may have carried the call out although it failed here: an answer got lost, at this
    /// attempt or at an earlier one. A `NotFound` with this flag after a removal means done, probably.
    pub fn maybe_done(&self) -> bool {
        self.0.maybe_done
    }

    /// Returns whether it is worth repeating the same call.
    pub fn retry(&self) -> Retry {
        match (self.0.maybe_done, self.0.kind.may_pass()) {
            (true, _) => Retry::AfterLooking,
            (false, true) => Retry::Later,
            (false, false) => Retry::Never,
        }
    }

    /// Returns who caused the error: the user, the service, the network or this program.
    pub fn fault(&self) -> Fault {
        self.0.kind.fault()
    }

    fn is_of_our_account(&self) -> bool {
        matches!(self.0.endpoint, Endpoint::UserInfo | Endpoint::FolderLs | Endpoint::FileLs)
    }

    /// Returns what to do next, as half a sentence in lower case.
    pub fn hint(&self) -> Option<&'static str> {
        if matches!(self.0.kind, ErrorKind::OwnerLocked { .. }) && self.is_of_our_account() {
            return Some("ask the service's support");
        }
        if matches!(self.0.kind, ErrorKind::TooSoon { .. }) && self.0.endpoint == Endpoint::UserInfo {
            return Some("wait until then; all that doesn't ask for the account's state goes on working");
        }
        self.0.kind.hint().or(match self.retry() {
            Retry::AfterLooking => Some("look whether it was done before trying again"),
            _ => None,
        })
    }

    /// Checks whether it makes no sense to continue with anything: no key, no account, no subscription.
    pub fn is_fatal(&self) -> bool {
        if matches!(self.0.kind, ErrorKind::OwnerLocked { .. }) {
            // It is about our own account only where no one else's file was requested.
            return self.is_of_our_account();
        }
        matches!(
            self.0.kind,
            ErrorKind::NotAuthenticated { .. }
                | ErrorKind::NoSuchUser { .. }
                | ErrorKind::NeedsSubscription { .. }
                | ErrorKind::AddressLocked { .. }
                | ErrorKind::WaitedTooLong { .. }
                | ErrorKind::Canceled
        )
    }

    /// Checks whether the file or folder doesn't exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self.0.kind, ErrorKind::NotFound { .. })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.endpoint != Endpoint::Nowhere {
            write!(f, "{}: ", self.0.endpoint)?;
        }
        write!(f, "{}", self.0.kind)?;
        if self.0.attempts > 1 {
            write!(f, " (after {} attempts)", self.0.attempts)?;
        }
        if self.0.maybe_done {
            f.write_str("; it may have been carried out all the same")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("endpoint", &self.0.endpoint)
            .field("kind", &self.0.kind)
            .field("attempts", &self.0.attempts)
            .field("maybe_done", &self.0.maybe_done)
            .finish()
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.kind.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bad_key_is_fatal_and_says_where_to_get_one() {
        let error = ApiError::new(
            Endpoint::UserInfo,
            ErrorKind::NotAuthenticated { text: "Not authenticated".into() },
        );
        assert!(error.is_fatal());
        assert_eq!((error.retry(), error.fault()), (Retry::Never, Fault::User));
        assert!(error.hint().unwrap().contains("https://1fichier.com/console/params.pl"));
        assert_eq!(error.to_string(), "user/info.cgi: the service doesn't accept the key: Not authenticated");
    }

    #[test]
    fn an_uploader_s_lock_is_that_file_s_failure_and_ours_the_end() {
        let locked =
            |endpoint| ApiError::new(endpoint, ErrorKind::OwnerLocked { text: "Owner locked".into() });
        assert!(!locked(Endpoint::GetToken).is_fatal());
        assert!(locked(Endpoint::GetToken).hint().unwrap().contains("whoever uploaded it"));
        assert!(locked(Endpoint::UserInfo).is_fatal());
        assert!(locked(Endpoint::UserInfo).hint().unwrap().contains("support"));
    }

    #[test]
    fn a_lost_answer_asks_to_look_first() {
        let kind = ErrorKind::Network("reset".into());
        let error = ApiError::new(Endpoint::FolderMkdir, kind).with_history(1, true);
        assert_eq!(error.retry(), Retry::AfterLooking);
        assert!(error.to_string().ends_with("it may have been carried out all the same"));
        assert_eq!(error.source().unwrap().to_string(), "reset");
    }

    #[test]
    fn only_answers_that_can_be_lost_leave_doubt() {
        let lost = [
            ErrorKind::Network("x".into()),
            ErrorKind::Timeout { idle: Duration::from_secs(1) },
            ErrorKind::Truncated { snippet: String::new() },
            ErrorKind::Status { code: 500, retry_after: None },
            ErrorKind::Status { code: 504, retry_after: None },
            ErrorKind::Html { title: String::new(), status: 200 },
        ];
        assert!(lost.iter().all(|kind| !kind.surely_not_done() && kind.may_pass()));
        let refused = [
            ErrorKind::Connect("x".into()),
            ErrorKind::Flood { text: String::new() },
            ErrorKind::Status { code: 429, retry_after: None },
            ErrorKind::Status { code: 403, retry_after: None },
            ErrorKind::Status { code: 503, retry_after: None },
        ];
        assert!(refused.iter().all(|kind| kind.surely_not_done() && kind.may_pass()));
    }
}
