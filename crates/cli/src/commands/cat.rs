//! `cat` prints the bytes of files.

use std::io::Write;

use bstr::ByteSlice as _;
use clap::Args;
use fichier_storage::{ByteRange, ByteStream, File, StorageError, WhirlpoolHasher};
use futures::StreamExt as _;

use crate::context::Context;
use crate::{exit::Failure, listing::Listing, transfer::reading};

/// Write the bytes of files to the standard output
#[derive(Debug, Args)]
#[command(
    after_help = "Of a folder, all files below are written, one after the other. A file that is written as a \
    whole, by whatever flags, is held against its checksum, where the remote lists one: cat ends with an error when \
    it differs.\n\n\
    Example:\n  fichier cat demo:notes/today.txt --head 100"
)]
pub(crate) struct Arguments {
    /// What to read
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Only the first N bytes
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    head: u64,

    /// Only the last N bytes
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    tail: u64,

    /// Begin at byte N; below 0: counted from the end
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        allow_negative_numbers = true,
        hide_default_value = true
    )]
    offset: i64,

    /// Only N bytes; -1: all
    #[arg(
        long,
        value_name = "N",
        default_value = "-1",
        allow_negative_numbers = true,
        hide_default_value = true
    )]
    count: i64,

    /// Read, but write nothing
    #[arg(long)]
    discard: bool,

    /// Write this after each file
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    separator: String,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let section = Section::new(arguments)?;
    let location = context.session.open(&arguments.path).await?;
    let reading = reading(&context.settings.transfer);
    let mut listing = Listing::new(&location, context.settings.max_depth, &context.settings.filter);
    while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
        for (path, file) in files {
            let bytes = reading.open(&*location.remote, &file, section.of(file.size));
            match write(bytes, &file, section, arguments.discard, context.out).await {
                Ok(()) => {}
                Err(CatError::Read(error)) => {
                    context.errors_seen.note(&path.as_bytes().to_str_lossy(), &error);
                    continue;
                }
                Err(CatError::Write(error)) => return Err(error.into()),
            }
            if !arguments.discard {
                context.out.write_all(arguments.separator.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// What can fail: the source concerns one file, the output all of them.
enum CatError {
    Read(StorageError),
    Write(std::io::Error),
}

/// Writes the wanted part of a file. A whole file is compared with its listed checksum, which only a remote that lists
/// checksums has.
async fn write(
    bytes: impl Future<Output = Result<ByteStream, StorageError>>,
    file: &File,
    section: Section,
    discard: bool,
    out: &mut dyn Write,
) -> Result<(), CatError> {
    if section.of(file.size).length(file.size) == 0 {
        return Ok(());
    }
    let mut check =
        file.whirlpool.filter(|_| section.is_whole(file.size)).map(|sum| (sum, WhirlpoolHasher::new()));
    let mut bytes = bytes.await.map_err(CatError::Read)?;
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk.map_err(CatError::Read)?;
        if let Some((_, hasher)) = &mut check {
            hasher.update(&chunk);
        }
        if !discard {
            out.write_all(&chunk).map_err(CatError::Write)?;
        }
    }
    let Some((expected, hasher)) = check else { return Ok(()) };
    let actual = hasher.finish();
    if actual != expected {
        let (expected, actual) = (Box::new(expected), Box::new(actual));
        return Err(CatError::Read(StorageError::Corrupted { path: file.path.clone(), expected, actual }));
    }
    Ok(())
}

/// Part of each file that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section {
    offset: i64,
    count: Option<u64>,
}

impl Section {
    fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let by_offset = arguments.offset != 0 || arguments.count >= 0;
        let ways = [arguments.head > 0, arguments.tail > 0, by_offset];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(Failure::usage("Can only use one of  --head, --tail or --offset with --count"));
        }
        let tail = i64::try_from(arguments.tail).unwrap_or(i64::MAX);
        Ok(match (arguments.head, tail) {
            (head @ 1.., _) => Self { offset: 0, count: Some(head) },
            (_, tail @ 1..) => Self { offset: -tail, count: None },
            _ => Self { offset: arguments.offset, count: u64::try_from(arguments.count).ok() },
        })
    }

    /// Checks whether this is all of a file with this size, however it was asked for.
    fn is_whole(self, size: u64) -> bool {
        self.of(size).length(size) == size
    }

    /// Returns the wanted bytes of a file with this size.
    fn of(self, size: u64) -> ByteRange {
        let start = match u64::try_from(self.offset) {
            Ok(offset) => offset.min(size),
            Err(_) => size.saturating_sub(self.offset.unsigned_abs()),
        };
        let end = self.count.map(|count| start.saturating_add(count)).filter(|end| *end < size);
        ByteRange { start, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections() {
        let of = |offset, count, size| {
            let range = Section { offset, count }.of(size);
            (range.start, range.length(size))
        };
        assert_eq!(of(0, None, 11), (0, 11));
        assert_eq!(of(2, Some(3), 11), (2, 3));
        assert_eq!(of(-4, Some(2), 11), (7, 2));
        assert_eq!(of(-100, None, 11), (0, 11));
        assert_eq!(of(100, None, 11), (11, 0));
        assert_eq!(of(0, Some(0), 11), (0, 0));
        assert_eq!(of(5, Some(u64::MAX), 11), (5, 6));
    }

    #[test]
    fn a_section_may_be_the_whole_file() {
        for (offset, count) in [(0, None), (0, Some(11)), (0, Some(12)), (-11, None), (-12, Some(11))] {
            assert!(Section { offset, count }.is_whole(11), "{offset} {count:?}");
        }
        for (offset, count) in [(0, Some(10)), (1, None), (-10, None), (11, None)] {
            assert!(!Section { offset, count }.is_whole(11), "{offset} {count:?}");
        }
    }
}
