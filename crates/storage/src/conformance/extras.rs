//! Checks of what only some remotes can do.

use std::time::{Duration, SystemTime};

use crate::{Entry, LinkRequest, RemoteExt, StorageError};

use super::{
    subject::{Checked, Subject},
    writing::near,
};

pub(super) async fn modification_times_are_set(subject: Subject) -> Checked {
    let file = subject.put_one("", "a", b"bytes").await?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let set = subject.remote.set_modified_of(&file, time).await;
    if !subject.remote.info().times.settable {
        ensure!(matches!(set, Err(StorageError::Unsupported { .. })), "not claimed, but came to {set:?}");
        return Ok(());
    }
    set.map_err(|error| format!("setting a modification time failed: {error}"))?;
    let Some(precision) = subject.remote.info().times.precision else {
        return Err("modification times can be set, but none are kept".into());
    };
    let found = subject.is_file("a", b"bytes").await?;
    near(&found.path, found.modified, time, precision)?;
    for outcome in subject.remove(std::slice::from_ref(&file)).await? {
        outcome.into_result().map_err(|error| format!("removing failed: {error}"))?;
    }
    let gone = subject.remote.set_modified_of(&file, time).await;
    ensure!(matches!(gone, Err(StorageError::FileNotFound(_))), "on a file that is gone: {gone:?}");
    Ok(())
}

pub(super) async fn usage_is_told(subject: Subject) -> Checked {
    let usage = subject.remote.usage().await;
    if subject.remote.extensions().usage.is_none() {
        ensure!(matches!(usage, Err(StorageError::Unsupported { .. })), "not claimed, but came to {usage:?}");
        return Ok(());
    }
    let usage = usage.map_err(|error| format!("telling the usage failed: {error}"))?;
    ensure!(usage.total.or(usage.used).or(usage.free).is_some(), "nothing is told: {usage:?}");
    if let (Some(total), Some(free)) = (usage.total, usage.free) {
        ensure!(free <= total, "more is free than there is: {usage:?}");
    }
    Ok(())
}

pub(super) async fn links_are_made(subject: Subject) -> Checked {
    let file = subject.put_one("", "a", b"bytes").await?;
    let link = subject.remote.link(&Entry::File(file), LinkRequest::default()).await;
    if subject.remote.extensions().links.is_none() {
        ensure!(matches!(link, Err(StorageError::Unsupported { .. })), "not claimed, but came to {link:?}");
        return Ok(());
    }
    let link = link.map_err(|error| format!("making a link failed: {error}"))?;
    ensure!(link.contains("://"), "{link:?} is no link");
    subject.is_file("a", b"bytes").await?;
    Ok(())
}
