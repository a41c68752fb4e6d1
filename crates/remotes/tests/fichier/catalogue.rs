//! Tests of the catalogue on disk: what it saves, and what it never costs.

use std::{path::Path, sync::Arc, time::Duration};

use fichier_remotes::{
    fichier::{KeptCatalogue, KeptEntry},
    resources::Resources,
};
use fichier_storage::{Entry, Remote, RemoteExt, RemotePath, StorageError};

use crate::{
    calls::{counted, expected},
    service::{Service, batch, files, path},
};

const TRUST: &[(&str, &str)] = &[("catalogue", "trust")];

/// Lists everything below a folder, and returns how many files there are.
pub(crate) async fn walk(remote: &Arc<dyn Remote>, folder: &RemotePath) -> usize {
    let mut open = vec![folder.clone()];
    let mut count = 0;
    while let Some(folder) = open.pop() {
        for entry in remote.entries(&folder).await.unwrap() {
            match entry {
                Entry::File(_) => count += 1,
                Entry::Folder(folder) => open.push(folder.path),
            }
        }
    }
    count
}

fn fast(memory: &Path) -> Resources {
    Resources { fast_list: true, ..Service::kept_in(memory) }
}

fn seed(service: &Service, folders: usize, files: u64) {
    for folder in 0..folders {
        let folder_id = service.control().seed_folder(&format!("top/d{folder}")).unwrap();
        let seeds: Vec<_> = (0..files)
            .map(|file| fichier_emulator::SeedFile {
                folder_id,
                name: format!("f{file}"),
                size: 10,
                seed: file % 10,
                date: None,
            })
            .collect();
        service.control().seed_many(&seeds).unwrap();
    }
}

