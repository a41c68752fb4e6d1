//! Tests of local directories beyond the promises of every remote.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use fichier_encoding::Encoding;
use fichier_storage::{
    ByteRange, Entry, File, Freshness, MemoryContent, Name, Outcome, Relocation, Remote, RemoteExt,
    RemotePath, StorageError, Whirlpool, WriteBatch, WriteItem, collect, conformance,
};
use futures::StreamExt;
use tempfile::TempDir;

use super::{LinkPolicy, LocalOptions, LocalRemote};

fn quick() -> LocalOptions {
    LocalOptions { sync: false, ..LocalOptions::default() }
}

fn following() -> LocalOptions {
    LocalOptions { links: LinkPolicy::Follow, ..quick() }
}

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

fn item(name: &str, bytes: &'static [u8]) -> WriteItem {
    WriteItem {
        name: Name::new(name).unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: Some(Whirlpool::of(bytes)),
        content: Arc::new(MemoryContent(Bytes::from_static(bytes))),
        replaces: Vec::new(),
        metadata: Vec::new(),
    }
}

async fn write(remote: &LocalRemote, folder: &str, items: Vec<WriteItem>) -> Vec<Outcome<File>> {
    remote.write(WriteBatch { folder: path(folder), items }).await
}

async fn found(remote: &LocalRemote, at: &str) -> File {
    remote.entry(&path(at)).await.unwrap().as_file().unwrap().clone()
}

async fn names(remote: &LocalRemote, folder: &str) -> Vec<String> {
    let entries = remote.entries(&path(folder)).await.unwrap();
    entries.iter().map(|entry| entry.name().unwrap().to_string()).collect()
}

fn on_disk(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    for links in [LinkPolicy::Skip, LinkPolicy::Follow] {
        let folder = TempDir::new().unwrap();
        let remote = LocalRemote::open(folder.path(), LocalOptions { links, ..quick() });
        conformance::run(Arc::new(remote)).await.unwrap();
    }
}

#[tokio::test]
async fn it_conforms_in_a_root_that_is_not_there_yet_and_with_flushes() {
    let folder = TempDir::new().unwrap();
    let remote = Arc::new(LocalRemote::open(folder.path().join("not/yet"), LocalOptions::default()));
    for name in ["a_new_remote_is_an_empty_root", "folders_on_the_way_are_made", "usage_is_told"] {
        conformance::check(name).unwrap().run(remote.clone()).await.unwrap();
    }
    let unmade = LocalRemote::open(folder.path().join("never"), quick());
    assert!(matches!(unmade.entries(&RemotePath::root()).await, Err(StorageError::FolderNotFound(_))));
    assert!(unmade.usage().await.unwrap().total.is_some());
}

#[tokio::test]
async fn every_name_conforms_under_every_systems_encoding() {
    use fichier_encoding::Encoding;
    for encoding in [Encoding::LOCAL_WINDOWS, Encoding::LOCAL_MACOS, Encoding::FICHIER] {
        let folder = TempDir::new().unwrap();
        let remote = Arc::new(LocalRemote::open(folder.path(), LocalOptions { encoding, ..quick() }));
        let check = conformance::check("listings_are_sorted_by_the_bytes_of_names").unwrap();
        check.run(remote.clone()).await.unwrap();
        write(&remote, "x", vec![item(" a<b:c>\\ ", b"1")]).await.remove(0).into_result().unwrap();
        assert_eq!(names(&remote, "x").await, [" a<b:c>\\ "]);
    }
}

#[tokio::test]
async fn hostile_names_stay_inside_whatever_the_encoding() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("root");
    let encoding = fichier_encoding::Encoding::NONE;
    let remote = LocalRemote::open(&root, LocalOptions { encoding, ..quick() });
    let outcomes =
        write(&remote, "", vec![item("．．／evil", b"x"), item("．．", b"x"), item("fine", b"x")]).await;
    assert!(matches!(outcomes[0], Outcome::Failed(StorageError::BadName { .. })));
    assert!(matches!(outcomes[1], Outcome::Failed(StorageError::BadName { .. })));
    assert!(outcomes[2].is_done());
    assert!(
        write(&remote, "．．/up", vec![item("evil", b"x")]).await.iter().all(|outcome| !outcome.is_done())
    );
    assert_eq!(on_disk(folder.path()), ["root"]);
    assert_eq!(on_disk(&root), ["fine"]);
}

