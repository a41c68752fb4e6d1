//! Configuration of a client.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::client::Client;
use crate::dump::Dump;
use crate::error::{ApiError, ErrorKind};
use crate::key::ApiKey;
use crate::limits::DOWNLOAD_CONNECTIONS;
use crate::observer::Observer;
use crate::pacer::{Learned, Pacer, Pacing, RetryPolicy, WaitBudget};
use crate::proxy::ProxySettings;
use crate::sharing_user::SharingUser;
use crate::shown::shown_address;
use crate::tls::{Trust, setup};
use crate::transport::{Headers, Settings, Transport};
use crate::web::Web;

/// URL of the service's API.
pub(crate) const API: &str = "https://api.1fichier.com/v1/";
/// URL of the service's site, which has the pages of shared folders.
const SITE: &str = "https://1fichier.com/";

/// Configuration of a [`Client`]; made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    key: ApiKey,
    endpoint: Option<Url>,
    ca_files: Vec<PathBuf>,
    ca_pem: Vec<Vec<u8>>,
    trusts_anybody: bool,
    identity: Option<[PathBuf; 2]>,
    headers: Headers,
    connect_timeout: Duration,
    idle_timeout: Duration,
    user_agent: String,
    bind: Option<IpAddr>,
    proxy: ProxySettings,
    keep_alive: bool,
    dump: Dump,
    pacing: Pacing,
    pacing_without_limits: Option<Pacing>,
    retry: RetryPolicy,
    learned: Learned,
    files_apart: bool,
    observer: Option<Arc<dyn Observer>>,
    cancel: CancellationToken,
    end_waits: CancellationToken,
    shared_paces: Option<PathBuf>,
    connections: usize,
    address: Option<PathBuf>,
    waits: WaitBudget,
    remote: Option<Arc<str>>,
    sharing_user: Option<String>,
}

impl ClientBuilder {
    pub(crate) fn new(key: ApiKey) -> Self {
        Self {
            key,
            endpoint: None,
            ca_files: Vec::new(),
            ca_pem: Vec::new(),
            trusts_anybody: false,
            identity: None,
            headers: Headers::default(),
            connect_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            user_agent: concat!("fichier/", env!("CARGO_PKG_VERSION")).into(),
            bind: None,
            proxy: ProxySettings::default(),
            keep_alive: true,
            dump: Dump::default(),
            pacing: Pacing::default(),
            pacing_without_limits: None,
            retry: RetryPolicy::default(),
            learned: Learned::default(),
            files_apart: false,
            observer: None,
            cancel: CancellationToken::new(),
            end_waits: CancellationToken::new(),
            shared_paces: None,
            connections: DOWNLOAD_CONNECTIONS,
            address: None,
            waits: WaitBudget::default(),
            remote: None,
            sharing_user: None,
        }
    }

    /// Uses another service than 1Fichier's own, such as an emulator. For `http://127.0.0.1:1234`, the API is
    /// `http://127.0.0.1:1234/v1/`, the site is `http://127.0.0.1:1234/`, and upload nodes are reached by `http`.
    pub fn endpoint(mut self, endpoint: Url) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Trusts the certificates of this PEM file instead of the system's. Several may be given.
    pub fn ca_cert(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_files.push(path.into());
        self
    }

