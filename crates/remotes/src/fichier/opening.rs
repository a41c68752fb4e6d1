//! Opens a remote from its settings: the one place that knows the options by their names.

use std::{path::PathBuf, sync::Arc, time::Duration};

use url::{Host, Url};

use fichier_api::{
    ApiKey, Client, ClientBuilder, Pacing, Password, ProxySettings, RetryPolicy, shown_address,
};
use fichier_notation::Secret;
use fichier_storage::{Blame, FolderIdentity, Remote, RemotePath, Retry, StorageError};

use super::{
    CatalogueMode, CdnUse, Dates, EmptyFiles, FichierOptions, FichierRemote, SharedFolderRemote,
    account_state::{AccountState, SavedState, account_name},
    catalogue::database::{CatalogueDb, EXTENSION},
    catalogue::earlier_runs::EarlierRuns,
    error::failed,
    findings,
    names::Names,
    public_site::PublicSite,
    shared_by::SharedByRemote,
};
use crate::{
    backend::{Chosen, InvalidValue, OpenError, Settings},
    resources::Resources,
};

/// Advice for a remote without a key.
pub(super) const SET_A_KEY: &str =
    "set api_key; get a key at https://1fichier.com/console/params.pl (it needs a Premium or Access account)";

/// Opens an account, or a shared folder when one is named.
///
/// # Errors
/// A value doesn't suit its option, there is no key, or the client can't be set up.
pub(super) fn open(
    name: &str,
    chosen: &Chosen<'_>,
    resources: &Resources,
) -> Result<Arc<dyn Remote>, OpenError> {
    let wrong = |source| OpenError::Value { remote: name.to_owned(), source };
    let options =
        FichierOptions { upload_rate: resources.network.upload_rate, ..options(chosen).map_err(wrong)? };
    let shared = chosen.text("shared_folder").map_err(wrong)?;
    let shared_by = chosen.text("shared_by").map_err(wrong)?;
    if shared_by.is_some() && shared.is_some() {
        let reason = "a remote has either shared_by or shared_folder".to_owned();
        return Err(wrong(InvalidValue { option: "shared_by", reason }));
    }
    let key = chosen.secret("api_key").map_err(wrong)?.unwrap_or_default();
    if key.is_empty() && shared.is_none() {
        return Err(StorageError::Service {
            action: format!("open {name}"),
            retry: Retry::Fatal,
            blame: Blame::User,
            hint: Some(SET_A_KEY.to_owned()),
            source: "the remote has no API key".into(),
        }
        .into());
    }
    let url = endpoint_of(chosen).map_err(wrong)?;
    let network = &resources.network;
    let usage = catalogue_mode(chosen).map_err(wrong)?;
    let is_own = shared.is_none() && shared_by.is_none();
    let directory = resources.state.accounts.as_ref().filter(|_| is_own);
    let database = directory
        .filter(|_| usage != CatalogueMode::Off)
        .map(|directory| directory.join(database_name(url.as_str(), key.expose(), &options)));
    let memory = directory.map(|directory| AccountState::open(directory, url.as_str(), key.expose()));
    let on_this_computer = is_here(&url);
    let pacing = pacing(chosen, network.call_gap).map_err(wrong)?;
    // Without limits there is nothing to share between processes.
    let gates = resources.state.running.as_ref().filter(|_| shared.is_none() && !pacing.any.is_zero());
    let address =
        gates.map(|directory| directory.join(account_name(&[url.as_str()])).with_extension("address"));
    let gates = gates.map(|directory| directory.join(account_name(&[url.as_str(), key.expose()])));
    let has_key = !key.is_empty();
    let whose = match (&shared, &shared_by) {
        (Some(folder), _) => ["shared folder", folder, ""],
        (None, Some(mail)) => ["shared by", key.expose(), mail],
        (None, None) => ["account", key.expose(), ""],
    };
    // A digest, since an identity may come to be seen and the key mustn't.
    let parts = [url.as_str().trim_end_matches('/'), whose[0], whose[1], whose[2]];
    let identity = account_name(&parts[..if whose[2].is_empty() { 3 } else { 4 }]);
    let identity = FolderIdentity::new("fichier", identity.as_bytes());
    let mut builder = client_of(key.expose(), url, &pacing, resources).remote(format!("{name}:"));
    if let Some(connections) = chosen.count("download_connections").map_err(wrong)? {
        builder = builder.download_connections(connections);
    }
    // Only a service on this computer is trusted when it says that it enforces no limits.
    if let Some(pacing) =
        without_limits(chosen, &pacing, network.call_gap).map_err(wrong)?.filter(|_| on_this_computer)
    {
        builder = builder.pacing_without_limits(pacing);
    }
    if let Some(path) = gates {
        builder = builder.shared_pace(path);
    }
    if let Some(file) = address {
        builder = builder.shared_address(file);
    }
    if let Some(mail) = &shared_by {
        builder = builder.sharing_user(mail.as_str());
    }
    let (memory, kept) = memory.unzip();
    let kept: SavedState = kept.unwrap_or_default();
    builder = builder.learned(kept.learned.clone());
    if kept.found_out(findings::FILES_IN_LISTING) == Some(findings::APART) {
        builder = builder.files_apart();
    }
    let client = builder.build().map_err(|error| failed("open", &RemotePath::root(), error))?;
    let title = format!("{name}:");
    if shared_by.is_some() {
        return Ok(Arc::new(SharedByRemote::new(FichierRemote::new(client, title, identity, options))));
    }
    let Some(shared) = shared else {
        // Without a catalogue on disk everything works as well, with more listings.
        let database = database.and_then(|file| match CatalogueDb::open(&file, &title) {
            Ok(database) => Some(database),
            Err(error) => {
                tracing::warn!("Directories are listed anew: {error}");
                None
            }
        });
        let earlier_runs = database.map(|database| EarlierRuns::new(database, usage, resources.fast_list));
        let remote = FichierRemote::new(client, title, identity, options)
            .with_account_state(memory, &kept)
            .with_unfinished(resources.unfinished.clone())
            .with_earlier_runs(earlier_runs);
        return Ok(Arc::new(remote));
    };
    let folder = shared.parse().map_err(|error: fichier_api::SharedFolderIdError| {
        wrong(InvalidValue { option: "shared_folder", reason: error.to_string() })
    })?;
    let password = chosen.secret("folder_password").map_err(wrong)?.as_ref().map(password);
    let remote = SharedFolderRemote::new(client, title, (folder, identity), password, &options);
    Ok(Arc::new(if has_key { remote } else { remote.without_account() }))
}

