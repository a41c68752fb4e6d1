//! Requests and answers about files (API document, section 5).

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize, Serializer};
use whirlpool_simd::Checksum;

use super::tolerant::{self, Count, Form, Items, LeftOut};
use crate::date::WireDate;
use crate::folder_id::{FilesOf, FolderId};
use crate::key::Password;
use crate::limits::LARGEST_LISTED_SIZE;
use crate::link::FileLink;
use crate::shown::shown;

/// A file as a listing describes it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FileItem {
    /// Link of the file.
    pub link: FileLink,
    /// Name as on the wire.
    pub filename: String,
    /// Size in bytes.
    pub size: u64,
    /// Time of the upload.
    pub date: Option<WireDate>,
    /// Whirlpool checksum of the content.
    pub checksum: Option<Checksum>,
    /// Media type of the content.
    pub content_type: Option<String>,
    /// Whether the file has a password.
    pub pass: bool,
    /// Whether the file has access rules.
    pub acl: bool,
    /// Whether the file is served through the CDN.
    pub cdn: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawFileItem {
    #[serde(rename = "url", deserialize_with = "tolerant::opt_link")]
    link: Option<FileLink>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    filename: Option<String>,
    #[serde(deserialize_with = "tolerant::opt_number")]
    size: Option<u64>,
    #[serde(deserialize_with = "tolerant::date")]
    date: Option<WireDate>,
    #[serde(deserialize_with = "tolerant::parsed")]
    checksum: Option<Checksum>,
    #[serde(rename = "content-type", deserialize_with = "tolerant::opt_text")]
    content_type: Option<String>,
    #[serde(deserialize_with = "tolerant::flag")]
    pass: bool,
    #[serde(deserialize_with = "tolerant::flag")]
    acl: bool,
    #[serde(deserialize_with = "tolerant::flag")]
    cdn: bool,
}

impl Form for FileItem {
    type Raw = RawFileItem;

    fn take(raw: RawFileItem) -> Result<Self, LeftOut> {
        let RawFileItem { link, filename, size, date, checksum, content_type, pass, acl, cdn } = raw;
        let (link, filename, size) = needed(link, filename, size)?;
        Ok(Self { link, filename, size, date, checksum, content_type, pass, acl, cdn })
    }
}

/// A file whose link the owner of its folder hides: it is known by folder and name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HiddenFile(RawFileItem);

impl HiddenFile {
    /// Name as on the wire.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.filename.as_deref()
    }

    /// Gives it what stands in for its link.
    pub(crate) fn with_link(self, link: FileLink) -> Result<FileItem, LeftOut> {
        FileItem::take(RawFileItem { link: Some(link), ..self.0 })
    }
}

/// A file in the listing of a folder, with its link or without.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ListedFile {
    Linked(FileItem),
    Hidden(HiddenFile),
}

impl Form for ListedFile {
    type Raw = RawFileItem;

    fn take(raw: RawFileItem) -> Result<Self, LeftOut> {
        match raw.link {
            None if raw.filename.is_some() => Ok(Self::Hidden(HiddenFile(raw))),
            _ => FileItem::take(raw).map(Self::Linked),
        }
    }
}

/// Parts the files with a link from those without.
pub(crate) fn part_hidden(files: Vec<ListedFile>) -> (Vec<FileItem>, Vec<HiddenFile>) {
    let (mut linked, mut hidden) = (Vec::with_capacity(files.len()), Vec::new());
    for file in files {
        match file {
            ListedFile::Linked(file) => linked.push(file),
            ListedFile::Hidden(file) => hidden.push(file),
        }
    }
    (linked, hidden)
}

/// Says of files without a link that they can't be used.
pub(crate) fn leave_hidden(files: Vec<HiddenFile>, left_out: &mut Vec<LeftOut>) {
    left_out.extend(files.into_iter().filter_map(|HiddenFile(raw)| FileItem::take(raw).err()));
}

