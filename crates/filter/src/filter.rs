//! All filters of a run, combined.

use std::{fmt, time::SystemTime};

use fichier_storage::{Entry, File, RemotePath};

use crate::{
    FilterError,
    expression::readable,
    lines::{self, Notation},
    named::NamedFiles,
    rules::Rules,
    share::Share,
};

/// Input of a filter: the values of the flags, and the contents of the files that they name.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// Patterns of paths to include. If there are any, everything else is excluded.
    pub include: Vec<Vec<u8>>,
    /// Contents of files with patterns to include.
    pub include_from: Vec<Vec<u8>>,
    /// Patterns of paths to exclude.
    pub exclude: Vec<Vec<u8>>,
    /// Contents of files with patterns to exclude.
    pub exclude_from: Vec<Vec<u8>>,
    /// Rules of both kinds: `+ pattern`, `- pattern`, `!`.
    pub rules: Vec<Vec<u8>>,
    /// Contents of files with rules of both kinds.
    pub rules_from: Vec<Vec<u8>>,
    /// Contents of files that name the only files to include.
    pub files_from: Vec<(Notation, Vec<u8>)>,
    /// Whether patterns ignore the difference of large and small letters.
    pub ignore_case: bool,
    /// Smallest size to include, in bytes.
    pub min_size: Option<u64>,
    /// Largest size to include, in bytes.
    pub max_size: Option<u64>,
    /// Files that were changed before this time are excluded.
    pub not_before: Option<SystemTime>,
    /// Files that were changed after this time are excluded.
    pub not_after: Option<SystemTime>,
    /// The only share of the files to include.
    pub share: Option<Share>,
    /// Names of marker files: folders that hold one are excluded.
    pub marks: Vec<Vec<u8>>,
    /// Filters of metadata, written as `key=value`. Only patterns and rules are used.
    pub metadata: Option<Box<Definition>>,
}

/// Why a file or folder is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// The file isn't among the named ones.
    Named,
    /// The file was changed too early or too late.
    Time,
    /// The file is too small or too large.
    Size,
    /// The metadata is excluded by a rule.
    Metadata,
    /// The path belongs to another share, or is excluded by a rule.
    Path,
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "Excluded (FilesFrom Filter)",
            Self::Time => "Excluded (ModTime Filter)",
            Self::Size => "Excluded (Size Filter)",
            Self::Metadata => "Excluded (Metadata Filter)",
            Self::Path => "Excluded (Path Filter)",
        })
    }
}

/// Decides which files and folders of a tree count. The default includes everything.
///
/// ```
/// use fichier_filter::{Definition, Filter};
/// use fichier_storage::RemotePath;
/// let definition = Definition { include: vec![b"/photos/**.jpg".to_vec()], ..Definition::default() };
/// let filter = Filter::new(&definition)?;
/// assert!(filter.takes_folder(&RemotePath::parse("photos/2024").unwrap()));
/// // So it needn't be listed.
/// assert!(!filter.takes_folder(&RemotePath::parse("music").unwrap()));
/// # Ok::<(), fichier_filter::FilterError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Filter {
    rules: Rules,
    named: Option<NamedFiles>,
    min_size: Option<u64>,
    max_size: Option<u64>,
    not_before: Option<SystemTime>,
    not_after: Option<SystemTime>,
    share: Option<Share>,
    marks: Vec<Vec<u8>>,
    metadata: Rules,
}

impl Filter {
    /// Makes a filter.
    ///
    /// # Errors
    /// A pattern or a rule can't be parsed, a line is too long, or names of files are combined with other filters.
    pub fn new(definition: &Definition) -> Result<Self, FilterError> {
        let metadata = definition.metadata.as_deref();
        let mut filter = Self {
            rules: rules(definition, &OF_PATHS)?,
            named: None,
            min_size: definition.min_size,
            max_size: definition.max_size,
            not_before: definition.not_before,
            not_after: definition.not_after,
            share: definition.share,
            marks: definition.marks.clone(),
            metadata: metadata
                .map(|definition| rules(definition, &OF_METADATA))
                .transpose()?
                .unwrap_or_default(),
        };
        if let Some((notation, _)) = definition.files_from.first()
            && !filter.is_inactive()
        {
            return Err(not_alone(*notation));
        }
        for (notation, content) in &definition.files_from {
            let named = filter.named.get_or_insert_default();
            lines::of(content, *notation)?.into_iter().for_each(|line| named.add(line));
        }
        Ok(filter)
    }

