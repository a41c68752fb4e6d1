//! Checks of copies and moves inside the remote.

use crate::{File, Outcome, Relocation, RemotePath, StorageError};

use super::subject::{Checked, Subject};

fn relocation(from: &File, to: RemotePath) -> Relocation {
    Relocation { from: from.clone(), to, replaces: Vec::new() }
}

/// Returns a file as it would be if it were there.
async fn vanished(subject: &Subject, name: &str) -> Checked<File> {
    let file = subject.put_one("", name, b"goes away").await?;
    for outcome in subject.remove(std::slice::from_ref(&file)).await? {
        outcome.into_result().map_err(|error| format!("removing failed: {error}"))?;
    }
    Ok(file)
}

fn unsupported(outcomes: &[Outcome<File>]) -> Checked {
    for outcome in outcomes {
        let told = matches!(outcome, Outcome::Failed(StorageError::Unsupported { .. }));
        ensure!(told, "not claimed, but came to {outcome:?}");
    }
    Ok(())
}

/// Checks that each file arrived where it should.
fn arrived(batch: &[Relocation], outcomes: Vec<Outcome<File>>) -> Checked<Vec<File>> {
    let mut files = Vec::new();
    for (relocation, outcome) in batch.iter().zip(outcomes) {
        let to = &relocation.to;
        let from = &relocation.from.path;
        let file = outcome.into_result().map_err(|error| format!("{from:?} to {to:?} failed: {error}"))?;
        ensure!(file.path == *to, "{from:?} was to get to {to:?} and came to {:?}", file.path);
        ensure!(file.size == relocation.from.size, "{to:?} has {} bytes", file.size);
        files.push(file);
    }
    Ok(files)
}

pub(super) async fn files_are_copied(subject: Subject) -> Checked {
    let stored = subject.put("", &[("a", b"file a"), ("b", b"file b")]).await?;
    let batch = vec![
        relocation(&stored[0], subject.path("new/folder/a")?),
        relocation(&stored[1], subject.path("c")?),
        relocation(&stored[0], subject.path("new/folder/again")?),
    ];
    let outcomes = subject.copy(&batch).await?;
    if !subject.features().server_side_copy {
        unsupported(&outcomes)?;
        return subject.holds("", &["a", "b"]).await;
    }
    for (file, bytes) in arrived(&batch, outcomes)?.iter().zip([b"file a", b"file b", b"file a"]) {
        subject.reads(file, crate::ByteRange::WHOLE, bytes).await?;
    }
    subject.holds("", &["a", "b", "c", "new/"]).await?;
    subject.holds("new/folder", &["a", "again"]).await?;
    subject.is_file("a", b"file a").await?;
    subject.is_file("new/folder/a", b"file a").await?;
    subject.is_file("c", b"file b").await?;

    let gone = vanished(&subject, "gone").await?;
    let batch = vec![relocation(&gone, subject.path("d")?), relocation(&stored[0], subject.path("e")?)];
    let outcomes = subject.copy(&batch).await?;
    let told = matches!(outcomes[0], Outcome::Failed(StorageError::FileNotFound(_)));
    ensure!(told, "copying what is gone came to {:?}", outcomes[0]);
    ensure!(outcomes[1].is_done(), "the copy beside it came to {:?}", outcomes[1]);
    subject.holds("", &["a", "b", "c", "e", "new/"]).await
}

pub(super) async fn copies_replace_old_versions(subject: Subject) -> Checked {
    if !subject.features().server_side_copy {
        return Ok(());
    }
    let source = subject.put_one("", "source", b"the new version").await?;
    let old = subject.put("to", &[("a", b"old"), ("z", b"another name")]).await?;
    let mut onto = relocation(&source, subject.path("to/a")?);
    onto.replaces = old;
    let batch = [onto];
    arrived(&batch, subject.copy(&batch).await?)?;
    subject.holds("to", &["a"]).await?;
    subject.is_file("to/a", b"the new version").await?;

    // A file that can't be copied replaces nothing.
    let mut lost = relocation(&vanished(&subject, "gone").await?, subject.path("to/a")?);
    lost.replaces = vec![subject.is_file("to/a", b"the new version").await?];
    let outcomes = subject.copy(&[lost]).await?;
    ensure!(!outcomes[0].is_done(), "copying what is gone counts as done");
    subject.is_file("to/a", b"the new version").await?;
    subject.is_file("source", b"the new version").await?;
    Ok(())
}

