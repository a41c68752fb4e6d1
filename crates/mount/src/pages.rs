//! What the kernel may keep of the contents of files.
//!
//! The kernel has one cache of pages for each file, whoever reads it. So it is right to keep it from one opening to the
//! next only if the content is the same; and a handle that reads another version than the others must go past it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fichier_vfs::{Event, NodeId};
use fuser::FopenFlags;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// What the kernel may keep of the contents of files.
#[derive(Debug)]
pub(crate) struct Pages(Mutex<State>);

#[derive(Debug)]
struct State {
    events: Receiver<Event>,
    /// Counts how often events were missed: nothing that was cached before counts.
    missed: u64,
    files: HashMap<NodeId, File>,
}

/// A version of a content, as far as others changed it. Our own writes go through the kernel's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    missed: u64,
    changes: u64,
}

#[derive(Debug, Default)]
struct File {
    /// How often somebody else changed the content.
    changes: u64,
    /// What the kernel has pages of.
    cached: Option<Version>,
    /// How many handles go through the kernel's cache.
    handles: usize,
}

impl Pages {
    /// Begins with nothing cached. The events tell of contents that somebody else changed.
    pub(crate) fn new(events: Receiver<Event>) -> Self {
        Self(Mutex::new(State { events, missed: 0, files: HashMap::new() }))
    }

    /// Returns the version that a file has now.
    pub(crate) fn version(&self, node: NodeId) -> Version {
        self.state().version(node)
    }

    /// Decides how the kernel treats a handle that was just opened. `before` is the version before it was opened.
    pub(crate) fn open(&self, node: NodeId, before: Version) -> FopenFlags {
        let mut state = self.state();
        let now = state.version(node);
        let file = state.files.entry(node).or_default();
        if before != now || file.handles > 0 && file.cached != Some(now) {
            // It reads another version than the pages are of, or it isn't sure which.
            return FopenFlags::FOPEN_DIRECT_IO;
        }
        file.handles += 1;
        match file.cached.replace(now) {
            Some(cached) if cached == now => FopenFlags::FOPEN_KEEP_CACHE,
            _ => FopenFlags::empty(),
        }
    }

    /// Notes that a handle was closed that [`Pages::open`] had let through the cache.
    pub(crate) fn close(&self, node: NodeId) {
        if let Some(file) = self.state().files.get_mut(&node) {
            file.handles = file.handles.saturating_sub(1);
        }
    }

    /// Notes that the kernel forgot a file, and its pages with it.
    pub(crate) fn forget(&self, node: NodeId) {
        let mut state = self.state();
        if state.files.get(&node).is_some_and(|file| file.handles == 0) {
            state.files.remove(&node);
        }
    }

    /// Takes in what has happened.
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match state.events.try_recv() {
                Ok(Event::Content(node)) => {
                    if let Some(file) = state.files.get_mut(&node) {
                        file.changes += 1;
                    }
                }
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => state.missed += 1,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return state,
            }
        }
    }
}

impl State {
    /// A file that isn't noted yet is noted, so that changes from now on are counted.
    fn version(&mut self, node: NodeId) -> Version {
        let changes = self.files.entry(node).or_default().changes;
        Version { missed: self.missed, changes }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::*;

    const NODE: NodeId = NodeId(5);
    const KEEP: FopenFlags = FopenFlags::FOPEN_KEEP_CACHE;
    const DIRECT: FopenFlags = FopenFlags::FOPEN_DIRECT_IO;

    fn open(pages: &Pages) -> FopenFlags {
        let before = pages.version(NODE);
        pages.open(NODE, before)
    }

    #[test]
    fn pages_are_kept_until_somebody_else_changes_the_content() {
        let (events, receiver) = broadcast::channel(8);
        let pages = Pages::new(receiver);
        assert_eq!(open(&pages), FopenFlags::empty());
        pages.close(NODE);
        assert_eq!(open(&pages), KEEP);
        pages.close(NODE);
        events.send(Event::Content(NODE)).unwrap();
        assert_eq!(open(&pages), FopenFlags::empty());
        pages.close(NODE);
        assert_eq!(open(&pages), KEEP);
    }

    #[test]
    fn a_handle_of_another_version_goes_past_the_pages() {
        let (events, receiver) = broadcast::channel(8);
        let pages = Pages::new(receiver);
        assert_eq!(open(&pages), FopenFlags::empty());
        events.send(Event::Content(NODE)).unwrap();
        assert_eq!(open(&pages), DIRECT);
        pages.close(NODE);
        assert_eq!(open(&pages), FopenFlags::empty());
        let before = pages.version(NODE);
        events.send(Event::Content(NODE)).unwrap();
        assert_eq!(pages.open(NODE, before), DIRECT);
    }

    #[test]
    fn after_missed_events_nothing_is_kept() {
        let (events, receiver) = broadcast::channel(2);
        let pages = Pages::new(receiver);
        open(&pages);
        pages.close(NODE);
        for _ in 0..3 {
            events.send(Event::Content(NodeId(9))).unwrap();
        }
        assert_eq!(open(&pages), FopenFlags::empty());
    }

    #[test]
    fn a_forgotten_file_is_dropped_unless_it_is_open() {
        let (_events, receiver) = broadcast::channel(8);
        let pages = Pages::new(receiver);
        open(&pages);
        pages.forget(NODE);
        assert_eq!(open(&pages), KEEP);
        pages.close(NODE);
        pages.close(NODE);
        pages.forget(NODE);
        assert!(pages.0.lock().unwrap().files.is_empty());
    }
}
