//! The tree: the folders and files that are known, each under a number, with what of them isn't sent yet.

mod local;
mod merge;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};

use fichier_storage::{File, Name, RemotePath};
use tokio::time::Instant;

pub(crate) use local::{DataFile, Local};
pub(crate) use merge::{Merge, News};

use crate::{Kind, NodeId};

/// All nodes.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: HashMap<NodeId, Node>,
    next: u64,
    /// Path of the root on the remote.
    root: RemotePath,
    /// Counts our own changes, so that a listing that began before one doesn't undo it.
    changes: u64,
}

/// A file or folder.
#[derive(Debug)]
pub(crate) struct Node {
    /// The folder that it is in; `None` for the root, and for what isn't in the tree any more.
    pub(crate) parent: Option<NodeId>,
    /// Its name; `None` for the root.
    pub(crate) name: Option<Name>,
    /// How often it was given out and not forgotten.
    lookups: u64,
    /// How many handles are open.
    pub(crate) handles: u32,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Folder(FolderBody),
    File(Box<FileBody>),
}

/// What is known of a folder.
#[derive(Debug, Default)]
pub(crate) struct FolderBody {
    pub(crate) children: BTreeMap<Name, NodeId>,
    /// When it was listed last.
    pub(crate) listed: Option<Instant>,
    /// Whether it is being listed.
    pub(crate) is_listing: bool,
    /// Whether it will be listed again in the background.
    pub(crate) is_renewed: bool,
    pub(crate) modified: Option<SystemTime>,
    /// Names that we changed, and at which count of changes.
    pub(crate) own: HashMap<Name, u64>,
}

/// What is known of a file.
#[derive(Debug, Default)]
pub(crate) struct FileBody {
    /// The versions that the service has under its name, the newest first.
    pub(crate) versions: Vec<File>,
    /// The time that it was given, if that isn't the time of its version.
    pub(crate) modified: Option<SystemTime>,
    /// What isn't sent yet.
    pub(crate) local: Option<Local>,
    /// Counts the versions that we stored.
    pub(crate) stored: u64,
    /// How many handles are open for writing.
    pub(crate) writers: u32,
    /// Held by many while they write, and by one while the data file is exchanged.
    pub(crate) exchange: Arc<tokio::sync::RwLock<()>>,
}

impl FileBody {
    /// Returns the size of the file as it is shown.
    pub(crate) fn size(&self) -> u64 {
        match &self.local {
            Some(local) => local.size(),
            None => self.versions.first().map_or(0, |file| file.size),
        }
    }
}

impl Tree {
    /// Makes a tree that knows nothing but its root.
    pub(crate) fn new(root: RemotePath) -> Self {
        let node = Node {
            parent: None,
            name: None,
            lookups: 1,
            handles: 0,
            body: Body::Folder(FolderBody::default()),
        };
        Self { nodes: HashMap::from([(NodeId::ROOT, node)]), next: NodeId::ROOT.0 + 1, root, changes: 0 }
    }

    /// Returns the path of the root on the remote.
    pub(crate) fn root(&self) -> &RemotePath {
        &self.root
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(&id)
    }

    pub(crate) fn file(&self, id: NodeId) -> Option<&FileBody> {
        match &self.nodes.get(&id)?.body {
            Body::File(file) => Some(file),
            Body::Folder(_) => None,
        }
    }

    pub(crate) fn file_mut(&mut self, id: NodeId) -> Option<&mut FileBody> {
        match &mut self.nodes.get_mut(&id)?.body {
            Body::File(file) => Some(file),
            Body::Folder(_) => None,
        }
    }

    pub(crate) fn folder(&self, id: NodeId) -> Option<&FolderBody> {
        match &self.nodes.get(&id)?.body {
            Body::Folder(folder) => Some(folder),
            Body::File(_) => None,
        }
    }

    pub(crate) fn folder_mut(&mut self, id: NodeId) -> Option<&mut FolderBody> {
        match &mut self.nodes.get_mut(&id)?.body {
            Body::Folder(folder) => Some(folder),
            Body::File(_) => None,
        }
    }

    /// Returns the path of a node on the remote; `None` if it isn't in the tree any more.
    pub(crate) fn path(&self, id: NodeId) -> Option<RemotePath> {
        let mut names = Vec::new();
        let mut at = id;
        while at != NodeId::ROOT {
            let node = self.nodes.get(&at)?;
            names.push(node.name.as_ref()?);
            at = node.parent?;
        }
        Some(names.into_iter().rev().fold(self.root.clone(), |path, name| path.join(name)))
    }