/// Checks that the fields without which a file can be neither compared nor read are there.
pub(crate) fn needed(
    link: Option<FileLink>,
    filename: Option<String>,
    size: Option<u64>,
) -> Result<(FileLink, String, u64), LeftOut> {
    let Some(filename) = filename else {
        return Err(LeftOut { name: None, problem: "the service tells no name of it" });
    };
    let problem = match (link, size) {
        (Some(link), Some(size)) if size <= LARGEST_LISTED_SIZE => return Ok((link, filename, size)),
        (Some(_), Some(_)) => "the service tells a size that no file has",
        (None, _) => "the service tells no link of it",
        (_, None) => "the service tells no size of it",
    };
    Err(LeftOut { name: Some(filename), problem })
}

/// Keeps each thing of a list once. Returns what shows that the list can't be true: it tells one thing under two names,
/// or with two sizes.
pub(crate) fn once_each<T, K: Eq + Hash>(
    list: &mut Vec<T>,
    identity: impl Fn(&T) -> K,
    description: impl Fn(&T) -> (&String, u64),
) -> Option<String> {
    let mut first: HashMap<K, usize> = HashMap::with_capacity(list.len());
    let mut kept = vec![true; list.len()];
    for (index, one) in list.iter().enumerate() {
        let before = *first.entry(identity(one)).or_insert(index);
        let (told, again) = (description(&list[before]), description(one));
        if told != again {
            let (one, other) = (shown(told.0), shown(again.0));
            return Some(format!("it tells one and the same as {one:?} and as {other:?}"));
        }
        kept[index] = before == index;
    }
    let mut kept = kept.into_iter();
    list.retain(|_| kept.next().unwrap_or(true));
    None
}

/// Request for a list of files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListFiles {
    /// Folder or account to list.
    #[serde(rename = "folder_id")]
    pub of: FilesOf,
    /// User who shares the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
    /// Date; only files sent before it are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_before: Option<WireDate>,
    /// Date; only files sent after it are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_after: Option<WireDate>,
}

impl ListFiles {
    /// Makes a request for all files of one's own folder, or of the account.
    pub fn of(of: impl Into<FilesOf>) -> Self {
        Self { of: of.into(), sharing_user: None, sent_before: None, sent_after: None }
    }
}

/// Answer to [`ListFiles`].
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "RawFileListing")]
#[non_exhaustive]
pub struct FileListing {
    /// Number of files, by the service's count.
    pub count: Option<u64>,
    /// Files of the listing; `None` if the answer has no list.
    pub items: Option<Vec<FileItem>>,
    /// Files that can't be read.
    pub left_out: Vec<LeftOut>,
    /// Files whose links are hidden, until they are named.
    pub(crate) hidden: Vec<HiddenFile>,
    /// Id of the folder, if the service gives it.
    id: Option<u64>,
    /// What shows that the answer can't be true.
    contradiction: Option<String>,
}

impl FileListing {
    /// Returns what shows that this isn't the list that was asked for: it is about another folder, or contradicts
    /// itself.
    pub(crate) fn problem_for(&self, of: FilesOf) -> Option<String> {
        match (self.id, of) {
            (Some(id), FilesOf::Folder(folder)) if FolderId(id) != folder => {
                Some(format!("it is about folder {id}, and {folder} was asked for"))
            }
            _ => self.contradiction.clone(),
        }
    }

