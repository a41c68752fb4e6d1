//! Decides what earlier runs knew of the account, and when it counts.
//!
//! This knowledge saves listings; it never decides what is removed. Before anything is put into a folder or taken away
//! from it, the folder and those above it are [seen](crate::fichier::tree::Tree::see) in this run: a file that someone
//! else moved or renamed since keeps its link, and would be removed in its new place.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use fichier_api::{ApiError, ErrorKind, FileItem, FileLink, FolderId};
use fichier_storage::{File, Freshness, RemotePath, Result, StorageError};
use tokio::sync::OnceCell;

use super::{
    Catalogue, ContentsLost,
    database::{AccountListing, CatalogueDb, Checked, StoredFolder},
    mode::CatalogueMode,
};
use crate::fichier::{
    names::Names,
    tree::{Age, Tree, known_file},
};

/// Time between looks whether another process has listed the folder that we wait to list.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Knowledge of earlier runs.
#[derive(Debug)]
pub(in crate::fichier) struct EarlierRuns {
    database: CatalogueDb,
    usage: CatalogueMode,
    fast_list: bool,
    /// Time when this run began: a listing since then, by whichever process, is as good as one by us.
    began: SystemTime,
    all_files: OnceCell<Option<AllFiles>>,
    /// What the last look at all files told, for those who watch.
    last_look: tokio::sync::Mutex<Option<AccountListing>>,
}

/// A listing of all files of the account, compared with earlier knowledge.
#[derive(Debug)]
struct AllFiles {
    /// Listing of all files. While there are files whose folder isn't known, each may lie in every folder that is known
    /// from earlier runs.
    listing: Mutex<AccountListing>,
}

impl AllFiles {
    fn unplaced(&self) -> usize {
        self.listing().unplaced()
    }

    /// Records that these files were found in a folder.
    fn place(&self, files: impl Iterator<Item = FileLink>) {
        // A file that can't be taken from the list stays unplaced: then folders are listed.
        if let Err(error) = self.listing().place(files) {
            tracing::debug!("can't note where files were found: {error}");
        }
    }

    fn listing(&self) -> MutexGuard<'_, AccountListing> {
        self.listing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes in a listing of all files as it comes.
struct Intake {
    names: Names,
    listing: rusqlite::Result<AccountListing>,
    /// Number of files in the listing, readable or not.
    count: usize,
}

impl Extend<FileItem> for Intake {
    fn extend<T: IntoIterator<Item = FileItem>>(&mut self, items: T) {
        for item in items {
            self.count += 1;
            let file = known_file(&self.names, &item, None)
                .inspect_err(|error| tracing::error!(link = %item.link, "file left out: {error}"));
            if let Ok(listing) = &mut self.listing
                && let Ok(file) = file
                && let Err(error) = listing.put(&file)
            {
                self.listing = Err(error);
            }
        }
    }
}

/// Why a listing of all files can't be had.
#[derive(Debug, thiserror::Error)]
enum NoAllFiles {
    #[error("{}", refused(.0))]
    Refused(#[from] ApiError),
    #[error("The listing of all files may be cut off, at {0} files")]
    CutOff(usize),
    /// What went wrong was told.
    #[error("The catalogue can't be used")]
    Catalogue,
}

fn refused(error: &ApiError) -> String {
    match error.kind() {
        ErrorKind::TooSoon { remaining } => {
            format!("All files may be listed once an hour only, the next time in {} s", remaining.as_secs())
        }
        _ => format!("Can't list all files ({error})"),
    }
}

impl EarlierRuns {
    pub(in crate::fichier) fn new(database: CatalogueDb, usage: CatalogueMode, fast_list: bool) -> Self {
        Self {
            database,
            usage,
            fast_list,
            began: SystemTime::now(),
            all_files: OnceCell::new(),
            last_look: Default::default(),
        }
    }

    pub(in crate::fichier) fn database(&self) -> &CatalogueDb {
        &self.database
    }

