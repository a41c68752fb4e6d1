//! Files whose links are known from the answer to an upload or a copy alone. Such an answer may be wrong and name
//! somebody else's file, so nothing is removed, renamed or moved by that link before it was seen to be the file's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, MutexGuard, PoisonError},
};

use fichier_api::{ApiError, Endpoint, FileInfo, FileLink, FolderId};
use fichier_storage::{Blame, File, RemotePath, Retry, StorageError};

use super::{
    FichierRemote, catalogue::KnownFile, confirm::LOOKED_UP_SINGLY, error::failed, link_of,
    recent_reports::RecentReports,
};

/// Number of listings of a folder to see files that were sent just now.
const LOOKS: u32 = 3;

/// Why a file isn't touched that is known from a report alone.
#[derive(Debug, Clone)]
pub(super) enum NotSeen {
    /// There is no such file any more, nor another one of its name.
    Gone,
    /// The link is another file's; the own one, if that is known.
    Wrong(RemotePath, FileLink, Option<FileLink>),
    /// The link may be another file's.
    Unsure(RemotePath, &'static str),
    /// The link can't be looked up.
    Failed(RemotePath, Arc<ApiError>),
}

impl NotSeen {
    /// Returns the error of a file that is left alone; `None` if it is gone anyway.
    pub(super) fn error(&self) -> Option<StorageError> {
        match self {
            Self::Gone => None,
            Self::Wrong(path, link, _) => {
                Some(left_alone(path, format!("its upload reported a link that isn't its own ({link})")))
            }
            Self::Unsure(path, what) => Some(left_alone(path, (*what).to_owned())),
            Self::Failed(path, error) => Some(failed("look at", path, error.clone())),
        }
    }

    /// Returns the link of the file that was meant: the folder holds one of the same name and content.
    pub(super) fn own_link(&self) -> Option<FileLink> {
        if let Self::Wrong(_, _, own) = self { *own } else { None }
    }

    /// Checks whether the link surely isn't the file's, so that nothing is to be done by it later either.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Gone | Self::Wrong(..))
    }
}

fn left_alone(path: &RemotePath, why: String) -> StorageError {
    StorageError::Service {
        action: format!("change {path:?}"),
        retry: Retry::Worthwhile,
        blame: Blame::Service,
        hint: Some("run the same again: it goes by what the directory's listing shows".to_owned()),
        source: why.into(),
    }
}

/// What looking a file up shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The link is this file's.
    Itself,
    /// The link is another file's.
    Other,
    /// The answer doesn't say where the file is.
    Nothing,
    /// There is no file of this link, or not yet: nothing can be lost by it.
    Gone,
}

/// Compares a file with what the service tells about its link.
fn shown(file: &KnownFile, stored: &str, folder: FolderId, told: Option<&FileInfo>) -> Shown {
    let Some(told) = told else { return Shown::Gone };
    let differs = told.folder.is_some_and(|told| told != folder)
        || told.filename.as_ref().is_some_and(|told| told != stored)
        || told.size.is_some_and(|told| told != file.size)
        || (told.checksum.is_some() && file.whirlpool.is_some() && told.checksum != file.whirlpool);
    match (differs, told.folder, &told.filename) {
        (true, ..) => Shown::Other,
        (false, Some(_), Some(_)) => Shown::Itself,
        (false, ..) => Shown::Nothing,
    }
}

