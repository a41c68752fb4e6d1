//! The changes that the service isn't told yet, in the order in which they were made, and which of them may go now.

use std::collections::{BTreeMap, HashMap, HashSet};

use fichier_storage::{File, RemotePath};
use tokio::time::Instant;

use crate::{
    NodeId,
    change::{Change, ChangeKind},
    journal::ChangeRow,
};

/// A change in the queue.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) node: Option<NodeId>,
    pub(crate) change: Change,
    /// When it may go.
    pub(crate) at: Instant,
    /// Whether it waits for a removed file's last handle.
    pub(crate) is_held: bool,
    /// Whether it is on its way.
    pub(crate) is_sent: bool,
    /// Whether the service may have been told before.
    pub(crate) tried: bool,
    /// How often it has failed.
    pub(crate) failures: u32,
}

/// All changes that wait, by their number in the journal.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    changes: BTreeMap<i64, Queued>,
    /// How many changes decide a name.
    decided: HashMap<RemotePath, usize>,
}

/// The changes to send next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// These, in one call.
    Batch(ChangeKind, Vec<i64>),
    /// None until then.
    At(Instant),
    /// None until something else ends.
    Idle,
}

impl Queue {
    /// Adds a change behind the others.
    pub(crate) fn push(&mut self, id: i64, queued: Queued) {
        for path in queued.change.decided() {
            *self.decided.entry(path.clone()).or_default() += 1;
        }
        self.changes.insert(id, queued);
    }

    /// Takes a change out: it is done, or will never be.
    pub(crate) fn take(&mut self, id: i64) -> Option<Queued> {
        let queued = self.changes.remove(&id)?;
        for path in queued.change.decided() {
            if let Some(count) = self.decided.get_mut(path) {
                *count -= 1;
                if *count == 0 {
                    self.decided.remove(path);
                }
            }
        }
        Some(queued)
    }

    /// Returns a change.
    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Queued> {
        self.changes.get_mut(&id)
    }

