//! The flags of the commands that copy, move, sync and remove.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use fichier_engine::Renames;
use fichier_remotes::local::PARTIAL_SUFFIX;

use crate::name_transform::Steps;

use super::{
    bandwidth::{self, Timetable},
    value::{duration, optional_duration, size},
};

/// How files are transferred, as typed. All of these may stand at every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Copy")]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of its own")]
pub(crate) struct TransferFlags {
    /// Compare files by size alone
    #[arg(long)]
    pub(crate) size_only: bool,

    /// Compare files by size and checksum, whatever their times say
    #[arg(short, long)]
    pub(crate) checksum: bool,

    /// Compare files by time or checksum alone: the same file may have two sizes
    #[arg(long)]
    pub(crate) ignore_size: bool,

    /// Transfer all files, also those that are the same
    #[arg(short = 'I', long)]
    pub(crate) ignore_times: bool,

    /// Leave files alone that are newer at the destination
    #[arg(short, long)]
    pub(crate) update: bool,

    /// Leave files out that the destination hasn't got
    #[arg(long, alias = "ignore-non-existing")]
    pub(crate) existing: bool,

    /// Leave every file alone that exists at the destination
    #[arg(long)]
    pub(crate) ignore_existing: bool,

    /// Never replace a file; one that would have to be is an error
    #[arg(long)]
    pub(crate) immutable: bool,

    /// Tell names apart whose letters with accents are written in different ways, as macOS and others do
    #[arg(long)]
    pub(crate) no_unicode_normalization: bool,

    /// Take names for the same that differ only in capitals and small letters
    #[arg(long)]
    pub(crate) ignore_case_sync: bool,

    /// Rename what the destination has under another spelling of the name to that of the source
    #[arg(long)]
    pub(crate) fix_case: bool,

    /// Leave the times of files alone that are the same but for their times
    #[arg(long)]
    pub(crate) no_update_modtime: bool,

    /// Modification times this far apart are the same
    #[arg(long, value_name = "TIME", default_value = "1ns", value_parser = duration)]
    pub(crate) modify_window: Duration,

    /// Change names on the way, as RULE or file,RULE for files, dir,RULE for folders, all,RULE for both; may be repeated.
    /// The rules are in `fichier help convmv`
    #[arg(long, value_name = "RULE", value_parser = name_transform)]
    pub(crate) name_transform: Vec<String>,

    /// Keep mode, owner, times and attributes of files and folders, where the destination is a local disk
    #[arg(short = 'M', long, help_heading = "Metadata")]
    pub(crate) metadata: bool,

    /// Set this of all that is kept by --metadata, as KEY=VALUE; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = metadata_pair, help_heading = "Metadata")]
    pub(crate) metadata_set: Vec<(String, String)>,

    /// Not to be had here: a program that changes what --metadata keeps
    #[arg(long, value_name = "PROGRAM", hide = true, help_heading = "Metadata")]
    pub(crate) metadata_mapper: Option<String>,

    /// Leave the times of directories alone, instead of taking over those of the source
    #[arg(long)]
    pub(crate) no_update_dir_modtime: bool,

    /// Don't remember checksums of local files, and don't use those remembered
    #[arg(long)]
    pub(crate) no_hash_cache: bool,

    /// Send every file, also one whose content the destination has under another name; --track-renames still renames
    #[arg(long)]
    pub(crate) no_server_side_reuse: bool,

    /// Make folders at the destination that are empty at the source
    #[arg(long)]
    pub(crate) create_empty_src_dirs: bool,

    /// Leave files out that are the same in this folder, too; may be repeated
    #[arg(long, value_name = "REMOTE:PATH")]
    pub(crate) compare_dest: Vec<String>,

    /// Copy files from this folder of the destination's remote where they are the same; may be repeated
    #[arg(long, value_name = "REMOTE:PATH")]
    pub(crate) copy_dest: Vec<String>,

    /// Look only into folders that the source has: for copy and move this is always so
    #[arg(long)]
    pub(crate) no_traverse: bool,

    /// Don't look at the destination: transfer all
    #[arg(long)]
    pub(crate) no_check_dest: bool,

    /// Compare everything before the first transfer
    #[arg(long)]
    pub(crate) check_first: bool,

    /// Which files go first: name, size or modtime; then ,ascending ,descending or ,mixed,PERCENT
    #[arg(long, value_name = "ORDER", default_value = "", hide_default_value = true)]
    pub(crate) order_by: String,