    /// Checks whether a listing of an earlier run may count in this one.
    fn counts(&self) -> bool {
        self.fast_list || matches!(self.usage, CatalogueMode::Trust(_))
    }

    /// Records that these files were found in a folder.
    pub(in crate::fichier) fn place(&self, files: impl Iterator<Item = FileLink>) {
        if let Some(Some(all_files)) = self.all_files.get() {
            all_files.place(files);
        }
    }
}

/// The moment of so long ago.
fn ago(age: Duration) -> SystemTime {
    SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
}

impl Tree {
    /// Checks whether some knowledge may be older than this run.
    pub(in crate::fichier) fn has_earlier_runs(&self) -> bool {
        self.earlier_runs.as_ref().is_some_and(EarlierRuns::counts)
    }

    /// Makes sure that the folder's contents are known, from this run or from an earlier one that counts;
    /// `path` is for errors.
    pub(in crate::fichier) async fn load(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        if self.catalogue().is_complete(folder) {
            return Ok(());
        }
        let since = match &self.earlier_runs {
            Some(earlier_runs) => self.since(earlier_runs).await,
            None => SystemTime::UNIX_EPOCH,
        };
        let _alone = self.lock(folder).await;
        if self.catalogue().is_complete(folder) {
            return Ok(());
        }
        let since = match &self.earlier_runs {
            Some(earlier_runs) if self.catalogue().is_doubted(folder) => earlier_runs.began,
            _ => since,
        };
        self.recollect_or_list(folder, path, since).await
    }

    /// Makes sure that the folder's contents are known and no older than `age`.
    pub(in crate::fichier) async fn load_aged(
        &self,
        folder: FolderId,
        path: &RemotePath,
        age: Freshness,
    ) -> Result<()> {
        let since = match age {
            Freshness::SinceStart => return self.load(folder, path).await,
            Freshness::Known => SystemTime::UNIX_EPOCH,
            Freshness::Within(age) => ago(age).min(self.newest()),
        };
        let newest = self.newest();
        self.load_unless(|known| known.is_known_since(folder, since, newest), folder, path, since).await
    }

    /// Takes the folder's contents from earlier runs, as far as they are from `since`, or lists it, unless it is known
    /// by then.
    async fn load_unless(
        &self,
        is_known: impl Fn(&Catalogue) -> bool,
        folder: FolderId,
        path: &RemotePath,
        since: SystemTime,
    ) -> Result<()> {
        if is_known(&self.catalogue()) {
            return Ok(());
        }
        let _alone = self.lock(folder).await;
        // Another task may have listed it meanwhile.
        if is_known(&self.catalogue()) {
            return Ok(());
        }
        self.recollect_or_list(folder, path, since).await
    }

    /// Forgets what is known of the folders of a path: someone else may have changed them.
    pub(in crate::fichier) fn forget(&self, path: &RemotePath) {
        for folder in self.known(path) {
            self.catalogue().forget(folder);
        }
    }

    /// Makes sure that the folder's contents are known from this run.
    pub(in crate::fichier) async fn load_anew(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        let since = self
            .earlier_runs
            .as_ref()
            .map_or(SystemTime::UNIX_EPOCH, |earlier_runs| self.new_since(earlier_runs));
        self.load_unless(|known| known.is_seen(folder), folder, path, since).await
    }

    /// Returns the folders of a path; they and all their parents are known from this run.
    pub(in crate::fichier) async fn see(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        let folders = self.walk(path, Age::Now).await?;
        for folder in &folders {
            self.load_anew(*folder, path).await?;
        }
        Ok(folders)
    }

    /// Does the same as [`Tree::see`] where an earlier run's knowledge may be outdated; otherwise it costs nothing.
    pub(in crate::fichier) async fn see_if_recalled(&self, path: &RemotePath) -> Result<()> {
        if self.has_earlier_runs() {
            self.see(path).await?;
        }
        Ok(())
    }

