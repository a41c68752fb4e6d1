//! Files and folders renamed.

use std::sync::Arc;

use fichier_storage::{File, FolderRelocation, Freshness, Name, RemotePath, StorageError};
use tokio::time::Instant;

use super::{Vfs, folders::child_shown};
use crate::{
    Kind, NodeId, RenameMode, Result, VfsError,
    change::Change,
    core::{Core, HandleBody, State},
    write::sender::GATHER,
};

/// A rename, with what was found under both names.
struct Rename {
    node: NodeId,
    kind: Kind,
    over: Option<NodeId>,
    folder: NodeId,
    name: Name,
    from: RemotePath,
    to: RemotePath,
}

impl Vfs {
    /// Renames a file or folder, or moves it into another folder.
    ///
    /// # Errors
    /// The source isn't there, the destination can't be replaced, or nothing can be changed.
    pub async fn rename(
        &self,
        folder: NodeId,
        name: &[u8],
        new_folder: NodeId,
        new_name: &[u8],
        mode: RenameMode,
    ) -> Result<()> {
        self.core.changeable()?;
        let new_name = self.core.new_name(new_name)?;
        if mode == RenameMode::Exchange {
            let state = self.core.state();
            let path = child_shown(&state, new_folder, &new_name);
            return Err(VfsError::Invalid { path, why: "two names can't be exchanged" });
        }
        let (name, node) = self.entry(folder, name).await?;
        self.core.know(new_folder).await?;
        let over = self.core.state().tree.child(new_folder, &new_name);
        if let Some(over) = over.filter(|over| *over != node)
            && self.core.state().tree.folder(over).is_some()
        {
            self.core.know(over).await?;
        }
        let rename = {
            let mut state = self.core.state();
            let state = &mut *state;
            let Some(rename) = self.core.check(state, (folder, &name), node, (new_folder, new_name), mode)?
            else {
                return Ok(());
            };
            if rename.kind == Kind::File && self.core.renames_files() {
                self.core.rename_file(state, &rename)?;
                self.core.wake.notify_one();
                return Ok(());
            }
            rename
        };
        match rename.kind {
            Kind::File => self.core.rename_by_sending(rename).await,
            Kind::Folder => self.core.rename_folder(rename).await,
        }
    }
}

impl Core {
    /// Checks whether a rename can be done; `None` if there is nothing to do.
    fn check(
        &self,
        state: &State,
        (folder, name): (NodeId, &Name),
        node: NodeId,
        (new_folder, new_name): (NodeId, Name),
        mode: RenameMode,
    ) -> Result<Option<Rename>> {
        if state.tree.child(folder, name) != Some(node) {
            return Err(VfsError::NotFound(child_shown(state, folder, name)));
        }
        Self::is_folder(state, new_folder)?;
        let (from, into) = (state.path(node)?, state.path(new_folder)?);
        let kind = if state.tree.folder(node).is_some() { Kind::Folder } else { Kind::File };
        if kind == Kind::Folder && into.is_within(&from) {
            return Err(VfsError::Invalid { path: state.say(&from), why: "it can't be moved into itself" });
        }
        let over = state.tree.child(new_folder, &new_name);
        if over == Some(node) {
            return Ok(None);
        }
        if let Some(over) = over {
            let shown = || state.shown(over);
            match (kind, state.tree.folder(over)) {
                _ if mode == RenameMode::NoReplace => return Err(VfsError::Exists(shown())),
                (Kind::File, Some(_)) => return Err(VfsError::IsFolder(shown())),
                (Kind::Folder, None) => return Err(VfsError::NotFolder(shown())),
                (Kind::Folder, Some(body)) if !body.children.is_empty() => {
                    return Err(VfsError::NotEmpty(shown()));
                }
                _ => {}
            }
        }
        let to = into.join(&new_name);
        Ok(Some(Rename { node, kind, over, folder: new_folder, name: new_name, from, to }))
    }

    fn renames_files(&self) -> bool {
        self.remote.info().features.server_side_move
    }