/// Tests the calls of later runs on a tree that was listed once.
async fn formulas(folders: usize, per_folder: u64) {
    let service = Service::start_with(|builder| builder.listing_cap(None)).await;
    seed(&service, folders, per_folder);
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    let all = folders * usize::try_from(per_folder).unwrap();
    let listings = u64::try_from(folders).unwrap() + 2;
    for _ in 0..2 {
        service.control().reset_counters();
        assert_eq!(walk(&service.remote_on(&network, &[]), &path("top")).await, all);
        assert_eq!(counted(&service), expected(&[("folder/ls", listings)]), "verify");
    }
    service.control().reset_counters();
    assert_eq!(walk(&service.remote_on(&network, TRUST), &path("top")).await, all);
    assert_eq!(counted(&service), expected(&[]), "trust");
    assert_eq!(walk(&service.remote_on(&fast(memory.path()), &[]), &path("top")).await, all);
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]), "fast");
    service.control().reset_counters();
    assert_eq!(walk(&service.remote_on(&network, &[("catalogue", "off")]), &path("top")).await, all);
    assert_eq!(counted(&service), expected(&[("folder/ls", listings)]), "off");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_tree_costs_its_folders_or_one_call_or_none() {
    formulas(20, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_tree_of_ten_thousand_files_costs_the_same() {
    formulas(1000, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_did_ourselves_is_known_to_the_next_run() {
    let service = Service::start().await;
    service.control().seed_file("d/old", b"old").unwrap();
    service.control().seed_file("d/away", b"away").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    {
        let remote = service.remote_on(&network, &[]);
        let all = files(&remote, "d").await;
        for outcome in remote.write(batch("d/sub", &[("new", b"new")])).await {
            outcome.into_result().unwrap();
        }
        remote.remove(&all[..1]).await.remove(0).into_result().unwrap();
        let to = path("d/sub/renamed");
        let moved = fichier_storage::Relocation { from: all[1].clone(), to, replaces: vec![] };
        remote.rename(&[moved]).await.remove(0).into_result().unwrap();
        remote.rename_folder(&path("d/sub"), &path("moved")).await.unwrap();
    }
    service.control().reset_counters();
    let remote = service.remote_on(&network, TRUST);
    let names: Vec<_> = files(&remote, "moved").await.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["moved/new", "moved/renamed"]);
    assert_eq!(remote.entries(&path("d")).await.unwrap().len(), 0);
    assert_eq!(counted(&service), expected(&[]));
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_ends_with_its_age() {
    let service = Service::start().await;
    service.control().seed_file("f", b"x").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    assert_eq!(files(&service.remote_on(&network, &[]), "").await.len(), 1);
    service.control().reset_counters();
    assert_eq!(files(&service.remote_on(&network, &[("catalogue", "trust=1h")]), "").await.len(), 1);
    assert_eq!(counted(&service), expected(&[]));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(files(&service.remote_on(&network, &[("catalogue", "trust=10ms")]), "").await.len(), 1);
    assert_eq!(counted(&service), expected(&[("folder/ls", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_moved_or_renamed_is_not_removed_by_its_old_path() {
    let service = Service::start().await;
    service.control().seed_file("a/moves", b"moves").unwrap();
    service.control().seed_file("a/renames", b"renames").unwrap();
    service.control().seed_file("b/x/stays", b"stays").unwrap();
    service.control().seed_file("a/goes", b"goes").unwrap();
    service.control().seed_folder("keep").unwrap();
    for network in [Service::kept_in, fast] {
        let memory = tempfile::tempdir().unwrap();
        walk(&service.remote_on(&Service::kept_in(memory.path()), &[]), &path("")).await;
        let other = service.remote();
        let theirs = files(&other, "a").await;
        let to = |from: &fichier_storage::File, text: &str| fichier_storage::Relocation {
            from: from.clone(),
            to: path(text),
            replaces: vec![],
        };
        let named = |name: &str| theirs.iter().find(|file| file.path == path(name)).unwrap();
        let changes = [to(named("a/moves"), "keep/moves"), to(named("a/renames"), "a/renamed")];
        let ours = service.remote_on(&network(memory.path()), TRUST);
        let mut believed = files(&ours, "a").await;
        believed.extend(files(&ours, "b/x").await);
        for outcome in other.rename(&changes).await {
            outcome.into_result().unwrap();
        }
        other.rename_folder(&path("b/x"), &path("keep/x")).await.unwrap();
        for outcome in ours.remove(&believed).await {
            outcome.into_result().unwrap();
        }
        let mut left: Vec<_> = service.tree().files.into_iter().map(|file| file.path).collect();
        left.sort();
        assert_eq!(left, ["a/renamed", "keep/moves", "keep/x/stays"]);
        // This restores the state for the next round.
        let other = service.remote();
        let back = |from: fichier_storage::File, text: &str| fichier_storage::Relocation {
            from,
            to: path(text),
            replaces: vec![],
        };
        let moves = files(&other, "keep").await.remove(0);
        let renamed = files(&other, "a").await.remove(0);
        for outcome in other.rename(&[back(moves, "a/moves"), back(renamed, "a/renames")]).await {
            outcome.into_result().unwrap();
        }
        other.rename_folder(&path("keep/x"), &path("b/x")).await.unwrap();
        service.control().seed_file("a/goes", b"goes").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listing_of_all_files_finds_what_others_removed_renamed_and_added() {
    let service = Service::start_with(|builder| builder.listing_cap(None)).await;
    seed(&service, 20, 3);
    let memory = tempfile::tempdir().unwrap();
    walk(&service.remote_on(&Service::kept_in(memory.path()), &[]), &path("")).await;
    let other = service.remote();
    let theirs = files(&other, "top/d3").await;
    other.remove(&theirs[..1]).await.remove(0).into_result().unwrap();
    let renamed = fichier_storage::Relocation {
        from: theirs[1].clone(),
        to: path("top/d3/new name"),
        replaces: vec![],
    };
    other.rename(&[renamed]).await.remove(0).into_result().unwrap();
    service.control().reset_counters();
    service.control().reset_limits().unwrap();
    let ours = service.remote_on(&fast(memory.path()), &[]);
    let names: Vec<_> = files(&ours, "top/d3").await.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["top/d3/f2", "top/d3/new name"]);
    assert_eq!(walk(&ours, &path("")).await, 59);
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]));
    drop(ours);
    // A new file in a known folder: it isn't known in which, so folders are listed.
    service.control().seed_file("top/d7/new", b"new").unwrap();
    service.control().reset_counters();
    let ours = service.remote_on(&fast(memory.path()), &[("all_files_gap", "0")]);
    assert!(files(&ours, "top/d7").await.iter().any(|file| file.path == path("top/d7/new")));
    // Root, top and d7 are listed; once it is found, nothing else is in doubt.
    assert_eq!(walk(&ours, &path("")).await, 60);
    assert_eq!(counted(&service), expected(&[("file/ls", 1), ("folder/ls", 3)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_within_the_hour_are_not_asked_for_again() {
    let service = Service::start_with(|builder| builder.listing_cap(None)).await;
    seed(&service, 3, 2);
    let memory = tempfile::tempdir().unwrap();
    walk(&service.remote_on(&Service::kept_in(memory.path()), &[]), &path("")).await;
    service.control().reset_counters();
    for _ in 0..2 {
        assert_eq!(walk(&service.remote_on(&fast(memory.path()), &[]), &path("")).await, 6);
    }
    assert_eq!(counted(&service), expected(&[("file/ls", 1), ("folder/ls", 5)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_somebody_removed_or_moved_is_made_anew() {
    let service = Service::start().await;
    service.control().seed_file("a/b/f", b"x").unwrap();
    service.control().seed_folder("keep").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    walk(&service.remote_on(&network, &[]), &path("")).await;
    service.remote().rename_folder(&path("a/b"), &path("keep/b")).await.unwrap();
    let ours = service.remote_on(&network, TRUST);
    assert_eq!(files(&ours, "a/b").await.len(), 1, "believed");
    for outcome in ours.write(batch("a/b", &[("g", b"new")])).await {
        outcome.into_result().unwrap();
    }
    let mut left: Vec<_> = service.tree().files.into_iter().map(|file| file.path).collect();
    left.sort();
    assert_eq!(left, ["a/b/g", "keep/b/f"]);
    drop(ours);
    // A folder that is gone for good: the service doesn't know its number any more.
    let other = service.remote();
    let file = files(&other, "a/b").await;
    other.remove(&file).await.remove(0).into_result().unwrap();
    other.remove_folders(&[path("a/b")]).await.remove(0).into_result().unwrap();
    let ours = service.remote_on(&network, TRUST);
    let error = ours.entries(&path("a/b/none")).await.unwrap_err();
    assert!(matches!(error, StorageError::FolderNotFound(_)), "{error}");
    for outcome in ours.write(batch("a/b", &[("h", b"newer")])).await {
        outcome.into_result().unwrap();
    }
    assert!(service.tree().files.iter().any(|file| file.path == "a/b/h"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_missed_once_only() {
    let service = Service::start().await;
    service.control().seed_file("d/f", b"x").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    walk(&service.remote_on(&network, &[]), &path("")).await;
    let other = service.remote();
    other.remove(&files(&other, "d").await).await.remove(0).into_result().unwrap();
    let ours = service.remote_on(&network, TRUST);
    let file = files(&ours, "d").await.remove(0);
    let read = ours.read(&file, fichier_storage::ByteRange::default()).await.unwrap();
    let error = fichier_storage::collect(read).await.unwrap_err();
    assert!(matches!(error, StorageError::FileNotFound(_)), "{error}");
    assert_eq!(files(&ours, "d").await.len(), 0);
    drop(ours);
    assert_eq!(files(&service.remote_on(&network, TRUST), "d").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_is_damaged_is_begun_anew() {
    let service = Service::start().await;
    service.control().seed_file("d/f", b"x").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    let database = || {
        std::fs::read_dir(memory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "sqlite"))
            .unwrap()
    };
    for damage in
        [&b"not a database at all, however long one looks at it"[..], b"", b"SQLite format 3\0....."]
    {
        walk(&service.remote_on(&network, &[]), &path("")).await;
        std::fs::write(database(), damage).unwrap();
        assert_eq!(walk(&service.remote_on(&network, TRUST), &path("")).await, 1);
        service.control().reset_counters();
        assert_eq!(walk(&service.remote_on(&network, TRUST), &path("")).await, 1);
        assert_eq!(counted(&service), expected(&[]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_read_names_has_a_catalogue_of_its_own_and_the_key_is_in_none() {
    let service = Service::start().await;
    service.control().seed_file("d/a＜b", b"x").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    let raw = [("encoding", "Slash"), ("catalogue", "trust")];
    for _ in 0..2 {
        assert_eq!(files(&service.remote_on(&network, TRUST), "d").await[0].path, path("d/a<b"));
        assert_eq!(files(&service.remote_on(&network, &raw), "d").await[0].path, path("d/a＜b"));
    }
    let kept = KeptCatalogue::all(memory.path()).unwrap();
    assert_eq!(kept.len(), 2);
    let (_, key) = service.access();
    for entry in std::fs::read_dir(memory.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{}", path.display());
    }
    let status = kept[0].status().unwrap();
    assert_eq!((status.folders, status.complete, status.files, status.bytes), (1, 2, 1, 1));
    assert_eq!(status.title, "test:");
    let entries = kept[0].entries().unwrap();
    assert_eq!(entries.len(), 3);
    assert!(matches!(&entries[2], KeptEntry::File { size: 1, .. }), "{entries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_begin_at_the_same_time_share_their_listings() {
    let service = Service::start().await;
    seed(&service, 5, 2);
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    let first = service.remote_on(&network, &[]);
    let second = service.remote_on(&network, &[]);
    assert_eq!(walk(&first, &path("")).await, 10);
    drop(first);
    assert_eq!(walk(&second, &path("")).await, 10);
    assert_eq!(counted(&service), expected(&[("folder/ls", 7)]));
}
