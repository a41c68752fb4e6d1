//! What it costs, in calls.

use fichier_storage::memory::MemoryRemote;
use fichier_vfs::{CacheMode, OpenFlags};

use crate::world::{World, store};

#[tokio::test]
async fn a_thousand_small_files_cost_few_calls_and_go_in_lists() {
    let world = World::with(MemoryRemote::new("memory:"), |options| {
        options.write_back = std::time::Duration::from_millis(600);
    })
    .await;
    for folder in 0..10 {
        world.make_folder(&folder.to_string()).await.unwrap();
        for file in 0..100 {
            world.write(&format!("{folder}/{file}"), vec![b'x'; 1024]).await.unwrap();
        }
    }
    world.vfs.sync().await.unwrap();
    let calls = world.remote.total();
    assert!(calls <= 45, "{calls}");
    assert_eq!(world.all_at_service().await.len(), 1010);
    assert_eq!(world.remote.stored.lock().unwrap().values().max(), Some(&1));
    // And all of them go.
    for folder in 0..10 {
        for name in world.names(&folder.to_string()).await {
            world.remove(&format!("{folder}/{name}")).await.unwrap();
        }
        world.remove_folder(&folder.to_string()).await.unwrap();
    }
    world.vfs.sync().await.unwrap();
    assert!(world.remote.total() - calls <= 20, "{}", world.remote.total() - calls);
    assert!(world.all_at_service().await.is_empty());
}

// [read-2]
#[tokio::test]
async fn a_hundred_seeks_open_one_reader() {
    let world =
        World::with(MemoryRemote::new("memory:"), |options| options.cache_mode = CacheMode::Full).await;
    let all: Vec<u8> = (0..64_u32 << 20).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    store(&world.remote.inner, "a", all.clone()).await;
    for turn in 0..2 {
        let streams = world.remote.count("stream");
        for seek in 0..100_usize {
            // A handle of its own each time: the reader outlives them.
            let handle = world.open("a", OpenFlags::READ).await.unwrap();
            let at = seek * 7919 % 1000 * 65_536;
            let read = world.vfs.read(handle, at as u64, 65_536).await.unwrap();
            assert!(read[..] == all[at..at + 65_536]);
            world.vfs.release(handle);
        }
        assert_eq!(world.remote.count("reader"), 1);
        assert!(turn == 0 || world.remote.count("stream") == streams);
    }
}

// [read-4] A media scanner's passes.
#[tokio::test]
async fn heads_and_tails_are_read_once() {
    let mut world =
        World::with(MemoryRemote::new("memory:"), |options| options.cache_mode = CacheMode::Minimal).await;
    for file in 0..20_u8 {
        store(&world.remote.inner, &format!("{file}"), vec![file; 3 << 20]).await;
    }
    for turn in 0..3 {
        let streams = world.remote.count("stream");
        for file in 0..20_u8 {
            let handle = world.open(&file.to_string(), OpenFlags::READ).await.unwrap();
            for at in [0, (3 << 20) - (256 << 10)] {
                assert!(world.vfs.read(handle, at, 256 << 10).await.unwrap() == vec![file; 256 << 10]);
            }
            world.vfs.release(handle);
        }
        let streams = world.remote.count("stream") - streams;
        assert!(if turn == 0 { streams <= 40 } else { streams == 0 }, "{turn}: {streams}");
        if turn == 1 {
            world.restart().await;
        }
    }
}
