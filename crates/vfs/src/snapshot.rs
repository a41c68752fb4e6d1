//! What a folder held when it was opened.

use fichier_storage::Name;

use crate::{Attributes, FolderEntry, NodeId};

/// What a folder held when it was opened, with the attributes of that time.
#[derive(Debug)]
pub(crate) struct Snapshot(pub(crate) Vec<(Name, NodeId, Attributes)>);

impl Snapshot {
    /// Returns the entries from an offset on, at most so many.
    pub(crate) fn entries(&self, offset: u64, most: usize) -> Vec<FolderEntry> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let entries = self.0.iter().zip(1..).skip(start).take(most);
        let entry = |((name, _, attributes), next): (&(Name, NodeId, Attributes), u64)| FolderEntry {
            name: name.clone(),
            attributes: attributes.clone(),
            next,
        };
        entries.map(entry).collect()
    }
}
