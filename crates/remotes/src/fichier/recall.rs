//! What earlier runs knew of the account, and when it counts.
//!
//! Memory saves listings; it never decides what goes. Before anything is put into a folder or taken away from it,
//! the folder and those above it are [seen](super::tree::Tree::see) in this run: a file that somebody else moved
//! or renamed since keeps its link, and would be removed in its new place.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use fichier_api::{ErrorKind, FileItem, FileLink, FolderId};
use fichier_storage::{File, Freshness, RemotePath, Result, StorageError};
use tokio::sync::OnceCell;

use super::{
    archive::{Archive, Remembered, Told},
    catalogue::{Catalogue, Lost},
    names::Names,
    tree::{Sight, Tree, known_file},
    trust::CatalogueUse,
};

/// How often to look whether another process has meanwhile listed what we wait to list.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The memory of earlier runs.
#[derive(Debug)]
pub(super) struct Recall {
    archive: Archive,
    usage: CatalogueUse,
    fast_list: bool,
    /// When this run began: what was listed since, by whichever process, is as good as listed by us.
    began: SystemTime,
    survey: OnceCell<Option<Survey>>,
}

/// A listing of all files of the account, held against the memory.
#[derive(Debug)]
struct Survey {
    /// While there are files whose folder isn't known, each may lie in every folder that was remembered.
    told: Mutex<Told>,
}

impl Survey {
    fn unplaced(&self) -> usize {
        self.told().unplaced()
    }

