//! One stream of a file: brings its blocks into memory and the cache, and begins again where it was cut.

use std::{
    ops::Range,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use fichier_storage::{ByteRange, Retry};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::{ReadError, shared::SharedReader};
use crate::{blocking::on_disk, cache::BLOCK};

/// How long to wait before a stream that was cut is opened again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How many blocks that came before are hashed with one that comes.
const MOST_AT_ONCE: u64 = 64;

/// How long a stream stays open that nobody reads on.
const IDLE: Duration = Duration::from_secs(60);

impl SharedReader {
    /// Runs a stream of these blocks to its end.
    pub(super) async fn run_stream(self: Arc<Self>, id: u64, blocks: Range<u64>, wrong: u64) {
        let mut next = blocks.start;
        let mut pause = FIRST_PAUSE;
        let mut last_byte = Instant::now();
        loop {
            let before = next;
            let cut = match self.pass((id, wrong), &mut next, blocks.end).await {
                Ok(()) => return self.ended(id, None),
                Err(Cut::Dropped) => return self.ended(id, None),
                Err(Cut::Wrong) => return self.ended(id, Some(ReadError::Wrong)),
                Err(Cut::Error(error)) => error,
            };
            if next > before {
                (pause, last_byte) = (FIRST_PAUSE, Instant::now());
            }
            let is_late = last_byte.elapsed() >= self.settings.deadline;
            if cut.retry() != Retry::Worthwhile || is_late {
                return self.ended(id, Some(ReadError::of(cut)));
            }
            tracing::debug!("reading is begun again: {cut}");
            self.state().last_error = Some(Arc::new(cut));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Opens the stream once and brings what comes.
    async fn pass(self: &Arc<Self>, (id, wrong): (u64, u64), next: &mut u64, end: u64) -> Result<(), Cut> {
        let range = ByteRange { start: *next * BLOCK, end: Some((end * BLOCK).min(self.file.size)) };
        self.called();
        let mut stream = self.inner.stream(range).await.map_err(Cut::Error)?;
        let mut filled = BytesMut::new();
        while *next < end {
            let length = usize::try_from((self.file.size - *next * BLOCK).min(BLOCK)).unwrap_or(0);
            while filled.len() < length {
                match stream.next().await {
                    Some(Ok(bytes)) => {
                        self.state().last_byte = Instant::now();
                        filled.extend_from_slice(&bytes);
                    }
                    Some(Err(error)) => return Err(Cut::Error(error)),
                    None => {
                        return Err(Cut::Error(fichier_storage::StorageError::SizeMismatch {
                            path: self.file.path.clone(),
                            expected: range.length(self.file.size),
                            actual: *next * BLOCK + filled.len() as u64 - range.start,
                        }));
                    }
                }
            }
            let block = filled.split_to(length).freeze();
            self.bring((id, wrong), *next, block).await?;
            *next += 1;
            self.wait_for_reader(id).await?;
        }
        Ok(())
    }

    /// Brings a block into the cache and into memory. The one that makes the file whole is verified before.
    async fn bring(self: &Arc<Self>, (id, wrong): (u64, u64), block: u64, bytes: Bytes) -> Result<(), Cut> {
        let reader = self.clone();
        let kept = bytes.clone();
        let bytes = match on_disk(move || reader.keep_and_verify(block, kept, wrong)).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(Cut::Wrong),
            Err(_) => return Err(Cut::Dropped),
        };
        {
            let most = self.most_in_memory();
            let mut state = self.state();
            // What was found wrong was dropped, and this belongs to it.
            if state.wrong != wrong {
                return Err(Cut::Wrong);
            }
            state.memory.put(block, bytes, most);
        }
        let goes_on = self.came(id, block + 1);
        self.progressed();
        if goes_on { Ok(()) } else { Err(Cut::Dropped) }
    }

    /// Keeps a block, and compares the checksum as far as bytes came in order. Returns the block to give out; none if
    /// the bytes are wrong. The block that makes the file whole is kept after that, so that nobody finds it before.
    /// Blocks.
    fn keep_and_verify(&self, block: u64, bytes: Bytes, wrong: u64) -> Option<Bytes> {
        let entry = self.entry();
        let mut held = self.verification.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wrong() != wrong {
            return None;
        }
        // What is kept was, or will be, hashed. What comes once more doesn't take its place.
        let kept = entry.read_whole(block);
        let is_new = kept.is_none();
        let bytes = kept.unwrap_or(bytes);
        let completes = is_new && held.missing == 1;
        let mut result = None;
        if let Some(verification) = &mut held.verification {
            // Blocks that came before their turn, and those of earlier readers: some at a time.
            let mut left = match (completes, verification.front() == block) {
                (true, _) => u64::MAX,
                (false, true) => MOST_AT_ONCE,
                (false, false) => 0,
            };
            while verification.result().is_none() && left > 0 {
                let next = verification.front();
                let known = match next == block {
                    true => Some(bytes.clone()),
                    false => verification.early().or_else(|| entry.read(next)),
                };
                let Some(known) = known else { break };
                verification.add(&known);
                left -= 1;
            }
            result = verification.result();
            if result.is_none() && !entry.keeps_whole_files() {
                verification.keep(block, &bytes, self.most_in_memory());
            }
        }
        if result == Some(false) {
            tracing::error!(path = %self.file.path, "the bytes that came aren't those of the file's checksum");
            entry.clear();
            *held = self.unverified();
            let mut state = self.state();
            state.memory.clear();
            state.wrong += 1;
            return None;
        }
        if is_new {
            self.cache.keep(entry, block, &bytes);
            held.missing = held.missing.saturating_sub(1);
        }
        if result == Some(true) {
            entry.set_verified();
            held.verification = None;
        }
        Some(bytes)
    }

    /// Waits while the stream is far in front of its readers.
    async fn wait_for_reader(&self, id: u64) -> Result<(), Cut> {
        let mut progress = self.subscribe();
        loop {
            match self.is_ahead(id) {
                None => return Err(Cut::Dropped),
                Some(false) => return Ok(()),
                Some(true) => {}
            }
            match tokio::time::timeout(IDLE, progress.changed()).await {
                Ok(Ok(())) => {}
                // Nobody reads on: the connection is given back. Who comes later opens another stream.
                _ => return Err(Cut::Dropped),
            }
        }
    }
}

/// Why a stream doesn't go on.
enum Cut {
    /// Nobody wants it any more.
    Dropped,
    /// The bytes are wrong.
    Wrong,
    Error(fichier_storage::StorageError),
}
