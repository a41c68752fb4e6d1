//! The body of an upload: `multipart/form-data` of known length, streamed.
//!
//! Written here rather than by the HTTP library because the service is strict: the boundary must not be quoted, names
//! must be, and the length must be given (API document, section 7). A file whose size isn't the declared one also has
//! to be named in the error.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::BoxStream;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::error::{BoxError, ErrorKind, SourceProblem};

/// One file of an upload.
pub struct UploadFile {
    /// Name as on the wire, encoded already.
    pub name: String,
    /// Size in bytes; the body must have exactly this size.
    pub size: u64,
    /// Content of the file. Bytes are read only as fast as they are sent.
    pub body: BoxStream<'static, Result<Bytes, BoxError>>,
}

impl std::fmt::Debug for UploadFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadFile")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// State of a body while the HTTP library sends it.
pub(crate) struct Progress(Mutex<Seen>);

struct Seen {
    moved: Instant,
    on_source: bool,
    complete: bool,
    failure: Option<ErrorKind>,
}

impl Progress {
    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn look<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns since when the network has accepted nothing; now, when the source is the slow part.
    pub(crate) fn idle_since(&self) -> Instant {
        self.look(|seen| if seen.on_source { Instant::now() } else { seen.moved })
    }

    /// Checks whether all bytes were passed on.
    pub(crate) fn is_complete(&self) -> bool {
        self.look(|seen| seen.complete)
    }

    /// Takes the error of a file, if there was one.
    pub(crate) fn take_failure(&self) -> Option<ErrorKind> {
        self.look(|seen| seen.failure.take())
    }
}

enum Segment {
    Text(Bytes),
    File {
        index: usize,
        name: String,
        declared: u64,
        left: u64,
        body: BoxStream<'static, Result<Bytes, BoxError>>,
    },
}

/// Body of an upload request.
pub(crate) struct Multipart {
    /// Streams needn't be `Sync`, but bodies must be. The lock is never contended, and never taken.
    segments: Mutex<VecDeque<Segment>>,
    left: u64,
    progress: Arc<Progress>,
}

