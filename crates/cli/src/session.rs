//! The remotes of a run: how flags affect opening them, and how messages name them.

mod ask;
mod claims;
mod passphrases;
mod resources;
mod wrappers;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use anyhow::Context as _;
use fichier_config::{Environment, FlagValues, Origin, Parameters, RemoteOptions, RemoteSpec};
use fichier_engine::{Brakes, Checksums, HashCache};
use fichier_remotes::{
    crypt::NameCipher, fichier::PublicSite, network::WaitBudget, resources::UnfinishedMove, web::WebAddress,
};
use fichier_session::{Configuration, LocalPath, Passphrases, Setup};
use fichier_storage::{Hashing, Location, Remote, RemotePath};
use tokio_util::sync::CancellationToken;

pub(crate) use fichier_session::{DEMO, Purpose};
pub(crate) use wrappers::unless_declined;

use crate::{
    arguments::Settings,
    calls::Calls,
    exit::{Exit, Failure},
    flags::is_other_service,
    room::Room,
};

/// Name of the hash cache's file in the cache directory.
pub(crate) const HASH_CACHE: &str = "hashes.sqlite";

/// A remote of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct RemoteEntry {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Source of the remote: `file` or `environment`.
    pub(crate) source: &'static str,
    pub(crate) description: String,
}

/// Remotes of a run.
pub(crate) struct Session<'a> {
    settings: &'a Settings,
    environment: &'a Environment,
    configuration: Arc<Mutex<Configuration>>,
    /// Opens the remotes. It is made when the first one is needed: wrong flags of the network don't disturb commands
    /// that don't use it.
    opener: OnceLock<fichier_session::Session>,
    calls: Arc<Calls>,
    /// Wrappers around each remote that is opened.
    guard: Arc<wrappers::Wrappers>,
    stop: CancellationToken,
    /// Time that the run may wait for the service and for other runs.
    waits: WaitBudget,
    /// Computes the checksums of files that are read.
    pub(crate) hashing: Hashing,
    /// Remotes of the paths that were typed, for messages.
    located: Mutex<Vec<Arc<dyn Remote>>>,
    /// How much is free at the destination, as far as is known.
    room: Arc<Room>,
    /// Set when it was said that other processes aren't known.
    paced_alone: OnceLock<()>,
    /// Claims on places. The last field, so that everything is written before others may begin.
    claims: claims::Claims,
}

/// What happens to the source of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stays,
    /// The source is removed, since its files are at the destination then.
    Goes,
}

/// Checks whether a path is typed as that of a folder: with a slash at its end.
pub(crate) fn names_a_folder(text: &str) -> bool {
    text.ends_with('/') || (cfg!(windows) && text.ends_with('\\'))
}

/// Refuses a path that is typed as that of a folder where the path of a file is wanted.
///
/// # Errors
/// The path ends in a slash.
pub(crate) fn refuse_folder(text: &str) -> Result<(), Failure> {
    if names_a_folder(text) {
        return Err(Failure::other(format!(
            "{text:?} is a directory: the path of a file is wanted, without a slash at its end"
        )));
    }
    Ok(())
}

impl<'a> Session<'a> {
    /// Makes a session that has opened nothing.
    pub(crate) fn new(settings: &'a Settings, environment: &'a Environment) -> Self {
        let stop = CancellationToken::new();
        let passphrases = Passphrases {
            command: settings.password_command.clone(),
            person: settings.ask_password.then(|| Box::new(passphrases::AtTerminal::default()) as _),
        };
        let configuration = Configuration::new(settings.config.as_deref(), environment, passphrases);
        Self {
            settings,
            environment,
            configuration: Arc::new(Mutex::new(configuration)),
            opener: OnceLock::new(),
            calls: Arc::default(),
            guard: Arc::new(wrappers::Wrappers::new(settings, &stop)),
            stop,
            waits: resources::waits(settings.network.max_wait),
            hashing: Hashing::default(),
            located: Mutex::default(),
            room: Arc::default(),
            paced_alone: OnceLock::new(),
            claims: claims::Claims::default(),
        }
    }

    fn opener(&self) -> Result<&fichier_session::Session, Failure> {
        if let Some(opener) = self.opener.get() {
            return Ok(opener);
        }
        let guard = self.guard.clone();
        let opener = fichier_session::Session::new(Setup {
            configuration: self.configuration.clone(),
            environment: self.environment.clone(),
            flags: self.flags(),
            resources: resources::of(self.settings, &self.calls, &self.waits)?,
            demo_directory: self.settings.directories.data.as_ref().map(|data| data.join(DEMO)),
            wrap: Some(Arc::new(move |remote| guard.around(remote))),
            is_of_rclone: is_other_service,
        });
        Ok(self.opener.get_or_init(|| opener))
    }

