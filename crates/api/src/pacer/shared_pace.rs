//! The pace that processes of one user share: when the account was called last, and what blocks it.
//!
//! A small file of fixed form holds the moments, on the wall clock. A process that wants to call locks it, reads what
//! others did, records its call and releases it, all within some dozen microseconds; the waiting is done without the
//! lock. The lock is the system's, so that of a process that died disappears. A process that can't get it within a
//! second, because its holder was stopped, goes on alone.
//!
//! A second file is locked during a listing, since the fixed intervals count from its answer; a third one while the
//! account's state is requested, which it [holds](super::account).

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fichier_state::open_private;
use tokio::time::{Instant, sleep};

use super::account::AccountBook;
use super::budget::{FolderKey, ListedPart};
use crate::folder_id::FolderId;
use crate::observer::WaitReason;

/// Time for which the file is waited for. It is held for microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// Time between tries to get a lock: for the file, and for the current listing.
const BOOK_AGAIN: Duration = Duration::from_millis(1);
const LISTING_AGAIN: Duration = Duration::from_millis(10);

/// Longest time for which another process's listing or request is waited for: longer than a silent connection lives.
const LONGEST_LISTING: Duration = Duration::from_secs(360);

/// Time ahead of the clock from which a moment is ignored: it was written before the clock was set back.
const AHEAD: Duration = Duration::from_secs(1);

/// Number of folders listed lately that the file has room for: more than 30 seconds allow.
const FOLDERS: usize = 96;

/// Time for which a folder is kept as listed lately, whatever the writer's own interval is.
const FOLDER_KEPT: Duration = Duration::from_secs(60);

/// Length of the longest possible pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Mark of the file's format.
const MAGIC: u64 = u64::from_le_bytes(*b"fichier1");

/// Number of pauses: four lanes, and the lock of everything.
pub(super) const PAUSES: usize = 5;

/// Number of words of eight bytes: magic, four moments or flags, the pauses, the folders, and a checksum.
const WORDS: usize = 5 + PAUSES * 3 + 1 + FOLDERS * 3 + 1;

/// Contents of the file that processes share.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) called_at: Option<SystemTime>,
    pub(super) listed_at: Option<SystemTime>,
    pub(super) all_files_at: Option<SystemTime>,
    /// Whether listings keep the longer interval.
    pub(super) limited: bool,
    pub(super) pauses: [Option<SharedPause>; PAUSES],
    pub(super) folders: Vec<(FolderKey, SystemTime)>,
}

/// A pause that another process learned of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SharedPause {
    pub(super) began: SystemTime,
    pub(super) until: SystemTime,
    pub(super) level: u32,
    pub(super) why: WaitReason,
}

/// Keeps the calls of one class apart, in this process and, where a file is shared, in others.
#[derive(Debug)]
pub(super) struct SharedPace {
    book: PathBuf,
    listing: PathBuf,
    account: PathBuf,
    /// Whether the files can't be used, which is reported once.
    broken: AtomicBool,
}

/// The file while it is locked for this process.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    pub(super) moments: Moments,
}

/// A listing that is going on while this exists.
#[derive(Debug)]
pub(super) struct ListingUnderWay {
    _file: File,
}

impl SharedPace {
    /// Makes the pace in files that begin with this path.
    pub(super) fn new(path: &std::path::Path) -> Self {
        Self {
            book: path.with_extension("shared"),
            listing: path.with_extension("listing"),
            account: path.with_extension("account"),
            broken: AtomicBool::new(false),
        }
    }

    /// Locks the file; `None` when that isn't possible.
    pub(super) async fn hold(&self) -> Option<Held> {
        let file = self.lock(&self.book, BOOK_AGAIN, PATIENCE).await?;
        Some(Held::read(file, SystemTime::now()))
    }

    /// Locks the right to make a listing; `None` when that isn't possible.
    pub(super) async fn begin_listing(&self) -> Option<ListingUnderWay> {
        let file = self.lock(&self.listing, LISTING_AGAIN, LONGEST_LISTING).await?;
        Some(ListingUnderWay { _file: file })
    }

    /// Locks the account's state, with the right to ask for it; `None` when that isn't possible.
    pub(super) async fn hold_account(&self) -> Option<AccountBook> {
        let file = self.lock(&self.account, LISTING_AGAIN, LONGEST_LISTING).await?;
        Some(AccountBook::new(file))
    }