    /// Checks whether the file that was returned to the caller is still in its place, under the same name. If not, it
    /// must be left alone: it is someone's file elsewhere.
    pub(in crate::fichier) async fn is_in_place(&self, file: &File, link: &FileLink) -> Result<bool> {
        if !self.has_earlier_runs() {
            return Ok(true);
        }
        let (Some(parent), Some(name)) = (file.path.parent(), file.path.name()) else { return Ok(false) };
        loop {
            let folders = match self.see(&parent).await {
                Ok(folders) => folders,
                Err(StorageError::FolderNotFound(_)) => return Ok(false),
                Err(error) => return Err(error),
            };
            let mut catalogue = self.catalogue();
            let here = folders.iter().try_fold(None, |found, folder| {
                Ok::<_, ContentsLost>(
                    found.or(catalogue.file(*folder, link)?.map(|known| known.name == name)),
                )
            });
            // Contents that are lost are listed again.
            if let Ok(here) = here {
                return Ok(here.unwrap_or(false));
            }
        }
    }

    /// Records that a file that was returned to the caller is gone from the service: what is known of its folder is
    /// wrong.
    pub(in crate::fichier) fn missed(&self, path: &RemotePath) {
        if !self.has_earlier_runs() {
            return;
        }
        let Some(parent) = path.parent() else { return };
        for folder in self.known(&parent) {
            let mut catalogue = self.catalogue();
            catalogue.doubt(folder);
            // Later runs must not rely on it either.
            catalogue.expect_into(folder);
        }
    }

    /// Since when a listing counts as new: it was made in this run, or the service would give no newer one yet.
    fn new_since(&self, earlier_runs: &EarlierRuns) -> SystemTime {
        earlier_runs.began.min(self.newest())
    }

    /// The service would give no listing of a folder that is newer than one of this moment.
    fn newest(&self) -> SystemTime {
        ago(self.client().folder_gap())
    }

    /// Returns since when a folder's listing counts.
    async fn since(&self, earlier_runs: &EarlierRuns) -> SystemTime {
        if earlier_runs.fast_list {
            let all_files = earlier_runs.all_files.get_or_init(|| self.all_files(earlier_runs)).await;
            if all_files.as_ref().is_some_and(|all_files| all_files.unplaced() == 0) {
                return SystemTime::UNIX_EPOCH;
            }
        }
        match earlier_runs.usage {
            CatalogueMode::Trust(None) => SystemTime::UNIX_EPOCH,
            CatalogueMode::Trust(Some(age)) => ago(age).min(self.new_since(earlier_runs)),
            CatalogueMode::Verify | CatalogueMode::Off => self.new_since(earlier_runs),
        }
    }

    async fn recollect_or_list(&self, folder: FolderId, path: &RemotePath, since: SystemTime) -> Result<()> {
        let Some(earlier_runs) = &self.earlier_runs else { return self.refresh(folder, path).await };
        // What was known before somebody said that it may have changed counts no more, unless the service would give
        // nothing newer. That this run knew it makes no difference: it may be weeks old.
        let forgotten = self.catalogue().forgotten_at(folder);
        let since = forgotten.map_or(since, |at| since.max(at.min(self.newest())));
        if self.recollect(earlier_runs, folder, since).await {
            return Ok(());
        }
        // Processes that want the same folder at the same time would wait 30 seconds for each other's listing.
        let listed_elsewhere = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if self.recollect(earlier_runs, folder, since.max(self.new_since(earlier_runs))).await {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            listed = self.refresh(folder, path) => listed,
            () = listed_elsewhere => Ok(()),
        }
    }

    /// Takes a folder's contents from earlier runs, if they are known since `since`.
    async fn recollect(&self, earlier_runs: &EarlierRuns, folder: FolderId, since: SystemTime) -> bool {
        let Some(known) = earlier_runs.database.contents(folder, since).await else { return false };
        let StoredFolder { files, folders, listed } = known;
        tracing::debug!(%folder, files = files.len(), folders = folders.len(), "known without a listing");
        let mut catalogue = self.catalogue();
        if listed >= self.new_since(earlier_runs) {
            catalogue.take_listing(folder, files, folders, listed);
        } else {
            catalogue.take_remembered(folder, files, folders, listed);
        }
        true
    }

