//! Sends requests over HTTP and turns failures into our errors. It neither waits nor repeats.

use std::error::Error;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::answer::{self, Answer};
use crate::dump::{Dump, Dumper, Exchange};
use crate::error::{ApiError, BoxError, ErrorKind, Unreached};
use crate::key::ApiKey;
use crate::link::Domain;
use crate::pacer::{Departure, retry_after};
use crate::page::is_html;
use crate::proxy::ProxySettings;
use crate::shown::shown;
use crate::tls::Trust;
use crate::web::Web;

/// Longest answer that is held as a whole, unpacked, in bytes: some 200,000 files, where the service lists 5,000 at
/// most. The list of all files of an account is parsed item by item.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Longest page of a node in answer to an upload or a download, in bytes; the rest is dropped.
pub(crate) const LONGEST_PAGE: usize = 64 << 10;

/// Smallest number of bytes of an answer in a second, once [`PATIENCE`] is over. Without this, a server that sends a
/// byte now and then could stop a run without end.
const LEAST_RATE: u64 = 1024;

/// Longest time that an answer may come slower than that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Time for which an idle connection is kept. Short, because if the service closes it just when a request is sent, it
/// isn't known whether the request was carried out.
const KEEP_IDLE: Duration = Duration::from_secs(20);

/// Most redirects of a download.
const REDIRECTS: usize = 5;

/// Most redirects of a URL anywhere on the web, as in browsers and other clients.
const WEB_REDIRECTS: usize = 10;

/// Settings of the connections.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) api: Url,
    pub(crate) site: Url,
    pub(crate) trust: Trust,
    pub(crate) headers: Headers,
    pub(crate) connect_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) user_agent: String,
    pub(crate) bind: Option<IpAddr>,
    pub(crate) proxy: ProxySettings,
    /// Whether connections are kept for further requests.
    pub(crate) keep_alive: bool,
    pub(crate) dump: Dump,
}

/// Headers that requests have besides the client's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    pub(crate) all: HeaderMap,
    pub(crate) upload: HeaderMap,
    pub(crate) download: HeaderMap,
}

/// Headers that frame a request, which the user can't set.
const FRAMING: [HeaderName; 4] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, TRAILER];

/// Connections, and the headers that the user wants on their requests.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    client: reqwest::Client,
    headers: HeaderMap,
    dumper: Option<Dumper>,
}

impl Pool {
    /// Makes a pool whose requests have these headers; of those with one name the later ones count.
    fn new(
        builder: reqwest::ClientBuilder,
        headers: [&HeaderMap; 2],
        dumper: Option<Dumper>,
    ) -> Result<Self, ErrorKind> {
        let client = builder.build().map_err(|error| ErrorKind::Setup {
            what: "HTTP can't be set up".into(),
            source: error.into(),
        })?;
        let [mut headers, later] = headers.map(Clone::clone);
        headers.extend(later);
        for name in FRAMING {
            headers.remove(name);
        }
        Ok(Self { client, headers, dumper })
    }

    /// Starts a request for [`Pool::send`].
    pub(crate) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request with the user's headers, all of one name, except for those that it has already. (The HTTP
    /// library's own way to add headers to all requests keeps one of a name.)
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
        Ok(self.exchange(request).await?.0)
    }

    /// Sends a request, and returns also what logs the answer's body.
    pub(crate) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
    ) -> reqwest::Result<(reqwest::Response, Option<Exchange>)> {
        let mut request = request.build()?;
        let names: Vec<_> =
            self.headers.keys().filter(|name| !request.headers().contains_key(*name)).collect();
        for name in names {
            for value in self.headers.get_all(name) {
                request.headers_mut().append(name, value.clone());
            }
        }
        let mut exchange = self.dumper.as_ref().map(|dumper| dumper.request(&request));
        let answer = self.client.execute(request).await;
        match (&mut exchange, &answer) {
            (Some(exchange), Ok(answer)) => exchange.head(answer.status(), answer.headers()),
            (Some(exchange), Err(error)) => exchange.failed(error),
            (None, _) => {}
        }
        Ok((answer?, exchange))
    }
}

