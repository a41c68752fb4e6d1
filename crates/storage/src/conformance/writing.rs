//! Checks of storing files: all of it or nothing of it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{Outcome, RemotePath, StorageError, Whirlpool, WriteBatch};

use super::subject::{Checked, End, Pieces, Subject, item, noise};

pub(super) async fn a_file_is_stored_listed_found_and_read(subject: Subject) -> Checked {
    let stored = subject.put_one("", "a.txt", b"hello world").await?;
    subject.reads(&stored, crate::ByteRange::WHOLE, b"hello world").await?;
    let listed = subject.list("").await?;
    let [entry] = &listed[..] else {
        return Err(format!("one file was stored, {} are listed", listed.len()));
    };
    let file = entry.as_file().ok_or("the file is listed as a folder")?;
    ensure!(file.path == stored.path, "stored {:?}, listed {:?}", stored.path, file.path);
    ensure!(file.size == 11, "stored 11 bytes, listed {}", file.size);
    ensure!(file.id == stored.id, "stored as {:?}, listed as {:?}", stored.id, file.id);
    subject.is_file("a.txt", b"hello world").await?;
    Ok(())
}

pub(super) async fn an_empty_batch_does_nothing(subject: Subject) -> Checked {
    ensure!(subject.write("", Vec::new()).await?.is_empty(), "outcomes for no file");
    ensure!(subject.copy(&[]).await?.is_empty(), "outcomes for no copy");
    ensure!(subject.rename(&[]).await?.is_empty(), "outcomes for no rename");
    ensure!(subject.remove(&[]).await?.is_empty(), "outcomes for no removal");
    ensure!(subject.make_folders(&[]).await?.is_empty(), "outcomes for no folder to make");
    ensure!(subject.remove_folders(&[]).await?.is_empty(), "outcomes for no folder to remove");
    Ok(())
}

