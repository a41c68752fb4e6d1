//! How a run is made: what the flags of the transfer commands become.

use std::{sync::Arc, time::Duration};

use fichier_filter::Filter;
use fichier_storage::{Location, StorageError};

use crate::{
    Bandwidth, Brakes, Checksums, Limits, MetadataOptions, NameMatching, NameTransform, Order, Rules,
    RunError,
};

/// How to copy, sync or move.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct RunOptions {
    /// Which files are transferred.
    pub rules: Rules,
    /// Where checksums come from.
    pub checksums: Checksums,
    /// Make folders that hold no files, too.
    pub create_empty_folders: bool,
    /// How many batches are on their way at once, at least 1.
    pub transfers: usize,
    /// How many files are compared at once, at least 1.
    pub checkers: usize,
    /// How often a file is tried in all, at least 1.
    pub tries: u32,
    /// How many folders deep to go; 1: the source folder alone; `None`: all.
    pub max_depth: Option<usize>,
    /// Which files the run is about, on both sides.
    pub filter: Arc<Filter>,
    /// Which names of the two sides count as one.
    pub names: NameMatching,
    /// Which names files and folders of the source get; `None`: those that they have.
    pub transform: Option<Arc<dyn NameTransform>>,
    /// What is kept beside content, name and time; `None`: nothing.
    pub metadata: Option<MetadataOptions>,
    /// Folders of the destination keep their own modification times, instead of getting those of the source.
    pub keep_folder_times: bool,
    /// `sync`: what the filter leaves out goes at the destination, instead of being left alone.
    pub delete_excluded: bool,
    /// Make copies at the destination of what it holds already, instead of sending it.
    pub reuse: bool,
    /// Look for renamed files also where their checksums aren't listed.
    pub track_renames: bool,
    /// What renamed files must have kept beside their content, if renames are looked for.
    pub renames: Renames,
    /// Folders in which files are looked for that the destination hasn't got.
    pub references: Vec<Reference>,
    /// How long to wait before a file is tried again.
    pub retry_pause: Duration,
    /// What ends the run before it is done.
    pub limits: Limits,
    /// How many bytes may go in a second.
    pub bandwidth: Option<Bandwidth>,
    /// Compare everything before the first transfer.
    pub check_first: bool,
    /// In which order files are transferred.
    pub order: Order,
    /// Where old versions go instead of away.
    pub backup: Option<Backup>,
    /// `sync`: how files are removed that the source hasn't got.
    pub deletion: Deletion,
    /// How much may be removed in all.
    pub brakes: Arc<Brakes>,
    /// Send what the service could have copied by itself and didn't.
    pub sends: bool,
    /// `move`: remove folders of the source that are empty then.
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

/// What a file must have kept to be taken for a renamed one. Its content counts in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Renames {
    /// Its name: only its folder has changed.
    pub same_name: bool,
    /// Its modification time, where the destination keeps one.
    pub same_time: bool,
}

/// How files are removed that the source hasn't got.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deletion {
    /// When.
    pub when: DeleteWhen,
    /// Also when something failed before.
    pub ignore_errors: bool,
    /// At most so many files; one more ends the run.
    pub max_files: Option<u64>,
    /// At most so many bytes; one more ends the run.
    pub max_bytes: Option<u64>,
}

impl Deletion {
    /// Checks whether so many files with so many bytes in all may be removed.
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

/// When files are removed that the source hasn't got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeleteWhen {
    /// Before anything is transferred.
    Before,
    /// When the folder they are in is compared.
    During,
    /// After everything was transferred.
    #[default]
    After,
}

/// Where old versions go instead of away: into a folder, or beside the new ones under another name.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The folder, on the destination's remote; `None`: they stay beside the new ones.
    pub folder: Option<Location>,
    /// What is added to their names.
    pub suffix: Vec<u8>,
    /// The suffix goes before the name's extension.
    pub keep_extension: bool,
}

/// A folder in which files are looked for that the destination hasn't got.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The folder.
    pub location: Location,
    /// Copy what is found to the destination, which has to be of the same remote; else it stays where it is.
    pub copies: bool,
}