    /// These files were found in a folder.
    fn place(&self, files: impl Iterator<Item = FileLink>) {
        // A file that can't be taken from the list stays unplaced: then folders are listed.
        if let Err(error) = self.told().place(files) {
            tracing::debug!("can't note where files were found: {error}");
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a listing of all files in as it comes.
struct Intake {
    names: Names,
    told: rusqlite::Result<Told>,
    /// How many files the listing has, readable or not.
    count: usize,
}

impl Extend<FileItem> for Intake {
    fn extend<T: IntoIterator<Item = FileItem>>(&mut self, items: T) {
        for item in items {
            self.count += 1;
            let file = known_file(&self.names, &item, None)
                .inspect_err(|error| tracing::error!(link = %item.link, "file left out: {error}"));
            if let Ok(told) = &mut self.told
                && let Ok(file) = file
                && let Err(error) = told.put(&file)
            {
                self.told = Err(error);
            }
        }
    }
}

impl Recall {
    pub(super) fn new(archive: Archive, usage: CatalogueUse, fast_list: bool) -> Self {
        Self { archive, usage, fast_list, began: SystemTime::now(), survey: OnceCell::new() }
    }

    /// Since when a listing counts as new: it was made in this run, or the service would give no newer one yet, which
    /// it does after `folder_gap`.
    fn new_since(&self, folder_gap: Duration) -> SystemTime {
        let within_gap = SystemTime::now().checked_sub(folder_gap).unwrap_or(SystemTime::UNIX_EPOCH);
        self.began.min(within_gap)
    }

    pub(super) fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Whether a listing of an earlier run may count in this one.
    fn counts(&self) -> bool {
        self.fast_list || matches!(self.usage, CatalogueUse::Trust(_))
    }

    /// These files were found in a folder.
    pub(super) fn place(&self, files: impl Iterator<Item = FileLink>) {
        if let Some(Some(survey)) = self.survey.get() {
            survey.place(files);
        }
    }
}

impl Tree {
    /// Whether something known may be older than this run.
    pub(super) fn recalls(&self) -> bool {
        self.recall.as_ref().is_some_and(Recall::counts)
    }

    /// Makes sure that the folder's contents are known, from this run or from an earlier one that counts;
    /// `path` is for errors.
    pub(super) async fn load(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        if self.catalogue().is_complete(folder) {
            return Ok(());
        }
        let since = match &self.recall {
            Some(recall) => self.since(recall).await,
            None => SystemTime::UNIX_EPOCH,
        };
        let _alone = self.lock(folder).await;
        if self.catalogue().is_complete(folder) {
            return Ok(());
        }
        let since = match &self.recall {
            Some(recall) if self.catalogue().is_doubted(folder) => recall.began,
            _ => since,
        };
        self.recollect_or_list(folder, path, since).await
    }

    /// Makes sure that the folder's contents are known and no older than `age`.
    pub(super) async fn load_aged(&self, folder: FolderId, path: &RemotePath, age: Freshness) -> Result<()> {
        let since = match age {
            Freshness::SinceStart => return self.load(folder, path).await,
            Freshness::Known => SystemTime::UNIX_EPOCH,
            Freshness::Within(age) => {
                // The service would give nothing newer.
                let age = age.max(self.client().folder_gap());
                SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
            }
        };
        self.load_unless(|known| known.is_complete_since(folder, since), folder, path, since).await
    }

    /// Takes the folder's contents from the memory, as far as they are from `since`, or lists it, unless it is known by
    /// then.
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
        // Somebody else may have listed it meanwhile.
        if is_known(&self.catalogue()) {
            return Ok(());
        }
        self.recollect_or_list(folder, path, since).await
    }

    /// Forgets what is known of the folders of a path: somebody else may have changed them.
    pub(super) fn forget(&self, path: &RemotePath) {
        for folder in self.known(path) {
            self.catalogue().forget(folder);
        }
    }

    /// Makes sure that the folder's contents are known from this run.
    pub(super) async fn load_anew(&self, folder: FolderId, path: &RemotePath) -> Result<()> {
        let since = self.recall.as_ref().map_or(SystemTime::UNIX_EPOCH, |recall| self.new_since(recall));
        self.load_unless(|known| known.is_seen(folder), folder, path, since).await
    }

    /// The folders of a path, they and all above them known from this run.
    pub(super) async fn see(&self, path: &RemotePath) -> Result<Vec<FolderId>> {
        let folders = self.walk(path, Sight::Now).await?;
        for folder in &folders {
            self.load_anew(*folder, path).await?;
        }
        Ok(folders)
    }

    /// As [`Tree::see`], where an earlier run's word may be outdated; else it costs nothing.
    pub(super) async fn see_if_recalled(&self, path: &RemotePath) -> Result<()> {
        if self.recalls() {
            self.see(path).await?;
        }
        Ok(())
    }

    /// Whether the file that was handed out is still where it was, under the same name. What isn't must be left
    /// alone: it is somebody's file elsewhere.
    pub(super) async fn is_in_place(&self, file: &File, link: &FileLink) -> Result<bool> {
        if !self.recalls() {
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
                Ok::<_, Lost>(found.or(catalogue.file(*folder, link)?.map(|known| known.name == name)))
            });
            // What is lost is listed again.
            if let Ok(here) = here {
                return Ok(here.unwrap_or(false));
            }
        }
    }

    /// A file that was handed out is gone from the service: what is known of its folder is wrong.
    pub(super) fn missed(&self, path: &RemotePath) {
        if !self.recalls() {
            return;
        }
        let Some(parent) = path.parent() else { return };
        for folder in self.known(&parent) {
            let mut catalogue = self.catalogue();
            catalogue.doubt(folder);
            // Nor shall later runs believe it.
            catalogue.expect_into(folder);
        }
    }

    fn new_since(&self, recall: &Recall) -> SystemTime {
        recall.new_since(self.client().folder_gap())
    }

    /// Since when a folder's listing counts.
    async fn since(&self, recall: &Recall) -> SystemTime {
        if recall.fast_list {
            let survey = recall.survey.get_or_init(|| self.survey(recall)).await;
            if survey.as_ref().is_some_and(|survey| survey.unplaced() == 0) {
                return SystemTime::UNIX_EPOCH;
            }
        }
        match recall.usage {
            CatalogueUse::Trust(None) => SystemTime::UNIX_EPOCH,
            CatalogueUse::Trust(Some(age)) => {
                let since = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
                since.min(self.new_since(recall))
            }
            CatalogueUse::Verify | CatalogueUse::Off => self.new_since(recall),
        }
    }

