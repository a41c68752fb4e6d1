//! What is shown of a remote, and how old it may be.

use std::time::{Duration, SystemTime};

use fichier_storage::{Remote as _, Times, memory::MemoryRemote};
use fichier_vfs::{Attributes, Errno, Event, Kind, OpenFlags, SetAttributes};

use crate::{
    watched::Watched,
    world::{ROOT, World, errno, path, store, until},
};

// [fresh-1] [fresh-3]
#[tokio::test]
async fn a_folder_is_listed_once_and_a_missing_name_costs_nothing() {
    let world = World::new().await;
    store(&world.remote.inner, "a/b/file", "x").await;
    assert_eq!(world.remote.total(), 0);
    assert_eq!(world.names("a/b").await, ["file"]);
    assert_eq!(world.remote.count("list"), 3);
    for _ in 0..3 {
        assert_eq!(errno(world.find("a/none").await), Errno::NotFound);
        assert_eq!(world.names("a").await, ["b/"]);
        assert_eq!(world.find("a/b/file").await.unwrap().size, 1);
    }
    assert_eq!(world.remote.total(), 3);
}

// [fresh-2] [fresh-5]
#[tokio::test]
async fn an_old_folder_is_answered_at_once_and_listed_again() {
    let world = World::with(MemoryRemote::new("memory:"), |options| {
        options.dir_cache_time = Duration::from_millis(50);
    })
    .await;
    store(&world.remote.inner, "a", "x").await;
    let mut events = world.vfs.events();
    assert_eq!(world.names("").await, ["a"]);
    store(&world.remote.inner, "b", "y").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let gate = world.remote.hold("list");
    assert_eq!(world.names("").await, ["a"]);
    gate.add_permits(1000);
    until("the second look shows it", || async { world.names("").await == ["a", "b"] }).await;
    let event = events.recv().await.unwrap();
    assert!(matches!(&event, Event::Entry { folder: ROOT, name } if name.as_bytes() == b"b"), "{event:?}");
    store(&world.remote.inner, "c", "y").await;
    world.vfs.refresh(ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["a", "b", "c"]);
}

// [fresh-4] [crash-4]
#[tokio::test]
async fn what_is_unsent_lies_over_every_listing() {
    let mut world =
        World::with(MemoryRemote::new("memory:"), |options| options.write_back = Duration::from_secs(3600))
            .await;
    for name in ["gone", "renamed", "changed"] {
        store(&world.remote.inner, name, "old").await;
    }
    let gates: Vec<_> = ["remove", "rename", "make_folders"].map(|kind| world.remote.hold(kind)).into();
    world.write("new", "1").await.unwrap();
    world.write("changed", "longer").await.unwrap();
    world.remove("gone").await.unwrap();
    world.rename("renamed", "other").await.unwrap();
    world.make_folder("folder").await.unwrap();
    let shown = ["changed", "folder/", "new", "other"];
    for _ in 0..2 {
        world.vfs.refresh(ROOT).await.unwrap();
        assert_eq!(world.names("").await, shown);
        assert_eq!(world.find("changed").await.unwrap().size, 6);
        let calls = world.remote.count("list");
        world.restart().await;
        // The journal alone tells of it, without a call.
        assert_eq!(world.remote.count("list"), calls);
        assert_eq!(world.names("").await, shown);
        assert_eq!(world.read("changed").await.unwrap(), b"longer");
    }
    gates.iter().for_each(|gate| gate.add_permits(1000));
    world.vfs.sync().await.unwrap();
    world.vfs.refresh(ROOT).await.unwrap();
    assert_eq!(world.names("").await, shown);
    assert_eq!(world.at_service("other").await.unwrap(), b"old");
}

// [fresh-6]
#[tokio::test]
async fn a_folder_that_somebody_removed_goes_unless_something_in_it_is_unsent() {
    let world =
        World::with(MemoryRemote::new("memory:"), |options| options.write_back = Duration::from_secs(3600))
            .await;
    for name in ["a/x", "b/x"] {
        store(&world.remote.inner, name, "1").await;
    }
    assert_eq!(
        (world.names("a").await, world.names("b").await),
        (vec!["x".to_owned()], vec!["x".to_owned()])
    );
    world.write("b/mine", "2").await.unwrap();
    for name in ["a", "b"] {
        let file = world
            .remote
            .inner
            .find(&path(name).join(&path("x").name().unwrap()), fichier_storage::Freshness::Known)
            .await;
        world.remote.inner.remove(&[file.unwrap().as_file().unwrap().clone()]).await;
        world.remote.inner.remove_folders(&[path(name)]).await;
    }
    world.vfs.refresh(ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["b/"]);
    world.vfs.refresh(world.id("b").await).await.unwrap();
    assert_eq!(world.names("b").await, ["mine"]);
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("b/mine").await.unwrap(), b"2");
}