    /// Notes what others changed in the account by one listing of all files, if something is known of the account and the
    /// service allows such a listing now.
    pub(in crate::fichier) async fn look_at_all_files(&self) {
        let Some(earlier_runs) = &self.earlier_runs else { return };
        let mut last = earlier_runs.last_look.lock().await;
        // What was listed just now may still be on its way to the disk.
        earlier_runs.database.flush().await;
        if !earlier_runs.database.knows_a_folder().await {
            return;
        }
        let checked = match self.check_all_files(earlier_runs).await {
            Ok(checked) => checked,
            Err(problem) => {
                tracing::debug!("no look at all files: {problem}");
                return;
            }
        };
        let is_elsewhere = checked.listing.has_unplaced_besides(last.as_ref());
        let is_elsewhere = is_elsewhere.inspect_err(|error| earlier_runs.database.complain(error));
        *last = Some(checked.listing);
        let mut catalogue = self.catalogue();
        for (folder, path) in checked.changed {
            catalogue.note_changed(folder, path);
        }
        if is_elsewhere.unwrap_or(true) {
            catalogue.note_changed_elsewhere();
        }
    }

    /// Lists all files of the account in one call and holds the memory against them. The error says why that can't be
    /// had.
    async fn check_all_files(&self, earlier_runs: &EarlierRuns) -> Result<Checked, NoAllFiles> {
        let asked = SystemTime::now();
        let begin = || Intake {
            names: *self.names(),
            listing: earlier_runs.database.begin_account_listing(),
            count: 0,
        };
        let listing = self.client().because("list all files").list_all_files(begin).await;
        self.remember();
        let Intake { listing, count, .. } = listing?;
        let listing = listing.map_err(|error| {
            earlier_runs.database.complain(&error);
            NoAllFiles::Catalogue
        })?;
        if count == self.cap() {
            return Err(NoAllFiles::CutOff(count));
        }
        earlier_runs.database.check(listing, asked).await.ok_or(NoAllFiles::Catalogue)
    }

    /// Lists all files of the account in one call and holds the memory against them; `None` when that can't be
    /// had. Then folders are listed.
    async fn all_files(&self, earlier_runs: &EarlierRuns) -> Option<AllFiles> {
        if !earlier_runs.database.knows_a_folder().await {
            tracing::info!("No directory is known from an earlier run: --fast-list lists directories");
            return None;
        }
        let checked = match self.check_all_files(earlier_runs).await {
            Ok(checked) => checked,
            Err(NoAllFiles::Catalogue) => return None,
            Err(problem) => {
                tracing::warn!("{problem}: listing directories instead");
                return None;
            }
        };
        let all_files = AllFiles { listing: Mutex::new(checked.listing) };
        // Listing what isn't known yet is worth as many calls as it may save, no more.
        let mut saves =
            if matches!(earlier_runs.usage, CatalogueMode::Trust(_)) { 0 } else { checked.complete.len() };
        let mut open: VecDeque<_> = checked.incomplete.into();
        while saves > 0 && all_files.unplaced() > 0 {
            let Some((folder, path)) = open.pop_front() else { break };
            saves -= 1;
            let _alone = self.lock(folder).await;
            match self.refresh(folder, &path).await {
                Ok(()) => {}
                Err(StorageError::FolderNotFound(_)) => continue,
                // A later task that needs the folder will list it.
                Err(_) => break,
            }
            let mut catalogue = self.catalogue();
            // It was listed just now; files that can't be read again stay unplaced.
            all_files.place(catalogue.files(folder).into_iter().flatten().map(|file| file.link));
            open.extend(
                catalogue
                    .sub_folders(folder)
                    .filter(|child| !checked.complete.contains(&child.id))
                    .map(|child| (child.id, path.join(&child.name))),
            );
        }
        let unplaced = all_files.unplaced();
        if unplaced > 0 {
            tracing::info!(
                files = unplaced,
                "Files lie in directories that aren't known: listing directories"
            );
        }
        Some(all_files)
    }
}
