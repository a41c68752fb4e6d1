//! Makes the filter from the filter flags, once, before the command begins.

use std::{
    ffi::OsString,
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

use bstr::{ByteSlice as _, ByteVec as _};
use fichier_filter::{Definition, Filter, FilterError, Notation, Share};
use fichier_storage::{Entry, Location, RemoteExt};

use crate::{
    arguments::Settings,
    exit::Failure,
    flags::{Age, Dump, FilterFlags},
    output::{size, time::Clock},
};

/// Reason why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilteringError {
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("--{flag}: open {path}: {}", reason(source))]
    Unreadable { flag: &'static str, path: String, source: io::Error },
    #[error("filter: --min-age \"{youngest}\" can't be larger than --max-age \"{oldest}\"")]
    NoTimeLeft { youngest: Age, oldest: Age },
}

/// Returns why a file can't be opened, without the error number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

/// Makes the filter that the flags ask for, and prints it to `out` if they ask for that.
///
/// # Errors
/// A file of rules can't be read, or the filters can't be understood.
pub(crate) fn decide(
    flags: &FilterFlags,
    clock: &Clock,
    now: SystemTime,
    out: &mut dyn io::Write,
) -> Result<Filter, FilteringError> {
    let filter = Filter::new(&definition(flags, clock, now)?)?;
    if flags.dump.contains(&Dump::Filters) {
        let time = |moment| clock.local(Some(moment)).strftime("%Y-%m-%d %H:%M:%S.%f %z %Z").to_string();
        let shown = filter.describe(size::in_bytes, time);
        // If nobody reads it, the command's own output will fail, too.
        let _told_later = writeln!(out, "--- start filters ---\n{shown}\n--- end filters ---");
    }
    Ok(filter)
}

fn definition(flags: &FilterFlags, clock: &Clock, now: SystemTime) -> Result<Definition, FilteringError> {
    let mut files_from = Vec::new();
    for (flag, notation, paths) in [
        ("files-from", Notation::Commented, &flags.files_from),
        ("files-from-raw", Notation::Raw, &flags.files_from_raw),
        ("files-from0", Notation::Nul, &flags.files_from0),
    ] {
        files_from.extend(read_all(flag, paths)?.into_iter().map(|content| (notation, content)));
    }
    let metadata = Definition {
        include: texts(&flags.metadata_include),
        include_from: read_all("metadata-include-from", &flags.metadata_include_from)?,
        exclude: texts(&flags.metadata_exclude),
        exclude_from: read_all("metadata-exclude-from", &flags.metadata_exclude_from)?,
        rules: texts(&flags.metadata_filter),
        rules_from: read_all("metadata-filter-from", &flags.metadata_filter_from)?,
        ignore_case: flags.ignore_case,
        ..Definition::default()
    };
    let share = flags.hash_filter.as_deref().filter(|text| !text.is_empty());
    Ok(Definition {
        include: texts(&flags.include),
        include_from: read_all("include-from", &flags.include_from)?,
        exclude: texts(&flags.exclude),
        exclude_from: read_all("exclude-from", &flags.exclude_from)?,
        rules: texts(&flags.filter),
        rules_from: read_all("filter-from", &flags.filter_from)?,
        files_from,
        ignore_case: flags.ignore_case,
        min_size: flags.min_size.and_then(|limit| limit.0),
        max_size: flags.max_size.and_then(|limit| limit.0),
        not_after: bound(flags.min_age.as_ref(), clock, now),
        not_before: not_before(flags, clock, now)?,
        share: share.map(|text| Share::parse(text, |of| rand::random_range(0..of))).transpose()?,
        marks: texts(&flags.exclude_if_present),
        metadata: Some(Box::new(metadata)),
    })
}

fn bound(age: Option<&Age>, clock: &Clock, now: SystemTime) -> Option<SystemTime> {
    age.and_then(|age| age.moment(now, clock.zone()))
}

