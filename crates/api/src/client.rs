//! The client, with what all endpoints share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::builder::{API, ClientBuilder};
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::key::ApiKey;
use crate::pacer::{Call, CallClass, Learned, Pacer, Requests};
use crate::sharing_user::SharingUser;
use crate::transport::Transport;

/// A client of the service. Clones are cheap and share connections, pacing and memory.
///
/// Dropping the future of a call stops the call.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    reason: &'static str,
    finishes: bool,
    cautious: bool,
}

pub(crate) struct Inner {
    pub(crate) transport: Transport,
    pub(crate) pacer: Pacer,
    /// Whether the service leaves files out of a folder's listing (API document, section 4).
    pub(crate) files_apart: AtomicBool,
    /// The account whose folders are meant, if it isn't the key's own.
    pub(crate) sharing_user: Option<SharingUser>,
}

impl Client {
    /// Returns the configuration of a new client.
    pub fn builder(key: ApiKey) -> ClientBuilder {
        ClientBuilder::new(key)
    }

    pub(crate) fn new(
        transport: Transport,
        pacer: Pacer,
        files_apart: bool,
        sharing_user: Option<SharingUser>,
    ) -> Self {
        let inner = Inner { transport, pacer, files_apart: AtomicBool::new(files_apart), sharing_user };
        Self { inner: Arc::new(inner), reason: "", finishes: false, cautious: false }
    }

    /// Returns the same client, but its calls give this reason to the observer: "list the destination".
    #[must_use]
    pub fn because(&self, reason: &'static str) -> Self {
        Self { reason, ..self.clone() }
    }

    /// Returns the same client, for calls that finish what another one began: where all waits are to end, those of up
    /// to two seconds don't.
    #[must_use]
    pub fn finishing(&self) -> Self {
        Self { finishes: true, ..self.clone() }
    }

    /// Returns the same client, for calls that only look how the service behaves: one that meets a lock isn't sent again,
    /// and one that fails otherwise once at most.
    #[must_use]
    pub fn cautious(&self) -> Self {
        Self { cautious: true, ..self.clone() }
    }

    /// Checks whether calls go to the service itself, and not to another address.
    pub fn is_of_the_service(&self) -> bool {
        self.inner.transport.settings().api.as_str() == API
    }

    /// Checks whether the service was seen, or is known, to leave files out of a folder's listing.
    pub fn lists_files_apart(&self) -> bool {
        self.inner.files_apart.load(Ordering::Relaxed)
    }

    /// Returns how many requests were sent since the client was built, those that were repeated each time.
    pub fn requests(&self) -> Requests {
        self.inner.pacer.requests()
    }

    /// Returns what was learned about the account, to be saved between runs.
    pub fn learned(&self) -> Learned {
        self.inner.pacer.learned()
    }

    /// Waits until the service has done something that this call asks for or about.
    ///
    /// # Errors
    /// All waits are to end, or the run has waited for as long as it may.
    pub async fn rest(&self, endpoint: Endpoint, wait: Duration) -> Result<(), ApiError> {
        self.inner.pacer.rest(endpoint, wait).await
    }

    /// The mail address of the account whose folders are meant, if it isn't the key's own.
    pub fn sharing_user(&self) -> Option<String> {
        self.inner.sharing_user.as_ref().map(|user| user.mail().to_owned())
    }

    /// What the user calls the service, with a colon, if the client was told.
    pub fn remote(&self) -> Option<&str> {
        self.inner.pacer.remote().map(|name| &**name)
    }

    /// Adds to an error that isn't of a call what the user calls the service.
    pub fn named(&self, error: ApiError) -> ApiError {
        error.of(self.inner.pacer.remote().cloned())
    }

    /// Returns how often a call is repeated after a temporary error.
    pub fn low_level_retries(&self) -> u32 {
        self.inner.pacer.low_level_retries()
    }

    /// Returns how long the service gives no newer listing of a folder; zero where it enforces no limits.
    pub fn folder_gap(&self) -> Duration {
        self.inner.pacer.folder_gap()
    }

    pub(crate) fn call(&self, endpoint: Endpoint, class: CallClass) -> Call {
        let mut call = Call::new(endpoint, class, self.reason);
        call.info.finishes = self.finishes;
        if self.cautious {
            call.flood_retries = Some(0);
            call.low_level_retries = Some(1);
        }
        call
    }

    /// Posts a JSON object to an endpoint and parses the answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        call: Call,
        request: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.post_checked(call, request, || (), |_| None).await
    }

    /// Posts as [`post`](Self::post) does, and calls `note` each time the request is sent. `problem` returns what shows
    /// that an answer isn't the one to this question: such an answer is asked for again, and never returned.
    pub(crate) async fn post_checked<T: DeserializeOwned>(
        &self,
        call: Call,
        request: &impl Serialize,
        note: impl Fn(),
        problem: impl Fn(&T) -> Option<String>,
    ) -> Result<T, ApiError> {
        let endpoint = call.info.endpoint;
        let body = request_body(&call, request)?;
        let (transport, problem) = (&self.inner.transport, &problem);
        self.inner
            .pacer
            .run(call, || {
                note();
                async {
                    let answer = transport.call(Method::POST, endpoint.path(), body.clone()).await?;
                    self.inner.pacer.heard_of_limits(transport.has_no_limits());
                    let told = answer.read(transport.key())?;
                    match problem(&told) {
                        None => Ok(told),
                        Some(problem) => Err(answer.senseless(&problem, transport.key())),
                    }
                }
            })
            .await
    }

    /// Posts to an endpoint of the class without a limit of its own.
    pub(crate) async fn plain<T: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        request: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.post(self.call(endpoint, CallClass::Plain), request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.inner.transport.settings().api.as_str())
            .finish_non_exhaustive()
    }
}

/// Returns the body of a request.
pub(crate) fn request_body(call: &Call, request: &impl Serialize) -> Result<Bytes, ApiError> {
    let written = serde_json::to_vec(request).map(Bytes::from);
    written.map_err(|error| {
        let kind = ErrorKind::Setup { what: "the request can't be written".into(), source: error.into() };
        ApiError::new(call.info.endpoint, kind)
    })
}

/// Refuses an empty list before a call is made.
pub(crate) fn not_empty<T>(endpoint: Endpoint, list: &[T]) -> Result<(), ApiError> {
    if list.is_empty() {
        let kind = ErrorKind::Invalid("the list is empty".into());
        return Err(ApiError::new(endpoint, kind).with_history(0, false));
    }
    Ok(())
}

/// Refuses a new name for several files at once.
pub(crate) fn one_if_renamed<T>(
    endpoint: Endpoint,
    list: &[T],
    rename: Option<&String>,
) -> Result<(), ApiError> {
    not_empty(endpoint, list)?;
    if rename.is_some() && list.len() > 1 {
        let kind = ErrorKind::Invalid("a new name goes with one file only".into());
        return Err(ApiError::new(endpoint, kind).with_history(0, false));
    }
    Ok(())
}
