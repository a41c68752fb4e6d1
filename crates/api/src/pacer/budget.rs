//! The service's limits as budget classes, and the ledger of calls. No waiting happens here.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::backoff::doubled;
use crate::folder_id::FolderId;
use crate::observer::WaitReason;
use crate::wire::account::UserInfo;

/// Budget that a call takes from (API document, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallClass {
    /// A call without a limit of its own.
    Plain,
    /// Lists one folder.
    Listing,
    /// Lists all files of the account.
    AllFiles,
    /// Asks for the account's state.
    AccountInfo,
    /// Asks for a download token.
    Token,
    /// Goes to a node: uploads, downloads, reports. Such a call isn't paced, but it waits until floods are over, as
    /// others do.
    Node,
}

/// Intervals that the client keeps. `Duration::ZERO` switches one off.
///
/// The defaults are the safe assumptions of the API document, section 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// Interval between any two calls: 400 ms.
    pub any: Duration,
    /// Interval between any two listings, until the service objects: 3 s, as is documented.
    pub listing: Duration,
    /// Interval between any two listings, once the service has objected: 3 s.
    pub listing_after_flood: Duration,
    /// Interval between two listings of the same folder: 30 s.
    pub same_folder: Duration,
    /// Interval between two listings of the whole account; sooner, the call fails: 1 h.
    pub all_files: Duration,
    /// Time for which the account's state is remembered: 5 min.
    pub account_info: Duration,
    /// Pause of a class after its first flood answer, doubling from one to the next: 30 s.
    pub flood_pause: Duration,
    /// Longest such pause: 5 min.
    pub flood_pause_max: Duration,
    /// Pause of everything after `IP Locked`, doubling from one to the next: 5 min.
    pub lock_pause: Duration,
    /// Longest such pause: 30 min.
    pub lock_pause_max: Duration,
    /// Pause of downloads after `Only N locations allowed`: 5 min.
    pub locations_pause: Duration,
    /// Intervals of requests for an upload's report.
    pub report: ReportPacing,
}

/// Intervals of requests for an upload's report, and their total time (API document, section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPacing {
    /// First interval: 3 s.
    pub quick: Duration,
    /// Time for which it is used: 30 s.
    pub quick_for: Duration,
    /// Later interval: 30 s.
    pub slow: Duration,
    /// Time after which to give up: 5 min.
    pub give_up: Duration,
    /// Shortest total time where the node's answer named no report, so that there may be none: 12 s.
    pub vague_for: Duration,
}

impl Default for ReportPacing {
    fn default() -> Self {
        Self {
            quick: Duration::from_secs(3),
            quick_for: Duration::from_secs(30),
            slow: Duration::from_secs(30),
            give_up: Duration::from_secs(300),
            vague_for: Duration::from_secs(12),
        }
    }
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            any: Duration::from_millis(400),
            listing: Duration::from_secs(3),
            listing_after_flood: Duration::from_secs(3),
            same_folder: Duration::from_secs(30),
            all_files: Duration::from_secs(3600),
            account_info: Duration::from_secs(300),
            flood_pause: Duration::from_secs(30),
            flood_pause_max: Duration::from_secs(300),
            lock_pause: Duration::from_secs(300),
            lock_pause_max: Duration::from_secs(1800),
            locations_pause: Duration::from_secs(300),
            report: ReportPacing::default(),
        }
    }
}

impl Pacing {
    /// Returns the defaults with every interval divided by `divisor`: for a service that runs faster, as an emulator
    /// does. 0 counts as 1.
    #[must_use]
    pub fn scaled(divisor: u32) -> Self {
        Self::default().divided_by(divisor)
    }

    /// Returns these intervals, each divided by `divisor`; 0 counts as 1.
    #[must_use]
    pub fn divided_by(&self, divisor: u32) -> Self {
        let part = |whole: Duration| whole / divisor.max(1);
        let whole = self;
        Self {
            any: part(whole.any),
            listing: part(whole.listing),
            listing_after_flood: part(whole.listing_after_flood),
            same_folder: part(whole.same_folder),
            all_files: part(whole.all_files),
            account_info: part(whole.account_info),
            flood_pause: part(whole.flood_pause),
            flood_pause_max: part(whole.flood_pause_max),
            lock_pause: part(whole.lock_pause),
            lock_pause_max: part(whole.lock_pause_max),
            locations_pause: part(whole.locations_pause),
            report: ReportPacing {
                quick: part(whole.report.quick),
                quick_for: part(whole.report.quick_for),
                slow: part(whole.report.slow),
                give_up: part(whole.report.give_up),
                vague_for: part(whole.report.vague_for),
            },
        }
    }

