//! Limits of the service that callers have to know. Intervals are in [`Pacing`](crate::Pacing).

/// Most files of one upload request, as other clients of the site send them (API document, section 7).
pub const FILES_PER_UPLOAD: usize = 100;

/// Items of one batched call (remove, move, copy, rename, change) to begin with. The service documents no number;
/// this one is safe (API document, section 5).
pub const ITEMS_PER_CALL: usize = 100;

/// Most items of one batched call, after shorter lists were accepted. Callers should stay below it, so that one
/// refused call doesn't affect too much.
pub const MOST_ITEMS_PER_CALL: usize = 500;

/// Number of results from which a listing isn't complete (API document, section 2).
pub const LISTING_CAP: usize = 5_000;

/// Largest file in bytes that rclone sends. The service documents 500 GB (API document, section 2).
pub const MAX_FILE_SIZE: u64 = 300_000_000_000;

/// Largest size of a file that is believed in a listing, in bytes: ten times the service's limit, so that a larger
/// limit of the service doesn't hide files.
pub const LARGEST_LISTED_SIZE: u64 = 10 * MAX_FILE_SIZE;