// [names-2]
#[tokio::test]
async fn what_cannot_be_read_is_left_out() {
    let world = World::new().await;
    store(&world.remote.inner, "a", "x").await;
    store(&world.remote.inner, "hidden", "x").await;
    world.remote.inner.hide(&path("hidden"), "it doesn't decrypt");
    assert_eq!(world.names("").await, ["a"]);
}

// [names-3]
#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let remote = Watched::with_info(MemoryRemote::new("memory:"), |info| {
        info.names.longest = Some(fichier_storage::NameLength::Characters(250));
    });
    let world = World::over(remote, |_| {}).await;
    for name in [&b""[..], b".", b"..", b"a/b", b"a\0b"] {
        assert_eq!(errno(world.vfs.make_folder(ROOT, name).await), Errno::Invalid);
    }
    assert_eq!(errno(world.create(&"é".repeat(251)).await), Errno::NameTooLong);
    world.write(&"é".repeat(250), "x").await.unwrap();
    world.vfs.make_folder(ROOT, b"\xff\xfe").await.unwrap();
    assert_eq!(world.names("").await.len(), 2);
}

// [names-4]
#[tokio::test]
async fn case_can_be_ignored() {
    let world = World::with(MemoryRemote::new("memory:"), |options| options.case_insensitive = true).await;
    for name in ["Holiday.jpg", "two", "Two"] {
        store(&world.remote.inner, name, "x").await;
    }
    let id = world.id("Holiday.jpg").await;
    assert_eq!(world.id("hOLIDAY.JPG").await, id);
    assert_eq!(errno(world.find("TWO").await), Errno::NotFound);
    assert_ne!(world.id("two").await, world.id("Two").await);
    assert_eq!(errno(world.create("holiday.jpg").await), Errno::Exists);
    world.remove("holiday.JPG").await.unwrap();
    assert_eq!(world.names("").await, ["Two", "two"]);
}

async fn touch(world: &World, at: &str, time: SystemTime) -> Attributes {
    let set = SetAttributes { modified: Some(time), size: None };
    world.vfs.set_attributes(world.id(at).await, set).await.unwrap()
}

// [stat-1] [stat-4]
#[tokio::test]
async fn times_stay_where_the_service_keeps_none() {
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 5);
    for times in [Times::default(), Times { precision: Some(Duration::from_nanos(1)), settable: true }] {
        let mut world = World::with(MemoryRemote::new("memory:").with_times(times), |_| {}).await;
        store(&world.remote.inner, "theirs", "x").await;
        world.write("ours", "x").await.unwrap();
        for name in ["ours", "theirs"] {
            assert_eq!(touch(&world, name, time).await.modified, time);
        }
        world.vfs.sync().await.unwrap();
        // A new name is no change.
        world.rename("ours", "renamed").await.unwrap();
        world.vfs.sync().await.unwrap();
        for _ in 0..2 {
            for name in ["renamed", "theirs"] {
                let found = world.find(name).await.unwrap();
                assert_eq!((found.modified, found.size), (time, 1), "{name} {times:?}");
            }
            world.restart().await;
        }
        // Nothing else can be set, and nothing is refused.
        let id = world.id("theirs").await;
        world.vfs.set_attributes(id, SetAttributes::default()).await.unwrap();
    }
}

// [stat-3]
#[tokio::test]
async fn without_times_files_have_that_of_their_folder() {
    let world = World::with(MemoryRemote::new("memory:"), |options| options.no_modtime = true).await;
    world.make_folder("a").await.unwrap();
    world.write("a/x", "1").await.unwrap();
    assert_eq!(world.find("a/x").await.unwrap().modified, world.find("a").await.unwrap().modified);
}

// [stat-2]
#[tokio::test]
async fn attributes_are_those_of_the_options() {
    let world =
        World::with(MemoryRemote::new("memory:"), |options| (options.uid, options.gid) = (7, 8)).await;
    world.write("a", "1234").await.unwrap();
    let found = world.find("a").await.unwrap();
    assert_eq!((found.kind, found.size, found.permissions, found.links), (Kind::File, 4, 0o644, 1));
    assert_eq!((found.uid, found.gid), (7, 8));
    let root = world.vfs.attributes(ROOT).await.unwrap();
    assert_eq!((root.kind, root.permissions, root.links), (Kind::Folder, 0o755, 2));
}

