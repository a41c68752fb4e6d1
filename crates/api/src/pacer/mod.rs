//! Decides when a call is sent, and whether it is sent again. Nothing else in this crate sleeps or retries.
//!
//! All clones of a client share one pacer. A call takes its turn in the lane of its class, then in that of all calls;
//! both let calls through in the order in which they came. A call at the front of a lane waits there, so a listing that
//! has to wait for 3 s doesn't delay a removal. The interval between two calls is measured from the moment that one is
//! sent to the moment that the next one is sent.
//!
//! Listings are more limited: the service objects to them even every 3 s. So there is one at a time, and the fixed
//! intervals are measured from its answer, when the service has surely counted it, however long it took.
//!
//! Processes of one user share the pace of an account where they have a [place](shared) for it.

mod account;
mod backoff;
mod budget;
mod connections;
mod departure;
mod patience;
mod shared;
mod shared_pace;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use backoff::RetryPolicy;
pub(crate) use backoff::retry_after;
pub(crate) use budget::FolderKey;
pub use budget::{AccountSnapshot, CallClass, Learned, Pacing, ReportPacing};
pub use budget::{ListedFolder, ListedPart};
pub use connections::Connection;
pub(crate) use departure::Departure;
pub use patience::{WaitBudget, Waiting};

use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::limits::DOWNLOAD_CONNECTIONS;
use crate::observer::{CallInfo, CallOutcome, Event, FailedTry, Observer, WaitReason};
use account::{AccountBook, AddressBook};
use budget::{Ledger, lane};
use connections::Connections;
use shared_pace::{ListingUnderWay, SharedPace};

/// Length of a wait that is finished even when all waits are to end.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// The same length for a call that finishes what another one began.
const FINISHING_WAIT: Duration = Duration::from_secs(2);

/// A call as the pacer sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) info: CallInfo,
    /// Folder that is listed, if one is.
    pub(crate) folder: Option<FolderKey>,
    /// Number of repetitions after floods; `None` for the policy's.
    pub(crate) flood_retries: Option<u32>,
    /// Repetitions after errors that may pass; `None` for the policy's.
    pub(crate) low_level_retries: Option<u32>,
}

/// How many requests were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Calls to the API, which are limited.
    pub calls: u64,
    /// Requests to the nodes that hold the files: uploads, reports, downloads.
    pub to_nodes: u64,
}

impl Call {
    pub(crate) fn new(endpoint: Endpoint, class: CallClass, reason: &'static str) -> Self {
        Self {
            info: CallInfo { endpoint, class, reason, finishes: false },
            folder: None,
            flood_retries: None,
            low_level_retries: None,
        }
    }
}

/// Decides when a call is sent, and whether it is sent again.
pub(crate) struct Pacer {
    retry: RetryPolicy,
    report: ReportPacing,
    observer: Option<Arc<dyn Observer>>,
    cancel: CancellationToken,
    end_waits: CancellationToken,
    any: tokio::sync::Mutex<()>,
    lanes: [tokio::sync::Mutex<()>; 4],
    ledger: Mutex<Ledger>,
    shared: Option<SharedPace>,
    address: Option<AddressBook>,
    connections: Connections,
    waits: WaitBudget,
    remote: Option<Arc<str>>,
    /// Whether the service has ever answered.
    heard: AtomicBool,
    /// How many requests were sent: to the API, and to nodes.
    sent: [AtomicU64; 2],
}

/// Lane of the current listing, in this process and among processes.
type Lane<'a> = (tokio::sync::MutexGuard<'a, ()>, Option<ListingUnderWay>);

/// Number of failures of one call, by kind of failure.
#[derive(Default)]
struct Failures {
    low_level: u32,
    floods: u32,
    locks: u32,
    locations: u32,
    senseless: u32,
    dangerous: u32,
}

/// Number of repetitions of a call whose answer was readable and said nothing.
const SENSELESS_RETRIES: u32 = 2;

/// Number of repetitions of a call that was refused by a status of which many bring a ban.
const DANGEROUS_RETRIES: u32 = 2;

/// Number of tries of a connection that was never made, before anything was heard of the service: about 5 s.
const RETRIES_OF_FIRST_CONNECTION: u32 = 4;

