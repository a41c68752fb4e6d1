//! Copies, moves and renames at the service: in lists, no byte through this program.
//!
//! A list of files goes to one folder in one call; those that change their names too are renamed in a second
//! one. Old versions go after the new ones are there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::SystemTime,
};

use fichier_api::{
    ApiError, CopiedFile, CopyFiles, Endpoint, ErrorKind, FileLink, FolderId, MoveFiles, MovedFiles,
    RenameFile,
};
use fichier_storage::{File, Name, Outcome, Relocation, RemotePath, StorageError};

use super::{
    FichierRemote,
    catalogue::KnownFile,
    confirm::says_nothing,
    error::failed,
    link_of,
    lists::{Listed, Lists},
    tree::as_file,
};

/// What becomes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It stays.
    Copy,
    /// It goes.
    Move,
}

/// A file on its way.
#[derive(Debug, Clone)]
struct Step {
    /// Its place in the batch.
    index: usize,
    link: FileLink,
    /// Where it lies, as far as that is known.
    source_folder: Option<FolderId>,
    known: KnownFile,
    name: Name,
}

impl FichierRemote {
    pub(super) async fn relocate(&self, batch: &[Relocation], kind: Kind) -> Vec<Outcome<File>> {
        let mut outcomes: Vec<Outcome<File>> = batch.iter().map(|_| Outcome::NotTried).collect();
        let mut by_folder: BTreeMap<RemotePath, Vec<Step>> = BTreeMap::new();
        for (index, item) in batch.iter().enumerate() {
            if kind == Kind::Move
                && let Err(error) = self.expect_source(item).await
            {
                outcomes[index] = Outcome::Failed(error);
                continue;
            }
            match self.step(index, item) {
                Ok((folder, step)) => by_folder.entry(folder).or_default().push(step),
                Err(error) => outcomes[index] = Outcome::Failed(error),
            }
        }
        for (folder, steps) in by_folder {
            let id = match self.tree.ensure(&folder).await {
                Ok((id, _)) => id,
                Err(error) => {
                    outcomes[steps[0].index] = Outcome::Failed(error);
                    continue;
                }
            };
            let mut lists = Lists::new(steps, &self.tree.lists);
            while let Some(part) = lists.next() {
                self.tree.catalogue().expect_into(id);
                let result = match kind {
                    Kind::Copy => self.copy_part(id, &folder, &part).await,
                    Kind::Move => self.move_part(id, &folder, &part).await,
                };
                if !matches!(&result, Err(error) if error.maybe_done()) {
                    self.tree.catalogue().arrived_in(id);
                }
                match result {
                    Ok(done) => {
                        lists.taken(part.len());
                        let mut old = Vec::new();
                        for (step, file) in part.iter().zip(done) {
                            let item = &batch[step.index];
                            outcomes[step.index] = match file {
                                Ok(file) => {
                                    let stays = file.link;
                                    let others =
                                        item.replaces.iter().filter(|old| link_of(old).ok() != Some(stays));
                                    old.extend(others.map(|old| (step.index, old.clone())));
                                    Outcome::Done(as_file(&file, item.to.clone()))
                                }
                                Err(error) => Outcome::Failed(failed(verb(kind), &item.from.path, error)),
                            };
                        }
                        for (index, error) in self.remove_replaced(old).await {
                            outcomes[index] = Outcome::Failed(error);
                        }
                    }
                    Err(error) => {
                        // A copy that may have been made isn't made again.
                        let lost = kind == Kind::Copy && error.maybe_done();
                        let part = if lost { Some(part) } else { lists.refused(part, error.kind()) };
                        let Some(part) = part else { continue };
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

    /// Sees to it that a file which is to go elsewhere is still where an earlier run knew it.
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
        // No call here: what handed out the file has listed its folder.
        let folders = self.tree.known(&parent);
        let mut catalogue = self.tree.catalogue();
        // Where that is lost, what was handed out has to do.
        let source_folder = catalogue.folder_of(&folders, &link).unwrap_or_default();
        let known = source_folder.and_then(|folder| catalogue.file(folder, &link).ok()?.cloned());
        drop(catalogue);
        let Some(from_name) = item.from.path.name() else {
            return Err(StorageError::IsAFolder(item.from.path.clone()));
        };
        let known = known.unwrap_or_else(|| KnownFile {
            link,
            name: from_name,
            size: item.from.size,
            whirlpool: item.from.whirlpool,
            date: item.from.modified,
            media_type: item.from.media_type.clone(),
            stands_for_empty: false,
        });
        Ok((folder, Step { index, link, source_folder, known, name }))
    }

    /// The stored name that a file is to bear.
    fn stored(&self, step: &Step) -> String {
        let names = self.tree.names();
        if step.known.stands_for_empty { names.encode_stand_in(&step.name) } else { names.encode(&step.name) }
    }

    async fn copy_part(
        &self,
        to: FolderId,
        folder: &RemotePath,
        part: &[Step],
    ) -> Result<Vec<Result<KnownFile, Arc<ApiError>>>, ApiError> {
        let links = part.iter().map(|step| step.link).collect();
        let single = part.len() == 1;
        let rename = (single && part[0].known.name != part[0].name).then(|| self.stored(&part[0]));
        let renamed_on_the_way = rename.is_some();
        let request =
            CopyFiles { links, to, sharing_user: None, pass: self.options.file_password.clone(), rename };
        // What lies there now is no copy that is made now.
        let before = self.tree.catalogue().links(to).unwrap_or_default();
        let (told, doubt) = match self.client.copy_files(&request).await {
            Ok(copied) => {
                let what = "it doesn't name the copy, and the directory holds none";
                (copied.links, ApiError::unconfirmed(Endpoint::FileCp, what))
            }
            Err(error) if error.maybe_done() => (Vec::new(), error),
            Err(error) => return Err(error),
        };
        let mut copies: Vec<_> = part.iter().map(|step| self.told_copy(step, &told, &before)).collect();
        if renamed_on_the_way {
            copies.iter_mut().flatten().for_each(|copy| copy.name = part[0].name.clone());
        }
        for copy in copies.iter().flatten() {
            self.tree.catalogue().note_file(to, copy.clone());
        }
        if copies.iter().any(Option::is_none) && !self.find_copies(to, folder, part, &mut copies).await {
            self.tree.catalogue().expect_into(to);
            if told.is_empty() {
                return Err(doubt);
            }
        }
        let doubt = Arc::new(doubt);
        let mut done: Vec<Result<KnownFile, Arc<ApiError>>> = Vec::new();
        let mut renames = Vec::new();
        for (step, copy) in part.iter().zip(copies) {
            let Some(copy) = copy else {
                done.push(Err(doubt.clone()));
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
        for (step, result) in part.iter().zip(&mut done) {
            if let Ok(file) = result
                && let Some(error) = failed.get(&file.link)
            {
                // The copy was made, but couldn't be given its name: it stands under the old one.
                let file = KnownFile { name: step.known.name.clone(), ..file.clone() };
                self.tree.catalogue().note_file(to, file);
                *result = Err(error.clone());
            }
        }
        Ok(done)
    }

    /// The copy that an answer names for a file. A link that was known before is no copy.
    #[expect(clippy::unused_self, reason = "beside what looks for the others")]
    fn told_copy(&self, step: &Step, told: &[CopiedFile], before: &HashSet<FileLink>) -> Option<KnownFile> {
        let copy = told.iter().find(|copy| copy.from_url == step.link)?;
        let is_new = copy.to_url != step.link && !before.contains(&copy.to_url);
        is_new.then(|| KnownFile { link: copy.to_url, date: Some(SystemTime::now()), ..step.known.clone() })
    }

    /// Looks for copies that no answer names: what the folder holds now and didn't before, of the same name and
    /// checksum, is the copy. Answers whether the folder could be looked at.
    async fn find_copies(
        &self,
        to: FolderId,
        folder: &RemotePath,
        part: &[Step],
        copies: &mut [Option<KnownFile>],
    ) -> bool {
        let Ok(before) = self.tree.catalogue().links(to) else { return false };
        if self.tree.refresh(to, folder).await.is_err() {
            return false;
        }
        let Ok(mut new) = self.tree.catalogue().files_but(to, &before) else { return false };
        for (step, copy) in part.iter().zip(copies) {
            if copy.is_some() {
                continue;
            }
            let place = new.iter().position(|file| {
                (file.name == step.name || file.name == step.known.name)
                    && file.whirlpool.is_some()
                    && file.whirlpool == step.known.whirlpool
            });
            *copy = place.map(|place| new.swap_remove(place));
        }
        true
    }

    async fn move_part(
        &self,
        to: FolderId,
        folder: &RemotePath,
        part: &[Step],
    ) -> Result<Vec<Result<KnownFile, Arc<ApiError>>>, ApiError> {
        let moving: Vec<&Step> = part.iter().filter(|step| step.source_folder != Some(to)).collect();
        let renaming: Vec<&Step> = part.iter().filter(|step| step.known.name != step.name).collect();
        let mut renamed_on_the_way = false;
        let mut moved = HashSet::new();
        if !moving.is_empty() {
            let rename = match (&moving[..], part.len(), renaming.len()) {
                ([only], 1, 1) => Some(self.stored(only)),
                _ => None,
            };
            renamed_on_the_way = rename.is_some();
            let links: Vec<_> = moving.iter().map(|step| step.link).collect();
            let request = MoveFiles { links: links.clone(), to, destination_user: None, rename };
            moved = match self.client.move_files(&request).await {
                Ok(answer) => self.moved(&links, &answer, to, folder).await,
                Err(error) if says_nothing(&error) => {
                    let moved = self.moved(&links, &MovedFiles::default(), to, folder).await;
                    if moved.is_empty() {
                        return Err(error);
                    }
                    moved
                }
                Err(error) => return Err(error),
            };
        }
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
        let mut done: Vec<Result<KnownFile, Arc<ApiError>>> = Vec::new();
        let failed = self.rename_all(renames).await;
        for step in part {
            if stayed(step) {
                let what = "it doesn't say that the file was moved, and the file isn't in the directory";
                done.push(Err(Arc::new(ApiError::unconfirmed(Endpoint::FileMv, what))));
                continue;
            }
            if let Some(error) = failed.get(&step.link) {
                done.push(Err(error.clone()));
                continue;
            }
            let file = KnownFile { name: step.name.clone(), ..step.known.clone() };
            self.tree.catalogue().note_file(to, file.clone());
            done.push(Ok(file));
        }
        Ok(done)
    }

    /// Gives files their names. Answers with those that couldn't be renamed.
    pub(super) async fn rename_all(&self, renames: Vec<RenameFile>) -> HashMap<FileLink, Arc<ApiError>> {
        let mut failed = HashMap::new();
        let mut lists = Lists::new(renames, &self.tree.lists);
        while let Some(list) = lists.next() {
            match self.client.rename_files(&list).await {
                Ok(answer) => {
                    lists.taken(list.len());
                    for rename in list {
                        let told = answer.files.iter().find(|file| file.link == rename.link);
                        let name = told.and_then(|file| file.new_filename.as_deref());
                        let confirmed = match (told, name) {
                            (Some(_), Some(name)) => name == rename.filename,
                            (Some(_), None) => true,
                            (None, _) => self.is_called(rename.link, &rename.filename).await,
                        };
                        if !confirmed {
                            let what = match name {
                                Some(name) => format!("the service calls the file {name:?}"),
                                None => "it doesn't say that the file was renamed".to_owned(),
                            };
                            let error = ApiError::unconfirmed(Endpoint::FileRename, what);
                            failed.insert(rename.link, Arc::new(error));
                        }
                    }
                }
                // It bears the name already (API document, section 3).
                Err(error)
                    if list.len() == 1
                        && matches!(error.kind(), ErrorKind::Refused { number: Some(312), .. }) =>
                {
                    lists.taken(1);
                }
                Err(error) if says_nothing(&error) => {
                    lists.taken(list.len());
                    let error = Arc::new(error);
                    for rename in list {
                        if !self.is_called(rename.link, &rename.filename).await {
                            failed.insert(rename.link, error.clone());
                        }
                    }
                }
                Err(error) => {
                    if let Some(list) = lists.refused(list, error.kind()) {
                        let error = Arc::new(error);
                        failed.extend(list.iter().map(|rename| (rename.link, error.clone())));
                    }
                }
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

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Copy => "copy",
        Kind::Move => "move",
    }
}
