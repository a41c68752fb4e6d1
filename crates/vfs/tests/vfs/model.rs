//! Random operations against a plain map of names and bytes, with kills in between, faults, and another client.

use std::{collections::BTreeMap, time::Duration};

use fichier_storage::{Remote as _, RemoteExt as _, Times, memory::MemoryRemote};
use fichier_vfs::{CacheMode, Errno, OpenFlags, SetAttributes};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use crate::{
    watched::Fault,
    world::{World, path, store},
};

/// What one step does. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Write {
        name: u8,
        length: u16,
    },
    WriteAt {
        name: u8,
        offset: u16,
        length: u16,
    },
    Truncate {
        name: u8,
        size: u16,
    },
    Read {
        name: u8,
    },
    Remove {
        name: u8,
    },
    Rename {
        from: u8,
        to: u8,
    },
    MakeFolder {
        name: u8,
    },
    RemoveFolder {
        name: u8,
    },
    RenameFolder {
        from: u8,
        to: u8,
    },
    /// Another client stores a file of its own.
    Theirs {
        name: u8,
    },
    Refresh,
    Sync,
    Wait,
    Kill,
    /// A call is done, and the program ends before its answer.
    KillInFlight {
        kind: u8,
    },
    Fail {
        kind: u8,
        times: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..12_u8;
    prop_oneof![
        6 => (name.clone(), 0..3000_u16).prop_map(|(name, length)| Step::Write { name, length }),
        3 => (name.clone(), 0..3000_u16, 1..500_u16)
            .prop_map(|(name, offset, length)| Step::WriteAt { name, offset, length }),
        2 => (name.clone(), 0..3000_u16).prop_map(|(name, size)| Step::Truncate { name, size }),
        3 => name.clone().prop_map(|name| Step::Read { name }),
        3 => name.clone().prop_map(|name| Step::Remove { name }),
        4 => (name.clone(), name).prop_map(|(from, to)| Step::Rename { from, to }),
        2 => (0..3_u8).prop_map(|name| Step::MakeFolder { name }),
        2 => (0..3_u8).prop_map(|name| Step::RemoveFolder { name }),
        2 => (0..3_u8, 0..3_u8).prop_map(|(from, to)| Step::RenameFolder { from, to }),
        1 => (0..3_u8).prop_map(|name| Step::Theirs { name }),
        1 => Just(Step::Refresh),
        2 => Just(Step::Sync),
        2 => Just(Step::Wait),
        2 => Just(Step::Kill),
        2 => (0..5_u8).prop_map(|kind| Step::KillInFlight { kind }),
        2 => (0..6_u8, 1..3_u8).prop_map(|(kind, times)| Step::Fail { kind, times }),
    ]
}

/// The model: folders by name, and files with their bytes.
#[derive(Debug, Default)]
struct Model {
    folders: BTreeMap<String, ()>,
    files: BTreeMap<String, Vec<u8>>,
}

/// The path of a number: four files in the root, and four in each of two folders.
fn file_of(name: u8) -> String {
    match name {
        0..4 => format!("file{name}"),
        _ => format!("folder{}/file{}", name / 4 - 1, name % 4),
    }
}

fn folder_of(name: u8) -> String {
    format!("folder{name}")
}

fn content(seed: usize, length: u16) -> Vec<u8> {
    (0..usize::from(length)).map(|at| u8::try_from((at * 7 + seed * 13) % 251).unwrap()).collect()
}

impl Model {
    fn has_place_for(&self, at: &str) -> bool {
        at.split_once('/').is_none_or(|(folder, _)| self.folders.contains_key(folder))
    }

    fn is_empty(&self, folder: &str) -> bool {
        !self.files.keys().any(|name| name.starts_with(&format!("{folder}/")))
    }
}

const KINDS: [&str; 6] = ["write", "remove", "rename", "make_folders", "remove_folders", "list"];

