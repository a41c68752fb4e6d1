//! Checks of finding and reading, and of the exact error for what isn't there.

use crate::{ByteRange, Entry, RemoteExt, RemotePath, StorageError, collect};

use futures::FutureExt as _;

use super::subject::{Checked, Subject, noise};

pub(super) async fn a_new_remote_is_an_empty_root(subject: Subject) -> Checked {
    let root = RemotePath::root();
    let found = subject.remote.entry(&root).await.map_err(|error| format!("finding the root: {error}"))?;
    ensure!(found.as_folder().is_some_and(|folder| folder.path.is_root()), "the root is {found:?}");
    match subject.remote.entries(&root).await {
        Ok(entries) => ensure!(entries.is_empty(), "the remote isn't empty, it holds {entries:?}"),
        // A root that is made by the first write.
        Err(StorageError::FolderNotFound(_)) => {}
        Err(error) => return Err(format!("listing the root failed: {error}")),
    }
    let made = subject.make_folders(&[root]).await?;
    ensure!(made.iter().all(crate::Outcome::is_done), "making the root came to {made:?}");
    Ok(())
}

pub(super) async fn ranges(subject: Subject) -> Checked {
    let bytes = noise(700_000);
    let end = bytes.len() as u64;
    let file = subject.put_one("", "ranged", &bytes).await?;
    for (start, stop) in [
        (0, None),
        (0, Some(1)),
        (0, Some(300_000)),
        (1, Some(2)),
        (262_143, Some(262_145)),
        (100_000, Some(600_000)),
        (end - 1, None),
        (end - 10, Some(end)),
        (end - 10, Some(end + 10)),
        (0, Some(u64::MAX)),
        (5, Some(5)),
        (end, None),
    ] {
        let range = ByteRange { start, end: stop };
        let from = usize::try_from(start).map_err(|error| error.to_string())?;
        let to = usize::try_from(stop.unwrap_or(end).min(end)).map_err(|error| error.to_string())?;
        subject.reads(&file, range, &bytes[from..to]).await?;
    }
    let beyond = subject.read(&file, ByteRange { start: end + 5, end: Some(end + 9) }).await;
    ensure!(
        beyond.as_ref().is_ok_and(Vec::is_empty),
        "past the end there are no bytes, and that is no error; seen: {beyond:?}"
    );
    Ok(())
}

pub(super) async fn a_reader_reads_in_any_order_and_again(subject: Subject) -> Checked {
    let bytes = noise(300_000);
    let file = subject.put_one("", "read", &bytes).await?;
    let reader = subject.remote.reader(&file);
    reader.prepare().await;
    for (start, end) in [(200_000, 300_000), (0, 100_000), (100_000, 200_000), (0, 300_000), (0, 300_000)] {
        let range = ByteRange { start: start as u64, end: Some(end as u64) };
        let read = async { collect(reader.stream(range).await?).await };
        let read = read.await.map_err(|error| format!("reading {range:?} failed: {error}"))?;
        ensure!(read == bytes[start..end], "reading {range:?} once more gave other bytes");
    }
    let whole = reader.stream(ByteRange::WHOLE).await.map_err(|error| format!("opening failed: {error}"))?;
    let [tail, whole] = futures::future::join_all([
        async { collect(reader.stream(ByteRange { start: 299_000, end: None }).await?).await }.boxed(),
        collect(whole).boxed(),
    ])
    .await
    .try_into()
    .map_err(|_| "two streams came to another number".to_owned())?;
    ensure!(tail.is_ok_and(|tail| tail == bytes[299_000..]), "the second of two streams gave other bytes");
    ensure!(whole.is_ok_and(|whole| whole == bytes), "the first of two streams gave other bytes");
    Ok(())
}

pub(super) async fn a_file_that_is_gone_cannot_be_read(subject: Subject) -> Checked {
    let file = subject.put_one("", "gone", b"soon").await?;
    for outcome in subject.remove(std::slice::from_ref(&file)).await? {
        outcome.into_result().map_err(|error| format!("removing failed: {error}"))?;
    }
    let read = subject.read(&file, ByteRange::WHOLE).await;
    ensure!(
        matches!(read, Err(StorageError::FileNotFound(_))),
        "reading a file that is gone came to {:?}",
        read.map(|bytes| bytes.len())
    );
    Ok(())
}

pub(super) async fn what_is_missing_is_told_exactly(subject: Subject) -> Checked {
    subject.put_one("folder", "file", b"bytes").await?;
    for missing in ["nothing", "folder/nothing", "nothing/below", "folder/file/below", "fil", "folder/files"]
    {
        let path = subject.path(missing)?;
        let found = subject.remote.entry(&path).await;
        let told = matches!(&found, Err(StorageError::FileNotFound(told)) if *told == path);
        ensure!(told, "finding {path:?}, where nothing is, came to {found:?}");
    }
    for missing in ["nothing", "folder/nothing", "nothing/below", "folder/file/below"] {
        let path = subject.path(missing)?;
        let listed = subject.remote.entries(&path).await;
        let told = matches!(&listed, Err(StorageError::FolderNotFound(told)) if *told == path);
        ensure!(told, "listing {path:?}, where nothing is, came to {listed:?}");
    }
    let file = subject.path("folder/file")?;
    let listed = subject.remote.entries(&file).await;
    let told = matches!(&listed, Err(StorageError::IsAFile(told)) if *told == file);
    ensure!(told, "listing a file came to {listed:?}");
    let folder = subject.path("folder")?;
    let found = subject.remote.entry(&folder).await;
    let told = matches!(&found, Ok(Entry::Folder(told)) if told.path == folder);
    ensure!(told, "finding a folder came to {found:?}");
    Ok(())
}
