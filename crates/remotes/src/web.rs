//! Reads files anywhere on the web, with the network settings of a run.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use fichier_api::{ApiError, ApiKey, Client, ErrorKind, Url};
use fichier_storage::{ByteStream, Content, RemotePath, Result, StorageError};
use futures::{StreamExt as _, TryStreamExt as _};

pub use fichier_api::{WebFile, shown_address};

use crate::{
    fichier::{failed, proxy_for},
    network::Network,
};

/// Address of a file on the web.
#[derive(Debug, Clone)]
pub struct WebAddress {
    web: fichier_api::Web,
    address: String,
}

impl WebAddress {
    /// Makes an address that is reached as the settings say.
    ///
    /// # Errors
    /// The address isn't valid, or the settings can't be used.
    pub fn new(network: &Network, address: &str) -> Result<Self> {
        let url: Url = address.parse().map_err(|error| {
            let why = format!("this is no address: {error}");
            StorageError::io(
                "fetch",
                shown_address(address),
                std::io::Error::new(std::io::ErrorKind::InvalidInput, why),
            )
        })?;
        // There is no account, so no key is needed.
        let builder = network.applied(Client::builder(ApiKey::new("")).proxy(proxy_for(&url)));
        let web = builder.build_web().map_err(told(address))?;
        Ok(Self { web, address: address.to_owned() })
    }

    /// Requests the file. Any status counts as an answer.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn get(&self) -> Result<WebFile> {
        self.web.get(&self.address).await.map_err(told(&self.address))
    }

    /// Returns the body of an answer.
    #[must_use]
    pub fn body(&self, file: WebFile) -> ByteStream {
        let address = self.address.clone();
        file.into_stream().map_err(move |error| told(&address)(error)).boxed()
    }

    /// Returns the body of an answer as content: it is requested again when it is read again.
    #[must_use]
    pub fn into_content(self, first: WebFile) -> WebContent {
        WebContent { address: self, first: Mutex::new(Some(first)) }
    }
}

/// Content that an address returns.
#[derive(Debug)]
pub struct WebContent {
    address: WebAddress,
    first: Mutex<Option<WebFile>>,
}

#[async_trait]
impl Content for WebContent {
    async fn open(&self) -> Result<ByteStream> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let file = match first {
            Some(file) => file,
            None => self.address.get().await?,
        };
        let status = file.status();
        if !status.is_success() {
            let error = std::io::Error::other(status.to_string());
            return Err(StorageError::io("fetch", self.address.address.clone(), error));
        }
        Ok(self.address.body(file))
    }
}

fn told(address: &str) -> impl Fn(ApiError) -> StorageError + use<> {
    let action = format!("fetch {}", shown_address(address));
    move |error| {
        let unreachable = matches!(error.kind(), ErrorKind::Connect(_));
        let mut failed = failed(&action, &RemotePath::root(), error);
        if let StorageError::Service { hint, .. } = &mut failed
            && unreachable
        {
            *hint = Some("check the address, the connection and the proxy".to_owned());
        }
        failed
    }
}