    /// Returns the full name of a path of the remote that the run is about; `None` when it is about several.
    pub(crate) fn full_name(&self, path: &RemotePath) -> Option<String> {
        let located = self.located.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, others) = located.split_first()?;
        let info = first.info();
        if others.iter().any(|other| other.info().name != info.name) {
            return None;
        }
        Some(Location { remote: first.clone(), path: path.clone() }.shown())
    }

    /// Opens what `text` names, to read what is there or to put something into it.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Look).await
    }

    /// Makes sure that remotes opened from now on list what matters, whatever an earlier run knew.
    ///
    /// # Errors
    /// The networking flags can't be used.
    pub(crate) fn look_anew(&self) -> Result<(), Failure> {
        self.opener()?.look_anew();
        Ok(())
    }

    /// Returns where the catalogue of an account is, whether it exists or not; `None` for remotes without one.
    ///
    /// # Errors
    /// The remote isn't known.
    pub(crate) fn kept_catalogue(&self, text: &str) -> anyhow::Result<Option<PathBuf>> {
        Ok(self.opener()?.catalogue_of(text)?)
    }

    /// Returns the cipher for the names of an encrypted remote.
    ///
    /// # Errors
    /// The remote isn't known, or its names aren't encrypted.
    pub(crate) async fn name_cipher(&self, text: &str) -> anyhow::Result<NameCipher> {
        let cipher = self.opener()?.name_cipher(text).await?;
        Ok(cipher.ok_or_else(|| Failure::other(format!("{text:?} is no remote of the type crypt")))?)
    }

    /// Returns where the catalogues of all accounts are.
    ///
    /// # Errors
    /// The networking flags can't be used.
    pub(crate) fn catalogues(&self) -> anyhow::Result<Option<PathBuf>> {
        Ok(self.opener()?.resources().state.accounts.clone())
    }

    /// Opens what `text` names, to make, change or remove the path itself.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open_itself(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Change).await
    }

    /// Returns a token that is cancelled when the run has to stop.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// How much is free at the destination, as far as is known.
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Whether another path that was opened is of the same account or disk as this one.
    pub(crate) fn stays_inside(&self, location: &Location) -> bool {
        let located = self.located.lock().unwrap_or_else(PoisonError::into_inner);
        let place = &location.remote.info().place;
        located.iter().filter(|other| other.info().place == *place).count() > 1
    }

    /// How much may be removed, by all remotes together.
    pub(crate) fn brakes(&self) -> &Arc<Brakes> {
        self.guard.brakes()
    }

    /// Returns the source of checksums that no listing has: the user's hash cache, or reading.
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

    /// Returns the path of the hash cache.
    ///
    /// # Errors
    /// It isn't known where the user's caches are.
    pub(crate) fn hash_cache_path(&self) -> Result<PathBuf, Failure> {
        let cache = self.settings.directories.cache.as_ref();
        let none = || Failure::other("there is no hash cache: the home directory isn't known");
        Ok(cache.ok_or_else(none)?.join(HASH_CACHE))
    }

    /// Returns an address on the web that is reached as the networking flags say.
    ///
    /// # Errors
    /// The address isn't valid, or the flags can't be used.
    pub(crate) fn web(&self, address: &str) -> anyhow::Result<WebAddress> {
        Ok(WebAddress::new(&self.opener()?.resources().network, address)?)
    }

    /// Returns access to what 1Fichier shows everyone about links.
    ///
    /// # Errors
    /// The flags can't be used.
    pub(crate) fn public_site(&self) -> anyhow::Result<PublicSite> {
        Ok(self.opener()?.public_site()?)
    }

    /// Opens the two ends of a run. `purpose` is the destination's: a folder to look into, or the very path that
    /// is made.
    ///
    /// Each local path has a remote of its own, except where files are to be moved without being copied: then both are
    /// paths of one remote, the whole file system.
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
            // A source is removed because its destination is there, so that has to be verified.
            self.look_anew()?;
        }
        let beside = self.names_places_beside();
        let [from_local, to_local] = [self.local_path(from)?, self.local_path(to)?];
        let whole = match (&from_local, &to_local) {
            (Some(_), Some(_)) => [moves || beside; 2],
            (None, Some(_)) => [false, beside],
            _ => [false; 2],
        };
        // The destination comes first: where both are one account, its options count, since nothing is read from there.
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
        self.refuse_linked_folder(text)?;
        match self.local_path(text)?.filter(|_| self.names_places_beside()) {
            Some(path) => self.in_whole(&path, Purpose::Change).await.with_context(|| failed(text)),
            None => self.open_itself(text).await,
        }
    }

    /// Opens what `text` names, to change the path itself; a symbolic link on this computer is followed.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened, or the link leads nowhere.
    pub(crate) async fn open_followed(&self, text: &str) -> anyhow::Result<Location> {
        let target = match self.local_path(text)? {
            Some(path) => path.followed()?,
            None => None,
        };
        match target.as_deref().map(Path::to_str) {
            Some(Some(target)) => self.open_itself(target).await,
            _ => self.open_itself(text).await,
        }
    }

    /// Checks that a file isn't to be stored in a folder that is a link, where no link is followed: see `--links`.
    ///
    /// # Errors
    /// The folder is such a link, or the remote isn't known.
    pub(crate) fn refuse_linked_folder(&self, text: &str) -> anyhow::Result<()> {
        match self.local_path(text)? {
            Some(path) => path.refuse_linked_folder().with_context(|| failed(text)),
            None => Ok(()),
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

    /// Opens a folder on the same remote as another location; `None` when it is on another one.
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

    /// Opens a local path as part of the whole file system.
    async fn in_whole(&self, local: &LocalPath, purpose: Purpose) -> anyhow::Result<Location> {
        Ok(self.note(self.opener()?.open_in_whole(local, purpose).await?))
    }

    /// Waits until no other run of this computer writes where this one is about to, and keeps others out until this one
    /// ends. Reading doesn't wait.
    ///
    /// # Errors
    /// The run has to stop.
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
        match self.claims.take(location, directory, &self.stop, &self.waits, told).await {
            Ok(()) => Ok(()),
            Err(claims::ClaimError::Storage(error)) => Err(error.into()),
            Err(error) => {
                let message = format!("{}: {error}: try again later", self.shown(location));
                Err(Failure { exit: Exit::Fatal, message }.into())
            }
        }
    }

    /// Checks whether a run that writes there has to be the only one.
    pub(crate) fn must_claim(&self, location: &Location) -> bool {
        !self.settings.dry_run && claims::concern(location)
    }

    /// Ends all waits of remotes on the network: the user wants to stop. Calls that were sent are finished.
    pub(crate) fn end_waits(&self) {
        if let Some(opener) = self.opener.get() {
            opener.resources().end_waits.cancel();
        }
    }

    /// Returns the moves of folders that are between two calls.
    pub(crate) fn unfinished_moves(&self) -> Vec<UnfinishedMove> {
        self.opener.get().map(|opener| opener.resources().unfinished.moves()).unwrap_or_default()
    }

    /// Returns what remotes on the network do at the moment.
    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    async fn locate(&self, text: &str, purpose: Purpose) -> anyhow::Result<Location> {
        let location = self.opener()?.open(text, purpose).await.with_context(|| failed(text))?;
        Ok(self.note(location))
    }

    /// Remembers a location that was opened, for messages that name its remote.
    fn note(&self, location: Location) -> Location {
        self.say_whether_paced_alone(&*location.remote);
        self.located.lock().unwrap_or_else(PoisonError::into_inner).push(location.remote.clone());
        location
    }

    /// Reports once that other processes don't know of this one's calls, where there is no directory to share.
    fn say_whether_paced_alone(&self, remote: &dyn Remote) {
        let info = remote.info();
        let is_alone = self.settings.directories.running.is_none() && info.features.networked;
        if is_alone && info.name.trim_end_matches(':') != DEMO && self.paced_alone.set(()).is_ok() {
            tracing::warn!(
                "The home directory isn't known (HOME isn't set), so calls aren't spaced with those of other processes: \
                 run no two of them at once"
            );
        }
    }

    /// Returns the path on this computer that `text` names, aliases followed; `None` if it names none.
    fn local_path(&self, text: &str) -> anyhow::Result<Option<LocalPath>> {
        self.opener()?.local_path(text).with_context(|| failed(text))
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
        if let Some(usage) = self.settings.network.catalogue {
            flags.set("fichier", "catalogue", &usage.to_string());
        }
        flags
    }

    /// Returns the configuration file, to be read as text or changed.
    pub(crate) fn configuration(&self) -> MutexGuard<'_, Configuration> {
        self.configuration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the options of a remote and the source of each; the remote may also be made on the fly.
    ///
    /// # Errors
    /// There is no such remote, or the configuration can't be read.
    pub(crate) fn options_of(&self, remote: &RemoteSpec) -> anyhow::Result<RemoteOptions> {
        Ok(self.opener()?.options_of(remote)?)
    }

    /// Opens a remote that isn't in the file yet, to check whether its key works: without retries.
    ///
    /// # Errors
    /// A value doesn't suit its option.
    pub(crate) async fn trial(&self, backend: &str, values: Parameters) -> anyhow::Result<Arc<dyn Remote>> {
        Ok(self.opener()?.trial(backend, values).await?)
    }

    /// Returns a location as messages name it.
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

    /// Returns the remotes of the configuration, in its order.
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
        Ok(self.opener()?.remotes()?.into_iter().map(entry).collect())
    }
}

/// Returns the message that what was typed can't be opened, without any secret in it.
fn failed(text: &str) -> String {
    let (shown, advice) = fichier_session::shown(text);
    format!("Failed to create file system for {shown:?}{advice}")
}
