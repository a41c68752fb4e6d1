//! A group of duplicates, and the decision about it.
//!
//! Pure: this makes no calls to a remote.

use std::collections::BTreeSet;

use fichier_storage::{File, Name, RemotePath, Whirlpool};

use super::DedupeMode;

/// One of several files that share a name or a content.
#[derive(Debug, Clone)]
pub struct Duplicate {
    /// Path as the user sees it.
    pub shown: RemotePath,
    /// File with its size, time and checksum.
    pub file: File,
}

/// Files that share a name in a folder, or a content.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// What the files share: a path as the user sees it, or a checksum.
    pub label: String,
    /// The files: those of one name the newest first, those of one content by the depth of their folders, then by
    /// their paths.
    pub copies: Vec<Duplicate>,
    /// Whether the files share a content, not a name.
    pub by_hash: bool,
}

/// Identical files of one name, of which one stays.
#[derive(Debug)]
pub(super) struct Identical {
    pub(super) sum: Whirlpool,
    /// Number of identical files, with the one that stays.
    pub(super) of: usize,
    /// Files that are removed.
    pub(super) extra: Vec<Duplicate>,
}

/// What happens to the files that aren't identical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolution {
    /// Nothing is left to do.
    Nothing,
    /// The user is asked.
    Ask,
    /// All of them stay.
    Skip,
    /// Only the file with this index stays.
    Keep(usize),
    /// The files get these names, in their order.
    Rename(Vec<Name>),
}

/// Plan for one group of duplicates.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) duplicates: Duplicates,
    /// Whether the group was announced already.
    pub(super) announced: bool,
    pub(super) identical: Vec<Identical>,
    /// Files that are left when the identical ones are removed.
    pub(super) rest: Vec<Duplicate>,
    pub(super) then: Resolution,
}

impl Duplicates {
    /// Makes a group. A file listed under several paths, as a link and what it points to, is in it once: it has no copy
    /// that could stay in its place.
    pub(super) fn new(label: String, copies: Vec<Duplicate>, by_hash: bool) -> Self {
        let mut once: Vec<Duplicate> = Vec::with_capacity(copies.len());
        for copy in copies {
            if !once.iter().any(|other| is_one_file(&other.file, &copy.file)) {
                once.push(copy);
            }
        }
        Self { label, copies: once, by_hash }
    }

    pub(super) fn announce(&self) {
        let what = if self.by_hash { "duplicate whirlpool hashes" } else { "duplicate names" };
        tracing::warn!(path = self.label, "Found {} files with {what}", self.copies.len());
    }
}

fn is_one_file(left: &File, right: &File) -> bool {
    (left.id.is_some() && left.id == right.id)
        || (left.fingerprint.is_some() && right.fingerprint.is_some() && right.is_still(left))
}

impl Plan {
    /// Plans for a group what a mode says.
    pub(super) fn new(duplicates: Duplicates, mode: DedupeMode) -> Self {
        let (identical, rest) = if duplicates.by_hash {
            (Vec::new(), duplicates.copies.clone())
        } else {
            part_identical(&duplicates.copies)
        };
        let then = if rest.len() < 2 { Resolution::Nothing } else { decide(&rest, mode, duplicates.by_hash) };
        Self { duplicates, announced: false, identical, rest, then }
    }

    /// Plans for a group that was shown already what the user chose.
    pub(super) fn told(duplicates: Duplicates, then: Resolution) -> Self {
        let rest = duplicates.copies.clone();
        Self { duplicates, announced: true, identical: Vec::new(), rest, then }
    }

    /// Returns how many files are removed.
    pub(super) fn removals(&self) -> usize {
        let kept_of_rest = if matches!(self.then, Resolution::Keep(_)) { self.rest.len() - 1 } else { 0 };
        self.identical.iter().map(|identical| identical.extra.len()).sum::<usize>() + kept_of_rest
    }

