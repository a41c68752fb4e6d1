//! `--metadata`: what is kept of files and folders beside content, name and time.

use fichier_storage::{File, RemoteExt as _, RemotePath, metadata::Metadata};

use crate::transfer::{Origin, Transfer};

/// Metadata that is kept beside content, name and time, where the destination keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataOptions {
    /// Metadata that is set whatever the source has; no key twice.
    pub set: Metadata,
}

impl MetadataOptions {
    /// Returns the metadata to set, given that of the source.
    pub(crate) fn of(&self, own: Metadata) -> Metadata {
        let is_set = |key: &String| self.set.iter().any(|(set, _)| set == key);
        let mut all: Metadata = own.into_iter().filter(|(key, _)| !is_set(key)).collect();
        all.extend(self.set.iter().cloned());
        all.sort();
        all
    }
}

impl Transfer {
    /// Returns the metadata to set on a file. It is empty where it wasn't asked for or the destination keeps none.
    pub(crate) async fn metadata_of(&self, file: &File) -> Metadata {
        let Some(options) = self.metadata.as_ref().filter(|_| self.to.remote.extensions().metadata.is_some())
        else {
            return Metadata::new();
        };
        let own = match &self.from {
            Origin::Files(from) => from.remote.metadata(file).await.unwrap_or_else(|error| {
                tracing::warn!(path = %file.path, "its metadata can't be read: {error}");
                Metadata::new()
            }),
            Origin::Content(_) => Metadata::new(),
        };
        options.of(own)
    }
}

/// A folder of the destination with the metadata that it gets.
pub(crate) type Furnished = (RemotePath, Metadata);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts_more_than_what_the_source_has() {
        let pairs = |pairs: &[(&str, &str)]| -> Metadata {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let options = MetadataOptions { set: pairs(&[("mode", "0600"), ("k", "v")]) };
        let own = pairs(&[("mode", "100644"), ("uid", "0")]);
        assert_eq!(options.of(own), pairs(&[("k", "v"), ("mode", "0600"), ("uid", "0")]));
    }
}
