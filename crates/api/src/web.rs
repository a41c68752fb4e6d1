//! Downloads from anywhere on the web, with the certificates, proxies and time limits of the client, but without the
//! account's key and the service's limits.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::{CONTENT_DISPOSITION, LAST_MODIFIED};
use http::{HeaderName, Method, StatusCode};
use url::Url;

use crate::error::{ApiError, ErrorKind};
use crate::shown::shown_address;
use crate::transport::{Pool, failure};

/// Client for URLs anywhere on the web.
#[derive(Debug, Clone)]
pub struct Web {
    pub(crate) pool: Pool,
    pub(crate) idle_timeout: Duration,
}

/// An answer whose body is still to come.
#[derive(Debug)]
pub struct WebFile {
    response: reqwest::Response,
    idle_timeout: Duration,
}

impl Web {
    /// Requests a URL. Redirects are followed. Any status counts as an answer.
    ///
    /// # Errors
    /// The URL can't be used, or no server answers.
    pub async fn get(&self, address: &str) -> Result<WebFile, ApiError> {
        let url = Url::parse(address).map_err(|error| {
            let shown = shown_address(address);
            ApiError::here(ErrorKind::Invalid(format!("{shown:?} is no address: {error}")))
        })?;
        let sent = self.pool.send(self.pool.request(Method::GET, url)).await;
        let response = sent.map_err(|error| ApiError::here(failure(error, self.idle_timeout)))?;
        Ok(WebFile { response, idle_timeout: self.idle_timeout })
    }
}

impl WebFile {
    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns the URL that answered, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// Returns the size of the body in bytes, if the server gave it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Returns the time of the last change, if the server gave it.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(&self.header(LAST_MODIFIED)?).ok()
    }

    /// Returns the header `Content-Disposition`, which may name the file.
    #[must_use]
    pub fn disposition(&self) -> Option<String> {
        self.header(CONTENT_DISPOSITION)
    }

    fn header(&self, name: HeaderName) -> Option<String> {
        let value = self.response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// Returns the body as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ApiError>> + Send + use<> {
        let idle = self.idle_timeout;
        self.response
            .bytes_stream()
            .map(move |chunk| chunk.map_err(|error| ApiError::here(failure(error, idle))))
    }
}
