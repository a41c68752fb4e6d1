//! Determines the names that entries of the source get at the destination.

use fichier_storage::{Entry, Name};

use crate::{
    plan::renaming::{Bearer, Renamed, SameName, rename_all},
    run::Run,
};

impl Run<'_> {
    /// Gives the entries of a folder of the source the names that they get at the destination.
    pub(crate) async fn rename_source(&self, entries: Vec<Entry>) -> Renamed {
        rename_all(self.options.transform.as_ref(), entries, SameName::Refused).await
    }

    /// Returns the names that an entry of the source may have at the destination if only its name is known.
    pub(crate) fn names_there(&self, name: &Name) -> Vec<Name> {
        match &self.options.transform {
            None => vec![name.clone()],
            Some(transform) => [Bearer::File, Bearer::Folder]
                .into_iter()
                .filter_map(|bearer| transform.apply(name, bearer).ok())
                .collect(),
        }
    }
}
