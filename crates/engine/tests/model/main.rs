//! Random pairs of trees and random runs over them, against a reference that works on trees in memory.
//!
//! `MODEL_CASES` sets how many (2,000 if it isn't set): half of them by a fixed seed, half by a fresh one, which is
//! printed. `MODEL_SEED` repeats a run by its seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]
#![allow(clippy::print_stdout, reason = "seeds are printed")]

mod clashes;
mod reference;
mod world;

use std::sync::Arc;

use fichier_engine::{
    Backup, Checksums, Comparison, DeleteWhen, Deletion, Direction, Order, OrderKey, Rules, RunOptions, Stats,
};
use proptest::{
    collection::{btree_map, btree_set, vec},
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use tokio_util::sync::CancellationToken;

use reference::{CONTENTS, Flags, Operation, Place, State, Tree, doubles, expect};
use world::World;

/// A run and the trees that it works on.
#[derive(Debug, Clone)]
struct Case {
    places: (Place, Place),
    operation: Operation,
    flags: Flags,
    source: Tree,
    destination: Option<Tree>,
    /// Options that must not change the outcome.
    how: How,
}

#[derive(Debug, Clone)]
struct How {
    reuse: bool,
    track_renames: bool,
    batch: usize,
    check_first: bool,
    checksum: bool,
    order: Order,
    when: DeleteWhen,
    transfers: usize,
}

const FILES: &[&str] = &[
    "a",
    "b",
    "a.txt",
    "ü",
    "a b",
    " lead",
    "trail ",
    "it's",
    "say \"hi\"",
    "$HOME",
    "back\\slash",
    "x<y>z",
    "`cmd`",
    "...",
    "－dash",
    "‛quoted",
    "tab\tname",
    "100%",
    "日本",
    "new\nline",
];
const FOLDERS: &[&str] = &["d", "e", "Dé", "sub dir", " f ", "d$", "'"];

fn folder() -> impl Strategy<Value = String> {
    vec(select(FOLDERS), 0..3).prop_map(|names| names.join("/"))
}

fn file() -> impl Strategy<Value = String> {
    (folder(), select(FILES)).prop_map(|(folder, name)| {
        if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
    })
}

fn tree(place: Place, empty_files: bool) -> impl Strategy<Value = Tree> {
    let least = usize::from(!empty_files);
    let most_versions = if place == Place::Service { 3 } else { 1 };
    let versions = vec(least..CONTENTS.len(), 1..=most_versions);
    (btree_map(file(), versions, 0..12), btree_set(folder(), 0..4)).prop_map(|(files, folders)| {
        let mut tree = Tree::default();
        for folder in folders {
            tree.add_folder(&standard_of(&folder));
        }
        for (path, versions) in files {
            tree.set(&standard_of(&path), versions);
        }
        tree
    })
}

/// Returns the names as listings show them.
fn standard_of(path: &str) -> String {
    let names: Vec<_> = path
        .split('/')
        .map(|name| {
            let standard = fichier_encoding::Encoding::LOCAL.to_standard(name.as_bytes()).into_owned();
            String::from_utf8(standard).unwrap()
        })
        .collect();
    names.join("/")
}

fn flags() -> impl Strategy<Value = Flags> {
    let rarely = || prop::bool::weighted(0.15);
    (
        (rarely(), rarely(), rarely(), rarely(), rarely()),
        any::<bool>(),
        any::<bool>(),
        prop::option::weighted(0.2, 1_usize..4),
        rarely(),
    )
        .prop_map(|(rules, create_empty, delete_empty_source, max_depth, backup)| Flags {
            size_only: rules.0,
            ignore_times: rules.1,
            ignore_existing: rules.2,
            existing_only: rules.3,
            immutable: rules.4,
            create_empty,
            delete_empty_source,
            max_depth,
            backup,
        })
}

fn how() -> impl Strategy<Value = How> {
    let orders = [
        Order::Found,
        Order::By(OrderKey::Size, Direction::Descending),
        Order::By(OrderKey::Name, Direction::Mixed { percent: 40 }),
    ];
    (
        (any::<bool>(), any::<bool>()),
        select(vec![1_usize, 3, 100]),
        any::<bool>(),
        any::<bool>(),
        select(orders.to_vec()),
        select(vec![DeleteWhen::After, DeleteWhen::Before, DeleteWhen::During]),
        1_usize..5,
    )
        .prop_map(|((reuse, track_renames), batch, check_first, checksum, order, when, transfers)| How {
            reuse,
            track_renames,
            batch,
            check_first,
            checksum,
            order,
            when,
            transfers,
        })
}

fn case() -> impl Strategy<Value = Case> {
    use Place::{Local, Service};
    let places = select(vec![(Local, Service), (Service, Local), (Service, Service), (Local, Local)]);
    let operation = select(vec![Operation::Copy, Operation::Sync, Operation::Move]);
    (places, operation, flags(), how()).prop_flat_map(|(places, operation, flags, how)| {
        // Only a disk holds empty files. What is removed before or during transfers that then fail is another matter:
        // it depends on their order.
        let empty_files = places.0 == Local && how.when == DeleteWhen::After && !flags.immutable;
        let destination = prop::option::weighted(0.9, tree(places.1, places.1 == Local && empty_files));
        (tree(places.0, empty_files), destination).prop_map(move |(source, destination)| {
            let mut flags = flags.clone();
            let mut how = how.clone();
            if flags.immutable {
                how.when = DeleteWhen::After;
            }
            if flags.size_only && places == (Local, Local) {
                // This isn't a rule of contents: sizes are enough there as well.
                flags.ignore_times = false;
            }
            Case { places, operation, flags, source, destination, how }
        })
    })
}

fn options(case: &Case, to: &Arc<dyn fichier_storage::Remote>) -> RunOptions {
    let (flags, how) = (&case.flags, &case.how);
    let comparison = match (flags.size_only, how.checksum) {
        (true, _) => Comparison::SizeOnly,
        (false, true) => Comparison::Checksum,
        (false, false) => Comparison::Exact,
    };
    RunOptions {
        rules: Rules {
            comparison,
            ignore_times: flags.ignore_times,
            ignore_existing: flags.ignore_existing,
            existing_only: flags.existing_only,
            immutable: flags.immutable,
            ..Rules::default()
        },
        checksums: Checksums::default(),
        create_empty_folders: flags.create_empty,
        delete_empty_source_folders: flags.delete_empty_source,
        max_depth: flags.max_depth,
        reuse: how.reuse,
        track_renames: how.track_renames,
        check_first: how.check_first,
        order: how.order,
        transfers: how.transfers,
        backup: flags.backup.then(|| Backup {
            folder: Some(World::location(to, "old")),
            suffix: Vec::new(),
            keep_extension: false,
        }),
        deletion: Deletion { when: how.when, ..Deletion::default() },
        ..RunOptions::default()
    }
}

async fn run(case: &Case) -> Result<(), TestCaseError> {
    let world = World::new(case.how.batch).await;
    world.plant(case.places.0, "from", &case.source);
    if let Some(tree) = &case.destination {
        world.plant(case.places.1, "to", tree);
    }
    let disk = world.disk();
    let service = world.service().await;
    let remote = |place| if place == Place::Local { &disk } else { &service };
    let from = World::location(remote(case.places.0), "from");
    let to = World::location(remote(case.places.1), "to");
    let options = options(case, remote(case.places.1));
    let (stats, stop) = (Arc::new(Stats::default()), CancellationToken::new());
    let report = match case.operation {
        Operation::Copy => fichier_engine::copy(&from, &to, &options, &stats, &stop).await,
        Operation::Sync => fichier_engine::sync(&from, &to, &options, &stats, &stop).await,
        Operation::Move => fichier_engine::move_into(&from, &to, &options, &stats, &stop).await,
    }
    .unwrap();
    let before = State {
        source: case.source.clone(),
        destination: case.destination.clone().unwrap_or_default(),
        backup: Tree::default(),
    };
    let expected = expect(case.operation, &case.flags, case.places, &before, case.destination.is_some());
    let after = State {
        source: world.read(case.places.0, "from"),
        destination: world.read(case.places.1, "to"),
        backup: world.read(case.places.1, "old"),
    };
    let mut wanted = expected.state;
    let may_rename = case.how.reuse || case.how.track_renames;
    if expected.failed + expected.refused > 0 && case.operation == Operation::Sync && may_rename {
        forgive_renames(&before, &after, &mut wanted)?;
    }
    if case.flags.backup && case.how.track_renames {
        forgive_renamed_backups(&before, &after, &mut wanted)?;
    }
    prop_assert_eq!(&after, &wanted, "the trees differ; report: {:?}", report);
    let failed = expected.failed + doubles(&wanted.destination, &expected.filled);
    prop_assert_eq!(report.failed, failed as u64, "failures: {:?}", report);
    prop_assert_eq!(report.refused_empty_files, expected.refused as u64, "refused: {:?}", report);
    Ok(())
}

/// Accepts what a failed sync may have done: it removes nothing, but may have renamed files that it would have removed.
/// What they held must still be there.
fn forgive_renames(before: &State, after: &State, wanted: &mut State) -> Result<(), TestCaseError> {
    for (path, versions) in &before.destination.files {
        if before.source.files.contains_key(path) || after.destination.files.get(path) == Some(versions) {
            continue;
        }
        let left = after.destination.files.get(path).cloned().unwrap_or_default();
        for content in versions.iter().filter(|content| !left.contains(content)) {
            let kept = after.destination.files.values().flatten().any(|other| other == content);
            prop_assert!(kept, "{path} and with it content {content} is lost");
        }
        if left.is_empty() {
            wanted.destination.files.remove(path);
        } else {
            wanted.destination.files.insert(path.clone(), left);
        }
    }
    // Folders may have moved with a rename of the whole.
    wanted.destination.folders.clone_from(&after.destination.folders);
    Ok(())
}

/// Accepts that files renamed by `--track-renames` aren't in the backup. They must be in the place of a file that is
/// new there.
fn forgive_renamed_backups(before: &State, after: &State, wanted: &mut State) -> Result<(), TestCaseError> {
    for (path, versions) in wanted.backup.files.clone() {
        let left = after.backup.files.get(&path).cloned().unwrap_or_default();
        for content in versions.iter().filter(|content| !left.contains(content)) {
            let mut new =
                after.destination.files.iter().filter(|(path, _)| before.source.files.contains_key(*path));
            let renamed = new.any(|(new, held)| *new != path && held.contains(content));
            prop_assert!(renamed, "{path} with content {content} is neither set aside nor renamed");
        }
        if left.is_empty() {
            wanted.backup.files.remove(&path);
        } else {
            wanted.backup.files.insert(path, left);
        }
    }
    // A folder is made in the backup when something is put into it.
    wanted.backup.folders.clone_from(&after.backup.folders);
    Ok(())
}

/// Seed of the cases that are always tried.
const SEED: u64 = 3;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn runs_leave_what_the_reference_says() {
    try_cases(2000, case(), |case| async move { run(&case).await });
}

#[test]
fn clashes_lose_nothing_that_nobody_asked_to_remove() {
    try_cases(500, clashes::clashing_case(), |case| async move { clashes::run(&case).await });
}

fn try_cases<F: Future<Output = Result<(), TestCaseError>>>(
    usual: u64,
    cases: impl Strategy<Value = Case>,
    run: impl Fn(Case) -> F,
) {
    let count = number("MODEL_CASES").unwrap_or(usual);
    match number("MODEL_SEED") {
        Some(seed) => try_seed(seed, count, &cases, &run),
        // Half of them are always the same, and the other half are new.
        None => {
            try_seed(SEED, count / 2, &cases, &run);
            try_seed(rand::random(), count.div_ceil(2), &cases, &run);
        }
    }
}

fn try_seed<F: Future<Output = Result<(), TestCaseError>>>(
    seed: u64,
    count: u64,
    cases: &impl Strategy<Value = Case>,
    run: &impl Fn(Case) -> F,
) {
    let count = count.try_into().unwrap();
    println!("{count} cases; repeat them by MODEL_SEED={seed}");
    let config = Config {
        cases: count,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let result = TestRunner::new(config).run(cases, |case| runtime.block_on(run(case)));
    if let Err(error) = result {
        panic!("MODEL_SEED={seed}: {error}");
    }
}
