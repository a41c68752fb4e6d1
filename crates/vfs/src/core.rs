//! What all parts of the file system share: the remote, the settings, and the state behind one lock.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use fichier_storage::{File, Name, Remote, RemotePath, Whirlpool};
use tokio::{
    sync::{Notify, Semaphore, broadcast, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Event, HandleId, NodeId, OpenFlags, Result, Statistics, VfsError, VfsOptions,
    cache::Cache,
    change::Change,
    journal::{ChangeRow, DataFolder, Journal},
    read::Readers,
    snapshot::Snapshot,
    tree::{DataFile, Local, Tree},
    write::{
        queue::{Queue, Queued},
        sizes::Sizes,
    },
};

/// How many events wait for a slow listener.
const EVENTS: usize = 4096;

/// How many folders are listed again in the background at once.
const BACKGROUND_LISTINGS: usize = 4;

/// What all parts of the file system share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) remote: Arc<dyn Remote>,
    pub(crate) options: VfsOptions,
    pub(crate) started: SystemTime,
    state: Mutex<State>,
    pub(crate) data: DataFolder,
    pub(crate) cache: Arc<Cache>,
    pub(crate) readers: Readers,
    /// Wakes the sender.
    pub(crate) wake: Notify,
    /// Changes whenever something ended that somebody may wait for.
    pub(crate) progress: watch::Sender<u64>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) stop: CancellationToken,
    pub(crate) listings: Semaphore,
    pub(crate) calls: Arc<AtomicU64>,
}

/// What changes, behind one lock that is never held over a call.
#[derive(Debug)]
pub(crate) struct State {
    /// Name of the remote, for messages.
    remote: String,
    pub(crate) tree: Tree,
    pub(crate) queue: Queue,
    pub(crate) journal: Journal,
    pub(crate) handles: HashMap<HandleId, Handle>,
    next_handle: u64,
    /// Files that have something that isn't sent.
    pub(crate) unsent: BTreeSet<NodeId>,
    /// Sizes of the data files.
    pub(crate) sizes: Sizes,
    /// Folders that are being renamed at the service, each from and to.
    pub(crate) renaming: Vec<[RemotePath; 2]>,
    /// Paths to which an earlier file system was sending files that were removed meanwhile.
    pub(crate) ending: Vec<RemotePath>,
    /// Whether a list of changes is on its way.
    pub(crate) is_sending_changes: bool,
    /// How many batches of files are on their way.
    pub(crate) batches: usize,
    pub(crate) statistics: Option<(Instant, Statistics)>,
    /// Entries that were said to be left out.
    pub(crate) gaps: HashSet<RemotePath>,
}

/// An open file or folder.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) node: NodeId,
    pub(crate) body: HandleBody,
}

#[derive(Debug)]
pub(crate) enum HandleBody {
    File {
        flags: OpenFlags,
        /// The version that is read, and how many versions we had stored when it was looked up.
        pin: Box<(Option<File>, u64)>,
        /// How often the bytes of that version were found wrong, when they were read last.
        seen: Option<u64>,
        /// Where the last read ended.
        end: u64,
    },
    Folder(Arc<Snapshot>),
}

impl Core {
    pub(crate) fn new(
        remote: Arc<dyn Remote>,
        root: RemotePath,
        options: VfsOptions,
        journal: Journal,
        data: DataFolder,
        cache: Cache,
    ) -> Self {
        let state = State {
            remote: remote.info().name.clone(),
            tree: Tree::new(root),
            queue: Queue::default(),
            journal,
            handles: HashMap::new(),
            next_handle: 1,
            unsent: BTreeSet::new(),
            sizes: Sizes::default(),
            renaming: Vec::new(),
            ending: Vec::new(),
            is_sending_changes: false,
            batches: 0,
            statistics: None,
            gaps: HashSet::new(),
        };
        let calls = Arc::new(AtomicU64::new(0));
        let cache = Arc::new(cache);
        let readers = Readers::new(remote.clone(), cache.clone(), &options, calls.clone());
        Self {
            remote,
            started: SystemTime::now(),
            state: Mutex::new(state),
            data,
            cache,
            readers,
            wake: Notify::new(),
            progress: watch::Sender::new(0),
            events: broadcast::Sender::new(EVENTS),
            stop: CancellationToken::new(),
            listings: Semaphore::new(BACKGROUND_LISTINGS),
            calls,
            options,
        }
    }

    /// Takes the lock of the state.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes calls of the remote.
    pub(crate) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells the listener something.
    pub(crate) fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    /// Lets those look again who wait for something to end.
    pub(crate) fn progressed(&self) {
        self.progress.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Refuses changes where none are possible.
    pub(crate) fn changeable(&self) -> Result<()> {
        if self.stop.is_cancelled() {
            return Err(VfsError::ShutDown);
        }
        match self.options.read_only || self.remote.info().features.read_only {
            true => Err(VfsError::ReadOnly),
            false => Ok(()),
        }
    }

    /// Runs a task that ends with the file system.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Removes a data file.
    pub(crate) fn remove_data(&self, state: &mut State, number: i64) {
        state.sizes.remove(number);
        self.data.remove(number);
    }

    /// Removes a data file, unless the file still needs it.
    pub(crate) fn remove_unneeded(&self, state: &mut State, id: NodeId, number: i64) {
        let local = state.tree.file(id).and_then(|file| file.local.as_ref());
        if local.is_none_or(|local| local.numbers().all(|needed| needed != number)) {
            self.remove_data(state, number);
        }
    }

    /// Drops what of a file isn't sent, with its data files, but for one that is being sent.
    pub(crate) fn drop_local(&self, state: &mut State, local: &Local) {
        let sent = local.sending.as_ref().map(|(_, number)| *number);
        local
            .numbers()
            .filter(|number| Some(*number) != sent)
            .for_each(|number| self.remove_data(state, number));
    }
}

impl State {
    /// Opens a handle.
    pub(crate) fn open(&mut self, node: NodeId, body: HandleBody) -> HandleId {
        let id = HandleId(self.next_handle);
        self.next_handle += 1;
        self.handles.insert(id, Handle { node, body });
        if let Some(node) = self.tree.get_mut(node) {
            node.handles += 1;
        }
        id
    }