    /// Returns all changes in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Queued)> {
        self.changes.iter().map(|(id, queued)| (*id, queued))
    }

    /// Returns how many changes wait.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Checks whether a change decides what is at this path, whatever a listing says.
    pub(crate) fn decides(&self, path: &RemotePath) -> bool {
        self.decided.contains_key(path)
    }

    /// Checks whether a change decides what is somewhere below this path.
    pub(crate) fn decides_below(&self, folder: &RemotePath) -> bool {
        self.decided.keys().any(|path| path != folder && path.is_within(folder))
    }

    /// Returns the change that makes this folder, if the service wasn't told of it and nothing else touches the path.
    pub(crate) fn only_makes(&self, folder: &RemotePath) -> Option<i64> {
        let touches = |queued: &Queued| queued.change.paths().any(|path| path.is_within(folder));
        let mut touching = self.changes.iter().filter(|(_, queued)| touches(queued));
        match (touching.next(), touching.next()) {
            (Some((id, queued)), None) => {
                let makes = matches!(&queued.change, Change::MakeFolder(path) if path == folder);
                (makes && !queued.is_sent && !queued.tried).then_some(*id)
            }
            _ => None,
        }
    }

    /// Notes that the folders of a path are made by what is sent there, so that they have to be removed again.
    pub(crate) fn makes_no_more_alone(&mut self, path: &RemotePath) {
        for queued in self.changes.values_mut() {
            if matches!(&queued.change, Change::MakeFolder(folder) if path.is_within(folder)) {
                queued.tried = true;
            }
        }
    }

    /// Returns the changes that make the folders of a path, and aren't on their way.
    pub(crate) fn made_by(&self, path: &RemotePath) -> Vec<i64> {
        let makes = |queued: &Queued| {
            !queued.is_sent && matches!(&queued.change, Change::MakeFolder(folder) if path.is_within(folder))
        };
        // One that comes after a removal of the same folder is another folder.
        let mut found = Vec::new();
        for (id, queued) in &self.changes {
            if makes(queued) {
                found.push(*id);
            } else if matches!(&queued.change, Change::RemoveFolder(folder) if path.is_within(folder)) {
                return Vec::new();
            }
        }
        found
    }

    /// Adds a version to those that a waiting rename to this path replaces; returns the change, to be journaled.
    pub(crate) fn replace_too(&mut self, path: &RemotePath, file: &File) -> Option<ChangeRow> {
        for (id, queued) in &mut self.changes {
            if let Change::Rename { to, replaces, .. } = &mut queued.change
                && to == path
                && !queued.is_sent
            {
                replaces.push(file.clone());
                let (node, tried) = (queued.node.map(|node| node.0), queued.tried);
                return Some(ChangeRow { id: *id, node, change: queued.change.clone(), tried });
            }
        }
        None
    }

    /// Forgets the failures of changes, and lets them all go at once.
    pub(crate) fn forgive(&mut self, now: Instant) {
        for queued in self.changes.values_mut() {
            queued.at = queued.at.min(now);
            queued.failures = 0;
        }
    }

    /// Checks whether a change that waits touches this path, what is in it, or a folder that it is in.
    pub(crate) fn touches(&self, path: &RemotePath) -> bool {
        self.changes.values().any(|queued| queued.change.paths().any(|other| overlap(other, path)))
    }

    /// Lets changes that touch the path go at once, also those that wait for a handle.
    pub(crate) fn hurry(&mut self, path: &RemotePath, now: Instant) {
        for queued in self.changes.values_mut() {
            if queued.change.paths().any(|other| overlap(other, path)) {
                queued.is_held = false;
                queued.at = queued.at.min(now);
            }
        }
    }

    /// Lets the removal of a file go whose last handle was released.
    pub(crate) fn release(&mut self, node: NodeId) {
        for queued in self.changes.values_mut().filter(|queued| queued.node == Some(node)) {
            queued.is_held = false;
        }
    }

    /// Gives all changes and the versions in them other paths; returns the changes that name others now.
    pub(crate) fn move_paths(&mut self, moved: &dyn Fn(&RemotePath) -> RemotePath) -> Vec<ChangeRow> {
        let mut rows = Vec::new();
        for (id, queued) in &mut self.changes {
            let old = queued.change.clone();
            queued.change.move_paths(moved);
            if queued.change != old {
                let (node, tried) = (queued.node.map(|node| node.0), queued.tried);
                rows.push(ChangeRow { id: *id, node, change: queued.change.clone(), tried });
            }
        }
        self.decided.clear();
        for queued in self.changes.values() {
            for path in queued.change.decided() {
                *self.decided.entry(path.clone()).or_default() += 1;
            }
        }
        rows
    }

    /// Gives later changes of a file what an earlier one made of it; returns which ones changed.
    pub(crate) fn replace_files(&mut self, node: NodeId, old: &[File], new: &[File]) -> Vec<i64> {
        let mut changed = Vec::new();
        for (id, queued) in self.changes.iter_mut().filter(|(_, queued)| queued.node == Some(node)) {
            let Some(files) = queued.change.files_mut() else { continue };
            if files.iter().any(|file| old.contains(file)) {
                files.retain(|file| !old.contains(file));
                files.splice(0..0, new.iter().cloned());
                changed.push(*id);
            }
        }
        changed
    }

    /// Gives changes that replace a version what became of it; returns which ones changed.
    pub(crate) fn replace_replaced(&mut self, old: &[File], new: &[File]) -> Vec<i64> {
        let mut changed = Vec::new();
        for (id, queued) in &mut self.changes {
            if let Change::Rename { replaces, .. } = &mut queued.change
                && replaces.iter().any(|file| old.contains(file))
            {
                replaces.retain(|file| !old.contains(file));
                replaces.extend(new.iter().cloned());
                changed.push(*id);
            }
        }
        changed
    }

    /// Returns which changes may go next. What is being sent to a path keeps changes of that path waiting.
    pub(crate) fn next(&mut self, now: Instant, uploads: &[RemotePath]) -> Next {
        self.let_go_of_what_others_wait_for();
        let mut before = Touched::default();
        uploads.iter().for_each(|path| before.add(path));
        let mut batch: Option<(ChangeKind, Vec<i64>)> = None;
        let mut soonest: Option<Instant> = None;
        for (id, queued) in &self.changes {
            let kind = queued.change.kind();
            let is_free =
                !queued.is_held && !queued.is_sent && queued.change.paths().all(|path| before.is_free(path));
            let is_of_batch = batch.as_ref().is_none_or(|(first, _)| *first == kind);
            if is_free && queued.at > now {
                soonest = Some(soonest.map_or(queued.at, |at| at.min(queued.at)));
            }
            if is_free && is_of_batch && queued.at <= now {
                batch.get_or_insert_with(|| (kind, Vec::new())).1.push(*id);
                // Folders go in the list's order, deepest first or last as they were made, so one list may hold
                // a folder and what is in it.
                if matches!(kind, ChangeKind::MakeFolder | ChangeKind::RemoveFolder) {
                    continue;
                }
            }
            queued.change.paths().for_each(|path| before.add(path));
        }
        match (batch, soonest) {
            (Some((kind, ids)), _) => Next::Batch(kind, ids),
            (None, Some(at)) => Next::At(at),
            (None, None) => Next::Idle,
        }
    }

    /// A removal that waits for a handle goes if a later change has to wait for it.
    fn let_go_of_what_others_wait_for(&mut self) {
        if !self.changes.values().any(|queued| queued.is_held) {
            return;
        }
        let mut later = Touched::default();
        for queued in self.changes.values_mut().rev() {
            if queued.is_held && !queued.change.paths().all(|path| later.is_free(path)) {
                queued.is_held = false;
            }
            queued.change.paths().for_each(|path| later.add(path));
        }
    }

    /// Checks whether a file may be sent to this path now.
    pub(crate) fn lets_upload(&mut self, path: &RemotePath) -> bool {
        let mut lets = true;
        for queued in self.changes.values_mut() {
            // A folder that is to be made is made by the upload as well.
            let is_parent =
                matches!(&queued.change, Change::MakeFolder(folder) if !queued.is_sent && folder != path);
            if !is_parent && queued.change.paths().any(|other| overlap(other, path)) {
                queued.is_held = false;
                lets = false;
            }
        }
        lets
    }
}

