//! The service: from a request to an answer.

mod account;
mod api;
mod call;
mod download;
mod fault_effects;
mod files;
mod folders;
mod listing;
mod remote_upload;
mod report;
mod shared;
mod site;
mod upload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HeaderName;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::tz::TimeZone;

use crate::answer::{Abort, Answer, Body};
use crate::builder::{Builder, FolderRename, Lists, MkdirExisting};
use crate::checksum::Checksums;
use crate::clock::Clock;
use crate::control_http;
use crate::counters::Counters;
use crate::door::Door;
use crate::endpoint::{Endpoint, Part};
use crate::error::EmulatorError;
use crate::fault_book::{FaultBook, Strike};
use crate::limits::{LISTING_CAP, Limits};
use crate::log::{Entry, LoggedBody, PendingEntry, RequestLog};
use crate::readings::{LongNames, Windows};
use crate::state::Store;

/// How a request came: it decides which part of the service answers, and under which names its nodes are reached.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The request came to the emulator's own port.
    Direct,
    /// The request came through the proxy, for this host.
    Proxied { host: String },
}

impl Origin {
    pub(crate) fn direct() -> Self {
        Self::Direct
    }

    pub(crate) fn proxied(host: &str) -> Self {
        Self::Proxied { host: host.to_ascii_lowercase() }
    }

    fn part(&self) -> Part {
        match self {
            Self::Direct => Part::Everything,
            Self::Proxied { host, .. } => Part::of_host(host),
        }
    }
}

/// Everything that answers depend on.
pub(crate) struct Service {
    pub(crate) store: Arc<Store>,
    pub(crate) faults: FaultBook,
    pub(crate) counters: Counters,
    pub(crate) limits: Limits,
    pub(crate) listing_cap: Option<usize>,
    pub(crate) most_items: Option<usize>,
    pub(crate) lists: Lists,
    pub(crate) clock: Clock,
    pub(crate) zone: TimeZone,
    pub(crate) door: Door,
    address: SocketAddr,
    upload_files: usize,
    drops_excess: bool,
    largest_file: u64,
    largest_upload: u64,
    upload_time: Duration,
    checksums: Checksums,
    mkdir_existing: MkdirExisting,
    folder_rename: FolderRename,
    pub(crate) windows: Windows,
    single_tokens: bool,
    file_by_name: bool,
    longest_name: Option<usize>,
    long_names: LongNames,
    read_timeout: Duration,
    log: Option<Arc<RequestLog>>,
}

/// One request being served: where it came from, and what happened to it.
pub(crate) struct Visit {
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: Origin,
    /// Host name of the emulator as the client uses it, for links to nodes when there is no proxy.
    pub(crate) host: String,
    pub(crate) ip: String,
    pub(crate) strikes: Vec<Strike>,
    pub(crate) pending: PendingEntry,
}

impl Service {
    pub(crate) fn new(
        builder: Builder,
        store: Store,
        door: Door,
        address: SocketAddr,
    ) -> Result<Self, EmulatorError> {
        let log = match &builder.request_log {
            Some(path) => Some(Arc::new(RequestLog::open(path)?)),
            None => None,
        };
        let default_cap = builder.limits.are_on().then_some(LISTING_CAP);
        Ok(Self {
            store: Arc::new(store),
            faults: FaultBook::new(builder.faults),
            counters: Counters::default(),
            limits: builder.limits,
            listing_cap: builder.listing_cap.unwrap_or(default_cap),
            most_items: builder.most_items,
            lists: builder.lists,
            clock: builder.clock,
            zone: builder.zone,
            door,
            address,
            upload_files: builder.upload_files,
            drops_excess: builder.drops_excess,
            largest_file: builder.largest_file,
            largest_upload: builder.largest_upload,
            upload_time: builder.upload_time,
            checksums: builder.checksums,
            mkdir_existing: builder.mkdir_existing,
            folder_rename: builder.folder_rename,
            windows: builder.windows,
            single_tokens: builder.single_tokens,
            file_by_name: builder.file_by_name,
            longest_name: builder.longest_name,
            long_names: builder.long_names,
            read_timeout: builder.read_timeout,
            log,
        })
    }