    /// Renames a file in the tree, and has the service told.
    fn rename_file(&self, state: &mut State, rename: &Rename) -> Result<()> {
        let replaced = self.replace(state, rename)?;
        let file = state.tree.file(rename.node).ok_or_else(|| VfsError::NotFound(state.say(&rename.from)))?;
        let is_sending = file.local.as_ref().is_some_and(|local| local.sending.is_some());
        let versions = file.versions.clone();
        let at = Instant::now() + GATHER;
        if is_sending {
            // When it has arrived under its old name, it is renamed, and takes the place of these.
            if let Some(local) = state.tree.file_mut(rename.node).and_then(|file| file.local.as_mut()) {
                local.over.extend(replaced);
            }
        } else if let Some((newest, older)) = versions.split_first() {
            let (path, to) = (rename.from.clone(), rename.to.clone());
            if !older.is_empty() {
                let change = Change::Remove { path: path.clone(), files: older.to_vec() };
                state.queue(None, change, at, false)?;
            }
            let change = Change::Rename { path, file: vec![newest.clone()], to, replaces: replaced };
            state.queue(Some(rename.node), change, at, false)?;
            if let Some(file) = state.tree.file_mut(rename.node) {
                file.versions.truncate(1);
            }
        } else if let Some(file) = state.tree.file_mut(rename.node) {
            // It is only here. When it is sent, it takes the place of these.
            file.versions = replaced;
        }
        self.place(state, rename);
        state.journal_file(rename.node)
    }

    /// Takes what is at the new name out of the tree, and returns the versions that are to be replaced.
    fn replace(&self, state: &mut State, rename: &Rename) -> Result<Vec<File>> {
        let Some(over) = rename.over else { return Ok(Vec::new()) };
        let Some(file) = state.tree.file_mut(over) else { return Ok(Vec::new()) };
        let is_sending = file.local.as_ref().is_some_and(|local| local.sending.is_some());
        // What is being sent takes its old versions with it, and is removed when it has arrived.
        let replaced = if is_sending { Vec::new() } else { std::mem::take(&mut file.versions) };
        self.drop_file(state, over)?;
        if let Some(file) = state.tree.file_mut(over) {
            // Who has it open goes on reading it.
            file.versions.clone_from(&replaced);
        }
        Ok(replaced)
    }

    fn place(&self, state: &mut State, rename: &Rename) {
        let old = state.tree.get(rename.node).and_then(|node| Some((node.parent?, node.name.clone()?)));
        state.tree.place(rename.node, rename.folder, rename.name.clone());
        if let Some((folder, name)) = old {
            state.tree.note_own(folder, &name);
        }
        state.tree.note_own(rename.folder, &rename.name);
    }

    /// Renames a file on a remote that can't: fetches it, sends it under its new name, and removes the old one.
    async fn rename_by_sending(&self, rename: Rename) -> Result<()> {
        let is_here = {
            let state = self.state();
            state.tree.file(rename.node).is_some_and(|file| file.local.is_some())
        };
        if !is_here {
            self.fetch_whole(rename.node).await?;
        }
        let mut state = self.state();
        let state = &mut *state;
        let replaced = self.replace(state, &rename)?;
        if let Some(file) = state.tree.file_mut(rename.node) {
            let is_sending = file.local.as_ref().is_some_and(|local| local.sending.is_some());
            match (&mut file.local, is_sending) {
                (Some(local), true) => local.over.extend(replaced),
                _ => {
                    // Its old versions go when it is stored under the new name.
                    file.versions.extend(replaced);
                }
            }
        }
        self.place(state, &rename);
        state.journal_file(rename.node)?;
        self.wake.notify_one();
        Ok(())
    }

