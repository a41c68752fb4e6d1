//! What is there after the program was killed.

use std::time::Duration;

use fichier_storage::{Times, memory::MemoryRemote};
use fichier_vfs::{NodeId, OpenFlags};

use crate::{
    watched::Fault,
    world::{World, store, until},
};

/// A remote on which a file that was stored twice is there twice.
fn telling() -> MemoryRemote {
    MemoryRemote::new("memory:")
        .with_times(Times::default())
        .with_features(|features| features.duplicates = true)
}

// [crash-1]
#[tokio::test]
async fn what_was_done_is_finished_after_a_kill() {
    let mut world = World::with(telling(), |options| options.write_back = Duration::from_secs(3600)).await;
    for name in ["a/x", "a/y", "a/z", "gone/x"] {
        store(&world.remote.inner, name, name).await;
    }
    // Nothing reaches the service before the kill.
    let fail = |world: &World| {
        for kind in ["remove", "rename", "make_folders", "remove_folders"] {
            world.remote.fail(kind, Fault::Passing, 1000);
        }
    };
    fail(&world);
    world.make_folder("new").await.unwrap();
    world.write("new/file", "1").await.unwrap();
    world.rename("a/x", "new/x").await.unwrap();
    world.rename("new/x", "new/twice").await.unwrap();
    world.write("a/y", "changed").await.unwrap();
    world.rename("a/y", "y").await.unwrap();
    world.remove("a/z").await.unwrap();
    world.remove("gone/x").await.unwrap();
    world.remove_folder("gone").await.unwrap();
    for _ in 0..2 {
        world.restart().await;
        fail(&world);
        assert_eq!(world.names("").await, ["a/", "new/", "y"]);
        assert_eq!(world.names("new").await, ["file", "twice"]);
    }
    assert_eq!(world.remote.count("write"), 0);
    world.remote.heal();
    world.vfs.sync().await.unwrap();
    let all = world.all_at_service().await;
    let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a/", "new/", "new/file", "new/twice", "y"]);
    assert_eq!(world.at_service("new/twice").await.unwrap(), b"a/x");
    assert_eq!(world.at_service("y").await.unwrap(), b"changed");
}

