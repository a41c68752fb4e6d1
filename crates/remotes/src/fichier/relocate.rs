//! Copies, moves and renames at the service: in lists, without any byte passing through this program.
//!
//! A list of files goes to one folder in one call; those that change their names too are renamed in a second one. Old
//! versions are removed after the new ones are there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use fichier_api::{
    ApiError, CopiedFile, CopyFiles, Endpoint, ErrorKind, FileLink, FolderId, MoveFiles, MovedFiles,
    Password, RenameFile,
};
use fichier_storage::{File, FileId, Name, Outcome, Relocation, RemotePath, StorageError};

use super::{
    FichierRemote,
    batches::{Listed, ShrinkingBatches, is_worth_a_look},
    catalogue::{KnownFile, Marks},
    confirm::{is_in_doubt, says_nothing},
    error::failed,
    link_of,
    reported::NotSeen,
};

/// What happens to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The source stays.
    Copy,
    /// The source is removed.
    Move,
}

/// Waits before each further search for copies whose answer was lost, in multiples of the time after which it is worth
/// while to look again: 3, 6, 12, 24 and 24 s. Listings lag by up to a minute (API document, section 2).
const COPIES_LOOKED_FOR_AFTER: [u32; 5] = [1, 2, 4, 8, 8];

/// Number of times in a run that copies are searched for so long although none was made. A service that makes none
/// isn't called again and again.
const MOST_LOOKS_IN_VAIN: u32 = 2;

/// A file that is being copied or moved.
#[derive(Debug, Clone)]
struct Step {
    /// Index of the file in the batch.
    index: usize,
    link: FileLink,
    /// Folder of the file, as far as that is known.
    source_folder: Option<FolderId>,
    known: KnownFile,
    name: Name,
    /// Password of the file, if it is someone's public file.
    password: Option<Password>,
    /// Number of times that the request was repeated.
    again: u32,
    /// Files of the new folder before the first request, if it was repeated.
    before: Option<Arc<HashSet<FileLink>>>,
}

/// A file that wasn't copied or moved.
struct Missed {
    error: Arc<ApiError>,
    /// Whether a look has shown that it surely isn't there, so that the request may be repeated.
    surely: bool,
    /// Place where it is instead, and from which it couldn't be removed.
    misplaced: Option<StorageError>,
}

impl Missed {
    fn new(error: &Arc<ApiError>, surely: bool) -> Self {
        Self { error: error.clone(), surely, misplaced: None }
    }
}

/// Result for each file of a list.
type Parts = Vec<Result<KnownFile, Missed>>;