pub(super) async fn many_files_in_one_batch(subject: Subject) -> Checked {
    let names: Vec<String> = (0..120).map(|number| format!("file {number:03}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &name.as_bytes()[3..])).collect();
    subject.put("", &files).await?;
    let expected: Vec<&str> = names.iter().map(String::as_str).collect();
    subject.holds("", &expected).await?;
    for (name, bytes) in files.iter().step_by(37) {
        subject.is_file(name, bytes).await?;
    }
    Ok(())
}

pub(super) async fn folders_on_the_way_are_made(subject: Subject) -> Checked {
    subject.put_one("x/y/z", "deep", b"down here").await?;
    subject.holds("", &["x/"]).await?;
    subject.holds("x", &["y/"]).await?;
    subject.holds("x/y", &["z/"]).await?;
    subject.holds("x/y/z", &["deep"]).await?;
    subject.is_file("x/y/z/deep", b"down here").await?;
    Ok(())
}

pub(super) async fn a_large_file_keeps_every_byte(subject: Subject) -> Checked {
    let bytes = noise(3 * 1024 * 1024 + 17);
    let mut large = item(b"large.bin", &bytes)?;
    large.content = Pieces::of(&bytes, 70_001, End::Whole);
    for outcome in subject.write("", vec![large]).await? {
        outcome.into_result().map_err(|error| format!("writing failed: {error}"))?;
    }
    subject.is_file("large.bin", &bytes).await?;
    Ok(())
}

pub(super) async fn empty_files_are_stored_or_refused(subject: Subject) -> Checked {
    let items = vec![item(b"a", b"full")?, item(b"b", b"")?, item(b"c", b"full too")?];
    let outcomes = subject.write("", items).await?;
    ensure!(outcomes[0].is_done() && outcomes[2].is_done(), "the files beside it failed: {outcomes:?}");
    if subject.features().empty_files {
        ensure!(outcomes[1].is_done(), "empty files are claimed, but: {:?}", outcomes[1]);
        subject.holds("", &["a", "b", "c"]).await?;
        subject.is_file("b", b"").await?;
    } else {
        let refused = matches!(outcomes[1], Outcome::Failed(StorageError::EmptyFile(_)));
        ensure!(refused, "instead of refusing the empty file: {:?}", outcomes[1]);
        subject.holds("", &["a", "c"]).await?;
    }
    Ok(())
}

pub(super) async fn a_wrong_checksum_fails_and_keeps_the_old_version(subject: Subject) -> Checked {
    let old = subject.put_one("", "a", b"the old version").await?;
    let mut wrong = item(b"a", b"the new version")?;
    wrong.expected = Some(Whirlpool::of(b"something else"));
    wrong.replaces = vec![old];
    let mut alone = item(b"b", b"never seen before")?;
    alone.expected = Some(Whirlpool::of(b"something else"));
    let outcomes = subject.write("", vec![wrong, item(b"c", b"fine")?, alone]).await?;
    for index in [0, 2] {
        let told = matches!(outcomes[index], Outcome::Failed(StorageError::Corrupted { .. }));
        ensure!(told, "a wrong checksum came to {:?}", outcomes[index]);
    }
    ensure!(outcomes[1].is_done(), "the file between them came to {:?}", outcomes[1]);
    subject.holds("", &["a", "c"]).await?;
    subject.is_file("a", b"the old version").await?;
    Ok(())
}

pub(super) async fn wrong_sizes_fail_alone_and_leave_nothing(subject: Subject) -> Checked {
    let old = subject.put_one("", "b", b"the old version").await?;
    let mut items = Vec::new();
    for (name, announced) in [("a", 10_u64), ("b", 11), ("c", 10), ("d", 9), ("e", 10), ("f", 100_000)] {
        let mut file = item(name.as_bytes(), b"ten bytes.")?;
        file.size = announced;
        file.expected = None;
        if name == "b" {
            file.replaces = vec![old.clone()];
        }
        items.push(file);
    }
    let outcomes = subject.write("", items).await?;
    for (index, outcome) in outcomes.iter().enumerate() {
        if index % 2 == 0 {
            ensure!(outcome.is_done(), "file {index}, which is right, came to {outcome:?}");
        } else {
            let told = matches!(outcome, Outcome::Failed(StorageError::SizeMismatch { .. }));
            ensure!(told, "file {index}, of the wrong size, came to {outcome:?}");
        }
    }
    subject.holds("", &["a", "b", "c", "e"]).await?;
    subject.is_file("b", b"the old version").await?;
    subject.is_file("e", b"ten bytes.").await?;
    Ok(())
}

pub(super) async fn broken_content_fails_alone_and_leaves_nothing(subject: Subject) -> Checked {
    let bytes = noise(300_000);
    let mut items = Vec::new();
    for (name, end) in
        [("a", End::Whole), ("b", End::Shut), ("c", End::Whole), ("d", End::Cut), ("e", End::Whole)]
    {
        let mut file = item(name.as_bytes(), &bytes)?;
        // A source that fails does so before its last byte.
        let given = if matches!(end, End::Cut) { &bytes[..250_000] } else { &bytes };
        file.content = Pieces::of(given, 65_536, end);
        items.push(file);
    }
    let outcomes = subject.write("", items).await?;
    for (index, outcome) in outcomes.iter().enumerate() {
        if index % 2 == 0 {
            ensure!(outcome.is_done(), "file {index}, which is right, came to {outcome:?}");
        } else {
            ensure!(!outcome.is_done(), "file {index}, which can't be read, counts as done");
        }
    }
    subject.holds("", &["a", "c", "e"]).await?;
    subject.is_file("c", &bytes).await?;
    Ok(())
}

pub(super) async fn old_versions_go_when_the_new_one_is_there(subject: Subject) -> Checked {
    let first = subject.put_one("", "a", b"first").await?;
    let other = subject.put_one("", "z", b"under another name").await?;
    let mut second = item(b"a", b"second version")?;
    second.replaces = vec![first, other];
    let outcomes = subject.write("", vec![second]).await?;
    ensure!(outcomes[0].is_done(), "replacing came to {:?}", outcomes[0]);
    subject.holds("", &["a"]).await?;
    let second = subject.is_file("a", b"second version").await?;

    // A file that was removed in the meantime is no reason to fail.
    let outcomes = subject.remove(std::slice::from_ref(&second)).await?;
    ensure!(outcomes.iter().all(Outcome::is_done), "removing came to {outcomes:?}");
    let mut third = item(b"a", b"third")?;
    third.replaces = vec![second];
    let outcomes = subject.write("", vec![third]).await?;
    ensure!(outcomes[0].is_done(), "replacing what is gone came to {:?}", outcomes[0]);
    subject.holds("", &["a"]).await?;
    subject.is_file("a", b"third").await?;
    Ok(())
}

pub(super) async fn a_second_file_of_a_name_doubles_or_overwrites(subject: Subject) -> Checked {
    let first = subject.put_one("", "a", b"first").await?;
    let second = subject.put_one("", "a", b"the second").await?;
    if !subject.features().duplicates {
        subject.holds("", &["a"]).await?;
        subject.is_file("a", b"the second").await?;
        return Ok(());
    }
    subject.holds("", &["a", "a"]).await?;
    ensure!(first.id.is_some() && first.id != second.id, "two files share the identity {:?}", first.id);
    subject.reads(&first, crate::ByteRange::WHOLE, b"first").await?;
    subject.is_file("a", b"the second").await?;
    let outcomes = subject.remove(&[first]).await?;
    ensure!(outcomes.iter().all(Outcome::is_done), "removing one of two came to {outcomes:?}");
    subject.holds("", &["a"]).await?;
    subject.is_file("a", b"the second").await?;
    Ok(())
}

pub(super) async fn a_file_never_takes_the_place_of_a_folder(subject: Subject) -> Checked {
    subject.put_one("taken", "inside", b"stays").await?;
    let outcomes = subject.write("", vec![item(b"taken", b"a file")?]).await?;
    if !subject.features().duplicates {
        let told = matches!(outcomes[0], Outcome::Failed(StorageError::IsAFolder(_)));
        ensure!(told, "a file in the place of a folder came to {:?}", outcomes[0]);
        subject.holds("", &["taken/"]).await?;
    }
    subject.is_file("taken/inside", b"stays").await?;
    Ok(())
}

pub(super) async fn a_write_given_up_leaves_nothing(subject: Subject) -> Checked {
    subject.put_one("", "a", b"the old version").await?;
    let bytes = noise(2_000_000);
    let reached = Arc::new(tokio::sync::Notify::new());
    let mut endless = item(b"b", &bytes)?;
    endless.content = Pieces::of(&bytes[..1_500_000], 65_536, End::Never(reached.clone()));
    let batch = WriteBatch { folder: subject.path("")?, items: vec![endless] };
    let stopped = futures::future::select(
        Box::pin(subject.remote.write(batch)),
        Box::pin(async {
            reached.notified().await;
        }),
    );
    if let futures::future::Either::Left((outcomes, _)) = stopped.await {
        return Err(format!("content that never ends came to {outcomes:?}"));
    }
    subject.holds("", &["a"]).await?;
    subject.put_one("", "b", b"now whole").await?;
    subject.holds("", &["a", "b"]).await?;
    Ok(())
}

pub(super) async fn modification_times_are_kept(subject: Subject) -> Checked {
    let Some(precision) = subject.remote.info().times.precision else { return Ok(()) };
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_234_567_890, 123_456_700);
    let mut file = item(b"a", b"old")?;
    file.modified = Some(time);
    for outcome in subject.write("", vec![file]).await? {
        let stored = outcome.into_result().map_err(|error| format!("writing failed: {error}"))?;
        near(&stored.path, stored.modified, time, precision)?;
    }
    let found = subject.is_file("a", b"old").await?;
    near(&found.path, found.modified, time, precision)
}

/// Checks that a time is the one that was set, as exactly as the remote keeps it.
pub(super) fn near(
    path: &RemotePath,
    seen: Option<SystemTime>,
    set: SystemTime,
    precision: Duration,
) -> Checked {
    let seen = seen.ok_or_else(|| format!("{path:?} has no modification time"))?;
    let apart = seen.duration_since(set).unwrap_or_else(|error| error.duration());
    ensure!(apart <= precision, "{path:?} was changed at {set:?}, which is told as {seen:?}");
    Ok(())
}
