//! What a service keeps of a file for those who follow its link: a password, rules, a description.

use async_trait::async_trait;
use fichier_notation::Secret;

use crate::{File, Outcome, Result};

/// A remote whose files have attributes at the service.
#[async_trait]
pub trait FileAttributes: std::fmt::Debug + Send + Sync {
    /// Returns what listings told of the files, in their order. It costs no call; `None`: no listing told of it.
    async fn listed_attributes(&self, files: &[File]) -> Vec<Option<ListedAttributes>>;

    /// Returns all attributes of a file. It costs a call.
    ///
    /// # Errors
    /// The file is gone, or the service refuses.
    async fn attributes(&self, file: &File) -> Result<Attributes>;

    /// Gives files the same new attributes, and leaves those that the change doesn't name.
    async fn set_attributes(&self, batch: &[File], change: &AttributeChange) -> Vec<Outcome<()>>;
}

/// What a listing tells of a file's attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListedAttributes {
    /// Whether it has a password.
    pub password: bool,
    /// Whether it has access rules.
    pub rules: bool,
    /// Whether it is served by the CDN.
    pub cdn: bool,
}

/// All attributes of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Whether it has a password.
    pub password: bool,
    /// Free text about it.
    pub description: String,
    /// Whether browsers show it rather than save it.
    pub inline: bool,
    /// Whether it is served by the CDN.
    pub cdn: bool,
    /// Whether it is served without TLS.
    pub no_tls: bool,
    /// Who may have it; `None`: anybody.
    pub rules: Option<AccessRules>,
}

/// Rules that say who may have a file. Those without a word let anybody have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRules {
    /// Countries, by their two letters.
    pub countries: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<String>,
    /// Mail addresses of accounts.
    pub mails: Vec<String>,
    /// Whether only customers may.
    pub premium: bool,
}

impl AccessRules {
    /// Checks whether they let anybody have the file.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.countries.is_empty() && self.addresses.is_empty() && self.mails.is_empty() && !self.premium
    }
}

/// New attributes of files. `None` leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeChange {
    /// Password; an empty one takes it away.
    pub password: Option<Secret>,
    /// Free text about it.
    pub description: Option<String>,
    /// Whether browsers show it rather than save it.
    pub inline: Option<bool>,
    /// Whether it is served by the CDN.
    pub cdn: Option<bool>,
    /// Whether it is served without TLS.
    pub no_tls: Option<bool>,
    /// Who may have it, in place of all rules before.
    pub rules: Option<AccessRules>,
}

impl AttributeChange {
    /// Checks whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