    async fn lock(&self, path: &std::path::Path, again: Duration, patience: Duration) -> Option<File> {
        if self.broken.load(Ordering::Relaxed) {
            return None;
        }
        let began = Instant::now();
        // It is opened each time, so that tasks of one process exclude each other, too.
        let tried = open_private(path).and_then(|file| try_lock(file, path));
        let mut file = match tried {
            Ok(Ok(file)) => return Some(file),
            Ok(Err(file)) => file,
            Err(error) => return self.give_up(path, &error),
        };
        while began.elapsed() < patience {
            sleep(again).await;
            file = match try_lock(file, path) {
                Ok(Ok(file)) => return Some(file),
                Ok(Err(file)) => file,
                Err(error) => return self.give_up(path, &error),
            };
        }
        tracing::debug!(file = %path.display(), "another process doesn't let go of the account's shared");
        None
    }

    fn give_up(&self, path: &std::path::Path, error: &std::io::Error) -> Option<File> {
        self.broken.store(true, Ordering::Relaxed);
        tracing::debug!(file = %path.display(), "calls aren't spaced with other processes: {error}");
        None
    }
}

/// Tries to lock; returns the file inside `Err` when another process has the lock.
pub(super) fn try_lock(file: File, path: &std::path::Path) -> std::io::Result<Result<File, File>> {
    match file.try_lock() {
        Ok(()) => Ok(Ok(file)),
        // Someone may have cleaned the directory up, and other processes started again.
        Err(TryLockError::WouldBlock) if !path.exists() => open_private(path).map(Err),
        Err(TryLockError::WouldBlock) => Ok(Err(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl Held {
    fn read(mut file: File, wall: SystemTime) -> Self {
        let mut bytes = Vec::with_capacity(WORDS * 8);
        let moments = match (&mut file).take(WORDS as u64 * 8 + 1).read_to_end(&mut bytes) {
            Ok(_) => Moments::from_bytes(&bytes, wall).unwrap_or_default(),
            Err(_) => Moments::default(),
        };
        Self { file, moments }
    }

    /// Writes the present state, and releases the file.
    pub(super) fn put(mut self, moments: &Moments) {
        let written =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&moments.to_bytes()));
        if let Err(error) = written {
            tracing::debug!("can't book a call for other processes: {error}");
        }
    }
}

impl Moments {
    fn to_bytes(&self) -> Vec<u8> {
        let mut words = Vec::with_capacity(WORDS);
        words.push(MAGIC);
        words.extend([self.called_at, self.listed_at, self.all_files_at].map(|at| at.map_or(0, micros)));
        words.push(u64::from(self.limited));
        for pause in &self.pauses {
            words.extend(pause.map_or([0; 3], |pause| {
                [
                    micros(pause.began),
                    micros(pause.until),
                    u64::from(pause.level) << 8 | reason_number(pause.why),
                ]
            }));
        }
        // The youngest are kept, if there are too many.
        let mut folders = self.folders.clone();
        folders.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        folders.truncate(FOLDERS);
        words.push(folders.len() as u64);
        for ((folder, part), at) in &folders {
            words.extend([folder.0, u64::from(*part == ListedPart::Files), micros(*at)]);
        }
        words.resize(WORDS - 1, 0);
        words.push(checksum(&words));
        words.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    /// Reads the file's contents; `None` for a file that isn't whole.
    fn from_bytes(bytes: &[u8], wall: SystemTime) -> Option<Self> {
        if bytes.len() != WORDS * 8 {
            return None;
        }
        let words: Vec<u64> =
            bytes.chunks_exact(8).map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes)).collect();
        let (sum, words) = words.split_last()?;
        if words.first() != Some(&MAGIC) || *sum != checksum(words) {
            return None;
        }
        let believable = |micros: u64| {
            let at = UNIX_EPOCH + Duration::from_micros(micros);
            (micros > 0 && at <= wall + AHEAD).then_some(at)
        };
        let mut words = words.iter().copied().skip(1);
        let called_at = believable(words.next()?);
        let listed_at = believable(words.next()?);
        let all_files_at = believable(words.next()?);
        let limited = words.next()? == 1;
        let mut pauses = [None; PAUSES];
        for pause in &mut pauses {
            let (began, until, rest) = (words.next()?, words.next()?, words.next()?);
            *pause = believable(began).and_then(|began| {
                let until = UNIX_EPOCH + Duration::from_micros(until);
                let why = reason(rest & 0xff)?;
                let level = u32::try_from(rest >> 8).ok()?;
                let length = until.duration_since(began).ok()?;
                (until > wall && length <= LONGEST_PAUSE).then_some(SharedPause { began, until, level, why })
            });
        }
        let count = usize::try_from(words.next()?).ok().filter(|count| *count <= FOLDERS)?;
        let mut folders = Vec::with_capacity(count);
        for _ in 0..count {
            let (folder, files, at) = (words.next()?, words.next()?, words.next()?);
            let part = if files == 1 { ListedPart::Files } else { ListedPart::Folders };
            let young = |at: &SystemTime| wall.duration_since(*at).is_ok_and(|age| age <= FOLDER_KEPT);
            folders.extend(believable(at).filter(young).map(|at| ((FolderId(folder), part), at)));
        }
        Some(Self { called_at, listed_at, all_files_at, limited, pauses, folders })
    }
}

fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Reasons of the pauses, by number.
const REASONS: [WaitReason; 4] =
    [WaitReason::Flood, WaitReason::AddressLock, WaitReason::Locations, WaitReason::RetryAfter];

fn reason_number(why: WaitReason) -> u64 {
    REASONS.iter().position(|reason| *reason == why).unwrap_or_default() as u64
}

fn reason(number: u64) -> Option<WaitReason> {
    REASONS.get(usize::try_from(number).ok()?).copied()
}

/// Computes FNV-1a, word by word: against files that aren't whole, not against malice.
fn checksum(words: &[u64]) -> u64 {
    words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ word).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moments(wall: SystemTime) -> Moments {
        let ago = |millis| wall - Duration::from_millis(millis);
        let pause = SharedPause {
            began: ago(1000),
            until: wall + Duration::from_secs(29),
            level: 2,
            why: WaitReason::Flood,
        };
        Moments {
            called_at: Some(ago(100)),
            listed_at: Some(ago(200)),
            all_files_at: None,
            limited: true,
            pauses: [None, Some(pause), None, None, None],
            folders: vec![
                ((FolderId(7), ListedPart::Files), ago(5)),
                ((FolderId(8), ListedPart::Folders), ago(9)),
            ],
        }
    }

    fn wall() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = moments(wall()).to_bytes();
        assert_eq!(bytes.len(), WORDS * 8);
        assert_eq!(Moments::from_bytes(&bytes, wall()), Some(moments(wall())));
    }

    #[test]
    fn moments_to_come_are_of_a_clock_that_was_set_back_and_count_for_nothing() {
        let bytes = moments(wall()).to_bytes();
        let before = Moments::from_bytes(&bytes, wall() - Duration::from_secs(3600)).unwrap();
        assert_eq!(before, Moments { limited: true, ..Moments::default() });
        let long_after = Moments::from_bytes(&bytes, wall() + Duration::from_secs(3600)).unwrap();
        assert!(long_after.pauses.iter().all(Option::is_none) && long_after.folders.is_empty());
    }

    proptest! {
        #[test]
        fn a_file_that_is_not_whole_counts_for_nothing(at in 0..WORDS * 8, bit in 0..8u32, cut in 0..WORDS * 8) {
            let mut bytes = moments(wall()).to_bytes();
            prop_assert_eq!(Moments::from_bytes(&bytes[..cut], wall()), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Moments::from_bytes(&bytes, wall()), None);
        }
    }

    #[tokio::test]
    async fn the_book_is_one_process_s_at_a_time_and_a_dead_one_s_lock_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let shared = SharedPace::new(&directory.path().join("new").join("account"));
        let held = shared.hold().await.unwrap();
        assert_eq!(held.moments, Moments::default());
        let began = Instant::now();
        assert!(shared.hold().await.is_none(), "somebody has it");
        assert!(began.elapsed() < Duration::from_secs(5));
        held.put(&moments(SystemTime::now()));
        let held = shared.hold().await.unwrap();
        assert!(held.moments.limited);
        // This is as when a process dies.
        drop(held);
        assert!(shared.hold().await.is_some());
        std::fs::write(&shared.book, b"torn").unwrap();
        assert_eq!(shared.hold().await.unwrap().moments, Moments::default());
    }

    // The clock is paused, so it moves only if a booking waits for it.
    #[tokio::test(start_paused = true)]
    async fn a_booking_that_nobody_disputes_waits_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let shared = SharedPace::new(&directory.path().join("account"));
        let began = Instant::now();
        for _ in 0..1000 {
            shared.hold().await.unwrap().put(&moments(SystemTime::now()));
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_used_is_done_without() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), b"").unwrap();
        let shared = SharedPace::new(&directory.path().join("file").join("account"));
        assert!(shared.hold().await.is_none());
        assert!(shared.begin_listing().await.is_none());
        assert!(shared.hold_account().await.is_none());
    }
}