    /// Returns the files that are removed, in the order in which they are reported.
    pub(super) fn going(&self) -> Vec<Duplicate> {
        let mut going: Vec<Duplicate> =
            self.identical.iter().flat_map(|identical| identical.extra.iter().cloned()).collect();
        if let Resolution::Keep(kept) = self.then {
            going.extend(
                self.rest.iter().enumerate().filter(|(i, _)| *i != kept).map(|(_, copy)| copy.clone()),
            );
        }
        going
    }
}

/// Divides files into identical ones that aren't needed, and the others. A file without a checksum is identical to
/// none.
fn part_identical(copies: &[Duplicate]) -> (Vec<Identical>, Vec<Duplicate>) {
    let mut identical: Vec<Identical> = Vec::new();
    let mut rest: Vec<Duplicate> = Vec::new();
    for copy in copies {
        let File { size, whirlpool, .. } = &copy.file;
        let same = |other: &Duplicate| other.file.size == *size && other.file.whirlpool == *whirlpool;
        match whirlpool {
            Some(sum) if rest.iter().any(same) => {
                match identical.iter_mut().find(|known| known.sum == *sum && same(&known.extra[0])) {
                    Some(known) => {
                        known.of += 1;
                        known.extra.push(copy.clone());
                    }
                    None => identical.push(Identical { sum: *sum, of: 2, extra: vec![copy.clone()] }),
                }
            }
            _ => rest.push(copy.clone()),
        }
    }
    (identical, rest)
}

fn decide(rest: &[Duplicate], mode: DedupeMode, by_hash: bool) -> Resolution {
    // Of several equal ones, the first is taken. Among files of one content, rclone takes the last one where it looks
    // for the largest or newest, and nothing is lost by doing the same.
    let last = by_hash && matches!(mode, DedupeMode::Newest | DedupeMode::Largest);
    let best = |better: fn(&File, &File) -> bool| {
        let better_of = |best: usize, next: usize| {
            let (best_file, next_file) = (&rest[best].file, &rest[next].file);
            let takes = if last { !better(best_file, next_file) } else { better(next_file, best_file) };
            if takes { next } else { best }
        };
        Resolution::Keep((1..rest.len()).fold(0, better_of))
    };
    match mode {
        DedupeMode::Interactive => Resolution::Ask,
        DedupeMode::Skip | DedupeMode::List => Resolution::Skip,
        DedupeMode::First => Resolution::Keep(0),
        DedupeMode::Newest => best(|next, best| next.modified > best.modified),
        DedupeMode::Oldest => best(|next, best| next.modified < best.modified),
        DedupeMode::Largest => best(|next, best| next.size > best.size),
        DedupeMode::Smallest => best(|next, best| next.size < best.size),
        DedupeMode::Rename => Resolution::Rename(Vec::new()),
    }
}

