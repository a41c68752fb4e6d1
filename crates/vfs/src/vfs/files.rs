//! Files opened, read, written and closed.

use std::sync::Arc;

use bytes::Bytes;
use fichier_storage::File;

use super::{Vfs, folders::child_shown};
use crate::{
    Attributes, Fsync, HandleId, Kind, NodeId, OpenFlags, Result, SetAttributes, VfsError,
    blocking::on_disk,
    core::{Core, HandleBody},
    positioned,
    read::ReadError,
    tree::{Body, FileBody},
};

impl Vfs {
    /// Makes a file and opens it, and gives out its node.
    ///
    /// # Errors
    /// The name is taken or can't be used, or nothing can be changed.
    pub async fn create(
        &self,
        folder: NodeId,
        name: &[u8],
        flags: OpenFlags,
    ) -> Result<(Attributes, HandleId)> {
        self.core.changeable()?;
        let name = self.core.new_name(name)?;
        self.core.know(folder).await?;
        let mut state = self.core.state();
        let state = &mut *state;
        Core::is_folder(state, folder)?;
        if self.core.child(state, folder, &name).is_some() {
            return Err(VfsError::Exists(child_shown(state, folder, &name)));
        }
        let path = state.path(folder)?.join(&name);
        let local = self.core.new_local(state, &path, &[])?;
        let body = FileBody { local: Some(local), writers: 1, ..FileBody::default() };
        let id = state.tree.add(folder, name.clone(), Body::File(Box::new(body)));
        state.unsent.insert(id);
        state.tree.note_own(folder, &name);
        state.tree.remember(id);
        let flags = OpenFlags { write: true, ..flags };
        let handle = state.open(id, HandleBody::File { flags, pin: Box::new((None, 0)), seen: None, end: 0 });
        let attributes = self.core.attributes(state, id);
        Ok((attributes.ok_or_else(|| VfsError::NotFound(state.shown(id)))?, handle))
    }

    /// Opens a file.
    ///
    /// # Errors
    /// It is a folder or isn't there, or can't be changed and is to be.
    pub async fn open_file(&self, node: NodeId, flags: OpenFlags) -> Result<HandleId> {
        let flags = OpenFlags { write: flags.write || flags.append || flags.truncate, ..flags };
        if flags.write {
            self.core.changeable()?;
        }
        let handle = {
            let mut state = self.core.state();
            let state = &mut *state;
            let shown = state.shown(node);
            match state.tree.get(node).map(crate::tree::Node::kind) {
                None => return Err(VfsError::NotFound(shown)),
                Some(Kind::Folder) => return Err(VfsError::IsFolder(shown)),
                Some(Kind::File) => {}
            }
            let file = state.tree.file_mut(node).ok_or(VfsError::NotFound(shown))?;
            file.writers += u32::from(flags.write);
            let pin = Box::new((file.versions.first().cloned(), file.stored));
            state.open(node, HandleBody::File { flags, pin, seen: None, end: 0 })
        };
        if flags.truncate
            && let Err(error) = self.core.set_size(node, 0).await
        {
            self.release(handle);
            return Err(error);
        }
        Ok(handle)
    }

