//! Opens what the user names: `remote:path`, `:backend,option=value:path`, or a local path.

use std::{collections::HashMap, sync::Arc};

use fichier_storage::{Location, Remote, RemotePath};
use tokio::sync::Mutex;

use crate::{arguments::Settings, demo, exit::Failure, flags::Environment};

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
    /// By what was typed before the path, so that two paths on one remote share what it has learned.
    opened: Mutex<HashMap<String, Arc<dyn Remote>>>,
}

impl<'a> Session<'a> {
    /// A session that has opened nothing.
    pub(crate) fn new(settings: &'a Settings, environment: &'a Environment) -> Self {
        Self { settings, environment, opened: Mutex::default() }
    }

    /// Opens what `text` names.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open(&self, text: &str) -> anyhow::Result<Location> {
        if text.is_empty() {
            return Err(failed(text, "can't use empty string as a path").into());
        }
        let (spec, path) = split(text);
        let path = RemotePath::parse(path).map_err(|error| failed(text, &error.to_string()))?;
        let mut opened = self.opened.lock().await;
        let remote = match opened.get(spec) {
            Some(remote) => remote.clone(),
            None => {
                let remote =
                    self.open_remote(spec).await.map_err(|error| failed(text, &format!("{error:#}")))?;
                opened.insert(spec.to_owned(), remote.clone());
                remote
            }
        };
        Ok(Location { remote, path })
    }

    async fn open_remote(&self, spec: &str) -> anyhow::Result<Arc<dyn Remote>> {
        let _ = self.settings;
        if spec == format!("{}:", demo::NAME) {
            return Ok(demo::open(self.environment).await?);
        }
        Err(Failure::other(format!("didn't find section in config file ({:?})", spec.trim_end_matches(':')))
            .into())
    }

    /// A location as messages name it.
    pub(crate) fn shown(&self, location: &Location) -> String {
        format!("{}{}", location.remote.info().name, location.path)
    }

    /// The remotes of the configuration, in its order.
    ///
    /// # Errors
    /// The configuration can't be read.
    pub(crate) fn remotes(&self) -> anyhow::Result<Vec<RemoteEntry>> {
        Ok(Vec::new())
    }
}

fn failed(text: &str, why: &str) -> Failure {
    Failure::other(format!("Failed to create file system for {text:?}: {why}"))
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(':').map_or(0, |colon| colon + 1))
}

/// Makes a password unreadable at a glance.
pub(crate) fn obscure(_password: &str) -> anyhow::Result<String> {
    Err(Failure::other("not yet").into())
}

/// Undoes [`obscure`].
pub(crate) fn reveal(_password: &str) -> anyhow::Result<String> {
    Err(Failure::other("not yet").into())
}
