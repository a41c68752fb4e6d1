//! Names looked up, folders opened and read.

use std::sync::Arc;

use fichier_storage::{Name, NameLength};

use super::Vfs;
use crate::{
    Attributes, FolderEntry, HandleId, Kind, NodeId, Result, VfsError,
    core::{Core, HandleBody, State},
};

impl Vfs {
    /// Finds an entry of a folder, and gives out its node.
    ///
    /// # Errors
    /// [`VfsError::NotFound`]; or the folder can't be listed.
    pub async fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<Attributes> {
        let name = name_of(name)?;
        self.core.know(folder).await?;
        let mut state = self.core.state();
        let found = self.core.child(&state, folder, &name);
        let attributes = found.and_then(|id| self.core.attributes(&state, id));
        let attributes = attributes.ok_or_else(|| VfsError::NotFound(child_shown(&state, folder, &name)))?;
        state.tree.remember(attributes.id);
        Ok(attributes)
    }

    /// Gives out a node once more, for one that came with [`Vfs::read_folder`]. Returns whether it is still there.
    pub fn remember(&self, node: NodeId) -> bool {
        let mut state = self.core.state();
        state.tree.remember(node);
        state.tree.get(node).is_some()
    }

    /// Takes back a node that was given out `count` times.
    pub fn forget(&self, node: NodeId, count: u64) {
        self.core.state().tree.forget(node, count);
    }

    /// Returns the attributes of a node.
    ///
    /// # Errors
    /// [`VfsError::NotFound`] if there is no such node any more.
    pub async fn attributes(&self, node: NodeId) -> Result<Attributes> {
        let state = self.core.state();
        self.core.attributes(&state, node).ok_or_else(|| VfsError::NotFound(state.shown(node)))
    }

    /// Opens a folder, to read its entries as they are now.
    ///
    /// # Errors
    /// The node isn't a folder, or it can't be listed.
    pub async fn open_folder(&self, folder: NodeId) -> Result<HandleId> {
        self.core.know(folder).await?;
        let mut state = self.core.state();
        let snapshot = Arc::new(self.core.snapshot(&state, folder));
        Ok(state.open(folder, HandleBody::Folder(snapshot)))
    }

    /// Returns entries of an open folder from an offset on, at most so many; none at the end. The first offset is 0.
    /// `.` and `..` aren't among them.
    ///
    /// # Errors
    /// [`VfsError::BadHandle`].
    pub fn read_folder(&self, handle: HandleId, offset: u64, most: usize) -> Result<Vec<FolderEntry>> {
        let state = self.core.state();
        match state.handles.get(&handle).map(|handle| &handle.body) {
            Some(HandleBody::Folder(snapshot)) => {
                let snapshot = snapshot.clone();
                drop(state);
                Ok(snapshot.entries(offset, most))
            }
            _ => Err(VfsError::BadHandle(handle.0)),
        }
    }

    /// Closes an open folder.
    pub fn release_folder(&self, handle: HandleId) {
        let mut state = self.core.state();
        if let Some(handle) = state.handles.remove(&handle) {
            if let Some(node) = state.tree.get_mut(handle.node) {
                node.handles = node.handles.saturating_sub(1);
            }
            state.tree.drop_if_unused(handle.node);
        }
    }
}

impl Core {
    /// Returns the entry of a name in a folder that is known.
    pub(crate) fn child(&self, state: &State, folder: NodeId, name: &Name) -> Option<NodeId> {
        let exact = state.tree.child(folder, name);
        match exact {
            None if self.options.case_insensitive => state.tree.child_in_any_case(folder, name),
            found => found,
        }
    }

    /// Checks that a name can be given to something new.
    pub(crate) fn new_name(&self, name: &[u8]) -> Result<Name> {
        let name = name_of(name)?;
        let (is_too_long, longest) = match self.remote.info().names.longest {
            Some(NameLength::Bytes(longest)) => (name.as_bytes().len() > longest, format!("{longest} bytes")),
            Some(NameLength::Characters(longest)) => {
                (name.to_string().chars().count() > longest, format!("{longest} characters"))
            }
            None => (false, String::new()),
        };
        match is_too_long {
            true => Err(VfsError::NameTooLong { name: name.to_string(), longest }),
            false => Ok(name),
        }
    }

    /// Checks that a node is a folder that is in the tree.
    pub(crate) fn is_folder(state: &State, id: NodeId) -> Result<()> {
        match state.tree.get(id).map(crate::tree::Node::kind) {
            Some(Kind::Folder) => state.path(id).map(drop),
            Some(Kind::File) => Err(VfsError::NotFolder(state.shown(id))),
            None => Err(VfsError::NotFound(state.shown(id))),
        }
    }
}

fn name_of(name: &[u8]) -> Result<Name> {
    Name::new(name).map_err(|error| VfsError::BadName {
        name: String::from_utf8_lossy(name).into_owned(),
        why: error.to_string(),
    })
}

/// Returns the path of an entry as messages name it.
pub(crate) fn child_shown(state: &State, folder: NodeId, name: &Name) -> String {
    state.tree.path(folder).map_or_else(|| name.to_string(), |folder| state.say(&folder.join(name)))
}
