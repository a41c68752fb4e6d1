//! The flags for the use of the network.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::value::duration;

/// How the network is used, as typed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Networking")]
pub(crate) struct NetworkFlags {
    /// Trust servers by the certificates in this file, not by the system's; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Vec<PathBuf>,

    /// Believe every server, whatever its certificate says: who listens can read the API key
    #[arg(long)]
    pub(crate) no_check_certificate: bool,

    /// Show the certificate in this file to servers that ask for one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,

    /// The key of --client-cert, not encrypted
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,

    /// Open at most so many connections for files, beside one for calls; 0: any number
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) max_connections: i64,

    /// Open a new connection for every request
    #[arg(long)]
    pub(crate) disable_http_keep_alives: bool,

    /// How long to wait for a connection
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    pub(crate) contimeout: Duration,

    /// How long a connection may be silent
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// How long a run may wait in all for a service that refuses or reports nothing, and for other runs; 0: for ever
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(crate) max_wait: Duration,

    /// Say this name to servers
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_agent: Option<String>,

    /// Connect from this local address
    #[arg(long, value_name = "ADDRESS", value_parser = local_address)]
    pub(crate) bind: Option<String>,

    /// Go through this proxy, whatever the environment says
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http_proxy: Option<String>,

    /// Send this HTTP header with every request, as "Name: value"; may be repeated
    #[arg(long, value_name = "HEADER")]
    pub(crate) header: Vec<String>,

    /// Send this HTTP header with every upload; may be repeated
    #[arg(long, value_name = "HEADER")]
    pub(crate) header_upload: Vec<String>,

    /// Send this HTTP header with every download; may be repeated
    #[arg(long, value_name = "HEADER")]
    pub(crate) header_download: Vec<String>,
}

/// Checks for an IP address of this computer; an empty text means none.
fn local_address(text: &str) -> Result<String, String> {
    let fits = text.is_empty() || text.parse::<std::net::IpAddr>().is_ok();
    if fits { Ok(text.to_owned()) } else { Err("expected an IP address such as 192.0.2.7".to_owned()) }
}
