//! Downloads (API document, section 6): a token from the API, then the bytes from a node.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt};
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, Method, StatusCode};
use tokio::time::{Sleep, sleep, timeout};

use crate::answer::{Answer, known_text};
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::key::ApiKey;
use crate::message;
use crate::pacer::{CallClass, Connection, retry_after};
use crate::page::is_html;
use crate::transport::{failure, none_if_zero, page_of, status_error};
use crate::wire::download::{DownloadToken, TokenRequest};

/// Longest body that may be a message for people in place of a file, in bytes.
const LONGEST_MESSAGE: u64 = 1000;

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// The bytes from this position, counted from 0, to the end.
    From(u64),
    /// The bytes from this position on, as many as `length` says; at least one.
    Span {
        /// Position of the first byte, counted from 0.
        start: u64,
        /// Number of bytes.
        length: u64,
    },
    /// This many bytes at the end.
    Last(u64),
}

impl ByteRange {
    fn header(self) -> Result<String, ErrorKind> {
        Ok(match self {
            Self::From(start) => format!("bytes={start}-"),
            Self::Last(length) if length > 0 => format!("bytes=-{length}"),
            Self::Span { start, length } if length > 0 => {
                format!("bytes={start}-{}", start.saturating_add(length - 1))
            }
            Self::Span { .. } | Self::Last(_) => {
                return Err(ErrorKind::Invalid("a range of no bytes can't be asked for".into()));
            }
        })
    }
}

/// A download that has begun: the header of the answer, and a stream of the bytes.
///
/// The stream ends without an error only after as many bytes as were announced. Otherwise its last item is an error,
/// and the rest can be asked for by range.
pub struct Download {
    status: u16,
    length: Option<u64>,
    start: u64,
    total: Option<u64>,
    left: Option<u64>,
    body: BoxStream<'static, Result<Bytes, ErrorKind>>,
    ended: bool,
    /// Longest time that the node may send nothing.
    idle: Duration,
    /// Runs only while a byte is waited for.
    silence: Option<Pin<Box<Sleep>>>,
    /// User's name for the remote, for errors.
    remote: Option<Arc<str>>,
}

