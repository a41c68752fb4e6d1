//! Determines when a request is sent: its connection exists, and its body is read. Until then the service doesn't know
//! of it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

tokio::task_local! {
    /// Departure of the current attempt.
    static CURRENT: Departure;
}

/// Whether the request of an attempt was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Departure(Arc<(AtomicBool, Notify)>);

impl Departure {
    /// Starts another attempt.
    pub(super) fn begin(&self) {
        self.0.0.store(false, Ordering::Release);
    }

    /// Runs an attempt, and records here what happens during it.
    pub(super) fn noted_during<T>(&self, attempt: impl Future<Output = T>) -> impl Future<Output = T> {
        CURRENT.scope(self.clone(), attempt)
    }

    pub(super) fn has_left(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }

    /// Waits until the request is sent.
    pub(super) async fn left(&self) {
        while !self.has_left() {
            self.0.1.notified().await;
        }
    }

    fn note(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.notify_one();
    }

    /// Records that the request of the current attempt is sent now, or may have been sent already.
    pub(crate) fn is_now() {
        let _ = CURRENT.try_with(Self::note);
    }

    /// Makes a body that records when it is read.
    pub(crate) fn body(bytes: Bytes) -> reqwest::Body {
        match CURRENT.try_with(Clone::clone) {
            Ok(departure) => reqwest::Body::wrap(Leaving { bytes: Some(bytes), departure }),
            Err(_) => bytes.into(),
        }
    }
}

/// Body for [`Departure::body`].
struct Leaving {
    bytes: Option<Bytes>,
    departure: Departure,
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.departure.note();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
