//! Where paths lie: one identity for every spelling of a path, and for every remote that leads there.
//!
//! Two remotes may show the same files: an alias, another set of options for one account, a link to a folder, a
//! second mount of it. So names can't show whether two paths are the same place. The identity that the system or the
//! service gives to existing things can.

use std::hash::{Hash, Hasher};

use crate::{Name, RemotePath};

/// Identity of a folder that exists: no other folder of any remote has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FolderIdentity(Box<[u8]>);

impl FolderIdentity {
    /// Makes an identity from the kind of remote and what is unique among remotes of that kind.
    #[must_use]
    pub fn new(kind: &str, unique: &[u8]) -> Self {
        Self([kind.as_bytes(), &[0], unique].concat().into())
    }
}

/// One folder on the way from a place up to the root.
#[derive(Debug, Clone)]
pub struct Step {
    /// Identity of the folder.
    pub identity: FolderIdentity,
    /// Name of the folder in the one above it; `None` for the root.
    pub name: Option<Name>,
}

/// Identity of a place: of a folder, or of a file in a folder. Two are equal exactly when they mean the same place.
#[derive(Debug, Clone)]
pub struct PlaceId {
    /// The innermost folder that exists, and all above it. A folder that is mounted twice has several ways up.
    ways: Vec<Vec<Step>>,
    /// Path below that folder.
    below: RemotePath,
}

impl PlaceId {
    /// Makes the identity of a path below a folder that exists. Each of `ways` leads from that folder up to a root.
    #[must_use]
    pub fn new(ways: Vec<Vec<Step>>, below: RemotePath) -> Self {
        Self { ways, below }
    }

    /// Makes the identity of the root of a remote whose folders are known by their paths.
    #[must_use]
    pub fn root(identity: FolderIdentity) -> Self {
        Self::new(vec![vec![Step { identity, name: None }]], RemotePath::root())
    }

    /// Returns the place of a path below this one, links not followed.
    #[must_use]
    pub fn join(&self, below: &RemotePath) -> Self {
        Self { ways: self.ways.clone(), below: self.below.join_path(below) }
    }

    /// Replaces the names on the way and below, for a wrapper that changes names. The folders' identities stay the
    /// same.
    #[must_use]
    pub fn with_names(mut self, change: impl Fn(&Name) -> Name) -> Self {
        for step in self.ways.iter_mut().flatten() {
            step.name = step.name.as_ref().map(&change);
        }
        self.below = self.below.names().fold(RemotePath::root(), |path, name| path.join(&change(&name)));
        self
    }

    /// Adds a way up for a wrapper whose root shows `shown` as its folder `name`: then a place inside `shown` also lies
    /// inside that root. A place outside of it stays as it is.
    #[must_use]
    pub fn shown_in(mut self, root: &FolderIdentity, name: &Name, shown: &Self) -> Self {
        let Some(folder) = shown.folder().filter(|_| shown.below.is_root()) else { return self };
        let up = |way: &Vec<Step>| {
            let steps = way.iter().position(|step| step.identity == *folder)?;
            let mut up = way[..steps].to_vec();
            up.push(Step { identity: folder.clone(), name: Some(name.clone()) });
            up.push(Step { identity: root.clone(), name: None });
            Some(up)
        };
        let ways: Vec<_> = self.ways.iter().filter_map(up).collect();
        self.ways.extend(ways);
        self
    }

    /// Checks whether this place is `outer` or lies inside it.
    #[must_use]
    pub fn is_within(&self, outer: &Self) -> bool {
        self.relative_to(outer).is_some()
    }

    /// Returns the path from `outer` to this place; `None` if this one doesn't lie inside it.
    #[must_use]
    pub fn relative_to(&self, outer: &Self) -> Option<RemotePath> {
        let folder = outer.folder()?;
        if !outer.below.is_root() {
            return if self.folder() == Some(folder) { self.below.relative_to(&outer.below) } else { None };
        }
        self.ways.iter().find_map(|way| {
            let steps = way.iter().position(|step| step.identity == *folder)?;
            let names = way[..steps].iter().rev().filter_map(|step| step.name.as_ref());
            let path = names.fold(RemotePath::root(), |path, name| path.join(name));
            Some(path.join_path(&self.below))
        })
    }

