//! Names made, changed and removed.

use std::time::Duration;

use fichier_storage::{Remote as _, memory::MemoryRemote};
use fichier_vfs::{Errno, Event, OpenFlags, RenameMode};

use crate::{
    watched::Fault,
    world::{ROOT, World, errno, path, store, until},
};

// [mkdir-1] [rmdir-1]
#[tokio::test]
async fn folders_are_made_and_removed_at_once_and_told_in_lists() {
    let world = World::new().await;
    for name in ["a", "a/b", "a/b/c", "d"] {
        world.make_folder(name).await.unwrap();
    }
    assert_eq!(errno(world.make_folder("a").await), Errno::Exists);
    world.vfs.sync().await.unwrap();
    assert_eq!((world.remote.count("make_folders"), world.all_at_service().await.len()), (1, 4));
    assert_eq!(errno(world.remove_folder("a").await), Errno::NotEmpty);
    world.write("file", "x").await.unwrap();
    assert_eq!(errno(world.remove_folder("file").await), Errno::NotFolder);
    assert_eq!(errno(world.remove("a").await), Errno::IsFolder);
    for name in ["a/b/c", "a/b", "a", "d"] {
        world.remove_folder(name).await.unwrap();
    }
    assert_eq!(world.names("").await, ["file"]);
    world.vfs.sync().await.unwrap();
    assert_eq!((world.remote.count("remove_folders"), world.all_at_service().await.len()), (1, 1));
}

// [rmdir-1] [failed-1]
#[tokio::test]
async fn a_folder_that_is_not_empty_appears_again() {
    let world = World::new().await;
    store(&world.remote.inner, "a/x", "x").await;
    world.remove("a/x").await.unwrap();
    let mut events = world.vfs.events();
    store(&world.remote.inner, "a/theirs", "x").await;
    world.remove_folder("a").await.unwrap();
    assert!(world.names("").await.is_empty());
    world.vfs.sync().await.unwrap();
    until("it is there again", || async { world.names("").await == ["a/"] }).await;
    assert_eq!(world.names("a").await, ["theirs"]);
    let told = loop {
        if let Event::Failed { path, reason, is_tried_again } = events.recv().await.unwrap() {
            break (path, reason, is_tried_again);
        }
    };
    assert_eq!((told.0.as_str(), told.2), ("memory:a", false));
    assert!(told.1.contains("not empty"), "{}", told.1);
}

// [unlink-1]
#[tokio::test]
async fn removed_files_go_in_one_list() {
    let world = World::new().await;
    for number in 0..50 {
        store(&world.remote.inner, &format!("a/{number}"), "x").await;
    }
    for name in world.names("a").await {
        world.remove(&format!("a/{name}")).await.unwrap();
    }
    assert_eq!(errno(world.remove("a/1").await), Errno::NotFound);
    assert!(world.names("a").await.is_empty());
    world.vfs.sync().await.unwrap();
    assert_eq!(world.remote.count("remove"), 1);
    assert_eq!(world.all_at_service().await, [("a/".into(), 0)]);
}

// [unlink-2]
#[tokio::test]
async fn a_removed_file_can_be_used_while_it_is_open() {
    let world = World::with(MemoryRemote::new("memory:"), |options| {
        options.cache_mode = fichier_vfs::CacheMode::Off;
    })
    .await;
    for name in ["a", "b"] {
        store(&world.remote.inner, &format!("folder/{name}"), "content").await;
    }
    let [a, b] = ["folder/a", "folder/b"];
    let handles =
        [world.open(a, OpenFlags::READ_WRITE).await.unwrap(), world.open(b, OpenFlags::READ).await.unwrap()];
    world.remove(a).await.unwrap();
    world.remove(b).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.read_all(handles[0]).await.unwrap(), b"content");
    world.vfs.write(handles[0], 0, "CON".into()).await.unwrap();
    assert_eq!(world.read_all(handles[0]).await.unwrap(), b"CONtent");
    assert_eq!(world.remote.count("remove"), 0);
    world.vfs.release(handles[0]);
    until("the first is removed", || async { world.at_service(a).await.is_none() }).await;
    assert!(world.at_service(b).await.is_some());
    // A later change has to wait for the second.
    world.remove_folder("folder").await.unwrap();
    until("all is removed", || async { world.all_at_service().await.is_empty() }).await;
    assert_eq!(errno(world.vfs.read(handles[1], 0, 1).await), Errno::Stale);
    world.vfs.release(handles[1]);
    assert_eq!((world.remote.count("write"), world.vfs.status().dirty), (0, 0));
}

