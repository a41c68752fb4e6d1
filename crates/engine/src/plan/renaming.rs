//! New names on the way to the destination: `--name-transform`.
//!
//! What the source has gets its new name before it is matched with what the destination has. So a run that is made
//! again finds what it has done. Filters see the names of the source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use fichier_storage::{Entry, Name, RemotePath, StorageError};

use crate::RunError;

/// What bears a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Gives names another form on their way to the destination.
pub trait NameTransform: fmt::Debug + Send + Sync {
    /// Returns the name that something gets at the destination.
    ///
    /// # Errors
    /// It gets none, for this reason.
    fn apply(&self, name: &Name, bearer: Bearer) -> Result<Name, String>;
}

/// An entry of the source with its name at the destination.
#[derive(Debug)]
pub(crate) struct Sourced {
    pub(crate) name: Name,
    pub(crate) entry: Entry,
}

/// What a folder of the source holds, under the names that it gets at the destination.
#[derive(Debug, Default)]
pub(crate) struct Renamed {
    pub(crate) entries: Vec<Sourced>,
    /// What gets no name, and why.
    pub(crate) refused: Vec<(RemotePath, String)>,
    /// Names that several would have got. What the destination has under them stays.
    pub(crate) contested: Vec<Name>,
}

/// What becomes of folders that get the name of another one, which keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SameName {
    /// None of them gets a name.
    Refused,
    /// They become one.
    Merged,
}

/// Gives the entries of one folder their new names. Nothing is called what something else would be called, too.
pub(crate) async fn rename_all(
    transform: Option<&Arc<dyn NameTransform>>,
    entries: Vec<Entry>,
    folders: SameName,
) -> Renamed {
    let Some(transform) = transform.cloned() else {
        let named = |entry: Entry| Some(Sourced { name: entry.name()?, entry });
        return Renamed { entries: entries.into_iter().filter_map(named).collect(), ..Renamed::default() };
    };
    // A program may be asked for each name.
    let renamed = tokio::task::spawn_blocking(move || rename_entries(&*transform, entries, folders)).await;
    // Only a runtime that shuts down doesn't run it.
    renamed.unwrap_or_default()
}

fn rename_entries(transform: &dyn NameTransform, entries: Vec<Entry>, folders: SameName) -> Renamed {
    let mut renamed = Renamed::default();
    for entry in entries {
        let Some(before) = entry.name() else { continue };
        match transform.apply(&before, bearer(&entry)) {
            Ok(name) => renamed.entries.push(Sourced { name, entry }),
            Err(why) => renamed.refused.push((entry.path().clone(), why)),
        }
    }
    let mut bearers: BTreeMap<&Name, BTreeSet<Name>> = BTreeMap::new();
    for Sourced { name, entry } in &renamed.entries {
        bearers.entry(name).or_default().extend(entry.name());
    }
    let is_file = |sourced: &&Sourced| sourced.entry.as_file().is_some();
    let files: BTreeSet<_> = renamed.entries.iter().filter(is_file).map(|sourced| &sourced.name).collect();
    let contested: BTreeMap<Name, BTreeSet<Name>> = bearers
        .into_iter()
        .filter(|(_, before)| before.len() > 1)
        .filter(|(name, before)| {
            folders == SameName::Refused || !before.contains(*name) || files.contains(name)
        })
        .map(|(name, before)| (name.clone(), before))
        .collect();
    let mut left = Vec::with_capacity(renamed.entries.len());
    for sourced in std::mem::take(&mut renamed.entries) {
        match contested.get(&sourced.name) {
            None => left.push(sourced),
            Some(before) => {
                let own = sourced.entry.name();
                let other = before.iter().find(|other| Some(*other) != own.as_ref());
                let other = other.map(ToString::to_string).unwrap_or_default();
                let why = format!("{other:?} would get the same new name, {:?}", sourced.name);
                renamed.refused.push((sourced.entry.path().clone(), why));
            }
        }
    }
    renamed.entries = left;
    renamed.contested = contested.into_keys().collect();
    renamed
}

fn bearer(entry: &Entry) -> Bearer {
    match entry {
        Entry::File(_) => Bearer::File,
        Entry::Folder(_) => Bearer::Folder,
    }
}

/// The error for what gets no name. `path` is as the user knows it.
pub(crate) fn no_new_name(path: RemotePath, why: String) -> StorageError {
    RunError::NoNewName { path, why }.into()
}

#[cfg(test)]
mod tests {
    use fichier_storage::{File, Folder};

    use super::*;

    /// Leaves out the first letter.
    #[derive(Debug)]
    struct Headless;

    impl NameTransform for Headless {
        fn apply(&self, name: &Name, bearer: Bearer) -> Result<Name, String> {
            match bearer {
                Bearer::File => Name::new(&name.as_bytes()[1..]).map_err(|error| error.to_string()),
                Bearer::Folder => Ok(name.clone()),
            }
        }
    }

    fn file(path: &str) -> Entry {
        Entry::File(File::new(RemotePath::parse(path).unwrap(), 1))
    }

    fn folder(path: &str) -> Entry {
        Entry::Folder(Folder { path: RemotePath::parse(path).unwrap(), modified: None, id: None })
    }

    #[test]
    fn what_would_share_a_name_or_have_none_is_refused_and_the_rest_goes_on() {
        let entries = vec![
            file("d/ax"),
            file("d/bx"),
            file("d/by"),
            file("d/by"),
            file("d/z"),
            file("d/ce"),
            folder("d/e"),
        ];
        let renamed = rename_entries(&Headless, entries, SameName::Refused);
        let names: Vec<_> = renamed.entries.iter().map(|sourced| sourced.name.to_string()).collect();
        // Two versions of one file share their name as before.
        assert_eq!(names, ["y", "y"]);
        let mut refused: Vec<_> = renamed.refused.iter().map(|(path, _)| path.to_string()).collect();
        refused.sort();
        assert_eq!(refused, ["d/ax", "d/bx", "d/ce", "d/e", "d/z"]);
        let contested: Vec<_> = renamed.contested.iter().map(ToString::to_string).collect();
        assert_eq!(contested, ["e", "x"]);
        let (_, why) = renamed.refused.iter().find(|(path, _)| path.to_string() == "d/ax").unwrap();
        assert_eq!(why, "\"bx\" would get the same new name, \"x\"");
    }
}