    /// Returns the node at a path that is known.
    pub(crate) fn find(&self, path: &RemotePath) -> Option<NodeId> {
        let below = path.relative_to(&self.root)?;
        let mut at = NodeId::ROOT;
        for name in below.names() {
            at = self.child(at, &name)?;
        }
        Some(at)
    }

    /// Returns the entry of a name that is known.
    pub(crate) fn child(&self, folder: NodeId, name: &Name) -> Option<NodeId> {
        self.folder(folder)?.children.get(name).copied()
    }

    /// Returns the entry whose name differs only in case, if there is one only.
    pub(crate) fn child_in_any_case(&self, folder: NodeId, name: &Name) -> Option<NodeId> {
        let lower = |name: &Name| name.to_string().to_lowercase();
        let wanted = lower(name);
        let mut found = self.folder(folder)?.children.iter().filter(|(other, _)| lower(other) == wanted);
        match (found.next(), found.next()) {
            (Some((_, id)), None) => Some(*id),
            _ => None,
        }
    }

    /// Adds a node to a folder.
    pub(crate) fn add(&mut self, folder: NodeId, name: Name, body: Body) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        let node = Node { parent: Some(folder), name: Some(name.clone()), lookups: 0, handles: 0, body };
        self.nodes.insert(id, node);
        if let Some(folder) = self.folder_mut(folder) {
            folder.children.insert(name, id);
        }
        id
    }

    /// Returns a number that no node gets.
    pub(crate) fn reserve(&mut self) -> NodeId {
        self.next += 1;
        NodeId(self.next - 1)
    }

    /// Returns the folder at a path; those on the way that aren't known are added, to be listed later.
    pub(crate) fn add_folders(&mut self, path: &RemotePath) -> Option<NodeId> {
        let below = path.relative_to(&self.root)?;
        let mut at = NodeId::ROOT;
        for name in below.names() {
            at = match self.child(at, &name) {
                Some(child) => {
                    self.folder(child)?;
                    child
                }
                None => self.add(at, name, Body::Folder(FolderBody::default())),
            };
        }
        Some(at)
    }

    /// Takes a node out of its folder. It stays under its number as long as somebody uses it.
    pub(crate) fn detach(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let (parent, name) = (node.parent.take(), node.name.clone());
        if let (Some(folder), Some(name)) = (parent.and_then(|parent| self.folder_mut(parent)), name)
            && folder.children.get(&name) == Some(&id)
        {
            folder.children.remove(&name);
        }
        self.drop_if_unused(id);
    }

    /// Puts a node into a folder under a name. What is there must have been detached.
    pub(crate) fn place(&mut self, id: NodeId, folder: NodeId, name: Name) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let (old_parent, old_name) = (node.parent.replace(folder), node.name.replace(name.clone()));
        if let (Some(old), Some(old_name)) = (old_parent.and_then(|old| self.folder_mut(old)), old_name) {
            old.children.remove(&old_name);
        }
        if let Some(folder) = self.folder_mut(folder) {
            folder.children.insert(name, id);
        }
    }

    /// Notes that we changed a name, so that no older listing undoes it.
    pub(crate) fn note_own(&mut self, folder: NodeId, name: &Name) {
        self.changes += 1;
        let count = self.changes;
        if let Some(folder) = self.folder_mut(folder) {
            folder.own.insert(name.clone(), count);
        }
    }

    /// Notes that what is at a path of the remote was changed by us.
    pub(crate) fn note_own_path(&mut self, path: &RemotePath) {
        let folder = path.parent().and_then(|parent| self.find(&parent));
        if let (Some(folder), Some(name)) = (folder, path.name()) {
            self.note_own(folder, &name);
        }
    }

    /// Returns the count of our changes so far, for a listing that begins.
    pub(crate) fn count(&self) -> u64 {
        self.changes
    }

    /// Notes that a node was given out once more.
    pub(crate) fn remember(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.lookups += 1;
        }
    }

    /// Notes that somebody forgot a node that was given out `count` times.
    pub(crate) fn forget(&mut self, id: NodeId, count: u64) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.lookups = node.lookups.saturating_sub(count);
        }
        self.drop_if_unused(id);
    }

    /// Drops a node that isn't in the tree and that nobody uses.
    pub(crate) fn drop_if_unused(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if id == NodeId::ROOT || node.parent.is_some() || node.lookups > 0 || node.handles > 0 {
            return;
        }
        if let Body::File(file) = &node.body
            && file.local.as_ref().is_some_and(|local| local.sending.is_some())
        {
            return;
        }
        let children: Vec<_> = match &node.body {
            Body::Folder(folder) => folder.children.values().copied().collect(),
            Body::File(_) => Vec::new(),
        };
        self.nodes.remove(&id);
        for child in children {
            self.detach(child);
        }
    }

    /// Returns all files below a folder, and the files' numbers. For a file, itself.
    pub(crate) fn files_below(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut rest = vec![id];
        while let Some(id) = rest.pop() {
            match self.nodes.get(&id).map(|node| &node.body) {
                Some(Body::Folder(folder)) => rest.extend(folder.children.values()),
                Some(Body::File(_)) => found.push(id),
                None => {}
            }
        }
        found
    }

    /// Returns a folder and all folders below it.
    pub(crate) fn folders_below(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut rest = vec![id];
        while let Some(id) = rest.pop() {
            if let Some(folder) = self.folder(id) {
                found.push(id);
                rest.extend(folder.children.values());
            }
        }
        found
    }

    /// Checks whether something below a folder isn't sent yet.
    pub(crate) fn has_unsent(&self, id: NodeId) -> bool {
        self.files_below(id).into_iter().any(|id| self.file(id).is_some_and(|file| file.local.is_some()))
    }

    /// Drops what is known of folders that nobody looked into for a time, and of which nothing is in use.
    pub(crate) fn drop_old(&mut self, before: Instant) -> usize {
        let is_old = |node: &Node| {
            matches!(&node.body, Body::Folder(folder)
                if !folder.is_listing && folder.listed.is_some_and(|listed| listed < before))
        };
        let old: Vec<_> = self.nodes.iter().filter(|(_, node)| is_old(node)).map(|(id, _)| *id).collect();
        let mut dropped = 0;
        for id in old {
            if self.folder(id).is_none() || self.is_used_below(id) {
                continue;
            }
            let Some(folder) = self.folder_mut(id) else { continue };
            folder.listed = None;
            folder.own.clear();
            let children = std::mem::take(&mut folder.children);
            dropped += children.len();
            for child in children.into_values() {
                self.detach(child);
            }
        }
        dropped
    }

    fn is_used_below(&self, id: NodeId) -> bool {
        let Some(folder) = self.folder(id) else { return false };
        folder.children.values().any(|child| {
            let Some(node) = self.nodes.get(child) else { return false };
            let is_unsent = matches!(&node.body, Body::File(file) if file.local.is_some());
            node.lookups > 0 || node.handles > 0 || is_unsent || self.is_used_below(*child)
        })
    }
}

