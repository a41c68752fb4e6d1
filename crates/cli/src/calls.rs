//! Reports what remotes on the network do to the log and the progress display.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fichier_api::{CallInfo, CallOutcome, ErrorKind, Event, FailedTry, Observer, WaitReason};

/// Shortest wait that is reported.
const NOTABLE: Duration = Duration::from_secs(1);

/// Observes the calls of a run.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    sent: AtomicU64,
    wait: Mutex<Option<Wait>>,
    /// Whether it was reported that downloads wait for others to end.
    told_of_connections: AtomicBool,
}

/// A long wait that is still going on, as far as is known.
#[derive(Debug, Clone)]
struct Wait {
    why: WaitReason,
    end: Instant,
    /// What is waited for, in words.
    words: String,
}

impl Calls {
    /// Returns what is being waited for and for how long, in words for the progress display.
    pub(crate) fn waiting(&self) -> Option<String> {
        let wait = self.wait();
        let Wait { end, words, .. } = wait.as_ref()?;
        let left = end.checked_duration_since(Instant::now())?;
        Some(format!("{words}, {}", seconds(left)))
    }

    /// Returns how many calls were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn wait(&self) -> MutexGuard<'_, Option<Wait>> {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a wait and returns whether it is new. Calls that wait side by side wait for the same thing.
    fn remember(&self, why: WaitReason, words: &str, length: Duration) -> bool {
        let Some(end) = Instant::now().checked_add(length) else { return true };
        let mut current = self.wait();
        let known = current.as_ref().is_some_and(|wait| wait.why == why && end < wait.end + NOTABLE);
        if !known {
            *current = Some(Wait { why, end, words: words.to_owned() });
        }
        !known
    }

    fn waits(&self, call: CallInfo, why: WaitReason, wait: Duration, after: Option<FailedTry<'_>>) {
        let endpoint = call.endpoint.path();
        let words = in_words(why, endpoint, after);
        if let (WaitReason::BackOff, Some(FailedTry { number, of, .. })) = (why, after) {
            // The first failure is reported however short the wait is, so that the reason is known.
            let first = number <= 1;
            let told = (first || wait >= NOTABLE) && self.remember(why, &words, wait.max(NOTABLE));
            let next = format!("{words}; try {} of {of} in {}", number.saturating_add(1), shortly(wait));
            if told {
                tracing::warn!("{next}");
            } else {
                tracing::debug!(class = ?call.class, reason = call.reason, "{next}");
            }
            return;
        }
        if why == WaitReason::Connections {
            // It isn't known how long the other downloads take, and each that waits would say the same.
            if self.told_of_connections.swap(true, Ordering::Relaxed) {
                tracing::debug!(endpoint, class = ?call.class, reason = call.reason, "{words}");
            } else {
                tracing::warn!("{words}: the others wait until one has ended");
            }
            return;
        }
        let notable = wait >= NOTABLE && self.remember(why, &words, wait);
        if notable && !is_routine(why) {
            tracing::warn!("{words}: waiting {}", seconds(wait));
        } else {
            tracing::debug!(endpoint, class = ?call.class, reason = call.reason, "{words}: waiting {wait:.1?}");
        }
    }
}

impl Observer for Calls {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Waiting { call, why, wait, after } => self.waits(*call, *why, *wait, *after),
            Event::Sent { call, attempt, waited } => {
                let count = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
                let CallInfo { endpoint, class, reason, .. } = *call;
                tracing::debug!(?class, reason, attempt, waited = ?waited, "call {count}: {}", endpoint.path());
            }
            Event::Answered { call, attempt, took, outcome } => {
                let endpoint = call.endpoint.path();
                match outcome {
                    CallOutcome::Done => tracing::debug!(attempt, ?took, "{endpoint}: done"),
                    CallOutcome::WillRetry(error) => {
                        tracing::debug!(attempt, ?took, "{endpoint}: {error}; trying again");
                    }
                    CallOutcome::Failed(error) => tracing::debug!(attempt, ?took, "{endpoint}: {error}"),
                }
            }
            Event::WaitBudget { spent, most } => {
                let (spent, most) = (seconds(*spent), seconds(*most));
                tracing::warn!(
                    "After the next wait this run will have waited {spent} of the {most} that --max-wait allows"
                );
            }
            Event::ListingGapLearned { gap } => {
                tracing::info!("1Fichier asks for slower listings: from now on one every {}", seconds(*gap));
            }
            _ => {}
        }
    }
}

