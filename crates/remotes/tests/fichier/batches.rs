//! Tests of how many files go in one upload: what an account takes is learned, remembered, and not exceeded.

use std::path::Path;

use fichier_emulator::Builder;
use fichier_storage::Outcome;

use crate::service::{Service, batch};

/// Sends small files to a new folder, by a run that knows what earlier ones learned. Returns how many uploads that
/// took.
async fn uploads_of(service: &Service, memory: &Path, folder: &str, files: usize) -> u64 {
    let remote = service.remote_remembering(&[("time_scale", "1000")], memory);
    let names: Vec<String> = (0..files).map(|number| format!("{folder} {number:03}")).collect();
    let items: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    service.control().reset_counters();
    let outcomes = remote.write(batch(folder, &items)).await;
    assert!(outcomes.iter().all(Outcome::is_done), "{outcomes:?}");
    drop(remote);
    let tree = service.tree();
    let there = tree.files.iter().filter(|file| file.path.starts_with(folder)).count();
    assert_eq!(there, files, "each file is there once");
    service.control().counters()["upload.cgi"]
}

async fn service(change: impl FnOnce(Builder) -> Builder) -> (Service, tempfile::TempDir) {
    (Service::start_with(change).await, tempfile::tempdir().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_grow_to_five_hundred_files_and_a_later_run_goes_on_there() {
    let (service, memory) = service(|builder| builder).await;
    // 100, 200, 400, 100.
    assert_eq!(uploads_of(&service, memory.path(), "a", 800).await, 4);
    // 400, 400.
    assert_eq!(uploads_of(&service, memory.path(), "b", 800).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_more_files_are_dropped_fewer_go_at_once_and_that_is_remembered() {
    let (service, memory) = service(|builder| builder.upload_files(150).drops_excess(true)).await;
    // 100, 200 of which 150 arrive, the other 50, and 100 each.
    assert_eq!(uploads_of(&service, memory.path(), "a", 500).await, 5);
    assert_eq!(uploads_of(&service, memory.path(), "b", 300).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_more_files_are_refused_fewer_go_at_once_and_that_is_remembered() {
    let (service, memory) = service(|builder| builder.upload_files(150)).await;
    // 100, 200 refused twice, its halves, and 100 each.
    assert_eq!(uploads_of(&service, memory.path(), "a", 500).await, 7);
    assert_eq!(uploads_of(&service, memory.path(), "b", 300).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_the_service_drops_makes_no_upload_smaller() {
    let (service, memory) = service(|builder| builder).await;
    service.control().add_fault("endpoint=upload.cgi,kind=drop-upload,name=bad".parse().unwrap());
    let remote = service.remote_remembering(&[("time_scale", "1000")], memory.path());
    let mut items: Vec<(&str, &[u8])> = vec![("bad", b"bad")];
    let names: Vec<String> = (0..99).map(|number| format!("f{number}")).collect();
    items.extend(names.iter().map(|name| (name.as_str(), name.as_bytes())));
    let outcomes = remote.write(batch("d", &items)).await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.is_done()).count(), 1);
    // The file was sent with the others, and alone.
    assert_eq!(service.control().counters()["upload.cgi"], 2);
    drop(remote);
    service.control().clear_faults();
    assert_eq!(uploads_of(&service, memory.path(), "e", 100).await, 1);
}
