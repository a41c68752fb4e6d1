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
