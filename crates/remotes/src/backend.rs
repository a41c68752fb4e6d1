//! What a backend declares, and what it is opened with.

use std::{borrow::Cow, path::Path, sync::Arc};

use async_trait::async_trait;
use fichier_storage::{Location, Remote, StorageError};
use futures::future::BoxFuture;

pub use crate::values::{Chosen, InvalidValue, Settings};
use crate::{resources::Resources, values};

/// A kind of remote.
#[derive(Debug)]
pub struct BackendSpec {
    /// Its name, as in `type = fichier` and `:fichier:`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub description: &'static str,
    /// Its options, the important ones first.
    pub options: &'static [OptionSpec],
    /// Whether there is an account behind it, which proves a key ([`AccountOf`](fichier_storage::AccountOf)).
    pub has_account: bool,
    /// Options of which one at least must be set before a remote can be opened; empty: there are none.
    pub needs_one_of: &'static [&'static str],
    /// How a remote of it comes to be.
    pub opens: Opens,
}

/// Opens a remote with what was chosen for it.
pub type OpenPlace = fn(Opening<'_>, &Chosen<'_>) -> Result<Arc<dyn Remote>, OpenError>;

/// Opens a remote over others with what was chosen for it. The [`Opening`] has who opens those.
pub type OpenOver = for<'a> fn(Opening<'a>, Chosen<'a>) -> BoxFuture<'a, Result<Arc<dyn Remote>, OpenError>>;

/// How a remote comes to be.
#[derive(Debug, Clone, Copy)]
pub enum Opens {
    /// It is a place of its own.
    Place(OpenPlace),
    /// It stands for a place on another remote, and tells the string for that: `other:path`.
    Alias(fn(&str, &Chosen<'_>) -> Result<String, OpenError>),
    /// It lies over other remotes.
    Over(OpenOver),
}

/// Opens the remotes that others lie over.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Opens what `text` names: `remote:path`, or a path on this computer.
    ///
    /// # Errors
    /// It isn't known, can't be opened, or lies over itself.
    async fn resolve(&self, text: &str) -> Result<Location, OpenError>;
}

/// Opens nothing: for remotes that lie over no other.
#[derive(Debug, Clone, Copy)]
pub struct NoRemotes;

#[async_trait]
impl Resolver for NoRemotes {
    async fn resolve(&self, text: &str) -> Result<Location, OpenError> {
        Err(OpenError::Beneath { text: text.to_owned(), source: "no other remote can be opened here".into() })
    }
}

impl BackendSpec {
    /// The option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static OptionSpec> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// Checks a value; the error says what would be right.
pub(crate) type Rule = fn(&str) -> Result<(), String>;

/// An option of a backend.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name in the configuration file: `api_key`.
    pub name: &'static str,
    /// What it does: a sentence, and after an empty line what else there is to know.
    pub help: &'static str,
    /// What its value looks like.
    pub kind: OptionKind,
    /// The value if none is given; empty: none.
    pub default: &'static str,
    /// Whether only few people need it.
    pub advanced: bool,
    /// Whether rclone has no such option.
    pub own: bool,
    /// Whether the backend can't do without it.
    pub required: bool,
    /// Whether its value must not be shown.
    pub sensitive: bool,
    /// A flag that it has besides the one named after the backend: long without the dashes, and short.
    pub shared_flag: Option<(&'static str, Option<char>)>,
    /// Checks what the kind can't tell; the error says what would be right.
    pub(crate) rule: Option<Rule>,
}

impl OptionSpec {
    pub(crate) const fn new(
        name: &'static str,
        kind: OptionKind,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        let sensitive = matches!(kind, OptionKind::Secret);
        Self {
            name,
            help,
            kind,
            default,
            advanced: false,
            own: false,
            required: false,
            sensitive,
            shared_flag: None,
            rule: None,
        }
    }

    /// Values must pass this check, too.
    pub(crate) const fn checked(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    pub(crate) const fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    /// Advanced, and without a counterpart in rclone.
    pub(crate) const fn own(mut self) -> Self {
        self.advanced = true;
        self.own = true;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    pub(crate) const fn with_flag(mut self, long: &'static str, short: char) -> Self {
        self.shared_flag = Some((long, Some(short)));
        self
    }

    pub(crate) const fn with_long_flag(mut self, long: &'static str) -> Self {
        self.shared_flag = Some((long, None));
        self
    }

    /// The name of its flag, without the dashes: `fichier-api-key`. A flag shared with rclone's other
    /// commands (`copy-links`) takes that place.
    #[must_use]
    pub fn flag(&self, backend: &str) -> Cow<'static, str> {
        match self.shared_flag {
            Some((long, _)) => long.into(),
            None => format!("{backend}-{}", self.name).replace('_', "-").into(),
        }
    }

    /// The first sentence of its help.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.help.split("\n\n").next().unwrap_or_default()
    }

    /// Checks that a value suits the option's kind.
    ///
    /// # Errors
    /// It doesn't; the error says what would.
    pub fn check(&self, value: &str) -> Result<(), InvalidValue> {
        values::check(self, value)
    }
}

/// What an option's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// `true`, `false`, or one of these words, each with what it means.
    BoolOr(&'static [(&'static str, &'static str)]),
    /// A password, obscured where it is stored.
    Secret,
    /// A list of encoding flags: `Slash,Dot`.
    Encoding,
    /// A length of time: `400ms`, `1h30m`, or seconds.
    Duration,
    /// Bytes: `16Mi`, or KiB.
    Size,
    /// A number of things, at least 1.
    Count,
    /// One of these words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Every backend has it: a text for people.
pub(crate) const DESCRIPTION: OptionSpec =
    OptionSpec::new("description", OptionKind::Text, "", "A note of your own on this remote.").advanced();

/// Why a remote can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such backend.
    #[error("there is no backend {name:?}; those that exist are: {known}")]
    UnknownBackend {
        /// The name that was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A value that doesn't suit its option.
    #[error("remote {remote:?}: {source}")]
    Value {
        /// The remote.
        remote: String,
        /// The option and what is wrong.
        source: InvalidValue,
    },
    /// A remote that stands for a place elsewhere has to be opened there.
    #[error("remote {remote:?} has no place of its own")]
    Alias {
        /// The remote.
        remote: String,
    },
    /// A remote that stands for no place, or for itself.
    #[error("remote {remote:?}: {reason}")]
    Nowhere {
        /// The remote.
        remote: String,
        /// What is wrong, as a clause that says what to do.
        reason: &'static str,
    },
    /// A remote that another one lies over can't be opened.
    #[error("{source}")]
    Beneath {
        /// What was to be opened, without secrets.
        text: String,
        /// Why it can't be.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The backend's own.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is to be opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// The remote's name, for messages: `demo`.
    pub name: &'a str,
    /// The directory that is to be the root, for backends that lie on this computer; empty for the working
    /// directory.
    pub root: &'a Path,
    /// What was set for it.
    pub settings: &'a Settings,
    /// What all remotes of the run share.
    pub resources: &'a Resources,
    /// Who opens other remotes, for backends that lie over some.
    pub resolver: &'a dyn Resolver,
}
