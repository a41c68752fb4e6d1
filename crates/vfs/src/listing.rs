//! Folders that are listed: when they are first looked into, and again in the background when they are old.

use std::sync::Arc;

use fichier_storage::{Freshness, Gap, Listing, RemotePath, StorageError};
use tokio::time::Instant;

use crate::{
    Event, NodeId, Result, VfsError,
    core::{Core, State},
    tree::{Merge, News},
};

impl Core {
    /// Makes sure that it is known what a folder holds. An old listing does, and is renewed in the background.
    pub(crate) async fn know(self: &Arc<Self>, folder: NodeId) -> Result<()> {
        let age = {
            let mut state = self.state();
            let age = self.age(&state, folder)?;
            match state.tree.folder_mut(folder) {
                // One listing does for all who look meanwhile.
                Some(body) if matches!(age, Age::Old) && body.is_renewed => Age::Fresh,
                Some(body) => {
                    body.is_renewed |= matches!(age, Age::Old);
                    age
                }
                None => age,
            }
        };
        match age {
            Age::Fresh => Ok(()),
            Age::Old => {
                let core = self.clone();
                self.spawn(async move {
                    let Ok(_permit) = core.listings.acquire().await else { return };
                    let is_old = {
                        let state = core.state();
                        matches!(core.age(&state, folder), Ok(Age::Old))
                    };
                    let within = Freshness::Within(core.options.dir_cache_time);
                    if is_old && let Err(error) = core.list(folder, within).await {
                        tracing::debug!("a folder can't be listed again: {error}");
                    }
                    if let Some(body) = core.state().tree.folder_mut(folder) {
                        body.is_renewed = false;
                    }
                });
                Ok(())
            }
            Age::Unknown => self.list(folder, Freshness::Known).await,
        }
    }

    fn age(&self, state: &State, folder: NodeId) -> Result<Age> {
        let body = match state.tree.get(folder) {
            None => return Err(VfsError::NotFound(state.shown(folder))),
            Some(_) => state.tree.folder(folder).ok_or_else(|| VfsError::NotFolder(state.shown(folder)))?,
        };
        Ok(match body.listed {
            None => Age::Unknown,
            // It is only here yet, or was taken away: the service knows nothing of it.
            Some(_) if state.tree.path(folder).is_none_or(|path| state.queue.decides(&path)) => Age::Fresh,
            Some(listed) if !body.is_listing && listed.elapsed() >= self.options.dir_cache_time => Age::Old,
            Some(_) => Age::Fresh,
        })
    }

    /// Lists a folder now. One listing of a folder is under way at a time; who comes meanwhile waits for it.
    pub(crate) async fn list(&self, folder: NodeId, freshness: Freshness) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let (path, began, _guard) = loop {
            {
                let mut state = self.state();
                let path = state.path(folder)?;
                let began = state.tree.count();
                let is_free = !state.is_renaming(&path);
                let is_decided = state.queue.decides(&path);
                let shown = state.say(&path);
                let body = state.tree.folder_mut(folder).ok_or(VfsError::NotFolder(shown))?;
                if is_decided {
                    // The service hasn't been told of it.
                    body.listed = body.listed.or_else(|| Some(Instant::now()));
                    return Ok(());
                }
                if is_free && !body.is_listing {
                    body.is_listing = true;
                    break (path, began, ListingGuard { core: self, folder });
                }
                if body.listed.is_some() && freshness == Freshness::Known {
                    return Ok(());
                }
            }
            self.ended(&mut progress).await?;
        };
        self.called();
        let listed = self.remote.list(&path, freshness).await;
        self.take_listing(folder, &path, began, listed)
    }

    fn take_listing(
        &self,
        folder: NodeId,
        path: &RemotePath,
        began: u64,
        listed: fichier_storage::Result<Listing>,
    ) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if state.tree.path(folder).as_ref() != Some(path) {
            // It was renamed or removed meanwhile. What holds it now is listed when it is looked into.
            return state.path(folder).map(drop);
        }
        let listing = match listed {
            Ok(listing) => listing,
            Err(error) if is_missing(&error) => {
                let is_kept = state.tree.has_unsent(folder) || state.queue.decides_below(path);
                if folder == NodeId::ROOT && !is_kept {
                    return Err(VfsError::Remote { path: state.say(path), source: error });
                }
                if !is_kept {
                    self.lose(state, folder);
                    return Err(VfsError::NotFound(state.say(path)));
                }
                Listing::default()
            }
            Err(error) => return Err(VfsError::Remote { path: state.say(path), source: error }),
        };
        say_gaps(state, &listing.gaps);
        let hidden = state.hidden();
        let (queue, journal) = (&state.queue, &state.journal);
        let merge = Merge {
            folder,
            entries: listing.entries,
            began,
            now: Instant::now(),
            is_decided: &|name| {
                let path = path.join(name);
                queue.decides(&path) || hidden.contains(&path)
            },
            is_kept: &|name| queue.decides_below(&path.join(name)),
            time_of: &|file| journal.time_of(file),
        };
        for news in merge.into_tree(&mut state.tree) {
            self.tell(match news {
                News::Entry(name) => Event::Entry { folder, name },
                News::Content(node) => Event::Content(node),
            });
        }
        Ok(())
    }

    /// Takes a folder out of the tree that isn't at the service any more.
    fn lose(&self, state: &mut State, folder: NodeId) {
        let node = state.tree.get(folder);
        if let Some((parent, name)) = node.and_then(|node| Some((node.parent?, node.name.clone()?))) {
            state.tree.detach(folder);
            self.tell(Event::Entry { folder: parent, name });
        }
    }

    /// Looks again at the folder that holds a path, since something there isn't as the tree says.
    pub(crate) fn look_again(self: &Arc<Self>, path: &RemotePath) {
        let Some(parent) = path.parent() else { return };
        self.remote.forget(&parent);
        let core = self.clone();
        self.spawn(async move {
            let folder = core.state().tree.find(&parent);
            let Some(folder) = folder else { return };
            let Ok(_permit) = core.listings.acquire().await else { return };
            if let Err(error) = core.list(folder, Freshness::Within(std::time::Duration::ZERO)).await {
                tracing::debug!("a folder can't be listed again: {error}");
            }
        });
    }

    /// Waits until something has ended.
    pub(crate) async fn ended(&self, progress: &mut tokio::sync::watch::Receiver<u64>) -> Result<()> {
        tokio::select! {
            () = self.stop.cancelled() => Err(VfsError::ShutDown),
            changed = progress.changed() => changed.map_err(|_| VfsError::ShutDown),
        }
    }
}

/// How old a listing is.
enum Age {
    Unknown,
    Old,
    Fresh,
}

fn is_missing(error: &StorageError) -> bool {
    matches!(
        error.plain(),
        StorageError::FolderNotFound(_) | StorageError::FileNotFound(_) | StorageError::IsAFile(_)
    )
}

/// Says of each entry once that it is left out.
fn say_gaps(state: &mut State, gaps: &[Gap]) {
    for gap in gaps {
        if state.gaps.insert(gap.path.clone()) {
            tracing::warn!(path = %gap.path, "left out, since it can't be read: {}", gap.error);
        }
    }
}

/// Ends a listing, also if nobody waits for it any more.
struct ListingGuard<'a> {
    core: &'a Core,
    folder: NodeId,
}

impl Drop for ListingGuard<'_> {
    fn drop(&mut self) {
        if let Some(body) = self.core.state().tree.folder_mut(self.folder) {
            body.is_listing = false;
        }
        self.core.progressed();
    }
}