    /// Checks whether the service's own count is larger than the number of listed files, readable or not.
    pub fn is_cut(&self) -> bool {
        let told = self.items.as_ref().map_or(0, Vec::len) + self.left_out.len();
        self.count.is_some_and(|count| count > told as u64)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawFileListing {
    #[serde(rename = "folder_id", deserialize_with = "tolerant::opt_number")]
    id: Option<u64>,
    count: Count,
    #[serde(deserialize_with = "tolerant::needed_items")]
    items: Option<Items<ListedFile>>,
}

impl From<RawFileListing> for FileListing {
    fn from(raw: RawFileListing) -> Self {
        let mut left_out = Vec::new();
        let parted = raw.items.map(|items| part_hidden(items.split(&mut left_out)));
        let (mut items, hidden) = parted.unzip();
        let of_files = items.as_mut().and_then(|files: &mut Vec<FileItem>| {
            once_each(files, |file| file.link, |file| (&file.filename, file.size))
        });
        let of_count =
            (raw.count == Count::Senseless).then(|| "its number of files is no number of files".to_owned());
        let contradiction = of_files.or(of_count);
        Self {
            count: raw.count.told(),
            items,
            left_out,
            hidden: hidden.unwrap_or_default(),
            id: raw.id,
            contradiction,
        }
    }
}

/// A file named by its link, or by folder and name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FileOf {
    /// A file by its link.
    Link {
        /// Link of the file.
        #[serde(rename = "url")]
        link: FileLink,
        /// Password of the file.
        #[serde(skip_serializing_if = "Option::is_none")]
        pass: Option<Password>,
    },
    /// A file by folder and name.
    Named {
        /// Folder of the file.
        #[serde(rename = "folder_id")]
        folder: FolderId,
        /// Name as on the wire.
        filename: String,
        /// User who shares the folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        sharing_user: Option<String>,
    },
}

impl From<FileLink> for FileOf {
    fn from(link: FileLink) -> Self {
        Self::Link { link, pass: None }
    }
}

/// Everything that the service gives about a file. `None` where it doesn't say.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FileInfo {
    /// Link of the file.
    #[serde(rename = "url", deserialize_with = "tolerant::opt_link")]
    pub link: Option<FileLink>,
    /// Name as on the wire.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub filename: Option<String>,
    /// Size in bytes.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub size: Option<u64>,
    /// Time of the upload.
    #[serde(deserialize_with = "tolerant::date")]
    pub date: Option<WireDate>,
    /// Whirlpool checksum of the content.
    #[serde(deserialize_with = "tolerant::parsed")]
    pub checksum: Option<Checksum>,
    /// Media type of the content.
    #[serde(rename = "content-type", deserialize_with = "tolerant::opt_text")]
    pub content_type: Option<String>,
    /// Whether the file has a password.
    #[serde(deserialize_with = "tolerant::flag")]
    pub pass: bool,
    /// Whether the file is served through the CDN.
    #[serde(deserialize_with = "tolerant::flag")]
    pub cdn: bool,
    /// Folder of the file; given for one's own files.
    #[serde(rename = "folder_id", deserialize_with = "opt_folder")]
    pub folder: Option<FolderId>,
    /// Path of the folder.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub path: Option<String>,
    /// Description: free text.
    #[serde(deserialize_with = "tolerant::opt_text")]
    pub description: Option<String>,
    /// Whether browsers show the file rather than save it.
    #[serde(deserialize_with = "tolerant::flag")]
    pub inline: bool,
    /// Whether the file is served without TLS.
    #[serde(deserialize_with = "tolerant::flag")]
    pub no_ssl: bool,
    /// Access rules of the file.
    #[serde(deserialize_with = "tolerant::opt_object")]
    pub acl: Option<Acl>,
}

impl FileInfo {
    /// Returns what shows that this is about another file than the one asked for. The domain of a link may differ.
    pub(crate) fn problem_for(&self, asked: &FileOf) -> Option<String> {
        match asked {
            FileOf::Link { link, .. } => {
                let other = self.link.filter(|told| told.code() != link.code())?;
                Some(format!("it is about {other}, and {link} was asked for"))
            }
            FileOf::Named { folder, filename, .. } => {
                let elsewhere = self.folder.is_some_and(|told| told != *folder);
                let other_name = self.filename.as_ref().is_some_and(|told| told != filename);
                (elsewhere || other_name).then(|| "it is about another file than was asked for".to_owned())
            }
        }
    }
}

fn opt_folder<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<FolderId>, D::Error> {
    Ok(tolerant::opt_number(deserializer)?.map(FolderId))
}