    fn folder(&self) -> Option<&FolderIdentity> {
        Some(&self.ways.first()?.first()?.identity)
    }
}

impl PartialEq for PlaceId {
    fn eq(&self, other: &Self) -> bool {
        self.folder().is_some() && self.folder() == other.folder() && self.below == other.below
    }
}

impl Eq for PlaceId {}

impl Hash for PlaceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.folder(), &self.below).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the place of a folder with these names on its way up, and of `below` in it. Identities are the paths
    /// of `disk`.
    fn place(disk: &str, folder: &str, below: &str) -> PlaceId {
        let mut path = RemotePath::parse(folder).unwrap();
        let mut way = Vec::new();
        loop {
            let identity = FolderIdentity::new(disk, path.as_bytes());
            way.push(Step { identity, name: path.name() });
            match path.parent() {
                Some(parent) => path = parent,
                None => break,
            }
        }
        PlaceId::new(vec![way], RemotePath::parse(below).unwrap())
    }

    fn relative(inner: &PlaceId, outer: &PlaceId) -> Option<String> {
        inner.relative_to(outer).map(|path| path.to_string())
    }

    #[test]
    fn a_place_is_known_by_its_folder_and_what_follows() {
        assert_eq!(place("d", "a/b", ""), place("d", "a/b", ""));
        assert_ne!(place("d", "a/b", ""), place("e", "a/b", ""));
        assert_ne!(place("d", "a/b", "new"), place("d", "a/b", ""));
        assert_eq!(place("d", "a/b", "").join(&RemotePath::parse("new").unwrap()), place("d", "a/b", "new"));
    }

    #[test]
    fn what_lies_inside_says_by_which_path() {
        let outer = place("d", "a", "");
        assert_eq!(relative(&outer, &outer).as_deref(), Some(""));
        assert_eq!(relative(&place("d", "a/b/c", ""), &outer).as_deref(), Some("b/c"));
        assert_eq!(relative(&place("d", "a/b", "new/x"), &outer).as_deref(), Some("b/new/x"));
        assert_eq!(relative(&place("d", "ab", ""), &outer), None);
        assert_eq!(relative(&outer, &place("d", "a/b", "")), None);
        // Only what doesn't exist either can be inside what doesn't exist.
        let new = place("d", "a", "new");
        assert_eq!(relative(&place("d", "a", "new/x"), &new).as_deref(), Some("x"));
        assert_eq!(relative(&place("d", "a", "newer"), &new), None);
        assert_eq!(relative(&place("d", "a/b", ""), &new), None);
    }

    #[test]
    fn a_second_way_up_counts_too() {
        let [mounted, real] = [place("d", "mnt/m", ""), place("d", "a/b", "")].map(|place| place.ways);
        let both = PlaceId::new([mounted, real].concat(), RemotePath::root());
        assert_eq!(relative(&both, &place("d", "a", "")).as_deref(), Some("b"));
        assert_eq!(relative(&both, &place("d", "mnt", "")).as_deref(), Some("m"));
    }

    #[test]
    fn other_names_lead_to_the_same_folders() {
        let longer = |name: &Name| Name::new([name.as_bytes(), b"!"].concat()).unwrap();
        let shown = place("d", "a/b", "new").with_names(longer);
        assert_eq!(relative(&shown, &place("d", "a", "")).as_deref(), Some("b!/new!"));
        assert_eq!(place("d", "a/b", "").with_names(longer), place("d", "a/b", ""));
    }

    #[test]
    fn an_unknown_place_is_like_no_other() {
        let unknown = PlaceId::new(Vec::new(), RemotePath::root());
        assert_ne!(unknown, unknown.clone());
        assert!(!unknown.is_within(&unknown));
    }
}