impl FichierRemote {
    pub(super) fn recent_reports(&self) -> MutexGuard<'_, RecentReports> {
        self.recent_reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the links of these files are theirs before something is changed by them. What a listing has
    /// shown costs no call. Returns the files that must be left alone.
    pub(super) async fn see_reported(&self, files: &[&File]) -> HashMap<FileLink, NotSeen> {
        let mut by_folder: BTreeMap<FolderId, (RemotePath, Vec<KnownFile>)> = BTreeMap::new();
        let mut unseen = HashMap::new();
        for file in files {
            let (Ok(link), Some(parent)) = (link_of(file), file.path.parent()) else { continue };
            let candidates = self.tree.known(&parent);
            let mut catalogue = self.tree.catalogue();
            // Where what is known of a folder is lost, it will be listed again.
            let folder = catalogue.folder_of(&candidates, &link).unwrap_or_default();
            let known =
                folder.and_then(|folder| Some((folder, catalogue.file(folder, &link).ok()??.clone())));
            drop(catalogue);
            match known {
                Some((folder, known)) if known.reported => {
                    by_folder.entry(folder).or_insert_with(|| (parent, Vec::new())).1.push(known);
                }
                Some(_) => {}
                // Who was told of the file before its link turned out to be wrong may come again.
                None => {
                    let wrong = self.recent_reports().wrong.get(&(file.path.clone(), link)).copied();
                    unseen.extend(wrong.map(|own| (link, NotSeen::Wrong(file.path.clone(), link, own))));
                }
            }
        }
        for (folder, (path, files)) in by_folder {
            unseen.extend(self.see_reported_in(folder, &path, files).await);
        }
        unseen
    }

    /// Does the same for files of one folder that are known from reports alone: few are looked up one by one, more by
    /// one listing of the folder.
    pub(super) async fn see_reported_in(
        &self,
        folder: FolderId,
        path: &RemotePath,
        mut files: Vec<KnownFile>,
    ) -> HashMap<FileLink, NotSeen> {
        let mut unseen = HashMap::new();
        tracing::debug!(path = %path, files = files.len(), "known from reports alone: looking");
        // Where an earlier run's word counts, the folder is listed in any case before something is changed in it.
        if self.tree.has_earlier_runs()
            && let Err(error) = self.tree.see(path).await
        {
            tracing::debug!(path = %path, "can't list it: {error}");
        }
        self.without_shown(folder, &mut files);
        for look in 0..LOOKS {
            let wait = self.client.look_again_after() * look;
            // A listing may lag behind an upload.
            if files.len() <= LOOKED_UP_SINGLY
                || (look > 0 && self.client.rest(Endpoint::FolderLs, wait).await.is_err())
                || self.tree.refresh(folder, path).await.is_err()
            {
                break;
            }
            self.without_shown(folder, &mut files);
        }
        let mut wrong = Vec::new();
        for (number, file) in files.into_iter().enumerate() {
            if number >= LOOKED_UP_SINGLY {
                let what = "the directory's listing doesn't show it yet";
                unseen.insert(file.link, NotSeen::Unsure(path.join(&file.name), what));
                continue;
            }
            let told = match self.look_up(file.link).await {
                Ok(told) => told,
                Err(error) => {
                    unseen.insert(file.link, NotSeen::Failed(path.join(&file.name), error.into()));
                    continue;
                }
            };
            match shown(&file, &self.stored_name(&file), folder, told.as_ref()) {
                Shown::Itself => {
                    self.tree.catalogue().note_file(folder, KnownFile { reported: false, ..file });
                }
                Shown::Gone if self.is_listed(folder, file.link) => {}
                Shown::Gone => {
                    unseen.insert(file.link, NotSeen::Gone);
                }
                Shown::Other => {
                    self.note_other(folder, &file, told);
                    wrong.push(file);
                }
                Shown::Nothing => {
                    let what = "the service doesn't say where the file of its link is";
                    unseen.insert(file.link, NotSeen::Unsure(path.join(&file.name), what));
                }
            }
        }
        // What a report said isn't so: the folder is listed to learn what it holds.
        if !wrong.is_empty()
            && let Err(error) = self.tree.refresh(folder, path).await
        {
            tracing::debug!(path = %path, "can't list it: {error}");
            let mut catalogue = self.tree.catalogue();
            catalogue.doubt(folder);
            catalogue.expect_into(folder);
        }
        for file in wrong {
            let path = path.join(&file.name);
            tracing::warn!(path = %path, link = %file.link, "The link that its upload reported isn't its own");
            let own = self.own_link(folder, &file);
            self.recent_reports().wrong.insert((path.clone(), file.link), own);
            unseen.insert(file.link, NotSeen::Wrong(path, file.link, own));
        }
        unseen
    }

