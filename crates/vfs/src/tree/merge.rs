//! A listing that comes into the tree. What is ours and unsent lies over it.

use std::{collections::BTreeMap, time::SystemTime};

use fichier_storage::{Entry, File, Folder, Name};
use tokio::time::Instant;

use super::{Body, FileBody, FolderBody, Tree};
use crate::NodeId;

/// A listing of a folder, and what decides how it comes into the tree.
pub(crate) struct Merge<'a> {
    pub(crate) folder: NodeId,
    pub(crate) entries: Vec<Entry>,
    /// The count of our changes when the listing began.
    pub(crate) began: u64,
    pub(crate) now: Instant,
    /// Whether a change that waits decides what bears this name.
    pub(crate) is_decided: &'a dyn Fn(&Name) -> bool,
    /// Whether a folder of this name stays, since something in it isn't sent.
    pub(crate) is_kept: &'a dyn Fn(&Name) -> bool,
    /// The time that a file was given.
    pub(crate) time_of: &'a dyn Fn(&File) -> Option<SystemTime>,
}

/// What a listing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The entry came, went or changed.
    Entry(Name),
    /// The content of the file changed.
    Content(NodeId),
}

/// What the service has under one name.
enum Found {
    /// All versions, the newest first.
    Files(Vec<File>),
    Folder(Folder),
}

impl Merge<'_> {
    /// Brings the listing into the tree, and returns what it changed.
    pub(crate) fn into_tree(self, tree: &mut Tree) -> Vec<News> {
        let mut news = Vec::new();
        let Some(folder) = tree.folder_mut(self.folder) else { return news };
        let is_first = folder.listed.is_none();
        folder.listed = Some(self.now);
        let own = std::mem::take(&mut folder.own);
        let is_own = |name: &Name| own.get(name).is_some_and(|count| *count > self.began);
        let known = folder.children.clone();
        let found = group(self.entries);
        for (name, child) in &known {
            if found.contains_key(name) || is_own(name) || (self.is_decided)(name) {
                continue;
            }
            // What is open for writing will be ours.
            let is_unsent = tree.file(*child).is_some_and(|file| file.local.is_some() || file.writers > 0);
            let is_kept = tree.folder(*child).is_some() && ((self.is_kept)(name) || tree.has_unsent(*child));
            if !is_unsent && !is_kept {
                tree.detach(*child);
                news.push(News::Entry(name.clone()));
            }
        }
        for (name, found) in found {
            if is_own(&name) || (self.is_decided)(&name) {
                continue;
            }
            let was_there = known.get(&name).copied();
            if let Some(child) = was_there
                && let Some(changed) = update(tree, child, &found, self.time_of)
            {
                if changed {
                    news.push(News::Content(child));
                    news.push(News::Entry(name));
                }
                continue;
            }
            if let Some(child) = was_there {
                tree.detach(child);
            }
            let body = match found {
                Found::Files(versions) => {
                    let modified = versions.first().and_then(self.time_of);
                    Body::File(Box::new(FileBody { versions, modified, ..FileBody::default() }))
                }
                Found::Folder(folder) => {
                    Body::Folder(FolderBody { modified: folder.modified, ..FolderBody::default() })
                }
            };
            tree.add(self.folder, name.clone(), body);
            news.push(News::Entry(name));
        }
        // Only one listing of a folder is under way at a time, so what is older than its begin isn't needed again.
        if let Some(folder) = tree.folder_mut(self.folder) {
            folder.own.extend(own.into_iter().filter(|(_, count)| *count > self.began));
        }
        if is_first { Vec::new() } else { news }
    }
}

/// Gives a node what was found; `None` if it is of the other kind, so that another node takes its place.
fn update(
    tree: &mut Tree,
    child: NodeId,
    found: &Found,
    time_of: &dyn Fn(&File) -> Option<SystemTime>,
) -> Option<bool> {
    match (&mut tree.get_mut(child)?.body, found) {
        (Body::Folder(folder), Found::Folder(found)) => {
            folder.modified = found.modified.or(folder.modified);
            Some(false)
        }
        // Ours lies over what is listed.
        (Body::File(file), _) if file.local.is_some() => Some(false),
        (Body::File(file), Found::Files(versions)) => {
            let is_same = match (file.versions.first(), versions.first()) {
                (Some(old), Some(new)) => new.is_still(old),
                (old, new) => old.is_none() == new.is_none(),
            };
            file.versions.clone_from(versions);
            if !is_same {
                file.modified = versions.first().and_then(time_of);
            }
            Some(!is_same)
        }
        _ => None,
    }
}

