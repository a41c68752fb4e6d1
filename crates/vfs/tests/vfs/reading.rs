//! What is read, through which streams, and what of it is kept.

use std::{fs, path::Path, sync::Arc, time::Duration};

use fichier_storage::{Freshness, Remote as _, memory::MemoryRemote};
use fichier_vfs::{CacheMode, Errno, NodeId, OpenFlags};

use crate::{
    watched::Fault,
    world::{World, errno, open, path, store, until},
};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 253).unwrap()).collect()
}

async fn world(mode: CacheMode) -> World {
    World::with(MemoryRemote::new("memory:"), |options| options.cache_mode = mode).await
}

// [open-1]
#[tokio::test]
async fn opening_costs_nothing_and_kinds_matter() {
    let world = world(CacheMode::Off).await;
    store(&world.remote.inner, "folder/a", "x").await;
    assert_eq!(errno(world.open("folder", OpenFlags::READ).await), Errno::IsFolder);
    let calls = world.remote.total();
    let handle = world.open("folder/a", OpenFlags::READ).await.unwrap();
    world.vfs.release(handle);
    assert_eq!(world.remote.total(), calls + 1, "one listing");
    assert_eq!(errno(world.vfs.lookup(world.id("folder/a").await, b"x").await), Errno::NotFolder);
    assert_eq!(errno(world.vfs.open_file(NodeId(77), OpenFlags::READ).await), Errno::NotFound);
}

// [open-2]
#[tokio::test]
async fn an_open_file_is_read_as_it_was_opened() {
    let remote = MemoryRemote::new("memory:").with_features(|features| features.duplicates = true);
    let world = World::with(remote.with_times(fichier_storage::Times::default()), |_| {}).await;
    let old = bytes(6 << 20);
    store(&world.remote.inner, "a", old.clone()).await;
    let handle = world.open("a", OpenFlags::READ).await.unwrap();
    assert_eq!(world.vfs.read(handle, 0, 10).await.unwrap(), old[..10]);
    let first = world.remote.inner.find(&path("a"), Freshness::Known).await.unwrap();
    store(&world.remote.inner, "a", "new").await;
    world.vfs.refresh(NodeId::ROOT).await.unwrap();
    assert_eq!(world.find("a").await.unwrap().size, 3);
    assert_eq!(world.read("a").await.unwrap(), b"new");
    assert_eq!(world.vfs.read(handle, 2_000_000, 10).await.unwrap(), old[2_000_000..2_000_010]);
    // When it is gone, what is kept can still be read.
    world.remote.inner.remove(&[first.as_file().unwrap().clone()]).await;
    until("the streams have ended", || async { world.remote.count("stream") >= 2 }).await;
    assert_eq!(errno(world.vfs.read(handle, (6 << 20) - 10, 10).await), Errno::Stale);
    assert_eq!(world.vfs.read(handle, 100, 10).await.unwrap(), old[100..110]);
}

// [read-3] Sequential reading needs few streams, and each byte comes once.
#[tokio::test]
async fn sequential_reading_needs_few_streams() {
    for mode in [CacheMode::Off, CacheMode::Full] {
        let world = world(mode).await;
        let all = bytes(40 << 20);
        store(&world.remote.inner, "a", all.clone()).await;
        assert!(world.read("a").await.unwrap() == all);
        // 1.125 + 2.25 + 4.5 + 9 + 18 + the rest.
        assert_eq!((world.remote.count("stream"), world.remote.count("reader")), (6, 1), "{mode:?}");
    }
}

// [read-4] [cache-2]
#[tokio::test]
async fn what_was_read_is_kept_over_restarts_and_names_and_for_others() {
    let mut world = world(CacheMode::Full).await;
    let all = bytes(2_500_000);
    store(&world.remote.inner, "a", all.clone()).await;
    assert!(world.read("a").await.unwrap() == all);
    let streams = world.remote.count("stream");
    world.rename("a", "b").await.unwrap();
    world.vfs.sync().await.unwrap();
    world.restart().await;
    assert!(world.read("b").await.unwrap() == all);
    store(&world.remote.inner, "copy", all.clone()).await;
    world.vfs.refresh(NodeId::ROOT).await.unwrap();
    assert!(world.read("copy").await.unwrap() == all);
    assert_eq!(world.remote.count("stream"), streams);
    // What was written is read without a stream, too.
    world.write("written", &all).await.unwrap();
    world.vfs.sync().await.unwrap();
    assert!(world.read("written").await.unwrap() == all);
    assert_eq!(world.remote.count("stream"), streams);
    // The cache goes while it is used: what is missing is fetched again.
    world.restart().await;
    let blocks = world.home.path().join("blocks");
    fs::remove_dir_all(&blocks).unwrap();
    assert!(world.read("b").await.unwrap() == all);
    assert!(world.remote.count("stream") > streams);
    world.restart().await;
    fs::remove_dir_all(&blocks).unwrap();
    fs::write(&blocks, "no directory").unwrap();
    assert!(world.read("b").await.unwrap() == all);
}

