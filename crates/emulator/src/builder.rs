//! Configuration and start of an emulator.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::checksum::Checksums;
use crate::clock::Clock;
use crate::emulator::Emulator;
use crate::error::{EmulatorError, ParseValueError};
use crate::faults::FaultSpec;
use crate::limits::Limits;
use crate::readings::{LongNames, Windows};
use crate::state::Storage;

/// Key of the account that exists if none is configured. Not a secret: it only opens emulators.
pub const DEMO_KEY: &str = "emulator-demo-key-0123456789abcd";

/// What `folder/mkdir` does when the name exists already. The document doesn't know (section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MkdirExisting {
    /// The call fails.
    #[default]
    Refuse,
    /// The call returns the existing folder's id.
    Same,
    /// The call makes a second folder of that name.
    Duplicate,
}

impl FromStr for MkdirExisting {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "same" => Ok(Self::Same),
            "duplicate" => Ok(Self::Duplicate),
            _ => Err(ParseValueError::new(text, "expected refuse, same or duplicate")),
        }
    }
}

impl fmt::Display for MkdirExisting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::Same => "same",
            Self::Duplicate => "duplicate",
        })
    }
}

/// What `folder/mv` does when it is asked to move and to rename at once; the witnesses disagree (section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FolderRename {
    /// The folder is moved and renamed. A folder of the same name in the one that is left is overwritten.
    #[default]
    Moves,
    /// The folder is renamed in place, and the new parent is ignored.
    Stays,
}

impl FromStr for FolderRename {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "moves" => Ok(Self::Moves),
            "stays" => Ok(Self::Stays),
            _ => Err(ParseValueError::new(text, "expected moves or stays")),
        }
    }
}

impl fmt::Display for FolderRename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moves => "moves",
            Self::Stays => "stays",
        })
    }
}

/// What happens to a list with an item that can't be served; the document doesn't know (section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lists {
    /// The whole call is refused, and nothing is done.
    #[default]
    Whole,
    /// The item is left out, and the answer counts the others.
    Partial,
}

impl FromStr for Lists {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, ParseValueError> {
        match text {
            "whole" => Ok(Self::Whole),
            "partial" => Ok(Self::Partial),
            _ => Err(ParseValueError::new(text, "expected whole or partial")),
        }
    }
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole",
            Self::Partial => "partial",
        })
    }
}

/// An account of the service.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// API key of the account.
    pub key: String,
    /// Mail address of the account; other accounts name it in `sharing_user`.
    pub email: String,
    /// Subscription: 0 free (the API refuses it), 1 Premium, 2 Access.
    pub offer: u8,
    /// Storage quota in bytes.
    pub quota: u64,
}

impl Account {
    /// Makes a Premium account with this key and address and a quota of 2 TB.
    #[must_use]
    pub fn new(key: impl Into<String>, email: impl Into<String>) -> Self {
        Self { key: key.into(), email: email.into(), offer: 1, quota: 2_000_000_000_000 }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new(DEMO_KEY, "demo@emulator.invalid")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Account")
            .field("email", &self.email)
            .field("offer", &self.offer)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

/// Configuration of an emulator; see [`Emulator::builder`].
#[must_use]
pub struct Builder {
    pub(crate) listen: SocketAddr,
    pub(crate) allow_remote: bool,
    pub(crate) private: bool,
    pub(crate) proxy: Option<SocketAddr>,
    pub(crate) storage: Storage,
    pub(crate) durable: bool,
    pub(crate) checksums: Checksums,
    pub(crate) limits: Limits,
    pub(crate) listing_cap: Option<Option<usize>>,
    pub(crate) most_items: Option<usize>,
    pub(crate) lists: Lists,
    pub(crate) upload_files: usize,
    pub(crate) drops_excess: bool,
    pub(crate) largest_file: u64,
    pub(crate) largest_upload: u64,
    pub(crate) upload_time: Duration,
    pub(crate) lag: Duration,
    pub(crate) mkdir_existing: MkdirExisting,
    pub(crate) folder_rename: FolderRename,
    pub(crate) windows: Windows,
    pub(crate) single_tokens: bool,
    pub(crate) file_by_name: bool,
    pub(crate) longest_name: Option<usize>,
    pub(crate) long_names: LongNames,
    pub(crate) read_timeout: Duration,
    pub(crate) faults: Vec<FaultSpec>,
    pub(crate) request_log: Option<PathBuf>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) clock: Clock,
    pub(crate) zone: TimeZone,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            allow_remote: false,
            private: false,
            proxy: None,
            storage: Storage::Memory,
            durable: false,
            checksums: Checksums::default(),
            limits: Limits::Off,
            listing_cap: None,
            most_items: None,
            lists: Lists::Whole,
            upload_files: 500,
            drops_excess: false,
            largest_file: 300_000_000_000,
            largest_upload: 500_000_000_000,
            upload_time: Duration::from_secs(4 * 3600),
            lag: Duration::ZERO,
            mkdir_existing: MkdirExisting::Refuse,
            folder_rename: FolderRename::Moves,
            windows: Windows::Exclusive,
            single_tokens: false,
            file_by_name: true,
            longest_name: None,
            long_names: LongNames::Cut,
            read_timeout: Duration::from_secs(60),
            faults: Vec::new(),
            request_log: None,
            accounts: Vec::new(),
            clock: Clock::system(),
            zone: TimeZone::UTC,
        }
    }
}