impl Download {
    /// Returns the HTTP status: 206 for the range asked for, 200 for the whole file, whatever was asked for.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the number of bytes to come, if announced.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the position of the first byte in the file, from 0.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the size of the whole file, if announced.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

impl Stream for Download {
    type Item = Result<Bytes, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = match self.body.poll_next_unpin(context) {
            Poll::Ready(next) => {
                self.silence = None;
                next
            }
            Poll::Pending => {
                let idle = self.idle;
                let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(none_if_zero(idle))));
                ready!(silence.as_mut().poll(context));
                Some(Err(ErrorKind::Timeout { idle }))
            }
        };
        let kind = match next {
            Some(Ok(bytes)) => {
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                return Poll::Ready(Some(Ok(bytes)));
            }
            Some(Err(kind)) => kind,
            None => {
                self.ended = true;
                match self.left {
                    None | Some(0) => return Poll::Ready(None),
                    Some(left) => ErrorKind::Truncated { snippet: format!("{left} bytes are missing") },
                }
            }
        };
        self.ended = true;
        Poll::Ready(Some(Err(ApiError::new(Endpoint::Download, kind).of(self.remote.clone()))))
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("status", &self.status)
            .field("length", &self.length)
            .field("start", &self.start)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Fetches a download token.
    ///
    /// # Errors
    /// `TooManyLocations` and `NeedsCdn` happen here; `NotAllowed` also when a password is missing or wrong.
    pub async fn download_token(&self, request: &TokenRequest) -> Result<DownloadToken, ApiError> {
        let request = TokenRequest { file: self.asked_for(&request.file), ..request.clone() };
        self.post(self.call(Endpoint::GetToken, CallClass::Token), &request).await
    }

    /// Waits for the right to one more download connection of the account. Get it before the token, which would grow old
    /// meanwhile, and keep it as long as the download goes on.
    ///
    /// # Errors
    /// `Canceled` when all waits are to end.
    pub async fn download_connection(&self) -> Result<Connection, ApiError> {
        let call = self.call(Endpoint::Download, CallClass::Node);
        let taken = self.inner.pacer.connection(call).await;
        taken.map_err(|kind| ApiError::new(Endpoint::Download, kind).with_history(0, false))
    }

    /// Begins to read a file, or a part of it. Isn't paced; repeated until the head of an answer has come,
    /// not afterwards.
    ///
    /// # Errors
    /// `TokenRefused` when the token is used up or too old: fetch another one. `RangeNotSatisfiable` when the range
    /// begins after the end.
    pub async fn open_download(
        &self,
        token: &DownloadToken,
        range: Option<ByteRange>,
    ) -> Result<Download, ApiError> {
        let call = self.call(Endpoint::Download, CallClass::Node);
        self.inner.pacer.run(call, || self.try_download(token, range)).await
    }

    async fn try_download(
        &self,
        token: &DownloadToken,
        range: Option<ByteRange>,
    ) -> Result<Download, ErrorKind> {
        let transport = &self.inner.transport;
        let idle = transport.settings().idle_timeout;
        let pool = transport.download_pool()?;
        let mut request = pool.request(Method::GET, token.url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            request = request.header(RANGE, range.header()?);
        }
        let head = timeout(none_if_zero(idle), pool.send(request)).await;
        let response =
            head.map_err(|_| ErrorKind::Timeout { idle })?.map_err(|error| failure(error, idle))?;
        let status = response.status();
        let headers = response.headers();
        let page = is_page(headers);
        let (start, total) = placed(headers);
        let after = retry_after(headers, SystemTime::now());
        let length = response.content_length();
        if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) || page {
            let body = page_of(response, idle).await.into();
            return Err(refusal(&Answer { status, retry_after: after, body }, transport.key()));
        }
        // A lock may be told by a text with the status of a file. A file would come as one to save or to show.
        if status == StatusCode::OK
            && is_text(headers)
            && length.is_some_and(|length| length <= LONGEST_MESSAGE)
        {
            let body: Bytes = page_of(response, idle).await.into();
            if let Some(said) = known_text(&body, transport.key()) {
                return Err(said);
            }
            let whole = Some(body.len() as u64);
            return Ok(Download {
                status: status.as_u16(),
                length: whole,
                start: 0,
                total: length,
                left: length,
                body: futures::stream::iter([Ok(body)]).boxed(),
                ended: false,
                idle,
                silence: None,
                remote: self.inner.pacer.remote().cloned(),
            });
        }
        let partial = status == StatusCode::PARTIAL_CONTENT;
        Ok(Download {
            status: status.as_u16(),
            length,
            start: if partial { start.unwrap_or(0) } else { 0 },
            total: if partial { total } else { length },
            left: length,
            body: response.bytes_stream().map(move |item| item.map_err(|error| failure(error, idle))).boxed(),
            ended: false,
            idle,
            silence: None,
            remote: self.inner.pacer.remote().cloned(),
        })
    }
}

/// Checks for a page for people instead of a file; a file would come as one to save or to show.
fn is_page(headers: &HeaderMap) -> bool {
    let html = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
    html && !headers.contains_key(CONTENT_DISPOSITION)
}

/// Checks for a text that isn't sent as a file.
fn is_text(headers: &HeaderMap) -> bool {
    let text = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/"));
    text && !headers.contains_key(CONTENT_DISPOSITION)
}

/// Returns the position of the first byte and the size of the whole from `Content-Range: bytes 10-19/100`.
fn placed(headers: &HeaderMap) -> (Option<u64>, Option<u64>) {
    let text = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((span, total)) = text.trim().strip_prefix("bytes ").and_then(|rest| rest.split_once('/')) else {
        return (None, None);
    };
    (span.split('-').next().and_then(|start| start.trim().parse().ok()), total.trim().parse().ok())
}

