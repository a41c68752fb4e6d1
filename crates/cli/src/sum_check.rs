//! Holding files against a checksum file: `checksum`, `check --checkfile` and `hashsum --checkfile`.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use anyhow::Context as _;
use fichier_engine::{Checksums, Observer, Reading, Relation};
use fichier_storage::{ByteRange, File, HashKind, Location, RemoteExt, RemotePath, StorageError, collect};
use futures::{StreamExt as _, stream};

use crate::{
    arguments::Settings,
    context::Context,
    exit::Failure,
    hashing::{self, SumLine},
    listing::Listing,
    transfer::{self, ListFlags},
};

/// How files are checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SumCheck {
    pub(crate) kind: HashKind,
    /// Read the files, whatever the remote knows.
    pub(crate) download: bool,
    /// Files that have no line are nobody's concern.
    pub(crate) one_way: bool,
}

/// Checks the files at the second path against the checksum file at the first.
///
/// # Errors
/// One of them can't be read, or something differs.
pub(crate) async fn run(
    check: SumCheck,
    [sums, files]: [&str; 2],
    lists: &ListFlags,
    command: &str,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let text = read(&context.session.open(sums).await?, sums).await?;
    let location = context.session.open(files).await?;
    let name = context.session.shown(&location);
    if !check.download && !location.remote.info().hashes.gives(check.kind) {
        let kind = check.kind;
        let message =
            format!("{kind}: hash type is not supported by {name}; use --download to read the files");
        return Err(Failure::other(message).into());
    }
    let observed = transfer::observe(context, lists)?;
    let observer: Option<&dyn Observer> = observed.as_deref().map(|observed| observed as _);
    let mut run = Run {
        check,
        location: &location,
        checksums: context.session.checksums(),
        reading: transfer::reading(&context.settings.transfer),
        name: &name,
        sums,
        single: single(&location).await?,
        observer,
        tally: Tally::default(),
    };
    let checked = run.all(&text, context).await;
    run.checksums.flush().await;
    let tally = run.tally;
    if let Some(observed) = &observed {
        observed.finish()?;
    }
    checked?;
    tally.conclude(&name, command)
}

async fn read(location: &Location, shown: &str) -> anyhow::Result<Vec<u8>> {
    let file = match location.remote.entry(&location.path).await {
        Ok(fichier_storage::Entry::File(file)) => file,
        Ok(fichier_storage::Entry::Folder(_)) | Err(StorageError::FileNotFound(_)) => {
            return Err(Failure::other(format!("not a sum file: {shown}")).into());
        }
        Err(error) => return Err(error.into()),
    };
    let bytes = location.remote.read(&file, ByteRange::WHOLE).await?;
    collect(bytes).await.with_context(|| format!("failed to read {shown}"))
}

/// The name of the file at a location, if there is one.
async fn single(location: &Location) -> anyhow::Result<Option<RemotePath>> {
    match location.remote.entry(&location.path).await {
        Ok(fichier_storage::Entry::File(_)) => {
            Ok(location.path.name().map(|name| RemotePath::root().join(&name)))
        }
        // The listing says what is wrong.
        Ok(fichier_storage::Entry::Folder(_)) | Err(_) => Ok(None),
    }
}

struct Run<'a> {
    check: SumCheck,
    location: &'a Location,
    checksums: Checksums,
    reading: Reading,
    name: &'a str,
    /// The checksum file as the user named it.
    sums: &'a str,
    /// The only file that counts, where a file was named.
    single: Option<RemotePath>,
    observer: Option<&'a dyn Observer>,
    tally: Tally,
}