pub(super) async fn files_are_renamed_and_moved(subject: Subject) -> Checked {
    let stored = subject.put("", &[("a", b"file a"), ("b", b"file b"), ("c", b"file c")]).await?;
    let batch = vec![
        relocation(&stored[0], subject.path("renamed")?),
        relocation(&stored[1], subject.path("new/folder/b")?),
        relocation(&stored[2], subject.path("new/other name")?),
    ];
    let outcomes = subject.rename(&batch).await?;
    if !subject.features().server_side_move {
        unsupported(&outcomes)?;
        return subject.holds("", &["a", "b", "c"]).await;
    }
    for (file, bytes) in arrived(&batch, outcomes)?.iter().zip([b"file a", b"file b", b"file c"]) {
        subject.reads(file, crate::ByteRange::WHOLE, bytes).await?;
    }
    subject.holds("", &["new/", "renamed"]).await?;
    subject.holds("new", &["folder/", "other name"]).await?;
    subject.is_file("renamed", b"file a").await?;
    subject.is_file("new/folder/b", b"file b").await?;
    subject.is_file("new/other name", b"file c").await?;

    let gone = vanished(&subject, "gone").await?;
    let left = subject.is_file("renamed", b"file a").await?;
    let batch = vec![relocation(&gone, subject.path("d")?), relocation(&left, subject.path("e")?)];
    let outcomes = subject.rename(&batch).await?;
    let told = matches!(outcomes[0], Outcome::Failed(StorageError::FileNotFound(_)));
    ensure!(told, "moving what is gone came to {:?}", outcomes[0]);
    ensure!(outcomes[1].is_done(), "the move beside it came to {:?}", outcomes[1]);
    subject.holds("", &["e", "new/"]).await
}

pub(super) async fn many_files_move_to_one_folder(subject: Subject) -> Checked {
    if !subject.features().server_side_move {
        return Ok(());
    }
    let names: Vec<String> = (0..130).map(|number| format!("f{number:03}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    let (left, right) = files.split_at(65);
    let mut stored = subject.put("left", left).await?;
    stored.extend(subject.put("right", right).await?);
    let batch = names
        .iter()
        .zip(&stored)
        .map(|(name, file)| Ok(relocation(file, subject.path(&format!("together/{name}"))?)))
        .collect::<Checked<Vec<_>>>()?;
    arrived(&batch, subject.rename(&batch).await?)?;
    let expected: Vec<&str> = names.iter().map(String::as_str).collect();
    subject.holds("together", &expected).await?;
    subject.holds("left", &[]).await?;
    subject.holds("right", &[]).await?;
    subject.is_file("together/f000", b"f000").await?;
    subject.is_file("together/f129", b"f129").await?;
    Ok(())
}

pub(super) async fn renames_replace_old_versions(subject: Subject) -> Checked {
    if !subject.features().server_side_move {
        return Ok(());
    }
    let source = subject.put_one("", "source", b"the new version").await?;
    let old = subject.put("to", &[("a", b"old"), ("z", b"another name")]).await?;
    let mut onto = relocation(&source, subject.path("to/a")?);
    onto.replaces = old;
    let batch = [onto];
    arrived(&batch, subject.rename(&batch).await?)?;
    subject.holds("to", &["a"]).await?;
    subject.holds("", &["to/"]).await?;
    subject.is_file("to/a", b"the new version").await?;

    // A file that can't be moved replaces nothing.
    let mut lost = relocation(&vanished(&subject, "gone").await?, subject.path("to/a")?);
    lost.replaces = vec![subject.is_file("to/a", b"the new version").await?];
    let outcomes = subject.rename(&[lost]).await?;
    ensure!(!outcomes[0].is_done(), "moving what is gone counts as done");
    subject.is_file("to/a", b"the new version").await?;
    Ok(())
}