/// Changes every byte of the files of a directory.
fn damage(folder: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            count += damage(&entry.path());
        } else {
            let mut bytes = fs::read(entry.path()).unwrap();
            // The index behind the bytes stays.
            let end = 1_000_000.min(bytes.len());
            bytes[..end].iter_mut().for_each(|byte| *byte ^= 0x55);
            fs::write(entry.path(), bytes).unwrap();
            count += 1;
        }
    }
    count
}

// [read-5]
#[tokio::test]
async fn damaged_blocks_are_fetched_again() {
    let mut world = world(CacheMode::Full).await;
    let all = bytes(2_500_000);
    store(&world.remote.inner, "a", all.clone()).await;
    assert!(world.read("a").await.unwrap() == all);
    world.restart().await;
    assert!(damage(&world.home.path().join("blocks")) > 0);
    damage(&world.home.path().join("ends"));
    let streams = world.remote.count("stream");
    assert!(world.read("a").await.unwrap() == all);
    assert!(world.remote.count("stream") > streams);
}

// [read-6]
#[tokio::test]
async fn wrong_bytes_are_an_error() {
    for mode in [CacheMode::Off, CacheMode::Full] {
        let world = world(mode).await;
        let files = [("small", 10), ("large", 3_000_000)];
        for (name, length) in files {
            store(&world.remote.inner, name, bytes(length)).await;
        }
        for (name, length) in files {
            world.remote.fail("stream", Fault::WrongBytes, 1);
            let read = world.read(name).await.map(|bytes| bytes.len());
            let error = read.expect_err(&format!("{name} {mode:?}"));
            assert_eq!(error.errno(), Errno::Io);
            assert!(error.to_string().contains("checksum"), "{error}");
            // What was kept of it is dropped.
            assert!(world.read(name).await.unwrap() == bytes(length), "{name} {mode:?}");
        }
        // A file that is to be changed is verified, too.
        store(&world.remote.inner, "changed", bytes(11)).await;
        world.vfs.refresh(NodeId::ROOT).await.unwrap();
        world.remote.fail("stream", Fault::WrongBytes, 1);
        let handle = world.open("changed", OpenFlags::READ_WRITE).await.unwrap();
        assert_eq!(errno(world.vfs.write(handle, 0, "x".into()).await), Errno::Io);
        world.vfs.release(handle);
        assert_eq!(world.vfs.status().dirty, 0);
    }
    let world = World::with(MemoryRemote::new("memory:"), |options| options.no_checksum = true).await;
    store(&world.remote.inner, "a", "abc").await;
    world.remote.fail("stream", Fault::WrongBytes, 1);
    assert_eq!(world.read("a").await.unwrap(), b"`cb");
}

// [read-7]
#[tokio::test]
async fn seeking_can_be_refused() {
    let world = World::with(MemoryRemote::new("memory:"), |options| options.no_seek = true).await;
    store(&world.remote.inner, "a", "abcdef").await;
    let handle = world.open("a", OpenFlags::READ).await.unwrap();
    assert_eq!(&world.vfs.read(handle, 0, 2).await.unwrap()[..], b"ab");
    assert_eq!(&world.vfs.read(handle, 2, 2).await.unwrap()[..], b"cd");
    assert_eq!(errno(world.vfs.read(handle, 0, 2).await), Errno::NoSeek);
    assert_eq!(&world.vfs.read(handle, 4, 2).await.unwrap()[..], b"ef");
}

// [read-8] [lost-1]
#[tokio::test(start_paused = true)]
async fn a_cut_stream_is_gone_on_with_and_a_dead_network_ends_in_an_error() {
    let world = world(CacheMode::Full).await;
    let all = bytes(700_000);
    for name in ["a", "b", "c"] {
        store(&world.remote.inner, name, [&all[..], name.as_bytes()].concat()).await;
    }
    world.remote.fail("stream", Fault::Cut, 2);
    world.remote.fail("stream", Fault::Passing, 2);
    assert!(world.read("a").await.unwrap()[..700_000] == all);
    // Nothing comes, without a word and with one.
    for fault in [Fault::Unanswered, Fault::Passing] {
        world.remote.heal();
        world.remote.fail("stream", fault, 1000);
        let start = tokio::time::Instant::now();
        let error = world.read("b").await.map(|bytes| bytes.len()).unwrap_err();
        assert_eq!(error.errno(), Errno::Io, "{error}");
        let waited = start.elapsed();
        assert!(waited >= Duration::from_secs(110) && waited < Duration::from_secs(150), "{waited:?}");
    }
    // What is known, cached or written needs no network.
    assert!(world.read("a").await.unwrap()[..700_000] == all);
    world.remote.fail("write", Fault::Passing, 1000);
    world.write("new", "x").await.unwrap();
    assert_eq!(world.read("new").await.unwrap(), b"x");
    assert_eq!(world.names("").await, ["a", "b", "c", "new"]);
    // What can't go away is told at once.
    world.remote.heal();
    world.remote.fail("stream", Fault::Lasting, 1);
    let start = tokio::time::Instant::now();
    assert_eq!(errno(world.read("c").await), Errno::Io);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(world.read("c").await.unwrap()[..700_000] == all);
}