/// Makes a client of the service with the settings that all of them share.
fn client_of(key: &str, url: Url, pacing: &Pacing, resources: &Resources) -> ClientBuilder {
    let network = &resources.network;
    let builder = Client::builder(ApiKey::new(key))
        .proxy(proxy_for(&url))
        .endpoint(url)
        .pacing(pacing.clone())
        .retry(RetryPolicy { low_level_retries: network.low_level_retries, ..RetryPolicy::default() })
        .cancel(resources.cancel.clone())
        .end_waits(resources.end_waits.clone())
        .wait_budget(network.waits.clone());
    let builder = network.applied(builder);
    match &resources.observer {
        Some(observer) => builder.observer(observer.clone()),
        None => builder,
    }
}

/// Opens what the service shows everyone. It needs no key.
///
/// # Errors
/// A value doesn't suit its option, or the client can't be set up.
pub fn public_site(settings: &Settings, resources: &Resources) -> Result<PublicSite, OpenError> {
    let wrong = |source| OpenError::Value { remote: ":fichier".to_owned(), source };
    let chosen = &Chosen::new(&super::settings::BACKEND, settings);
    let options = options(chosen).map_err(wrong)?;
    let url = endpoint_of(chosen).map_err(wrong)?;
    let pacing = pacing(chosen, resources.network.call_gap).map_err(wrong)?;
    let client = client_of("", url, &pacing, resources).build();
    let client = client.map_err(|error| failed("open 1Fichier", &RemotePath::root(), error))?;
    Ok(PublicSite::new(client, Names { encoding: options.encoding, stand_ins: false }))
}

/// Returns the address of the service.
fn endpoint_of(chosen: &Chosen<'_>) -> Result<Url, InvalidValue> {
    let endpoint = chosen.text("endpoint")?.unwrap_or_default();
    endpoint.parse().map_err(|error| InvalidValue {
        option: "endpoint",
        reason: format!("{:?} is no address: {error}", shown_address(&endpoint)),
    })
}

/// Returns where the catalogue of an account is, given its remote's settings; `None` when nothing is kept of it.
///
/// # Errors
/// A value doesn't suit its option.
pub fn catalogue_file(settings: &Settings, resources: &Resources) -> Result<Option<PathBuf>, InvalidValue> {
    let chosen = Chosen::new(&super::settings::BACKEND, settings);
    let is_own = chosen.text("shared_folder")?.is_none() && chosen.text("shared_by")?.is_none();
    let (Some(directory), Some(key), true) = (&resources.state.accounts, chosen.secret("api_key")?, is_own)
    else {
        return Ok(None);
    };
    let endpoint = chosen.text("endpoint")?.unwrap_or_default();
    // Written in full, as for a remote that is opened.
    let endpoint = endpoint.parse::<Url>().map_or(endpoint, String::from);
    Ok(Some(directory.join(database_name(&endpoint, key.expose(), &options(&chosen)?))))
}

