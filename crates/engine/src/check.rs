//! `check` compares two trees without changing either.
//!
//! Both are listed folder by folder, side by side, so that memory holds one folder at a time.

use std::{collections::BTreeMap, sync::Arc};

use fichier_filter::Filter;
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use fichier_storage::{
    ByteRange, ByteStream, Entry, File, Freshness, Location, Name, RemoteExt, RemotePath, Result,
    StorageError,
};

use crate::{
    Checksums, NameMatching, NameTransform, Reading, Relation, RunReport, Stats,
    compare::Side,
    compare::names::Sides,
    events::report::Verdict,
    plan,
    plan::renaming::{SameName, no_new_name, rename_all},
    run::copy::find_source,
    walk::filtered::FilteredListing,
    walk::pending::PendingFolder,
};

/// Evidence that two files are the same. Their sizes are compared in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evidence {
    /// Whirlpool checksums: listed, remembered, or computed by reading.
    #[default]
    Checksums,
    /// No evidence but the sizes.
    Sizes,
    /// Every byte, read from both sides.
    Bytes,
}

/// Options of a check.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Evidence that two files are the same.
    pub evidence: Evidence,
    /// Lets files of different sizes be the same.
    pub ignore_size: bool,
    /// Ignores files that only the destination has.
    pub one_way: bool,
    /// Source of the checksums.
    pub checksums: Checksums,
    /// How files are read where [`Evidence::Bytes`] asks for it.
    pub reading: Reading,
    /// Number of files compared at once, at least 1.
    pub checkers: usize,
    /// Depth in folders to which the check goes; `None`: no limit.
    pub max_depth: Option<usize>,
    /// Files and folders of both sides that count.
    pub filter: Arc<Filter>,
    /// Rule by which names of the two sides count as one.
    pub matching: NameMatching,
    /// New names that files and folders of the source have at the destination; `None`: the same names.
    pub transform: Option<Arc<dyn NameTransform>>,
    /// Names of source and destination in messages.
    pub names: [String; 2],
}

/// Result of a check.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Number of files that are the same.
    pub matching: u64,
    /// Number of files that both sides have and that differ.
    pub differing: u64,
    /// Number of files that only the destination has.
    pub missing_on_source: u64,
    /// Number of files that only the source has.
    pub missing_on_destination: u64,
    /// Items that couldn't be compared.
    pub failures: RunReport,
}

impl CheckReport {
    /// Returns the number of files that aren't the same on both sides.
    #[must_use]
    pub fn differences(&self) -> u64 {
        self.differing + self.missing_on_source + self.missing_on_destination
    }

    /// Returns the number of differences and of items that couldn't be compared.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.differences() + self.failures.failed
    }
}

/// Compares the trees at two places; when `from` is a file, that file with the one of its name in the folder `to`.
///
/// Every difference is logged as an error and reported to the statistics' observer. Of several files of one name the
/// one stored last is compared.
///
/// # Errors
/// There is nothing at `from`, or `to` is a file.
pub async fn check(
    from: &Location,
    to: &Location,
    options: &CheckOptions,
    stats: &Arc<Stats>,
    stop: &CancellationToken,
) -> Result<CheckReport> {
    let mut check = Check { from, to, options, stats, stop, report: CheckReport::default() };
    match find_source(from).await? {
        Entry::File(file) => check.one_file(file).await?,
        Entry::Folder(_) => check.trees().await?,
    }
    options.checksums.flush().await;
    Ok(check.report)
}

struct Check<'a> {
    from: &'a Location,
    to: &'a Location,
    options: &'a CheckOptions,
    stats: &'a Stats,
    stop: &'a CancellationToken,
    report: CheckReport,
}

/// A file that both sides have, and its path as the user sees it.
struct Pair {
    shown: RemotePath,
    source: File,
    destination: File,
}