/// Three connection pools, made when first used: for the API, for uploads, for downloads.
pub(crate) struct Transport {
    settings: Settings,
    key: ApiKey,
    api: OnceLock<Pool>,
    upload: OnceLock<Pool>,
    download: OnceLock<Pool>,
    has_no_limits: AtomicBool,
    dumper: Option<Dumper>,
}

impl Transport {
    pub(crate) fn new(settings: Settings, key: ApiKey) -> Self {
        let dumper = Dumper::new(settings.dump, &key);
        let [api, upload, download] = [const { OnceLock::new() }; 3];
        Self { settings, key, api, upload, download, has_no_limits: AtomicBool::new(false), dumper }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn key(&self) -> &ApiKey {
        &self.key
    }

    fn builder(&self, protocols: &[&str]) -> Result<reqwest::ClientBuilder, ErrorKind> {
        let settings = &self.settings;
        let tls = settings.trust.config(protocols).map_err(ApiError::into_kind)?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(&settings.user_agent)
            .connect_timeout(none_if_zero(settings.connect_timeout))
            .local_address(settings.bind)
            .redirect(reqwest::redirect::Policy::none())
            // Only the pacer repeats requests.
            .retry(reqwest::retry::never())
            .pool_idle_timeout(KEEP_IDLE);
        let builder = if settings.keep_alive { builder } else { builder.pool_max_idle_per_host(0) };
        settings.proxy.apply(builder).map_err(ApiError::into_kind)
    }

    /// Returns a pool, made when first used; its requests have these headers besides those of all.
    fn pool<'a>(
        &self,
        pool: &'a OnceLock<Pool>,
        headers: &HeaderMap,
        build: impl FnOnce() -> Result<reqwest::ClientBuilder, ErrorKind>,
    ) -> Result<&'a Pool, ErrorKind> {
        if let Some(pool) = pool.get() {
            return Ok(pool);
        }
        let made = Pool::new(build()?, [&self.settings.headers.all, headers], self.dumper.clone())?;
        Ok(pool.get_or_init(|| made))
    }

    fn api_pool(&self) -> Result<&Pool, ErrorKind> {
        self.pool(&self.api, &HeaderMap::new(), || {
            Ok(self.builder(&["h2", "http/1.1"])?.read_timeout(none_if_zero(self.settings.idle_timeout)))
        })
    }

    /// Returns the pool for uploads: HTTP/1.1, no time limit of its own since the answer comes long after the start,
    /// and a fresh connection for each (API document, section 7).
    pub(crate) fn upload_pool(&self) -> Result<&Pool, ErrorKind> {
        self.pool(&self.upload, &self.settings.headers.upload, || {
            Ok(self.builder(&["http/1.1"])?.http1_only().no_gzip().pool_max_idle_per_host(0))
        })
    }

    /// Returns the pool for downloads: the bytes aren't compressed on the way. The time limit is the download's own,
    /// since the HTTP library's would run on while the reader of the bytes takes its time.
    pub(crate) fn download_pool(&self) -> Result<&Pool, ErrorKind> {
        self.pool(&self.download, &self.settings.headers.download, || {
            Ok(self
                .builder(&["http/1.1"])?
                .http1_only()
                .no_gzip()
                .redirect(reqwest::redirect::Policy::limited(REDIRECTS)))
        })
    }

    /// Makes a client for URLs anywhere on the web. The bytes aren't compressed on the way, so that their number is
    /// the announced one.
    pub(crate) fn web(self) -> Result<Web, ErrorKind> {
        let builder = self
            .builder(&["h2", "http/1.1"])?
            .no_gzip()
            .read_timeout(none_if_zero(self.settings.idle_timeout))
            .redirect(reqwest::redirect::Policy::limited(WEB_REDIRECTS));
        let headers = [&self.settings.headers.all, &self.settings.headers.download];
        let pool = Pool::new(builder, headers, self.dumper)?;
        Ok(Web { pool, idle_timeout: self.settings.idle_timeout })
    }

    /// Checks whether the last answer said that the service enforces no limits, as an emulator may.
    pub(crate) fn has_no_limits(&self) -> bool {
        self.has_no_limits.load(Ordering::Relaxed)
    }

    /// Calls the API with a JSON object, or without a body (API document, section 1).
    pub(crate) async fn call(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, ErrorKind> {
        self.open(method, path, body).await?.whole(BytesMut::new()).await
    }

    /// Calls the API as [`call`](Self::call) does, for an answer that is read as it comes.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<OpenAnswer, ErrorKind> {
        let url = join(&self.settings.api, path)?;
        let pool = self.api_pool()?;
        let mut request = pool
            .request(method, url)
            .header(AUTHORIZATION, self.key.bearer().map_err(ApiError::into_kind)?)
            .header(CONTENT_TYPE, "application/json");
        // The body has to be complete for the log.
        if body.is_empty() || self.dumper.is_some() {
            Departure::is_now();
            if !body.is_empty() {
                request = request.body(body);
            }
        } else {
            request = request.header(CONTENT_LENGTH, body.len()).body(Departure::body(body));
        }
        self.send(pool, request).await
    }

    /// Requests a page of the site, without the key; with a form if there is one.
    pub(crate) async fn site(&self, path: &str, form: Option<String>) -> Result<Answer, ErrorKind> {
        let url = join(&self.settings.site, path)?;
        let pool = self.api_pool()?;
        let request = match form {
            None => pool.request(Method::GET, url),
            Some(form) => pool
                .request(Method::POST, url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form),
        };
        self.answer(pool, request).await
    }

    /// Sends a request to a node, with the key.
    pub(crate) async fn node(&self, url: Url, headers: HeaderMap) -> Result<Answer, ErrorKind> {
        let pool = self.api_pool()?;
        let request = pool
            .request(Method::GET, url)
            .headers(headers)
            .header(AUTHORIZATION, self.key.bearer().map_err(ApiError::into_kind)?);
        self.answer(pool, request).await
    }

    async fn answer(&self, pool: &Pool, request: reqwest::RequestBuilder) -> Result<Answer, ErrorKind> {
        self.send(pool, request).await?.whole(BytesMut::new()).await
    }

    async fn send(&self, pool: &Pool, request: reqwest::RequestBuilder) -> Result<OpenAnswer, ErrorKind> {
        let idle = self.settings.idle_timeout;
        let (response, exchange) = pool.exchange(request).await.map_err(|error| failure(error, idle))?;
        let limits = response.headers().get("x-limits");
        self.has_no_limits.store(limits.is_some_and(|limits| limits == "off"), Ordering::Relaxed);
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let patience = if idle.is_zero() { PATIENCE } else { idle.min(PATIENCE) };
        let (status, began) = (response.status(), Instant::now());
        Ok(OpenAnswer { status, retry_after, response, idle, patience, began, got: 0, exchange })
    }

    /// Returns the URL of a path on an upload node. Its scheme is the API's, whatever the node's name says.
    ///
    /// The key is sent there, so it has to be a host of the service, unless the user chose the endpoint.
    pub(crate) fn node_url(&self, host: &str, path: &str, query: (&str, &str)) -> Result<Url, ErrorKind> {
        let host = host.trim().trim_end_matches('/');
        let host = host.strip_prefix("https://").or_else(|| host.strip_prefix("http://")).unwrap_or(host);
        let refuse = || {
            ErrorKind::Invalid(format!("`{}` isn't the name of an upload node of the service", shown(host)))
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(refuse());
        }
        let text = format!("{}://{host}/{path}", self.settings.api.scheme());
        let mut url = Url::parse(&text).map_err(|_| refuse())?;
        let of_service = |url: &Url| url.host_str().is_some_and(Domain::holds_host);
        if of_service(&self.settings.api) && !of_service(&url) {
            return Err(refuse());
        }
        url.query_pairs_mut().append_pair(query.0, query.1);
        Ok(url)
    }
}