    /// Returns no limits at all, for a service that has none. Reports are requested every 50 ms, for 10 s.
    #[must_use]
    pub fn off() -> Self {
        Self {
            any: Duration::ZERO,
            listing: Duration::ZERO,
            listing_after_flood: Duration::ZERO,
            same_folder: Duration::ZERO,
            all_files: Duration::ZERO,
            account_info: Duration::ZERO,
            flood_pause: Duration::ZERO,
            flood_pause_max: Duration::ZERO,
            lock_pause: Duration::ZERO,
            lock_pause_max: Duration::ZERO,
            locations_pause: Duration::ZERO,
            report: ReportPacing {
                quick: Duration::from_millis(50),
                quick_for: Duration::from_secs(10),
                slow: Duration::from_millis(50),
                give_up: Duration::from_secs(10),
                vague_for: Duration::from_millis(200),
            },
        }
    }
}

/// Knowledge about an account, to be remembered between runs and shared between processes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// Whether a listing got a flood answer: listings keep the longer interval.
    pub listings_are_limited: bool,
    /// Time when all files of the account were last listed.
    pub all_files_listed_at: Option<SystemTime>,
    /// The account's state when it was last requested.
    pub account: Option<AccountSnapshot>,
    /// Time when the last call of any kind was sent.
    pub called_at: Option<SystemTime>,
    /// Time when the last listing was sent.
    pub listed_at: Option<SystemTime>,
    /// Whether the service said last that it enforces no limits, as an emulator may.
    pub no_limits: bool,
    /// Folders listed lately, which the service wouldn't list again yet.
    pub folders: Vec<ListedFolder>,
}

/// A folder listed lately.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ListedFolder {
    /// Number of the folder.
    pub folder: FolderId,
    /// Part of the folder that was listed.
    pub part: ListedPart,
    /// Time of the listing.
    pub at: SystemTime,
}

/// The account's state at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountSnapshot {
    /// Time of the service's answer.
    pub at: SystemTime,
    /// State in the answer.
    pub info: UserInfo,
}

/// A pause of a class, and the length of the next one.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pause {
    pub(super) began: Option<Instant>,
    pub(super) until: Option<Instant>,
    pub(super) level: u32,
    pub(super) why: Option<WaitReason>,
}

impl Pause {
    /// Starts or extends a pause because of an answer to a request sent at `sent`. Answers to requests sent before the
    /// pause began are no news.
    fn begin(&mut self, sent: Instant, now: Instant, first: Duration, max: Duration, why: WaitReason) {
        if self.began.is_some_and(|began| sent < began) {
            return;
        }
        *self = Self {
            began: Some(now),
            until: Some(now + doubled(first, self.level, max)),
            level: self.level.saturating_add(1),
            why: Some(why),
        };
    }

    pub(super) fn due(&self, now: Instant) -> Option<(Instant, WaitReason)> {
        self.until.filter(|until| *until > now).zip(self.why)
    }

    /// Records that a request sent after the pause succeeded: the next pause is a first one again.
    fn passed(&mut self, sent: Instant) {
        if self.until.is_some_and(|until| sent >= until) {
            *self = Self::default();
        }
    }
}

/// What a listing of a folder contains. A listing of the files and one of the sub-folders alone don't disturb each
/// other, as rclone shows every day; whether the files are listed by `folder/ls` or by `file/ls` is the same to the
/// service, as far as is known (API document, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedPart {
    /// Only the sub-folders.
    Folders,
    /// The files, with or without the sub-folders.
    Files,
}

/// Folder, and part of it that is listed.
pub(crate) type FolderKey = (FolderId, ListedPart);

