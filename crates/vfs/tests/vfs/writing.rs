//! What becomes of what is written.

use std::time::Duration;

use fichier_storage::{Remote as _, memory::MemoryRemote};
use fichier_vfs::{Errno, Fsync, OpenFlags, SetAttributes, VfsError};

use crate::{
    watched::{Fault, Watched},
    world::{World, errno, store, until},
};

fn without_empty_files() -> MemoryRemote {
    MemoryRemote::new("memory:").with_features(|features| features.empty_files = false)
}

fn with_doubles() -> MemoryRemote {
    let remote = MemoryRemote::new("memory:").with_times(fichier_storage::Times::default());
    remote.with_features(|features| features.duplicates = true)
}

// [write-1] [read-1] [create-1] [flush-1]
#[tokio::test]
async fn bytes_can_be_written_in_any_order_and_are_read_at_once() {
    for mode in [fichier_vfs::CacheMode::Off, fichier_vfs::CacheMode::Full] {
        let world = World::with(MemoryRemote::new("memory:"), |options| options.cache_mode = mode).await;
        let handle = world.create("a").await.unwrap();
        assert_eq!(errno(world.create("a").await), Errno::Exists);
        assert_eq!(world.find("a").await.unwrap().size, 0);
        world.vfs.write(handle, 6, "world".into()).await.unwrap();
        world.vfs.write(handle, 0, "hello".into()).await.unwrap();
        world.vfs.flush(handle).await.unwrap();
        assert_eq!(world.read_all(handle).await.unwrap(), b"hello\0world");
        assert_eq!(&world.vfs.read(handle, 9, 100).await.unwrap()[..], b"ld");
        assert!(world.vfs.read(handle, 11, 100).await.unwrap().is_empty());
        assert_eq!(world.find("a").await.unwrap().size, 11);
        world.vfs.release(handle);
        world.vfs.sync().await.unwrap();
        assert_eq!(world.at_service("a").await.unwrap(), b"hello\0world");
        assert_eq!(world.read("a").await.unwrap(), b"hello\0world");
        assert_eq!(errno(world.vfs.write(handle, 0, "x".into()).await), Errno::BadHandle);
    }
}

// [write-2] [open-3]
#[tokio::test]
async fn a_file_of_the_service_is_fetched_before_it_is_changed() {
    let world = World::new().await;
    let old: Vec<u8> = (0..400_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    store(&world.remote.inner, "a", old.clone()).await;
    let before = world.open("a", OpenFlags::READ).await.unwrap();
    let handle = world.open("a", OpenFlags::READ_WRITE).await.unwrap();
    assert_eq!(world.remote.count("stream"), 0);
    world.vfs.write(handle, 200_000, "new".into()).await.unwrap();
    let mut new = old;
    new[200_000..200_003].copy_from_slice(b"new");
    assert_eq!(world.read_all(before).await.unwrap(), new);
    world.vfs.release(handle);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), new);
    assert_eq!(world.read_all(before).await.unwrap(), new);
    // What is cut off isn't fetched.
    store(&world.remote.inner, "b", vec![7; 3 << 20]).await;
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    let streams = world.remote.count("stream");
    let set = SetAttributes { size: Some(5), modified: None };
    world.vfs.set_attributes(world.id("b").await, set).await.unwrap();
    assert_eq!(world.remote.count("stream"), streams + 1);
    let handle = world.open("a", OpenFlags { truncate: true, ..OpenFlags::READ_WRITE }).await.unwrap();
    world.vfs.write(handle, 0, "x".into()).await.unwrap();
    world.vfs.release(handle);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.remote.count("stream"), streams + 1);
    assert_eq!(world.at_service("b").await.unwrap(), [7; 5]);
    assert_eq!(world.at_service("a").await.unwrap(), b"x");
}

