//! Requests and answers about folders (API document, section 4).

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::file::{FileItem, HiddenFile, ListedFile, once_each, part_hidden};
use super::tolerant::{self, Count, Form, Items, LeftOut};
use crate::date::WireDate;
use crate::folder_id::FolderId;
use crate::key::Password;

/// Request for a list of a folder: its sub-folders, and its files when `files` is set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListFolder {
    /// Folder to list.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// Whether to list the files, too.
    #[serde(serialize_with = "tolerant::write_flag")]
    pub files: bool,
    /// User who shares the folder, for a folder of another account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
}

impl ListFolder {
    /// Makes a request for one's own folder, with its files.
    pub fn with_files(folder: FolderId) -> Self {
        Self { folder, files: true, sharing_user: None }
    }

    /// Makes a request for one's own folder, without its files.
    pub fn folders_only(folder: FolderId) -> Self {
        Self { folder, files: false, sharing_user: None }
    }
}

/// Answer to [`ListFolder`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "RawListing")]
#[non_exhaustive]
pub struct FolderListing {
    /// Id of the folder, if the service gives it.
    pub id: Option<FolderId>,
    /// Name of the folder, `Root` for the root.
    pub name: String,
    /// Time when the folder was made.
    pub create_date: Option<WireDate>,
    /// Whether the folder has a password.
    pub pass: bool,
    /// Whether the folder is shared.
    pub shared: bool,
    /// Users with whom the folder is shared.
    pub shares: Vec<Share>,
    /// Size of its files in bytes, if the service gives it.
    pub size: Option<u64>,
    /// Number of its files, if the service gives it.
    pub file_count: Option<u64>,
    /// Sub-folders; `None` if the answer has no list of them.
    pub sub_folders: Option<Vec<SubFolder>>,
    /// Files in the folder. Always there when they were asked for.
    pub items: Option<Vec<FileItem>>,
    /// Files and sub-folders that can't be read.
    pub left_out: Vec<LeftOut>,
    /// Time when the listing was asked for. The service's counts are no older.
    pub asked: Option<SystemTime>,
    /// Files whose links are hidden, until they are named.
    pub(crate) hidden: Vec<HiddenFile>,
    /// What shows that the answer can't be true.
    contradiction: Option<String>,
}

impl FolderListing {
    /// Returns what shows that this isn't the listing of a folder: it is about another one, or contradicts itself.
    pub(crate) fn problem_for(&self, folder: FolderId) -> Option<String> {
        match self.id {
            Some(id) if id != folder => Some(format!("it is about folder {id}, and {folder} was asked for")),
            _ => self.contradiction.clone(),
        }
    }

