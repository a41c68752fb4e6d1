//! A name that is a file on one side and a folder on the other.
//!
//! A sync lets the source win. What the destination has under the name steps aside first, under another name in the
//! same folder, or into the backup; it goes when the whole run is done, and comes back if it isn't. So a run that
//! fails or dies in the middle has lost nothing.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::PoisonError,
};

use futures::StreamExt;

use fichier_storage::{Entry, File, Location, Name, Relocation, RemoteExt, RemotePath, Result, StorageError};

use crate::{
    RunError, RunReport,
    plan::displaced::DisplacedEntry,
    plan::{Clash, FolderPair, Matched, Pair},
    run::{Run, mode::Mode},
    transfer::Job,
    walk,
    walk::pending::PendingFolder,
};

/// A name longer than this isn't kept in that of what steps aside: remotes bear some 250 bytes.
const LONGEST_KEPT: usize = 200;

impl Run<'_> {
    /// Files and folders that bear one name. In a sync the destination's steps aside; else the name is left alone
    /// and told. Answers with the transfers that have become possible.
    pub(crate) async fn settle_clashes(
        &self,
        matched: &mut Matched,
        folder: &PendingFolder,
        report: &mut RunReport,
    ) -> Vec<Job> {
        let mut jobs = Vec::new();
        for clash in std::mem::take(&mut matched.clashes) {
            let name = match &clash {
                Clash::FileMeetsFolder(name, _) => name.clone(),
                Clash::FolderMeetsFile(pair, _) => pair.there.clone(),
            };
            let place = self.to.path.join_path(&folder.there).join(&name);
            if !self.lets_source_win(&clash, report) {
                match clash {
                    Clash::FileMeetsFolder(_, file) => {
                        let shown = file.path.relative_to(&self.from.path).unwrap_or(file.path);
                        self.fail(report, &shown, Self::clash(self.shown_at_destination(&place), true));
                    }
                    // It may be that nothing is to be put into the folder.
                    Clash::FolderMeetsFile(pair, _) => {
                        matched.folders.push(FolderPair { blocked: true, ..pair });
                    }
                }
                continue;
            }
            if let Err(error) = self.may_make_room(&clash, &place).await {
                self.fail(report, &self.shown_at_destination(&place), error);
                continue;
            }
            let made_room = match (&clash, self.options.backup.is_some()) {
                (Clash::FolderMeetsFile(_, files), true) => self.remove_now(files, report).await,
                (Clash::FileMeetsFolder(..), true) => self.remove_tree(&place, report).await,
                (Clash::FolderMeetsFile(_, files), false) => {
                    self.step_aside(&place, Some(files.clone()), report).await
                }
                (Clash::FileMeetsFolder(..), false) => self.step_aside(&place, None, report).await,
            };
            match clash {
                _ if !made_room => {}
                Clash::FolderMeetsFile(pair, _) => matched.folders.push(pair),
                Clash::FileMeetsFolder(_, source) => {
                    self.stats.plan_transfer(source.size);
                    jobs.push(self.job(Pair { wanted: name.clone(), name, source, existing: Vec::new() }));
                }
            }
        }
        jobs
    }

    /// Says that the destination's file or folder stays, and the source's with its name isn't transferred.
    pub(crate) fn clash(path: RemotePath, folder_there: bool) -> StorageError {
        let (there, here) = if folder_there { ("directory", "file") } else { ("file", "directory") };
        RunError::Clash { path, there, here }.into()
    }

    fn lets_source_win(&self, clash: &Clash, report: &RunReport) -> bool {
        // What a suffix keeps stays in its folder, which then can't make room.
        let keeps_folder = matches!(clash, Clash::FileMeetsFolder(..))
            && self.options.backup.as_ref().is_some_and(|backup| backup.folder.is_none());
        // What a filter or the depth leaves out may lie in a folder; a file is seen as a whole.
        let hides = match clash {
            Clash::FileMeetsFolder(..) => self.hides_at_destination(),
            Clash::FolderMeetsFile(_, files) => files.iter().any(|file| self.leaves_alone(file)),
        };
        self.mode == Mode::Sync && report.failed == 0 && !hides && !keeps_folder
    }

    /// Counts what would have to go for the source's file or folder against `--max-delete` and `--max-delete-size`.
    ///
    /// # Errors
    /// It would be more than is allowed, or can't be counted.
    async fn may_make_room(&self, clash: &Clash, place: &RemotePath) -> Result<()> {
        let deletion = self.options.deletion;
        if deletion.max_files.is_none() && deletion.max_bytes.is_none() {
            return Ok(());
        }
        let sizes: Vec<u64> = match clash {
            Clash::FolderMeetsFile(_, files) => files.iter().map(|file| file.size).collect(),
            Clash::FileMeetsFolder(..) => {
                let start = Location { remote: self.to.remote.clone(), path: place.clone() };
                let mut sizes = Vec::new();
                let mut tree = std::pin::pin!(walk(&start, None));
                while let Some(listing) = tree.next().await {
                    let listing = listing.map_err(|error| error.source)?;
                    sizes.extend(listing.entries.iter().filter_map(Entry::as_file).map(|file| file.size));
                }
                sizes
            }
        };
        let mut displaced = self.displaced_total.lock().unwrap_or_else(PoisonError::into_inner);
        let files = displaced.0.saturating_add(sizes.len() as u64);
        let bytes = sizes.iter().fold(displaced.1, |sum, size| sum.saturating_add(*size));
        deletion.check(files, bytes)?;
        *displaced = (files, bytes);
        Ok(())
    }

    /// Whether the filter keeps a sync away from a file of the destination.
    fn leaves_alone(&self, file: &File) -> bool {
        let path = file.path.relative_to(&self.to.path).unwrap_or_else(|| file.path.clone());
        !self.options.delete_excluded && self.options.filter.check_file(&path, file).is_err()
    }

    /// Gives what the destination has at a place another name; says whether the place is free then.
    async fn step_aside(&self, place: &RemotePath, files: Option<Vec<File>>, report: &mut RunReport) -> bool {
        let shown = self.shown_at_destination(place);
        if self.stats.dry_run().is_some() {
            // It stays in its place, and what would become of it is said at the end.
            let aside = DisplacedEntry { place: place.clone(), now: place.clone(), files };
            self.displaced.lock().unwrap_or_else(PoisonError::into_inner).push(aside);
            return true;
        }
        let Some(now) = name_aside(place) else { return false };
        let moved = match files {
            Some(files) => self.rename_versions(&files, &now).await.map(Some),
            None => self.to.remote.rename_folder(place, &now).await.map(|()| None),
        };
        match moved {
            Ok(files) => {
                tracing::info!(path = %shown, "Stepped aside to {now:?}, for what the source has under this name");
                let aside = DisplacedEntry { place: place.clone(), now, files };
                self.displaced.lock().unwrap_or_else(PoisonError::into_inner).push(aside);
                true
            }
            Err(error) => {
                self.fail(report, &shown, error);
                false
            }
        }
    }

    /// Gives all versions of a file another name, or none.
    async fn rename_versions(&self, files: &[File], to: &RemotePath) -> Result<Vec<File>> {
        let step = |file: &File, to: &RemotePath| Relocation {
            from: file.clone(),
            to: to.clone(),
            replaces: Vec::new(),
        };
        let steps: Vec<_> = files.iter().map(|file| step(file, to)).collect();
        let (mut moved, mut failed) = (Vec::new(), None);
        for (file, outcome) in files.iter().zip(self.to.remote.rename(&steps).await) {
            match outcome.into_result() {
                Ok(now) => moved.push((file.path.clone(), now)),
                Err(error) => failed = Some(error),
            }
        }
        let Some(error) = failed else { return Ok(moved.into_iter().map(|(_, now)| now).collect()) };
        let back: Vec<_> = moved.iter().map(|(place, now)| step(now, place)).collect();
        for (step, outcome) in back.iter().zip(self.to.remote.rename(&back).await) {
            if outcome.into_result().is_err() {
                self.tell_left(&step.to, &step.from.path);
            }
        }
        Err(error)
    }

    /// After all transfers: removes what has stepped aside, or brings it back.
    pub(crate) async fn settle_asides(&self, report: &mut RunReport) {
        let displaced = self.displaced.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for aside in displaced {
            let is_done = report.is_success() && !self.stopped();
            let may_go = is_done || self.options.deletion.ignore_errors && !self.stopped();
            let is_taken = !is_done && !self.is_free_again(&aside.place).await;
            if is_done || may_go && is_taken {
                match aside.files {
                    Some(files) => self.remove_files(files, report).await,
                    None => {
                        self.remove_tree(&aside.now, report).await;
                    }
                }
            } else if is_taken || !self.bring_back(&aside).await {
                self.tell_left(&aside.place, &aside.now);
            }
        }
    }

    /// Whether nothing stands at a place but folders without files, which are removed for that.
    async fn is_free_again(&self, place: &RemotePath) -> bool {
        match self.to.remote.entry(place).await {
            Err(StorageError::FileNotFound(_)) => return true,
            Ok(Entry::Folder(_)) => {}
            _ => return false,
        }
        let start = Location { remote: self.to.remote.clone(), path: place.clone() };
        let mut folders = Vec::new();
        let mut tree = std::pin::pin!(walk(&start, None));
        while let Some(listing) = tree.next().await {
            match listing {
                Ok(listing) if listing.entries.iter().all(|entry| entry.as_file().is_none()) => {
                    folders.push(listing.folder);
                }
                _ => return false,
            }
        }
        folders.reverse();
        let removed = self.to.remote.remove_folders(&folders).await;
        removed.into_iter().all(|outcome| outcome.into_result().is_ok())
    }

    async fn bring_back(&self, aside: &DisplacedEntry) -> bool {
        let back = match &aside.files {
            Some(files) => self.rename_versions(files, &aside.place).await.map(drop),
            None => self.to.remote.rename_folder(&aside.now, &aside.place).await,
        };
        if let Err(error) = &back {
            tracing::debug!(path = %aside.place, "not brought back: {error}");
        }
        back.is_ok()
    }

    fn tell_left(&self, place: &RemotePath, now: &RemotePath) {
        let shown = self.shown_at_destination(place);
        let now = now.relative_to(&self.to.path).unwrap_or_else(|| now.clone());
        tracing::warn!(
            path = %shown,
            "What the destination had here was kept, since the run failed: it is at {now:?} now"
        );
    }

    /// A path of the destination as the user knows it: from the run's root on, and before it stepped aside.
    pub(crate) fn shown_at_destination(&self, path: &RemotePath) -> RemotePath {
        let displaced = self.displaced.lock().unwrap_or_else(PoisonError::into_inner);
        let before =
            displaced.iter().find_map(|aside| Some(aside.place.join_path(&path.relative_to(&aside.now)?)));
        let path = before.as_ref().unwrap_or(path);
        path.relative_to(&self.to.path).unwrap_or_else(|| path.clone())
    }
}

/// A free name in the same folder; `None` for the root, which is never in anybody's way.
fn name_aside(place: &RemotePath) -> Option<RemotePath> {
    let (folder, name) = (place.parent()?, place.name()?);
    // What differs from call to call differs enough: a name that is taken fails, and loses nothing.
    let number = RandomState::new().build_hasher().finish();
    let kept = if name.as_bytes().len() <= LONGEST_KEPT { name.as_bytes() } else { b"aside" };
    let end = format!(".{:08x}.old", number & 0xffff_ffff);
    Some(folder.join(&Name::new([kept, end.as_bytes()].concat()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steps_aside_stays_in_its_folder_under_a_name_that_tells() {
        let aside = name_aside(&RemotePath::parse("d/name.txt").unwrap()).unwrap().to_string();
        assert!(aside.starts_with("d/name.txt.") && aside.ends_with(".old"), "{aside}");
        let other = name_aside(&RemotePath::parse("d/name.txt").unwrap()).unwrap().to_string();
        assert_ne!(aside, other);
        let long = RemotePath::parse(format!("d/{}", "n".repeat(250))).unwrap();
        assert!(name_aside(&long).unwrap().to_string().len() < 30);
        assert!(name_aside(&RemotePath::root()).is_none());
    }
}
