//! Folders that are shared: by a page for everybody, and with other users of the service.

use async_trait::async_trait;
use fichier_notation::Secret;

use crate::{RemotePath, Result};

/// A remote whose folders can be shared.
#[async_trait]
pub trait FolderSharing: std::fmt::Debug + Send + Sync {
    /// Returns how a folder is shared, as a listing of this run tells it. It costs a call unless the folder was listed
    /// in this run.
    ///
    /// # Errors
    /// The folder isn't there or can't be listed.
    async fn sharing(&self, folder: &RemotePath) -> Result<Sharing>;

    /// Shares a folder, or changes how it is shared, and returns the address of its page. Who isn't named keeps what
    /// he has.
    ///
    /// # Errors
    /// The folder isn't there, or the service refuses.
    async fn share(&self, folder: &RemotePath, change: &SharingChange) -> Result<Option<String>>;
}

/// How a folder is shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Whether it has a page that everybody can open.
    pub page: bool,
    /// Whether that page has a password.
    pub password: bool,
    /// Users of the service with whom it is shared.
    pub users: Vec<SharedWith>,
}

impl Sharing {
    /// Checks whether the folder is shared at all.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.page || !self.users.is_empty()
    }
}

/// A user with whom a folder is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedWith {
    /// Mail address of the account.
    pub mail: String,
    /// What the user may do there.
    pub rights: ShareRights,
}

/// What a user may do in a folder that is shared with him.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareRights {
    /// Read, and see the links of the files.
    Read,
    /// Read and write.
    Write,
    /// Read, without seeing the links.
    HiddenLinks,
    /// Write, without seeing the links.
    WriteHiddenLinks,
}

/// A change of how a folder is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharingChange {
    /// It is shared, with these users as well.
    Share {
        /// Password of its page; `None` leaves it as it is, an empty one takes it away.
        password: Option<Secret>,
        /// Users to share it with, or whose rights change.
        with: Vec<SharedWith>,
    },
    /// It is no longer shared with these users, whose mail addresses are given.
    StopWith(Vec<String>),
    /// It is shared with nobody any more, and its page is gone.
    Stop,
}