/// Access rules: who may download a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Acl {
    /// IP addresses that may.
    #[serde(deserialize_with = "tolerant::texts")]
    pub ip: Vec<String>,
    /// Countries that may.
    #[serde(deserialize_with = "tolerant::texts")]
    pub country: Vec<String>,
    /// Accounts that may.
    #[serde(deserialize_with = "tolerant::texts")]
    pub email: Vec<String>,
    /// Whether only customers may.
    #[serde(serialize_with = "tolerant::write_flag", deserialize_with = "tolerant::flag")]
    pub premium: bool,
}

impl Form for Acl {
    type Raw = Self;

    fn take(raw: Self) -> Result<Self, LeftOut> {
        Ok(raw)
    }
}

/// A file to remove.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RemoveFile {
    /// Link of the file.
    #[serde(rename = "url")]
    pub link: FileLink,
    /// Removal code of its upload, for a file that isn't one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl From<FileLink> for RemoveFile {
    fn from(link: FileLink) -> Self {
        Self { link, code: None }
    }
}

/// Answer to a removal of files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemovedFiles {
    /// Number of files that were removed, if the service says it.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub removed: Option<u64>,
}

/// Request to move files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MoveFiles {
    /// Files to move.
    #[serde(rename = "urls")]
    pub links: Vec<FileLink>,
    /// Folder to move them to.
    #[serde(rename = "destination_folder_id")]
    pub to: FolderId,
    /// User who owns that folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_user: Option<String>,
    /// New name; only with one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
}

/// Answer to [`MoveFiles`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MovedFiles {
    /// Number of files that were moved, if the service says it.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub moved: Option<u64>,
    /// Links of the files that were moved, if the service says it.
    #[serde(rename = "urls", deserialize_with = "tolerant::links")]
    pub links: Vec<FileLink>,
}

/// Request to copy files. Public links of other accounts can be copied, too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CopyFiles {
    /// Files to copy.
    #[serde(rename = "urls")]
    pub links: Vec<FileLink>,
    /// Folder to copy them to.
    #[serde(rename = "folder_id")]
    pub to: FolderId,
    /// User who shares that folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_user: Option<String>,
    /// Password of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Password>,
    /// New name; only with one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
}

/// Answer to [`CopyFiles`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CopiedFiles {
    /// Number of files that were copied, if the service says it.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub copied: Option<u64>,
    /// The files with their copies.
    #[serde(rename = "urls", deserialize_with = "tolerant::list")]
    pub links: Vec<CopiedFile>,
}

/// A file and its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopiedFile {
    /// Link of the file.
    pub from_url: FileLink,
    /// Link of the copy.
    pub to_url: FileLink,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawCopiedFile {
    #[serde(deserialize_with = "tolerant::opt_link")]
    from_url: Option<FileLink>,
    #[serde(deserialize_with = "tolerant::opt_link")]
    to_url: Option<FileLink>,
}

impl Form for CopiedFile {
    type Raw = RawCopiedFile;

    fn take(raw: RawCopiedFile) -> Result<Self, LeftOut> {
        match (raw.from_url, raw.to_url) {
            (Some(from_url), Some(to_url)) => Ok(Self { from_url, to_url }),
            _ => Err(LeftOut { name: None, problem: "the service doesn't tell both links" }),
        }
    }
}

/// A file and its new name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RenameFile {
    /// Link of the file.
    #[serde(rename = "url")]
    pub link: FileLink,
    /// New name as on the wire.
    pub filename: String,
}

/// Answer to a renaming of files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RenamedFiles {
    /// Number of files that were renamed, if the service says it.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub renamed: Option<u64>,
    /// The files that were renamed, with their names.
    #[serde(rename = "urls", deserialize_with = "tolerant::list")]
    pub files: Vec<RenamedFile>,
}

