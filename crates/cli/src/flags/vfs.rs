//! The flags of a file system over a remote, with rclone's meaning.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use fichier_vfs::{CacheMode, Fsync, VfsOptions};

use super::{
    transfer::Size,
    value::{duration, size},
};

/// The flags of a file system over a remote, as typed.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct VfsFlags {
    /// How long a listed folder counts before it is listed again in the background
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5m",
        value_parser = duration,
        help_heading = "File system"
    )]
    dir_cache_time: Duration,

    /// Without effect: the service tells nobody of changes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1m",
        value_parser = duration,
        hide = true,
        help_heading = "File system"
    )]
    poll_interval: Duration,

    /// Let nothing be changed
    #[arg(long, help_heading = "File system")]
    pub(crate) read_only: bool,

    /// Who all files belong to; without it the user who runs this
    #[arg(long, value_name = "ID", help_heading = "File system")]
    uid: Option<u32>,

    /// Which group all files belong to; without it that of the user who runs this
    #[arg(long, value_name = "ID", help_heading = "File system")]
    gid: Option<u32>,

    /// The permission bits that all files and folders lack; without it those of the process
    #[arg(long, value_name = "BITS", value_parser = permissions, help_heading = "File system")]
    umask: Option<u32>,

    /// The permission bits of folders
    #[arg(
        long,
        value_name = "BITS",
        default_value = "777",
        value_parser = permissions,
        help_heading = "File system"
    )]
    dir_perms: u32,

    /// The permission bits of files
    #[arg(
        long,
        value_name = "BITS",
        default_value = "666",
        value_parser = permissions,
        help_heading = "File system"
    )]
    file_perms: u32,

    /// Without effect: there are no symbolic links
    #[arg(
        long,
        value_name = "BITS",
        default_value = "666",
        value_parser = permissions,
        hide = true,
        help_heading = "File system"
    )]
    link_perms: u32,

    /// Neither show nor keep the times of files
    #[arg(long, help_heading = "File system")]
    no_modtime: bool,

    /// Don't verify what was read by its checksum
    #[arg(long, help_heading = "File system")]
    no_checksum: bool,

    /// Refuse to read files out of order
    #[arg(long, help_heading = "File system")]
    no_seek: bool,

    /// What to keep on disk of what is read: nothing (off), heads and tails (minimal, writes), or all (full)
    #[arg(long, value_name = "MODE", default_value = "off", ignore_case = true, help_heading = "Cache")]
    vfs_cache_mode: Mode,

    /// How much the cache, and what isn't sent yet, may take on disk
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size, help_heading = "Cache")]
    vfs_cache_max_size: Size,

    /// How long to keep something in the cache after its last use
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Cache")]
    vfs_cache_max_age: Duration,

    /// How much of the disk to leave free
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size, help_heading = "Cache")]
    vfs_cache_min_free_space: Size,

    /// How often to look through the cache
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration, help_heading = "Cache")]
    vfs_cache_poll_interval: Duration,

    /// How much of the start and of the end of each file the cache keeps apart
    #[arg(long, value_name = "SIZE", default_value = "512Ki", value_parser = size, help_heading = "Cache")]
    vfs_head_tail: Size,

    /// How large a piece of a file that is read in order may grow; off: any
    #[arg(long, value_name = "SIZE", default_value = "128Mi", value_parser = size, help_heading = "Reading")]
    vfs_read_chunk_size: Size,

    /// How far pieces may grow beyond that, if this is larger; off: any
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size, help_heading = "Reading")]
    vfs_read_chunk_size_limit: Size,

    /// How many pieces of a file to read ahead at once; 0: as needed
    #[arg(long, value_name = "N", default_value = "0", help_heading = "Reading")]
    vfs_read_chunk_streams: usize,

    /// How much more to read ahead than usual
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size, help_heading = "Reading")]
    vfs_read_ahead: Size,

    /// How long a read out of order waits for one in order
    #[arg(
        long,
        value_name = "TIME",
        default_value = "20ms",
        value_parser = duration,
        help_heading = "Reading"
    )]
    vfs_read_wait: Duration,

    /// How long a closed file waits before it is sent
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration, help_heading = "Writing")]
    vfs_write_back: Duration,

    /// Without effect: files may be written in any order
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = duration,
        hide = true,
        help_heading = "Writing"
    )]
    vfs_write_wait: Duration,

    /// When fsync returns: when it is safe on this disk (journal), or stored and verified (service)
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "journal",
        ignore_case = true,
        help_heading = "Writing"
    )]
    vfs_fsync: Safe,

    /// Without effect: files are always known by what costs no call
    #[arg(long, hide = true, help_heading = "File system")]
    vfs_fast_fingerprint: bool,

    /// Find names without regard to case
    #[arg(long, help_heading = "File system")]
    vfs_case_insensitive: bool,

    /// List all folders in the background at the start
    #[arg(long, help_heading = "File system")]
    pub(crate) vfs_refresh: bool,

    /// Show as used what all files take together, not what the account says
    #[arg(long, help_heading = "File system")]
    vfs_used_is_size: bool,

    /// Show this as the size of the disk
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size, help_heading = "File system")]
    vfs_disk_space_total_size: Size,
}

