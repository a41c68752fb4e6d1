//! The reader of one version of a file, shared by all who read it.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use fichier_storage::{File, FileReader};
use tokio::{sync::watch, task::AbortHandle, time::Instant};

use super::{
    ReadError, ReadSettings,
    memory::Memory,
    verify::Verification,
    window::{AHEAD, Window},
};
use crate::{
    blocking::on_disk,
    cache::{BLOCK, Cache, Entry, blocks_of},
    error::SharedError,
};

/// How many blocks that come wait in memory where they are on disk as well.
const ON_DISK_TOO: usize = 16;

/// The reader of one version of a file.
#[derive(Debug)]
pub(crate) struct SharedReader {
    pub(super) file: File,
    pub(super) inner: Arc<dyn FileReader>,
    pub(super) cache: Arc<Cache>,
    pub(super) settings: ReadSettings,
    pub(super) blocks: u64,
    entry: OnceLock<Entry>,
    state: Mutex<ReaderState>,
    /// Held while a block is hashed, on a thread that may wait.
    pub(super) verification: Mutex<Held>,
    /// Changes whenever a block came, or a stream ended.
    progress: watch::Sender<u64>,
    calls: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(super) struct ReaderState {
    used: Instant,
    pub(super) memory: Memory,
    /// How often the bytes were found wrong.
    pub(super) wrong: u64,
    streams: Vec<Stream>,
    window: Window,
    next_stream: u64,
    /// Streams that ended with an error.
    errors: HashMap<u64, ReadError>,
    /// When the last byte came.
    pub(super) last_byte: Instant,
    /// The last error that was tried again.
    pub(super) last_error: Option<SharedError>,
}

/// An open stream.
#[derive(Debug)]
struct Stream {
    id: u64,
    blocks: Range<u64>,
    /// The block that comes next.
    next: u64,
    /// The last block that somebody asked for.
    wanted: u64,
    /// How many blocks were asked for in order.
    in_order: u64,
    used: Instant,
    task: Option<AbortHandle>,
}

/// What is known of a file's checksum, and how many of its blocks aren't kept.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) verification: Option<Verification>,
    pub(super) missing: u64,
}

/// What somebody does who needs a block.
enum Step {
    Found(Bytes),
    /// A read of what is before may be on its way.
    Pause,
    /// A stream brings it; or has brought it already.
    Wait(Option<u64>),
}