fn not_before(
    flags: &FilterFlags,
    clock: &Clock,
    now: SystemTime,
) -> Result<Option<SystemTime>, FilteringError> {
    let (last, first) =
        (bound(flags.min_age.as_ref(), clock, now), bound(flags.max_age.as_ref(), clock, now));
    match (&flags.min_age, &flags.max_age) {
        (Some(youngest), Some(oldest)) if last.zip(first).is_some_and(|(last, first)| last < first) => {
            Err(FilteringError::NoTimeLeft { youngest: youngest.clone(), oldest: oldest.clone() })
        }
        _ => Ok(first),
    }
}

/// Returns the values of a flag, as rclone has them after writing them down between commas and reading them back: space
/// at the very end is lost, unless something made it put the last value in quotes; and a single empty value is none.
fn texts(typed: &[OsString]) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> =
        typed.iter().map(|text| Vec::from_os_str_lossy(text).into_owned()).collect();
    if let Some(last) = texts.last_mut() {
        let is_quoted = last.find_byteset(b",\"\r\n").is_some()
            || last.chars().next().is_some_and(char::is_whitespace)
            || last == br"\.";
        if !is_quoted {
            last.truncate(last.trim_end().len());
        }
    }
    if matches!(&*texts, [only] if only.is_empty()) {
        texts.clear();
    }
    texts
}

fn read_all(flag: &'static str, paths: &[std::path::PathBuf]) -> Result<Vec<Vec<u8>>, FilteringError> {
    match paths {
        [only] if only.as_os_str().is_empty() => Ok(Vec::new()),
        paths => paths.iter().map(|path| read(flag, path)).collect(),
    }
}

fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, FilteringError> {
    let content = if path == Path::new("-") {
        let mut content = Vec::new();
        io::stdin().lock().read_to_end(&mut content).map(|_| content)
    } else {
        std::fs::read(path)
    };
    content.map_err(|source| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        FilteringError::Unreadable { flag, path: whole.display().to_string(), source }
    })
}

/// Refuses a path that is a file when there are filters: a single file acts as a filter itself.
///
/// # Errors
/// There are filters, and the path is a file.
pub(crate) async fn refuse_single_file(settings: &Settings, location: &Location) -> Result<(), Failure> {
    if settings.filter.is_inactive() {
        return Ok(());
    }
    // The command reports a path that can't be found.
    match location.remote.entry(&location.path).await {
        Ok(Entry::File(file)) => Err(single_file(&file.path.to_string())),
        _ => Ok(()),
    }
}

/// Returns the error for a single file.
pub(crate) fn single_file(path: &str) -> Failure {
    Failure::other(format!("can't limit to single files when using filters: {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured with rclone 1.75.2: `--include … --dump filters`.
    #[test]
    fn space_at_the_very_end_is_lost_unless_in_quotes() {
        let read = |typed: &[&str]| {
            let typed: Vec<_> = typed.iter().map(OsString::from).collect();
            texts(&typed).iter().map(|text| text.to_str_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(read(&["a "]), ["a"]);
        assert_eq!(read(&["a\t"]), ["a"]);
        assert_eq!(read(&[" a "]), [" a "]);
        assert_eq!(read(&["a ", "b "]), ["a ", "b"]);
        assert_eq!(read(&["a", "b, "]), ["a", "b, "]);
        assert_eq!(read(&["a\n"]), ["a\n"]);
        assert!(read(&[""]).is_empty());
        assert_eq!(read(&["", "x"]), ["", "x"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_by_its_name() {
        let flags = FilterFlags { include_from: vec!["no such file".into()], ..FilterFlags::default() };
        let clock = Clock::new(jiff::tz::TimeZone::UTC);
        let error = decide(&flags, &clock, SystemTime::now(), &mut Vec::new()).unwrap_err();
        let whole = std::path::absolute("no such file").unwrap();
        let wanted = format!("--include-from: open {}: no such file or directory", whole.display());
        assert_eq!(error.to_string(), wanted);
    }
}