#[tokio::test]
async fn a_file_that_grows_or_shrinks_or_is_written_anew_cannot_be_read() {
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), quick());
    let lenient = LocalRemote::open(folder.path(), LocalOptions { check_updated: false, ..quick() });
    let disk = folder.path().join("log");
    for (now, whole_size) in [(&b"12345678901"[..], true), (b"123456789", false), (b"0987654321", true)] {
        fs::write(&disk, b"1234567890").unwrap();
        let seen = found(&remote, "log").await;
        fs::write(&disk, now).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options().append(true).open(&disk).unwrap().set_modified(later).unwrap();
        let strict = collect(remote.read(&seen, ByteRange::WHOLE).await.unwrap()).await;
        assert!(strict.is_err(), "{now:?}");
        let lenient = collect(lenient.read(&seen, ByteRange::WHOLE).await.unwrap()).await;
        assert_eq!(lenient.is_ok(), whole_size, "{now:?}: {lenient:?}");
        assert!(lenient.is_err() || lenient.unwrap().len() == 10);
    }
}

#[tokio::test]
async fn a_file_that_is_appended_to_between_two_chunks_ends_with_an_error() {
    use std::io::Write;
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), quick());
    let disk = folder.path().join("log");
    fs::write(&disk, vec![7; 1_000_000]).unwrap();
    let mut stream = remote.read(&found(&remote, "log").await, ByteRange::WHOLE).await.unwrap();
    assert!(stream.next().await.unwrap().is_ok());
    fs::File::options().append(true).open(&disk).unwrap().write_all(b"more").unwrap();
    let rest: Vec<_> = stream.collect().await;
    assert!(matches!(rest.last(), Some(Err(StorageError::SourceChanged { .. }))));
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_seen_stays() {
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), quick());
    let disk = folder.path().join("f");
    fs::write(&disk, "seen").unwrap();
    let seen = found(&remote, "f").await;
    // A file of the same size and time, but another one.
    let time = fs::metadata(&disk).unwrap().modified().unwrap();
    fs::write(folder.path().join("new"), "SEEN").unwrap();
    fs::File::options().append(true).open(folder.path().join("new")).unwrap().set_modified(time).unwrap();
    fs::rename(folder.path().join("new"), &disk).unwrap();
    let removed = remote.remove_unchanged(std::slice::from_ref(&seen)).await.remove(0);
    if cfg!(unix) {
        assert!(matches!(removed.into_result(), Err(StorageError::SourceChanged { .. })));
        assert_eq!(fs::read(&disk).unwrap(), b"SEEN");
    }
    fs::write(&disk, "longer").unwrap();
    let removed = remote.remove_unchanged(std::slice::from_ref(&seen)).await.remove(0);
    assert!(matches!(removed.into_result(), Err(StorageError::SourceChanged { .. })));
    let now = found(&remote, "f").await;
    assert!(remote.remove_unchanged(&[now]).await.remove(0).is_done());
    assert!(!disk.exists());
}

#[tokio::test]
async fn overwriting_keeps_no_partial_file_and_case_of_failure_neither() {
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), LocalOptions::default());
    fs::create_dir(folder.path().join("d")).unwrap();
    let mut wrong = item("b", b"bytes");
    wrong.expected = Some(Whirlpool::of(b"others"));
    let mut short = item("c", b"bytes");
    short.size = 2_000_000;
    let outcomes = write(&remote, "", vec![item("a", b"1"), wrong, short, item("d", b"no")]).await;
    let done: Vec<_> = outcomes.iter().map(Outcome::is_done).collect();
    assert_eq!(done, [true, false, false, false]);
    assert!(write(&remote, "", vec![item("a", b"22")]).await[0].is_done());
    assert_eq!(on_disk(folder.path()), ["a", "d"]);
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"22");
}

#[tokio::test]
async fn the_checksum_seen_on_the_way_is_handed_on() {
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), quick());
    let stored = write(&remote, "", vec![item("a", b"abc")]).await.remove(0).into_result().unwrap();
    assert_eq!(stored.whirlpool, Some(Whirlpool::of(b"abc")));
    assert_eq!(found(&remote, "a").await.whirlpool, None);
}

