//! Through which proxy requests go.

use url::Url;

use crate::error::ApiError;
use crate::tls::setup;

/// Where proxies come from.
#[derive(Debug, Clone, Default)]
pub enum ProxySettings {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` of the environment, also in lower case, and the
    /// system's settings where there are such.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Direct,
    /// These.
    Fixed {
        /// For `http` addresses.
        http: Option<Url>,
        /// For `https` addresses.
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
        // The address may hold a password: not in the error.
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
