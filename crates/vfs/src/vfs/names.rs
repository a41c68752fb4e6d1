//! Folders made and removed, and files removed.

use std::sync::Arc;

use fichier_storage::Name;
use tokio::time::Instant;

use super::{Vfs, folders::child_shown};
use crate::{
    Attributes, Kind, NodeId, Result, VfsError,
    change::Change,
    core::{Core, State},
    tree::{Body, FolderBody},
    write::{recovery, sender::GATHER},
};

impl Vfs {
    /// Makes a folder, and gives out its node.
    ///
    /// # Errors
    /// The name is taken or can't be used, or nothing can be changed.
    pub async fn make_folder(&self, folder: NodeId, name: &[u8]) -> Result<Attributes> {
        self.core.changeable()?;
        let name = self.core.new_name(name)?;
        self.core.know(folder).await?;
        let mut state = self.core.state();
        let state = &mut *state;
        Core::is_folder(state, folder)?;
        if self.core.child(state, folder, &name).is_some() {
            return Err(VfsError::Exists(child_shown(state, folder, &name)));
        }
        let path = state.path(folder)?.join(&name);
        state.queue(None, Change::MakeFolder(path), Instant::now() + GATHER, false)?;
        let now = std::time::SystemTime::now();
        let body = FolderBody { listed: Some(Instant::now()), modified: Some(now), ..FolderBody::default() };
        let id = state.tree.add(folder, name.clone(), Body::Folder(body));
        state.tree.note_own(folder, &name);
        state.tree.remember(id);
        self.core.wake.notify_one();
        self.core.attributes(state, id).ok_or_else(|| VfsError::NotFound(state.shown(id)))
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// It isn't a folder, isn't empty or isn't there, or nothing can be changed.
    pub async fn remove_folder(&self, folder: NodeId, name: &[u8]) -> Result<()> {
        self.core.changeable()?;
        let (_, id) = self.entry(folder, name).await?;
        if self.core.state().tree.folder(id).is_some() {
            self.core.know(id).await?;
        }
        let mut state = self.core.state();
        let state = &mut *state;
        let body = state.tree.folder(id).ok_or_else(|| VfsError::NotFolder(state.shown(id)))?;
        if !body.children.is_empty() {
            return Err(VfsError::NotEmpty(state.shown(id)));
        }
        self.core.drop_folder(state, id)?;
        self.core.wake.notify_one();
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// It is a folder or isn't there, or nothing can be changed.
    pub async fn remove_file(&self, folder: NodeId, name: &[u8]) -> Result<()> {
        self.core.changeable()?;
        let (name, id) = self.entry(folder, name).await?;
        let mut state = self.core.state();
        let state = &mut *state;
        if state.tree.child(folder, &name) != Some(id) {
            return Err(VfsError::NotFound(child_shown(state, folder, &name)));
        }
        if state.tree.get(id).is_none_or(|node| node.kind() == Kind::Folder) {
            return Err(VfsError::IsFolder(state.shown(id)));
        }
        self.core.drop_file(state, id)?;
        self.core.wake.notify_one();
        Ok(())
    }

    /// Finds an entry that is to be changed: its name as it is in the folder, and its node.
    pub(super) async fn entry(&self, folder: NodeId, name: &[u8]) -> Result<(Name, NodeId)> {
        let id = self.lookup(folder, name).await?.id;
        let mut state = self.core.state();
        let found = state.tree.get(id).and_then(|node| node.name.clone());
        let shown = state.shown(id);
        state.tree.forget(id, 1);
        Ok((found.ok_or(VfsError::NotFound(shown))?, id))
    }
}

impl Core {
    /// Takes a file out of the tree, and has its versions removed at the service.
    pub(crate) fn drop_file(self: &Arc<Self>, state: &mut State, id: NodeId) -> Result<()> {
        let path = state.path(id)?;
        let Some(node) = state.tree.get(id) else { return Ok(()) };
        let (handles, parent, name) = (node.handles, node.parent, node.name.clone());
        let Some(file) = state.tree.file(id) else { return Ok(()) };
        let is_sending = file.local.as_ref().is_some_and(|local| local.sending.is_some());
        let is_unsure = file.local.as_ref().is_some_and(|local| local.unsure.is_some());
        // What is being sent takes its old versions with it; it goes itself when it has arrived.
        let versions = if is_sending || is_unsure { Vec::new() } else { file.versions.clone() };
        let mut ending = None;
        if let Some(local) = &file.local {
            let row = local.row(&path, &file.versions, true);
            match is_sending || is_unsure {
                true => state.journal.put_unsent(&row)?,
                false => state.journal.remove_unsent(local.id)?,
            }
            ending = local.content.clone().filter(|_| is_unsure && !is_sending).map(|content| (row, content));
        }
        // An earlier start may have sent it; then it is removed at the service.
        let is_ending = ending.is_some();
        if let Some((row, content)) = ending {
            recovery::end_removal(self, state, row, content);
        }
        if !versions.is_empty() {
            let change = Change::Remove { path, files: versions };
            state.queue(Some(id), change, Instant::now() + GATHER, handles > 0)?;
        }
        // Who has it open reads and writes on; a data file that nobody needs goes.
        if handles == 0
            && !is_sending
            && let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.take())
        {
            if !is_ending {
                self.drop_local(state, &local);
            }
            state.unsent.remove(&id);
        }
        state.tree.detach(id);
        if let (Some(parent), Some(name)) = (parent, name) {
            state.tree.note_own(parent, &name);
        }
        Ok(())
    }

    /// Takes an empty folder out of the tree, and has it removed at the service, unless the service was never told of
    /// it.
    pub(crate) fn drop_folder(&self, state: &mut State, id: NodeId) -> Result<()> {
        if id == NodeId::ROOT {
            return Err(VfsError::Root);
        }
        let path = state.path(id)?;
        match state.queue.only_makes(&path) {
            Some(change) => {
                state.journal.remove_change(change)?;
                state.queue.take(change);
            }
            None => state.queue(None, Change::RemoveFolder(path), Instant::now() + GATHER, false)?,
        }
        let node = state.tree.get(id);
        let place = node.and_then(|node| Some((node.parent?, node.name.clone()?)));
        state.tree.detach(id);
        if let Some((parent, name)) = place {
            state.tree.note_own(parent, &name);
        }
        Ok(())
    }
}