async fn run(steps: &[Step], mode: CacheMode, doubles: bool) {
    let remote = MemoryRemote::new("memory:").with_times(if doubles {
        Times::default()
    } else {
        Times { precision: Some(Duration::from_nanos(1)), settable: true }
    });
    let remote = remote.with_features(|features| features.duplicates = doubles);
    let mut world = World::with(remote, |options| options.cache_mode = mode).await;
    let mut model = Model::default();
    for (number, step) in steps.iter().enumerate() {
        apply(&mut world, &mut model, number, step).await;
    }
    world.remote.heal();
    compare(&world, &model).await;
    world.vfs.sync().await.unwrap();
    // What failed passingly or had to wait may have queued something more.
    while world.vfs.status().changes > 0 {
        world.vfs.sync().await.unwrap();
    }
    world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
    compare(&world, &model).await;
    let wanted: Vec<(String, u64)> = {
        let files = model.files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64));
        let mut all: Vec<_> = files.chain(model.folders.keys().map(|name| (format!("{name}/"), 0))).collect();
        all.sort();
        all
    };
    assert_eq!(world.all_at_service().await, wanted);
    for (name, bytes) in &model.files {
        assert!(world.at_service(name).await.as_ref() == Some(bytes), "{name} at the service");
    }
    let status = world.vfs.status();
    assert_eq!((status.dirty, status.waiting, status.sending, status.changes), (0, 0, 0, 0));
}

async fn compare(world: &World, model: &Model) {
    let mut names = world.names("").await;
    for folder in model.folders.keys() {
        for name in world.names(folder).await {
            names.push(format!("{folder}/{name}"));
        }
    }
    names.sort();
    let folders = model.folders.keys().map(|name| format!("{name}/"));
    let mut wanted: Vec<_> = model.files.keys().cloned().chain(folders).collect();
    wanted.sort();
    assert_eq!(names, wanted);
    for (name, bytes) in &model.files {
        assert_eq!(world.find(name).await.unwrap().size, bytes.len() as u64, "{name}");
        assert!(world.read(name).await.unwrap() == *bytes, "{name}");
    }
}

