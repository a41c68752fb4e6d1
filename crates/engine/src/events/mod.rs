//! Reports what was done about one path in one call: to the log, the counters and the observer. A dry run says and
//! counts what would be done.

pub(crate) mod record;
pub(crate) mod report;
pub(crate) mod stats;

use std::{borrow::Cow, time::Duration};

use fichier_storage::{File, RemotePath};

use crate::{Action, Record, SizeText, Stats};

/// Something that was done about one path, or would be in a dry run.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// The bytes of a file were sent.
    Sent {
        file: &'a File,
        /// Whether an old version was replaced.
        replaced: bool,
        /// Whether the source is removed next.
        moves: bool,
        took: Duration,
    },
    /// A planned transfer became a copy at the remote, which saved sending `bytes` bytes.
    CopiedThere { file: &'a File, bytes: u64, took: Option<Duration> },
    /// A planned transfer became a move at the remote, which saved sending `bytes` bytes.
    MovedThere { file: &'a File, bytes: u64, took: Option<Duration> },
    /// A file moved within its tree: only its path changed.
    NewName { file: &'a File, from: &'a RemotePath },
    /// A file moved along with its folder.
    MovedAlong {
        file: &'a File,
        /// Number of bytes that a planned transfer would have sent, if one was planned.
        planned: Option<u64>,
    },
    /// A file got another name, since several shared its name.
    Renamed { file: &'a File, from: &'a RemotePath },
    /// A file was removed.
    Deleted(&'a File),
    /// The source of a move was removed, after its bytes were sent.
    SourceDeleted(&'a File),
    /// An old version was moved to the backup.
    SetAside(&'a File),
    /// A file that the source doesn't have was moved to the backup.
    DeletedToBackup(&'a File),
    /// A folder was made.
    FolderMade,
    /// An empty folder was removed.
    FolderDeleted,
    /// The empty folder that the user named was removed; messages call it by this name.
    RootDeleted(&'a str),
    /// A folder was moved with all it holds; these are its old and new names in messages.
    FolderMoved { from: &'a str, to: &'a str },
    /// A folder was renamed at the destination, since it was renamed at the source.
    FolderRenamed { from: &'a RemotePath },
    /// A folder got the metadata of the source's folder.
    FolderUpdated {
        /// Whether only the modification time was set.
        time_alone: bool,
    },
    /// A file's modification time was set.
    Retimed(&'a File),
    /// A file got new attributes.
    AttributesSet(&'a File),
    /// The destination has the same content.
    Unchanged(&'a File),
    /// A rule left the file out.
    LeftOut { file: &'a File, why: &'static str },
    /// An empty file was skipped, since the remote can't store it and the user asked to skip those.
    EmptyLeftOut(&'a File),
}

impl Event<'_> {
    /// Returns what a dry run reports as skipped; `None` where there is nothing to say.
    fn skipped(&self, path: &RemotePath) -> Option<(Cow<'static, str>, Option<u64>)> {
        if let Self::NewName { file, .. } = self {
            return Some((format!("move to {path:?}").into(), Some(file.size)));
        }
        let (action, size) = match self {
            Self::Sent { file, moves: false, .. } => ("copy", Some(file.size)),
            Self::Sent { file, moves: true, .. }
            | Self::MovedThere { file, .. }
            | Self::MovedAlong { file, .. } => ("move", Some(file.size)),
            Self::CopiedThere { file, .. } => ("server-side copy", Some(file.size)),
            Self::Renamed { file, .. } => ("rename", Some(file.size)),
            Self::Deleted(file) => ("delete", Some(file.size)),
            Self::SetAside(file) | Self::DeletedToBackup(file) => ("move into backup dir", Some(file.size)),
            Self::Retimed(file) => ("update modification time", Some(file.size)),
            Self::AttributesSet(file) => ("set attributes", Some(file.size)),
            Self::FolderMade => ("make directory", None),
            Self::FolderUpdated { time_alone: true } => ("set directory modification time", None),
            Self::FolderUpdated { time_alone: false } => ("update directory metadata", None),
            Self::FolderDeleted | Self::RootDeleted(_) => ("remove directory", None),
            Self::FolderMoved { .. } | Self::FolderRenamed { .. } => ("server-side directory move", None),
            Self::SourceDeleted(_)
            | Self::Unchanged(_)
            | Self::LeftOut { .. }
            | Self::EmptyLeftOut(_)
            | Self::NewName { .. } => return None,
        };
        Some((action.into(), size))
    }

    fn log(&self, path: &RemotePath) {
        match self {
            Self::Sent { file, replaced, .. } => {
                let how = if *replaced { "Copied (replaced existing)" } else { "Copied (new)" };
                tracing::info!(path = %path, size = file.size, "{how}");
            }
            Self::CopiedThere { file, .. } => {
                tracing::info!(path = %path, size = file.size, "Copied (server-side copy)");
            }
            Self::MovedThere { file, .. } => {
                tracing::info!(path = %path, size = file.size, "Moved (server-side)");
            }
            Self::NewName { from, .. } => tracing::info!(path = %from, "Moved (server-side) to {path:?}"),
            Self::Renamed { from, .. } => tracing::info!(path = %path, "renamed from: {from}"),
            Self::Deleted(_) | Self::SourceDeleted(_) => tracing::info!(path = %path, "Deleted"),
            Self::SetAside(_) | Self::DeletedToBackup(_) => {
                tracing::info!(path = %path, "Moved into backup dir");
            }
            Self::FolderDeleted => tracing::info!(path = %path, "Removing directory"),
            Self::RootDeleted(name) => tracing::info!(path = name, "Removing directory"),
            Self::FolderMoved { from, to } => {
                tracing::info!(path = from, "Moved to {to} (server-side directory move)");
            }
            Self::FolderRenamed { from } => tracing::info!(path = %path, "Renamed directory from {from:?}"),
            Self::FolderUpdated { time_alone: true } => {
                tracing::info!(path = %path, "Set directory modification time");
            }
            Self::FolderUpdated { time_alone: false } => {
                tracing::info!(path = %path, "Updated directory metadata");
            }
            Self::Retimed(_) => tracing::info!(path = %path, "Updated modification time in destination"),
            Self::AttributesSet(_) => tracing::info!(path = %path, "Set attributes"),
            Self::Unchanged(_) => tracing::debug!(path = %path, "Unchanged skipping"),
            Self::LeftOut { why, .. } => tracing::debug!(path = %path, "{why}"),
            Self::EmptyLeftOut(_) => {
                tracing::warn!(path = %path, "Skipped empty file: the service can't store it");
            }
            Self::FolderMade | Self::MovedAlong { .. } => {}
        }
    }

    fn record<'a>(&'a self, path: &'a RemotePath) -> Option<Record<'a>> {
        Some(match self {
            Self::Sent { file, took, .. } => {
                Record { took: Some(*took), ..Record::of(path, Action::Transferred, file) }
            }
            Self::CopiedThere { file, took, .. } => {
                Record { took: *took, ..Record::of(path, Action::CopiedThere, file) }
            }
            Self::MovedThere { file, took, .. } => {
                Record { took: *took, ..Record::of(path, Action::MovedThere, file) }
            }
            Self::MovedAlong { file, .. } | Self::NewName { file, .. } | Self::Renamed { file, .. } => {
                Record::of(path, Action::MovedThere, file)
            }
            Self::Deleted(file) | Self::SourceDeleted(file) => Record::of(path, Action::Deleted, file),
            Self::SetAside(file) | Self::DeletedToBackup(file) => Record::of(path, Action::SetAside, file),
            Self::FolderDeleted | Self::RootDeleted(_) => Record::folder_removed(path),
            Self::Retimed(file) => Record::of(path, Action::Retimed, file),
            Self::AttributesSet(file) => Record::of(path, Action::AttributesSet, file),
            Self::Unchanged(file) => Record::of(path, Action::Unchanged, file),
            Self::LeftOut { file, .. } | Self::EmptyLeftOut(file) => Record::of(path, Action::LeftOut, file),
            Self::FolderMade
            | Self::FolderMoved { .. }
            | Self::FolderRenamed { .. }
            | Self::FolderUpdated { .. } => return None,
        })
    }
}

/// Says that something wasn't done, since `--dry-run` is set. In a log of JSON objects, what was skipped and its size
/// are fields, too.
pub fn say_skipped(path: &str, skipped: &str, size: Option<(u64, SizeText)>) {
    match size {
        Some((size, text)) => {
            let shown = text(size);
            tracing::warn!(path, skipped, size, "Skipped {skipped} as --dry-run is set (size {shown})");
        }
        None => tracing::warn!(path, skipped, "Skipped {skipped} as --dry-run is set"),
    }
}

impl Stats {
    /// Reports what was done about a path: logs it, counts it, and passes it to the observer.
    pub(crate) fn note(&self, path: &RemotePath, event: &Event<'_>) {
        match (self.dry_run(), event.skipped(path)) {
            (Some(size_text), Some((action, size))) => {
                let name = match event {
                    Event::RootDeleted(name) => (*name).to_owned(),
                    Event::NewName { from, .. } => from.to_string(),
                    _ => path.to_string(),
                };
                say_skipped(&name, &action, size.map(|size| (size, size_text)));
            }
            (Some(_), None) if matches!(event, Event::SourceDeleted(_)) => {}
            _ => event.log(path),
        }
        self.count(event);
        if let Some(record) = event.record(path) {
            self.record(&record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> File {
        File::new(RemotePath::root(), 40)
    }

    #[test]
    fn each_event_counts_what_it_is() {
        let (stats, file, path) = (Stats::default(), file(), RemotePath::root());
        for _ in 0..3 {
            stats.plan_transfer(40);
        }
        let took = Duration::from_secs(1);
        stats.note(&path, &Event::Sent { file: &file, replaced: true, moves: true, took });
        stats.note(&path, &Event::SourceDeleted(&file));
        stats.note(&path, &Event::CopiedThere { file: &file, bytes: 40, took: None });
        stats.note(&path, &Event::MovedThere { file: &file, bytes: 40, took: None });
        stats.note(&path, &Event::SetAside(&file));
        stats.note(&path, &Event::DeletedToBackup(&file));
        stats.note(&path, &Event::FolderDeleted);
        let seen = stats.snapshot();
        // Bytes that are sent are counted on their way.
        assert_eq!((seen.transfers, seen.total_transfers, seen.bytes), (3, 3, 80));
        assert_eq!((seen.deleted, seen.deleted_folders, seen.renamed), (2, 1, 1));
        assert_eq!((seen.server_side_copies, seen.server_side_copied_bytes), (1, 40));
    }

    #[test]
    fn a_dry_run_counts_bytes_that_nobody_sends() {
        let stats = Stats::default().of_dry_run(|size| size.to_string());
        stats.plan_transfer(40);
        let took = Duration::ZERO;
        stats.note(&RemotePath::root(), &Event::Sent { file: &file(), replaced: false, moves: false, took });
        let seen = stats.snapshot();
        assert_eq!((seen.transfers, seen.bytes, seen.total_bytes), (1, 40, 40));
    }
}
