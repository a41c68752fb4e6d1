//! The folder in which all is tried, and how it goes.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fichier_api::{
    ApiError, Checksum, Client, Endpoint, ErrorKind, FileLink, FolderId, ListFolder, RemoveFile,
};

use super::{names::probes, words::said};

/// What the names of these folders begin with. The time and a few digits follow.
const PREFIX: &str = "fichier-doctor-";

/// A folder of a computer that isn't this one is left for so long: its run may be going on.
const OTHERS_LAST: Duration = Duration::from_secs(3600);

/// How often a folder that counts as not empty is tried again: after a sixth of the time after which it is worth while
/// to look again (half a second), then twice as long each time.
const NOT_EMPTY_YET: u32 = 5;

/// How many folders a leftover may have.
const MOST_FOLDERS: usize = 8;

/// The name of a new folder.
pub(super) fn new_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{PREFIX}{}-{:04x}", now.as_secs(), rand::random::<u16>())
}

/// When a folder of this name was made; `None` if it isn't one of ours.
fn made_at(name: &str) -> Option<SystemTime> {
    let (seconds, digits) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let is_ours = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seconds = Duration::from_secs(seconds.parse().ok().filter(|_| is_ours)?);
    UNIX_EPOCH.checked_add(seconds)
}

/// Whether a folder of the account is left of an earlier run. `known` is the one that this computer knows of; `None` if
/// it keeps nothing.
pub(super) fn is_leftover(name: &str, known: Option<Option<&str>>) -> bool {
    let Some(made) = made_at(name) else { return false };
    match known {
        None => true,
        Some(known) => known == Some(name) || made.elapsed().is_ok_and(|age| age > OTHERS_LAST),
    }
}

/// Removes a folder that is empty, or will count as empty in a moment.
pub(super) async fn remove_empty(client: &Client, folder: FolderId) -> Result<(), ApiError> {
    let mut wait = client.look_again_after() / 6;
    for tries in 0.. {
        match client.remove_folder(folder).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Refused { .. }) && tries < NOT_EMPTY_YET => {
                client.rest(Endpoint::FolderRm, wait).await?;
                wait *= 2;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Removes files, in lists that are halved when one is refused. Returns how many links the longest list had that was
/// taken, and the shortest one that wasn't.
pub(super) async fn remove_files(
    client: &Client,
    links: &[FileLink],
) -> Result<(usize, Option<usize>), ApiError> {
    let mut lists = vec![links];
    let (mut taken, mut refused) = (0, None::<usize>);
    while let Some(list) = lists.pop() {
        if list.is_empty() {
            continue;
        }
        let files: Vec<_> = list.iter().copied().map(RemoveFile::from).collect();
        match client.remove_files(&files).await {
            Ok(answer) if answer.removed.is_none_or(|removed| removed == list.len() as u64) => {
                taken = taken.max(list.len());
            }
            Ok(_) => lists.extend(list.chunks(list.len().div_ceil(2)).filter(|_| list.len() > 1)),
            Err(error) if error.is_not_found() && list.len() == 1 => {}
            Err(error) if super::calls::is_refusal(&error) && list.len() > 1 => {
                refused = Some(refused.unwrap_or(usize::MAX).min(list.len()));
                lists.extend(list.chunks(list.len().div_ceil(2)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((taken, refused))
}

/// Removes a folder of ours with all that an examination puts there, as its listings tell. What isn't of an examination
/// is left, and the folder with it.
///
/// # Errors
/// Why it is still there, without any name.
pub(super) async fn remove_whole(client: &Client, folder: FolderId) -> Result<(), String> {
    let ours: HashSet<Checksum> = probes().iter().map(super::names::Probe::checksum).collect();
    let failed = |error: ApiError| said(error.kind());
    let (mut folders, mut open) = (Vec::new(), vec![folder]);
    while let Some(folder) = open.pop() {
        if folders.len() == MOST_FOLDERS {
            return Err("it holds more folders than an examination makes".to_owned());
        }
        let listing = match client.list_folder(&ListFolder::with_files(folder)).await {
            Err(error) if error.is_not_found() => continue,
            listing => listing.map_err(failed)?,
        };
        let files = listing.items.unwrap_or_default();
        let is_ours = |checksum: &Option<Checksum>| checksum.is_some_and(|sum| ours.contains(&sum));
        if !listing.left_out.is_empty() || !files.iter().all(|file| is_ours(&file.checksum)) {
            return Err("it holds files that no examination has made".to_owned());
        }
        let links: Vec<_> = files.iter().map(|file| file.link).collect();
        remove_files(client, &links).await.map_err(failed)?;
        open.extend(listing.sub_folders.unwrap_or_default().iter().map(|child| child.id));
        folders.push(folder);
    }
    for folder in folders.into_iter().rev() {
        remove_empty(client, folder).await.map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_ours_are_known_by_their_names() {
        let new = new_name();
        assert!(made_at(&new).is_some_and(|made| made.elapsed().is_ok_and(|age| age.as_secs() < 60)));
        for name in ["fichier-doctor", "fichier-doctor-1", "fichier-doctor-x-0000", "fichier-doctor-1-00000"]
        {
            assert_eq!(made_at(name), None, "{name}");
        }
        let old = "fichier-doctor-1700000000-00ff";
        // Another computer may be at work in a new one.
        for (name, known, leftover) in [
            (&*new, None, true),
            (&*new, Some(None), false),
            (&*new, Some(Some(&*new)), true),
            (old, Some(None), true),
            ("photos", None, false),
        ] {
            assert_eq!(is_leftover(name, known), leftover, "{name} {known:?}");
        }
    }
}