    /// Removes files from a list that a listing has shown since.
    fn without_shown(&self, folder: FolderId, files: &mut Vec<KnownFile>) {
        let mut catalogue = self.tree.catalogue();
        files.retain(|file| match catalogue.file(folder, &file.link) {
            Ok(Some(known)) => known.reported,
            Ok(None) | Err(_) => true,
        });
    }

    /// Checks whether the catalogue has this link in the folder. What it lacks, a listing of this run lacks, too.
    fn is_listed(&self, folder: FolderId, link: FileLink) -> bool {
        !matches!(self.tree.catalogue().file(folder, &link), Ok(None))
    }

    /// Returns the link of the one file in the folder that has the name and the content of a file with a wrong link.
    fn own_link(&self, folder: FolderId, file: &KnownFile) -> Option<FileLink> {
        let mut catalogue = self.tree.catalogue();
        let mut same = catalogue.files_named(folder, &file.name).ok()?.filter(|other| {
            other.link != file.link
                && !other.reported
                && other.size == file.size
                && other.whirlpool.is_some()
                && other.whirlpool == file.whirlpool
        });
        let own = same.next()?.link;
        same.next().is_none().then_some(own)
    }

    /// Records what the service tells about the link of a file that isn't this one.
    fn note_other(&self, folder: FolderId, file: &KnownFile, told: Option<FileInfo>) {
        let here = told.filter(|told| told.folder == Some(folder));
        let other = here.and_then(|told| {
            let (stored, size) = (told.filename?, told.size.unwrap_or(file.size));
            let decoded = self.tree.names().decode_file(&stored, size).ok()?;
            Some(KnownFile {
                name: decoded.name,
                size,
                whirlpool: told.checksum,
                stands_for_empty: decoded.stands_for_empty,
                reported: false,
                ..file.clone()
            })
        });
        let mut catalogue = self.tree.catalogue();
        match other {
            // Somebody has renamed it, and it is there.
            Some(other) => catalogue.note_file(folder, other),
            None => catalogue.note_file_gone(folder, file.link),
        }
    }

    fn stored_name(&self, file: &KnownFile) -> String {
        let names = self.tree.names();
        if file.stands_for_empty { names.encode_stand_in(&file.name) } else { names.encode(&file.name) }
    }
}

#[cfg(test)]
mod tests {
    use fichier_storage::{Name, Whirlpool};

    use super::*;
    use crate::fichier::catalogue::Marks;

    fn link(code: &str) -> FileLink {
        FileLink::from_code(code).unwrap()
    }

    #[test]
    fn only_a_file_of_this_name_in_this_folder_is_the_one() {
        let file = KnownFile {
            link: link("aaaaa"),
            name: Name::new("a").unwrap(),
            size: 1,
            whirlpool: Some(Whirlpool::of(b"1")),
            date: None,
            media_type: None,
            stands_for_empty: false,
            marks: Marks::default(),
            reported: true,
        };
        let told = |change: fn(&mut FileInfo)| {
            let mut info = FileInfo::default();
            (info.folder, info.filename) = (Some(FolderId(7)), Some("a".to_owned()));
            (info.size, info.checksum) = (Some(1), file.whirlpool);
            change(&mut info);
            shown(&file, "a", FolderId(7), Some(&info))
        };
        assert_eq!(told(|_| ()), Shown::Itself);
        assert_eq!(told(|info| (info.size, info.checksum) = (None, None)), Shown::Itself);
        assert_eq!(told(|info| info.folder = Some(FolderId(8))), Shown::Other);
        assert_eq!(told(|info| info.filename = Some("b".to_owned())), Shown::Other);
        assert_eq!(told(|info| info.size = Some(2)), Shown::Other);
        assert_eq!(told(|info| info.checksum = Some(Whirlpool::of(b"2"))), Shown::Other);
        assert_eq!(told(|info| info.folder = None), Shown::Nothing);
        assert_eq!(told(|info| info.filename = None), Shown::Nothing);
        assert_eq!(shown(&file, "a", FolderId(7), None), Shown::Gone);
    }
}
