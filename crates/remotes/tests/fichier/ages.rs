//! What is known grows old: a process that runs for weeks sees what others changed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fichier_storage::{Entry, FolderRelocation, Freshness, Relocation, Remote, RemoteExt, RemotePath};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::service::{Service, batch, path};

const FOLDERS: [&str; 5] = ["", "a", "b", "a/c", "d"];
const NAMES: [&str; 2] = ["f", "g"];

#[derive(Debug, Clone, Copy)]
enum Act {
    Put(usize, usize),
    Remove(usize, usize),
    Rename(usize, usize, usize, usize),
    Make(usize),
    RemoveFolder(usize),
    MoveFolder(usize, usize),
}

fn acts() -> impl Strategy<Value = Act> {
    let (folder, name) = (0..FOLDERS.len(), 0..NAMES.len());
    prop_oneof![
        4 => (folder.clone(), name.clone()).prop_map(|(folder, name)| Act::Put(folder, name)),
        2 => (folder.clone(), name.clone()).prop_map(|(folder, name)| Act::Remove(folder, name)),
        2 => (folder.clone(), name.clone(), folder.clone(), name)
            .prop_map(|(folder, name, to, new)| Act::Rename(folder, name, to, new)),
        1 => folder.clone().prop_map(Act::Make),
        1 => folder.clone().prop_map(Act::RemoveFolder),
        2 => (folder.clone(), folder).prop_map(|(from, to)| Act::MoveFolder(from, to)),
    ]
}

/// Does it as far as it can be done: what isn't there is left alone.
async fn act(remote: &Arc<dyn Remote>, act: Act, count: usize) {
    let file = async |folder: usize, name: usize| {
        let file = remote.entry(&path(FOLDERS[folder]).join_path(&path(NAMES[name]))).await.ok()?;
        file.as_file().cloned()
    };
    match act {
        Act::Put(folder, name) => {
            let content = format!("content {count}");
            remote.write(batch(FOLDERS[folder], &[(NAMES[name], content.as_bytes())])).await;
        }
        Act::Remove(folder, name) => {
            if let Some(file) = file(folder, name).await {
                remote.remove(&[file]).await;
            }
        }
        Act::Rename(folder, name, to, new) => {
            if let Some(from) = file(folder, name).await {
                let to = path(FOLDERS[to]).join_path(&path(NAMES[new]));
                remote.rename(&[Relocation { from, to, replaces: vec![] }]).await;
            }
        }
        Act::Make(folder) => drop(remote.make_folders(&[path(FOLDERS[folder])]).await),
        Act::RemoveFolder(folder) => drop(remote.remove_folders(&[path(FOLDERS[folder])]).await),
        Act::MoveFolder(from, to) => {
            let [from, to] = [from, to].map(|folder| path(FOLDERS[folder]));
            remote.rename_folders(&[FolderRelocation { from, to }]).await;
        }
    }
}

/// All paths below the root, those of folders with a slash, each as often as it is there.
async fn seen(remote: &Arc<dyn Remote>, age: Freshness, forget: bool) -> Vec<String> {
    let mut open = vec![RemotePath::root()];
    let mut done = BTreeSet::new();
    let mut all = Vec::new();
    while let Some(folder) = open.pop() {
        // Folders that share a path are listed as one.
        if !done.insert(folder.clone()) {
            continue;
        }
        if forget {
            remote.forget(&folder);
        }
        for entry in remote.list(&folder, age).await.unwrap().entries {
            match entry {
                Entry::File(file) => all.push(file.path.to_string()),
                Entry::Folder(folder) => {
                    all.push(format!("{}/", folder.path));
                    open.push(folder.path);
                }
            }
        }
    }
    all.sort();
    all
}

fn at_the_service(service: &Service) -> Vec<String> {
    let tree = service.tree();
    let folders =
        tree.folders.into_iter().map(|folder| format!("{}/", folder.path)).filter(|path| path != "/");
    let mut all: Vec<_> = tree.files.into_iter().map(|file| file.path).chain(folders).collect();
    all.sort();
    all
}

/// Two clients of one account change it in turn, and the one that lives on looks after each round. With `keeps` it has
/// a catalogue on disk, and changes nothing itself: what it changed would stand against listings for minutes.
fn two_clients(keeps: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ours = if keeps { prop::collection::vec(acts(), 0..1) } else { prop::collection::vec(acts(), 0..3) };
    let rounds = prop::collection::vec((ours, prop::collection::vec(acts(), 0..4), 0..3_u8), 1..5);
    let run = runner.run(&rounds, |rounds| {
        runtime.block_on(async {
            let service = Service::start().await;
            let memory = tempfile::tempdir().unwrap();
            let ours = match keeps {
                true => service.remote_on(&Service::kept_in(memory.path()), &[]),
                false => service.remote_lagging(Duration::ZERO),
            };
            let mut count = 0;
            for (our_acts, their_acts, how) in rounds {
                let theirs = service.remote();
                for their_act in their_acts {
                    count += 1;
                    act(&theirs, their_act, count).await;
                }
                for our_act in our_acts {
                    count += 1;
                    act(&ours, our_act, count).await;
                }
                let expected = at_the_service(&service);
                let seen = match how {
                    0 => seen(&ours, Freshness::Within(Duration::ZERO), false).await,
                    1 => seen(&ours, Freshness::SinceStart, true).await,
                    _ => seen(&ours, Freshness::Known, true).await,
                };
                prop_assert_eq!(&seen, &expected);
                prop_assert_eq!(
                    &self::seen(&service.remote(), Freshness::SinceStart, false).await,
                    &expected
                );
            }
            Ok(())
        })
    });
    run.unwrap();
}

#[test]
fn whatever_two_clients_change_a_look_sees_what_the_service_has() {
    two_clients(false);
}

#[test]
fn whatever_others_change_a_look_sees_it_with_a_catalogue_on_disk() {
    two_clients(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_process_kept_on_disk_itself_does_not_pass_for_new() {
    let service = Service::start().await;
    service.control().seed_file("a/f", b"x").unwrap();
    let memory = tempfile::tempdir().unwrap();
    // The second call of a look waits: for so long that the catalogue on disk is looked into.
    let ours = service.remote_on(&Service::kept_in(memory.path()), &[("call_gap", "500ms")]);
    assert_eq!(ours.entries(&path("a")).await.unwrap().len(), 1);
    service.control().seed_file("a/g", b"y").unwrap();
    let listing = ours.list(&path("a"), Freshness::Within(Duration::ZERO)).await.unwrap();
    assert_eq!(listing.entries.len(), 2);
}
