//! What a backend declares, and what it needs to open a remote.

use std::{borrow::Cow, path::Path, sync::Arc};

use async_trait::async_trait;
use fichier_storage::{Location, Remote, StorageError};
use futures::future::BoxFuture;

pub use crate::values::{Chosen, InvalidValue, Settings};
use crate::{resources::Resources, values};

/// A kind of remote.
#[derive(Debug)]
pub struct BackendSpec {
    /// Name as in `type = fichier` and `:fichier:`.
    pub name: &'static str,
    /// Description in a few words.
    pub description: &'static str,
    /// Options, the important ones first.
    pub options: &'static [OptionSpec],
    /// Whether a remote has an account, which proves a key ([`AccountOf`](fichier_storage::AccountOf)).
    pub has_account: bool,
    /// Options of which at least one must be set before a remote can be opened; empty: there are none.
    pub needs_one_of: &'static [&'static str],
    /// How a remote of this kind is opened.
    pub opens: Opens,
}

/// Opens a remote with the chosen values.
pub type OpenPlace = fn(Opening<'_>, &Chosen<'_>) -> Result<Arc<dyn Remote>, OpenError>;

/// Opens a remote over others with the chosen values. The [`Opening`] has the resolver for those.
pub type OpenOver = for<'a> fn(Opening<'a>, Chosen<'a>) -> BoxFuture<'a, Result<Arc<dyn Remote>, OpenError>>;

/// How a remote is opened.
#[derive(Debug, Clone, Copy)]
pub enum Opens {
    /// The remote is a place of its own.
    Place(OpenPlace),
    /// An alias. Returns the remote string that it points to: `other:path`.
    Alias(fn(&str, &Chosen<'_>) -> Result<String, OpenError>),
    /// The remote lies over other remotes.
    Over(OpenOver),
}

/// Opens the remotes that others lie over.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Opens what `text` names: `remote:path`, or a path on this computer.
    ///
    /// # Errors
    /// The remote isn't known, can't be opened, or lies over itself.
    async fn resolve(&self, text: &str) -> Result<Location, OpenError>;
}

/// A resolver that opens nothing, for remotes that lie over no other.
#[derive(Debug, Clone, Copy)]
pub struct NoRemotes;

#[async_trait]
impl Resolver for NoRemotes {
    async fn resolve(&self, text: &str) -> Result<Location, OpenError> {
        Err(OpenError::Beneath { text: text.to_owned(), source: "no other remote can be opened here".into() })
    }
}

impl BackendSpec {
    /// Returns the option of this name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'static OptionSpec> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// Checks a value; the error says what would be valid.
pub(crate) type Rule = fn(&str) -> Result<(), String>;

/// An option of a backend.
#[derive(Debug)]
pub struct OptionSpec {
    /// Name in the configuration file: `api_key`.
    pub name: &'static str,
    /// Help text: a sentence, and after an empty line further details.
    pub help: &'static str,
    /// Form of the value.
    pub kind: OptionKind,
    /// Value if none is given; empty: none.
    pub default: &'static str,
    /// Whether only few users need the option.
    pub advanced: bool,
    /// Whether rclone has no such option.
    pub own: bool,
    /// Whether the backend requires the option.
    pub required: bool,
    /// Whether the value must not be shown.
    pub sensitive: bool,
    /// Flag that the option has besides the one named after the backend: long without the dashes, and short.
    pub shared_flag: Option<(&'static str, Option<char>)>,
    /// Check beyond that of the kind; the error says what would be valid.
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

    /// Adds a check that values must pass, too.
    pub(crate) const fn checked(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    pub(crate) const fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    /// Marks the option as advanced, and without a counterpart in rclone.
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

    /// Returns the name of its flag, without the dashes: `fichier-api-key`. A flag shared with rclone's other commands
    /// (`copy-links`) takes that place.
    #[must_use]
    pub fn flag(&self, backend: &str) -> Cow<'static, str> {
        match self.shared_flag {
            Some((long, _)) => long.into(),
            None => format!("{backend}-{}", self.name).replace('_', "-").into(),
        }
    }

    /// Returns the first sentence of the help text.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.help.split("\n\n").next().unwrap_or_default()
    }

    /// Checks that a value suits the option's kind.
    ///
    /// # Errors
    /// The value doesn't suit it; the error says what would.
    pub fn check(&self, value: &str) -> Result<(), InvalidValue> {
        values::check(self, value)
    }
}

/// Form of an option's value.
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
    /// A duration: `400ms`, `1h30m`, or seconds.
    Duration,
    /// A size in bytes: `16Mi`, or KiB.
    Size,
    /// A number of things, at least 1.
    Count,
    /// One of these words, each with what it means.
    Choice(&'static [(&'static str, &'static str)]),
}

/// Option that every backend has: a text for people.
pub(crate) const DESCRIPTION: OptionSpec =
    OptionSpec::new("description", OptionKind::Text, "", "A note of your own on this remote.").advanced();

/// Reason why a remote can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such backend.
    #[error("there is no backend {name:?}; those that exist are: {known}")]
    UnknownBackend {
        /// Name that was asked for.
        name: String,
        /// Names of the backends that exist.
        known: String,
    },
    /// A value that doesn't suit its option.
    #[error("remote {remote:?}: {source}")]
    Value {
        /// Name of the remote.
        remote: String,
        /// The option, and what is wrong.
        source: InvalidValue,
    },
    /// An alias, which has to be opened at the place that it points to.
    #[error("remote {remote:?} has no place of its own")]
    Alias {
        /// Name of the remote.
        remote: String,
    },
    /// A remote that points to no place, or to itself.
    #[error("remote {remote:?}: {reason}")]
    Nowhere {
        /// Name of the remote.
        remote: String,
        /// What is wrong, as a clause that says what to do.
        reason: &'static str,
    },
    /// A remote that another one lies over can't be opened.
    #[error("{source}")]
    Beneath {
        /// Text of what was to be opened, without secrets.
        text: String,
        /// Cause of the error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An error of the backend itself.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Input for opening a remote.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// Name of the remote, for messages: `demo`.
    pub name: &'a str,
    /// Directory that becomes the root, for backends on this computer; empty for the working directory.
    pub root: &'a Path,
    /// Values that were set for the remote.
    pub settings: &'a Settings,
    /// Resources that all remotes of the run share.
    pub resources: &'a Resources,
    /// Resolver that opens other remotes, for backends that lie over some.
    pub resolver: &'a dyn Resolver,
}