fn group(entries: Vec<Entry>) -> BTreeMap<Name, Found> {
    let mut found: BTreeMap<Name, Found> = BTreeMap::new();
    for entry in entries {
        let Some(name) = entry.name() else { continue };
        match (entry, found.get_mut(&name)) {
            (Entry::File(file), Some(Found::Files(versions))) => versions.push(file),
            (Entry::File(file), _) => drop(found.insert(name, Found::Files(vec![file]))),
            (Entry::Folder(_), Some(_)) => {}
            (Entry::Folder(folder), None) => drop(found.insert(name, Found::Folder(folder))),
        }
    }
    for versions in found.values_mut() {
        if let Found::Files(versions) = versions {
            // Of those of one time, the last of the listing is the newest.
            versions.reverse();
            versions.sort_by_key(|file| std::cmp::Reverse(file.modified));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fichier_storage::{FileId, RemotePath};

    use super::*;
    use crate::tree::Local;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn file(text: &str, id: &str, second: u64) -> Entry {
        let mut file = File::new(path(text), 1);
        file.id = Some(FileId::new(id));
        file.modified = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        Entry::File(file)
    }

    fn folder(text: &str) -> Entry {
        Entry::Folder(Folder { path: path(text), modified: None, id: None })
    }

    fn merge(tree: &mut Tree, began: u64, entries: Vec<Entry>) -> Vec<News> {
        let merge = Merge {
            folder: NodeId::ROOT,
            entries,
            began,
            now: Instant::now(),
            is_decided: &|name| name.as_bytes() == b"decided",
            is_kept: &|_| false,
            time_of: &|_| None,
        };
        merge.into_tree(tree)
    }

    fn shown(tree: &Tree) -> Vec<(String, String)> {
        let children = &tree.folder(NodeId::ROOT).unwrap().children;
        let id = |child| match tree.file(child) {
            Some(file) => {
                file.versions.first().map_or("ours", |file| file.id.as_ref().unwrap().as_str()).to_owned()
            }
            None => "folder".to_owned(),
        };
        children.iter().map(|(name, child)| (name.to_string(), id(*child))).collect()
    }

    // [names-1]
    #[test]
    fn a_name_is_shown_once() {
        let mut tree = Tree::new(RemotePath::root());
        let entries = vec![
            file("a", "old", 1),
            file("a", "new", 3),
            file("a", "older", 2),
            folder("b"),
            file("b", "file", 1),
            folder("c"),
            folder("c"),
            file("d", "first", 5),
            file("d", "second", 5),
        ];
        assert_eq!(merge(&mut tree, 0, entries), []);
        let wanted = [("a", "new"), ("b", "file"), ("c", "folder"), ("d", "second")];
        assert_eq!(shown(&tree), wanted.map(|(name, id)| (name.to_owned(), id.to_owned())));
    }

    // [fresh-4]
    #[test]
    fn ours_lies_over_a_listing() {
        let mut tree = Tree::new(RemotePath::root());
        merge(&mut tree, 0, vec![file("a", "1", 1), file("b", "2", 1), file("gone", "3", 1)]);
        let began = tree.count();
        // Ours: `a` was removed and `b` is being written after the listing began; `decided` waits in the queue.
        tree.detach(tree.child(NodeId::ROOT, &name("a")).unwrap());
        tree.note_own(NodeId::ROOT, &name("a"));
        let b = tree.child(NodeId::ROOT, &name("b")).unwrap();
        tree.file_mut(b).unwrap().local = Some(Local::new(1, SystemTime::UNIX_EPOCH));
        let listed = vec![file("a", "1", 1), file("decided", "4", 1), file("new", "5", 1)];
        let news = merge(&mut tree, began, listed.clone());
        assert_eq!(news, [News::Entry(name("gone")), News::Entry(name("new"))]);
        assert_eq!(
            shown(&tree),
            [("b", "2"), ("new", "5")].map(|(name, id)| (name.to_owned(), id.to_owned()))
        );
        // A listing that began later counts.
        let began = tree.count();
        merge(&mut tree, began, listed);
        assert_eq!(shown(&tree).len(), 3);
    }

    #[test]
    fn what_somebody_else_changed_is_news() {
        let mut tree = Tree::new(RemotePath::root());
        merge(&mut tree, 0, vec![file("a", "1", 1), folder("b")]);
        let a = tree.child(NodeId::ROOT, &name("a")).unwrap();
        let news = merge(&mut tree, 0, vec![file("a", "2", 2), file("b", "3", 1)]);
        assert_eq!(news, [News::Content(a), News::Entry(name("a")), News::Entry(name("b"))]);
        assert!(merge(&mut tree, 0, vec![file("a", "2", 2), file("b", "3", 1)]).is_empty());
    }
}