/// Returns the name of an account's catalogue. Names in it are decoded, so each way to decode them has its own.
fn database_name(endpoint: &str, key: &str, options: &FichierOptions) -> String {
    let stand_ins = if options.empty_files == EmptyFiles::Marker { "stand-ins" } else { "" };
    let parts = [endpoint, key, &options.encoding.to_string(), stand_ins];
    format!("{}.{EXTENSION}", account_name(&parts))
}

fn catalogue_mode(chosen: &Chosen<'_>) -> Result<CatalogueMode, InvalidValue> {
    let text = chosen.text("catalogue")?.unwrap_or_default();
    text.parse().map_err(|error: super::CatalogueModeError| InvalidValue {
        option: "catalogue",
        reason: error.to_string(),
    })
}

/// Returns the proxies for an address.
pub(crate) fn proxy_for(url: &Url) -> ProxySettings {
    if is_here(url) { ProxySettings::Direct } else { ProxySettings::Environment }
}

/// Checks whether the service is on this computer, where no proxy would find it.
fn is_here(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn password(secret: &Secret) -> Password {
    Password::new(secret.expose())
}

fn options(chosen: &Chosen<'_>) -> Result<FichierOptions, InvalidValue> {
    let defaults = FichierOptions::default();
    Ok(FichierOptions {
        encoding: chosen.encoding("encoding")?.unwrap_or(defaults.encoding),
        empty_files: match chosen.choice("empty_files")? {
            Some("skip") => EmptyFiles::Skip,
            Some("marker") => EmptyFiles::Marker,
            _ => EmptyFiles::Error,
        },
        cdn: match chosen.flag_or("cdn")? {
            Ok(false) => CdnUse::Never,
            Ok(true) => CdnUse::Always,
            Err(_) => CdnUse::WhenRefused,
        },
        file_password: chosen.secret("file_password")?.as_ref().map(password),
        send_dropped: chosen.flag("send_dropped")?,
        upload_batch: chosen.count("upload_batch")?.unwrap_or(defaults.upload_batch),
        dates: match chosen.choice("dates")? {
            Some("paris") => Dates::Paris,
            _ => Dates::AsUtc,
        },
        upload_time: defaults.upload_time / time_scale(chosen)?,
        ..defaults
    })
}

/// Returns the intervals to keep where the service enforces no limits: those that were set explicitly. `None` where the
/// times are scaled, since then all of them were set.
fn without_limits(
    chosen: &Chosen<'_>,
    limited: &Pacing,
    least_gap: Duration,
) -> Result<Option<Pacing>, InvalidValue> {
    if chosen.count("time_scale")?.is_some_and(|scale| scale > 1) {
        return Ok(None);
    }
    let service = Pacing::default();
    // Values that equal the service's own intervals, which are the defaults, don't count as set.
    let asked = |option: &'static str, of_service: Duration| {
        let set = chosen.duration(option)?.filter(|set| *set != of_service);
        Ok::<_, InvalidValue>(set.unwrap_or_default())
    };
    let any = asked("call_gap", service.any)?.max(least_gap);
    let listing = asked("list_gap", Duration::ZERO)?.max(least_gap);
    Ok(Some(Pacing {
        any,
        listing,
        listing_after_flood: listing,
        same_folder: asked("folder_gap", service.same_folder)?,
        ..limited.clone()
    }))
}

/// Returns by how much all times are divided; at least 1.
fn time_scale(chosen: &Chosen<'_>) -> Result<u32, InvalidValue> {
    Ok(u32::try_from(chosen.count("time_scale")?.unwrap_or(1)).unwrap_or(u32::MAX).max(1))
}

fn pacing(chosen: &Chosen<'_>, least_gap: Duration) -> Result<Pacing, InvalidValue> {
    let defaults = Pacing::default();
    let any = chosen.duration("call_gap")?.unwrap_or(defaults.any);
    let list_gap = chosen.duration("list_gap")?;
    let scale = time_scale(chosen)?;
    let pacing = Pacing {
        any,
        // Set by hand, it holds from the start and stays. A user who sets calls closer together than the service's own
        // limit knows a service that counts otherwise: there, listings keep a longer gap once it objects.
        listing: list_gap.unwrap_or(if any < defaults.any { any } else { defaults.listing }),
        listing_after_flood: list_gap.unwrap_or(defaults.listing_after_flood),
        same_folder: chosen.duration("folder_gap")?.unwrap_or(defaults.same_folder),
        all_files: chosen.duration("all_files_gap")?.unwrap_or(defaults.all_files),
        account_info: chosen.duration("account_gap")?.unwrap_or(defaults.account_info),
        ..defaults
    };
    let pacing = if scale > 1 { pacing.divided_by(scale) } else { pacing };
    // A limit that the user sets by --tpslimit is meant as it is, whatever is scaled.
    Ok(Pacing { any: pacing.any.max(least_gap), listing: pacing.listing.max(least_gap), ..pacing })
}
