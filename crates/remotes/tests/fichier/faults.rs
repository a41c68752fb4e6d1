//! Tests of faults: each ends in the right state or a clear error, and no version is lost.

use std::sync::Arc;

use fichier_storage::{
    ByteRange, File, Outcome, Remote, RemoteExt, Retry, StorageError, WriteBatch, collect,
};

use crate::service::{Service, batch, files, item, path};

fn with_fault(service: &Service, fault: &str) {
    service.control().add_fault(fault.parse().unwrap());
}

async fn put(remote: &Arc<dyn Remote>, contents: &[(&str, &[u8])]) -> Vec<Outcome<File>> {
    remote.write(batch("d", contents)).await
}

/// Returns what the account holds: names and contents.
fn stored(service: &Service) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = service
        .tree()
        .files
        .into_iter()
        .map(|file| (file.path, service.control().content(&file.url).unwrap()))
        .collect();
    files.sort();
    files
}

fn owned(files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_stored_with_another_checksum_is_removed_and_the_old_version_stays() {
    let service = Service::start().await;
    service.control().seed_file("d/a", b"old").unwrap();
    with_fault(&service, "endpoint=upload.cgi,kind=corrupt-upload:1,times=1");
    let remote = service.remote();
    let old = files(&remote, "d").await;
    let mut new = item(b"a", b"new!");
    new.replaces = old.clone();
    let outcome = remote.write(WriteBatch { folder: path("d"), items: vec![new] }).await.remove(0);
    let error = outcome.into_result().unwrap_err();
    assert!(matches!(error, StorageError::Corrupted { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Worthwhile);
    assert_eq!(stored(&service), owned(&[("d/a", b"old")]));
    // The next try, without the fault.
    let mut new = item(b"a", b"new!");
    new.replaces = old;
    let outcome = remote.write(WriteBatch { folder: path("d"), items: vec![new] }).await.remove(0);
    outcome.into_result().unwrap();
    assert_eq!(stored(&service), owned(&[("d/a", b"new!")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_a_wrong_checksum_fails_and_one_without_is_made_good_by_a_look() {
    let service = Service::start().await;
    let remote = service.remote();
    with_fault(&service, "endpoint=end.pl,kind=wrong-checksum,times=1");
    let error = put(&remote, &[("a", b"1")]).await.remove(0).into_result().unwrap_err();
    assert!(matches!(error, StorageError::Corrupted { .. }), "{error}");
    assert!(stored(&service).is_empty());
    // Before a file is removed, it is looked up: a report may name the wrong one.
    assert_eq!(service.control().counters()["file/info"], 1);
    service.control().clear_faults();
    with_fault(&service, "endpoint=end.pl,kind=missing-checksum,times=1");
    put(&remote, &[("a", b"1")]).await.remove(0).into_result().unwrap();
    assert_eq!(service.control().counters()["file/info"], 2);
    assert_eq!(stored(&service), owned(&[("d/a", b"1")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_report_leaves_out_is_looked_up_and_not_sent_twice() {
    let service = Service::start().await;
    with_fault(&service, "endpoint=end.pl,kind=drop-from-report:1");
    let remote = service.remote();
    for outcome in put(&remote, &[("a", b"1"), ("b", b"2"), ("c", b"3")]).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(stored(&service), owned(&[("d/a", b"1"), ("d/b", b"2"), ("d/c", b"3")]));
    assert_eq!(service.control().counters()["upload.cgi"], 1);
    service.control().clear_faults();
    // From here on, half as many are sent at once.
    for outcome in put(&remote, &[("e", b"1"), ("f", b"2")]).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(service.control().counters()["upload.cgi"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_answer_is_lost_is_found_and_not_sent_twice() {
    let service = Service::start().await;
    with_fault(&service, "endpoint=upload.cgi,kind=lost-answer,times=1");
    let remote = service.remote();
    for outcome in put(&remote, &[("a", b"1"), ("b", b"2")]).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(stored(&service), owned(&[("d/a", b"1"), ("d/b", b"2")]));
    assert_eq!(service.control().counters()["upload.cgi"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_can_be_tried_again() {
    let service = Service::start().await;
    with_fault(&service, "endpoint=upload.cgi,kind=cut-upload:500,times=1");
    let remote = service.remote();
    let big = vec![9; 100_000];
    // Files that the network took whole before the cut are sent again at once; the caller tries the others again.
    if let Err(error) = put(&remote, &[("a", &big)]).await.remove(0).into_result() {
        assert_eq!(error.retry(), Retry::Worthwhile, "{error}");
        put(&remote, &[("a", &big)]).await.remove(0).into_result().unwrap();
    }
    assert_eq!(stored(&service), owned(&[("d/a", &big)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_making_got_no_answer_is_found_and_not_made_twice() {
    let service = Service::start().await;
    with_fault(&service, "endpoint=folder/mkdir,kind=lost-answer,times=1");
    let remote = service.remote();
    put(&remote, &[("a", b"1")]).await.remove(0).into_result().unwrap();
    assert_eq!(service.tree().folders.iter().filter(|folder| folder.name == "d").count(), 1);
    assert_eq!(stored(&service), owned(&[("d/a", b"1")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_and_moves_whose_answers_are_lost_are_done() {
    let service = Service::start().await;
    service.control().seed_file("d/a", b"1").unwrap();
    service.control().seed_file("d/b", b"2").unwrap();
    let remote = service.remote();
    let listed = files(&remote, "d").await;
    with_fault(&service, "endpoint=file/rm,kind=lost-answer,times=1");
    let outcome = remote.remove(&listed[..1]).await.remove(0);
    assert!(outcome.is_done(), "{outcome:?}");
    with_fault(&service, "endpoint=file/mv,kind=lost-answer,times=1");
    let there =
        fichier_storage::Relocation { from: listed[1].clone(), to: path("e/b"), replaces: Vec::new() };
    remote.rename(&[there]).await.remove(0).into_result().unwrap();
    assert_eq!(stored(&service), owned(&[("e/b", b"2")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_answer_is_lost_is_found_and_not_made_twice() {
    let service = Service::start().await;
    service.control().seed_file("d/a", b"1").unwrap();
    let remote = service.remote();
    let listed = files(&remote, "d").await;
    with_fault(&service, "endpoint=file/cp,kind=lost-answer,times=1");
    let there =
        fichier_storage::Relocation { from: listed[0].clone(), to: path("e/a"), replaces: Vec::new() };
    remote.copy(&[there]).await.remove(0).into_result().unwrap();
    assert_eq!(stored(&service), owned(&[("d/a", b"1"), ("e/a", b"1")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_goes_on_where_it_stood() {
    for fault in [
        "endpoint=download,kind=cut-download:30000,times=2",
        "endpoint=download,kind=expired-token,times=1",
        "endpoint=download,kind=status:503,times=1",
        "endpoint=download,kind=html,times=1",
        "endpoint=download/get_token,kind=status:500,times=1",
    ] {
        let service = Service::start().await;
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        service.control().seed_file("f", &bytes).unwrap();
        with_fault(&service, fault);
        let remote = service.remote();
        let file = files(&remote, "").await.remove(0);
        let read = collect(remote.read(&file, ByteRange::WHOLE).await.unwrap()).await;
        assert!(read.unwrap_or_else(|error| panic!("{fault}: {error}")) == bytes, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ignores_ranges_still_gives_the_right_bytes() {
    let service = Service::start().await;
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    service.control().seed_file("f", &bytes).unwrap();
    with_fault(&service, "endpoint=download,kind=ignore-range");
    let remote = service.remote();
    let file = files(&remote, "").await.remove(0);
    let range = ByteRange { start: 70_000, end: Some(70_100) };
    let read = collect(remote.read(&file, range).await.unwrap()).await.unwrap();
    assert!(read == bytes[70_000..70_100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_length_than_listed_is_an_error() {
    let service = Service::start().await;
    service.control().seed_file("f", &[1; 1000]).unwrap();
    with_fault(&service, "endpoint=download,kind=short-download:100");
    let remote = service.remote();
    let file = files(&remote, "").await.remove(0);
    let error = collect(remote.read(&file, ByteRange::WHOLE).await.unwrap()).await.unwrap_err();
    assert!(matches!(error, StorageError::SizeMismatch { expected: 1000, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_survive_what_the_service_throws_at_them() {
    for fault in ["status:503", "html", "truncated-json", "close", "missing-items"] {
        let service = Service::start().await;
        service.control().seed_file("d/a", b"1").unwrap();
        with_fault(&service, &format!("endpoint=folder/ls,kind={fault},times=1"));
        assert_eq!(files(&service.remote(), "d").await.len(), 1, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_at_once_with_where_to_get_one() {
    let service = Service::start().await;
    let remote = service.remote_with(&[("api_key", "not-the-key")]);
    let error = remote.entries(&path("")).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Fatal);
    assert!(error.hint().unwrap().contains("https://1fichier.com/console/params.pl"), "{error}");
    assert!(!error.to_string().contains("not-the-key"));
    assert_eq!(service.control().counters()["folder/ls"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanished_is_a_missing_folder() {
    let service = Service::start().await;
    service.control().seed_file("d/e/a", b"1").unwrap();
    let (first, second) = (service.remote(), service.remote());
    first.entries(&path("d")).await.unwrap();
    let gone = files(&second, "d/e").await;
    second.remove(&gone).await;
    second.remove_folders(&[path("d/e")]).await.remove(0).into_result().unwrap();
    let error = first.entries(&path("d/e")).await.unwrap_err();
    assert!(matches!(error, StorageError::FolderNotFound(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_somebody_else_made_meanwhile_is_looked_at_before_anything_goes_there() {
    let service = Service::start().await;
    let (first, second) = (service.remote(), service.remote());
    second.entries(&path("")).await.unwrap();
    for outcome in put(&first, &[("a", b"1"), ("b", b"2")]).await {
        outcome.into_result().unwrap();
    }
    service.control().reset_counters();
    let outcomes = put(&second, &[("a", b"1"), ("b", b"other"), ("c", b"3")]).await;
    assert!(matches!(&outcomes[0], Outcome::DoneBefore(_)), "{:?}", outcomes[0]);
    assert!(matches!(&outcomes[1], Outcome::Failed(error) if error.to_string().contains("meanwhile")));
    assert!(outcomes[2].is_done());
    assert_eq!(stored(&service), owned(&[("d/a", b"1"), ("d/b", b"2"), ("d/c", b"3")]));
    assert_eq!(service.control().counters()["upload.cgi"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_listed_and_is_called_missing_is_looked_up_before_it_counts_as_gone() {
    for (times, works) in [(",times=1", true), ("", false)] {
        let missing =
            |endpoint: &str| format!("endpoint={endpoint},kind=refusal:404:Resource not found #469{times}");
        let service = Service::start().await;
        service.control().seed_file("d/a", b"1").unwrap();
        service.control().seed_file("d/b", b"2").unwrap();
        service.control().seed_folder("e").unwrap();
        let remote = service.remote();
        let listed = files(&remote, "d").await;
        remote.entries(&path("e")).await.unwrap();

        with_fault(&service, &missing("file/rm"));
        let removed = remote.remove(&listed[..1]).await.remove(0).into_result();
        assert_eq!(removed.is_ok(), works, "{times}: {removed:?}");
        with_fault(&service, &missing("file/mv"));
        let there =
            fichier_storage::Relocation { from: listed[1].clone(), to: path("f/b"), replaces: Vec::new() };
        let moved = remote.rename(&[there]).await.remove(0).into_result();
        assert_eq!(moved.is_ok(), works, "{times}: {moved:?}");
        assert!(!matches!(moved, Err(StorageError::FileNotFound(_))), "{times}");
        with_fault(&service, &missing("folder/rm"));
        let removed = remote.remove_folders(&[path("e")]).await.remove(0).into_result();
        assert_eq!(removed.is_ok(), works, "{times}: {removed:?}");
        assert!(!matches!(removed, Err(StorageError::FolderNotFound(_))), "{times}");

        let left = if works { owned(&[("f/b", b"2")]) } else { owned(&[("d/a", b"1"), ("d/b", b"2")]) };
        assert_eq!(stored(&service), left, "{times}");
        let folder = service.tree().folders.iter().any(|folder| folder.name == "e");
        assert_eq!(folder, !works, "{times}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_its_parent_lists_is_not_missing_nor_empty() {
    for (fault, works) in [
        ("kind=refusal:404:Resource not found #469,times=1", true),
        ("kind=done-refusal:404:Resource not found #469,times=1", true),
        ("kind=refusal:404:Resource not found #469", false),
    ] {
        let service = Service::start().await;
        service.control().seed_file("d/a", b"1").unwrap();
        let remote = service.remote();
        remote.entries(&path("")).await.unwrap();
        with_fault(&service, &format!("endpoint=folder/ls,{fault}"));
        match remote.entries(&path("d")).await {
            Ok(entries) => assert!(works && entries.len() == 1, "{fault}: {entries:?}"),
            Err(error) => {
                assert!(!works, "{fault}: {error}");
                assert!(!matches!(error, StorageError::FolderNotFound(_)), "{fault}: {error}");
            }
        }
    }
}
