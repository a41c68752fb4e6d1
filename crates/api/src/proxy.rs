//! Choice of the proxy for requests.

use url::Url;

use crate::error::ApiError;
use crate::tls::setup;

/// Source of the proxies.
#[derive(Debug, Clone, Default)]
pub enum ProxySettings {
    /// The variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` of the environment, also in lower case, and
    /// the system's settings where it has some.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Direct,
    /// The given proxies.
    Fixed {
        /// Proxy for `http` URLs.
        http: Option<Url>,
        /// Proxy for `https` URLs.
        https: Option<Url>,
        /// Hosts without a proxy, in the form of `NO_PROXY`: separated by commas.
        no_proxy: String,
    },
}

impl ProxySettings {
    pub(crate) fn apply(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, ApiError> {
        let (http, https, no_proxy) = match self {
            Self::Environment => return Ok(builder),
            Self::Direct => return Ok(builder.no_proxy()),
            Self::Fixed { http, https, no_proxy } => (http, https, no_proxy),
        };
        let except = reqwest::NoProxy::from_string(no_proxy);
        // The URL may hold a password, so it isn't in the error.
        let refused =
            |error: reqwest::Error| setup("a proxy's address is unusable".into(), error.without_url());
        let mut builder = builder.no_proxy();
        if let Some(address) = http {
            builder = builder
                .proxy(reqwest::Proxy::http(address.clone()).map_err(refused)?.no_proxy(except.clone()));
        }
        if let Some(address) = https {
            builder =
                builder.proxy(reqwest::Proxy::https(address.clone()).map_err(refused)?.no_proxy(except));
        }
        Ok(builder)
    }
}
