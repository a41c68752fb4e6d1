//! Options of a run, made from the flags of the transfer commands.

use std::{sync::Arc, time::Duration};

use fichier_filter::Filter;
use fichier_storage::{Location, StorageError};

use crate::{
    Bandwidth, Brakes, Checksums, Limits, MetadataOptions, NameMatching, NameTransform, Order, Rules,
    RunError,
};

/// Options for a copy, sync or move.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct RunOptions {
    /// Rules on which files are transferred.
    pub rules: Rules,
    /// Source of the checksums.
    pub checksums: Checksums,
    /// Makes folders that hold no files, too.
    pub create_empty_folders: bool,
    /// Number of batches transferred at once, at least 1.
    pub transfers: usize,
    /// Number of files compared at once, at least 1.
    pub checkers: usize,
    /// Total number of tries for a file, at least 1.
    pub tries: u32,
    /// Depth in folders to which to go; 1: the source folder alone; `None`: no limit.
    pub max_depth: Option<usize>,
    /// Files that the run is about, on both sides.
    pub filter: Arc<Filter>,
    /// Rule by which names of the two sides count as one.
    pub names: NameMatching,
    /// New names for files and folders of the source; `None`: they keep their names.
    pub transform: Option<Arc<dyn NameTransform>>,
    /// Metadata that is kept beside content, name and time; `None`: nothing.
    pub metadata: Option<MetadataOptions>,
    /// Leaves the modification times of the destination's folders, instead of setting those of the source.
    pub keep_folder_times: bool,
    /// `sync`: removes at the destination what the filter leaves out, instead of leaving it alone.
    pub delete_excluded: bool,
    /// Copies at the destination what it holds already, instead of sending it.
    pub reuse: bool,
    /// Looks for renamed files also where their checksums aren't listed.
    pub track_renames: bool,
    /// What renamed files must have kept beside their content, if renames are looked for.
    pub renames: Renames,
    /// Folders to look in for files that the destination doesn't have.
    pub references: Vec<Reference>,
    /// Wait before a file is tried again.
    pub retry_pause: Duration,
    /// Limits that end the run before it is done.
    pub limits: Limits,
    /// Limit on bytes per second.
    pub bandwidth: Option<Bandwidth>,
    /// Compares everything before the first transfer.
    pub check_first: bool,
    /// Order in which files are transferred.
    pub order: Order,
    /// Where old versions are moved instead of being removed.
    pub backup: Option<Backup>,
    /// `sync`: how files that the source doesn't have are removed.
    pub deletion: Deletion,
    /// Limit on removals in all.
    pub brakes: Arc<Brakes>,
    /// Sends what the service could have copied by itself but didn't.
    pub sends: bool,
    /// `move`: removes folders of the source that are empty afterwards.
    pub delete_empty_source_folders: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            checksums: Checksums::default(),
            create_empty_folders: false,
            transfers: 4,
            checkers: 8,
            tries: 3,
            max_depth: None,
            filter: Arc::default(),
            names: NameMatching::default(),
            transform: None,
            metadata: None,
            keep_folder_times: false,
            delete_excluded: false,
            reuse: true,
            track_renames: false,
            renames: Renames::default(),
            references: Vec::new(),
            retry_pause: Duration::ZERO,
            limits: Limits::default(),
            bandwidth: None,
            check_first: false,
            order: Order::Found,
            backup: None,
            deletion: Deletion::default(),
            brakes: Arc::default(),
            sends: true,
            delete_empty_source_folders: false,
        }
    }
}

/// What a file must have kept to count as renamed. Its content counts in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renames {
    /// Whether the name must be the same: only the folder has changed.
    pub same_name: bool,
    /// Whether the modification time must be the same, where the destination keeps one.
    pub same_time: bool,
}

/// How files that the source doesn't have are removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deletion {
    /// Point of the run at which they are removed.
    pub when: DeleteWhen,
    /// Removes them also when something has failed.
    pub ignore_errors: bool,
    /// Largest number of files to remove; one more ends the run.
    pub max_files: Option<u64>,
    /// Largest number of bytes to remove; one more ends the run.
    pub max_bytes: Option<u64>,
}

impl Deletion {
    /// Checks whether this number of files, with this number of bytes in all, may be removed.
    ///
    /// # Errors
    /// [`RunError::LimitReached`]: they may not.
    pub(crate) fn check(&self, files: u64, bytes: u64) -> Result<(), StorageError> {
        if self.max_files.is_some_and(|most| files > most) {
            return Err(RunError::LimitReached { limit: "--max-delete", found: files }.into());
        }
        if self.max_bytes.is_some_and(|most| bytes > most) {
            return Err(RunError::LimitReached { limit: "--max-delete-size", found: bytes }.into());
        }
        Ok(())
    }
}

/// Point of the run at which files that the source doesn't have are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeleteWhen {
    /// Before anything is transferred.
    Before,
    /// Files are removed when their folder is compared.
    During,
    /// After everything was transferred.
    #[default]
    After,
}

/// Where old versions are moved instead of being removed: into a folder, or to another name beside the new ones.
#[derive(Debug, Clone)]
pub struct Backup {
    /// Folder on the destination's remote; `None`: old versions stay beside the new ones.
    pub folder: Option<Location>,
    /// Suffix that is added to their names.
    pub suffix: Vec<u8>,
    /// Whether the suffix goes before the name's extension.
    pub keep_extension: bool,
}

/// A folder in which to look for files that the destination doesn't have.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Place of the folder.
    pub location: Location,
    /// Copies what is found to the destination, which has to be on the same remote. Otherwise it stays where it is.
    pub copies: bool,
}
