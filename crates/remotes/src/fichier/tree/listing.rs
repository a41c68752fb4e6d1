//! Listing a folder of the account: its folders and files in one call, and what a cut listing leaves out in windows of
//! time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use fichier_api::{
    ApiError, Endpoint, FileItem, FileLink, FolderId, ListFiles, ListFolder, SubFolder, WireDate, french_time,
};
use fichier_storage::{Blame, Gap, RemotePath, Result, Retry, StorageError};

use super::{Tree, known_file};
use crate::fichier::{
    catalogue::{KnownFile, KnownFolder},
    error::listing_failed,
    left_out::Unread,
    shared_folders::sharing_in,
};

/// What a listing brought, before it is in the catalogue.
#[derive(Debug, Default)]
struct Listing {
    files: Vec<FileItem>,
    folders: Vec<SubFolder>,
    /// How many files there are by the service's own count.
    count: Option<u64>,
    /// When it was asked for.
    asked: Option<SystemTime>,
    /// What can't be used of it.
    left_out: Vec<Unread>,
}

impl Listing {
    /// Whether there are more files by the service's own count than it told, readable or not. What can't be read is
    /// a gap, so nothing is lost where it is counted twice.
    fn lacks_files(&self) -> bool {
        let told = self.files.len() + self.left_out.len();
        self.count.is_some_and(|count| count > told as u64)
    }
}

impl Tree {
    /// Lists the folder, also when it was listed before: to learn what became of something whose answer was
    /// lost. Waits for the service's limit on listing one folder.
    pub(in crate::fichier) async fn refresh(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        let mut listing = match self.fetch(folder, path).await {
            Err(StorageError::FolderNotFound(_)) => self.fetch_what_its_parent_lists(folder, path).await,
            listing => listing,
        }
        .inspect_err(|_| self.remember())?;
        self.remember();
        if let Some(earlier_runs) = &self.earlier_runs {
            earlier_runs.place(listing.files.iter().map(|file| file.link));
        }
        let mut left_out = std::mem::take(&mut listing.left_out);
        self.without_loops(folder, &mut listing.folders, &mut left_out);
        let (files, folders) = self.decode(&listing, path, &mut left_out);
        for unread in &left_out {
            let Gap { path, error } = unread.gap(path, &self.names);
            tracing::error!(path = %path, "Left out: {error}");
        }
        {
            let mut catalogue = self.catalogue();
            catalogue.take_listing(folder, files, folders, listing.asked.unwrap_or_else(SystemTime::now));
            // What has gaps is listed anew by the next run.
            if left_out.is_empty() {
                catalogue.keep_listing(folder);
            }
        }
        self.gaps.set(folder, left_out);
        if let Some(earlier_runs) = &self.earlier_runs {
            earlier_runs.database().let_catch_up().await;
        }
        Ok(())
    }

    /// Lists a folder once more of which the service says that it isn't there. That counts only if its parent doesn't
    /// list it any more: what is taken for missing is taken for empty, and filled beside what it holds.
    async fn fetch_what_its_parent_lists(&self, folder: FolderId, path: &RemotePath) -> Result<Listing> {
        let parent = self.catalogue().parent(folder).filter(|_| !folder.is_root());
        if let (Some(parent), Some(parent_path)) = (parent, path.parent()) {
            let listed = match Box::pin(self.refresh(parent, &parent_path)).await {
                Ok(()) => self.catalogue().sub_folders(parent).any(|child| child.id == folder),
                Err(StorageError::FolderNotFound(_)) => false,
                Err(error) => return Err(error),
            };
            if !listed {
                self.catalogue().note_folder_gone(folder);
                return Err(StorageError::FolderNotFound(path.clone()));
            }
        } else if !folder.is_root() {
            self.catalogue().note_folder_gone(folder);
            return Err(StorageError::FolderNotFound(path.clone()));
        } else if let Some(mail) = self.client.sharing_user() {
            return Err(StorageError::Service {
                action: format!("list what {mail} shares"),
                retry: Retry::Useless,
                blame: Blame::User,
                hint: Some("look whether the mail address is right".to_owned()),
                source: "there is no such account, or it shares nothing with yours".into(),
            });
        }
        match self.fetch(folder, path).await {
            Err(StorageError::FolderNotFound(_)) => Err(StorageError::Service {
                action: format!("list directory {path:?}"),
                retry: Retry::Worthwhile,
                blame: Blame::Service,
                hint: Some("try again in a minute".to_owned()),
                source: "the service says that it isn't there, and that it is".into(),
            }),
            listing => listing,
        }
    }

    async fn fetch(&self, folder: FolderId, path: &RemotePath) -> Result<Listing> {
        let told = |error: ApiError| listing_failed(path, error);
        let answer = self.client.list_folder(&ListFolder::with_files(folder)).await.map_err(told)?;
        self.note_sharing(folder, sharing_in(&answer));
        let Some(folders) = answer.sub_folders else {
            let what = "the answer doesn't tell its directories";
            return Err(told(self.client.named(ApiError::unusable(Endpoint::FolderLs, what))));
        };
        let mut listing = Listing {
            files: answer.items.unwrap_or_default(),
            folders,
            count: answer.file_count,
            asked: answer.asked,
            left_out: answer.left_out.into_iter().map(Unread::from).collect(),
        };
        if listing.files.len() >= self.cap || listing.lacks_files() {
            self.fetch_older(folder, path, &mut listing).await?;
        }
        Ok(listing)
    }

