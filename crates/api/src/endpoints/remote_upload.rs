//! Calls on remote uploads (API document, section 10).

use serde_json::json;

use crate::client::{Client, not_empty};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::wire::remote_upload::{
    OnlyId, RemoteUpload, RemoteUploadInfo, RemoteUploads, RequestRemoteUpload, RequestedRemoteUpload,
};

impl Client {
    /// Lists all remote uploads.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn remote_uploads(&self) -> Result<Vec<RemoteUpload>, ApiError> {
        let list: RemoteUploads = self.plain(Endpoint::RemoteLs, &json!({})).await?;
        Ok(list.data)
    }

    /// Returns the state of a remote upload.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn remote_upload(&self, id: u64) -> Result<RemoteUploadInfo, ApiError> {
        self.plain(Endpoint::RemoteInfo, &OnlyId { id }).await
    }

    /// Asks the service to fetch files.
    ///
    /// # Errors
    /// Never repeated after a lost answer; [`ApiError::maybe_done`] says so then.
    pub async fn request_remote_upload(
        &self,
        request: &RequestRemoteUpload,
    ) -> Result<RequestedRemoteUpload, ApiError> {
        not_empty(Endpoint::RemoteRequest, &request.urls)?;
        self.plain(Endpoint::RemoteRequest, request).await
    }
}
