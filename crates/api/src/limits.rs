//! Limits of the service that callers have to know. Intervals are in [`Pacing`](crate::Pacing).

use std::time::Duration;

/// Files that one upload request may carry (API document, section 2).
pub const FILES_PER_UPLOAD: usize = 500;

/// Items of one batched call (remove, move, copy, rename, change) to begin with. The service documents no number;
/// this one is safe (API document, section 5).
pub const ITEMS_PER_CALL: usize = 100;

/// Most items of one batched call, after shorter lists were accepted. Callers should stay below it, so that one
/// refused call doesn't affect too much.
pub const MOST_ITEMS_PER_CALL: usize = 500;

/// Download connections that an account may hold at a time (API document, section 2).
pub const DOWNLOAD_CONNECTIONS: usize = 30;

/// A listing of this number of results or more isn't complete (API document, section 2).
pub const LISTING_CAP: usize = 5_000;

/// Bytes that one upload request may carry in all (API document, section 2).
pub const BYTES_PER_UPLOAD: u64 = 500_000_000_000;

/// Longest time of an upload from its first byte (API document, section 2).
pub const UPLOAD_TIME: Duration = Duration::from_secs(4 * 3600);

/// Largest file in bytes that the service takes (API document, section 2).
pub const MAX_FILE_SIZE: u64 = 300_000_000_000;

/// Largest size of a file that is believed in a listing, in bytes: ten times the service's limit, so that a larger
/// limit of the service doesn't hide files.
pub const LARGEST_LISTED_SIZE: u64 = 10 * MAX_FILE_SIZE;
