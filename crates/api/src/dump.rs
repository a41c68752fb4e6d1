//! Requests and answers in the log, for finding mistakes: `--dump`. Keys, passwords, cookies and one-time URLs are
//! never shown, whatever is asked for.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::header::{AUTHORIZATION, COOKIE, LOCATION, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;

use crate::key::ApiKey;

/// Text that replaces a secret.
const HIDDEN: &str = "***";

/// Headers whose values are secret, or hold a secret.
const SECRET_HEADERS: [HeaderName; 5] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE, LOCATION];

/// Fields of JSON objects and forms whose values are secret.
const SECRET_FIELDS: [&str; 2] = ["pass", "password"];

/// Parts of requests and answers to log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one word of a flag")]
pub struct Dump {
    /// Whether to log the headers of both.
    pub headers: bool,
    /// Whether to log the bodies of requests, except for the content of files.
    pub requests: bool,
    /// Whether to log the bodies of answers, except for the content of files.
    pub responses: bool,
    /// Whether to log everything about a request that failed.
    pub errors: bool,
}

impl Dump {
    fn is_off(self) -> bool {
        self == Self::default()
    }
}

/// Writes the requests and answers of a client to the log.
#[derive(Debug, Clone)]
pub(crate) struct Dumper {
    what: Dump,
    key: ApiKey,
    count: Arc<AtomicU64>,
}

/// One request that was sent, and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    dumper: Dumper,
    number: u64,
    /// Text to log if the request fails, and that wasn't logged already.
    kept: String,
    /// Whether the answer holds a URL that works without a key.
    answers_address: bool,
}

impl Dumper {
    /// Makes a dumper; `None` when nothing is to be logged.
    pub(crate) fn new(what: Dump, key: &ApiKey) -> Option<Self> {
        (!what.is_off()).then(|| Self { what, key: key.clone(), count: Arc::default() })
    }

    /// Logs a request.
    pub(crate) fn request(&self, request: &reqwest::Request) -> Exchange {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let url = request.url();
        let path = url.path();
        let is_call = request.headers().contains_key(AUTHORIZATION);
        let answers_address = path.ends_with("get_token.cgi");
        // Without the key, it is a URL that works for anyone, or one that the user wrote.
        let path = if is_call || path.len() <= 1 { path.to_owned() } else { format!("/{HIDDEN}") };
        let host = url.host_str().unwrap_or_default();
        let mut text =
            format!("HTTP REQUEST ({number})\n{} {}://{host}{path} HTTP\n", request.method(), url.scheme());
        self.headers(&mut text, request.headers());
        let mut exchange = Exchange { dumper: self.clone(), number, kept: String::new(), answers_address };
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let shown = match body {
            Some(body) if self.what.requests || self.what.errors => self.body(body, false),
            _ => String::new(),
        };
        if self.what.headers || self.what.requests || self.what.responses {
            let shown = if self.what.requests { shown.as_str() } else { "" };
            tracing::debug!("{text}{shown}");
        } else {
            exchange.kept = text + &shown;
        }
        exchange
    }

    fn headers(&self, text: &mut String, headers: &HeaderMap) {
        for (name, value) in headers {
            let hidden = value.is_sensitive() || SECRET_HEADERS.contains(name);
            let value = String::from_utf8_lossy(value.as_bytes());
            // Writing to a string can't fail.
            let _infallible =
                writeln!(text, "{name}: {}", if hidden { HIDDEN.into() } else { self.key.redact(&value) });
        }
    }

    /// Returns a body as text, without its secrets.
    fn body(&self, body: &[u8], answers_address: bool) -> String {
        let text = match serde_json::from_slice::<Value>(body) {
            Ok(mut value) => {
                hide_fields(&mut value, answers_address);
                value.to_string()
            }
            Err(_) if answers_address => HIDDEN.to_owned(),
            Err(_) => hide_in_form(&String::from_utf8_lossy(body)),
        };
        format!("\n{}\n", self.key.redact(&text))
    }
}

impl Exchange {
    /// Logs the header of the answer.
    pub(crate) fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        let Self { dumper, number, .. } = self;
        let what = dumper.what;
        let mut text = format!("HTTP RESPONSE ({number})\nHTTP {status}\n");
        dumper.headers(&mut text, headers);
        if what.headers || what.requests || what.responses {
            tracing::debug!("{text}");
        } else if status.is_success() || status.is_redirection() {
            self.kept.push_str(&text);
        } else {
            tracing::debug!("{}\n{text}", self.kept);
            self.kept.clear();
        }
    }

    /// Logs that no answer came.
    pub(crate) fn failed(&mut self, error: &reqwest::Error) {
        let kept = std::mem::take(&mut self.kept);
        // The URL is left out, since it may be secret.
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::debug!("{kept}HTTP ERROR ({}): no answer: {cause}", self.number);
    }

    /// Logs the body of the answer, or a part of it.
    pub(crate) fn body(&mut self, body: &[u8]) {
        let what = self.dumper.what;
        if what.responses {
            let text = self.dumper.body(body, self.answers_address);
            tracing::debug!("HTTP RESPONSE BODY ({}){text}", self.number);
        } else if what.errors && is_refusal(body) {
            let kept = std::mem::take(&mut self.kept);
            let text = self.dumper.body(body, self.answers_address);
            tracing::debug!("{kept}HTTP RESPONSE BODY ({}){text}", self.number);
        }
    }
}

/// Checks whether the service refuses although the status is a success (API document, section 1).
fn is_refusal(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).map_or(true, |value| value["status"] == "KO")
}

fn hide_fields(value: &mut Value, answers_address: bool) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let secret = SECRET_FIELDS.contains(&name.as_str()) || answers_address && name == "url";
                match value {
                    Value::String(text) if secret => HIDDEN.clone_into(text),
                    other => hide_fields(other, answers_address),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| hide_fields(value, answers_address)),
        _ => {}
    }
}

fn hide_in_form(text: &str) -> String {
    let fields = text.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if SECRET_FIELDS.contains(&name) => format!("{name}={HIDDEN}"),
        _ => field.to_owned(),
    });
    fields.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dumper() -> Dumper {
        Dumper::new(Dump { headers: true, ..Dump::default() }, &ApiKey::new("s3cr3t-key")).unwrap()
    }

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let text = dumper().body(br#"{"a":[{"pass":"hush","url":"u"}],"message":"s3cr3t-key?"}"#, false);
        assert_eq!(text, "\n{\"a\":[{\"pass\":\"***\",\"url\":\"u\"}],\"message\":\"***?\"}\n");
        assert_eq!(
            dumper().body(br#"{"status":"OK","url":"u"}"#, true),
            "\n{\"status\":\"OK\",\"url\":\"***\"}\n"
        );
        assert_eq!(dumper().body(b"pass=hush&json=1", false), "\npass=***&json=1\n");
        assert_eq!(dumper().body(b"half a tok", true), "\n***\n");
    }

    #[test]
    fn headers_that_prove_who_asks_are_hidden() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Bearer other".parse().unwrap());
        headers.insert("x-mine", "s3cr3t-key".parse().unwrap());
        headers.insert("x-plain", "1".parse().unwrap());
        let mut text = String::new();
        dumper().headers(&mut text, &headers);
        assert_eq!(text, "authorization: ***\nx-mine: ***\nx-plain: 1\n");
    }

    #[test]
    fn nothing_asked_for_costs_nothing() {
        assert!(Dumper::new(Dump::default(), &ApiKey::new("k")).is_none());
    }
}
