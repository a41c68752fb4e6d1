//! Checks of what is told of others' changes.

use std::{sync::Arc, time::Duration};

use crate::{ChangeWatch, Entry, FolderRelocation, Freshness, Outcome, Relocation, Remote, RemotePath};

use super::{
    Failure,
    subject::{Checked, Subject},
};

/// Name of the check, and of the folder that it works in.
const NAME: &str = "what_others_change_is_told_once";

/// Checks that a remote tells exactly which folders another client changed. `theirs` is another way to the same files
/// that knows nothing of what `ours` knows.
///
/// # Errors
/// The remote doesn't watch, or told something else.
pub async fn changes(ours: Arc<dyn Remote>, theirs: Arc<dyn Remote>) -> Result<(), Failure> {
    check(Subject::new(ours, NAME), &Subject::new(theirs, NAME))
        .await
        .map_err(|detail| Failure { check: NAME, detail })
}

async fn check(ours: Subject, theirs: &Subject) -> Checked {
    let Some(changes) = ours.remote.extensions().changes else { return Err("it doesn't watch".to_owned()) };
    for folder in ["removed", "added", "renamed", "unchanged", "from", "from/moves", "to", "ours", "within"] {
        theirs.put_one(folder, "file", folder.as_bytes()).await?;
    }
    look_at_all(&ours).await?;
    let mut watch = changes.watch();
    tells(&mut *watch, &ours, &[]).await?;

    ours.put_one("ours", "new", b"ours").await?;
    let old = ours.is_file("ours/file", b"ours").await?;
    done(ours.remove(&[old]).await?)?;
    look_at_all(&ours).await?;
    tells(&mut *watch, &ours, &[]).await?;

    let file = theirs.is_file("removed/file", b"removed").await?;
    done(theirs.remove(&[file]).await?)?;
    theirs.put_one("added", "new", b"theirs").await?;
    done(theirs.make_folders(&[theirs.path("within/new")?]).await?)?;
    let mut expected = vec!["added", "removed", "within"];
    if theirs.features().server_side_move {
        let from = theirs.is_file("renamed/file", b"renamed").await?;
        let to = theirs.path("renamed/other")?;
        done(theirs.rename(&[Relocation { from, to, replaces: vec![] }]).await?)?;
        expected.push("renamed");
    }
    if theirs.features().folder_move {
        let folder = FolderRelocation { from: theirs.path("from/moves")?, to: theirs.path("to/moves")? };
        done(theirs.remote.rename_folders(&[folder]).await)?;
        expected.extend(["from", "to"]);
    }
    let before = changes.watch();
    look_at_all(&ours).await?;
    tells(&mut *watch, &ours, &expected).await?;
    tells(&mut *watch, &ours, &[]).await?;
    let (mut before, mut after) = (before, changes.watch());
    tells(&mut *before, &ours, &expected).await?;
    tells(&mut *after, &ours, &[]).await
}

/// Lists all folders as if they had been in use for long.
async fn look_at_all(subject: &Subject) -> Checked {
    let mut open = vec![subject.path("")?];
    while let Some(folder) = open.pop() {
        let listing = subject.remote.list(&folder, Freshness::Within(Duration::ZERO)).await;
        let listing = listing.map_err(|error| format!("listing {folder:?} failed: {error}"))?;
        open.extend(listing.entries.into_iter().filter_map(|entry| match entry {
            Entry::Folder(folder) => Some(folder.path),
            Entry::File(_) => None,
        }));
    }
    Ok(())
}

async fn tells(watch: &mut dyn ChangeWatch, ours: &Subject, expected: &[&str]) -> Checked {
    let told = watch.changed().await.map_err(|error| format!("looking failed: {error}"))?.folders;
    let expected = expected.iter().map(|folder| ours.path(folder)).collect::<Checked<Vec<RemotePath>>>();
    let mut expected = expected?;
    expected.sort_unstable();
    ensure!(told == expected, "told to have changed is {told:?} instead of {expected:?}");
    Ok(())
}

fn done<T>(outcomes: Vec<Outcome<T>>) -> Checked {
    for outcome in outcomes {
        outcome.into_result().map_err(|error| format!("a change failed: {error}"))?;
    }
    Ok(())
}