    /// Trusts the certificates of this PEM text instead of the system's. Several may be given.
    pub fn ca_cert_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem.push(pem.into());
        self
    }

    /// Accepts any TLS certificate. Anyone on the network path can then read the key and everything else.
    pub fn accept_invalid_certificates(mut self) -> Self {
        self.trusts_anybody = true;
        self
    }

    /// Presents the certificate in this PEM file to servers that ask for one; its key is in another file.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identity = Some([certificate.into(), key.into()]);
        self
    }

    /// Sends these headers with every request. They don't replace those that the client itself needs.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.all = headers;
        self
    }

    /// Sends these headers with every upload, too.
    pub fn upload_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.upload = headers;
        self
    }

    /// Sends these headers with every download, too.
    pub fn download_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.download = headers;
        self
    }

    /// Limits the time that a connection may take to open. Default: 1 min; zero means no limit.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits the time without any byte sent or received. Default: 5 min; zero means no limit.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets the `User-Agent` of requests. Default: `fichier/VERSION`.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Sets the local IP address of connections.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = Some(address);
        self
    }

    /// Sets which proxies to use. Default: those of the environment.
    pub fn proxy(mut self, proxy: ProxySettings) -> Self {
        self.proxy = proxy;
        self
    }

    /// Opens a new connection for every request.
    pub fn without_keep_alive(mut self) -> Self {
        self.keep_alive = false;
        self
    }

    /// Logs requests and answers, without their secrets.
    pub fn dump(mut self, dump: Dump) -> Self {
        self.dump = dump;
        self
    }

    /// Sets the intervals between calls.
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = pacing;
        self
    }

    /// Sets the intervals for a service that says that it enforces no limits, as an emulator may.
    pub fn pacing_without_limits(mut self, pacing: Pacing) -> Self {
        self.pacing_without_limits = Some(pacing);
        self
    }

    /// Sets how often to repeat what failed.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets what was learned about the account before; see [`Client::learned`].
    pub fn learned(mut self, learned: Learned) -> Self {
        self.learned = learned;
        self
    }

    /// Asks for a folder's files by a call of their own from the first listing on, for a service that is known to leave
    /// them out of the folder's.
    pub fn files_apart(mut self) -> Self {
        self.files_apart = true;
        self
    }

    /// Sets an observer of calls and waits.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Stops all calls and waits of the client with [`ErrorKind::Canceled`] when the token is cancelled.
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Ends all waits of the client when the token is cancelled, so that their calls fail with
    /// [`ErrorKind::Canceled`]. Requests that were sent are finished.
    pub fn end_waits(mut self, token: CancellationToken) -> Self {
        self.end_waits = token;
        self
    }

    /// Limits the total time of waits because the service refuses. All clients with the same budget share it.
    pub fn wait_budget(mut self, waits: WaitBudget) -> Self {
        self.waits = waits;
        self
    }

    /// Means the folders that the account with this mail address shares with the key's, instead of the key's own: what is
    /// listed and read is theirs.
    pub fn sharing_user(mut self, mail: impl Into<String>) -> Self {
        self.sharing_user = Some(mail.into());
        self
    }

    /// What the user calls the service, with a colon: errors of calls know it.
    pub fn remote(mut self, name: impl Into<Arc<str>>) -> Self {
        self.remote = Some(name.into());
        self
    }

    /// Keeps the intervals together with all other processes that name the same path: two small files that
    /// begin with it are made, and locked for moments. Each account needs a path of its own; the key shouldn't
    /// be in it.
    pub fn shared_pace(mut self, path: impl Into<PathBuf>) -> Self {
        self.shared_paces = Some(path.into());
        self
    }

    /// Sets how many download connections may be open at once, in all processes that share the pace of the account.
    /// Default: 30.
    pub fn download_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Notes in this file when any account is asked for, which the service limits by address, too. All accounts of a
    /// service share it.
    pub fn shared_address(mut self, file: impl Into<PathBuf>) -> Self {
        self.address = Some(file.into());
        self
    }

    /// Makes the client. Nothing is opened or loaded yet, except for files of certificates.
    ///
    /// # Errors
    /// The key, the endpoint or a certificate can't be used.
    pub fn build(mut self) -> Result<Client, ApiError> {
        self.key.bearer()?;
        let settings = self.settings()?;
        let mut pacer = Pacer::new(self.pacing, self.retry, self.learned, self.observer, self.cancel);
        pacer.end_waits_by(self.end_waits);
        pacer.wait_within(self.waits);
        if let Some(name) = self.remote {
            pacer.call_it(name);
        }
        if let Some(pacing) = self.pacing_without_limits {
            pacer.without_limits(pacing);
        }
        pacer.connect_at_most(self.connections);
        if let Some(path) = &self.shared_paces {
            pacer.share(path);
        }
        if let Some(file) = self.address.take() {
            pacer.share_address(file);
        }
        let sharing_user = self.sharing_user.take().map(SharingUser::new);
        Ok(Client::new(Transport::new(settings, self.key), pacer, self.files_apart, sharing_user))
    }

    /// Makes a client for URLs anywhere on the web, which uses neither key nor pacing.
    ///
    /// # Errors
    /// A certificate or a proxy can't be used.
    pub fn build_web(mut self) -> Result<Web, ApiError> {
        let settings = self.settings()?;
        Transport::new(settings, self.key).web().map_err(ApiError::here)
    }

    fn settings(&mut self) -> Result<Settings, ApiError> {
        let (api, site) = bases(self.endpoint.take())?;
        let mut trust = Trust { anybody: self.trusts_anybody, ..Trust::default() };
        for path in &self.ca_files {
            trust.roots.add_file(path)?;
        }
        if let Some([certificate, key]) = &self.identity {
            trust.identify(certificate, key)?;
        }
        for pem in &self.ca_pem {
            trust
                .roots
                .add_pem(pem)
                .map_err(|error| setup("the certificates given are unusable".into(), error))?;
        }
        Ok(Settings {
            api,
            site,
            trust,
            headers: std::mem::take(&mut self.headers),
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            user_agent: std::mem::take(&mut self.user_agent),
            bind: self.bind,
            proxy: std::mem::take(&mut self.proxy),
            keep_alive: self.keep_alive,
            dump: self.dump,
        })
    }
}

