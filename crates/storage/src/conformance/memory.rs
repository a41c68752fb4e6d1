//! The suite against a remote that keeps its promises, once with all features and once with few. And against remotes
//! that break one promise each, which the suite has to notice.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;

use super::{CHECKS, check, run};
use crate::{
    ByteRange, ByteStream, Content, Entry, Features, File, FileReader, Freshness, Listing, MemoryContent,
    Outcome, Remote, RemoteExt, RemotePath, Result, Times, WriteBatch, collect, delegate_remote,
    memory::MemoryRemote,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    RemovesOldFirst,
    StoresTornFiles,
    IgnoresChecksums,
    ListsAsItComes,
    SaysRemovedTwice,
    RemovesFullFolders,
    FindsFirst,
    ReadsOneByteLess,
    ReadsOnce,
}

#[derive(Debug)]
struct Flawed {
    inner: MemoryRemote,
    flaw: Flaw,
}

/// Returns a remote with few features, where two files can share a name.
fn poor() -> MemoryRemote {
    MemoryRemote::new("memory:").with_times(Times::default()).with_features(|features| {
        *features = Features { duplicates: true, ..Features::default() };
    })
}

fn flawed(flaw: Flaw) -> Arc<Flawed> {
    Arc::new(Flawed { inner: poor(), flaw })
}

#[async_trait]
impl Remote for Flawed {
    delegate_remote!(inner: info, place, forget, copy, rename, remove_unchanged, make_folders, rename_folders,
        set_modified, extensions);

    async fn list(&self, folder: &RemotePath, age: Freshness) -> Result<Listing> {
        let mut listing = self.inner.list(folder, age).await?;
        if self.flaw == Flaw::ListsAsItComes {
            listing.entries.reverse();
        }
        Ok(listing)
    }

    async fn find(&self, path: &RemotePath, age: Freshness) -> Result<Entry> {
        if let (Flaw::FindsFirst, Some(folder)) = (self.flaw, path.parent()) {
            let entries = self.inner.list(&folder, age).await.unwrap_or_default().entries;
            if let Some(first) = entries.into_iter().find(|entry| entry.path() == path) {
                return Ok(first);
            }
        }
        self.inner.find(path, age).await
    }

    fn reader(&self, file: &File) -> Arc<dyn FileReader> {
        Arc::new(FlawedReader {
            inner: self.inner.reader(file),
            flaw: self.flaw,
            size: file.size,
            reads: 0.into(),
        })
    }

    async fn write(&self, mut batch: WriteBatch) -> Vec<Outcome<File>> {
        for item in &mut batch.items {
            match self.flaw {
                Flaw::RemovesOldFirst => drop(self.inner.remove(&item.replaces).await),
                Flaw::IgnoresChecksums => item.expected = None,
                Flaw::StoresTornFiles => {
                    let Ok(stream) = item.content.open().await else { continue };
                    let Ok(bytes) = collect(stream).await else { continue };
                    if bytes.is_empty() {
                        continue;
                    }
                    (item.size, item.expected) = (bytes.len() as u64, None);
                    item.content = Arc::new(MemoryContent(bytes.into())) as Arc<dyn Content>;
                }
                _ => {}
            }
        }
        self.inner.write(batch).await
    }

    async fn remove(&self, batch: &[File]) -> Vec<Outcome<()>> {
        let outcomes = self.inner.remove(batch).await;
        match self.flaw {
            Flaw::SaysRemovedTwice => outcomes.iter().map(|_| Outcome::Done(())).collect(),
            _ => outcomes,
        }
    }

    async fn remove_folders(&self, batch: &[RemotePath]) -> Vec<Outcome<()>> {
        for folder in batch.iter().filter(|_| self.flaw == Flaw::RemovesFullFolders) {
            let entries = self.inner.entries(folder).await.unwrap_or_default();
            let files: Vec<_> = entries.iter().filter_map(Entry::as_file).cloned().collect();
            self.inner.remove(&files).await;
        }
        self.inner.remove_folders(batch).await
    }
}

#[derive(Debug)]
struct FlawedReader {
    inner: Arc<dyn FileReader>,
    flaw: Flaw,
    size: u64,
    reads: std::sync::atomic::AtomicU32,
}

#[async_trait]
impl FileReader for FlawedReader {
    async fn stream(&self, mut range: ByteRange) -> Result<ByteStream> {
        let before = self.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let short = self.flaw == Flaw::ReadsOneByteLess && range.start > 0;
        if short || (self.flaw == Flaw::ReadsOnce && before > 0) {
            range.end = Some((range.start + range.length(self.size)).saturating_sub(1));
        }
        self.inner.stream(range).await
    }

    async fn prepare(&self) {
        self.inner.prepare().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_that_keeps_its_promises_passes() {
    run(Arc::new(MemoryRemote::new("memory:"))).await.unwrap();
    run(Arc::new(poor())).await.unwrap();
    run(flawed(Flaw::None)).await.unwrap();
}

#[tokio::test]
async fn each_check_stands_alone() {
    for check in CHECKS {
        check.run(flawed(Flaw::None)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_promise_is_noticed() {
    for (flaw, noticed_by) in [
        (Flaw::RemovesOldFirst, "a_wrong_checksum_fails_and_keeps_the_old_version"),
        (Flaw::StoresTornFiles, "wrong_sizes_fail_alone_and_leave_nothing"),
        (Flaw::IgnoresChecksums, "a_wrong_checksum_fails_and_keeps_the_old_version"),
        (Flaw::ListsAsItComes, "listings_are_sorted_by_the_bytes_of_names"),
        (Flaw::SaysRemovedTwice, "removing_twice_is_no_failure"),
        (Flaw::RemovesFullFolders, "only_empty_folders_are_removed"),
        (Flaw::FindsFirst, "a_second_file_of_a_name_doubles_or_overwrites"),
        (Flaw::ReadsOneByteLess, "ranges"),
        (Flaw::ReadsOnce, "a_reader_reads_in_any_order_and_again"),
    ] {
        let failure = check(noticed_by).unwrap().run(flawed(flaw)).await;
        assert_eq!(failure.map_err(|failure| failure.check), Err(noticed_by), "{flaw:?}");
        assert!(run(flawed(flaw)).await.is_err(), "{flaw:?}");
    }
}

#[tokio::test]
async fn what_is_not_claimed_is_refused() {
    let remote = poor();
    let (path, time) = (RemotePath::parse("a").unwrap(), SystemTime::UNIX_EPOCH);
    let file = File::new(path.clone(), 1);
    assert!(remote.set_modified_of(&file, time).await.is_err());
    assert!(remote.rename_folder(&path, &path).await.is_err());
    assert!(remote.account().await.is_err());
}

#[tokio::test]
async fn what_is_hidden_is_a_gap() {
    let remote = MemoryRemote::new("memory:");
    let [folder, hidden] = ["a", "a/hidden"].map(|path| RemotePath::parse(path).unwrap());
    remote.make_folders(&[hidden.clone(), RemotePath::parse("a/seen").unwrap()]).await;
    remote.hide(&hidden, "permission denied");
    let listing = remote.list(&folder, Freshness::Known).await.unwrap();
    assert_eq!((listing.entries.len(), listing.gaps.len()), (1, 1));
    assert_eq!(listing.gaps[0].path, hidden);
    assert!(remote.find(&hidden, Freshness::Known).await.is_err());
}
