//! What stands between the commands and each remote: `--dry-run` changes nothing, `--interactive` asks before it does,
//! and the limits on removals hold. Every remote is opened with it, so no command can forget it.

use std::sync::Arc;

use fichier_engine::{Braked, Brakes, DryRun, Interactive, RunError};
use fichier_storage::{Remote, Result};
use tokio_util::sync::CancellationToken;

use super::ask;
use crate::arguments::Settings;

/// What is put around each remote.
pub(super) struct Wrappers {
    dry_run: bool,
    asker: Option<Arc<ask::Terminal>>,
    brakes: Arc<Brakes>,
}

impl Wrappers {
    /// `stop` is cancelled when nothing more is to be done: nobody is asked then.
    pub(super) fn new(settings: &Settings, stop: &CancellationToken) -> Self {
        let deletion = settings.transfer.deletion;
        Self {
            dry_run: settings.dry_run,
            asker: settings
                .transfer
                .interactive
                .then(|| Arc::new(ask::Terminal::new(settings.questions.clone(), stop.clone()))),
            brakes: Arc::new(Brakes::new(deletion.max_files, deletion.max_bytes)),
        }
    }

    /// How much may be removed.
    pub(super) fn brakes(&self) -> &Arc<Brakes> {
        &self.brakes
    }

    /// Puts what the flags ask for around a remote.
    pub(super) fn around(&self, remote: Arc<dyn Remote>) -> Arc<dyn Remote> {
        let remote: Arc<dyn Remote> = match &self.asker {
            _ if self.dry_run => Arc::new(DryRun::new(remote)),
            Some(asker) => Arc::new(Interactive::new(remote, asker.clone())),
            None => remote,
        };
        match self.brakes.is_set() {
            true => Arc::new(Braked::new(remote, self.brakes.clone())),
            false => remote,
        }
    }
}

/// What was done; `None`: nothing, since somebody was asked and said no.
///
/// # Errors
/// It failed.
pub(crate) fn unless_declined<T>(done: Result<T>) -> Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if RunError::is_declined(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