/// A file that was renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenamedFile {
    /// Link of the file.
    pub link: FileLink,
    /// Old name of the file.
    pub old_filename: Option<String>,
    /// New name of the file; the service may have changed it.
    pub new_filename: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RawRenamedFile {
    #[serde(rename = "url", deserialize_with = "tolerant::opt_link")]
    link: Option<FileLink>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    old_filename: Option<String>,
    #[serde(deserialize_with = "tolerant::opt_text")]
    new_filename: Option<String>,
}

impl Form for RenamedFile {
    type Raw = RawRenamedFile;

    fn take(raw: RawRenamedFile) -> Result<Self, LeftOut> {
        let RawRenamedFile { link, old_filename, new_filename } = raw;
        match link {
            Some(link) => Ok(Self { link, old_filename, new_filename }),
            None => Err(LeftOut { name: new_filename, problem: "the service tells no link of it" }),
        }
    }
}

/// Request to change attributes of files. `None` leaves an attribute as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ChangeFiles {
    /// Files to change.
    #[serde(rename = "urls")]
    pub links: Vec<FileLink>,
    /// New name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Description: free text that stays with the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Password; an empty one removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<Password>,
    /// Whether to serve the file without TLS.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub no_ssl: Option<bool>,
    /// Whether browsers should show the file rather than save it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub inline: Option<bool>,
    /// Whether to serve the file through the CDN.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "tolerant::write_opt_flag")]
    pub cdn: Option<bool>,
    /// Access rules of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
}

/// Answer to [`ChangeFiles`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChangedFiles {
    /// Number of files that were changed, if the service says it.
    #[serde(deserialize_with = "tolerant::opt_number")]
    pub updated: Option<u64>,
    /// Links of the files that were changed, if the service says it.
    #[serde(rename = "urls", deserialize_with = "tolerant::links")]
    pub links: Vec<FileLink>,
}

/// Result of an antivirus scan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ScanResult {
    /// Message of the antivirus.
    #[serde(deserialize_with = "tolerant::text")]
    pub message: String,
    /// Time of the scan.
    #[serde(deserialize_with = "tolerant::date")]
    pub date: Option<WireDate>,
}

/// Request of a list under a name, for calls that take nothing else.
pub(crate) struct OnlyList<'a, T> {
    pub(crate) name: &'static str,
    pub(crate) items: &'a [T],
}

