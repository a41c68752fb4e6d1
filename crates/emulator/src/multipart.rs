//! A parser of `multipart/form-data` as strict as the service (API document, section 7): the boundary unquoted, field
//! names and file names quoted. It is our own, since existing parsers are more forgiving.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use memchr::memmem::Finder;

/// Largest header of a part that is read, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// Why a body couldn't be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MultipartError {
    /// The connection ended, or a fault says that it does.
    Cut,
    /// The body isn't a form.
    Malformed,
}

/// Returns the boundary in a `Content-Type`; `None` if it is missing, quoted or impossible.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.trim_start();
    let kind = rest.get(.."multipart/form-data".len())?;
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = rest.split(';').skip(1).find_map(|part| part.trim().strip_prefix("boundary="))?;
    let plain =
        !boundary.is_empty() && boundary.len() <= 70 && boundary.bytes().all(|b| b.is_ascii_graphic());
    (plain && !boundary.contains('"')).then_some(boundary)
}

/// Header of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PartHead {
    /// Name of the field, if quoted.
    pub(crate) name: Option<Vec<u8>>,
    /// Name of the file, if there is one and it is quoted.
    pub(crate) filename: Option<Vec<u8>>,
}

/// A form that is parsed while it comes in.
pub(crate) struct Multipart<B> {
    body: B,
    buffer: BytesMut,
    finder: Finder<'static>,
    /// Bytes read from the body so far.
    pub(crate) received: u64,
    /// Number of received bytes after which the body is cut.
    cut_at: Option<u64>,
    /// How long the body may bring nothing before it counts as cut.
    patience: Duration,
    in_part: bool,
}

impl<B> Multipart<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    pub(crate) fn new(body: B, boundary: &str, cut_at: Option<u64>, patience: Duration) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        // The first delimiter has no line before it; this makes it look like the others.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let finder = Finder::new(&delimiter).into_owned();
        Self { body, buffer, finder, received: 0, cut_at, patience, in_part: true }
    }

    /// Cuts the body after this many more bytes.
    pub(crate) fn cut_after(&mut self, bytes: u64) {
        self.cut_at = Some(self.received.saturating_add(bytes));
    }

    /// Reads the rest of the body and drops it.
    pub(crate) async fn drain(&mut self) -> Result<(), MultipartError> {
        loop {
            self.buffer.clear();
            if !self.fill().await? {
                return Ok(());
            }
        }
    }

    async fn fill(&mut self) -> Result<bool, MultipartError> {
        loop {
            if self.cut_at.is_some_and(|cut| self.received >= cut) {
                return Err(MultipartError::Cut);
            }
            let frame = tokio::time::timeout(self.patience, self.body.frame());
            match frame.await.map_err(|_| MultipartError::Cut)? {
                None => return Ok(false),
                Some(Err(_)) => return Err(MultipartError::Cut),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    self.received += data.len() as u64;
                    self.buffer.extend_from_slice(&data);
                    return Ok(true);
                }
            }
        }
    }

    /// Returns the next part's header; skips the rest of the current part.
    pub(crate) async fn next_part(&mut self) -> Result<Option<PartHead>, MultipartError> {
        while self.in_part {
            self.chunk().await?;
        }
        while self.buffer.len() < 2 {
            if !self.fill().await? {
                return Err(MultipartError::Malformed);
            }
        }
        let after = self.buffer.split_to(2);
        if &after[..] == b"--" {
            return Ok(None);
        }
        if &after[..] != b"\r\n" {
            return Err(MultipartError::Malformed);
        }
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                let head = self.buffer.split_to(end + 4);
                self.in_part = true;
                return Ok(Some(part_head(&head)));
            }
            if self.buffer.len() > LONGEST_HEAD || !self.fill().await? {
                return Err(MultipartError::Malformed);
            }
        }
    }

    /// Returns the next piece of the current part; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, MultipartError> {
        if !self.in_part {
            return Ok(None);
        }
        let needle = self.finder.needle().len();
        loop {
            if let Some(at) = self.finder.find(&self.buffer) {
                if at > 0 {
                    return Ok(Some(self.buffer.split_to(at).freeze()));
                }
                let _ = self.buffer.split_to(needle);
                self.in_part = false;
                return Ok(None);
            }
            // Bytes that could be the beginning of the delimiter stay.
            if self.buffer.len() >= needle {
                let ready = self.buffer.len() - needle + 1;
                return Ok(Some(self.buffer.split_to(ready).freeze()));
            }
            if !self.fill().await? {
                return Err(MultipartError::Malformed);
            }
        }
    }
}