#[tokio::test]
async fn a_move_onto_itself_or_a_copy_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let remote = LocalRemote::open(folder.path(), quick());
    let stored = write(&remote, "", vec![item("a", b"abc")]).await.remove(0).into_result().unwrap();
    let onto_itself = [Relocation { from: stored.clone(), to: path("a"), replaces: vec![stored] }];
    assert!(remote.copy(&onto_itself).await[0].is_done());
    assert!(remote.rename(&onto_itself).await[0].is_done());
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"abc");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    use proptest::prelude::*;

    use super::*;

    /// Makes a file, links to it and to a directory, one that leads nowhere, one in a circle, and a pipe.
    fn zoo() -> TempDir {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "bytes").unwrap();
        fs::create_dir(at("dir")).unwrap();
        fs::write(at("dir/inside"), "deep").unwrap();
        symlink("file", at("link-file")).unwrap();
        symlink("dir", at("link-dir")).unwrap();
        symlink("nowhere", at("link-nowhere")).unwrap();
        symlink("link-self", at("link-self")).unwrap();
        symlink("..", at("dir/link-up")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        folder
    }

    #[tokio::test]
    async fn links_and_special_files_are_left_out() {
        let zoo = zoo();
        let remote = LocalRemote::open(zoo.path(), quick());
        assert_eq!(names(&remote, "").await, ["dir", "file"]);
        for name in ["link-file", "link-nowhere", "link-self"] {
            let found = remote.entry(&path(name)).await;
            assert!(matches!(found, Err(StorageError::FileNotFound(_))), "{name}: {found:?}");
        }
        for (name, kind) in [("pipe", "a named pipe"), ("socket", "a socket")] {
            let found = remote.entry(&path(name)).await;
            assert!(
                matches!(found, Err(StorageError::Special { what, .. }) if what == kind),
                "{name}: {found:?}"
            );
        }
        // Nothing takes their place, be it new or moved there.
        for name in ["pipe", "socket"] {
            let stored = write(&remote, "", vec![item(name, b"new")]).await.remove(0).into_result();
            assert!(matches!(stored, Err(StorageError::Special { .. })), "{name}: {stored:?}");
            let file = found(&remote, "file").await;
            let step = Relocation { from: file, to: path(name), replaces: Vec::new() };
            let moved = remote.rename(&[step]).await.remove(0).into_result();
            assert!(matches!(moved, Err(StorageError::Special { .. })), "{name}: {moved:?}");
            assert!(!std::fs::symlink_metadata(zoo.path().join(name)).unwrap().is_file());
        }
        // A directory that the user names is listed, link or not.
        assert!(matches!(remote.entry(&path("link-dir")).await, Ok(Entry::Folder(_))));
        assert_eq!(names(&remote, "link-dir").await, ["inside"]);
    }

    #[tokio::test]
    async fn links_are_followed_on_request_but_never_in_circles() {
        let zoo = zoo();
        let remote = LocalRemote::open(zoo.path(), following());
        assert_eq!(names(&remote, "").await, ["dir", "file", "link-dir", "link-file"]);
        assert_eq!(names(&remote, "dir").await, ["inside"]);
        assert_eq!(names(&remote, "link-dir").await, ["inside"]);
        let linked = found(&remote, "link-file").await;
        assert_eq!(linked.size, 5);
        assert_eq!(collect(remote.read(&linked, ByteRange::WHOLE).await.unwrap()).await.unwrap(), b"bytes");
    }

    #[tokio::test]
    async fn two_directories_that_link_to_each_other_end() {
        let folder = TempDir::new().unwrap();
        for (name, other) in [("a", "../b"), ("b", "../a")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            symlink(other, folder.path().join(name).join("other")).unwrap();
        }
        let remote = LocalRemote::open(folder.path(), following());
        assert_eq!(names(&remote, "a").await, ["other"]);
        assert!(names(&remote, "a/other").await.is_empty());
    }

    #[tokio::test]
    async fn a_link_or_a_pipe_put_in_a_files_place_is_not_read() {
        let zoo = zoo();
        let remote = LocalRemote::open(zoo.path(), quick());
        let mut file = found(&remote, "file").await;
        for name in ["link-file", "pipe", "socket", "dir"] {
            file.path = path(name);
            let read = collect(remote.read(&file, ByteRange::WHOLE).await.unwrap()).await;
            assert!(read.is_err(), "{name}");
        }
    }

    #[tokio::test]
    async fn a_file_that_became_something_else_has_changed() {
        for becomes in ["a folder", "a link", "a socket"] {
            let directory = tempfile::tempdir().unwrap();
            let at = directory.path().join("a");
            fs::write(&at, "one").unwrap();
            fs::write(directory.path().join("b"), "two").unwrap();
            let remote = LocalRemote::open(directory.path(), quick());
            let file = found(&remote, "a").await;
            fs::remove_file(&at).unwrap();
            let _socket = match becomes {
                "a folder" => fs::create_dir(&at).map(|()| None).unwrap(),
                "a link" => std::os::unix::fs::symlink("b", &at).map(|()| None).unwrap(),
                _ => Some(std::os::unix::net::UnixListener::bind(&at).unwrap()),
            };
            let step = Relocation { from: file.clone(), to: path("c"), replaces: Vec::new() };
            let read = collect(remote.reader(&file).stream(ByteRange::WHOLE).await.unwrap()).await;
            let ends = [
                read.err(),
                remote.remove_unchanged(std::slice::from_ref(&file)).await.remove(0).into_result().err(),
                remote.copy(std::slice::from_ref(&step)).await.remove(0).into_result().err(),
                remote.rename(&[step]).await.remove(0).into_result().err(),
            ];
            for end in ends {
                // A socket can't be opened at all.
                let is_socket = becomes == "a socket";
                assert!(
                    matches!(end, Some(StorageError::SourceChanged { .. })) || is_socket && end.is_some(),
                    "{becomes}: {end:?}"
                );
            }
            assert!(fs::symlink_metadata(&at).is_ok());
        }
    }

    #[tokio::test]
    async fn nothing_is_written_through_a_link_in_a_files_place() {
        let folder = TempDir::new().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        fs::create_dir(&root).unwrap();
        fs::write(&outside, "precious").unwrap();
        symlink("../outside", root.join("a")).unwrap();
        symlink("../new", root.join("b")).unwrap();
        for options in [quick(), following()] {
            let remote = LocalRemote::open(&root, options);
            assert!(
                write(&remote, "", vec![item("a", b"1"), item("b", b"2")]).await.iter().all(Outcome::is_done)
            );
        }
        assert_eq!(fs::read(&outside).unwrap(), b"precious");
        assert_eq!(on_disk(folder.path()), ["outside", "root"]);
        assert!(root.join("a").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(root.join("b")).unwrap(), b"2");
    }

    #[tokio::test]
    async fn removing_a_link_leaves_what_it_leads_to() {
        let zoo = zoo();
        let remote = LocalRemote::open(zoo.path(), following());
        let link = found(&remote, "link-file").await;
        assert!(remote.remove(&[link]).await[0].is_done());
        assert!(!remote.remove_folders(&[path("link-dir")]).await[0].is_done());
        assert_eq!(names(&remote, "").await, ["dir", "file", "link-dir"]);
    }

    #[tokio::test]
    async fn an_unreadable_directory_is_an_error_not_an_empty_one() {
        if fs::read_dir("/root").is_ok() {
            // Root may read everything.
            return;
        }
        use std::os::unix::fs::PermissionsExt;
        let folder = TempDir::new().unwrap();
        let shut = folder.path().join("shut");
        fs::create_dir(&shut).unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        let remote = LocalRemote::open(folder.path(), quick());
        assert!(matches!(remote.entries(&path("shut")).await, Err(StorageError::Io { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_name_on_the_disk_is_listed_found_read_and_written(
            bytes in prop::collection::vec(any::<u8>().prop_filter("a file system's own", |b| *b != 0 && *b != b'/'), 1..30)
        ) {
            prop_assume!(bytes != b"." && bytes != b"..");
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let folder = TempDir::new().unwrap();
                let disk = folder.path().join(std::ffi::OsStr::from_bytes(&bytes));
                fs::write(&disk, "here").unwrap();
                let remote = LocalRemote::open(folder.path(), quick());
                let listed = remote.entries(&RemotePath::root()).await.unwrap();
                assert_eq!(listed.len(), 1);
                let file = listed[0].as_file().unwrap();
                let found = remote.entry(&file.path).await.unwrap();
                // A fingerprint is settled only after a moment without changes, so the second look may differ.
                let rested = |file: &File| File { fingerprint: None, ..file.clone() };
                assert_eq!(found.as_file().map(rested), Some(rested(file)));
                let read = remote.read(file, ByteRange::WHOLE).await.unwrap();
                assert_eq!(collect(read).await.unwrap(), b"here");
                let mut anew = item("x", b"anew");
                anew.name = file.path.name().unwrap();
                assert!(write(&remote, "", vec![anew]).await[0].is_done());
                assert_eq!(fs::read(&disk).unwrap(), b"anew");
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            });
        }
    }
}

/// `a:b` and `a：b` are listed under one name; the file that is found by it is the one that counts.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_with_one_listed_name_the_one_that_can_be_read_is_listed() {
    for swapped in [false, true] {
        let directory = TempDir::new().unwrap();
        let contents = if swapped { ["longer", "short"] } else { ["short", "longer"] };
        fs::write(directory.path().join("a:b"), contents[0]).unwrap();
        fs::write(directory.path().join("a：b"), contents[1]).unwrap();
        let encoding = Encoding::LOCAL_UNIX | Encoding::COLON;
        let remote = LocalRemote::open(directory.path(), LocalOptions { encoding, ..quick() });
        let listing = remote.list(&RemotePath::root(), Freshness::SinceStart).await.unwrap();
        assert_eq!((listing.entries.len(), listing.gaps.len()), (1, 1));
        let file = listing.entries[0].as_file().unwrap();
        let bytes = collect(remote.read(file, ByteRange::WHOLE).await.unwrap()).await.unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), contents[1]);
    }
}

