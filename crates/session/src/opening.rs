//! Opening by name: follows aliases, resolves remotes over remotes, and opens each remote once.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use fichier_config::{Address, ConfigError, FlagValues, Parameters, RemoteOptions, RemoteSpec};
use fichier_remotes::{
    crypt::NameCipher,
    fichier::{PublicSite, catalogue_file, public_site},
    registry::{self, NoRemotes, OpenError, Opening, Resolver, Settings},
};
use fichier_storage::{Location, Remote, RemotePath};

use crate::{
    Opened, Session, SessionError, demo,
    local::{self, LocalPath},
    options,
};

/// How many remotes may point to each other or lie over each other.
const DEEPEST: usize = 20;

/// How long the service may take to answer when a new key is tried.
const TRIAL: Duration = Duration::from_secs(20);

/// Purpose for which a path is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To see what is there: a directory becomes the root of its own remote.
    Look,
    /// To change the path itself: the directory that holds it becomes the root.
    Change,
}

/// Remotes that lie over others, with the purpose for which the inner ones are opened.
struct Chain<'a> {
    session: &'a Session,
    /// The remotes being opened, the outermost first.
    above: Vec<String>,
}

#[async_trait]
impl Resolver for Chain<'_> {
    async fn resolve(&self, text: &str) -> Result<Location, OpenError> {
        let shown = options::shown(text).0;
        let opened = async {
            let address = address_of(text)?;
            let (address, options) = self.session.followed(&address)?;
            self.session.at(&address, options, Purpose::Look, &self.above).await
        };
        let opened =
            opened.await.map_err(|error| OpenError::Beneath { text: shown, source: error.into() })?;
        Ok(opened.bare)
    }
}

/// A location on a remote as it is, and on the remote in its wrapper.
struct At {
    bare: Location,
    wrapped: Location,
}

/// Parses a typed name.
fn address_of(text: &str) -> Result<Address, SessionError> {
    if text.is_empty() {
        return Err(SessionError::Empty);
    }
    Ok(Address::parse(text.as_bytes())?)
}

/// Returns the path on this computer that an address means; `None` if it means another. Aliases must be followed
/// before.
fn local_path(address: &Address, options: Option<RemoteOptions>) -> Result<Option<LocalPath>, SessionError> {
    let Some(options) = options.filter(|options| options.backend == "local") else { return Ok(None) };
    Ok(Some(LocalPath::new(&address.path, options::values(&options)?)?))
}