    /// Checks whether the answer lacks sub-folders, files and counts.
    pub(crate) fn says_nothing(&self) -> bool {
        self.sub_folders.is_none() && self.items.is_none() && self.file_count.is_none()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawListing {
    #[serde(rename = "folder_id", deserialize_with = "tolerant::opt_number")]
    id: Option<u64>,
    #[serde(deserialize_with = "tolerant::text")]
    name: String,
    #[serde(deserialize_with = "tolerant::date")]
    create_date: Option<WireDate>,
    #[serde(deserialize_with = "tolerant::flag")]
    pass: bool,
    #[serde(deserialize_with = "tolerant::flag")]
    shared: bool,
    #[serde(deserialize_with = "tolerant::list")]
    shares: Vec<Share>,
    #[serde(deserialize_with = "tolerant::opt_number")]
    size: Option<u64>,
    #[serde(rename = "files")]
    file_count: Count,
    #[serde(deserialize_with = "tolerant::needed_items")]
    sub_folders: Option<Items<SubFolder>>,
    #[serde(deserialize_with = "tolerant::needed_items")]
    items: Option<Items<ListedFile>>,
}

impl From<RawListing> for FolderListing {
    fn from(raw: RawListing) -> Self {
        let RawListing { id, name, create_date, pass, shared, shares, size, file_count, .. } = raw;
        let mut left_out = Vec::new();
        let mut sub_folders = raw.sub_folders.map(|folders| folders.split(&mut left_out));
        let parted = raw.items.map(|items| part_hidden(items.split(&mut left_out)));
        let (mut items, hidden) = parted.unzip();
        let of_folders = sub_folders
            .as_mut()
            .and_then(|folders| once_each(folders, |folder| folder.id, |folder| (&folder.name, 0)));
        let of_files = items.as_mut().and_then(|files: &mut Vec<FileItem>| {
            once_each(files, |file| file.link, |file| (&file.filename, file.size))
        });
        let of_count =
            (file_count == Count::Senseless).then(|| "its number of files is no number of files".to_owned());
        Self {
            id: id.map(FolderId),
            name,
            create_date,
            pass,
            shared,
            shares,
            size,
            file_count: file_count.told(),
            sub_folders,
            items,
            left_out,
            asked: None,
            hidden: hidden.unwrap_or_default(),
            contradiction: of_folders.or(of_files).or(of_count),
        }
    }
}

/// A folder within a folder.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SubFolder {
    /// Id of the folder.
    pub id: FolderId,
    /// Name as on the wire.
    pub name: String,
    /// Time when the folder was made.
    pub create_date: Option<WireDate>,
    /// Whether the folder has a password.
    pub pass: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawSubFolder {
    #[serde(alias = "folder_id", deserialize_with = "tolerant::opt_number")]
    id: Option<u64>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    name: Option<String>,
    #[serde(deserialize_with = "tolerant::date")]
    create_date: Option<WireDate>,
    #[serde(deserialize_with = "tolerant::flag")]
    pass: bool,
}

impl Form for SubFolder {
    type Raw = RawSubFolder;

    fn take(raw: RawSubFolder) -> Result<Self, LeftOut> {
        match (raw.id, raw.name) {
            (Some(0), name) => Err(LeftOut { name, problem: "the account's root is no sub-folder" }),
            (Some(id), Some(name)) => {
                Ok(Self { id: FolderId(id), name, create_date: raw.create_date, pass: raw.pass })
            }
            (_, name) => Err(LeftOut { name, problem: "the service tells no number or no name of it" }),
        }
    }
}

/// A user with whom a folder is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Mail address of the user.
    #[serde(deserialize_with = "tolerant::text")]
    pub email: String,
    /// Whether the user may write.
    #[serde(serialize_with = "tolerant::write_flag", deserialize_with = "tolerant::flag")]
    pub rw: bool,
    /// Whether links are hidden from the user.
    #[serde(serialize_with = "tolerant::write_flag", deserialize_with = "tolerant::flag")]
    pub hide_links: bool,
}

impl Form for Share {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// Request to make a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MakeFolder {
    /// Name as on the wire.
    pub name: String,
    /// Folder to make it in.
    #[serde(rename = "folder_id")]
    pub parent: FolderId,
    /// User who shares the parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
}

impl MakeFolder {
    /// Makes a request for a new folder in one's own folder.
    pub fn new(parent: FolderId, name: impl Into<String>) -> Self {
        Self { name: name.into(), parent, sharing_user: None }
    }
}

/// Answer to [`MakeFolder`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct MadeFolder {
    /// Id of the folder.
    #[serde(rename = "folder_id")]
    pub id: FolderId,
    /// Name of the folder, if the service gives it.
    #[serde(default, deserialize_with = "tolerant::opt_text")]
    pub name: Option<String>,
}

/// Request to move a folder, rename it, or both. Both in one call can overwrite a folder of the new name in the
/// source folder: make two calls when that matters (API document, section 4).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MoveFolder {
    /// Folder to move.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// New parent of the folder; the old one to rename only.
    #[serde(rename = "destination_folder_id")]
    pub to: FolderId,
    /// User who owns the new parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_user: Option<String>,
    /// New name as on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
}

/// Answer to [`MoveFolder`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MovedFolder {
    /// Old name of the folder.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub old_name: Option<String>,
    /// New name of the folder.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub new_name: Option<String>,
}

/// Request to share a folder or stop sharing it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShareFolder {
    /// Folder to share.
    #[serde(rename = "folder_id")]
    pub folder: FolderId,
    /// Whether the folder should be shared.
    #[serde(serialize_with = "tolerant::write_flag")]
    pub share: bool,
    /// Password of its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Password>,
    /// Accounts to share it with, all of them; `None` leaves them as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<Share>>,
}