/// Ledger of when calls were sent, and how the service answered.
pub(super) struct Ledger {
    pub(super) pacing: Pacing,
    pub(super) next_any: Option<Instant>,
    pub(super) next_listing: Option<Instant>,
    pub(super) called_at: Option<SystemTime>,
    pub(super) listed_at: Option<SystemTime>,
    pub(super) limited: bool,
    pub(super) pauses: [Pause; 4],
    /// Pause of calls to nodes, which have no lane.
    node_pause: Pause,
    pub(super) lock: Pause,
    pub(super) folders: HashMap<FolderKey, Instant>,
    folders_sifted: Option<Instant>,
    /// Folders claimed for listings that weren't sent yet, which other processes needn't know.
    claimed: HashMap<FolderKey, Instant>,
    /// Set while all files are claimed and the call wasn't sent yet: the time when they were listed before.
    all_files_before: Option<Option<SystemTime>>,
    /// Folders released, which other processes don't know yet.
    pub(super) released: Vec<FolderKey>,
    pub(super) next_all_files: Option<Instant>,
    pub(super) all_files_at: Option<SystemTime>,
    account: Option<AccountSnapshot>,
    account_stale_at: Option<Instant>,
    /// Whether the service said last that it enforces no limits.
    no_limits: bool,
    /// Intervals to keep while it enforces limits, and while it doesn't; `None`: the same.
    choice: Option<[Pacing; 2]>,
}

/// Returns the lane of a class: its calls share a queue and a pause.
pub(super) fn lane(class: CallClass) -> Option<usize> {
    match class {
        CallClass::Plain => Some(0),
        CallClass::Listing | CallClass::AllFiles => Some(1),
        CallClass::AccountInfo => Some(2),
        CallClass::Token => Some(3),
        CallClass::Node => None,
    }
}

impl Ledger {
    pub(super) fn new(pacing: Pacing, learned: Learned, now: Instant, wall: SystemTime) -> Self {
        // A clock that was set back must not block anything for longer than its interval.
        let rest = |at: SystemTime, interval: Duration| {
            interval.saturating_sub(wall.duration_since(at).unwrap_or(Duration::ZERO))
        };
        let next_all_files = learned.all_files_listed_at.map(|at| now + rest(at, pacing.all_files));
        let account_stale_at =
            learned.account.as_ref().map(|saved| now + rest(saved.at, pacing.account_info));
        let due = |at: Option<SystemTime>, interval| at.map(|at| now + rest(at, interval));
        let listing_gap = if learned.listings_are_limited {
            pacing.listing.max(pacing.listing_after_flood)
        } else {
            pacing.listing
        };
        // Kept as the time when the folder may be listed again, less the interval: a moment in this run's time, which
        // may be before it began.
        let folders = learned
            .folders
            .iter()
            .filter_map(|listed| {
                let left = rest(listed.at, pacing.same_folder);
                let at = (now + left).checked_sub(pacing.same_folder)?;
                (!left.is_zero()).then_some(((listed.folder, listed.part), at))
            })
            .collect();
        Self {
            next_any: due(learned.called_at, pacing.any),
            next_listing: due(learned.listed_at, listing_gap),
            called_at: learned.called_at,
            listed_at: learned.listed_at,
            pacing,
            limited: learned.listings_are_limited,
            pauses: [Pause::default(); 4],
            node_pause: Pause::default(),
            lock: Pause::default(),
            folders,
            folders_sifted: None,
            claimed: HashMap::new(),
            all_files_before: None,
            released: Vec::new(),
            next_all_files,
            all_files_at: learned.all_files_listed_at,
            account: learned.account,
            account_stale_at,
            no_limits: learned.no_limits,
            choice: None,
        }
    }

    /// Sets the intervals for when the service says that it enforces no limits.
    pub(super) fn without_limits(&mut self, pacing: Pacing) {
        self.choice = Some([self.pacing.clone(), pacing]);
        self.heard_of_limits(self.no_limits);
    }

    /// Applies what an answer says of limits.
    pub(super) fn heard_of_limits(&mut self, none: bool) {
        self.no_limits = none;
        if let Some([limited, unlimited]) = &self.choice {
            let chosen = if none { unlimited } else { limited };
            if self.pacing != *chosen {
                self.pacing = chosen.clone();
                if none {
                    self.next_any = None;
                    self.next_listing = None;
                }
            }
        }
    }

    pub(super) fn learned(&self, now: Instant, wall: SystemTime) -> Learned {
        Learned {
            listings_are_limited: self.limited,
            all_files_listed_at: self.told_all_files_at(),
            account: self.account.clone(),
            no_limits: self.no_limits,
            called_at: self.called_at,
            listed_at: self.listed_at,
            folders: self
                .folders
                .iter()
                .filter_map(|((folder, part), sent)| {
                    let age = now.saturating_duration_since(*sent);
                    let at = wall.checked_sub(age)?;
                    (age < self.pacing.same_folder).then_some(ListedFolder {
                        folder: *folder,
                        part: *part,
                        at,
                    })
                })
                .collect(),
        }
    }

