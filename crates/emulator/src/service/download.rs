//! Downloads: tokens, and the nodes that serve them (API document, section 6).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, LAST_MODIFIED, RANGE};
use http::{Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::call::{Call, Flag, Reply, Which};
use super::{Origin, Service, Visit};
use crate::answer::{Abort, Answer, Body, Refusal};
use crate::fault_book::About;
use crate::faults::FaultKind;
use crate::state::{BlobReader, FileRow, TokenUse, blocking};

/// How long after it was given out a token can be used first; scaled with the limits.
const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// How long what was begun with a token may go on by further requests; scaled with the limits.
const GOING_ON: Duration = Duration::from_secs(1800);

/// How long to wait before a cut, so that what was sent before arrives.
const CUT_PAUSE: Duration = Duration::from_millis(100);

/// Size of the pieces in which content is read and sent, in bytes.
const PIECE: u64 = 128 * 1024;

/// Characters that RFC 5987 allows unescaped.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Deserialize)]
struct GetToken {
    inline: Option<Flag>,
    #[serde(default)]
    cdn: Flag,
    restrict_ip: Option<super::call::Id>,
    #[serde(default)]
    single: Flag,
    no_ssl: Option<Flag>,
    #[serde(flatten)]
    which: Which,
}

/// Returns a download token. A protected file needs its password also from its owner: the document makes no
/// exception.
pub(super) fn get_token(call: &Call<'_>) -> Reply {
    let params: GetToken = call.params()?;
    let file = call.file(&params.which)?;
    Call::check_password(&file, params.which.pass.as_deref())?;
    call.check_access(&file)?;
    let restrict = match params.restrict_ip.map_or(0, |restrict| restrict.0) {
        // The restriction concerns the CDN only.
        _ if !params.cdn.0 => 0,
        restrict @ 0..=2 => restrict,
        _ => return Err(Refusal::ko("Invalid parameters: restrict_ip is 0, 1 or 2 #100")),
    };
    let single = params.single.0 || restrict == 2 || call.service.single_tokens;
    let inline = params.inline.map_or(file.inline, |flag| flag.0);
    let token = call.tx.add_token(&file.code, (restrict > 0).then_some(call.ip), single, inline)?;
    let url = match call.origin {
        Origin::Direct => format!("http://{}/{token}", call.host),
        Origin::Proxied { .. } => {
            let plain = params.no_ssl.map_or(file.no_ssl, |flag| flag.0);
            let node = rand::rng().random_range(1..=9);
            format!("{}://a-{node}.1fichier.com/{token}", if plain { "http" } else { "https" })
        }
    };
    call.reply(&json!({"status": "OK", "url": url, "message": "OK"}))
}

/// Meaning of a `Range` header.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part { from: u64, to: u64 },
    Impossible,
}

