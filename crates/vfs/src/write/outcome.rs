//! What became of files that were sent or renamed, brought into the tree and the journal.

use std::sync::Arc;

use fichier_storage::{File, StorageError};
use tokio::time::Instant;

use super::{
    sender::{GATHER, retry_at},
    uploads::Upload,
};
use crate::{
    Event, NodeId, Result,
    change::Change,
    core::{Core, HandleBody, State},
    journal::ChangeRow,
    tree::FileBody,
};

impl Core {
    /// Notes that a file is stored. If that was `found` later, its old versions may be there still.
    pub(super) fn stored(self: &Arc<Self>, state: &mut State, upload: &Upload, file: File, found: bool) {
        let noted = match state.tree.path(upload.node) {
            Some(_) => self.stored_in_tree(state, upload, &file, found),
            None => self.stored_in_vain(state, upload, file),
        };
        if let Err(error) = noted {
            tracing::error!("the journal doesn't take that a file is stored: {error}");
        }
        // What was sent has made its folders.
        for id in state.queue.made_by(&upload.path) {
            state.queue.take(id);
            if let Err(error) = state.journal.remove_change(id) {
                tracing::error!("the journal doesn't take that a folder is made: {error}");
            }
        }
        state.tree.note_own_path(&upload.path);
        self.drop_sent_data(state, upload);
        state.tree.drop_if_unused(upload.node);
    }

    fn stored_in_tree(&self, state: &mut State, upload: &Upload, stored: &File, found: bool) -> Result<()> {
        let Some(path) = state.tree.path(upload.node) else { return Ok(()) };
        let renames = self.remote.info().features.server_side_move;
        let keeps_times = self.remote.info().times.precision.is_some();
        let Some(file) = state.tree.file_mut(upload.node) else { return Ok(()) };
        let old = std::mem::replace(&mut file.versions, vec![stored.clone()]);
        file.stored += 1;
        let Some(local) = &mut file.local else { return Ok(()) };
        (local.sending, local.unsure, local.failed) = (None, None, None);
        let over = std::mem::take(&mut local.over);
        let is_whole = local.working.is_none()
            && local.content.as_ref().is_some_and(|data| data.number == upload.number);
        let (id, modified) = (local.id, local.modified);
        let is_done = is_whole && (path == upload.path || renames);
        if is_done {
            file.modified = Some(modified).filter(|_| !self.options.no_modtime);
            file.local = None;
            state.unsent.remove(&upload.node);
        }
        let at = Instant::now() + GATHER;
        if !keeps_times && !self.options.no_modtime {
            state.journal.remember_time(stored, modified)?;
        } else if is_done && modified != upload.modified && self.remote.info().times.settable {
            // It was given another time while it was being sent.
            let change =
                Change::SetTime { path: upload.path.clone(), file: vec![stored.clone()], time: modified };
            state.queue(Some(upload.node), change, at, false)?;
        }
        let mut left: Vec<File> =
            old.into_iter().filter(|version| found || version.path != upload.path).collect();
        left.retain(|version| version.id.is_none() || version.id != stored.id);
        if found && !self.remote.info().features.duplicates {
            // Where a name has one file, the new one has taken the place of the old.
            left.retain(|version| version.path != upload.path);
        }
        if path != upload.path && renames {
            let change = Change::Rename {
                path: upload.path.clone(),
                file: vec![stored.clone()],
                to: path,
                replaces: over,
            };
            state.queue(Some(upload.node), change, at, false)?;
        } else if is_done {
            left.extend(over);
        } else if let Some(file) = state.tree.file_mut(upload.node) {
            file.versions.extend(over);
        }
        for version in left {
            state.journal.forget_time(&version)?;
            let change = Change::Remove { path: version.path.clone(), files: vec![version] };
            state.queue(None, change, at, false)?;
        }
        match is_done {
            true => state.journal.remove_unsent(id),
            false => state.journal_file(upload.node),
        }
    }

    /// Notes that a file is stored that was removed meanwhile.
    fn stored_in_vain(&self, state: &mut State, upload: &Upload, stored: File) -> Result<()> {
        let Some(file) = state.tree.file_mut(upload.node) else { return Ok(()) };
        let Some(local) = &mut file.local else { return Ok(()) };
        local.sending = None;
        let id = local.id;
        state.journal.together(|journal| journal.remove_unsent(id))?;
        self.drop_if_closed(state, upload.node);
        if let Some(row) = state.queue.replace_too(&upload.path, &stored) {
            return state.journal.put_change(&row);
        }
        // What takes its place and isn't sent replaces it.
        if let Some(other) = state.tree.find(&upload.path)
            && let Some(body) = state.tree.file_mut(other)
            && body.local.as_ref().is_some_and(|local| local.sending.is_none())
        {
            body.versions.push(stored);
            return state.journal_file(other);
        }
        let change = Change::Remove { path: upload.path.clone(), files: vec![stored] };
        state.queue(None, change, Instant::now() + GATHER, false)
    }

