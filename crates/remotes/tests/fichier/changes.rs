//! What others changed is told, through every remote that lies over an account.

use std::sync::Arc;

use fichier_storage::{ChangeWatch, ChangedFolders, Relocation, Remote, conformance};

use crate::{
    calls::{counted, expected},
    catalogue::walk,
    crypt::over,
    service::{Service, files, path},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_exactly_what_others_changed() {
    let service = Service::start().await;
    conformance::changes(service.remote(), service.remote()).await.unwrap();
    let service = Service::start().await;
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    conformance::changes(service.remote_on(&network, &[]), service.remote()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrapper_tells_it_with_its_own_paths() {
    for options in [&[][..], &[("filename_encryption", "off")], &[("directory_name_encryption", "false")]] {
        let service = Service::start().await;
        let encrypted = async || over("crypt", service.remote(), options).await;
        conformance::changes(encrypted().await, encrypted().await).await.unwrap();
    }
    let service = Service::start().await;
    let members = [("upstreams", "what_others_change_is_told_once=t:deep/down other=t:elsewhere")];
    let combined = async || over("combine", service.remote(), &members).await;
    conformance::changes(combined().await, combined().await).await.unwrap();
    let twice = async || over("crypt", combined().await, &[("remote", "t:other")]).await;
    conformance::changes(twice().await, twice().await).await.unwrap();
}

fn folders(folders: &[&str], elsewhere: bool) -> ChangedFolders {
    ChangedFolders { folders: folders.iter().map(|folder| path(folder)).collect(), elsewhere }
}

async fn told(watch: &mut Box<dyn ChangeWatch>) -> ChangedFolders {
    watch.changed().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listing_of_all_files_tells_it_of_folders_that_nobody_listed() {
    let service = Service::start_with(|builder| builder.listing_cap(None)).await;
    for folder in ["a", "b", "b/c", "d"] {
        for name in ["f", "g"] {
            service.control().seed_file(&format!("{folder}/{name}"), name.as_bytes()).unwrap();
        }
    }
    let memory = tempfile::tempdir().unwrap();
    let network = Service::kept_in(memory.path());
    let ours = service.remote_on(&network, &[("all_files_gap", "0")]);
    assert_eq!(walk(&ours, &path("")).await, 8);
    let watching = |remote: &Arc<dyn Remote>| remote.extensions().changes.unwrap().watch();
    let (mut watch, mut other_watch) = (watching(&ours), watching(&ours));
    service.control().reset_counters();
    assert_eq!(told(&mut watch).await, folders(&[], false));
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]));

    let theirs = service.remote();
    let gone = files(&theirs, "a").await.remove(0);
    theirs.remove(&[gone]).await.remove(0).into_result().unwrap();
    let from = files(&theirs, "b/c").await.remove(0);
    let renamed = Relocation { from, to: path("b/c/renamed"), replaces: vec![] };
    theirs.rename(&[renamed]).await.remove(0).into_result().unwrap();
    service.control().reset_counters();
    assert_eq!(told(&mut watch).await, folders(&["a", "b/c"], false));
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]));
    // The listing told what became of them, so they needn't be listed.
    let names: Vec<_> = files(&ours, "b/c").await.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["b/c/g", "b/c/renamed"]);
    assert_eq!(files(&ours, "a").await.len(), 1);
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]));

    // Of a new file it isn't known where it lies, which is told once.
    service.control().seed_file("d/new", b"new").unwrap();
    assert_eq!(told(&mut watch).await, folders(&[], true));
    assert_eq!(told(&mut watch).await, folders(&[], false));
    service.control().seed_file("d/newer", b"newer").unwrap();
    assert_eq!(told(&mut watch).await, folders(&[], true));
    ours.forget(&path("d"));
    assert_eq!(files(&ours, "d").await.len(), 4);
    assert_eq!(told(&mut watch).await, folders(&["d"], false));
    // Who looks more seldom is told all of it at once.
    assert_eq!(told(&mut other_watch).await, folders(&["a", "b/c", "d"], true));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_are_listed_once_an_hour_at_most() {
    let service = Service::start().await;
    service.control().seed_file("a/f", b"f").unwrap();
    let memory = tempfile::tempdir().unwrap();
    let ours = service.remote_on(&Service::kept_in(memory.path()), &[]);
    let mut watch = ours.extensions().changes.unwrap().watch();
    // Where nothing is known, nothing can have changed.
    told(&mut watch).await;
    assert_eq!(counted(&service), expected(&[]));
    assert_eq!(walk(&ours, &path("")).await, 1);
    service.control().reset_counters();
    for _ in 0..3 {
        assert_eq!(told(&mut watch).await, folders(&[], false));
    }
    assert_eq!(counted(&service), expected(&[("file/ls", 1)]));
    // Without a catalogue on disk there is nothing to hold such a listing against.
    let without = service.remote();
    assert_eq!(walk(&without, &path("")).await, 1);
    service.control().reset_counters();
    told(&mut without.extensions().changes.unwrap().watch()).await;
    assert_eq!(counted(&service), expected(&[]));
}