fn overlap(left: &RemotePath, right: &RemotePath) -> bool {
    left.is_within(right) || right.is_within(left)
}

/// Paths that changes touch.
#[derive(Debug, Default)]
struct Touched {
    paths: HashSet<RemotePath>,
    above: HashSet<RemotePath>,
}

impl Touched {
    fn add(&mut self, path: &RemotePath) {
        let mut above = path.parent();
        while let Some(folder) = above {
            above = folder.parent();
            if !self.above.insert(folder) {
                break;
            }
        }
        self.paths.insert(path.clone());
    }

    /// Checks that nothing touches the path, what is in it, or a folder that it is in.
    fn is_free(&self, path: &RemotePath) -> bool {
        if self.above.contains(path) {
            return false;
        }
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if self.paths.contains(&path) {
                return false;
            }
            at = path.parent();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    fn queued(change: Change, at: Instant) -> Queued {
        Queued { node: None, change, at, is_held: false, is_sent: false, tried: false, failures: 0 }
    }

    fn remove(text: &str) -> Change {
        Change::Remove { path: path(text), files: vec![File::new(path(text), 1)] }
    }

    fn queue(changes: impl IntoIterator<Item = Change>) -> (Queue, Instant) {
        let now = Instant::now();
        let mut queue = Queue::default();
        changes.into_iter().zip(1..).for_each(|(change, id)| queue.push(id, queued(change, now)));
        (queue, now)
    }

    fn done(queue: &mut Queue, ids: &[i64]) {
        ids.iter().for_each(|id| drop(queue.take(*id)));
    }

    // [order-1] `rm -rf` in lists, the folders after what was in them.
    #[test]
    fn what_does_not_touch_goes_in_one_list_and_what_does_in_order() {
        let (mut queue, now) = queue([
            remove("a/x"),
            Change::RemoveFolder(path("a")),
            remove("b/x"),
            Change::RemoveFolder(path("b")),
            Change::MakeFolder(path("a")),
            remove("a/x"),
        ]);
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::Remove, vec![1, 3]));
        done(&mut queue, &[1, 3]);
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::RemoveFolder, vec![2, 4]));
        done(&mut queue, &[2, 4]);
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::MakeFolder, vec![5]));
        done(&mut queue, &[5]);
        assert_eq!(queue.next(now, &[path("a/y")]), Next::Batch(ChangeKind::Remove, vec![6]));
        assert_eq!(queue.next(now, &[path("a/x")]), Next::Idle);
        assert!(queue.lets_upload(&path("a/y")) && !queue.lets_upload(&path("a/x")));
    }

    #[test]
    fn a_change_waits_for_its_time_and_for_what_is_on_its_way() {
        let (mut queue, now) = queue([]);
        let later = now + Duration::from_secs(1);
        queue.push(1, queued(remove("a"), later));
        assert_eq!(queue.next(now, &[]), Next::At(later));
        queue.hurry(&path(""), now);
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::Remove, vec![1]));
        queue.get_mut(1).unwrap().is_sent = true;
        queue.push(2, queued(remove("a"), now));
        assert_eq!(queue.next(now, &[]), Next::Idle);
        assert!(queue.decides(&path("a")) && queue.touches(&path("a/b")) && queue.decides_below(&path("")));
        done(&mut queue, &[1, 2]);
        assert!(!queue.decides(&path("a")) && queue.len() == 0);
    }

    // [unlink-2]
    #[test]
    fn a_removal_that_waits_for_a_handle_goes_if_others_wait_for_it() {
        let (mut queue, now) = queue([remove("a/x"), remove("b")]);
        queue.get_mut(1).unwrap().is_held = true;
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::Remove, vec![2]));
        queue.push(3, queued(Change::RemoveFolder(path("a")), now));
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::Remove, vec![1, 2]));
    }

    #[test]
    fn a_rename_twice_gives_the_second_what_the_first_made() {
        let rename = |from: &str, to: &str| Change::Rename {
            path: path(from),
            file: vec![File::new(path("a"), 1)],
            to: path(to),
            replaces: vec![],
        };
        let (mut queue, now) = queue([rename("a", "b"), rename("b", "c")]);
        for id in [1, 2] {
            queue.get_mut(id).unwrap().node = Some(NodeId(9));
        }
        assert_eq!(queue.next(now, &[]), Next::Batch(ChangeKind::Rename, vec![1]));
        done(&mut queue, &[1]);
        let made = File::new(path("b"), 1);
        assert_eq!(
            queue.replace_files(NodeId(9), &[File::new(path("a"), 1)], std::slice::from_ref(&made)),
            [2]
        );
        assert_eq!(queue.get_mut(2).unwrap().change.files(), [made]);
    }
}