/// Decision after a failed attempt.
enum Verdict {
    GiveUp,
    /// Try again after the pause in the ledger.
    TakeTurn,
    /// Try again after a wait of this call alone.
    Wait(Duration, WaitReason),
}

impl Pacer {
    pub(crate) fn new(
        pacing: Pacing,
        retry: RetryPolicy,
        learned: Learned,
        observer: Option<Arc<dyn Observer>>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            retry,
            report: pacing.report.clone(),
            observer,
            cancel,
            end_waits: CancellationToken::new(),
            any: tokio::sync::Mutex::new(()),
            lanes: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            ledger: Mutex::new(Ledger::new(pacing, learned, Instant::now(), SystemTime::now())),
            shared: None,
            address: None,
            connections: Connections::new(DOWNLOAD_CONNECTIONS),
            waits: WaitBudget::default(),
            remote: None,
            heard: AtomicBool::new(false),
            sent: Default::default(),
        }
    }

    /// Sets the limit on waiting in all.
    pub(crate) fn wait_within(&mut self, waits: WaitBudget) {
        self.waits = waits;
    }

    /// Sets the token that ends all waits; requests that were sent are finished.
    pub(crate) fn end_waits_by(&mut self, token: CancellationToken) {
        self.end_waits = token;
    }

    /// Sets the intervals for when the service says that it enforces no limits.
    pub(crate) fn without_limits(&mut self, pacing: Pacing) {
        self.ledger().without_limits(pacing);
    }

    /// Applies what each answer says: whether the service enforces limits.
    pub(crate) fn heard_of_limits(&self, none: bool) {
        self.ledger().heard_of_limits(none);
    }

    /// Returns how long the service gives no newer listing of a folder.
    pub(crate) fn folder_gap(&self) -> Duration {
        self.ledger().same_folder()
    }

    /// Returns how often a call is sent again after an error that may pass.
    pub(crate) fn low_level_retries(&self) -> u32 {
        self.retry.low_level_retries
    }

    /// Returns the intervals of requests for an upload's report.
    pub(crate) fn report_pacing(&self) -> &ReportPacing {
        &self.report
    }

    /// Returns how long a request for the account would wait for a pause of its class; `None` when it may be sent.
    pub(crate) fn account_pause(&self) -> Option<Duration> {
        let now = Instant::now();
        let (until, _) = self.ledger().class_due(CallClass::AccountInfo, now)?;
        Some(until - now)
    }

    /// Returns how long the account's state is remembered.
    pub(crate) fn account_interval(&self) -> Duration {
        self.ledger().account_interval()
    }

    /// Waits for a time, for something that the service has to do first.
    pub(crate) async fn rest(&self, endpoint: Endpoint, wait: Duration) -> Result<(), ApiError> {
        let failed = |kind| self.error(endpoint, kind).with_history(0, false);
        let (_waiting, news) = self.waits.begin(wait, false, None).map_err(failed)?;
        if let Some((spent, most)) = news {
            self.tell(&Event::WaitBudget { spent, most });
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(failed(ErrorKind::Canceled)),
            () = self.end_waits.cancelled() => Err(failed(ErrorKind::Canceled)),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    /// Shares the pace with other processes, by files that begin with this path.
    pub(crate) fn share(&mut self, path: &std::path::Path) {
        self.shared = Some(SharedPace::new(path));
        self.connections.share(path);
    }

    /// Sets the largest number of download connections.
    pub(crate) fn connect_at_most(&mut self, connections: usize) {
        self.connections.at_most(connections);
    }

    /// Waits for a free download connection, however long the others take.
    pub(crate) async fn connection(&self, call: Call) -> Result<Connection, ErrorKind> {
        let since = Instant::now();
        let mut told = false;
        loop {
            if let Some(connection) = self.connections.take(since) {
                return Ok(connection);
            }
            if !std::mem::replace(&mut told, true) {
                let why = WaitReason::Connections;
                self.tell(&Event::Waiting { call: call.info, why, wait: connections::PATIENCE, after: None });
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(ErrorKind::Canceled),
                () = self.end_waits.cancelled() => return Err(ErrorKind::Canceled),
                () = self.connections.changed() => {}
            }
        }
    }

    /// Shares with other processes, by this file, when any account was asked for from this address.
    pub(crate) fn share_address(&mut self, file: std::path::PathBuf) {
        self.address = Some(AddressBook::new(file));
    }

    /// Returns how long no account may be asked for from this address; `None` when one may.
    pub(crate) fn address_pause(&self) -> Option<Duration> {
        // The limit is one in a minute for the address, and one in five for the account (API document, section 2).
        self.address.as_ref()?.pause(self.account_interval() / 5, SystemTime::now())
    }

    /// Records that an account was asked for from this address.
    pub(crate) fn note_account_asked(&self) {
        if let Some(book) = &self.address {
            book.note(SystemTime::now());
        }
    }

    /// Sets the user's name for the remote, for errors.
    pub(crate) fn call_it(&mut self, remote: Arc<str>) {
        self.remote = Some(remote);
    }

    /// Returns the user's name for the remote.
    pub(crate) fn remote(&self) -> Option<&Arc<str>> {
        self.remote.as_ref()
    }

    fn error(&self, endpoint: Endpoint, kind: ErrorKind) -> ApiError {
        ApiError::new(endpoint, kind).of(self.remote.clone())
    }

    pub(crate) fn learned(&self) -> Learned {
        self.ledger().learned(Instant::now(), SystemTime::now())
    }

    pub(crate) fn fresh_account(&self) -> Option<AccountSnapshot> {
        self.ledger().fresh_account(Instant::now())
    }

    pub(crate) fn any_account(&self) -> Option<AccountSnapshot> {
        self.ledger().any_account()
    }

    /// Locks the right to ask for the account's state among processes, after reading what another one knows.
    pub(crate) async fn account_book(&self) -> Option<AccountBook> {
        let mut book = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            () = self.end_waits.cancelled() => None,
            book = self.shared.as_ref()?.hold_account() => book,
        }?;
        if let Some(told) = book.read() {
            self.ledger().hear_of_account(told, Instant::now(), SystemTime::now());
        }
        Some(book)
    }

    pub(crate) fn keep_account(&self, snapshot: AccountSnapshot) {
        self.ledger().keep_account(snapshot, Instant::now());
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // The ledger is sound between any two of its methods, even after a panic.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes the ledger, together with all other processes.
    async fn book<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let held = match &self.shared {
            Some(shared) => shared.hold().await,
            None => None,
        };
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut ledger = self.ledger();
        let Some(held) = held else { return work(&mut ledger) };
        ledger.merge(&held.moments, now, wall);
        let result = work(&mut ledger);
        let moments = ledger.export(&held.moments, now, wall);
        held.put(&moments);
        result
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> Requests {
        let [calls, to_nodes] = &self.sent;
        Requests { calls: calls.load(Ordering::Relaxed), to_nodes: to_nodes.load(Ordering::Relaxed) }
    }

    fn tell(&self, event: &Event<'_>) {
        if let Event::Sent { call, .. } = event {
            self.sent[usize::from(call.class == CallClass::Node)].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }

    /// Makes a call: takes its turn, tries, and tries again as far as that is safe.
    pub(crate) async fn run<T, F, A>(&self, call: Call, mut attempt: F) -> Result<T, ApiError>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, ErrorKind>>,
    {
        let endpoint = call.info.endpoint;
        if call.info.class == CallClass::AllFiles {
            let claim = self.book(|ledger| ledger.claim_all_files(Instant::now(), SystemTime::now())).await;
            claim.map_err(|remaining| {
                self.error(endpoint, ErrorKind::TooSoon { remaining }).with_history(0, false)
            })?;
        }
        let mut attempts = 0;
        let mut maybe_done = false;
        let departure = Departure::default();
        let work = self.attempts(call, &mut attempt, &mut attempts, &mut maybe_done, &departure);
        let result = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            result = work => Some(result),
        };
        let kind = match result {
            Some(Ok(value)) => return Ok(value),
            Some(Err(kind)) => kind,
            None => {
                // A request that was sent when the stop came may have been carried out.
                maybe_done |= departure.has_left();
                ErrorKind::Canceled
            }
        };
        if !maybe_done && kind.surely_not_done() {
            match (call.info.class, call.folder) {
                // This is the service's own answer about all files: the hour isn't over, whoever began it.
                (CallClass::AllFiles, _) if !matches!(kind, ErrorKind::TooSoon { .. }) => {
                    self.book(Ledger::release_all_files).await;
                }
                // Without an attempt, the claim may belong to another task.
                (_, Some(key)) if attempts > 0 => self.book(|ledger| ledger.release_folder(key)).await,
                _ => {}
            }
        }
        Err(self.error(endpoint, kind).with_history(attempts, maybe_done && !read_only(endpoint)))
    }

    async fn attempts<T, F, A>(
        &self,
        call: Call,
        attempt: &mut F,
        attempts: &mut u32,
        maybe_done: &mut bool,
        departure: &Departure,
    ) -> Result<T, ErrorKind>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<T, ErrorKind>>,
    {
        let info = call.info;
        let mut failures = Failures::default();
        let mut first_sent: Option<Instant> = None;
        let mut asked = Instant::now();
        self.claim_folder(call).await?;
        loop {
            let (sent, lane) = match self.turn(call, *attempts == 0).await {
                Ok(turn) => turn,
                Err(kind) => {
                    // The folder was claimed, and nothing was sent.
                    if let (0, Some(key)) = (*attempts, call.folder) {
                        self.book(|ledger| ledger.release_folder(key)).await;
                    }
                    return Err(kind);
                }
            };
            *attempts += 1;
            let first = *first_sent.get_or_insert(sent);
            self.tell(&Event::Sent { call: info, attempt: *attempts, waited: sent - asked });
            let result = self.depart(call, attempt(), departure).await;
            let now = Instant::now();
            if matches!(info.class, CallClass::Listing | CallClass::AllFiles) {
                self.book(|ledger| ledger.counted(info.class, call.folder, now)).await;
            }
            drop(lane);
            let kind = match result {
                Ok(value) => {
                    self.ledger().answered(info.class, sent);
                    self.answered(info, *attempts, now - sent, CallOutcome::Done);
                    return Ok(value);
                }
                Err(kind) => kind,
            };
            *maybe_done |= leaves_doubt(info.endpoint, &kind);
            let verdict = self.judge(call, &kind, sent, &mut failures).await;
            let until = match verdict {
                Verdict::GiveUp => None,
                Verdict::TakeTurn => {
                    Some(self.ledger().class_due(info.class, now).map_or(now, |(until, _)| until))
                }
                Verdict::Wait(wait, _) => Some(now + wait),
            };
            let kind = match (until, self.retry.deadline) {
                (None, _) => Err(kind),
                (Some(until), Some(deadline)) if until - first > deadline => {
                    Err(ErrorKind::DeadlineExceeded { after: now - first, last: Box::new(kind) })
                }
                _ => Ok(kind),
            };
            let kind = match kind {
                Err(kind) => {
                    self.answered(info, *attempts, now - sent, CallOutcome::Failed(&kind));
                    // All files: a flood answer means that the hour isn't over.
                    if info.class == CallClass::AllFiles && matches!(kind, ErrorKind::Flood { .. }) {
                        return Err(ErrorKind::TooSoon { remaining: self.ledger().all_files_interval() });
                    }
                    return Err(kind);
                }
                Ok(kind) => kind,
            };
            self.answered(info, *attempts, now - sent, CallOutcome::WillRetry(&kind));
            asked = now;
            if let Verdict::Wait(wait, why) = verdict {
                let of = self.retries_after(call, &kind).saturating_add(1);
                let failed = FailedTry { error: &kind, number: failures.low_level, of };
                self.sleep_after(info, now + wait, why, Some(failed)).await?;
            }
        }
    }

    /// How often a call is sent again that failed so. Where nothing was ever heard of the service, the way to it is
    /// mostly wrong or closed, and waiting won't open it.
    fn retries_after(&self, call: Call, kind: &ErrorKind) -> u32 {
        let most = self.low_level_retries_of(call);
        match kind {
            ErrorKind::InvalidJson { well_formed: true, .. } => most.min(SENSELESS_RETRIES),
            ErrorKind::Connect(_) if self.heard.load(Ordering::Relaxed) => most,
            ErrorKind::Connect(_) if kind.is_unknown_host() => 0,
            ErrorKind::Connect(_) => most.min(RETRIES_OF_FIRST_CONNECTION),
            _ => most,
        }
    }

    fn low_level_retries_of(&self, call: Call) -> u32 {
        let policy = self.retry.low_level_retries;
        call.low_level_retries.map_or(policy, |own| own.min(policy))
    }

    fn answered(&self, call: CallInfo, attempt: u32, took: Duration, outcome: CallOutcome<'_>) {
        match outcome {
            CallOutcome::Done => {
                debug!(endpoint = %call.endpoint, reason = call.reason, attempt, ?took, "call done");
            }
            CallOutcome::WillRetry(kind) => {
                debug!(endpoint = %call.endpoint, reason = call.reason, attempt, ?took, error = %kind, "call failed, will be sent again");
            }
            CallOutcome::Failed(kind) => {
                debug!(endpoint = %call.endpoint, reason = call.reason, attempt, ?took, error = %kind, "call failed");
            }
        }
        let unheard = matches!(
            outcome,
            CallOutcome::WillRetry(ErrorKind::Connect(_)) | CallOutcome::Failed(ErrorKind::Connect(_))
        );
        if !unheard {
            self.heard.store(true, Ordering::Relaxed);
        }
        self.tell(&Event::Answered { call, attempt, took, outcome });
    }

    /// Records a failure and decides whether the call is sent again.
    async fn judge(&self, call: Call, kind: &ErrorKind, sent: Instant, failures: &mut Failures) -> Verdict {
        let now = Instant::now();
        let class = call.info.class;
        let within = |count: &mut u32, limit: u32, verdict: Verdict| {
            *count += 1;
            if *count <= limit { verdict } else { Verdict::GiveUp }
        };
        let flood_retries = call.flood_retries.unwrap_or(self.retry.flood_retries);
        match kind {
            ErrorKind::Flood { .. } | ErrorKind::Status { code: 429, retry_after: None } => {
                let learned = self.book(|ledger| ledger.flooded(class, sent, now)).await;
                if let Some(gap) = learned {
                    self.tell(&Event::ListingGapLearned { gap });
                }
                if class == CallClass::AllFiles {
                    return Verdict::GiveUp;
                }
                within(&mut failures.floods, flood_retries, Verdict::TakeTurn)
            }
            ErrorKind::AddressLocked { .. } => {
                self.book(|ledger| ledger.locked(sent, now)).await;
                // A call that doesn't wait for a flood to end doesn't wait for a lock either.
                let lock_retries = self.retry.lock_retries.min(flood_retries);
                within(&mut failures.locks, lock_retries, Verdict::TakeTurn)
            }
            ErrorKind::TooManyLocations { .. } => {
                let pause = |ledger: &mut Ledger| {
                    let until = now + ledger.locations_pause();
                    ledger.paused(class, until, now, WaitReason::Locations);
                };
                self.book(pause).await;
                within(
                    &mut failures.locations,
                    self.retry.location_retries.min(flood_retries),
                    Verdict::TakeTurn,
                )
            }
            ErrorKind::Status { code: 429 | 503, retry_after: Some(wait) } => {
                self.book(|ledger| ledger.paused(class, now + *wait, now, WaitReason::RetryAfter)).await;
                let verdict = if lane(class).is_some() {
                    Verdict::TakeTurn
                } else {
                    Verdict::Wait(*wait, WaitReason::RetryAfter)
                };
                within(&mut failures.low_level, self.low_level_retries_of(call), verdict)
            }
            ErrorKind::TokenRefused { .. } | ErrorKind::TooSoon { .. } | ErrorKind::Unconfirmed { .. } => {
                Verdict::GiveUp
            }
            kind if kind.may_pass() => {
                self.ledger().answered(class, sent);
                if !call.info.endpoint.is_idempotent() && leaves_doubt(call.info.endpoint, kind) {
                    return Verdict::GiveUp;
                }
                let backoff = self.retry.delay(failures.low_level, kind, rand::random());
                // The service has counted a listing whose answer was lost.
                let lost = matches!(
                    kind,
                    ErrorKind::Network(_) | ErrorKind::Truncated { .. } | ErrorKind::Timeout { .. }
                );
                let rest = match call.folder {
                    Some(_) if lost => self.ledger().same_folder().saturating_sub(now - sent),
                    _ => Duration::ZERO,
                };
                let verdict = if rest > backoff {
                    Verdict::Wait(rest, WaitReason::SameFolder)
                } else {
                    Verdict::Wait(backoff, WaitReason::BackOff)
                };
                // Mostly the service has a bad moment; if it has changed, that is reported soon.
                if matches!(kind, ErrorKind::InvalidJson { well_formed: true, .. }) {
                    failures.low_level += 1;
                    return within(&mut failures.senseless, self.retries_after(call, kind), verdict);
                }
                // Many such answers bring a ban (API document, section 1).
                if kind.is_dangerous() {
                    failures.low_level += 1;
                    let few = DANGEROUS_RETRIES.min(self.low_level_retries_of(call));
                    return within(&mut failures.dangerous, few, verdict);
                }
                within(&mut failures.low_level, self.retries_after(call, kind), verdict)
            }
            _ => {
                self.ledger().answered(class, sent);
                Verdict::GiveUp
            }
        }
    }

    /// Makes an attempt. When its request is sent, that is recorded for other processes: a request that was never sent,
    /// since no connection was made, makes no process wait.
    async fn depart<T>(
        &self,
        call: Call,
        attempt: impl Future<Output = Result<T, ErrorKind>>,
        departure: &Departure,
    ) -> Result<T, ErrorKind> {
        departure.begin();
        let mut attempt = std::pin::pin!(departure.noted_during(attempt));
        if matches!(call.info.class, CallClass::Listing | CallClass::AllFiles) {
            tokio::select! {
                biased;
                result = &mut attempt => return result,
                () = departure.left() => {}
            }
            self.book(|ledger| ledger.left(call.info.class, call.folder, Instant::now())).await;
        }
        attempt.await
    }

    async fn claim_folder(&self, call: Call) -> Result<(), ErrorKind> {
        let Some(key) = call.folder else { return Ok(()) };
        loop {
            let claim = self.book(|ledger| ledger.claim_folder(key, Instant::now())).await;
            match claim {
                Ok(()) => return Ok(()),
                Err(next) => self.sleep(call.info, next, WaitReason::SameFolder).await?,
            }
        }
    }

    /// Waits until the call may be sent, records it, and returns the moment; for a listing also its lane, to be kept
    /// until the answer is there.
    async fn turn(&self, call: Call, first: bool) -> Result<(Instant, Option<Lane<'_>>), ErrorKind> {
        let class = call.info.class;
        let Some(lane) = lane(class) else {
            self.wait(call.info, |ledger, now| ledger.class_due(class, now)).await?;
            return Ok((Instant::now(), None));
        };
        let guard = self.lanes[lane].lock().await;
        let alone =
            matches!(class, CallClass::Listing | CallClass::AllFiles) && self.ledger().spaces_listings();
        let under_way = match &self.shared {
            Some(shared) if alone => tokio::select! {
                biased;
                () = self.end_waits.cancelled() => return Err(ErrorKind::Canceled),
                begun = shared.begin_listing() => begun,
            },
            _ => None,
        };
        loop {
            self.wait(call.info, |ledger, now| ledger.class_due(class, now)).await?;
            let any = self.any.lock().await;
            self.wait(call.info, Ledger::any_due).await?;
            let leave = |ledger: &mut Ledger| {
                let now = Instant::now();
                // A pause may have begun meanwhile, or another process called; that is waited for without blocking
                // other classes.
                if ledger.class_due(class, now).is_some() || ledger.any_due(now).is_some() {
                    return Err(None);
                }
                // Another process may have listed the folder since it was claimed here.
                let listed = call.folder.filter(|_| first).and_then(|key| ledger.folder_due(key, now));
                if listed.is_some() {
                    return Err(listed);
                }
                ledger.sent(class, now);
                Ok(now)
            };
            match self.book(leave).await {
                Ok(now) => return Ok((now, alone.then_some((guard, under_way)))),
                Err(None) => {}
                Err(Some(until)) => {
                    drop(any);
                    self.sleep(call.info, until, WaitReason::SameFolder).await?;
                }
            }
        }
    }

    /// Sleeps until the ledger has nothing more to wait for.
    async fn wait(
        &self,
        call: CallInfo,
        due: impl Fn(&Ledger, Instant) -> Option<(Instant, WaitReason)>,
    ) -> Result<(), ErrorKind> {
        loop {
            let wait = due(&self.ledger(), Instant::now());
            let Some((until, why)) = wait else { return Ok(()) };
            self.sleep(call, until, why).await?;
        }
    }

    async fn sleep(&self, call: CallInfo, until: Instant, why: WaitReason) -> Result<(), ErrorKind> {
        self.sleep_after(call, until, why, None).await
    }

    /// Sleeps until this moment, and reports the reason and the failed try before. Fails when all waits are to end,
    /// unless little of this one is left: requests that were sent are finished, and the interval between two calls
    /// belongs to that.
    async fn sleep_after(
        &self,
        call: CallInfo,
        until: Instant,
        why: WaitReason,
        after: Option<FailedTry<'_>>,
    ) -> Result<(), ErrorKind> {
        let wait = until.saturating_duration_since(Instant::now());
        let short = if call.finishes { FINISHING_WAIT } else { SHORT_WAIT };
        let ends = self.end_waits.is_cancelled() && wait > short;
        let mut counted = None;
        if !wait.is_zero() && !ends {
            if patience::is_forced(why) {
                let of_report = patience::is_of_report(why) && after.is_none();
                let (waiting, news) = self.waits.begin(wait, of_report, after.map(|after| after.error))?;
                counted = Some(waiting);
                if let Some((spent, most)) = news {
                    self.tell(&Event::WaitBudget { spent, most });
                }
            }
            self.tell(&Event::Waiting { call, why, wait, after });
        }
        let _counted = counted;
        tokio::select! {
            biased;
            () = self.end_waits.cancelled() => {}
            () = sleep_until(until) => return Ok(()),
        }
        if until.saturating_duration_since(Instant::now()) > short {
            return Err(ErrorKind::Canceled);
        }
        sleep_until(until).await;
        Ok(())
    }

    /// Calls a node again and again until it has an answer.
    ///
    /// `Ok(None)` and errors that may pass mean "not yet". `give_up` is the longest time; `doubtful` means that there
    /// may be nothing.
    pub(crate) async fn poll<T, F, A>(
        &self,
        call: Call,
        give_up: Duration,
        doubtful: bool,
        mut ask: F,
    ) -> Result<T, ApiError>
    where
        F: FnMut() -> A,
        A: Future<Output = Result<Option<T>, ErrorKind>>,
    {
        let info = call.info;
        let began = Instant::now();
        let mut asked = 0;
        let asking = async {
            loop {
                asked += 1;
                self.wait(info, |ledger, now| ledger.class_due(info.class, now)).await?;
                let sent = Instant::now();
                self.tell(&Event::Sent { call: info, attempt: asked, waited: Duration::ZERO });
                let mut failed = None;
                match ask().await {
                    Ok(Some(value)) => {
                        self.waits.report_came();
                        self.answered(info, asked, sent.elapsed(), CallOutcome::Done);
                        return Ok(value);
                    }
                    Err(kind) if !kind.may_pass() || (call.flood_retries == Some(0) && kind.is_lock()) => {
                        self.note_lock(info.class, &kind, sent).await;
                        self.answered(info, asked, sent.elapsed(), CallOutcome::Failed(&kind));
                        return Err(kind);
                    }
                    Ok(None) => self.answered(info, asked, sent.elapsed(), CallOutcome::Done),
                    Err(kind) => {
                        self.answered(info, asked, sent.elapsed(), CallOutcome::WillRetry(&kind));
                        self.note_lock(info.class, &kind, sent).await;
                        failed = Some(kind);
                    }
                }
                let waited = began.elapsed();
                let late = waited >= self.report.quick_for;
                let pause = if late { self.report.slow } else { self.report.quick };
                if waited + pause > give_up {
                    return Err(ErrorKind::NoReport { waited, words: None });
                }
                let why = match (late, doubtful) {
                    (true, _) => WaitReason::LateReport,
                    (false, true) => WaitReason::DoubtfulReport,
                    (false, false) => WaitReason::UploadReport,
                };
                let left = (give_up - waited).as_millis() / pause.as_millis().max(1);
                let of = asked.saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
                let after = failed.as_ref().map(|error| FailedTry { error, number: asked, of });
                self.sleep_after(info, Instant::now() + pause, why, after).await?;
            }
        };
        let result = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ErrorKind::Canceled),
            result = asking => result,
        };
        result.map_err(|kind| self.error(info.endpoint, kind).with_history(asked, false))
    }

    /// Runs something unpaced that can't be repeated, such as an upload, until it ends or the client is stopped.
    pub(crate) async fn once<T>(
        &self,
        call: Call,
        work: impl Future<Output = Result<T, ErrorKind>>,
    ) -> Result<T, ApiError> {
        let info = call.info;
        let asked = Instant::now();
        let paused = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ErrorKind::Canceled),
            paused = self.wait(info, |ledger, now| ledger.class_due(info.class, now)) => paused,
        };
        paused.map_err(|kind| self.error(info.endpoint, kind).with_history(0, false))?;
        let sent = Instant::now();
        self.tell(&Event::Sent { call: info, attempt: 1, waited: sent - asked });
        let result = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ErrorKind::Canceled),
            result = work => result,
        };
        match &result {
            Ok(_) => self.ledger().answered(info.class, sent),
            Err(kind) => self.note_lock(info.class, kind, sent).await,
        }
        match result {
            Ok(value) => {
                self.answered(info, 1, sent.elapsed(), CallOutcome::Done);
                Ok(value)
            }
            Err(kind) => {
                self.answered(info, 1, sent.elapsed(), CallOutcome::Failed(&kind));
                let maybe_done = matches!(kind, ErrorKind::Canceled) || !kind.surely_not_done();
                Err(self.error(info.endpoint, kind).with_history(1, maybe_done))
            }
        }
    }
}

