//! From the networking flags to how remotes use the network.

use std::{sync::Arc, time::Duration};

use fichier_config::Environment;
use fichier_remotes::network::Network;

use crate::{arguments::NetworkSettings, calls::Calls, directories, exit::Failure};

/// What is known of accounts lies here in the cache directory.
pub(crate) const ACCOUNTS: &str = "accounts";

/// As good as for ever.
const DAY: Duration = Duration::from_secs(86_400);

/// How the network is used.
///
/// # Errors
/// `--bind` names no address.
pub(super) fn of(
    settings: &NetworkSettings,
    environment: &Environment,
    calls: &Arc<Calls>,
) -> Result<Network, Failure> {
    let bind = settings.bind.as_deref().filter(|address| !address.is_empty());
    let bind = bind.map(|text| {
        let wrong = |_| Failure::usage(format!("--bind {text:?}: expected an IP address such as 192.0.2.7"));
        text.parse().map_err(wrong)
    });
    Ok(Network {
        ca_certificates: settings.ca_certificates.clone(),
        // Zero switches the limit off, as in rclone.
        connect_timeout: if settings.connect_timeout.is_zero() { DAY } else { settings.connect_timeout },
        idle_timeout: settings.timeout,
        user_agent: settings.user_agent.clone(),
        bind: bind.transpose()?,
        // The flag counts tries, as in rclone.
        low_level_retries: settings.low_level_retries.saturating_sub(1),
        call_gap: settings
            .calls_per_second
            .map_or(Duration::ZERO, |calls| Duration::from_secs_f64(calls.recip())),
        memory: directories::cache(environment).map(|cache| cache.join(ACCOUNTS)),
        gates: directories::runtime(environment),
        fast_list: settings.fast_list,
        downloads: settings.downloads.clone(),
        observer: Some(calls.clone()),
        ..Network::default()
    })
}