    /// Drops what isn't sent of a removed file that nobody has open.
    fn drop_if_closed(&self, state: &mut State, id: NodeId) {
        if state.tree.get(id).is_some_and(|node| node.handles == 0)
            && let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.take())
        {
            self.drop_local(state, &local);
        }
        if state.tree.file(id).is_none_or(|file| file.local.is_none()) {
            state.unsent.remove(&id);
        }
    }

    /// Removes the data file that was sent, unless the file still needs it.
    fn drop_sent_data(&self, state: &mut State, upload: &Upload) {
        let local = state.tree.file(upload.node).and_then(|file: &FileBody| file.local.as_ref());
        let is_needed = local.is_some_and(|local| local.numbers().any(|number| number == upload.number));
        if is_needed {
            return;
        }
        state.sizes.remove(upload.number);
        let version = state.tree.file(upload.node).and_then(|file| file.versions.first()).cloned();
        let data = self.data.path(upload.number);
        match version {
            // What was written is what is read next.
            Some(version) if version.size == upload.size && self.cache.takes_whole_files() => {
                let cache = self.cache.clone();
                tokio::task::spawn_blocking(move || cache.adopt(&version, &data));
            }
            _ => self.data.remove(upload.number),
        }
    }

    /// Notes that a file could not be stored. It is tried again.
    pub(super) fn not_stored(self: &Arc<Self>, state: &mut State, upload: &Upload, error: &StorageError) {
        let path = state.say(&upload.path);
        let is_there = state.tree.path(upload.node).is_some();
        let Some(file) = state.tree.file_mut(upload.node) else { return };
        let Some(local) = &mut file.local else { return };
        local.sending = None;
        let id = local.id;
        if let StorageError::OldVersionStays { .. } = error {
            // The new one is stored; a listing tells which it is.
            local.unsure = Some((upload.path.clone(), upload.number));
        }
        let reason: Arc<str> = format!("can't store {path:?}: {error}").into();
        let is_first = local.failed.is_none();
        let failures = local.failed.as_ref().map_or(0, |(failures, ..)| *failures);
        let failures = if matches!(error, StorageError::NotTried) { failures.max(1) } else { failures + 1 };
        local.failed = Some((failures, retry_at(failures), reason.clone()));
        local.is_urgent = false;
        file.versions.extend(std::mem::take(&mut local.over));
        let noted = match is_there {
            true => state.journal_file(upload.node),
            false => state.journal.remove_unsent(id),
        };
        if let Err(error) = noted {
            tracing::error!("the journal doesn't take that a file isn't stored: {error}");
        }
        if !is_there {
            // Nothing of it is at the service but what it was to replace.
            let versions = state.tree.file(upload.node).map(|file| file.versions.clone()).unwrap_or_default();
            if !versions.is_empty() {
                let change = Change::Remove { path: upload.path.clone(), files: versions };
                if let Err(error) = state.queue(None, change, Instant::now() + GATHER, false) {
                    tracing::error!("the journal doesn't take that a file is removed: {error}");
                }
            }
            self.drop_if_closed(state, upload.node);
        } else if is_first {
            tracing::warn!("{reason}. It stays in the journal and is tried again");
            self.tell(Event::Failed { path, reason, is_tried_again: true });
        }
        self.drop_sent_data(state, upload);
        state.tree.drop_if_unused(upload.node);
    }

    /// Notes that a file was renamed at the service: whatever names its old version names the new one.
    pub(super) fn renamed(
        &self,
        state: &mut State,
        node: Option<NodeId>,
        old: &[File],
        new: &[File],
    ) -> Result<()> {
        let (Some(before), Some(after)) = (old.first(), new.first()) else { return Ok(()) };
        let mut changed: Vec<i64> = Vec::new();
        if let Some(node) = node {
            changed.extend(state.queue.replace_files(node, old, new));
        }
        changed.extend(state.queue.replace_replaced(old, new));
        for id in changed {
            let Some(queued) = state.queue.get_mut(id) else { continue };
            let row = ChangeRow {
                id,
                node: queued.node.map(|node| node.0),
                change: queued.change.clone(),
                tried: queued.tried,
            };
            state.journal.put_change(&row)?;
        }
        if let Some(time) = state.journal.time_of(before) {
            state.journal.forget_time(before)?;
            state.journal.remember_time(after, time)?;
        }
        let renames = |files: &mut Vec<File>| {
            let mut any = false;
            for file in files.iter_mut().filter(|file| *file == before) {
                *file = after.clone();
                any = true;
            }
            any
        };
        let mut ids: Vec<NodeId> = state.unsent.iter().copied().collect();
        ids.extend(node);
        for id in ids {
            let Some(file) = state.tree.file_mut(id) else { continue };
            let in_versions = renames(&mut file.versions);
            let in_over = file.local.as_mut().is_some_and(|local| renames(&mut local.over));
            if in_versions || in_over {
                state.journal_file(id)?;
            }
        }
        for open in state.handles.values_mut() {
            if let HandleBody::File { pin, .. } = &mut open.body
                && pin.0.as_ref() == Some(before)
            {
                pin.0 = Some(after.clone());
            }
        }
        Ok(())
    }
}
