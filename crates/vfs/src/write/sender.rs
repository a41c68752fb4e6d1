//! The sender: tells the service what has changed, when it is due, several things at once.

use std::{sync::Arc, time::Duration};

use fichier_storage::{File, Freshness, Outcome, Relocation, RemotePath, Retry, StorageError};
use tokio::time::Instant;

use super::queue::Next;
use crate::{
    Event,
    change::{Change, ChangeKind},
    core::{Core, State},
    journal::ChangeRow,
};

/// How long changes wait for others that can go with them.
pub(crate) const GATHER: Duration = Duration::from_millis(150);

/// How long to gather what woke the sender.
const BREATH: Duration = Duration::from_millis(10);

/// First and longest time until something that failed is tried again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// How many changes go in one call.
const MOST_CHANGES: usize = 1000;

/// Starts the sender.
pub(crate) fn start(core: &Arc<Core>) {
    let sender = core.clone();
    core.spawn(async move {
        loop {
            let next = sender.start_what_is_due();
            let wait = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sender.wake.notified() => tokio::time::sleep(BREATH).await,
                () = wait => {}
            }
        }
    });
}

/// Returns when to try again what has failed so often.
pub(crate) fn retry_at(failures: u32) -> Instant {
    let wait = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(10));
    Instant::now() + wait.min(LONGEST_RETRY)
}

impl Core {
    /// Starts everything that may go now, and returns when to look again.
    fn start_what_is_due(self: &Arc<Self>) -> Option<Instant> {
        let mut state = self.state();
        let state = &mut *state;
        let changes = self.start_changes(state);
        let uploads = self.start_uploads(state);
        changes.into_iter().chain(uploads).min()
    }

    fn start_changes(self: &Arc<Self>, state: &mut State) -> Option<Instant> {
        if state.is_sending_changes || self.changeable().is_err() {
            return None;
        }
        let mut blocked = state.upload_paths();
        blocked.extend(state.renaming.iter().flatten().cloned());
        let (kind, mut ids) = match state.queue.next(Instant::now(), &blocked) {
            Next::Batch(kind, ids) => (kind, ids),
            Next::At(at) => return Some(at),
            Next::Idle => return None,
        };
        ids.truncate(MOST_CHANGES);
        let mut batch = Vec::with_capacity(ids.len());
        let noted = state.journal.together(|journal| {
            for id in &ids {
                let Some(queued) = state.queue.get_mut(*id) else { continue };
                let row = ChangeRow {
                    id: *id,
                    node: queued.node.map(|node| node.0),
                    change: queued.change.clone(),
                    tried: true,
                };
                if !queued.tried {
                    journal.put_change(&row)?;
                }
                queued.is_sent = true;
                batch.push((*id, row.change));
            }
            Ok(())
        });
        if let Err(error) = noted {
            tracing::error!("the journal can't be written, so nothing is sent: {error}");
            batch
                .iter()
                .filter_map(|(id, _)| state.queue.get_mut(*id).map(|queued| queued.is_sent = false))
                .for_each(drop);
            return Some(retry_at(1));
        }
        state.is_sending_changes = true;
        let core = self.clone();
        self.spawn(async move { core.send_changes(kind, batch).await });
        None
    }

    async fn send_changes(self: &Arc<Self>, kind: ChangeKind, batch: Vec<(i64, Change)>) {
        self.called();
        let results = match kind {
            ChangeKind::MakeFolder => {
                let folders: Vec<_> = batch.iter().map(|(_, change)| change.path().clone()).collect();
                empty(self.remote.make_folders(&folders).await)
            }
            ChangeKind::RemoveFolder => {
                let folders: Vec<_> = batch.iter().map(|(_, change)| change.path().clone()).collect();
                empty(self.remote.remove_folders(&folders).await)
            }
            ChangeKind::Remove => {
                let files: Vec<_> = batch.iter().flat_map(|(_, change)| change.files()).cloned().collect();
                let mut outcomes = self.remote.remove_unchanged(&files).await.into_iter();
                let all_of = |(_, change): &(i64, Change)| {
                    let outcomes: Vec<_> = outcomes.by_ref().take(change.files().len()).collect();
                    let outcomes = outcomes.into_iter().map(Outcome::into_result);
                    outcomes
                        .filter(|result| !matches!(result, Err(error) if is_gone(error)))
                        .collect::<Result<(), _>>()
                };
                batch.iter().map(all_of).map(|result| result.map(|()| Vec::new())).collect()
            }
            ChangeKind::Rename => self.send_renames(&batch).await,
            ChangeKind::SetTime => {
                let time_of = |(_, change): &(i64, Change)| match change {
                    Change::SetTime { file, time, .. } => Some((file.first()?.clone(), *time)),
                    _ => None,
                };
                let times: Vec<_> = batch.iter().filter_map(time_of).collect();
                empty(self.remote.set_modified(&times).await)
            }
        };
        {
            let mut state = self.state();
            let state = &mut *state;
            state.is_sending_changes = false;
            let mut results = results.into_iter();
            for (id, change) in batch {
                let result = results.next().unwrap_or(Err(StorageError::NotTried));
                self.end_change(state, id, &change, result);
            }
        }
        self.progressed();
        self.wake.notify_one();
    }

