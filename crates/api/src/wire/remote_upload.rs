//! Remote uploads: files that the service fetches itself (API document, section 10).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tolerant::{self, Form, LeftOut};
use crate::date::WireDate;
use crate::folder_id::FolderId;

/// Asks the service to fetch files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestRemoteUpload {
    /// Where from.
    pub urls: Vec<String>,
    /// Where to.
    #[serde(rename = "folder_id", skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderId>,
    /// Headers to send along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// A remote upload, asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestedRemoteUpload {
    /// Its number.
    #[serde(deserialize_with = "tolerant::needed_number")]
    pub id: u64,
    /// When it was asked for.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub date: Option<WireDate>,
}

/// A remote upload in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUpload {
    /// Its number, if it can be read.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub id: Option<u64>,
    /// When it was asked for.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub request_date: Option<WireDate>,
    /// When it was done.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub execution_date: Option<WireDate>,
}

impl Form for RemoteUpload {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// The list of all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RemoteUploads {
    #[serde(deserialize_with = "tolerant::list")]
    pub(crate) data: Vec<RemoteUpload>,
}

/// How a remote upload went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUploadInfo {
    /// What was to be fetched.
    #[serde(deserialize_with = "tolerant::texts")]
    pub links: Vec<String>,
    /// What became of it.
    #[serde(deserialize_with = "tolerant::list")]
    pub result: Vec<RemoteUploadResult>,
}

/// What became of one of its files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUploadResult {
    /// The service's word for it.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub status: Option<String>,
    /// Where from.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub url: Option<String>,
    /// The file's link, as the service wrote it.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub download_link: Option<String>,
    /// The service's words.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub message: Option<String>,
}

impl Form for RemoteUploadResult {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// Names a remote upload.
#[derive(Serialize)]
pub(crate) struct OnlyId {
    pub(crate) id: u64,
}