    /// End when this much was transferred, with exit code 8
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size)]
    pub(crate) max_transfer: Size,

    /// End after this time, with exit code 10
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = optional_duration)]
    pub(crate) max_duration: Limit,

    /// How a limit ends the run: hard (at once), soft (what has begun is finished), cautious (nothing begins
    /// that would go beyond)
    #[arg(long, value_name = "MODE", ignore_case = true, default_value = "hard")]
    pub(crate) cutoff_mode: CutoffMode,

    /// How many ranges of a large file are downloaded at once
    #[arg(long, value_name = "N", default_value = "4")]
    pub(crate) multi_thread_streams: i64,

    /// From this size on, a file is large; off: none is
    #[arg(long, value_name = "SIZE", default_value = "256Mi", value_parser = size)]
    pub(crate) multi_thread_cutoff: Size,

    /// How large such a range is
    #[arg(long, value_name = "SIZE", default_value = "16Mi", value_parser = size)]
    pub(crate) multi_thread_chunk_size: Size,

    /// Write files under their own names at once, not under others until they are whole
    #[arg(long)]
    pub(crate) inplace: bool,

    /// What the names of files end with that aren't whole yet; at most 16 characters
    #[arg(long, value_name = "SUFFIX", default_value = PARTIAL_SUFFIX, value_parser = partial_suffix)]
    pub(crate) partial_suffix: String,

    /// Hold at most so much in memory, in all downloads together, that isn't on the disk yet
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size)]
    pub(crate) max_buffer_memory: Size,

    /// Move replaced and removed files of the destination to this folder of its remote
    #[arg(long, value_name = "REMOTE:PATH", help_heading = "Sync")]
    pub(crate) backup_dir: Option<String>,

    /// Keep replaced and removed files, with this added to their names
    #[arg(long, value_name = "SUFFIX", help_heading = "Sync")]
    pub(crate) suffix: Option<String>,

    /// Put the suffix before the extension
    #[arg(long, help_heading = "Sync")]
    pub(crate) suffix_keep_extension: bool,

    /// Remove what the source hasn't got before anything is transferred
    #[arg(long, help_heading = "Sync")]
    pub(crate) delete_before: bool,

    /// Remove what the source hasn't got folder by folder
    #[arg(long, help_heading = "Sync")]
    pub(crate) delete_during: bool,

    /// Remove what the source hasn't got when everything is transferred; this is the default
    #[arg(long, help_heading = "Sync")]
    pub(crate) delete_after: bool,

    /// Remove files even when something failed before
    #[arg(long, help_heading = "Sync")]
    pub(crate) ignore_errors: bool,

    /// Remove at most so many files; -1: any number
    #[arg(
        long,
        value_name = "N",
        default_value = "-1",
        allow_negative_numbers = true,
        help_heading = "Sync"
    )]
    pub(crate) max_delete: i64,

    /// Remove at most so many bytes
    #[arg(long, value_name = "SIZE", default_value = "off", value_parser = size, help_heading = "Sync")]
    pub(crate) max_delete_size: Size,

    /// Find renamed files also where it costs reading them
    #[arg(long, help_heading = "Sync")]
    pub(crate) track_renames: bool,

    /// What a renamed file must have kept beside its content, with --track-renames: words of hash, size, leaf (its
    /// name), modtime, between commas
    #[arg(long, value_name = "WORDS", default_value = "hash", value_parser = renames, help_heading = "Sync")]
    pub(crate) track_renames_strategy: Renames,

    /// Transfer at most so many bytes a second; RATE, UP:DOWN, or a timetable like "08:00,512k 19:00,off"
    #[arg(long, value_name = "RATE", default_value = "", value_parser = bandwidth::timetable, hide_default_value = true,
        help_heading = "Networking")]
    pub(crate) bwlimit: Timetable,

    /// Transfer at most so many bytes a second of each file; written as for --bwlimit
    #[arg(long, value_name = "RATE", default_value = "", value_parser = bandwidth::timetable, hide_default_value = true,
        help_heading = "Networking")]
    pub(crate) bwlimit_file: Timetable,

    /// Make at most so many calls a second; 0: as the service's limits allow
    #[arg(long, value_name = "N", default_value = "0", help_heading = "Networking")]
    pub(crate) tpslimit: f64,

    /// How long to wait before a file is tried again
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration, help_heading = "Config")]
    pub(crate) retries_sleep: Duration,

    /// Ask before anything is changed
    #[arg(short, long, help_heading = "Important")]
    pub(crate) interactive: bool,

    /// Write what became of each file to FILE, as JSON lines
    #[arg(
        long,
        value_name = "FILE",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        help_heading = "Logging"
    )]
    pub(crate) report: Option<PathBuf>,
}

/// What `--track-renames-strategy` takes, between commas.
pub(crate) const RENAMES: [&str; 4] = ["hash", "size", "leaf", "modtime"];

/// What a renamed file must have kept. Its content is compared whatever the words are, and so is its size.
fn renames(text: &str) -> Result<Renames, String> {
    let mut renames = Renames::default();
    for word in text.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "hash" | "size" | "" => {}
            "leaf" => renames.same_name = true,
            "modtime" => renames.same_time = true,
            _ => {
                let known = RENAMES.join(", ");
                return Err(format!("unknown track renames strategy {word:?}; there are: {known}"));
            }
        }
    }
    Ok(renames)
}