// [rename-1]
#[tokio::test]
async fn files_are_renamed_in_lists_and_replace_what_is_there() {
    let world = World::new().await;
    for name in ["a/1", "a/2", "a/3", "b/2"] {
        store(&world.remote.inner, name, name).await;
    }
    let handle = world.open("a/2", OpenFlags::READ).await.unwrap();
    for name in ["1", "2", "3"] {
        world.rename(&format!("a/{name}"), &format!("b/{name}")).await.unwrap();
    }
    assert_eq!((world.names("a").await.len(), world.names("b").await.len()), (0, 3));
    assert_eq!(world.read("b/2").await.unwrap(), b"a/2");
    world.vfs.sync().await.unwrap();
    assert_eq!((world.remote.count("rename"), world.remote.count("remove")), (1, 0));
    assert_eq!(world.at_service("b/2").await.unwrap(), b"a/2");
    assert_eq!(world.all_at_service().await.len(), 5);
    assert_eq!(world.read_all(handle).await.unwrap(), b"a/2");
    // Round about: each step is done in its order.
    for (from, to) in [("b/1", "t"), ("b/2", "b/1"), ("t", "b/2")] {
        world.rename(from, to).await.unwrap();
    }
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("b/1").await.unwrap(), b"a/2");
    assert_eq!(world.at_service("b/2").await.unwrap(), b"a/1");
    assert_eq!(world.read("b/2").await.unwrap(), b"a/1");
}

// [rename-2]
#[tokio::test]
async fn a_folder_is_renamed_in_one_call_with_what_is_unsent() {
    let world =
        World::with(MemoryRemote::new("memory:"), |options| options.write_back = Duration::from_secs(3600))
            .await;
    for number in 0..20 {
        store(&world.remote.inner, &format!("a/deep/{number}"), "x").await;
    }
    assert_eq!(world.names("a/deep").await.len(), 20);
    world.write("a/deep/unsent", "y").await.unwrap();
    world.write("a/deep/3", "changed").await.unwrap();
    world.remove("a/deep/5").await.unwrap();
    world.make_folder("a/new").await.unwrap();
    world.rename("a/deep/7", "a/new/7").await.unwrap();
    let handle = world.open("a/deep/9", OpenFlags::READ).await.unwrap();
    let calls = world.remote.total();
    world.rename("a", "b").await.unwrap();
    assert_eq!(world.remote.count("rename_folders"), 1);
    assert!(world.remote.total() <= calls + 3);
    assert_eq!(world.names("").await, ["b/"]);
    assert_eq!(world.read("b/deep/3").await.unwrap(), b"changed");
    assert_eq!(world.read_all(handle).await.unwrap(), b"x");
    world.vfs.sync().await.unwrap();
    assert_eq!(world.at_service("b/deep/unsent").await.unwrap(), b"y");
    assert_eq!(world.at_service("b/deep/3").await.unwrap(), b"changed");
    assert_eq!(world.at_service("b/new/7").await.unwrap(), b"x");
    assert!(world.at_service("b/deep/5").await.is_none());
    assert_eq!(world.all_at_service().await.len(), 3 + 20);
    // Nothing of it hangs on the old name.
    world.vfs.refresh(ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["b/"]);
    world.remote.fail("rename_folders", Fault::Lasting, 1);
    assert_eq!(errno(world.rename("b", "c").await), Errno::Io);
    assert_eq!(world.names("").await, ["b/"]);
}

