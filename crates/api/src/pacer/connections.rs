//! Download connections: an account may have only a limited number at a time (API document, section 2), whichever
//! processes have them.
//!
//! Each connection locks one of as many small files. The locks are the system's, so that those of a process that died
//! are free at once. Where the files can't be used, a process counts its own connections.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fichier_state::open_private;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::shared_pace::try_lock;

/// Time between checks whether another process has released a connection.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Time without any byte over the connections of this process after which one more is opened: they may wait for one
/// another.
const STANDSTILL: Duration = Duration::from_secs(30);

/// Time for which other processes' connections are waited for: the processes may have been stopped.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// Connections of an account.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    /// Prefix of the names of the files, where processes share the connections.
    shared: Option<PathBuf>,
    /// Whether the files can't be used, which is reported once.
    broken: AtomicBool,
    own: Arc<Own>,
}

/// Connections of this process.
#[derive(Debug)]
struct Own {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    open: usize,
    /// Time when the last byte came, or a connection was opened or closed.
    moved: Instant,
}

/// The right to one download connection; it ends when this is dropped.
#[derive(Debug)]
pub struct Connection {
    own: Arc<Own>,
    _file: Option<File>,
}

impl Connection {
    /// Records that bytes came over it.
    pub fn moved(&self) {
        self.own.state().moved = Instant::now();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        {
            let mut state = self.own.state();
            state.open = state.open.saturating_sub(1);
            state.moved = Instant::now();
        }
        self.own.freed.notify_one();
    }
}

impl Own {
    fn state(&self) -> MutexGuard<'_, State> {
        // A number and a moment, which are sound at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        let state = Mutex::new(State { open: 0, moved: Instant::now() });
        let own = Arc::new(Own { state, freed: Notify::new() });
        Self { most: most.max(1), shared: None, broken: AtomicBool::new(false), own }
    }

    /// Sets the largest number of connections, in place of the usual one.
    pub(super) fn at_most(&mut self, most: usize) {
        self.most = most.max(1);
    }

    /// Shares the connections with other processes, by files with this prefix.
    pub(super) fn share(&mut self, path: &Path) {
        self.shared = Some(path.to_owned());
    }

    /// Takes a free connection; `None` if there is none. `since` is when it was first requested.
    pub(super) fn take(&self, since: Instant) -> Option<Connection> {
        let (open, moved) = {
            let mut state = self.own.state();
            // It is counted before it is searched for, so that no two tasks take the last one.
            state.open += 1;
            (state.open - 1, state.moved)
        };
        let taken = |file| Connection { own: self.own.clone(), _file: file };
        let free = if open >= self.most { None } else { self.free_file() };
        let stands_still = if open > 0 { moved.max(since).elapsed() >= STANDSTILL } else { false };
        match free {
            Some(file) => Some(taken(file)),
            None if stands_still || since.elapsed() >= PATIENCE => {
                tracing::debug!(open, "one more download connection than allowed: the others stand still");
                Some(taken(None))
            }
            None => {
                self.own.state().open -= 1;
                None
            }
        }
    }

    /// Returns a file that is free, or none where there are no files; `None` if all are locked.
    fn free_file(&self) -> Option<Option<File>> {
        let Some(path) = self.shared.as_ref().filter(|_| !self.broken.load(Ordering::Relaxed)) else {
            return Some(None);
        };
        for number in 0..self.most {
            let path = path.with_extension(format!("download-{number}"));
            match open_private(&path).and_then(|file| try_lock(file, &path)) {
                Ok(Ok(file)) => return Some(Some(file)),
                Ok(Err(_)) => {}
                Err(error) => {
                    self.broken.store(true, Ordering::Relaxed);
                    tracing::debug!(file = %path.display(), "download connections aren't shared: {error}");
                    return Some(None);
                }
            }
        }
        None
    }

    /// Returns when a connection of this process was closed, or it is time to check whether another process closed one.
    pub(super) async fn changed(&self) {
        tokio::select! {
            () = self.own.freed.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        Instant::now()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_open_than_allowed_and_a_closed_one_is_free() {
        let connections = Connections::new(2);
        let (one, two) = (connections.take(now()), connections.take(now()));
        assert!(one.is_some() && two.is_some());
        assert!(connections.take(now()).is_none());
        drop(one);
        let again = connections.take(now());
        assert!(again.is_some());
        assert!(connections.take(now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_wait_for_one_another_get_one_more() {
        let connections = Connections::new(1);
        let one = connections.take(now()).unwrap();
        let since = now();
        tokio::time::advance(STANDSTILL / 2).await;
        one.moved();
        tokio::time::advance(STANDSTILL / 2).await;
        assert!(connections.take(since).is_none(), "bytes still come");
        tokio::time::advance(STANDSTILL).await;
        assert!(connections.take(since).is_some());
    }

    #[tokio::test]
    async fn processes_share_them_and_those_of_a_dead_one_are_free() {
        let directory = tempfile::tempdir().unwrap();
        let of_a_process = || {
            let mut connections = Connections::new(2);
            connections.share(&directory.path().join("new").join("account"));
            connections
        };
        let (mine, others) = (of_a_process(), of_a_process());
        let (one, two) = (mine.take(now()), others.take(now()));
        assert!(one.is_some() && two.is_some());
        assert!(mine.take(now()).is_none() && others.take(now()).is_none());
        // This is as when a process dies.
        drop(two);
        assert!(mine.take(now()).is_some());
    }

    #[tokio::test]
    async fn where_files_cannot_be_used_each_process_counts_its_own() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), b"").unwrap();
        let mut connections = Connections::new(1);
        connections.share(&directory.path().join("file").join("account"));
        let one = connections.take(now());
        assert!(one.is_some() && connections.take(now()).is_none());
    }
}
