//! Calls on folders (API document, section 4).

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::answer::Envelope as Done;
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::folder_id::{FilesOf, FolderId};
use crate::pacer::{Call, CallClass, ListedPart};
use crate::wire::file::ListFiles;
use crate::wire::folder::{
    FolderListing, ListFolder, MadeFolder, MakeFolder, MoveFolder, MovedFolder, OnlyFolder, ShareFolder,
    SharedAs,
};

impl Client {
    /// Lists a folder: its sub-folders, and its files if asked for.
    ///
    /// Files come in the same call. If the service leaves them out although there are some, a second call asks for
    /// them, and so for all folders as long as this client lives. A listing of
    /// [`LISTING_CAP`](crate::limits::LISTING_CAP) files may be incomplete.
    ///
    /// # Errors
    /// `NotFound` for a folder that is gone; `InvalidJson` for an answer about another folder, or one that contradicts
    /// itself; see [`ErrorKind`](crate::ErrorKind) for the others.
    pub async fn list_folder(&self, request: &ListFolder) -> Result<FolderListing, ApiError> {
        let request = &ListFolder {
            sharing_user: request.sharing_user.clone().or_else(|| self.sharing_user()),
            ..request.clone()
        };
        let files_apart = request.files && self.inner.files_apart.load(Ordering::Relaxed);
        let part = if request.files && !files_apart { ListedPart::Files } else { ListedPart::Folders };
        let call = Call {
            folder: Some((request.folder, part)),
            ..self.call(Endpoint::FolderLs, CallClass::Listing)
        };
        let asked = Mutex::new(None);
        let note = || *asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(SystemTime::now());
        let problem = |listing: &FolderListing| listing.problem_for(request.folder);
        let mut listing: FolderListing = if files_apart {
            self.post_checked(call, &ListFolder { files: false, ..request.clone() }, note, problem).await?
        } else {
            self.post_checked(call, request, note, problem).await?
        };
        listing.asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        if listing.says_nothing() {
            let what = "it tells nothing of the folder".to_owned();
            return Err(self.named(ApiError::unusable(Endpoint::FolderLs, what)));
        }
        if !request.files {
            return Ok(listing);
        }
        let hidden = std::mem::take(&mut listing.hidden);
        if !hidden.is_empty() {
            let FolderListing { items, left_out, .. } = &mut listing;
            self.name_hidden(request.folder.into(), hidden, items.get_or_insert_default(), left_out);
        }
        if listing.items.is_none() || files_apart {
            if listing.file_count == Some(0) {
                listing.items = Some(Vec::new());
                return Ok(listing);
            }
            let files = ListFiles {
                sharing_user: request.sharing_user.clone(),
                ..ListFiles::of(FilesOf::Folder(request.folder))
            };
            let files = self.list_files(&files).await?;
            listing.file_count = listing.file_count.max(files.count);
            listing.items = files.items;
            listing.left_out.extend(files.left_out);
            self.inner.files_apart.store(true, Ordering::Relaxed);
        }
        Ok(listing)
    }

    /// Makes a folder. What the service does with a name that exists isn't documented: it may refuse, return the
    /// existing folder, or make a second one.
    ///
    /// # Errors
    /// Never repeated after a lost answer; [`ApiError::maybe_done`] says so then.
    pub async fn make_folder(&self, request: &MakeFolder) -> Result<MadeFolder, ApiError> {
        self.plain(Endpoint::FolderMkdir, request).await
    }

    /// Moves a folder, renames it, or both.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn move_folder(&self, request: &MoveFolder) -> Result<MovedFolder, ApiError> {
        self.plain(Endpoint::FolderMv, request).await
    }

    /// Removes an empty folder, and returns whether the answer says so in words: a bare "OK" may have come of anything.
    /// A folder that has just been emptied may count as not empty for some seconds.
    ///
    /// # Errors
    /// `Unconfirmed` when the answer doesn't say; `Refused` for a folder that isn't empty; `NotFound` with
    /// [`ApiError::maybe_done`] means done, probably.
    pub async fn remove_folder(&self, folder: FolderId) -> Result<bool, ApiError> {
        let answer: Done = self.plain(Endpoint::FolderRm, &OnlyFolder { folder_id: folder }).await?;
        if answer.status.is_none() && answer.capital_status.is_none() {
            return Err(ApiError::unconfirmed(Endpoint::FolderRm, "it doesn't say that the folder is gone"));
        }
        Ok(answer.message.is_some_and(|message| !message.trim().is_empty()))
    }

    /// Shares a folder, or stops sharing it.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn share_folder(&self, request: &ShareFolder) -> Result<SharedAs, ApiError> {
        self.plain(Endpoint::FolderShare, request).await
    }
}