fn part_head(head: &[u8]) -> PartHead {
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if line[..colon].eq_ignore_ascii_case(b"content-disposition") {
            return disposition(&line[colon + 1..]);
        }
    }
    PartHead::default()
}

/// Parses `form-data; name="…"; filename="…"`. In quotes, a backslash escapes a quote or a backslash.
fn disposition(value: &[u8]) -> PartHead {
    let mut head = PartHead::default();
    let mut rest = value;
    while let Some(semicolon) = rest.iter().position(|byte| *byte == b';') {
        rest = rest[semicolon + 1..].trim_ascii_start();
        let Some(equals) = rest.iter().position(|byte| matches!(byte, b'=' | b';')) else { break };
        let key = rest[..equals].trim_ascii().to_ascii_lowercase();
        let Some(quoted) = rest[equals..].strip_prefix(b"=\"") else {
            rest = &rest[equals..];
            continue;
        };
        let mut text = Vec::new();
        let mut position = 0;
        while let Some(byte) = quoted.get(position) {
            match (byte, quoted.get(position + 1)) {
                (b'"', _) => break,
                (b'\\', Some(next @ (b'"' | b'\\'))) => {
                    text.push(*next);
                    position += 1;
                }
                _ => text.push(*byte),
            }
            position += 1;
        }
        rest = quoted.get(position + 1..).unwrap_or_default();
        match key.as_slice() {
            b"name" => head.name = Some(text),
            b"filename" => head.filename = Some(text),
            _ => {}
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    type Parts = Vec<(PartHead, Vec<u8>)>;

    fn read(body: &[u8], pieces: usize, boundary: &str) -> Result<Parts, MultipartError> {
        let frames: Vec<_> = body
            .chunks(pieces.max(1))
            .map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let mut form = Multipart::new(
            StreamBody::new(futures::stream::iter(frames)),
            boundary,
            None,
            Duration::from_secs(60),
        );
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let mut parts = Vec::new();
            while let Some(head) = form.next_part().await? {
                let mut content = Vec::new();
                while let Some(chunk) = form.chunk().await? {
                    content.extend_from_slice(&chunk);
                }
                parts.push((head, content));
            }
            Ok(parts)
        })
    }

    fn part(disposition: &str, content: &[u8]) -> Vec<u8> {
        let mut bytes = format!("--X\r\nContent-Disposition: {disposition}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    #[test]
    fn boundaries_must_be_unquoted() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(boundary("Multipart/Form-Data;boundary=a-b_c; charset=x"), Some("a-b_c"));
        assert_eq!(boundary("multipart/form-data; boundary=\"abc\""), None);
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("application/json; boundary=abc"), None);
    }

    #[test]
    fn names_must_be_quoted() {
        let quoted = disposition(br#" form-data; name="file[]"; filename="a \"b\" c;d=e.txt""#);
        assert_eq!(quoted.name.as_deref(), Some(&b"file[]"[..]));
        assert_eq!(quoted.filename.as_deref(), Some(&br#"a "b" c;d=e.txt"#[..]));
        let unquoted = disposition(b" form-data; name=file[]; filename=a.txt");
        assert_eq!(unquoted, PartHead::default());
        let extended = disposition(b" form-data; name=\"file[]\"; filename*=utf-8''a.txt");
        assert_eq!(extended.filename, None);
    }

    #[test]
    fn broken_forms_are_refused() {
        assert_eq!(read(b"nothing of the kind", 5, "X"), Err(MultipartError::Malformed));
        let mut cut = part("form-data; name=\"did\"", b"1");
        cut.truncate(cut.len() - 2);
        assert_eq!(read(&cut, 5, "X"), Err(MultipartError::Malformed));
    }

    proptest! {
        #[test]
        fn any_content_in_any_pieces_comes_through(
            contents in proptest::collection::vec(proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'-')], 0..200), 0..4),
            pieces in 1usize..50,
        ) {
            prop_assume!(contents.iter().all(|c| memchr::memmem::find(c, b"\r\n--X").is_none()));
            let mut body = Vec::new();
            for content in &contents {
                body.extend(part("form-data; name=\"file[]\"; filename=\"f\"", content));
            }
            body.extend_from_slice(b"--X--\r\n");
            let parts = read(&body, pieces, "X").unwrap();
            let read: Vec<Vec<u8>> = parts.into_iter().map(|(_, content)| content).collect();
            prop_assert_eq!(read, contents);
        }
    }
}
