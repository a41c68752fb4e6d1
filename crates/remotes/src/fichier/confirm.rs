//! Compares what the service says it did with what was requested.
//!
//! A list may be carried out in part, and an answer may say nothing (API document, section 5). What an answer doesn't
//! confirm is looked up. What can't be found counts as failed: an old version stays until its new one was seen.

use std::collections::HashSet;

use fichier_api::{ApiError, ErrorKind, FileInfo, FileLink, FileOf, FolderId, MovedFiles, RemovedFiles};
use fichier_storage::RemotePath;

use super::FichierRemote;

/// Number of files up to which they are looked up one by one; for more their folder is listed.
pub(super) const LOOKED_UP_SINGLY: usize = 8;

/// Number of times that a request is repeated that wasn't carried out, as a look has shown.
const ASKED_AGAIN: u32 = 2;

/// Returns those of the files asked for that an answer confirms by their links. A count alone proves nothing.
pub(super) fn confirmed(asked: &[FileLink], count: Option<u64>, told: &[FileLink]) -> HashSet<FileLink> {
    let told: HashSet<_> = told.iter().filter(|link| asked.contains(link)).copied().collect();
    match count {
        // The answer contradicts itself.
        Some(count) if count < told.len() as u64 => HashSet::new(),
        _ => told,
    }
}

/// Checks whether the answer to a call says nothing, so that it may have been carried out.
pub(super) fn says_nothing(error: &ApiError) -> bool {
    let kind = error.kind();
    error.maybe_done() && matches!(kind, ErrorKind::InvalidJson { .. } | ErrorKind::Unconfirmed { .. })
}

/// Checks whether a call with this refusal may have been carried out all the same, in whole or in part, so that it is
/// looked up.
pub(super) fn is_in_doubt(error: &ApiError) -> bool {
    use ErrorKind::{
        AddressLocked, Canceled, Connect, Flood, Invalid, NeedsSubscription, NoSuchUser, NotAuthenticated,
        Setup, TooSoon,
    };
    let kept_away = matches!(
        error.kind(),
        AddressLocked { .. }
            | Canceled
            | Connect(_)
            | Flood { .. }
            | Invalid(_)
            | NeedsSubscription { .. }
            | NoSuchUser { .. }
            | NotAuthenticated { .. }
            | Setup { .. }
            | TooSoon { .. }
    );
    error.maybe_done() || !(kept_away || error.is_fatal() || error.attempts() == 0)
}

impl FichierRemote {
    /// Returns how often to repeat a request that wasn't carried out.
    pub(super) fn asked_again(&self) -> u32 {
        ASKED_AGAIN.min(self.client.low_level_retries())
    }

    /// Looks a file up at the service; `None` when it is gone.
    pub(super) async fn look_up(&self, link: FileLink) -> Result<Option<FileInfo>, ApiError> {
        let ask = FileOf::from(link);
        match self.client.because("look whether it was done").file_info(&ask).await {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns those of the files that surely are in the folder that they were moved to.
    pub(super) async fn moved(
        &self,
        asked: &[FileLink],
        answer: &MovedFiles,
        to: FolderId,
        path: &RemotePath,
    ) -> HashSet<FileLink> {
        let mut moved = confirmed(asked, answer.moved, &answer.links);
        let doubtful: Vec<_> = asked.iter().filter(|link| !moved.contains(link)).copied().collect();
        if doubtful.is_empty() {
            return moved;
        }
        tracing::info!(path = %path, files = doubtful.len(), "Looking what was moved: the answer doesn't say");
        if doubtful.len() > LOOKED_UP_SINGLY {
            match self.tree.refresh(to, path).await {
                Ok(()) => {
                    let mut catalogue = self.tree.catalogue();
                    moved.extend(
                        doubtful.into_iter().filter(|link| matches!(catalogue.file(to, link), Ok(Some(_)))),
                    );
                }
                Err(error) => tracing::debug!(path = %path, "can't look what was moved: {error}"),
            }
            return moved;
        }
        for link in doubtful {
            if let Ok(Some(info)) = self.look_up(link).await
                && info.folder == Some(to)
            {
                moved.insert(link);
            }
        }
        moved
    }

    /// Checks whether an answer confirms that all files are gone.
    pub(super) fn confirms_removal(asked: usize, answer: &RemovedFiles) -> bool {
        answer.removed == Some(asked as u64)
    }

    /// Returns those of the files that are gone, looked up one by one; `None` when there are too many for that.
    pub(super) async fn gone(&self, links: &[FileLink]) -> Option<HashSet<FileLink>> {
        if links.len() > LOOKED_UP_SINGLY {
            return None;
        }
        let mut gone = HashSet::new();
        for link in links {
            if matches!(self.look_up(*link).await, Ok(None)) {
                gone.insert(*link);
            }
        }
        Some(gone)
    }

    /// Checks whether a file may be there that the service called missing: looking it up doesn't show that it is gone.
    pub(super) async fn is_there(&self, link: FileLink) -> bool {
        !matches!(self.look_up(link).await, Ok(None))
    }

    /// Returns those of a few files that are in a folder; none where there are too many to be looked up one by one.
    pub(super) async fn lie_in(&self, links: &[FileLink], folder: FolderId) -> HashSet<FileLink> {
        let mut there = HashSet::new();
        if links.len() <= LOOKED_UP_SINGLY {
            for link in links {
                if matches!(self.look_up(*link).await, Ok(Some(info)) if info.folder == Some(folder)) {
                    there.insert(*link);
                }
            }
        }
        there
    }

    /// Checks whether the file has this name, as it is stored.
    pub(super) async fn is_called(&self, link: FileLink, stored: &str) -> bool {
        matches!(self.look_up(link).await, Ok(Some(info)) if info.filename.as_deref() == Some(stored))
    }

    /// Checks whether the file is in this folder, under this name, as it is stored.
    pub(super) async fn lies_in(&self, link: FileLink, stored: &str, folder: FolderId) -> bool {
        let seen = self.look_up(link).await;
        matches!(seen, Ok(Some(info)) if info.folder == Some(folder) && info.filename.as_deref() == Some(stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(codes: &[&str]) -> Vec<FileLink> {
        codes.iter().map(|code| FileLink::from_code(code).unwrap()).collect()
    }

    #[test]
    fn only_what_an_answer_names_is_confirmed() {
        let asked = links(&["aaaaa", "bbbbb", "ccccc"]);
        let of = |count, told: &[&str]| confirmed(&asked, count, &links(told)).len();
        assert_eq!(of(Some(3), &["aaaaa", "bbbbb", "ccccc"]), 3);
        assert_eq!(of(Some(3), &[]), 0, "counted alone");
        assert_eq!(of(None, &["aaaaa", "bbbbb"]), 2);
        assert_eq!(of(Some(2), &["aaaaa", "bbbbb"]), 2, "in part");
        assert_eq!(of(Some(2), &[]), 0, "which two?");
        assert_eq!(of(None, &[]), 0, "nothing said");
        assert_eq!(of(Some(1), &["aaaaa", "bbbbb"]), 0, "contradiction");
        assert_eq!(of(Some(3), &["zzzzz"]), 0, "a foreign link says nothing");
    }
}