/// An answer whose header has come, and whose body hasn't.
pub(crate) struct OpenAnswer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    response: reqwest::Response,
    idle: Duration,
    patience: Duration,
    began: Instant,
    got: u64,
    exchange: Option<Exchange>,
}

impl OpenAnswer {
    /// Returns the next bytes; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ErrorKind> {
        let due = self.began + self.patience + Duration::from_secs(self.got / LEAST_RATE);
        // Bytes that are there already are read in any case, since the reader may have been slow.
        let chunk = tokio::time::timeout_at(due, self.response.chunk()).await;
        let too_slow = |_| ErrorKind::TooSlow { got: self.got, took: self.began.elapsed() };
        let chunk = chunk.map_err(too_slow)?.map_err(|error| failure(error, self.idle))?;
        self.got += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// Returns the whole body; `body` is what was read of it before.
    pub(crate) async fn whole(mut self, mut body: BytesMut) -> Result<Answer, ErrorKind> {
        let too_long = |length: u64| length > LONGEST_ANSWER;
        if self.response.content_length().is_some_and(too_long) {
            return Err(endless(LONGEST_ANSWER));
        }
        while let Some(chunk) = self.chunk().await? {
            if too_long(body.len() as u64 + chunk.len() as u64) {
                return Err(endless(LONGEST_ANSWER));
            }
            body.extend_from_slice(&chunk);
        }
        if let Some(exchange) = &mut self.exchange {
            exchange.body(&body);
        }
        Ok(Answer { status: self.status, retry_after: self.retry_after, body: body.freeze() })
    }
}

