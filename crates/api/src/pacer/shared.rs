//! Exchanges the ledger between processes: what others did is read before a call is recorded, and what we did is
//! written.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::budget::{Ledger, Pause};
use super::shared_pace::{Moments, PAUSES, SharedPause};

impl Ledger {
    /// Reads what other processes did.
    pub(super) fn merge(&mut self, told: &Moments, now: Instant, wall: SystemTime) {
        let rest = |at: Option<SystemTime>, interval: Duration| {
            let age = wall.duration_since(at?).unwrap_or(Duration::ZERO);
            Some(now + interval.checked_sub(age)?)
        };
        self.limited |= told.limited;
        self.next_any = self.next_any.max(rest(told.called_at, self.pacing.any));
        self.next_listing = self.next_listing.max(rest(told.listed_at, self.listing_gap()));
        self.next_all_files = self.next_all_files.max(rest(told.all_files_at, self.pacing.all_files));
        self.called_at = self.called_at.max(told.called_at);
        self.listed_at = self.listed_at.max(told.listed_at);
        self.all_files_at = self.all_files_at.max(told.all_files_at);
        for (key, at) in &told.folders {
            let Some(due) = rest(Some(*at), self.pacing.same_folder) else { continue };
            let Some(at) = due.checked_sub(self.pacing.same_folder) else { continue };
            let known = self.folders.entry(*key).or_insert(at);
            *known = (*known).max(at);
        }
        for (pause, told) in self.pauses.iter_mut().chain([&mut self.lock]).zip(&told.pauses) {
            let Some(told) = told else { continue };
            let until = now + told.until.duration_since(wall).unwrap_or(Duration::ZERO);
            if pause.until.is_none_or(|known| known < until) {
                let age = wall.duration_since(told.began).unwrap_or(Duration::ZERO);
                *pause = Pause {
                    began: Some(now.checked_sub(age).unwrap_or(now)),
                    until: Some(until),
                    level: pause.level.max(told.level),
                    why: Some(told.why),
                };
            }
        }
    }

    /// Returns what other processes have to know, given what they know already.
    pub(super) fn export(&mut self, told: &Moments, now: Instant, wall: SystemTime) -> Moments {
        let on_wall = |at: Instant| match at.checked_duration_since(now) {
            Some(ahead) => wall.checked_add(ahead),
            None => wall.checked_sub(now - at),
        };
        let released = std::mem::take(&mut self.released);
        let mut folders: Vec<_> = self
            .folders
            .iter()
            .filter(|(_, at)| now.saturating_duration_since(**at) < self.pacing.same_folder)
            .filter_map(|(key, at)| Some((*key, on_wall(*at)?)))
            .collect();
        // Listings by others count by their own intervals, which may be longer than ours.
        let ours: HashSet<_> = folders.iter().map(|(key, _)| *key).collect();
        let theirs = told.folders.iter().filter(|(key, _)| !released.contains(key) && !ours.contains(key));
        folders.extend(theirs.copied());
        let mut pauses = [None; PAUSES];
        for (shared, pause) in pauses.iter_mut().zip(self.pauses.iter().chain([&self.lock])) {
            *shared = pause.due(now).and_then(|(until, why)| {
                let began = on_wall(pause.began?)?;
                Some(SharedPause { began, until: on_wall(until)?, level: pause.level, why })
            });
        }
        Moments {
            called_at: self.called_at,
            listed_at: self.listed_at,
            all_files_at: self.told_all_files_at(),
            limited: self.limited,
            pauses,
            folders,
        }
    }
}