    pub(super) fn listing_gap(&self) -> Duration {
        if self.limited {
            self.pacing.listing.max(self.pacing.listing_after_flood)
        } else {
            self.pacing.listing
        }
    }

    /// Returns until when calls of this class wait, and for what. The interval between any two calls isn't included.
    pub(super) fn class_due(&self, class: CallClass, now: Instant) -> Option<(Instant, WaitReason)> {
        let pause = lane(class).map_or(&self.node_pause, |lane| &self.pauses[lane]);
        let listing = matches!(class, CallClass::Listing | CallClass::AllFiles)
            .then_some(self.next_listing)
            .flatten()
            .filter(|next| *next > now)
            .map(|next| (next, WaitReason::ListingPace));
        let waits = [self.lock.due(now), pause.due(now), listing];
        waits.into_iter().flatten().max_by_key(|(until, _)| *until)
    }

    fn pause_of(&mut self, class: CallClass) -> &mut Pause {
        match lane(class) {
            Some(lane) => &mut self.pauses[lane],
            None => &mut self.node_pause,
        }
    }

    /// Returns until when every call waits for the one before it.
    pub(super) fn any_due(&self, now: Instant) -> Option<(Instant, WaitReason)> {
        self.next_any.filter(|next| *next > now).map(|next| (next, WaitReason::Pace))
    }

    /// Returns when all files were listed last, as others need to know it.
    pub(super) fn told_all_files_at(&self) -> Option<SystemTime> {
        self.all_files_before.unwrap_or(self.all_files_at)
    }

    /// Records a call whose turn it is.
    pub(super) fn sent(&mut self, class: CallClass, now: Instant) {
        if class == CallClass::Node {
            return;
        }
        let wall = SystemTime::now();
        self.next_any = Some(now + self.pacing.any);
        self.called_at = Some(wall);
        if matches!(class, CallClass::Listing | CallClass::AllFiles) {
            self.next_listing = Some(now + self.listing_gap());
            self.listed_at = Some(wall);
        }
    }

    /// Records that a listing is sent now: from here on the service may have counted it.
    pub(super) fn left(&mut self, class: CallClass, folder: Option<FolderKey>, now: Instant) {
        if class == CallClass::AllFiles {
            self.all_files_before = None;
        }
        if let Some(key) = folder {
            self.book_folder(key, now);
        }
    }

    /// Checks whether listings have to keep an interval, or may later have to.
    pub(super) fn spaces_listings(&self) -> bool {
        !self.pacing.listing_after_flood.is_zero()
    }

    /// Records that a call has ended: by now the service has counted it.
    pub(super) fn counted(&mut self, class: CallClass, folder: Option<FolderKey>, now: Instant) {
        if !matches!(class, CallClass::Listing | CallClass::AllFiles) {
            return;
        }
        if self.limited || self.pacing.listing >= self.pacing.listing_after_flood {
            let next = now + self.listing_gap();
            self.next_listing = Some(self.next_listing.map_or(next, |known| known.max(next)));
            self.listed_at = Some(SystemTime::now());
        }
        self.left(class, folder, now);
    }

    /// Records when a folder is listed, and drops those that may be listed again: all records are gone through with
    /// each call.
    fn book_folder(&mut self, key: FolderKey, now: Instant) {
        let interval = self.pacing.same_folder;
        if self.folders_sifted.is_none_or(|at| now.saturating_duration_since(at) >= interval) {
            self.folders.retain(|_, at| now.saturating_duration_since(*at) < interval);
            self.folders_sifted = Some(now);
        }
        self.claimed.remove(&key);
        self.folders.insert(key, now);
    }

    /// Claims a folder for a listing, or returns when it may be listed again.
    pub(super) fn claim_folder(&mut self, key: FolderKey, now: Instant) -> Result<(), Instant> {
        let claimed = self.claimed.get(&key).map(|at| *at + self.pacing.same_folder);
        if let Some(next) = claimed.filter(|next| *next > now).max(self.folder_due(key, now)) {
            return Err(next);
        }
        self.claimed.insert(key, now);
        Ok(())
    }