    /// Reads what a listing left out, in windows that go back in time: one at its cap, or one that says of more
    /// files than it tells.
    ///
    /// Whether `sent_before` includes its own second isn't known, so a window begins a second later than the
    /// oldest file seen, and what was seen already is left out. When a whole window lies in one second, the
    /// next one steps below it. An hour that comes twice or never by French time is asked for from its end on, since
    /// times in it don't tell what is older.
    async fn fetch_older(&self, folder: FolderId, path: &RemotePath, listing: &mut Listing) -> Result<()> {
        let mut seen: HashMap<FileLink, usize> =
            listing.files.iter().enumerate().map(|(place, file)| (file.link, place)).collect();
        // Where a listing is cut below the cap, its length is the cap.
        let cap = if listing.lacks_files() { listing.files.len().min(self.cap) } else { self.cap };
        // How many windows in a row have told nothing new.
        let mut in_vain = 0;
        loop {
            let oldest = listing.files.iter().filter_map(|file| file.date.as_ref()?.as_utc()).min();
            let Some(oldest) = oldest else { break };
            let starts = window_starts(oldest);
            let Some(before) = starts.get(in_vain) else { break };
            let ask = ListFiles { sent_before: Some(WireDate::from_utc(*before)), ..ListFiles::of(folder) };
            let window = self.client.list_files(&ask).await.map_err(|error| listing_failed(path, error))?;
            let window_is_cut = window.is_cut();
            listing.left_out.extend(window.left_out.into_iter().map(Unread::from));
            let window = window.items.unwrap_or_default();
            let full = window_is_cut || window.len() >= cap;
            let before = listing.files.len();
            for file in window {
                match seen.get(&file.link).map(|place| &listing.files[*place].filename) {
                    None => {
                        seen.insert(file.link, listing.files.len());
                        listing.files.push(file);
                    }
                    Some(name) if *name == file.filename => {}
                    Some(name) => {
                        let what = format!("it gives one link to {name:?} and to {:?}", file.filename);
                        let error = self.client.named(ApiError::unusable(Endpoint::FileLs, what));
                        return Err(listing_failed(path, error));
                    }
                }
            }
            let new = listing.files.len() - before;
            tracing::debug!(path = %path, new, full, "read a window of a large folder");
            in_vain = if new == 0 { in_vain + 1 } else { 0 };
            if !full {
                break;
            }
        }
        match listing.count {
            Some(total) if listing.lacks_files() => {
                let seen = listing.files.len() as u64;
                Err(StorageError::IncompleteListing { path: path.clone(), seen, total })
            }
            _ => Ok(()),
        }
    }

    /// Takes out sub-folders that are the folder itself or one that it lies in: a walk would never end.
    fn without_loops(&self, folder: FolderId, folders: &mut Vec<SubFolder>, left_out: &mut Vec<Unread>) {
        let mut above = HashSet::from([FolderId::ROOT, folder]);
        {
            let catalogue = self.catalogue();
            let mut next = catalogue.parent(folder);
            while let Some(parent) = next.filter(|parent| above.insert(*parent)) {
                next = catalogue.parent(parent);
            }
        }
        folders.retain(|child| {
            let is_loop = above.contains(&child.id);
            if is_loop {
                left_out.push(Unread::new(&child.name, "the directory would lie in itself"));
            }
            !is_loop
        });
    }

    fn decode(
        &self,
        listing: &Listing,
        path: &RemotePath,
        left_out: &mut Vec<Unread>,
    ) -> (Vec<KnownFile>, Vec<KnownFolder>) {
        // Media types repeat: one text for all files of a folder that have it.
        let mut types: BTreeMap<&str, Arc<str>> = BTreeMap::new();
        let mut files = Vec::with_capacity(listing.files.len());
        for item in &listing.files {
            let media_type = item.content_type.as_deref().filter(|text| !text.is_empty());
            let media_type =
                media_type.map(|text| types.entry(text).or_insert_with(|| Arc::from(text)).clone());
            match known_file(&self.names, item, media_type) {
                Ok(file) => files.push(file),
                Err(error) => left_out.push(Unread::new(&item.filename, error.to_string())),
            }
        }
        let mut folders = Vec::with_capacity(listing.folders.len());
        for child in &listing.folders {
            match self.names.decode_folder(&child.name) {
                Ok(name) => {
                    let date = child.create_date.as_ref().and_then(WireDate::as_utc);
                    folders.push(KnownFolder { id: child.id, name, date });
                }
                Err(error) => left_out.push(Unread::new(&child.name, error.to_string())),
            }
        }
        tracing::trace!(path = %path, files = files.len(), folders = folders.len(), "read a listing");
        (files, folders)
    }

    /// What the listings of a path's folders left out.
    pub(in crate::fichier) fn gaps(&self, path: &RemotePath) -> Vec<Gap> {
        let folders = self.known(path);
        folders.into_iter().flat_map(|folder| self.gaps.of(folder, path, &self.names)).collect()
    }

    /// Returns why nothing may be put at this path of a folder: an entry of that name, or one whose name isn't known,
    /// can't be read, and may be what is to be put there.
    pub(in crate::fichier) fn unread_at(
        &self,
        folder: &RemotePath,
        path: &RemotePath,
    ) -> Option<StorageError> {
        let mut gaps = self.gaps(folder).into_iter();
        gaps.find(|gap| gap.path == *folder || gap.path == *path).map(|gap| gap.error)
    }
}

/// Where a window may begin that is to tell what is older than the oldest file seen, in the order in which to try.
fn window_starts(oldest: SystemTime) -> Vec<SystemTime> {
    let next = oldest + Duration::from_secs(1);
    match (french_time::end_of_odd_hour(oldest), french_time::end_of_odd_hour(next)) {
        // Perhaps only the second of the two hours was seen, and the first is still to come.
        (Some(end), _) => vec![end, next, oldest],
        // A time that never comes in March, and may be refused.
        (None, Some(end)) => vec![end, oldest],
        (None, None) => vec![next, oldest],
    }
}
