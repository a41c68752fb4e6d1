//! Opens what the user names: `remote:path`, `:backend,option=value:path`, or a local path.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use fichier_encoding::Encoding;
use fichier_remotes::registry::{self, Opening};
use fichier_storage::{Location, Name, Remote, RemotePath};
use tokio::sync::Mutex;

use crate::{
    arguments::Settings,
    demo,
    exit::Failure,
    flags::{BackendFlag, Environment},
};

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

/// What a local path is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To see what is there: a directory is the root of its own remote.
    Look,
    /// To change the path itself: what holds it is the root.
    Change,
}

impl<'a> Session<'a> {
    /// A session that has opened nothing.
    pub(crate) fn new(settings: &'a Settings, environment: &'a Environment) -> Self {
        Self { settings, environment, opened: Mutex::default() }
    }

    /// Opens what `text` names, to read what is there or to put something in.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Look).await
    }

    /// Opens what `text` names, to make, change or remove the path itself.
    ///
    /// # Errors
    /// The remote isn't known or can't be opened.
    pub(crate) async fn open_itself(&self, text: &str) -> anyhow::Result<Location> {
        self.locate(text, Purpose::Change).await
    }

    async fn locate(&self, text: &str, purpose: Purpose) -> anyhow::Result<Location> {
        if text.is_empty() {
            return Err(failed(text, "can't use empty string as a path").into());
        }
        let Some((spec, path)) = split(text) else {
            let local = self.local(Path::new(text), purpose).await;
            return local.map_err(|error| failed(text, &crate::exit::describe(&error)).into());
        };
        let path = RemotePath::parse(path).map_err(|error| failed(text, &error.to_string()))?;
        let mut opened = self.opened.lock().await;
        let remote = match opened.get(spec) {
            Some(remote) => remote.clone(),
            None => {
                let remote =
                    self.named(spec).await.map_err(|error| failed(text, &crate::exit::describe(&error)))?;
                opened.insert(spec.to_owned(), remote.clone());
                remote
            }
        };
        Ok(Location { remote, path })
    }

    /// Opens a remote of the configuration, or one that `spec` describes itself.
    async fn named(&self, spec: &str) -> anyhow::Result<Arc<dyn Remote>> {
        if spec == demo::NAME {
            return Ok(demo::open(self.environment).await?);
        }
        Err(Failure::other(format!("didn't find section in config file ({spec:?})")).into())
    }

    async fn local(&self, path: &Path, purpose: Purpose) -> anyhow::Result<Location> {
        let (root, leaf) = if purpose == Purpose::Look && path.is_dir() {
            (path.to_owned(), None)
        } else {
            split_leaf(path)?
        };
        let mut options = BackendFlag::options_of(&self.settings.backend, "local");
        if self.settings.network.copy_links {
            options.insert("copy_links".to_owned(), "true".to_owned());
        }
        let opening = Opening { name: "local", root: &root, settings: &options };
        let remote = registry::open("local", opening).await?;
        let path = leaf.map_or_else(RemotePath::root, |leaf| RemotePath::root().join(&leaf));
        Ok(Location { remote, path })
    }

    /// A location as messages name it.
    #[expect(clippy::unused_self, reason = "the configuration will know aliases")]
    pub(crate) fn shown(&self, location: &Location) -> String {
        let info = location.remote.info();
        match (info.backend, location.path.is_root()) {
            ("local", true) => format!("Local file system at {}", info.name),
            ("local", false) => {
                let path = Path::new(&info.name).join(location.path.to_string());
                format!("Local file system at {}", path.display())
            }
            _ => format!("{}{}", info.name, location.path),
        }
    }

    /// The remotes of the configuration, in its order.
    ///
    /// # Errors
    /// The configuration can't be read.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "reads the configuration")]
    pub(crate) fn remotes(&self) -> anyhow::Result<Vec<RemoteEntry>> {
        Ok(Vec::new())
    }
}

fn failed(text: &str, why: &str) -> Failure {
    Failure::other(format!("Failed to create file system for {text:?}: {why}"))
}

/// The remote's name or description and the path behind the colon; `None` for a local path, be it with a
/// drive letter.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quoted = None;
    let start = usize::from(text.starts_with(':'));
    for (index, character) in text.char_indices().skip(start) {
        match (character, quoted) {
            ('/', None) if !text[..index].contains(',') => return None,
            ('"' | '\'', None) => quoted = Some(character),
            (_, Some(quote)) if character == quote => quoted = None,
            (':', None) => {
                let drive = cfg!(windows) && index == 1;
                return (!drive).then(|| (&text[..index], &text[index + 1..]));
            }
            _ => {}
        }
    }
    None
}

/// The directory that holds a path, and the path's name in it; no name for a path that has none, as `/`.
fn split_leaf(path: &Path) -> std::io::Result<(PathBuf, Option<Name>)> {
    let Some(leaf) = path.file_name() else { return Ok((path.to_owned(), None)) };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = Encoding::LOCAL.to_standard(leaf.as_encoded_bytes()).into_owned();
    Ok((parent, Some(Name::new(name).map_err(std::io::Error::other)?)))
}

/// Makes a password unreadable at a glance.
pub(crate) fn obscure(_password: &str) -> anyhow::Result<String> {
    Err(Failure::other("not yet").into())
}

/// Undoes [`obscure`].
pub(crate) fn reveal(_password: &str) -> anyhow::Result<String> {
    Err(Failure::other("not yet").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_path_begins() {
        assert_eq!(split("demo:a/b"), Some(("demo", "a/b")));
        assert_eq!(split("demo:"), Some(("demo", "")));
        assert_eq!(split("demo:a:b"), Some(("demo", "a:b")));
        assert_eq!(split(":local:/tmp"), Some((":local", "/tmp")));
        assert_eq!(split("x,cdn=true:a"), Some(("x,cdn=true", "a")));
        assert_eq!(split("x,url='http://h:1/':a"), Some(("x,url='http://h:1/'", "a")));
        assert_eq!(split("./a:b"), None);
        assert_eq!(split("a/b:c"), None);
        assert_eq!(split("plain"), None);
    }
}
