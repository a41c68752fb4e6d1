//! The entry point: from the name that a person gives to the remote and path that it means.
//!
//! A [`Session`] knows the configuration, the flags and the network, opens each remote once, and follows aliases and
//! remotes over remotes. The command line, servers, mounts and bindings are its clients. Nothing here is global: all
//! that a session knows is passed to it.
//!
//! ```
//! use fichier_session::{Purpose, Session, Setup};
//! use fichier_storage::RemoteExt;
//!
//! # let directory = tempfile::tempdir()?;
//! # std::fs::write(directory.path().join("a.txt"), "hello")?;
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let session = Session::new(Setup::default());
//! let location = session.open(directory.path().to_str().unwrap(), Purpose::Look).await?;
//! assert_eq!(location.remote.entries(&location.path).await?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod configuration;
mod demo;
mod error;
mod local;
mod opening;
mod options;

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicBool},
};

use fichier_config::{Config, ConfigError, Environment, FlagValues, IniFile, RemoteEntry};
use fichier_remotes::resources::Resources;
use fichier_storage::Remote;
use tokio::sync::OnceCell;

pub use configuration::{Configuration, ConfigurationError, Passphrases};
pub use demo::NAME as DEMO;
pub use error::SessionError;
pub use local::LocalPath;
pub use opening::Purpose;
pub use options::{is_harmless, shown};

/// Wraps each remote as it is opened: `--dry-run`, limits. A remote that another one lies over isn't wrapped, since
/// the outer one is.
pub type Wrap = Arc<dyn Fn(Arc<dyn Remote>) -> Arc<dyn Remote> + Send + Sync>;

/// Everything that a session starts with.
#[derive(Clone)]
pub struct Setup {
    /// The configuration file of the run.
    pub configuration: Arc<Mutex<Configuration>>,
    /// The environment: remotes and options that are set in variables.
    pub environment: Environment,
    /// Options that were set by flags, for all remotes of a backend.
    pub flags: FlagValues,
    /// What all remotes of the run share: how the network is used, where they keep what they know.
    pub resources: Resources,
    /// Directory of the built-in service's files; `None` means that there is none.
    pub demo_directory: Option<PathBuf>,
    /// Wraps each remote as it is opened.
    pub wrap: Option<Wrap>,
    /// Returns whether rclone has a backend that isn't here.
    pub is_of_rclone: fn(&str) -> bool,
}

impl Default for Setup {
    /// Returns a setup without configuration and environment: only paths on this computer and remotes made on the
    /// fly.
    fn default() -> Self {
        Self {
            configuration: Arc::new(Mutex::new(Configuration::none())),
            environment: Environment::default(),
            flags: FlagValues::new(),
            resources: Resources::default(),
            demo_directory: None,
            wrap: None,
            is_of_rclone: |_| false,
        }
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("resources", &self.resources)
            .field("demo_directory", &self.demo_directory)
            .finish_non_exhaustive()
    }
}

/// The remotes of a run, each opened once.
#[derive(Debug)]
pub struct Session {
    setup: Setup,
    /// Read when a remote of the configuration is asked for, so that a broken file doesn't stop local paths.
    config: OnceLock<Config>,
    /// The built-in service, once it is started.
    demo: OnceCell<demo::Service>,
    /// Whether to ignore what an earlier run knew.
    anew: AtomicBool,
    /// Remotes by the part of the name before the path, so that two paths on one remote share what was learned.
    opened: Mutex<HashMap<String, Opened>>,
}

/// A remote that was opened.
#[derive(Debug, Clone)]
struct Opened {
    /// The remote itself: what others may lie over.
    bare: Arc<dyn Remote>,
    /// The remote in its wrapper.
    wrapped: Arc<dyn Remote>,
}

