//! The data file that is being written: made, filled with what the file had, and closed.

use std::{
    fs,
    io::{self, Read as _},
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use fichier_storage::{File, RemotePath, WhirlpoolHasher};
use tokio::{
    sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard},
    time::Instant,
};

use crate::{
    NodeId, Result, VfsError,
    blocking::on_disk,
    change::Change,
    core::{Core, State},
    positioned,
    tree::{DataFile, Local},
    write::sender::GATHER,
};

/// How many bytes are fetched at a time when a file is changed that the service has.
const PIECE: usize = 1 << 20;

/// Where the bytes come from that a file has when it is first changed.
enum Basis {
    /// It has none that count.
    Empty,
    /// From another data file.
    Copy(fs::File, u64),
    /// From the service.
    Fetch(File),
}

/// A data file that goes again unless it comes into use, also if nobody waits for it any more.
struct Unused<'a> {
    core: &'a Core,
    number: Option<i64>,
}

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.core.remove_data(&mut self.core.state(), number);
        }
    }
}

impl Core {
    /// Makes the state of a new file, journaled, with an empty data file.
    pub(crate) fn new_local(&self, state: &mut State, path: &RemotePath, versions: &[File]) -> Result<Local> {
        let mut local = Local::new(state.journal.number(), SystemTime::now());
        local.working = Some(self.new_data(state)?);
        state.journal.put_unsent(&local.row(path, versions, false))?;
        Ok(local)
    }

    fn new_data(&self, state: &mut State) -> Result<DataFile> {
        let number = state.journal.number();
        let file = self.data.create(number);
        let file = file.map_err(|error| VfsError::disk("make", self.data.path(number), error))?;
        state.sizes.set(number, 0);
        Ok(DataFile { number, size: 0, open: Some(Arc::new(file)) })
    }

    fn exchange(&self, id: NodeId) -> Result<Arc<tokio::sync::RwLock<()>>> {
        let state = self.state();
        let file = state.tree.file(id).ok_or_else(|| VfsError::NotFound(state.shown(id)))?;
        Ok(file.exchange.clone())
    }

    /// Writes bytes at an offset, or at the end of the file.
    pub(crate) async fn write(&self, id: NodeId, offset: Option<u64>, bytes: Bytes) -> Result<()> {
        let Some(offset) = offset else {
            // Appends exclude each other, so that each finds the end.
            let guard = self.exchange(id)?.write_owned().await;
            self.prepare(id, u64::MAX, &guard).await?;
            let end = self.state().tree.file(id).map_or(0, crate::tree::FileBody::size);
            return self.write_data(id, end, bytes).await;
        };
        let _guard = self.prepared(id).await?;
        self.write_data(id, offset, bytes).await
    }

    /// Makes sure that a file has a data file that may be written, and that it stays so while the guard is held.
    async fn prepared(&self, id: NodeId) -> Result<OwnedRwLockReadGuard<()>> {
        let exchange = self.exchange(id)?;
        loop {
            let guard = exchange.clone().read_owned().await;
            let is_ready = {
                let state = self.state();
                let local = state.tree.file(id).and_then(|file| file.local.as_ref());
                local.is_some_and(|local| local.working.is_some())
            };
            if is_ready {
                return Ok(guard);
            }
            drop(guard);
            let guard = exchange.clone().write_owned().await;
            self.prepare(id, u64::MAX, &guard).await?;
        }
    }

