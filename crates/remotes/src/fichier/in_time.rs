//! Checks whether an upload can arrive in the time that the service gives it (API document, section 2).
//!
//! A file that can't even at the best rate is reported before its first byte is sent. The best rate is what the user
//! allows, or the best that was seen in this run.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use fichier_storage::{Blame, RemotePath, Retry, StorageError};

/// Smallest upload in bytes that shows how fast the line is: a smaller one may have waited for answers most of the
/// time.
const LEAST_BYTES: u64 = 8 << 20;

/// Time limit of uploads, and how fast they are.
#[derive(Debug)]
pub(super) struct UploadTime {
    limit: Duration,
    /// Limit in bytes per second that the user set.
    allowed: Option<u64>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Number of uploads in progress.
    under_way: u32,
    /// Best rate of all uploads together, in bytes per second.
    best: Option<u64>,
}

/// An upload in progress.
#[derive(Debug)]
pub(super) struct UnderWay<'a> {
    time: &'a UploadTime,
    bytes: u64,
    began: Instant,
    /// Number of uploads in progress when it began.
    beside: u32,
}

impl UploadTime {
    pub(super) fn new(limit: Duration, allowed: Option<u64>) -> Self {
        Self { limit, allowed, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Plain numbers, which are sound at any time.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the best rate to be expected, if anything is known about it.
    fn rate(&self) -> Option<u64> {
        let seen = self.seen().best;
        // The user's limit may have been raised since the best rate was seen, but the line is hardly faster.
        self.allowed.into_iter().chain(seen).min()
    }

    fn arrives_at(&self, rate: u64) -> u64 {
        u64::try_from(u128::from(rate) * self.limit.as_millis() / 1000).unwrap_or(u64::MAX)
    }

    /// Returns how many bytes can arrive in one upload at best.
    pub(super) fn most_bytes(&self) -> u64 {
        self.rate().map_or(u64::MAX, |rate| self.arrives_at(rate))
    }

    /// Refuses a file that can't arrive in time.
    pub(super) fn check(&self, path: &RemotePath, size: u64) -> Result<(), StorageError> {
        let Some(rate) = self.rate().filter(|rate| self.arrives_at(*rate) < size) else { return Ok(()) };
        let needed = u128::from(size) * 1000 / u128::from(rate.max(1));
        let needed = Duration::from_millis(u64::try_from(needed).unwrap_or(u64::MAX));
        let (size, limit, most) = (bytes(size), time(self.limit), bytes(self.arrives_at(rate)));
        let helps = match self.allowed == Some(rate) {
            true => "a higher --bwlimit or --bwlimit-file helps",
            false => "a faster line helps",
        };
        let what = format!(
            "{size} take {} at {}/s, and the service ends an upload after {limit}",
            time(needed),
            bytes(rate)
        );
        Err(StorageError::Service {
            action: format!("upload {path:?}"),
            retry: Retry::Useless,
            blame: Blame::User,
            hint: Some(format!("{helps}, or sending it in parts of less than {most}")),
            source: what.into(),
        })
    }

    /// Records that an upload begins.
    pub(super) fn begin(&self, bytes: u64) -> UnderWay<'_> {
        let mut seen = self.seen();
        seen.under_way += 1;
        UnderWay { time: self, bytes, began: Instant::now(), beside: seen.under_way }
    }
}

impl UnderWay<'_> {
    /// Records that all of it has arrived.
    pub(super) fn arrived(self) {
        self.took(self.began.elapsed());
    }

    fn took(&self, took: Duration) {
        if self.bytes < LEAST_BYTES {
            return;
        }
        let mut seen = self.time.seen();
        // Uploads at the same time took their parts of the line; a file that goes alone has all of it.
        let beside = self.beside.max(seen.under_way);
        let rate = u128::from(self.bytes) * u128::from(beside) * 1000 / took.as_millis().max(1);
        seen.best = seen.best.max(u64::try_from(rate).ok());
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut seen = self.time.seen();
        seen.under_way = seen.under_way.saturating_sub(1);
    }
}

/// Formats a number of bytes for people.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["kB", "MB", "GB"];
    let mut value = bytes;
    let mut unit = "B";
    let mut tenth = None;
    for next in UNITS {
        if value < 1000 {
            break;
        }
        (value, tenth, unit) = (value / 1000, Some(value % 1000 / 100), next);
    }
    tenth.map_or_else(|| format!("{value} {unit}"), |tenth| format!("{value}.{tenth} {unit}"))
}

/// Formats a time for people.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOURS: Duration = Duration::from_secs(4 * 3600);

    fn refusal(time: &UploadTime, size: u64) -> Option<String> {
        let error = time.check(&RemotePath::parse("a/big").unwrap(), size).err()?;
        assert_eq!((error.retry(), error.blame()), (Retry::Useless, Blame::User));
        Some(error.to_string())
    }

    #[test]
    fn what_is_allowed_says_what_arrives_in_time() {
        let time = UploadTime::new(HOURS, Some(10_000_000));
        assert_eq!(time.most_bytes(), 144_000_000_000);
        assert_eq!(refusal(&time, 144_000_000_000), None);
        let said = refusal(&time, 180_000_000_000).unwrap();
        for part in ["a/big", "180.0 GB take 5 h at 10.0 MB/s", "after 4 h"] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn without_a_rate_everything_is_tried() {
        let time = UploadTime::new(HOURS, None);
        assert_eq!((time.most_bytes(), refusal(&time, u64::MAX)), (u64::MAX, None));
        // A small upload shows nothing.
        time.begin(1000).took(Duration::from_secs(1000));
        assert_eq!(time.most_bytes(), u64::MAX);
    }

    #[test]
    fn the_best_rate_of_all_uploads_together_counts() {
        let time = UploadTime::new(HOURS, None);
        let (one, two) = (time.begin(100_000_000), time.begin(100_000_000));
        one.took(Duration::from_secs(100));
        drop(one);
        two.took(Duration::from_secs(1000));
        drop(two);
        // Two uploads at 1 MB/s each.
        assert_eq!(time.most_bytes(), 28_800_000_000);
        assert!(refusal(&time, 28_800_000_001).is_some());
        assert_eq!(time.seen().under_way, 0);
        let limited = UploadTime::new(HOURS, Some(1000));
        limited.begin(LEAST_BYTES).took(Duration::from_secs(1));
        assert_eq!(limited.most_bytes(), 14_400_000);
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        let said = [0, 999, 1000, 14_499_999, 300_000_000_000].map(bytes);
        assert_eq!(said, ["0 B", "999 B", "1.0 kB", "14.4 MB", "300.0 GB"]);
        let said = [14_400, 1440, 61, 18_060].map(|seconds| time(Duration::from_secs(seconds)));
        assert_eq!(said, ["4 h", "24 min", "1 min", "5 h 1 min"]);
        assert_eq!(time(Duration::from_millis(1440)), "1.4 s");
    }
}
