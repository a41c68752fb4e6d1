//! Tests that rclone and this program list one tree the same with the same filters.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use bstr::BString;

use super::{generated, table, tree};
use crate::{peer::rclone::Rclone, seeds::seeds};

/// One set of flags.
pub(crate) type Set = Vec<String>;

#[test]
fn listings_are_those_of_rclone_over_a_table_and_generated_sets() {
    let home = tempfile::tempdir().unwrap();
    let tree = home.path().join("tree");
    tree::plant(&tree);
    table::plant_files(home.path());
    let seeds = seeds();
    let mut sets = table::sets();
    let written = sets.len();
    assert!(written >= 150, "{written} sets");
    sets.extend(generated::sets(&seeds, 150));
    let start = Instant::now();
    let failures = side_by_side(&sets, |set| compare(home.path(), set));
    println!("{} sets ({written} written by hand) in {:?}", sets.len(), start.elapsed());
    assert!(failures.is_empty(), "seeds {seeds:?}, {} sets differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn copies_and_syncs_end_as_those_of_rclone() {
    let home = tempfile::tempdir().unwrap();
    tree::plant_for_copies(&home.path().join("tree"));
    table::plant_files(home.path());
    let seeds = seeds();
    let mut sets: Vec<_> = table::sets().into_iter().step_by(5).collect();
    sets.extend(generated::sets(&seeds, 20));
    let excluded = "--delete-excluded".to_owned();
    let cases: Vec<_> = sets
        .into_iter()
        .enumerate()
        .map(|(index, set)| match index % 4 {
            0 => (index, "copy", set),
            3 => (index, "sync", set.into_iter().chain([excluded.clone()]).collect()),
            _ => (index, "sync", set),
        })
        .collect();
    let failures = side_by_side(&cases, |(index, command, set)| {
        let [theirs, ours] =
            [Rclone::installed().program(), Path::new(env!("CARGO_BIN_EXE_fichier"))].map(|program| {
                let end = format!("{index}-{}", program.file_name().unwrap().display());
                tree::plant_destination(&home.path().join(&end));
                let output = run(program, home.path(), &[command, "tree", &end], set);
                (output.status.success(), files_below(&home.path().join(end)))
            });
        (theirs != ours).then(|| {
            let alone = |one: &BTreeSet<_>, other| one.difference(other).cloned().collect::<Vec<_>>();
            format!(
                "{command} {set:?}\n  theirs: {} {:?}\n  ours: {} {:?}",
                theirs.0,
                alone(&theirs.1, &ours.1),
                ours.0,
                alone(&ours.1, &theirs.1)
            )
        })
    });
    assert!(failures.is_empty(), "seeds {seeds:?}, {} sets differ:\n{}", failures.len(), failures.join("\n"));
}

/// Compares all cases, and returns what differs.
fn side_by_side<Case: Sync>(cases: &[Case], compare: impl Fn(&Case) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failures = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            failures.extend(compare(case));
        }
        failures
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Output of a program: the filters as it understood them, the listing, and the error.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    filters: Vec<String>,
    listing: BTreeSet<Vec<u8>>,
    error: Option<String>,
    status: Option<i32>,
}

fn compare(home: &Path, set: &Set) -> Option<String> {
    let listing = ["lsf", "-R", "tree", "--dump", "filters"];
    let mut theirs = said(&run(Rclone::installed().program(), home, &listing, set));
    let ours = said(&run(Path::new(env!("CARGO_BIN_EXE_fichier")), home, &listing, set));
    // Usage errors and other errors have swapped numbers in the two programs: docs/exit-codes.md.
    theirs.status = theirs.status.map(|status| match status {
        1 => 2,
        2 => 1,
        other => other,
    });
    if says_as_much(ours.error.as_deref(), theirs.error.as_deref()) {
        theirs.error.clone_from(&ours.error);
    }
    (theirs != ours).then(|| {
        let mut text = format!("{set:?}");
        for (name, left, right) in [("theirs", &theirs, &ours), ("ours", &ours, &theirs)] {
            let only: Vec<_> = left
                .listing
                .difference(&right.listing)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            text += &format!("\n  {name} alone: {only:?}");
            if left.filters != right.filters || left.error != right.error || left.status != right.status {
                text += &format!("\n  {name}: {:?} {:?} {:?}", left.status, left.error, left.filters);
            }
        }
        text
    })
}

fn run(program: &Path, home: &Path, words: &[&str], set: &Set) -> Output {
    let mut command = Command::new(program);
    command.args(words).args(set).env_clear().env("HOME", home).env("TZ", "Asia/Kolkata").current_dir(home);
    command.env("RCLONE_CONFIG", "");
    command.stdin(fs::File::open(home.join("standard-input")).unwrap());
    command.output().unwrap()
}

fn said(output: &Output) -> Said {
    let mut filters = Vec::new();
    let mut listing = BTreeSet::new();
    let mut within = false;
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match line {
            b"--- start filters ---" => within = true,
            b"--- end filters ---" => within = false,
            // Moments differ from run to run.
            line if within && line.starts_with(b"Last-modified") => {
                filters.push(String::from_utf8_lossy(&line[..54]).into_owned());
            }
            line if within => filters.push(String::from_utf8_lossy(line).into_owned()),
            line => {
                listing.insert(line.to_owned());
            }
        }
    }
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = log.lines().find_map(|line| Some(line.split_once("CRITICAL: ")?.1.to_owned()));
    Said { filters, listing, error, status: output.status.code() }
}

/// Checks whether our error says what rclone's says. Ours names the flag first, and may say what is expected.
fn says_as_much(ours: Option<&str>, theirs: Option<&str>) -> bool {
    let (Some(ours), Some(mut theirs)) = (ours, theirs) else { return ours.is_none() && theirs.is_none() };
    for prefix in [
        "Failed to initialise global options: failed to reload \"filter\" options: ",
        "filter: ",
        "--hash-filter: ",
        "open nowhere: ",
    ] {
        theirs = theirs.strip_prefix(prefix).unwrap_or(theirs);
    }
    ours.contains(theirs)
}

/// Returns the files by path and size.
fn files_below(root: &Path) -> BTreeSet<(BString, u64)> {
    let mut files = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes();
                files.insert((name.into(), path.symlink_metadata().unwrap().len()));
            }
        }
    }
    files
}
