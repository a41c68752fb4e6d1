//! Download tokens (API document, section 6).

use serde::{Deserialize, Serialize, Serializer};

use super::file::FileOf;
use super::tolerant;

/// Request for a download token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenRequest {
    /// File to download.
    #[serde(flatten)]
    pub file: FileOf,
    /// Whether the token can be used for one request only. Otherwise ranges and repetitions work, too.
    #[serde(serialize_with = "tolerant::write_flag")]
    pub single: bool,
    /// Whether browsers should show the file rather than save it.
    #[serde(skip_serializing_if = "is_false", serialize_with = "tolerant::write_flag")]
    pub inline: bool,
    /// Whether to download through the CDN.
    #[serde(skip_serializing_if = "is_false", serialize_with = "tolerant::write_flag")]
    pub cdn: bool,
    /// IP addresses that may use the token; only with the CDN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restrict_ip: Option<RestrictIp>,
    /// Whether to download without TLS.
    #[serde(skip_serializing_if = "is_false", serialize_with = "tolerant::write_flag")]
    pub no_ssl: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl TokenRequest {
    /// Makes a request for a token that can be used for many requests.
    pub fn new(file: impl Into<FileOf>) -> Self {
        Self { file: file.into(), single: false, inline: false, cdn: false, restrict_ip: None, no_ssl: false }
    }
}

/// IP addresses that may use a token for the CDN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestrictIp {
    /// Any address.
    Anybody = 0,
    /// One address, which must not change.
    OneAddress = 1,
    /// One address, without sub-requests.
    OneAddressOneRequest = 2,
}

impl Serialize for RestrictIp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// A download token: the URL of the bytes, with which a request can be started for 5 minutes. Anyone who knows it can
/// read the file, so `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DownloadToken {
    /// URL of the bytes.
    #[serde(deserialize_with = "address")]
    pub url: url::Url,
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<url::Url, D::Error> {
    // The error doesn't quote the URL: it may be valid except for a detail.
    tolerant::parsed(deserializer)?
        .ok_or_else(|| serde::de::Error::custom("the address of the bytes is missing"))
}

impl std::fmt::Debug for DownloadToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DownloadToken({}/***)", self.url.host_str().unwrap_or_default())
    }
}

impl From<url::Url> for DownloadToken {
    fn from(url: url::Url) -> Self {
        Self { url }
    }
}