// [revoked-1]
#[tokio::test]
async fn a_refused_key_is_no_access() {
    let world = world(CacheMode::Off).await;
    store(&world.remote.inner, "a", "x").await;
    world.id("a").await;
    world.remote.fail("stream", Fault::Refused, 1);
    assert_eq!(errno(world.read("a").await), Errno::AccessDenied);
    world.remote.fail("write", Fault::Refused, 1);
    world.write("b", "kept").await.unwrap();
    world.vfs.sync().await.unwrap_err();
    assert_eq!(world.vfs.status().failing, 1);
    // The key works again.
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("b").await.unwrap(), b"kept");
}

// [flood-1]
#[tokio::test]
async fn who_reads_what_is_here_notices_no_wait_of_the_remote() {
    let world = World::with(MemoryRemote::new("memory:"), |options| {
        (options.dir_cache_time, options.cache_mode) = (Duration::from_millis(20), CacheMode::Full);
    })
    .await;
    for name in 0..20 {
        store(&world.remote.inner, &format!("{name}/x"), "x").await;
    }
    for name in 0..20 {
        world.read(&format!("{name}/x")).await.unwrap();
    }
    let gates = ["list", "stream", "write", "remove"].map(|kind| world.remote.hold(kind));
    tokio::time::sleep(Duration::from_millis(30)).await;
    let lists = world.remote.count("list");
    for name in 0..20 {
        assert_eq!(world.read(&format!("{name}/x")).await.unwrap(), b"x");
        world.write(&format!("{name}/y"), "y").await.unwrap();
        world.remove(&format!("{name}/x")).await.unwrap();
        assert_eq!(world.names(&name.to_string()).await, ["y"]);
    }
    // Background listings are few at a time.
    assert!(world.remote.count("list") <= lists + 4);
    gates.iter().for_each(|gate| gate.add_permits(10_000));
    world.vfs.sync().await.unwrap();
    assert_eq!(world.all_at_service().await.len(), 40);
}

// [two-1]
#[tokio::test]
async fn a_second_file_system_waits_for_the_first() {
    let world = world(CacheMode::Full).await;
    let at = || fichier_storage::Location { remote: world.remote.clone(), path: path("") };
    let impatient =
        fichier_vfs::VfsOptions { journal_wait: Duration::from_millis(60), ..world.options.clone() };
    let error = fichier_vfs::Vfs::open(at(), impatient).await.unwrap_err();
    assert_eq!(error.errno(), Errno::Busy);
    assert!(error.to_string().contains("in use"), "{error}");
    let World { remote, options, vfs, home, .. } = world;
    let waiting = tokio::spawn({
        let remote = remote.clone();
        async move { open(&remote, &options).await }
    });
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert!(!waiting.is_finished());
    drop(vfs);
    let second: Arc<fichier_vfs::Vfs> = waiting.await.unwrap();
    assert!(second.lookup(NodeId::ROOT, b"none").await.is_err());
    drop(home);
}

// [read-3]
#[tokio::test]
async fn a_skip_forward_waits_for_the_open_stream() {
    let world = world(CacheMode::Off).await;
    let all = bytes(4 << 20);
    store(&world.remote.inner, "a", all.clone()).await;
    let handle = world.open("a", OpenFlags::READ).await.unwrap();
    let gate = world.remote.hold("stream");
    let skipped = async {
        until("the first stream is open", || async { world.remote.count("stream") == 1 }).await;
        tokio::join!(world.vfs.read(handle, 900_000, 10), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            gate.add_permits(1);
        })
    };
    let (first, (skipped, ())) = tokio::join!(world.vfs.read(handle, 0, 10), skipped);
    assert_eq!(
        (first.unwrap(), skipped.unwrap()),
        (all[..10].to_vec().into(), all[900_000..900_010].to_vec().into())
    );
    assert_eq!(world.remote.count("stream"), 1);
}