/// Answer to [`ShareFolder`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SharedAs {
    /// URL of its page, `https://1fichier.com/dir/ID`.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub url: Option<String>,
}

/// Request that names a folder, for calls that take nothing else.
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
        assert_eq!((listing.id, listing.name.as_str()), (Some(FolderId::ROOT), "Root"));
        assert_eq!((listing.size, listing.file_count, &listing.items), (None, Some(0), &None));
        let folder = &listing.sub_folders.unwrap()[0];
        assert_eq!((folder.id, folder.name.as_str(), folder.pass), (FolderId(3_357_645), "backup", false));
        assert_eq!(folder.create_date, Some(WireDate::new("2021-03-20 16:42:15")));
    }

    #[test]
    fn other_dresses_of_the_same() {
        for json in [
            r#"{"folder_id":"7","files":"2","size":"30","sub_folders":null,"items":[],"shares":null,"new":[{}]}"#,
            r#"{"folder_id":7,"files":2,"size":30,"items":[],"name":null,"pass":"0","shared":false}"#,
        ] {
            let listing: FolderListing = serde_json::from_str(json).unwrap();
            assert_eq!(
                (listing.id, listing.file_count, listing.size),
                (Some(FolderId(7)), Some(2), Some(30))
            );
            assert_eq!(listing.items, Some(Vec::new()));
            assert!(listing.sub_folders.unwrap_or_default().is_empty());
        }
    }

    fn problem(json: &str) -> Option<String> {
        serde_json::from_str::<FolderListing>(json).unwrap().problem_for(FolderId(7))
    }

    #[test]
    fn an_answer_about_another_folder_or_one_that_contradicts_itself_is_no_listing() {
        let file = |name: &str, size: u64| {
            format!(r#"{{"url":"https://1fichier.com/?abcde","filename":"{name}","size":{size}}}"#)
        };
        let with_items = |items: &[String]| format!(r#"{{"folder_id":7,"items":[{}]}}"#, items.join(","));
        for json in [
            r#"{"folder_id":99,"files":0,"sub_folders":[],"items":[]}"#.to_owned(),
            r#"{"folder_id":0,"name":"Root","files":0,"sub_folders":[],"items":[]}"#.to_owned(),
            r#"{"folder_id":"99","sub_folders":[]}"#.to_owned(),
            r#"{"folder_id":7,"files":-1,"sub_folders":[],"items":[]}"#.to_owned(),
            r#"{"folder_id":7,"files":"many","sub_folders":[],"items":[]}"#.to_owned(),
            with_items(&[file("a", 3), file("b", 3)]),
            with_items(&[file("a", 3), file("a", 4)]),
            r#"{"sub_folders":[{"id":2,"name":"a"},{"id":2,"name":"b"}]}"#.to_owned(),
        ] {
            assert!(problem(&json).is_some(), "{json}");
        }
        for json in [
            r#"{"folder_id":7,"files":0,"sub_folders":[],"items":[]}"#.to_owned(),
            r#"{"files":null,"sub_folders":[{"id":2,"name":"a"},{"id":3,"name":"a"}]}"#.to_owned(),
            r#"{"folder_id":"7","sub_folders":[{"id":2,"name":"a"},{"id":2,"name":"a"}]}"#.to_owned(),
            with_items(&[file("a", 3), file("a", 3)]),
        ] {
            assert_eq!(problem(&json), None, "{json}");
        }
        // What is told twice is one file, so that a count of two is more than the listing tells.
        let twice: FolderListing = serde_json::from_str(&with_items(&[file("a", 3), file("a", 3)])).unwrap();
        assert_eq!(twice.items.unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_list_is_no_empty_one() {
        for field in ["sub_folders", "items"] {
            for value in [r"{}", r#"{"a":1}"#, r#""some""#, "1.5"] {
                let json = format!(r#"{{"folder_id":7,"files":0,"{field}":{value}}}"#);
                assert!(serde_json::from_str::<FolderListing>(&json).is_err(), "{json}");
            }
        }
    }
}