// [write-4]
#[tokio::test]
async fn what_changes_before_it_is_sent_goes_up_once_or_never() {
    let world =
        World::with(MemoryRemote::new("memory:"), |options| options.write_back = Duration::from_secs(3600))
            .await;
    world.write("temporary", "1").await.unwrap();
    world.rename("temporary", "a").await.unwrap();
    world.rename("a", "final").await.unwrap();
    world.write("never", "1").await.unwrap();
    world.remove("never").await.unwrap();
    world.write("final", "22").await.unwrap();
    world.write("final", "333").await.unwrap();
    world.make_folder("folder").await.unwrap();
    world.write("folder/x", "1").await.unwrap();
    world.rename("folder", "renamed").await.unwrap();
    world.make_folder("unseen").await.unwrap();
    world.remove_folder("unseen").await.unwrap();
    world.vfs.sync().await.unwrap();
    assert_eq!(
        world.all_at_service().await,
        [("final".into(), 3), ("renamed/".into(), 0), ("renamed/x".into(), 1)]
    );
    assert_eq!(world.remote.stored.lock().unwrap().values().sum::<u64>(), 2);
    assert_eq!(
        (world.remote.count("write"), world.remote.count("rename"), world.remote.count("remove")),
        (2, 0, 0)
    );
    assert_eq!((world.remote.count("make_folders"), world.remote.count("rename_folders")), (1, 0));
}

// [write-5]
#[tokio::test]
async fn what_is_being_sent_does_not_change() {
    let world = World::with(with_doubles(), |_| {}).await;
    world.write("a", "first").await.unwrap();
    world.vfs.sync().await.unwrap();
    let gate = world.remote.hold("write");
    world.write("a", "second").await.unwrap();
    until("it is being sent", || async { world.vfs.status().sending == 1 }).await;
    let handle = world.open("a", OpenFlags::READ_WRITE).await.unwrap();
    world.vfs.write(handle, 0, "THIRD!".into()).await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"first");
    gate.add_permits(1);
    until("the second is stored", || async { world.at_service("a").await.unwrap() == b"second" }).await;
    // The old version went after the new one came.
    until("one is left", || async { world.all_at_service().await.len() == 1 }).await;
    assert_eq!(world.read("a").await.unwrap(), b"THIRD!");
    world.vfs.release(handle);
    gate.add_permits(1);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"THIRD!");
    assert_eq!(world.all_at_service().await.len(), 1);
}

// [write-4] [unlink-1]
#[tokio::test]
async fn a_file_that_is_renamed_or_removed_while_it_is_sent_ends_where_it_should() {
    let world = World::with(with_doubles(), |_| {}).await;
    store(&world.remote.inner, "b", "old").await;
    let gate = world.remote.hold("write");
    for name in ["a", "gone", "over"] {
        world.write(name, name).await.unwrap();
    }
    until("they are being sent", || async { world.vfs.status().sending == 3 }).await;
    world.rename("a", "b").await.unwrap();
    world.remove("gone").await.unwrap();
    world.write("new", "new").await.unwrap();
    world.rename("new", "over").await.unwrap();
    assert_eq!(world.names("").await, ["b", "over"]);
    gate.add_permits(100);
    world.vfs.sync().await.unwrap();
    until("all is settled", || async { world.vfs.status().changes == 0 }).await;
    assert_eq!(world.all_at_service().await, [("b".into(), 1), ("over".into(), 3)]);
    assert_eq!(world.at_service("b").await.unwrap(), b"a");
    assert_eq!(world.at_service("over").await.unwrap(), b"new");
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["b", "over"]);
}

// [write-6]
#[tokio::test]
async fn what_somebody_else_stored_meanwhile_stays() {
    let world = World::with(with_doubles(), |options| options.write_back = Duration::from_secs(3600)).await;
    store(&world.remote.inner, "a", "old").await;
    world.write("a", "mine").await.unwrap();
    store(&world.remote.inner, "a", "theirs").await;
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    world.vfs.sync().await.unwrap();
    assert_eq!(world.all_at_service().await, [("a".into(), 4), ("a".into(), 6)]);
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    assert_eq!(world.read("a").await.unwrap(), b"mine");
    // To remove the name removes all that bear it.
    world.remove("a").await.unwrap();
    world.vfs.sync().await.unwrap();
    assert!(world.all_at_service().await.is_empty());
}