impl Session {
    /// Makes a session without open remotes.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            config: OnceLock::new(),
            demo: OnceCell::new(),
            anew: AtomicBool::new(false),
            opened: Mutex::default(),
        }
    }

    /// Returns what all remotes of the run share.
    #[must_use]
    pub fn resources(&self) -> &Resources {
        &self.setup.resources
    }

    /// Returns the configuration file, to be read as text or changed.
    pub fn configuration(&self) -> MutexGuard<'_, Configuration> {
        self.setup.configuration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the remotes of the configuration, in its order.
    ///
    /// # Errors
    /// The configuration can't be read.
    pub fn remotes(&self) -> Result<Vec<RemoteEntry>, ConfigError> {
        Ok(self.config()?.remotes())
    }

    fn config(&self) -> Result<&Config, ConfigError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let config = self.configuration().load(&self.setup.environment)?;
        Ok(self.config.get_or_init(|| config))
    }

    /// Returns the configuration for remotes that the file can't affect.
    fn without_file(&self) -> Config {
        Config::new(IniFile::default(), self.setup.environment.clone())
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use fichier_storage::RemoteExt as _;

    use super::*;

    /// Makes a session whose configuration file has this text.
    fn with(directory: &Path, text: &str) -> Session {
        let file = directory.join("rclone.conf");
        std::fs::write(&file, text).unwrap();
        let environment = Environment::default();
        let configuration = Configuration::new(Some(&file), &environment, Passphrases::default());
        Session::new(Setup {
            configuration: Arc::new(Mutex::new(configuration)),
            demo_directory: Some(directory.join("demo")),
            ..Setup::default()
        })
    }

    #[tokio::test]
    async fn remotes_are_opened_once_and_aliases_followed() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[one]\ntype = alias\nremote = demo:a\n\n[two]\ntype = alias\nremote = one:b\n";
        let session = with(directory.path(), text);
        let two = session.open("two:c", Purpose::Look).await.unwrap();
        assert_eq!(two.path.to_string(), "a/b/c");
        let demo = session.open("demo:", Purpose::Look).await.unwrap();
        assert!(Arc::ptr_eq(&two.remote, &demo.remote));
        assert!(demo.remote.entries(&demo.path).await.unwrap().is_empty());
        let names: Vec<_> = session.remotes().unwrap().into_iter().map(|remote| remote.name).collect();
        assert_eq!(names, ["one", "two"]);
    }

    #[tokio::test]
    async fn a_circle_names_the_remotes_and_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let text = "[one]\ntype = alias\nremote = two,api_key=KEY:\n\n[two]\ntype = alias\nremote = one:\n";
        let session = with(directory.path(), text);
        let error = session.open("one:", Purpose::Look).await.unwrap_err();
        let SessionError::Circle { names, .. } = &error else { panic!("{error}") };
        assert_eq!(names[..3], ["one:", "two,api_key=…:", "one:"]);
        assert!(!error.to_string().contains("KEY"));
    }

    #[tokio::test]
    async fn what_is_not_known_says_what_is() {
        let directory = tempfile::tempdir().unwrap();
        let session = with(directory.path(), "[one]\ntype = ftp\n");
        let error = |text: &'static str| {
            let session = &session;
            async move { session.open(text, Purpose::Look).await.unwrap_err().to_string() }
        };
        assert!(error("other:").await.ends_with(r#"("other"); there are: one, demo"#));
        assert!(error("one:").await.starts_with(r#"didn't find backend called "ftp", the type of "one"; "#));
        assert_eq!(error("").await, "can't use empty string as a path");
    }

    #[tokio::test]
    async fn everything_that_is_opened_is_wrapped() {
        let directory = tempfile::tempdir().unwrap();
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = count.clone();
        let wrap: Wrap = Arc::new(move |remote| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            remote
        });
        let setup =
            Setup { wrap: Some(wrap), demo_directory: Some(directory.path().into()), ..Setup::default() };
        let session = Session::new(setup);
        for text in [directory.path().to_str().unwrap(), "demo:a", "demo:b", ":local:x"] {
            session.open(text, Purpose::Look).await.unwrap();
        }
        let path = session.local_path("/").unwrap().unwrap();
        session.open_in_whole(&path, Purpose::Look).await.unwrap();
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), 4);
    }
}
