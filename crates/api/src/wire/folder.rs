//! Folders (API document, section 4).

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::file::FileItem;
use super::tolerant;
use crate::date::WireDate;
use crate::folder_id::FolderId;
use crate::key::Password;

/// Asks for a folder: its sub-folders, and its files when `files` is set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListFolder {
    /// Which folder.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// Whether to tell the files too.
    #[serde(serialize_with = "tolerant::write_flag")]
    pub files: bool,
    /// The user who shares the folder, for a folder of somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
}

impl ListFolder {
    /// A folder of one's own, with its files.
    pub fn with_files(folder: FolderId) -> Self {
        Self { folder, files: true, sharing_user: None }
    }

    /// A folder of one's own, without its files.
    pub fn folders_only(folder: FolderId) -> Self {
        Self { folder, files: false, sharing_user: None }
    }
}

/// A folder as it was found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FolderListing {
    /// Its number.
    #[serde(rename = "folder_id")]
    pub id: FolderId,
    /// Its name, `Root` for the root.
    #[serde(deserialize_with = "tolerant::text")]
    pub name: String,
    /// When it was made.
    #[serde(deserialize_with = "tolerant::date")]
    pub create_date: Option<WireDate>,
    /// Whether it has a password.
    #[serde(deserialize_with = "tolerant::flag")]
    pub pass: bool,
    /// Whether it is shared.
    #[serde(deserialize_with = "tolerant::flag")]
    pub shared: bool,
    /// With whom it is shared.
    #[serde(deserialize_with = "tolerant::list")]
    pub shares: Vec<Share>,
    /// Size of its files in bytes, if the service told.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub size: Option<u64>,
    /// Number of its files, if the service told.
    #[serde(rename = "files", deserialize_with = "tolerant::opt_number")]
    pub file_count: Option<u64>,
    /// Its sub-folders; `None` if the answer says nothing of them.
    #[serde(deserialize_with = "tolerant::some_list")]
    pub sub_folders: Option<Vec<SubFolder>>,
    /// Its files. Always there when asked for.
    #[serde(deserialize_with = "tolerant::opt_list")]
    pub items: Option<Vec<FileItem>>,
    /// When it was asked for. The service counted it no sooner.
    #[serde(skip)]
    pub asked: Option<SystemTime>,
}

impl FolderListing {
    /// Whether the answer tells neither sub-folders nor files nor how many there are.
    pub(crate) fn says_nothing(&self) -> bool {
        self.sub_folders.is_none() && self.items.is_none() && self.file_count.is_none()
    }
}

impl Default for FolderListing {
    fn default() -> Self {
        Self {
            id: FolderId::ROOT,
            name: String::new(),
            create_date: None,
            pass: false,
            shared: false,
            shares: Vec::new(),
            size: None,
            file_count: None,
            sub_folders: None,
            items: None,
            asked: None,
        }
    }
}

/// A folder within a folder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SubFolder {
    /// Its number.
    #[serde(alias = "folder_id")]
    pub id: FolderId,
    /// Its name as on the wire.
    #[serde(deserialize_with = "tolerant::text")]
    pub name: String,
    /// When it was made.
    #[serde(default, deserialize_with = "tolerant::date")]
    pub create_date: Option<WireDate>,
    /// Whether it has a password.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub pass: bool,
}

/// Somebody with whom a folder is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The user's address.
    pub email: String,
    /// Whether they may write.
    #[serde(default, serialize_with = "tolerant::write_flag", deserialize_with = "tolerant::flag")]
    pub rw: bool,
    /// Whether links are hidden from them.
    #[serde(default, serialize_with = "tolerant::write_flag", deserialize_with = "tolerant::flag")]
    pub hide_links: bool,
}

/// Makes a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MakeFolder {
    /// Its name as on the wire.
    pub name: String,
    /// The folder to make it in.
    #[serde(rename = "folder_id")]
    pub parent: FolderId,
    /// The user who shares the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
}

impl MakeFolder {
    /// A folder in a folder of one's own.
    pub fn new(parent: FolderId, name: impl Into<String>) -> Self {
        Self { name: name.into(), parent, sharing_user: None }
    }
}

/// A folder made.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct MadeFolder {
    /// Its number.
    #[serde(rename = "folder_id")]
    pub id: FolderId,
    /// Its name, if the service told.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub name: Option<String>,
}

/// Moves a folder, renames it, or both. Both in one call can overwrite a namesake in the source folder: rename
/// and move apart when that matters (API document, section 4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MoveFolder {
    /// The folder.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// Its new parent; the old one to rename only.
    #[serde(rename = "destination_folder_id")]
    pub to: FolderId,
    /// The user who owns the new parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_user: Option<String>,
    /// Its new name as on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
}

/// A folder moved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MovedFolder {
    /// Its name before.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub old_name: Option<String>,
    /// Its name now.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub new_name: Option<String>,
}

/// Shares a folder or stops sharing it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShareFolder {
    /// The folder.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// Whether it is to be shared.
    #[serde(serialize_with = "tolerant::write_flag")]
    pub share: bool,
    /// The password of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Password>,
    /// With whom, by account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
}

/// A folder shared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SharedAs {
    /// The address of its page, `https://1fichier.com/dir/ID`.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub url: Option<String>,
}

/// Names a folder, for calls that take nothing else.
#[derive(Serialize)]
pub(crate) struct OnlyFolder {
    pub(crate) folder_id: FolderId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_answer() {
        let listing: FolderListing = serde_json::from_str(
            r#"{"folder_id":0,"status":"OK","size":null,"files":0,"sub_folders":[{"id":3357645,"create_date":"2021-03-20 16:42:15","name":"backup","pass":0}],"name":"Root"}"#,
        )
        .unwrap();
        assert_eq!((listing.id, listing.name.as_str()), (FolderId::ROOT, "Root"));
        assert_eq!((listing.size, listing.file_count, &listing.items), (None, Some(0), &None));
        let folder = &listing.sub_folders.unwrap()[0];
        assert_eq!((folder.id, folder.name.as_str(), folder.pass), (FolderId(3_357_645), "backup", false));
        assert_eq!(folder.create_date, Some(WireDate::new("2021-03-20 16:42:15")));
    }

    #[test]
    fn other_dresses_of_the_same() {
        for json in [
            r#"{"folder_id":"7","files":"2","size":"30","sub_folders":null,"items":[],"shares":null,"new":[{}]}"#,
            r#"{"folder_id":7,"files":2,"size":30,"items":{},"name":null,"pass":"0","shared":false}"#,
        ] {
            let listing: FolderListing = serde_json::from_str(json).unwrap();
            assert_eq!((listing.id, listing.file_count, listing.size), (FolderId(7), Some(2), Some(30)));
            assert_eq!(listing.items, Some(Vec::new()));
            assert_eq!(listing.sub_folders, json.contains("sub_folders").then(Vec::new));
        }
    }
}