    /// Returns when a folder that was listed may be listed again, unless it may be now.
    pub(super) fn folder_due(&self, key: FolderKey, now: Instant) -> Option<Instant> {
        let next = *self.folders.get(&key)? + self.pacing.same_folder;
        (next > now).then_some(next)
    }

    /// Releases a folder whose listing the service surely didn't make.
    pub(super) fn release_folder(&mut self, key: FolderKey) {
        self.claimed.remove(&key);
        self.folders.remove(&key);
        self.released.push(key);
    }

    /// Returns how long to wait before a listing whose answer was lost is requested again.
    pub(super) fn same_folder(&self) -> Duration {
        self.pacing.same_folder
    }

    /// Claims the listing of all files, or returns how long it isn't allowed.
    pub(super) fn claim_all_files(&mut self, now: Instant, wall: SystemTime) -> Result<(), Duration> {
        if let Some(next) = self.next_all_files.filter(|next| *next > now) {
            return Err(next - now);
        }
        self.next_all_files = Some(now + self.pacing.all_files);
        self.all_files_before = Some(self.all_files_at);
        self.all_files_at = Some(wall);
        Ok(())
    }

    /// Releases the listing of all files, which the service surely didn't make.
    pub(super) fn release_all_files(&mut self) {
        self.next_all_files = None;
        self.all_files_before = None;
        self.all_files_at = None;
    }

    pub(super) fn account_interval(&self) -> Duration {
        self.pacing.account_info
    }

    pub(super) fn all_files_interval(&self) -> Duration {
        self.pacing.all_files
    }

    /// Records a flood answer. Returns the interval between listings if that was news.
    pub(super) fn flooded(&mut self, class: CallClass, sent: Instant, now: Instant) -> Option<Duration> {
        let (first, max) = (self.pacing.flood_pause, self.pacing.flood_pause_max);
        self.pause_of(class).begin(sent, now, first, max, WaitReason::Flood);
        if class != CallClass::Listing || self.limited {
            return None;
        }
        let before = self.listing_gap();
        self.limited = true;
        let gap = self.listing_gap();
        if let Some(next) = &mut self.next_listing {
            *next = (*next).max(now + gap);
        }
        (gap > before).then_some(gap)
    }

    /// Records `IP Locked`: everything pauses.
    pub(super) fn locked(&mut self, sent: Instant, now: Instant) {
        let (first, max) = (self.pacing.lock_pause, self.pacing.lock_pause_max);
        self.lock.begin(sent, now, first, max, WaitReason::AddressLock);
    }

    /// Records a pause of one class, until the given moment.
    pub(super) fn paused(&mut self, class: CallClass, until: Instant, now: Instant, why: WaitReason) {
        let pause = self.pause_of(class);
        if pause.until.is_none_or(|known| known < until) {
            *pause = Pause { began: Some(now), until: Some(until), why: Some(why), ..*pause };
        }
    }

    pub(super) fn locations_pause(&self) -> Duration {
        self.pacing.locations_pause
    }

    /// Records an answer that wasn't a lock.
    pub(super) fn answered(&mut self, class: CallClass, sent: Instant) {
        self.pause_of(class).passed(sent);
        if class != CallClass::Node {
            self.lock.passed(sent);
        }
    }

    /// Returns the account's state, if it is recent enough.
    pub(super) fn fresh_account(&self, now: Instant) -> Option<AccountSnapshot> {
        self.account.clone().filter(|_| self.account_stale_at.is_some_and(|stale| stale > now))
    }

    /// Returns the account's state, however old.
    pub(super) fn any_account(&self) -> Option<AccountSnapshot> {
        self.account.clone()
    }

    /// Adds another process's knowledge of the account.
    pub(super) fn hear_of_account(&mut self, told: AccountSnapshot, now: Instant, wall: SystemTime) {
        // A moment in the future comes from a clock that was set back since.
        let Ok(age) = wall.duration_since(told.at) else { return };
        if self.account.as_ref().is_none_or(|known| known.at < told.at) {
            self.account_stale_at = Some(now + self.pacing.account_info.saturating_sub(age));
            self.account = Some(told);
        }
    }

    pub(super) fn keep_account(&mut self, snapshot: AccountSnapshot, now: Instant) {
        self.account = Some(snapshot);
        self.account_stale_at = Some(now + self.pacing.account_info);
    }
}
