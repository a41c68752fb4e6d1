//! Folders that another account shares with this one ("groupware", API document, section 5).
//!
//! Where the owner hides the links, the service knows a file by its folder and name. Everything else here knows files by
//! their links, so such a file gets a stand-in for one, which the calls for it are made without.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use whirlpool_simd::Checksum;

use crate::folder_id::FolderId;
use crate::link::FileLink;
use crate::wire::file::{FileItem, FileOf, HiddenFile};
use crate::wire::tolerant::LeftOut;

/// A file by its folder and name.
type Named = (FolderId, String);

/// The account that shares its folders.
pub(crate) struct SharingUser {
    mail: String,
    /// Files without a link, by what stands in for it.
    hidden: Mutex<HashMap<FileLink, Named>>,
}

impl SharingUser {
    pub(crate) fn new(mail: String) -> Self {
        Self { mail, hidden: Mutex::default() }
    }

    pub(crate) fn mail(&self) -> &str {
        &self.mail
    }

    fn hidden(&self) -> MutexGuard<'_, HashMap<FileLink, Named>> {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives files without a link a stand-in. Of several of one name only the first can be asked for.
    pub(crate) fn name_hidden(
        &self,
        folder: FolderId,
        files: Vec<HiddenFile>,
        items: &mut Vec<FileItem>,
        left_out: &mut Vec<LeftOut>,
    ) {
        let mut hidden = self.hidden();
        let mut seen = std::collections::HashSet::new();
        for file in files {
            let Some(name) = file.name().map(str::to_owned) else { continue };
            if !seen.insert(name.clone()) {
                let problem = "its link is hidden, and another file has its name";
                left_out.push(LeftOut { name: Some(name), problem });
                continue;
            }
            let Some(link) = self.stand_in(folder, &name) else { continue };
            match file.with_link(link) {
                Ok(item) => {
                    items.push(item);
                    hidden.insert(link, (folder, name));
                }
                Err(problem) => left_out.push(problem),
            }
        }
    }

    /// What stands in for the link of a file: the same in each run, and no link of a file.
    fn stand_in(&self, folder: FolderId, name: &str) -> Option<FileLink> {
        let text = format!("hidden link\n{}\n{folder}\n{name}", self.mail);
        let digest = Checksum::of(text.as_bytes()).to_string();
        FileLink::from_code(digest.get(..20)?).ok()
    }

    /// How a file is asked for whose link is hidden.
    pub(crate) fn named(&self, file: &FileOf) -> Option<FileOf> {
        let FileOf::Link { link, .. } = file else { return None };
        let (folder, filename) = self.hidden().get(link)?.clone();
        Some(FileOf::Named { folder, filename, sharing_user: Some(self.mail.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::file::{ListedFile, part_hidden};

    fn listed(json: &str) -> (Vec<FileItem>, Vec<HiddenFile>) {
        let files: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        let take = |file| {
            use crate::wire::tolerant::Form as _;
            ListedFile::take(serde_json::from_value(file).unwrap()).unwrap()
        };
        part_hidden(files.into_iter().map(take).collect())
    }

    #[test]
    fn files_without_a_link_are_asked_for_by_folder_and_name() {
        let user = SharingUser::new("ann@x".to_owned());
        let (mut items, hidden) = listed(
            r#"[{"url":"https://1fichier.com/?abcdef","filename":"open","size":1},
                {"filename":"a","size":5},{"filename":"a","size":6},{"filename":"no size"}]"#,
        );
        assert_eq!((items.len(), hidden.len()), (1, 3));
        let mut left_out = Vec::new();
        user.name_hidden(FolderId(7), hidden, &mut items, &mut left_out);
        assert_eq!(items.len(), 2);
        let names: Vec<_> = left_out.iter().filter_map(|item| item.name.as_deref()).collect();
        assert_eq!(names, ["a", "no size"]);
        let link = items[1].link;
        let named = user.named(&link.into()).unwrap();
        let expected = FileOf::Named {
            folder: FolderId(7),
            filename: "a".to_owned(),
            sharing_user: Some("ann@x".to_owned()),
        };
        assert_eq!(named, expected);
        assert_eq!(user.named(&items[0].link.into()), None);
        // The same in the next run, and another one in another folder.
        let other = SharingUser::new("ann@x".to_owned());
        assert_eq!(other.stand_in(FolderId(7), "a"), Some(link));
        assert_ne!(other.stand_in(FolderId(8), "a"), Some(link));
    }
}
