//! What `stat` tells.

use fichier_storage::Name;

use crate::{
    Attributes, Kind, NodeId, VfsOptions,
    core::{Core, State},
    snapshot::Snapshot,
    tree::{Body, Node},
};

impl Core {
    /// Returns the attributes of a node.
    pub(crate) fn attributes(&self, state: &State, id: NodeId) -> Option<Attributes> {
        let node = state.tree.get(id)?;
        let modified = match &node.body {
            Body::Folder(folder) => folder.modified.unwrap_or(self.started),
            Body::File(_) if self.options.no_modtime => {
                let parent = node.parent.and_then(|parent| state.tree.folder(parent));
                parent.and_then(|folder| folder.modified).unwrap_or(self.started)
            }
            Body::File(file) => {
                let local = file.local.as_ref().map(|local| local.modified);
                let listed = || file.versions.first().and_then(|version| version.modified);
                local.or(file.modified).or_else(listed).unwrap_or(self.started)
            }
        };
        let size = match &node.body {
            Body::Folder(_) => 0,
            Body::File(file) => file.size(),
        };
        let kind = node.kind();
        let (uid, gid) = (self.options.uid, self.options.gid);
        let permissions = permissions(&self.options, self.changeable().is_err(), kind);
        Some(Attributes { id, kind, size, modified, permissions, uid, gid, links: links(node) })
    }

    /// Returns what a folder holds now.
    pub(crate) fn snapshot(&self, state: &State, folder: NodeId) -> Snapshot {
        let children = state.tree.folder(folder).map(|folder| &folder.children);
        let entry = |(name, id): (&Name, &NodeId)| Some((name.clone(), *id, self.attributes(state, *id)?));
        Snapshot(children.into_iter().flatten().filter_map(entry).collect())
    }
}

/// Returns the permission bits of a file or folder.
fn permissions(options: &VfsOptions, is_read_only: bool, kind: Kind) -> u32 {
    let bits = match kind {
        Kind::File => options.file_perms,
        Kind::Folder => options.dir_perms,
    };
    let bits = bits & !options.umask & 0o7777;
    if is_read_only { bits & !0o222 } else { bits }
}

fn links(node: &Node) -> u32 {
    match (&node.body, node.parent, &node.name) {
        (Body::Folder(_), ..) => 2,
        (Body::File(_), Some(_), _) => 1,
        // It was removed, and is still open.
        (Body::File(_), None, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [stat-2]
    #[test]
    fn permissions_are_those_of_the_options() {
        let options =
            VfsOptions { file_perms: 0o666, dir_perms: 0o777, umask: 0o027, ..VfsOptions::new("x") };
        assert_eq!(permissions(&options, false, Kind::File), 0o640);
        assert_eq!(permissions(&options, false, Kind::Folder), 0o750);
        assert_eq!(permissions(&options, true, Kind::Folder), 0o550);
    }
}
