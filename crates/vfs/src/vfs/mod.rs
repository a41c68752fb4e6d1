//! The file system as it is used: each call of a kernel or a server is a method here.

mod extras;
mod files;
mod folders;
mod names;
mod renames;

use std::sync::{Arc, atomic::Ordering};

use fichier_storage::{Entry, Freshness, Location};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::{
    Event, NodeId, Result, Status, VfsError, VfsOptions,
    cache::Cache,
    core::{Core, journal_directory},
    journal::{DataFolder, Journal},
    write::{recovery, sender},
};

/// A file system over a remote.
///
/// All methods may be called from several tasks at once. A call whose future is dropped has been done or not, never
/// half. What it promises is in `docs/semantics.md`.
///
/// Nodes are given out by [`Vfs::lookup`], [`Vfs::create`], [`Vfs::make_folder`] and, through [`Vfs::remember`], by
/// listings; each is kept until [`Vfs::forget`] has been called as often. The root needs neither.
///
/// When it is dropped it stops at once, as by [`Vfs::shutdown`].
#[derive(Debug)]
pub struct Vfs {
    core: Arc<Core>,
}

impl Vfs {
    /// Opens a file system over a folder of a remote. What an earlier one couldn't send is sent by this one.
    ///
    /// # Errors
    /// The folder isn't there, another file system uses the journal, or the directory can't be used.
    pub async fn open(location: Location, options: VfsOptions) -> Result<Arc<Self>> {
        let Location { remote, path } = location;
        let directory = journal_directory(&options, &*remote, &path);
        let (journal, unsent) = Journal::open(&directory, options.journal_wait).await?;
        let data = DataFolder::open(&directory).map_err(|error| VfsError::disk("open", &directory, error))?;
        let cache = Cache::open(&options)?;
        let core = Arc::new(Core::new(remote, path.clone(), options, journal, data, cache));
        recovery::recover(&core, unsent).await?;
        if !path.is_root() {
            core.called();
            let is_file = match core.remote.find(&path, Freshness::Known).await {
                Ok(entry) => matches!(entry, Entry::File(_)),
                Err(source) => {
                    let path = core.state().say(&path);
                    return Err(VfsError::Remote { path, source });
                }
            };
            if is_file {
                return Err(VfsError::NotFolder(core.state().say(&path)));
            }
        }
        sender::start(&core);
        core.start_cleaning();
        Ok(Arc::new(Self { core }))
    }

    /// Returns news of what others changed and of what could not be done. A listener that is too slow misses the
    /// oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.core.events.subscribe()
    }

    /// Returns what the file system is at.
    #[must_use]
    pub fn status(&self) -> Status {
        let cached = self.core.cache.size();
        let state = self.core.state();
        let mut status = Status {
            cached,
            dirty: state.sizes.total(),
            changes: state.queue.len(),
            calls: self.core.calls.load(Ordering::Relaxed),
            ..Status::default()
        };
        for file in state.unsent.iter().filter_map(|id| state.tree.file(*id)) {
            let Some(local) = &file.local else { continue };
            if local.sending.is_some() {
                status.sending += 1;
            } else if local.working.is_some() || file.writers > 0 {
                status.open += 1;
            } else if local.failed.is_some() {
                status.failing += 1;
            } else if self.core.stays_empty(local) {
                status.empty += 1;
            } else {
                status.waiting += 1;
            }
        }
        status
    }

    /// Lists a folder now, and shows the result.
    ///
    /// # Errors
    /// The node isn't a folder, or it can't be listed.
    pub async fn refresh(&self, folder: NodeId) -> Result<()> {
        let path = self.core.state().path(folder)?;
        self.core.remote.forget(&path);
        self.core.list(folder, Freshness::Within(std::time::Duration::ZERO)).await
    }

    /// Sends all that is closed, and waits until the service has it.
    ///
    /// # Errors
    /// [`VfsError::Unsent`] if something can't be sent. It is tried again later.
    pub async fn sync(&self) -> Result<()> {
        let mut progress = self.core.progress.subscribe();
        {
            let mut state = self.core.state();
            let state = &mut *state;
            for id in &state.unsent {
                if let Some(local) = state.tree.file_mut(*id).and_then(|file| file.local.as_mut()) {
                    local.is_urgent = true;
                    local.failed = None;
                }
            }
            state.queue.forgive(Instant::now());
        }
        self.core.wake.notify_one();
        loop {
            if let Some(ended) = self.sent() {
                return ended;
            }
            self.core.ended(&mut progress).await?;
        }
    }

    /// Returns whether all that is closed is sent, or can't be; `None` if it is still on its way.
    fn sent(&self) -> Option<Result<()>> {
        let state = self.core.state();
        if !state.ending.is_empty() {
            return None;
        }
        let mut failed: Vec<(String, String)> = Vec::new();
        for id in &state.unsent {
            let Some(file) = state.tree.file(*id) else { continue };
            let Some(local) = &file.local else { continue };
            let is_open = local.content.is_none() || local.working.is_some();
            match &local.failed {
                Some((_, _, reason)) => failed.push((state.shown(*id), reason.to_string())),
                None if local.sending.is_some() => return None,
                None if is_open || self.core.stays_empty(local) => {}
                None => return None,
            }
        }
        for (_, queued) in state.queue.iter().filter(|(_, queued)| !queued.is_held) {
            if queued.failures == 0 || queued.is_sent {
                return None;
            }
            let path = state.say(queued.change.path());
            failed.push((path, format!("the service doesn't {} it", queued.change.verb())));
        }
        let Some((path, reason)) = failed.first().cloned() else { return Some(Ok(())) };
        Some(Err(VfsError::Unsent { count: failed.len(), path, reason }))
    }

    /// Stops at once. What isn't sent stays in the journal, and is sent by the next file system on the same place.
    /// Calls that wait end with an error.
    pub fn shutdown(&self) {
        self.core.stop.cancel();
        self.core.readers.stop();
    }
}

impl Drop for Vfs {
    fn drop(&mut self) {
        self.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(_: impl FnOnce(&'static Vfs) -> T) {}

    #[test]
    fn all_calls_can_be_made_from_any_thread() {
        is_send(|vfs| vfs.lookup(NodeId::ROOT, b""));
        is_send(|vfs| vfs.read(crate::HandleId(0), 0, 0));
        is_send(|vfs| vfs.write(crate::HandleId(0), 0, bytes::Bytes::new()));
        is_send(|vfs| vfs.rename(NodeId::ROOT, b"", NodeId::ROOT, b"", crate::RenameMode::Replace));
        is_send(|vfs| vfs.set_attributes(NodeId::ROOT, crate::SetAttributes::default()));
        is_send(|vfs| vfs.open_file(NodeId::ROOT, crate::OpenFlags::READ));
        is_send(|vfs| vfs.remove_folder(NodeId::ROOT, b""));
        is_send(|vfs| vfs.fsync(crate::HandleId(0)));
        is_send(Vfs::statistics);
        is_send(Vfs::sync);
    }
}