    /// Renames a folder: in the journal if the service doesn't have it, else at the service.
    async fn rename_folder(self: &Arc<Self>, rename: Rename) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let start = Instant::now();
        loop {
            {
                let mut state = self.state();
                let state = &mut *state;
                if let Some(over) = rename.over.filter(|over| state.tree.path(*over).is_some()) {
                    self.drop_folder(state, over)?;
                    self.wake.notify_one();
                }
                if state.path(rename.node)? != rename.from
                    || state.path(rename.folder)?.join(&rename.name) != rename.to
                {
                    return Err(VfsError::NotFound(state.say(&rename.from)));
                }
                if self.is_only_here(state, &rename) {
                    let moved = self.moved(state, &rename);
                    state.journal.end_folder_rename(&moved)?;
                    self.place(state, &rename);
                    return self.move_changes(state, &rename);
                }
                if !self.remote.info().features.folder_move {
                    return Err(VfsError::CrossDevice(state.say(&rename.from)));
                }
                if self.is_settled(state, &rename) {
                    state.journal.begin_folder_rename(&rename.from, &rename.to)?;
                    state.renaming.push([rename.from.clone(), rename.to.clone()]);
                    break;
                }
            }
            self.wake.notify_one();
            let left = self.options.read_deadline.saturating_sub(start.elapsed());
            match tokio::time::timeout(left, self.ended(&mut progress)).await {
                Ok(ended) => ended?,
                Err(_) => {
                    let path = self.state().say(&rename.from);
                    return Err(VfsError::NoAnswer {
                        path,
                        seconds: self.options.read_deadline.as_secs(),
                        source: None,
                    });
                }
            }
        }
        // A task of its own, so that it is ended also if nobody waits for it any more.
        let core = self.clone();
        let task = tokio::spawn(async move { core.rename_at_service(&rename).await });
        task.await.map_err(|_| VfsError::ShutDown)?
    }

    async fn rename_at_service(self: &Arc<Self>, rename: &Rename) -> Result<()> {
        self.called();
        let batch = [FolderRelocation { from: rename.from.clone(), to: rename.to.clone() }];
        let outcomes = tokio::select! {
            // The journal has it; the next start looks what became of it.
            () = self.stop.cancelled() => return Err(VfsError::ShutDown),
            outcomes = self.remote.rename_folders(&batch) => outcomes,
        };
        let outcome = outcomes
            .into_iter()
            .next()
            .map_or(Err(StorageError::NotTried), fichier_storage::Outcome::into_result);
        let mut state = self.state();
        let state = &mut *state;
        state.renaming.retain(|[from, _]| *from != rename.from);
        self.progressed();
        self.wake.notify_one();
        if let Err(source) = outcome {
            state.journal.end_folder_rename(&[])?;
            let path = state.say(&rename.from);
            self.look_again(&rename.from);
            self.look_again(&rename.to);
            return Err(VfsError::Remote { path, source });
        }
        let moved = self.moved(state, rename);
        state.journal.end_folder_rename(&moved)?;
        self.place(state, rename);
        self.move_changes(state, rename)
    }

    /// Checks whether the service knows nothing of a folder, so that only our own notes have to change.
    fn is_only_here(&self, state: &State, rename: &Rename) -> bool {
        let is_here = |id: NodeId| {
            let file = state.tree.file(id);
            file.is_some_and(|file| {
                file.versions.is_empty() && file.local.as_ref().is_some_and(|local| local.sending.is_none())
            })
        };
        let mut is_new = false;
        for (_, queued) in state.queue.iter() {
            let Some(_) = queued.change.paths().find(|path| path.is_within(&rename.from)) else { continue };
            match &queued.change {
                Change::MakeFolder(path) if !queued.is_sent && !queued.tried => {
                    is_new |= *path == rename.from;
                }
                _ => return false,
            }
        }
        is_new
            && !state.queue.touches(&rename.to)
            && state.tree.files_below(rename.node).into_iter().all(is_here)
    }

    /// Checks that nothing is under way in a folder and its new place. What has to go first is hurried.
    fn is_settled(&self, state: &mut State, rename: &Rename) -> bool {
        let overlap = |left: &RemotePath, right: &RemotePath| left.is_within(right) || right.is_within(left);
        let touches = |path: &RemotePath| overlap(path, &rename.from) || overlap(path, &rename.to);
        for id in &state.unsent {
            let local = state.tree.file_mut(*id).and_then(|file| file.local.as_mut());
            if let Some(local) =
                local.filter(|local| local.unsure.as_ref().is_some_and(|(path, _)| touches(path)))
            {
                local.is_urgent = true;
            }
        }
        if state.renaming.iter().flatten().any(touches) || state.upload_paths().iter().any(touches) {
            return false;
        }
        // Changes below the folder move with it. Others must go first: what makes it, or frees its new place.
        let is_below = |path: &RemotePath| *path != rename.from && path.is_within(&rename.from);
        let has_to_go = |change: &Change, is_sent: bool| {
            let mut touching = change.paths().filter(|path| touches(path));
            touching.any(|path| is_sent || !is_below(path))
        };
        let waiting: Vec<i64> = state
            .queue
            .iter()
            .filter(|(_, queued)| has_to_go(&queued.change, queued.is_sent))
            .map(|(id, _)| id)
            .collect();
        let now = Instant::now();
        for id in &waiting {
            let path = state.queue.get_mut(*id).map(|queued| queued.change.path().clone());
            path.iter().for_each(|path| state.queue.hurry(path, now));
        }
        let lists = |node: NodeId| state.tree.folder(node).is_some_and(|folder| folder.is_listing);
        waiting.is_empty() && !state.tree.folders_below(rename.node).into_iter().any(lists)
    }

    /// Returns what isn't sent below a folder, with its path after the rename.
    fn moved(&self, state: &State, rename: &Rename) -> Vec<(i64, RemotePath)> {
        let files = state.tree.files_below(rename.node).into_iter();
        let unsent =
            files.filter_map(|id| Some((state.tree.file(id)?.local.as_ref()?.id, state.tree.path(id)?)));
        unsent.map(|(id, path)| (id, rename.moved(&path))).collect()
    }

    /// Gives everything that names a path below the folder its new one.
    fn move_changes(&self, state: &mut State, rename: &Rename) -> Result<()> {
        let moves = |file: &mut File| file.path = rename.moved(&file.path);
        for id in state.tree.files_below(rename.node) {
            if let Some(file) = state.tree.file_mut(id) {
                file.versions.iter_mut().for_each(moves);
            }
        }
        for open in state.handles.values_mut() {
            if let HandleBody::File { pin, .. } = &mut open.body {
                pin.0.iter_mut().for_each(moves);
            }
        }
        for row in state.queue.move_paths(&|path| rename.moved(path)) {
            state.journal.put_change(&row)?;
        }
        Ok(())
    }

    /// Finds out what became of a folder rename that was begun when the program ended.
    pub(crate) async fn finish_folder_rename(&self, from: &RemotePath, to: &RemotePath) -> Result<()> {
        self.remote.forget(from);
        self.remote.forget(to);
        let age = Freshness::Within(std::time::Duration::ZERO);
        let mut there = [false, false];
        for (there, path) in there.iter_mut().zip([from, to]) {
            self.called();
            *there = match self.remote.find(path, age).await {
                Ok(_) => true,
                Err(error)
                    if matches!(
                        error.plain(),
                        StorageError::FileNotFound(_) | StorageError::FolderNotFound(_)
                    ) =>
                {
                    false
                }
                Err(source) => return Err(VfsError::Remote { path: self.state().say(path), source }),
            };
        }
        let mut state = self.state();
        let state = &mut *state;
        if there == [false, true] {
            let moved = |path: &RemotePath| path.relative_to(from).map(|below| to.join_path(&below));
            let rows = state.queue.move_paths(&|path| moved(path).unwrap_or_else(|| path.clone()));
            for row in rows {
                state.journal.put_change(&row)?;
            }
            let unsent: Vec<_> = state.unsent.iter().copied().collect();
            let mut renamed = Vec::new();
            for id in unsent {
                let Some(path) = state.tree.path(id).as_ref().and_then(moved) else { continue };
                let (Some(parent), Some(name)) = (path.parent(), path.name()) else { continue };
                let Some(folder) = state.tree.add_folders(&parent) else { continue };
                state.tree.place(id, folder, name);
                let Some(file) = state.tree.file_mut(id) else { continue };
                for version in &mut file.versions {
                    version.path = moved(&version.path).unwrap_or_else(|| version.path.clone());
                }
                renamed.extend(file.local.as_ref().map(|local| (local.id, path)));
            }
            if let Some(old) = state.tree.find(from) {
                state.tree.detach(old);
            }
            return state.journal.end_folder_rename(&renamed);
        }
        state.journal.end_folder_rename(&[])
    }
}

impl Rename {
    /// Returns the path of something after the rename.
    fn moved(&self, path: &RemotePath) -> RemotePath {
        path.relative_to(&self.from).map_or_else(|| path.clone(), |below| self.to.join_path(&below))
    }
}
