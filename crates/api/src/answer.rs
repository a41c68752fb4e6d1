//! Reads answers: JSON that says OK, JSON that says KO, a page for people, or a part of something.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ErrorKind;
use crate::key::ApiKey;
use crate::mended_json::mended;
use crate::message;
use crate::page::{self, is_html};
use crate::shown::shown;
use crate::transport::status_error;
use crate::wire::tolerant;

/// Longest quotation of an answer, in characters.
const SNIPPET: usize = 120;

/// Length in bytes from which a text isn't a short message for people.
const LONGEST_PLAIN: usize = 1000;

/// Text that replaces an answer which repeats the key.
const WITHHELD: &str = "(it repeats the key, so it isn't shown)";

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Fields that every answer has. Some are written `Status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Envelope {
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub(crate) status: Option<String>,
    #[serde(rename = "Status", deserialize_with = "tolerant::opt_text")]
    pub(crate) capital_status: Option<String>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub(crate) message: Option<String>,
}

impl Envelope {
    /// Checks that the answer says OK. Otherwise returns its error, or `wordless` if it has no message.
    pub(crate) fn check(
        self,
        status: StatusCode,
        key: &ApiKey,
        wordless: impl Fn() -> ErrorKind,
    ) -> Result<(), ErrorKind> {
        let said = self.status.or(self.capital_status);
        let ok = said.as_deref().is_none_or(|status| status.eq_ignore_ascii_case("ok"));
        if ok && status.is_success() {
            return Ok(());
        }
        let said = said.filter(|said| !said.eq_ignore_ascii_case("ko") && !said.eq_ignore_ascii_case("ok"));
        let words = self.message.or(said).filter(|words| !words.trim().is_empty());
        let words = match words {
            Some(words) if !ok || status.is_client_error() => key.redact(&words),
            // It says KO without a reason.
            None if !ok && (status.is_success() || status.is_client_error()) => {
                return Err(ErrorKind::Wordless { status: status.as_u16() });
            }
            _ => return Err(wordless()),
        };
        Err(match message::classify(&words) {
            // A server error isn't caused by the item, whatever its text.
            ErrorKind::Refused { .. } if status.is_server_error() => wordless(),
            kind => kind,
        })
    }
}

impl Answer {
    /// Parses an answer of the API, which is an object. A list instead would be read as an object without any field.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &ApiKey) -> Result<T, ErrorKind> {
        self.check_kind(key)?;
        match self.first() {
            Some(b'{') => {
                self.check_envelope(key)?;
                self.parse(key)
            }
            first => Err(self.no_answer(first, key)),
        }
    }

    /// Parses an answer that is a list. An object instead of it says what is wrong.
    pub(crate) fn read_list<T: DeserializeOwned>(&self, key: &ApiKey) -> Result<T, ErrorKind> {
        self.check_kind(key)?;
        match self.first() {
            Some(b'[') if self.status.is_success() => self.parse(key),
            Some(b'{') => {
                self.check_envelope(key)?;
                Err(self.senseless("an object came instead of a list", key))
            }
            first => Err(self.no_answer(first, key)),
        }
    }

    /// Returns the answer without what some servers put before JSON.
    fn json(&self) -> &[u8] {
        self.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.body)
    }

    fn first(&self) -> Option<u8> {
        self.json().trim_ascii_start().first().copied()
    }

    /// Returns the error for an answer that is neither an object nor a page.
    fn no_answer(&self, first: Option<u8>, key: &ApiKey) -> ErrorKind {
        match known_text(&self.body, key) {
            Some(kind) => kind,
            None if !self.status.is_success() => status_error(self.status, self.retry_after, &self.body, key),
            None => match self.parse::<serde::de::IgnoredAny>(key) {
                Ok(_) if first == Some(b'[') => self.senseless("a list came instead of an object", key),
                Ok(_) => self.senseless("no object came", key),
                Err(kind) => kind,
            },
        }
    }

    /// Returns the error for an answer that can be read, but not be true.
    pub(crate) fn senseless(&self, problem: &str, key: &ApiKey) -> ErrorKind {
        let snippet = if key.occurs_in(&self.body) {
            WITHHELD.to_owned()
        } else {
            quote(&String::from_utf8_lossy(&self.body[..self.body.len().min(4 * SNIPPET)]))
        };
        ErrorKind::InvalidJson { problem: problem.to_owned(), snippet, well_formed: true }
    }

    /// Refuses what is certainly no answer: an overload, a page for people.
    fn check_kind(&self, key: &ApiKey) -> Result<(), ErrorKind> {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            // What the service says may ask for a longer pause than the status does.
            let said = if self.retry_after.is_none() { self.known_words(key) } else { None };
            let status = ErrorKind::Status { code: self.status.as_u16(), retry_after: self.retry_after };
            return Err(said.unwrap_or(status));
        }
        if is_html(&self.body) {
            return Err(match self.retry_after {
                Some(_) if !self.status.is_success() => {
                    status_error(self.status, self.retry_after, &self.body, key)
                }
                // These concern this very request, at any time: it is too large as a whole, in its URL or in its
                // header.
                None if matches!(self.status.as_u16(), 413 | 414 | 431) => {
                    ErrorKind::Status { code: self.status.as_u16(), retry_after: None }
                }
                _ => page_error(&self.body, self.status, key),
            });
        }
        Ok(())
    }

    /// Returns the meaning of what the service says, in JSON, on a page or as a text; `None` if it is unknown.
    fn known_words(&self, key: &ApiKey) -> Option<ErrorKind> {
        if is_html(&self.body) {
            return message::on_page(&page::all_words(&self.body, key), &page::gist(&self.body, key));
        }
        if self.first() == Some(b'{') {
            let message = self.parse::<Envelope>(key).ok()?.message?;
            return message::known(&key.redact(&message));
        }
        known_text(&self.body, key)
    }

    fn check_envelope(&self, key: &ApiKey) -> Result<(), ErrorKind> {
        let wordless = || status_error(self.status, self.retry_after, &self.body, key);
        match self.parse::<Envelope>(key) {
            Ok(envelope) => envelope.check(self.status, key, wordless),
            Err(_) if !self.status.is_success() => Err(wordless()),
            Err(kind) => Err(kind),
        }
    }

    /// Parses JSON, corrected if need be, and says what is wrong with it.
    pub(crate) fn parse<T: DeserializeOwned>(&self, key: &ApiKey) -> Result<T, ErrorKind> {
        use serde_json::error::Category;
        let json = self.json();
        let error = match serde_json::from_slice(json) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if error.classify() == Category::Eof {
            return Err(ErrorKind::Truncated { snippet: tail(json, key) });
        }
        let mended = mended(json);
        if let Ok(value) = serde_json::from_slice(&mended) {
            return Ok(value);
        }
        // A field that occurs twice isn't a missing one.
        if error.classify() == Category::Data
            && let Ok(value) = serde_json::from_slice::<serde_json::Value>(&mended)
            && let Ok(value) = T::deserialize(value)
        {
            return Ok(value);
        }
        Err(ErrorKind::InvalidJson {
            problem: shown(&key.redact(&error.to_string())),
            snippet: around(json, &error, key),
            well_formed: error.classify() == Category::Data,
        })
    }
}

/// Returns the meaning of a text that came instead of an answer or of bytes, whatever the status beside it; `None` if
/// the service isn't known to say so. Only short texts are messages for people.
pub(crate) fn known_text(body: &[u8], key: &ApiKey) -> Option<ErrorKind> {
    let is_message = body.len() <= LONGEST_PLAIN && !is_html(body);
    let first = body.trim_ascii_start().first()?;
    if !is_message || matches!(first, b'{' | b'[') {
        return None;
    }
    message::known(&key.redact(&String::from_utf8_lossy(body)))
}

/// Returns the meaning of a page that came instead of an answer.
pub(crate) fn page_error(body: &[u8], status: StatusCode, key: &ApiKey) -> ErrorKind {
    let gist = page::gist(body, key);
    message::on_page(&page::all_words(body, key), &gist)
        .unwrap_or(ErrorKind::Html { title: gist, status: status.as_u16() })
}

/// Returns a text as one line, not too long.
fn quote(text: &str) -> String {
    let words = shown(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match words.char_indices().nth(SNIPPET) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

fn tail(body: &[u8], key: &ApiKey) -> String {
    if key.occurs_in(body) {
        return WITHHELD.to_owned();
    }
    let text = String::from_utf8_lossy(&body[body.len().saturating_sub(4 * SNIPPET)..]).into_owned();
    let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String =
        words.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    match words.char_indices().rev().nth(SNIPPET - 1) {
        Some((start, _)) if start > 0 => format!("…{}", &words[start..]),
        _ => words,
    }
}

/// Returns the text around a problem.
fn around(body: &[u8], error: &serde_json::Error, key: &ApiKey) -> String {
    if key.occurs_in(body) {
        return WITHHELD.to_owned();
    }
    // Lines and columns count from 1; most answers have one line.
    let line_start = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let place = (line_start + error.column()).min(body.len());
    let start = place.saturating_sub(SNIPPET / 2);
    let end = (place + SNIPPET / 2).min(body.len());
    quote(&String::from_utf8_lossy(&body[start..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn read(status: u16, body: &str) -> Result<Value, ErrorKind> {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, retry_after: None, body: Bytes::copy_from_slice(body.as_bytes()) };
        answer.read(&ApiKey::new("s3cr3t-key"))
    }

    #[test]
    fn what_says_ok_or_nothing_is_read() {
        for body in [
            r#"{"status":"OK"}"#,
            r#"{"Status":"ok","a":1}"#,
            r#"{"folder_id":1}"#,
            "\u{feff}{}",
            r#"{"status":"OK","name":"a\qb"}"#,
            r#"{"status":"OK","status":"OK"}"#,
        ] {
            assert!(read(200, body).is_ok(), "{body}");
        }
        for body in ["[]", "[1]", "null", "7", "\"OK\""] {
            let error = read(200, body).unwrap_err();
            assert!(matches!(error, ErrorKind::InvalidJson { .. }) && error.may_pass(), "{body}: {error:?}");
        }
    }

    #[test]
    fn a_page_that_says_too_large_is_no_overload() {
        let refused = read(413, "<html><title>413 Request Entity Too Large</title></html>").unwrap_err();
        assert!(matches!(refused, ErrorKind::Status { code: 413, .. }) && !refused.may_pass(), "{refused:?}");
    }

    #[test]
    fn what_says_ko_is_an_error_at_any_status() {
        for status in [200, 401, 403, 404, 500] {
            for body in [
                r#"{"status":"KO","message":"Flood detected: IP Locked #374"}"#,
                r#"{"message":"Flood detected: IP Locked #374","Status":"ko"}"#,
            ] {
                assert!(matches!(read(status, body), Err(ErrorKind::Flood { .. })), "{status} {body}");
            }
        }
        for body in
            [r#"{"status":"KO"}"#, r#"{"status":"KO","message":""}"#, r#"{"status":"KO","message":[]}"#]
        {
            let refused = read(200, body).unwrap_err();
            assert!(matches!(refused, ErrorKind::Wordless { .. }) && refused.may_pass(), "{refused:?}");
        }
        for status in [200, 403, 429, 503] {
            for body in ["IP Locked", "IP Locked #79\n", "\"IP Locked\"", "\u{feff}IP Locked"] {
                let locked = read(status, body);
                assert!(
                    matches!(locked, Err(ErrorKind::AddressLocked { .. })),
                    "{status} {body}: {locked:?}"
                );
            }
            let flood = read(status, "Flood detected: IP Locked #374");
            assert!(matches!(flood, Err(ErrorKind::Flood { .. })), "{status}: {flood:?}");
        }
        let refused = read(403, r#"{"message":"Some odd thing #186"}"#);
        assert!(matches!(refused, Err(ErrorKind::Refused { number: Some(186), .. })), "{refused:?}");
    }

    #[test]
    fn server_errors_may_pass_whatever_their_text() {
        for body in [r#"{"status":"KO","message":"oops"}"#, "oops", "", r#"{"status":"OK"}"#, "{"] {
            let error = read(502, body).unwrap_err();
            assert!(matches!(error, ErrorKind::Status { code: 502, .. }), "{body}: {error:?}");
        }
    }

    #[test]
    fn a_page_is_quoted_by_its_title() {
        for status in [200, 403, 503] {
            let error =
                read(status, "\n<!DOCTYPE html><HTML><Title>\n Down for\tmaintenance </Title>").unwrap_err();
            let ErrorKind::Html { title, status: seen } = &error else { panic!("{error:?}") };
            assert_eq!((title.as_str(), *seen), ("Down for maintenance", status));
        }
        let error = read(403, "<title>1fichier</title><p>Your requests are too fast.</p>").unwrap_err();
        assert!(
            matches!(&error, ErrorKind::Flood { text } if text == "1fichier: Your requests are too fast."),
            "{error:?}"
        );
    }

    #[test]
    fn a_piece_of_json_is_told_from_nonsense() {
        let error = read(200, r#"{"status":"OK","items":[{"na"#).unwrap_err();
        assert!(
            matches!(&error, ErrorKind::Truncated { snippet } if snippet.ends_with(r#"{"na"#)),
            "{error:?}"
        );
        let error = read(200, "").unwrap_err();
        assert!(matches!(error, ErrorKind::Truncated { .. }), "{error:?}");
        let error = read(200, r#"{"status":oops}"#).unwrap_err();
        assert!(error.may_pass() && error.to_string().contains("oops"), "{error:?}");
        let odd =
            Answer { status: StatusCode::OK, retry_after: None, body: Bytes::from_static(b"{\"id\":[]}") };
        let error = odd.read::<crate::wire::upload::UploadNode>(&ApiKey::new("k")).unwrap_err();
        assert!(error.may_pass(), "{error:?}");
    }

    #[test]
    fn the_key_is_taken_out_of_what_the_service_says() {
        for body in [
            r#"{"status":"KO","message":"bad key s3cr3t-key #1"}"#,
            r#"{"status":s3cr3t-key"#,
            r#"{"a":"s3cr3t-key"#,
            "<title>s3cr3t-key",
        ] {
            let error = read(200, body).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 200u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
            let answer = Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.into() };
            let _ = answer.read::<Value>(&ApiKey::new("s3cr3t-key"));
        }
    }
}