/// Result of comparing two files.
enum Finding {
    Same,
    Differ(&'static str),
}

type Versions = BTreeMap<Name, Vec<File>>;

impl Check<'_> {
    async fn one_file(&mut self, file: File) -> Result<()> {
        let Some(name) = file.path.name() else { return Err(StorageError::FileNotFound(file.path)) };
        let entries = match self.to.remote.entries(&self.to.path).await {
            Ok(entries) => entries,
            Err(StorageError::FolderNotFound(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let (mut there, _) = plan::by_name(entries);
        there.retain(|other, _| *other == name);
        let here = Versions::from([(name, vec![file])]);
        self.files(&PendingFolder::root(), here, there, &BTreeMap::new()).await;
        Ok(())
    }

    async fn trees(&mut self) -> Result<()> {
        let mut open = vec![PendingFolder::root()];
        while let Some(folder) = open.pop() {
            if self.stop.is_cancelled() {
                break;
            }
            let (source, destination) = futures::join!(
                self.list(self.from, &folder.path, folder.source),
                self.list(self.to, &folder.there, folder.destination)
            );
            let (source, destination) = match (source, destination) {
                (Ok(source), Ok(destination)) => (source, destination),
                (_, Err(error @ StorageError::IsAFile(_))) if folder.path.is_root() => return Err(error),
                (source, destination) => {
                    // Without one side nothing can be said about the other.
                    for error in [source.err(), destination.err()].into_iter().flatten() {
                        self.fail(&folder.path, error);
                    }
                    continue;
                }
            };
            for (path, error) in source.gaps.into_iter().chain(destination.gaps) {
                self.fail(&path, error);
            }
            let renamed =
                rename_all(self.options.transform.as_ref(), source.entries, SameName::Refused).await;
            for (path, why) in renamed.refused {
                let shown = path.relative_to(&self.from.path).unwrap_or(path);
                self.fail(&shown, no_new_name(shown.clone(), why));
            }
            let (here, folders_here) = plan::by_new_name(renamed.entries);
            let (there, mut folders_there) = plan::by_name(destination.entries);
            let sides = [Sides::of(&here, &folders_here), Sides::of(&there, &folders_there)];
            let counterparts = self.names().counterparts(&sides[0], &sides[1]);
            self.files(&folder, here, there, &counterparts).await;
            if self.options.max_depth.is_none_or(|most| folder.depth + 1 < most) {
                let child = |name: &Name, there: &Name| PendingFolder {
                    path: folder.path.join(name),
                    there: folder.there.join(there),
                    depth: folder.depth + 1,
                    ..PendingFolder::root()
                };
                let mut below = Vec::new();
                for (wanted, path) in folders_here {
                    let Some(name) = path.name() else { continue };
                    let there = counterparts.get(&wanted).unwrap_or(&wanted);
                    let destination = folders_there.remove(there).is_some();
                    below.push(PendingFolder { destination, ..child(&name, there) });
                }
                // Files that only the destination has don't matter then, and cost no listing.
                if !self.options.one_way {
                    let extra =
                        folders_there.keys().map(|name| PendingFolder { source: false, ..child(name, name) });
                    below.extend(extra);
                }
                below.sort_by(|left, right| right.path.cmp(&left.path));
                open.extend(below);
            }
        }
        Ok(())
    }

    fn names(&self) -> NameMatching {
        self.options.matching.at(self.to)
    }

    /// Lists what counts of one side of a folder. A folder that doesn't exist gives an empty list.
    async fn list(&self, side: &Location, folder: &RemotePath, exists: bool) -> Result<Half> {
        if !exists {
            return Ok(Half::default());
        }
        let path = side.path.join_path(folder);
        match side.remote.list(&path, Freshness::SinceStart).await {
            Ok(listing) => {
                let shown = |path: RemotePath| path.relative_to(&side.path).unwrap_or(path);
                let gaps = listing.gaps.into_iter().map(|gap| (shown(gap.path), gap.error)).collect();
                let sieve =
                    FilteredListing { filter: &self.options.filter, remote: &*side.remote, root: &side.path };
                Ok(Half { entries: sieve.sift(&path, listing.entries).await, gaps })
            }
            Err(StorageError::FolderNotFound(_)) => Ok(Half::default()),
            Err(error) => Err(error),
        }
    }

    /// Compares the files of one folder.
    async fn files(
        &mut self,
        folder: &PendingFolder,
        source: Versions,
        mut destination: Versions,
        counterparts: &BTreeMap<Name, Name>,
    ) {
        let mut pairs = Vec::new();
        let mut missing = Vec::new();
        for (name, versions) in source {
            let own = versions.first().and_then(|file| file.path.name());
            let shown = folder.path.join(own.as_ref().unwrap_or(&name));
            let Some(source) = newest(versions, &shown, "source") else { continue };
            let there = counterparts.get(&name).unwrap_or(&name);
            match destination.remove(there).and_then(|versions| newest(versions, &shown, "destination")) {
                Some(destination) => pairs.push(Pair { shown, source, destination }),
                None => missing.push((shown, Relation::MissingOnDestination)),
            }
        }
        if !self.options.one_way {
            let extra =
                destination.into_keys().map(|name| (folder.there.join(&name), Relation::MissingOnSource));
            missing.extend(extra);
        }
        missing.sort_by(|(left, _), (right, _)| left.cmp(right));
        let [source_name, destination_name] = &self.options.names;
        for (path, relation) in missing {
            let (name, count) = match relation {
                Relation::MissingOnSource => (source_name, &mut self.report.missing_on_source),
                _ => (destination_name, &mut self.report.missing_on_destination),
            };
            tracing::error!(path = %path, "file not in {name}");
            *count += 1;
            self.stats.count_error();
            self.stats.compared(&path, relation);
        }
        self.compare(pairs).await;
    }

    async fn compare(&mut self, mut pairs: Vec<Pair>) {
        if self.options.evidence == Evidence::Checksums {
            let files = pairs.iter_mut().flat_map(|pair| [&mut pair.source, &mut pair.destination]);
            self.options.checksums.fill(files).await;
        }
        for _ in &pairs {
            self.stats.plan_check();
        }
        let (options, stop) = (self.options, self.stop);
        let (from, to) = (&self.from.remote, &self.to.remote);
        let mut compared = stream::iter(pairs)
            .take_while(|_| std::future::ready(!stop.is_cancelled()))
            .map(|pair| async move {
                let finding = find(options, (from, &pair.source), (to, &pair.destination)).await;
                (pair.shown, finding)
            })
            .buffered(options.checkers.max(1));
        while let Some((path, finding)) = compared.next().await {
            self.stats.finish_check();
            let relation = match finding {
                Ok(Finding::Same) => {
                    tracing::debug!(path = %path, "OK");
                    self.report.matching += 1;
                    Relation::Match
                }
                Ok(Finding::Differ(what)) => {
                    tracing::error!(path = %path, "{what} differ");
                    self.report.differing += 1;
                    self.stats.count_error();
                    Relation::Differ
                }
                Err(error) => {
                    if self.report.failures.fail(self.stats, &path, error) == Verdict::Stop {
                        self.stop.cancel();
                    }
                    Relation::Error
                }
            };
            self.stats.compared(&path, relation);
        }
    }

    fn fail(&mut self, path: &RemotePath, error: StorageError) {
        self.stats.compared(path, Relation::Error);
        if self.report.failures.fail(self.stats, path, error) == Verdict::Stop {
            self.stop.cancel();
        }
    }
}

/// One side of a folder.
#[derive(Default)]
struct Half {
    entries: Vec<Entry>,
    gaps: Vec<(RemotePath, StorageError)>,
}

/// Returns the version that counts: the one stored last. Versions that differ are reported.
fn newest(versions: Vec<File>, shown: &RemotePath, side: &str) -> Option<File> {
    if !plan::all_same(&versions) {
        tracing::warn!(path = %shown, "Duplicate object found in {side} - comparing the newest");
    }
    versions.into_iter().next()
}

async fn find(options: &CheckOptions, source: Side<'_>, destination: Side<'_>) -> Result<Finding> {
    if !options.ignore_size && source.1.size != destination.1.size {
        return Ok(Finding::Differ("sizes"));
    }
    let (same, what) = match options.evidence {
        Evidence::Sizes => (true, "sizes"),
        Evidence::Bytes => (same_bytes(&options.reading, source, destination).await?, "contents"),
        Evidence::Checksums => {
            let sum = options.checksums.of(&**destination.0, destination.1).await?;
            (options.checksums.of(&**source.0, source.1).await? == sum, "whirlpool")
        }
    };
    Ok(if same { Finding::Same } else { Finding::Differ(what) })
}

/// Reads both files side by side until they differ.
async fn same_bytes(reading: &Reading, source: Side<'_>, destination: Side<'_>) -> Result<bool> {
    let mut left = reading.open(&**source.0, source.1, ByteRange::WHOLE).await?;
    let mut right = reading.open(&**destination.0, destination.1, ByteRange::WHOLE).await?;
    let (mut here, mut there) = (bytes::Bytes::new(), bytes::Bytes::new());
    loop {
        fill(&mut here, &mut left).await?;
        fill(&mut there, &mut right).await?;
        let common = here.len().min(there.len());
        if common == 0 {
            return Ok(here.is_empty() && there.is_empty());
        }
        if here.split_to(common) != there.split_to(common) {
            return Ok(false);
        }
    }
}

/// Returns the next bytes, those left over first. Returns none at the end.
async fn fill(bytes: &mut bytes::Bytes, stream: &mut ByteStream) -> Result<()> {
    while bytes.is_empty() {
        match stream.next().await {
            Some(chunk) => *bytes = chunk?,
            None => break,
        }
    }
    Ok(())
}
