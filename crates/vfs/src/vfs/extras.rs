//! Room on the file system, and extended attributes.

use std::time::Duration;

use fichier_storage::{Entry, Freshness, LinkRequest, RemoteExt as _, RemotePath, Usage};
use tokio::time::Instant;

use super::Vfs;
use crate::{NodeId, Result, Statistics, VfsError, core::Core};

/// How long statistics count.
const KEPT: Duration = Duration::from_secs(300);

/// What is shown where the account doesn't say.
const UNKNOWN: u64 = 1 << 50;

/// The longest name that a kernel passes on.
const LONGEST_NAME: u32 = 1024;

/// The attribute that is a file's checksum.
const WHIRLPOOL: &str = "user.whirlpool";

/// The attribute that is a file's public link.
const LINK: &str = "user.fichier.link";

impl Vfs {
    /// Returns how much room there is. The remote is asked at most once in 5 minutes.
    ///
    /// # Errors
    /// With `used_is_size`, the folders can't be listed.
    pub async fn statistics(&self) -> Result<Statistics> {
        let known = self.core.state().statistics;
        if let Some((at, statistics)) = known
            && at.elapsed() < KEPT
        {
            return Ok(statistics);
        }
        let usage = match self.core.options.used_is_size {
            true => self.core.sum().await?,
            false => self.core.usage().await,
        };
        let used = usage.used.unwrap_or(0);
        let total = self.core.options.disk_space_total_size.or(usage.total).unwrap_or(UNKNOWN);
        let free = match self.core.options.disk_space_total_size {
            Some(_) => total.saturating_sub(used),
            None => usage.free.unwrap_or_else(|| total.saturating_sub(used)).min(total),
        };
        let files = usage.files.unwrap_or(0);
        let statistics = Statistics { total, free, files, longest_name: LONGEST_NAME };
        self.core.state().statistics = Some((Instant::now(), statistics));
        Ok(statistics)
    }

    /// Returns the names of the extended attributes of a node.
    ///
    /// # Errors
    /// There is no such node.
    pub async fn extended_attributes(&self, node: NodeId) -> Result<Vec<&'static str>> {
        let state = self.core.state();
        if state.tree.get(node).is_none() {
            return Err(VfsError::NotFound(state.shown(node)));
        }
        let Some(file) = state.tree.file(node).filter(|file| file.local.is_none()) else {
            return Ok(Vec::new());
        };
        let Some(version) = file.versions.first() else { return Ok(Vec::new()) };
        let has_links = self.core.remote.extensions().links.is_some();
        let names = [(version.whirlpool.is_some(), WHIRLPOOL), (has_links, LINK)];
        Ok(names.into_iter().filter(|(is_there, _)| *is_there).map(|(_, name)| name).collect())
    }

    /// Returns an extended attribute of a node: `user.whirlpool` or `user.fichier.link`.
    ///
    /// # Errors
    /// [`VfsError::NoAttribute`] if there is none, also of a file that isn't sent yet.
    pub async fn extended_attribute(&self, node: NodeId, name: &str) -> Result<Vec<u8>> {
        let none = || VfsError::NoAttribute(name.to_owned());
        let version = {
            let state = self.core.state();
            if state.tree.get(node).is_none() {
                return Err(VfsError::NotFound(state.shown(node)));
            }
            let file = state.tree.file(node).filter(|file| file.local.is_none());
            file.and_then(|file| file.versions.first()).cloned().ok_or_else(none)?
        };
        match name {
            WHIRLPOOL => version.whirlpool.map(|sum| sum.to_string().into_bytes()).ok_or_else(none),
            LINK if self.core.remote.extensions().links.is_some() => {
                self.core.called();
                let link = self.core.remote.link(&Entry::File(version), LinkRequest::default()).await;
                link.map(String::into_bytes).map_err(|_| none())
            }
            _ => Err(none()),
        }
    }

    /// Refuses to set or remove an extended attribute.
    ///
    /// # Errors
    /// Always [`VfsError::NotSupported`].
    pub async fn set_extended_attribute(&self, node: NodeId, _name: &str) -> Result<()> {
        let path = self.core.state().shown(node);
        Err(VfsError::NotSupported { path, operation: "set extended attributes" })
    }
}

impl Core {
    /// Returns what the account says, or nothing if it says nothing.
    async fn usage(&self) -> Usage {
        self.called();
        match self.remote.usage().await {
            Ok(usage) => usage,
            Err(error) => {
                tracing::debug!("the room on the remote isn't known: {error}");
                Usage::default()
            }
        }
    }

    /// Returns the sum of all files.
    async fn sum(&self) -> Result<Usage> {
        let root: RemotePath = self.state().tree.root().clone();
        let (mut used, mut files) = (0, 0);
        let mut rest = vec![root];
        while let Some(folder) = rest.pop() {
            self.called();
            let listed = self.remote.list(&folder, Freshness::Known).await;
            let listing =
                listed.map_err(|source| VfsError::Remote { path: self.state().say(&folder), source })?;
            for entry in listing.entries {
                match entry {
                    Entry::File(file) => {
                        used += file.size;
                        files += 1;
                    }
                    Entry::Folder(folder) => rest.push(folder.path),
                }
            }
        }
        Ok(Usage { used: Some(used), files: Some(files), ..Usage::default() })
    }
}
