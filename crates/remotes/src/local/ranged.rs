//! Large downloads: several ranges at once into one partial file. What an interrupted run has left is continued.
//!
//! The bytes go to their places in a sparse file as they come. Their checksum is computed in the file's order,
//! behind the front up to which nothing is missing, from what the system still has in memory: so the ranges
//! needn't wait for each other, and what an earlier run left is checked like the rest.

use std::{
    collections::VecDeque,
    fs,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use fichier_storage::{
    ByteRange, Ranges, RemotePath, Result, StorageError, Whirlpool, WhirlpoolHasher, WriteItem,
};
use futures::{FutureExt, StreamExt, future};
use tokio::sync::watch;

use super::{
    confined::{Spot, error_at},
    downloads::Downloads,
    ledger::Ledger,
    partial::Partial,
    paths::{read_exact_at, write_all_at},
    root::{Root, at_disk},
};

/// Size in bytes below which a file is downloaded again rather than continued.
const RESUME_FROM: u64 = 4 * 1024 * 1024;

/// Number of bytes that are hashed in one visit to the disk, and that are read at once.
const STRIDE: u64 = 8 * 1024 * 1024;
const READ: u64 = 256 * 1024;

/// How a file is downloaded.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// Number of ranges at once.
    streams: usize,
    /// Checksum by which a later run may recognize it.
    expected: Option<Whirlpool>,
}

impl Plan {
    /// Plans a download; `None`: in one stream, which starts again when it is cut off.
    fn of(item: &WriteItem, downloads: &Downloads) -> Option<Self> {
        // Under the target's own name, a file with holes would look like a whole one to programs that compare sizes.
        if downloads.in_place || item.content.ranges(0).is_none() {
            return None;
        }
        let streams = if item.size >= downloads.cutoff.max(1) { downloads.streams.get() } else { 1 };
        let expected = item.expected.filter(|_| item.size >= RESUME_FROM);
        (streams > 1 || expected.is_some()).then_some(Self { streams, expected })
    }
}

/// Downloads a large file, verified if its checksum is known; `None`: it has to be read in one stream.
pub(super) async fn get(
    place: &Arc<Root>,
    path: &RemotePath,
    target: &Spot,
    item: &WriteItem,
) -> Result<Option<(Partial, Option<Whirlpool>)>> {
    let Some(plan) = Plan::of(item, &place.options.downloads) else { return Ok(None) };
    let mut begun = Begun::open(place, path, target, item.size, plan).await?;
    let known = begun.known();
    if known > 0 {
        tracing::info!(path = %place.shown(path), "Going on with a partial file: {known} of {} bytes are there", item.size);
    }
    match begun.fill(place, path, target, item, plan).await {
        Err(StorageError::Corrupted { .. }) if known > 0 => {
            tracing::warn!(path = %place.shown(path), "What was left of an earlier run is damaged: getting the file anew");
            // It is removed before its name is needed again.
            at_disk(move || {
                drop(begun);
                Ok(())
            })
            .await?;
            begun = Begun::open(place, path, target, item.size, plan).await?;
            begun.fill(place, path, target, item, plan).await?;
        }
        filled => filled?,
    }
    let Begun { mut partial, .. } = begun;
    let (size, sync, system) = (item.size, place.options.sync, target.to_owned());
    let partial = at_disk(move || {
        // Without its ledger it can't be continued.
        partial.keep(false);
        partial.cut(size, sync).map_err(|error| error_at("write", system, error))?;
        Ok(partial)
    });
    Ok(Some((partial.await?, item.expected)))
}

/// A file that is being filled.
struct Begun {
    partial: Partial,
    ledger: Arc<Mutex<Ledger>>,
    /// Whether another run may continue it.
    kept: bool,
}

impl Begun {
    async fn open(
        place: &Arc<Root>,
        path: &RemotePath,
        target: &Spot,
        size: u64,
        plan: Plan,
    ) -> Result<Self> {
        let (place, path, target) = (place.clone(), path.clone(), target.to_owned());
        at_disk(move || {
            // A large file can't replace it: better known before the bytes are here.
            if target.symlink_metadata().is_ok_and(|taken| taken.is_dir()) {
                return Err(StorageError::IsAFolder(path));
            }
            let downloads = &place.options.downloads;
            let failed = |error| error_at("write", &target, error);
            if let Some(expected) = plan.expected
                && let Some((partial, ledger)) =
                    Partial::claim(&target, size, &expected, downloads).map_err(failed)?
            {
                return Ok(Self { partial, ledger: Arc::new(Mutex::new(ledger)), kept: true });
            }
            let partial = Partial::create(&target, size, downloads).map_err(failed)?;
            let ledger = Arc::new(Mutex::new(Ledger::new(size, downloads.piece)));
            Ok(Self { partial, ledger, kept: false })
        })
        .await
    }

    fn known(&self) -> u64 {
        lock(&self.ledger).known()
    }