    async fn recollect_or_list(&self, folder: FolderId, path: &RemotePath, since: SystemTime) -> Result<()> {
        let Some(recall) = &self.recall else { return self.refresh(folder, path).await };
        // What was known before somebody said that it may have changed counts no more, unless the service would give
        // nothing newer.
        let forgotten = self.catalogue().forgotten_at(folder);
        let since = forgotten.map_or(since, |at| since.max(at.min(self.new_since(recall))));
        if self.recollect(recall, folder, since).await {
            return Ok(());
        }
        // Processes that want the same folder at the same time would wait 30 seconds for each other's listing.
        let listed_elsewhere = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                if self.recollect(recall, folder, self.new_since(recall)).await {
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

    /// Takes a folder's contents from the memory, if they are known since `since`.
    async fn recollect(&self, recall: &Recall, folder: FolderId, since: SystemTime) -> bool {
        let Some(known) = recall.archive.contents(folder, since).await else { return false };
        let Remembered { files, folders, listed } = known;
        tracing::debug!(%folder, files = files.len(), folders = folders.len(), "known without a listing");
        let mut catalogue = self.catalogue();
        if listed >= self.new_since(recall) {
            catalogue.take_listing(folder, files, folders);
        } else {
            catalogue.take_remembered(folder, files, folders);
        }
        catalogue.note_age(folder, listed);
        true
    }

    /// Lists all files of the account in one call and holds the memory against them; `None` when that can't be
    /// had. Then folders are listed.
    async fn survey(&self, recall: &Recall) -> Option<Survey> {
        if !recall.archive.knows_a_folder().await {
            tracing::info!("No directory is known from an earlier run: --fast-list lists directories");
            return None;
        }
        let asked = SystemTime::now();
        let begin = || Intake { names: *self.names(), told: recall.archive.begin_told(), count: 0 };
        let told = self.client().because("list all files").list_all_files(begin).await;
        self.remember();
        let (told, count) = match told {
            Ok(Intake { told: Ok(told), count, .. }) => (told, count),
            Ok(Intake { told: Err(error), .. }) => {
                recall.archive.complain(&error);
                return None;
            }
            Err(error) => {
                match error.kind() {
                    ErrorKind::TooSoon { remaining } => tracing::warn!(
                        "All files may be listed once an hour only, the next time in {} s: listing directories \
                         instead",
                        remaining.as_secs()
                    ),
                    _ => tracing::warn!("Can't list all files ({error}): listing directories instead"),
                }
                return None;
            }
        };
        if count == self.cap() {
            tracing::warn!(
                files = count,
                "The listing of all files may be cut off: listing directories instead"
            );
            return None;
        }
        let checked = recall.archive.check(told, asked).await?;
        let survey = Survey { told: Mutex::new(checked.told) };
        // Listing what isn't known yet is worth as many calls as it may save, no more.
        let mut saves =
            if matches!(recall.usage, CatalogueUse::Trust(_)) { 0 } else { checked.complete.len() };
        let mut open: VecDeque<_> = checked.incomplete.into();
        while saves > 0 && survey.unplaced() > 0 {
            let Some((folder, path)) = open.pop_front() else { break };
            saves -= 1;
            let _alone = self.lock(folder).await;
            match self.refresh(folder, &path).await {
                Ok(()) => {}
                Err(StorageError::FolderNotFound(_)) => continue,
                // Whoever needs the folder will be told.
                Err(_) => break,
            }
            let mut catalogue = self.catalogue();
            // It was listed just now; what can't be read again stays unplaced.
            survey.place(catalogue.files(folder).into_iter().flatten().map(|file| file.link));
            open.extend(
                catalogue
                    .sub_folders(folder)
                    .filter(|child| !checked.complete.contains(&child.id))
                    .map(|child| (child.id, path.join(&child.name))),
            );
        }
        let unplaced = survey.unplaced();
        if unplaced > 0 {
            tracing::info!(
                files = unplaced,
                "Files lie in directories that aren't known: listing directories"
            );
        }
        Some(survey)
    }
}
