//! Closed files sent to the service, in batches of one folder.

use std::{collections::HashSet, fs, io::Read as _, path::PathBuf, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use fichier_storage::{
    ByteStream, Content, Entry, File, Freshness, Outcome, RemotePath, StorageError, Whirlpool,
    WhirlpoolHasher, WriteBatch, WriteItem,
};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::{
    batch::{Candidate, pick},
    sender::GATHER,
};
use crate::{
    NodeId, Result, VfsError,
    blocking::on_disk,
    change::Change,
    core::{Core, State},
    positioned,
    tree::Local,
};

/// How many bytes of a data file are read at a time.
const PIECE: usize = 256 << 10;

/// What a folder holds now, or why that isn't known.
type FreshListing = std::result::Result<Vec<Entry>, Arc<StorageError>>;

/// A file on its way.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) node: NodeId,
    pub(super) path: RemotePath,
    pub(super) number: i64,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) replaces: Vec<File>,
    /// Where the service may have it already.
    unsure: Option<(RemotePath, i64)>,
    /// An older state of it that the service has.
    arrived: Option<File>,
}

impl Core {
    /// Checks whether a file isn't sent since it is empty and the service has no empty files.
    pub(crate) fn stays_empty(&self, local: &Local) -> bool {
        local.working.is_none() && local.size() == 0 && !self.remote.info().features.empty_files
    }

    pub(super) fn start_uploads(self: &Arc<Self>, state: &mut State) -> Option<Instant> {
        if self.changeable().is_err() {
            return None;
        }
        let now = Instant::now();
        let blocked: HashSet<RemotePath> = state.upload_paths().into_iter().collect();
        let mut candidates = Vec::new();
        let mut again: Option<Instant> = None;
        let ids: Vec<NodeId> = state.unsent.iter().copied().collect();
        for id in ids {
            match self.candidate(state, id, now, &blocked) {
                Some(Ok(candidate)) => candidates.push(candidate),
                Some(Err(at)) => again = again.into_iter().chain([at]).min(),
                None => {}
            }
        }
        let limit = self.remote.info().batch;
        let (batches, later) = pick(candidates, limit, self.options.write_back, now);
        for batch in batches {
            if state.batches >= self.options.transfers.max(1) {
                // The end of one wakes the sender.
                break;
            }
            if let Err(error) = self.start_batch(state, &batch) {
                tracing::error!("the journal can't be written, so nothing is sent: {error}");
                again = again.into_iter().chain([super::sender::retry_at(1)]).min();
            }
        }
        again.into_iter().chain(later).min()
    }

    /// Returns what may be sent of a file; or when; `None` if nothing.
    fn candidate(
        &self,
        state: &mut State,
        id: NodeId,
        now: Instant,
        blocked: &HashSet<RemotePath>,
    ) -> Option<std::result::Result<Candidate, Instant>> {
        let path = state.tree.path(id)?;
        let file = state.tree.file(id)?;
        let local = file.local.as_ref()?;
        let content = local.content.as_ref()?;
        let is_closed = local.working.is_none() && (file.writers == 0 || local.is_urgent);
        if !is_closed || local.sending.is_some() {
            return None;
        }
        if let Some((_, at, _)) = &local.failed
            && *at > now
        {
            return Some(Err(*at));
        }
        let candidate = Candidate {
            node: id,
            folder: path.parent().unwrap_or_default(),
            size: content.size,
            closed: local.closed.unwrap_or(now),
            is_urgent: local.is_urgent,
        };
        let is_own = local.unsure.as_ref().is_some_and(|(unsure, _)| *unsure == path);
        if state.is_renaming(&path) || (blocked.contains(&path) && !is_own) {
            return None;
        }
        if self.stays_empty(local) {
            self.empty_at_service(state, id, &path);
            return None;
        }
        let is_due = candidate.is_urgent || candidate.closed + self.options.write_back <= now;
        // Only what is due lets removals go that wait for a handle.
        if is_due && !state.queue.lets_upload(&path) {
            return None;
        }
        Some(Ok(candidate))
    }

    /// Removes the versions of a file that became empty, where the service has no empty files.
    fn empty_at_service(&self, state: &mut State, id: NodeId, path: &RemotePath) {
        let Some(file) = state.tree.file_mut(id) else { return };
        let is_due = file
            .local
            .as_ref()
            .and_then(|local| local.closed)
            .is_none_or(|closed| closed.elapsed() >= self.options.write_back);
        if file.versions.is_empty() || !is_due {
            return;
        }
        let files = std::mem::take(&mut file.versions);
        let change = Change::Remove { path: path.clone(), files };
        let queued = state.queue(None, change, Instant::now() + GATHER, false);
        if let Err(error) = queued.and_then(|()| state.journal_file(id)) {
            tracing::error!("the journal doesn't take that a file became empty: {error}");
        }
        self.wake.notify_one();
    }