impl Node {
    /// Returns whether it is a file or a folder.
    pub(crate) fn kind(&self) -> Kind {
        match self.body {
            Body::File(_) => Kind::File,
            Body::Folder(_) => Kind::Folder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn file() -> Body {
        Body::File(Box::default())
    }

    #[test]
    fn a_node_stays_as_long_as_somebody_uses_it() {
        let mut tree = Tree::new(RemotePath::parse("x").unwrap());
        let folder = tree.add_folders(&RemotePath::parse("x/a/b").unwrap()).unwrap();
        let id = tree.add(folder, name("f"), file());
        assert_eq!(tree.path(id).unwrap().to_string(), "x/a/b/f");
        assert_eq!(tree.find(&RemotePath::parse("x/a/b/f").unwrap()), Some(id));
        assert_eq!(tree.child_in_any_case(folder, &name("F")), Some(id));
        tree.remember(id);
        tree.detach(folder);
        assert!(tree.get(folder).is_none());
        assert!(tree.get(id).is_some() && tree.path(id).is_none());
        tree.forget(id, 1);
        assert!(tree.get(id).is_none());
    }

    #[test]
    fn folders_that_nobody_uses_are_dropped() {
        let mut tree = Tree::new(RemotePath::root());
        let now = Instant::now();
        let later = now + std::time::Duration::from_secs(1);
        let [used, unused] = ["used", "unused"].map(|text| {
            let folder = tree.add_folders(&RemotePath::parse(text).unwrap()).unwrap();
            tree.folder_mut(folder).unwrap().listed = Some(now);
            tree.add(folder, name("f"), file());
            folder
        });
        let child = tree.child(used, &name("f")).unwrap();
        tree.remember(child);
        assert_eq!(tree.drop_old(later), 1);
        assert!(tree.child(used, &name("f")).is_some() && tree.folder(unused).unwrap().listed.is_none());
    }
}