/// Parses a single range. Several ranges, or text that isn't a range, are ignored, as RFC 9110 allows.
fn asked(range: Option<&str>, size: u64) -> Asked {
    let Some((from, to)) =
        range.and_then(|range| range.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number =
        |text: &str| if text.is_empty() { Some(None) } else { text.trim().parse::<u64>().ok().map(Some) };
    match (number(from.trim()), number(to.trim())) {
        (Some(None), Some(Some(last))) if last > 0 && size > 0 => {
            Asked::Part { from: size.saturating_sub(last), to: size - 1 }
        }
        (Some(None), Some(Some(_))) => Asked::Impossible,
        (Some(Some(from)), Some(to)) => {
            if to.is_some_and(|to| to < from) {
                Asked::Whole
            } else if from >= size {
                Asked::Impossible
            } else {
                Asked::Part { from, to: to.unwrap_or(u64::MAX).min(size - 1) }
            }
        }
        _ => Asked::Whole,
    }
}

impl Service {
    pub(crate) async fn download(
        self: &Arc<Self>,
        request: &Request<Incoming>,
        visit: &mut Visit,
        token: String,
    ) -> Result<Answer, Abort> {
        if let Some(answer) = self.before_faults(visit, About::Request).await? {
            return Ok(answer);
        }
        let head_only = *request.method() == Method::HEAD;
        if !head_only && *request.method() != Method::GET {
            return Ok(Answer::html(StatusCode::METHOD_NOT_ALLOWED, "Only GET is understood here."));
        }
        let lives = [TOKEN_LIFE, GOING_ON].map(|life| self.limits.micros(life));
        let (ip, store) = (visit.ip.clone(), Arc::clone(&self.store));
        let found = self.store.run(move |tx| {
            let (code, inline) = match tx.use_token(&token, &ip, lives, head_only)? {
                TokenUse::Granted { code, inline } => (code, inline),
                TokenUse::Expired => return Ok(Err(StatusCode::NOT_FOUND)),
                TokenUse::OtherAddress => return Ok(Err(StatusCode::FORBIDDEN)),
            };
            let Some(file) = tx.file(&code)? else { return Ok(Err(StatusCode::NOT_FOUND)) };
            // Opened in the transaction, so that the file can't be removed in between.
            let reader =
                store.blobs.reader(&file.blob).map_err(|error| Refusal::Broken(error.to_string()))?;
            Ok::<_, Refusal>(Ok((file, inline, reader)))
        });
        let (file, inline, reader) = match found.await {
            Ok(Ok(found)) => found,
            Ok(Err(status)) => return Ok(Answer::html(status, "The link of this download has expired.")),
            Err(refusal) => return Ok(self.refuse(visit, refusal)),
        };
        if self.faults.asks_for_names("download")
            && let Some(answer) =
                self.before_faults(visit, About::Files(std::slice::from_ref(&file.name))).await?
        {
            return Ok(answer);
        }
        if visit.is_struck(&FaultKind::ExpiredToken) {
            return Ok(Answer::html(StatusCode::NOT_FOUND, "The link of this download has expired."));
        }
        let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
        let range = range.filter(|_| !visit.is_struck(&FaultKind::IgnoreRange));
        let (status, from, end) = match asked(range, file.size) {
            Asked::Whole => (StatusCode::OK, 0, file.size),
            Asked::Part { from, to } => (StatusCode::PARTIAL_CONTENT, from, to + 1),
            Asked::Impossible => {
                return Ok(Answer::html(StatusCode::RANGE_NOT_SATISFIABLE, "There is no such range.")
                    .with(CONTENT_RANGE, &format!("bytes */{}", file.size)));
            }
        };
        let short =
            visit.struck(|kind| if let FaultKind::ShortDownload(by) = kind { Some(*by) } else { None });
        let sent_end = end.saturating_sub(short.unwrap_or(0)).max(from);
        let cut = visit.struck(|kind| if let FaultKind::CutDownload(at) = kind { Some(*at) } else { None });
        let corrupt =
            visit.struck(|kind| if let FaultKind::CorruptDownload(at) = kind { Some(*at) } else { None });
        let long = visit.struck(|kind| if let FaultKind::LongDownload(by) = kind { Some(*by) } else { None });
        let long = long.unwrap_or(0);
        let body = if head_only { empty() } else { content(reader, from, sent_end, cut, corrupt) };
        let body = if head_only || long == 0 { body } else { lengthened(body, long) };
        let mut answer = Answer::stream(status, body, sent_end - from + long);
        describe(&mut answer, &file, inline);
        if status == StatusCode::PARTIAL_CONTENT {
            let last = end.saturating_sub(1);
            answer.set(CONTENT_RANGE, &format!("bytes {from}-{last}/{}", file.size));
        }
        Ok(answer)
    }
}

fn describe(answer: &mut Answer, file: &FileRow, inline: bool) {
    let plain: String = file
        .name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' })
        .collect();
    let kind = if inline { "inline" } else { "attachment" };
    let extended = utf8_percent_encode(&file.name, EXTENDED);
    answer.set(CONTENT_DISPOSITION, &format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{extended}"));
    answer.set(CONTENT_TYPE, mime_guess::from_path(&file.name).first_or_octet_stream().essence_str());
    answer.set(ACCEPT_RANGES, "bytes");
    if let Ok(date) = jiff::Timestamp::from_second(file.date) {
        answer.set(LAST_MODIFIED, &date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
}

fn empty() -> Body {
    http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Zeros after a body.
fn lengthened(body: Body, by: u64) -> Body {
    let zeros = (0..by.div_ceil(PIECE)).map(move |piece| {
        let length = usize::try_from(PIECE.min(by - piece * PIECE)).unwrap_or(0);
        Ok::<_, io::Error>(Frame::data(BytesMut::zeroed(length).freeze()))
    });
    let bytes = BodyStream::new(body).chain(tokio_stream::iter(zeros));
    StreamBody::new(bytes).boxed_unsync()
}

/// Streams a part of some content through a short queue. A thread is used only while a piece is read, so that clients
/// which stand still hold none: there are a few hundred in all.
fn content(reader: BlobReader, from: u64, end: u64, cut: Option<u64>, corrupt: Option<u64>) -> Body {
    let (queue, pieces) = mpsc::channel::<io::Result<Frame<Bytes>>>(3);
    let reader = Arc::new(reader);
    tokio::spawn(async move {
        let mut position = from;
        while position < end {
            if cut.is_some_and(|cut| position - from >= cut) {
                // An error discards what isn't sent yet, so give it time to arrive.
                tokio::time::sleep(CUT_PAUSE).await;
                let _ = queue.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
                return;
            }
            // Before the piece is read, so that none waits in memory for a client that stands still.
            let Ok(place) = queue.reserve().await else { return };
            let piece = PIECE.min(end - position).min(cut.map_or(PIECE, |cut| cut - (position - from)));
            let reader = Arc::clone(&reader);
            let read = blocking(move || {
                let mut buffer = BytesMut::zeroed(usize::try_from(piece).unwrap_or(0));
                reader.read_exact_at(&mut buffer, position)?;
                if let Some(at) = corrupt.filter(|at| (position..position + piece).contains(at)) {
                    let index = usize::try_from(at - position).unwrap_or(0);
                    buffer[index] ^= 0xff;
                }
                Ok::<_, io::Error>(Frame::data(buffer.freeze()))
            });
            let read =
                read.await.inspect_err(|error| tracing::error!(%error, "stored content can't be read"));
            let failed = read.is_err();
            place.send(read);
            if failed {
                return;
            }
            position += piece;
        }
    });
    StreamBody::new(ReceiverStream::new(pieces)).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let part = |from, to| Asked::Part { from, to };
        for (range, expected) in [
            ("bytes=0-9", part(0, 9)),
            ("bytes=10-", part(10, 99)),
            ("bytes=-5", part(95, 99)),
            ("bytes=-500", part(0, 99)),
            ("bytes=99-200", part(99, 99)),
            ("bytes=100-", Asked::Impossible),
            ("bytes=-0", Asked::Impossible),
            ("bytes=9-3", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("bytes=x-", Asked::Whole),
            ("lines=1-2", Asked::Whole),
        ] {
            assert_eq!(asked(Some(range), 100), expected, "{range}");
        }
        assert_eq!(asked(None, 100), Asked::Whole);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Impossible);
    }
}
