//! Files that anybody has made public: the service tells of them, serves them, and copies them into an account.

use fichier_api::{FileLink, FileOf, WireDate};
use fichier_storage::{File, RemotePath, Result, StorageError};

use super::{FichierRemote, catalogue::KnownFile, error::failed};

impl FichierRemote {
    /// The file that a link leads to, whosever it is.
    pub(super) async fn file_of_link(&self, link: &str) -> Result<File> {
        let root = RemotePath::root();
        let missing = || StorageError::FileNotFound(RemotePath::parse(link).unwrap_or_default());
        let link: FileLink = link.trim().parse().map_err(|_| missing())?;
        let ask = FileOf::Link { link, pass: self.options.file_password.clone() };
        let told = self.client.because("look at a public file").file_info(&ask).await;
        let info = told.map_err(|error| match error.is_not_found() {
            true => missing(),
            false => failed(&format!("look up {link} with"), &root, error),
        })?;
        let (Some(stored), Some(size)) = (info.filename, info.size) else { return Err(missing()) };
        let bad = |source| StorageError::BadName { folder: root.clone(), source };
        let decoded = self.tree.names().decode_file(&stored, size).map_err(bad)?;
        let file = KnownFile {
            link,
            name: decoded.name,
            size,
            whirlpool: info.checksum,
            date: info.date.as_ref().and_then(WireDate::as_utc),
            media_type: None,
            stands_for_empty: decoded.stands_for_empty,
        };
        let path = root.join(&file.name);
        Ok(self.tree.as_file(&file, path))
    }
}