    fn start_batch(self: &Arc<Self>, state: &mut State, batch: &[NodeId]) -> Result<()> {
        let mut uploads = Vec::with_capacity(batch.len());
        for id in batch {
            let Some(path) = state.tree.path(*id) else { continue };
            let Some(file) = state.tree.file(*id) else { continue };
            let Some((local, content)) =
                file.local.as_ref().and_then(|local| Some((local, local.content.as_ref()?)))
            else {
                continue;
            };
            uploads.push(Upload {
                node: *id,
                path: path.clone(),
                number: content.number,
                size: content.size,
                modified: local.modified,
                // Versions under other names go when this one is stored.
                replaces: file.versions.iter().filter(|version| version.path == path).cloned().collect(),
                unsure: local.unsure.clone(),
                arrived: None,
            });
        }
        state.journal.together(|journal| {
            for upload in &uploads {
                let local = state.tree.file(upload.node).and_then(|file| file.local.as_ref());
                if let Some(local) = local {
                    let sent = local.unsure.as_ref();
                    let (path, number) =
                        sent.map_or((&upload.path, upload.number), |(path, number)| (path, *number));
                    journal.mark_sent(local.id, path, number)?;
                }
            }
            Ok(())
        })?;
        for upload in &uploads {
            if let Some(local) = state.tree.file_mut(upload.node).and_then(|file| file.local.as_mut()) {
                local.sending = Some((upload.path.clone(), upload.number));
            }
            state.queue.makes_no_more_alone(&upload.path);
        }
        state.batches += 1;
        let core = self.clone();
        self.spawn(async move { core.send_batch(uploads).await });
        Ok(())
    }

    async fn send_batch(self: &Arc<Self>, uploads: Vec<Upload>) {
        let (found, mut uploads, unknown) = self.find_those_that_arrived(uploads).await;
        {
            let mut state = self.state();
            for upload in &mut uploads {
                self.settle_unsure(&mut state, upload);
            }
        }
        let folder = uploads.first().and_then(|upload| upload.path.parent());
        let mut outcomes = Vec::new();
        if let Some(folder) = folder {
            let items = uploads.iter().filter_map(|upload| self.item(upload)).collect();
            self.called();
            outcomes = self.remote.write(WriteBatch { folder, items }).await;
        }
        {
            let mut state = self.state();
            let state = &mut *state;
            state.batches -= 1;
            for (upload, file) in found {
                self.stored(state, &upload, file, true);
            }
            for (upload, error) in unknown {
                self.not_stored(state, &upload, &error);
            }
            let mut outcomes = outcomes.into_iter();
            for upload in &uploads {
                match outcomes.next().unwrap_or(Outcome::NotTried).into_result() {
                    Ok(file) => self.stored(state, upload, file, false),
                    Err(error) => self.not_stored(state, upload, &error),
                }
            }
        }
        self.progressed();
        self.wake.notify_one();
    }

    fn item(&self, upload: &Upload) -> Option<WriteItem> {
        Some(WriteItem {
            name: upload.path.name()?,
            size: upload.size,
            modified: Some(upload.modified).filter(|_| !self.options.no_modtime),
            expected: None,
            content: Arc::new(DataContent { path: self.data.path(upload.number), size: upload.size }),
            replaces: upload.replaces.clone(),
            metadata: Vec::new(),
        })
    }

