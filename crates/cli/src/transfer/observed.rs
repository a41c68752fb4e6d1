//! `--report`, `--combined` and their kind: writes what happened to each file as it happens.

use std::{
    fmt,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use fichier_engine::{Action, Observer, Record, Relation};
use fichier_storage::RemotePath;
use serde_json::json;

use crate::{calls::Calls, output::named};

/// Files to which the paths of a comparison are written; `-` is stdout.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ListFlags {
    /// Write all paths to FILE, each after = (same), * (differs), + (missing at the destination), - (missing
    /// at the source) or ! (error)
    #[arg(long, value_name = "FILE")]
    combined: Option<PathBuf>,

    /// Write paths that differ to FILE
    #[arg(long, value_name = "FILE")]
    differ: Option<PathBuf>,

    /// Write paths that couldn't be compared to FILE
    #[arg(long, value_name = "FILE")]
    error: Option<PathBuf>,

    /// Write paths that are the same to FILE
    #[arg(long = "match", value_name = "FILE")]
    matching: Option<PathBuf>,

    /// Write paths that the destination hasn't got to FILE
    #[arg(long, value_name = "FILE")]
    missing_on_dst: Option<PathBuf>,

    /// Write paths that the source hasn't got to FILE
    #[arg(long, value_name = "FILE")]
    missing_on_src: Option<PathBuf>,
}

impl ListFlags {
    /// Returns flags that list all paths on the standard output, each after its sign.
    pub(crate) fn all_to_stdout() -> Self {
        Self { combined: Some(PathBuf::from("-")), ..Self::default() }
    }
}

/// Writes records and lists.
pub(crate) struct Observed {
    calls: Arc<Calls>,
    dry_run: bool,
    report: Option<Sink>,
    combined: Option<Sink>,
    lists: Vec<(Relation, Sink)>,
}

/// A file that is written to from several tasks.
struct Sink {
    file: Mutex<Box<dyn Write + Send>>,
    failed: Mutex<Option<io::Error>>,
}

impl Sink {
    fn create(path: &Path) -> io::Result<Self> {
        let file: Box<dyn Write + Send> = if path == Path::new("-") {
            Box::new(named::standard_output())
        } else {
            Box::new(BufWriter::new(named::create_file(path)?))
        };
        Ok(Self { file: Mutex::new(file), failed: Mutex::default() })
    }

    /// Writes a line in one piece. The first failure is kept for the end: the run goes on.
    fn line(&self, mut line: Vec<u8>) {
        line.push(b'\n');
        let written = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
        self.keep(written);
    }

    fn keep(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn finish(&self) -> io::Result<()> {
        let flushed = self.file.lock().unwrap_or_else(PoisonError::into_inner).flush();
        self.keep(flushed);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

impl Observed {
    /// Opens the files that the flags name; `None` when they name nothing.
    pub(super) fn open(
        lists: &ListFlags,
        report: Option<&Path>,
        calls: Arc<Calls>,
        dry_run: bool,
    ) -> io::Result<Option<Arc<Self>>> {
        let create = |path: Option<&Path>| path.map(Sink::create).transpose();
        let wanted = [
            (Relation::Differ, &lists.differ),
            (Relation::Error, &lists.error),
            (Relation::Match, &lists.matching),
            (Relation::MissingOnDestination, &lists.missing_on_dst),
            (Relation::MissingOnSource, &lists.missing_on_src),
        ];
        let mut opened = Vec::new();
        for (relation, path) in wanted {
            if let Some(sink) = create(path.as_deref())? {
                opened.push((relation, sink));
            }
        }
        let observed = Self {
            calls,
            dry_run,
            report: create(report)?,
            combined: create(lists.combined.as_deref())?,
            lists: opened,
        };
        let idle = observed.report.is_none() && observed.combined.is_none() && observed.lists.is_empty();
        Ok((!idle).then(|| Arc::new(observed)))
    }

    /// Makes sure that everything is written.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut sinks =
            self.report.iter().chain(&self.combined).chain(self.lists.iter().map(|(_, sink)| sink));
        sinks.try_for_each(Sink::finish)
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observed")
    }
}

impl Observer for Observed {
    fn record(&self, record: &Record<'_>) {
        let Some(report) = &self.report else { return };
        let mut line = json!({
            "path": record.path.to_string(),
            "action": word(record.action),
            "bytes": record.bytes,
            "whirlpool": record.whirlpool.map(|sum| sum.to_string()),
            "seconds": record.took.map(|took| took.as_secs_f64()),
            "calls": self.calls.sent(),
            "error": record.error.map(ToString::to_string),
        });
        if self.dry_run {
            line["dry_run"] = true.into();
        }
        report.line(line.to_string().into_bytes());
    }

    fn wants_extras(&self) -> bool {
        self.combined.is_some()
            || self.lists.iter().any(|(relation, _)| *relation == Relation::MissingOnSource)
    }

    fn compared(&self, path: &RemotePath, relation: Relation) {
        if let Some(combined) = &self.combined {
            let sign = match relation {
                Relation::Match => '=',
                Relation::Differ => '*',
                Relation::MissingOnDestination => '+',
                Relation::MissingOnSource => '-',
                Relation::Error => '!',
            };
            combined.line([&[sign as u8, b' '], path.as_bytes()].concat());
        }
        for (_, list) in self.lists.iter().filter(|(wanted, _)| *wanted == relation) {
            list.line(path.as_bytes().to_vec());
        }
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Transferred => "transferred",
        Action::CopiedThere => "copied-server-side",
        Action::MovedThere => "moved-server-side",
        Action::Unchanged => "unchanged",
        Action::Deleted => "deleted",
        Action::SetAside => "backed-up",
        Action::FolderRemoved => "directory-removed",
        Action::Retimed => "modification-time-set",
        Action::AttributesSet => "attributes-set",
        Action::LeftOut => "left-out",
        Action::Failed => "failed",
    }
}