impl FichierRemote {
    /// Copies files at the service.
    pub(super) async fn copy_files(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, Kind::Copy).await
    }

    /// Moves and renames files at the service.
    pub(super) async fn move_files(&self, batch: &[Relocation]) -> Vec<Outcome<File>> {
        self.relocate(batch, Kind::Move).await
    }

    async fn relocate(&self, batch: &[Relocation], kind: Kind) -> Vec<Outcome<File>> {
        let mut doubtful = HashSet::new();
        let outcomes = self.relocate_noted(batch, kind, &mut doubtful).await;
        let stay = outcomes.iter().zip(batch).enumerate().filter(|(index, (outcome, _))| match outcome {
            Outcome::Done(_) | Outcome::DoneBefore(_) => false,
            Outcome::Failed(StorageError::OldVersionStays { .. }) => false,
            Outcome::Failed(_) | Outcome::NotTried => !doubtful.contains(index),
        });
        let stay: Vec<FileLink> = stay
            .flat_map(|(_, (_, item))| item.replaces.iter().filter_map(|old| link_of(old).ok()))
            .collect();
        self.tree.forget_old_versions(&stay);
        outcomes
    }

    /// Relocates files, and records what they replace before it is removed. `doubtful` collects the indexes of files
    /// that may have been relocated, whatever was answered.
    async fn relocate_noted(
        &self,
        batch: &[Relocation],
        kind: Kind,
        doubtful: &mut HashSet<usize>,
    ) -> Vec<Outcome<File>> {
        let mut outcomes: Vec<Outcome<File>> = batch.iter().map(|_| Outcome::NotTried).collect();
        // Files with passwords of their own go in lists of their own: a call has one password.
        let mut by_folder: BTreeMap<(RemotePath, Option<String>), Vec<Step>> = BTreeMap::new();
        let touched: Vec<&File> =
            batch.iter().flat_map(|item| item.replaces.iter().chain([&item.from])).collect();
        let unseen = self.see_reported(&touched).await;
        let corrected = with_own_links(batch, &unseen);
        let batch = corrected.as_deref().unwrap_or(batch);
        for (index, item) in batch.iter().enumerate() {
            if let Some(error) = not_seen(item, &unseen) {
                outcomes[index] = Outcome::Failed(error);
                continue;
            }
            if kind == Kind::Move
                && let Err(error) = self.expect_source(item).await
            {
                outcomes[index] = Outcome::Failed(error);
                continue;
            }
            match self.step(index, item) {
                Ok((folder, step)) => {
                    let password = step.password.as_ref().map(|password| password.reveal().to_owned());
                    by_folder.entry((folder, password)).or_default().push(step);
                }
                Err(error) => outcomes[index] = Outcome::Failed(error),
            }
        }
        // Someone's public file may be known only from others, so later runs list its folder themselves.
        let mut hearsay = HashSet::new();
        for ((folder, _), steps) in by_folder {
            let (id, meanwhile) = match self.tree.ensure_to_fill(&folder).await {
                Ok(ensured) => ensured,
                Err(error) => {
                    outcomes[steps[0].index] = Outcome::Failed(error);
                    continue;
                }
            };
            let mut steps = steps;
            steps.retain(|step| match self.tree.unread_at(&folder, &folder.join(&step.name)) {
                Some(error) => {
                    outcomes[step.index] = Outcome::Failed(error);
                    false
                }
                None => true,
            });
            if meanwhile && kind == Kind::Copy {
                // Files that someone else has copied there since the run looked aren't copied again.
                steps.retain(|step| {
                    let content = step.known.whirlpool;
                    let there = self.tree.namesake(id, &step.name, content);
                    let same = there.filter(|there| content.is_some() && there.whirlpool == content);
                    let Some(same) = same else { return true };
                    outcomes[step.index] =
                        Outcome::DoneBefore(self.tree.as_file(&same, batch[step.index].to.clone()));
                    false
                });
            }
            let mut lists = ShrinkingBatches::new(steps, &self.tree.lists);
            while let Some(part) = lists.next() {
                self.tree.catalogue().expect_into(id);
                self.tree.note_old_versions(&replaced(batch, &part, kind));
                let before = match kind {
                    Kind::Copy => self.tree.catalogue().links(id).ok().map(Arc::new),
                    Kind::Move => None,
                };
                let result = match kind {
                    Kind::Copy => self.copy_part(id, &folder, &part).await,
                    Kind::Move => self.move_part(id, &folder, &part).await,
                };
                if part.iter().any(|step| step.source_folder.is_none() && step.known.whirlpool.is_none()) {
                    hearsay.insert(id);
                }
                if !hearsay.contains(&id) && !matches!(&result, Err(error) if error.maybe_done()) {
                    self.tree.catalogue().arrived_in(id);
                }
                match result {
                    Ok(done) => {
                        lists.taken(part.len());
                        let mut old = Vec::new();
                        let mut again = Vec::new();
                        let mut doubled = Vec::new();
                        for (step, file) in part.into_iter().zip(done) {
                            let item = &batch[step.index];
                            outcomes[step.index] = match file {
                                Ok(file) => {
                                    let stays = file.link;
                                    let others =
                                        item.replaces.iter().filter(|old| link_of(old).ok() != Some(stays));
                                    old.extend(others.map(|old| (step.index, old.clone())));
                                    if step.before.is_some() {
                                        doubled.push((step.clone(), file.clone()));
                                    }
                                    Outcome::Done(self.tree.as_file(&file, item.to.clone()))
                                }
                                Err(missed) if missed.surely && step.again < self.asked_again() => {
                                    tracing::info!(path = %item.from.path, "Not done ({}): trying again", missed.error);
                                    let before = step.before.clone().or_else(|| before.clone());
                                    again.push(Step { again: step.again + 1, before, ..step });
                                    continue;
                                }
                                Err(Missed { misplaced: Some(error), .. }) => Outcome::Failed(error),
                                Err(missed) => {
                                    if !missed.surely {
                                        doubtful.insert(step.index);
                                    }
                                    Outcome::Failed(failed(verb(kind), &item.from.path, missed.error))
                                }
                            };
                        }
                        lists.left_over(again);
                        old.extend(self.copied_twice(id, &folder, doubled).await);
                        for (index, error) in self.remove_replaced(old).await {
                            outcomes[index] = Outcome::Failed(error);
                        }
                    }
                    Err(error) => {
                        // A copy that may have been made isn't made again.
                        let lost = kind == Kind::Copy && error.maybe_done();
                        // When a file is called missing, the list isn't sent again and again to find out which: many
                        // refusals bring a ban.
                        let part = if error.is_not_found() && !lost && part.len() > 1 {
                            let (missing, left) = self.part_missing(batch, part).await;
                            for step in &missing {
                                let path = &batch[step.index].from.path;
                                self.tree.missed(path);
                                outcomes[step.index] =
                                    Outcome::Failed(StorageError::FileNotFound(path.clone()));
                            }
                            if !missing.is_empty() {
                                lists.left_over(left);
                                continue;
                            }
                            left
                        } else {
                            part
                        };
                        let part = if lost { Some(part) } else { lists.refused(part, error.kind()) };
                        let Some(part) = part else { continue };
                        if error.maybe_done() {
                            doubtful.extend(part.iter().map(|step| step.index));
                        }
                        let error = Arc::new(error);
                        for step in &part {
                            let item = &batch[step.index];
                            if error.is_not_found() {
                                self.tree.missed(&item.from.path);
                            }
                            outcomes[step.index] = Outcome::Failed(if error.is_not_found() {
                                StorageError::FileNotFound(item.from.path.clone())
                            } else {
                                failed(verb(kind), &item.from.path, error.clone())
                            });
                        }
                        if error.is_fatal() {
                            return outcomes;
                        }
                    }
                }
            }
        }
        outcomes
    }

    /// Splits a list of which a file is missing: those that listing their folders doesn't show, and the rest. All of
    /// them are the rest where listing isn't possible, or would take too many calls.
    async fn part_missing(&self, batch: &[Relocation], part: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
        let mut folders = BTreeMap::new();
        for step in &part {
            if let (Some(folder), Some(parent)) = (step.source_folder, batch[step.index].from.path.parent()) {
                folders.insert(folder, parent);
            }
        }
        if !is_worth_a_look(folders.len(), part.len(), true) {
            return (Vec::new(), part);
        }
        for (folder, path) in &folders {
            if let Err(error) = self.tree.refresh(*folder, path).await {
                tracing::debug!(path = %path, "can't look which files are missing: {error}");
                return (Vec::new(), part);
            }
        }
        let mut catalogue = self.tree.catalogue();
        part.into_iter().partition(|step| {
            step.source_folder.is_some_and(|folder| matches!(catalogue.file(folder, &step.link), Ok(None)))
        })
    }

    /// Makes sure that a file which is to be moved is still where an earlier run knew it.
    async fn expect_source(&self, item: &Relocation) -> Result<(), StorageError> {
        if self.tree.is_in_place(&item.from, &link_of(&item.from)?).await? {
            Ok(())
        } else {
            Err(StorageError::FileNotFound(item.from.path.clone()))
        }
    }

    fn step(&self, index: usize, item: &Relocation) -> Result<(RemotePath, Step), StorageError> {
        let (Some(folder), Some(name), Some(parent)) =
            (item.to.parent(), item.to.name(), item.from.path.parent())
        else {
            return Err(StorageError::IsAFolder(item.to.clone()));
        };
        let link = link_of(&item.from)?;
        // No call is needed here: the code that returned the file has listed its folder.
        let folders = self.tree.known(&parent);
        let mut catalogue = self.tree.catalogue();
        // Where that is lost, what was returned has to do.
        let source_folder = catalogue.folder_of(&folders, &link).unwrap_or_default();
        let known = source_folder.and_then(|folder| catalogue.file(folder, &link).ok()?.cloned());
        drop(catalogue);
        let Some(from_name) = item.from.path.name() else {
            return Err(StorageError::IsAFolder(item.from.path.clone()));
        };
        let known = known.or_else(|| self.public.file(link)).unwrap_or_else(|| KnownFile {
            link,
            name: from_name,
            size: item.from.size,
            whirlpool: item.from.whirlpool,
            date: item.from.modified.map(|shown| self.tree.dates.known(shown)),
            media_type: item.from.media_type.clone(),
            stands_for_empty: false,
            marks: Marks::default(),
            reported: false,
        });
        let password = self.public.password(link);
        Ok((folder, Step { index, link, source_folder, known, name, password, again: 0, before: None }))
    }

    /// Returns the stored name that a file is to have.
    fn stored(&self, step: &Step) -> String {
        let names = self.tree.names();
        if step.known.stands_for_empty { names.encode_stand_in(&step.name) } else { names.encode(&step.name) }
    }

    async fn copy_part(&self, to: FolderId, folder: &RemotePath, part: &[Step]) -> Result<Parts, ApiError> {
        let links = part.iter().map(|step| step.link).collect();
        let single = part.len() == 1;
        let rename = (single && part[0].known.name != part[0].name).then(|| self.stored(&part[0]));
        let renamed_on_the_way = rename.is_some();
        let own = part.first().and_then(|step| step.password.clone());
        let pass = own.or_else(|| self.options.file_password.clone());
        let request = CopyFiles { links, to, sharing_user: None, pass, rename };
        // Files that are there now aren't copies that are made now.
        let before = self.tree.catalogue().links(to).unwrap_or_default();
        let (told, doubt) = match self.client.copy_files(&request).await {
            Ok(copied) => {
                let what = "it doesn't name the copy, and the directory holds none";
                (copied.links, ApiError::unconfirmed(Endpoint::FileCp, what))
            }
            Err(error) if error.maybe_done() || self.refusal_is_in_doubt(part, &error) => (Vec::new(), error),
            Err(error) => return Err(error),
        };
        let mut copies: Vec<_> = part.iter().map(|step| self.told_copy(step, &told, &before)).collect();
        if renamed_on_the_way {
            copies.iter_mut().flatten().for_each(|copy| copy.name = part[0].name.clone());
        }
        for copy in copies.iter().flatten() {
            self.tree.catalogue().note_file(to, copy.clone());
        }
        let mut surely = true;
        if copies.iter().any(Option::is_none) {
            let patient = told.is_empty()
                && doubt.maybe_done()
                && self.looks_in_vain.load(Ordering::Relaxed) < MOST_LOOKS_IN_VAIN;
            surely = self.find_copies(to, folder, part, patient, &mut copies).await;
            if !surely {
                self.tree.catalogue().expect_into(to);
                if told.is_empty() {
                    return Err(doubt);
                }
            } else if !doubt.maybe_done() && copies.iter().all(Option::is_none) {
                // The refusal counts, and so will others of lists.
                if !single {
                    self.refuses_whole_lists.store(true, Ordering::Relaxed);
                }
                return Err(doubt);
            }
        }
        let doubt = Arc::new(doubt);
        let mut done: Parts = Vec::new();
        let mut renames = Vec::new();
        for (step, copy) in part.iter().zip(copies) {
            let Some(copy) = copy else {
                done.push(Err(Missed::new(&doubt, surely)));
                continue;
            };
            if copy.name != step.name {
                renames.push(RenameFile { link: copy.link, filename: self.stored(step) });
            }
            let file = KnownFile { name: step.name.clone(), ..copy };
            self.tree.catalogue().note_file(to, file.clone());
            done.push(Ok(file));
        }
        let failed = self.rename_all(renames).await;
        let mut nameless = Vec::new();
        for (number, (step, result)) in part.iter().zip(&mut done).enumerate() {
            if let Ok(file) = result
                && let Some(error) = failed.get(&file.link)
            {
                // The copy was made, but couldn't be renamed: it has the old name.
                let file = KnownFile { name: step.known.name.clone(), ..file.clone() };
                self.tree.catalogue().note_file(to, file.clone());
                nameless.push((number, self.tree.as_file(&file, folder.join(&step.known.name))));
                *result = Err(Missed::new(error, false));
            }
        }
        for (number, misplaced) in self.take_away(nameless).await {
            if let Err(missed) = &mut done[number] {
                missed.misplaced = Some(misplaced);
            }
        }
        Ok(done)
    }

    /// Removes copies of ours that couldn't be renamed. Returns those that stay.
    async fn take_away(&self, copies: Vec<(usize, File)>) -> Vec<(usize, StorageError)> {
        let (numbers, files): (Vec<_>, Vec<_>) = copies.into_iter().unzip();
        let mut stay = Vec::new();
        for ((number, file), outcome) in numbers.into_iter().zip(&files).zip(self.remove_files(&files).await)
        {
            if let Err(error) = outcome.into_result() {
                let path = file.path.clone();
                stay.push((number, StorageError::Misplaced { path, cause: Box::new(error) }));
            }
        }
        stay
    }

    /// Moves files back that were moved to another folder and couldn't be renamed there. Returns those that stay, by
    /// their links.
    async fn move_back(
        &self,
        to: FolderId,
        folder: &RemotePath,
        steps: &[&Step],
    ) -> HashMap<FileLink, StorageError> {
        let mut by_source: BTreeMap<Option<FolderId>, Vec<&Step>> = BTreeMap::new();
        for step in steps {
            by_source.entry(step.source_folder).or_default().push(step);
        }
        let mut stay = HashMap::new();
        for (source, steps) in by_source {
            let links: Vec<_> = steps.iter().map(|step| step.link).collect();
            let mut error = None;
            let mut back = HashSet::new();
            if let Some(source) = source {
                let request =
                    MoveFiles { links: links.clone(), to: source, destination_user: None, rename: None };
                back = match self.client.move_files(&request).await {
                    Ok(answer) => self.moved(&links, &answer, source, folder).await,
                    Err(refusal) => {
                        error = Some(Arc::new(refusal));
                        self.lie_in(&links, source).await
                    }
                };
                let mut catalogue = self.tree.catalogue();
                for step in steps.iter().filter(|step| back.contains(&step.link)) {
                    catalogue.note_file_gone(to, step.link);
                    catalogue.note_file(source, step.known.clone());
                }
            }
            let why = error.unwrap_or_else(|| {
                Arc::new(ApiError::unconfirmed(Endpoint::FileMv, "it isn't known to be back where it was"))
            });
            for step in steps.iter().filter(|step| !back.contains(&step.link)) {
                let path = folder.join(&step.known.name);
                let cause = Box::new(failed("move back", &path, why.clone()));
                stay.insert(step.link, StorageError::Misplaced { path, cause });
            }
        }
        stay
    }

    /// Checks whether to search for a copy that was refused. It may have been made, or a part of a list: repeating the
    /// request would double that. A file that doesn't exist has no copy, and where one look has shown that a refused
    /// list is refused as a whole, others are.
    fn refusal_is_in_doubt(&self, part: &[Step], error: &ApiError) -> bool {
        match part.len() {
            1 => {
                is_in_doubt(error)
                    && !matches!(error.kind(), ErrorKind::NotFound { .. } | ErrorKind::NotAllowed { .. })
            }
            _ => is_in_doubt(error) && !self.refuses_whole_lists.load(Ordering::Relaxed),
        }
    }

    /// Returns the copy that an answer names for a file. A link that was known before is no copy.
    fn told_copy(&self, step: &Step, told: &[CopiedFile], before: &HashSet<FileLink>) -> Option<KnownFile> {
        let copy = told.iter().find(|copy| copy.from_url == step.link)?;
        let is_new = copy.to_url != step.link && !before.contains(&copy.to_url);
        is_new.then(|| KnownFile {
            link: copy.to_url,
            date: Some(self.tree.dates.written(SystemTime::now())),
            // What the owner has set isn't copied.
            marks: Marks::default(),
            reported: true,
            ..step.known.clone()
        })
    }

    /// Searches for copies that no answer names: a file that the folder has now and didn't have before, with the same
    /// name and checksum, is the copy. Returns whether the folder could be listed; if `patient`, looks for as long as
    /// listings lag.
    async fn find_copies(
        &self,
        to: FolderId,
        folder: &RemotePath,
        part: &[Step],
        patient: bool,
        copies: &mut [Option<KnownFile>],
    ) -> bool {
        let Ok(before) = self.tree.catalogue().links(to) else { return false };
        let mut waits = COPIES_LOOKED_FOR_AFTER.iter().filter(|_| patient);
        loop {
            if self.tree.refresh(to, folder).await.is_err() {
                return false;
            }
            let Ok(mut new) = self.tree.catalogue().files_but(to, &before) else { return false };
            new.retain(|file| !copies.iter().flatten().any(|copy| copy.link == file.link));
            for (step, copy) in part.iter().zip(&mut *copies).filter(|(_, copy)| copy.is_none()) {
                let place = new.iter().position(|file| {
                    // The checksum of someone's public file may not be known.
                    let same = match step.known.whirlpool {
                        None => step.source_folder.is_none() && file.size == step.known.size,
                        known => file.whirlpool == known,
                    };
                    (file.name == step.name || file.name == step.known.name) && same
                });
                *copy = place.map(|place| new.swap_remove(place));
            }
            // A list that was carried out in part won't grow: once some of it are seen, the lag is over.
            if copies.iter().any(Option::is_some) {
                return true;
            }
            let Some(wait) = waits.next() else {
                if patient {
                    self.looks_in_vain.fetch_add(1, Ordering::Relaxed);
                }
                return true;
            };
            let rested = self.client.rest(Endpoint::FolderLs, self.client.look_again_after() * *wait).await;
            if rested.is_err() {
                return false;
            }
        }
    }

    /// Returns duplicates of files that were copied again since the first copies hadn't been seen. They are removed.
    async fn copied_twice(
        &self,
        to: FolderId,
        folder: &RemotePath,
        copied: Vec<(Step, KnownFile)>,
    ) -> Vec<(usize, File)> {
        if copied.is_empty() || self.tree.refresh(to, folder).await.is_err() {
            return Vec::new();
        }
        let mut double = Vec::new();
        for (step, file) in copied {
            let Some(before) = &step.before else { continue };
            let Ok(new) = self.tree.catalogue().files_but(to, before) else { continue };
            let same = new.into_iter().filter(|other| {
                other.link != file.link
                    && other.name == file.name
                    && other.whirlpool.is_some()
                    && other.whirlpool == file.whirlpool
            });
            for other in same {
                let path = folder.join(&other.name);
                tracing::warn!(path = %path, "A copy was made after all when it was asked for again: removing it");
                double.push((step.index, self.tree.as_file(&other, path)));
            }
        }
        double
    }

    async fn move_part(&self, to: FolderId, folder: &RemotePath, part: &[Step]) -> Result<Parts, ApiError> {
        let moving: Vec<&Step> = part.iter().filter(|step| step.source_folder != Some(to)).collect();
        let renaming: Vec<&Step> = part.iter().filter(|step| step.known.name != step.name).collect();
        let mut renamed_on_the_way = false;
        let mut moved = HashSet::new();
        let what = "it doesn't say that the file was moved, and the file isn't in the directory";
        let mut doubt = ApiError::unconfirmed(Endpoint::FileMv, what);
        if !moving.is_empty() {
            let rename = match (&moving[..], part.len(), renaming.len()) {
                ([only], 1, 1) => Some(self.stored(only)),
                _ => None,
            };
            renamed_on_the_way = rename.is_some();
            let links: Vec<_> = moving.iter().map(|step| step.link).collect();
            let request = MoveFiles { links: links.clone(), to, destination_user: None, rename };
            let told;
            moved = match self.client.move_files(&request).await {
                Ok(answer) => {
                    told = links.iter().all(|link| answer.links.contains(link));
                    self.moved(&links, &answer, to, folder).await
                }
                // A move without an answer, or a refused one, may have been made all the same.
                Err(error) if error.maybe_done() || is_in_doubt(&error) => {
                    told = false;
                    let gone = error.is_not_found() && !error.maybe_done();
                    let moved = match (gone, error.maybe_done()) {
                        (true, _) => HashSet::new(),
                        (_, true) => self.moved(&links, &MovedFiles::default(), to, folder).await,
                        (_, false) => self.lie_in(&links, to).await,
                    };
                    let silent =
                        matches!(error.kind(), ErrorKind::InvalidJson { .. } | ErrorKind::Unconfirmed { .. });
                    // A file that the service calls missing was listed a moment ago.
                    let is_there = gone && links.len() == 1 && self.is_there(links[0]).await;
                    if moved.is_empty() && !silent && !is_there {
                        return Err(error);
                    }
                    doubt = error;
                    moved
                }
                Err(error) => return Err(error),
            };
            if let (true, false, [only]) = (renamed_on_the_way, told, &moving[..]) {
                let name = self.stored(only);
                renamed_on_the_way = moved.contains(&only.link) && self.is_called(only.link, &name).await;
            }
        }
        let doubt = Arc::new(doubt);
        let stayed = |step: &Step| step.source_folder != Some(to) && !moved.contains(&step.link);
        for step in moving.iter().filter(|step| !stayed(step)) {
            let mut catalogue = self.tree.catalogue();
            if let Some(folder) = step.source_folder {
                catalogue.note_file_gone(folder, step.link);
            }
            catalogue.note_file(to, step.known.clone());
        }
        let renames: Vec<RenameFile> = if renamed_on_the_way {
            Vec::new()
        } else {
            let renaming = renaming.iter().filter(|step| !stayed(step));
            renaming.map(|step| RenameFile { link: step.link, filename: self.stored(step) }).collect()
        };
        let mut done: Parts = Vec::new();
        let failed = self.rename_all(renames).await;
        let nameless: Vec<&Step> =
            moving.iter().filter(|step| !stayed(step) && failed.contains_key(&step.link)).copied().collect();
        let mut misplaced =
            if nameless.is_empty() { HashMap::new() } else { self.move_back(to, folder, &nameless).await };
        for step in part {
            if stayed(step) {
                // Moving a file twice does no harm.
                done.push(Err(Missed::new(&doubt, true)));
                continue;
            }
            if let Some(error) = failed.get(&step.link) {
                let misplaced = misplaced.remove(&step.link);
                done.push(Err(Missed { misplaced, ..Missed::new(error, false) }));
                continue;
            }
            let file = KnownFile { name: step.name.clone(), ..step.known.clone() };
            self.tree.catalogue().note_file(to, file.clone());
            done.push(Ok(file));
        }
        Ok(done)
    }

    /// Renames files. Returns those that couldn't be renamed.
    pub(super) async fn rename_all(&self, renames: Vec<RenameFile>) -> HashMap<FileLink, Arc<ApiError>> {
        let mut failed = HashMap::new();
        let mut lists = ShrinkingBatches::new(renames, &self.tree.lists);
        let mut again = self.asked_again();
        while let Some(list) = lists.next() {
            let (list, told, error) = match self.client.rename_files(&list).await {
                Ok(answer) => (list, answer.files, None),
                // It has the name already (API document, section 3).
                Err(error)
                    if list.len() == 1
                        && matches!(error.kind(), ErrorKind::Refused { number: Some(312), .. }) =>
                {
                    lists.taken(1);
                    continue;
                }
                Err(error) if says_nothing(&error) => (list, Vec::new(), Some(Arc::new(error))),
                Err(error) => {
                    let Some(list) = lists.refused(list, error.kind()) else { continue };
                    let (looks, missing) = (is_in_doubt(&error), error.is_not_found());
                    let error = Arc::new(error);
                    let mut there = Vec::new();
                    for rename in list {
                        let seen = if looks { self.look_up(rename.link).await.ok().flatten() } else { None };
                        match seen.map(|info| info.filename.as_deref() == Some(rename.filename.as_str())) {
                            Some(true) => {}
                            // It was called missing, and it is there under its old name.
                            Some(false) if missing && again > 0 => there.push(rename),
                            _ => drop(failed.insert(rename.link, error.clone())),
                        }
                    }
                    again -= u32::from(!there.is_empty());
                    lists.left_over(there);
                    continue;
                }
            };
            lists.taken(list.len());
            let mut silent = Vec::new();
            for rename in list {
                let told = told.iter().find(|file| file.link == rename.link);
                let name = told.and_then(|file| file.new_filename.as_deref());
                match (told, name) {
                    (Some(_), None) => {}
                    (Some(_), Some(name)) if name == rename.filename => {}
                    (Some(_), Some(name)) => {
                        let what = format!("the service calls the file {name:?}");
                        let error = ApiError::unconfirmed(Endpoint::FileRename, what);
                        failed.insert(rename.link, Arc::new(error));
                    }
                    (None, _) if self.is_called(rename.link, &rename.filename).await => {}
                    (None, _) => silent.push(rename),
                }
            }
            // If a look has shown that a file doesn't have its new name, the rename can be repeated.
            if again > 0 && !silent.is_empty() {
                again -= 1;
                lists.left_over(silent);
                continue;
            }
            for rename in silent {
                let unconfirmed = || {
                    let what = "it doesn't say that the file was renamed";
                    Arc::new(ApiError::unconfirmed(Endpoint::FileRename, what))
                };
                failed.insert(rename.link, error.clone().unwrap_or_else(unconfirmed));
            }
        }
        failed
    }
}

