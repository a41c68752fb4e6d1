//! Tests of downloads to the disk: by ranges, continued, and which calls they make.

use std::{fs, num::NonZeroUsize, path::Path, sync::Arc, time::Duration};

use fichier_remotes::local::{Buffers, Downloads, LocalOptions, LocalRemote};
use fichier_storage::{
    File, Outcome, Remote, RemoteContent, RemoteExt, RemotePath, StorageError, WriteBatch, WriteItem,
};

use crate::service::{Service, files};

const MIB: usize = 1024 * 1024;

/// Returns bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 7 + at / 4096) % 251).unwrap()).collect()
}

/// Returns options for four ranges at once from 1 MiB on, in pieces of 1 MiB.
fn by_ranges() -> Downloads {
    Downloads { cutoff: 1, piece: MIB as u64, ..Downloads::default() }
}

fn in_one_stream() -> Downloads {
    Downloads { streams: NonZeroUsize::MIN, ..by_ranges() }
}

fn disk(folder: &Path, downloads: Downloads) -> LocalRemote {
    LocalRemote::open(folder, LocalOptions { sync: false, downloads, ..LocalOptions::default() })
}

/// Writes files of the service to a directory, in one batch.
async fn get(from: &Arc<dyn Remote>, sources: &[File], to: &LocalRemote) -> Vec<Outcome<File>> {
    let items = sources.iter().map(|file| WriteItem {
        name: file.path.name().unwrap(),
        size: file.size,
        modified: None,
        expected: file.whirlpool,
        content: Arc::new(RemoteContent::new(&**from, file)),
        replaces: Vec::new(),
        metadata: Vec::new(),
    });
    to.write(WriteBatch { folder: RemotePath::root(), items: items.collect() }).await
}