impl SharedReader {
    pub(super) fn new(
        file: &File,
        inner: Arc<dyn FileReader>,
        cache: Arc<Cache>,
        settings: ReadSettings,
        calls: Arc<AtomicU64>,
    ) -> Arc<Self> {
        let blocks = blocks_of(file.size);
        let now = Instant::now();
        let state = ReaderState {
            used: now,
            memory: Memory::default(),
            wrong: 0,
            streams: Vec::new(),
            window: Window::new(settings.longest),
            next_stream: 0,
            errors: HashMap::new(),
            last_byte: now,
            last_error: None,
        };
        Arc::new(Self {
            file: file.clone(),
            inner,
            cache,
            settings,
            blocks,
            entry: OnceLock::new(),
            state: Mutex::new(state),
            verification: Mutex::default(),
            progress: watch::Sender::new(0),
            calls,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ReaderState> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn touch(&self) {
        self.state().used = Instant::now();
    }

    /// Returns how often the bytes were found wrong.
    pub(super) fn wrong(&self) -> u64 {
        self.state().wrong
    }

    pub(super) fn used(&self) -> Instant {
        self.state().used
    }

    pub(super) fn progressed(&self) {
        self.progress.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    pub(super) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what the cache keeps of the content. What is there as a whole and wasn't verified is, first. Blocks.
    pub(super) fn entry(&self) -> &Entry {
        self.entry.get_or_init(|| {
            let entry = self.cache.entry(&self.file);
            let missing = entry.missing(self.blocks);
            let mut held = self.unverified();
            held.missing = missing;
            if entry.is_verified() {
                held.verification = None;
            } else if missing == 0
                && let Some(mut verification) = held.verification.take()
            {
                while let Some(bytes) =
                    entry.read(verification.front()).filter(|_| verification.result().is_none())
                {
                    verification.add(&bytes);
                }
                match verification.result() {
                    Some(true) => entry.set_verified(),
                    _ => {
                        entry.clear();
                        held = self.unverified();
                    }
                }
            }
            *self.verification.lock().unwrap_or_else(PoisonError::into_inner) = held;
            entry
        })
    }

    /// Returns the state of a file of which nothing is verified and nothing kept.
    pub(super) fn unverified(&self) -> Held {
        let sum = self.file.whirlpool.filter(|_| self.settings.verifies);
        Held { verification: sum.map(|sum| Verification::new(sum, self.blocks)), missing: self.blocks }
    }

    /// Returns a block, from memory, the cache or the service.
    pub(super) async fn block(self: &Arc<Self>, block: u64) -> Result<Bytes, ReadError> {
        let began = Instant::now();
        let mut progress = self.subscribe();
        let mut waits_for = None;
        let mut has_waited = false;
        let in_memory = self.state().memory.get(block);
        if let Some(bytes) = in_memory {
            self.note_read(block);
            return Ok(bytes);
        }
        if let Some(bytes) = self.cached(block).await {
            self.note_read(block);
            return Ok(bytes);
        }
        loop {
            let had_one = waits_for.is_some();
            let (step, deadline) = {
                let mut state = self.state();
                let failed = waits_for.and_then(|id| state.errors.get(&id)).cloned();
                let step = match (state.memory.get(block), failed) {
                    (Some(bytes), _) => Step::Found(bytes),
                    (None, Some(error)) => return Err(error),
                    (None, None) => match state.stream_of(block) {
                        Some(id) => Step::Wait(Some(id)),
                        None if !had_one && !has_waited && state.comes_soon(block) => Step::Pause,
                        // It may have gone to the cache since that was looked into.
                        None => Step::Wait(None),
                    },
                };
                (step, state.last_byte.max(began) + self.settings.deadline)
            };
            match step {
                Step::Found(bytes) => {
                    self.note_read(block);
                    return Ok(bytes);
                }
                Step::Pause => {
                    has_waited = true;
                    tokio::time::sleep(self.settings.wait).await;
                    continue;
                }
                Step::Wait(id) => waits_for = id,
            }
            if waits_for.is_none() {
                // Its stream has ended. The block has gone to the cache, or was pushed out of memory.
                if let Some(bytes) = self.cached(block).await {
                    self.note_read(block);
                    return Ok(bytes);
                }
                waits_for = Some(self.open(&mut self.state(), block));
            }
            self.note_wanted(block);
            tokio::select! {
                _ = progress.changed() => {}
                () = tokio::time::sleep_until(deadline) => {
                    let error = {
                        let mut state = self.state();
                        waits_for.iter().for_each(|id| state.drop_stream(*id));
                        state.last_error.clone()
                    };
                    return Err(ReadError::NoAnswer(self.settings.deadline, error));
                }
            }
        }
    }

    /// Returns a block that the cache has.
    async fn cached(self: &Arc<Self>, block: u64) -> Option<Bytes> {
        let reader = self.clone();
        let bytes = on_disk(move || reader.entry().read(block)).await.ok()??;
        let mut state = self.state();
        state.memory.put(block, bytes.clone(), self.most_in_memory());
        Some(bytes)
    }

    /// Returns how many blocks that weren't read may be in memory.
    pub(super) fn most_in_memory(&self) -> usize {
        match self.cache.takes_whole_files() {
            true => ON_DISK_TOO,
            false => usize::try_from(self.settings.ahead / BLOCK)
                .unwrap_or(usize::MAX)
                .saturating_mul(self.settings.streams),
        }
    }

    /// Opens a stream that begins with this block.
    fn open(self: &Arc<Self>, state: &mut ReaderState, block: u64) -> u64 {
        if state.streams.len() >= self.settings.streams {
            let oldest = (0..state.streams.len()).min_by_key(|at| state.streams[*at].used);
            if let Some(oldest) = oldest.map(|at| state.streams[at].id) {
                state.drop_stream(oldest);
            }
        }
        let blocks = state.window.stream_at(block, self.blocks);
        let id = state.next_stream;
        state.next_stream += 1;
        // What failed long ago isn't waited for any more.
        state.errors.retain(|failed, _| failed + 64 > id);
        let task = tokio::spawn(self.clone().run_stream(id, blocks.clone(), state.wrong));
        let task = Some(task.abort_handle());
        let now = Instant::now();
        state.streams.push(Stream { id, next: block, wanted: block, in_order: 1, used: now, task, blocks });
        id
    }

    /// Opens the next stream ahead of need while reading is sequential.
    fn go_on(self: &Arc<Self>, block: u64) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(stream) = state.streams.iter().find(|stream| stream.blocks.contains(&block)) else { return };
        let length = stream.blocks.end - stream.blocks.start;
        let is_sequential = stream.in_order * 2 >= length && length > 1;
        let end = stream.blocks.end;
        // What was opened last may have come already, so the streams that are open don't tell.
        let Some(opened) = state.window.end().filter(|opened| *opened >= end && *opened < self.blocks) else {
            return;
        };
        let others = state.streams.len().saturating_sub(1);
        let is_near = opened - block <= self.settings.streams_ahead as u64 * self.settings.ahead / BLOCK;
        let is_next = opened == end || (others < self.settings.streams_ahead && is_near);
        if is_sequential && is_next && state.streams.len() < self.settings.streams {
            self.open(state, opened);
        }
    }

    /// Notes that somebody waits for a block, so that its stream comes so far.
    fn note_wanted(&self, block: u64) {
        let moved = self.state().want(block);
        if moved {
            self.progressed();
        }
    }

    /// Notes that a block was read.
    fn note_read(self: &Arc<Self>, block: u64) {
        self.state().memory.note_read(block);
        self.note_wanted(block);
        self.go_on(block);
    }

    /// Ends all streams.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        let ids: Vec<_> = state.streams.iter().map(|stream| stream.id).collect();
        ids.into_iter().for_each(|id| state.drop_stream(id));
    }

    /// Notes that a stream has come so far; returns whether it goes on.
    pub(super) fn came(&self, id: u64, next: u64) -> bool {
        let mut state = self.state();
        match state.streams.iter_mut().find(|stream| stream.id == id) {
            Some(stream) => {
                stream.next = next;
                true
            }
            None => false,
        }
    }

    /// Checks whether a stream is so far in front of its readers that it has to wait; `None` if it was dropped.
    pub(super) fn is_ahead(&self, id: u64) -> Option<bool> {
        let state = self.state();
        let stream = state.streams.iter().find(|stream| stream.id == id)?;
        Some(stream.next > stream.wanted + self.settings.ahead / BLOCK)
    }

    /// Notes that a stream has ended.
    pub(super) fn ended(&self, id: u64, error: Option<ReadError>) {
        {
            let mut state = self.state();
            state.streams.retain(|stream| stream.id != id);
            if let Some(error) = error {
                state.errors.insert(id, error);
            }
        }
        self.progressed();
    }
}

impl ReaderState {
    /// Returns the stream that will bring a block.
    fn stream_of(&mut self, block: u64) -> Option<u64> {
        let ahead = AHEAD / BLOCK;
        let mut streams = self.streams.iter_mut();
        let stream = streams.find(|stream| {
            stream.blocks.contains(&block) && stream.next <= block && block - stream.next <= ahead
        })?;
        stream.used = Instant::now();
        Some(stream.id)
    }

    /// Checks whether a stream ends a little before a block, so that somebody may be about to read up to it.
    fn comes_soon(&self, block: u64) -> bool {
        let ahead = AHEAD / BLOCK;
        self.streams.iter().any(|stream| {
            let end = stream.blocks.end;
            stream.next < end && (end + 1..end + ahead).contains(&block)
        })
    }

    /// Lets the stream of a block come so far; returns whether that lets it go on.
    fn want(&mut self, block: u64) -> bool {
        self.used = Instant::now();
        let stream = self.streams.iter_mut().find(|stream| stream.blocks.contains(&block));
        stream.is_some_and(|stream| {
            stream.used = Instant::now();
            let moved = block > stream.wanted;
            stream.in_order += u64::from(block == stream.wanted + 1);
            stream.wanted = stream.wanted.max(block);
            moved
        })
    }

    /// Ends a stream.
    fn drop_stream(&mut self, id: u64) {
        for stream in self.streams.extract_if(.., |stream| stream.id == id) {
            if let Some(task) = stream.task {
                task.abort();
            }
        }
    }
}

impl Drop for SharedReader {
    fn drop(&mut self) {
        self.stop();
    }
}