impl Listed for Step {
    fn link(&self) -> FileLink {
        self.link
    }
}

impl Listed for RenameFile {
    fn link(&self) -> FileLink {
        self.link
    }
}

/// Returns the old versions that are removed when these files are in their places. A file that is moved there is known
/// before.
fn replaced(batch: &[Relocation], part: &[Step], kind: Kind) -> Vec<(FileLink, Option<FileLink>)> {
    let of_step = |step: &Step| {
        let (link, new) = (step.link, (kind == Kind::Move).then_some(step.link));
        let old = batch[step.index].replaces.iter().filter_map(|old| link_of(old).ok());
        old.filter(move |old| *old != link || kind == Kind::Copy)
            .map(move |old| (old, new))
            .collect::<Vec<_>>()
    };
    part.iter().flat_map(of_step).collect()
}

/// Returns the items with the links of the files that were meant, where reports told other ones.
fn with_own_links(batch: &[Relocation], unseen: &HashMap<FileLink, NotSeen>) -> Option<Vec<Relocation>> {
    unseen.values().find_map(NotSeen::own_link)?;
    let correct = |file: &mut File| {
        let own = link_of(file).ok().and_then(|link| unseen.get(&link)?.own_link());
        if let Some(own) = own {
            file.id = Some(FileId::new(own.to_string()));
        }
    };
    let mut corrected = batch.to_vec();
    for item in &mut corrected {
        correct(&mut item.from);
        item.replaces.iter_mut().for_each(correct);
    }
    Some(corrected)
}

/// Returns why a file can't be copied or moved where its link, or one that it is to replace, wasn't seen to be its own.
fn not_seen(item: &Relocation, unseen: &HashMap<FileLink, NotSeen>) -> Option<StorageError> {
    let problem = |file: &File| unseen.get(&link_of(file).ok()?);
    let gone = || StorageError::FileNotFound(item.from.path.clone());
    let of_source = problem(&item.from).map(|problem| problem.error().unwrap_or_else(gone));
    // What is gone needn't be replaced.
    of_source.or_else(|| item.replaces.iter().filter_map(problem).find_map(NotSeen::error))
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Copy => "copy",
        Kind::Move => "move",
    }
}
