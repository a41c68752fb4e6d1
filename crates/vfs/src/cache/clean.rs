//! What is removed from the cache: what is old, and what is too much.

use std::sync::{Arc, atomic::Ordering};

use super::{Cache, store::Kept};
use crate::{blocking::on_disk, core::Core};

impl Cache {
    /// Removes what is old or too much, next to `unsent` bytes that share the space. Blocks.
    pub(crate) fn clean(&self, unsent: u64, ends_max: u64) {
        let blocks = self.blocks.kept();
        let ends = self.ends.kept();
        let limit = self.max_size.map(|most| most.saturating_sub(unsent));
        let left = remove_some(blocks, |kept| self.blocks.is_old(kept), limit)
            + remove_some(ends, |kept| self.ends.is_old(kept), Some(ends_max));
        self.size.store(left, Ordering::Relaxed);
        self.keep_free(0);
    }

    /// Removes the oldest files until the disk has room for `growth` more bytes. Blocks.
    fn keep_free(&self, growth: u64) {
        let Some(least) = self.min_free else { return };
        let lacks = || self.free_space().is_some_and(|free| free < least.saturating_add(growth));
        if !lacks() {
            return;
        }
        for kept in self.blocks.kept().into_iter().chain(self.ends.kept()) {
            if kept.remove() {
                let size = self.size.load(Ordering::Relaxed);
                self.size.store(size.saturating_sub(kept.size), Ordering::Relaxed);
            }
            if !lacks() {
                return;
            }
        }
    }

    /// Makes room for `growth` more bytes, as far as the disk must keep some free.
    pub(crate) async fn shrink(self: &Arc<Self>, growth: u64) {
        if self.min_free.is_none() {
            return;
        }
        let cache = self.clone();
        // If it can't be done, there is no more room.
        drop(on_disk(move || cache.keep_free(growth)).await);
    }

    /// Returns how many bytes are free on the disk, if the system tells.
    #[cfg(unix)]
    pub(crate) fn free_space(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.directory).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Returns how many bytes are free on the disk, if the system tells.
    #[cfg(not(unix))]
    pub(crate) fn free_space(&self) -> Option<u64> {
        None
    }
}

/// Removes what is old, and then the oldest until no more than the limit is left. Returns how many bytes are left.
fn remove_some(kept: Vec<Kept>, is_old: impl Fn(&Kept) -> bool, limit: Option<u64>) -> u64 {
    let mut left: u64 = kept.iter().map(|kept| kept.size).sum();
    for file in kept {
        let is_too_much = limit.is_some_and(|limit| left > limit);
        if (is_old(&file) || is_too_much) && file.remove() {
            left -= file.size;
        }
    }
    left
}

impl Core {
    /// Starts to look through the cache, the readers and the tree from time to time.
    pub(crate) fn start_cleaning(self: &Arc<Self>) {
        let core = self.clone();
        self.spawn(async move {
            loop {
                core.clean_once().await;
                tokio::time::sleep(
                    core.options.cache_poll_interval.max(std::time::Duration::from_millis(10)),
                )
                .await;
            }
        });
    }

    async fn clean_once(&self) {
        self.readers.drop_unused();
        let unsent = {
            let mut state = self.state();
            let old = tokio::time::Instant::now().checked_sub(self.options.dir_cache_time.saturating_mul(2));
            if let Some(old) = old {
                state.tree.drop_old(old);
            }
            state.sizes.total()
        };
        let (cache, ends_max) = (self.cache.clone(), self.options.head_tail_max_size);
        // It fails only when the runtime ends.
        drop(on_disk(move || cache.clean(unsent, ends_max)).await);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use fichier_storage::{File, RemotePath};

    use super::*;
    use crate::{CacheMode, VfsOptions};

    // [cache-1]
    #[test]
    fn the_oldest_goes_first_and_what_is_used_stays() {
        let home = tempfile::tempdir().unwrap();
        let options = VfsOptions {
            cache_mode: CacheMode::Full,
            cache_max_size: Some(200_000),
            head_tail: 0,
            ..VfsOptions::new(home.path())
        };
        let cache = Cache::open(&options).unwrap();
        let file = |name: &str| File::new(RemotePath::parse(name).unwrap(), 64 << 10);
        let keep = |name: &str| {
            let entry = cache.entry(&file(name));
            cache.keep(&entry, 0, &Bytes::from(vec![1; 64 << 10]));
            entry
        };
        let age = |name: &str, seconds: u64| {
            let path = cache.blocks.path(&super::super::key(&file(name)));
            let open = std::fs::File::options().write(true).open(path).unwrap();
            open.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        let used = keep("used");
        age("used", 5000);
        for (name, seconds) in [("old", 4000), ("older", 90), ("new", 10), ("newest", 1)] {
            drop(keep(name));
            age(name, seconds);
        }
        // Unsent bytes share the space.
        cache.clean(40_000, 0);
        let is_kept = |name| cache.blocks.path(&super::super::key(&file(name))).exists();
        assert_eq!(["used", "old", "older", "new", "newest"].map(is_kept), [true, false, false, false, true]);
        assert_eq!(used.read(0).unwrap().len(), 64 << 10);
        assert!(cache.size() > 100_000 && cache.size() < 160_000, "{}", cache.size());
    }
}
