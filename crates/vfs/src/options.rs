//! The settings of a file system, as rclone's flags mean them.

use std::{path::PathBuf, time::Duration};

/// What is kept on disk of what is read. What is written always goes to disk first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheMode {
    /// Nothing is kept.
    #[default]
    Off,
    /// The first and the last bytes of files are kept.
    Minimal,
    /// The same as [`CacheMode::Minimal`]: files are always written through the disk.
    Writes,
    /// All that is read is kept.
    Full,
}

/// When `fsync` returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// When the content is safe on this computer's disk.
    #[default]
    Journal,
    /// When the service has stored and verified it.
    Service,
}

/// Settings of a file system.
#[derive(Debug, Clone)]
pub struct VfsOptions {
    /// Directory on this computer for the journal and the cache. Must be the program's own.
    pub directory: PathBuf,
    /// How long a listing counts.
    pub dir_cache_time: Duration,
    /// How often the remote is asked for changes. Remotes here tell of none, so this has no effect.
    pub poll_interval: Duration,
    /// What is kept on disk of what is read.
    pub cache_mode: CacheMode,
    /// How many bytes the cache, and what is unsent, may have; `None` means any number.
    pub cache_max_size: Option<u64>,
    /// How long something is kept after its last use.
    pub cache_max_age: Duration,
    /// How many bytes the disk must keep free; `None` means none.
    pub cache_min_free_space: Option<u64>,
    /// How often the cache is looked through.
    pub cache_poll_interval: Duration,
    /// Longest stream that sequential reading grows to.
    pub read_chunk_size: u64,
    /// Longest stream beyond [`read_chunk_size`](Self::read_chunk_size), if it is larger; `None` means any.
    pub read_chunk_size_limit: Option<u64>,
    /// How many streams of a file are read ahead at once; 0 means as needed. Never more than 4.
    pub read_chunk_streams: usize,
    /// How many bytes a stream may be in front of its reader, beyond 16 MiB.
    pub read_ahead: u64,
    /// How long a read out of order waits for one in order, before a stream is opened for it.
    pub read_wait: Duration,
    /// How long a write out of order waits for one in order. Writes are taken in any order, so this has no effect.
    pub write_wait: Duration,
    /// How long a closed file waits before it is sent.
    pub write_back: Duration,
    /// Whether to know files by what costs no call. Nothing here costs one, so this has no effect.
    pub fast_fingerprint: bool,
    /// Whether names are found without regard to case.
    pub case_insensitive: bool,
    /// Whether every change is refused.
    pub read_only: bool,
    /// Whether times of files are neither shown nor kept.
    pub no_modtime: bool,
    /// Whether what was read isn't verified.
    pub no_checksum: bool,
    /// Whether reading out of order is refused.
    pub no_seek: bool,
    /// Permission bits that are taken away.
    pub umask: u32,
    /// Owner of everything.
    pub uid: u32,
    /// Group of everything.
    pub gid: u32,
    /// Permission bits of folders.
    pub dir_perms: u32,
    /// Permission bits of files.
    pub file_perms: u32,
    /// Permission bits of symbolic links, of which there are none.
    pub link_perms: u32,
    /// Whether what is used is the sum of all files.
    pub used_is_size: bool,
    /// Size of the disk as it is shown; `None` means what the account says.
    pub disk_space_total_size: Option<u64>,
    /// When `fsync` returns.
    pub fsync: Fsync,
    /// How many bytes are kept of the start and of the end of each file.
    pub head_tail: u64,
    /// How many bytes the cache of heads and tails may have.
    pub head_tail_max_size: u64,
    /// How long a reader waits for a byte.
    pub read_deadline: Duration,
    /// How long a writer waits for room.
    pub full_wait: Duration,
    /// How long a start waits for another file system that uses the journal.
    pub journal_wait: Duration,
    /// How many batches are sent at once.
    pub transfers: usize,
}

impl VfsOptions {
    /// Makes the default settings, with a directory for the journal and the cache.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            dir_cache_time: Duration::from_secs(300),
            poll_interval: Duration::from_secs(60),
            cache_mode: CacheMode::Off,
            cache_max_size: None,
            cache_max_age: Duration::from_secs(3600),
            cache_min_free_space: None,
            cache_poll_interval: Duration::from_secs(60),
            read_chunk_size: 128 << 20,
            read_chunk_size_limit: None,
            read_chunk_streams: 0,
            read_ahead: 0,
            read_wait: Duration::from_millis(20),
            write_wait: Duration::from_secs(1),
            write_back: Duration::from_secs(5),
            fast_fingerprint: false,
            case_insensitive: false,
            read_only: false,
            no_modtime: false,
            no_checksum: false,
            no_seek: false,
            umask: 0o022,
            uid: 0,
            gid: 0,
            dir_perms: 0o777,
            file_perms: 0o666,
            link_perms: 0o666,
            used_is_size: false,
            disk_space_total_size: None,
            fsync: Fsync::Journal,
            head_tail: 512 << 10,
            head_tail_max_size: 1 << 30,
            read_deadline: Duration::from_secs(120),
            full_wait: Duration::from_secs(60),
            journal_wait: Duration::from_secs(10),
            transfers: 4,
        }
    }
}