/// Finds names for files that share one: `name-1.ext`, `name-2.ext` and so on, without those that are taken in their
/// folder. The new names count as taken from then on. A file for which none is found keeps its own.
pub(super) fn new_names(copies: &[Duplicate], taken: &mut BTreeSet<Name>) -> Vec<Name> {
    let mut names = Vec::with_capacity(copies.len());
    for (index, copy) in copies.iter().enumerate() {
        let Some(old) = copy.file.path.name() else { continue };
        let bytes = old.as_bytes();
        let dot = bytes.iter().rposition(|byte| *byte == b'.').unwrap_or(bytes.len());
        let (stem, extension) = bytes.split_at(dot);
        let free = (index + 1..)
            .filter_map(|number| Name::new([stem, format!("-{number}").as_bytes(), extension].concat()).ok())
            .find(|name| !taken.contains(name));
        let new = free.unwrap_or(old);
        taken.insert(new.clone());
        names.push(new);
    }
    names
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use fichier_storage::FileId;

    use super::*;

    fn copy(id: &str, size: u64, content: Option<&str>, seconds: u64) -> Duplicate {
        let path = RemotePath::parse("d/f.txt").unwrap();
        let file = File {
            path: path.clone(),
            size,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            whirlpool: content.map(|content| Whirlpool::of(content.as_bytes())),
            id: Some(FileId::new(id)),
            media_type: None,
            fingerprint: None,
            seconds_ahead: 0,
        };
        Duplicate { shown: path, file }
    }

    fn ids(copies: &[Duplicate]) -> Vec<&str> {
        copies.iter().map(|copy| copy.file.id.as_ref().unwrap().as_str()).collect()
    }

    fn plan(mode: DedupeMode) -> Plan {
        let copies = vec![
            copy("newest", 4, Some("bbbb"), 9),
            copy("twin", 3, Some("aaa"), 8),
            copy("twin again", 3, Some("aaa"), 5),
            copy("large", 9, Some("ccccccccc"), 4),
            copy("unknown", 3, None, 3),
            copy("unknown too", 3, None, 2),
            copy("small", 1, Some("d"), 1),
        ];
        Plan::new(Duplicates::new("f.txt".into(), copies, false), mode)
    }

    #[test]
    fn identical_files_go_but_for_the_newest_and_nothing_is_identical_without_a_checksum() {
        let plan = plan(DedupeMode::Skip);
        assert_eq!(plan.identical.len(), 1);
        assert_eq!((plan.identical[0].of, ids(&plan.identical[0].extra)), (2, vec!["twin again"]));
        assert_eq!(ids(&plan.rest), ["newest", "twin", "large", "unknown", "unknown too", "small"]);
        assert_eq!((plan.then.clone(), plan.removals()), (Resolution::Skip, 1));
    }

    #[test]
    fn each_mode_keeps_what_its_name_says() {
        let kept = |mode| {
            let plan = plan(mode);
            let Resolution::Keep(kept) = plan.then else { panic!("{mode:?} keeps none") };
            assert_eq!(plan.removals(), 6);
            assert_eq!(plan.going().len(), 6);
            plan.rest[kept].file.id.clone().unwrap().as_str().to_owned()
        };
        assert_eq!(kept(DedupeMode::First), "newest");
        assert_eq!(kept(DedupeMode::Newest), "newest");
        assert_eq!(kept(DedupeMode::Oldest), "small");
        assert_eq!(kept(DedupeMode::Largest), "large");
        assert_eq!(kept(DedupeMode::Smallest), "small");
    }

    // Measured with rclone 1.75.2.
    #[test]
    fn of_files_of_one_content_the_last_of_the_newest_and_largest_stays_and_the_first_of_the_others() {
        let kept = |mode| {
            let copies = ["a", "b", "c"].map(|id| copy(id, 3, Some("aaa"), 1)).to_vec();
            let Resolution::Keep(kept) = Plan::new(Duplicates::new(String::new(), copies, true), mode).then
            else {
                panic!("{mode:?} keeps none")
            };
            kept
        };
        use DedupeMode::{First, Largest, Newest, Oldest, Smallest};
        assert_eq!([First, Newest, Oldest, Largest, Smallest].map(kept), [0, 2, 0, 2, 0]);
    }

    #[test]
    fn a_file_is_no_duplicate_of_itself() {
        let copies = vec![copy("one", 3, Some("aaa"), 1), copy("one", 3, Some("aaa"), 1)];
        assert_eq!(Duplicates::new(String::new(), copies, true).copies.len(), 1);
    }

    // Measured with rclone 1.75.2.
    #[test]
    fn new_names_count_up_before_the_last_extension_and_leave_out_what_is_taken() {
        let names = |old: &str, taken: &[&str]| {
            let mut copies = vec![copy("a", 1, None, 1), copy("b", 1, None, 2)];
            for copy in &mut copies {
                copy.file.path = RemotePath::parse(format!("d/{old}")).unwrap();
            }
            let mut taken = taken.iter().map(|name| Name::new(*name).unwrap()).collect();
            let names = new_names(&copies, &mut taken);
            assert!(names.iter().all(|name| taken.contains(name)));
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("a.tar.gz", &[]), ["a.tar-1.gz", "a.tar-2.gz"]);
        assert_eq!(names("noext", &[]), ["noext-1", "noext-2"]);
        assert_eq!(names(".hidden", &[]), ["-1.hidden", "-2.hidden"]);
        assert_eq!(names("x.jpeg", &["x-1.jpeg"]), ["x-2.jpeg", "x-3.jpeg"]);
    }
}