// [readdir-1]
#[tokio::test]
async fn an_open_folder_stays_as_it_was() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.write(name, "x").await.unwrap();
    }
    let handle = world.vfs.open_folder(ROOT).await.unwrap();
    let first = world.vfs.read_folder(handle, 0, 2).unwrap();
    world.remove("c").await.unwrap();
    world.write("e", "x").await.unwrap();
    let second = world.vfs.read_folder(handle, first[1].next, 10).unwrap();
    let names: Vec<_> = first.iter().chain(&second).map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert!(world.vfs.read_folder(handle, second[1].next, 10).unwrap().is_empty());
    assert_eq!(world.vfs.read_folder(handle, first[0].next, 1).unwrap()[0].name.to_string(), "b");
    world.vfs.release_folder(handle);
    assert_eq!(errno(world.vfs.read_folder(handle, 0, 1)), Errno::BadHandle);
    assert_eq!(errno(world.vfs.open_folder(world.id("a").await).await), Errno::NotFolder);
}

// [statfs-1]
#[tokio::test]
async fn room_is_asked_for_seldom() {
    let world = World::new().await;
    store(&world.remote.inner, "a/b", "12345").await;
    let first = world.vfs.statistics().await.unwrap();
    assert_eq!((first.total, first.free, first.files), (1 << 50, (1 << 50) - 5, 1));
    store(&world.remote.inner, "c", "12345").await;
    assert_eq!(world.vfs.statistics().await.unwrap(), first);
    assert_eq!(world.remote.total(), 0);
    let world = World::over(world.remote.clone(), |options| {
        (options.used_is_size, options.disk_space_total_size) = (true, Some(100));
    })
    .await;
    let sum = world.vfs.statistics().await.unwrap();
    assert_eq!((sum.total, sum.free, sum.files), (100, 90, 2));
    let calls = world.remote.total();
    world.vfs.statistics().await.unwrap();
    assert_eq!(world.remote.total(), calls);
}

// [xattr-1]
#[tokio::test]
async fn the_checksum_is_an_attribute() {
    let world = World::new().await;
    world.write("a", "abc").await.unwrap();
    let id = world.id("a").await;
    world.vfs.sync().await.unwrap();
    assert_eq!(world.vfs.extended_attributes(id).await.unwrap(), ["user.whirlpool"]);
    let sum = world.vfs.extended_attribute(id, "user.whirlpool").await.unwrap();
    assert_eq!(sum, fichier_storage::Whirlpool::of(b"abc").to_string().into_bytes());
    for name in ["user.fichier.link", "user.other", "security.capability"] {
        assert_eq!(errno(world.vfs.extended_attribute(id, name).await), Errno::NoData);
    }
    assert_eq!(errno(world.vfs.set_extended_attribute(id, "user.x").await), Errno::NotSupported);
    let handle = world.open("a", OpenFlags::READ_WRITE).await.unwrap();
    world.vfs.write(handle, 0, "x".into()).await.unwrap();
    assert_eq!(errno(world.vfs.extended_attribute(id, "user.whirlpool").await), Errno::NoData);
}

// [special-1] There is no call to make links or devices; what a shared map writes are writes.
#[tokio::test]
async fn a_folder_of_the_remote_can_be_the_root() {
    let world = World::new().await;
    store(&world.remote.inner, "a/b/file", "x").await;
    let at = |text| fichier_storage::Location { remote: world.remote.clone(), path: path(text) };
    let vfs = fichier_vfs::Vfs::open(at("a/b"), world.options.clone()).await.unwrap();
    assert_eq!(vfs.lookup(ROOT, b"file").await.unwrap().size, 1);
    assert_eq!(errno(vfs.remove_folder(ROOT, b"..").await), Errno::Invalid);
    let missing = fichier_vfs::Vfs::open(at("none"), world.options.clone()).await.unwrap_err();
    assert_eq!(missing.errno(), Errno::NotFound);
    let file = fichier_vfs::Vfs::open(at("a/b/file"), world.options.clone()).await.unwrap_err();
    assert_eq!(file.errno(), Errno::NotFolder);
    assert!(missing.to_string().contains("memory:none"), "{missing}");
}