    /// Checks whether the filter includes everything because nothing was set.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.rules.is_empty()
            && self.named.is_none()
            && self.min_size.is_none()
            && self.max_size.is_none()
            && self.not_before.is_none()
            && self.not_after.is_none()
            && self.share.is_none()
            && self.marks.is_empty()
            && self.metadata.is_empty()
    }

    /// Checks whether the filter looks at metadata, too.
    #[must_use]
    pub fn asks_metadata(&self) -> bool {
        !self.metadata.is_empty()
    }

    /// Checks whether a file's metadata is included.
    ///
    /// # Errors
    /// Why the file is excluded.
    pub fn check_metadata(&self, metadata: &[(String, String)]) -> Result<(), Exclusion> {
        // As in rclone: where there is no metadata, only rules that match everything apply.
        const NONE: &str = "\0=\0";
        let mut texts: Vec<_> = metadata.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if texts.is_empty() {
            texts.push(NONE.to_owned());
        }
        if self.metadata.take_any(&texts) { Ok(()) } else { Err(Exclusion::Metadata) }
    }

    /// Checks whether a file is included, by its path from the root of the tree and by what a listing said.
    ///
    /// # Errors
    /// Why the file is excluded.
    pub fn check_file(&self, path: &RemotePath, file: &File) -> Result<(), Exclusion> {
        if let Some(named) = &self.named {
            return if named.has_file(path.as_bytes()) { Ok(()) } else { Err(Exclusion::Named) };
        }
        // A file without a time counts as changed just now.
        let is_early = |limit| file.moment().is_some_and(|moment| moment < limit);
        let is_late = |limit| file.moment().is_none_or(|moment| moment > limit);
        if self.not_before.is_some_and(is_early) || self.not_after.is_some_and(is_late) {
            return Err(Exclusion::Time);
        }
        let is_small = self.min_size.is_some_and(|least| file.size < least);
        if is_small || self.max_size.is_some_and(|most| file.size > most) {
            return Err(Exclusion::Size);
        }
        let text = readable(path.as_bytes());
        let in_share = self.share.is_none_or(|share| share.holds(&text));
        if in_share && self.rules.take_file(&text) { Ok(()) } else { Err(Exclusion::Path) }
    }

    /// Checks whether a file of this path can be included, as far as its path and those of its folders say.
    #[must_use]
    pub fn takes_path(&self, path: &RemotePath) -> bool {
        let mut above = path.parent();
        while let Some(folder) = above {
            if !self.takes_folder(&folder) {
                return false;
            }
            above = folder.parent();
        }
        match &self.named {
            Some(named) => named.has_file(path.as_bytes()),
            None => {
                let text = readable(path.as_bytes());
                self.share.is_none_or(|share| share.holds(&text)) && self.rules.take_file(&text)
            }
        }
    }

    /// Checks whether a folder may hold something that is included. One that doesn't needs no listing. The root is
    /// always listed.
    #[must_use]
    pub fn takes_folder(&self, path: &RemotePath) -> bool {
        if path.is_root() {
            return true;
        }
        match &self.named {
            Some(named) => named.has_folder(path.as_bytes()),
            None => self.rules.take_folder(&readable(path.as_bytes())),
        }
    }

    /// Returns the names of files that mark their folder to be excluded.
    #[must_use]
    pub fn marks(&self) -> &[Vec<u8>] {
        &self.marks
    }

    /// Checks whether a listing holds a file that marks its folder to be excluded.
    #[must_use]
    pub fn is_marked(&self, entries: &[Entry]) -> bool {
        !self.marks.is_empty()
            && entries
                .iter()
                .filter_map(Entry::as_file)
                .filter_map(|file| file.path.name())
                .any(|name| self.marks.iter().any(|mark| mark == name.as_bytes()))
    }

    /// Returns the filter as `--dump filters` shows it, without the lines around it. `size` and `time` format values.
    #[must_use]
    pub fn describe(&self, size: impl Fn(u64) -> String, time: impl Fn(SystemTime) -> String) -> String {
        let bounds = [
            self.not_before
                .map(|limit| format!("Last-modified date must be equal or greater than: {}", time(limit))),
            self.not_after
                .map(|limit| format!("Last-modified date must be equal or less than: {}", time(limit))),
            self.min_size.map(|least| format!("Minimum size is: {}", size(least))),
            self.max_size.map(|most| format!("Maximum size is: {}", size(most))),
        ];
        let metadata = self.asks_metadata().then(|| self.metadata.metadata_lines()).into_iter().flatten();
        let lines = bounds.into_iter().flatten().chain(self.rules.lines()).chain(metadata);
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Returns the rules, kind by kind, in rclone's order: the order in which flags of different kinds were typed doesn't
/// matter.
///
/// `flags` are named in errors.
fn rules(definition: &Definition, flags: &RuleFlags) -> Result<Rules, FilterError> {
    let mut rules = Rules::new(definition.ignore_case);
    for (takes, typed, files, flags) in [
        (true, &definition.include, &definition.include_from, flags.include),
        (false, &definition.exclude, &definition.exclude_from, flags.exclude),
    ] {
        for pattern in typed {
            rules.add(takes, &readable(pattern)).map_err(of_flag(flags[0]))?;
        }
        for content in files {
            for pattern in lines::of(content, Notation::Commented).map_err(of_flag(flags[1]))? {
                rules.add(takes, &readable(pattern)).map_err(of_flag(flags[1]))?;
            }
        }
    }
    let includes = !definition.include.is_empty() || !definition.include_from.is_empty();
    if includes && !(definition.exclude.is_empty() && definition.exclude_from.is_empty()) {
        tracing::error!(
            "Using --filter is recommended instead of both --include and --exclude as the order they are parsed \
             in is indeterminate"
        );
    }
    for rule in &definition.rules {
        rules.add_signed(&readable(rule)).map_err(of_flag(flags.filter[0]))?;
    }
    for content in &definition.rules_from {
        for rule in lines::of(content, Notation::Commented).map_err(of_flag(flags.filter[1]))? {
            rules.add_signed(&readable(rule)).map_err(of_flag(flags.filter[1]))?;
        }
    }
    if includes {
        rules.add(false, "/**")?;
    }
    Ok(rules)
}

/// Names of the flags that give rules: for a rule itself, and for a file of rules.
struct RuleFlags {
    include: [&'static str; 2],
    exclude: [&'static str; 2],
    filter: [&'static str; 2],
}

/// Flags for rules about paths.
const OF_PATHS: RuleFlags = RuleFlags {
    include: ["--include", "--include-from"],
    exclude: ["--exclude", "--exclude-from"],
    filter: ["--filter", "--filter-from"],
};

/// Flags for rules about metadata.
const OF_METADATA: RuleFlags = RuleFlags {
    include: ["--metadata-include", "--metadata-include-from"],
    exclude: ["--metadata-exclude", "--metadata-exclude-from"],
    filter: ["--metadata-filter", "--metadata-filter-from"],
};

/// Adds the name of the flag to an error.
fn of_flag(flag: &'static str) -> impl Fn(FilterError) -> FilterError {
    move |source| FilterError::Flag { flag, source: Box::new(source) }
}

fn not_alone(notation: Notation) -> FilterError {
    let flags = ["--files-from", "--files-from-raw", "--files-from0"];
    let (flag, first, second) = match notation {
        Notation::Commented => (flags[0], flags[1], flags[2]),
        Notation::Raw => (flags[1], flags[0], flags[2]),
        Notation::Nul => (flags[2], flags[0], flags[1]),
    };
    FilterError::NotAlone { flag, first, second }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    fn file(text: &str, size: u64, modified: Option<u64>) -> File {
        File {
            path: path(text),
            size,
            modified: modified.map(at),
            whirlpool: None,
            id: None,
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn an_error_names_the_flag_that_it_is_about() {
        let wrong = Definition { rules: vec![b"x".to_vec()], ..Definition::default() };
        let said = |definition: &Definition| Filter::new(definition).unwrap_err().to_string();
        assert!(said(&wrong).starts_with("--filter: "));
        let wrong = Definition { metadata: Some(Box::new(wrong)), ..Definition::default() };
        assert!(said(&wrong).starts_with("--metadata-filter: "));
    }

    #[test]
    fn includes_leave_all_else_out_and_come_before_excludes_and_rules() {
        let filter = Filter::new(&Definition {
            include: texts(&["a"]),
            exclude: texts(&["b"]),
            rules: texts(&["+ b", "+ c"]),
            ..Definition::default()
        })
        .unwrap();
        let taken = |name: &str| filter.check_file(&path(name), &file(name, 0, None)).is_ok();
        assert!(taken("a") && taken("c"));
        assert!(!taken("b") && !taken("d"));
    }

    #[test]
    fn bounds_are_taken_themselves() {
        let filter = Filter::new(&Definition {
            min_size: Some(10),
            max_size: Some(20),
            not_before: Some(at(100)),
            not_after: Some(at(200)),
            ..Definition::default()
        })
        .unwrap();
        let check = |size, modified| filter.check_file(&path("a"), &file("a", size, modified));
        assert_eq!(check(10, Some(100)), Ok(()));
        assert_eq!(check(20, Some(200)), Ok(()));
        assert_eq!(check(9, Some(100)), Err(Exclusion::Size));
        assert_eq!(check(21, Some(100)), Err(Exclusion::Size));
        assert_eq!(check(9, Some(99)), Err(Exclusion::Time));
        assert_eq!(check(15, Some(201)), Err(Exclusion::Time));
        assert_eq!(check(15, None), Err(Exclusion::Time));
    }

    #[test]
    fn the_first_rule_that_some_of_the_metadata_matches_decides() {
        let metadata = |include: &[&str], exclude: &[&str], pairs: &[(&str, &str)]| {
            let rules =
                Definition { include: texts(include), exclude: texts(exclude), ..Definition::default() };
            let definition = Definition { metadata: Some(Box::new(rules)), ..Definition::default() };
            let filter = Filter::new(&definition).unwrap();
            assert!(!filter.is_inactive() && filter.asks_metadata());
            let pairs: Vec<_> =
                pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            filter.check_metadata(&pairs).is_ok()
        };
        let file = [("uid", "0"), ("mode", "100644")];
        assert!(metadata(&["mode=100644"], &["uid=0"], &file));
        assert!(!metadata(&["mode=100600"], &[], &file));
        assert!(!metadata(&[], &["uid=*"], &file) && metadata(&[], &["gid=*"], &file));
        // Without metadata, a rule for a key doesn't apply, but one for everything does.
        assert!(metadata(&[], &["uid=*"], &[]) && !metadata(&[], &["*"], &[]));
        assert!(!metadata(&["uid=*"], &[], &[]));
    }

    #[test]
    fn names_of_files_go_with_no_other_filter() {
        let files_from = vec![(Notation::Raw, b"a/b\n".to_vec())];
        let filter = Filter::new(&Definition { files_from: files_from.clone(), ..Definition::default() });
        let filter = filter.unwrap();
        assert!(!filter.is_inactive());
        assert_eq!(filter.check_file(&path("a/b"), &file("a/b", 0, None)), Ok(()));
        assert_eq!(filter.check_file(&path("b"), &file("b", 0, None)), Err(Exclusion::Named));
        assert!(filter.takes_folder(&path("a")) && !filter.takes_folder(&path("b")));
        let mixed = Filter::new(&Definition { files_from, min_size: Some(1), ..Definition::default() });
        let expected = "the usage of --files-from-raw overrides all other filters, it should be used alone or \
            with --files-from or --files-from0";
        assert_eq!(mixed.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_marked_folder_is_known_by_a_file_not_by_a_folder() {
        let filter =
            Filter::new(&Definition { marks: texts(&[".nobackup"]), ..Definition::default() }).unwrap();
        assert!(filter.is_marked(&[Entry::File(file("a/.nobackup", 0, None))]));
        let folder = fichier_storage::Folder { path: path("a/.nobackup"), modified: None, id: None };
        assert!(!filter.is_marked(&[Entry::Folder(folder), Entry::File(file("a/x", 0, None))]));
    }

    #[test]
    fn nothing_asked_for_takes_everything() {
        let filter = Filter::new(&Definition::default()).unwrap();
        assert!(filter.is_inactive() && filter.takes_folder(&path("a")));
        assert_eq!(filter.check_file(&path("a"), &file("a", 0, None)), Ok(()));
    }
}
