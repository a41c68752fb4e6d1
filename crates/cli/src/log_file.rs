//! `--log-file`, and `--log-file-max-size` with its kind: a new file is started when the old one has grown too large.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use flate2::{Compression, write::GzEncoder};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Format of the time in the name of an old file, as in rclone. It is in UTC.
const STAMP: &str = "%Y-%m-%dT%H-%M-%S.%3f";

/// Ending of the name of a compressed file.
const COMPRESSED: &str = ".gz";

/// Rules for when a new log file is started, and for old files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Size in bytes above which a file is renamed and a new one started; `None`: no limit.
    pub(crate) most_bytes: Option<u64>,
    /// Number of old files that stay; 0: all.
    pub(crate) most_files: usize,
    /// Time for which old files stay; zero: no limit.
    pub(crate) longest: Duration,
    /// Whether old files are compressed.
    pub(crate) compress: bool,
}

/// A log file. Each write is one line, which is never split between files.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    rotation: Rotation,
}

impl LogFile {
    /// Opens a file to append to it.
    pub(crate) fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, rotation })
    }

    /// Renames the file and starts a new one.
    fn rotate(&mut self) -> io::Result<()> {
        let old = self.free_name(Timestamp::now())?;
        fs::rename(&self.path, &old)?;
        *self = Self::open(&self.path, self.rotation)?;
        if self.rotation.compress {
            compress(&old)?;
        }
        self.clear_up(SystemTime::now())
    }

    /// Returns a name with the time in it, later than that of every old file: of two that are made in one millisecond
    /// the second sorts behind the first.
    fn free_name(&self, now: Timestamp) -> io::Result<PathBuf> {
        let newest = self.old_files()?.into_iter().map(|(since, _)| since).max();
        let after = newest.map(|newest| Timestamp::try_from(newest + Duration::from_millis(1))).transpose();
        let time = after.map_err(io::Error::other)?.map_or(now, |after| after.max(now));
        let (stem, extension) = self.parts();
        let name = format!("{stem}-{}{extension}", time.to_zoned_datetime(TimeZone::UTC).strftime(STAMP));
        Ok(self.path.with_file_name(name))
    }

    /// Returns the text before and behind the time in the names of old files.
    fn parts(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let extension = text(self.path.extension());
        let extension = if extension.is_empty() { extension } else { format!(".{extension}") };
        (text(self.path.file_stem()), extension)
    }

    /// Returns the old files of this log, with their times.
    fn old_files(&self) -> io::Result<Vec<(SystemTime, PathBuf)>> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut old = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if let Some(since) = self.set_aside_at(&path) {
                old.push((since, path));
            }
        }
        Ok(old)
    }

    /// Removes old files if they are too many or too old.
    fn clear_up(&self, now: SystemTime) -> io::Result<()> {
        let mut old = self.old_files()?;
        old.sort();
        old.reverse();
        for (index, (since, path)) in old.into_iter().enumerate() {
            let too_many = self.rotation.most_files > 0 && index >= self.rotation.most_files;
            let age = now.duration_since(since).unwrap_or_default();
            let too_old = !self.rotation.longest.is_zero() && age > self.rotation.longest;
            if too_many || too_old {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Returns the time when a file was renamed; `None` when it isn't an old file of this log.
    fn set_aside_at(&self, path: &Path) -> Option<SystemTime> {
        let (stem, extension) = self.parts();
        let name = path.file_name()?.to_str()?;
        let name = name.strip_suffix(COMPRESSED).unwrap_or(name);
        let stamp = name.strip_prefix(&stem)?.strip_prefix('-')?.strip_suffix(&extension)?;
        // The milliseconds must consist of digits only, so that no other file counts as an old one.
        let (seconds, millis) = stamp.rsplit_once('.')?;
        if millis.len() != 3 {
            return None;
        }
        let time = DateTime::strptime("%Y-%m-%dT%H-%M-%S", seconds).ok()?;
        let millis = Duration::from_millis(millis.parse().ok()?);
        let stamp = time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().checked_add(millis).ok()?;
        SystemTime::try_from(stamp).ok()
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let grown = self.size.saturating_add(bytes.len() as u64);
        if self.size > 0 && self.rotation.most_bytes.is_some_and(|most| grown > most) {
            // If no new file can be started, the log continues in the old one.
            drop(self.rotate());
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Replaces a plain file by a compressed one.
fn compress(path: &Path) -> io::Result<()> {
    let target = with_end(path, COMPRESSED);
    let mut encoder = GzEncoder::new(File::create(&target)?, Compression::default());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::remove_file(path)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_is_full_is_set_aside_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        // Files that aren't the log's own stay, whatever they are called.
        for other in ["run-notes.log", "run-2026-01-01T00-00-00.log", "rune-2026-01-01T00-00-00.000.log"] {
            fs::write(folder.path().join(other), "mine").unwrap();
        }
        let rotation = Rotation { most_bytes: Some(10), most_files: 2, ..Rotation::default() };
        let mut file = LogFile::open(&path, rotation).unwrap();
        for line in 0..5 {
            file.write_all(format!("line {line}\n").as_bytes()).unwrap();
        }
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "line 4\n");
        let names = names(folder.path());
        let old: Vec<_> =
            names.iter().filter(|name| name.len() == "run-2026-11-28T01-36-50.332.log".len()).collect();
        assert_eq!(old.len(), 2, "{names:?}");
        assert_eq!(fs::read_to_string(folder.path().join(old[1])).unwrap(), "line 3\n");
        assert_eq!(names.len(), 6, "{names:?}");
    }

    #[test]
    fn old_files_can_be_compressed_and_too_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(folder.path().join("log-2020-01-01T00-00-00.000"), "old").unwrap();
        let rotation = Rotation {
            most_bytes: Some(1),
            longest: Duration::from_secs(86_400),
            compress: true,
            ..Rotation::default()
        };
        let mut file = LogFile::open(&path, rotation).unwrap();
        file.write_all(b"first").unwrap();
        file.write_all(b"second").unwrap();
        let names = names(folder.path());
        let [current, old] = names.as_slice() else { panic!("{names:?}") };
        assert_eq!((current.as_str(), fs::read(&path).unwrap().as_slice()), ("log", b"second".as_slice()));
        assert!(old.starts_with("log-") && Path::new(old).extension() == Some("gz".as_ref()), "{old}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(folder.path().join(old)).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "first");
    }
}