// [write-7]
#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_tried_again_and_told_once() {
    let world = World::new().await;
    let mut events = world.vfs.events();
    world.remote.fail("write", Fault::Lasting, 5);
    world.write("a", "x").await.unwrap();
    let failed = world.vfs.sync().await.unwrap_err();
    assert!(
        failed.to_string().contains("memory:a") && failed.to_string().contains("a fault of the test"),
        "{failed}"
    );
    assert!(matches!(failed, VfsError::Unsent { count: 1, .. }));
    assert_eq!((world.vfs.status().failing, world.read("a").await.unwrap()), (1, b"x".to_vec()));
    let event = events.recv().await.unwrap();
    assert!(matches!(event, fichier_vfs::Event::Failed { is_tried_again: true, .. }), "{event:?}");
    // 1 + 2 + 4 + 8 seconds later.
    until("it is stored", || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.at_service("a").await.is_some()
    })
    .await;
    assert_eq!(world.remote.count("write"), 6);
    assert!(events.try_recv().is_err());
}

// [write-8]
#[tokio::test]
async fn nothing_changes_where_nothing_may() {
    let remote = MemoryRemote::new("memory:");
    store(&remote, "a", "x").await;
    let world = World::with(remote, |options| options.read_only = true).await;
    assert_eq!(errno(world.create("b").await), Errno::ReadOnly);
    assert_eq!(errno(world.make_folder("b").await), Errno::ReadOnly);
    assert_eq!(errno(world.remove("a").await), Errno::ReadOnly);
    assert_eq!(errno(world.rename("a", "b").await), Errno::ReadOnly);
    assert_eq!(errno(world.open("a", OpenFlags::READ_WRITE).await), Errno::ReadOnly);
    let set = SetAttributes { size: Some(0), modified: None };
    assert_eq!(errno(world.vfs.set_attributes(world.id("a").await, set).await), Errno::ReadOnly);
    assert_eq!(world.find("a").await.unwrap().permissions, 0o444);
    assert_eq!(world.read("a").await.unwrap(), b"x");
    let remote = Watched::with_info(MemoryRemote::new("memory:"), |info| info.features.read_only = true);
    let world = World::over(remote, |_| {}).await;
    assert_eq!(errno(world.create("b").await), Errno::ReadOnly);
}

// [append-1]
#[tokio::test]
async fn appends_go_to_the_end_as_it_is_then() {
    let world = World::new().await;
    store(&world.remote.inner, "a", "0").await;
    let flags = OpenFlags { append: true, ..OpenFlags::READ_WRITE };
    let [one, two] = [world.open("a", flags).await.unwrap(), world.open("a", flags).await.unwrap()];
    for turn in 0..20 {
        let (first, second) =
            tokio::join!(world.vfs.write(one, 0, "aa".into()), world.vfs.write(two, 0, "bb".into()));
        assert_eq!((first.unwrap(), second.unwrap()), (2, 2), "{turn}");
    }
    let all = world.read_all(one).await.unwrap();
    assert_eq!(all.len(), 81);
    assert!(all[1..].chunks(2).all(|pair| pair == b"aa" || pair == b"bb"));
}

// [empty-1]
#[tokio::test]
async fn empty_files_stay_here_until_they_have_content() {
    let mut world = World::with(without_empty_files(), |_| {}).await;
    world.write("empty", "").await.unwrap();
    world.write("emptied", "x").await.unwrap();
    world.vfs.sync().await.unwrap();
    world.write("emptied", "").await.unwrap();
    until("the old version goes", || async { world.at_service("emptied").await.is_none() }).await;
    world.vfs.sync().await.unwrap();
    assert_eq!(world.vfs.status().empty, 2);
    world.restart().await;
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["emptied", "empty"]);
    world.rename("empty", "renamed").await.unwrap();
    world.restart().await;
    let handle = world.open("renamed", OpenFlags::READ_WRITE).await.unwrap();
    world.vfs.write(handle, 0, "content".into()).await.unwrap();
    world.vfs.release(handle);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.all_at_service().await, [("renamed".into(), 7)]);
    world.remove("emptied").await.unwrap();
    assert_eq!((world.vfs.status().empty, world.vfs.status().dirty), (0, 0));
}

