//! The data files of the journal: what was written and isn't at the service yet.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// How long what wasn't finished is kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// The folder of data files. Each has a number and is never used for another content.
#[derive(Debug)]
pub(crate) struct DataFolder {
    files: PathBuf,
    unfinished: PathBuf,
}

impl DataFolder {
    /// Opens the folder, and makes it if it is missing.
    pub(crate) fn open(journal: &Path) -> io::Result<Self> {
        let folder = Self { files: journal.join("files"), unfinished: journal.join("unfinished") };
        fichier_state::make_directory(&folder.files)?;
        Ok(folder)
    }

    /// Returns where the data file of this number is.
    pub(crate) fn path(&self, number: i64) -> PathBuf {
        self.files.join(number.to_string())
    }

    /// Makes a new, empty data file.
    pub(crate) fn create(&self, number: i64) -> io::Result<fs::File> {
        let make = || {
            let mut options = fs::OpenOptions::new();
            options.read(true).write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(self.path(number))
        };
        match make() {
            // Somebody removed the folder while it was used.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fichier_state::make_directory(&self.files)?;
                make()
            }
            made => made,
        }
    }

    /// Opens a data file for reading and writing.
    pub(crate) fn open_file(&self, number: i64) -> io::Result<fs::File> {
        fs::OpenOptions::new().read(true).write(true).open(self.path(number))
    }

    /// Removes a data file. One that can't be removed is removed at the next start.
    pub(crate) fn remove(&self, number: i64) {
        if let Err(error) = fs::remove_file(self.path(number))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(number, "a data file can't be removed: {error}");
        }
    }

    /// Returns what makes the names of new data files safe. It waits for the disk.
    pub(crate) fn sync(&self) -> impl FnOnce() -> io::Result<()> + Send + 'static {
        let files = self.files.clone();
        move || {
            #[cfg(unix)]
            fs::File::open(&files)?.sync_all()?;
            drop(files);
            Ok(())
        }
    }

    /// Keeps what wasn't finished for some days, and returns where it is.
    pub(crate) fn set_aside(&self, number: i64) -> io::Result<PathBuf> {
        fichier_state::make_directory(&self.unfinished)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let to = self.unfinished.join(format!("{now}-{number}"));
        fs::rename(self.path(number), &to)?;
        Ok(to)
    }

    /// Removes data files that nobody names, and what was set aside long ago.
    pub(crate) fn sweep(&self, is_named: impl Fn(i64) -> bool) {
        for entry in entries(&self.files) {
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if number.is_some_and(|number| !is_named(number)) {
                drop(fs::remove_file(entry.path()));
            }
        }
        for entry in entries(&self.unfinished) {
            let time = entry.metadata().and_then(|metadata| metadata.modified());
            if time.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > KEPT)) {
                drop(fs::remove_file(entry.path()));
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_nobody_names_go_and_unfinished_ones_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(home.path()).unwrap();
        for number in 1..4 {
            drop(folder.create(number).unwrap());
        }
        let kept = folder.set_aside(3).unwrap();
        folder.sweep(|number| number == 1);
        assert!(folder.path(1).exists() && !folder.path(2).exists() && kept.exists());
        let old = SystemTime::now() - KEPT - Duration::from_secs(1);
        fs::File::open(&kept).unwrap().set_modified(old).unwrap();
        folder.sweep(|_| true);
        assert!(!kept.exists());
        folder.create(1).unwrap_err();
    }
}