// [rename-3] [rename-4]
#[tokio::test]
async fn renames_that_cannot_be_are_refused() {
    let world = World::new().await;
    for name in ["full/x", "file", "other"] {
        store(&world.remote.inner, name, name).await;
    }
    for name in ["empty", "folder"] {
        world.make_folder(name).await.unwrap();
    }
    assert_eq!(errno(world.rename("folder", "full").await), Errno::NotEmpty);
    assert_eq!(errno(world.rename("folder", "file").await), Errno::NotFolder);
    assert_eq!(errno(world.rename("full", "full/x/y").await), Errno::NotFolder);
    assert_eq!(errno(world.rename("full", "full/y").await), Errno::Invalid);
    assert_eq!(errno(world.rename("file", "empty").await), Errno::IsFolder);
    assert_eq!(errno(world.rename("none", "empty").await), Errno::NotFound);
    assert_eq!(errno(world.rename_so("file", "other", RenameMode::NoReplace).await), Errno::Exists);
    assert_eq!(errno(world.rename_so("file", "other", RenameMode::Exchange).await), Errno::Invalid);
    world.rename_so("file", "new", RenameMode::NoReplace).await.unwrap();
    world.rename("new", "new").await.unwrap();
    world.rename("full", "empty").await.unwrap();
    world.vfs.sync().await.unwrap();
    assert_eq!(world.names("").await, ["empty/", "folder/", "new", "other"]);
    let all: Vec<_> = world.all_at_service().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(all, ["empty/", "empty/x", "folder/", "new", "other"]);
}

// [rename-5]
#[tokio::test]
async fn a_remote_that_cannot_rename_gets_the_file_anew() {
    let remote = MemoryRemote::new("memory:").with_features(|features| {
        (features.server_side_move, features.folder_move) = (false, false);
    });
    let world = World::with(remote, |_| {}).await;
    for name in ["a", "b", "folder/x"] {
        store(&world.remote.inner, name, name).await;
    }
    world.rename("a", "c").await.unwrap();
    world.rename("b", "folder/x").await.unwrap();
    world.vfs.refresh(ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["c", "folder/"]);
    world.vfs.sync().await.unwrap();
    until("the old names are gone", || async { world.vfs.status().changes == 0 }).await;
    assert_eq!(
        world.all_at_service().await,
        [("c".into(), 1), ("folder/".into(), 0), ("folder/x".into(), 1)]
    );
    assert_eq!(world.at_service("folder/x").await.unwrap(), b"b");
    assert_eq!(errno(world.rename("folder", "other").await), Errno::CrossDevice);
}

// [order-1] [failed-1]
#[tokio::test]
async fn what_is_refused_for_good_is_undone() {
    let world = World::new().await;
    for name in ["a/x", "a/y"] {
        store(&world.remote.inner, name, name).await;
    }
    world.names("a").await;
    let mut events = world.vfs.events();
    world.remote.fail("remove", Fault::Lasting, 1);
    world.remove("a/x").await.unwrap();
    world.vfs.sync().await.unwrap();
    until("it is there again", || async { world.names("a").await == ["x", "y"] }).await;
    assert!(matches!(events.recv().await.unwrap(), Event::Failed { is_tried_again: false, .. }));
    world.remote.fail("rename", Fault::Lasting, 1);
    world.rename("a/x", "z").await.unwrap();
    world.vfs.sync().await.unwrap();
    until("it has its old name", || async { world.names("a").await == ["x", "y"] }).await;
    until("and not the new one", || async { world.names("").await == ["a/"] }).await;
    assert_eq!(world.read("a/x").await.unwrap(), b"a/x");
    // What may succeed later is tried again.
    world.remote.fail("remove", Fault::Passing, 1);
    world.remove("a/x").await.unwrap();
    until("it is gone", || async { world.at_service("a/x").await.is_none() }).await;
    assert_eq!(world.remote.count("remove"), 3);
    assert_eq!(
        world.remote.inner.list(&path("a"), fichier_storage::Freshness::Known).await.unwrap().entries.len(),
        1
    );
}
