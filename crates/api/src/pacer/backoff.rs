//! Decides how often and after how long a failed call is sent again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::error::ErrorKind;

/// Number of tries of a call, and the waits between them.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Repetitions of a call after errors that may pass: 5xx, HTML, cut connections. rclone's
    /// `--low-level-retries`, 10.
    pub low_level_retries: u32,
    /// Repetitions after flood answers and 429, each after its pause. 10, about half an hour.
    pub flood_retries: u32,
    /// Repetitions after `IP Locked`, each after its pause. 2, a quarter of an hour.
    pub lock_retries: u32,
    /// Repetitions after `Only N locations allowed`, each after its pause. 1.
    pub location_retries: u32,
    /// Time since a call was first sent after which it isn't repeated any more; 1 h. Waiting for the first turn doesn't
    /// count.
    pub deadline: Option<Duration>,
    /// Wait before the first repetition; it doubles from one to the next. 400 ms.
    pub backoff: Duration,
    /// Upper limit of this wait, 30 s.
    pub backoff_max: Duration,
    /// Upper limit of this wait where nothing came back, as after a cut connection, 5 s: then the service can't object.
    pub network_backoff_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            low_level_retries: 10,
            flood_retries: 10,
            lock_retries: 2,
            location_retries: 1,
            deadline: Some(Duration::from_secs(3600)),
            backoff: Duration::from_millis(400),
            backoff_max: Duration::from_secs(30),
            network_backoff_max: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Returns the policy that never repeats anything.
    pub fn none() -> Self {
        Self {
            low_level_retries: 0,
            flood_retries: 0,
            lock_retries: 0,
            location_retries: 0,
            ..Self::default()
        }
    }

    /// Returns the wait before repetition `number` (from 0): doubled each time, then spread between half and all of it
    /// by `spread` (0 to 1), so that programs that failed together don't come back together.
    pub(super) fn delay(&self, number: u32, after: &ErrorKind, spread: f64) -> Duration {
        let unanswered = matches!(
            after,
            ErrorKind::Connect(_)
                | ErrorKind::Network(_)
                | ErrorKind::Timeout { .. }
                | ErrorKind::Truncated { .. }
        );
        let most = if unanswered { self.network_backoff_max } else { self.backoff_max };
        doubled(self.backoff, number, most).mul_f64(0.5 + 0.5 * spread.clamp(0.0, 1.0))
    }
}

/// Returns `first`, doubled `times` times, at most `max`.
pub(super) fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(max)
}

/// Longest wait that is taken from a server.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// Reads `Retry-After`: seconds or an HTTP date. A time more than a day away is ignored.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let moment = httpdate::parse_http_date(text).ok()?;
            moment.duration_since(now).unwrap_or(Duration::ZERO)
        }
    };
    (wait <= LONGEST_RETRY_AFTER).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_their_bound() {
        let policy = RetryPolicy::default();
        let busy = ErrorKind::Status { code: 502, retry_after: None };
        let delays: Vec<u128> = (0..9).map(|number| policy.delay(number, &busy, 1.0).as_millis()).collect();
        assert_eq!(delays, [400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(policy.delay(0, &busy, 0.0), Duration::from_millis(200));
        assert_eq!(policy.delay(u32::MAX, &busy, 1.0), Duration::from_secs(30));
        let cut = ErrorKind::Network("reset".into());
        assert_eq!(policy.delay(u32::MAX, &cut, 1.0), Duration::from_secs(5));
        let all: Duration = (0..10).map(|number| policy.delay(number, &cut, 1.0)).sum();
        assert!(all < Duration::from_secs(37), "{all:?}");
    }

    #[test]
    fn retry_after_comes_as_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("86400"), Some(Duration::from_secs(86_400)));
        for odd in [
            "soon",
            "86401",
            "9223372036854775807",
            "18446744073709551616",
            "-1",
            "1e9",
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
