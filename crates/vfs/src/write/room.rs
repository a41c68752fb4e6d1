//! Room for what isn't sent: who writes waits for it.

use tokio::time::Instant;

use crate::{Result, VfsError, core::Core};

impl Core {
    /// Waits until `growth` more bytes may be written to data files.
    pub(crate) async fn make_room(&self, growth: u64) -> Result<()> {
        if growth == 0
            || (self.options.cache_max_size.is_none() && self.options.cache_min_free_space.is_none())
        {
            return Ok(());
        }
        let start = Instant::now();
        let mut progress = self.progress.subscribe();
        loop {
            let (unsent, can_wait) = {
                let mut state = self.state();
                let state = &mut *state;
                let unsent = state.sizes.total();
                let mut can_wait = false;
                for id in &state.unsent {
                    let Some(file) = state.tree.file_mut(*id) else { continue };
                    let Some(local) = &mut file.local else { continue };
                    let is_closed = local.content.is_some() && local.working.is_none();
                    if local.sending.is_some()
                        || (is_closed && local.failed.is_none() && !self.stays_empty(local))
                    {
                        can_wait = true;
                        local.is_urgent = true;
                    }
                }
                (unsent, can_wait)
            };
            let Some(why) = self.lack_of_room(unsent, growth) else { return Ok(()) };
            // What was only read goes first.
            self.cache.shrink(growth).await;
            if self.lack_of_room(unsent, growth).is_none() {
                return Ok(());
            }
            if !can_wait || start.elapsed() >= self.options.full_wait {
                return Err(VfsError::NoSpace { unsent, why });
            }
            self.wake.notify_one();
            let left = self.options.full_wait.saturating_sub(start.elapsed());
            // Running out of time is seen at the top.
            if let Ok(ended) = tokio::time::timeout(left, self.ended(&mut progress)).await {
                ended?;
            }
        }
    }

    fn lack_of_room(&self, unsent: u64, growth: u64) -> Option<&'static str> {
        if self.options.cache_max_size.is_some_and(|most| unsent.saturating_add(growth) > most) {
            return Some("the cache may not be larger (cache_max_size)");
        }
        let least = self.options.cache_min_free_space?;
        let free = self.cache.free_space()?;
        (free < least.saturating_add(growth))
            .then_some("the disk must keep space free (cache_min_free_space)")
    }
}