    async fn write_data(&self, id: NodeId, offset: u64, bytes: Bytes) -> Result<()> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| i64::try_from(*end).is_ok());
        let end = end.ok_or_else(|| VfsError::Invalid {
            path: self.state().shown(id),
            why: "no file can be so large",
        })?;
        let (file, size) = self.state().open_data(&self.data, id)?.ok_or(VfsError::ShutDown)?;
        self.make_room(end.saturating_sub(size)).await?;
        let written = on_disk(move || positioned::write(&file, offset, &bytes)).await?;
        written.map_err(|error| VfsError::disk("write", self.state().shown(id), error))?;
        let mut state = self.state();
        let state = &mut *state;
        if let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.as_mut())
            && let Some(working) = &mut local.working
        {
            working.size = working.size.max(end);
            local.modified = SystemTime::now();
            state.sizes.grow(working.number, working.size);
        }
        Ok(())
    }

    /// Gives a file a data file that may be written, with the first `keep` bytes of what it has.
    async fn prepare(&self, id: NodeId, keep: u64, _alone: &OwnedRwLockWriteGuard<()>) -> Result<()> {
        let (basis, data, shown) = {
            let mut state = self.state();
            let state = &mut *state;
            let shown = state.shown(id);
            let file = state.tree.file(id).ok_or_else(|| VfsError::NotFound(shown.clone()))?;
            let basis = match (&file.local, file.versions.first()) {
                (Some(local), _) if local.working.is_some() => return Ok(()),
                (Some(Local { content: Some(content), .. }), _) if keep > 0 && content.size > 0 => {
                    // Opened now, since it may be sent and gone before it is copied.
                    let open = self.data.open_file(content.number);
                    let open =
                        open.map_err(|error| VfsError::disk("open", self.data.path(content.number), error))?;
                    Basis::Copy(open, content.size.min(keep))
                }
                (None, Some(version)) if keep > 0 && version.size > 0 => Basis::Fetch(version.clone()),
                _ => Basis::Empty,
            };
            (basis, self.new_data(state)?, shown)
        };
        let mut unused = Unused { core: self, number: Some(data.number) };
        let size = match basis {
            Basis::Empty => 0,
            Basis::Copy(from, size) => self.copy(from, &data, size).await?,
            Basis::Fetch(version) => self.fetch(&version, &data, keep, &shown).await?,
        };
        self.install(id, DataFile { size, ..data })?;
        unused.number = None;
        Ok(())
    }

    async fn copy(&self, from: fs::File, data: &DataFile, size: u64) -> Result<u64> {
        self.make_room(size).await?;
        let target = self.data.path(data.number);
        let shown = target.clone();
        let copied = on_disk(move || {
            // The system copies without reading where the disk can.
            let mut target = fs::OpenOptions::new().write(true).open(&target)?;
            io::copy(&mut from.take(size), &mut target)?;
            // A hole at the end isn't copied.
            target.set_len(size)
        });
        copied.await?.map_err(|error| VfsError::disk("copy to", shown, error))?;
        self.state().sizes.set(data.number, size);
        Ok(size)
    }

    /// Fetches what a file has at the service. A whole file is verified.
    async fn fetch(&self, version: &File, data: &DataFile, keep: u64, shown: &str) -> Result<u64> {
        let size = version.size.min(keep);
        self.make_room(size).await?;
        let Some(target) = data.open.clone() else { return Ok(0) };
        let whole = size == version.size && !self.options.no_checksum;
        let mut hasher = version.whirlpool.filter(|_| whole).map(|_| WhirlpoolHasher::new());
        let mut at = 0;
        while at < size {
            let wanted = usize::try_from(size - at).unwrap_or(PIECE).min(PIECE);
            let bytes = tokio::select! {
                () = self.stop.cancelled() => return Err(VfsError::ShutDown),
                (read, _) = self.readers.read(version, at, wanted, None) => read.map_err(|error| error.named(shown))?,
            };
            if bytes.is_empty() {
                return Err(VfsError::WrongBytes(shown.to_owned()));
            }
            let length = bytes.len() as u64;
            let file = target.clone();
            let written = on_disk(move || {
                if let Some(hasher) = &mut hasher {
                    hasher.update(&bytes);
                }
                positioned::write(&file, at, &bytes).map(|()| hasher)
            });
            hasher = written
                .await?
                .map_err(|error| VfsError::disk("write", self.data.path(data.number), error))?;
            at += length;
        }
        if hasher.is_some_and(|hasher| Some(hasher.finish()) != version.whirlpool) {
            return Err(VfsError::WrongBytes(shown.to_owned()));
        }
        self.state().sizes.set(data.number, size);
        Ok(size)
    }

    /// Makes a data file the one that is written of a file, and journals it.
    fn install(&self, id: NodeId, data: DataFile) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        let number = state.journal.number();
        let file = state.tree.file_mut(id).ok_or(VfsError::ShutDown)?;
        let modified = file.modified.unwrap_or_else(SystemTime::now);
        let local = file.local.get_or_insert_with(|| Local::new(number, modified));
        local.working = Some(data);
        state.unsent.insert(id);
        let noted = state.journal_file(id);
        if noted.is_err()
            && let Some(file) = state.tree.file_mut(id)
            && let Some(local) = &mut file.local
        {
            local.working = None;
            if local.content.is_none() {
                file.local = None;
                state.unsent.remove(&id);
            }
        }
        noted
    }

    /// Cuts a file off, or adds zeros.
    pub(crate) async fn set_size(&self, id: NodeId, size: u64) -> Result<()> {
        let guard = self.exchange(id)?.write_owned().await;
        if i64::try_from(size).is_err() {
            return Err(VfsError::Invalid { path: self.state().shown(id), why: "no file can be so large" });
        }
        self.prepare(id, size, &guard).await?;
        let (file, old) = self.state().open_data(&self.data, id)?.ok_or(VfsError::ShutDown)?;
        self.make_room(size.saturating_sub(old)).await?;
        let set = on_disk(move || file.set_len(size)).await?;
        set.map_err(|error| VfsError::disk("set the size of", self.state().shown(id), error))?;
        let mut state = self.state();
        let state = &mut *state;
        if let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.as_mut())
            && let Some(working) = &mut local.working
        {
            working.size = size;
            local.modified = SystemTime::now();
            state.sizes.set(working.number, size);
        }
        self.close(state, id);
        if state.tree.get(id).is_some_and(|node| node.handles == 0)
            && let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.as_mut())
        {
            for data in [&mut local.content, &mut local.working].into_iter().flatten() {
                data.open = None;
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Closes what is being written of a file, if nobody has it open for writing: it will be sent.
    pub(crate) fn close(&self, state: &mut State, id: NodeId) {
        let is_there = state.tree.path(id).is_some();
        let Some(file) = state.tree.file_mut(id) else { return };
        if file.writers > 0 || !is_there {
            return;
        }
        let Some(local) = &mut file.local else { return };
        let Some(working) = local.working.take() else { return };
        let old = local.content.replace(working).map(|data| data.number);
        local.closed = Some(Instant::now());
        local.failed = None;
        if let Err(error) = state.journal_file(id) {
            // It is sent all the same. Only if the program ends before that, it is found as unfinished.
            tracing::error!(
                path = state.shown(id),
                "the journal doesn't take that a file is closed: {error}"
            );
        }
        old.into_iter().for_each(|old| self.remove_unneeded(state, id, old));
    }

    /// Fetches a whole file into a data file, to be sent under another name.
    pub(crate) async fn fetch_whole(&self, id: NodeId) -> Result<()> {
        let guard = self.exchange(id)?.write_owned().await;
        self.prepare(id, u64::MAX, &guard).await?;
        self.close(&mut self.state(), id);
        Ok(())
    }

    /// Drops what was written to a removed file, when its last handle is released.
    pub(crate) fn drop_removed(&self, state: &mut State, id: NodeId) {
        let Some(file) = state.tree.file_mut(id) else { return };
        match &mut file.local {
            // The sender ends it.
            Some(local) if local.sending.is_some() => {}
            Some(_) => {
                if let Some(local) = file.local.take() {
                    self.drop_local(state, &local);
                }
                state.unsent.remove(&id);
            }
            None => {}
        }
    }

    /// Makes what was written of a file survive a power cut.
    pub(crate) async fn make_safe(&self, id: NodeId) -> Result<()> {
        let _guard = self.exchange(id)?.write_owned().await;
        let Some((file, _)) = self.state().open_data(&self.data, id)? else { return Ok(()) };
        let sync_names = self.data.sync();
        let synced = on_disk(move || file.sync_all().and_then(|()| sync_names())).await?;
        synced.map_err(|error| VfsError::disk("sync", self.state().shown(id), error))?;
        let mut state = self.state();
        let state = &mut *state;
        if let Some(local) = state.tree.file_mut(id).and_then(|file| file.local.as_mut())
            && let Some(working) = &local.working
        {
            // The same data file is what counts after a crash, and is written on.
            let old = local.content.replace(working.clone()).map(|data| data.number);
            state.journal_file(id)?;
            old.into_iter().for_each(|old| self.remove_unneeded(state, id, old));
        }
        state.journal.make_safe()
    }

    /// Gives a file or folder another time.
    pub(crate) fn set_time(&self, id: NodeId, time: SystemTime) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        if let Some(folder) = state.tree.folder_mut(id) {
            folder.modified = Some(time);
            return Ok(());
        }
        let shown = state.shown(id);
        let path = state.tree.path(id);
        let file = state.tree.file_mut(id).ok_or(VfsError::NotFound(shown))?;
        if self.options.no_modtime {
            return Ok(());
        }
        if let Some(local) = &mut file.local {
            local.modified = time;
            return state.journal_file(id);
        }
        file.modified = Some(time);
        let times = self.remote.info().times;
        match (file.versions.first().cloned(), path) {
            (Some(version), Some(path)) if times.settable && times.precision.is_some() => {
                let change = Change::SetTime { path, file: vec![version], time };
                state.queue(Some(id), change, Instant::now() + GATHER, false)
            }
            (Some(version), _) => state.journal.remember_time(&version, time),
            _ => Ok(()),
        }
    }
}
