//! Opens what the user names: `remote:path`, `:backend,option=value:path`, or a local path.

mod ask;
mod claims;
mod configuration;
mod guard;
mod local;
mod network;
mod options;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use fichier_config::{
    Address, Config, ConfigError, Environment, FlagValues, IniFile, Origin, Parameters, RemoteOptions,
    RemoteSpec,
};
use fichier_engine::{Brakes, Checksums, HashCache};
use fichier_remotes::{
    fichier::catalogue_file,
    network::Network,
    registry::{self, Opening},
    web::WebAddress,
};
use fichier_storage::{Hashing, Location, Remote, RemotePath};
use tokio::sync::{Mutex, OnceCell};
use tokio_util::sync::CancellationToken;

pub(crate) use configuration::Configuration;
pub(crate) use guard::unless_declined;
pub(crate) use options::is_harmless as is_harmless_option;

use local::LocalPath;

use crate::{arguments::Settings, calls::Calls, demo, exit::Failure, flags::is_other_service};

/// The hash cache's file in the cache directory.
pub(crate) const HASH_CACHE: &str = "hashes.sqlite";

/// How long the service may keep silent when a new key is tried.
const TRIAL: Duration = Duration::from_secs(20);

/// How many aliases may stand for each other.
const MOST_ALIASES: usize = 20;

/// A remote of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct RemoteEntry {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// `file` or `environment`.
    pub(crate) source: &'static str,
    pub(crate) description: String,
}

/// The remotes of a run, each opened once.
pub(crate) struct Session<'a> {
    settings: &'a Settings,
    environment: &'a Environment,
    /// The file, with its password once that is known.
    configuration: std::sync::Mutex<Configuration>,
    /// Read when a remote of the configuration is asked for: a broken file doesn't keep local paths away.
    config: OnceLock<Config>,
    network: OnceLock<Network>,
    /// The built-in service, once it is started.
    demo: OnceCell<demo::Service>,
    calls: Arc<Calls>,
    /// Put around each remote as it is opened.
    guard: guard::Guard,
    stop: CancellationToken,
    /// What computes the checksums of files that are read.
    pub(crate) hashing: Hashing,
    /// Set when what an earlier run knew must not count.
    anew: OnceLock<()>,
    /// The remotes of the paths that were typed, for messages.
    located: std::sync::Mutex<Vec<Arc<dyn Remote>>>,
    /// By what was typed before the path, so that two paths on one remote share what it has learned.
    opened: Mutex<HashMap<String, Arc<dyn Remote>>>,
    /// The last, so that all is written down before others may begin.
    claims: claims::Claims,
}

/// What a path is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To see what is there: a directory is the root of its own remote.
    Look,
    /// To change the path itself: what holds it is the root.
    Change,
}

/// What becomes of the source of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stays,
    /// It goes, since its files are at the destination then.
    Goes,
}

/// Whether a path is typed as that of a folder: with a slash at its end.
pub(crate) fn names_a_folder(text: &str) -> bool {
    text.ends_with('/') || (cfg!(windows) && text.ends_with('\\'))
}

/// Refuses a path that is typed as that of a folder where the path of a file is wanted.
///
/// # Errors
/// It ends in a slash.
pub(crate) fn refuse_folder(text: &str) -> Result<(), Failure> {
    if names_a_folder(text) {
        return Err(Failure::other(format!(
            "{text:?} is a directory: the path of a file is wanted, without a slash at its end"
        )));
    }
    Ok(())
}

impl<'a> Session<'a> {
    /// A session that has opened nothing.
    pub(crate) fn new(settings: &'a Settings, environment: &'a Environment) -> Self {
        let stop = CancellationToken::new();
        Self {
            settings,
            environment,
            configuration: std::sync::Mutex::new(Configuration::new(settings, environment)),
            config: OnceLock::new(),
            network: OnceLock::new(),
            demo: OnceCell::new(),
            calls: Arc::default(),
            guard: guard::Guard::new(settings, &stop),
            stop,
            hashing: Hashing::default(),
            anew: OnceLock::new(),
            located: std::sync::Mutex::default(),
            opened: Mutex::default(),
            claims: claims::Claims::default(),
        }
    }

