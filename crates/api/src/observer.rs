//! Lets a program watch the calls and the waits, for a progress line or a detailed log.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::pacer::CallClass;

/// Is told of every call and every wait. Called on the runtime's threads: be quick, don't block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
}

/// Which call an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallInfo {
    /// Where the call goes.
    pub endpoint: Endpoint,
    /// Which budget it takes from.
    pub class: CallClass,
    /// Why it is made, in a few words; see [`Client::because`](crate::Client::because).
    pub reason: &'static str,
}

/// What an [`Observer`] is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call begins to wait: "waiting for 1Fichier, 24 s".
    Waiting {
        /// The call.
        call: CallInfo,
        /// What for.
        why: WaitReason,
        /// How long at most, as far as is known now.
        wait: Duration,
        /// The failed try that the wait follows, if it follows one.
        after: Option<FailedTry<'a>>,
    },
    /// A request leaves.
    Sent {
        /// The call.
        call: CallInfo,
        /// Which attempt, from 1.
        attempt: u32,
        /// Time since the call was asked for or last failed, spent in waits.
        waited: Duration,
    },
    /// A request ended.
    Answered {
        /// The call.
        call: CallInfo,
        /// Which attempt, from 1.
        attempt: u32,
        /// From sending to the end of the answer, or of its head for downloads.
        took: Duration,
        /// How it ended.
        outcome: CallOutcome<'a>,
    },
    /// Another quarter of what the run may wait for the service is used up.
    WaitBudget {
        /// How long it will have waited after the wait that begins.
        spent: Duration,
        /// How long it may wait in all.
        most: Duration,
    },
    /// A flood answer to a listing: from now on listings are `gap` apart. Worth remembering per account, see
    /// [`Client::learned`](crate::Client::learned).
    ListingGapLearned {
        /// The new distance.
        gap: Duration,
    },
}

/// A try that failed and will be repeated.
#[derive(Debug, Clone, Copy)]
pub struct FailedTry<'a> {
    /// Why it failed.
    pub error: &'a ErrorKind,
    /// The number of the try, from 1.
    pub number: u32,
    /// How many tries there are at most.
    pub of: u32,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub enum CallOutcome<'a> {
    /// Well.
    Done,
    /// Not well, it will be sent again.
    WillRetry(&'a ErrorKind),
    /// Not well, for good.
    Failed(&'a ErrorKind),
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The distance between any two calls.
    Pace,
    /// The distance between any two listings.
    ListingPace,
    /// The same folder was listed a moment ago.
    SameFolder,
    /// The end of a flood lock.
    Flood,
    /// The end of an address lock.
    AddressLock,
    /// Another address to stop downloading.
    Locations,
    /// A download connection to end, since the account has as many as it may.
    Connections,
    /// The time that the service asked for.
    RetryAfter,
    /// The next try after an error that may pass.
    BackOff,
    /// The report of an upload.
    UploadReport,
    /// The report of an upload that was answered vaguely or not at all, so that there may be none.
    DoubtfulReport,
    /// The report of an upload, which takes longer than usual.
    LateReport,
}
