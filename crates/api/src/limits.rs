//! Numbers of the service that callers plan with. Intervals are in [`Pacing`](crate::Pacing).

use std::time::Duration;

/// Files that one upload request may carry (API document, section 2).
pub const FILES_PER_UPLOAD: usize = 500;

/// Items in one batched call (remove, move, copy, rename, change); the service documents no number, this
/// one is safe (API document, section 5).
pub const ITEMS_PER_CALL: usize = 100;

/// Items in one batched call after shorter lists were taken: what a caller should stay below, lest one refused call
/// concern too much.
pub const MOST_ITEMS_PER_CALL: usize = 500;

/// Download connections that an account may hold at a time (API document, section 2).
pub const DOWNLOAD_CONNECTIONS: usize = 30;

/// A listing of so many results or more isn't complete (API document, section 2).
pub const LISTING_CAP: usize = 5_000;

/// Bytes that one upload request may carry in all (API document, section 2).
pub const BYTES_PER_UPLOAD: u64 = 500_000_000_000;

/// How long an upload may take from its first byte (API document, section 2).
pub const UPLOAD_TIME: Duration = Duration::from_secs(4 * 3600);

/// Largest file in bytes that the service takes (API document, section 2).
pub const MAX_FILE_SIZE: u64 = 300_000_000_000;

/// The largest size of a file that a listing is believed, in bytes: ten times what the service takes, lest a larger
/// limit of the service hide files.
pub const LARGEST_LISTED_SIZE: u64 = 10 * MAX_FILE_SIZE;