impl Run<'_> {
    async fn all(&mut self, text: &[u8], context: &mut Context<'_>) -> anyhow::Result<()> {
        let names = context.settings.transfer.names;
        let mut wanted = self.wanted(text);
        // Of several that count as one, the first in the order of the alphabet has no other name.
        let mut spellings: BTreeMap<Vec<u8>, RemotePath> = BTreeMap::new();
        for path in wanted.keys() {
            spellings.entry(names.path_key(path)).or_insert_with(|| path.clone());
        }
        let mut listing = Listing::new(self.location, context.settings.max_depth, &context.settings.filter);
        while let Some(files) = listing.next_files(&mut context.errors_seen).await? {
            let mut jobs = Vec::new();
            for (path, file) in newest_of_each(files) {
                let other = || spellings.get(&names.path_key(&path));
                match wanted.remove(&path).or_else(|| wanted.remove(other()?)) {
                    None if self.check.one_way => {}
                    sum => jobs.push((path, file, sum)),
                }
            }
            self.compare(jobs, context.settings.transfer.checkers.get()).await;
        }
        for path in wanted.into_keys() {
            if self.is_left_out(&path, context.settings).await {
                continue;
            }
            tracing::error!(path = %path, "file not in {}", self.name);
            self.tally.missing_files += 1;
            self.tell(&path, Relation::MissingOnDestination);
        }
        Ok(())
    }

    /// The checksums by path. Of several lines for one file the first counts.
    fn wanted(&self, text: &[u8]) -> BTreeMap<RemotePath, String> {
        let mut wanted = BTreeMap::new();
        for line in hashing::parse_sum_file(text) {
            let (name, sum, number) = match line {
                SumLine::Sum { sum, name, number } => (RemotePath::parse(name), sum, number),
                SumLine::Improper { number } => {
                    tracing::warn!(path = self.sums, "improperly formatted checksum line {number}");
                    continue;
                }
            };
            match name {
                Ok(path) => match wanted.entry(path) {
                    Entry::Vacant(place) => {
                        place.insert(sum);
                    }
                    Entry::Occupied(_) => {
                        tracing::warn!(
                            path = self.sums,
                            "duplicate file on checksum line {number}: the first counts"
                        );
                    }
                },
                Err(error) => tracing::warn!(path = self.sums, "checksum line {number}: {error}"),
            }
        }
        wanted
    }

    /// Whether a file that wasn't found is none of this check's: another one than the one that was named, or one that
    /// the filters or the depth leave out.
    async fn is_left_out(&self, path: &RemotePath, settings: &Settings) -> bool {
        if let Some(single) = &self.single {
            return single != path;
        }
        let filter = &settings.filter;
        if filter.is_inactive() && settings.max_depth.is_none() {
            return false;
        }
        if !filter.takes_path(path) {
            return true;
        }
        // What is there and wasn't listed is too old, too small, too deep or in a folder with a mark.
        let place = self.location.path.join_path(path);
        matches!(self.location.remote.entry(&place).await, Ok(fichier_storage::Entry::File(_)))
    }

    async fn compare(&mut self, jobs: Vec<(RemotePath, File, Option<String>)>, checkers: usize) {
        let (check, location, checksums) = (self.check, self.location, self.checksums.clone());
        let reading = self.reading.clone();
        let checksums = Arc::new(checksums);
        let mut sums = stream::iter(jobs)
            .map(|(path, file, wanted)| {
                let (checksums, reading) = (checksums.clone(), reading.clone());
                async move {
                    let Some(wanted) = wanted else { return (path, None) };
                    let sum = sum(check, location, &checksums, &reading, &file).await;
                    (path, Some((wanted, sum)))
                }
            })
            .buffered(checkers);
        while let Some((path, result)) = sums.next().await {
            let Some((wanted, sum)) = result else {
                tracing::error!(path = %path, "sum not found");
                self.tally.missing_sums += 1;
                self.tell(&path, Relation::MissingOnSource);
                continue;
            };
            match sum {
                Ok(Some(sum)) if sum.eq_ignore_ascii_case(&wanted) => {
                    tracing::debug!(path = %path, "OK");
                    self.tally.matching += 1;
                    self.tell(&path, Relation::Match);
                }
                Ok(Some(_)) => {
                    tracing::error!(path = %path, "files differ");
                    self.tally.different += 1;
                    self.tell(&path, Relation::Differ);
                }
                Ok(None) => self.fail(&path, "hash type not supported"),
                Err(error) => self.fail(&path, &format!("Failed to calculate hash: {error:#}")),
            }
        }
    }

    fn fail(&mut self, path: &RemotePath, text: &str) {
        tracing::error!(path = %path, "{text}");
        self.tally.failed += 1;
        self.tell(path, Relation::Error);
    }

    fn tell(&self, path: &RemotePath, relation: Relation) {
        if let Some(observer) = self.observer {
            observer.compared(path, relation);
        }
    }
}

/// Of several files of one name the one stored last counts.
fn newest_of_each(files: Vec<(RemotePath, File)>) -> BTreeMap<RemotePath, File> {
    let mut newest: BTreeMap<RemotePath, File> = BTreeMap::new();
    for (path, file) in files {
        if let Some(known) = newest.get(&path) {
            if known.whirlpool.is_none() || known.whirlpool != file.whirlpool {
                tracing::warn!(path = %path, "Duplicate object found - checking the newest");
            }
            if known.modified > file.modified {
                continue;
            }
        }
        newest.insert(path, file);
    }
    newest
}

/// The checksum of a file in hexadecimal digits.
async fn sum(
    check: SumCheck,
    location: &Location,
    checksums: &Checksums,
    reading: &Reading,
    file: &File,
) -> anyhow::Result<Option<String>> {
    let remote = &*location.remote;
    let download = check.download.then_some(reading);
    if check.kind == HashKind::Whirlpool && !check.download {
        return Ok(Some(checksums.of(remote, file).await?.to_string()));
    }
    let sums = hashing::of_file(&checksums.hashing, remote, file, &[check.kind], download).await?;
    Ok(sums.into_iter().next().flatten().map(|sum| hashing::hexadecimal(&sum)))
}

/// What was found.
#[derive(Debug, Default)]
struct Tally {
    matching: u64,
    different: u64,
    missing_files: u64,
    missing_sums: u64,
    failed: u64,
}

impl Tally {
    /// Says what was found, and how the program ends.
    fn conclude(self, name: &str, command: &str) -> anyhow::Result<()> {
        let differences = self.different + self.missing_sums;
        let errors = differences + self.missing_files + self.failed;
        if self.missing_files > 0 {
            tracing::warn!(path = name, "{} files missing", self.missing_files);
        }
        if self.missing_sums > 0 {
            tracing::warn!("{} hashes missing", self.missing_sums);
        }
        tracing::warn!(path = name, "{differences} differences found");
        if errors > 0 {
            tracing::warn!(path = name, "{errors} errors while checking");
        }
        if self.matching > 0 {
            tracing::warn!(path = name, "{} matching files", self.matching);
        }
        let last = match (differences, self.missing_files) {
            (1.., _) => format!("{differences} differences found"),
            (0, 1..) => format!("{} files missing", self.missing_files),
            (0, 0) => format!("{} files couldn't be read", self.failed),
        };
        let message = match errors {
            0 => return Ok(()),
            1 => format!("Failed to {command}: {last}"),
            _ => format!("Failed to {command} with {errors} errors: last error was: {last}"),
        };
        Err(Failure::other(message).into())
    }
}
