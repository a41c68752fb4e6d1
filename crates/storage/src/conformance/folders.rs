//! Checks of folders: made, removed, moved.

use crate::{Outcome, RemoteExt, RemotePath, StorageError};

use super::subject::{Checked, Subject};

fn paths<const N: usize>(subject: &Subject, below: [&str; N]) -> Checked<Vec<RemotePath>> {
    below.into_iter().map(|path| subject.path(path)).collect()
}

pub(super) async fn folders_are_made_with_parents_and_only_once(subject: Subject) -> Checked {
    let made = subject.make_folders(&paths(&subject, ["a/b/c", "d"])?).await?;
    ensure!(matches!(made[..], [Outcome::Done(()), Outcome::Done(())]), "making folders came to {made:?}");
    subject.holds("", &["a/", "d/"]).await?;
    subject.holds("a", &["b/"]).await?;
    subject.holds("a/b", &["c/"]).await?;
    subject.holds("a/b/c", &[]).await?;
    let again = subject.make_folders(&paths(&subject, ["a", "a/b/c", "a/x", "a/x"])?).await?;
    ensure!(
        matches!(
            again[..],
            [Outcome::DoneBefore(()), Outcome::DoneBefore(()), Outcome::Done(()), Outcome::DoneBefore(())]
        ),
        "making two that exist, a new one and the same again came to {again:?}"
    );
    subject.holds("a", &["b/", "x/"]).await?;
    if !subject.features().duplicates {
        subject.put_one("", "file", b"in the way").await?;
        let below = subject.make_folders(&paths(&subject, ["file", "file/below", "e"])?).await?;
        for outcome in &below[..2] {
            let told = matches!(outcome, Outcome::Failed(StorageError::IsAFile(_)));
            ensure!(told, "a folder in the place of a file came to {outcome:?}");
        }
        ensure!(below[2].is_done(), "the folder beside them came to {:?}", below[2]);
        subject.is_file("file", b"in the way").await?;
    }
    Ok(())
}

pub(super) async fn only_empty_folders_are_removed(subject: Subject) -> Checked {
    subject.put_one("full", "file", b"stays").await?;
    for outcome in subject.make_folders(&paths(&subject, ["empty", "outer/inner"])?).await? {
        outcome.into_result().map_err(|error| format!("making folders failed: {error}"))?;
    }
    let batch = paths(&subject, ["full", "missing", "empty", "outer", "missing/too"])?;
    let removed = subject.remove_folders(&batch).await?;
    for index in [0, 3] {
        let told = matches!(removed[index], Outcome::Failed(StorageError::FolderNotEmpty(_)));
        ensure!(told, "removing {:?}, which isn't empty, came to {:?}", batch[index], removed[index]);
    }
    for index in [1, 4] {
        let told = matches!(removed[index], Outcome::Failed(StorageError::FolderNotFound(_)));
        ensure!(told, "removing {:?}, which isn't there, came to {:?}", batch[index], removed[index]);
    }
    ensure!(removed[2].is_done(), "removing an empty folder came to {:?}", removed[2]);
    subject.holds("", &["full/", "outer/"]).await?;
    subject.is_file("full/file", b"stays").await?;
    subject.holds("outer", &["inner/"]).await
}

pub(super) async fn folders_are_removed_deepest_first_in_one_batch(subject: Subject) -> Checked {
    for outcome in subject.make_folders(&paths(&subject, ["a/b/c", "a/d"])?).await? {
        outcome.into_result().map_err(|error| format!("making folders failed: {error}"))?;
    }
    let removed = subject.remove_folders(&paths(&subject, ["a/b/c", "a/b", "a/d", "a"])?).await?;
    ensure!(removed.iter().all(Outcome::is_done), "removing a tree from below came to {removed:?}");
    subject.lacks("", "a").await
}

pub(super) async fn folders_move_with_all_they_hold(subject: Subject) -> Checked {
    subject.put_one("from/inner", "file", b"goes along").await?;
    subject.put_one("from", "beside", b"too").await?;
    let (from, to) = (subject.path("from")?, subject.path("new/place")?);
    let moved = subject.remote.rename_folder(&from, &to).await;
    if !subject.features().folder_move {
        ensure!(matches!(moved, Err(StorageError::Unsupported { .. })), "not claimed, but came to {moved:?}");
        subject.is_file("from/inner/file", b"goes along").await?;
        return Ok(());
    }
    moved.map_err(|error| format!("moving a folder failed: {error}"))?;
    subject.holds("", &["new/"]).await?;
    subject.holds("new/place", &["beside", "inner/"]).await?;
    subject.is_file("new/place/inner/file", b"goes along").await?;
    let listed = subject.remote.entries(&from).await;
    ensure!(matches!(listed, Err(StorageError::FolderNotFound(_))), "its old place came to {listed:?}");

    // The folder is back under another name, and what was known of the old paths is forgotten.
    let back = subject.path("new/renamed")?;
    subject.remote.rename_folder(&to, &back).await.map_err(|error| format!("renaming failed: {error}"))?;
    subject.is_file("new/renamed/inner/file", b"goes along").await?;
    subject.put_one("new/place", "fresh", b"a new folder").await?;
    subject.holds("new/place", &["fresh"]).await?;
    Ok(())
}

pub(super) async fn a_folder_never_moves_onto_anything(subject: Subject) -> Checked {
    if !subject.features().folder_move {
        return Ok(());
    }
    subject.put_one("from", "file", b"moves").await?;
    subject.put_one("taken", "other", b"stays").await?;
    for outcome in subject.make_folders(&paths(&subject, ["empty"])?).await? {
        outcome.into_result().map_err(|error| format!("making a folder failed: {error}"))?;
    }
    let from = subject.path("from")?;
    for taken in ["taken", "empty", "taken/other"] {
        let to = subject.path(taken)?;
        let moved = subject.remote.rename_folder(&from, &to).await;
        let told = matches!(moved, Err(StorageError::AlreadyExists(_)));
        ensure!(told, "moving onto {to:?} came to {moved:?}");
    }
    let missing = subject.path("missing")?;
    let moved = subject.remote.rename_folder(&missing, &subject.path("to")?).await;
    let told = matches!(moved, Err(StorageError::FolderNotFound(_)));
    ensure!(told, "moving what isn't there came to {moved:?}");
    subject.holds("", &["empty/", "from/", "taken/"]).await?;
    subject.is_file("from/file", b"moves").await?;
    subject.is_file("taken/other", b"stays").await?;
    Ok(())
}

pub(super) async fn a_folder_never_moves_into_itself(subject: Subject) -> Checked {
    if !subject.features().folder_move {
        return Ok(());
    }
    subject.put_one("a", "file", b"stays").await?;
    let moved = subject.remote.rename_folder(&subject.path("a")?, &subject.path("a/b/c")?).await;
    ensure!(moved.is_err(), "moving a folder into itself counts as done");
    subject.is_file("a/file", b"stays").await?;
    Ok(())
}