async fn get_one(
    service: &Service,
    remote: &Arc<dyn Remote>,
    to: &LocalRemote,
) -> Result<File, StorageError> {
    let sources = files(remote, "").await;
    assert_eq!(sources.len(), 1, "{:?}", service.tree());
    get(remote, &sources, to).await.remove(0).into_result()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|line| line.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn count(service: &Service, endpoint: &str) -> u64 {
    service.control().counters().get(endpoint).copied().unwrap_or_default()
}

fn with_fault(service: &Service, fault: &str) {
    service.control().add_fault(fault.parse().unwrap());
}

/// Starts a service with one file.
async fn holding(content: &[u8]) -> Service {
    let service = Service::start().await;
    service.control().seed_file("f", content).unwrap();
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_comes_by_several_ranges_on_one_token() {
    let content = bytes(6 * MIB + 12_345);
    for downloads in [by_ranges(), in_one_stream()] {
        let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
        let remote = service.remote();
        let requests = if downloads.streams.get() > 1 { 7 } else { 1 };
        let file = get_one(&service, &remote, &disk(folder.path(), downloads)).await.unwrap();
        assert_eq!(file.size, content.len() as u64);
        assert!(file.whirlpool.is_some() && file.fingerprint.is_some());
        assert!(fs::read(folder.path().join("f")).unwrap() == content);
        assert_eq!(names(folder.path()), ["f"]);
        assert_eq!((count(&service, "download/get_token"), count(&service, "download")), (1, requests));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_are_cut_or_whose_token_expires_go_on_and_give_the_right_bytes() {
    let content = bytes(5 * MIB + 1);
    for (fault, tokens) in [
        ("endpoint=download,kind=cut-download:100000,times=8", 1),
        ("endpoint=download,kind=cut-download:0,times=3", 1),
        ("endpoint=download,kind=cut-download:1,times=6", 1),
        ("endpoint=download,kind=cut-download:1048575,times=6", 1),
        ("endpoint=download,kind=ignore-range", 1),
        ("endpoint=download,kind=status:503,times=2", 1),
        ("endpoint=download,kind=expired-token,after=2,times=1", 2),
    ] {
        let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
        with_fault(&service, fault);
        let remote = service.remote();
        let got = get_one(&service, &remote, &disk(folder.path(), by_ranges())).await;
        got.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert!(fs::read(folder.path().join("f")).unwrap() == content, "{fault}");
        assert_eq!(names(folder.path()), ["f"], "{fault}");
        assert_eq!(count(&service, "download/get_token"), tokens, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_an_error_is_gone_on_with_and_no_listing_shows_it() {
    let content = bytes(6 * MIB);
    let short = &["endpoint=download,kind=short-download:1000"][..];
    let ended =
        &["endpoint=download,kind=cut-download:3000000,times=1", "endpoint=download,kind=status:416,after=1"]
            [..];
    for (downloads, faults) in [(by_ranges(), short), (in_one_stream(), ended)] {
        let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
        let to = disk(folder.path(), downloads);
        faults.iter().for_each(|fault| with_fault(&service, fault));
        let remote = service.remote();
        let error = get_one(&service, &remote, &to).await.unwrap_err();
        assert!(matches!(error, StorageError::SizeMismatch { .. }), "{error}");
        assert_eq!(names(folder.path()).len(), 1, "what came stays");
        assert!(!folder.path().join("f").exists());
        assert!(to.entries(&RemotePath::root()).await.unwrap().is_empty());
        service.control().clear_faults();
        get_one(&service, &remote, &to).await.unwrap();
        assert!(fs::read(folder.path().join("f")).unwrap() == content);
        assert_eq!(names(folder.path()), ["f"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_altered_is_an_error_and_leaves_nothing() {
    let content = bytes(6 * MIB);
    for downloads in [by_ranges(), in_one_stream(), Downloads { in_place: true, ..by_ranges() }] {
        let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
        fs::write(folder.path().join("f"), "old").unwrap();
        with_fault(&service, "endpoint=download,kind=corrupt-download:3000000");
        let remote = service.remote();
        let error = get_one(&service, &remote, &disk(folder.path(), downloads)).await.unwrap_err();
        assert!(matches!(error, StorageError::Corrupted { .. }), "{error}");
        assert_eq!(names(folder.path()), ["f"]);
        assert_eq!(fs::read(folder.path().join("f")).unwrap(), b"old");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_was_dropped_in_the_middle_is_gone_on_with_on_any_number_of_streams() {
    let content = bytes(8 * MIB);
    for (first, second) in [(by_ranges(), in_one_stream()), (in_one_stream(), by_ranges())] {
        let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
        let remote = service.remote_with(&[("time_scale", "1000")]);
        // Two pieces come, then the node is silent.
        let after = if first.streams.get() > 1 { 2 } else { 0 };
        if after > 0 {
            with_fault(&service, &format!("endpoint=download,kind=latency:60000,after={after}"));
        } else {
            with_fault(&service, "endpoint=download,kind=cut-download:3000000,times=1");
            with_fault(&service, "endpoint=download,kind=latency:60000,after=1");
        }
        let to = disk(folder.path(), first);
        let stopped = tokio::time::timeout(Duration::from_secs(3), get_one(&service, &remote, &to)).await;
        assert!(stopped.is_err(), "{stopped:?}");
        service.control().clear_faults();
        assert_eq!(names(folder.path()).len(), 1);
        service.control().reset_counters();
        let known = fs::metadata(folder.path().join(&names(folder.path())[0])).unwrap().len();
        assert!(known > content.len() as u64, "its ledger stands behind the last byte");
        get_one(&service, &remote, &disk(folder.path(), second.clone())).await.unwrap();
        assert!(fs::read(folder.path().join("f")).unwrap() == content);
        assert_eq!(names(folder.path()), ["f"]);
        if second.streams.get() > 1 {
            // Of eight pieces, two are there whole and one in part.
            assert_eq!(count(&service, "download"), 6);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_and_is_damaged_is_got_anew() {
    use std::os::unix::fs::FileExt as _;
    let content = bytes(6 * MIB);
    let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
    let (remote, to) = (service.remote(), disk(folder.path(), by_ranges()));
    with_fault(&service, "endpoint=download,kind=short-download:1000,after=3");
    get_one(&service, &remote, &to).await.unwrap_err();
    service.control().clear_faults();
    let partial = folder.path().join(&names(folder.path())[0]);
    let file = fs::File::options().write(true).open(&partial).unwrap();
    file.write_all_at(b"damaged", 100).unwrap();
    drop(file);
    get_one(&service, &remote, &to).await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content);
    assert_eq!(names(folder.path()), ["f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_known_checksum_comes_by_ranges_but_is_not_gone_on_with() {
    let content = bytes(5 * MIB);
    let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
    let (remote, to) = (service.remote(), disk(folder.path(), by_ranges()));
    let mut source = files(&remote, "").await;
    source[0].whirlpool = None;
    with_fault(&service, "endpoint=download,kind=short-download:1000");
    get(&remote, &source, &to).await.remove(0).into_result().unwrap_err();
    assert!(names(folder.path()).is_empty());
    service.control().clear_faults();
    get(&remote, &source, &to).await.remove(0).into_result().unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_holds_only_what_was_left_of_a_download_can_be_removed() {
    let (service, folder) = (holding(&bytes(5 * MIB)).await, tempfile::tempdir().unwrap());
    let inside = folder.path().join("d");
    fs::create_dir(&inside).unwrap();
    let remote = service.remote();
    with_fault(&service, "endpoint=download,kind=short-download:1000");
    get_one(&service, &remote, &disk(&inside, by_ranges())).await.unwrap_err();
    let left = names(&inside);
    assert_eq!(left.len(), 1);
    // The blocking job that wrote last ends by itself, and keeps the file until then.
    let file = fs::File::options().read(true).write(true).open(inside.join(&left[0])).unwrap();
    file.lock().unwrap();
    drop(file);
    let outcome = disk(folder.path(), by_ranges()).remove_folders(&[RemotePath::parse("d").unwrap()]).await;
    assert!(outcome[0].is_done(), "{outcome:?}");
    assert!(!inside.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_place_a_file_has_its_own_name_while_it_comes() {
    let content = bytes(6 * MIB);
    let (service, folder) = (holding(&content).await, tempfile::tempdir().unwrap());
    let remote = service.remote();
    let to = disk(folder.path(), Downloads { in_place: true, ..by_ranges() });
    with_fault(&service, "endpoint=download,kind=cut-download:3000000,times=1");
    with_fault(&service, "endpoint=download,kind=latency:60000,after=1");
    let stopped = tokio::time::timeout(Duration::from_secs(3), async {
        tokio::select! {
            got = get_one(&service, &remote, &to) => drop(got.unwrap()),
            () = async {
                while names(folder.path()) != ["f"] {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            } => {}
        }
    });
    stopped.await.unwrap();
    // When stopped, it is removed: nobody may take it for whole. The blocking job that wrote last ends by itself.
    for _ in 0..100 {
        if names(folder.path()).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(names(folder.path()).is_empty());
    service.control().clear_faults();
    get_one(&service, &remote, &to).await.unwrap();
    assert!(fs::read(folder.path().join("f")).unwrap() == content);
    assert_eq!(names(folder.path()), ["f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tight_bound_on_buffers_changes_no_byte_and_locks_nobody_out() {
    let (service, folder) = (holding(&bytes(5 * MIB)).await, tempfile::tempdir().unwrap());
    for n in 0..10 {
        service.control().seed_file(&format!("small{n}"), &bytes(50_000 + n)).unwrap();
    }
    let remote = service.remote();
    let sources = files(&remote, "").await;
    let to = disk(folder.path(), Downloads { buffers: Buffers::of(Some(64 * 1024)), ..by_ranges() });
    let all = tokio::time::timeout(Duration::from_secs(60), get(&remote, &sources, &to)).await.unwrap();
    assert!(all.iter().all(Outcome::is_done), "{all:?}");
    assert!(fs::read(folder.path().join("f")).unwrap() == bytes(5 * MIB));
    assert!(fs::read(folder.path().join("small9")).unwrap() == bytes(50_009));
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_get_their_tokens_ahead_of_their_turn_one_for_each() {
    let service = Service::start().await;
    for n in 0..21 {
        service.control().seed_file(&format!("f{n:02}"), format!("content {n}").as_bytes()).unwrap();
    }
    let (remote, folder) = (service.remote(), tempfile::tempdir().unwrap());
    let mut sources = files(&remote, "").await;
    // The first file of a run goes alone: it shows whether the service gives any to this address.
    let first = sources.split_off(20);
    let to = disk(folder.path(), Downloads { ahead: 6, ..Downloads::default() });
    assert!(get(&remote, &first, &to).await.iter().all(Outcome::is_done));
    service.control().reset_counters();
    // The nodes are slow: tokens that are requested now are requested ahead of need.
    with_fault(&service, "endpoint=download,kind=latency:4000,times=4");
    let getting = get(&remote, &sources, &to);
    let watching = async {
        let seen = || (count(&service, "download/get_token"), count(&service, "download"));
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if seen() == (10, 4) {
                break;
            }
        }
        // No more are requested.
        tokio::time::sleep(Duration::from_millis(300)).await;
        seen()
    };
    let (outcomes, meanwhile) = tokio::join!(getting, watching);
    // Four files are being transferred, the last of them has the index 3, and the reader looks six further.
    assert_eq!(meanwhile, (10, 4));
    assert!(outcomes.iter().all(Outcome::is_done), "{outcomes:?}");
    assert_eq!((count(&service, "download/get_token"), count(&service, "download")), (20, 20));
    assert_eq!(fs::read(folder.path().join("f19")).unwrap(), b"content 19");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_written_the_error_names_the_file_and_why() {
    let (service, folder) = (holding(&bytes(5 * MIB)).await, tempfile::tempdir().unwrap());
    let remote = service.remote();
    // Not even root can make files here.
    for (place, why) in [("/proc", ""), ("/sys/kernel", "")] {
        if !Path::new(place).is_dir() {
            continue;
        }
        for downloads in [by_ranges(), Downloads { in_place: true, ..by_ranges() }] {
            let error = get_one(&service, &remote, &disk(Path::new(place), downloads)).await.unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with(&format!("write {place}/f: {why}")), "{text}");
        }
    }
    // A directory has the file's name.
    fs::create_dir(folder.path().join("f")).unwrap();
    for downloads in [by_ranges(), Downloads { in_place: true, ..by_ranges() }] {
        let error = get_one(&service, &remote, &disk(folder.path(), downloads)).await.unwrap_err();
        assert!(error.to_string().contains("directory"), "{error}");
        assert_eq!(names(folder.path()), ["f"]);
    }
}
