//! Answers: JSON, HTML, content, and refusals in the service's words (API document, section 3).

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::{Value, json};
use tokio_stream::{Stream, StreamExt as _};

use crate::gzip::gzip;

/// Body of a response.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Means that the connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(crate) struct Abort;

/// An answer before it is sent.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
}

/// Content of an answer.
pub(crate) enum Payload {
    Bytes(Bytes),
    Stream {
        body: Body,
        length: u64,
    },
    /// Bytes without a known length, or without an end.
    Unmeasured(Body),
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, payload: Payload::Bytes(body.into()) }
    }

    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "application/json; charset=utf-8", body)
    }

    pub(crate) fn value(value: &Value) -> Self {
        Self::json(value.to_string())
    }

    pub(crate) fn text(body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", body)
    }

    /// Makes a page for people. The text is escaped.
    pub(crate) fn html(status: StatusCode, text: &str) -> Self {
        Self::page(status, &format!("<p>{}</p>", escaped(text)))
    }

    /// Makes a page for people of what is HTML already.
    pub(crate) fn page(status: StatusCode, body: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>1fichier.com</title></head><body>{body}</body></html>\n"
        );
        Self::new(status, "text/html; charset=utf-8", page)
    }

    pub(crate) fn redirect(to: &str) -> Self {
        let mut answer = Self::html(StatusCode::FOUND, "What was asked for is elsewhere.");
        answer.set(LOCATION, to);
        answer
    }

    pub(crate) fn stream(status: StatusCode, body: Body, length: u64) -> Self {
        Self { status, headers: HeaderMap::new(), payload: Payload::Stream { body, length } }
    }

    /// Makes an answer of JSON that never ends.
    pub(crate) fn endless() -> Self {
        let piece = Bytes::from(vec![b'['; 64 << 10]);
        let start = Bytes::from_static(b"{\"status\":\"OK\",\"items\":");
        let pieces = tokio_stream::iter(std::iter::once(start).chain(std::iter::repeat(piece)));
        let mut answer = Self::json("");
        answer.payload = Payload::Unmeasured(body_of(pieces));
        answer
    }

    /// Makes the answer go out byte by byte, with a pause between them.
    pub(crate) fn trickle(&mut self, pause: Duration) {
        let Payload::Bytes(bytes) = &self.payload else { return };
        let bytes = bytes.clone();
        let pieces = (0..bytes.len()).map(move |at| bytes.slice(at..=at));
        let slow = tokio_stream::iter(pieces).throttle(pause);
        self.payload = Payload::Unmeasured(body_of(slow));
    }

    /// Sends the first half of what it holds, announces the whole, and breaks off.
    pub(crate) fn cut(&mut self) {
        let Payload::Bytes(bytes) = &self.payload else { return };
        let length = bytes.len() as u64;
        let half = bytes.slice(..bytes.len() / 2);
        let sent = tokio_stream::once(Ok(Frame::data(half)));
        // An error discards what isn't on the wire yet: let it get there first.
        let broken = tokio_stream::iter([Bytes::new(), Bytes::new()])
            .throttle(Duration::from_millis(50))
            .skip(1)
            .map(|_| Err(io::ErrorKind::ConnectionAborted.into()));
        self.payload = Payload::Stream { body: StreamBody::new(sent.chain(broken)).boxed_unsync(), length };
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
    }

    /// Compresses what is short and whole, for a client that takes gzip.
    pub(crate) fn compress(&mut self) {
        let is_text = self.headers.get(CONTENT_TYPE).is_some_and(|kind| {
            [&b"application/json"[..], b"text/"].iter().any(|start| kind.as_bytes().starts_with(start))
        });
        if let Payload::Bytes(bytes) = &self.payload
            && is_text
            && !bytes.is_empty()
            && !self.headers.contains_key(CONTENT_ENCODING)
            // What can't be packed goes as it is: nobody has to take gzip.
            && let Ok(packed) = gzip(bytes)
        {
            self.payload = Payload::Bytes(packed.into());
            self.set(CONTENT_ENCODING, "gzip");
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let (body, length) = match self.payload {
            Payload::Bytes(bytes) => {
                let length = bytes.len() as u64;
                (Full::new(bytes).map_err(|never| match never {}).boxed_unsync(), Some(length))
            }
            Payload::Stream { body, length } => (body, Some(length)),
            Payload::Unmeasured(body) => (body, None),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

/// Returns a text as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn body_of(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(pieces.map(|piece| Ok::<_, io::Error>(Frame::data(piece)))).boxed_unsync()
}

/// Why the service refuses a call.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The service refuses, with this text.
    Ko(StatusCode, String),
    /// The emulator itself failed.
    Broken(String),
}

impl Refusal {
    pub(crate) fn flood() -> Self {
        Self::forbidden("Flood detected: IP Locked #374")
    }

    pub(crate) fn not_authenticated() -> Self {
        Self::Ko(StatusCode::UNAUTHORIZED, "Not authenticated #247".to_owned())
    }

    pub(crate) fn no_such_user() -> Self {
        Self::forbidden("No such user #93")
    }

    pub(crate) fn not_found() -> Self {
        Self::Ko(StatusCode::NOT_FOUND, "Resource not found #469".to_owned())
    }

    pub(crate) fn not_allowed() -> Self {
        Self::forbidden("Resource not allowed #631")
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::Ko(StatusCode::FORBIDDEN, message.to_owned())
    }

    /// Makes a failure that comes with status 200, as the document says some do.
    pub(crate) fn ko(message: impl Into<String>) -> Self {
        Self::Ko(StatusCode::OK, message.into())
    }

    pub(crate) fn into_answer(self) -> Answer {
        match self {
            Self::Ko(status, mut message) => {
                // Each has a number.
                if !message.contains('#') {
                    message += " #100";
                }
                let mut answer = Answer::value(&json!({"status": "KO", "message": message}));
                answer.status = status;
                answer
            }
            Self::Broken(reason) => {
                tracing::error!(reason, "the emulator failed");
                Answer::html(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
            }
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.to_string())
    }
}