async fn apply(world: &mut World, model: &mut Model, number: usize, step: &Step) {
    match step {
        Step::Write { name, length } => {
            let (at, bytes) = (file_of(*name), content(number, *length));
            if model.has_place_for(&at) {
                world.write(&at, &bytes).await.unwrap();
                model.files.insert(at, bytes);
            }
        }
        Step::WriteAt { name, offset, length } => {
            let at = file_of(*name);
            let Some(file) = model.files.get_mut(&at) else { return };
            let (offset, bytes) = (usize::from(*offset), content(number, *length));
            let handle = world.open(&at, OpenFlags::READ_WRITE).await.unwrap();
            world.vfs.write(handle, offset as u64, bytes.clone().into()).await.unwrap();
            world.vfs.release(handle);
            file.resize(file.len().max(offset + bytes.len()), 0);
            file[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        Step::Truncate { name, size } => {
            let at = file_of(*name);
            let Some(file) = model.files.get_mut(&at) else { return };
            let set = SetAttributes { size: Some((*size).into()), modified: None };
            world.vfs.set_attributes(world.id(&at).await, set).await.unwrap();
            file.resize((*size).into(), 0);
        }
        Step::Read { name } => {
            let at = file_of(*name);
            match model.files.get(&at) {
                Some(bytes) => assert!(world.read(&at).await.unwrap() == *bytes, "{number}: {at}"),
                None => assert_eq!(world.find(&at).await.unwrap_err().errno(), Errno::NotFound),
            }
        }
        Step::Remove { name } => {
            let at = file_of(*name);
            if model.files.remove(&at).is_some() {
                world.remove(&at).await.unwrap();
            }
        }
        Step::Rename { from, to } => {
            let (from, to) = (file_of(*from), file_of(*to));
            if !model.has_place_for(&to) || !model.files.contains_key(&from) {
                return;
            }
            world.rename(&from, &to).await.unwrap();
            if let Some(bytes) = model.files.remove(&from) {
                model.files.insert(to, bytes);
            }
        }
        Step::MakeFolder { name } => {
            let at = folder_of(*name);
            match model.folders.insert(at.clone(), ()) {
                None => drop(world.make_folder(&at).await.unwrap()),
                Some(()) => assert_eq!(world.make_folder(&at).await.unwrap_err().errno(), Errno::Exists),
            }
        }
        Step::RemoveFolder { name } => {
            let at = folder_of(*name);
            if !model.folders.contains_key(&at) {
                return;
            }
            match model.is_empty(&at) {
                true => {
                    world.remove_folder(&at).await.unwrap();
                    model.folders.remove(&at);
                }
                false => assert_eq!(world.remove_folder(&at).await.unwrap_err().errno(), Errno::NotEmpty),
            }
        }
        Step::RenameFolder { from, to } => {
            let (from, to) = (folder_of(*from), folder_of(*to));
            let is_possible = model.folders.contains_key(&from) && model.is_empty(&to) && from != to;
            if !is_possible {
                return;
            }
            // A passing fault of the call itself is the caller's to repeat.
            world.rename(&from, &to).await.unwrap();
            model.folders.remove(&from);
            model.folders.insert(to.clone(), ());
            let inside: Vec<_> =
                model.files.keys().filter(|name| name.starts_with(&format!("{from}/"))).cloned().collect();
            for name in inside {
                if let Some(bytes) = model.files.remove(&name) {
                    model.files.insert(name.replacen(&from, &to, 1), bytes);
                }
            }
        }
        Step::Theirs { name } => {
            let at = format!("theirs{name}");
            if model.files.contains_key(&at) {
                return;
            }
            store(&world.remote.inner, &at, content(number, 50)).await;
            model.files.insert(at, content(number, 50));
            world.remote.heal();
            world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap();
        }
        Step::Refresh => {
            world.remote.heal();
            let id = world.vfs.attributes(fichier_vfs::NodeId::ROOT).await.unwrap().id;
            world.vfs.refresh(id).await.unwrap();
        }
        Step::Sync => {
            // With faults it may say that something isn't sent.
            drop(world.vfs.sync().await);
        }
        Step::Wait => tokio::time::sleep(Duration::from_millis(170)).await,
        Step::Kill => {
            world.remote.heal();
            world.restart().await;
        }
        Step::KillInFlight { kind } => {
            world.remote.heal();
            world.remote.fail(KINDS[usize::from(*kind)], Fault::Unanswered, 1);
            tokio::time::sleep(Duration::from_millis(190)).await;
            world.restart().await;
        }
        Step::Fail { kind, times } => {
            let kind = KINDS[usize::from(*kind)];
            // Of a listing, the one who asks is told; that isn't what is tried here.
            if kind != "list" {
                world.remote.fail(kind, Fault::Passing, (*times).into());
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// `VFS_MODEL_CASES` sets how many cases are run, and `VFS_MODEL_SEED` another seed.
fn many(cases: u32, seed: u64, mode: CacheMode, doubles: bool) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("VFS_MODEL_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(cases);
    let seed = number("VFS_MODEL_SEED").unwrap_or(seed);
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let runtime = runtime();
    TestRunner::new(config)
        .run(&vec(step(), 1..40), |steps| {
            runtime.block_on(run(&steps, mode, doubles));
            Ok(())
        })
        .unwrap();
}

// [crash-1] [fresh-4] [order-1]
#[test]
fn random_operations_do_what_they_do_in_a_map() {
    many(20, 1, CacheMode::Full, false);
}

// [crash-1] [write-6]
#[test]
fn random_operations_do_what_they_do_in_a_map_where_names_can_be_double() {
    many(20, 2, CacheMode::Off, true);
}

// [open-2] Another client changes what it likes. Nothing that we wrote is lost, and nothing fails.
#[tokio::test]
async fn another_client_may_change_what_it_likes() {
    let remote = MemoryRemote::new("memory:").with_times(Times::default());
    let world = World::with(remote.with_features(|features| features.duplicates = true), |_| {}).await;
    for number in 0..60_u16 {
        let at = file_of(u8::try_from(number % 4).unwrap());
        match number % 5 {
            0 => store(&world.remote.inner, &at, content(number.into(), 60)).await,
            1 => {
                if let Ok(found) = world.remote.inner.entry(&path(&at)).await
                    && let Some(file) = found.as_file()
                {
                    world.remote.inner.remove(std::slice::from_ref(file)).await;
                }
            }
            2 => world.vfs.refresh(fichier_vfs::NodeId::ROOT).await.unwrap(),
            _ => world.write(&format!("mine{number}"), content(number.into(), 40)).await.unwrap(),
        }
        if number % 3 == 0 {
            // Ours may meet theirs under one name, and is what counts then.
            drop(world.write(&at, content(number.into(), 30)).await);
        }
        let names = world.names("").await;
        let mut once = names.clone();
        once.dedup();
        assert_eq!(names, once);
    }
    world.vfs.sync().await.unwrap();
    for number in (0..60_u16).filter(|number| number % 5 > 2) {
        assert_eq!(world.at_service(&format!("mine{number}")).await.unwrap(), content(number.into(), 40));
    }
}
