//! Remote uploads: files that the service fetches itself (API document, section 10).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tolerant::{self, Form, LeftOut};
use crate::date::WireDate;
use crate::folder_id::FolderId;

/// Request for the service to fetch files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestRemoteUpload {
    /// URLs to fetch.
    pub urls: Vec<String>,
    /// Folder for the files.
    #[serde(rename = "folder_id", skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderId>,
    /// Headers to send with the requests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Answer to [`RequestRemoteUpload`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RequestedRemoteUpload {
    /// Id of the remote upload.
    #[serde(deserialize_with = "tolerant::needed_number")]
    pub id: u64,
    /// Time when it was asked for.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub date: Option<WireDate>,
}

/// A remote upload in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUpload {
    /// Id of the remote upload, if it can be read.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub id: Option<u64>,
    /// Time when it was asked for.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub request_date: Option<WireDate>,
    /// Time when it was done.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub execution_date: Option<WireDate>,
}

impl Form for RemoteUpload {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// List of all remote uploads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RemoteUploads {
    #[serde(deserialize_with = "tolerant::list")]
    pub(crate) data: Vec<RemoteUpload>,
}

/// State of a remote upload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUploadInfo {
    /// URLs to fetch.
    #[serde(deserialize_with = "tolerant::texts")]
    pub links: Vec<String>,
    /// Results of its files.
    #[serde(deserialize_with = "tolerant::list")]
    pub result: Vec<RemoteUploadResult>,
}

/// Result of one file of a remote upload.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoteUploadResult {
    /// Status in the service's words.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub status: Option<String>,
    /// URL that was fetched.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub url: Option<String>,
    /// Link of the file, as the service wrote it.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub download_link: Option<String>,
    /// Message of the service.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub message: Option<String>,
}

impl Form for RemoteUploadResult {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// Request that names a remote upload.
#[derive(Serialize)]
pub(crate) struct OnlyId {
    pub(crate) id: u64,
}
