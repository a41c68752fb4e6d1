//! Whether a file has to be transferred: what the flags say, then sizes, then times or checksums.

pub(crate) mod hash_cache;
pub(crate) mod names;

use std::{sync::Arc, time::Duration};

use futures::StreamExt;

use fichier_storage::{ByteRange, File, Hashing, Remote, RemoteExt, Result, StorageError, Whirlpool};

use crate::{HashCache, RunError};

/// How the contents of two files are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// By size; then by modification time where both sides keep one and it agrees; else by Whirlpool, which
    /// is exact and which 1Fichier lists at no cost.
    #[default]
    Exact,
    /// By size and Whirlpool, whatever the times say.
    Checksum,
    /// By size alone.
    SizeOnly,
}

/// Which files are transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Rules {
    /// How contents are compared.
    pub comparison: Comparison,
    /// Files of different sizes may be the same.
    pub ignore_size: bool,
    /// Transfer all files, the same or not.
    pub ignore_times: bool,
    /// Leave files alone that are newer at the destination.
    pub update: bool,
    /// Leave files alone that the destination has, whatever they hold.
    pub ignore_existing: bool,
    /// Leave files out that the destination hasn't.
    pub existing_only: bool,
    /// Files at the destination are never replaced; a difference is an error.
    pub immutable: bool,
    /// Take the destination for empty.
    pub unseen_destination: bool,
    /// Leave the modification times of files alone whose content is the same.
    pub keep_times: bool,
    /// Modification times this far apart are the same.
    pub window: Duration,
}

/// What is to be done about a file that exists on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing: the content is the same.
    Same,
    /// The content is the same, the modification time isn't.
    Retime,
    /// Nothing, by a rule, and whatever it holds.
    Leave(&'static str),
    /// Transfer it.
    Transfer,
}

/// Gets checksums: as listed, as remembered, or by reading.
#[derive(Debug, Clone, Default)]
pub struct Checksums {
    /// Where checksums of files are remembered that their remote knows none of.
    pub cache: Option<Arc<HashCache>>,
    /// What computes those of files that are read.
    pub hashing: Hashing,
}

impl Checksums {
    /// Fills in what is remembered of these files.
    pub(crate) async fn fill<'a>(&self, files: impl Iterator<Item = &'a mut File>) {
        if let Some(cache) = &self.cache {
            cache.fill(files).await;
        }
    }

    /// The checksum of a file: as listed or remembered, or computed by reading it.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn of(&self, remote: &dyn Remote, file: &File) -> Result<Whirlpool> {
        if let Some(known) = file.whirlpool {
            return Ok(known);
        }
        if let (Some(cache), Some(fingerprint)) = (&self.cache, file.settled_fingerprint())
            && let Some(Some(known)) = cache.look_up(vec![fingerprint.clone()]).await.pop()
        {
            return Ok(known);
        }
        let bytes = remote.read(file, ByteRange::WHOLE).await?;
        let (mut hashed, sum) = self.hashing.stream(bytes, file.size);
        while let Some(chunk) = hashed.next().await {
            chunk?;
        }
        let (_, sum) = sum.await.map_err(|_| StorageError::Canceled)?;
        self.learn(remote, file, sum).await;
        Ok(sum)
    }

    /// Remembers what was seen of a file, unless it has changed meanwhile.
    pub(crate) async fn learn(&self, remote: &dyn Remote, file: &File, sum: Whirlpool) {
        let (Some(cache), Some(fingerprint)) = (&self.cache, file.settled_fingerprint()) else { return };
        let now = remote.entry(&file.path).await.ok();
        let now = now.as_ref().and_then(|entry| entry.as_file()?.settled_fingerprint());
        if now == Some(fingerprint) {
            cache.learn(file, sum).await;
        }
    }

    /// Remembers what a file was stored as.
    pub(crate) async fn learn_stored(&self, file: &File, sum: Whirlpool) {
        if let Some(cache) = &self.cache {
            cache.learn(file, sum).await;
        }
    }

    /// Writes what was remembered in this run.
    pub async fn flush(&self) {
        if let Some(cache) = &self.cache {
            cache.flush().await;
        }
    }
}

/// A file and where it is.
pub(crate) type Side<'a> = (&'a Arc<dyn Remote>, &'a File);

impl Rules {
    /// What is to be done about a file that exists on both sides.
    ///
    /// # Errors
    /// A checksum was needed and a file couldn't be read, or an immutable file has changed.
    pub(crate) async fn judge(
        &self,
        sums: &Checksums,
        source: Side<'_>,
        destination: Side<'_>,
    ) -> Result<Decision> {
        if self.ignore_existing {
            return Ok(Decision::Leave("Destination exists, skipping"));
        }
        let verdict = if self.ignore_times {
            Decision::Transfer
        } else if let Some(verdict) = self.by_age(source, destination) {
            verdict
        } else {
            self.by_content(sums, source, destination).await?
        };
        if self.immutable && matches!(verdict, Decision::Transfer | Decision::Retime) {
            return Err(RunError::Immutable(destination.1.path.clone()).into());
        }
        Ok(verdict)
    }

    /// What `--update` says: what is newer at the destination is left alone; else the contents decide.
    fn by_age(&self, (from, source): Side<'_>, (to, destination): Side<'_>) -> Option<Decision> {
        let (source, destination) = (source.modified?, destination.modified?);
        // A time of upload is known to the second.
        let window = self.window(from, to).unwrap_or(Duration::from_secs(1));
        let is_newer = self.update && destination >= source + window;
        is_newer.then_some(Decision::Leave("Destination is newer than source, skipping"))
    }

    /// How far apart two modification times of one file may be; `None` where a side keeps none.
    fn window(&self, from: &Arc<dyn Remote>, to: &Arc<dyn Remote>) -> Option<Duration> {
        Some(from.info().times.precision?.max(to.info().times.precision?).max(self.window))
    }

    /// What the contents say.
    ///
    /// # Errors
    /// A checksum was needed and a file couldn't be read.
    pub(crate) async fn by_content(
        &self,
        sums: &Checksums,
        source: Side<'_>,
        destination: Side<'_>,
    ) -> Result<Decision> {
        let ((from, source), (to, destination)) = (source, destination);
        if !self.ignore_size && source.size != destination.size {
            return Ok(Decision::Transfer);
        }
        if self.comparison == Comparison::SizeOnly {
            return Ok(Decision::Same);
        }
        let same_time = self
            .window(from, to)
            .zip(source.modified.zip(destination.modified))
            .map(|(window, (left, right))| within(left, right, window));
        if same_time == Some(true) && self.comparison == Comparison::Exact {
            return Ok(Decision::Same);
        }
        // To learn the checksum of somebody's public file takes as long as to fetch it: its size has to do.
        let costly = from.info().features.public_links && source.whirlpool.is_none();
        if costly && self.comparison == Comparison::Exact {
            return Ok(Decision::Same);
        }
        let sum = sums.of(&**to, destination).await?;
        if sums.of(&**from, source).await? != sum {
            return Ok(Decision::Transfer);
        }
        // With --checksum the times are nobody's concern, as in rclone.
        let retime = same_time == Some(false) && self.comparison == Comparison::Exact && !self.keep_times;
        Ok(if retime && to.info().times.settable { Decision::Retime } else { Decision::Same })
    }
}

fn within(left: std::time::SystemTime, right: std::time::SystemTime, window: Duration) -> bool {
    let apart = left.duration_since(right).or_else(|_| right.duration_since(left));
    // Equal to the window is still the same, as a precision of 1 s may cut or round.
    apart.is_ok_and(|apart| apart <= window)
}