// [truncate-1]
#[tokio::test]
async fn a_size_can_be_set_with_and_without_a_handle() {
    let world = World::new().await;
    store(&world.remote.inner, "a", "123456").await;
    let size = |size| SetAttributes { size: Some(size), modified: None };
    let id = world.id("a").await;
    assert_eq!(world.vfs.set_attributes(id, size(3)).await.unwrap().size, 3);
    assert_eq!(world.vfs.set_attributes(id, size(5)).await.unwrap().size, 5);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"123\0\0");
    let handle = world.open("a", OpenFlags::READ_WRITE).await.unwrap();
    world.vfs.set_attributes(id, size(1)).await.unwrap();
    assert_eq!(world.vfs.status().open, 1);
    world.vfs.write(handle, 2, "x".into()).await.unwrap();
    world.vfs.release(handle);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"1\0x");
    let folder = world.make_folder("folder").await.unwrap();
    assert_eq!(errno(world.vfs.set_attributes(folder, size(1)).await), Errno::IsFolder);
    assert_eq!(errno(world.vfs.set_attributes(id, size(u64::MAX)).await), Errno::Invalid);
}

// [fsync-1]
#[tokio::test]
async fn fsync_is_safe_here_or_at_the_service() {
    let mut world = World::new().await;
    let handle = world.create("a").await.unwrap();
    world.vfs.write(handle, 0, "synced".into()).await.unwrap();
    world.vfs.fsync(handle).await.unwrap();
    assert_eq!(world.remote.count("write"), 0);
    world.restart().await;
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"synced");

    let world = World::with(MemoryRemote::new("memory:"), |options| options.fsync = Fsync::Service).await;
    let handle = world.create("a").await.unwrap();
    for text in ["1", "22", "333"] {
        world.vfs.write(handle, 0, text.into()).await.unwrap();
        world.vfs.fsync(handle).await.unwrap();
        assert_eq!(world.at_service("a").await.unwrap(), text.as_bytes());
    }
    world.remote.fail("write", Fault::Lasting, 1);
    world.vfs.write(handle, 0, "4444".into()).await.unwrap();
    assert_eq!(errno(world.vfs.fsync(handle).await), Errno::Io);
    world.vfs.release(handle);
}

// [release-1] [sync-1]
#[tokio::test]
async fn what_was_closed_outlives_the_program() {
    let mut world =
        World::with(MemoryRemote::new("memory:"), |options| options.write_back = Duration::from_secs(3600))
            .await;
    world.write("a", "x").await.unwrap();
    world.vfs.shutdown();
    assert_eq!(errno(world.create("b").await), Errno::Interrupted);
    world.restart().await;
    assert_eq!((world.vfs.status().waiting, world.vfs.status().dirty), (1, 1));
    assert!(world.at_service("a").await.is_none());
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), b"x");
    assert_eq!((world.vfs.status().waiting, world.vfs.status().dirty), (0, 0));
    assert_eq!(world.remote.info().name, "memory:");
}

// [full-1]
#[tokio::test(start_paused = true)]
async fn a_writer_waits_for_room_and_then_fails() {
    let world = World::with(MemoryRemote::new("memory:"), |options| {
        (options.cache_max_size, options.write_back) = (Some(1000), Duration::from_secs(3600));
    })
    .await;
    world.write("a", vec![1; 600]).await.unwrap();
    // Room comes as soon as the first is sent, which doesn't wait for its time.
    world.write("b", vec![2; 600]).await.unwrap();
    assert_eq!(world.at_service("a").await.unwrap(), [1; 600]);
    // Nothing could make room for this.
    let handle = world.create("c").await.unwrap();
    let start = tokio::time::Instant::now();
    world.vfs.write(handle, 0, vec![3; 900].into()).await.unwrap();
    let error = world.vfs.write(handle, 900, vec![3; 200].into()).await.unwrap_err();
    assert_eq!(error.errno(), Errno::NoSpace);
    assert!(start.elapsed() < Duration::from_secs(30));
    // What could make room doesn't.
    world.vfs.release(handle);
    let gate = world.remote.hold("write");
    let start = tokio::time::Instant::now();
    assert_eq!(errno(world.write("d", vec![4; 900]).await), Errno::NoSpace);
    assert!(start.elapsed() >= Duration::from_secs(60));
    gate.add_permits(10);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("c").await.unwrap(), [3; 900]);
}
