//! Calls on files (API document, section 5). Calls with lists should be given at most
//! [`ITEMS_PER_CALL`](crate::limits::ITEMS_PER_CALL) items at first, and never more than
//! [`MOST_ITEMS_PER_CALL`](crate::limits::MOST_ITEMS_PER_CALL).

use http::Method;
use serde::Serialize;

use crate::client::{Client, not_empty, one_if_renamed, request_body};
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::folder_id::FilesOf;
use crate::item_stream;
use crate::link::FileLink;
use crate::pacer::{Call, CallClass, ListedPart};
use crate::wire::file::{
    ChangeFiles, ChangedFiles, CopiedFiles, CopyFiles, FileInfo, FileItem, FileListing, FileOf, HiddenFile,
    ListFiles, MoveFiles, MovedFiles, OnlyList, RemoveFile, RemovedFiles, RenameFile, RenamedFiles,
    ScanResult, leave_hidden,
};
use crate::wire::tolerant::LeftOut;

impl Client {
    /// Lists the files of a folder, or of the whole account.
    ///
    /// # Errors
    /// `TooSoon` for the whole account, when it was listed less than an hour ago; the call isn't made then.
    /// `Unconfirmed` for an answer without a list; `InvalidJson` for an answer about another folder, or one that
    /// contradicts itself.
    pub async fn list_files(&self, request: &ListFiles) -> Result<FileListing, ApiError> {
        let request = &ListFiles {
            sharing_user: request.sharing_user.clone().or_else(|| self.sharing_user()),
            ..request.clone()
        };
        let call = match request.of {
            FilesOf::Folder(folder) => Call {
                folder: Some((folder, ListedPart::Files)),
                ..self.call(Endpoint::FileLs, CallClass::Listing)
            },
            FilesOf::WholeAccount => self.call(Endpoint::FileLs, CallClass::AllFiles),
        };
        let of = request.of;
        let mut listing: FileListing =
            self.post_checked(call, request, || (), |listing: &FileListing| listing.problem_for(of)).await?;
        if listing.items.is_none() {
            if listing.count != Some(0) {
                let what = "it tells no list of files".to_owned();
                return Err(self.named(ApiError::unusable(Endpoint::FileLs, what)));
            }
            listing.items = Some(Vec::new());
        }
        let hidden = std::mem::take(&mut listing.hidden);
        let FileListing { items, left_out, .. } = &mut listing;
        self.name_hidden(request.of, hidden, items.get_or_insert_default(), left_out);
        Ok(listing)
    }

    /// Names files whose links are hidden; where nobody hides them, such files can't be used.
    pub(crate) fn name_hidden(
        &self,
        of: FilesOf,
        files: Vec<HiddenFile>,
        items: &mut Vec<FileItem>,
        left_out: &mut Vec<LeftOut>,
    ) {
        match (&self.inner.sharing_user, of) {
            (Some(user), FilesOf::Folder(folder)) => user.name_hidden(folder, files, items, left_out),
            _ => leave_hidden(files, left_out),
        }
    }

    /// How a file is asked for: by folder and name, where its link is hidden.
    pub(crate) fn asked_for(&self, file: &FileOf) -> FileOf {
        let named = self.inner.sharing_user.as_ref().and_then(|user| user.named(file));
        named.unwrap_or_else(|| file.clone())
    }

    /// Lists all files of the account into a collection, each as it comes: only what the collection keeps is held in
    /// memory. `begin` makes an empty collection for each try; it is filled on a thread that may block.
    ///
    /// # Errors
    /// As [`list_files`](Self::list_files) for the whole account; `Unconfirmed` also for a listing with fewer files
    /// than its own count says.
    pub async fn list_all_files<C>(&self, begin: impl Fn() -> C) -> Result<C, ApiError>
    where
        C: Extend<FileItem> + Send + 'static,
    {
        let call = self.call(Endpoint::FileLs, CallClass::AllFiles);
        let (body, transport) =
            (request_body(&call, &ListFiles::of(FilesOf::WholeAccount))?, &self.inner.transport);
        let ask = || async {
            let answer = transport.open(Method::POST, call.info.endpoint.path(), body.clone()).await?;
            item_stream::read_files(answer, begin(), transport.key()).await
        };
        self.inner.pacer.run(call, ask).await
    }

    /// Returns everything that the service gives about a file.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed`; for a file of another account with a password, HTTP 403 without more; `InvalidJson` for
    /// an answer about another file.
    pub async fn file_info(&self, file: &FileOf) -> Result<FileInfo, ApiError> {
        let call = self.call(Endpoint::FileInfo, CallClass::Plain);
        self.post_checked(call, &self.asked_for(file), || (), |info: &FileInfo| info.problem_for(file)).await
    }

    /// Removes files.
    ///
    /// # Errors
    /// An unknown link may fail the whole call, with or without the others removed. `NotFound` with
    /// [`ApiError::maybe_done`] means done, probably.
    pub async fn remove_files(&self, files: &[RemoveFile]) -> Result<RemovedFiles, ApiError> {
        not_empty(Endpoint::FileRm, files)?;
        self.plain(Endpoint::FileRm, &OnlyList { name: "files", items: files }).await
    }

    /// Moves files to a folder; one file can be renamed at the same time. Links stay.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn move_files(&self, request: &MoveFiles) -> Result<MovedFiles, ApiError> {
        one_if_renamed(Endpoint::FileMv, &request.links, request.rename.as_ref())?;
        self.plain(Endpoint::FileMv, request).await
    }

    /// Copies files to a folder; one file can be renamed at the same time. Copies get links of their own.
    ///
    /// # Errors
    /// Never repeated after a lost answer; [`ApiError::maybe_done`] says so then.
    pub async fn copy_files(&self, request: &CopyFiles) -> Result<CopiedFiles, ApiError> {
        one_if_renamed(Endpoint::FileCp, &request.links, request.rename.as_ref())?;
        self.plain(Endpoint::FileCp, request).await
    }

    /// Renames files. Links stay.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn rename_files(&self, files: &[RenameFile]) -> Result<RenamedFiles, ApiError> {
        not_empty(Endpoint::FileRename, files)?;
        self.plain(Endpoint::FileRename, &OnlyList { name: "urls", items: files }).await
    }

    /// Changes attributes of files.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn change_files(&self, request: &ChangeFiles) -> Result<ChangedFiles, ApiError> {
        one_if_renamed(Endpoint::FileChattr, &request.links, request.filename.as_ref())?;
        self.plain(Endpoint::FileChattr, request).await
    }

    /// Returns the antivirus result for a file.
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind).
    pub async fn scan_file(&self, link: FileLink) -> Result<ScanResult, ApiError> {
        #[derive(Serialize)]
        struct OnlyLink {
            url: FileLink,
        }
        self.plain(Endpoint::FileScan, &OnlyLink { url: link }).await
    }
}
