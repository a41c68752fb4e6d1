//! What holds for encrypted remotes beside the promises of every remote.

use std::sync::Arc;

use bytes::Bytes;
use fichier_storage::{
    File, Freshness, HashKind, Listing, Location, MemoryContent, Name, Outcome, Relocation, Remote,
    RemoteExt as _, RemotePath, StorageError, Whirlpool, WriteBatch, WriteItem, conformance,
    memory::MemoryRemote,
};

use crate::local::{LocalOptions, LocalRemote};

use super::{
    keys::Keys,
    names::{NameMode, NameOptions},
    remote::{CryptOptions, CryptRemote},
    text::TextEncoding,
};

fn options(mode: NameMode, text: TextEncoding, folders: bool) -> CryptOptions {
    CryptOptions {
        names: NameOptions { mode, folders, text, suffix: ".bin".into() },
        plain_contents: false,
        pass_bad_blocks: false,
        strict_names: false,
        show_mapping: false,
    }
}

fn keys(seed: u8) -> Keys {
    Keys { content: [seed; 32].into(), names: [seed + 1; 32].into(), tweak: [seed + 2; 16].into() }
}

async fn over(inner: Arc<dyn Remote>, path: &str, options: CryptOptions) -> CryptRemote {
    let over = Location { remote: inner, path: RemotePath::parse(path).unwrap() };
    CryptRemote::new("secret:".into(), over, &keys(1), options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_in_all_modes() {
    for (mode, text) in [
        (NameMode::Standard, TextEncoding::Base32),
        (NameMode::Standard, TextEncoding::Base64),
        (NameMode::Standard, TextEncoding::Base32768),
        (NameMode::Obfuscate, TextEncoding::Base32),
        (NameMode::Off, TextEncoding::Base32),
    ] {
        for folders in [true, false] {
            for (path, duplicates) in [("", false), ("a/b", true)] {
                let inner = MemoryRemote::new("memory:").with_features(|features| {
                    features.duplicates = duplicates;
                    features.empty_files = duplicates;
                });
                let remote = over(Arc::new(inner), path, options(mode, text, folders)).await;
                let run = conformance::run(Arc::new(remote)).await;
                assert_eq!(run, Ok(()), "{mode:?} {text:?} {folders} {path:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_over_a_local_directory() {
    // With a suffix a name of 255 bytes is too long.
    for (mode, suffix) in [(NameMode::Standard, ".bin"), (NameMode::Off, "")] {
        let mut options = options(mode, TextEncoding::Base32, true);
        options.names.suffix = suffix.into();
        let directory = tempfile::tempdir().unwrap();
        let local =
            LocalRemote::open(directory.path(), LocalOptions { sync: false, ..LocalOptions::default() });
        let remote = over(Arc::new(local), "in/here", options).await;
        conformance::run(Arc::new(remote)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_over_itself_and_with_plain_contents() {
    let standard = options(NameMode::Standard, TextEncoding::Base32, true);
    let inner = over(Arc::new(MemoryRemote::new("memory:")), "", standard.clone()).await;
    let twice = over(Arc::new(inner), "x", CryptOptions { plain_contents: true, ..standard }).await;
    conformance::run(Arc::new(twice)).await.unwrap();
}

fn path(text: &str) -> RemotePath {
    RemotePath::parse(text).unwrap()
}

async fn put(remote: &dyn Remote, name: &str, bytes: &'static [u8]) -> File {
    let item = WriteItem {
        name: Name::new(name).unwrap(),
        size: bytes.len() as u64,
        modified: None,
        expected: None,
        content: Arc::new(MemoryContent(Bytes::from_static(bytes))),
        replaces: Vec::new(),
        metadata: Vec::new(),
    };
    let batch = WriteBatch { folder: RemotePath::root(), items: vec![item] };
    remote.write(batch).await.remove(0).into_result().unwrap()
}

#[tokio::test]
async fn what_it_cannot_read_is_a_gap_and_stays() {
    let inner = Arc::new(MemoryRemote::new("memory:"));
    let standard = options(NameMode::Standard, TextEncoding::Base32, true);
    let remote = over(inner.clone(), "", standard.clone()).await;
    put(&remote, "ours", b"bytes").await;
    put(&*inner, "theirs", b"bytes").await;
    // A file of ours that was cut.
    let stored = inner.entries(&path("")).await.unwrap().remove(0);
    let cut = stored.name().unwrap().to_string();
    let whole = stored.as_file().unwrap().clone();
    assert!(inner.remove(&[whole]).await[0].is_done());
    put(&*inner, &cut, b"cut").await;
    let Listing { entries, gaps } = remote.list(&path(""), Freshness::Known).await.unwrap();
    assert!(entries.is_empty());
    let gaps: Vec<_> = gaps.iter().map(|gap| gap.path.to_string()).collect();
    assert_eq!(gaps, ["ours", "theirs"]);
    let found = remote.find(&path("ours"), Freshness::Known).await;
    assert!(matches!(found, Err(StorageError::Undecryptable { .. })), "{found:?}");
    let strict = over(inner, "", CryptOptions { strict_names: true, ..standard }).await;
    assert!(strict.list(&path(""), Freshness::Known).await.is_err());
}

#[tokio::test]
async fn what_the_inner_remote_knows_of_a_file_is_handed_back_to_it() {
    let inner = Arc::new(MemoryRemote::new("memory:"));
    let standard = options(NameMode::Standard, TextEncoding::Base32, true);
    let remote = over(inner.clone(), "", standard.clone()).await;
    let written = put(&remote, "a", b"bytes").await;
    assert_eq!(written.whirlpool, Some(Whirlpool::of(b"bytes")));
    let listed = remote.entries(&path("")).await.unwrap().remove(0).as_file().unwrap().clone();
    assert_eq!((listed.whirlpool, &listed.fingerprint), (None, &written.fingerprint));
    assert!(listed.settled_fingerprint().is_some());
    let moved = Relocation { from: listed, to: path("b"), replaces: Vec::new() };
    assert!(matches!(remote.rename(&[moved]).await[..], [Outcome::Done(_)]));
    // Other keys make it another remote of the same place.
    let same = over(inner.clone(), "", standard.clone()).await;
    assert!(same.info().has_paths_of(remote.info()));
    let location = Location { remote: inner, path: path("") };
    let other = CryptRemote::new("other:".into(), location, &keys(9), standard).await.unwrap();
    assert!(!other.info().has_paths_of(remote.info()) && other.info().place == remote.info().place);
    assert_eq!(other.info().features, MemoryRemote::new("").info().features);
    assert!(!other.info().hashes.lists(HashKind::Whirlpool) && other.info().hashes.gives(HashKind::Md5));
}

#[tokio::test]
async fn names_that_are_too_long_are_told_before_anything_is_sent() {
    let inner = crate::local::LocalRemote::open(tempfile::tempdir().unwrap().path(), LocalOptions::default());
    let remote = over(Arc::new(inner), "", options(NameMode::Standard, TextEncoding::Base32, true)).await;
    let made = remote.make_folders(&[path(&"n".repeat(144))]).await;
    let [Outcome::Failed(error)] = &made[..] else { panic!("{made:?}") };
    assert!(error.to_string().ends_with("is too long: names here have at most 143 bytes"), "{error}");
}