/// Returns why a node sent no bytes.
fn refusal(answer: &Answer, key: &ApiKey) -> ErrorKind {
    let (status, body) = (answer.status, &answer.body);
    if status == StatusCode::RANGE_NOT_SATISFIABLE {
        return ErrorKind::RangeNotSatisfiable;
    }
    let said = answer.read::<serde::de::IgnoredAny>(key).err();
    let token = matches!(status.as_u16(), 401 | 403 | 404 | 410);
    match said {
        // The text decides, where it is known: a flood, a VPN, too many places.
        Some(kind) if !is_about_token(&kind) => kind,
        Some(kind) if token => {
            let words = match &kind {
                ErrorKind::Html { title, .. } => Some(title.clone()),
                ErrorKind::Refused { text, .. } | ErrorKind::NotFound { text } => Some(text.clone()),
                _ => None,
            };
            // That the service is out of order says nothing of the file or the address.
            let words =
                words.filter(|words| !matches!(message::known(words), Some(ErrorKind::OutOfOrder { .. })));
            ErrorKind::TokenRefused { status: status.as_u16(), words }
        }
        Some(kind) if is_html(body) || status.is_success() => kind,
        _ => status_error(status, answer.retry_after, body, key),
    }
}

/// Checks whether a refusal may only mean that the token has expired.
fn is_about_token(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Html { .. }
            | ErrorKind::Status { .. }
            | ErrorKind::Refused { .. }
            | ErrorKind::NotFound { .. }
            | ErrorKind::Wordless { .. }
            | ErrorKind::Truncated { .. }
            | ErrorKind::InvalidJson { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_http_wants_them() {
        assert_eq!(ByteRange::From(5).header().unwrap(), "bytes=5-");
        assert_eq!(ByteRange::Span { start: 5, length: 1 }.header().unwrap(), "bytes=5-5");
        assert_eq!(ByteRange::Span { start: 5, length: 10 }.header().unwrap(), "bytes=5-14");
        assert_eq!(ByteRange::Last(3).header().unwrap(), "bytes=-3");
        assert!(ByteRange::Last(0).header().is_err());
        assert!(ByteRange::Span { start: 1, length: 0 }.header().is_err());
    }

    #[test]
    fn a_refusal_has_words_only_where_they_tell_a_reason() {
        let of = |status: u16, body: &'static str| {
            let status = StatusCode::from_u16(status).unwrap();
            let body = Bytes::from_static(body.as_bytes());
            refusal(&Answer { status, retry_after: None, body }, &ApiKey::new("s3cr3t-key"))
        };
        for body in
            ["", "<title>x</title><p>The service is not available.</p>", "<p>Down for maintenance</p>"]
        {
            let refused = of(403, body);
            let wordless = matches!(&refused, ErrorKind::TokenRefused { status: 403, words: None });
            assert_eq!(wordless, !body.contains("Down"), "{body}: {refused:?}");
        }
        let refused = of(403, "<p>This file was blocked for copyright</p>");
        assert!(matches!(&refused, ErrorKind::TokenRefused { words: Some(_), .. }), "{refused:?}");
        for status in [200, 403, 404, 429, 503] {
            let locked = of(status, "IP Locked");
            assert!(matches!(locked, ErrorKind::AddressLocked { .. }), "{status}: {locked:?}");
        }
    }

    #[test]
    fn the_place_of_a_range_is_read() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, text.parse().unwrap());
            placed(&headers)
        };
        assert_eq!(of("bytes 10-19/100"), (Some(10), Some(100)));
        assert_eq!(of("bytes 10-19/*"), (Some(10), None));
        assert_eq!(of("nonsense"), (None, None));
    }
}