/// rclone lists all of these under one name, and finds only the second again.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn files_whose_names_differ_in_their_quotes_are_two() {
    let directory = TempDir::new().unwrap();
    let names = ["a‛b", "a‛‛b", "a‛‛‛b"];
    for name in names {
        fs::write(directory.path().join(name), name).unwrap();
    }
    let remote = LocalRemote::open(directory.path(), quick());
    let listing = remote.list(&RemotePath::root(), Freshness::SinceStart).await.unwrap();
    assert_eq!((listing.entries.len(), listing.gaps.len()), (3, 0));
    let mut read = Vec::new();
    for entry in &listing.entries {
        let bytes = remote.read(entry.as_file().unwrap(), ByteRange::WHOLE).await.unwrap();
        read.push(String::from_utf8(collect(bytes).await.unwrap()).unwrap());
    }
    read.sort_by_key(String::len);
    assert_eq!(read, names);
}

/// Swaps the names of a directory and a link again and again, until it is dropped.
#[cfg(target_os = "linux")]
struct Swapping {
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

#[cfg(target_os = "linux")]
impl Swapping {
    fn start(left: std::path::PathBuf, right: std::path::PathBuf) -> Self {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let stop = Arc::<std::sync::atomic::AtomicBool>::default();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut swaps = 0;
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                renameat_with(CWD, &left, CWD, &right, RenameFlags::EXCHANGE).unwrap();
                swaps += 1;
                std::thread::yield_now();
            }
            swaps
        });
        Self { stop, thread: Some(thread) }
    }

    fn end(mut self) -> u64 {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_swapped_for_a_link_leads_nowhere() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let directory = tempfile::tempdir().unwrap();
    let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
    for folder in [root.join("x/deep"), outside.join("deep")] {
        fs::create_dir_all(folder).unwrap();
    }
    for name in ["keep", "secret", "deep/keep"] {
        fs::write(outside.join(name), "safe").unwrap();
    }
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&outside, root.join("link")).unwrap();
    let remote = LocalRemote::open(&root, LocalOptions { links: LinkPolicy::Translate, ..quick() });
    let before = fs::metadata(&outside).unwrap().modified().unwrap();
    let swapping = Swapping::start(root.join("x"), root.join("link"));
    let (mut reached, mode) = (0, vec![("mode".to_owned(), "755".to_owned())]);
    for round in 0..200 {
        for folder in ["x", "x/deep"] {
            let new = write(&remote, folder, vec![item("new", b"evil")]).await.remove(0).into_result();
            reached += u32::from(new.is_ok());
            let target = path(folder).join(&Name::new("keep").unwrap());
            let seen = File::new(target.clone(), 4);
            remote.remove(std::slice::from_ref(&seen)).await;
            write(&remote, "", vec![item("a", b"evil")]).await;
            let from = found(&remote, "a").await;
            let copy = Relocation { from: from.clone(), to: target.clone(), replaces: Vec::new() };
            remote.copy(std::slice::from_ref(&copy)).await;
            remote.rename(&[copy]).await;
            let made = path(&format!("{folder}/made{round}"));
            remote.make_folders(std::slice::from_ref(&made)).await;
            remote.remove_folders(std::slice::from_ref(&made)).await;
            let _set_or_not = remote.set_folder_metadata(&path(folder), &mode).await;
            remote.remove_folders(&[path(&format!("{folder}/deep"))]).await;
        }
        let names = remote.entries(&path("x")).await.unwrap_or_default();
        assert!(!names.iter().any(|entry| *entry.path() == path("x/secret")));
        let secret = remote.reader(&File::new(path("x/secret"), 4)).stream(ByteRange::WHOLE).await;
        if let Ok(stream) = secret {
            assert!(collect(stream).await.is_err());
        }
    }
    assert!(swapping.end() > 0);
    assert!(reached > 0);
    assert_eq!(on_disk(&outside), ["deep", "keep", "secret"]);
    assert_eq!(on_disk(&outside.join("deep")), ["keep"]);
    for name in ["keep", "secret", "deep/keep"] {
        assert_eq!(fs::read_to_string(outside.join(name)).unwrap(), "safe");
    }
    let after = fs::metadata(&outside).unwrap();
    assert_eq!((after.permissions().mode() & 0o777, after.modified().unwrap()), (0o700, before));
}