    /// Names a path of the remote that the run is about in full; `None` when it is about several.
    pub(crate) fn full_name(&self, path: &RemotePath) -> Option<String> {
        let located = self.located.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, others) = located.split_first()?;
        let info = first.info();
        if others.iter().any(|other| other.info().name != info.name) {
            return None;
        }
        match info.backend {
            "local" => Some(Path::new(&info.name).join(path.to_string()).display().to_string()),
            _ => Some(format!("{}{path}", info.name)),
        }
    }

    /// Opens what `text` names, to read what is there or to put something in.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Look).await
    }

    /// From now on remotes are opened so that they list what matters, whatever an earlier run knew.
    pub(crate) fn look_anew(&self) {
        self.anew.get_or_init(|| ());
    }

    /// Where the catalogue of an account lies, whether there is one or not; `None` for remotes without.
    ///
    /// # Errors
    /// The remote isn't known.
    pub(crate) fn kept_catalogue(&self, text: &str) -> anyhow::Result<Option<PathBuf>> {
        let address = Address::parse(text.as_bytes())?;
        let (_, options) = self.followed(&address)?;
        let Some(options) = options.filter(|options| options.backend == "fichier") else { return Ok(None) };
        Ok(catalogue_file(&options::values(&options)?, self.network()?)?)
    }

    /// Where the catalogues of all accounts lie.
    ///
    /// # Errors
    /// The networking flags can't be used.
    pub(crate) fn catalogues(&self) -> anyhow::Result<Option<PathBuf>> {
        Ok(self.network()?.memory.clone())
    }

    /// Opens what `text` names, to make, change or remove the path itself.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open_itself(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Change).await
    }

    /// Cancelled when nothing more is to be done.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// How much may be removed, by all remotes together.
    pub(crate) fn brakes(&self) -> &Arc<Brakes> {
        self.guard.brakes()
    }

    /// Where checksums come from that no listing tells: from the user's hash cache, or by reading.
    pub(crate) fn checksums(&self) -> Checksums {
        let cache = self.settings.directories.cache.as_ref().filter(|_| self.settings.transfer.hash_cache);
        let cache = cache.and_then(|cache| match HashCache::open(&cache.join(HASH_CACHE)) {
            Ok(cache) => Some(Arc::new(cache)),
            Err(error) => {
                tracing::warn!("Files are read anew to be compared: {error}");
                None
            }
        });
        Checksums { cache, hashing: self.hashing.clone() }
    }

    /// The hash cache's file.
    ///
    /// # Errors
    /// It isn't known where the user's caches are.
    pub(crate) fn hash_cache_path(&self) -> Result<PathBuf, Failure> {
        let cache = self.settings.directories.cache.as_ref();
        let none = || Failure::other("there is no hash cache: the home directory isn't known");
        Ok(cache.ok_or_else(none)?.join(HASH_CACHE))
    }

    /// An address on the web, to be reached as the networking flags say.
    ///
    /// # Errors
    /// It is none, or the flags can't be used.
    pub(crate) fn web(&self, address: &str) -> anyhow::Result<WebAddress> {
        Ok(WebAddress::new(self.network()?, address)?)
    }

    /// Opens the two ends of a run. `purpose` is the destination's: a folder to look into, or the very path that
    /// is made.
    ///
    /// Local paths have remotes of their own, but for those between which files shall get without being
    /// copied: these are paths of one remote, the whole file system.
    ///
    /// # Errors
    /// A remote isn't known or can't be opened.
    pub(crate) async fn open_ends(
        &self,
        [from, to]: [&str; 2],
        purpose: Purpose,
        source: Source,
    ) -> anyhow::Result<[Location; 2]> {
        let moves = source == Source::Goes;
        if moves {
            // A source goes because its destination is there: that mustn't be hearsay.
            self.look_anew();
        }
        let beside = self.names_places_beside();
        let [from_local, to_local] = [self.local_path(from)?, self.local_path(to)?];
        let whole = match (&from_local, &to_local) {
            (Some(_), Some(_)) => [moves || beside; 2],
            (None, Some(_)) => [false, beside],
            _ => [false; 2],
        };
        // The destination first: where both are one account, its options count, since nothing is read from there.
        let to = match to_local.filter(|_| whole[1]) {
            Some(path) => self.in_whole(&path, purpose).await.with_context(|| failed(to))?,
            None => self.locate(to, purpose).await?,
        };
        let from = match from_local.filter(|_| whole[0]) {
            Some(path) => self.in_whole(&path, Purpose::Look).await.with_context(|| failed(from))?,
            None => self.locate(from, Purpose::Look).await?,
        };
        Ok([from, to])
    }

    /// Opens the path of a file that is to be stored.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open_file(&self, text: &str) -> anyhow::Result<Location> {
        match self.local_path(text)?.filter(|_| self.names_places_beside()) {
            Some(path) => self.in_whole(&path, Purpose::Change).await.with_context(|| failed(text)),
            None => self.open_itself(text).await,
        }
    }

    /// Checks whether flags name places on the destination's remote, which may be anywhere there.
    fn names_places_beside(&self) -> bool {
        let flags = &self.settings.transfer;
        flags.backup_dir.is_some()
            || flags.suffix.is_some()
            || !flags.compare_dest.is_empty()
            || !flags.copy_dest.is_empty()
    }

    /// Opens a folder on the very remote of another location; `None` when it is of another one.
    ///
    /// # Errors
    /// The folder's remote isn't known or can't be opened.
    pub(crate) async fn open_beside(
        &self,
        folder: &str,
        other: &Location,
    ) -> anyhow::Result<Option<Location>> {
        let local = self.local_path(folder)?.filter(|_| other.remote.info().backend == "local");
        let Location { remote, path } = match local {
            Some(local) => self.in_whole(&local, Purpose::Look).await.with_context(|| failed(folder))?,
            None => self.locate(folder, Purpose::Look).await?,
        };
        let is_same = remote.info().has_paths_of(other.remote.info());
        Ok(is_same.then(|| Location { remote: other.remote.clone(), path }))
    }

    /// Opens a local path as one of the whole file system.
    async fn in_whole(&self, local: &LocalPath, purpose: Purpose) -> anyhow::Result<Location> {
        let (root, path) = local::in_whole(local.path(), purpose)?;
        let opened = local::open(&root, Purpose::Look, &local.options, self.network()?).await?;
        Ok(self.note(Location { path, ..self.guard.around_location(opened) }))
    }

    /// Waits until no other run of this computer writes where this one is about to, and keeps others out until this one
    /// ends. Reading waits for nobody.
    ///
    /// # Errors
    /// The run is to stop.
    pub(crate) async fn claim(&self, location: &Location) -> anyhow::Result<()> {
        let Some(directory) =
            self.settings.directories.running.as_ref().filter(|_| self.must_claim(location))
        else {
            return Ok(());
        };
        let told = || {
            let shown = self.shown(location);
            tracing::warn!("Another run is writing into {shown}: waiting until it has ended");
        };
        Ok(self.claims.take(location, directory, &self.stop, told).await?)
    }

    /// Whether a run that writes there has to be the only one.
    pub(crate) fn must_claim(&self, location: &Location) -> bool {
        !self.settings.dry_run && claims::concern(location)
    }

    /// Ends all waits of remotes on the network: the user wants to stop. What is on its way is finished.
    pub(crate) fn end_waits(&self) {
        if let Some(network) = self.network.get() {
            network.end_waits.cancel();
        }
    }

    /// What remotes on the network do at the moment.
    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    async fn locate(&self, text: &str, purpose: Purpose) -> anyhow::Result<Location> {
        let address = address_of(text)?;
        let location = self.at(&address, purpose).await.with_context(|| failed_at(&address))?;
        Ok(self.note(location))
    }

    /// Notes a location that was opened, for messages that name its remote.
    fn note(&self, location: Location) -> Location {
        self.located.lock().unwrap_or_else(PoisonError::into_inner).push(location.remote.clone());
        location
    }

    /// The path on this computer that `text` names, aliases followed; `None` if it names none.
    fn local_path(&self, text: &str) -> anyhow::Result<Option<LocalPath>> {
        let address = address_of(text)?;
        let local = self.followed(&address).and_then(|(address, options)| local_path(&address, options));
        local.with_context(|| failed_at(&address))
    }

    async fn at(&self, address: &Address, purpose: Purpose) -> anyhow::Result<Location> {
        let (address, options) = self.followed(address)?;
        if let Some(local) = local_path(&address, options.clone())? {
            let opened = local::open(local.path(), purpose, &local.options, self.network()?).await?;
            return Ok(self.guard.around_location(opened));
        }
        let path = RemotePath::parse(&address.path)?;
        let spec = address.remote.to_string();
        let mut opened = self.opened.lock().await;
        let remote = match opened.get(&spec) {
            Some(remote) => remote.clone(),
            None => {
                let remote = self.remote(&address.remote, options).await?;
                // Named in another way, or with options that don't matter for what it holds: the first one knows
                // what was listed and changed.
                let known = opened.values().find(|known| known.info().has_paths_of(remote.info()));
                let remote = known.cloned().unwrap_or_else(|| self.guard.around(remote));
                opened.insert(spec, remote.clone());
                remote
            }
        };
        Ok(Location { remote, path })
    }

    /// The place that an address means in the end, with the remote's options: aliases are followed.
    fn followed(&self, address: &Address) -> anyhow::Result<(Address, Option<RemoteOptions>)> {
        let mut address = address.clone();
        for _ in 0..MOST_ALIASES {
            let options = self.resolve(&address.remote)?;
            let Some(known) = options.as_ref().filter(|known| registry::backend(&known.backend).is_some())
            else {
                return Ok((address, options));
            };
            let settings = options::values(known)?;
            let network = self.network()?;
            let opening = Opening { name: &known.name, root: Path::new(""), settings: &settings, network };
            let Some(target) = registry::elsewhere(&known.backend, opening)? else {
                return Ok((address, options));
            };
            let path = RemotePath::parse(&address.path)?;
            let mut next = Address::parse(target.as_bytes())
                .map_err(|error| Failure::other(format!("what {:?} stands for: {error}", known.name)))?;
            if !path.is_root() {
                if !next.path.is_empty() && !next.path.ends_with(b"/") {
                    next.path.push(b'/');
                }
                next.path.extend_from_slice(path.as_bytes());
            }
            address = next;
        }
        Err(Failure::other("the aliases go in a circle, or more than 20 stand for each other").into())
    }

    /// The options of a remote; `None` for the built-in one.
    fn resolve(&self, remote: &RemoteSpec) -> anyhow::Result<Option<RemoteOptions>> {
        let RemoteSpec::Named { name, .. } = remote else {
            return Ok(Some(self.without_file().resolve(remote, &self.flags())?));
        };
        match self.config()?.resolve(remote, &self.flags()) {
            Ok(options) => Ok(Some(options)),
            Err(ConfigError::UnknownRemote { .. }) if name == demo::NAME => Ok(None),
            Err(ConfigError::UnknownRemote { name, mut known }) => {
                known.push(demo::NAME.to_owned());
                let known = known.join(", ");
                let message = format!("didn't find section in config file ({name:?}); there are: {known}");
                Err(Failure::other(message).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn remote(
        &self,
        remote: &RemoteSpec,
        options: Option<RemoteOptions>,
    ) -> anyhow::Result<Arc<dyn Remote>> {
        let network = self.network()?;
        let Some(options) = options else {
            let started =
                self.demo.get_or_try_init(|| demo::Service::start(&self.settings.directories)).await?;
            return started.open(&self.demo_settings(remote)?, network).await;
        };
        let RemoteOptions { name, backend, .. } = &options;
        if registry::backend(backend).is_none() {
            let of = if name.starts_with(':') { String::new() } else { format!(", the type of {name:?}") };
            let known: Vec<_> = registry::backends().iter().map(|backend| backend.name).collect();
            let known = known.join(", ");
            if is_other_service(backend) {
                let message = format!(
                    "didn't find backend called {backend:?}{of}: rclone has it, but this program speaks to 1Fichier \
                     and to local disks alone; there are: {known}"
                );
                return Err(Failure::other(message).into());
            }
            let message = format!("didn't find backend called {backend:?}{of}; there are: {known}");
            return Err(Failure::other(message).into());
        }
        let settings = options::values(&options)?;
        let opening = Opening { name, root: Path::new(""), settings: &settings, network };
        Ok(registry::open(backend, opening).await?)
    }

    /// What was set for the built-in remote: parameters, flags and the backend's variables.
    fn demo_settings(&self, remote: &RemoteSpec) -> anyhow::Result<options::Values> {
        let RemoteSpec::Named { parameters, .. } = remote else { return Ok(options::Values::new()) };
        let backend = "fichier".to_owned();
        let remote = RemoteSpec::OnTheFly { backend, parameters: parameters.clone() };
        let mut settings = options::values(&self.without_file().resolve(&remote, &self.flags())?)?;
        // They belong to the real service, where the demo has no business.
        settings.retain(|option, _| !matches!(option.as_str(), "api_key" | "endpoint" | "shared_folder"));
        Ok(settings)
    }

    fn flags(&self) -> FlagValues {
        let mut flags = FlagValues::new();
        for flag in &self.settings.backend {
            flags.set(flag.backend, flag.option, &flag.value);
        }
        if self.settings.network.copy_links {
            flags.set("local", "copy_links", "true");
        }
        if self.settings.network.links {
            flags.set("local", "links", "true");
        }
        if self.anew.get().is_some() {
            flags.set("fichier", "catalogue", "verify");
        } else if let Some(usage) = self.settings.network.catalogue {
            flags.set("fichier", "catalogue", &usage.to_string());
        }
        flags
    }

    fn config(&self) -> Result<&Config, ConfigError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = self.configuration().load(self.environment)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// The configuration file, to be read as text or changed.
    pub(crate) fn configuration(&self) -> MutexGuard<'_, Configuration> {
        self.configuration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The options of a remote and where each comes from; the remote may also be made on the fly.
    ///
    /// # Errors
    /// There is no such remote, or the configuration can't be read.
    pub(crate) fn options_of(&self, remote: &RemoteSpec) -> anyhow::Result<RemoteOptions> {
        match self.resolve(remote)? {
            Some(options) => Ok(options),
            None => {
                Err(Failure::other(format!("{}: is built in and has no options in the file", demo::NAME))
                    .into())
            }
        }
    }

    /// Opens a remote that isn't in the file yet, to look whether its key is any good: without patience.
    ///
    /// # Errors
    /// A value doesn't suit its option.
    pub(crate) async fn trial(&self, backend: &str, values: Parameters) -> anyhow::Result<Arc<dyn Remote>> {
        let remote = RemoteSpec::OnTheFly { backend: backend.to_owned(), parameters: values };
        let options = self.without_file().resolve(&remote, &self.flags())?;
        let settings = options::values(&options)?;
        let mut network = self.network()?.clone();
        network.low_level_retries = 1;
        network.connect_timeout = network.connect_timeout.min(TRIAL);
        network.idle_timeout = network.idle_timeout.min(TRIAL);
        let opening = Opening { name: backend, root: Path::new(""), settings: &settings, network: &network };
        Ok(registry::open(backend, opening).await?)
    }

    /// For remotes that the file can say nothing about.
    fn without_file(&self) -> Config {
        Config::new(IniFile::default(), self.environment.clone())
    }

    fn network(&self) -> Result<&Network, Failure> {
        if let Some(network) = self.network.get() {
            return Ok(network);
        }
        let network = network::of(self.settings, &self.calls)?;
        Ok(self.network.get_or_init(|| network))
    }

    /// A location as messages name it.
    #[expect(clippy::unused_self, reason = "the session knows how things were named")]
    pub(crate) fn shown(&self, location: &Location) -> String {
        let info = location.remote.info();
        match (info.backend, location.path.is_root()) {
            ("local", true) => format!("Local file system at {}", info.name),
            ("local", false) => {
                let root = if info.name == "." { "" } else { &info.name };
                let path = Path::new(root).join(location.path.to_string());
                format!("Local file system at {}", path.display())
            }
            _ => format!("{}{}", info.name, location.path),
        }
    }

    /// The remotes of the configuration, in its order.
    ///
    /// # Errors
    /// The configuration can't be read.
    pub(crate) fn remotes(&self) -> anyhow::Result<Vec<RemoteEntry>> {
        let entry = |remote: fichier_config::RemoteEntry| RemoteEntry {
            name: remote.name,
            kind: remote.backend,
            source: if matches!(remote.origin, Origin::Environment(_)) { "environment" } else { "file" },
            description: remote.description,
        };
        Ok(self.config()?.remotes().into_iter().map(entry).collect())
    }
}

/// Reads what the user typed for a place.
fn address_of(text: &str) -> anyhow::Result<Address> {
    if text.is_empty() {
        return Err(Failure::other("can't use empty string as a path")).context(failed(text));
    }
    // What follows a comma may be a key.
    Address::parse(text.as_bytes())
        .map_err(|error| Failure::other(error.to_string()))
        .with_context(|| failed(text.split(',').next().unwrap_or_default()))
}

/// The path on this computer that an address means, if it means one. Aliases are followed already.
fn local_path(address: &Address, options: Option<RemoteOptions>) -> anyhow::Result<Option<LocalPath>> {
    let Some(options) = options.filter(|options| options.backend == "local") else { return Ok(None) };
    Ok(Some(LocalPath::new(&address.path, options::values(&options)?)?))
}

fn failed_at(address: &Address) -> String {
    let advice = if options::lacks_quotes(address) { options::QUOTES } else { "" };
    failed(&options::shown(address)) + advice
}

fn failed(shown: &str) -> String {
    format!("Failed to create file system for {shown:?}")
}
