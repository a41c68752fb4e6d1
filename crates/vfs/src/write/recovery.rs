//! What an earlier file system couldn't send, brought back from the journal.

use std::{collections::HashMap, fs, sync::Arc};

use fichier_storage::RemotePath;
use tokio::time::Instant;

use super::{
    queue::Queued,
    sender::{GATHER, retry_at},
};
use crate::{
    NodeId, Result,
    change::Change,
    core::{Core, State},
    journal::{ChangeRow, Unsent, UnsentRow},
    tree::{Body, DataFile, FileBody, Local},
};

/// Brings back what is unsent: into the tree, so that it is shown, and into the queue, so that it is sent.
pub(crate) async fn recover(core: &Arc<Core>, unsent: Unsent) -> Result<()> {
    {
        let mut state = core.state();
        let state = &mut *state;
        let mut nodes = HashMap::new();
        for row in unsent.changes {
            bring_back_change(state, &mut nodes, row)?;
        }
        for row in unsent.files {
            bring_back_file(core, state, row)?;
        }
        core.data.sweep(|number| state.sizes.has(number));
    }
    if let Some((from, to)) = unsent.folder_rename {
        core.finish_folder_rename(&from, &to).await?;
    }
    Ok(())
}

/// Does a change in the tree as it was done when it was made.
fn bring_back_change(state: &mut State, nodes: &mut HashMap<u64, NodeId>, row: ChangeRow) -> Result<()> {
    let mut node = row.node.and_then(|node| nodes.get(&node).copied());
    match &row.change {
        Change::MakeFolder(path) => {
            if let Some(folder) = state.tree.add_folders(path).and_then(|id| state.tree.folder_mut(id)) {
                folder.listed = Some(Instant::now());
            }
        }
        Change::RemoveFolder(path) => {
            if let Some(id) = state.tree.find(path) {
                state.tree.detach(id);
            }
        }
        Change::Remove { path, files } => {
            if let Some(id) = state.tree.find(path) {
                // Old versions may go from a name that bears another file by now.
                let versions = state.tree.file(id).map(|file| &file.versions);
                let is_all =
                    versions.is_some_and(|versions| versions.iter().all(|version| files.contains(version)));
                if node == Some(id) || is_all {
                    state.tree.detach(id);
                }
            }
        }
        Change::Rename { file, to, .. } => {
            if let Some(over) = state.tree.find(to) {
                state.tree.detach(over);
            }
            let folder = to.parent().and_then(|parent| state.tree.add_folders(&parent));
            if let (Some(folder), Some(name)) = (folder, to.name()) {
                match node.filter(|node| state.tree.file(*node).is_some()) {
                    Some(known) => state.tree.place(known, folder, name),
                    None => {
                        let modified = file.first().and_then(|file| state.journal.time_of(file));
                        let body = FileBody { versions: file.clone(), modified, ..FileBody::default() };
                        node = Some(state.tree.add(folder, name, Body::File(Box::new(body))));
                    }
                }
            }
        }
        Change::SetTime { .. } => {}
    }
    // Later changes of the same file find each other by this number.
    let node = match (row.node, node) {
        (Some(old), None) => Some(*nodes.entry(old).or_insert_with(|| state.tree.reserve())),
        (Some(old), Some(new)) => Some(*nodes.entry(old).or_insert(new)),
        (None, _) => None,
    };
    let ChangeRow { id, change, tried, .. } = row;
    if node.map(|node| node.0) != row.node {
        state.journal.put_change(&ChangeRow {
            id,
            node: node.map(|node| node.0),
            change: change.clone(),
            tried,
        })?;
    }
    let at = Instant::now() + GATHER;
    state.queue.push(id, Queued { node, change, at, is_held: false, is_sent: false, tried, failures: 0 });
    Ok(())
}

