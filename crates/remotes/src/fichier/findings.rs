//! The questions of `doctor` whose answers later runs act on, and those answers.

/// Whether a folder's listing brings its files.
pub(super) const FILES_IN_LISTING: &str = "files-in-folder-listing";
/// Answer to [`FILES_IN_LISTING`]: they have to be asked for by a call of their own.
pub(super) const APART: &str = "left out";

/// In which time dates are written.
pub(super) const DATE_ZONE: &str = "date-zone";
/// Answer to [`DATE_ZONE`]: dates are UTC.
pub(super) const UTC: &str = "utc";

/// What moving and renaming a folder in one call does.
pub(super) const FOLDER_MOVE: &str = "folder-move-and-rename";
/// Answer to [`FOLDER_MOVE`]: both.
pub(super) const MOVES: &str = "moves and renames";