impl Session {
    /// Opens the remote and path that `text` names: `remote:path`, `:backend,option=value:path`, or a path on this
    /// computer.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub async fn open(&self, text: &str, purpose: Purpose) -> Result<Location, SessionError> {
        let (address, options) = self.followed(&address_of(text)?)?;
        Ok(self.at(&address, options, purpose, &[]).await?.wrapped)
    }

    /// Opens a path on this computer as one of the whole file system, so that paths beside it are on the same remote.
    ///
    /// # Errors
    /// A folder on the way can't be looked at.
    pub async fn open_in_whole(&self, path: &LocalPath, purpose: Purpose) -> Result<Location, SessionError> {
        path.refuse_link()?;
        let (root, named, below) = local::in_whole(path.path(), purpose)?;
        let opened = local::in_root(&root, named, &path.options, self.resources())?;
        Ok(Location { remote: self.wrapped(&opened), path: below })
    }

    /// Returns the path on this computer that `text` names, with aliases followed; `None` if it names another.
    ///
    /// # Errors
    /// The remote isn't known.
    pub fn local_path(&self, text: &str) -> Result<Option<LocalPath>, SessionError> {
        let (address, options) = self.followed(&address_of(text)?)?;
        local_path(&address, options)
    }

    /// Makes all remotes opened from now on list what matters, whatever an earlier run knew.
    pub fn look_anew(&self) {
        self.anew.store(true, Ordering::Relaxed);
    }

    /// Returns the path of an account's catalogue, whether it exists or not; `None` for remotes without one.
    ///
    /// # Errors
    /// The remote isn't known.
    pub fn catalogue_of(&self, text: &str) -> Result<Option<PathBuf>, SessionError> {
        let (_, options) = self.followed(&address_of(text)?)?;
        let Some(options) = options.filter(|options| options.backend == "fichier") else { return Ok(None) };
        Ok(catalogue_file(&options::values(&options)?, self.resources())?)
    }

    /// Returns what 1Fichier shows everyone about links. No remote need be configured.
    ///
    /// # Errors
    /// An option can't be used.
    pub fn public_site(&self) -> Result<PublicSite, SessionError> {
        let remote =
            RemoteSpec::OnTheFly { backend: "fichier".to_owned(), parameters: Parameters::default() };
        let options = self.without_file().resolve(&remote, &self.flags())?;
        Ok(public_site(&options::values(&options)?, self.resources())?)
    }

    /// Returns the cipher of a remote with encrypted names, for encrypting and decrypting names alone; `None` for
    /// other remotes.
    ///
    /// # Errors
    /// The remote isn't known, or lacks an option that it needs.
    pub async fn name_cipher(&self, text: &str) -> Result<Option<NameCipher>, SessionError> {
        let (_, options) = self.followed(&address_of(text)?)?;
        let Some(options) = options.filter(|options| options.backend == "crypt") else { return Ok(None) };
        Ok(Some(NameCipher::new(&options.name, &options::values(&options)?).await?))
    }

    /// Returns the options of a remote and the source of each; the remote may also be made on the fly.
    ///
    /// # Errors
    /// There is no such remote, or the configuration can't be read.
    pub fn options_of(&self, remote: &RemoteSpec) -> Result<RemoteOptions, SessionError> {
        self.resolve(remote)?.ok_or(SessionError::BuiltIn(demo::NAME))
    }

    /// Opens a remote that isn't in the file yet, to try its key. It doesn't wait long.
    ///
    /// # Errors
    /// A value doesn't suit its option.
    pub async fn trial(&self, backend: &str, values: Parameters) -> Result<Arc<dyn Remote>, SessionError> {
        let remote = RemoteSpec::OnTheFly { backend: backend.to_owned(), parameters: values };
        let options = self.without_file().resolve(&remote, &self.flags())?;
        let settings = options::values(&options)?;
        let mut resources = self.resources().clone();
        let network = &mut resources.network;
        network.low_level_retries = 1;
        network.connect_timeout = network.connect_timeout.min(TRIAL);
        network.idle_timeout = network.idle_timeout.min(TRIAL);
        let resolver = &Chain { session: self, above: Vec::new() };
        let opening = Opening {
            name: backend,
            root: Path::new(""),
            settings: &settings,
            resources: &resources,
            resolver,
        };
        Ok(registry::open(backend, opening).await?)
    }

    fn wrapped(&self, remote: &Arc<dyn Remote>) -> Arc<dyn Remote> {
        match &self.setup.wrap {
            Some(wrap) => wrap(remote.clone()),
            None => remote.clone(),
        }
    }

    /// Opens an address whose aliases were followed. `above` lists the remotes that lie over it.
    async fn at(
        &self,
        address: &Address,
        options: Option<RemoteOptions>,
        purpose: Purpose,
        above: &[String],
    ) -> Result<At, SessionError> {
        if let Some(local) = local_path(address, options.clone())? {
            local.refuse_link()?;
            let bare = local::open(local.path(), purpose, &local.options, self.resources())?;
            let wrapped = Location { remote: self.wrapped(&bare.remote), path: bare.path.clone() };
            return Ok(At { bare, wrapped });
        }
        let path = RemotePath::parse(&address.path)?;
        let spec = address.remote.to_string();
        let known = self.opened().get(&spec).cloned();
        let Opened { bare, wrapped } = match known {
            Some(known) => known,
            None => {
                let bare = self.remote(&address.remote, options, above).await?;
                let mut opened = self.opened();
                // Named in another way, or with options that don't change what it holds: the first one knows what was
                // listed and changed.
                let known = opened.values().find(|known| known.bare.info().has_paths_of(bare.info()));
                let known = known.cloned();
                let now = known.unwrap_or_else(|| Opened { wrapped: self.wrapped(&bare), bare });
                opened.insert(spec, now.clone());
                now
            }
        };
        let at = |remote| Location { remote, path: path.clone() };
        Ok(At { bare: at(bare), wrapped: at(wrapped) })
    }

    /// Follows aliases, and returns the address in the end with the remote's options.
    fn followed(&self, address: &Address) -> Result<(Address, Option<RemoteOptions>), SessionError> {
        let mut address = address.clone();
        let mut names = Vec::new();
        while names.len() < DEEPEST {
            names.push(shown_remote(&address.remote));
            let options = self.resolve(&address.remote)?;
            let Some(known) = options.as_ref().filter(|known| registry::backend(&known.backend).is_some())
            else {
                return Ok((address, options));
            };
            let settings = options::values(known)?;
            let opening = Opening {
                name: &known.name,
                root: Path::new(""),
                settings: &settings,
                resources: self.resources(),
                resolver: &NoRemotes,
            };
            let Some(target) = registry::alias_target(&known.backend, opening)? else {
                return Ok((address, options));
            };
            let path = RemotePath::parse(&address.path)?;
            let mut next = Address::parse(target.as_bytes())
                .map_err(|source| SessionError::Alias { alias: known.name.clone(), source })?;
            if !path.is_root() {
                if !next.path.is_empty() && !next.path.ends_with(b"/") {
                    next.path.push(b'/');
                }
                next.path.extend_from_slice(path.as_bytes());
            }
            address = next;
        }
        Err(SessionError::Circle { most: DEEPEST, names })
    }

    /// Returns the options of a remote; `None` for the built-in one.
    fn resolve(&self, remote: &RemoteSpec) -> Result<Option<RemoteOptions>, SessionError> {
        let RemoteSpec::Named { name, .. } = remote else {
            return Ok(Some(self.without_file().resolve(remote, &self.flags())?));
        };
        match self.config()?.resolve(remote, &self.flags()) {
            Ok(options) => Ok(Some(options)),
            Err(ConfigError::UnknownRemote { .. }) if name == demo::NAME => Ok(None),
            Err(ConfigError::UnknownRemote { name, mut known }) => {
                known.push(demo::NAME.to_owned());
                Err(SessionError::UnknownRemote { name, known })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn remote(
        &self,
        remote: &RemoteSpec,
        options: Option<RemoteOptions>,
        above: &[String],
    ) -> Result<Arc<dyn Remote>, SessionError> {
        let name = shown_remote(remote);
        let mut names = above.to_vec();
        let is_above = names.contains(&name);
        names.push(name);
        if is_above || names.len() > DEEPEST {
            return Err(SessionError::Circle { most: DEEPEST, names });
        }
        let Some(options) = options else {
            let start = || demo::Service::start(self.setup.demo_directory.as_deref());
            let started = self.demo.get_or_try_init(start).await?;
            return Ok(started.open(&self.demo_settings(remote)?, self.resources()).await?);
        };
        let RemoteOptions { name, backend, .. } = &options;
        if registry::backend(backend).is_none() {
            return Err(SessionError::UnknownBackend {
                backend: backend.clone(),
                name: name.clone(),
                is_of_rclone: (self.setup.is_of_rclone)(backend),
                known: registry::backends().iter().map(|backend| backend.name).collect(),
            });
        }
        let settings = options::values(&options)?;
        let resolver = &Chain { session: self, above: names };
        let resources = self.resources();
        let opening = Opening { name, root: Path::new(""), settings: &settings, resources, resolver };
        Ok(registry::open(backend, opening).await?)
    }

    /// Returns the options that were set for the built-in remote: parameters, flags and the backend's variables.
    fn demo_settings(&self, remote: &RemoteSpec) -> Result<Settings, SessionError> {
        let RemoteSpec::Named { parameters, .. } = remote else { return Ok(Settings::default()) };
        let backend = "fichier".to_owned();
        let remote = RemoteSpec::OnTheFly { backend, parameters: parameters.clone() };
        let mut settings = options::values(&self.without_file().resolve(&remote, &self.flags())?)?;
        // These belong to the real service and must not reach the demo.
        for option in ["api_key", "endpoint", "shared_folder"] {
            settings.unset(option);
        }
        Ok(settings)
    }

    fn flags(&self) -> FlagValues {
        let mut flags = self.setup.flags.clone();
        if self.anew.load(Ordering::Relaxed) {
            flags.set("fichier", "catalogue", "verify");
        }
        flags
    }
}

/// Returns a remote without its path, as messages may show it.
fn shown_remote(remote: &RemoteSpec) -> String {
    options::shown_address(&Address { remote: remote.clone(), path: Vec::new() })
}
