//! Finds backends by name, and opens remotes of them.
//!
//! A new backend is a file or folder beside this one, which declares a [`BackendSpec`], and a line in [`backends`]. The
//! flags of the command line, the help texts, the manual and the questions of `config` are made from the options
//! declared there. Where values come from, and which of several wins, is not decided here.

use std::sync::Arc;

use fichier_storage::Remote;

pub use crate::backend::{
    BackendSpec, Chosen, InvalidValue, NoRemotes, OpenError, OpenOver, OpenPlace, Opening, Opens, OptionKind,
    OptionSpec, Resolver, Settings,
};
use crate::{alias, combine, crypt, fichier, local};

static BACKENDS: [&BackendSpec; 5] =
    [&fichier::BACKEND, &alias::BACKEND, &combine::BACKEND, &crypt::BACKEND, &local::BACKEND];

/// Returns all backends, in the order in which they are shown.
#[must_use]
pub fn backends() -> &'static [&'static BackendSpec] {
    &BACKENDS
}

/// Returns the backend of this name.
#[must_use]
pub fn backend(name: &str) -> Option<&'static BackendSpec> {
    BACKENDS.iter().copied().find(|backend| backend.name == name)
}

fn names() -> String {
    BACKENDS.iter().map(|backend| backend.name).collect::<Vec<_>>().join(", ")
}

/// Opens a remote of a backend.
///
/// ```
/// use fichier_remotes::{registry::{NoRemotes, Opening, Settings, open}, resources::Resources};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let settings = Settings::from_iter([("copy_links", "true")]);
/// let root = std::env::temp_dir();
/// let resources = Resources::default();
/// let opening =
///     Opening { name: "disk", root: &root, settings: &settings, resources: &resources, resolver: &NoRemotes };
/// let remote = open("local", opening).await?;
/// assert_eq!(remote.info().backend, "local");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// There is no such backend, a value doesn't suit its option, or the backend isn't available.
pub async fn open(backend: &str, opening: Opening<'_>) -> Result<Arc<dyn Remote>, OpenError> {
    let unknown = || OpenError::UnknownBackend { name: backend.to_owned(), known: names() };
    let spec = self::backend(backend).ok_or_else(unknown)?;
    match spec.opens {
        Opens::Place(open) => open(opening, &Chosen::new(spec, opening.settings)),
        Opens::Over(open) => open(opening, Chosen::new(spec, opening.settings)).await,
        Opens::Alias(_) => Err(OpenError::Alias { remote: opening.name.to_owned() }),
    }
}

/// Returns the remote string that an alias points to; `None` if the remote is a place of its own.
///
/// # Errors
/// There is no such backend, or what is set for it names no place.
pub fn alias_target(backend: &str, opening: Opening<'_>) -> Result<Option<String>, OpenError> {
    let unknown = || OpenError::UnknownBackend { name: backend.to_owned(), known: names() };
    let spec = self::backend(backend).ok_or_else(unknown)?;
    match spec.opens {
        Opens::Place(_) | Opens::Over(_) => Ok(None),
        Opens::Alias(target) => target(opening.name, &Chosen::new(spec, opening.settings)).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;
    use crate::resources::Resources;

    #[test]
    fn every_default_suits_its_option_and_every_name_is_its_own() {
        let mut flags = BTreeSet::new();
        for backend in backends() {
            let mut names = BTreeSet::new();
            for option in backend.options {
                assert!(names.insert(option.name), "{}: {} twice", backend.name, option.name);
                assert!(flags.insert(option.flag(backend.name)), "{} twice", option.flag(backend.name));
                assert!(option.summary().ends_with('.'), "{}", option.name);
                if !option.default.is_empty() {
                    option.check(option.default).unwrap();
                }
            }
        }
        assert!(flags.contains("fichier-api-key") && flags.contains("copy-links"));
    }

    #[test]
    fn rclones_options_are_all_there_with_its_defaults() {
        let fichier = backend("fichier").unwrap();
        for name in
            ["api_key", "shared_folder", "file_password", "folder_password", "cdn", "encoding", "description"]
        {
            assert!(fichier.option(name).is_some(), "{name}");
        }
        let default = |backend: &str| super::backend(backend).unwrap().option("encoding").unwrap().default;
        assert_eq!(default("fichier"), fichier_encoding::Encoding::FICHIER.to_string());
        assert_eq!(default("local"), fichier_encoding::Encoding::LOCAL.to_string());
        for name in ["file_password", "folder_password"] {
            assert_eq!(fichier.option(name).unwrap().kind, OptionKind::Secret);
        }
        assert!(fichier.option("api_key").unwrap().sensitive);
    }

    #[tokio::test]
    async fn what_cannot_be_opened_says_why() {
        let none = Settings::default();
        let resources = Resources::default();
        let nowhere = Opening {
            name: "x",
            root: Path::new(""),
            settings: &none,
            resources: &resources,
            resolver: &NoRemotes,
        };
        let error = open("ftp", nowhere).await.unwrap_err().to_string();
        assert_eq!(
            error,
            r#"there is no backend "ftp"; those that exist are: fichier, alias, combine, crypt, local"#
        );
        let wrong = Settings::from_iter([("encoding", "Slosh")]);
        let error = open("local", Opening { settings: &wrong, ..nowhere }).await.unwrap_err().to_string();
        assert!(error.starts_with(r#"remote "x": option encoding: "#), "{error}");
    }
}
