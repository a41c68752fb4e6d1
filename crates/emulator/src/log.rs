//! The request log: one line of JSON for each request. The key never appears in it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::answer::Body;
use crate::error::EmulatorError;

/// File of the request log.
pub(crate) struct RequestLog {
    file: Mutex<File>,
}

impl RequestLog {
    pub(crate) fn open(path: &Path) -> Result<Self, EmulatorError> {
        let file = File::options().create(true).append(true).open(path).map_err(EmulatorError::file(path))?;
        Ok(Self { file: Mutex::new(file) })
    }

    fn write(&self, entry: &Entry) {
        // Each line is one write, so that processes that share a log don't mix theirs.
        let Ok(mut line) = serde_json::to_vec(entry) else { return };
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(&line) {
            tracing::warn!(%error, "cannot write the request log");
        }
    }
}

/// A line of the log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) time: String,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) endpoint: String,
    pub(crate) account: Option<String>,
    pub(crate) folder: Option<i64>,
    /// `None` if the connection was closed without an answer.
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<String>,
    pub(crate) faults: Vec<String>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) milliseconds: f64,
}

/// Writes the entry when dropped: after the last byte of the answer, or when the connection ended before.
pub(crate) struct PendingEntry {
    pub(crate) entry: Entry,
    pub(crate) started: Instant,
    pub(crate) log: Option<Arc<RequestLog>>,
}

impl Drop for PendingEntry {
    fn drop(&mut self) {
        if let Some(log) = &self.log {
            self.entry.milliseconds = (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
            log.write(&self.entry);
        }
    }
}

/// A body that counts its bytes for its log entry.
pub(crate) struct LoggedBody {
    pub(crate) inner: Body,
    pub(crate) pending: PendingEntry,
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.pending.entry.bytes_out += data.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
