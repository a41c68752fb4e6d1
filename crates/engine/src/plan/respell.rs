//! `--fix-case`: gives names at the destination the spelling that they have at the source.

use fichier_storage::{File, Name, Relocation, RemoteExt, RemotePath};

use crate::{Respelling, RunReport, plan::Matched, run::Run, say_skipped, walk::pending::PendingFolder};

impl Run<'_> {
    /// Renames what the destination has under another spelling, if that is wanted. An entry that can't be renamed keeps
    /// its name, and the run uses that.
    pub(crate) async fn respell(
        &self,
        matched: &mut Matched,
        folder: &PendingFolder,
        report: &mut RunReport,
    ) {
        // A file that must not change keeps its name, too.
        if self.options.names.respelling == Respelling::Keep || self.options.rules.immutable {
            return;
        }
        let target = self.to.path.join_path(&folder.there);
        for pair in &mut matched.folders {
            let same = !pair.exists || pair.wanted == pair.there;
            if same || !self.may_respell(&target, &pair.there, &pair.wanted) {
                continue;
            }
            let (from, to) = (target.join(&pair.there), target.join(&pair.wanted));
            match self.to.remote.rename_folder(&from, &to).await {
                Ok(()) => {
                    tracing::info!(path = %self.shown_at_destination(&to), "Fixed case by renaming from {:?}", pair.there);
                    pair.there = pair.wanted.clone();
                }
                Err(error) => self.fail(report, &self.shown_at_destination(&from), error),
            }
        }
        for pair in &mut matched.files {
            let name = pair.wanted.clone();
            let is_there = !pair.existing.is_empty();
            if !is_there || name == pair.name || !self.may_respell(&target, &pair.name, &name) {
                continue;
            }
            match self.respell_versions(&pair.existing, &target.join(&name)).await {
                Ok(renamed) => {
                    let shown = self.shown_at_destination(&target.join(&name));
                    tracing::info!(path = %shown, "Fixed case by renaming from {:?}", pair.name);
                    pair.existing = renamed;
                    pair.name = name;
                }
                Err(error) => {
                    let shown = self.shown_at_destination(&target.join(&pair.name));
                    self.fail(report, &shown, error);
                }
            }
        }
    }

    /// Checks whether a rename is to be made. One that is only to be reported is written to the log.
    fn may_respell(&self, folder: &RemotePath, from: &Name, to: &Name) -> bool {
        if self.options.names.respelling == Respelling::Tell {
            let shown = self.shown_at_destination(&folder.join(from));
            say_skipped(&shown.to_string(), &format!("rename to {to:?}"), None);
        }
        self.options.names.respelling == Respelling::Rename
    }

    async fn respell_versions(&self, files: &[File], to: &RemotePath) -> fichier_storage::Result<Vec<File>> {
        let step = |file: &File| Relocation { from: file.clone(), to: to.clone(), replaces: Vec::new() };
        let steps: Vec<_> = files.iter().map(step).collect();
        let mut renamed = Vec::with_capacity(files.len());
        for (file, outcome) in files.iter().zip(self.to.remote.rename(&steps).await) {
            let now = outcome.into_result()?;
            // The known checksum still holds.
            renamed.push(File { whirlpool: now.whirlpool.or(file.whirlpool), ..now });
        }
        Ok(renamed)
    }
}