    /// Returns the path of a node on the remote as messages name it.
    pub(crate) fn shown(&self, id: NodeId) -> String {
        self.tree.path(id).map_or_else(
            || {
                let name = self.tree.get(id).and_then(|node| node.name.as_ref());
                name.map_or_else(|| format!("node {}", id.0), Name::to_string)
            },
            |path| self.say(&path),
        )
    }

    /// Returns a path as messages name it: with the remote.
    pub(crate) fn say(&self, path: &RemotePath) -> String {
        match self.remote.ends_with(':') || self.remote.ends_with('/') {
            true => format!("{}{path}", self.remote),
            false => format!("{}/{path}", self.remote),
        }
    }

    /// Returns the path of a node that must be in the tree.
    pub(crate) fn path(&self, id: NodeId) -> Result<RemotePath> {
        self.tree.path(id).ok_or_else(|| VfsError::NotFound(self.shown(id)))
    }

    /// Journals a change and puts it into the queue.
    pub(crate) fn queue(
        &mut self,
        node: Option<NodeId>,
        change: Change,
        at: Instant,
        is_held: bool,
    ) -> Result<()> {
        let id = self.journal.number();
        let row = ChangeRow { id, node: node.map(|node| node.0), change, tried: false };
        self.journal.put_change(&row)?;
        let change = row.change;
        self.queue.push(id, Queued { node, change, at, is_held, is_sent: false, tried: false, failures: 0 });
        Ok(())
    }

    /// Writes what isn't sent of a file into the journal. For one that isn't in the tree any more, does nothing.
    pub(crate) fn journal_file(&self, id: NodeId) -> Result<()> {
        let (Some(path), Some(file)) = (self.tree.path(id), self.tree.file(id)) else { return Ok(()) };
        match &file.local {
            Some(local) => self.journal.put_unsent(&local.row(&path, &file.versions, false)),
            None => Ok(()),
        }
    }

    /// Checks whether a folder rename that is under way touches a path.
    pub(crate) fn is_renaming(&self, path: &RemotePath) -> bool {
        let overlap = |other: &RemotePath| other.is_within(path) || path.is_within(other);
        self.renaming.iter().flatten().any(overlap)
    }

    /// Returns the paths to which files are being sent.
    pub(crate) fn upload_paths(&self) -> Vec<RemotePath> {
        let mut paths = self.ending.clone();
        for local in self.unsent.iter().filter_map(|id| self.tree.file(*id)?.local.as_ref()) {
            paths.extend(local.sending.as_ref().map(|(path, _)| path.clone()));
            paths.extend(local.unsure.as_ref().map(|(path, _)| path.clone()));
        }
        paths
    }

    /// Returns the paths of the service that unsent files have left: they are sent elsewhere, or were removed while they
    /// were being sent.
    pub(crate) fn hidden(&self) -> HashSet<RemotePath> {
        let mut hidden: HashSet<RemotePath> = self.ending.iter().cloned().collect();
        for id in &self.unsent {
            let Some(file) = self.tree.file(*id) else { continue };
            let path = self.tree.path(*id);
            let local = file.local.as_ref();
            let sent = local.into_iter().flat_map(|local| [&local.sending, &local.unsure]).flatten();
            let sent = sent.map(|(path, _)| path);
            let versions = file.versions.iter().map(|version| &version.path).filter(|_| path.is_some());
            hidden.extend(versions.chain(sent).filter(|other| path.as_ref() != Some(other)).cloned());
        }
        hidden
    }

    /// Returns the open data file that is read and written of a file; opens it if needed.
    pub(crate) fn open_data(
        &mut self,
        data: &DataFolder,
        id: NodeId,
    ) -> Result<Option<(Arc<fs::File>, u64)>> {
        let Some(local) = self.tree.file_mut(id).and_then(|file| file.local.as_mut()) else {
            return Ok(None);
        };
        let Some(file) = local.working.as_mut().or(local.content.as_mut()) else { return Ok(None) };
        let DataFile { number, size, open } = file;
        if let Some(open) = open {
            return Ok(Some((open.clone(), *size)));
        }
        let opened = data.open_file(*number);
        let opened = Arc::new(opened.map_err(|error| VfsError::disk("open", data.path(*number), error))?);
        *open = Some(opened.clone());
        Ok(Some((opened, *size)))
    }
}

/// Returns where a file system on this place keeps its journal. Remotes are told apart by their names, since a key that
/// was exchanged must not hide what isn't sent.
pub(crate) fn journal_directory(options: &VfsOptions, remote: &dyn Remote, root: &RemotePath) -> PathBuf {
    let info = remote.info();
    let place = format!("{}\n{}\n{root}", info.backend, info.name);
    let mut name = Whirlpool::of(place.as_bytes()).to_string();
    name.truncate(32);
    options.directory.join("journal").join(name)
}