    /// Looks for files that an earlier start was sending when it ended. One listing tells of all in a folder. Returns
    /// those that arrived, those that didn't, and those of which that can't be known.
    async fn find_those_that_arrived(
        &self,
        uploads: Vec<Upload>,
    ) -> (Vec<(Upload, File)>, Vec<Upload>, Vec<(Upload, Arc<StorageError>)>) {
        let (mut found, mut rest, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let mut listed: Option<(RemotePath, FreshListing)> = None;
        for upload in uploads {
            let Some((path, number)) = upload.unsure.clone() else {
                rest.push(upload);
                continue;
            };
            let folder = path.parent().unwrap_or_default();
            if listed.as_ref().is_none_or(|(listed, _)| *listed != folder) {
                listed = Some((folder.clone(), self.list_fresh(&folder).await.map_err(Arc::new)));
            }
            let entries = match &listed {
                Some((_, Ok(entries))) => entries.iter(),
                Some((_, Err(error))) => {
                    unknown.push((upload, error.clone()));
                    continue;
                }
                None => [].iter(),
            };
            match self.arrived(&path, number, &upload.replaces, entries).await {
                Some(file) if number == upload.number => found.push((Upload { path, ..upload }, file)),
                // An older state of it has arrived, which this one replaces.
                Some(file) => rest.push(Upload { arrived: Some(file), ..upload }),
                None => rest.push(upload),
            }
        }
        (found, rest, unknown)
    }

    /// Lists a folder as it is now. One that isn't there holds nothing.
    pub(super) async fn list_fresh(&self, folder: &RemotePath) -> fichier_storage::Result<Vec<Entry>> {
        self.remote.forget(folder);
        self.called();
        match self.remote.list(folder, Freshness::Within(std::time::Duration::ZERO)).await {
            Ok(listing) => Ok(listing.entries),
            Err(error) if matches!(error.plain(), StorageError::FolderNotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Notes what is known now of a file that an earlier start was sending. From now on it is sent as any other.
    fn settle_unsure(&self, state: &mut State, upload: &mut Upload) {
        let Some((_, number)) = upload.unsure.take() else { return };
        let Some(file) = state.tree.file_mut(upload.node) else { return };
        if let Some(arrived) = upload.arrived.take() {
            file.versions.push(arrived.clone());
            if arrived.path == upload.path {
                upload.replaces.push(arrived);
            }
        }
        let Some(local) = &mut file.local else { return };
        local.unsure = None;
        if let Err(error) = state.journal_file(upload.node) {
            tracing::error!("the journal doesn't take what is known of a file: {error}");
        }
        self.remove_unneeded(state, upload.node, number);
    }

    /// Returns the file that a data file became at a path, if it is there.
    pub(super) async fn arrived<'a>(
        &self,
        path: &RemotePath,
        number: i64,
        replaces: &[File],
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Option<File> {
        let data = self.data.path(number);
        let size = fs::metadata(&data).ok()?.len();
        let same = entries.filter_map(Entry::as_file).filter(|file| {
            file.path == *path && file.size == size && file.whirlpool.is_some() && !replaces.contains(file)
        });
        let same: Vec<File> = same.cloned().collect();
        if same.is_empty() {
            return None;
        }
        let sum = on_disk(move || checksum(&data)).await.ok()?.ok()?;
        same.into_iter().find(|file| file.whirlpool == Some(sum))
    }

    /// Sends a closed or open file now, and waits until the service has what it holds now.
    pub(crate) async fn send_and_wait(self: &Arc<Self>, id: NodeId) -> Result<()> {
        let mut progress = self.progress.subscribe();
        let number = {
            let mut state = self.state();
            let state = &mut *state;
            let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.as_mut()) else {
                return Ok(());
            };
            // What is written from now on goes to another data file.
            if local.working.as_ref().map(|data| data.number)
                == local.content.as_ref().map(|data| data.number)
            {
                local.working = None;
            }
            local.is_urgent = true;
            local.failed = None;
            let number = local.content.as_ref().map(|data| data.number);
            state.journal_file(id)?;
            number
        };
        self.wake.notify_one();
        loop {
            {
                let state = self.state();
                let local = state.tree.file(id).and_then(|file| file.local.as_ref());
                let Some(local) = local else { return Ok(()) };
                let is_waiting = number.is_some()
                    && (local.content.as_ref().map(|data| data.number) == number
                        || local.sending.as_ref().map(|(_, sent)| *sent) == number);
                if !is_waiting || self.stays_empty(local) || state.tree.path(id).is_none() {
                    return Ok(());
                }
                if let Some((_, _, reason)) = &local.failed {
                    let (path, reason) = (state.shown(id), reason.to_string());
                    return Err(VfsError::Unsent { count: 1, path, reason });
                }
            }
            self.ended(&mut progress).await?;
        }
    }
}

fn checksum(path: &std::path::Path) -> std::io::Result<Whirlpool> {
    let mut file = fs::File::open(path)?;
    let mut hasher = WhirlpoolHasher::new();
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// A data file of the journal as content.
#[derive(Debug)]
struct DataContent {
    path: PathBuf,
    size: u64,
}

#[async_trait]
impl Content for DataContent {
    async fn open(&self) -> fichier_storage::Result<ByteStream> {
        let io = |error| StorageError::io("read", &self.path, error);
        let path = self.path.clone();
        let opened = on_disk(move || fs::File::open(path)).await;
        let file = Arc::new(opened.map_err(|_| StorageError::Canceled)?.map_err(io)?);
        let (size, path) = (self.size, self.path.clone());
        let stream = futures::stream::try_unfold(0, move |at| {
            let (file, path) = (file.clone(), path.clone());
            async move {
                let wanted = usize::try_from(size - at).unwrap_or(PIECE).min(PIECE);
                if wanted == 0 {
                    return Ok(None);
                }
                let read = on_disk(move || positioned::read(&file, at, wanted)).await;
                let bytes: Bytes = read
                    .map_err(|_| StorageError::Canceled)?
                    .map_err(|error| StorageError::io("read", &path, error))?;
                let next = at + bytes.len() as u64;
                Ok((!bytes.is_empty()).then_some((bytes, next)))
            }
        });
        Ok(stream.boxed())
    }
}