/// Returns the base URLs of API and site.
fn bases(endpoint: Option<Url>) -> Result<(Url, Url), ApiError> {
    let parse =
        |text: &str| Url::parse(text).map_err(|error| setup("the endpoint is unusable".into(), error));
    let Some(mut api) = endpoint else { return Ok((parse(API)?, parse(SITE)?)) };
    if !matches!(api.scheme(), "http" | "https") || api.host().is_none() {
        let words = format!("`{}` isn't an http or https address", shown_address(api.as_str()));
        return Err(ApiError::here(ErrorKind::Invalid(words)));
    }
    api.set_query(None);
    api.set_fragment(None);
    let path = api.path().trim_matches('/').to_owned();
    api.set_path(&if path.is_empty() { "/v1/".to_owned() } else { format!("/{path}/") });
    let site = match api.host_str() {
        Some("api.1fichier.com") => parse(SITE)?,
        _ => api.join("/").map_err(|error| setup("the endpoint is unusable".into(), error))?,
    };
    Ok((api, site))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: &str) -> (String, String) {
        let (api, site) = bases(Some(Url::parse(endpoint).unwrap())).unwrap();
        (api.into(), site.into())
    }

    #[test]
    fn the_bases_follow_from_the_endpoint() {
        let (api, site) = bases(None).unwrap();
        assert_eq!((api.as_str(), site.as_str()), (API, SITE));
        let local = ("http://127.0.0.1:1234/v1/".to_owned(), "http://127.0.0.1:1234/".to_owned());
        for endpoint in ["http://127.0.0.1:1234", "http://127.0.0.1:1234/", "http://127.0.0.1:1234/v1"] {
            assert_eq!(of(endpoint), local, "{endpoint}");
        }
        assert_eq!(of("https://api.1fichier.com/v2/").1, SITE);
        assert!(bases(Some(Url::parse("ftp://1fichier.com").unwrap())).is_err());
    }

    #[test]
    fn a_client_is_made_without_a_runtime_and_a_bad_certificate_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let build = || ClientBuilder::new(ApiKey::new("k")).ca_cert(&file).build();
        assert!(build().err().unwrap().to_string().contains("can't read"));
        std::fs::write(&file, "nothing").unwrap();
        assert!(build().err().unwrap().to_string().contains("no certificates"));
        assert!(ClientBuilder::new(ApiKey::new("k")).build().is_ok());
    }
}
