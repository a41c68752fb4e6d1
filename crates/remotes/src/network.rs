//! How remotes on the network reach their service: what rclone calls its networking flags.

use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use fichier_api::{CancellationToken, ClientBuilder, Observer};

use crate::local::Downloads;

/// How the network is used. Shared by all remotes of a run.
#[derive(Clone)]
pub struct Network {
    /// Files of certificates to trust instead of the system's (`--ca-cert`).
    pub ca_certificates: Vec<PathBuf>,
    /// How long a connection may take to come about (`--contimeout`).
    pub connect_timeout: Duration,
    /// How long a connection may be silent (`--timeout`); zero: for ever.
    pub idle_timeout: Duration,
    /// What the program calls itself (`--user-agent`).
    pub user_agent: Option<String>,
    /// The address to speak from (`--bind`).
    pub bind: Option<IpAddr>,
    /// How often a call is tried again (`--low-level-retries`).
    pub low_level_retries: u32,
    /// The least time between two calls (`--tpslimit`).
    pub call_gap: Duration,
    /// Where what was learned about accounts is kept between runs; `None`: nowhere.
    pub memory: Option<PathBuf>,
    /// Where processes tell each other of their calls to the same account; `None`: nowhere.
    pub gates: Option<PathBuf>,
    /// Checks what is known of an account by one listing of all its files (`--fast-list`).
    pub fast_list: bool,
    /// How what comes over it is brought to the disk.
    pub downloads: Downloads,
    /// Who is told of calls and waits.
    pub observer: Option<Arc<dyn Observer>>,
    /// Stops all calls.
    pub cancel: CancellationToken,
}

impl Network {
    /// A client's builder with these settings, but for pacing and memory, which are an account's.
    pub(crate) fn applied(&self, mut builder: ClientBuilder) -> ClientBuilder {
        builder = builder.connect_timeout(self.connect_timeout).idle_timeout(self.idle_timeout);
        for file in &self.ca_certificates {
            builder = builder.ca_cert(file);
        }
        if let Some(agent) = &self.user_agent {
            builder = builder.user_agent(agent.clone());
        }
        if let Some(address) = self.bind {
            builder = builder.bind(address);
        }
        builder
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ca_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            user_agent: None,
            bind: None,
            low_level_retries: 10,
            call_gap: Duration::ZERO,
            memory: None,
            gates: None,
            fast_list: false,
            downloads: Downloads::default(),
            observer: None,
            cancel: CancellationToken::new(),
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
            .field("memory", &self.memory)
            .field("gates", &self.gates)
            .field("downloads", &self.downloads)
            .finish_non_exhaustive()
    }
}
