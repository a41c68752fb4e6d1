//! Pages of shared folders (API document, section 8), and the answers about links (section 11).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::file::{needed, once_each};
use super::tolerant::{self, Form, LeftOut};
use crate::link::{Domain, FileLink};

/// Name of a shared folder's page: what follows `/dir/` in its URL.
///
/// ```
/// use fichier_api::SharedFolderId;
/// let id: SharedFolderId = "https://1fichier.com/dir/AbC123".parse()?;
/// assert_eq!(id.as_str(), "AbC123");
/// # Ok::<(), fichier_api::SharedFolderIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SharedFolderId(String);

/// Error for a text that isn't a page of a shared folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` isn't of the form https://1fichier.com/dir/ID")]
pub struct SharedFolderIdError(String);

impl SharedFolderId {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SharedFolderId {
    type Err = SharedFolderIdError;

    fn from_str(text: &str) -> Result<Self, SharedFolderIdError> {
        let refuse = || SharedFolderIdError(text.to_owned());
        let rest = text.trim();
        let rest = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://")).unwrap_or(rest);
        let id = match rest.split_once("/dir/") {
            Some((place, id)) if Domain::of_host(without_language(place)).is_some() => id,
            Some(_) => return Err(refuse()),
            None => rest,
        };
        let id = id.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let well_formed = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if well_formed { Ok(Self(id.to_owned())) } else { Err(refuse()) }
    }
}

/// Returns the host of a URL that may be followed by a language: `1fichier.com/en`.
fn without_language(place: &str) -> &str {
    match place.split_once('/') {
        Some((host, language))
            if language.len() == 2 && language.bytes().all(|b| b.is_ascii_alphabetic()) =>
        {
            host
        }
        _ => place,
    }
}

impl fmt::Display for SharedFolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file on the page of a shared folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedFile {
    /// Link of the file.
    pub link: FileLink,
    /// Name as on the wire.
    pub filename: String,
    /// Size in bytes.
    pub size: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawSharedFile {
    #[serde(deserialize_with = "tolerant::opt_link")]
    link: Option<FileLink>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    filename: Option<String>,
    #[serde(deserialize_with = "tolerant::opt_number")]
    size: Option<u64>,
}

impl Form for SharedFile {
    type Raw = RawSharedFile;

    fn take(raw: RawSharedFile) -> Result<Self, LeftOut> {
        let (link, filename, size) = needed(raw.link, raw.filename, raw.size)?;
        Ok(Self { link, filename, size })
    }
}

/// Content of a shared folder's page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SharedListing {
    /// Files on the page.
    pub files: Vec<SharedFile>,
    /// Files that can't be read.
    pub left_out: Vec<LeftOut>,
    /// What shows that the page can't be true.
    pub(crate) contradiction: Option<String>,
}

impl<'de> Deserialize<'de> for SharedListing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = tolerant::needed_items::<D, SharedFile>(deserializer)?.unwrap_or_default();
        let mut files = items.read;
        let contradiction = once_each(&mut files, |file| file.link, |file| (&file.filename, file.size));
        Ok(Self { files, left_out: items.left_out, contradiction })
    }
}

/// State of a link, as the site gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// The file exists.
    Found {
        /// Name as on the wire.
        filename: String,
        /// Size in bytes.
        size: u64,
    },
    /// The file is gone.
    NotFound,
    /// The link is malformed.
    Bad,
    /// The file isn't public.
    Private,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_gives_one_link_to_two_files_contradicts_itself() {
        let file =
            |name: &str| format!(r#"{{"link":"https://1fichier.com/?abcde","filename":"{name}","size":1}}"#);
        let page = |names: [&str; 2]| {
            let json = format!("[{},{}]", file(names[0]), file(names[1]));
            serde_json::from_str::<SharedListing>(&json).unwrap()
        };
        assert!(page(["a", "b"]).contradiction.is_some());
        assert_eq!((page(["a", "a"]).contradiction, page(["a", "a"]).files.len()), (None, 1));
    }

    #[test]
    fn a_page_is_named_by_its_link_or_its_name() {
        for text in [
            "AbC123",
            "https://1fichier.com/dir/AbC123",
            "http://www.1fichier.com/dir/AbC123/",
            "1fichier.com/dir/AbC123?json=1",
            "https://1fichier.com/en/dir/AbC123",
            "https://1fichier.com/dir/AbC123?lg=en",
        ] {
            assert_eq!(text.parse::<SharedFolderId>().unwrap().as_str(), "AbC123", "{text}");
        }
        for text in [
            "",
            "https://1fichier.com/a/b/dir/AbC123",
            "../console",
            "https://example.com/dir/AbC123",
            "https://1fichier.com/dir/",
            "a b",
        ] {
            assert!(text.parse::<SharedFolderId>().is_err(), "{text}");
        }
    }
}