impl Builder {
    /// Sets the address to listen on. Default: a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Allows addresses that other machines can reach. Keys and contents are then sent in the clear.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// Keeps the other users of this machine out: the first account then has a random key, new at each start, and no
    /// control answers over HTTP. Several private emulators may serve the same state, each with a key of its own.
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Also runs a `CONNECT` proxy at this address, through which unmodified clients reach the emulator over TLS.
    pub fn proxy(mut self, address: SocketAddr) -> Self {
        self.proxy = Some(address);
        self
    }

    /// Sets where the state is stored. Default: in memory.
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// Sets whether acknowledged uploads survive a power cut, not only the death of the process. This costs fsyncs.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Sets the implementation that computes the checksums of uploads. Default: independent of any client.
    pub fn checksums(mut self, checksums: Checksums) -> Self {
        self.checksums = checksums;
        self
    }

    /// Sets which limits are enforced. Default: none.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many files a listing holds at most; `None` for all. Default: 5,000 if limits are enforced, else all.
    pub fn listing_cap(mut self, cap: Option<usize>) -> Self {
        self.listing_cap = Some(cap);
        self
    }

    /// Sets how many links the list of one call may have. A longer list is refused whole, with a text that names no
    /// item. Default: any number, since none is documented (API document, section 5).
    pub fn most_items(mut self, items: Option<usize>) -> Self {
        self.most_items = items;
        self
    }

    /// Sets what happens to a list with an item that can't be served. Default: the call is refused.
    pub fn lists(mut self, lists: Lists) -> Self {
        self.lists = lists;
        self
    }

    /// Sets how many files one upload may have; one with more is refused. Default: 500.
    pub fn upload_files(mut self, files: usize) -> Self {
        self.upload_files = files;
        self
    }

    /// Sets whether files that an upload has beyond their number are silently dropped, rather than the upload refused.
    /// Default: no.
    pub fn drops_excess(mut self, drops: bool) -> Self {
        self.drops_excess = drops;
        self
    }

    /// Sets the size of the largest file of an upload. Default: 300 GB.
    pub fn largest_file(mut self, bytes: u64) -> Self {
        self.largest_file = bytes;
        self
    }

    /// Sets how long an upload may take before its connection is closed. Default: 4 hours.
    pub fn upload_time(mut self, time: Duration) -> Self {
        self.upload_time = time;
        self
    }

    /// Sets the size of the largest upload, by `Content-Length`. Default: 500 GB.
    pub fn largest_upload(mut self, bytes: u64) -> Self {
        self.largest_upload = bytes;
        self
    }

    /// Sets how long listings show the state before a change. Default: not at all.
    pub fn lag(mut self, lag: Duration) -> Self {
        self.lag = lag;
        self
    }

    /// Sets what making a folder that exists does. Default: refuse.
    pub fn mkdir_existing(mut self, policy: MkdirExisting) -> Self {
        self.mkdir_existing = policy;
        self
    }

    /// Sets what moving and renaming a folder in one call does. Default: both.
    pub fn folder_rename(mut self, way: FolderRename) -> Self {
        self.folder_rename = way;
        self
    }

    /// Sets what `sent_before` and `sent_after` do. Default: they leave out their own second.
    pub fn windows(mut self, windows: Windows) -> Self {
        self.windows = windows;
        self
    }

    /// Sets whether every download token serves one request only, whatever was asked for. Default: no.
    pub fn single_tokens(mut self, single: bool) -> Self {
        self.single_tokens = single;
        self
    }

    /// Sets whether `file/info` finds a file of the account itself by folder and name. Default: yes.
    pub fn file_by_name(mut self, finds: bool) -> Self {
        self.file_by_name = finds;
        self
    }

    /// Sets how many characters the name of an uploaded file has at most, and what becomes of longer ones. Default: any
    /// number, since none is documented.
    pub fn longest_name(mut self, characters: Option<usize>, longer: LongNames) -> Self {
        self.longest_name = characters;
        self.long_names = longer;
        self
    }

    /// Sets how long a request may bring nothing before its connection is closed. Default: a minute.
    pub fn read_timeout(mut self, time: Duration) -> Self {
        self.read_timeout = time;
        self
    }

    /// Adds a fault.
    pub fn fault(mut self, fault: FaultSpec) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets a file to which a line of JSON is appended for each request.
    pub fn request_log(mut self, path: impl Into<PathBuf>) -> Self {
        self.request_log = Some(path.into());
        self
    }

    /// Adds an account. The control belongs to the first one. Default: one with [`DEMO_KEY`].
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// Sets the clock for dates, locks and tokens. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Writes dates in French time, as the service does (API document, section 1).
    pub fn french_dates(self) -> Self {
        // The rule itself, since a machine may have no database of zones.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC);
        self.zone(zone)
    }

    /// Sets the zone in which dates are written. Default: UTC, so that tests needn't reckon.
    pub fn zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Starts the emulator on the current tokio runtime.
    ///
    /// # Errors
    /// An address can't be listened on or isn't allowed, or the state can't be opened.
    pub async fn start(self) -> Result<Emulator, EmulatorError> {
        Emulator::start(self).await
    }
}