    async fn send_renames(&self, batch: &[(i64, Change)]) -> Vec<fichier_storage::Result<Vec<File>>> {
        let relocation = |(_, change): &(i64, Change)| match change {
            Change::Rename { file, to, replaces, .. } => {
                let from = file.first()?.clone();
                Some(Relocation { from, to: to.clone(), replaces: replaces.clone() })
            }
            _ => None,
        };
        let relocations: Vec<_> = batch.iter().filter_map(relocation).collect();
        let outcomes = self.remote.rename(&relocations).await;
        let mut results = Vec::new();
        for (outcome, relocation) in outcomes.into_iter().zip(&relocations) {
            results.push(match outcome.into_result() {
                Ok(file) => Ok(vec![file]),
                // An earlier try may have reached the service though its answer was lost.
                Err(error) if is_gone(&error) => match self.found_as(relocation).await {
                    Some(file) => Ok(vec![file]),
                    None => Err(error),
                },
                Err(error) => Err(error),
            });
        }
        results
    }

    /// Looks whether a file is at its new path already.
    async fn found_as(&self, relocation: &Relocation) -> Option<File> {
        let folder: RemotePath = relocation.to.parent()?;
        self.remote.forget(&folder);
        self.called();
        let age = Freshness::Within(Duration::ZERO);
        let entry = self.remote.find(&relocation.to, age).await.ok()?;
        let found = entry.as_file()?;
        let same = found.size == relocation.from.size
            && found.whirlpool == relocation.from.whirlpool
            && !relocation.replaces.contains(found);
        same.then(|| found.clone())
    }

    /// Notes what became of a change.
    fn end_change(
        self: &Arc<Self>,
        state: &mut State,
        id: i64,
        change: &Change,
        result: fichier_storage::Result<Vec<File>>,
    ) {
        let is_done_otherwise = |error: &StorageError| match change {
            Change::RemoveFolder(_) => matches!(error.plain(), StorageError::FolderNotFound(_)),
            _ => false,
        };
        let files = match result {
            Ok(files) => files,
            Err(error) if is_done_otherwise(&error) => Vec::new(),
            Err(error) => return self.fail_change(state, id, change, &error),
        };
        let Some(queued) = state.queue.take(id) else { return };
        change.paths().for_each(|path| state.tree.note_own_path(path));
        let noted = state.journal.remove_change(id).and_then(|()| match change {
            Change::Rename { file, .. } => self.renamed(state, queued.node, file, &files),
            Change::Remove { files, .. } => files.iter().try_for_each(|file| state.journal.forget_time(file)),
            Change::SetTime { file, time, .. } => {
                for version in queued
                    .node
                    .and_then(|node| state.tree.file_mut(node))
                    .into_iter()
                    .flat_map(|file| &mut file.versions)
                {
                    if file.contains(version) {
                        version.modified = Some(*time);
                    }
                }
                Ok(())
            }
            Change::MakeFolder(_) | Change::RemoveFolder(_) => Ok(()),
        });
        if let Err(error) = noted {
            tracing::error!("the journal doesn't take that a change is done: {error}");
        }
    }

    fn fail_change(self: &Arc<Self>, state: &mut State, id: i64, change: &Change, error: &StorageError) {
        let is_tried_again = error.retry() != Retry::Useless;
        let path = state.say(change.path());
        let reason: Arc<str> = format!("can't {} {path:?}: {error}", change.verb()).into();
        let Some(queued) = state.queue.get_mut(id) else { return };
        queued.is_sent = false;
        queued.tried = true;
        let is_first = queued.failures == 0;
        if !matches!(error, StorageError::NotTried) {
            queued.failures += 1;
        }
        queued.at = retry_at(queued.failures.max(1));
        if is_tried_again {
            if is_first {
                tracing::warn!("{reason}. It is tried again");
                self.tell(Event::Failed { path, reason, is_tried_again });
            }
            return;
        }
        tracing::error!("{reason}. It is shown again as it is at the service");
        self.tell(Event::Failed { path, reason, is_tried_again });
        state.queue.take(id);
        if let Err(error) = state.journal.remove_change(id) {
            tracing::error!("the journal doesn't take that a change has failed: {error}");
        }
        change.paths().for_each(|path| self.look_again(path));
    }
}

fn empty(outcomes: Vec<Outcome<()>>) -> Vec<fichier_storage::Result<Vec<File>>> {
    outcomes.into_iter().map(|outcome| outcome.into_result().map(|()| Vec::new())).collect()
}

fn is_gone(error: &StorageError) -> bool {
    matches!(error.plain(), StorageError::FileNotFound(_))
}