// [crash-2]
#[tokio::test]
async fn what_was_being_written_is_there_as_far_as_it_was_fsynced() {
    let mut world = World::new().await;
    store(&world.remote.inner, "theirs", "whole").await;
    let new = world.create("new").await.unwrap();
    world.vfs.write(new, 0, "half".into()).await.unwrap();
    let theirs = world.open("theirs", OpenFlags { truncate: true, ..OpenFlags::READ_WRITE }).await.unwrap();
    world.vfs.write(theirs, 0, "ha".into()).await.unwrap();
    let synced = world.create("synced").await.unwrap();
    world.vfs.write(synced, 0, "safe".into()).await.unwrap();
    world.vfs.fsync(synced).await.unwrap();
    let handle = world.create("closed").await.unwrap();
    world.vfs.write(handle, 0, "first".into()).await.unwrap();
    world.remote.fail("write", Fault::Passing, 1000);
    world.vfs.release(handle);
    let handle = world.open("closed", OpenFlags { truncate: true, ..OpenFlags::READ_WRITE }).await.unwrap();
    world.vfs.write(handle, 0, "2n".into()).await.unwrap();
    world.restart().await;
    world.remote.heal();
    assert_eq!(world.names("").await, ["closed", "synced", "theirs"]);
    world.vfs.sync().await.unwrap();
    for (name, bytes) in [("closed", "first"), ("synced", "safe"), ("theirs", "whole")] {
        assert_eq!(world.at_service(name).await.unwrap(), bytes.as_bytes());
        assert_eq!(world.read(name).await.unwrap(), bytes.as_bytes());
    }
    assert_eq!(world.all_at_service().await.len(), 3);
    // The rest is kept for a while.
    let journal =
        std::fs::read_dir(world.home.path().join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut kept: Vec<_> = std::fs::read_dir(journal.join("unfinished"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["2n", "ha", "half"]);
}

// [crash-3] The answer of an upload is lost with the program.
#[tokio::test]
async fn what_had_arrived_is_not_stored_twice() {
    let mut world = World::with(telling(), |options| options.transfers = 16).await;
    store(&world.remote.inner, "a/replaced", "old").await;
    world.remote.fail("write", Fault::Unanswered, 1000);
    for name in ["a/replaced", "a/same", "a/other", "a/gone", "a/moved"] {
        world.write(name, "new").await.unwrap();
    }
    until("they have arrived", || async { world.remote.stored.lock().unwrap().len() == 5 }).await;
    world.rename("a/moved", "elsewhere").await.unwrap();
    world.remove("a/gone").await.unwrap();
    world.write("a/other", "newer").await.unwrap();
    world.restart().await;
    world.remote.heal();
    let names = world.names("a").await;
    assert_eq!(names, ["other", "replaced", "same"], "{:?}", world.all_at_service().await);
    world.vfs.sync().await.unwrap();
    until("all is settled", || async { world.vfs.status().changes == 0 }).await;
    let all = world.all_at_service().await;
    let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a/", "a/other", "a/replaced", "a/same", "elsewhere"]);
    assert_eq!(world.at_service("a/other").await.unwrap(), b"newer");
    let stored = world.remote.stored.lock().unwrap().clone();
    assert_eq!((stored["a/same"], stored["a/replaced"], stored["a/other"]), (1, 1, 2));
    world.vfs.refresh(NodeId::ROOT).await.unwrap();
    assert_eq!(world.names("").await, ["a/", "elsewhere"]);
}

// [crash-1] The program ends while a folder is being renamed.
#[tokio::test]
async fn a_folder_rename_that_was_cut_off_has_been_done_or_not() {
    for (fault, now) in [(Fault::Unanswered, "new"), (Fault::Passing, "old")] {
        let mut world =
            World::with(telling(), |options| options.write_back = Duration::from_secs(3600)).await;
        store(&world.remote.inner, "old/x", "x").await;
        world.write("old/unsent", "y").await.unwrap();
        if fault == Fault::Unanswered {
            world.remote.fail("rename_folders", fault, 1);
            let vfs = world.vfs.clone();
            let renaming = tokio::spawn(async move {
                vfs.rename(NodeId::ROOT, b"old", NodeId::ROOT, b"new", fichier_vfs::RenameMode::Replace).await
            });
            until("it is renamed", || async { world.at_service("new/x").await.is_some() }).await;
            renaming.abort();
            drop(renaming.await);
        }
        world.restart().await;
        assert_eq!(world.names("").await, [format!("{now}/")]);
        assert_eq!(world.names(now).await, ["unsent", "x"]);
        world.vfs.sync().await.unwrap();
        let all = world.all_at_service().await;
        let names: Vec<_> = all.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [format!("{now}/"), format!("{now}/unsent"), format!("{now}/x")]);
    }
}

/// Names the directory of the child's file system.
const CHILD: &str = "VFS_CHILD_DIRECTORY";

/// Runs only as the child of the test below: writes files for ever, and says of each when it is closed.
#[tokio::test]
async fn a_child_that_writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let options = fichier_vfs::VfsOptions {
        write_back: Duration::from_secs(3600),
        ..fichier_vfs::VfsOptions::new(directory)
    };
    let remote = crate::watched::Watched::new(MemoryRemote::new("memory:"));
    let vfs = crate::world::open(&remote, &options).await;
    for number in 0..100_000 {
        let name = format!("file{number}");
        let (_, handle) = vfs.create(NodeId::ROOT, name.as_bytes(), OpenFlags::READ_WRITE).await.unwrap();
        vfs.write(handle, 0, vec![b'x'; number % 5000].into()).await.unwrap();
        vfs.release(handle);
        // Behind the words that the test's runner writes first.
        println!("\nclosed {number}");
    }
}

// [crash-1] [release-1] A process that is really killed.
#[tokio::test]
async fn what_a_killed_process_had_closed_is_sent_by_the_next() {
    use std::io::{BufRead as _, BufReader};

    for last in [0, 7, 150] {
        let home = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashes::a_child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD, home.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut closed = lines.filter_map(|line| line.strip_prefix("closed ")?.parse::<usize>().ok());
        assert!(closed.any(|number| number == last));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = closed.last().unwrap_or(last);
        let options = crate::world::quick(&home);
        let remote = crate::watched::Watched::new(MemoryRemote::new("memory:"));
        let vfs = crate::world::open(&remote, &options).await;
        vfs.sync().await.unwrap();
        for number in 0..=last {
            let stored = crate::world::at_service(&remote.inner, &format!("file{number}")).await;
            assert_eq!(stored.unwrap(), vec![b'x'; number % 5000], "{number} of {last}");
        }
        // The one that was being closed may be there as well, and no other.
        let count = remote.stored.lock().unwrap().len();
        assert!((last + 1..=last + 2).contains(&count), "{count}, {last}");
    }
}
