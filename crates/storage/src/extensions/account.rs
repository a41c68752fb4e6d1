//! What an account's service tells of it and lets its owner set.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::{AccountInfo, File, Result};

/// A remote whose account can be looked at in full, and set.
#[async_trait]
pub trait AccountSettings: std::fmt::Debug + Send + Sync {
    /// Returns all that the service tells of the account.
    ///
    /// # Errors
    /// The service refuses, or was asked a moment ago and nothing is known.
    async fn account_details(&self) -> Result<AccountDetails>;

    /// Returns what an earlier question told, without a call.
    fn known_account(&self) -> Option<AccountDetails>;

    /// Sets what the change names.
    ///
    /// # Errors
    /// The service refuses.
    async fn set_account(&self, change: &AccountChange) -> Result<()>;
}

/// All that a service tells of an account. `None` where it doesn't say; sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountDetails {
    /// When the service told it.
    pub told_at: Option<SystemTime>,
    /// Owner, subscription and space.
    pub info: AccountInfo,
    /// Seconds until the subscription ends; below 0 when it has ended.
    pub ends_in: Option<i64>,
    /// What lies in cold storage.
    pub cold: Option<u64>,
    /// What may lie in cold storage.
    pub cold_allowed: Option<u64>,
    /// What lies in hot storage.
    pub hot: Option<u64>,
    /// Storage that may be used, as the service calls it.
    pub available: Option<u64>,
    /// Quota of the subscription.
    pub quota: Option<u64>,
    /// Bought quota, in terabytes.
    pub extended_quota: Option<f64>,
    /// End of the bought quota, as the service writes it.
    pub extended_until: Option<String>,
    /// Whether more is stored than is allowed.
    pub over_quota: bool,
    /// Whether uploads are refused.
    pub uploads_forbidden: bool,
    /// CDN credit, in gigabytes.
    pub cdn_credit: Option<f64>,
    /// Whether a second factor is required.
    pub second_factor: bool,
    /// When the numbers were counted, as the service writes it.
    pub counted_at: Option<String>,
    /// What the owner has set.
    pub settings: AccountChange,
}

/// Settings of an account. `None`: not told, or to be left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Whether downloads go through the CDN.
    pub use_cdn: Option<bool>,
    /// Number of the domain of new links.
    pub default_domain: Option<u64>,
    /// Port of downloads.
    pub default_port: Option<u64>,
    /// Entries on a page of the site.
    pub page_limit: Option<u64>,
    /// Whether a menu comes before a download.
    pub download_menu: Option<bool>,
    /// Whether a mail is sent when files are removed.
    pub mail_removals: Option<bool>,
    /// Whether remote uploads report by mail.
    pub mail_fetches: Option<bool>,
    /// Whether FTP reports by mail.
    pub mail_ftp: Option<bool>,
}

impl AccountChange {
    /// Checks whether it sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A remote whose service scans files for viruses.
#[async_trait]
pub trait ScanFiles: std::fmt::Debug + Send + Sync {
    /// Has a file scanned, and returns what was found. It costs a call.
    ///
    /// # Errors
    /// The file is too large for a scan, it is gone, or the service refuses.
    async fn scan(&self, file: &File) -> Result<Scan>;
}

/// What a scan for viruses found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What it means.
    pub verdict: ScanVerdict,
    /// Words of the service.
    pub message: String,
    /// When it was scanned, as the service writes it.
    pub scanned_at: Option<String>,
}

/// What a scan for viruses means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanVerdict {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Infected,
    /// The service's words say neither.
    Unclear,
}