impl Pacer {
    /// Records the pause that a failure asks for, where the call isn't judged.
    async fn note_lock(&self, class: CallClass, kind: &ErrorKind, sent: Instant) {
        let now = Instant::now();
        match kind {
            ErrorKind::Flood { .. } | ErrorKind::Status { code: 429, retry_after: None } => {
                self.book(|ledger| ledger.flooded(class, sent, now)).await;
            }
            ErrorKind::AddressLocked { .. } => self.book(|ledger| ledger.locked(sent, now)).await,
            ErrorKind::Status { code: 429 | 503, retry_after: Some(wait) } => {
                self.book(|ledger| ledger.paused(class, now + *wait, now, WaitReason::RetryAfter)).await;
            }
            _ => {}
        }
    }

    /// Returns how long a call of this class would wait before it may be sent.
    pub(crate) fn rest_of(&self, class: CallClass) -> Option<Duration> {
        let now = Instant::now();
        self.ledger().class_due(class, now).map(|(until, _)| until.saturating_duration_since(now))
    }
}

/// Checks whether a call with this failure may have been carried out. A call that must not be made twice is in doubt
/// after every error that may pass, except when it was blocked.
fn leaves_doubt(endpoint: Endpoint, kind: &ErrorKind) -> bool {
    !kind.surely_not_done() || (!endpoint.is_idempotent() && kind.may_pass() && !kind.was_kept_away())
}

/// Checks whether a call changes nothing, so that it doesn't matter whether it was carried out.
fn read_only(endpoint: Endpoint) -> bool {
    use Endpoint::{
        CheckLinks, Download, FileInfo, FileLs, FileScan, FolderLs, GetToken, GetUploadServer, RemoteInfo,
        RemoteLs, SharedFolder, UploadReport, UserInfo,
    };
    matches!(
        endpoint,
        FolderLs
            | FileLs
            | FileInfo
            | FileScan
            | GetToken
            | GetUploadServer
            | UserInfo
            | RemoteLs
            | RemoteInfo
            | SharedFolder
            | CheckLinks
            | Download
            | UploadReport
    )
}
