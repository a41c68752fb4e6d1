//! Folders of two stores in memory, side by side.

use std::sync::Arc;

use bytes::Bytes;
use fichier_storage::{
    ByteRange, Entry, Freshness, HashKind, Location, MemoryContent, Name, Outcome, Relocation, Remote,
    RemoteExt as _, RemotePath, StorageError, WriteBatch, WriteItem, collect,
    conformance::{self, CHECKS},
    memory::MemoryRemote,
};

use super::{member::Member, remote::CombineRemote};

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

fn member(name: &str, remote: &Arc<dyn Remote>, at: &str) -> Member {
    Member { name: Name::new(name).unwrap(), at: Location { remote: remote.clone(), path: path(at) } }
}

fn item(name: &str, bytes: &'static [u8]) -> WriteItem {
    WriteItem {
        name: Name::new(name).unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: None,
        content: Arc::new(MemoryContent(Bytes::from_static(bytes))),
        replaces: Vec::new(),
        metadata: Vec::new(),
    }
}

async fn put(
    remote: &dyn Remote,
    folder: &str,
    name: &str,
    bytes: &'static [u8],
) -> Outcome<fichier_storage::File> {
    remote.write(WriteBatch { folder: path(folder), items: vec![item(name, bytes)] }).await.remove(0)
}

async fn names(remote: &dyn Remote, folder: &str) -> Vec<String> {
    let entries = remote.entries(&path(folder)).await.unwrap();
    entries.iter().map(|entry| entry.path().to_string()).collect()
}

/// Two stores and a remote with the folders `here` and `there`, each of another store, and `also`, of the first one.
async fn two() -> [Arc<dyn Remote>; 3] {
    let one: Arc<dyn Remote> = Arc::new(MemoryRemote::new("one:"));
    let two: Arc<dyn Remote> = Arc::new(MemoryRemote::new("two:"));
    let members = vec![member("there", &two, ""), member("here", &one, "a/b"), member("also", &one, "c")];
    let combined = CombineRemote::new("both:".to_owned(), members).await.unwrap();
    [one, two, Arc::new(combined)]
}

#[tokio::test]
async fn each_folder_shows_its_place() {
    let [one, two, both] = two().await;
    assert_eq!(names(&*both, "").await, ["also", "here", "there"]);
    let file = put(&*both, "here/x", "f", b"1").await.into_result().unwrap();
    assert_eq!(file.path, path("here/x/f"));
    assert!(one.entry(&path("a/b/x/f")).await.is_ok());
    put(&*both, "there", "g", b"2").await.into_result().unwrap();
    assert_eq!(names(&*two, "").await, ["g"]);
    assert_eq!(names(&*both, "here/x").await, ["here/x/f"]);
    let stream = both.read(&file, ByteRange::WHOLE).await.unwrap();
    assert_eq!(collect(stream).await.unwrap(), b"1"[..]);
}

#[tokio::test]
async fn what_lies_in_no_folder_is_refused_with_its_own_path() {
    let [.., both] = two().await;
    assert!(matches!(put(&*both, "", "f", b"1").await, Outcome::Failed(StorageError::Unsupported { .. })));
    assert!(matches!(
        put(&*both, "other", "f", b"1").await,
        Outcome::Failed(StorageError::Unsupported { .. })
    ));
    let error = both.list(&path("other"), Freshness::Known).await.unwrap_err();
    assert!(matches!(error, StorageError::FolderNotFound(at) if at == path("other")));
    let error = both.entry(&path("here/none")).await.unwrap_err();
    assert!(matches!(error, StorageError::FileNotFound(at) if at == path("here/none")));
    let outcomes = both.remove_folders(&[path("there"), path("")]).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Outcome::Failed(StorageError::Unsupported { .. })))
    );
    assert!(both.make_folders(&[path(""), path("here"), path("there/n")]).await.iter().all(Outcome::is_done));
    assert!(both.remove_folders(&[path("here")]).await.remove(0).is_done());
}

#[tokio::test]
async fn files_move_within_a_store_and_not_across() {
    let [one, _, both] = two().await;
    let file = put(&*both, "here", "f", b"1").await.into_result().unwrap();
    let to = |text: &str| [Relocation { from: file.clone(), to: path(text), replaces: Vec::new() }];
    let across = both.copy(&to("there/f")).await.remove(0);
    assert!(matches!(across, Outcome::Failed(StorageError::AcrossFileSystems(at)) if at == path("here/f")));
    let moved = both.rename(&to("also/g")).await.remove(0).into_result().unwrap();
    assert_eq!(moved.path, path("also/g"));
    assert!(matches!(one.entry(&path("c/g")).await, Ok(Entry::File(_))));
    assert!(both.remove(&[moved]).await.remove(0).is_done());
    assert!(names(&*one, "c").await.is_empty());
}

#[tokio::test]
async fn a_place_is_that_of_its_store() {
    let [one, two, both] = two().await;
    assert_eq!(both.place(&path("here/x")).await.unwrap(), one.place(&path("a/b/x")).await.unwrap());
    assert_eq!(both.place(&path("there")).await.unwrap(), two.info().place);
    assert_eq!(both.place(&path("")).await.unwrap(), both.info().place);
    assert!(both.info().may_share_folders_with(one.info()) && one.info().may_share_folders_with(both.info()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_folder_keeps_the_promises_of_its_store() {
    let stores: [Arc<dyn Remote>; 2] =
        [Arc::new(MemoryRemote::new("one:")), Arc::new(MemoryRemote::new("two:"))];
    // A check works in a folder of its own name. The root is never empty here.
    let checks = CHECKS.iter().filter(|check| check.name != "a_new_remote_is_an_empty_root");
    let members = checks.clone().zip(stores.iter().cycle());
    let members = members.map(|(check, store)| member(check.name, store, &format!("in/{}", check.name)));
    let combined = Arc::new(CombineRemote::new("both:".to_owned(), members.collect()).await.unwrap());
    for check in checks {
        check.run(combined.clone()).await.unwrap();
    }
    assert!(conformance::changes(combined.clone(), combined).await.is_err(), "nobody here watches");
}

#[tokio::test]
async fn it_gives_the_checksums_that_all_its_stores_give() {
    let directory = tempfile::tempdir().unwrap();
    let account: Arc<dyn Remote> = Arc::new(MemoryRemote::new("account:"));
    let disk: Arc<dyn Remote> =
        Arc::new(crate::local::LocalRemote::open(directory.path(), crate::local::LocalOptions::default()));
    let hashes = async |stores: &[&Arc<dyn Remote>]| {
        let members = stores.iter().zip(["a", "b"]).map(|(store, name)| member(name, store, "")).collect();
        CombineRemote::new("both:".to_owned(), members).await.unwrap().info().hashes
    };
    assert!(hashes(&[&account, &account]).await.lists(HashKind::Whirlpool));
    let mixed = hashes(&[&account, &disk]).await;
    assert!(!mixed.lists(HashKind::Whirlpool) && mixed.gives(HashKind::Whirlpool));
    assert!(!mixed.gives(HashKind::Md5) && hashes(&[&disk, &disk]).await.gives(HashKind::Md5));
}
