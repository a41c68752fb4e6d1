//! Measures how fast two sides of a folder are compared: listings from memory, matched by name and decided file by
//! file.
//!
//! `cargo bench -p fichier-engine`
#![allow(clippy::unwrap_used, reason = "a measurement ends where it fails")]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use divan::{Bencher, black_box, counter::ItemsCount};
use fichier_engine::{CheckOptions, Checksums, Evidence, RunOptions, Stats, check, sync};
use fichier_storage::{
    Entry, File, Freshness, Listing, Location, Remote, RemoteExt, RemotePath, Result, Whirlpool,
    delegate_remote, memory::MemoryRemote,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

/// One folder of files, in the order of their names. They can only be listed.
#[derive(Debug)]
struct Listed {
    inner: MemoryRemote,
    entries: Vec<Entry>,
}

/// Makes one side with `files` files, of which each `every`th has another checksum than it does without.
fn side(name: &str, files: usize, every: usize) -> Location {
    let file = |number: usize| File {
        path: RemotePath::parse(format!("holiday picture {number:06}.jpeg")).unwrap(),
        size: 1_000_000 + number as u64,
        modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64)),
        whirlpool: Some(Whirlpool::from_bytes([u8::from(number.is_multiple_of(every)); 64])),
        id: None,
        media_type: None,
        fingerprint: None,
        seconds_ahead: 0,
    };
    let inner = MemoryRemote::new(name);
    let entries = (0..files).map(file).map(Entry::File).collect();
    Location { remote: Arc::new(Listed { inner, entries }), path: RemotePath::root() }
}

#[async_trait]
impl Remote for Listed {
    delegate_remote!(inner: info, place, find, forget, reader, write, copy, rename, remove, remove_unchanged,
        make_folders, remove_folders, rename_folders, set_modified, extensions);

    async fn list(&self, _folder: &RemotePath, _age: Freshness) -> Result<Listing> {
        Ok(self.entries.clone().into())
    }
}

const FILES: [usize; 3] = [100, 5_000, 50_000];

/// Measures both listings without a comparison: what is cloned before anything is compared.
#[divan::bench(args = FILES, sample_count = 20)]
fn listings(bencher: Bencher<'_, '_>, files: usize) {
    let (from, to) = (side("from:", files, usize::MAX), side("to:", files, usize::MAX));
    let runtime = Runtime::new().unwrap();
    bencher.counter(ItemsCount::new(files)).bench_local(|| {
        runtime.block_on(async {
            for side in [&from, &to] {
                black_box(side.remote.entries(&side.path).await.unwrap());
            }
        });
    });
}

/// Measures a sync that finds nothing to do.
#[divan::bench(args = FILES, sample_count = 20)]
fn unchanged(bencher: Bencher<'_, '_>, files: usize) {
    let (from, to) = (side("from:", files, usize::MAX), side("to:", files, usize::MAX));
    let runtime = Runtime::new().unwrap();
    bencher.counter(ItemsCount::new(files)).bench_local(|| {
        let (options, stats) = (RunOptions::default(), Arc::new(Stats::default()));
        let report = runtime.block_on(sync(&from, &to, &options, &stats, &CancellationToken::new())).unwrap();
        assert_eq!(stats.snapshot().checks, files as u64, "{report:?}");
    });
}

/// Measures a check that finds half of the files changed.
#[divan::bench(args = FILES, sample_count = 20)]
fn half_differs(bencher: Bencher<'_, '_>, files: usize) {
    let (from, to) = (side("from:", files, usize::MAX), side("to:", files, 2));
    let runtime = Runtime::new().unwrap();
    let options = CheckOptions {
        evidence: Evidence::Checksums,
        ignore_size: false,
        one_way: false,
        reading: fichier_engine::Reading::default(),
        checksums: Checksums::default(),
        checkers: 8,
        max_depth: None,
        matching: fichier_engine::NameMatching::default(),
        transform: None,
        filter: Arc::default(),
        names: ["from".to_owned(), "to".to_owned()],
    };
    bencher.counter(ItemsCount::new(files)).bench_local(|| {
        let (stats, stop) = (Arc::new(Stats::default()), CancellationToken::new());
        let report = runtime.block_on(check(&from, &to, &options, &stats, &stop)).unwrap();
        // The first file has the other checksum on both sides.
        assert_eq!(report.differing, files as u64 / 2 - 1, "{report:?}");
    });
}
