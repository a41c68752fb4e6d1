//! How remotes on the network reach their service: what rclone calls its networking flags.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use fichier_api::{ClientBuilder, HeaderMap, HeaderName, HeaderValue, ProxySettings};

pub use fichier_api::{Dump, Url, WaitBudget, Waiting};

/// How the network is used. Shared by all remotes of a run.
#[derive(Clone)]
pub struct Network {
    /// Files of certificates to trust instead of the system's (`--ca-cert`).
    pub ca_certificates: Vec<PathBuf>,
    /// Believes every server, whatever its certificate says (`--no-check-certificate`).
    pub accept_invalid_certificates: bool,
    /// Files of the certificate that servers may ask for, and of its key (`--client-cert`, `--client-key`).
    pub client_certificate: Option<[PathBuf; 2]>,
    /// The proxy for all addresses, in place of those of the environment (`--http-proxy`).
    pub proxy: Option<Url>,
    /// What every request carries beside what it needs (`--header`).
    pub headers: Headers,
    /// What uploads carry, too (`--header-upload`).
    pub upload_headers: Headers,
    /// What downloads carry, too (`--header-download`).
    pub download_headers: Headers,
    /// How long a connection may take to come about (`--contimeout`).
    pub connect_timeout: Duration,
    /// How long a connection may be silent (`--timeout`); zero: for ever.
    pub idle_timeout: Duration,
    /// What the program calls itself (`--user-agent`).
    pub user_agent: Option<String>,
    /// The address to speak from (`--bind`).
    pub bind: Option<IpAddr>,
    /// Opens a new connection for every request (`--disable-http-keep-alives`).
    pub no_keep_alive: bool,
    /// What of the exchanges with servers is logged (`--dump`).
    pub dump: Dump,
    /// How often a call is tried again (`--low-level-retries`).
    pub low_level_retries: u32,
    /// How long a run waits in all because services refuse (`--max-wait`).
    pub waits: WaitBudget,
    /// The least time between two calls (`--tpslimit`).
    pub call_gap: Duration,
    /// How many bytes a second a file may be sent at best (`--bwlimit`, `--bwlimit-file`); `None`: any number.
    pub upload_rate: Option<u64>,
}

/// Headers of requests, in the order in which they were given. Their values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// Reads headers as they are written: `Name: value`.
    ///
    /// # Errors
    /// One isn't of that form.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, HeaderError> {
        let mut headers = HeaderMap::new();
        for line in lines {
            // Without a colon all of it may be a secret.
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

/// What was given isn't a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no HTTP header; it should look like \"Accept-Language: fr\"")]
pub struct HeaderError {
    /// What stands before the colon, if there is one: the rest may be a secret.
    pub name: String,
}

impl Network {
    /// A client's builder with these settings, but for pacing and memory, which are an account's.
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
