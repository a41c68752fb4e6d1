//! A running emulator.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::builder::{Account, Builder};
use crate::certificate::Authority;
use crate::control::Control;
use crate::door::Door;
use crate::error::EmulatorError;
use crate::proxy;
use crate::server;
use crate::service::Service;
use crate::state::{Storage, Store, blocking};

/// A running emulator. Dropping it stops it without waiting; [`Emulator::shutdown`] waits.
pub struct Emulator {
    endpoint: Url,
    address: SocketAddr,
    proxy: Option<SocketAddr>,
    authority: Option<Authority>,
    api_key: String,
    control: Control,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Emulator {
    /// Returns the configuration of a new emulator.
    ///
    /// ```
    /// # async fn example() -> Result<(), fichier_emulator::EmulatorError> {
    /// use fichier_emulator::{Emulator, Limits};
    ///
    /// let emulator = Emulator::builder().limits(Limits::Scaled(100.0)).start().await?;
    /// let url = emulator.control().seed_file("/docs/a.txt", b"hello")?;
    /// assert!(url.starts_with("https://1fichier.com/?"));
    /// emulator.shutdown().await;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn start(mut builder: Builder) -> Result<Self, EmulatorError> {
        for address in std::iter::once(&builder.listen).chain(&builder.proxy) {
            if !address.ip().is_loopback() && !builder.allow_remote {
                return Err(EmulatorError::NotLoopback(*address));
            }
        }
        if builder.accounts.is_empty() {
            builder.accounts.push(Account::default());
        }
        let door = Door::new(builder.private, &builder.accounts[0]);
        let (api_key, account_key) = (door.key_of(&builder.accounts[0]), builder.accounts[0].key.clone());
        let listener = listen(builder.listen).await?;
        let address = local_address(&listener, builder.listen)?;
        let proxy_listener = match builder.proxy {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let (builder, store, authority) = blocking(move || {
            if let Storage::Directory(path) = &builder.storage {
                std::fs::create_dir_all(path).map_err(EmulatorError::file(path))?;
            }
            let store = Store::open(&builder.storage, builder.durable, builder.clock.clone(), builder.lag)?;
            store.transact(|tx| {
                for account in &builder.accounts {
                    tx.put_account(&account.key, &account.email, i64::from(account.offer), account.quota)?;
                }
                Ok::<_, EmulatorError>(())
            })?;
            let authority = match (&builder.proxy, &builder.storage) {
                (None, _) => None,
                (Some(_), Storage::Memory) => Some(Authority::generate()?),
                (Some(_), Storage::Directory(path)) => Some(Authority::persistent(path)?),
            };
            Ok::<_, EmulatorError>((builder, store, authority))
        })
        .await?;

        let service = Arc::new(Service::new(builder, store, door, address)?);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(server::run(listener, Arc::clone(&service), stop.clone(), tasks.clone()));
        let mut proxy_address = None;
        if let (Some(listener), Some(authority)) = (proxy_listener, &authority) {
            proxy_address = Some(local_address(&listener, address)?);
            let tls = authority.server_config()?;
            tasks.spawn(proxy::run(listener, tls, Arc::clone(&service), stop.clone(), tasks.clone()));
        }
        let endpoint = Url::parse(&format!("http://{address}"))
            .map_err(|error| EmulatorError::Control(format!("no URL for {address}: {error}")))?;
        let control = Control::new(service, account_key);
        tracing::debug!(%address, proxy = ?proxy_address, "the emulator listens");
        Ok(Self { endpoint, address, proxy: proxy_address, authority, api_key, control, stop, tasks })
    }

    /// Returns the base of all URLs: `http://127.0.0.1:PORT/`. API calls are under `v1/`.
    #[must_use]
    pub fn endpoint(&self) -> Url {
        self.endpoint.clone()
    }

    /// Returns the address that the emulator listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the proxy's address, if there is a proxy.
    #[must_use]
    pub fn proxy_addr(&self) -> Option<SocketAddr> {
        self.proxy
    }

    /// Returns the certificate that clients must trust to use the proxy, if there is a proxy.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority.as_ref().map(Authority::pem)
    }

    /// Writes the proxy's certificate to a file.
    ///
    /// # Errors
    /// There is no proxy, or the file can't be written.
    pub fn write_ca(&self, path: impl AsRef<Path>) -> Result<(), EmulatorError> {
        let path = path.as_ref();
        let pem = self.ca_pem().ok_or(EmulatorError::NoProxy)?;
        std::fs::write(path, pem).map_err(EmulatorError::file(path))
    }

    /// Returns the key of the first account.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the control with which a test looks at the state.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops listening, gives running requests a moment to end, then cuts them off.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, EmulatorError> {
    TcpListener::bind(address).await.map_err(|source| EmulatorError::Listen { address, source })
}

fn local_address(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, EmulatorError> {
    listener.local_addr().map_err(|source| EmulatorError::Listen { address: asked, source })
}