    /// Reads bytes of an open file. Fewer than asked for come only at the end of the file.
    ///
    /// # Errors
    /// The bytes can't be had, or are wrong.
    pub async fn read(&self, handle: HandleId, offset: u64, length: usize) -> Result<Bytes> {
        let (node, source, shown) = self.source(handle, offset)?;
        let bytes = match source {
            Source::Data(file, size) => {
                let wanted = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX).min(length);
                let read = on_disk(move || positioned::read(&file, offset, wanted)).await?;
                read.map_err(|error| VfsError::disk("read", &shown, error))?
            }
            Source::Nothing => Bytes::new(),
            Source::Version(version, seen) => {
                let (read, now) = tokio::select! {
                    () = self.core.stop.cancelled() => return Err(VfsError::ShutDown),
                    read = self.core.readers.read(&version, offset, length, seen) => read,
                };
                self.saw(handle, now);
                match read {
                    Err(ReadError::Gone(_)) if self.moved_on(node, handle, &version) => {
                        return Box::pin(self.read(handle, offset, length)).await;
                    }
                    read => read.map_err(|error| error.named(&shown))?,
                }
            }
        };
        self.ended_at(handle, offset + bytes.len() as u64);
        Ok(bytes)
    }

    /// Returns where the bytes of an open file are.
    fn source(&self, handle: HandleId, offset: u64) -> Result<(NodeId, Source, String)> {
        let mut state = self.core.state();
        let state = &mut *state;
        let Some(open) = state.handles.get_mut(&handle) else { return Err(VfsError::BadHandle(handle.0)) };
        let node = open.node;
        let HandleBody::File { flags, pin, seen, end } = &mut open.body else {
            return Err(VfsError::BadHandle(handle.0));
        };
        if !flags.read {
            return Err(VfsError::BadHandle(handle.0));
        }
        if self.core.options.no_seek && offset != *end {
            return Err(VfsError::NoSeek(state.shown(node)));
        }
        // What we stored since the handle was opened is what it reads.
        if let Some(file) = state.tree.file(node)
            && file.stored != pin.1
        {
            **pin = (file.versions.first().cloned(), file.stored);
            *seen = None;
        }
        let (version, seen) = (pin.0.clone(), *seen);
        let shown = state.shown(node);
        let source = match (state.open_data(&self.core.data, node)?, version) {
            (Some((file, size)), _) => Source::Data(file, size),
            (None, Some(version)) => Source::Version(version, seen),
            (None, None) => Source::Nothing,
        };
        Ok((node, source, shown))
    }

    /// Checks whether the file that a handle reads was renamed at the service, and lets the handle follow.
    fn moved_on(&self, node: NodeId, handle: HandleId, version: &File) -> bool {
        let mut state = self.core.state();
        let state = &mut *state;
        let now = state.tree.file(node).and_then(|file| file.versions.first()).cloned();
        let Some(now) = now.filter(|now| now != version && now.size == version.size) else { return false };
        let same = now.whirlpool.is_some() && now.whirlpool == version.whirlpool
            || now.id.is_none() && now.modified == version.modified;
        if same
            && let Some(HandleBody::File { pin, .. }) =
                state.handles.get_mut(&handle).map(|open| &mut open.body)
        {
            pin.0 = Some(now);
        }
        same
    }

    fn saw(&self, handle: HandleId, wrong: u64) {
        if let Some(HandleBody::File { seen, .. }) =
            self.core.state().handles.get_mut(&handle).map(|open| &mut open.body)
        {
            *seen = Some(wrong);
        }
    }

    fn ended_at(&self, handle: HandleId, at: u64) {
        if let Some(HandleBody::File { end, .. }) =
            self.core.state().handles.get_mut(&handle).map(|open| &mut open.body)
        {
            *end = at;
        }
    }

    /// Writes bytes into an open file; with [`OpenFlags::append`] at its end, wherever `offset` is. Returns how many
    /// were written: all of them.
    ///
    /// # Errors
    /// There is no room, or what the file had can't be fetched.
    pub async fn write(&self, handle: HandleId, offset: u64, bytes: Bytes) -> Result<usize> {
        let (node, appends) = {
            let state = self.core.state();
            match state.handles.get(&handle) {
                Some(open) => match &open.body {
                    HandleBody::File { flags, .. } if flags.write => (open.node, flags.append),
                    _ => return Err(VfsError::BadHandle(handle.0)),
                },
                None => return Err(VfsError::BadHandle(handle.0)),
            }
        };
        let length = bytes.len();
        self.core.write(node, (!appends).then_some(offset), bytes).await?;
        Ok(length)
    }

    /// Says whether what was written so far is in the journal. It is when a write returns, so this needs no waiting.
    ///
    /// # Errors
    /// [`VfsError::BadHandle`].
    pub async fn flush(&self, handle: HandleId) -> Result<()> {
        match self.core.state().handles.contains_key(&handle) {
            true => Ok(()),
            false => Err(VfsError::BadHandle(handle.0)),
        }
    }

    /// Makes what was written safe: on this computer's disk, or at the service if the options say so.
    ///
    /// # Errors
    /// The disk or the service fails.
    pub async fn fsync(&self, handle: HandleId) -> Result<()> {
        let node = self.core.state().handles.get(&handle).map(|open| open.node);
        let node = node.ok_or(VfsError::BadHandle(handle.0))?;
        self.core.make_safe(node).await?;
        match self.core.options.fsync {
            Fsync::Journal => Ok(()),
            Fsync::Service => self.core.send_and_wait(node).await,
        }
    }

    /// Closes an open file. If nobody else has it open for writing, what it holds will be sent.
    pub fn release(&self, handle: HandleId) {
        let mut state = self.core.state();
        let state = &mut *state;
        let Some(open) = state.handles.remove(&handle) else { return };
        let id = open.node;
        let writes = matches!(open.body, HandleBody::File { flags, .. } if flags.write);
        let Some(node) = state.tree.get_mut(id) else { return };
        node.handles = node.handles.saturating_sub(1);
        let is_last = node.handles == 0;
        if let Body::File(file) = &mut node.body {
            file.writers -= u32::from(writes && file.writers > 0);
            if is_last && let Some(local) = &mut file.local {
                for data in [&mut local.content, &mut local.working].into_iter().flatten() {
                    data.open = None;
                }
            }
        }
        if writes {
            self.core.close(state, id);
        }
        if is_last {
            state.queue.release(id);
            if state.tree.path(id).is_none() {
                self.core.drop_removed(state, id);
            }
            state.tree.drop_if_unused(id);
        }
        self.core.wake.notify_one();
    }

    /// Changes the size or the time of a file or folder, and returns its attributes. A new size counts as a write.
    ///
    /// # Errors
    /// It is a folder and is to have a size, there is no room, or nothing can be changed.
    pub async fn set_attributes(&self, node: NodeId, set: SetAttributes) -> Result<Attributes> {
        if set != SetAttributes::default() {
            self.core.changeable()?;
        }
        if let Some(size) = set.size {
            if self.core.state().tree.folder(node).is_some() {
                return Err(VfsError::IsFolder(self.core.state().shown(node)));
            }
            self.core.set_size(node, size).await?;
        }
        if let Some(time) = set.modified {
            self.core.set_time(node, time)?;
        }
        self.core.wake.notify_one();
        self.attributes(node).await
    }
}

/// Where the bytes of an open file are.
enum Source {
    /// In a data file of the journal, of this size.
    Data(Arc<std::fs::File>, u64),
    /// At the service, or in the cache; and how often its bytes were found wrong before.
    Version(File, Option<u64>),
    /// Nowhere: it has none.
    Nothing,
}
