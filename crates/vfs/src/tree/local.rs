//! What of a file isn't at the service yet.

use std::{fs, sync::Arc, time::SystemTime};

use fichier_storage::{File, RemotePath};
use tokio::time::Instant;

use crate::journal::UnsentRow;

/// A data file of the journal.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    /// Its number in the journal.
    pub(crate) number: i64,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// The file, while somebody has it open.
    pub(crate) open: Option<Arc<fs::File>>,
}

/// What of a file isn't at the service yet. At least one of `content` and `working` is there.
#[derive(Debug)]
pub(crate) struct Local {
    /// Its number in the journal.
    pub(crate) id: i64,
    /// What was closed or fsynced last. It doesn't change any more, unless it was fsynced and is still open.
    pub(crate) content: Option<DataFile>,
    /// What is being written.
    pub(crate) working: Option<DataFile>,
    /// Time of the last change.
    pub(crate) modified: SystemTime,
    /// The versions that the name had under which it will be, if it was renamed while it was being sent.
    pub(crate) over: Vec<File>,
    /// When it was closed last.
    pub(crate) closed: Option<Instant>,
    /// Where it is being sent, with the number of the data file that is.
    pub(crate) sending: Option<(RemotePath, i64)>,
    /// Where the service may have it already, and from which data file: it was being sent when the program ended.
    pub(crate) unsure: Option<(RemotePath, i64)>,
    /// Whether somebody waits until it is sent, so that it doesn't wait for its time.
    pub(crate) is_urgent: bool,
    /// How often sending has failed, when to try again, and why it failed.
    pub(crate) failed: Option<(u32, Instant, Arc<str>)>,
}

impl Local {
    /// Makes the state of a file of which nothing is written.
    pub(crate) fn new(id: i64, modified: SystemTime) -> Self {
        Self {
            id,
            content: None,
            working: None,
            modified,
            over: Vec::new(),
            closed: None,
            sending: None,
            unsure: None,
            is_urgent: false,
            failed: None,
        }
    }

    /// Returns the data file that is read.
    pub(crate) fn data(&self) -> Option<&DataFile> {
        self.working.as_ref().or(self.content.as_ref())
    }

    /// Returns the size of the file as it is shown.
    pub(crate) fn size(&self) -> u64 {
        self.data().map_or(0, |data| data.size)
    }

    /// Returns the numbers of the data files that are needed.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        let data = [&self.content, &self.working].into_iter().flatten().map(|data| data.number);
        let sent = [&self.sending, &self.unsure].into_iter().flatten().map(|(_, number)| *number);
        data.chain(sent)
    }

    /// Returns what the journal notes.
    pub(crate) fn row(&self, path: &RemotePath, versions: &[File], removed: bool) -> UnsentRow {
        UnsentRow {
            id: self.id,
            path: path.clone(),
            content: self.content.as_ref().map(|data| data.number),
            working: self.working.as_ref().map(|data| data.number),
            modified: self.modified,
            replaces: versions.iter().chain(&self.over).cloned().collect(),
            sent: self.unsure.clone().or_else(|| self.sending.clone()),
            removed,
        }
    }
}
