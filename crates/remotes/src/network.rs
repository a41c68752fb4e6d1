//! How remotes on the network reach their service, as rclone's networking flags say.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use fichier_api::{ClientBuilder, HeaderMap, HeaderName, HeaderValue, ProxySettings};

pub use fichier_api::{Dump, Url, WaitBudget, Waiting};

/// Options for using the network. Shared by all remotes of a run.
#[derive(Clone)]
pub struct Network {
    /// Files of certificates to trust instead of the system's (`--ca-cert`).
    pub ca_certificates: Vec<PathBuf>,
    /// Accepts every server, whatever its certificate says (`--no-check-certificate`).
    pub accept_invalid_certificates: bool,
    /// Files of the certificate that servers may ask for, and of its key (`--client-cert`, `--client-key`).
    pub client_certificate: Option<[PathBuf; 2]>,
    /// Proxy for all addresses, in place of those of the environment (`--http-proxy`).
    pub proxy: Option<Url>,
    /// Additional headers of every request (`--header`).
    pub headers: Headers,
    /// Additional headers of uploads (`--header-upload`).
    pub upload_headers: Headers,
    /// Additional headers of downloads (`--header-download`).
    pub download_headers: Headers,
    /// Longest time for making a connection (`--contimeout`).
    pub connect_timeout: Duration,
    /// Longest time that a connection may be silent (`--timeout`); zero: no limit.
    pub idle_timeout: Duration,
    /// User agent that requests carry (`--user-agent`).
    pub user_agent: Option<String>,
    /// Local address of connections (`--bind`).
    pub bind: Option<IpAddr>,
    /// Opens a new connection for every request (`--disable-http-keep-alives`).
    pub no_keep_alive: bool,
    /// Parts of the exchanges with servers that are logged (`--dump`).
    pub dump: Dump,
    /// Number of times that a call is tried again (`--low-level-retries`).
    pub low_level_retries: u32,
    /// Total time that a run waits because services refuse (`--max-wait`).
    pub waits: WaitBudget,
    /// Shortest time between two calls (`--tpslimit`).
    pub call_gap: Duration,
    /// Limit on bytes per second at which a file is sent (`--bwlimit`, `--bwlimit-file`); `None`: no limit.
    pub upload_rate: Option<u64>,
}

/// Headers of requests, in the order in which they were given. Their values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// Reads headers as they are written: `Name: value`.
    ///
    /// # Errors
    /// A line isn't of that form.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, HeaderError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            // Without a colon, the whole line may be a secret.
            let name = line.split_once(':').map_or("***", |(name, _)| name);
            let wrong = || HeaderError { name: name.to_owned() };
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(Self(headers))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Error about a text that isn't a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no HTTP header; it should look like \"Accept-Language: fr\"")]
pub struct HeaderError {
    /// Text before the colon, if there is one: the rest may be a secret.
    pub name: String,
}

impl Network {
    /// Returns a client's builder with these settings, except pacing and memory, which belong to an account.
    pub(crate) fn applied(&self, mut builder: ClientBuilder) -> ClientBuilder {
        builder = builder.connect_timeout(self.connect_timeout).idle_timeout(self.idle_timeout);
        for file in &self.ca_certificates {
            builder = builder.ca_cert(file);
        }
        if self.accept_invalid_certificates {
            builder = builder.accept_invalid_certificates();
        }
        if let Some([certificate, key]) = &self.client_certificate {
            builder = builder.client_certificate(certificate, key);
        }
        if let Some(proxy) = &self.proxy {
            let (http, https) = (Some(proxy.clone()), Some(proxy.clone()));
            builder = builder.proxy(ProxySettings::Fixed { http, https, no_proxy: String::new() });
        }
        builder = builder
            .headers(self.headers.0.clone())
            .upload_headers(self.upload_headers.0.clone())
            .download_headers(self.download_headers.0.clone());
        if let Some(agent) = &self.user_agent {
            builder = builder.user_agent(agent.clone());
        }
        if let Some(address) = self.bind {
            builder = builder.bind(address);
        }
        if self.no_keep_alive {
            builder = builder.without_keep_alive();
        }
        builder.dump(self.dump)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ca_certificates: Vec::new(),
            accept_invalid_certificates: false,
            client_certificate: None,
            proxy: None,
            headers: Headers::default(),
            upload_headers: Headers::default(),
            download_headers: Headers::default(),
            connect_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            user_agent: None,
            bind: None,
            no_keep_alive: false,
            dump: Dump::default(),
            low_level_retries: 10,
            waits: WaitBudget::default(),
            call_gap: Duration::ZERO,
            upload_rate: None,
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("ca_certificates", &self.ca_certificates)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("user_agent", &self.user_agent)
            .field("bind", &self.bind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_are_written_and_not_shown() {
        let headers = Headers::parse(["X-One: a:b ", "x-two:", "X-One: c"]).unwrap();
        let values: Vec<_> = headers.0.get_all("x-one").iter().collect();
        assert_eq!(values, ["a:b", "c"]);
        assert_eq!(headers.0["x-two"], "");
        assert!(!format!("{headers:?}").contains("a:b"));
        for wrong in ["no colon", ": nothing before it", "bad name: x", "a: line\nfeed"] {
            assert!(Headers::parse([wrong]).is_err(), "{wrong}");
        }
    }
}
