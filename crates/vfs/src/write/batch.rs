//! Which closed files go up together, and when.

use std::{collections::BTreeMap, time::Duration};

use fichier_storage::{BatchLimit, RemotePath};
use tokio::time::Instant;

use crate::NodeId;

/// A closed file that isn't sent.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) node: NodeId,
    pub(crate) folder: RemotePath,
    pub(crate) size: u64,
    pub(crate) closed: Instant,
    /// Whether somebody waits for it.
    pub(crate) is_urgent: bool,
}

/// Returns the batches that go up now, each of one folder, and when to look again.
///
/// A file is due `write_back` after it was closed. A batch waits for files of its folder that aren't due, once more for
/// `write_back` at most, so that what is copied into a folder goes up together.
pub(crate) fn pick(
    candidates: Vec<Candidate>,
    limit: BatchLimit,
    write_back: Duration,
    now: Instant,
) -> (Vec<Vec<NodeId>>, Option<Instant>) {
    let mut folders: BTreeMap<RemotePath, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        folders.entry(candidate.folder.clone()).or_default().push(candidate);
    }
    let mut batches = Vec::new();
    let mut again: Option<Instant> = None;
    for mut files in folders.into_values() {
        files.sort_by_key(|file| (!file.is_urgent, file.closed));
        let is_due = |file: &Candidate| file.is_urgent || file.closed + write_back <= now;
        let (due, later): (Vec<_>, Vec<_>) = files.into_iter().partition(is_due);
        let next = later.iter().map(|file| file.closed + write_back).min();
        let last = due.iter().map(|file| file.closed + write_back.saturating_mul(2)).min();
        let is_enough = later.is_empty()
            || due.len() >= limit.files
            || due.iter().any(|file| file.is_urgent)
            || last.is_some_and(|last| last <= now);
        if due.is_empty() || !is_enough {
            let look = last.into_iter().chain(next).min();
            again = again.into_iter().chain(look).min();
            continue;
        }
        again = again.into_iter().chain(next).min();
        batches.extend(chunks(due, limit));
    }
    (batches, again)
}

fn chunks(files: Vec<Candidate>, limit: BatchLimit) -> Vec<Vec<NodeId>> {
    let mut chunks: Vec<Vec<NodeId>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < limit.files && bytes + file.size <= limit.bytes => {
                chunk.push(file.node);
                bytes += file.size;
            }
            _ => {
                chunks.push(vec![file.node]);
                bytes = file.size;
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    // [write-3]
    #[test]
    fn what_was_closed_in_one_folder_goes_up_together() {
        let start = Instant::now();
        let file = |node, folder: &str, size, after: u32| Candidate {
            node: NodeId(node),
            folder: RemotePath::parse(folder).unwrap(),
            size,
            closed: start + SECOND * after,
            is_urgent: false,
        };
        let limit = BatchLimit { files: 3, bytes: 100 };
        let files = vec![file(1, "a", 1, 0), file(2, "a", 1, 4), file(3, "b", 1, 0)];
        let pick_at = |files: &[Candidate], after: u32| {
            let (batches, again) = pick(files.to_vec(), limit, SECOND * 5, start + SECOND * after);
            let batches: Vec<Vec<u64>> =
                batches.into_iter().map(|batch| batch.into_iter().map(|node| node.0).collect()).collect();
            (batches, again.map(|at| (at - start).as_secs()))
        };
        assert_eq!(pick_at(&files, 4), (vec![], Some(5)));
        // The first of `a` waits for the second, and not for ever.
        assert_eq!(pick_at(&files, 6), (vec![vec![3]], Some(9)));
        assert_eq!(pick_at(&files, 9), (vec![vec![1, 2], vec![3]], None));
        let mut coming = vec![file(1, "a", 1, 0), file(2, "a", 1, 9)];
        assert_eq!(pick_at(&coming, 10), (vec![vec![1]], Some(14)));
        // Who waits for one doesn't wait for others.
        coming[1].is_urgent = true;
        assert_eq!(pick_at(&coming, 9), (vec![vec![2, 1]], None));
        // As large as the remote takes.
        let many: Vec<_> = (0..5).map(|node| file(node, "a", 60 * (node % 2), 0)).collect();
        assert_eq!(pick_at(&many, 5), (vec![vec![0, 1, 2], vec![3, 4]], None));
    }
}