impl<T: Serialize> Serialize for OnlyList<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, self.items)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(json: &str) -> Result<FileItem, LeftOut> {
        FileItem::take(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_listed_file_in_many_dresses() {
        let sum = "ab".repeat(64);
        for json in [
            format!(
                r#"{{"url":"https://1fichier.com/?abc","filename":"a b.txt","size":12,"date":"2021-03-20 16:42:15","checksum":"{sum}","content-type":"text/plain","pass":0,"acl":0,"cdn":0}}"#
            ),
            format!(
                r#"{{"url":"http://1fichier.com/?abc&af=1","filename":"a b.txt","size":"12","date":"2021-03-20 16:42:15","checksum":"{}","content-type":"text/plain","pass":"0","acl":false,"cdn":null,"new":{{}}}}"#,
                sum.to_uppercase()
            ),
        ] {
            let file = item(&json).unwrap();
            assert_eq!((file.link.code(), file.filename.as_str(), file.size), ("abc", "a b.txt", 12));
            assert_eq!(file.checksum, Some(Checksum::from_bytes([0xab; 64])));
            assert_eq!(file.date, Some(WireDate::new("2021-03-20 16:42:15")));
            assert!(!file.pass && !file.acl && !file.cdn);
        }
        let bare = item(r#"{"url":"https://1fichier.com/?abc","filename":"x","size":1}"#).unwrap();
        assert_eq!((bare.checksum, bare.date, bare.content_type), (None, None, None));
    }

    #[test]
    fn what_lacks_something_needed_is_left_out_and_the_others_stay() {
        let good = r#"{"url":"https://1fichier.com/?good","filename":"good","size":1}"#;
        for (bad, name) in [
            (r#"{"url":"https://1fichier.com/?a","filename":"x","size":null}"#, Some("x")),
            (r#"{"url":"https://1fichier.com/?a","filename":"x","size":9223372036854775807}"#, Some("x")),
            (r#"{"url":"https://1fichier.com/?a","filename":"x","size":4000000000000000}"#, Some("x")),
            (r#"{"url":"https://1fichier.com/?a","filename":"x","size":-1}"#, Some("x")),
            (r#"{"filename":"x","size":1}"#, Some("x")),
            (r#"{"url":7,"filename":"x","size":1}"#, Some("x")),
            (r#"{"url":"https://1fichier.com/?a","size":1}"#, None),
            (r#"{"url":"https://1fichier.com/?a","filename":["x"],"size":1}"#, None),
            ("7", None),
            ("[]", None),
            ("null", None),
        ] {
            let mut listing: FileListing =
                serde_json::from_str(&format!(r#"{{"items":[{bad},{good}]}}"#)).unwrap();
            leave_hidden(std::mem::take(&mut listing.hidden), &mut listing.left_out);
            let items = listing.items.unwrap();
            assert_eq!(items.len(), 1, "{bad}");
            assert_eq!(items[0].filename, "good", "{bad}");
            let left_out: Vec<_> = listing.left_out.iter().map(|item| item.name.as_deref()).collect();
            assert_eq!(left_out, [name], "{bad}");
        }
    }

    #[test]
    fn an_answer_about_another_file_is_told_from_the_one_asked_for() {
        let info = |json: &str| serde_json::from_str::<FileInfo>(json).unwrap();
        let asked = FileOf::from(FileLink::from_code("abcde").unwrap());
        assert!(info(r#"{"url":"https://1fichier.com/?other"}"#).problem_for(&asked).is_some());
        for json in
            ["{}", r#"{"url":"https://1fichier.com/?abcde"}"#, r#"{"url":"https://dl4free.com/?abcde"}"#]
        {
            assert_eq!(info(json).problem_for(&asked), None, "{json}");
        }
        let named = FileOf::Named { folder: FolderId(7), filename: "a".into(), sharing_user: None };
        assert!(info(r#"{"folder_id":8,"filename":"a"}"#).problem_for(&named).is_some());
        assert!(info(r#"{"folder_id":7,"filename":"b"}"#).problem_for(&named).is_some());
        assert_eq!(info(r#"{"folder_id":7,"filename":"a"}"#).problem_for(&named), None);
    }

    #[test]
    fn a_list_of_another_folder_or_one_that_contradicts_itself_is_told() {
        let problem =
            |json: &str, of: FilesOf| serde_json::from_str::<FileListing>(json).unwrap().problem_for(of);
        let folder = FilesOf::Folder(FolderId(7));
        assert!(problem(r#"{"folder_id":8,"count":0,"items":[]}"#, folder).is_some());
        assert_eq!(problem(r#"{"folder_id":8,"count":0,"items":[]}"#, FilesOf::WholeAccount), None);
        assert!(problem(r#"{"count":-1,"items":[]}"#, folder).is_some());
        assert_eq!(problem(r#"{"folder_id":"7","count":0,"items":[]}"#, folder), None);
    }

    #[test]
    fn access_rules_may_be_an_object_or_a_flag() {
        let with = |acl: &str| {
            let json = format!(
                r#"{{"url":"https://1fichier.com/?a","filename":"x","size":1,"folder_id":"0","acl":{acl}}}"#
            );
            serde_json::from_str::<FileInfo>(&json).unwrap()
        };
        assert_eq!(with("0").acl, None);
        assert_eq!(with("null").acl, None);
        let acl = with(r#"{"ip":["1.2.3.4"],"country":null,"premium":"1"}"#).acl.unwrap();
        assert_eq!((acl.ip.as_slice(), acl.premium), (&["1.2.3.4".to_owned()][..], true));
        assert_eq!(with("0").folder, Some(FolderId::ROOT));
    }
}