/// What is kept on disk of what is read.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Off,
    Minimal,
    Writes,
    Full,
}

/// When `fsync` returns.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Safe {
    Journal,
    Service,
}

/// Whom files belong to unless flags say otherwise, and which permission bits they lack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) umask: u32,
}

impl VfsFlags {
    /// Returns the settings of the file system, with its directory for the journal and the cache.
    pub(crate) fn options(&self, directory: PathBuf, transfers: usize, owner: Owner) -> VfsOptions {
        let usual = VfsOptions::new(directory);
        VfsOptions {
            dir_cache_time: self.dir_cache_time,
            poll_interval: self.poll_interval,
            cache_mode: match self.vfs_cache_mode {
                Mode::Off => CacheMode::Off,
                Mode::Minimal => CacheMode::Minimal,
                Mode::Writes => CacheMode::Writes,
                Mode::Full => CacheMode::Full,
            },
            cache_max_size: self.vfs_cache_max_size.0,
            cache_max_age: self.vfs_cache_max_age,
            cache_min_free_space: self.vfs_cache_min_free_space.0,
            cache_poll_interval: self.vfs_cache_poll_interval,
            // As with rclone, none in pieces of no size.
            read_chunk_size: self.vfs_read_chunk_size.0.filter(|size| *size > 0).unwrap_or(u64::MAX),
            read_chunk_size_limit: self.vfs_read_chunk_size_limit.0,
            read_chunk_streams: self.vfs_read_chunk_streams,
            read_ahead: self.vfs_read_ahead.0.unwrap_or(0),
            read_wait: self.vfs_read_wait,
            write_wait: self.vfs_write_wait,
            write_back: self.vfs_write_back,
            fast_fingerprint: self.vfs_fast_fingerprint,
            case_insensitive: self.vfs_case_insensitive,
            read_only: self.read_only,
            no_modtime: self.no_modtime,
            no_checksum: self.no_checksum,
            no_seek: self.no_seek,
            umask: self.umask.unwrap_or(owner.umask),
            uid: self.uid.unwrap_or(owner.uid),
            gid: self.gid.unwrap_or(owner.gid),
            dir_perms: self.dir_perms,
            file_perms: self.file_perms,
            link_perms: self.link_perms,
            used_is_size: self.vfs_used_is_size,
            disk_space_total_size: self.vfs_disk_space_total_size.0,
            fsync: match self.vfs_fsync {
                Safe::Journal => Fsync::Journal,
                Safe::Service => Fsync::Service,
            },
            head_tail: self.vfs_head_tail.0.unwrap_or(usual.head_tail),
            transfers,
            ..usual
        }
    }
}

/// Parses permission bits, in octal digits.
fn permissions(text: &str) -> Result<u32, String> {
    let bits = u32::from_str_radix(text, 8).ok().filter(|bits| *bits <= 0o7777);
    bits.ok_or_else(|| format!("{text:?} must be permission bits in octal digits, like 755"))
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    fn options(words: &[&str]) -> VfsOptions {
        let words = std::iter::once("x").chain(words.iter().copied());
        let matches = VfsFlags::augment_args(Command::new("x")).get_matches_from(words);
        let flags = VfsFlags::from_arg_matches(&matches).unwrap();
        flags.options("y".into(), 7, Owner { uid: 1, gid: 2, umask: 0o22 })
    }

    #[test]
    fn without_flags_the_options_are_the_usual_ones() {
        let owner = VfsOptions { uid: 1, gid: 2, umask: 0o22, transfers: 7, ..VfsOptions::new("y") };
        assert_eq!(format!("{:?}", options(&[])), format!("{owner:?}"));
    }

    #[test]
    fn flags_mean_what_rclone_means_by_them() {
        let read = options(&[
            "--vfs-cache-mode=FULL",
            "--vfs-read-chunk-size=off",
            "--vfs-cache-max-size=10G",
            "--umask=077",
            "--uid=5",
            "--vfs-fsync=service",
        ]);
        assert_eq!((read.cache_mode, read.fsync), (CacheMode::Full, Fsync::Service));
        assert_eq!((read.read_chunk_size, read.cache_max_size), (u64::MAX, Some(10 << 30)));
        assert_eq!((read.umask, read.uid, read.gid), (0o77, 5, 2));
        for wrong in ["8", "x", "-1", "77777", ""] {
            assert!(permissions(wrong).is_err(), "{wrong}");
        }
    }
}
