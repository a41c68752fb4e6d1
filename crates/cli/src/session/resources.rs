//! Makes from the flags what all remotes of a run share: how they use the network, and where they keep what they know.

use std::{sync::Arc, time::Duration};

use fichier_remotes::{
    network::{Headers, Network, Url, WaitBudget},
    resources::{Resources, StateFolders},
};

use crate::{
    arguments::{NetworkSettings, Settings},
    calls::Calls,
    exit::Failure,
    flags::Timetable,
};

/// Name of the directory for knowledge about accounts, in the cache directory.
pub(crate) const ACCOUNTS: &str = "accounts";

/// A time that is practically unlimited.
const DAY: Duration = Duration::from_secs(86_400);

/// Returns how long a run may wait in all, by `--max-wait`; zero: no limit.
pub(super) fn waits(most: Duration) -> WaitBudget {
    if most.is_zero() { WaitBudget::default() } else { WaitBudget::new(most) }
}

/// Returns how the network is used.
///
/// # Errors
/// A flag's value can't be used.
pub(super) fn of(run: &Settings, calls: &Arc<Calls>, waits: &WaitBudget) -> Result<Resources, Failure> {
    let settings = &run.network;
    let bind = settings.bind.as_deref().filter(|address| !address.is_empty());
    let bind = bind.map(|text| {
        let wrong = |_| Failure::usage(format!("--bind {text:?}: expected an IP address such as 192.0.2.7"));
        text.parse().map_err(wrong)
    });
    let headers = |flag: &str, lines: &[String]| {
        let parsed = Headers::parse(lines.iter().map(String::as_str));
        parsed.map_err(|error| Failure::usage(format!("--{flag}: {error}")))
    };
    if settings.accept_invalid_certificates {
        tracing::warn!(
            "Certificates aren't checked: whoever is on the way can read the API key and the files"
        );
    }
    let network = Network {
        accept_invalid_certificates: settings.accept_invalid_certificates,
        client_certificate: settings.client_certificate.clone(),
        proxy: proxy(settings)?,
        headers: headers("header", &settings.headers)?,
        upload_headers: headers("header-upload", &settings.upload_headers)?,
        download_headers: headers("header-download", &settings.download_headers)?,
        ca_certificates: settings.ca_certificates.clone(),
        // Zero switches the limit off, as in rclone.
        connect_timeout: if settings.connect_timeout.is_zero() { DAY } else { settings.connect_timeout },
        idle_timeout: settings.timeout,
        user_agent: settings.user_agent.clone(),
        bind: bind.transpose()?,
        no_keep_alive: settings.no_keep_alive,
        dump: settings.dump,
        // The flag counts tries, as in rclone.
        low_level_retries: settings.low_level_retries.saturating_sub(1),
        waits: waits.clone(),
        call_gap: settings.calls_per_second.map_or(Duration::ZERO, |calls| {
            Duration::try_from_secs_f64(calls.recip()).unwrap_or(DAY).min(DAY)
        }),
        upload_rate: [&run.transfer.bandwidth, &run.transfer.file_bandwidth]
            .into_iter()
            .filter_map(Timetable::best_up)
            .min(),
    };
    Ok(Resources {
        network,
        state: StateFolders {
            accounts: run.directories.cache.as_ref().map(|cache| cache.join(ACCOUNTS)),
            running: run.directories.running.clone(),
        },
        downloads: settings.downloads.clone(),
        fast_list: settings.fast_list,
        bounded_depth: run.max_depth.is_some(),
        observer: Some(calls.clone()),
        ..Resources::default()
    })
}

/// Returns the proxy of `--http-proxy`. Its address may hold a password, so it isn't quoted.
fn proxy(settings: &NetworkSettings) -> Result<Option<Url>, Failure> {
    let parsed = settings.proxy.as_deref().map(str::parse::<Url>).transpose();
    match parsed {
        Ok(address) if address.as_ref().is_none_or(Url::has_host) => Ok(address),
        _ => Err(Failure::usage("--http-proxy: expected an address such as http://proxy.example:3128")),
    }
}