fn bring_back_file(core: &Arc<Core>, state: &mut State, row: UnsentRow) -> Result<()> {
    let sent = row.sent.as_ref().map(|(_, number)| *number);
    for number in [row.content, row.working, sent].into_iter().flatten() {
        state.sizes.set(number, 0);
    }
    if row.working.is_some() && row.working != row.content {
        set_aside(core, state, &row);
    }
    let content = row.content.and_then(|number| {
        let size = fs::metadata(core.data.path(number)).map(|metadata| metadata.len()).ok()?;
        Some(DataFile { number, size, open: None })
    });
    let Some(content) = content else {
        if row.content.is_some() {
            let path = state.say(&row.path);
            tracing::error!("what was written to {path:?} and not sent is gone from the journal's directory");
        }
        return state.journal.remove_unsent(row.id);
    };
    state.sizes.set(content.number, content.size);
    if row.removed {
        let core = core.clone();
        state.ending.push(row.sent.as_ref().map_or(&row.path, |(path, _)| path).clone());
        core.clone().spawn(async move { finish_removal(&core, row, content).await });
        return Ok(());
    }
    let mut local = Local::new(row.id, row.modified);
    local.content = Some(content);
    local.closed = Some(Instant::now());
    local.unsure = row.sent;
    let folder = row.path.parent().and_then(|parent| state.tree.add_folders(&parent));
    let (Some(folder), Some(name)) = (folder, row.path.name()) else {
        // A file is where its folder should be: the row can't have been written by us.
        return state.journal.remove_unsent(row.id);
    };
    let id = match state.tree.child(folder, &name) {
        Some(id) if state.tree.file(id).is_some() => id,
        _ => state.tree.add(folder, name, Body::File(Box::default())),
    };
    if let Some(file) = state.tree.file_mut(id) {
        file.versions = row.replaces;
        file.local = Some(local);
    }
    state.unsent.insert(id);
    state.journal_file(id)
}

/// Keeps for some days what was being written and was neither closed nor fsynced.
fn set_aside(core: &Core, state: &mut State, row: &UnsentRow) {
    let Some(number) = row.working else { return };
    state.sizes.remove(number);
    let is_empty = fs::metadata(core.data.path(number)).is_ok_and(|metadata| metadata.len() == 0);
    if is_empty {
        core.data.remove(number);
        return;
    }
    let path = state.say(&row.path);
    match core.data.set_aside(number) {
        Ok(kept) => tracing::warn!(
            "{path:?} was being written when the program ended, and wasn't closed; what was written is in {} for 7 days",
            kept.display()
        ),
        Err(error) => tracing::warn!("{path:?} was being written when the program ended: {error}"),
    }
}

/// Removes a file at the service that was removed here while it was being sent, if it had arrived.
async fn finish_removal(core: &Arc<Core>, row: UnsentRow, content: DataFile) {
    let (path, number): (RemotePath, i64) = row.sent.unwrap_or((row.path, content.number));
    let folder = path.parent().unwrap_or_default();
    let mut failures = 0;
    let entries = loop {
        match core.list_fresh(&folder).await {
            Ok(entries) => break entries,
            Err(error) => {
                failures += 1;
                tracing::debug!("it isn't known whether a removed file had arrived: {error}");
                tokio::time::sleep_until(retry_at(failures)).await;
            }
        }
    };
    let found = core.arrived(&path, number, &row.replaces, entries.iter()).await;
    let mut state = core.state();
    let state = &mut *state;
    // What it was to replace goes as well: it bore the name that was removed.
    let mut files: Vec<_> = row.replaces.into_iter().filter(|file| file.path == path).collect();
    files.extend(found);
    state.ending.retain(|ending| *ending != path);
    let at = Instant::now() + GATHER;
    let noted = match files.is_empty() {
        true => Ok(()),
        false => state.queue(None, Change::Remove { path, files }, at, false),
    };
    match noted.and_then(|()| state.journal.remove_unsent(row.id)) {
        Ok(()) => [content.number, number].into_iter().for_each(|number| core.remove_data(state, number)),
        Err(error) => tracing::error!("the journal doesn't take that a file is removed: {error}"),
    }
    core.wake.notify_one();
    core.progressed();
}