/// Returns the error for an answer that would fill the memory or the disk.
pub(crate) fn endless(longest: u64) -> ErrorKind {
    ErrorKind::TooLong { limit: longest }
}

/// Returns the beginning of a page, as far as it comes in time.
pub(crate) async fn page_of(mut response: reqwest::Response, idle: Duration) -> Vec<u8> {
    let mut page = Vec::new();
    let patience = if idle.is_zero() { PATIENCE } else { idle.min(PATIENCE) };
    let reading = async {
        while page.len() < LONGEST_PAGE
            && let Ok(Some(chunk)) = response.chunk().await
        {
            page.extend_from_slice(&chunk[..chunk.len().min(LONGEST_PAGE - page.len())]);
        }
    };
    let _ = tokio::time::timeout(patience, reading).await;
    page
}

/// Returns a time limit; zero, which means none, becomes a very long one.
pub(crate) fn none_if_zero(timeout: Duration) -> Duration {
    // reqwest has no "never" once a limit is given; a century comes close.
    if timeout.is_zero() { Duration::from_secs(100 * 365 * 86_400) } else { timeout }
}

fn join(base: &Url, path: &str) -> Result<Url, ErrorKind> {
    base.join(path)
        .map_err(|error| ErrorKind::Setup { what: "the endpoint is unusable".into(), source: error.into() })
}

/// Returns the error for a status that isn't a success and comes without JSON.
pub(crate) fn status_error(
    status: StatusCode,
    after: Option<Duration>,
    body: &[u8],
    key: &ApiKey,
) -> ErrorKind {
    if status.as_u16() != 429 && after.is_none() && is_html(body) {
        return answer::page_error(body, status, key);
    }
    ErrorKind::Status { code: status.as_u16(), retry_after: after }
}

/// Converts a failed exchange into the kind of failure. Addresses are dropped, since they may hold tokens.
pub(crate) fn failure(error: reqwest::Error, idle: Duration) -> ErrorKind {
    let host = error.url().and_then(Url::host_str).unwrap_or_default().to_owned();
    let error = error.without_url();
    if distrusted(&error) {
        return ErrorKind::Certificate(error.into());
    }
    if error.is_builder() {
        return ErrorKind::Setup { what: "the request can't be built".into(), source: error.into() };
    }
    if error.is_connect() {
        return ErrorKind::Connect(Unreached::new(host, &error).into());
    }
    if error.is_timeout() {
        return ErrorKind::Timeout { idle };
    }
    ErrorKind::Network(BoxError::from(error))
}

/// Checks whether a certificate is the reason of an error; then another try won't help.
fn distrusted(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::General(_));
        }
        // An `io::Error` hides the error that it wraps from `source`.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}