/// Checks whether a wait belongs to every longer run and needs no notice of its own.
fn is_routine(why: WaitReason) -> bool {
    matches!(
        why,
        WaitReason::Pace | WaitReason::ListingPace | WaitReason::UploadReport | WaitReason::DoubtfulReport
    )
}

/// Returns what is waited for, with the error that came before and how many tries are left.
fn in_words(why: WaitReason, endpoint: &str, after: Option<FailedTry<'_>>) -> String {
    match (why, after) {
        (WaitReason::BackOff, Some(FailedTry { error, .. })) => format!("{endpoint}: {}", in_full(error)),
        (_, Some(FailedTry { error, .. })) => format!("{} ({endpoint}: {})", reason(why), in_full(error)),
        (_, None) => reason(why).to_owned(),
    }
}

/// Returns an error with its innermost cause, such as a refused connection.
fn in_full(error: &ErrorKind) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (words, bottom) = (error.to_string(), innermost.to_string());
    if words.contains(&bottom) { words } else { format!("{words}: {bottom}") }
}

/// Formats a wait: below a second in milliseconds, others in whole seconds.
fn shortly(time: Duration) -> String {
    if time < NOTABLE { format!("{}ms", time.as_millis()) } else { seconds(time) }
}

fn reason(why: WaitReason) -> &'static str {
    match why {
        WaitReason::Pace => "1Fichier takes one call at a time",
        WaitReason::ListingPace => "1Fichier takes one listing at a time",
        WaitReason::SameFolder => "1Fichier lists the same folder only once in a while",
        WaitReason::Flood => "1Fichier asks to slow down",
        WaitReason::AddressLock => "1Fichier has locked this computer's address for a while",
        WaitReason::Locations => "1Fichier sees downloads from another address",
        WaitReason::Connections => "1Fichier allows no more downloads at once",
        WaitReason::RetryAfter => "1Fichier asks to come back later",
        WaitReason::BackOff => "Trying again after an error",
        WaitReason::UploadReport => "1Fichier is taking in what was uploaded",
        WaitReason::DoubtfulReport => "1Fichier may have taken in what was uploaded, or not",
        WaitReason::LateReport => "1Fichier gives no report yet of what was uploaded",
        _ => "1Fichier asks to wait",
    }
}

/// Formats a time in whole seconds, rounded up.
fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_news_once() {
        let calls = Calls::default();
        assert_eq!(calls.waiting(), None);
        let remember = |why, length| calls.remember(why, reason(why), Duration::from_secs(length));
        assert!(remember(WaitReason::Flood, 30));
        assert!(!remember(WaitReason::Flood, 29));
        assert_eq!(calls.waiting().as_deref(), Some("1Fichier asks to slow down, 30s"));
        assert!(remember(WaitReason::AddressLock, 60));
    }

    #[test]
    fn a_wait_after_an_error_says_which() {
        let error = fichier_api::ErrorKind::Status { code: 502, retry_after: None };
        let after = FailedTry { error: &error, number: 2, of: 10 };
        let words = in_words(WaitReason::BackOff, "folder/ls.cgi", Some(after));
        assert!(words.starts_with("folder/ls.cgi: ") && words.contains("502"), "{words}");
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error = ErrorKind::Connect(refused.into());
        let after = FailedTry { error: &error, number: 1, of: 5 };
        let words = in_words(WaitReason::BackOff, "folder/ls.cgi", Some(after));
        assert_eq!(words, "folder/ls.cgi: can't connect: connection refused");
        assert_eq!([250, 1200].map(|time| shortly(Duration::from_millis(time))), ["250ms", "2s"]);
    }
}
