//! What others change at a remote, for programs that run for long.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{RemotePath, Result};

/// A remote that notices what others change in it.
pub trait Changes: Debug + Send + Sync {
    /// Begins to watch: what others change from now on is told. Watches know nothing of each other.
    fn watch(&self) -> Box<dyn ChangeWatch>;
}

/// Tells what others changed at a remote since the last look.
#[async_trait]
pub trait ChangeWatch: Debug + Send {
    /// Returns the folders in which something was changed since the last look, and not by this process. Each look may
    /// cost a call, at most as many as the service allows for it.
    ///
    /// What was changed is known of folders that were listed in this process, or in an earlier one as far as that
    /// counts: when a listing differs from what was known, or the remote has another way to learn of it. The next
    /// listing of such a folder shows the change, however old an answer may be.
    ///
    /// # Errors
    /// The remote can't be asked.
    async fn changed(&mut self) -> Result<ChangedFolders>;
}

/// Folders in which others changed something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFolders {
    /// Their paths, sorted, each once.
    pub folders: Vec<RemotePath>,
    /// Whether there is something new of which it isn't known where it lies. A folder that is in use may hold it, so
    /// such folders should be listed again.
    pub elsewhere: bool,
}

impl ChangedFolders {
    /// Adds what another watch tells.
    pub fn add(&mut self, other: Self) {
        self.folders.extend(other.folders);
        self.folders.sort_unstable();
        self.folders.dedup();
        self.elsewhere |= other.elsewhere;
    }
}