/// Parses a key and a value. Keys that the system knows need a value that it accepts; the others are attributes.
fn metadata_pair(text: &str) -> Result<(String, String), String> {
    let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
        return Err(format!("Failed to parse '{text}' as metadata key=value"));
    };
    let key = key.to_lowercase();
    let wanted = match key.as_str() {
        "mode" => u32::from_str_radix(value, 8).is_err().then_some("an octal number, as 0644"),
        "uid" | "gid" => value.parse::<u32>().is_err().then_some("a number"),
        "atime" | "btime" | "mtime" => {
            value.parse::<jiff::Timestamp>().is_err().then_some("a time, as 2006-01-02T15:04:05Z")
        }
        _ => None,
    };
    match wanted {
        Some(wanted) => Err(format!("{value:?}: {key} must be {wanted}")),
        None => Ok((key, value.to_owned())),
    }
}

/// Checks a change of names.
fn name_transform(text: &str) -> Result<String, String> {
    Steps::read(&[text.to_owned()], &jiff::ZonedDateTime::now()).map(|_| text.to_owned())
}

/// A size, or no limit.
pub(crate) type Size = super::value::Unlimited<u64>;

/// A duration, or no limit.
pub(crate) type Limit = super::value::Unlimited<Duration>;

/// Checks the end of a partial file's name.
fn partial_suffix(text: &str) -> Result<String, String> {
    /// Longest end that rclone accepts.
    const LONGEST: usize = 16;
    let length = text.len();
    if length > LONGEST {
        return Err(format!("Expecting suffix length not greater than {LONGEST} but got {length}"));
    }
    if text.contains(['/', '\\', '\0']) {
        return Err(format!("{text:?}: the suffix is part of a name and can't hold a separator"));
    }
    Ok(text.to_owned())
}

/// How a limit ends the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CutoffMode {
    Hard,
    Soft,
    Cautious,
}

/// Parses the order in which files are transferred. `listremotes` parses this flag in its own way.
pub(crate) fn order(text: &str) -> Result<fichier_engine::Order, String> {
    use fichier_engine::{Direction, Order, OrderKey};
    if text.is_empty() {
        return Ok(Order::Found);
    }
    let mut words = text.split(',');
    let key = match words.next() {
        Some("name") => OrderKey::Name,
        Some("size") => OrderKey::Size,
        Some("modtime") => OrderKey::Modified,
        _ => return Err(format!("{text:?}: the order must begin with name, size or modtime")),
    };
    let direction = match words.next() {
        None | Some("asc" | "ascending") => Direction::Ascending,
        Some("desc" | "descending") => Direction::Descending,
        Some("mixed") => {
            let percent = match words.next() {
                None => 50,
                Some(number) => number
                    .parse()
                    .ok()
                    .filter(|percent| *percent <= 100)
                    .ok_or_else(|| format!("{text:?}: what follows \"mixed\" must be a percentage"))?,
            };
            Direction::Mixed { percent }
        }
        Some(other) => {
            return Err(format!("{other:?}: the direction must be ascending, descending or mixed"));
        }
    };
    match words.next() {
        Some(more) => Err(format!("{text:?}: {more:?} is too much")),
        None => Ok(Order::By(key, direction)),
    }
}

#[cfg(test)]
mod tests {
    use fichier_engine::{Direction, Order, OrderKey};

    use super::*;

    #[test]
    fn suffixes_of_partial_files_are_short_and_part_of_a_name() {
        for fine in ["", ".partial", ".0123456789abcde", "~"] {
            assert_eq!(partial_suffix(fine).as_deref(), Ok(fine));
        }
        for wrong in [".0123456789abcdef", "/x", "..\\x"] {
            assert!(partial_suffix(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metadata_are_pairs_whose_values_make_sense() {
        for fine in ["mode=0644", "mode=100644", "uid=0", "mtime=2010-01-01T00:00:00Z", "k=", "k=a=b", "K=v"]
        {
            assert!(metadata_pair(fine).is_ok(), "{fine}");
        }
        for wrong in ["a", "=a", "mode=zz", "mode=0888", "uid=root", "gid=-1", "mtime=yesterday"] {
            assert!(metadata_pair(wrong).is_err(), "{wrong}");
        }
        assert_eq!(metadata_pair("Key=v"), Ok(("key".to_owned(), "v".to_owned())));
    }

    #[test]
    fn strategies_for_renames_are_lists_of_words() {
        assert_eq!(renames("hash"), Ok(Renames::default()));
        assert_eq!(renames("modtime,leaf"), Ok(Renames { same_name: true, same_time: true }));
        assert_eq!(renames("Size, Leaf"), Ok(Renames { same_name: true, same_time: false }));
        assert!(renames("hash,weight").is_err());
    }

    #[test]
    fn orders_are_read_as_rclone_writes_them() {
        let read = order;
        assert_eq!(read(""), Ok(Order::Found));
        assert_eq!(read("size"), Ok(Order::By(OrderKey::Size, Direction::Ascending)));
        assert_eq!(read("name,desc"), Ok(Order::By(OrderKey::Name, Direction::Descending)));
        assert_eq!(
            read("modtime,mixed"),
            Ok(Order::By(OrderKey::Modified, Direction::Mixed { percent: 50 }))
        );
        assert_eq!(read("size,mixed,75"), Ok(Order::By(OrderKey::Size, Direction::Mixed { percent: 75 })));
        for wrong in ["weight", "size,up", "size,mixed,101", "size,asc,3", "size,mixed,5,6"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