impl Multipart {
    /// Makes a body: fields first, then files under the name `file[]`.
    pub(crate) fn new(boundary: &str, fields: &[(&str, String)], files: Vec<UploadFile>) -> Self {
        let mut text = String::new();
        for (name, value) in fields {
            text += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                quoted(name)
            );
        }
        let mut segments = VecDeque::new();
        let mut left = 0_u64;
        for (index, file) in files.into_iter().enumerate() {
            text += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"file[]\"; filename=\"{}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n",
                quoted(&file.name)
            );
            left += text.len() as u64 + file.size;
            segments.push_back(Segment::Text(std::mem::take(&mut text).into()));
            let UploadFile { name, size, body } = file;
            segments.push_back(Segment::File { index, name, declared: size, left: size, body });
            text += "\r\n";
        }
        text += &format!("--{boundary}--\r\n");
        left += text.len() as u64;
        segments.push_back(Segment::Text(text.into()));
        let seen = Seen { moved: Instant::now(), on_source: false, complete: false, failure: None };
        Self { segments: Mutex::new(segments), left, progress: Arc::new(Progress(Mutex::new(seen))) }
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    fn fail(
        &mut self,
        index: usize,
        name: String,
        problem: SourceProblem,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        // Drops the other files' streams too: they aren't read any more.
        self.segments.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.progress.change(|seen| {
            seen.on_source = false;
            seen.failure = Some(ErrorKind::UploadSource { index, name, problem });
        });
        Poll::Ready(Some(Err(Broken)))
    }

    fn hand_over(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        let complete = self.left == 0;
        self.progress.change(|seen| {
            seen.on_source = false;
            seen.moved = Instant::now();
            seen.complete = complete;
        });
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

/// Makes the HTTP library break the request off; the reason is in [`Progress`].
#[derive(Debug, thiserror::Error)]
#[error("a file of the upload isn't as declared")]
pub(crate) struct Broken;

impl Body for Multipart {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        loop {
            let segments = this.segments.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Some(segment) = segments.front_mut() else { return Poll::Ready(None) };
            let (index, name, declared, left, body) = match segment {
                Segment::Text(text) => {
                    let text = std::mem::take(text);
                    segments.pop_front();
                    return this.hand_over(text);
                }
                Segment::File { index, name, declared, left, body } => (*index, name, *declared, left, body),
            };
            // Polled once more after the last byte, to learn that it was the last.
            let problem = match body.as_mut().poll_next(context) {
                Poll::Pending => {
                    this.progress.change(|seen| seen.on_source = true);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(bytes))) if bytes.is_empty() => continue,
                Poll::Ready(Some(Ok(bytes))) => match left.checked_sub(bytes.len() as u64) {
                    Some(rest) => {
                        *left = rest;
                        return this.hand_over(bytes);
                    }
                    None => SourceProblem::TooLong { declared },
                },
                Poll::Ready(None) if *left == 0 => {
                    segments.pop_front();
                    continue;
                }
                Poll::Ready(None) => SourceProblem::TooShort { declared, got: declared - *left },
                Poll::Ready(Some(Err(error))) => SourceProblem::Failed(error),
            };
            let name = std::mem::take(name);
            return this.fail(index, name, problem);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Returns a random boundary, which is very unlikely to occur in a file, of characters that need no quotes.
pub(crate) fn boundary() -> String {
    format!("fichier-{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>())
}

/// Escapes characters that would end a quoted name, as browsers do (WHATWG, multipart/form-data).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, StreamExt, stream};
    use http_body_util::BodyExt;

    fn file(name: &str, size: u64, chunks: &[&'static str]) -> UploadFile {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        UploadFile { name: name.into(), size, body: stream::iter(chunks).boxed() }
    }

    fn send(files: Vec<UploadFile>) -> (Result<String, Broken>, u64, Arc<Progress>) {
        let body = Multipart::new("B", &[("did", "7".into())], files);
        let (length, progress) = (body.size_hint().exact().unwrap(), body.progress());
        let sent = body.collect().now_or_never().unwrap();
        (sent.map(|sent| String::from_utf8(sent.to_bytes().to_vec()).unwrap()), length, progress)
    }

    #[test]
    fn the_bytes_on_the_wire() {
        let (sent, length, progress) =
            send(vec![file("a \"é\r\n.txt", 5, &["he", "", "llo"]), file("b", 1, &["x"])]);
        let sent = sent.unwrap();
        assert_eq!(
            sent,
            "--B\r\nContent-Disposition: form-data; name=\"did\"\r\n\r\n7\r\n\
             --B\r\nContent-Disposition: form-data; name=\"file[]\"; filename=\"a %22é%0D%0A.txt\"\r\n\
             Content-Type: application/octet-stream\r\n\r\nhello\r\n\
             --B\r\nContent-Disposition: form-data; name=\"file[]\"; filename=\"b\"\r\n\
             Content-Type: application/octet-stream\r\n\r\nx\r\n--B--\r\n"
        );
        assert_eq!(length, sent.len() as u64);
        assert!(progress.is_complete());
    }

    #[test]
    fn a_file_that_isnt_as_declared_is_named() {
        let broken: UploadFile = UploadFile {
            name: "c".into(),
            size: 9,
            body: stream::iter([Ok(Bytes::from_static(b"1")), Err("disk on fire".into())]).boxed(),
        };
        for (bad, words) in [
            (file("c", 3, &["ab"]), "ended after 2 of 3 bytes"),
            (file("c", 3, &["ab", "cd"]), "longer than the 3 bytes"),
            (file("c", 3, &["abc", "d"]), "longer than the 3 bytes"),
            (broken, "disk on fire"),
        ] {
            let (sent, _, progress) = send(vec![file("a", 1, &["x"]), bad, file("d", 1, &["x"])]);
            assert!(sent.is_err() && !progress.is_complete(), "{words}");
            let failure = progress.take_failure().unwrap();
            assert!(matches!(failure, ErrorKind::UploadSource { index: 1, .. }), "{failure:?}");
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }

    #[test]
    fn boundaries_need_no_quotes_and_differ() {
        let one = boundary();
        assert!(one.len() <= 70 && one.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        assert_ne!(one, boundary());
    }
}
