//! How calls are made here: few, one after the other, and none after the first sign of a lock.

use fichier_api::{ApiError, CancellationToken, Client, ErrorKind, Requests};

use super::words::said;

/// How many calls an examination makes at most, those to tidy up included. What an earlier run left costs more.
const MOST_CALLS: u64 = 19;

/// Why nothing more is asked.
#[derive(Debug)]
pub(super) enum Ended {
    /// The service locks somebody out, or is about to.
    Locked {
        /// Its words.
        said: String,
        /// Whether the address is locked, and for long.
        address: bool,
    },
    /// Somebody wants it to end.
    Stopped,
    /// Nothing of it can work.
    Fatal(ApiError),
    /// What all else builds upon failed.
    Failed(String),
}

impl Ended {
    /// Says it in a report.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Locked { said, .. } => {
                format!("the service said {said}: stopped at the first sign of a lock")
            }
            Self::Stopped => "it was interrupted".to_owned(),
            Self::Fatal(error) => said(error.kind()),
            Self::Failed(what) => what.clone(),
        }
    }
}

/// Makes calls as long as that is sound.
#[derive(Debug)]
pub(super) struct Calls<'a> {
    client: Client,
    stop: &'a CancellationToken,
    before: Requests,
    /// Calls that don't count, since they tidy up what an earlier run left.
    extra: u64,
}

impl<'a> Calls<'a> {
    pub(super) fn new(client: &Client, stop: &'a CancellationToken) -> Self {
        let client = client.because("examine the service").cautious();
        let before = client.requests();
        Self { client, stop, before, extra: 0 }
    }

    /// What to ask with.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What to tidy up with, also when all waits are to end.
    pub(super) fn tidying(&self) -> Client {
        self.client.because("tidy up after the examination").finishing()
    }

    /// How many requests were made so far.
    pub(super) fn made(&self) -> Requests {
        let now = self.client.requests();
        Requests {
            calls: now.calls.saturating_sub(self.before.calls),
            to_nodes: now.to_nodes.saturating_sub(self.before.to_nodes),
        }
    }

    /// The calls since then tidied up what an earlier run left.
    pub(super) fn extra_since(&mut self, then: Requests) {
        self.extra += self.made().calls.saturating_sub(then.calls);
    }

    /// Whether one more call may be made when so many are kept for tidying up.
    pub(super) fn allow(&self, kept: usize) -> bool {
        self.made().calls + (kept as u64) < MOST_CALLS + self.extra
    }

    /// Makes a call. The inner error is an answer to the question.
    pub(super) async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<Result<T, ApiError>, Ended> {
        if self.stop.is_cancelled() {
            return Err(Ended::Stopped);
        }
        let error = match call.await {
            Ok(answer) => return Ok(Ok(answer)),
            Err(error) => error,
        };
        match error.kind() {
            kind if kind.is_lock() => {
                let address = matches!(kind, ErrorKind::AddressLocked { .. });
                Err(Ended::Locked { said: said(kind), address })
            }
            // Of all files a flood is told as this.
            ErrorKind::TooSoon { .. } if error.attempts() > 0 => Err(Ended::Locked {
                said: "that all files were asked for too soon".to_owned(),
                address: false,
            }),
            ErrorKind::Canceled => Err(Ended::Stopped),
            _ if error.is_fatal() => Err(Ended::Fatal(error)),
            _ => Ok(Err(error)),
        }
    }
}

/// Whether an error of an upload is the node's considered answer: nodes refuse by pages for people.
pub(super) fn is_refused_upload(error: &ApiError) -> bool {
    is_refusal(error) || matches!(error.kind(), ErrorKind::Html { status: 400..=428, .. })
}

/// Whether an error is the service's considered answer, and not a fault on the way.
pub(super) fn is_refusal(error: &ApiError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Refused { .. }
            | ErrorKind::NotFound { .. }
            | ErrorKind::NotAllowed { .. }
            | ErrorKind::NoFileArrived
            | ErrorKind::Status { code: 400 | 413 | 414 | 422 | 431, .. }
    )
}