    /// Answers a request, or returns that its connection is to be closed.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        origin: Origin,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Abort> {
        let mut visit = self.visit(&request, origin, peer);
        let takes_gzip = takes_gzip(request.headers());
        if !matches!(visit.endpoint, Endpoint::Control(_)) {
            self.counters.count(visit.endpoint.name());
        }
        let answer = match self.work(request, &mut visit).await {
            Ok(answer) => self.after_faults(&mut visit, answer).await,
            Err(abort) => Err(abort),
        };
        visit.pending.entry.faults = visit.strikes.iter().map(|strike| strike.kind.to_string()).collect();
        let mut answer = answer?;
        if !self.limits.are_on() {
            // So that a client doesn't wait because of limits that aren't enforced.
            answer.set(HeaderName::from_static("x-limits"), "off");
        }
        if takes_gzip {
            answer.compress();
        }
        visit.pending.entry.status = Some(answer.status.as_u16());
        Ok(answer.into_response().map(|inner| LoggedBody { inner, pending: visit.pending }.boxed_unsync()))
    }

    fn visit(&self, request: &Request<Incoming>, origin: Origin, peer: SocketAddr) -> Visit {
        let uri = request.uri();
        let endpoint = Endpoint::of(origin.part(), request.method(), uri.path(), uri.query());
        let named = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        let named = named.or_else(|| uri.authority().map(http::uri::Authority::as_str));
        let host = named.map_or_else(|| self.address.to_string(), str::to_owned);
        let entry = Entry {
            time: self.clock.now().to_string(),
            method: request.method().to_string(),
            host: host.clone(),
            endpoint: endpoint.name().to_owned(),
            account: None,
            folder: None,
            status: None,
            message: None,
            faults: Vec::new(),
            bytes_in: 0,
            bytes_out: 0,
            milliseconds: 0.0,
        };
        let log = self.log.clone().filter(|_| !matches!(endpoint, Endpoint::Control(_)));
        let pending = PendingEntry { entry, started: Instant::now(), log };
        Visit { endpoint, origin, host, ip: peer.ip().to_string(), strikes: Vec::new(), pending }
    }

    async fn work(self: &Arc<Self>, request: Request<Incoming>, visit: &mut Visit) -> Result<Answer, Abort> {
        match visit.endpoint.clone() {
            Endpoint::Api(call) => self.api(request, visit, &call).await,
            Endpoint::Upload => self.upload(request, visit).await,
            Endpoint::Report => self.report(&request, visit).await,
            Endpoint::Download(token) => self.download(&request, visit, token).await,
            Endpoint::Shared(share) => self.shared(request, visit, share).await,
            Endpoint::Page(code) => self.page(visit, code).await,
            Endpoint::Remove { code, remove_code } => self.remove(visit, code, remove_code).await,
            Endpoint::CheckLinks => self.check_links(request, visit).await,
            Endpoint::Control(path) if self.door.has_control() => {
                Ok(control_http::answer(self, request, &path).await)
            }
            Endpoint::Control(_) | Endpoint::Unknown => {
                Ok(Answer::html(http::StatusCode::NOT_FOUND, "Not found"))
            }
        }
    }
}

/// Checks whether a client takes answers as gzip.
fn takes_gzip(headers: &http::HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT_ENCODING).iter();
    let mut encodings = accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    encodings.any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight.trim() != "q=0"
    })
}

impl Service {
    /// Reads a whole body that should be small; `None` if it isn't, was cut, or stood still for too long.
    pub(crate) async fn read_small(&self, body: Incoming) -> Option<Vec<u8>> {
        const LARGEST: usize = 16 * 1024 * 1024;
        let mut body = http_body_util::Limited::new(body, LARGEST);
        let mut read = Vec::new();
        while let Some(frame) = tokio::time::timeout(self.read_timeout, body.frame()).await.ok()? {
            if let Ok(bytes) = frame.ok()?.into_data() {
                read.extend_from_slice(&bytes);
            }
        }
        Some(read)
    }
}
