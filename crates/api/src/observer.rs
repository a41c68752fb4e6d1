//! Lets a program observe the calls and the waits, for a progress line or a detailed log.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::pacer::CallClass;

/// Gets every call and every wait. It is called on the runtime's threads, so it must be quick and must not block.
pub trait Observer: Send + Sync {
    /// Handles one event.
    fn observe(&self, event: &Event<'_>);
}

/// Call that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallInfo {
    /// Endpoint of the call.
    pub endpoint: Endpoint,
    /// Class of the call, which decides its limits.
    pub class: CallClass,
    /// Reason of the call in a few words; see [`Client::because`](crate::Client::because).
    pub reason: &'static str,
    /// Whether the call finishes what another one began; see [`Client::finishing`](crate::Client::finishing).
    pub finishes: bool,
}

/// Event of a client, for an [`Observer`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call starts to wait: "waiting for 1Fichier, 24 s".
    Waiting {
        /// The call that waits.
        call: CallInfo,
        /// Reason of the wait.
        why: WaitReason,
        /// Longest wait, as far as is known now.
        wait: Duration,
        /// The failed try before the wait, if there was one.
        after: Option<FailedTry<'a>>,
    },
    /// A request is sent.
    Sent {
        /// The call that is sent.
        call: CallInfo,
        /// Number of the try, from 1.
        attempt: u32,
        /// Time spent in waits since the call was made or last failed.
        waited: Duration,
    },
    /// A request has ended.
    Answered {
        /// The call that ended.
        call: CallInfo,
        /// Number of the try, from 1.
        attempt: u32,
        /// Time from sending to the end of the answer, or of its header for downloads.
        took: Duration,
        /// Result of the request.
        outcome: CallOutcome<'a>,
    },
    /// Another quarter of the run's total waiting time is used up.
    WaitBudget {
        /// Total waiting time after the wait that starts now.
        spent: Duration,
        /// Longest total waiting time.
        most: Duration,
    },
    /// A flood answer to a listing came: from now on listings are `gap` apart. Worth saving per account, see
    /// [`Client::learned`](crate::Client::learned).
    ListingGapLearned {
        /// New distance between listings.
        gap: Duration,
    },
}

/// A try that failed and will be repeated.
#[derive(Debug, Clone, Copy)]
pub struct FailedTry<'a> {
    /// Error of the try.
    pub error: &'a ErrorKind,
    /// Number of the try, from 1.
    pub number: u32,
    /// Largest number of tries.
    pub of: u32,
}

/// Result of a request.
#[derive(Debug, Clone, Copy)]
pub enum CallOutcome<'a> {
    /// The request succeeded.
    Done,
    /// The request failed, and will be sent again.
    WillRetry(&'a ErrorKind),
    /// The request failed, and won't be sent again.
    Failed(&'a ErrorKind),
}

/// Reason of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The distance between any two calls.
    Pace,
    /// The distance between any two listings.
    ListingPace,
    /// The same folder was listed just before.
    SameFolder,
    /// The end of a flood lock.
    Flood,
    /// The end of an address lock.
    AddressLock,
    /// Another IP address has to stop downloading.
    Locations,
    /// A download connection to end, since the account has as many as it may.
    Connections,
    /// The time that the service asked for.
    RetryAfter,
    /// The pause before the next try after a temporary error.
    BackOff,
    /// The report of an upload.
    UploadReport,
    /// The report of an upload whose answer was vague or lost, so that there may be none.
    DoubtfulReport,
    /// The report of an upload that takes longer than usual.
    LateReport,
}