    /// Downloads what is missing, and checks the whole.
    async fn fill(
        &mut self,
        place: &Arc<Root>,
        path: &RemotePath,
        target: &Spot,
        item: &WriteItem,
        plan: Plan,
    ) -> Result<()> {
        let (known, front, gaps) = {
            let ledger = lock(&self.ledger);
            (ledger.known(), ledger.front(), ledger.gaps(plan.streams == 1))
        };
        let streams = plan.streams.min(gaps.len());
        // The plan was made for content that has ranges.
        let ranges = item.content.ranges(known).ok_or_else(|| StorageError::Unverified(path.clone()))?;
        self.partial.keep(self.kept);
        let filling = Filling {
            path,
            target,
            size: item.size,
            ranges,
            file: self.partial.file().clone(),
            ledger: self.ledger.clone(),
            downloads: &place.options.downloads,
            front: watch::Sender::new(front),
            gaps: Mutex::new(gaps.into()),
        };
        let front = filling.front.subscribe();
        let workers = (0..streams).map(|_| filling.work().boxed());
        let fetching = future::try_join_all(workers.collect::<Vec<_>>());
        let hashing = async {
            let Some(expected) = item.expected else { return Ok(None) };
            let actual = hash(&filling, front).await?;
            Ok((actual != expected).then_some((expected, actual)))
        };
        let filled = futures::try_join!(fetching, hashing);
        drop(filling);
        // Nothing of it can be used.
        if self.known() == 0 {
            self.partial.keep(false);
        }
        match filled? {
            (_, None) => Ok(()),
            (_, Some((expected, actual))) => {
                self.partial.keep(false);
                let (expected, actual) = (Box::new(expected), Box::new(actual));
                Err(StorageError::Corrupted { path: path.clone(), expected, actual })
            }
        }
    }
}

fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// State that all streams of one file share.
struct Filling<'a> {
    path: &'a RemotePath,
    target: &'a Spot,
    size: u64,
    ranges: Arc<dyn Ranges>,
    file: Arc<fs::File>,
    ledger: Arc<Mutex<Ledger>>,
    downloads: &'a Downloads,
    front: watch::Sender<u64>,
    /// Ranges that no stream has taken yet.
    gaps: Mutex<VecDeque<Range<u64>>>,
}

impl Filling<'_> {
    /// Downloads one gap after the other.
    async fn work(&self) -> Result<()> {
        while let Some(gap) = self.next_gap() {
            self.fetch(gap).await?;
        }
        Ok(())
    }

    fn next_gap(&self) -> Option<Range<u64>> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Downloads the bytes of one gap.
    async fn fetch(&self, gap: Range<u64>) -> Result<()> {
        let mut at = gap.start;
        let mut stream = None;
        while at < gap.end {
            let room = self.downloads.buffers.room().await;
            let stream = match &mut stream {
                Some(stream) => stream,
                None => {
                    let range = ByteRange { start: gap.start, end: Some(gap.end) };
                    stream.insert(self.ranges.open(range).await?)
                }
            };
            let (mut gathered, mut end, mut broken) = (Vec::new(), at, None);
            while end < gap.end && end - at < room.bytes {
                match stream.next().await {
                    Some(Ok(chunk)) => {
                        end += chunk.len() as u64;
                        gathered.push(chunk);
                    }
                    Some(Err(error)) => broken = Some(error),
                    None => broken = Some(self.ended(end)),
                }
                if broken.is_some() {
                    break;
                }
            }
            if end > gap.end {
                return Err(self.ended(end));
            }
            // Bytes that were received are kept, whatever happened to the rest.
            if end > at {
                self.write(gathered, at..end).await?;
            }
            if let Some(error) = broken {
                return Err(error);
            }
            at = end;
        }
        Ok(())
    }

    async fn write(&self, chunks: Vec<Bytes>, at: Range<u64>) -> Result<()> {
        let (file, ledger, target) = (self.file.clone(), self.ledger.clone(), self.target.to_owned());
        let front = at_disk(move || {
            let failed = |error| error_at("write", &target, error);
            let mut place = at.start;
            for chunk in &chunks {
                write_all_at(&file, chunk, place).map_err(failed)?;
                place += chunk.len() as u64;
            }
            let mut ledger = lock(&ledger);
            ledger.note(&file, at).map_err(failed)?;
            Ok(ledger.front())
        })
        .await?;
        self.front.send_if_modified(|before| {
            let further = front > *before;
            *before = front.max(*before);
            further
        });
        Ok(())
    }

    fn ended(&self, at: u64) -> StorageError {
        StorageError::SizeMismatch { path: self.path.clone(), expected: self.size, actual: at }
    }
}

/// Computes the checksum of a file behind its front.
async fn hash(filling: &Filling<'_>, mut front: watch::Receiver<u64>) -> Result<Whirlpool> {
    let (mut hasher, mut at) = (WhirlpoolHasher::new(), 0);
    while at < filling.size {
        let reached = front.wait_for(|front| *front > at).await;
        let reached = *reached.map_err(|_| StorageError::Unverified(filling.path.clone()))?;
        let (file, target, end) = (filling.file.clone(), filling.target.to_owned(), reached.min(at + STRIDE));
        (hasher, at) = at_disk(move || {
            let mut bytes = vec![0; usize::try_from(READ.min(end - at)).unwrap_or_default()];
            while at < end {
                let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(bytes.len());
                let bytes = &mut bytes[..length];
                read_exact_at(&file, bytes, at).map_err(|error| error_at("read", &target, error))?;
                hasher.update(bytes);
                at += length as u64;
            }
            Ok((hasher, at))
        })
        .await?;
    }
    Ok(hasher.finish())
}
